import type { Hex } from '../core/base/Bytes.ts'
import { domain } from '../core/base/Signature.ts'
import { Refusal, require } from '../core/base/Step.ts'
import { type Channel, channelId } from '../core/channel/Channel.ts'
import type { Pay } from '../core/channel/Payment.ts'
import type { PeerEvent } from '../core/channel/PeerState.ts'
import type { Creditor, Recorder } from '../edge/chain/Chain.ts'
import type {
  ChannelView,
  NodeApi,
  NodeEvent,
  OpenRequest,
  Params,
  PaymentView,
  PayRequest,
  Result,
} from '../edge/http/NodeApi.ts'
import { writeReceipt } from '../edge/ReceiptFile.ts'
import { writeRescue } from '../edge/RescueFile.ts'
import { ChannelNode } from './ChannelNode.ts'
import type { ChannelNodeParts } from './ChannelNodeParts.ts'
import { Credits } from './Credits.ts'
import { Deposits } from './Deposits.ts'
import { herald } from './Herald.ts'
import { LockDesk } from './LockDesk.ts'
import { NodeMeter } from './NodeMeter.ts'
import { madeView, paidView, pendingView, refusedView, termsOf, toldOf, viewOf } from './NodeViews.ts'

/** What a desk adds to a node: the court's credits and records, and how it waits. */
export interface DeskParts {
  /** Where `since` is above 0, and the court can be asked, only fresh channels are opened. */
  readonly chain: Creditor & Partial<Recorder>
  /** Milliseconds until an answer that waits for an end tells what is known by then; 20,000 unless given. */
  readonly patience?: number
  /** Runs a function after so many milliseconds; what comes back prevents it. */
  readonly later?: (run: () => void, milliseconds: number) => () => void
}

/** Items of a page whose length nobody named. */
const PAGE = 100

/** A payment that was asked for, and its end. */
interface Asked {
  readonly amount: bigint
  readonly memo: Hex
  readonly ended: Promise<PaymentView>
}

type Sink = (event: NodeEvent) => void

/** Where those who run a channel node ask it for things and hear of events: the node's API. */
export class NodeDesk implements NodeApi {
  readonly node: ChannelNode
  readonly methods: NodeApi['methods']
  readonly #parts: ChannelNodeParts & DeskParts
  readonly #meter: NodeMeter
  readonly #sinks: Set<Sink>
  readonly #credits: Credits
  readonly #deposits: Deposits
  readonly #locks: LockDesk
  readonly #asked = new Map<string, Asked>()
  readonly #addresses: string[] = []

  private constructor(node: ChannelNode, parts: ChannelNodeParts & DeskParts, meter: NodeMeter, sinks: Set<Sink>) {
    this.node = node
    this.#parts = parts
    this.#meter = meter
    this.#sinks = sinks
    const { chain, store } = parts
    this.#credits = new Credits(node, chain, (event) => tellAll(sinks, event))
    this.#deposits = new Deposits(store)
    const patiently = <T>(ended: Promise<T>, known: () => T) => this.#patiently(ended, known)
    this.#locks = new LockDesk({ node, subscribe: (sink) => this.subscribe(sink), patiently })
    this.methods = this.#methods()
  }

  /** Starts a node, and a desk that hears everything that happens in it. */
  static async start(parts: ChannelNodeParts & DeskParts): Promise<NodeDesk> {
    const sinks = new Set<Sink>()
    const meter = new NodeMeter()
    let node: ChannelNode | undefined
    const watched = meter.watch(parts, (id) => node!.status(id))
    const onEvent = (id: Hex, event: PeerEvent) => {
      watched.onEvent?.(id, event)
      if (sinks.size === 0) return
      const told = toldOf(id, event, () => node!.status(id).side)
      if (told) tellAll(sinks, told)
    }
    const onImpostor: ChannelNodeParts['onImpostor'] = (address, ids, times) => {
      watched.onImpostor?.(address, ids, times)
      // The first time, the second, the fourth …: it may go on for long.
      if (Number.isInteger(Math.log2(times)))
        for (const channel of ids) tellAll(sinks, { channel, name: 'impostor', address })
    }
    const chain = herald(watched.chain, (event) => tellAll(sinks, event))
    node = await ChannelNode.start({ ...watched, chain, onEvent, onImpostor })
    const watchedParts = { ...parts, store: watched.store, chain: { ...parts.chain, ...watched.chain } }
    return new NodeDesk(node, watchedParts, meter, sinks)
  }

  /** Takes calls from peers at an address; the real one comes back. */
  async listen(address: string): Promise<string> {
    const real = await this.node.listen(address)
    this.#addresses.push(real)
    return real
  }

  subscribe(sink: (event: NodeEvent) => void): () => void {
    const own: Sink = (event) => sink(event)
    this.#sinks.add(own)
    return () => this.#sinks.delete(own)
  }

  async metrics(): Promise<string> {
    const channels = this.node.channels().map((id) => this.node.status(id))
    return this.#meter.text(channels, await this.#parts.chain.head())
  }

  #methods(): NodeApi['methods'] {
    const { node } = this
    return {
      'node.info': () => this.#info(),
      'channel.open': (request) => this.#open(request),
      'channel.list': ({ after, limit = PAGE }) => this.#list(after, limit),
      'channel.show': ({ id }) => this.#fresh(id),
      'channel.deposit': (request) => this.#deposit(request),
      'channel.lock': (request) => this.#locks.lock(request),
      'channel.locks': async ({ id }) => ({ locks: this.#locks.list(id) }),
      'channel.fulfil': (request) => this.#locks.fulfil(request),
      'channel.fail': (request) => this.#locks.fail(request),
      'channel.claim': async ({ id, to }) => ({ claims: await this.#credits.claim(id, to) }),
      'channel.pay': (request) => this.#pay(request),
      'channel.payments': async ({ id, after, limit = PAGE }) => this.#payments(id, after, limit),
      'channel.payment': async ({ id, paymentId }) => this.#payment(id, paymentId),
      'channel.withdraw': (request) => this.#withdraw(request),
      'channel.export': async ({ id }) => ({ file: writeRescue(node.exportChannel(id)) }),
      'channel.receipt': async ({ id, paymentId }) => ({ file: this.#receipt(id, paymentId) }),
      'channel.close': (request) => this.#end(request, 'close'),
      'channel.challenge': (request) => this.#end(request, 'challenge'),
    }
  }

  async #info(): Promise<Result<'node.info'>> {
    const { chainId, court, sender } = this.#parts.chain
    const who = { chainId: Number(chainId), court, signer: this.node.signer, owner: sender }
    const channels = this.node.channels().length
    return { ...who, addresses: this.#addresses, channels, head: await this.#parts.chain.head() }
  }

  async #open(request: OpenRequest): Promise<ChannelView> {
    const self = { owner: this.#parts.chain.sender, signer: this.node.signer }
    const channel = 'channel' in request ? request.channel : termsOf(self, request)
    await this.#requireFresh(channel)
    return this.#view(await this.node.open(channel, request.address))
  }

  /** Of blocks that are not read a clock may still run, or an end be told: the court's storage says whether there was one. */
  async #requireFresh(channel: Channel): Promise<void> {
    const { chain, since = 0 } = this.#parts
    const id = channelId(domain(chain.chainId, chain.court), channel)
    if (since === 0 || !chain.isFresh || this.node.channels().includes(id)) return
    require(await chain.isFresh(channel.asset, id), 'NotFresh', id, since)
  }

  async #deposit({ id, amount, depositId }: Params<'channel.deposit'>): Promise<Result<'channel.deposit'>> {
    const { side } = this.node.status(id)
    const till = {
      deposit: () => this.node.deposit(id, amount),
      final: () => this.node.status(id).deposits[side],
    }
    return depositId === undefined ? till.deposit() : this.#deposits.make({ id, amount, depositId }, till)
  }

  /** A channel as it stands, by what was last heard of its credit. */
  #view(id: Hex): ChannelView {
    return viewOf(this.node.status(id), this.#credits.money(id))
  }

  /** The same, after the court was asked. */
  async #fresh(id: Hex): Promise<ChannelView> {
    await this.#credits.refresh([id])
    return this.#view(id)
  }

  async #list(after: Hex | undefined, limit: number): Promise<Result<'channel.list'>> {
    const ids = [...this.node.channels()].sort().filter((id) => after === undefined || id > after)
    const page = ids.slice(0, limit)
    const next = ids.length > limit ? page.at(-1)! : null
    await this.#credits.refresh(page)
    return { channels: page.map((id) => this.#view(id)), next }
  }

  /** Nothing waits between the look and the note that the payment is under way, so equal requests pay once. */
  async #pay({ id, amount, paymentId, memo = '0x' }: PayRequest): Promise<PaymentView> {
    const key = `${id}/${paymentId}`
    const asked = this.#asked.get(key) ?? this.#known(id, paymentId) ?? this.#begin({ id, amount, paymentId, memo })
    require(asked.amount === amount && asked.memo === memo, 'IdempotencyMismatch', paymentId)
    return this.#patiently(asked.ended, () => pendingView(paymentId, amount, memo))
  }

  /** A payment that was asked for before this process, or has ended; undefined if there is none. */
  #known(id: Hex, paymentId: Hex): Asked | undefined {
    const outcome = this.node.payment(id, paymentId)
    if (outcome === undefined) return undefined
    if (outcome === 'pending') return this.#resume(id, paymentId)
    if (typeof outcome === 'string') throw new Refusal(outcome, paymentId)
    // A lock of this id was taken: that is no payment of any version, and whoever asks for one means another.
    require(outcome.preimage === undefined, 'IdempotencyMismatch', paymentId)
    const [made] = this.node.made(id, { ...outcome, index: outcome.index - 1 }, 1)
    return { ...made!.pay, ended: Promise.resolve(paidView(made!, 'sent')) }
  }

  /** Waits for a payment that an earlier process began. */
  #resume(id: Hex, paymentId: Hex): Asked {
    const pay = this.node.unended(id, paymentId)
    if (pay?.kind !== 'pay') throw new Refusal('PaymentPending', paymentId)
    return this.#note(id, pay, this.#endOf(id, paymentId))
  }

  #endOf(id: Hex, paymentId: Hex): Promise<PaymentView> {
    return new Promise((done, failed) => {
      const leave = this.subscribe((event) => {
        if (event.channel !== id || !('payment' in event) || event.payment.paymentId !== paymentId) return
        if (event.name === 'received') return
        leave()
        if (event.name === 'paid') done(event.payment)
        else failed(new Refusal(event.payment.code!, paymentId))
      })
    })
  }

  #begin({ id, amount, paymentId, memo }: PayRequest & { readonly memo: Hex }): Asked {
    const pay: Pay = { kind: 'pay', amount, paymentId, memo }
    const paid = this.node.pay(id, amount, { paymentId, memo })
    const ended = paid.then(({ version, index }) => paidView({ version, index, pay }, 'sent'))
    return this.#note(id, pay, ended)
  }

  #note(id: Hex, { amount, memo, paymentId }: Pay, ended: Promise<PaymentView>): Asked {
    const key = `${id}/${paymentId}`
    const asked = { amount, memo, ended }
    this.#asked.set(key, asked)
    const forget = () => this.#asked.delete(key)
    ended.then(forget, forget)
    return asked
  }

  #payments(id: Hex, after: string | undefined, limit: number): Result<'channel.payments'> {
    const [version = '0', index = '0'] = after?.split('/') ?? []
    const made = this.node.made(id, { version: BigInt(version), index: Number(index) }, limit)
    const { side } = this.node.status(id)
    const payments = made.map((one) => madeView(one, one.payer === side ? 'sent' : 'received'))
    const last = made.at(-1)
    return { payments, next: last && made.length === limit ? `${last.version}/${last.index}` : null }
  }

  #receipt(id: Hex, paymentId: Hex): string {
    const proof = this.node.receipt(id, paymentId)
    if (!proof) throw new Refusal('NoReceipt', paymentId)
    const { chainId, court } = this.#parts.chain
    return writeReceipt(domain(chainId, court), proof)
  }

  #payment(id: Hex, paymentId: Hex): PaymentView {
    const outcome = this.node.payment(id, paymentId)
    require(outcome !== undefined, 'UnknownPayment', paymentId)
    if (outcome === 'pending') {
      const change = this.node.unended(id, paymentId)
      return pendingView(paymentId, change?.amount ?? null, change?.kind === 'pay' ? change.memo : null)
    }
    if (typeof outcome === 'string') return refusedView(paymentId, outcome)
    require(outcome.preimage === undefined, 'UnknownPayment', paymentId)
    return madeView(this.node.made(id, { ...outcome, index: outcome.index - 1 }, 1)[0]!, 'sent')
  }

  async #withdraw({ id, amount, seconds, wait = false }: Params<'channel.withdraw'>): Promise<ChannelView> {
    const { ended } = await this.node.beginWithdrawal(id, amount, seconds)
    const now = () => this.#view(id)
    return wait ? this.#patiently(ended.then(now), now) : now()
  }

  async #end({ id, wait = false }: Params<'channel.close'>, how: 'close' | 'challenge'): Promise<ChannelView> {
    if (this.node.status(id).phase !== 'closed') await this.node.end(id, how)
    if (!wait) return this.#view(id)
    const closed = this.node.until(id, ({ phase }) => phase === 'closed')
    return this.#patiently(
      closed.then(() => this.#fresh(id)),
      () => this.#view(id),
    )
  }

  /** What a promise brings, or what is known when the patience is over. */
  async #patiently<T>(ended: Promise<T>, known: () => T): Promise<T> {
    const { patience = 20_000, later = afterwards } = this.#parts
    let prevent: (() => void) | undefined
    const over = new Promise<T>((done, failed) => {
      prevent = later(() => {
        try {
          done(known())
        } catch (why) {
          failed(why)
        }
      }, patience)
    })
    try {
      return await Promise.race([ended, over])
    } finally {
      prevent?.()
    }
  }
}

function tellAll(sinks: ReadonlySet<Sink>, event: NodeEvent): void {
  for (const sink of sinks) sink(event)
}

function afterwards(run: () => void, milliseconds: number): () => void {
  const timer = setTimeout(run, milliseconds)
  timer.unref()
  return () => clearTimeout(timer)
}
