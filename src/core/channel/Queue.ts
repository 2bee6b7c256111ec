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

/** The queue with more items at its end. */
export function pushAll<T>(to: Queue<T>, more: readonly T[]): Queue<T> {
  if (to.length === 0) return queue(more)
  let { back } = to
  for (const item of more) back = { item, next: back }
  return { ...to, back, length: to.length + more.length }
}

/** The oldest `count` items (fewer if there are fewer), and the queue without them. */
export function take<T>(of: Queue<T>, count: number): readonly [taken: readonly T[], rest: Queue<T>] {
  const { front, from, back, length } = of.front.length - of.from < count ? queue(items(of)) : of
  const end = Math.min(from + count, front.length)
  return [front.slice(from, end), { front, from: end, back, length: length - (end - from) }]
}

/** All items, the oldest first. */
export function items<T>(of: Queue<T>): readonly T[] {
  return newest(of, of.length)
}

/** The oldest `count` items (fewer if there are fewer), and no others. */
export function oldest<T>(of: Queue<T>, count: number): readonly T[] {
  return take(of, count)[0]
}

/** The newest `count` items (all, if there are fewer), the oldest of them first; costs no more than they are. */
export function newest<T>(of: Queue<T>, count: number): readonly T[] {
  const late: T[] = []
  for (let link = of.back; link && late.length < count; link = link.next) late.push(link.item)
  const early = of.front.length - Math.min(count - late.length, of.front.length - of.from)
  return of.front.slice(early).concat(late.reverse())
}
