import type { Plain } from '../base/Step.ts'
import { type Change, isCode, isLockChange, type LockChange } from './Change.ts'
import { packPays, readLot, unpackPays } from './Lot.ts'
import { type Item, isCount } from './Message.ts'
import { BATCH, type Pay } from './Payment.ts'
import { type History, paidIn } from './Receipt.ts'

// Rows and messages carry many payments. Here those that follow one another are bytes: 50 and the memo each.

/** Changes in order: payments that follow one another packed, changes of locks as they are. */
export type PackedChanges = readonly (Uint8Array | LockChange)[]

/** Items of a proposal: own changes as in `PackedChanges`; what was said ahead by
 * how many lots; requests by their first and last number; a refused one and its code. */
export type PackedItems = readonly (
  | Uint8Array
  | number
  | LockChange
  | readonly [number, number]
  | readonly [number, string]
)[]

/** What a version paid: A's payments and B's. */
export type PackedPaid = readonly [a: Uint8Array, b: Uint8Array]

/** Changes, packed. */
export function packChanges(changes: readonly Change[]): PackedChanges {
  const packed: (Uint8Array | LockChange)[] = []
  let run: Pay[] = []
  for (const change of changes) {
    if (change.kind === 'pay') run.push(change)
    else {
      if (run.length > 0) packed.push(packPays(run))
      run = []
      packed.push(change)
    }
  }
  return run.length > 0 ? [...packed, packPays(run)] : packed
}

/** The changes of a packed list, or undefined if the value is none: every field is in its bounds. */
export function unpackChanges(packed: unknown): readonly Change[] | undefined {
  if (!Array.isArray(packed)) return undefined
  const changes: Change[] = []
  for (const part of packed) {
    const run = isLockChange(part) ? [part] : unpackPays(part)
    if (!run) return undefined
    for (const change of run) changes.push(change)
  }
  return changes
}

/** Items of a proposal, packed. */
export function packItems(items: readonly Item[]): PackedItems {
  const packed: (PackedItems[number] | [number, number])[] = []
  let run: [number, number] | undefined
  for (const item of items) {
    if (item.kind === 'request' && run && run[1] + 1 === item.number) run[1]++
    else {
      run = item.kind === 'request' ? [item.number, item.number] : undefined
      packed.push(run ?? packItem(item))
    }
  }
  return packed
}

function packItem(item: Item): PackedItems[number] {
  if (item.kind === 'lot') return item.lot.packed
  if (item.kind === 'ahead') return item.count
  if (item.kind === 'own') return item.change.kind === 'pay' ? packPays([item.change]) : item.change
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
    else if (isLockChange(part)) items.push({ kind: 'own', change: part })
    else {
      const lot = readLot(part)
      if (!lot) return undefined
      items.push({ kind: 'lot', lot })
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

/** A row of history: what the version paid has a row of its own, stored when the version was proposed and never again. */
export type SavedHistory = Omit<History, 'paid'>

/** What a row of history, and one of what its version paid, hold. */
export function unpackHistory(saved: SavedHistory, paid: PackedPaid | undefined): History {
  return { ...saved, paid: paid ? unpackPaid(paid) : [] }
}

/** What a version paid, of a row that this program wrote. */
export function unpackPaid([a, b]: PackedPaid): History['paid'] {
  return paidIn({ a: { pays: written(a) }, b: { pays: written(b) } })
}

function written(packed: Uint8Array): readonly Pay[] {
  const pays = unpackPays(packed)
  if (!pays) throw new Error('a row of history is not as it was written')
  return pays
}
