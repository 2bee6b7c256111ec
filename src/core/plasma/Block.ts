import { type Hex, ZERO } from '../base/Bytes.ts'
import * as Merkle from '../base/Merkle.ts'
import { keccak, keccakWords } from '../base/Signature.ts'

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

/** Depth of a block's tree: at most 65,536 transactions. */
export const DEPTH = 16
/** The leaf of an index without a transaction: keccak256(0x00 ‖ 32 zero bytes). */
export const EMPTY_LEAF: Hex = keccak('0x00', ZERO)

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

/** The header of a block: keccak256(0x02 ‖ txRoot ‖ childrenRoot); childrenRoot is zero where no child is. */
export function header(root: Hex, childrenRoot: Hex = ZERO): Hex {
  return keccak('0x02', root, childrenRoot)
}

/** The word that L1 keeps of a number: keccak256(abi.encode(header, time, asOf)). */
export function commitmentHash(head: Hex, time: number, asOf: number): Hex {
  return keccakWords(head, time, asOf)
}

/** The proof of the transaction at `index` of a root-level block, whose tree this is. */
export function inclusion(of: Merkle.Tree, index: number, commitment: Commitment): Inclusion {
  const { number, time, asOf } = commitment
  return { number, time, asOf, index, siblings: Merkle.proof(of, index), childrenRoot: ZERO, levels: [] }
}

/** The word that L1 must have kept of the number, if the transaction is in its root-level block as the proof says. */
export function impliedCommitment(txHash: Hex, proof: Inclusion): Hex {
  const root = Merkle.root(leaf(txHash), proof.index, proof.siblings)
  return commitmentHash(header(root, proof.childrenRoot), proof.time, proof.asOf)
}
