interface Link<T> {
  readonly item: T
  readonly next: Link<T> | undefined
}

/** A first-in first-out list that is never changed, only replaced: push and take cost O(1) an item, whatever its length. */
export interface Queue<T> {
  readonly front: readonly T[]
  readonly from: number
  readonly back: Link<T> | undefined
  readonly length: number
}

/** A queue that holds `items`, the oldest first. */
export function queue<T>(items: readonly T[] = []): Queue<T> {
  return { front: items, from: 0, back: undefined, length: items.length }
}

/** The queue with one more item at its end. */
export function push<T>(to: Queue<T>, item: T): Queue<T> {
  return { ...to, back: { item, next: to.back }, length: to.length + 1 }
}

/** The oldest `count` items (fewer if there are fewer), and the queue without them. */
export function take<T>(of: Queue<T>, count: number): readonly [taken: readonly T[], rest: Queue<T>] {
  const { front, from, back, length } = of.front.length - of.from < count ? queue(items(of)) : of
  const end = Math.min(from + count, front.length)
  return [front.slice(from, end), { front, from: end, back, length: length - (end - from) }]
}

/** All items, the oldest first. */
export function items<T>(of: Queue<T>): readonly T[] {
  const newer: T[] = []
  for (let link = of.back; link; link = link.next) newer.push(link.item)
  return of.front.slice(of.from).concat(newer.reverse())
}
