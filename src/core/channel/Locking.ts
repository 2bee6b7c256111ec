import type { Hex } from '../base/Bytes.ts'
import { get } from '../base/HashMap.ts'
import { once } from '../base/Once.ts'
import { require } from '../base/Step.ts'
import { verdictKey } from '../base/Verdicts.ts'
import { type AddLock, type FailLock, isEnd, isHashLock, isLockChange, type LockChange } from './Change.ts'
import { other, type Side } from './Channel.ts'
import { goToCourt, waitAnew } from './Ending.ts'
import { MAX_LOCKS, unpackLocks } from './Lock.ts'
import { countTo, lockIn, type Moved, type OpenLock, opens, receiverOf } from './LockBook.ts'
import { endLocks, learn, preimageOf } from './LockEnd.ts'
import { cutoff, isDecided, isLapsed, mayOffer, now } from './LockTime.ts'
import { PENDING } from './Payment.ts'
import { type Draft, isOver, type PeerState, type Pending, type Seat, set } from './PeerState.ts'
import { enqueue, judgeHeld } from './Proposal.ts'
import { items, type Queue } from './Queue.ts'
import type { IsOfInterest } from './Watch.ts'

/** The open locks of who has not seen to any. */
const NEVER: readonly OpenLock[] = []

/** How many locks a peer is given before as many have ended in agreement. */
const UNTRIED = 32

/** Refuses a new lock of this side that its receiver could not take, or could not show on layer 1 in time. */
export function requireLock(seat: Seat, s: PeerState, change: AddLock): void {
  const { amount, expiry, condition, key, paymentId } = change
  require(isLockChange(change), 'BadLock', amount, paymentId)
  require(isHashLock(change), 'UnknownCondition', condition)
  const need = now(s) + seat.inc + seat.fin
  require(expiry > need, 'LockTooShort', expiry, need)
  require(!(verdictKey(condition, key) in s.watch.newest.verdicts), 'KeyDecided', condition, key)
  const peer = other(seat.side)
  const most = limitOf(s, MAX_LOCKS)
  if (s.locks.length + s.pending.length + (s.proposal?.moved.length ?? 0) < most) return
  const mine = countTo(s.locks, peer) + s.pendingLocks + (s.proposal ? addedIn(s.proposal.moved)[seat.side] : 0)
  require(mine < most, 'TooManyLocks', mine, most)
}

/** How many locks each side adds in a version. */
const addedIn = once((moved: readonly Moved[]): Readonly<Record<Side, number>> => {
  const added = { a: 0, b: 0 }
  for (const { by, change } of moved) if (change.kind === 'addLock') added[by]++
  return added
})

function limitOf({ complete: { book }, locks }: PeerState, most: number): number {
  const done = book.ids.a + book.ids.b - BigInt(locks.length)
  return done >= BigInt(UNTRIED) ? most : Math.min(most, UNTRIED)
}

/**
 * Takes a lock towards this side with its preimage: it is paid, here or on layer 1. Refused once it would be shown too late
 * for layer 1, unless others know it anyhow, and once the lock is given up or has failed. Again is harmless.
 */
export function fulfil(d: Draft, seat: Seat, lockId: bigint, preimage: Hex, isPublic: boolean): void {
  const lock = lockOf(seat, d.state, lockId)
  require(opens(preimage, lock), 'WrongPreimage', lock.key)
  if (lock.outcome !== 'fulfilled') keep(d, seat, lock, preimage, isPublic)
  // With what else comes now it is tended once; layer 1 hears of it at once where the time for that has come.
  if (now(d.state) < cutoff(seat, lock) && !isOver(d.state) && !d.state.end.restored) return
  if (d.state.tended === NEVER) onLocks(d, seat)
  goToCourt(d, seat)
}

function keep(d: Draft, seat: Seat, lock: OpenLock, preimage: Hex, isPublic: boolean): void {
  const isKnown = get(d.state.preimages, lock.key) !== undefined
  // A preimage that is stored is shown to layer 1 by itself, until the lock expires.
  const [have, need] = isKnown ? [d.state.watch.time, lock.expiry] : [now(d.state), cutoff(seat, lock)]
  require(isPublic || have <= need || isDecided(d.state.watch.newest, lock), 'LockTooLate', have, need)
  require(lock.outcome === null && !isEnding(seat, d.state, lock.id, 'failLock'), 'LockEnding', lock.id)
  if (isKnown) return
  learn(d, preimage, lock.key)
  set(d, { tended: NEVER })
}

/** Gives a lock towards this side up, for a reason. Again is harmless. */
export function fail(d: Draft, seat: Seat, change: FailLock): void {
  const { lockId } = change
  require(isLockChange(change), 'BadLock', 0n, lockId)
  const lock = lockOf(seat, d.state, lockId)
  require(preimageOf(d.state, lock) === undefined, 'LockEnding', lockId)
  require(!isOver(d.state) && !d.state.end.restored, 'ChannelEnding')
  if (!isEnding(seat, d.state, lockId)) enqueue(d, [change])
}

function lockOf({ side }: Seat, { locks }: PeerState, lockId: bigint): OpenLock {
  const found = lockIn(locks, side, lockId)
  require(found !== undefined, 'NoSuchLock', lockId)
  return found
}

/** Ids of locks for whose end a side has asked, by how. */
type Ends = Readonly<Record<'fulfilLock' | 'failLock', Set<bigint>>>

const noEnds = (): Ends => ({ fulfilLock: new Set(), failLock: new Set() })

const endsAsked = once((pending: Queue<Pending>): Ends => {
  const ends = noEnds()
  for (const { change } of items(pending)) if (isEnd(change)) ends[change.kind].add(change.lockId)
  return ends
})

const endsMade = once((moved: readonly Moved[]): Readonly<Record<Side, Ends>> => {
  const ends = { a: noEnds(), b: noEnds() }
  for (const { by, change } of moved) if (isEnd(change)) ends[by][change.kind].add(change.lockId)
  return ends
})

/** Whether it has asked for the end of a lock towards this side already, of a kind or any: in a pending change or the open proposal. */
function isEnding(seat: Seat, s: PeerState, lockId: bigint, kind?: keyof Ends): boolean {
  const is = (asked: Ends) =>
    kind ? asked[kind].has(lockId) : asked.fulfilLock.has(lockId) || asked.failLock.has(lockId)
  return is(endsAsked(s.pending)) || (s.proposal !== null && is(endsMade(s.proposal.moved)[seat.side]))
}

/**
 * What time, blocks and new locks oblige a side to: a held proposal is judged again, certain ends are told, a lock towards
 * this side is taken if its preimage is known, and given up if it is against policy or has lapsed.
 */
export function onLocks(d: Draft, seat: Seat): void {
  judgeHeld(d, seat)
  if (d.state.locks.length > 0) {
    endLocks(d, seat)
    if (!isOver(d.state) && !d.state.end.restored) endOwn(d, seat)
  }
  waitAnew(d, seat)
  set(d, { tended: d.state.locks })
}

function endOwn(d: Draft, seat: Seat): void {
  const before = d.state
  const { pending } = before
  const ends: LockChange[] = []
  for (const [lock, against] of wanted(seat, before)) {
    if (pending.length + ends.length >= PENDING) break
    if (isEnding(seat, before, lock.id)) continue
    const { id: lockId } = lock
    const preimage = preimageOf(before, lock)
    const code = against ?? (isLapsed(before, lock) ? 'LockExpired' : undefined)
    if (preimage !== undefined && isHashLock(lock) && mayOffer(seat, before, lock)) {
      ends.push({ kind: 'fulfilLock', lockId, preimage })
    } else if (code !== undefined && (preimage === undefined || isLapsed(before, lock))) {
      ends.push({ kind: 'failLock', lockId, code, data: '0x' })
    }
  }
  if (ends.length > 0) enqueue(d, ends)
}

/** Locks towards this side, each with why it does not want it, if so: the oldest are wanted first. */
function wanted({ side, policy }: Seat, s: PeerState): readonly (readonly [OpenLock, string | undefined])[] {
  const most = limitOf(s, policy.maxLocks)
  const mine = s.locks.filter((lock) => receiverOf(lock) === side)
  let count = 0
  let sum = 0n
  return mine.map((lock) => {
    const why =
      (!isHashLock(lock) && 'UnknownCondition') ||
      (lock.amount < policy.minLock && 'LockTooSmall') ||
      (count >= most && 'TooManyLocks') ||
      (sum + lock.amount > policy.maxInFlight && 'TooMuchInFlight')
    if (why) return [lock, why] as const
    count++
    sum += lock.amount
    return [lock, undefined] as const
  })
}

/** Which verdicts a side keeps: those on locks that are open, on their way, or recorded by the court. */
export function interest(s: PeerState): IsOfInterest | undefined {
  const { locks, pending, proposal, watch } = s
  const added = proposal?.moved.map(({ lock }) => lock) ?? []
  const asked = items(pending).flatMap(({ change }) => (change.kind === 'addLock' ? [change] : []))
  const all = [...locks, ...added, ...asked, ...unpackLocks(watch.newest.locks), ...unpackLocks(watch.newest.settled)]
  if (all.length === 0) return undefined
  const keys = new Set(all.map(({ condition, key }) => verdictKey(condition, key)))
  return (key) => keys.has(key)
}
