import type { Credits } from '../base/Asset.ts'
import { concat, type Hex, ZERO } from '../base/Bytes.ts'
import type { Domain } from '../base/Signature.ts'
import { require } from '../base/Step.ts'
import type { Verdicts } from '../base/Verdicts.ts'
import { type Channel, channelId } from './Channel.ts'

/** What a challenger has posted: wei, the version that was challenged, and its side. */
export interface Bond {
  readonly amount: bigint
  readonly version: bigint
  readonly byB: boolean
}

/** What the court keeps under (asset, channel id): the twin of Record in Record.sol. */
export interface Record {
  readonly fundsA: bigint
  readonly fundsB: bigint
  /** The recorded version, 0 if none. */
  readonly version: bigint
  readonly net: bigint
  /** The last second in which an answer counts, 0 while no clock runs. */
  readonly deadline: number
  readonly closed: boolean
  /** Of the recorded state, or of what a settlement has left undecided. */
  readonly locksRoot: Hex
  /** Whether a settlement left locks undecided: then the closed channel may be settled again. */
  readonly openLocks: boolean
  readonly withdrawnA: bigint
  readonly withdrawnB: bigint
  readonly bond: Bond | undefined
}

/** What the court tells of a channel; of a closed one only that, and the locks that its settlement left open. */
export interface Recorded {
  readonly fundsA: bigint
  readonly fundsB: bigint
  readonly version: bigint
  readonly net: bigint
  readonly deadline: number
  readonly closed: boolean
  readonly locksRoot: Hex
  readonly withdrawnA: bigint
  readonly withdrawnB: bigint
  readonly bond: bigint
}

/** The whole court as a value. */
export interface ChannelCourt {
  readonly domain: Domain
  readonly records: ReadonlyMap<Hex, Record>
  readonly credits: Credits
  readonly verdicts: Verdicts
}

/** What storage says of a channel that nobody has touched. */
export const EMPTY_RECORD: Record = {
  fundsA: 0n,
  fundsB: 0n,
  version: 0n,
  net: 0n,
  deadline: 0,
  closed: false,
  locksRoot: ZERO,
  openLocks: false,
  withdrawnA: 0n,
  withdrawnB: 0n,
  bond: undefined,
}

/** A court in which nothing has happened. */
export function newCourt(domain: Domain): ChannelCourt {
  return { domain, records: new Map(), credits: new Map(), verdicts: new Map() }
}

/** The record under (asset, channel id). */
export function recordOf(court: ChannelCourt, asset: Hex, id: Hex): Record {
  return court.records.get(concat(asset, id)) ?? EMPTY_RECORD
}

/** What the court tells of a record. */
export function recorded({ openLocks, bond, ...record }: Record): Recorded {
  if (!record.closed) return { ...record, bond: bond?.amount ?? 0n }
  const { openLocks: _open, bond: _none, ...nothing } = EMPTY_RECORD
  return { ...nothing, closed: true, locksRoot: openLocks ? record.locksRoot : ZERO, bond: 0n }
}

/** The court with another record under (asset, channel id). */
export function withRecord(court: ChannelCourt, asset: Hex, id: Hex, record: Record): ChannelCourt {
  return { ...court, records: new Map(court.records).set(concat(asset, id), record) }
}

/** A channel's id and its record, which must not be closed. */
export function openRecord(court: ChannelCourt, channel: Channel): { readonly id: Hex; readonly record: Record } {
  const id = channelId(court.domain, channel)
  const record = recordOf(court, channel.asset, id)
  require(!record.closed, 'ChannelClosed', id)
  return { id, record }
}

const MINUTE = 60
const DAY = 86_400
const ETHER_UNIT = 10n ** 18n

/** Seconds from challenge to settlement: the terms' period, clamped into [1 minute, 60 days]. */
export function period({ challengePeriod }: Channel): number {
  return Math.min(Math.max(challengePeriod, MINUTE), 60 * DAY)
}

/** Wei that a challenger posts: the terms' bond, at most one ether. */
export function bondOf({ bond }: Channel): bigint {
  return bond < ETHER_UNIT ? bond : ETHER_UNIT
}
