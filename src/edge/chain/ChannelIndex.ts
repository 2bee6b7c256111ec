import { type Credits, creditKey } from '../../core/base/Asset.ts'
import { concat, ETHER, type Hex, ZERO } from '../../core/base/Bytes.ts'
import type { Domain } from '../../core/base/Signature.ts'
import type { L1Block } from '../../core/base/Step.ts'
import { ALL, hashLock, type Verdict, type Verdicts, verdictKey } from '../../core/base/Verdicts.ts'
import type { ChannelEvent } from '../../core/channel/Call.ts'
import { type Channel, channelId } from '../../core/channel/Channel.ts'
import { locksRoot, tally } from '../../core/channel/Lock.ts'
import { bondOf, EMPTY_RECORD, type Recorded } from '../../core/channel/Record.ts'
import { Fault } from '../Fault.ts'

/** What lies under an asset and a channel id: deposited less swept, in the asset's smallest unit. */
export interface Deposits {
  readonly a: bigint
  readonly b: bigint
}

/** What the court has said of a channel. After its end, version and net are the last that were recorded. */
export interface Entry {
  readonly version: bigint
  /** What A owes B. */
  readonly net: bigint
  /** The last second in which an answer counts, 0 while no clock runs. */
  readonly deadline: number
  readonly closed: boolean
  /** Of the recorded state; of a closed channel, what its settlements have left undecided. */
  readonly locksRoot: Hex
  /** The packed list behind it. */
  readonly locks: Hex
  readonly withdrawnA: bigint
  readonly withdrawnB: bigint
  /** Paid at the end, to the sides together with later settlements of its locks; bonds are not in it. */
  readonly paidA: bigint
  readonly paidB: bigint
}

/**
 * All that the logs of a court say. `deposits` is kept by `depositKey`, for any asset that came in under an id; which of
 * them is the channel's own, only its terms say.
 */
export interface ChannelIndex {
  readonly deposits: ReadonlyMap<Hex, Deposits>
  readonly entries: ReadonlyMap<Hex, Entry>
  readonly credits: Credits
  readonly verdicts: Verdicts
}

/** A block as the index reads it: its time in seconds, and the court's events in their order. */
export type Told = Pick<L1Block<ChannelEvent>, 'time' | 'events'>

const NONE: Deposits = { a: 0n, b: 0n }
const { fundsA: _a, fundsB: _b, openLocks: _open, bond: _bond, ...RECORD } = EMPTY_RECORD
const UNTOUCHED: Entry = { ...RECORD, locks: '0x', paidA: 0n, paidB: 0n }

/** The index of a court that has told nothing yet. */
export const EMPTY_INDEX: ChannelIndex = {
  deposits: new Map(),
  entries: new Map(),
  credits: new Map(),
  verdicts: new Map(),
}

/** The key of what lies under an asset and a channel id. */
export function depositKey(asset: Hex, id: Hex): Hex {
  return concat(asset, id)
}

/**
 * The index after more blocks, which follow those it knows. Blocks are never taken back: keep the index of a final block
 * and fold onto that anew. Throws Malformed if a settlement's root cannot come from the events before it.
 */
export function indexed(before: ChannelIndex, blocks: Iterable<Told>): ChannelIndex {
  const to = {
    deposits: new Map(before.deposits),
    entries: new Map(before.entries),
    credits: new Map(before.credits),
    verdicts: new Map(before.verdicts),
  }
  for (const { time, events } of blocks) for (const event of events) take(to, event, time)
  return to
}

interface Growing {
  readonly deposits: Map<Hex, Deposits>
  readonly entries: Map<Hex, Entry>
  readonly credits: Map<Hex, bigint>
  readonly verdicts: Map<Hex, Verdict>
}

function take(to: Growing, event: ChannelEvent, time: number): void {
  switch (event.name) {
    case 'Deposited':
    case 'Swept':
      to.deposits.set(depositKey(event.asset, event.id), depositsAfter(to.deposits, event))
      break
    case 'Challenged':
    case 'Answered':
    case 'Withdrawn':
    case 'Concluded':
    case 'Settled':
      to.entries.set(event.id, entryAfter(to.entries.get(event.id) ?? UNTOUCHED, event, to.verdicts, time))
      break
    case 'Credited':
    case 'CreditClaimed':
      takeCredit(to.credits, event)
      break
    case 'Revealed':
      to.verdicts.set(verdictKey(ETHER, hashLock(event.preimage)), { time, amount: ALL })
      break
    case 'Judged':
      to.verdicts.set(verdictKey(event.condition, event.key), { time, amount: event.amount })
  }
}

function takeCredit(credits: Map<Hex, bigint>, event: Of<'Credited' | 'CreditClaimed'>): void {
  const key = creditKey(event.asset, event.owner)
  if (event.name === 'CreditClaimed') credits.delete(key)
  else credits.set(key, (credits.get(key) ?? 0n) + event.amount)
}

function depositsAfter(before: ChannelIndex['deposits'], event: Of<'Deposited' | 'Swept'>): Deposits {
  if (event.name === 'Swept') return NONE
  const { a, b } = before.get(depositKey(event.asset, event.id)) ?? NONE
  return event.toB ? { a, b: b + event.amount } : { a: a + event.amount, b }
}

type Of<Name extends ChannelEvent['name']> = Extract<ChannelEvent, { readonly name: Name }>
type OfChannel = Of<'Challenged' | 'Answered' | 'Withdrawn' | 'Concluded' | 'Settled'>

function entryAfter(entry: Entry, event: OfChannel, verdicts: Verdicts, time: number): Entry {
  switch (event.name) {
    case 'Challenged':
      return { ...recordedIn(entry, event), deadline: event.deadline }
    case 'Answered':
      // A conclusion leaves a running clock as it is, and answers to it change nothing that counts.
      return entry.closed ? entry : recordedIn(entry, event)
    case 'Withdrawn':
      return { ...entry, withdrawnA: event.withdrawnA, withdrawnB: event.withdrawnB }
    case 'Concluded':
      return closedIn(entry, event, ZERO, '0x')
    case 'Settled':
      return closedIn(entry, event, event.locksRoot, openLocks(entry, event, verdicts, time))
  }
}

/** A challenge with nothing newer has no list: the one before stays. */
function recordedIn(entry: Entry, { version, net, locksRoot: root, locks }: Of<'Challenged' | 'Answered'>): Entry {
  return { ...entry, version, net, locksRoot: root, locks: version > entry.version ? locks : entry.locks }
}

function closedIn(entry: Entry, { payA, payB }: Of<'Concluded' | 'Settled'>, root: Hex, locks: Hex): Entry {
  const paid = { paidA: entry.paidA + payA, paidB: entry.paidB + payB }
  return { ...entry, ...paid, closed: true, deadline: 0, locksRoot: root, locks }
}

/** The old list less what verdicts and expiries have decided; nothing where all is decided, or open locks are void. */
function openLocks({ locks }: Entry, { id, locksRoot: need }: Of<'Settled'>, verdicts: Verdicts, time: number): Hex {
  if (need === ZERO) return '0x'
  const { rest } = tally(locks, verdicts, time)
  if (locksRoot(rest) === need) return rest
  throw new Fault('Malformed', `the logs before the settlement of ${id} do not lead to ${need}; read them all again`)
}

/** What `recordOf(channel.asset, id)` of the court tells, by the logs and the terms; the posted bond is in the terms. */
export function recordedOf(index: ChannelIndex, court: Domain, channel: Channel): Recorded {
  const id = channelId(court, channel)
  const { locks: _list, paidA: _paidA, paidB: _paidB, ...entry } = index.entries.get(id) ?? UNTOUCHED
  const nothing = { ...RECORD, fundsA: 0n, fundsB: 0n, bond: 0n }
  if (entry.closed) return { ...nothing, closed: true, locksRoot: entry.locksRoot }
  const { a, b } = index.deposits.get(depositKey(channel.asset, id)) ?? NONE
  const funds = { fundsA: a - entry.withdrawnA, fundsB: b - entry.withdrawnB }
  return { ...entry, ...funds, bond: entry.deadline === 0 ? 0n : bondOf(channel) }
}
