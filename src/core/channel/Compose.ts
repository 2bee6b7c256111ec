import type { Change } from './Change.ts'
import { costOf } from './Change.ts'
import { other, type Side } from './Channel.ts'
import { type Effects, effects, put, putLot } from './Effects.ts'
import { isClosing } from './Ending.ts'
import { lockIn, type Moved } from './LockBook.ts'
import { mayOffer, timing } from './LockTime.ts'
import { type Lot, lotOf } from './Lot.ts'
import type { Item } from './Message.ts'
import type { Pay } from './Payment.ts'
import { type PeerState, type Pending, type Seat, spendOf } from './PeerState.ts'
import { fundsOf } from './Withdrawal.ts'

type Refused = readonly (readonly [Change, string])[]

/** What the writer makes of what waits. */
export interface Composed {
  readonly items: readonly Item[]
  readonly done: Effects
  /** Its own changes that cannot be made any more. */
  readonly dropped: Refused
}

/** The writer's own payments, those that it has said ahead first, its changes of locks, then the requests in order; one that its side cannot make is refused. */
export function compose(
  seat: Seat,
  s: PeerState,
  said: readonly Lot[],
  own: readonly Pending[],
  requests: readonly Change[],
): Composed {
  const done = effects(s.complete.book, s.locks, s.preimages)
  const items: Item[] = []
  const dropped: (readonly [Change, string])[] = []
  const peer = other(seat.side)
  let left = spendOf(peer, fundsOf(seat, s, peer), s.complete)
  const lots = own.length > 0 ? [...said, lotOf(paysOf(own))] : said
  for (const lot of lots) {
    if (lot.pays.length === 0) continue
    putLot(done, seat.side, lot)
    items.push({ kind: 'lot', lot })
    left += lot.sum
  }
  for (const { change } of own) {
    if (change.kind === 'pay') continue
    const did = attempt(seat, s, done, seat.side, change)
    if (typeof did === 'string') dropped.push([change, did])
    else {
      items.push({ kind: 'own', change })
      if (change.kind === 'failLock') left += did!.lock.amount
    }
  }
  let number = s.complete.disposed
  for (const change of requests) {
    number++
    const cost = costOf(change)
    const did = cost > left ? 'InsufficientFunds' : attempt(seat, s, done, peer, change)
    if (typeof did === 'string') items.push({ kind: 'refusal', number, code: did })
    else {
      items.push({ kind: 'request', number })
      left += change.kind === 'fulfilLock' ? did!.lock.amount : -cost
    }
  }
  return { items, done, dropped }
}

function paysOf(own: readonly Pending[]): readonly Pay[] {
  const pays: Pay[] = []
  for (const { change } of own) if (change.kind === 'pay') pays.push(change)
  return pays
}

function attempt(seat: Seat, s: PeerState, done: Effects, by: Side, change: Change): Moved | string | undefined {
  return (change.kind === 'pay' ? undefined : untimely(seat, s, by, change)) ?? put(done, by, change)
}

/** Why a change of locks comes at the wrong time: a fulfil too late for layer 1 to help, a new lock at the end. */
function untimely(seat: Seat, s: PeerState, by: Side, change: Change): string | undefined {
  if (change.kind === 'addLock') return isClosing(s) ? 'ChannelEnding' : undefined
  if (change.kind !== 'fulfilLock') return undefined
  const lock = lockIn(s.locks, by, change.lockId)
  if (!lock) return undefined
  const isTimely = by === seat.side ? mayOffer(seat, s, lock) : timing(s, lock) === 'inTime'
  return isTimely ? undefined : 'LockExpired'
}

/** What a proposal does, recomputed by who did not write it. */
export interface Recomputed {
  readonly done: Effects
  /** This side's own changes that the writer refuses. */
  readonly refused: Refused
  /** Whether a lock that this side pays is taken so late that only a final block decides. */
  readonly undecided: boolean
}

/** What a proposal's items do, given this side's own requests in order; or why they cannot be done. */
export function recompute(
  seat: Seat,
  s: PeerState,
  items: readonly Item[],
  own: readonly Pending[],
): Recomputed | string {
  const done = effects(s.complete.book, s.locks, s.preimages)
  const refused: (readonly [Change, string])[] = []
  let undecided = false
  let next = 0
  for (const item of items) {
    if (item.kind === 'lot') putLot(done, other(seat.side), item.lot)
    if (item.kind === 'lot' || item.kind === 'ahead') continue
    const change = item.kind === 'own' ? item.change : own[next++]!.change
    if (item.kind === 'refusal') {
      refused.push([change, item.code])
      continue
    }
    const did = put(done, item.kind === 'own' ? other(seat.side) : seat.side, change)
    if (typeof did === 'string') return did
    if (item.kind === 'request' || change.kind !== 'fulfilLock') continue
    const at = timing(s, did!.lock)
    if (at === 'expired') return 'LockExpired'
    if (at === 'undecided') undecided = true
  }
  return { done, refused, undecided }
}
