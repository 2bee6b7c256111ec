import type { Hex } from '../core/base/Bytes.ts'
import { Refusal } from '../core/base/Step.ts'
import type { PeerEvent } from '../core/channel/PeerState.ts'

/** One who waits for the end of a withdrawal; resolves with what this side has then taken out in all. */
interface Waiting {
  readonly done: (total: bigint) => void
  readonly failed: (why: unknown) => void
}

/** Who waits for the withdrawals of a node's channels. A channel has one at a time. */
export class Withdrawals {
  readonly #waiting = new Map<Hex, Set<Waiting>>()

  /** Runs `ask`; what comes back ends once a final block shows the withdrawal, or rejects with the code of its failure. */
  async begin(id: Hex, ask: () => Promise<void>): Promise<{ readonly ended: Promise<bigint> }> {
    const all = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, all)
    const { promise, waiting } = open()
    all.add(waiting)
    try {
      await ask()
    } catch (why) {
      all.delete(waiting)
      throw why
    }
    return { ended: promise }
  }

  /** Tells whoever waits of a withdrawal's end. */
  hear(id: Hex, event: PeerEvent): void {
    if (event.name === 'withdrawn') for (const { done } of this.#take(id)) done(event.total)
    else if (event.name === 'unwithdrawn')
      for (const { failed } of this.#take(id)) failed(new Refusal(event.code, event.total))
  }

  /** Nothing more will end here. */
  abandon(why: unknown): void {
    for (const id of this.#waiting.keys()) for (const { failed } of this.#take(id)) failed(why)
  }

  #take(id: Hex): Iterable<Waiting> {
    const all = this.#waiting.get(id) ?? []
    this.#waiting.delete(id)
    return all
  }
}

function open(): { readonly promise: Promise<bigint>; readonly waiting: Waiting } {
  const { promise, resolve: done, reject: failed } = Promise.withResolvers<bigint>()
  promise.catch(() => undefined) // whoever asked hears of it, unless the ask itself is refused
  return { promise, waiting: { done, failed } }
}
