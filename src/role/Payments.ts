import { randomBytes } from 'node:crypto'
import { ETHER, type Hex, toHex, ZERO } from '../core/base/Bytes.ts'
import { Refusal, require } from '../core/base/Step.ts'
import { emptyState, type Side } from '../core/channel/Channel.ts'
import { type PackedPaid, preimageIn, type SavedHistory, unpackHistory, unpackPaid } from '../core/channel/Packed.ts'
import { isSerial, type Paid, type Pay, serialId } from '../core/channel/Payment.ts'
import { type PeerInput, payAll } from '../core/channel/Peer.ts'
import {
  type Draft,
  type PeerEvent,
  type PeerState,
  type Seat,
  unended,
  unendedLocks,
} from '../core/channel/PeerState.ts'
import { type History, type Receipt, receipt } from '../core/channel/Receipt.ts'
import { historyKey, paymentKey } from '../core/channel/Saved.ts'
import type { Chain } from '../edge/chain/Chain.ts'
import type { Store } from '../edge/store/Store.ts'
import { type LockOptions, lockEnd, lockInput } from './Locks.ts'
import { type Ended, Together, type Unnamed } from './Together.ts'

/** A payment that both sides have signed. */
export interface Payment {
  readonly paymentId: Hex
  readonly version: bigint
  readonly index: number
  /** Where it was locked: the proof that it was taken. Its version is 0 where layer 1 has paid, its index says nothing. */
  readonly preimage?: Hex
}

/** What a payment may carry: its id (32 bytes; random unless given), and a memo for the payee. */
export interface PayOptions {
  readonly paymentId?: Hex
  readonly memo?: Hex
}

/** Where a payment stands among those of its channel. */
export interface Position {
  readonly version: bigint
  readonly index: number
}

/** A payment that was made, by either side. */
export interface Made extends Position, Paid {
  /** Time of the newest block when it was made, seconds. */
  readonly time: number
}

/** How many versions are read at once. */
const VERSIONS = 16

/** What is kept of a lock that was taken. */
type Taken = { readonly preimage: Hex; readonly version: bigint }

/** Asks a channel's machine for something. */
type Ask = (input: PeerInput, refused: (why: unknown) => void) => void

/** Tells the verdict on a condition's key as of the newest block. */
type Judge = Pick<Chain<never, never>, 'verdict'>

interface Waiting {
  readonly done: (payment: Payment) => void
  readonly failed: (why: unknown) => void
}

/** Nobody of this process waits for a payment that an earlier one began. */
const NOBODY: Waiting = { done: () => undefined, failed: () => undefined }

/** The payments of this node's sides that have not ended, and what the store says of those that have. */
export class Payments {
  readonly #store: Pick<Store, 'get' | 'all'>
  readonly #judge: Judge
  /** By channel and id of the payment. */
  readonly #waiting = new Map<Hex, Map<Hex, Waiting>>()
  /** The payments of each channel that its machine has not heard of yet. */
  readonly #breaths = new Map<Hex, Pay[]>()
  readonly #together = new Together<Payment>()
  readonly #ask: (id: Hex, pays: readonly Pay[]) => void
  readonly #start = toHex(randomBytes(16))
  #count = 0

  /** `ask` hands payments to the machine of their channel. */
  constructor(
    store: Pick<Store, 'get' | 'all'>,
    judge: Judge,
    ask: (id: Hex, pays: readonly Pay[]) => void = () => {},
  ) {
    this.#store = store
    this.#judge = judge
    this.#ask = ask
  }

  /** An id that no payment of anybody has had. */
  name(): Hex {
    return serialId(this.#start, this.#count++)
  }

  /** Takes up the payments that an earlier process began. */
  resume({ id, side }: Seat, state: PeerState): void {
    const open = [...unended(side, state), ...unendedLocks(side, state)]
    for (const { paymentId } of open) this.#of(id).set(paymentId, NOBODY)
  }

  /** Pays; what is paid in one breath is asked for in one. Asked again after its end, it answers the same. */
  pay(at: () => Seat, amount: bigint, options: PayOptions): Promise<Payment> {
    try {
      return this.#pay(at(), amount, options)
    } catch (why) {
      return Promise.reject(why)
    }
  }

  #pay(seat: Seat, amount: bigint, options: PayOptions): Promise<Payment> {
    const had = options.paymentId === undefined ? undefined : this.outcome(seat, options.paymentId)
    if (typeof had === 'object') return Promise.resolve(had)
    require(had !== 'pending', 'PaymentPending', options.paymentId!)
    const { paymentId = this.name(), memo = '0x' } = options
    return new Promise((done, failed) => {
      this.#of(seat.id).set(paymentId, { done, failed })
      this.#hand(seat.id, [{ kind: 'pay', amount, paymentId, memo }])
    })
  }

  /** Pays many; resolves with how each has ended, once all have. */
  payAll({ id }: Seat, payments: readonly Unnamed[]): Promise<readonly Ended<Payment>[]> {
    const pays = payments.map(({ amount, memo = '0x' }): Pay => ({ kind: 'pay', amount, paymentId: this.name(), memo }))
    const ended = this.#together.begin(id, pays)
    if (pays.length > 0) this.#hand(id, pays)
    return ended
  }

  /** Asks for payments together with those that the channel's machine has not taken yet. */
  #hand(id: Hex, pays: readonly Pay[]): void {
    const breath = this.#breaths.get(id)
    if (breath) for (const pay of pays) breath.push(pay)
    else {
      const first = [...pays]
      this.#breaths.set(id, first)
      this.#ask(id, first)
    }
  }

  /** What was paid in one breath is taken by its channel's machine. */
  take(d: Draft, seat: Seat, pays: readonly Pay[]): void {
    this.breathe(seat.id)
    for (const [pay, why] of payAll(d, seat, pays)) this.refuse(seat.id, [pay], why)
  }

  /** What is paid from here on is asked for anew: something else comes first. */
  breathe(id: Hex): void {
    this.#breaths.delete(id)
  }

  /** Payments were refused before they began. */
  refuse(id: Hex, pays: readonly Pay[], why: unknown): void {
    this.breathe(id)
    for (const { paymentId } of pays) this.#fail(id, paymentId, why)
  }

  /** Begins a payment with `ask`, which hears of its refusal; resolves at its end. */
  begin(id: Hex, paymentId: Hex, ask: (refused: (why: unknown) => void) => void): Promise<Payment> {
    return new Promise<Payment>((done, failed) => {
      this.#of(id).set(paymentId, { done, failed })
      ask((why) => this.#end(id, paymentId)?.failed(why))
    })
  }

  /** Locks with `ask`; resolves with the preimage once it is taken. Asked again after its end, it answers the same. */
  async lock(seat: Seat, options: LockOptions, ask: Ask): Promise<Hex> {
    const { paymentId = this.name(), key } = options
    const look = () => (options.paymentId === undefined ? undefined : this.#taken(seat, paymentId))
    const had = look()
    if (had !== undefined) return had
    // The court tells of a verdict once: of one from before the lock this side would never hear, and the lock would be paid.
    require((await this.#judge.verdict(ETHER, key)) === undefined, 'KeyDecided', ETHER, key)
    const meanwhile = look()
    if (meanwhile !== undefined) return meanwhile
    const ended = await this.begin(seat.id, paymentId, (refused) => ask(lockInput(options, paymentId), refused))
    return ended.preimage!
  }

  /** The preimage for which a lock of this id was taken; undefined if it may be begun. Refuses PaymentPending. */
  #taken(seat: Seat, paymentId: Hex): Hex | undefined {
    const had = this.outcome(seat, paymentId)
    if (typeof had === 'object' && had.preimage !== undefined) return had.preimage
    require(had !== 'pending' && typeof had !== 'object', 'PaymentPending', paymentId)
    return undefined
  }

  /** What became of a payment of this side: paid, still pending, the code of its refusal, or undefined if unknown. */
  outcome(seat: Seat, paymentId: Hex): Payment | string | undefined {
    if (this.#waiting.get(seat.id)?.has(paymentId) || this.#together.has(seat.id, paymentId)) return 'pending'
    const kept = this.#store.get('payment', paymentKey(seat, paymentId))
    if (Array.isArray(kept)) return { paymentId, version: kept[0] as bigint, index: kept[1] as number }
    if (typeof kept === 'object') return { paymentId, index: 0, ...(kept as unknown as Taken) }
    // Such an id has no row of its being paid: one that was refused may have been asked for again, and paid.
    return (isSerial(paymentId) ? this.find(seat.id, seat.side, paymentId) : undefined) ?? (kept as string | undefined)
  }

  /** Looks a payment up in the whole history of a channel: the only way for ids that have no row of their own. */
  find(id: Hex, payer: Side, paymentId: Hex): Payment | undefined {
    const sought = Buffer.from(paymentId.slice(2), 'hex')
    for (const [version, , paid] of historyOf(this.#store, id, id)) {
      if (!paid.some((part) => part && Buffer.from(part.buffer, part.byteOffset, part.length).includes(sought)))
        continue
      const preimage = preimageIn(paid, payer, paymentId)
      if (preimage !== undefined) return { paymentId, version, index: 0, preimage }
      const index = unpackPaid(paid).findIndex((one) => one.payer === payer && one.pay.paymentId === paymentId)
      if (index >= 0) return { paymentId, version, index }
    }
    return undefined
  }

  /** The proof of a payment, signed by its payee; undefined if it is not paid or the proof is on layer 1 only. */
  receipt(seat: Seat, paymentId: Hex): Receipt | undefined {
    const paid = this.outcome(seat, paymentId)
    if (typeof paid !== 'object' || paid.preimage !== undefined) return undefined
    const { id, channel } = seat
    const kept = this.history(id, paid.version)
    if (kept.signature === '0x') return undefined
    const { net, locksRoot = ZERO } = kept
    return receipt(channel, { ...emptyState(id), version: paid.version, net, locksRoot }, kept, paid.index)
  }

  /** What is kept of the version of a payment. */
  history(id: Hex, version: bigint): History {
    const kept = this.#store.get('history', historyKey(id, version)) as unknown as SavedHistory
    return unpackHistory(kept, paidBy(this.#store, historyKey(id, version)))
  }

  /** At most `limit` payments of a channel, both ways, in order, from the first one after a place on. */
  after({ id }: Seat, place: Position, limit: number): readonly Made[] {
    const made: Made[] = []
    const before = place.version > 0n ? historyKey(id, place.version - 1n) : id
    for (const [version, { time }, paid] of historyOf(this.#store, id, before)) {
      for (const [index, one] of unpackPaid(paid).entries()) {
        if (version === place.version && index <= place.index) continue
        made.push({ version, index, time, ...one })
        if (made.length === limit) return made
      }
    }
    return made
  }

  /** Tells whoever waits of a payment's end. */
  hear(seat: Seat, event: PeerEvent): void {
    const { id } = seat
    if (event.name === 'fulfilled' || event.name === 'failed') this.#hearLock(seat, event)
    else if (event.name === 'paid') {
      const { pay, version, index } = event
      const { paymentId } = pay
      const payment = { paymentId, version, index }
      if (!this.#together.end(id, paymentId, payment)) this.#end(id, paymentId)?.done(payment)
    } else if (event.name === 'refused') {
      const { paymentId } = event.change
      this.#fail(id, paymentId, new Refusal(event.code, paymentId))
    }
  }

  #hearLock(seat: Seat, event: PeerEvent): void {
    const end = lockEnd(seat, event)
    if (!end || !('lock' in event)) return
    const { paymentId } = event.lock
    const waiting = this.#end(seat.id, paymentId)
    if (end instanceof Refusal) waiting?.failed(end)
    else waiting?.done({ paymentId, index: 0, ...end })
  }

  /** Nothing more will end here. */
  abandon(why: unknown): void {
    for (const waiting of this.#waiting.values()) for (const { failed } of waiting.values()) failed(why)
    this.#waiting.clear()
    this.#together.abandon(why)
  }

  #fail(id: Hex, paymentId: Hex, why: unknown): void {
    const known = this.#end(id, paymentId)
    if (known) known.failed(why)
    else this.#together.end(id, paymentId, why instanceof Error ? why : new Error(String(why)))
  }

  #of(id: Hex): Map<Hex, Waiting> {
    const known = this.#waiting.get(id)
    if (known) return known
    const waiting = new Map<Hex, Waiting>()
    this.#waiting.set(id, waiting)
    return waiting
  }

  #end(id: Hex, paymentId: Hex): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    const one = waiting?.get(paymentId)
    waiting?.delete(paymentId)
    return one
  }
}

/** What the version of a key paid, if it paid anything. */
function paidBy(store: Pick<Store, 'get'>, key: string): PackedPaid | undefined {
  return store.get('batch', key) as unknown as PackedPaid | undefined
}

/** The versions of a channel's history after a key that paid something, the oldest first, read a few at a time. */
function* historyOf(
  store: Pick<Store, 'all' | 'get'>,
  id: Hex,
  from: string,
): Generator<readonly [bigint, SavedHistory, PackedPaid]> {
  for (let after: string | undefined = from; after !== undefined; ) {
    const page = store.all('history', { after, limit: VERSIONS })
    for (const [key, value] of page) {
      if (!key.startsWith(id)) return
      const paid = paidBy(store, key)
      if (paid) yield [BigInt(key.slice(id.length + 1)), value as unknown as SavedHistory, paid]
    }
    after = page.length === VERSIONS ? page.at(-1)![0] : undefined
  }
}
