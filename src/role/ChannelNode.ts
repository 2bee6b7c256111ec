import type { Hex } from '../core/base/Bytes.ts'
import { addressOf, domain } from '../core/base/Signature.ts'
import type { Step } from '../core/base/Step.ts'
import type { ChannelCall, ChannelEvent } from '../core/channel/Call.ts'
import type { Promised } from '../core/channel/Change.ts'
import type { Channel } from '../core/channel/Channel.ts'
import type { KeptLock } from '../core/channel/LockEnd.ts'
import type { Pay } from '../core/channel/Payment.ts'
import { act, type PeerInput, rest } from '../core/channel/Peer.ts'
import type { Draft, PeerEvent, PeerOutput, Seat } from '../core/channel/PeerState.ts'
import { peerSigner, seat, unended } from '../core/channel/PeerState.ts'
import type { Receipt as Proof } from '../core/channel/Receipt.ts'
import { earning, exported, type RescueFile } from '../core/channel/Rescue.ts'
import { type ChannelStatus, status } from '../core/channel/Status.ts'
import { requireTerms } from '../core/channel/Terms.ts'
import { usefulUntil } from '../core/channel/Urgency.ts'
import { type Whereabouts, whereabouts } from '../core/channel/Whereabouts.ts'
import type { Receipt } from '../edge/chain/Chain.ts'
import type { ChannelNodeParts } from './ChannelNodeParts.ts'
import { Courtroom } from './Courtroom.ts'
import { Feed } from './Feed.ts'
import { Hopes } from './Hopes.ts'
import { Inquiry } from './Inquiry.ts'
import { Links } from './Links.ts'
import { type LockOptions, openLocks } from './Locks.ts'
import { Loop } from './Loop.ts'
import { type Made, type Payment, Payments, type PayOptions, type Position } from './Payments.ts'
import { Places } from './Places.ts'
import type { Ended, Unnamed } from './Together.ts'
import { Withdrawals } from './Withdrawals.ts'

type Input =
  | { readonly id: Hex; readonly input: PeerInput }
  | { readonly id: Hex; readonly pays: readonly Pay[] }
  | { readonly id: Hex; readonly add: Seat; readonly address: string | undefined }
type Output = { readonly id: Hex; readonly output: PeerOutput }

/** One node with all of its channels: talks to its peers, follows layer 1, goes to court when it must. */
export class ChannelNode {
  readonly #parts: ChannelNodeParts
  readonly #places = new Places()
  readonly #loop: Loop<Places, Input, Output>
  readonly #feed: Feed<Hex, ChannelEvent>
  readonly #links: Links
  readonly #courtroom: Courtroom
  /** Channels to which something has come in the running batch. */
  readonly #touched = new Set<Hex>()
  readonly #payments: Payments
  readonly #withdrawals = new Withdrawals()
  readonly #hopes = new Hopes()
  readonly #inquiry: Inquiry

  private constructor(parts: ChannelNodeParts) {
    this.#parts = parts
    this.#payments = new Payments(parts.store, parts.chain, (id, pays) =>
      this.#loop.tell({ id, pays }, (why) => this.#payments.refuse(id, pays, why)),
    )
    const fault = (why: unknown) => this.#parts.onFault?.(why)
    this.#inquiry = new Inquiry(parts.chain, (id, input) => this.#ask(id, input), fault)
    this.#courtroom = new Courtroom(parts.chain, fault)
    const { schedule = setImmediate } = parts
    this.#loop = new Loop({
      machine: (_places: Places, input: Input) => this.#step(input),
      state: this.#places,
      store: parts.store,
      rest: () => this.#rest(),
      batch: 4096,
      speak: ({ id, output }) => this.#speak(id, output),
      isInner: ({ output: { kind } }) => kind === 'event' || kind === 'complete',
      onFailure: (why) => this.#fail(why),
      schedule: (run) => schedule(() => this.#hopes.checkAfter(run)),
    })
    this.#feed = new Feed(parts.chain, (id, chain) => this.#post(id, { kind: 'chain', chain }))
    this.#links = new Links({
      ...parts,
      court: domain(parts.chain.chainId, parts.chain.court),
      onUp: (id) => this.#post(id, { kind: 'up' }),
      onDown: (id) => this.#post(id, { kind: 'down' }),
      onMessage: (id, message) => this.#post(id, { kind: 'message', message }),
      isCaller: (id) => this.#places.of(id).seat.isWriter,
      peerOf: (id) => peerSigner(this.#places.of(id).seat),
    })
  }

  /** A node that goes on where its store says that it stopped. It speaks with nobody before it has caught up with layer 1. */
  static async start(parts: ChannelNodeParts): Promise<ChannelNode> {
    const node = new ChannelNode(parts)
    const addresses = node.#places.restore(parts.store, (channel, since) => node.#seat(channel, since))
    const ids = node.channels()
    for (const id of ids) node.#payments.resume(node.#places.of(id).seat, node.#places.of(id).state)
    await node.#declare(ids)
    await Promise.all(ids.map((id) => node.#inquiry.look(node.#places.of(id))))
    if (ids.length > 0) await node.#feed.join(ids, node.#places.firstBlock())
    for (const id of ids) if (node.#places.of(id).state.end.restored) await node.#ask(id, { kind: 'close' })
    for (const id of ids) node.#links.add(id, addresses.get(id))
    for (const id of ids) node.#showTowers(id)
    return node
  }

  /** The address of this node's signing key. */
  get signer(): Hex {
    return addressOf(this.#parts.key)
  }

  /** Takes calls from peers at an address ("127.0.0.1:0" finds a free port); the real address comes back. */
  async listen(address: string): Promise<string> {
    return this.#links.listen(address)
  }

  /** Takes the terms of a channel, and calls the peer at `address` if one is given. Returns the id. Again is harmless. */
  async open(channel: Channel, address?: string): Promise<Hex> {
    requireTerms(channel, this.#parts.minPeriod ?? 3600)
    const made = this.#seat(channel, this.#parts.since ?? 0)
    const { id } = made
    if (!this.#places.has(id)) await this.#loop.ask({ id, add: made, address })
    // Terms that are stored are not a channel that is watched: an earlier call may have found no chain, or still wait for it.
    await this.#feed.join([id], made.since)
    this.#links.add(id, address)
    return id
  }

  /** Locks `amount` of the channel's asset on this side. Tokens must have been approved for the court before. */
  async deposit(id: Hex, amount: bigint): Promise<Receipt> {
    const { channel, side } = this.#places.of(id).seat
    const toB = side === 'b'
    return this.#parts.chain.send({ verb: 'deposit', asset: channel.asset, channelId: id, toB, amount })
  }

  /**
   * Pays `amount`; resolves when both have signed it, rejects with the reason if it can no longer succeed. Asked again
   * with the same id after it was paid, it answers the same and pays nothing.
   */
  pay(id: Hex, amount: bigint, options: PayOptions = {}): Promise<Payment> {
    return this.#payments.pay(() => this.#places.of(id).seat, amount, options)
  }

  /**
   * Pays many, each under an id of the node's making; resolves once all have ended, with what became of each: the place
   * where both have signed it, or the reason why it can no longer succeed.
   */
  async payAll(id: Hex, payments: readonly Unnamed[]): Promise<readonly Ended<Payment>[]> {
    return this.#payments.payAll(this.#places.of(id).seat, payments)
  }

  /** Locks for the peer; resolves with the preimage once it is taken, rejects with the reason once it cannot be. Again is harmless. */
  async lock(id: Hex, options: LockOptions): Promise<Hex> {
    return this.#payments.lock(this.#places.of(id).seat, options, (input, refused) =>
      this.#loop.tell({ id, input }, refused),
    )
  }

  /** Takes a lock towards this side with its preimage; resolves once that is stored: it will be paid, here or on layer 1. */
  async fulfil(id: Hex, lockId: bigint, preimage: Hex, isPublic = false): Promise<void> {
    await this.#ask(id, { kind: 'fulfil', lockId, preimage, isPublic })
  }

  /** Gives a lock towards this side up, for a reason that is named as an error is; resolves once the wish is stored. */
  async fail(id: Hex, lockId: bigint, code: string, data: Hex = '0x'): Promise<void> {
    await this.#ask(id, { kind: 'fail', lockId, code, data })
  }

  /** The open locks of a channel, both ways, in the order of their addition. */
  locks(id: Hex): readonly KeptLock[] {
    return openLocks(this.#parts.store, this.#places.of(id).seat, this.#places.of(id).state)
  }

  /** Tells every channel what time it is, in seconds: for while no block comes. */
  tick(time: number): void {
    for (const id of this.channels()) this.#post(id, { kind: 'clock', time })
  }

  /** What became of a payment of this side: paid, still pending, the code of its refusal, or undefined if unknown. */
  payment(id: Hex, paymentId: Hex): Payment | string | undefined {
    return this.#payments.outcome(this.#places.of(id).seat, paymentId)
  }

  /** A payment of this side that has not ended; undefined if there is none of this id. */
  unended(id: Hex, paymentId: Hex): Promised | undefined {
    const { seat: at, state } = this.#places.of(id)
    return unended(at.side, state).find((change) => change.paymentId === paymentId)
  }

  /** At most `limit` payments that the channel made, both ways, in order, from the first one after a place on. */
  made(id: Hex, after: Position, limit: number): readonly Made[] {
    return this.#payments.after(this.#places.of(id).seat, after, limit)
  }

  /** The proof of a payment of this side, signed by its payee; undefined if it is not paid or the proof is on layer 1 only. */
  receipt(id: Hex, paymentId: Hex): Proof | undefined {
    return this.#payments.receipt(this.#places.of(id).seat, paymentId)
  }

  /**
   * Takes `amount` out of the open channel with the peer's signature, by a transaction within `seconds`. Resolves with
   * this side's total once that is final on layer 1; rejects with the reason once it can no longer be.
   */
  async withdraw(id: Hex, amount: bigint, seconds = 3600): Promise<bigint> {
    const { ended } = await this.beginWithdrawal(id, amount, seconds)
    return ended
  }

  /** The same, but resolves once the wish is stored. */
  beginWithdrawal(id: Hex, amount: bigint, seconds = 3600): Promise<{ readonly ended: Promise<bigint> }> {
    return this.#withdrawals.begin(id, () => this.#ask(id, { kind: 'withdraw', amount, seconds }))
  }

  /** Ends the channel by agreement, or in court if the peer does not answer in time. Resolves when both are paid. */
  async close(id: Hex): Promise<ChannelStatus> {
    await this.end(id, 'close')
    return this.until(id, ({ phase }) => phase === 'closed')
  }

  /** Ends the channel in court with this side's newest state. Resolves when the period has passed and both are paid. */
  async challenge(id: Hex): Promise<ChannelStatus> {
    await this.end(id, 'challenge')
    return this.until(id, ({ phase }) => phase === 'closed')
  }

  /** Asks for the channel's end, by agreement or in court; resolves once the wish is stored. */
  async end(id: Hex, how: 'close' | 'challenge'): Promise<void> {
    await this.#ask(id, { kind: how })
  }

  /** Resolves with the channel's status once it fulfils a condition. */
  until(id: Hex, holds: (status: ChannelStatus) => boolean): Promise<ChannelStatus> {
    return this.#hopes.until(() => this.status(id), holds)
  }

  /** What this node knows of a channel. */
  status(id: Hex): ChannelStatus {
    return status(this.#places.of(id).seat, this.#places.of(id).state)
  }

  /** Where this side's money of a channel is; `credit` is what the court keeps for its owner of it. */
  whereabouts(id: Hex, credit = 0n): Whereabouts {
    const { seat: at, state } = this.#places.of(id)
    return whereabouts(at, state, credit)
  }

  /** What this side must keep elsewhere to end the channel when all else is lost; it holds no key. */
  exportChannel(id: Hex): RescueFile {
    return exported(this.#places.of(id).seat, this.#places.of(id).state)
  }

  /** The ids of all channels. */
  channels(): readonly Hex[] {
    return this.#places.ids()
  }

  /** Stops speaking and listening; the store stays the caller's to close. */
  async stop(): Promise<void> {
    this.#loop.stop()
    this.#feed.stop()
    this.#courtroom.stop()
    this.#inquiry.stop()
    this.#abandon(new Error('this node has stopped'), false)
    await this.#links.stop()
  }

  /** Kept before anything else is, in one row because many channels take many commits: no later start can forget it. */
  async #declare(ids: readonly Hex[]): Promise<void> {
    const { store, restored } = this.#parts
    const mark = { table: 'restored', key: 'restored' }
    if (restored) store.commit([{ ...mark, value: true }])
    if (store.get(mark.table, mark.key) === undefined) return
    await Promise.all(ids.map((id) => this.#ask(id, { kind: 'restored' })))
    store.commit([{ ...mark, value: undefined }])
  }

  #seat(channel: Channel, since: number): Seat {
    const { chain, key, confirmations = 12, patience = 3600, margins = {} } = this.#parts
    const court = domain(chain.chainId, chain.court)
    return seat({ court, channel, key, sender: chain.sender, confirmations, patience, since, ...margins })
  }

  #step(input: Input): Step<Places, Output> {
    const { id } = input
    if ('add' in input) {
      const row = this.#places.add(input.add, input.address)
      return { state: this.#places, rows: [row], outputs: [] }
    }
    const place = this.#places.of(id)
    const d: Draft = { state: place.state, rows: [], outputs: [] }
    if ('pays' in input) this.#payments.take(d, place.seat, input.pays)
    else act(d, place.seat, input.input)
    this.#touched.add(id)
    return this.#keep(place.seat, d)
  }

  /** Whatever came for a channel in this batch is said in one. */
  #rest(): Step<Places, Output> {
    const steps = [...this.#touched].map((id) => {
      const { seat: at, state } = this.#places.of(id)
      const d: Draft = { state, rows: [], outputs: [] }
      rest(d, at)
      void this.#inquiry.look({ seat: at, state: d.state })
      return this.#keep(at, d)
    })
    this.#touched.clear()
    const rows = steps.flatMap((step) => step.rows)
    return { state: this.#places, rows, outputs: steps.flatMap((step) => step.outputs) }
  }

  #keep(at: Seat, { state, rows, outputs }: Draft): Step<Places, Output> {
    this.#places.set(at, state)
    return { state: this.#places, rows, outputs: outputs.map((output) => ({ id: at.id, output })) }
  }

  #speak(id: Hex, output: PeerOutput): void {
    if (output.kind === 'send') this.#links.say(id, output.message)
    else if (output.kind === 'drop') this.#links.drop(id)
    else if (output.kind === 'call') this.#goToCourt(id, output.call)
    else if (output.kind === 'event') this.#tell(id, output.event)
    else this.#parts.onComplete?.(this.#places.of(id).seat.channel, output.state)
  }

  #goToCourt(id: Hex, call: ChannelCall): void {
    const { newest, time } = this.#places.of(id).state.watch
    this.#courtroom.call(id, call, usefulUntil(call, newest.clock?.deadline ?? 0, time))
  }

  #tell(id: Hex, event: PeerEvent): void {
    this.#payments.hear(this.#places.of(id).seat, event)
    this.#withdrawals.hear(id, event)
    if (event.name === 'agreed') this.#showTowers(id)
    if (event.name === 'learned') this.#showPreimages(id)
    this.#parts.onEvent?.(id, event)
  }

  /** Whatever an earlier process could not show: the newest states, as if they had become complete now. */
  #showTowers(id: Hex): void {
    const { onComplete, onFinal } = this.#parts
    const { seat: at, state } = this.#places.of(id)
    if (state.finished) return
    const newest = exported(at, state)
    if (newest.state) onComplete?.(at.channel, newest.state)
    if (newest.final) onFinal?.(at.channel, newest.final)
    this.#showPreimages(id)
  }

  #showPreimages(id: Hex): void {
    const { onPreimages } = this.#parts
    const { seat: at, state } = this.#places.of(id)
    const preimages = onPreimages ? earning(at, state) : []
    if (preimages.length > 0) onPreimages?.(at.channel, preimages)
  }

  #post(id: Hex, input: PeerInput): void {
    this.#loop.post({ id, input })
  }

  async #ask(id: Hex, input: PeerInput): Promise<void> {
    this.#payments.breathe(id)
    this.#places.of(id)
    await this.#loop.ask({ id, input })
  }

  #fail(why: unknown): void {
    this.#feed.stop()
    this.#courtroom.stop()
    this.#inquiry.stop()
    this.#abandon(why, true)
    this.#links.stop().catch(() => undefined)
    this.#parts.onFault?.(why)
    this.#parts.onFailure?.(why)
  }

  #abandon(why: unknown, forGood: boolean): void {
    this.#payments.abandon(why)
    this.#withdrawals.abandon(why)
    this.#hopes.abandon(why, forGood)
  }
}
