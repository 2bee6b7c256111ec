import { concat, type Hex, ZERO } from '../base/Bytes.ts'
import { set as add, entries, get, remove } from '../base/HashMap.ts'
import { hashLock } from '../base/Verdicts.ts'
import { type AddLock, isHashLock } from './Change.ts'
import { type Lock, unpackLocks } from './Lock.ts'
import {
  type Book,
  bookOf,
  idsOf,
  keysOf,
  lockIn,
  lockName,
  locksOf,
  type Moved,
  namesOf,
  type OpenLock,
  payerOf,
  receiverOf,
} from './LockBook.ts'
import { isDecided, isLapsed, verdictOn } from './LockTime.ts'
import { isSerial } from './Payment.ts'
import { type Draft, type PeerState, put, type Seat, set, tell } from './PeerState.ts'
import { paymentKey } from './Saved.ts'

/** Key of an open lock's payload: channel, direction, id. */
export function lockKey(id: Hex, lock: Pick<Lock, 'toB' | 'id'>): string {
  return `${id}/${lockName(lock)}`
}

/** An open lock, and what its payer sent along. */
export type KeptLock = OpenLock & Pick<AddLock, 'payload'>

/** A complete version has added, fulfilled and failed locks: kept and told, each end once; `before` is the list before it. */
export function settleLocks(
  d: Draft,
  seat: Seat,
  before: readonly OpenLock[],
  moved: readonly Moved[],
  version: bigint,
): void {
  for (const { change, lock } of moved) {
    if (change.kind === 'addLock') {
      if (lock.isLoaded) put(d, 'payload', lockKey(seat.id, lock), change.payload)
      tell(d, { name: 'locked', lock, change, version })
      continue
    }
    dropPayload(d, seat, lock)
    // Its end was told before if it was certain before its receiver removed it.
    const was = lockIn(before, receiverOf(lock), lock.id)
    if (was && was.outcome !== null) continue
    if (change.kind === 'fulfilLock') fulfilled(d, seat, lock, change.preimage, version)
    else failed(d, seat, lock, change, version)
  }
  forget(d)
}

function dropPayload(d: Draft, seat: Seat, lock: OpenLock): void {
  if (lock.isLoaded) put(d, 'payload', lockKey(seat.id, lock), undefined)
}

/** Stores what the list does not say of the open locks, if they are others than those stored: all in one row. */
export function keepLocks(d: Draft, seat: Seat): void {
  const { locks, keptLocks } = d.state
  if (locks === keptLocks) return
  set(d, { keptLocks: locks })
  if (locks.length + keptLocks.length > 0) put(d, 'lock', seat.id, locks.length === 0 ? undefined : namesOf(locks))
}

type Why = Readonly<{ code: string; data: Hex }>

function fulfilled(d: Draft, seat: Seat, lock: OpenLock, preimage: Hex, version: bigint): void {
  keepOutcome(d, seat, lock, { preimage, version })
  tell(d, { name: 'fulfilled', lock, preimage, version })
}

function failed(d: Draft, seat: Seat, lock: OpenLock, { code, data }: Why, version: bigint): void {
  keepOutcome(d, seat, lock, code)
  tell(d, { name: 'failed', lock, code, data, version })
}

function keepOutcome(
  d: Draft,
  seat: Seat,
  lock: OpenLock,
  outcome: string | { readonly preimage: Hex; readonly version: bigint },
): void {
  if (payerOf(lock) !== seat.side) return
  // What a version fulfilled is in its history; nobody asks for an id of a node's making before its end.
  const isTold = typeof outcome === 'object' && outcome.version > 0n && isSerial(lock.paymentId)
  if (!isTold) put(d, 'payment', paymentKey(seat, lock.paymentId), outcome)
}

/** The preimage of a lock, as this side or layer 1 knows it. */
export function preimageOf({ preimages, watch }: PeerState, lock: Lock): Hex | undefined {
  return get(preimages, lock.key) ?? verdictOn(watch.newest, lock)?.preimage
}

/** Keeps a preimage that opens a lock of the newest complete state: stored with this step. */
export function learn(d: Draft, preimage: Hex, key = hashLock(preimage)): void {
  const { preimages, locks } = d.state
  if (get(preimages, key) !== undefined || !keysOf(locks).has(key)) return
  set(d, { preimages: add(preimages, key, preimage) })
  tell(d, { name: 'learned', key, preimage })
}

/**
 * The list of a state that this store does not know takes the place of the one it had: locks of this side that are not in
 * it have ended nobody knows how.
 */
export function replaceLocks(d: Draft, seat: Seat, packed: Hex, before: Book): Book {
  const had = d.state.locks
  const locks = locksOf(packed, had)
  const stay = new Set(locks.map(lockName))
  for (const lock of had) {
    if (stay.has(lockName(lock))) continue
    dropPayload(d, seat, lock)
    if (lock.outcome === null) failed(d, seat, lock, { code: 'OutcomeUnknown', data: '0x' }, 0n)
  }
  set(d, { locks })
  return bookOf(locks, idsOf(locks, before.ids))
}

/** Preimages that open nothing any more. */
function forget(d: Draft): void {
  const { preimages, locks } = d.state
  if (preimages.size === 0) return
  const open = keysOf(locks)
  let left = preimages
  for (const [key] of entries(preimages)) if (!open.has(key)) left = remove(left, key)
  if (left !== preimages) set(d, { preimages: left })
}

/** Stores the preimages that this side knows, if they are others than those stored: all in one row. */
export function keepPreimages(d: Draft, seat: Seat): void {
  const { preimages, keptPreimages } = d.state
  if (preimages === keptPreimages) return
  const all = [...entries(preimages)].map(([, preimage]) => preimage)
  set(d, { keptPreimages: preimages })
  put(d, 'preimage', seat.id, all.length === 0 ? undefined : concat(...all))
}

/** Locks whose end a final block has made certain, though they still stand in the newest complete state. */
export function endLocks(d: Draft, seat: Seat): void {
  const { locks, watch } = d.state
  if (locks.every(({ outcome }) => outcome !== null)) return
  const closed = watch.final.closed && { settled: names(watch.final.settled), open: names(watch.final.locks) }
  const after = locks.map((lock) => {
    const end = lock.outcome === null ? endOf(d.state, lock, closed) : undefined
    return end ? ended(d, seat, lock, end) : lock
  })
  if (after.some((lock, index) => lock !== locks[index])) set(d, { locks: after })
}

function names(packed: Hex): ReadonlySet<string> {
  return new Set(unpackLocks(packed).map(lockName))
}

function ended(d: Draft, seat: Seat, lock: OpenLock, end: LockEnd): OpenLock {
  if (end.name === 'fulfilled') fulfilled(d, seat, lock, end.preimage, 0n)
  else failed(d, seat, lock, { code: end.code, data: '0x' }, 0n)
  dropPayload(d, seat, lock)
  const { isLoaded: _gone, ...bare } = lock
  return { ...bare, outcome: end.name }
}

type LockEnd =
  | { readonly name: 'fulfilled'; readonly preimage: Hex }
  | { readonly name: 'failed'; readonly code: string }
type Closed = { readonly settled: ReadonlySet<string>; readonly open: ReadonlySet<string> } | undefined

/** How a lock ends, once that is certain. */
function endOf(s: PeerState, lock: OpenLock, closed: Closed): LockEnd | undefined {
  if (closed && !closed.settled.has(lockName(lock))) return { name: 'failed', code: unknown(s) }
  const preimage = preimageOf(s, lock)
  // Its receiver must show the preimage here before its payer has that proof; in court nobody needs it any more.
  if (isDecided(s.watch.final, lock) && (preimage !== undefined || closed || !isHashLock(lock))) {
    return { name: 'fulfilled', preimage: preimage ?? ZERO }
  }
  // A state that fulfils it and bears this side's signature may still become complete, whatever the time.
  if (!closed && isProposed(s, lock)) return undefined
  if (isLapsed(s, lock) && !s.watch.final.unsure) return { name: 'failed', code: 'LockExpired' }
  // More was locked than the channel held: then the court lets the open locks go.
  return closed && !s.watch.final.unsure && !closed.open.has(lockName(lock))
    ? { name: 'failed', code: 'LockVoid' }
    : undefined
}

function unknown({ end }: PeerState): string {
  return end.restored ? 'OutcomeUnknown' : 'ChannelEnding'
}

function isProposed({ proposal }: PeerState, lock: Lock): boolean {
  return proposal?.moved.some((one) => isFulfilOf(one, lock)) ?? false
}

function isFulfilOf({ change, lock }: Moved, of: Lock): boolean {
  return change.kind === 'fulfilLock' && lockName(lock) === lockName(of)
}
