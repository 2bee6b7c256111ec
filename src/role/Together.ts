import type { Hex } from '../core/base/Bytes.ts'
import type { Pay } from '../core/channel/Payment.ts'

/** A payment that gets its id from the node. */
export type Unnamed = Pick<Pay, 'amount'> & Partial<Pick<Pay, 'memo'>>

/** What became of a payment: where it was paid, or why it was not. */
export type Ended<T> = T | Error

interface Crowd<T> {
  readonly pays: readonly Pay[]
  readonly ends: (Ended<T> | undefined)[]
  /** The first one that has not ended, most likely: they end in the order in which they began. */
  next: number
  left: number
  readonly done: (ends: readonly Ended<T>[]) => void
  readonly failed: (why: unknown) => void
}

/** Payments that were begun together and are waited for together: nothing is kept for each, but its end. */
export class Together<T> {
  /** By channel, the oldest first. */
  readonly #crowds = new Map<Hex, Crowd<T>[]>()

  /** Resolves once all of a channel's payments have ended, in their order. */
  begin(id: Hex, pays: readonly Pay[]): Promise<readonly Ended<T>[]> {
    if (pays.length === 0) return Promise.resolve([])
    return new Promise((done, failed) => {
      const crowd: Crowd<T> = { pays, ends: new Array(pays.length), next: 0, left: pays.length, done, failed }
      const crowds = this.#crowds.get(id)
      if (crowds) crowds.push(crowd)
      else this.#crowds.set(id, [crowd])
    })
  }

  /** A payment has ended; false if it is none of these. */
  end(id: Hex, paymentId: Hex, ended: Ended<T>): boolean {
    const [crowd, place] = this.#find(id, paymentId)
    if (!crowd) return false
    crowd.ends[place] = ended
    crowd.next = place + 1
    if (--crowd.left === 0) {
      const crowds = this.#crowds.get(id)!
      crowds.splice(crowds.indexOf(crowd), 1)
      crowd.done(crowd.ends as Ended<T>[])
    }
    return true
  }

  /** Whether a payment is one of these and has not ended. */
  has(id: Hex, paymentId: Hex): boolean {
    return this.#find(id, paymentId)[0] !== undefined
  }

  /** Nothing more will end here. */
  abandon(why: unknown): void {
    for (const crowds of this.#crowds.values()) for (const { failed } of crowds) failed(why)
    this.#crowds.clear()
  }

  #find(id: Hex, paymentId: Hex): readonly [crowd: Crowd<T> | undefined, place: number] {
    for (const crowd of this.#crowds.get(id) ?? []) {
      if (crowd.pays[crowd.next]?.paymentId === paymentId) return [crowd, crowd.next]
      const place = crowd.pays.findIndex((pay, index) => pay.paymentId === paymentId && !crowd.ends[index])
      if (place >= 0) return [crowd, place]
    }
    return [undefined, -1]
  }
}
