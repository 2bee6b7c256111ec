import { ETHER, type Hex, ZERO } from '../base/Bytes.ts'
import type { L1Block, L1Input } from '../base/Step.ts'
import { ALL, hashLock, type Verdict, verdictKey } from '../base/Verdicts.ts'
import type { ChannelEvent } from './Call.ts'
import type { Channel, Side } from './Channel.ts'
import { leftOpen } from './Lock.ts'

/** What the court's storage says of one channel, as its events tell it. */
export interface Court {
  readonly deposits: Readonly<Record<Side, bigint>>
  /** What each side has taken out in all while the channel was open. */
  readonly withdrawn: Readonly<Record<Side, bigint>>
  /** The recorded version and the last second for answers, from the first challenge on, even after it has passed. */
  readonly clock: { readonly version: bigint; readonly net: bigint; readonly deadline: number } | undefined
  /** Recorded before any clock. */
  readonly checkpoint: bigint
  /** What was paid in all, once the channel is closed; its open locks may bring more. */
  readonly closed: { readonly payA: bigint; readonly payB: bigint } | undefined
  /** The packed list of the recorded version; once closed, of the locks that are open still. */
  readonly locks: Hex
  /** The packed list with which the channel was closed. */
  readonly settled: Hex
  /** What is known of the last settlement while it is not known which locks it left open: then `locks` is too long. */
  readonly unsure?: Unsure
  /** What layer 1 has decided about keys of interest, under `verdictKey`. */
  readonly verdicts: Readonly<Record<Hex, KnownVerdict>>
}

/** A settlement: the root of what it left open, its second, and the keys of verdicts that came before it in its block. */
interface Unsure {
  readonly root: Hex
  readonly time: number
  readonly told?: readonly Hex[]
}

/** A verdict, with the preimage if it was one. */
export type KnownVerdict = Verdict & { readonly preimage?: Hex }

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
const NO_LOCKS = { locks: '0x', settled: '0x', verdicts: {} } as const
const OPEN = { clock: undefined, checkpoint: 0n, closed: undefined }
const NOTHING: Court = { deposits: NONE, withdrawn: NONE, ...OPEN, ...NO_LOCKS }

/** Whether the verdict on a key, under its `verdictKey`, is of interest. */
export type IsOfInterest = (key: Hex) => boolean
const nothing: IsOfInterest = () => false

/** A view that starts after block `through`. */
export function watch(through: number, base: Court = NOTHING): Watch {
  return { base, through, entries: [], head: through, time: 0, recent: [], lapsed: 0, newest: base, final: base }
}

/** The court's storage as a row holds it: what is not there has no field. */
export function rowOf({ clock, closed, ...court }: Court): Omit<Court, 'clock' | 'closed'> {
  return { ...court, ...(clock && { clock }), ...(closed && { closed }) }
}

/**
 * The court after one event of a block of `time`, in which `before` came before it; events of other channels and of other
 * assets change nothing.
 */
export function after(
  court: Court,
  id: Hex,
  channel: Channel,
  event: ChannelEvent,
  time = 0,
  before: readonly ChannelEvent[] = [],
): Court {
  const judged = verdictOf(event, time)
  if (judged) return heard(court, ...judged)
  if (!('id' in event) || event.id !== id) return court
  switch (event.name) {
    case 'Deposited':
      return event.asset === channel.asset ? deposited(court, event.toB ? 'b' : 'a', event.amount) : court
    case 'Challenged':
      return { ...listed(court, event), clock: { version: event.version, net: event.net, deadline: event.deadline } }
    case 'Answered':
      // A conclusion leaves a running clock as it is, and answers to it change nothing that counts.
      if (court.closed) return court
      if (!court.clock) return { ...listed(court, event), checkpoint: event.version }
      return { ...listed(court, event), clock: { ...court.clock, version: event.version, net: event.net } }
    case 'Settled':
      return settled(court, event, { time, told: before.flatMap((one) => verdictOf(one, time)?.[0] ?? []) })
    case 'Concluded':
      return { ...court, closed: { payA: event.payA, payB: event.payB }, locks: '0x', settled: '0x' }
    case 'Withdrawn':
      return { ...court, withdrawn: { a: event.withdrawnA, b: event.withdrawnB } }
    case 'Swept':
      return court // what another asset brought was never spendable
  }
}

type Event<Name extends ChannelEvent['name']> = Extract<ChannelEvent, { readonly name: Name }>

/** The recorded list; where nothing new was recorded the event has none, and the one before stays. */
function listed(court: Court, { version, locksRoot: root, locks }: Event<'Challenged' | 'Answered'>): Court {
  const had = court.clock?.version ?? court.checkpoint
  return version > had || root === ZERO ? { ...court, locks } : court
}

/** A settlement pays what is decided by then; one again pays what the one before had left open. */
function settled(
  court: Court,
  { payA, payB, locksRoot: root }: Event<'Settled'>,
  at: Pick<Unsure, 'time' | 'told'>,
): Court {
  const before = court.closed ?? { payA: 0n, payB: 0n }
  const closed = { payA: before.payA + payA, payB: before.payB + payB }
  const list = court.closed ? court.settled : court.locks
  const { unsure: _before, ...sure } = court
  if (root === ZERO) return { ...sure, closed, locks: '0x', settled: list }
  return matched({ ...sure, closed, settled: list, unsure: { root, ...at } })
}

/** The court with the list that it left open, once the verdicts known say which that is. */
function matched(court: Court): Court {
  const { unsure, ...sure } = court
  if (!unsure) return court
  const all = Object.entries(court.verdicts) as [Hex, KnownVerdict][]
  // A verdict may be known before its block is seen; and those of the same second may have come before or after.
  const { root, time: at, told = [] } = unsure
  const ways = [() => true, () => false, (key: Hex) => told.includes(key)].map((counts) => {
    return new Map(all.filter(([key, { time }]) => time < at || (time === at && counts(key))))
  })
  const locks = leftOpen(court.locks, root, at, ways)
  return locks === undefined ? court : { ...sure, locks }
}

/** A verdict stays as it was first; one that was asked for learns its preimage when its block is seen. */
function heard(court: Court, key: Hex, verdict: KnownVerdict): Court {
  const had = court.verdicts[key]
  return had && (had.preimage || !verdict.preimage) ? court : withVerdict(court, key, verdict)
}

/** What a verdict's event says: under which `verdictKey`, and what. */
function verdictOf(event: ChannelEvent, time: number): readonly [Hex, KnownVerdict] | undefined {
  if (event.name === 'Revealed') {
    const { preimage } = event
    return [verdictKey(ETHER, hashLock(preimage)), { time, amount: ALL, preimage }]
  }
  if (event.name === 'Judged') return [verdictKey(event.condition, event.key), { time, amount: event.amount }]
  return undefined
}

function withVerdict(court: Court, key: Hex, verdict: KnownVerdict): Court {
  return { ...court, verdicts: { ...court.verdicts, [key]: verdict } }
}

function deposited(court: Court, side: Side, amount: bigint): Court {
  return { ...court, deposits: { ...court.deposits, [side]: court.deposits[side] + amount } }
}

/** The view with a final verdict that the court was asked for: known from before the blocks that the view holds. */
export function informed(
  view: Watch,
  key: Hex,
  verdict: Verdict,
  { id, channel, confirmations }: { readonly id: Hex; readonly channel: Channel; readonly confirmations: number },
): Watch {
  return viewed({ ...view, base: matched(heard(view.base, key, verdict)) }, id, channel, confirmations)
}

/**
 * The view after one input of the chain. A block counts as final once it is `confirmations` deep, its own included. Of the
 * verdicts it keeps those that are of interest when their block comes.
 */
export function watched(
  view: Watch,
  input: L1Input<ChannelEvent>,
  id: Hex,
  channel: Channel,
  confirmations: number,
  isOfInterest: IsOfInterest = nothing,
): Watch {
  const { number, hash } = input.block
  if (input.kind === 'retract') {
    if (number !== view.head) return view
    const entries = view.entries.filter((entry) => entry.hash !== hash)
    const recent = view.recent.slice(0, -1)
    return viewed({ ...view, entries, recent, head: number - 1 }, id, channel, confirmations)
  }
  if (number <= view.head) return view
  const next = grown(view, input.block, id, confirmations, isOfInterest)
  return viewed(fold(next, id, channel, isOfInterest), id, channel, confirmations)
}

function grown(
  view: Watch,
  block: L1Block<ChannelEvent>,
  id: Hex,
  confirmations: number,
  isOfInterest: IsOfInterest,
): Watch {
  const { number, hash, time } = block
  const events = block.events.filter((event) => {
    if ('id' in event) return event.id === id
    const judged = isOfInterest === nothing ? undefined : verdictOf(event, time)
    return judged !== undefined && isOfInterest(judged[0])
  })
  const entries = events.length > 0 ? [...view.entries, { number, hash, time, events }] : view.entries
  const recent = [...view.recent, time].slice(-confirmations)
  const lapsed = recent.length < confirmations ? view.lapsed : Math.max(view.lapsed, recent[0]!)
  return { ...view, entries, head: number, time: Math.max(time, view.time), recent, lapsed }
}

/** Moves what is older than any reorg into `base`; an idle channel's base moves on now and then, so that it starts fast. */
function fold(view: Watch, id: Hex, channel: Channel, isOfInterest: IsOfInterest): Watch {
  const through = view.head - KEPT
  const old = view.entries.filter((entry) => entry.number <= through)
  if (old.length === 0 && through < view.through + 4 * KEPT) return view
  const base = pruned(folded(view.base, old, id, channel), isOfInterest)
  return { ...view, base, entries: view.entries.slice(old.length), through }
}

/** Verdicts on locks that are gone are forgotten, so that what is stored has bounds. */
function pruned(court: Court, isOfInterest: IsOfInterest): Court {
  const kept = Object.entries(court.verdicts).filter(([key]) => isOfInterest(key as Hex))
  return { ...court, verdicts: Object.fromEntries(kept) }
}

function folded(base: Court, entries: readonly Entry[], id: Hex, channel: Channel): Court {
  let court = base
  for (const { events, time } of entries) {
    for (const [index, event] of events.entries()) {
      court = after(court, id, channel, event, time, event.name === 'Settled' ? events.slice(0, index) : [])
    }
  }
  return court
}

function viewed(view: Watch, id: Hex, channel: Channel, confirmations: number): Watch {
  if (view.entries.length === 0) return { ...view, newest: view.base, final: view.base }
  const deep = view.entries.filter((entry) => entry.number <= view.head - confirmations + 1)
  const final = folded(view.base, deep, id, channel)
  return { ...view, final, newest: folded(final, view.entries.slice(deep.length), id, channel) }
}
