import { type Hex, toBytes, toHex, ZERO } from './Bytes.ts'
import { keccak, keccakBytes } from './Signature.ts'

/** Node over two children: keccak256(0x01 ‖ left ‖ right). */
export function node(left: Hex, right: Hex): Hex {
  return keccak('0x01', left, right)
}

/** Root over `leaf` at `index` with its siblings from the leaf upwards. Depth is the number of siblings. */
export function root(leaf: Hex, index: number, siblings: readonly Hex[]): Hex {
  let at = leaf
  for (let level = 0; level < siblings.length; level++) {
    const sibling = siblings[level]!
    at = (index >> level) & 1 ? node(sibling, at) : node(at, sibling)
  }
  return at
}

/** A tree with its levels kept: leaves first, each level only as wide as needed, the root last. */
export interface Tree {
  readonly depth: number
  readonly levels: readonly Uint8Array[]
  readonly empties: readonly Uint8Array[]
}

/** The tree of `depth` over the given leaves; absent leaves are `empty`. At most 2^depth leaves (RangeError). */
export function tree(leaves: readonly Hex[], depth: number, empty: Hex = ZERO): Tree {
  if (leaves.length > 2 ** depth) throw new RangeError(`${leaves.length} leaves do not fit depth ${depth}`)
  let level = new Uint8Array(32 * leaves.length)
  for (let i = 0; i < leaves.length; i++) level.set(toBytes(leaves[i]!), 32 * i)
  const levels = [level]
  const empties = [toBytes(empty)]
  for (let height = 0; height < depth; height++) {
    const filler = empties[height]!
    level = parents(level, filler)
    levels.push(level)
    empties.push(hashPair(filler, filler))
  }
  return { depth, levels, empties }
}

const pair = new Uint8Array(65)
pair[0] = 0x01

function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left, 1)
  pair.set(right, 33)
  return keccakBytes(pair)
}

function parents(level: Uint8Array, filler: Uint8Array): Uint8Array<ArrayBuffer> {
  const count = Math.ceil(level.length / 64)
  const above = new Uint8Array(32 * count)
  for (let i = 0; i < count; i++) {
    const left = level.subarray(64 * i, 64 * i + 32)
    const right = 64 * i + 32 < level.length ? level.subarray(64 * i + 32, 64 * i + 64) : filler
    above.set(hashPair(left, right), 32 * i)
  }
  return above
}

/** A tree that grows by one leaf at a time: of its full subtrees, which differ in size, the roots; smallest first. */
export interface Growing {
  readonly count: number
  readonly peaks: readonly (Uint8Array | undefined)[]
}

/** The tree without leaves. */
export const NO_LEAVES: Growing = { count: 0, peaks: [] }

/** The tree with one more leaf: one hash, on average. */
export function grow({ count, peaks }: Growing, leaf: Uint8Array): Growing {
  const next = peaks.slice()
  let at = leaf
  let height = 0
  for (let below = next[0]; below; below = next[height]) {
    at = hashPair(below, at)
    next[height++] = undefined
  }
  next[height] = at
  return { count: count + 1, peaks: next }
}

/** The root of the tree of `depth` with these leaves and no others; absent leaves are `empty`. */
export function grownRoot({ count, peaks }: Growing, depth: number, empty: Hex = ZERO): Hex {
  if (count > 2 ** depth) throw new RangeError(`${count} leaves do not fit depth ${depth}`)
  let filler = toBytes(empty)
  let at: Uint8Array | undefined
  for (let height = 0; height < depth; height++) {
    const left = peaks[height]
    if (left) at = hashPair(left, at ?? filler)
    else if (at) at = hashPair(at, filler)
    filler = hashPair(filler, filler)
  }
  return toHex(peaks[depth] ?? at ?? filler)
}

/** The root of a tree. */
export function rootOf(of: Tree): Hex {
  return nodeAt(of, of.depth, 0)
}

/** The siblings of the leaf at `index`, from the leaf upwards. */
export function proof(of: Tree, index: number): readonly Hex[] {
  return Array.from({ length: of.depth }, (_, height) => nodeAt(of, height, (index >> height) ^ 1))
}

/** The node at `index` of the level at `height`; leaves are at height 0. */
export function nodeAt(of: Tree, height: number, index: number): Hex {
  const level = of.levels[height]!
  return toHex(32 * index < level.length ? level.subarray(32 * index, 32 * index + 32) : of.empties[height]!)
}
