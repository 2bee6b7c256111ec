import { type Hex, slice, ZERO } from '../../src/core/base/Bytes.ts'
import { compact } from '../../src/core/base/Signature.ts'
import * as Block from '../../src/core/plasma/Block.ts'
import type { PlasmaCall, PlasmaEvent } from '../../src/core/plasma/Call.ts'
import { type Chain, chainId, registrationDigest } from '../../src/core/plasma/Chain.ts'
import { OWN_PERMIT, type Permit } from '../../src/core/plasma/Exit.ts'
import { groupOf, type Leaving, type Member, siblingsOf } from '../../src/core/plasma/Group.ts'
import { outputId, type Transaction, txHash } from '../../src/core/plasma/Transaction.ts'
import { type Account, localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { pathOf, type Sealed } from './people.ts'
import { expectDone, operator, play, type Stage, signed, stranger } from './stage.ts'

/** Chains from the root level down, each the child of the one before, with their operators. */
export interface Branch {
  readonly path: readonly Chain[]
  readonly keys: readonly Account[]
}

/** The operators of a branch by depth: children's are plain keys that never send anything. */
export const KEYS: readonly Account[] = [operator, localAccount(11), localAccount(12), localAccount(13)]

/** The chain that a branch leads to. */
export function tip({ path }: Pick<Branch, 'path'>): Chain {
  return path.at(-1)!
}

/** The call that registers the last chain of a path, with the signatures of these operators (its own first). */
export function registering(on: Stage, path: readonly Chain[], by: readonly Account[]): PlasmaCall {
  const digest = registrationDigest(on.domain, path.at(-1)!)
  return { verb: 'register', path, signatures: by.map((key) => signed(digest, key)) }
}

/** Registers a branch of so many chains, sent by a stranger; a chain of it that is known already is left. */
export async function grow(on: Stage, depth: number, slots: readonly number[] = [0, 7, 255]): Promise<Branch> {
  const keys = KEYS.slice(0, depth)
  const path: Chain[] = []
  for (const [at, { address }] of keys.entries()) {
    const parent = path.at(-1)
    path.push({ parent: parent ? chainId(parent) : ZERO, slot: slots[at]!, operator: address })
    if (on.model.chains.has(chainId(path[at]!))) continue
    const by = at === 0 ? [keys[0]!] : [keys[at]!, keys[at - 1]!]
    expectDone(await play(on, registering(on, path, by), stranger.address))
  }
  return { path, keys }
}

/** What a child's operator puts its name to. */
export interface Head {
  readonly chain: Hex
  readonly number: number
  readonly asOf: number
  readonly header: Hex
}

/** How a child signs its header: what its parent puts into the slot beside it. */
export type Signs = (on: Stage, head: Head, key: Account, depth: number) => Pick<Block.Level, 'r' | 'vs'>

/** As the protocol wants it. */
export const honestly: Signs = (on, { chain, number, asOf, header }, key) => {
  return halves(signed(Block.headerDigest(on.domain, chain, number, asOf, header), key))
}

/** The two words of a signature in its compact form. */
export function halves(signature: Hex): Pick<Block.Level, 'r' | 'vs'> {
  const words = compact(signature)
  return { r: slice(words, 0, 32), vs: slice(words, 32) }
}

/** What else is in a number beside the block at the tip. */
export interface Beside {
  /** Transactions of the ancestors' own blocks, by depth from the root level. */
  readonly above?: readonly (readonly Transaction[])[]
  /** Other children of the ancestors, by depth from the root level. */
  readonly neighbours?: readonly ReadonlyMap<number, Block.Slot>[]
  readonly signs?: Signs
  /** asOf of the commitment. */
  readonly view?: number
}

/** A block of every chain of a branch at one number, from the root level down. */
export interface Planted extends Sealed {
  readonly path: readonly Chain[]
  readonly header: Hex
  readonly above: readonly Planted[]
}

/** Commits a number whose block at the tip has these transactions. */
export async function plant(
  on: Stage,
  { path, keys }: Branch,
  txs: readonly Transaction[],
  { above = [], neighbours = [], signs = honestly, view = on.time }: Beside = {},
): Promise<Planted> {
  const root = path[0]!
  const number = (on.model.chains.get(chainId(root))?.number ?? 0) + 1
  const bodies = path.map((_, at) => (at === path.length - 1 ? txs : (above[at] ?? [])))
  const hashes = bodies.map((body) => body.map((tx) => txHash(on.domain, tx)))
  const [roots, heads, slots] = [hashes.map(Block.txRoot), [] as Hex[], [] as ReadonlyMap<number, Block.Slot>[]]
  for (let at = path.length - 1; at >= 0; at--) {
    const [child, own] = [path[at + 1], new Map(neighbours[at])]
    if (child) {
      const head = { chain: chainId(child), number, asOf: view, header: heads[at + 1]! }
      own.set(child.slot, { header: head.header, ...signs(on, head, keys[at + 1]!, at + 1) })
    }
    slots[at] = own
    heads[at] = Block.header(roots[at]!, Block.childrenRoot(own))
  }
  const call: PlasmaCall = { verb: 'commit', chain: root, number, header: heads[0]!, asOf: view }
  const { events } = expectDone(await play(on, call, keys[0]!.address))
  const { time, asOf } = events[0] as Extract<PlasmaEvent, { name: 'Committed' }>
  const commitment = { number, header: heads[0]!, time, asOf }
  const planted: Planted[] = []
  for (const [at, chain] of path.entries()) {
    const levels = Array.from({ length: at }, (_, i) => {
      const parent = at - 1 - i
      return Block.level(roots[parent]!, slots[parent]!, path[parent + 1]!.slot)
    })
    const childrenRoot = Block.childrenRoot(slots[at]!)
    const tree = Block.txTree(hashes[at]!)
    const whole = { chain, path: path.slice(0, at + 1), txs: bodies[at]!, tree, commitment, childrenRoot, levels }
    planted.push({ ...whole, header: heads[at]!, above: planted.slice() })
  }
  return planted.at(-1)!
}

/** An output of a block: the index of its transaction, and its own in that. */
export type Place = readonly [index: number, output: number]

/** The call that starts the exit of several outputs of a block together. */
export function leavingTogether(on: Stage, block: Sealed, picks: readonly Place[], permit: Permit = OWN_PERMIT) {
  const leaving = picks.map(([index, output]): Leaving => {
    const transaction = block.txs[index]!
    return { id: outputId(txHash(on.domain, transaction), output), transaction, output, index }
  })
  const { number, time, asOf } = block.commitment
  const siblings = siblingsOf(
    block.tree,
    picks.map(([index]) => index),
  )
  const { childrenRoot = ZERO, levels = [] } = block
  const inclusion = { number, time, asOf, siblings, childrenRoot, levels }
  return { verb: 'startExits', path: pathOf(block), group: groupOf(leaving), inclusion, permit } as const
}

/** The members of a group, as its start's event told them. */
export function membersOf(on: Stage, ids: Hex): readonly Member[] {
  const told = on.history.flatMap((event) => (event.name === 'GroupStarted' && event.ids === ids ? [event] : []))
  return told.at(-1)!.members
}
