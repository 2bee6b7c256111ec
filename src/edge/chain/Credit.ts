import { Interface } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'
import { type Node, unreachable } from './Node.ts'

const CREDITS = new Interface(['function credits(address asset, address owner) view returns (uint256)'])

interface Where {
  readonly node: Node
  /** What people call the node in sentences. */
  readonly name: string
  readonly court: Hex
}

/** What a court keeps of an asset for an owner at the newest block, in its smallest unit. Throws ChainUnreachable. */
export async function creditOf({ node, name, court }: Where, asset: Hex, owner: Hex): Promise<bigint> {
  const data = CREDITS.encodeFunctionData('credits', [asset, owner])
  try {
    return BigInt((await node.send('eth_call', [{ to: court, data }, 'latest'])) as string)
  } catch (why) {
    throw unreachable(name, why)
  }
}
