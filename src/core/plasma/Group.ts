import { saturated } from '../base/Asset.ts'
import { type Hex, size, toBytes, uint, ZERO } from '../base/Bytes.ts'
import * as Merkle from '../base/Merkle.ts'
import { type Domain, keccak } from '../base/Signature.ts'
import { Refusal, require } from '../base/Step.ts'
import { DEPTH, type Level, leaf } from './Block.ts'
import { type Output, outputHash, type Transaction, txHashOf } from './Transaction.ts'

/** An output of a group: its id, and its amount in the group's asset. */
export interface Member {
  readonly id: Hex
  readonly value: bigint
}

/** Proof that an output is the member at `index` of a group. */
export interface Membership {
  readonly value: bigint
  readonly index: number
  readonly siblings: readonly Hex[]
}

/**
 * An output that leaves with a group, and what its transaction has beside it: the hash of its inputs, how many outputs
 * there are and which one this is, lastBlock, memo; and the transaction's index in the block.
 */
export interface Leaver {
  readonly inputs: Hex
  readonly outputs: number
  readonly output: number
  readonly value: bigint
  readonly lastBlock: number
  readonly memo: Hex
  readonly index: number
}

/**
 * Plain outputs of one owner in one asset that leave together, their ids ascending. `others` are the struct hashes of
 * their transactions' other outputs, in the order of the leavers; `order` names the leavers (a byte each) in the order of
 * their transactions in the block.
 */
export interface Group {
  readonly owner: Hex
  readonly asset: Hex
  readonly leavers: readonly Leaver[]
  readonly others: readonly Hex[]
  readonly order: Hex
}

/**
 * Proof that the transactions of a group are in the block of a number: as Inclusion, but with only those siblings that
 * the transactions do not make themselves, from the left, level by level from the leaves upwards.
 */
export interface GroupInclusion {
  readonly number: number
  readonly time: number
  readonly asOf: number
  readonly siblings: readonly Hex[]
  readonly childrenRoot: Hex
  readonly levels: readonly Level[]
}

/** A group has from 2 to so many members. */
export const MAX_MEMBERS = 64

/** The sum of values; more than a word can say is the most that it can. */
export function sumOf(values: readonly Pick<Member, 'value'>[]): bigint {
  return saturated(values.reduce((total, { value }) => total + value, 0n))
}

/** The leaf of a member: keccak256(0x09 ‖ id ‖ value). */
export function memberLeaf({ id, value }: Member): Hex {
  return keccak('0x09', id, uint(value, 32))
}

/** What names a group, the `ids` of its exit: the root of its members, padded with zero to the next power of two. */
export function idsOf(members: readonly Member[]): Hex {
  return Merkle.rootOf(membersTree(members))
}

/** The proof that the member at `index` is in its group. */
export function membership(members: readonly Member[], index: number): Membership {
  return { value: members[index]!.value, index, siblings: Merkle.proof(membersTree(members), index) }
}

function membersTree(members: readonly Member[]): Merkle.Tree {
  return Merkle.tree(members.map(memberLeaf), Math.max(1, Math.ceil(Math.log2(members.length))))
}

/** The group that an output is in, if it is there as the proof says. */
export function impliedIds(id: Hex, { value, index, siblings }: Membership): Hex {
  return Merkle.root(memberLeaf({ id, value }), index, siblings)
}

/** A transaction's output with its place in a block: what a wallet makes a group of. */
export interface Leaving {
  readonly id: Hex
  readonly transaction: Transaction
  readonly output: number
  readonly index: number
}

/** The group of plain outputs of one owner in one asset, in any order. */
export function groupOf(leaving: readonly Leaving[]): Group {
  const sorted = leaving.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const { owner, asset } = outputOf(sorted[0]!)
  const others = sorted.flatMap(({ transaction, output }) => transaction.outputs.toSpliced(output, 1).map(outputHash))
  const places = sorted.map(({ index }, at) => ({ index, at })).sort((a, b) => a.index - b.index || a.at - b.at)
  const order = places.map(({ at }) => uint(at, 1).slice(2)).join('')
  return { owner, asset, leavers: sorted.map(leaverOf), others, order: `0x${order}` }
}

function outputOf({ transaction, output }: Leaving): Output {
  return transaction.outputs[output]!
}

function leaverOf(one: Leaving): Leaver {
  const { inputs, outputs, lastBlock, memo } = one.transaction
  const [{ value }, hash] = [outputOf(one), keccak(...inputs)]
  return { inputs: hash, outputs: outputs.length, output: one.output, value, lastBlock, memo, index: one.index }
}

/** The hash of a leaver's transaction, whose `others` are the struct hashes of its other outputs. */
export function leaverHash(
  court: Domain,
  chain: Hex,
  { owner, asset }: Pick<Group, 'owner' | 'asset'>,
  leaver: Leaver,
  others: readonly Hex[],
): Hex {
  const own = outputHash({ owner, asset, value: leaver.value, lock: ZERO })
  const outputs = others.toSpliced(leaver.output, 0, own)
  return txHashOf(court, chain, leaver.inputs, outputs, leaver.lastBlock, leaver.memo)
}

/** The root of a block that has a group's transactions, whose hashes are in the order of its leavers, where they say. */
export function blockRoot(group: Group, txHashes: readonly Hex[], siblings: readonly Hex[]): Hex {
  return rootOfMany(leavesOf(group, txHashes), siblings)
}

/** A node of a tree under way: its place in its level and its hash. */
interface Placed {
  readonly index: number
  readonly hash: Hex
}

/** The leaves of a group's transactions where they say, in the order of the block; two outputs of one share its leaf. */
function leavesOf({ leavers, order }: Pick<Group, 'leavers' | 'order'>, txHashes: readonly Hex[]): readonly Placed[] {
  const all = leavers.length
  require(size(order) === all, 'WrongSiblings', BigInt(size(order)))
  const leaves: Placed[] = []
  let seen = 0n
  for (const one of toBytes(order)) {
    require(one < all, 'WrongSiblings', BigInt(one))
    const [index, hash, last] = [leavers[one]!.index, leaf(txHashes[one]!), leaves.at(-1)]
    seen |= 1n << BigInt(one)
    if (last?.index === index && last.hash === hash) continue
    require(last === undefined || last.index < index, 'WrongSiblings', BigInt(index))
    leaves.push({ index, hash })
  }
  require(seen === (1n << BigInt(all)) - 1n, 'WrongSiblings', seen)
  return leaves
}

/** The root over leaves at ascending indices with the siblings that they lack, all of which must be used. */
function rootOfMany(leaves: readonly Placed[], siblings: readonly Hex[]): Hex {
  const left = [...siblings]
  let level = leaves
  for (let height = 0; height < DEPTH; height++) level = raise(level, left, BigInt(siblings.length))
  require(left.length === 0, 'WrongSiblings', BigInt(siblings.length))
  return level[0]!.hash
}

/** The nodes above these; takes from `siblings` what they lack. */
function raise(level: readonly Placed[], siblings: Hex[], given: bigint): readonly Placed[] {
  const above: Placed[] = []
  for (let i = 0; i < level.length; i++) {
    const { index, hash } = level[i]!
    const paired = index % 2 === 0 && level[i + 1]?.index === index + 1
    const other = paired ? level[++i]!.hash : siblings.shift()
    if (other === undefined) throw new Refusal('WrongSiblings', given)
    above.push({ index: index >> 1, hash: index % 2 === 0 ? Merkle.node(hash, other) : Merkle.node(other, hash) })
  }
  return above
}

/** The siblings that the leaves at these indices lack, from the left, level by level upwards. */
export function siblingsOf(tree: Merkle.Tree, indices: readonly number[]): readonly Hex[] {
  const siblings: Hex[] = []
  let level = [...new Set(indices)].sort((a, b) => a - b)
  for (let height = 0; height < DEPTH; height++) {
    const lacking = level.filter((index) => !level.includes(index ^ 1))
    siblings.push(...lacking.map((index) => Merkle.nodeAt(tree, height, index ^ 1)))
    level = [...new Set(level.map((index) => index >> 1))]
  }
  return siblings
}
