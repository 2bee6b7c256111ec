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
  'channel.deposit': Verb<OfChannel & { readonly amount: bigint }, MinedView>
  /** Answers once it has ended, or after a while as pending: then ask again with the same. */
  'channel.pay': Verb<PayRequest, PaymentView>
  'channel.payments': Verb<OfChannel & Paged, PaymentPage>
  'channel.payment': Verb<OfPayment, PaymentView>
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
  | { readonly name: 'withdrawn'; readonly total: bigint }
  | { readonly name: 'unwithdrawn'; readonly total: bigint; readonly code: string }
  | { readonly name: 'disputed'; readonly why: string }
  | { readonly name: 'agreed'; readonly net: bigint }
  | { readonly name: 'closed'; readonly payA: bigint; readonly payB: bigint }
)

/** What a node offers to those who run it. A promise rejects with a Refusal or a Fault. */
export interface NodeApi {
  readonly methods: { readonly [M in MethodName]: (params: Params<M>) => Promise<Result<M>> }
  /** Tells every event from now on, until the function that comes back is called. */
  subscribe(sink: (event: NodeEvent) => void): () => void
  /** What a Prometheus server may read. */
  metrics(): Promise<string>
}
