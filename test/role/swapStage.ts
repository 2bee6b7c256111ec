import { type Hex, ZERO } from '../../src/core/base/Bytes.ts'
import { entries } from '../../src/core/base/HashMap.ts'
import { addressOf } from '../../src/core/base/Signature.ts'
import { type Agreement, type Leg, outputOfLeg, type Swap } from '../../src/core/plasma/Agreement.ts'
import type { Chain as PlasmaChain } from '../../src/core/plasma/Chain.ts'
import { heldBy } from '../../src/core/plasma/Purse.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Operator } from '../../src/role/Operator.ts'
import { proposal, Swapping, type SwapSides } from '../../src/role/Swapping.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import { DEPTH, key, MFP, through, World } from './plasmaWorld.ts'

/** Apples are given for pears: two tokens, so that bonds and gas disturb no sum. */
export const APPLE: Hex = `0x${'a1'.repeat(20)}`
export const PEAR: Hex = `0x${'9e'.repeat(20)}`
export const HOUR = 3600
export const PRICE = { apples: 60n, pears: 7n }

/** The chain of the pears, if it is another than that of the apples. */
export const OTHER: PlasmaChain = { parent: ZERO, slot: 1, operator: addressOf(key(8)) }

/** Two people with two wallets each: of where apples are, and of where pears are. On one chain both are one. */
export interface Person {
  readonly apples: Wallet
  readonly pears: Wallet
}

/** Layer 1, one chain or two, Ann with 100 apples and Ben with 10 pears, all of it received. */
export interface Market {
  readonly world: World
  readonly operators: { readonly apples: Operator; readonly pears: Operator }
  readonly ann: Person
  readonly ben: Person
}

export async function market(chains: 1 | 2): Promise<Market> {
  const world = new World()
  const apples = world.operator()
  const pears = chains === 1 ? apples : world.operator(memoryStore(), { path: [OTHER] })
  await world.mine(DEPTH + 3)
  const person = (n: number): Person => {
    const one = world.wallet(n, through(apples), memoryStore(), true)
    if (chains === 1) return { apples: one, pears: one }
    return { apples: one, pears: world.wallet(n, through(pears), memoryStore(), true, [OTHER]) }
  }
  const [ann, ben] = [person(1), person(2)]
  world.l1.money.mint(APPLE, ann.apples.owner, 100n)
  world.l1.money.mint(PEAR, ben.pears.owner, 10n)
  await world.rest()
  const sent = [ann.apples.deposit(APPLE, 100n), ben.pears.deposit(PEAR, 10n)]
  await world.mine(DEPTH + 3)
  await Promise.all(sent)
  return { world, operators: { apples, pears }, ann, ben }
}

export function sidesOf(who: Person, isFirst: boolean): SwapSides {
  return isFirst ? { give: who.apples, take: who.pears } : { give: who.pears, take: who.apples }
}

/** Ann proposes 60 apples for 7 pears. */
export function proposed({ world, ann, ben }: Market, seconds = 24 * HOUR): Swap {
  const expiry = world.l1.head().time + seconds
  const goods = {
    gives: { asset: APPLE, value: PRICE.apples },
    takes: { asset: PEAR, value: PRICE.pears },
    with: ben.apples.owner,
  }
  return proposal(sidesOf(ann, true), { ...goods, expiry })
}

/** Both keep the swap; Ben's copy has no preimage. */
export async function begun({ ann, ben }: Market, swap: Swap): Promise<{ first: Swapping; second: Swapping }> {
  const first = await Swapping.begin(sidesOf(ann, true), swap)
  const second = await Swapping.begin(sidesOf(ben, false), { agreement: swap.agreement })
  return { first, second }
}

/** Whoever is given acts, the operators that are there seal, and layer 1 goes on until all of it is believed. */
export async function round(on: Market, ...acting: readonly Swapping[]): Promise<void> {
  for (const one of acting) void one.advance()
  await on.world.rest()
  for (const one of new Set([on.operators.apples, on.operators.pears])) one.seal()
  await on.world.mine(DEPTH + 3)
}

/** What of an asset is somebody's own, on its chain or on layer 1. */
export function wealth({ world }: Market, wallet: Wallet, asset: Hex): bigint {
  const { received, unconfirmed } = wallet.balances(asset)
  return received + unconfirmed + world.l1.money.balance(asset, wallet.owner)
}

/** The locked output of a leg as a wallet holds it. */
export function lockedOf(wallet: Wallet, agreement: Agreement, leg: Leg): Hex | undefined {
  const { lock } = outputOfLeg(agreement, leg)
  return heldBy(wallet.state).find(({ output }) => output.lock === lock)?.id
}

/** Somebody leaves a chain whose operator is gone, with everything, and waits until layer 1 has paid it all. */
export async function emigrate(on: Market, wallet: Wallet): Promise<void> {
  const { world } = on
  const calls = [
    ...[...entries(wallet.state.payments)].map(([hash]) => wallet.fly(hash)),
    wallet.leaveAll(freeIds(wallet)),
  ]
  await world.mine(DEPTH + 2)
  await Promise.allSettled(calls)
  await world.pass(2 * MFP)
  for (const asset of [APPLE, PEAR]) {
    const paid = wallet.process(asset, world.l1.head().time).catch(() => undefined)
    await world.mine(DEPTH + 2)
    await paid
  }
  const claimed = wallet.claimEscrow().catch(() => undefined)
  await world.mine(DEPTH + 2)
  await claimed
}

function freeIds({ state }: Wallet): readonly Hex[] {
  return heldBy(state).flatMap(({ id, use }) => (use === 'free' ? id : []))
}
