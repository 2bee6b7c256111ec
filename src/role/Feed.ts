import type { L1Input } from '../core/base/Step.ts'
import type { Chain } from '../edge/chain/Chain.ts'

interface Group<Id> {
  readonly ids: Id[]
  head: string
  number: number
  merged: boolean
  stop: (() => void) | undefined
  waiting: { readonly until: number; readonly done: () => void }[]
}

/**
 * One chain for many listeners that begin at different blocks: each sees every block from its own first one on, in
 * order; who has caught up with the others shares their stream.
 */
export class Feed<Id, Event> {
  readonly #chain: Pick<Chain<never, Event>, 'follow' | 'head'>
  readonly #sink: (id: Id, input: L1Input<Event>) => void
  readonly #groups: Group<Id>[] = []
  /** Resolves for each id that is fed once it has caught up. */
  readonly #fed = new Map<Id, Promise<void>>()

  constructor(chain: Pick<Chain<never, Event>, 'follow' | 'head'>, sink: (id: Id, input: L1Input<Event>) => void) {
    this.#chain = chain
    this.#sink = sink
  }

  /**
   * Begins to feed `ids` with the blocks from `from` on; resolves when they have seen the block that is newest now. Who is
   * fed already is not fed twice; who could not be, because the chain did not answer, can be asked for again.
   */
  async join(ids: readonly Id[], from: number): Promise<void> {
    const fresh = ids.filter((id) => !this.#fed.has(id))
    const begun = fresh.length > 0 ? this.#begin(fresh, from) : undefined
    for (const id of fresh) this.#fed.set(id, begun!)
    begun?.catch(() => {
      for (const id of fresh) this.#fed.delete(id)
    })
    await Promise.all(new Set(ids.map((id) => this.#fed.get(id))))
  }

  async #begin(ids: readonly Id[], from: number): Promise<void> {
    const until = await this.#chain.head()
    const group: Group<Id> = { ids: [...ids], head: '', number: from - 1, merged: false, stop: undefined, waiting: [] }
    this.#groups.push(group)
    const caughtUp = new Promise<void>((done) => group.waiting.push({ until, done }))
    group.stop = this.#chain.follow(from, (input) => this.#take(group, input))
    this.#release(group)
    if (group.merged) group.stop()
    return caughtUp
  }

  /** Ends all streams. */
  stop(): void {
    for (const group of this.#groups.splice(0)) this.#leave(group)
  }

  #take(group: Group<Id>, input: L1Input<Event>): void {
    if (group.merged) return
    for (const id of group.ids) this.#sink(id, input)
    const { number, hash, parent } = input.block
    group.number = input.kind === 'block' ? number : number - 1
    group.head = input.kind === 'block' ? hash : parent
    this.#release(group)
    for (const younger of this.#groups.slice(1)) if (younger.head === this.#groups[0]!.head) this.#merge(younger)
  }

  /** Two streams that stand at the same block go on as one. */
  #merge(group: Group<Id>): void {
    const oldest = this.#groups[0]!
    oldest.ids.push(...group.ids)
    oldest.waiting.push(...group.waiting)
    this.#groups.splice(this.#groups.indexOf(group), 1)
    this.#leave(group)
  }

  #leave(group: Group<Id>): void {
    group.merged = true
    group.stop?.()
  }

  #release(group: Group<Id>): void {
    const due = group.waiting.filter(({ until }) => until <= group.number)
    group.waiting = group.waiting.filter(({ until }) => until > group.number)
    for (const { done } of due) done()
  }
}
