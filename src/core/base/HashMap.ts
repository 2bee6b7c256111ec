import type { Hex } from './Bytes.ts'

interface Leaf<V> {
  readonly key: Hex
  readonly value: V
}
type Branch<V> = readonly (Node<V> | undefined)[]
type Node<V> = Leaf<V> | Branch<V>

/**
 * An immutable map whose keys are Hex of one length (hashes, addresses): every change makes a new map that shares all
 * the rest with the old one, so that a state that must be kept costs nothing. Costs grow with log16 of the size.
 */
export interface HashMap<V> {
  readonly size: number
  readonly root: Node<V> | undefined
}

const EMPTY: HashMap<never> = { size: 0, root: undefined }

/** The map without entries. */
export function emptyMap<V>(): HashMap<V> {
  return EMPTY
}

/** The map of entries whose keys ascend and all differ, made at once: a tenth of the work of setting each. */
export function mapOf<V>(sorted: readonly (readonly [key: Hex, value: V])[]): HashMap<V> {
  return { size: sorted.length, root: gather(sorted, 0, sorted.length, 0) }
}

function gather<V>(
  sorted: readonly (readonly [Hex, V])[],
  from: number,
  to: number,
  depth: number,
): Node<V> | undefined {
  if (from === to) return undefined
  if (to - from === 1) return { key: sorted[from]![0], value: sorted[from]![1] }
  const branch = new Array<Node<V> | undefined>(16).fill(undefined)
  for (let start = from; start < to; ) {
    const way = digit(sorted[start]![0], depth)
    let end = start + 1
    while (end < to && digit(sorted[end]![0], depth) === way) end++
    branch[way] = gather(sorted, start, end, depth + 1)
    start = end
  }
  return branch
}

/** The value under a key, or undefined. */
export function get<V>(map: HashMap<V>, key: Hex): V | undefined {
  let at = map.root
  for (let depth = 0; isBranch(at); depth++) at = at[digit(key, depth)]
  return at !== undefined && at.key === key ? at.value : undefined
}

/** The map with `value` under `key`. */
export function set<V>(map: HashMap<V>, key: Hex, value: V): HashMap<V> {
  const grown = get(map, key) === undefined ? 1 : 0
  return { size: map.size + grown, root: put(map.root, { key, value }, 0) }
}

/** The map without `key`; the same map if it was not there. */
export function remove<V>(map: HashMap<V>, key: Hex): HashMap<V> {
  if (get(map, key) === undefined) return map
  return { size: map.size - 1, root: cut(map.root, key, 0) }
}

/** All entries in the order of their keys, those after `after` only if it is given. */
export function* entries<V>(map: HashMap<V>, after?: Hex): Generator<readonly [key: Hex, value: V]> {
  yield* walk(map.root, 0, after)
}

function digit(key: Hex, depth: number): number {
  const code = key.charCodeAt(2 + depth)
  if (Number.isNaN(code)) throw new RangeError('keys of one map have one length')
  return code < 58 ? code - 48 : code - 87
}

function isBranch<V>(of: Node<V> | undefined): of is Branch<V> {
  return Array.isArray(of)
}

function put<V>(at: Node<V> | undefined, leaf: Leaf<V>, depth: number): Node<V> {
  if (at === undefined) return leaf
  if (isBranch(at)) {
    const way = digit(leaf.key, depth)
    return at.with(way, put(at[way], leaf, depth + 1))
  }
  if (at.key === leaf.key) return leaf
  const branch = new Array<Node<V> | undefined>(16).fill(undefined)
  branch[digit(at.key, depth)] = at
  return put(branch, leaf, depth)
}

function cut<V>(at: Node<V> | undefined, key: Hex, depth: number): Node<V> | undefined {
  if (!isBranch(at)) return undefined
  const way = digit(key, depth)
  const branch = at.with(way, cut(at[way], key, depth + 1))
  const left = branch.filter((child) => child !== undefined)
  return left.length === 1 && !isBranch(left[0]) ? left[0] : branch
}

function* walk<V>(at: Node<V> | undefined, depth: number, after?: Hex): Generator<readonly [Hex, V]> {
  if (at === undefined) return
  if (!isBranch(at)) {
    if (after === undefined || at.key > after) yield [at.key, at.value]
    return
  }
  const first = after === undefined ? 0 : digit(after, depth)
  for (let way = first; way < 16; way++) yield* walk(at[way], depth + 1, way === first ? after : undefined)
}
