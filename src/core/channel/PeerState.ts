import type { Hex } from '../base/Bytes.ts'
import type { HashMap } from '../base/HashMap.ts'
import { addressOf, type Domain } from '../base/Signature.ts'
import { type Plain, Refusal, type Row } from '../base/Step.ts'
import type { ChannelCall, SignedState } from './Call.ts'
import { type AddLock, type Change, isPromised, type Promised } from './Change.ts'
import { type Channel, channelId, MAX_NET, other, type Side, type State, sideOf, writerOf } from './Channel.ts'
import { type Book, type Moved, type OpenLock, payerOf } from './LockBook.ts'
import type { Lot } from './Lot.ts'
import type { Item, Message } from './Message.ts'
import { type Pay, spendable } from './Payment.ts'
import { items, type Queue } from './Queue.ts'
import type { Batch } from './Receipt.ts'
import type { Reserves } from './Reserve.ts'
import type { Court, Watch } from './Watch.ts'

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
  /** Seconds in which the largest reveal is mined in a block that stays. */
  readonly inc: number
  /** Seconds until a block is final. */
  readonly fin: number
  readonly policy: Policy
}

/** Which locks a side takes. One beyond that is accepted and failed: whether a proposal is valid hangs on no policy. */
export interface Policy {
  /** The smallest lock, in smallest units of the asset. */
  readonly minLock: bigint
  /** How many locks towards this side at most, once the peer is tried: 256 is the protocol's own bound. */
  readonly maxLocks: number
  /** What open locks towards this side may add up to. */
  readonly maxInFlight: bigint
}

/** Takes every lock that the protocol admits. */
export const ANY_LOCK: Policy = { minLock: 1n, maxLocks: 256, maxInFlight: MAX_NET }

type Margins = Pick<Seat, 'inc' | 'fin' | 'policy'>

/** What a seat is made of; the rest follows from the key, and the margins are half an hour and 15 seconds a block unless given. */
export type SeatParts = Omit<Seat, 'id' | 'side' | 'isWriter' | keyof Margins> & Partial<Margins>

/** The seat of the key's holder; refused if the key is on neither side. */
export function seat(parts: SeatParts): Seat {
  const { court, channel, key } = parts
  const side = sideOf(channel, addressOf(key))
  if (!side) throw new Refusal('NotAParty', addressOf(key))
  const margins: Margins = { inc: 1800, fin: 15 * parts.confirmations, policy: ANY_LOCK }
  return { ...margins, ...parts, id: channelId(court, channel), side, isWriter: writerOf(channel) === side }
}

/** A state that both have signed. Version 0 needs no signatures. */
export interface Complete {
  readonly version: bigint
  readonly net: bigint
  readonly batch: Hex
  readonly book: Book
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
  readonly batch: Batch
  readonly moved: readonly Moved[]
  readonly book: Book
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

/** Payments that were said ahead of their version; `through` is the writer's number of the last of them. */
export interface Ahead {
  readonly lot: Lot
  readonly through: number
}

/** What belongs to the connection and dies with it. */
export interface Link {
  readonly up: boolean
  /** Whether the other side has said hello on this connection. */
  readonly greeted: boolean
  /** Whether the other side knows a newer state, or another one, and this side waits to be shown it. */
  readonly behind: boolean
  readonly owed: number
  /** Number of the last change that this side has said: a request, or a payment ahead of its version. */
  readonly said: number
  /** What the writer has said ahead and not proposed yet. */
  readonly ahead: readonly Ahead[]
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
  /** Until when the locks that the other side pays may put that off, seconds; 0 while this side waits for no end. */
  readonly until: number
  readonly final: { readonly net: bigint; readonly mine: Hex; readonly theirs: Hex | null } | null
}

/** Everything one side knows of one channel. */
export interface PeerState {
  readonly complete: Complete
  readonly hash: Hex
  /** The open locks of the newest complete state, in the order of its list. */
  readonly locks: readonly OpenLock[]
  /** Those as they are stored. */
  readonly keptLocks: readonly OpenLock[]
  /** The open locks as this side last saw to what they oblige it to. */
  readonly tended: readonly OpenLock[]
  /** The preimages that this side knows of open locks, by key. */
  readonly preimages: HashMap<Hex>
  /** Those that are stored. */
  readonly keptPreimages: HashMap<Hex>
  /** A proposal that is neither signed nor refused before a final block decides a lock in it. */
  readonly held: Extract<Message, { type: 'propose' }> | null
  readonly proposal: Proposal | null
  readonly last: number
  readonly pending: Queue<Pending>
  /** What the pending changes take from what this side can spend. */
  readonly pendingSum: bigint
  /** How many of them add a lock. */
  readonly pendingLocks: number
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
  /** The newest time of the clock that this side was told, seconds. */
  readonly clock: number
  readonly end: End
  readonly opened: boolean
  /** What the court paid, once that is final: nothing happens any more. */
  readonly finished: Court['closed'] | null
}

/**
 * What a user is told. A payment ends exactly once, as `paid` or as `refused`; one with a lock is first `locked`, unless it
 * is refused, and then ends once as `fulfilled` or as `failed`. `version` is 0 where layer 1 has decided.
 */
export type PeerEvent =
  | { readonly name: 'opened' }
  | { readonly name: 'funded'; readonly total: bigint }
  | { readonly name: 'paid'; readonly pay: Pay; readonly version: bigint; readonly index: number }
  | { readonly name: 'received'; readonly pay: Pay; readonly version: bigint; readonly index: number }
  | { readonly name: 'refused'; readonly change: Promised; readonly code: string }
  /** A final block shows that this side has taken out `total` in all; or its withdrawal can no longer be paid. */
  | { readonly name: 'withdrawn'; readonly total: bigint }
  | { readonly name: 'unwithdrawn'; readonly total: bigint; readonly code: string }
  | { readonly name: 'locked'; readonly lock: OpenLock; readonly change: AddLock; readonly version: bigint }
  | { readonly name: 'fulfilled'; readonly lock: OpenLock; readonly preimage: Hex; readonly version: bigint }
  | {
      readonly name: 'failed'
      readonly lock: OpenLock
      readonly code: string
      readonly data: Hex
      readonly version: bigint
    }
  /** The preimage of an open lock is known and stored, whatever becomes of the lock in this channel. */
  | { readonly name: 'learned'; readonly key: Hex; readonly preimage: Hex }
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
  ahead: [],
  peerRestored: false,
  asked: false,
}

/** The complete state as both have signed it. */
export function stateOf(seat: Seat, { version, net, batch, book }: Complete): State {
  return { channelId: seat.id, version, net, locksRoot: book.root, batch }
}

/** A state with both signatures as it travels to the peer, a tower or the court. */
export function signedState({ version, net, batch, book, sigA, sigB }: Complete): SignedState {
  return { version, net, batch, locks: book.packed, sigA, sigB }
}

/** The signatures by side, given mine and theirs. */
export function signatures(seat: Seat, mine: Hex, theirs: Hex): { readonly sigA: Hex; readonly sigB: Hex } {
  return seat.side === 'a' ? { sigA: mine, sigB: theirs } : { sigA: theirs, sigB: mine }
}

/** The signer across. */
export function peerSigner(seat: Seat): Hex {
  return seat.channel[other(seat.side)].signer
}

/** What a side can spend in a state, of deposits that the other has announced as final; negative if overspent. */
export function spendOf(side: Side, deposits: bigint, { net, book }: Pick<Complete, 'net' | 'book'>): bigint {
  return spendable(side, deposits, net) - book.owed[side]
}

/** Whether this side signs no new version any more: a clock is set, a final signed, the channel closed or disputed. */
export function isOver({ end, watch: { newest }, finished }: PeerState): boolean {
  return finished !== null || end.final !== null || end.disputed !== null || isClocked(newest)
}

/** Whether the court has started a clock or closed the channel. */
export function isClocked(court: Court): boolean {
  return court.clock !== undefined || court.closed !== undefined
}

/** This side's payments that have not ended and wait for a state: those that wait, and those of an open proposal. */
export function unended(side: Side, { pending, proposal }: PeerState): readonly Promised[] {
  const waiting = items(pending).map(({ change }) => change)
  const proposed = proposal?.batch[side].pays ?? []
  const moved = proposal?.moved.filter(({ by }) => by === side).map(({ change }) => change) ?? []
  return [...waiting, ...proposed, ...moved].filter(isPromised)
}

/** This side's payments that are under an open lock, and have not ended. */
export function unendedLocks(side: Side, { locks }: PeerState): readonly OpenLock[] {
  return locks.filter((lock) => payerOf(lock) === side && lock.outcome === null)
}
