import type { Hex } from '../../core/base/Bytes.ts'
import type { L1Block, L1Input } from '../../core/base/Step.ts'
import { Fault } from '../Fault.ts'
import type { Log } from './Abi.ts'
import { type Header, header, type Node, unreachable } from './Node.ts'
import { logsOf } from './Served.ts'

/** How to follow a court's blocks. */
export interface FollowParts<Event> {
  readonly node: Node
  readonly name: string
  readonly court: Hex
  readonly eventOf: (log: Log) => Event | undefined
  /** Another contract whose logs are told as well; none if absent. */
  readonly beside?: Beside<Event> | undefined
  /** Milliseconds between looks, and before a failed one is repeated; the latter doubles up to 40 times that. */
  readonly interval: number
  readonly retry: number
  /** How many blocks are remembered, which is the deepest reorg that can be told. */
  readonly depth: number
  readonly onFault: (fault: Fault) => void
}

/** A contract beside the court: what its log says in a block of the second `time`, if it is told. */
export interface Beside<Event> {
  readonly at: Hex
  readonly eventOf: (log: Log, time: number) => Event | undefined
}

/** A running follower. */
export interface Follower {
  stop(): void
  /** Looks at once; resolves when everything up to the newest block was yielded, or the look failed. */
  poll(): Promise<void>
}

const AHEAD = 16

/**
 * Yields every block from number `from` on, each once and in order, and takes blocks back newest first when a reorg
 * removed them. Whatever the node fails to answer is asked again; nothing is passed over.
 */
export function follow<Event>(
  parts: FollowParts<Event>,
  from: number,
  sink: (input: L1Input<Event>) => void,
): Follower {
  const tail = tailOf(parts, from, deliver)
  let stopped = false
  let failures = 0
  let timer = setTimeout(poll, 0)
  let looking: Promise<void> | undefined

  function deliver(input: L1Input<Event>): void {
    if (stopped) return
    try {
      sink(input)
    } catch (why) {
      // A listener that throws is a mistake of this program, not of the node: end, and let it be seen.
      stop()
      queueMicrotask(() => {
        throw why
      })
    }
  }

  async function look(): Promise<void> {
    try {
      while (!stopped && !(await step(parts, tail, from)));
      failures = 0
    } catch (why) {
      if (stopped) return
      const fault = why instanceof Fault ? why : unreachable(parts.name, why)
      if (fault.code === 'ReorgTooDeep') stop()
      if (failures++ === 0) parts.onFault(fault)
    }
  }

  function stop(): void {
    stopped = true
    clearTimeout(timer)
  }

  function poll(): Promise<void> {
    clearTimeout(timer)
    looking ??= look().finally(() => {
      looking = undefined
      const wait = failures === 0 ? parts.interval : Math.min(parts.retry * 2 ** (failures - 1), 40 * parts.retry)
      if (!stopped) timer = setTimeout(poll, wait)
    })
    return looking
  }

  return { stop, poll }
}

/** The newest blocks that were yielded, at most `depth` of them. */
interface Tail<Event> {
  last(): L1Block<Event> | undefined
  at(number: number): L1Block<Event> | undefined
  push(block: L1Block<Event>): void
  pop(): void
}

function tailOf<Event>(
  { depth, name }: FollowParts<Event>,
  from: number,
  deliver: (input: L1Input<Event>) => void,
): Tail<Event> {
  const kept: L1Block<Event>[] = []
  return {
    last: () => kept.at(-1),
    at: (number) => kept.find((block) => block.number === number),
    push(block) {
      kept.push(block)
      if (kept.length > depth) kept.shift()
      deliver({ kind: 'block', block })
    },
    pop() {
      const block = kept.pop()!
      deliver({ kind: 'retract', block })
      if (kept.length > 0 || block.number === from) return
      const remedy = 'check the node, then start again from a copy of the store or a new one'
      throw new Fault(
        'ReorgTooDeep',
        `${name} replaced more than ${depth} blocks, the last that can be undone; ${remedy}`,
      )
    },
  }
}

/** One look at the node; true if there is nothing more to yield now. */
async function step<Event>(parts: FollowParts<Event>, tail: Tail<Event>, from: number): Promise<boolean> {
  const last = tail.last()
  const latest = await header(parts.node, 'latest')
  if (!latest || latest.hash === last?.hash) return true
  if (last && latest.number <= last.number) return !replaced(tail, latest)
  const next = last ? last.number + 1 : from
  const count = Math.min(latest.number - next + 1, AHEAD)
  const blocks = await Promise.allSettled(
    Array.from({ length: Math.max(0, count) }, (_, i) => blockAt(parts, next + i)),
  )
  for (const block of blocks) {
    if (block.status === 'rejected') throw block.reason
    if (!joined(tail, block.value)) break
  }
  return count <= 0
}

/** Whether a head no higher than ours proves that ours was replaced; a node that merely lags shows one of our blocks. */
function replaced<Event>(tail: Tail<Event>, latest: Header): boolean {
  const ours = tail.at(latest.number)
  if (!ours || ours.hash === latest.hash) return false
  tail.pop()
  return true
}

/** Whether a block continues ours; if not, ours was replaced and its newest block goes. */
function joined<Event>(tail: Tail<Event>, block: L1Block<Event>): boolean {
  const last = tail.last()
  const joins = last === undefined || (block.number === last.number + 1 && block.parent === last.hash)
  if (joins) tail.push(block)
  else tail.pop()
  return joins
}

/** A block with all of the court's events in it, those told beside them, and no others. */
async function blockAt<Event>(parts: FollowParts<Event>, number: number): Promise<L1Block<Event>> {
  const block = await header(parts.node, number)
  if (!block) throw new Error(`block ${number} is not there yet`)
  if (block.number !== number) throw new Error(`block ${block.number} where ${number} was asked for`)
  const { hash, parent, time } = block
  const { node, court, eventOf, beside } = parts
  const [own, others] = await Promise.all([logsOf(node, court, block), beside ? logsOf(node, beside.at, block) : []])
  const told = [...own.map(eventOf), ...others.map((log) => beside?.eventOf(log, time))]
  return { number, hash, parent, time, events: told.filter((one) => one !== undefined) }
}
