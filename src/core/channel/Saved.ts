import { type Hex, size, slice, ZERO } from '../base/Bytes.ts'
import { set as add, emptyMap, type HashMap } from '../base/HashMap.ts'
import type { Plain } from '../base/Step.ts'
import { hashLock } from '../base/Verdicts.ts'
import { costOf, type LockChange } from './Change.ts'
import { other, type Side, stateDigest } from './Channel.ts'
import { bookAfter, effects, movedBy, put as putChange } from './Effects.ts'
import { type Book, locksOf, type Moved, type Names, NO_LOCKS, named, type OpenLock } from './LockBook.ts'
import { NO_PAYS, readLot } from './Lot.ts'
import type { Item } from './Message.ts'
import {
  type PackedChanges,
  type PackedItems,
  type PackedPaid,
  packDid,
  packItems,
  unpackChanges,
  unpackItems,
} from './Packed.ts'
import { unpackMoved } from './PackedLocks.ts'
import {
  type Complete,
  DOWN,
  type Draft,
  type End,
  type PeerState,
  type Proposal,
  put,
  type Seat,
  stateOf,
} from './PeerState.ts'
import { queue } from './Queue.ts'
import type { Batch } from './Receipt.ts'
import { NO_RESERVES, type Reserves } from './Reserve.ts'
import { type Court, watch } from './Watch.ts'

const OPEN: End = { restored: false, asked: false, peerAsked: false, disputed: null, since: 0, until: 0, final: null }
const UNSIGNED = { batch: ZERO, book: NO_LOCKS, sigA: '0x', sigB: '0x' } as const
const NOTHING: Complete = { version: 0n, net: 0n, ...UNSIGNED, disposed: 0, owed: 0 }

/** What a store holds of one channel. */
export interface Saved {
  readonly complete?: Complete
  readonly proposal?: SavedProposal
  /** What the proposal does. */
  readonly batch?: PackedPaid
  readonly funds?: { readonly announced: bigint; readonly heard: bigint; readonly opened: boolean }
  readonly court?: { readonly base: Court; readonly through: number }
  readonly end?: End
  readonly finished?: Court['closed']
  readonly withdrawal?: Pick<Reserves, 'mine' | 'theirs' | 'taken' | 'passed'>
  readonly pending?: readonly (readonly [key: string, changes: PackedChanges])[]
  readonly lock?: Names
  /** One after another. */
  readonly preimage?: Hex
}

/** A proposal as a row keeps it: packed, without what it does, which has a row of its own for ever, nor what follows. */
export type SavedProposal = Omit<Proposal, 'items' | 'batch' | 'moved' | 'book'> & {
  /** Requests and refusals; in older stores also this side's changes of locks. */
  readonly items: PackedItems
  /** The other side's changes of locks, that items tell only by number: in older stores. */
  readonly asked?: readonly LockChange[]
}

/** The tables that hold one row a channel. */
const SINGLE = ['complete', 'proposal', 'funds', 'court', 'end', 'finished', 'withdrawal', 'preimage', 'lock'] as const

/** The tables that hold some rows a channel, under keys that begin with its id. */
const MANY = ['pending'] as const

type All = (table: string) => readonly (readonly [string, Plain])[]
type Get = (table: string, key: string) => Plain | undefined

/** What a store holds, by channel id: one pass over each table, and a look for what each proposal pays. */
export function collect(all: All, get: Get): ReadonlyMap<string, Saved> {
  const found = new Map<string, Record<string, unknown>>()
  const of = (id: string) => found.get(id) ?? found.set(id, {}).get(id)!
  for (const table of SINGLE) for (const [id, value] of all(table)) of(id)[table] = value
  for (const table of MANY) {
    for (const [key, value] of all(table)) {
      const entry = of(key.slice(0, 66))
      entry[table] ??= []
      ;(entry[table] as Plain[]).push([key.slice(67), value])
    }
  }
  for (const [id, entry] of found as Map<string, Record<string, unknown> & { proposal?: SavedProposal }>) {
    if (entry.proposal) entry.batch = get('batch', historyKey(id as Hex, entry.proposal.state.version))
  }
  return found as ReadonlyMap<string, Saved>
}

/** The state that a store holds, or a fresh one. */
export function restore(seat: Seat, saved: Saved = {}): PeerState {
  const complete = saved.complete ?? NOTHING
  const rows = (saved.pending ?? []).map(([first, packed]) => [Number(first), unpackChanges(packed)!] as const)
  const locks = saved.lock ? named(complete.book.packed, saved.lock) : locksOf(complete.book.packed, [])
  const preimages = known(saved.preimage ?? '0x')
  const pending = rows.flatMap(([first, changes]) => changes.map((change, i) => ({ number: first + i, change })))
  return {
    complete,
    hash: stateDigest(seat.court, stateOf(seat, complete)),
    locks,
    keptLocks: locks,
    tended: [],
    preimages,
    keptPreimages: preimages,
    held: null,
    proposal: saved.proposal ? unpackProposal(seat, complete.book, locks, saved.proposal, saved.batch) : null,
    last: Math.max(complete.owed, pending.at(-1)?.number ?? 0),
    pending: queue(pending),
    pendingSum: pending.reduce((sum, { change }) => sum + costOf(change), 0n),
    pendingLocks: pending.filter(({ change }) => change.kind === 'addLock').length,
    kept: rows.map(([first, changes]) => ({ first, last: first + changes.length - 1 })),
    inbox: queue(),
    link: DOWN,
    announced: saved.funds?.announced ?? 0n,
    heard: saved.funds?.heard ?? 0n,
    reserves: { ...NO_RESERVES, ...saved.withdrawal },
    watch: saved.court ? watch(saved.court.through, saved.court.base) : watch(seat.since - 1),
    clock: 0,
    end: { ...OPEN, ...saved.end },
    opened: saved.funds?.opened ?? false,
    finished: saved.finished ?? null,
  }
}

function unpackProposal(
  { side }: Seat,
  before: Book,
  locks: readonly OpenLock[],
  { asked, ...saved }: SavedProposal,
  paid?: PackedPaid,
): Proposal {
  const batch = { a: readLot(paid?.[0]) ?? NO_PAYS, b: readLot(paid?.[1]) ?? NO_PAYS }
  const did = paid?.[2] ? unpackMoved(paid[2]) : []
  const changesOf = (who: Side) => did.filter(({ by }) => by === who).map(({ change }) => change)
  const lots: readonly Item[] = batch[side].pays.length > 0 ? [{ kind: 'lot', lot: batch[side] }] : []
  const own = changesOf(side).map((change): Item => ({ kind: 'own', change }))
  const items = [...lots, ...own, ...unpackItems(saved.items)!]
  const done = effects(before, locks)
  for (const item of items) if (item.kind === 'own') putChange(done, side, item.change)
  for (const change of asked ?? changesOf(other(side))) putChange(done, other(side), change)
  return { ...saved, items, batch, moved: movedBy(done), book: bookAfter(done) }
}

function known(preimages: Hex): HashMap<Hex> {
  let all = emptyMap<Hex>()
  for (let at = 0; at < size(preimages); at += 32) {
    const preimage = slice(preimages, at, at + 32)
    all = add(all, hashLock(preimage), preimage)
  }
  return all
}

/** Stores the outstanding proposal; what it does is stored by `putBatch`. */
export function putProposal(d: Draft, seat: Seat, proposal: Proposal): void {
  const { batch: _paid, book: _after, moved: _did, ...rest } = proposal
  const items = packItems(rest.items.filter(({ kind }) => kind === 'request' || kind === 'refusal'))
  put(d, 'proposal', seat.id, { ...rest, items } satisfies SavedProposal)
}

/** Stores what a version does, if that is anything: once, whatever becomes of it. */
export function putBatch(d: Draft, seat: Seat, version: bigint, batch: Batch, moved: readonly Moved[]): void {
  const did = packDid(batch, moved)
  if (did) put(d, 'batch', historyKey(seat.id, version), did)
}

/** Key of a row of pending changes: channel, number of the first. */
export function pendingKey(id: Hex, number: number): string {
  return `${id}/${String(number).padStart(16, '0')}`
}

/**
 * Key of a payment of this side: channel, side, id. Its value is [version, index] once paid, its preimage and version if a
 * lock was fulfilled, or the code of its refusal or failure.
 */
export function paymentKey(seat: Seat, paymentId: Hex): string {
  return `${seat.id}/${seat.side}/${paymentId}`
}

/** Key of a version's history, in the order of versions. */
export function historyKey(id: Hex, version: bigint): string {
  return `${id}/${String(version).padStart(20, '0')}`
}
