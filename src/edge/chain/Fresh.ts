import { Adjudicator__factory } from '../../../typechain-types/index.ts'
import type { Hex } from '../../core/base/Bytes.ts'
import { type Node, unreachable } from './Node.ts'

const COURT = Adjudicator__factory.createInterface()

interface Where {
  readonly node: Node
  /** What people call the node in sentences. */
  readonly name: string
  readonly court: Hex
}

/**
 * Whether the channel court's storage shows nothing but deposits under an id at the newest block: no version, no clock, no
 * withdrawal, no end. What was once there never goes, so no earlier block has more to tell. Throws ChainUnreachable.
 */
export async function isFresh({ node, name, court }: Where, asset: Hex, id: Hex): Promise<boolean> {
  const data = COURT.encodeFunctionData('recordOf', [asset, id])
  try {
    const answer = (await node.send('eth_call', [{ to: court, data }, 'latest'])) as string
    const [{ closed, version, deadline, withdrawnA, withdrawnB }] = COURT.decodeFunctionResult('recordOf', answer)
    return !closed && [version, deadline, withdrawnA, withdrawnB].every((one) => BigInt(one) === 0n)
  } catch (why) {
    throw unreachable(name, why)
  }
}
