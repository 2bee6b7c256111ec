import type { Hex } from '../../core/base/Bytes.ts'
import type { Channel, Party, Side } from '../../core/channel/Channel.ts'

/** Who a node is and how far it sees. */
export interface NodeInfo {
  readonly chainId: number
  /** Address of the adjudicator. */
  readonly court: Hex
  /** The address of the key that signs states, and the one that sends transactions and is paid. */
  readonly signer: Hex
  readonly owner: Hex
  /** Where peers may call. */
  readonly addresses: readonly string[]
  /** How many channels it has, closed ones too. */
  readonly channels: number
  /** Number of the newest block of layer 1. */
  readonly head: number
}

/** Whom a channel is opened with: on layer 1, and at an address of the transport if this node shall call. */
export interface PeerTerms {
  readonly peer: Party
  readonly asset: Hex
  /** Seconds; a day unless given. */
  readonly challengePeriod?: number | undefined
  /** Wei that a challenger posts; 0 unless given. */
  readonly bond?: bigint | undefined
  /** Random unless given. Both sides must name the same, or one opens with the terms that the other got. */
  readonly salt?: Hex | undefined
}

/** The terms of a channel, whole or by the peer: then the side with the lower signer address is A. */
export type OpenRequest = ({ readonly channel: Channel } | PeerTerms) & { readonly address?: string | undefined }

/**
 * Where this side's money of a channel is: the amounts add up to what this side has deposited, and what it has earned
 * less what it has paid. Times are seconds.
 */
export interface MoneyView {
  /** Deposited in a block that a reorg may still take back. */
  readonly arriving: bigint
  readonly inChannel: bigint
  /** In open locks of this side: the last of them is decided after `until`. */
  readonly locked: { readonly amount: bigint; readonly until: number } | null
  /** In court while its clock runs: to be had after `until`. */
  readonly inDispute: { readonly amount: bigint; readonly until: number } | null
  /** What the court could not pay and keeps until it is claimed; null while layer 1 cannot be asked, then it is in `paidOut`. */
  readonly credit: bigint | null
  readonly paidOut: bigint
}

/** What a node knows of a channel. */
export interface ChannelView {
  readonly id: Hex
  readonly channel: Channel
  /** The side that this node is. */
  readonly side: Side
  readonly phase: 'new' | 'open' | 'ending' | 'closed'
  readonly connected: boolean
  /** The newest state that both have signed; `net` is what A owes B. */
  readonly version: bigint
  readonly net: bigint
  /** What this side can pay now. */
  readonly available: bigint
  /** How many of this side's payments have not ended. */
  readonly pending: number
  /** What is final on layer 1. */
  readonly deposits: Readonly<Record<Side, bigint>>
  /** What each side has taken out of the open channel, final on layer 1. */
  readonly withdrawn: Readonly<Record<Side, bigint>>
  /** This side's withdrawal that is not decided yet: its total, its last second, and whether the peer has signed it. */
  readonly withdrawal: { readonly total: bigint; readonly deadline: number; readonly signed: boolean } | null
  /** What the court paid, once that is final. */
  readonly closed: { readonly payA: bigint; readonly payB: bigint } | null
  readonly whereabouts: MoneyView
}

/** A page of channels in the order of their ids; `next` asks for the one after it. */
export interface ChannelPage {
  readonly channels: readonly ChannelView[]
  readonly next: Hex | null
}

/** A transaction that was mined. */
export interface MinedView {
  readonly hash: Hex
  readonly block: number
  readonly gasUsed: bigint
}

/** A payment to make. `paymentId` is the idempotency key: however often it is asked, one payment is made. */
export interface PayRequest {
  readonly id: Hex
  readonly amount: bigint
  readonly paymentId: Hex
  /** Up to 1024 bytes for the payee; empty unless given. */
  readonly memo?: Hex | undefined
}

/** A payment, and what became of it. */
export interface PaymentView {
  readonly paymentId: Hex
  readonly direction: 'sent' | 'received'
  /** Paid: both have signed it. Refused: it can no longer succeed, `code` says why. */
  readonly status: 'pending' | 'paid' | 'refused'
  readonly code: string | null
  /** Null where nothing but the refusal is kept. */
  readonly amount: bigint | null
  readonly memo: Hex | null
  /** The version that paid it, and its place there. */
  readonly version: bigint | null
  readonly index: number | null
  /** Time of the newest block when it was paid; null in events and in the answer to channel.pay. */
  readonly time: number | null
}

/** A lock to make. `paymentId` is the idempotency key: however often it is asked, one lock is made; `key` unless given. */
export interface LockRequest {
  readonly id: Hex
  readonly amount: bigint
  /** The SHA-256 of the 32 bytes that take it. */
  readonly key: Hex
  /** The last second in which it can be taken. */
  readonly expiry: number
  readonly paymentId?: Hex | undefined
  /** Up to 2048 bytes for its receiver; empty unless given. */
  readonly payload?: Hex | undefined
}

/** A lock, and what became of it. What is null is not kept, or not so yet. */
export interface LockView {
  /** Its number among the locks towards its receiver; null until both have signed it. */
  readonly lockId: bigint | null
  readonly paymentId: Hex
  readonly direction: 'sent' | 'received'
  /** Open: both have signed it, and its end is not certain. */
  readonly status: 'pending' | 'open' | 'fulfilled' | 'failed'
  /** Why it failed, and what its receiver said beside. */
  readonly code: string | null
  readonly data: Hex | null
  readonly amount: bigint | null
  readonly expiry: number | null
  readonly key: Hex | null
  readonly payload: Hex | null
  readonly preimage: Hex | null
}

/** One credit that was claimed. */
export interface ClaimedView extends MinedView {
  readonly asset: Hex
  readonly amount: bigint
}

/** A page of what a channel paid, both ways, the oldest first; `next` asks for the one after it. */
export interface PaymentPage {
  readonly payments: readonly PaymentView[]
  readonly next: string | null
}

interface OfChannel {
  readonly id: Hex
}
interface Waitable {
  /** Answer once it has ended, or after a while with what is known then; else at once. */
  readonly wait?: boolean | undefined
}
interface Paged {
  readonly after?: string | undefined
  readonly limit?: number | undefined
}
interface OfLock extends OfChannel, Waitable {
  readonly lockId: bigint
}
interface OfPayment extends OfChannel {
  readonly paymentId: Hex
}
type Nothing = Readonly<Record<string, never>>

interface Verb<Params, Result> {
  readonly params: Params
  readonly result: Result
}

/** The methods of a node: what each takes (one object) and gives. */
export interface NodeMethods {
  'node.info': Verb<Nothing, NodeInfo>
  'channel.open': Verb<OpenRequest, ChannelView>
  'channel.list': Verb<{ readonly after?: Hex | undefined; readonly limit?: number | undefined }, ChannelPage>
  'channel.show': Verb<OfChannel, ChannelView>
  /**
   * Answers once it is mined. Asked again with the same `depositId`, one deposit is made; where the node ended before it
   * knew whether the first was, it refuses DepositUnknown and makes none.
   */
  'channel.deposit': Verb<OfChannel & { readonly amount: bigint; readonly depositId?: Hex | undefined }, MinedView>
  /** Answers once it has ended, or after a while as pending: then ask again with the same. */
  'channel.pay': Verb<PayRequest, PaymentView>
  'channel.payments': Verb<OfChannel & Paged, PaymentPage>
  'channel.payment': Verb<OfPayment, PaymentView>
  /** Answers once both have signed the lock, or after a while as pending; asked again with the same, what is known of it. */
  'channel.lock': Verb<LockRequest, LockView>
  /** The open locks, both ways, in the order of their addition. */
  'channel.locks': Verb<OfChannel, { readonly locks: readonly LockView[] }>
  /** Takes a lock towards this side; once it answers, it will be paid: here, or on layer 1. */
  'channel.fulfil': Verb<OfLock & { readonly preimage: Hex }, LockView>
  /** Gives a lock towards this side up; `code` is named as an error is: "NotInterested". */
  'channel.fail': Verb<OfLock & { readonly code: string }, LockView>
  /** Sends what the court keeps for this side's owner to it, or to another address if the node sends as the owner. Refuses NoCredit. */
  'channel.claim': Verb<OfChannel & { readonly to?: Hex | undefined }, { readonly claims: readonly ClaimedView[] }>
  /** Takes `amount` out of the open channel with the peer's signature, by a transaction within `seconds` (an hour). */
  'channel.withdraw': Verb<
    OfChannel & Waitable & { readonly amount: bigint; readonly seconds?: number | undefined },
    ChannelView
  >
  /** The text of a rescue file: all that it takes to end the channel, but the key. */
  'channel.export': Verb<OfChannel, { readonly file: string }>
  /** The text of a receipt file: what proves a payment of this side to anybody. Refuses NoReceipt. */
  'channel.receipt': Verb<OfPayment, { readonly file: string }>
  'channel.close': Verb<OfChannel & Waitable, ChannelView>
  'channel.challenge': Verb<OfChannel & Waitable, ChannelView>
}

export type MethodName = keyof NodeMethods
export type Params<M extends MethodName> = NodeMethods[M]['params']
export type Result<M extends MethodName> = NodeMethods[M]['result']

/** What happens in a node's channels, as it happens. */
export type NodeEvent = { readonly channel: Hex } & (
  | { readonly name: 'opened' }
  | { readonly name: 'funded'; readonly total: bigint }
  | { readonly name: 'paid' | 'received' | 'refused'; readonly payment: PaymentView }
  | { readonly name: 'locked' | 'fulfilled' | 'failed'; readonly lock: LockView }
  | { readonly name: 'withdrawn'; readonly total: bigint }
  | { readonly name: 'unwithdrawn'; readonly total: bigint; readonly code: string }
  | { readonly name: 'disputed'; readonly why: string }
  | { readonly name: 'agreed'; readonly net: bigint }
  | { readonly name: 'closed'; readonly payA: bigint; readonly payB: bigint }
  /** A transaction of this node about the channel is on its way: told again if another takes its place. */
  | { readonly name: 'sent'; readonly verb: string; readonly hash: Hex }
  /** It is in a block, which is not final yet: its own event comes when it is. */
  | { readonly name: 'mined'; readonly verb: string; readonly hash: Hex; readonly block: number }
  /** Who answers at the peer's address cannot show the peer's key. Told the first time, the second, the fourth … in a row. */
  | { readonly name: 'impostor'; readonly address: string }
)

/** What a node offers to those who run it. A promise rejects with a Refusal or a Fault. */
export interface NodeApi {
  readonly methods: { readonly [M in MethodName]: (params: Params<M>) => Promise<Result<M>> }
  /** Tells every event from now on, until the function that comes back is called. */
  subscribe(sink: (event: NodeEvent) => void): () => void
  /** What a Prometheus server may read. */
  metrics(): Promise<string>
}
