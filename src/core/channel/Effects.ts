import type { Change } from './Change.ts'
import type { Side, State } from './Channel.ts'
import { type Book, bookOf, type Moved, type Moving, move, moving, netAfterLocks, type OpenLock } from './LockBook.ts'
import { nextState, type Paid } from './Payment.ts'

/** What a version does, in the making. Only a change of locks makes it look at them. */
export interface Effects {
  readonly paid: Paid[]
  readonly before: Book
  readonly open: readonly OpenLock[]
  moving: Moving | undefined
}

/** A version that does nothing yet. */
export function effects(before: Book, open: readonly OpenLock[]): Effects {
  return { paid: [], before, open, moving: undefined }
}

/** A side's change takes effect; or the code of why it cannot. */
export function put(to: Effects, by: Side, change: Change): Moved | string | undefined {
  if (change.kind === 'pay') {
    to.paid.push({ payer: by, pay: change })
    return undefined
  }
  to.moving ??= moving(to.before, to.open)
  return move(to.moving, by, change)
}

/** The changes of locks, in order. */
export function movedBy({ moving: list }: Effects): readonly Moved[] {
  return list?.moved ?? []
}

/** The state after `from` and its book, or undefined if its net would not fit. */
export function stateAfter(from: State, done: Effects): { readonly state: State; readonly book: Book } | undefined {
  const moved = movedBy(done)
  const book = moved.length === 0 ? done.before : bookOf(done.moving!.locks.values(), done.moving!.ids)
  const state = nextState({ ...from, net: netAfterLocks(from.net, moved), locksRoot: book.root }, done.paid)
  return state && { state, book }
}
