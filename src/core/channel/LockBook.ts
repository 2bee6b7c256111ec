import { concat, type Hex, slice, ZERO } from '../base/Bytes.ts'
import { emptyMap, get, type HashMap } from '../base/HashMap.ts'
import { once } from '../base/Once.ts'
import { hashLock } from '../base/Verdicts.ts'
import { isHashLock, type LockChange } from './Change.ts'
import { other, type Side } from './Channel.ts'
import { type Lock, locksRoot, MAX_LOCKS, packLocks, SIZE, unpackLocks } from './Lock.ts'
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

/** Where the locks of a list are: by the side that receives them, and by key. */
interface Index {
  readonly to: Readonly<Record<Side, ReadonlyMap<bigint, OpenLock>>>
  readonly keys: ReadonlySet<Hex>
}

const indexOf = once((locks: readonly OpenLock[]): Index => {
  const to = { a: new Map<bigint, OpenLock>(), b: new Map<bigint, OpenLock>() }
  const keys = new Set<Hex>()
  for (const lock of locks) {
    to[receiverOf(lock)].set(lock.id, lock)
    keys.add(lock.key)
  }
  return { to, keys }
})

/** The lock of a list towards a side under an id, if there is one. */
export function lockIn(locks: readonly OpenLock[], receiver: Side, id: bigint): OpenLock | undefined {
  return indexOf(locks).to[receiver].get(id)
}

/** How many locks of a list are towards a side. */
export function countTo(locks: readonly OpenLock[], receiver: Side): number {
  return indexOf(locks).to[receiver].size
}

/** The keys of a list's locks. */
export function keysOf(locks: readonly OpenLock[]): ReadonlySet<Hex> {
  return indexOf(locks).keys
}

/** A list that changes while a version is made. */
export interface Moving {
  readonly before: Book
  readonly open: readonly OpenLock[]
  /** Of `open`, those that are gone, by the side that received them. */
  readonly gone: Readonly<Record<Side, Set<bigint>>>
  readonly ids: Record<Side, bigint>
  readonly moved: Moved[]
  length: number
}

/** Begins to change a list: `open` are the locks of `before`, in its order. */
export function moving(before: Book, open: readonly OpenLock[]): Moving {
  return { before, open, gone: { a: new Set(), b: new Set() }, ids: { ...before.ids }, moved: [], length: open.length }
}

/**
 * Makes a side's change, or says why it cannot be made: only its receiver removes a lock, never in the version that adds
 * it, and takes it with its preimage only. `known` are preimages under the keys that they open.
 */
export function move(at: Moving, by: Side, change: LockChange, known: Known = NOTHING_KNOWN): Moved | string {
  const done = change.kind === 'addLock' ? added(at, by, change) : removed(at, by, change, known)
  if (typeof done !== 'string') at.moved.push(done)
  return done
}

function added(at: Moving, by: Side, change: Extract<LockChange, { kind: 'addLock' }>): Moved | string {
  if (at.length >= MAX_LOCKS) return 'TooManyLocks'
  const { amount, expiry, condition, key, paymentId, payload } = change
  const toB = by === 'a'
  const id = ++at.ids[other(by)]
  const bare: OpenLock = { toB, id, amount, expiry, condition, key, paymentId, outcome: null }
  const lock: OpenLock = payload === '0x' ? bare : { ...bare, isLoaded: true }
  at.length++
  return { by, change, lock }
}

function removed(at: Moving, by: Side, change: Exclude<LockChange, { kind: 'addLock' }>, known: Known): Moved | string {
  const lock = lockIn(at.open, by, change.lockId)
  if (!lock || at.gone[receiverOf(lock)].has(lock.id)) return 'NoSuchLock'
  if (change.kind === 'fulfilLock' && !opens(change.preimage, lock, known)) return 'WrongPreimage'
  at.gone[receiverOf(lock)].add(lock.id)
  at.length--
  return { by, change, lock }
}

/** Preimages under the keys that they open: each was hashed when it was put there. */
export type Known = HashMap<Hex>
const NOTHING_KNOWN: Known = emptyMap()

/** Whether a preimage opens a lock; one that is known under its key is not hashed again. */
export function opens(preimage: Hex, lock: Lock, known: Known = NOTHING_KNOWN): boolean {
  return isHashLock(lock) && (get(known, lock.key) === preimage || hashLock(preimage) === lock.key)
}

/** The book after the changes: what stays is not packed again. */
export function bookAfter({ before, open, gone, ids, moved }: Moving): Book {
  const owed = { ...before.owed }
  const fresh: OpenLock[] = []
  for (const { change, lock } of moved) {
    if (change.kind === 'addLock') fresh.push(lock)
    owed[payerOf(lock)] += change.kind === 'addLock' ? lock.amount : -lock.amount
  }
  const stay = (lock: OpenLock) => !gone[receiverOf(lock)].has(lock.id)
  const parts: Hex[] = []
  for (let from = 0, to = 0; from < open.length; from = to) {
    const isKept = stay(open[from]!)
    for (to = from + 1; to < open.length && stay(open[to]!) === isKept; ) to++
    if (isKept) parts.push(slice(before.packed, SIZE * from, SIZE * to))
  }
  const packed = concat(...parts, packLocks(fresh.filter(stay)))
  return { packed, root: locksRoot(packed), ids, owed }
}

/** The list after changes. */
export function locksAfter(locks: readonly OpenLock[], moved: readonly Moved[]): readonly OpenLock[] {
  if (moved.length === 0) return locks
  const gone = { a: new Set<bigint>(), b: new Set<bigint>() }
  const fresh: OpenLock[] = []
  for (const { change, lock } of moved) {
    if (change.kind === 'addLock') fresh.push(lock)
    else gone[receiverOf(lock)].add(lock.id)
  }
  return [...locks, ...fresh].filter((lock) => !gone[receiverOf(lock)].has(lock.id))
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
