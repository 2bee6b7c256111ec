import { creditKey } from '../../src/core/base/Asset.ts'
import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import { entries } from '../../src/core/base/HashMap.ts'
import * as Archive from '../../src/core/plasma/Archive.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { heldBy } from '../../src/core/plasma/Purse.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import { PEOPLE, type Who } from './Act.ts'
import { BONDS, COURT, hashOf, PURSE } from './Scene.ts'
import { type Stage, see } from './Stage.ts'

function violated(on: Stage, what: string): void {
  on.violations.push(what)
}

/** Throws what was violated. */
export function judge(on: Stage): void {
  if (on.violations.length > 0) throw new Error(on.violations.join('\n'))
}

/** After every step: the court has all that it owes, and nobody has stopped but for what was done to its store. */
export function checkBooks(on: Stage): void {
  const { pots, credits, escrows } = on.court.state()
  for (const asset of new Set([on.asset, ETHER])) {
    const of = (all: ReadonlyMap<string, bigint>) =>
      [...all].reduce((sum, [key, value]) => (key.includes(asset.slice(2)) ? sum + value : sum), 0n)
    const owed = of(pots) + of(credits)
    const have = on.l1.money.balance(asset, COURT)
    if (have < owed || escrows.size > 0) violated(on, `the court has ${have} of ${asset} and owes ${owed}`)
  }
  for (const fault of on.faults.splice(0)) violated(on, fault)
  judge(on)
}

/** What the operator has acknowledged and not taken back is in exactly one place of its store. */
export function checkAcknowledged(on: Stage): void {
  const { store } = on.hosts.operator.disk
  const counts = new Map<Hex, number>()
  const open = Archive.storedBlocks(store).at(-1)?.number ?? 0
  for (let number = 1; number <= open + 1; number++) {
    for (const signed of Archive.storedTransactions(store, number)) {
      counts.set(hashOf(signed), (counts.get(hashOf(signed)) ?? 0) + 1)
    }
  }
  for (const hash of on.acknowledged) {
    const count = counts.get(hash) ?? 0
    if (count !== 1 && !(count === 0 && on.dropped.has(hash))) {
      violated(on, `the acknowledged ${hash} is in ${count} places`)
    }
    see(on, count === 1 ? 'acknowledged and kept' : 'acknowledged and dropped')
  }
}

/** All payments of somebody whose end is not a block that it believes. */
function unsettled(on: Stage, who: Who, wallet: Wallet): readonly Signed[] {
  const { signed, paid, dead } = on.books[who]
  const all = new Map([...signed, ...entries(wallet.state.payments)])
  return [...all].flatMap(([hash, one]) => (paid.has(hash) || dead.has(hash) ? [] : [one]))
}

/**
 * At the end, when nothing runs any more: everybody has on layer 1 what it was told that it has, but for what it has paid;
 * of a payment in no block at least what comes back to itself.
 */
export function checkEnd(on: Stage, wallets: Readonly<Record<Who, Wallet>>): void {
  checkBooks(on)
  let [have, due] = [0n, 0n]
  for (const who of PEOPLE) {
    const [mine, least, most] = accountOf(on, who, wallets[who])
    if (mine < least) violated(on, `${who} has ${mine} and should have ${least}`)
    have += mine
    due += most
  }
  if (have < due) violated(on, `all together have ${have} and should have ${due}`)
  for (const who of PEOPLE) {
    const { owner } = on.books[who]
    const bonds = on.asset === ETHER ? BONDS : balanceOf(on, ETHER, owner)
    if (bonds < BONDS) violated(on, `${who} has lost bonds: ${BONDS - bonds}`)
    const held = heldBy(wallets[who].state).filter(({ use }) => use !== 'paying')
    if (held.length > 0) violated(on, `${who} holds ${held.map(({ id, use }) => `${id} ${use}`)} still`)
  }
  judge(on)
}

/** What somebody has on layer 1, what it must have at least, and how much of it all honest people must have together. */
function accountOf(on: Stage, who: Who, wallet: Wallet): readonly [have: bigint, least: bigint, most: bigint] {
  const { owner, told, signed, paid } = on.books[who]
  const deposits = on.thief.deposits.filter((one) => one.owner === owner)
  const values = new Map([...told, ...deposits.map(({ id, value }) => [id, value] as const)])
  let all = PURSE + (on.asset === ETHER ? BONDS : 0n) - deposits.reduce((sum, { value }) => sum + value, 0n)
  for (const value of values.values()) all += value
  const inputs = ({ transaction }: Signed) => transaction.inputs.reduce((sum, id) => sum + (values.get(id) ?? 0n), 0n)
  const to = ({ transaction }: Signed, owners: readonly Hex[]) =>
    transaction.outputs.reduce((sum, output) => (owners.includes(output.owner) ? sum + output.value : sum), 0n)
  for (const [hash, one] of signed) if (paid.has(hash)) all -= inputs(one)
  const honest = PEOPLE.map((name) => on.books[name].owner)
  let [least, most] = [all, all]
  for (const one of unsettled(on, who, wallet)) {
    least -= inputs(one) - to(one, [owner])
    most -= inputs(one) - to(one, honest)
  }
  return [balanceOf(on, on.asset, owner), least, most]
}

function balanceOf(on: Stage, asset: Hex, owner: Hex): bigint {
  return on.l1.money.balance(asset, owner) + (on.court.state().credits.get(creditKey(asset, owner)) ?? 0n)
}
