import type { Hex } from '../core/base/Bytes.ts'
import { Refusal } from '../core/base/Step.ts'
import { historyKey, paymentKey } from '../core/channel/Ledger.ts'
import type { History } from '../core/channel/Payment.ts'
import { type PeerEvent, type PeerState, type Seat, unended } from '../core/channel/PeerState.ts'
import type { Store } from '../edge/store/Store.ts'

/** A payment that both sides have signed. */
export interface Payment {
  readonly paymentId: Hex
  readonly version: bigint
  readonly index: number
}

interface Waiting {
  readonly done: (payment: Payment) => void
  readonly failed: (why: unknown) => void
}

/** Nobody of this process waits for a payment that an earlier one began. */
const NOBODY: Waiting = { done: () => undefined, failed: () => undefined }

/** The payments of this node's sides that have not ended, and what the store says of those that have. */
export class Payments {
  readonly #store: Pick<Store, 'get'>
  readonly #waiting = new Map<string, Waiting>()

  constructor(store: Pick<Store, 'get'>) {
    this.#store = store
  }

  /** Takes up the payments that an earlier process began. */
  resume({ id, side }: Seat, state: PeerState): void {
    for (const paymentId of unended(side, state)) this.#waiting.set(`${id}/${paymentId}`, NOBODY)
  }

  /** Waits for a payment's end from now on, whether or not it is ever asked for: `forget` if it is not. */
  begin(id: Hex, paymentId: Hex): Promise<Payment> {
    const ended = new Promise<Payment>((done, failed) => this.#waiting.set(`${id}/${paymentId}`, { done, failed }))
    ended.catch(() => undefined) // who asked for the payment hears of its refusal there
    return ended
  }

  /** A payment was refused before it began. */
  forget(id: Hex, paymentId: Hex): void {
    this.#waiting.delete(`${id}/${paymentId}`)
  }

  /** What became of a payment of this side: paid, still pending, the code of its refusal, or undefined if unknown. */
  outcome(seat: Seat, paymentId: Hex): Payment | string | undefined {
    if (this.#waiting.has(`${seat.id}/${paymentId}`)) return 'pending'
    const kept = this.#store.get('payment', paymentKey(seat, true, paymentId))
    if (!Array.isArray(kept)) return kept as string | undefined
    return { paymentId, version: kept[0] as bigint, index: kept[1] as number }
  }

  /** What is kept of the version of a payment. */
  history(id: Hex, version: bigint): History {
    return this.#store.get('history', historyKey(id, version)) as unknown as History
  }

  /** Tells whoever waits of a payment's end. */
  hear(id: Hex, event: PeerEvent): void {
    if (event.name === 'paid') {
      const { pay, version, index } = event
      this.#end(id, pay.paymentId)?.done({ paymentId: pay.paymentId, version, index })
    } else if (event.name === 'refused') {
      const { paymentId } = event.change
      this.#end(id, paymentId)?.failed(new Refusal(event.code, paymentId))
    }
  }

  /** Nothing more will end here. */
  abandon(why: unknown): void {
    for (const { failed } of this.#waiting.values()) failed(why)
    this.#waiting.clear()
  }

  #end(id: Hex, paymentId: Hex): Waiting | undefined {
    const key = `${id}/${paymentId}`
    const waiting = this.#waiting.get(key)
    this.#waiting.delete(key)
    return waiting
  }
}
