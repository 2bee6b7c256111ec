import { RootChain__factory } from '../../../typechain-types/index.ts'
import type { Hex } from '../../core/base/Bytes.ts'
import type { Chain } from '../../core/plasma/Chain.ts'
import { eventOf } from './Abi.ts'
import { type Node, quantity, unreachable } from './Node.ts'

/** A chain as the court has registered it. */
export interface Registered {
  /** Its ancestors from the root level, itself last. */
  readonly path: readonly Chain[]
  /** The L1 block of the registration: nothing can have happened to the chain before it. */
  readonly block: number
}

const abi = RootChain__factory.createInterface()

/**
 * The registration of a chain at a court in L1's blocks from `from` on; undefined if there is none. Throws
 * ChainUnreachable, also if the node does not serve the logs of so many blocks.
 */
export async function registrationOf(
  node: Node,
  court: Hex,
  chain: Hex,
  from: number,
  name = 'the chain',
): Promise<Registered | undefined> {
  const topics = [abi.getEvent('ChainRegistered').topicHash, chain]
  try {
    const filter = { address: court, topics, fromBlock: quantity(from), toBlock: 'latest' }
    const [log] = (await node.send('eth_getLogs', [filter])) as Served[]
    if (!log) return undefined
    const { path } = eventOf(abi, log) as unknown as Pick<Registered, 'path'>
    return { path, block: Number(log.blockNumber) }
  } catch (why) {
    throw unreachable(name, why)
  }
}

interface Served {
  readonly topics: readonly string[]
  readonly data: string
  readonly blockNumber: Hex
}
