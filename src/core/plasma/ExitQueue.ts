import { exitableAtOf } from './Exit.ts'

/** One lane: words in the order they came, 0 where void or gone; those before `head` have left. */
export interface Lane {
  readonly head: number
  readonly words: readonly bigint[]
}

/** The exits of one (chain, asset). Lane 0 is the list, any other the bucket of that block number. */
export interface Queue {
  readonly list: Lane
  readonly buckets: ReadonlyMap<number, Lane>
}

/** A word at its place in a queue. */
export interface Place {
  readonly word: bigint
  readonly lane: number
  readonly index: number
}

const EMPTY: Lane = { head: 0, words: [] }

/** A queue in which nothing ever waited. */
export const EMPTY_QUEUE: Queue = { list: EMPTY, buckets: new Map() }

/** The word at a place; 0 = void, paid, or never used. */
export function wordAt(queue: Queue, lane: number, index: number): bigint {
  return laneAt(queue, lane).words[index] ?? 0n
}

/** Appends to a lane; the index it got is that lane's length before. */
export function push(queue: Queue, lane: number, word: bigint): { readonly queue: Queue; readonly index: number } {
  const old = laneAt(queue, lane)
  const index = old.words.length
  return { queue: withLane(queue, lane, { head: old.head, words: [...old.words, word] }), index }
}

/** Makes an entry void; it leaves the queue when its turn comes. */
export function clear(queue: Queue, lane: number, index: number): Queue {
  const old = laneAt(queue, lane)
  return withLane(queue, lane, { head: old.head, words: old.words.with(index, 0n) })
}

/** The entry whose turn it is: the one to be paid first, the list's on a tie. Undefined if the queue is empty. */
export function peek(queue: Queue): Place | undefined {
  const listed = headOf(queue.list, 0)
  const first = lowest(queue)
  const young = first === 0 ? undefined : headOf(laneAt(queue, first), first)
  if (!listed || !young) return listed ?? young
  return exitableAtOf(listed.word) <= exitableAtOf(young.word) ? listed : young
}

/** Takes the entry that `peek` showed out of its lane. */
export function pop(queue: Queue, place: Place): Queue {
  const { head, words } = laneAt(queue, place.lane)
  return withLane(queue, place.lane, { head: head + 1, words: words.with(place.index, 0n) })
}

function laneAt(queue: Queue, lane: number): Lane {
  return lane === 0 ? queue.list : (queue.buckets.get(lane) ?? EMPTY)
}

function withLane(queue: Queue, lane: number, to: Lane): Queue {
  return lane === 0 ? { ...queue, list: to } : { ...queue, buckets: new Map(queue.buckets).set(lane, to) }
}

function headOf(from: Lane, lane: number): Place | undefined {
  const word = from.words[from.head]
  return word === undefined ? undefined : { word, lane, index: from.head }
}

function lowest(queue: Queue): number {
  let found = 0
  for (const [number, { head, words }] of queue.buckets) {
    if (head < words.length && (found === 0 || number < found)) found = number
  }
  return found
}
