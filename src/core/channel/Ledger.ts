import { type Hex, ZERO } from '../base/Bytes.ts'
import { type Change, costOf, isPromised } from './Change.ts'
import type { State } from './Channel.ts'
import { type Book, locksAfter, type Moved } from './LockBook.ts'
import { settleLocks } from './LockEnd.ts'
import { packChanges, type SavedHistory } from './Packed.ts'
import { isSerial } from './Payment.ts'
import {
  type Complete,
  type Draft,
  type Kept,
  type Pending,
  put,
  type Seat,
  set,
  signatures,
  signedState,
  tell,
} from './PeerState.ts'
import { newest, oldest, type Queue, take } from './Queue.ts'
import type { Batch } from './Receipt.ts'
import { historyKey, paymentKey, pendingKey } from './Saved.ts'

/** How many pending changes one row keeps, at most. */
const ROW = 256

interface Adopted {
  readonly state: State
  readonly book: Book
  readonly hash: Hex
  readonly batch: Batch
  readonly moved: readonly Moved[]
  readonly disposed: number
}

/** A version becomes complete: stored with what it paid, told to the user and to towers. An unknown signature is empty. */
export function adopt(d: Draft, seat: Seat, adopted: Adopted, mine: Hex, theirs: Hex): void {
  const { state, book, hash, batch: paid, moved, disposed } = adopted
  const { version, net, batch } = state
  const sigs = signatures(seat, mine, theirs)
  const complete: Complete = { version, net, batch, book, ...sigs, disposed, owed: d.state.last }
  const { locks } = d.state
  set(d, { complete, hash, locks: locksAfter(locks, moved) })
  put(d, 'complete', seat.id, complete)
  if (paid.a.pays.length + paid.b.pays.length + moved.length > 0) {
    const open = book.root === ZERO ? {} : { locksRoot: book.root }
    const row: SavedHistory = { net, signature: theirs, time: d.state.watch.time, ...open }
    put(d, 'history', historyKey(seat.id, version), row)
  }
  settlePays(d, seat, paid, version)
  if (moved.length > 0) settleLocks(d, seat, locks, moved, version)
  if (theirs !== '0x') d.outputs.push({ kind: 'complete', state: signedState(complete) })
}

/** Each payment of a complete version is told; A's come first. */
function settlePays(d: Draft, seat: Seat, paid: Batch, version: bigint): void {
  let index = 0
  for (const payer of ['a', 'b'] as const) {
    const isMine = payer === seat.side
    const name = isMine ? 'paid' : 'received'
    for (const pay of paid[payer].pays) {
      if (isMine && !isSerial(pay.paymentId)) put(d, 'payment', paymentKey(seat, pay.paymentId), [version, index])
      tell(d, { name, pay, version, index })
      index++
    }
  }
}

/** The writer's proposal becomes complete: what it pays was stored with it. */
export function completeProposal(d: Draft, seat: Seat, theirs: Hex): void {
  const proposal = d.state.proposal!
  dropProposal(d, seat)
  adopt(d, seat, proposal, proposal.signature, theirs)
}

/** The writer's proposal can no longer become complete: what it paid of this side's has failed. */
export function failProposal(d: Draft, seat: Seat): void {
  const { proposal } = d.state
  if (!proposal) return
  dropProposal(d, seat)
  put(d, 'batch', historyKey(seat.id, proposal.state.version), undefined)
  for (const pay of proposal.batch[seat.side].pays) refuse(d, seat, pay, why(d))
  for (const { by, change } of proposal.moved) if (by === seat.side) refuse(d, seat, change, why(d))
}

function dropProposal(d: Draft, seat: Seat): void {
  set(d, { proposal: null })
  put(d, 'proposal', seat.id, undefined)
}

/** One of this side's changes is in no state and will be in none: a payment has ended without being paid. */
export function refuse(d: Draft, seat: Seat, change: Change, code: string): void {
  if (!isPromised(change)) return
  put(d, 'payment', paymentKey(seat, change.paymentId), code)
  tell(d, { name: 'refused', change, code })
}

/** This side's changes that wait can no longer succeed: it signs nothing more. */
export function failPending(d: Draft, seat: Seat): void {
  const [taken, rest] = take(d.state.pending, d.state.pending.length)
  unqueue(d, seat, taken, rest)
  for (const { change } of taken) refuse(d, seat, change, why(d))
}

/** An older copy of a store cannot know what became of the payments that wait in it. */
function why(d: Draft): string {
  return d.state.end.restored ? 'OutcomeUnknown' : 'ChannelEnding'
}

/** Takes changes out of those that wait, and out of the rows that keep them. */
export function unqueue(d: Draft, seat: Seat, taken: readonly Pending[], pending: Queue<Pending>): void {
  let { pendingSum, pendingLocks, kept } = d.state
  for (const { change } of taken) {
    pendingSum -= costOf(change)
    if (change.kind === 'addLock') pendingLocks--
  }
  const through = taken.at(-1)?.number ?? 0
  for (let row = kept[0]; row && row.first <= through; row = kept[0]) {
    put(d, 'pending', pendingKey(seat.id, row.first), undefined)
    kept = kept.slice(1)
    if (row.last <= through) continue
    kept = [{ first: through + 1, last: row.last }, ...kept]
    putPending(d, seat, oldest(pending, row.last - through))
  }
  set(d, { pending, pendingSum, pendingLocks, kept })
}

/** Stores the changes that came last and are in no row yet: many in one, but no more than are soon written again. */
export function keepPending(d: Draft, seat: Seat): void {
  const { pending, kept, last } = d.state
  const fresh = newest(pending, last - (kept.at(-1)?.last ?? 0))
  if (fresh.length === 0) return
  const rows: Kept[] = []
  for (let at = 0; at < fresh.length; at += ROW) {
    const those = fresh.slice(at, at + ROW)
    putPending(d, seat, those)
    rows.push({ first: those[0]!.number, last: those.at(-1)!.number })
  }
  set(d, { kept: [...kept, ...rows] })
}

/**
 * The writer's payments under ids that nobody was told need no row: nobody can ask for them, and what is in no proposal
 * after a crash was never paid. The other side's requests are numbered for good, so each is kept.
 */
function isWorthKeeping(seat: Seat, { change }: Pending): boolean {
  return !seat.isWriter || !isPromised(change) || !isSerial(change.paymentId)
}

function putPending(d: Draft, seat: Seat, those: readonly Pending[]): void {
  const worthy = those.filter((one) => isWorthKeeping(seat, one))
  if (worthy.length === 0) return
  put(d, 'pending', pendingKey(seat.id, those[0]!.number), packChanges(worthy.map(({ change }) => change)))
}
