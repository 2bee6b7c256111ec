import { emptyMap } from '../base/HashMap.ts'
import type { Change } from './Change.ts'
import { MAX_NET, type Side, type State } from './Channel.ts'
import {
  type Book,
  bookAfter as bookOfMoving,
  type Known,
  type Moved,
  type Moving,
  move,
  moving,
  netAfterLocks,
  type OpenLock,
} from './LockBook.ts'
import { joinedLots, type Lot, lotOf } from './Lot.ts'
import { netAfter, type Pay } from './Payment.ts'
import { type Batch, batchOf } from './Receipt.ts'

/** What a version does, in the making. Only a change of locks makes it look at them. */
export interface Effects {
  readonly paid: Readonly<Record<Side, (Lot | Pay)[]>>
  readonly before: Book
  readonly open: readonly OpenLock[]
  readonly known: Known
  moving: Moving | undefined
}

/** A version that does nothing yet; `open` are the locks before it, `known` the preimages of some under their keys. */
export function effects(before: Book, open: readonly OpenLock[], known: Known = emptyMap()): Effects {
  return { paid: { a: [], b: [] }, before, open, known, moving: undefined }
}

/** A side's change takes effect; or the code of why it cannot. */
export function put(to: Effects, by: Side, change: Change): Moved | string | undefined {
  if (change.kind === 'pay') {
    to.paid[by].push(change)
    return undefined
  }
  to.moving ??= moving(to.before, to.open)
  return move(to.moving, by, change, to.known)
}

/** A side's payments take effect. */
export function putLot(to: Effects, by: Side, lot: Lot): void {
  to.paid[by].push(lot)
}

/** What was paid, made into one lot a side; most often it is one already. */
function joined(parts: readonly (Lot | Pay)[]): Lot {
  if (parts.every((part) => 'pays' in part)) return joinedLots(parts)
  return lotOf(parts.flatMap((part) => ('pays' in part ? part.pays : [part])))
}

/** The changes of locks, in order. */
export function movedBy({ moving: list }: Effects): readonly Moved[] {
  return list?.moved ?? []
}

/** The book after the changes of locks. */
export function bookAfter({ before, moving: list }: Effects): Book {
  return !list || list.moved.length === 0 ? before : bookOfMoving(list)
}

/** What a version leads to: its state and book, and what it pays. */
export interface After {
  readonly state: State
  readonly book: Book
  readonly batch: Batch
}

/** What follows `from`, or undefined if its net would not fit. */
export function stateAfter(from: State, done: Effects): After | undefined {
  const moved = movedBy(done)
  const book = bookAfter(done)
  const batch: Batch = { a: joined(done.paid.a), b: joined(done.paid.b) }
  let net = netAfterLocks(from.net, moved)
  net = netAfter(netAfter(net, 'a', batch.a.sum), 'b', batch.b.sum)
  if (net > MAX_NET || net < -MAX_NET) return undefined
  const { channelId, version } = from
  return { state: { channelId, version: version + 1n, net, locksRoot: book.root, batch: batchOf(batch) }, book, batch }
}
