// Who plays in a small world, and with what: chains, deposits, transactions and blocks that are fixed beforehand.
import { type Hex, slice, uint, ZERO } from '../../../src/core/base/Bytes.ts'
import { compact, type Domain, domain, sign } from '../../../src/core/base/Signature.ts'
import * as Block from '../../../src/core/plasma/Block.ts'
import { type Chain, chainId } from '../../../src/core/plasma/Chain.ts'
import type { Source } from '../../../src/core/plasma/InFlightExit.ts'
import { type LockTerms, lockOf } from '../../../src/core/plasma/LockTerms.ts'
import {
  type Deposit,
  depositId,
  type Output,
  outputId,
  type Transaction,
  txHash,
} from '../../../src/core/plasma/Transaction.ts'
import { localAccount } from '../../../src/edge/chain/LocalAccounts.ts'

/** Alice and bob keep to the rules; mallory, oscar and the operators are one. */
export type Who = 'alice' | 'bob' | 'mallory' | 'oscar'
/** Owner, value, asset (gold unless said), lock. */
export type OutputSpec = readonly [owner: Who, value: number, asset?: string, lock?: string]

/** A transaction that its signers may sign; inputs name deposits, or outputs as `tx.index`, or nothing that ever was. */
export interface TxSpec {
  readonly by: readonly Who[]
  readonly inputs: readonly string[]
  readonly outputs: readonly OutputSpec[]
  readonly lastBlock?: number
  readonly chain?: string
}

/** What a block may hold: the root-level chain that commits it, and each chain's transactions in it. */
export interface Content {
  readonly on?: string
  readonly txs: Readonly<Record<string, readonly string[]>>
  /** The child's header is signed by its parent's operator. */
  readonly forged?: true
  /** The child's header is signed for the second before. */
  readonly stale?: true
  /** The child's header is signed only once it is anchored. */
  readonly unsigned?: true
}

/** Everything that is fixed in a world before it begins. */
export interface Script {
  readonly name: string
  /** Owner, value, asset; a deposit with a fourth part comes later, if its owner still wants it then. */
  readonly deposits: Readonly<Record<string, readonly [Who, number, string?, 'later'?]>>
  readonly txs: Readonly<Record<string, TxSpec>>
  readonly blocks: readonly Content[]
  readonly locks?: Readonly<Record<string, { readonly expiry: number; readonly refund: Who }>>
  /** Where the honest have their money: the root-level chain C unless it is its child K. */
  readonly home?: 'C' | 'K'
  /** K is registered after so many blocks of C. */
  readonly late?: number
  /** How it begins: moves by their names, or how these begin. */
  readonly begins?: readonly string[]
  /** What the hostile may do; everything unless said. */
  readonly verbs?: readonly string[]
  /** Blocks may be left unopened. */
  readonly withholds?: boolean
  readonly maxBlocks?: number
  /** Blocks may have transactions again that are in others. */
  readonly repeats?: boolean
  /** Wei of honest people. */
  readonly purse?: bigint
  readonly margin?: number
  /** Seconds within which an honest person looks again. */
  readonly looks?: number
  /** Mallory starts with bonds this many times the least. */
  readonly dear?: bigint
}

export const UNIT = 1000n
export const [MFP, MARGIN, ALARM] = [120, 12, 12]
export const HALF = MFP / 2
const KEYS = { C: localAccount(21), D: localAccount(22), K: localAccount(23) } as const
/** The operators' address by chain. */
export const OPERATORS: Readonly<Record<string, Hex>> = { C: KEYS.C.address, D: KEYS.D.address, K: KEYS.K.address }

const word = (byte: string): Hex => `0x${byte.repeat(20)}`
export const ADDRESS: Readonly<Record<Who, Hex>> = {
  alice: word('a1'),
  bob: word('b0'),
  mallory: word('ee'),
  oscar: word('0c'),
}
export const HONEST: readonly Who[] = ['alice', 'bob']
export const HOSTILE: readonly Who[] = ['mallory', 'oscar']
const ASSETS: Readonly<Record<string, Hex>> = { gold: word('60'), salt: word('5a'), cat: word('ca') }
export const COURT: Domain = domain(1n, word('cc'))

/** The honest person, or mallory, at an address. */
export function nameOf(address: Hex): Who | undefined {
  return (Object.keys(ADDRESS) as Who[]).find((who) => ADDRESS[who] === address)
}

/** A deposit, or a transaction's output, with what it takes to show it. */
export interface Coin {
  readonly id: Hex
  readonly name: string
  readonly output: Output
  readonly deposited?: Deposit
  /** The transaction that makes it, and which of its outputs it is. */
  readonly tx?: string
  readonly position: number
}

/** A transaction of the script as it is signed. */
export interface Tx {
  readonly name: string
  readonly hash: Hex
  readonly signed: Transaction
  readonly by: readonly Who[]
}

/** A script with all its hashes. */
export interface Scene {
  readonly script: Script
  readonly home: string
  readonly paths: Readonly<Record<string, readonly Chain[]>>
  readonly ids: Readonly<Record<string, Hex>>
  readonly coins: ReadonlyMap<Hex, Coin>
  readonly txs: ReadonlyMap<string, Tx>
  readonly byHash: ReadonlyMap<Hex, Tx>
  readonly terms: ReadonlyMap<Hex, LockTerms>
  readonly proofs: Map<string, Block.Inclusion>
  readonly headers: Map<string, Hex>
}

/** A block as it was committed. */
export interface Sealed {
  readonly content: number
  readonly on: string
  readonly number: number
  readonly time: number
  readonly asOf: number
  readonly open: boolean
  /** Whether the home chain's part of it is valid. */
  readonly valid: boolean
}

/** Computes a script's hashes. Transactions come after those that they spend from. */
export function staged(script: Script): Scene {
  const C = { parent: ZERO, slot: 0, operator: KEYS.C.address }
  const D = { parent: ZERO, slot: 1, operator: KEYS.D.address }
  const K = { parent: chainId(C), slot: 3, operator: KEYS.K.address }
  const paths = { C: [C], D: [D], K: [C, K] }
  const ids = { C: chainId(C), D: chainId(D), K: chainId(K) }
  const home = script.home ?? 'C'
  const scene: Scene = {
    ...{ script, home, paths, ids, coins: new Map(), txs: new Map(), byHash: new Map(), terms: new Map() },
    ...{ proofs: new Map(), headers: new Map() },
  }
  const names = new Map<string, Hex>()
  const locks = new Map<string, Hex>()
  for (const [name, { expiry, refund }] of Object.entries(script.locks ?? {})) {
    const terms = { hash: uint(BigInt(expiry), 32), expiry, refund: ADDRESS[refund] }
    locks.set(name, lockOf(terms))
    ;(scene.terms as Map<Hex, LockTerms>).set(lockOf(terms), terms)
  }
  Object.entries(script.deposits).forEach(([name, [who, value, asset = 'gold']], i) => {
    const owner = ADDRESS[who]
    const amount = asset === 'cat' ? BigInt(value) : BigInt(value) * UNIT
    const deposited = {
      chain: ids[home],
      sender: owner,
      salt: uint(i, 32),
      owner,
      asset: ASSETS[asset]!,
      value: amount,
    }
    const id = depositId(deposited)
    names.set(name, id)
    const output = { owner, asset: ASSETS[asset]!, value: amount, lock: ZERO }
    ;(scene.coins as Map<Hex, Coin>).set(id, { id, name, output, deposited, position: 0 })
  })
  Object.entries(script.txs).forEach(([name, spec], i) => {
    addTx(scene, names, locks, name, spec, i)
  })
  return scene
}

function addTx(
  scene: Scene,
  names: Map<string, Hex>,
  locks: ReadonlyMap<string, Hex>,
  name: string,
  { by, inputs, outputs, lastBlock = 99, chain = scene.home }: TxSpec,
  memo: number,
): void {
  const signed: Transaction = {
    chain: scene.ids[chain]!,
    inputs: inputs.map((input) => names.get(input) ?? uint(BigInt(memo) + 7777n, 32)),
    outputs: outputs.map(([owner, value, asset = 'gold', lock]) => ({
      owner: ADDRESS[owner],
      asset: ASSETS[asset]!,
      value: asset === 'cat' ? BigInt(value) : BigInt(value) * UNIT,
      lock: lock ? locks.get(lock)! : ZERO,
    })),
    lastBlock,
    memo: uint(memo, 32),
  }
  const hash = txHash(COURT, signed)
  const tx = { name, hash, signed, by }
  ;(scene.txs as Map<string, Tx>).set(name, tx)
  ;(scene.byHash as Map<Hex, Tx>).set(hash, tx)
  signed.outputs.forEach((output, position) => {
    const id = outputId(hash, position)
    names.set(`${name}.${position}`, id)
    ;(scene.coins as Map<Hex, Coin>).set(id, { id, name: `${name}.${position}`, output, tx: name, position })
  })
}

/** The transactions of a chain in a block. */
export function txsIn(scene: Scene, { content }: Pick<Sealed, 'content'>, chain: string): readonly Tx[] {
  return (scene.script.blocks[content]!.txs[chain] ?? []).map((name) => scene.txs.get(name)!)
}

type Placed = Pick<Sealed, 'content' | 'number' | 'asOf'>

function rootIn(scene: Scene, block: Placed, chain: string) {
  return Block.txTree(txsIn(scene, block, chain).map(({ hash }) => hash))
}

function slotsOf(scene: Scene, block: Placed): Map<number, Block.Slot> {
  const { txs, forged, stale } = scene.script.blocks[block.content]!
  if (!txs.K) return new Map()
  const header = Block.header(Block.txRoot(txsIn(scene, block, 'K').map(({ hash }) => hash)))
  const asOf = block.asOf - (stale ? 1 : 0)
  const digest = Block.headerDigest(COURT, scene.ids.K!, block.number, asOf, header)
  const both = compact(sign(digest, (forged ? KEYS.C : KEYS.K).key))
  return new Map([[3, { header, r: slice(both, 0, 32), vs: slice(both, 32) }]])
}

/** The same as it is anchored: without a signature that comes later. */
function anchored(scene: Scene, block: Placed): Map<number, Block.Slot> {
  const slots = slotsOf(scene, block)
  const { unsigned } = scene.script.blocks[block.content]!
  return unsigned ? new Map([...slots].map(([slot, { header }]) => [slot, { header, r: ZERO, vs: ZERO }])) : slots
}

/** What a root-level chain commits for a block. */
export function headerOf(scene: Scene, on: string, block: Placed): Hex {
  const key = `${block.content}/${on}/${block.number}/${block.asOf}`
  const known = scene.headers.get(key)
  if (known) return known
  const root = Block.txRoot(txsIn(scene, block, on).map(({ hash }) => hash))
  const header = Block.header(root, Block.childrenRoot(anchored(scene, block)))
  scene.headers.set(key, header)
  return header
}

/** The proof that a transaction is in a block of the chain. */
export function proofOf(scene: Scene, block: Sealed, chain: string, tx: string): Block.Inclusion {
  const key = `${block.content}/${chain}/${block.number}/${block.time}/${block.asOf}/${tx}`
  const known = scene.proofs.get(key)
  if (known) return known
  const index = txsIn(scene, block, chain).findIndex(({ name }) => name === tx)
  const made = prove(scene, block, chain, index)
  scene.proofs.set(key, made)
  return made
}

function prove(scene: Scene, block: Sealed, chain: string, index: number): Block.Inclusion {
  const slots = anchored(scene, block)
  const tree = rootIn(scene, block, chain)
  if (chain !== 'K') return Block.inclusion(tree, index, block, Block.childrenRoot(slots))
  const parent = Block.txRoot(txsIn(scene, block, 'C').map(({ hash }) => hash))
  const { r, vs } = slotsOf(scene, block).get(3)!
  return Block.inclusion(tree, index, block, ZERO, [{ ...Block.level(parent, slots, 3), r, vs }])
}

/** Where a coin of an in-flight exit comes from, if it was deposited or the block has it. */
export function sourceOf(scene: Scene, id: Hex, blocks: readonly Sealed[]): Source | undefined {
  const coin = scene.coins.get(id)
  if (!coin) return undefined
  if (coin.deposited) return { deposited: [coin.deposited], tx: [], output: 0, inclusion: [] }
  const block = blocks.find((one) => chainIn(scene, one, coin.tx!) !== undefined)
  if (!block) return undefined
  const inclusion = [proofOf(scene, block, chainIn(scene, block, coin.tx!)!, coin.tx!)]
  return { deposited: [], tx: [scene.txs.get(coin.tx!)!.signed], output: coin.position, inclusion }
}

/** The chain in whose part of a block a transaction is. */
export function chainIn(scene: Scene, { content }: Pick<Sealed, 'content'>, tx: string): string | undefined {
  const { txs } = scene.script.blocks[content]!
  return Object.keys(txs).find((chain) => txs[chain]!.includes(tx))
}
