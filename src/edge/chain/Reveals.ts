import { VerdictRegistry__factory } from '../../../typechain-types/index.ts'
import type { Hex } from '../../core/base/Bytes.ts'
import type { L1Input } from '../../core/base/Step.ts'
import { hashLock } from '../../core/base/Verdicts.ts'
import type { SeenEvent } from '../../core/plasma/Seen.ts'
import { eventOf, type Log } from './Abi.ts'
import type { Chain } from './Chain.ts'
import { type Node, quantity } from './Node.ts'

/** The verbs and events of the registry of preimages. */
export const REGISTRY = VerdictRegistry__factory.createInterface()

/** What a log of the registry says in a block of the second `time`; nothing but preimages concerns locks of outputs. */
export function revealedBy(log: Log, time: number): SeenEvent | undefined {
  const event = eventOf(REGISTRY, log) as { readonly name: string; readonly preimage?: Hex } | undefined
  return event?.name === 'Revealed' ? { name: 'Revealed', hash: hashLock(event.preimage!), time } : undefined
}

/** What the registry heard in the blocks below number `before`, oldest first. */
export async function revealedBefore(node: Node, registry: Hex, before: number): Promise<readonly SeenEvent[]> {
  if (before <= 0) return []
  const topics = [REGISTRY.getEvent('Revealed').topicHash]
  const span = { fromBlock: quantity(0), toBlock: quantity(before - 1) }
  const logs = (await node.send('eth_getLogs', [{ address: registry, topics, ...span }])) as readonly Log[]
  const found: SeenEvent[] = []
  for (const log of logs) {
    const event = revealedBy(log, 0)
    if (event?.name === 'Revealed') found.push({ ...event, time: await timeOf(node, registry, event.hash) })
  }
  return found
}

async function timeOf(node: Node, registry: Hex, hash: Hex): Promise<number> {
  const data = REGISTRY.encodeFunctionData('verdict', [`0x${'00'.repeat(20)}`, hash])
  const answer = (await node.send('eth_call', [{ to: registry, data }, 'latest'])) as Hex
  return Number(REGISTRY.decodeFunctionResult('verdict', answer)[0])
}

/** Followers that are told with their first block what came before it, and when they have all that came. */
export interface Told extends Pick<Chain<never, SeenEvent>, 'follow'> {
  /** Resolves when every follower has been told everything that came up to now. */
  settled(): Promise<void>
}

/**
 * The followers of a court, told with the block with which they began what `earlier` says of the blocks below it. That is
 * asked again every `retry` milliseconds until there is an answer: until then nothing is told.
 */
export function withEarlier(
  court: Pick<Chain<never, SeenEvent>, 'follow'>,
  earlier: (before: number) => Promise<readonly SeenEvent[]>,
  retry = 250,
): Told {
  const asking = new Set<Promise<void>>()
  return {
    settled: async () => void (await Promise.all(asking)),
    follow(from, sink, origin) {
      if (from !== origin || from <= 0) return court.follow(from, sink)
      const waiting: L1Input<SeenEvent>[] = []
      let [known, stopped]: [readonly SeenEvent[] | undefined, boolean] = [undefined, false]
      const tell = (input: L1Input<SeenEvent>) => {
        if (!known) return void waiting.push(input)
        const { block } = input
        sink(block.number === from ? { ...input, block: { ...block, events: [...known, ...block.events] } } : input)
      }
      const ask = async () => {
        while (!stopped && !known) {
          known = await earlier(from).catch(() => undefined)
          if (!known) await new Promise((done) => setTimeout(done, retry))
        }
        if (!stopped) for (const input of waiting.splice(0)) tell(input)
      }
      const line = ask().finally(() => asking.delete(line))
      asking.add(line)
      const stop = court.follow(from, (input) => tell(input))
      return () => {
        stopped = true
        stop()
      }
    },
  }
}
