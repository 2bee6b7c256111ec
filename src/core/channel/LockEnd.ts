import { type Hex, ZERO } from '../base/Bytes.ts'
import { hashLock, verdictKey } from '../base/Verdicts.ts'
import { type AddLock, isHashLock } from './Change.ts'
import { type Lock, unpackLocks } from './Lock.ts'
import { type Book, bookOf, idsOf, lockName, locksOf, type Moved, type OpenLock, payerOf } from './LockBook.ts'
import { isDecided, isLapsed } from './LockTime.ts'
import { type Draft, type PeerState, put, type Seat, set, tell } from './PeerState.ts'
import { paymentKey } from './Saved.ts'

/** Key of an open lock: channel, direction, id. */
export function lockKey(id: Hex, lock: Pick<Lock, 'toB' | 'id'>): string {
  return `${id}/${lockName(lock)}`
}

/** What the store holds of an open lock. */
export type KeptLock = OpenLock & Pick<AddLock, 'payload'>

/** A complete version has added, fulfilled and failed locks: kept and told, each end once; `before` is the list before it. */
export function settleLocks(
  d: Draft,
  seat: Seat,
  before: readonly OpenLock[],
  moved: readonly Moved[],
  version: bigint,
): void {
  const over = new Set(before.filter(({ outcome }) => outcome !== null).map(lockName))
  for (const { change, lock } of moved) {
    if (change.kind === 'addLock') {
      put(d, 'lock', lockKey(seat.id, lock), { ...lock, payload: change.payload })
      tell(d, { name: 'locked', lock, change, version })
      continue
    }
    put(d, 'lock', lockKey(seat.id, lock), undefined)
    // Its end was told before if it was certain before its receiver removed it.
    if (over.has(lockName(lock))) continue
    if (change.kind === 'fulfilLock') fulfilled(d, seat, lock, change.preimage, version)
    else failed(d, seat, lock, change, version)
  }
  forget(d, seat)
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
  if (payerOf(lock) === seat.side) put(d, 'payment', paymentKey(seat, lock.paymentId), outcome)
}

/** The preimage of a lock, as this side or layer 1 knows it. */
export function preimageOf({ preimages, watch }: PeerState, lock: Lock): Hex | undefined {
  return preimages.get(lock.key) ?? watch.newest.verdicts[verdictKey(lock.condition, lock.key)]?.preimage
}

/** Keeps a preimage that opens a lock of the newest complete state: durable before anything else is said. */
export function learn(d: Draft, seat: Seat, preimage: Hex): void {
  const key = hashLock(preimage)
  if (d.state.preimages.has(key) || !d.state.locks.some((lock) => lock.key === key)) return
  set(d, { preimages: new Map(d.state.preimages).set(key, preimage) })
  put(d, 'preimage', `${seat.id}/${key}`, preimage)
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
    put(d, 'lock', lockKey(seat.id, lock), undefined)
    if (lock.outcome === null) failed(d, seat, lock, { code: 'OutcomeUnknown', data: '0x' }, 0n)
  }
  set(d, { locks })
  return bookOf(locks, idsOf(locks, before.ids))
}

/** Preimages that open nothing any more. */
function forget(d: Draft, seat: Seat): void {
  const { preimages, locks } = d.state
  if (preimages.size === 0) return
  const open = new Set(locks.map(({ key }) => key))
  const gone = [...preimages.keys()].filter((key) => !open.has(key))
  if (gone.length === 0) return
  set(d, { preimages: new Map([...preimages].filter(([key]) => open.has(key))) })
  for (const key of gone) put(d, 'preimage', `${seat.id}/${key}`, undefined)
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
  const after: OpenLock = { ...lock, outcome: end.name }
  put(d, 'lock', lockKey(seat.id, lock), { ...after, payload: '0x' })
  return after
}

type LockEnd =
  | { readonly name: 'fulfilled'; readonly preimage: Hex }
  | { readonly name: 'failed'; readonly code: string }
type Closed = { readonly settled: ReadonlySet<string>; readonly open: ReadonlySet<string> } | undefined

/** How a lock ends, once that is certain. */
function endOf(s: PeerState, lock: OpenLock, closed: Closed): LockEnd | undefined {
  const name = lockName(lock)
  if (closed && !closed.settled.has(name)) return { name: 'failed', code: unknown(s) }
  const preimage = preimageOf(s, lock)
  // Its receiver must show the preimage here before its payer has that proof; in court nobody needs it any more.
  if (isDecided(s.watch.final, lock) && (preimage !== undefined || closed || !isHashLock(lock))) {
    return { name: 'fulfilled', preimage: preimage ?? ZERO }
  }
  // A state that fulfils it and bears this side's signature may still become complete, whatever the time.
  if (!closed && isProposed(s, lock)) return undefined
  if (isLapsed(s, lock) && !s.watch.final.unsure) return { name: 'failed', code: 'LockExpired' }
  // More was locked than the channel held: then the court lets the open locks go.
  return closed && !s.watch.final.unsure && !closed.open.has(name) ? { name: 'failed', code: 'LockVoid' } : undefined
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
