import { type Hex, write, ZERO } from '../base/Bytes.ts'
import * as Merkle from '../base/Merkle.ts'
import { type Domain, digest, keccak, keccakBytes, keccakText, keccakWords } from '../base/Signature.ts'

/** One ancestor's part of a proof in a deeper chain, upwards. */
export interface Level {
  readonly txRoot: Hex
  /** 8 siblings of the child's leaf. */
  readonly siblings: readonly Hex[]
  readonly r: Hex
  readonly vs: Hex
}

/** Proof that a transaction is in the block of a number: what L1 kept of the number, and the way up to it. */
export interface Inclusion {
  readonly number: number
  /** Time of the commitment on L1, seconds. */
  readonly time: number
  readonly asOf: number
  readonly index: number
  /** 16 siblings, from the leaf upwards. */
  readonly siblings: readonly Hex[]
  readonly childrenRoot: Hex
  readonly levels: readonly Level[]
}

/** What L1 says about a number of a root-level chain: its header, when it came, and its view of L1. */
export interface Commitment {
  readonly number: number
  readonly header: Hex
  readonly time: number
  readonly asOf: number
}

/** A child's block as its parent anchors it: its header, and its operator's compact signature over `headerDigest`. */
export interface Slot {
  readonly header: Hex
  readonly r: Hex
  readonly vs: Hex
}

/** A slot of a block's children with its place, 0 to 255. */
export interface Child extends Slot {
  readonly slot: number
}

/** Depth of a block's tree: at most 65,536 transactions. */
export const DEPTH = 16
/** Depth of the tree of a block's children: at most 256. */
const CHILDREN_DEPTH = 8
/** The leaf of an index without a transaction: keccak256(0x00 ‖ 32 zero bytes). */
export const EMPTY_LEAF: Hex = keccak('0x00', ZERO)
const HEADER_TYPE = keccakText('Header(bytes32 chain,uint40 number,uint40 asOf,bytes32 header)')

/** The leaf of a transaction: keccak256(0x00 ‖ txHash). */
export function leaf(txHash: Hex): Hex {
  return keccak('0x00', txHash)
}

/** The tree of a block's transactions, in their order. More than 65,536 are refused with RangeError. */
export function txTree(txHashes: readonly Hex[]): Merkle.Tree {
  return Merkle.tree(txHashes.map(leaf), DEPTH, EMPTY_LEAF)
}

/** The root of a block's transactions, in their order. */
export function txRoot(txHashes: readonly Hex[]): Hex {
  return Merkle.rootOf(txTree(txHashes))
}

/** A block's tree with one more transaction. */
export function growTx(of: Merkle.Growing, txHash: Hex): Merkle.Growing {
  write(leafBytes, 1, txHash)
  return Merkle.grow(of, keccakBytes(leafBytes))
}

const leafBytes = new Uint8Array(33)

/** The root of a block's transactions, once they are all in. */
export function grownTxRoot(of: Merkle.Growing): Hex {
  return Merkle.grownRoot(of, DEPTH, EMPTY_LEAF)
}

/** The header of a block: keccak256(0x02 ‖ txRoot ‖ childrenRoot); childrenRoot is zero where no child is. */
export function header(root: Hex, childrenRoot: Hex = ZERO): Hex {
  return keccak('0x02', root, childrenRoot)
}

/** The word that L1 keeps of a number: keccak256(abi.encode(header, time, asOf)). */
export function commitmentHash(head: Hex, time: number, asOf: number): Hex {
  return keccakWords(head, time, asOf)
}

/** What a child's operator signs: its header at a number, as of a second. */
export function headerDigest(court: Domain, chain: Hex, number: number, asOf: number, head: Hex): Hex {
  return digest(court, keccakWords(HEADER_TYPE, chain, number, asOf, head))
}

/** The leaf of a child in its parent's tree: keccak256(0x03 ‖ header ‖ r ‖ vs). Zero where no child is. */
export function slotLeaf({ header: head, r, vs }: Slot): Hex {
  return keccak('0x03', head, r, vs)
}

/** The tree of a block's children by slot, 0 to 255. */
export function childrenTree(slots: ReadonlyMap<number, Slot>): Merkle.Tree {
  const leaves = new Array<Hex>(Math.max(-1, ...slots.keys()) + 1).fill(ZERO)
  for (const [slot, child] of slots) leaves[slot] = slotLeaf(child)
  return Merkle.tree(leaves, CHILDREN_DEPTH)
}

/** The root of a block's children by slot; zero if there is none. */
export function childrenRoot(slots: ReadonlyMap<number, Slot>): Hex {
  return slots.size === 0 ? ZERO : Merkle.rootOf(childrenTree(slots))
}

/** A block's children by their slots. */
export function slotsOf(children: readonly Child[]): ReadonlyMap<number, Slot> {
  return new Map(children.map(({ slot, header: head, r, vs }) => [slot, { header: head, r, vs }]))
}

/** The root of a block's children as they are served; zero if there is none. */
export function rootOfChildren(children: readonly Child[] = []): Hex {
  return childrenRoot(slotsOf(children))
}

/** The level of a proof that goes through a child's slot of this parent's block. */
export function level(parentTxRoot: Hex, slots: ReadonlyMap<number, Slot>, slot: number): Level {
  const { r, vs } = slots.get(slot)!
  return { txRoot: parentTxRoot, siblings: Merkle.proof(childrenTree(slots), slot), r, vs }
}

/**
 * The proof of the transaction at `index` of a block, whose tree this is: with its childrenRoot, and for a deeper chain
 * the levels above it, upwards.
 */
export function inclusion(
  of: Merkle.Tree,
  index: number,
  { number, time, asOf }: Pick<Commitment, 'number' | 'time' | 'asOf'>,
  root: Hex = ZERO,
  levels: readonly Level[] = [],
): Inclusion {
  return { number, time, asOf, index, siblings: Merkle.proof(of, index), childrenRoot: root, levels }
}

/** The root of a block's transactions, if this one is among them as the proof says. */
export function rootOf(txHash: Hex, { index, siblings }: Pick<Inclusion, 'index' | 'siblings'>): Hex {
  return Merkle.root(leaf(txHash), index, siblings)
}

/** The header of a parent's block, if it has a child's header in the child's slot as the level says. */
export function parentHeader(head: Hex, slot: number, above: Level): Hex {
  const child = slotLeaf({ header: head, r: above.r, vs: above.vs })
  return header(above.txRoot, Merkle.root(child, slot, above.siblings))
}
