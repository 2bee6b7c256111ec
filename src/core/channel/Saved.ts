import { type Hex, ZERO } from '../base/Bytes.ts'
import type { Plain } from '../base/Step.ts'
import { hashLock } from '../base/Verdicts.ts'
import { costOf } from './Change.ts'
import { other, stateDigest } from './Channel.ts'
import { locksOf, NO_LOCKS, type OpenLock } from './LockBook.ts'
import { NO_PAYS, readLot } from './Lot.ts'
import { type PackedChanges, type PackedItems, packItems, unpackChanges, unpackItems } from './Packed.ts'
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
import { NO_RESERVES, type Reserves } from './Reserve.ts'
import { type Court, watch } from './Watch.ts'

const OPEN: End = { restored: false, asked: false, peerAsked: false, disputed: null, since: 0, until: 0, final: null }
const UNSIGNED = { batch: ZERO, book: NO_LOCKS, sigA: '0x', sigB: '0x' } as const
const NOTHING: Complete = { version: 0n, net: 0n, ...UNSIGNED, disposed: 0, owed: 0 }

/** What a store holds of one channel. */
export interface Saved {
  readonly complete?: Complete
  readonly proposal?: SavedProposal
  readonly funds?: { readonly announced: bigint; readonly heard: bigint; readonly opened: boolean }
  readonly court?: { readonly base: Court; readonly through: number }
  readonly end?: End
  readonly finished?: Court['closed']
  readonly withdrawal?: Pick<Reserves, 'mine' | 'theirs' | 'taken' | 'passed'>
  readonly pending?: readonly (readonly [key: string, changes: PackedChanges])[]
  readonly lock?: readonly (readonly [key: string, lock: OpenLock])[]
  readonly preimage?: readonly (readonly [key: string, preimage: Hex])[]
}

/** A proposal as a row keeps it: packed, and of what it pays only what its items do not say. */
export type SavedProposal = Omit<Proposal, 'items' | 'batch'> & {
  readonly items: PackedItems
  /** The other side's payments, that items tell only by number. */
  readonly asked: Uint8Array
}

/** The tables that hold one row a channel. */
const SINGLE = ['complete', 'proposal', 'funds', 'court', 'end', 'finished', 'withdrawal'] as const

/** The tables that hold some rows a channel, under keys that begin with its id. */
const MANY = ['pending', 'lock', 'preimage'] as const

/** What a store holds, by channel id: one pass over each table. */
export function collect(all: (table: string) => readonly (readonly [string, Plain])[]): ReadonlyMap<string, Saved> {
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
  return found as ReadonlyMap<string, Saved>
}

/** The state that a store holds, or a fresh one. */
export function restore(seat: Seat, saved: Saved = {}): PeerState {
  const complete = saved.complete ?? NOTHING
  const rows = (saved.pending ?? []).map(([first, packed]) => [Number(first), unpackChanges(packed)!] as const)
  const pending = rows.flatMap(([first, changes]) => changes.map((change, i) => ({ number: first + i, change })))
  return {
    complete,
    hash: stateDigest(seat.court, stateOf(seat, complete)),
    locks: locksOf(
      complete.book.packed,
      (saved.lock ?? []).map(([, lock]) => lock),
    ),
    tended: [],
    preimages: new Map((saved.preimage ?? []).map(([, preimage]) => [hashLock(preimage), preimage])),
    held: null,
    proposal: saved.proposal ? unpackProposal(seat, saved.proposal) : null,
    last: Math.max(complete.owed, pending.at(-1)?.number ?? 0),
    pending: queue(pending),
    pendingSum: pending.reduce((sum, { change }) => sum + costOf(change), 0n),
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

function unpackProposal({ side }: Seat, { asked, ...saved }: SavedProposal): Proposal {
  const items = unpackItems(saved.items)!
  const own = items.flatMap((item) => (item.kind === 'lot' ? [item.lot] : []))[0] ?? NO_PAYS
  const theirs = readLot(asked) ?? NO_PAYS
  return { ...saved, items, batch: side === 'a' ? { a: own, b: theirs } : { a: theirs, b: own } }
}

/** Stores the outstanding proposal. */
export function putProposal(d: Draft, seat: Seat, proposal: Proposal): void {
  const { items, batch, ...rest } = proposal
  const row: SavedProposal = { ...rest, items: packItems(items), asked: batch[other(seat.side)].packed }
  put(d, 'proposal', seat.id, row)
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
