import type { Hex } from '../base/Bytes.ts'
import type { L1Block, L1Input } from '../base/Step.ts'
import type { ChannelEvent } from './Call.ts'
import type { Channel, Side } from './Channel.ts'

/** What the court's storage says of one channel, as its events tell it. */
export interface Court {
  readonly deposits: Readonly<Record<Side, bigint>>
  /** What each side has taken out in all while the channel was open. */
  readonly withdrawn: Readonly<Record<Side, bigint>>
  /** The recorded version and the last second for answers, from the first challenge on, even after it has passed. */
  readonly clock: { readonly version: bigint; readonly net: bigint; readonly deadline: number } | undefined
  /** Recorded before any clock. */
  readonly checkpoint: bigint
  readonly closed: { readonly payA: bigint; readonly payB: bigint } | undefined
}

/** How many blocks after its own a block stays in memory, so that a reorg deeper than the finality assumed is still seen. */
export const KEPT = 256

interface Entry {
  readonly number: number
  readonly hash: Hex
  readonly time: number
  readonly events: readonly ChannelEvent[]
}

/** One channel's view of layer 1. Only `base` is stored; what is younger comes again from the chain after a restart. */
export interface Watch {
  /** The court up to block `through`, past any reorg. */
  readonly base: Court
  readonly through: number
  /** The younger blocks that tell of this channel, the oldest first. */
  readonly entries: readonly Entry[]
  readonly head: number
  /** Time of the newest block ever seen, seconds; never goes back. */
  readonly time: number
  /** Times of the newest blocks, as many as finality needs, and the time of the newest final one: never goes back. */
  readonly recent: readonly number[]
  readonly lapsed: number
  /** The court as the newest block shows it, and as the newest final one does. */
  readonly newest: Court
  readonly final: Court
}

const NONE = { a: 0n, b: 0n }
const NOTHING: Court = { deposits: NONE, withdrawn: NONE, clock: undefined, checkpoint: 0n, closed: undefined }

/** A view that starts after block `through`. */
export function watch(through: number, base: Court = NOTHING): Watch {
  return { base, through, entries: [], head: through, time: 0, recent: [], lapsed: 0, newest: base, final: base }
}

/** The court's storage as a row holds it: what is not there has no field. */
export function rowOf({ clock, closed, ...court }: Court): Omit<Court, 'clock' | 'closed'> {
  return { ...court, ...(clock && { clock }), ...(closed && { closed }) }
}

/** The court after one event; events of other channels and of other assets change nothing. */
export function after(court: Court, id: Hex, channel: Channel, event: ChannelEvent): Court {
  if (!('id' in event) || event.id !== id) return court
  switch (event.name) {
    case 'Deposited':
      return event.asset === channel.asset ? deposited(court, event.toB ? 'b' : 'a', event.amount) : court
    case 'Challenged':
      return { ...court, clock: { version: event.version, net: event.net, deadline: event.deadline } }
    case 'Answered':
      if (!court.clock) return { ...court, checkpoint: event.version }
      return { ...court, clock: { ...court.clock, version: event.version, net: event.net } }
    case 'Settled':
    case 'Concluded':
      // A settlement again pays what its locks had left open; what the channel itself paid stays.
      return court.closed ? court : { ...court, closed: { payA: event.payA, payB: event.payB } }
    case 'Withdrawn':
      return { ...court, withdrawn: { a: event.withdrawnA, b: event.withdrawnB } }
    case 'Swept':
      return court // what another asset brought was never spendable
  }
}

function deposited(court: Court, side: Side, amount: bigint): Court {
  return { ...court, deposits: { ...court.deposits, [side]: court.deposits[side] + amount } }
}

/** The view after one input of the chain. A block counts as final once it is `confirmations` deep, its own included. */
export function watched(
  view: Watch,
  input: L1Input<ChannelEvent>,
  id: Hex,
  channel: Channel,
  confirmations: number,
): Watch {
  const { number, hash } = input.block
  if (input.kind === 'retract') {
    if (number !== view.head) return view
    const entries = view.entries.filter((entry) => entry.hash !== hash)
    const recent = view.recent.slice(0, -1)
    return viewed({ ...view, entries, recent, head: number - 1 }, id, channel, confirmations)
  }
  if (number <= view.head) return view
  return viewed(fold(grown(view, input.block, id, confirmations), id, channel), id, channel, confirmations)
}

function grown(view: Watch, block: L1Block<ChannelEvent>, id: Hex, confirmations: number): Watch {
  const { number, hash, time } = block
  const events = block.events.filter((event) => 'id' in event && event.id === id)
  const entries = events.length > 0 ? [...view.entries, { number, hash, time, events }] : view.entries
  const recent = [...view.recent, time].slice(-confirmations)
  const lapsed = recent.length < confirmations ? view.lapsed : Math.max(view.lapsed, recent[0]!)
  return { ...view, entries, head: number, time: Math.max(time, view.time), recent, lapsed }
}

/** Moves what is older than any reorg into `base`; an idle channel's base moves on now and then, so that it starts fast. */
function fold(view: Watch, id: Hex, channel: Channel): Watch {
  const through = view.head - KEPT
  const old = view.entries.filter((entry) => entry.number <= through)
  if (old.length === 0 && through < view.through + 4 * KEPT) return view
  return { ...view, base: folded(view.base, old, id, channel), entries: view.entries.slice(old.length), through }
}

function folded(base: Court, entries: readonly Entry[], id: Hex, channel: Channel): Court {
  let court = base
  for (const { events } of entries) for (const event of events) court = after(court, id, channel, event)
  return court
}

function viewed(view: Watch, id: Hex, channel: Channel, confirmations: number): Watch {
  if (view.entries.length === 0) return { ...view, newest: view.base, final: view.base }
  const deep = view.entries.filter((entry) => entry.number <= view.head - confirmations + 1)
  const final = folded(view.base, deep, id, channel)
  return { ...view, final, newest: folded(final, view.entries.slice(deep.length), id, channel) }
}
