import type { Hex } from '../core/base/Bytes.ts'
import { Refusal } from '../core/base/Step.ts'
import { historyKey, paymentKey } from '../core/channel/Ledger.ts'
import type { History, Paid } from '../core/channel/Payment.ts'
import { type PeerEvent, type PeerState, type Seat, unended } from '../core/channel/PeerState.ts'
import type { Store } from '../edge/store/Store.ts'

/** A payment that both sides have signed. */
export interface Payment {
  readonly paymentId: Hex
  readonly version: bigint
  readonly index: number
}

/** Where a payment stands among those of its channel. */
export interface Position {
  readonly version: bigint
  readonly index: number
}

/** A payment that was made, by either side. */
export interface Made extends Position, Paid {}

/** How many versions are read at once. */
const VERSIONS = 16

interface Waiting {
  readonly done: (payment: Payment) => void
  readonly failed: (why: unknown) => void
}

/** Nobody of this process waits for a payment that an earlier one began. */
const NOBODY: Waiting = { done: () => undefined, failed: () => undefined }

/** The payments of this node's sides that have not ended, and what the store says of those that have. */
export class Payments {
  readonly #store: Pick<Store, 'get' | 'all'>
  readonly #waiting = new Map<string, Waiting>()

  constructor(store: Pick<Store, 'get' | 'all'>) {
    this.#store = store
  }

  /** Takes up the payments that an earlier process began. */
  resume({ id, side }: Seat, state: PeerState): void {
    for (const { paymentId } of unended(side, state)) this.#waiting.set(`${id}/${paymentId}`, NOBODY)
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

  /** At most `limit` payments of a channel, both ways, in order, from the first one after a place on. */
  after({ id }: Seat, place: Position, limit: number): readonly Made[] {
    const made: Made[] = []
    let key = place.version > 0n ? historyKey(id, place.version - 1n) : `${id}/`
    for (;;) {
      const rows = this.#store.all('history', { after: key, limit: VERSIONS })
      for (const [at, value] of rows) {
        if (!at.startsWith(`${id}/`)) return made
        key = at
        const version = BigInt(at.slice(id.length + 1))
        for (const [index, paid] of (value as unknown as History).paid.entries()) {
          if (version === place.version && index <= place.index) continue
          made.push({ version, index, ...paid })
          if (made.length === limit) return made
        }
      }
      if (rows.length < VERSIONS) return made
    }
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
