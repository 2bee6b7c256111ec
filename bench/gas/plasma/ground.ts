import { network } from 'hardhat'
import { ETHER, type Hex, ZERO } from '../../../src/core/base/Bytes.ts'
import { rootOf } from '../../../src/core/base/Merkle.ts'
import { compact, type Domain, domain, keccakText, keccakWords, sign } from '../../../src/core/base/Signature.ts'
import * as Block from '../../../src/core/plasma/Block.ts'
import { type Chain, chainId } from '../../../src/core/plasma/Chain.ts'
import { bond } from '../../../src/core/plasma/Exit.ts'
import type { Output, Transaction } from '../../../src/core/plasma/Transaction.ts'
import { type Deposit, txHash } from '../../../src/core/plasma/Transaction.ts'
import { type Account, localAccount } from '../../../src/edge/chain/LocalAccounts.ts'
import type { RootChain } from '../../../typechain-types/index.ts'

export const UNIT = 10n ** 18n
export const MFP = 7 * 86_400
export const [operator, alice, bob, carol] = [1, 2, 3, 4].map(localAccount) as [Account, Account, Account, Account]
const FEE = 10n ** 9n
const BOND_GAS = 300_000n
const FILLER = Array.from({ length: 2 ** Block.DEPTH }, (_, i) => word('filler', i))
export type Gas = Record<string, number>

/** A court with a chain at each depth; the chain that is measured is the path's last. */
export interface Bench {
  readonly connection: Awaited<ReturnType<typeof network.create<'generic'>>>
  readonly court: RootChain
  readonly under: Domain
  readonly path: readonly Chain[]
  readonly bond: bigint
}

/** A committed block: its transactions, its tree, and the proof of each transaction. */
export interface Sealed {
  readonly gas: number
  readonly number: number
  readonly txs: readonly Transaction[]
  readonly tree: ReturnType<typeof Block.txTree>
  readonly proofs: readonly Block.Inclusion[]
}

/** A fresh court with a root-level chain, a child and a grandchild, on a fresh chain. */
export async function begin(): Promise<readonly [Bench, Bench, Bench]> {
  const connection = await network.create({ network: 'default', override: { initialDate: '2026-01-01T00:00:00Z' } })
  const { ethers } = connection
  const deployer = await ethers.getSigner(localAccount(0).address)
  const registry = await ethers.deployContract('VerdictRegistry', [], deployer)
  const terms = [registry, MFP, 3600, 43_200, BOND_GAS, FEE, 200n * FEE] as const
  const court = (await ethers.deployContract('RootChain', [...terms], deployer)) as unknown as RootChain
  const under = domain(31337n, (await court.getAddress()).toLowerCase() as Hex)
  const root = { parent: ZERO, slot: 1, operator: operator.address }
  const child = { parent: chainId(root), slot: 1, operator: operator.address }
  const grandchild = { parent: chainId(child), slot: 1, operator: operator.address }
  const path = [root, child, grandchild]
  const bench = { connection, court, under, path, bond: bond(BOND_GAS, FEE, 200n * FEE, 0n) }
  for (const depth of [1, 2, 3]) {
    await (await as(bench, operator)).register(path.slice(0, depth), depth === 1 ? ['0x'] : ['0x', '0x'])
  }
  const at = (depth: number): Bench => ({ ...bench, path: path.slice(0, depth) })
  return [at(1), at(2), at(3)]
}

/** The court as somebody calls it. */
export async function as({ court, connection }: Bench, who: Account): Promise<RootChain> {
  return court.connect(await connection.ethers.getSigner(who.address))
}

/** The id of the chain that is measured. */
export function chainOf({ path }: Bench): Hex {
  return chainId(path.at(-1)!)
}

/** Distinct words as users have them: no byte of them is likely to be zero. */
export function word(label: string, number: number): Hex {
  return keccakWords(keccakText(label), number)
}

/** Alice's deposit of one unit of an asset (or of an id) into the chain. */
export function depositOf(bench: Bench, number: number, asset: Hex = ETHER, value = UNIT): Deposit {
  const sender = alice.address
  return { chain: chainOf(bench), sender, salt: word('salt', number), owner: alice.address, asset, value }
}

/** Makes a deposit; returns its gas. */
export async function deposit(bench: Bench, one: Deposit): Promise<number> {
  const { chain, salt, owner, asset, value } = one
  const court = await as(bench, alice)
  return gasOf(court.deposit(chain, salt, owner, asset, value, { value: asset === ETHER ? value : 0n }))
}

/** A payment of inputs, as long as nothing else is said to bob and back to alice, good for a thousand numbers. */
export function paymentOf(bench: Bench, inputs: readonly Hex[], memo: number, outputs = halves()): Transaction {
  return { chain: chainOf(bench), inputs, outputs, lastBlock: 1000, memo: word('memo', memo) }
}

/** Half a unit of ether for each, in plain outputs. */
export function halves(owners: readonly Account[] = [bob, alice]): readonly Output[] {
  return owners.map(({ address }) => ({ owner: address, asset: ETHER, value: UNIT / 2n, lock: ZERO }))
}

/** The signature of a transaction, 64 bytes. */
export function signed({ under }: Bench, tx: Transaction, { key }: Account): Hex {
  return compact(sign(txHash(under, tx), key))
}

/** Commits a block of 65,536 leaves, so that no sibling is an empty one; transactions are `every` so many leaves. */
export async function seal(bench: Bench, txs: readonly Transaction[], every = 1): Promise<Sealed> {
  const { court, under, connection, path } = bench
  const leaves = [...FILLER]
  txs.forEach((tx, i) => {
    leaves[i * every] = txHash(under, tx)
  })
  const tree = Block.txTree(leaves)
  const number = Number((await court.chains(chainId(path[0]!))).number) + 1
  const asOf = await connection.networkHelpers.time.latest()
  const { header, levels } = climb(bench, Block.header(rootOf(tree)), number, asOf)
  const gas = await gasOf((await as(bench, operator)).commit(path[0]!, number, header, asOf))
  const at = { number, asOf, time: await connection.networkHelpers.time.latest() }
  const proofs = txs.map((_, i) => Block.inclusion(tree, i * every, at, ZERO, levels))
  return { gas, number, txs, tree, proofs }
}

/** Commits a root-level block once more, at the next number: the same transactions with other proofs. */
export async function sealAgain(bench: Bench, block: Sealed): Promise<Sealed> {
  const { court, connection, path } = bench
  const number = Number((await court.chains(chainId(path[0]!))).number) + 1
  const asOf = await connection.networkHelpers.time.latest()
  const gas = await gasOf((await as(bench, operator)).commit(path[0]!, number, Block.header(rootOf(block.tree)), asOf))
  const at = { number, asOf, time: await connection.networkHelpers.time.latest() }
  return { ...block, gas, number, proofs: block.proofs.map((proof) => ({ ...proof, ...at })) }
}

/** The root-level header above one of a deeper chain, whose parents have full blocks and full slots beside it. */
function climb({ under, path }: Bench, own: Hex, number: number, asOf: number) {
  let header = own
  const levels: Block.Level[] = []
  for (const child of path.slice(1).toReversed()) {
    const digest = Block.headerDigest(under, chainId(child), number, asOf, header)
    const signature = compact(sign(digest, operator.key))
    const slots = new Map<number, Block.Slot>()
    for (let slot = 0; slot < 256; slot++) {
      const [r, vs] = [word('r', slot), word('vs', slot)]
      slots.set(slot, { header: word('sibling', slot), r, vs })
    }
    slots.set(child.slot, { header, r: signature.slice(0, 66) as Hex, vs: `0x${signature.slice(66)}` })
    const txRoot = word('parent', child.slot)
    levels.push(Block.level(txRoot, slots, child.slot))
    header = Block.header(txRoot, Block.childrenRoot(slots))
  }
  return { header, levels }
}

/** What a start is sent with: its bonds, at the fee for which they are enough. */
export function bonded({ bond }: Bench, positions = 1): { value: bigint; gasPrice: bigint; gasLimit: number } {
  return { value: bond * BigInt(positions), gasPrice: FEE, gasLimit: 16_000_000 }
}

interface Mined {
  readonly gasUsed: bigint
  readonly logs: readonly { readonly topics: readonly string[]; readonly data: string }[]
}

export type Sent = Promise<{ wait(): Promise<Mined | null> }>

/** The receipt of what was sent. */
export async function mined(sent: Sent): Promise<Mined> {
  return (await (await sent).wait())!
}

/** The gas of what was sent. */
export async function gasOf(sent: Sent): Promise<number> {
  return Number((await mined(sent)).gasUsed)
}
