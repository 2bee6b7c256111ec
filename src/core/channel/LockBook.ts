import { concat, type Hex, slice, ZERO } from '../base/Bytes.ts'
import { hashLock } from '../base/Verdicts.ts'
import { isHashLock, type LockChange } from './Change.ts'
import { other, type Side } from './Channel.ts'
import { type Lock, locksRoot, MAX_LOCKS, packLocks, unpackLocks } from './Lock.ts'
import { netAfter } from './Payment.ts'

/** A lock of the newest complete state, under its payer's name for it, and how it has ended if that is certain already. */
export interface OpenLock extends Lock {
  readonly paymentId: Hex
  readonly outcome: 'fulfilled' | 'failed' | null
  /** Its payer sent bytes along: they have a row of their own. */
  readonly isLoaded?: true
}

/** What a state says of its open locks. */
export interface Book {
  /** The list as it is hashed and published, in the order of addition. */
  readonly packed: Hex
  readonly root: Hex
  /** The id of the newest lock towards each side that there ever was. */
  readonly ids: Readonly<Record<Side, bigint>>
  /** What the open locks may take from each side. */
  readonly owed: Readonly<Record<Side, bigint>>
}

/** The book of a channel that never had a lock. */
export const NO_LOCKS: Book = { packed: '0x', root: ZERO, ids: { a: 0n, b: 0n }, owed: { a: 0n, b: 0n } }

/** What one change did: who asked for it, and the lock that it added or removed. */
export interface Moved {
  readonly by: Side
  readonly change: LockChange
  readonly lock: OpenLock
}

/** The side that a lock may pay. */
export function receiverOf({ toB }: Pick<Lock, 'toB'>): Side {
  return toB ? 'b' : 'a'
}

/** The side that pays if a lock is fulfilled. */
export function payerOf(lock: Pick<Lock, 'toB'>): Side {
  return other(receiverOf(lock))
}

/** A lock's name in its channel: the direction and the id, never the key and the amount. */
export function lockName({ toB, id }: Pick<Lock, 'toB' | 'id'>): string {
  return `${toB ? 'b' : 'a'}/${String(id).padStart(20, '0')}`
}

/** The book of a list. */
export function bookOf(locks: Iterable<Lock>, ids: Readonly<Record<Side, bigint>>): Book {
  const list = [...locks]
  const owed = { a: 0n, b: 0n }
  for (const lock of list) owed[payerOf(lock)] += lock.amount
  const packed = packLocks(list)
  return { packed, root: locksRoot(packed), ids, owed }
}

/** A list that changes while a version is made. */
export interface Moving {
  readonly before: Book
  readonly locks: Map<string, OpenLock>
  readonly ids: Record<Side, bigint>
  readonly moved: Moved[]
}

/** Begins to change a list. */
export function moving(before: Book, locks: readonly OpenLock[]): Moving {
  return { before, locks: new Map(locks.map((lock) => [lockName(lock), lock])), ids: { ...before.ids }, moved: [] }
}

/**
 * Makes a side's change, or says why it cannot be made: only its receiver removes a lock, never in the version that adds
 * it, and takes it with its preimage only.
 */
export function move(at: Moving, by: Side, change: LockChange): Moved | string {
  const done = change.kind === 'addLock' ? added(at, by, change) : removed(at, by, change)
  if (typeof done !== 'string') at.moved.push(done)
  return done
}

function added(at: Moving, by: Side, change: Extract<LockChange, { kind: 'addLock' }>): Moved | string {
  if (at.locks.size >= MAX_LOCKS) return 'TooManyLocks'
  const { amount, expiry, condition, key, paymentId, payload } = change
  const toB = by === 'a'
  const id = ++at.ids[other(by)]
  const bare: OpenLock = { toB, id, amount, expiry, condition, key, paymentId, outcome: null }
  const lock: OpenLock = payload === '0x' ? bare : { ...bare, isLoaded: true }
  at.locks.set(lockName(lock), lock)
  return { by, change, lock }
}

function removed(at: Moving, by: Side, change: Exclude<LockChange, { kind: 'addLock' }>): Moved | string {
  const lock = at.locks.get(lockName({ toB: by === 'b', id: change.lockId }))
  if (!lock || lock.id > at.before.ids[by]) return 'NoSuchLock'
  if (change.kind === 'fulfilLock' && !opens(change.preimage, lock)) return 'WrongPreimage'
  at.locks.delete(lockName(lock))
  return { by, change, lock }
}

/** Whether a preimage opens a lock. */
export function opens(preimage: Hex, lock: Lock): boolean {
  return isHashLock(lock) && hashLock(preimage) === lock.key
}

/** The list after changes. */
export function locksAfter(locks: readonly OpenLock[], moved: readonly Moved[]): readonly OpenLock[] {
  if (moved.length === 0) return locks
  const left = new Map(locks.map((lock) => [lockName(lock), lock]))
  for (const { change, lock } of moved) {
    if (change.kind === 'addLock') left.set(lockName(lock), lock)
    else left.delete(lockName(lock))
  }
  return [...left.values()]
}

/** `net` after changes of locks: a fulfilled one moves exactly its amount. */
export function netAfterLocks(net: bigint, moved: readonly Moved[]): bigint {
  for (const { change, lock } of moved)
    if (change.kind === 'fulfilLock') net = netAfter(net, payerOf(lock), lock.amount)
  return net
}

/** The locks of a packed list that is well formed; what `known` says of them stays, the others are nobody's payments. */
export function locksOf(packed: Hex, known: readonly OpenLock[]): readonly OpenLock[] {
  const had = new Map(known.map((lock) => [lockName(lock), lock]))
  return unpackLocks(packed).map((lock) => had.get(lockName(lock)) ?? { ...lock, paymentId: ZERO, outcome: 'failed' })
}

/** What a store keeps of open locks beside their list, in its order: one row for all, for they change together. */
export interface Names {
  /** Their payers' names for them, one after another. */
  readonly paymentIds: Hex
  /** Places of those whose end is certain, and how they end. */
  readonly ended: readonly (readonly [index: number, outcome: 'fulfilled' | 'failed'])[]
  /** Places of those with a payload. */
  readonly loaded: readonly number[]
}

/** What a store keeps of these locks. */
export function namesOf(locks: readonly OpenLock[]): Names {
  return {
    paymentIds: concat(...locks.map(({ paymentId }) => paymentId)),
    ended: locks.flatMap(({ outcome }, index) => (outcome === null ? [] : [[index, outcome] as const])),
    loaded: locks.flatMap(({ isLoaded }, index) => (isLoaded ? [index] : [])),
  }
}

/** The locks of a list and what a store kept of them. */
export function named(packed: Hex, { paymentIds, ended, loaded }: Names): readonly OpenLock[] {
  const ends = new Map(ended)
  return unpackLocks(packed).map((lock, index) => {
    const one = { ...lock, paymentId: slice(paymentIds, 32 * index, 32 * index + 32), outcome: ends.get(index) ?? null }
    return loaded.includes(index) ? { ...one, isLoaded: true } : one
  })
}

/** The newest ids that a list can tell of. */
export function idsOf(locks: readonly Lock[], ids: Readonly<Record<Side, bigint>>): Readonly<Record<Side, bigint>> {
  const newest = { ...ids }
  for (const lock of locks) if (lock.id > newest[receiverOf(lock)]) newest[receiverOf(lock)] = lock.id
  return newest
}
