/** When something is to be looked at: at most one second for each id. Setting and taking cost the logarithm of the size. */
export class Agenda<Id> {
  /** A heap by time; entries that are no longer the time of their id are passed over. */
  readonly #heap: { readonly time: number; readonly id: Id }[] = []
  readonly #times = new Map<Id, number>()

  get size(): number {
    return this.#times.size
  }

  /** The one time of an id; undefined = never. */
  set(id: Id, time: number | undefined): void {
    if (this.#times.get(id) === time) return
    if (time === undefined) this.#times.delete(id)
    else {
      this.#times.set(id, time)
      this.#push({ time, id })
    }
    if (this.#heap.length > 2 * this.#times.size + 64) this.#tidy()
  }

  /** Takes out the ids whose time has come. */
  take(now: number): readonly Id[] {
    const due: Id[] = []
    while (this.#heap.length > 0 && this.#heap[0]!.time <= now) {
      const { time, id } = this.#pop()
      if (this.#times.get(id) !== time) continue
      this.#times.delete(id)
      due.push(id)
    }
    return due
  }

  #tidy(): void {
    const entries = [...this.#times].map(([id, time]) => ({ time, id }))
    entries.sort((x, y) => x.time - y.time) // sorted is a heap
    this.#heap.length = 0
    for (const entry of entries) this.#heap.push(entry)
  }

  #push(entry: { readonly time: number; readonly id: Id }): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    for (let up = (at - 1) >> 1; at > 0 && heap[up]!.time > entry.time; up = (at - 1) >> 1) {
      heap[at] = heap[up]!
      at = up
    }
    heap[at] = entry
  }

  #pop(): { readonly time: number; readonly id: Id } {
    const heap = this.#heap
    const [top, last] = [heap[0]!, heap.pop()!]
    if (heap.length === 0) return top
    let at = 0
    for (let down = 1; down < heap.length; down = 2 * at + 1) {
      if (down + 1 < heap.length && heap[down + 1]!.time < heap[down]!.time) down++
      if (heap[down]!.time >= last.time) break
      heap[at] = heap[down]!
      at = down
    }
    heap[at] = last
    return top
  }
}
