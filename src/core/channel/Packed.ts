import type { Hex } from '../base/Bytes.ts'
import type { Plain } from '../base/Step.ts'
import { type Change, isCode, isLockChange, type LockChange } from './Change.ts'
import type { Side } from './Channel.ts'
import type { Moved } from './LockBook.ts'
import { packPays, readLot, unpackPays } from './Lot.ts'
import { type Item, isCount } from './Message.ts'
import { type Did, packLockChanges, packMoved, unpackLockChanges, unpackMoved } from './PackedLocks.ts'
import { BATCH, type Pay } from './Payment.ts'
import { type Batch, type History, type HistoryLock, paidIn } from './Receipt.ts'

// Rows and messages carry many changes. Here those that follow one another are bytes: a payment's are 50 and the memo.

/** Changes of locks that follow one another. */
export interface PackedLocks {
  readonly locks: Uint8Array
}

/** Changes in order: payments that follow one another packed, and so changes of locks, which older stores hold as they are. */
export type PackedChanges = readonly (Uint8Array | PackedLocks | LockChange)[]

/** Items of a proposal: own changes as in `PackedChanges`; what was said ahead by
 * how many lots; requests by their first and last number; a refused one and its code. */
export type PackedItems = readonly (
  | Uint8Array
  | number
  | PackedLocks
  | LockChange
  | readonly [number, number]
  | readonly [number, string]
)[]

/** What a version did: A's payments and B's, and what became of locks, which older stores do not hold here. */
export type PackedPaid = readonly [a: Uint8Array, b: Uint8Array, moved?: Uint8Array]

/** Changes, packed. */
export function packChanges(changes: readonly Change[]): PackedChanges {
  const packed: (Uint8Array | PackedLocks)[] = []
  let pays: Pay[] = []
  let locks: LockChange[] = []
  const end = () => {
    if (pays.length > 0) packed.push(packPays(pays))
    if (locks.length > 0) packed.push({ locks: packLockChanges(locks) })
    pays = []
    locks = []
  }
  for (const change of changes) {
    if ((change.kind === 'pay' ? locks : pays).length > 0) end()
    if (change.kind === 'pay') pays.push(change)
    else locks.push(change)
  }
  end()
  return packed
}

/** The changes of locks of a part of a list, or undefined if it is none. */
function unpackLocks(part: unknown): readonly LockChange[] | undefined {
  if (isLockChange(part)) return [part]
  const { locks, ...more } = (part ?? {}) as Partial<PackedLocks>
  return Object.keys(more).length === 0 ? unpackLockChanges(locks) : undefined
}

/** The changes of a packed list, or undefined if the value is none: every field is in its bounds. */
export function unpackChanges(packed: unknown): readonly Change[] | undefined {
  if (!Array.isArray(packed)) return undefined
  const changes: Change[] = []
  for (const part of packed) {
    const run = part instanceof Uint8Array ? unpackPays(part) : unpackLocks(part)
    if (!run) return undefined
    for (const change of run) changes.push(change)
  }
  return changes
}

/** Items of a proposal, packed. */
export function packItems(items: readonly Item[]): PackedItems {
  const packed: (PackedItems[number] | [number, number])[] = []
  let run: [number, number] | undefined
  let locks: LockChange[] = []
  const end = () => {
    if (locks.length > 0) packed.push({ locks: packLockChanges(locks) })
    locks = []
  }
  for (const item of items) {
    if (item.kind === 'request' && run && run[1] + 1 === item.number) run[1]++
    else if (item.kind === 'own' && item.change.kind !== 'pay') {
      run = undefined
      locks.push(item.change)
    } else {
      end()
      run = item.kind === 'request' ? [item.number, item.number] : undefined
      packed.push(run ?? packItem(item))
    }
  }
  end()
  return packed
}

function packItem(item: Item): PackedItems[number] {
  if (item.kind === 'lot') return item.lot.packed
  if (item.kind === 'ahead') return item.count
  if (item.kind === 'own') return packChanges([item.change])[0]!
  return item.kind === 'refusal' ? [item.number, item.code] : [item.number, item.number]
}

/** The items of a packed list, or undefined if the value is none: every field in its bounds, at most a batch of requests. */
export function unpackItems(packed: unknown): readonly Item[] | undefined {
  if (!Array.isArray(packed)) return undefined
  const items: Item[] = []
  let requests = 0
  for (const part of packed) {
    if (Array.isArray(part)) {
      requests += addRequests(items, part, BATCH - requests)
      if (!(requests <= BATCH)) return undefined
    } else if (isCount(part)) items.push({ kind: 'ahead', count: part })
    else if (part instanceof Uint8Array) {
      const lot = readLot(part)
      if (!lot) return undefined
      items.push({ kind: 'lot', lot })
    } else {
      const changes = unpackLocks(part)
      if (!changes) return undefined
      for (const change of changes) items.push({ kind: 'own', change })
    }
  }
  return items
}

/** Adds the items of a run of requests and tells how many; NaN if it is none, or more than there is room for. */
function addRequests(items: Item[], run: readonly Plain[], room: number): number {
  const [first, last] = run
  if (run.length !== 2 || !isCount(first)) return Number.NaN
  if (isCode(last)) items.push({ kind: 'refusal', number: first, code: last })
  else if (!isCount(last) || last < first || last - first >= room) return Number.NaN
  else for (let number = first; number <= last; number++) items.push({ kind: 'request', number })
  return isCount(last) ? last - first + 1 : 1
}

/** A row of history: what the version did has a row of its own, stored when the version was proposed and never again. */
export type SavedHistory = Omit<History, 'paid'>

/** What a row of history, and one of what its version did, hold. */
export function unpackHistory(saved: SavedHistory, did: PackedPaid | undefined): History {
  const locks = did?.[2] ? { locks: unpackMoved(did[2]).map(asHistory) } : {}
  return { ...saved, ...locks, paid: did ? unpackPaid(did) : [] }
}

function asHistory({ change, lock }: Did): HistoryLock {
  return { kind: change.kind, ...lock }
}

/** The preimage for which a lock of a payer was taken in a version, if it was in that one. */
export function preimageIn([, , moved]: PackedPaid, payer: Side, paymentId: Hex): Hex | undefined {
  for (const { by, change, lock } of moved ? unpackMoved(moved) : []) {
    if (change.kind === 'fulfilLock' && by !== payer && lock.paymentId === paymentId) return change.preimage
  }
  return undefined
}

/** What a version paid, of a row that this program wrote. */
export function unpackPaid([a, b]: PackedPaid): History['paid'] {
  return paidIn({ a: { pays: written(a) }, b: { pays: written(b) } })
}

/** What a version does, packed; undefined if that is nothing. */
export function packDid({ a, b }: Batch, moved: readonly Moved[]): PackedPaid | undefined {
  if (moved.length > 0) return [a.packed, b.packed, packMoved(moved)]
  return a.pays.length + b.pays.length > 0 ? [a.packed, b.packed] : undefined
}

function written(packed: Uint8Array): readonly Pay[] {
  const pays = unpackPays(packed)
  if (!pays) throw new Error('a row of history is not as it was written')
  return pays
}
