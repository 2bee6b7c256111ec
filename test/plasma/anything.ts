// A world in which everything may happen: a tree of three chains, three assets, locks, groups, exits of either kind.
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { pair } from '../../src/core/plasma/Draft.ts'
import { PAID } from '../../src/core/plasma/Exit.ts'
import type { Source } from '../../src/core/plasma/InFlightExit.ts'
import { type LockTerms, lockOf } from '../../src/core/plasma/LockTerms.ts'
import type { Spend } from '../../src/core/plasma/Spend.ts'
import { type Deposit, type Output, outputId, type Transaction } from '../../src/core/plasma/Transaction.ts'
import type { Account } from '../../src/edge/chain/LocalAccounts.ts'
import { coins, deeds, oddDeeds } from './assets.ts'
import { type Branch, grow, type Planted, plant } from './branches.ts'
import { included } from './flights.ts'
import { pairOf } from './locks.ts'
import { chainId, depositId, depositing, depositOf, shown, txHash } from './people.ts'
import { alice, bob, carol, fork, MARGIN, play, type Stage, signed, stranger } from './stage.ts'

/** The random numbers of one move. */
export interface Roll {
  readonly move: number
  readonly who: number
  readonly what: number
  readonly with: number
  readonly twist: number
}

/** An output that somebody may believe in, on the chain of a depth (0 = root level). */
export interface Coin {
  readonly id: Hex
  readonly depth: number
  readonly output: Output
  readonly deposit?: Deposit
  readonly tx?: Transaction
  readonly position: number
}

/** A court, a tree, and everything that was ever said about it. */
export interface Anything {
  readonly on: Stage
  readonly branch: Branch
  readonly gold: Hex
  readonly deed: Hex
  readonly odd: Hex
  readonly coins: Coin[]
  readonly txs: { readonly tx: Transaction; readonly depth: number }[]
  readonly blocks: Planted[]
  readonly locks: readonly { readonly terms: LockTerms; readonly preimage: Hex }[]
  salt: bigint
}

export const PEOPLE = [alice, bob, carol]
export const SENDERS: readonly Hex[] = [...PEOPLE, stranger].map(({ address }) => address)

/** One of a list by a number of any size; undefined of none. */
export function pick<T>(from: readonly T[], number: number): T | undefined {
  return from[number % Math.max(1, from.length)]
}

/** A world with money on every chain of a branch, and terms of locks that end soon, late and never in time. */
export async function beginAnything(on: Stage): Promise<Anything> {
  const branch = await grow(on, 3)
  const { asset: gold } = await coins(on)
  const { asset: deed } = await deeds(on, [1n, 2n, 3n])
  const { asset: odd } = await oddDeeds(on, [1n, 2n], 'unique')
  const locks = [300, 1500, 4000].map((seconds, i) => {
    const preimage = uint(BigInt(on.time) * 10n + BigInt(i), 32)
    const refund = PEOPLE[i]!.address
    return { terms: { hash: hashLock(preimage), expiry: on.time + seconds, refund }, preimage }
  })
  const world: Anything = { on, branch, gold, deed, odd, coins: [], txs: [], blocks: [], locks, salt: 1n }
  for (let i = 0; i < 9; i++) await pay(world, { move: 0, who: i, what: i, with: 90 + i, twist: 1 + (i % 2) })
  await pay(world, { move: 0, who: 0, what: 0, with: 0, twist: 3 })
  await pay(world, { move: 0, who: 0, what: 1, with: 0, twist: 4 })
  for (let i = 0; i < 9; i++) spendAnew(world, { move: 0, who: i, what: i, with: 3 + 7 * i, twist: 5 + 3 * i })
  await commitAnew(world, { move: 0, who: 0, what: 1023, with: 0, twist: 0 })
  return world
}

/** The same world with its own memory: what is done in one of the two, the other does not know. */
export function again(world: Anything): Anything {
  const { on, coins: all, txs, blocks } = world
  return { ...world, on: fork(on), coins: [...all], txs: [...txs], blocks: [...blocks] }
}

/** Somebody pays in: ether, gold, or one of the deeds; sometimes for the contract, sometimes once more. */
export async function pay(world: Anything, { who, what, with: amount, twist }: Roll): Promise<string> {
  const { on, branch } = world
  const depth = what % 3
  const owner = twist % 7 === 5 ? on.receiverAddress : pick(PEOPLE, who)!.address
  const asset = pick([ETHER, ETHER, world.gold, world.deed, world.odd], twist)!
  const unique = isDeed(world, asset)
  const value = unique ? BigInt(1 + (what % (asset === world.odd ? 2 : 3))) : BigInt(amount % 200)
  const sender = unique ? await giverOf(world, asset, value) : pick(PEOPLE, who)!.address
  if (!sender) return '-'
  const gifts = world.coins.flatMap(({ deposit }) => (deposit && !isDeed(world, deposit.asset) ? [deposit] : []))
  const again = twist % 11 === 10 && !unique ? pick(gifts, amount) : undefined
  const made = again ?? depositOf(branch.path[depth]!, owner, value, world.salt++, sender, asset)
  const { refused } = await play(on, depositing(made), made.sender)
  const id = depositId(made)
  if (!refused && !world.coins.some((coin) => coin.id === id)) {
    const at = branch.path.findIndex((chain) => chainId(chain) === made.chain)
    const output = { owner: made.owner, asset: made.asset, value: made.value, lock: ZERO }
    world.coins.push({ id, depth: at, output, deposit: made, position: 0 })
  }
  return refused ?? 'done'
}

function isDeed({ deed, odd }: Anything, asset: Hex): boolean {
  return asset === deed || asset === odd
}

/** Who can hand a deed over: nobody, where the token itself would say no. */
async function giverOf({ on, deed }: Anything, asset: Hex, id: bigint): Promise<Hex | undefined> {
  if (on.stubborn.has(asset)) return undefined
  const contract = await on.connection.ethers.getContractAt('Deed', asset)
  const owner = (await contract.ownerOf(id)).toLowerCase() as Hex
  if (owner === on.domain.court) return on.model.holders.has(pair(asset, id)) ? alice.address : undefined
  return (asset === deed ? [alice] : PEOPLE).find(({ address }) => address === owner)?.address
}

/** A transaction of one to three coins of a chain, mostly of one owner and mostly fair; spent before or not. */
export function spendAnew(world: Anything, { who, what, with: split, twist }: Roll): void {
  const first = pick(world.coins, what)
  if (!first) return
  const near = world.coins.filter(
    ({ depth, output, id }) =>
      depth === first.depth && id !== first.id && (output.owner === first.output.owner || twist % 13 === 0),
  )
  const spent = [first, ...(twist % 2 ? near.slice(split % 5, (split % 5) + 1 + (twist % 3)) : [])].slice(0, 4)
  const outputs = spent.flatMap(({ output }) => shares(world, output, who, split, twist)).slice(0, 4)
  const root = world.branch.path[0]!
  const last = world.on.model.chains.get(chainId(root))!.number
  const inputs = twist % 17 === 16 ? [uint(world.salt, 32)] : spent.map(({ id }) => id)
  const chain = chainId(world.branch.path[first.depth]!)
  const tx = { chain, inputs, outputs, lastBlock: last + 1 + (twist % 7) * (twist % 3), memo: uint(world.salt++, 32) }
  world.txs.push({ tx, depth: first.depth })
  addCoins(world, tx, first.depth)
}

function shares(world: Anything, { asset, value }: Output, who: number, split: number, twist: number): Output[] {
  const unique = isDeed(world, asset)
  const to = (i: number) => pick([...PEOPLE.map(({ address }) => address), world.on.receiverAddress], who + i)!
  const lock = twist % 4 === 1 ? lockOf(pick(world.locks, split)!.terms) : ZERO
  const part = unique || value < 2n ? 0n : BigInt(split) % value
  const more = twist % 19 === 18 ? 5n : 0n
  const main = { owner: to(0), asset, value: value - part + more, lock }
  return part === 0n ? [main] : [main, { owner: to(1 + (twist % 3)), asset, value: part, lock: ZERO }]
}

function addCoins(world: Anything, tx: Transaction, depth: number): void {
  const hash = txHash(world.on.domain, tx)
  for (const [position, output] of tx.outputs.entries()) {
    world.coins.push({ id: outputId(hash, position), depth, output, tx, position })
  }
}

/** The operators put any of the open transactions into their blocks of the next number. */
export async function commitAnew(world: Anything, { what, with: by, twist }: Roll): Promise<string> {
  const { on, branch } = world
  const open = world.txs.filter(({ tx }, i) => (what >> (i % 24)) & 1 && (twist % 5 === 0 || !placeOf(world, tx, 0)))
  const at = (depth: number) => open.filter((one) => one.depth === depth).map(({ tx }) => tx)
  const last = on.model.chains.get(chainId(branch.path[0]!))!
  const view = Math.max(last.asOf, on.time - (by % MARGIN))
  world.blocks.push(await plant(on, branch, at(2), { above: [at(0), at(1)], view }))
  return 'done'
}

/** A block, of whichever chain, that has a transaction, and its index in it. */
export function placeOf(
  { blocks }: Anything,
  tx: Transaction,
  by: number,
): { readonly block: Planted; readonly index: number } | undefined {
  const found = blocks.flatMap((tip) =>
    [...tip.above, tip].flatMap((block) =>
      block.txs.includes(tx) && chainId(block.chain) === tx.chain ? [{ block, index: block.txs.indexOf(tx) }] : [],
    ),
  )
  return pick(found, by)
}

/** Where a coin comes from, as an in-flight exit wants it. */
export function sourceOf(world: Anything, id: Hex, by: number): Source | undefined {
  const coin = world.coins.find((one) => one.id === id)
  if (coin?.deposit) return { deposited: [coin.deposit], tx: [], output: 0, inclusion: [] }
  const place = coin?.tx && placeOf(world, coin.tx, by)
  return place && included(place.block, place.index, coin.position)
}

/** The terms of a lock of this world. */
export function termsOf({ locks }: Anything, lock: Hex): LockTerms | undefined {
  return locks.find(({ terms }) => lockOf(terms) === lock)?.terms
}

function accountOf(address: Hex | undefined): Account | undefined {
  return PEOPLE.find((one) => one.address === address)
}

/** The word of whoever may spend a transaction's first input: a signature, both sides', or an approval's place. */
export function wordOf(world: Anything, { inputs }: Transaction, tx: Transaction, twist: number): Hex {
  const output = world.coins.find(({ id }) => id === inputs[0])?.output
  if (!output || twist % 9 === 0) return '0x'
  const [owner, terms] = [accountOf(output.owner), termsOf(world, output.lock)]
  if (terms && twist % 3 > 0) return pairOf(world.on, tx, owner, accountOf(terms.refund))
  const revealed = terms ? (world.on.revealed.get(terms.hash) ?? 0) : 1
  const payee = terms && !(revealed > 0 && revealed <= terms.expiry) ? accountOf(terms.refund) : owner
  return payee ? signed(txHash(world.on.domain, tx), payee) : '0x'
}

/** Some transaction that spends a coin, mostly; live, or in a block if it is there. */
export function spendOf(
  world: Anything,
  id: Hex,
  { with: by, twist }: Roll,
): { readonly spend: Spend; readonly depth: number } | undefined {
  const all = world.txs.filter(({ tx }) => tx.inputs.includes(id) || twist % 23 === 0)
  const one = pick(all, by)
  if (!one) return undefined
  const place = twist % 2 ? placeOf(world, one.tx, by) : undefined
  const inclusion = place ? [shown(place.block, place.index)] : []
  const input = Math.max(0, one.tx.inputs.indexOf(id))
  return {
    spend: { tx: one.tx, input, authorisation: wordOf(world, one.tx, one.tx, twist), inclusion },
    depth: one.depth,
  }
}

/** The path to the chain of a transaction; seldom to another one. */
export function pathTo({ branch }: Anything, depth: number, twist: number): Branch['path'] {
  return branch.path.slice(0, twist % 29 === 28 ? 1 + (twist % 3) : depth + 1)
}

/** Makes a call; the refusal's name, or 'done'. */
export async function make(
  { on }: Anything,
  call: PlasmaCall,
  sender: Hex,
  more: { readonly value?: bigint; readonly time?: number } = {},
): Promise<string> {
  return (await play(on, call, sender, more)).refused ?? 'done'
}

/** Coins that have not been paid or consumed. */
export function openCoins({ on, coins: all }: Anything): readonly Coin[] {
  return all.filter(({ id }) => (on.model.status.get(id) ?? 0n) < PAID)
}
