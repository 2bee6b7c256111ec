import { type Hex, ZERO } from '../base/Bytes.ts'
import { addressOf, type Domain } from '../base/Signature.ts'
import { type Plain, Refusal, type Row } from '../base/Step.ts'
import type { ChannelCall, SignedState } from './Call.ts'
import { type Change, costOf, isPromised, type Promised } from './Change.ts'
import {
  type Channel,
  channelId,
  emptyState,
  other,
  type Side,
  type State,
  sideOf,
  stateDigest,
  writerOf,
} from './Channel.ts'
import type { Item, Message } from './Message.ts'
import {
  type PackedChanges,
  type PackedItems,
  type PackedPaid,
  packItems,
  packPaid,
  unpackChanges,
  unpackItems,
  unpackPaid,
} from './Packed.ts'
import type { Paid, Pay } from './Payment.ts'
import { items, type Queue, queue } from './Queue.ts'
import { NO_RESERVES, type Reserves } from './Reserve.ts'
import { type Court, type Watch, watch } from './Watch.ts'

/** One side's place in one channel: who it is, with which key it signs, and how patient it is. */
export interface Seat {
  readonly court: Domain
  readonly channel: Channel
  readonly id: Hex
  readonly side: Side
  readonly isWriter: boolean
  /** The private key behind this side's signer. It enters no row and no output. */
  readonly key: Hex
  /** The address that sends this side's transactions: where it is the signer, its signature need not travel. */
  readonly sender: Hex
  /** How deep a block must be to be final, its own included (>= 1). */
  readonly confirmations: number
  /** Seconds after which an unanswered close becomes a challenge. */
  readonly patience: number
  /** The first block that can tell of this channel. */
  readonly since: number
}

/** What a seat is made of; the rest follows from the key. */
export type SeatParts = Omit<Seat, 'id' | 'side' | 'isWriter'>

/** The seat of the key's holder; refused if the key is on neither side. */
export function seat(parts: SeatParts): Seat {
  const { court, channel, key } = parts
  const side = sideOf(channel, addressOf(key))
  if (!side) throw new Refusal('NotAParty', addressOf(key))
  return { ...parts, id: channelId(court, channel), side, isWriter: writerOf(channel) === side }
}

/** A state that both have signed. Version 0 needs no signatures. */
export interface Complete {
  readonly version: bigint
  readonly net: bigint
  readonly batch: Hex
  readonly sigA: Hex
  readonly sigB: Hex
  /** Number of the last request of the non-writer that this or an older version disposed of. */
  readonly disposed: number
  /** Number of this side's last change when the state became complete: what the next version owes it. */
  readonly owed: number
}

/** The writer's proposal that waits for its acknowledgement. */
export interface Proposal {
  readonly state: State
  readonly hash: Hex
  readonly signature: Hex
  readonly items: readonly Item[]
  readonly paid: readonly Paid[]
  readonly disposed: number
  /** The other side's signature, if it came when a clock was set: good for the court only. */
  readonly late: Hex | null
}

/** A change of this side that is in no state yet, under its number. */
export interface Pending {
  readonly number: number
  readonly change: Change
}

/** Numbers of pending changes that one row keeps, under the first of them. */
export interface Kept {
  readonly first: number
  readonly last: number
}

/** What belongs to the connection and dies with it. */
export interface Link {
  readonly up: boolean
  /** Whether the other side has said hello on this connection. */
  readonly greeted: boolean
  /** Whether the other side knows a newer state, or another one, and this side waits to be shown it. */
  readonly behind: boolean
  readonly owed: number
  /** Number of the last request that this side has said. */
  readonly said: number
  readonly peerRestored: boolean
  /** Whether this side has asked for its withdrawal. */
  readonly asked: boolean
}

/** How the channel ends, once it does. */
export interface End {
  /** This store is an older copy of itself: it signs nothing new. */
  readonly restored: boolean
  readonly asked: boolean
  readonly peerAsked: boolean
  /** This side challenges: it signs nothing more. */
  readonly disputed: string | null
  /** Time of the block since when this side waits for the end, 0 until a block has come. */
  readonly since: number
  readonly final: { readonly net: bigint; readonly mine: Hex; readonly theirs: Hex | null } | null
}

/** Everything one side knows of one channel. */
export interface PeerState {
  readonly complete: Complete
  readonly hash: Hex
  readonly proposal: Proposal | null
  readonly last: number
  readonly pending: Queue<Pending>
  /** What the pending changes take from what this side can spend. */
  readonly pendingSum: bigint
  /** The rows that keep the pending payments, the oldest first. */
  readonly kept: readonly Kept[]
  /** The other side's requests that wait for the next version (writer). */
  readonly inbox: Queue<Change>
  readonly link: Link
  /** Final deposits: the other side's as announced to it, this side's as the other has announced them. */
  readonly announced: bigint
  readonly heard: bigint
  readonly reserves: Reserves
  readonly watch: Watch
  readonly end: End
  readonly opened: boolean
  /** What the court paid, once that is final: nothing happens any more. */
  readonly finished: Court['closed'] | null
}

/** What a user is told. A payment ends exactly once, as `paid` or as `refused`. */
export type PeerEvent =
  | { readonly name: 'opened' }
  | { readonly name: 'funded'; readonly total: bigint }
  | { readonly name: 'paid'; readonly pay: Pay; readonly version: bigint; readonly index: number }
  | { readonly name: 'received'; readonly pay: Pay; readonly version: bigint; readonly index: number }
  | { readonly name: 'refused'; readonly change: Promised; readonly code: string }
  /** A final block shows that this side has taken out `total` in all; or its withdrawal can no longer be paid. */
  | { readonly name: 'withdrawn'; readonly total: bigint }
  | { readonly name: 'unwithdrawn'; readonly total: bigint; readonly code: string }
  | { readonly name: 'disputed'; readonly why: string }
  | { readonly name: 'agreed'; readonly net: bigint }
  | { readonly name: 'closed'; readonly payA: bigint; readonly payB: bigint }

/** What a peer does: says a message, asks for a transaction, tells its user, hands its newest complete state to towers. */
export type PeerOutput =
  | { readonly kind: 'send'; readonly message: Message }
  /** The connection is of no use: end it. */
  | { readonly kind: 'drop'; readonly why: string }
  | { readonly kind: 'call'; readonly call: ChannelCall }
  | { readonly kind: 'event'; readonly event: PeerEvent }
  | { readonly kind: 'complete'; readonly state: SignedState }

/** One step in the making: the verbs of a peer change it, and nobody else sees it before it is whole. */
export interface Draft {
  state: PeerState
  readonly rows: Row[]
  readonly outputs: PeerOutput[]
}

/** Changes fields of the state. */
export function set(d: Draft, change: Partial<PeerState>): void {
  d.state = { ...d.state, ...change }
}

/** Stores a value under a key, or removes it. */
export function put(d: Draft, table: string, key: string, value: unknown): void {
  d.rows.push({ table, key, value: value as Plain | undefined })
}

/** Says a message, if there is a connection. */
export function say(d: Draft, message: Message): void {
  if (d.state.link.up) d.outputs.push({ kind: 'send', message })
}

/** Ends the connection. */
export function drop(d: Draft, why: string): void {
  if (d.state.link.up) d.outputs.push({ kind: 'drop', why })
}

/** Tells the user. */
export function tell(d: Draft, event: PeerEvent): void {
  d.outputs.push({ kind: 'event', event })
}

/** Keeps how the channel ends. */
export function setEnd(d: Draft, seat: Seat, change: Partial<End>): void {
  const end = { ...d.state.end, ...change }
  set(d, { end })
  put(d, 'end', seat.id, end)
}

/** The connection before anybody has said anything. */
export const DOWN: Link = {
  up: false,
  greeted: false,
  behind: false,
  owed: 0,
  said: 0,
  peerRestored: false,
  asked: false,
}

const OPEN: End = { restored: false, asked: false, peerAsked: false, disputed: null, since: 0, final: null }
const NOTHING: Complete = { version: 0n, net: 0n, batch: ZERO, sigA: '0x', sigB: '0x', disposed: 0, owed: 0 }

/** What a store holds of one channel. */
export interface Saved {
  readonly complete?: Complete
  readonly proposal?: SavedProposal
  readonly funds?: { readonly announced: bigint; readonly heard: bigint; readonly opened: boolean }
  readonly court?: { readonly base: Court; readonly through: number }
  readonly end?: End
  readonly finished?: Court['closed']
  readonly withdrawal?: Pick<Reserves, 'mine' | 'theirs' | 'taken' | 'passed'>
  readonly pending?: readonly (readonly [first: number, changes: PackedChanges])[]
}

/** A proposal as a row keeps it: what it pays is packed. */
export type SavedProposal = Omit<Proposal, 'items' | 'paid'> & {
  readonly items: PackedItems
  readonly paid: PackedPaid
}

/** The tables that hold one row a channel. */
const SINGLE = ['complete', 'proposal', 'funds', 'court', 'end', 'finished', 'withdrawal'] as const

/** What a store holds, by channel id: one pass over each table. */
export function collect(all: (table: string) => readonly (readonly [string, Plain])[]): ReadonlyMap<string, Saved> {
  const found = new Map<string, Record<string, unknown>>()
  const of = (id: string) => found.get(id) ?? found.set(id, {}).get(id)!
  for (const table of SINGLE) for (const [id, value] of all(table)) of(id)[table] = value
  for (const [key, value] of all('pending')) {
    const entry = of(key.slice(0, 66))
    entry.pending ??= []
    ;(entry.pending as Plain[]).push([Number(key.slice(67)), value])
  }
  return found as ReadonlyMap<string, Saved>
}

/** The state that a store holds, or a fresh one. */
export function restore(seat: Seat, saved: Saved = {}): PeerState {
  const complete = saved.complete ?? NOTHING
  const rows = (saved.pending ?? []).map(([first, packed]) => [first, unpackChanges(packed)!] as const)
  const pending = rows.flatMap(([first, changes]) => changes.map((change, i) => ({ number: first + i, change })))
  return {
    complete,
    hash: stateDigest(seat.court, stateOf(seat, complete)),
    proposal: saved.proposal ? unpackProposal(saved.proposal) : null,
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
    end: saved.end ?? OPEN,
    opened: saved.funds?.opened ?? false,
    finished: saved.finished ?? null,
  }
}

function unpackProposal(saved: SavedProposal): Proposal {
  return { ...saved, items: unpackItems(saved.items)!, paid: unpackPaid(saved.paid) }
}

/** Stores the outstanding proposal. */
export function putProposal(d: Draft, seat: Seat, proposal: Proposal): void {
  const { items, paid } = proposal
  put(d, 'proposal', seat.id, { ...proposal, items: packItems(items), paid: packPaid(paid) })
}

/** The complete state as both have signed it. */
export function stateOf(seat: Seat, { version, net, batch }: Complete): State {
  return { ...emptyState(seat.id), version, net, batch }
}

/** A state with both signatures as it travels to the peer, a tower or the court. */
export function signedState({ version, net, batch, sigA, sigB }: Complete): SignedState {
  return { version, net, batch, locks: '0x', sigA, sigB }
}

/** The signatures by side, given mine and theirs. */
export function signatures(seat: Seat, mine: Hex, theirs: Hex): { readonly sigA: Hex; readonly sigB: Hex } {
  return seat.side === 'a' ? { sigA: mine, sigB: theirs } : { sigA: theirs, sigB: mine }
}

/** The signer across. */
export function peerSigner(seat: Seat): Hex {
  return seat.channel[other(seat.side)].signer
}

/** Whether this side signs no new version any more: a clock is set, a final signed, the channel closed or disputed. */
export function isOver({ end, watch: { newest }, finished }: PeerState): boolean {
  return finished !== null || end.final !== null || end.disputed !== null || isClocked(newest)
}

/** Whether the court has started a clock or closed the channel. */
export function isClocked(court: Court): boolean {
  return court.clock !== undefined || court.closed !== undefined
}

/** This side's payments that have not ended: those that wait, and those of an open proposal. */
export function unended(side: Side, { pending, proposal }: PeerState): readonly Promised[] {
  const waiting = items(pending).flatMap(({ change }) => (isPromised(change) ? [change] : []))
  const proposed = proposal?.paid.filter(({ payer }) => payer === side) ?? []
  return [...waiting, ...proposed.map(({ pay }) => pay)]
}

/** Key of a pending change, in the order of numbers. */
export function pendingKey(id: Hex, number: number): string {
  return `${id}/${String(number).padStart(16, '0')}`
}
