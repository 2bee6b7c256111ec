// Which outputs a payment takes, and what it makes of them.
import { type Hex, ZERO } from '../base/Bytes.ts'
import { Refusal, require } from '../base/Step.ts'
import type { Held } from './Held.ts'
import { type LockTerms, lockOf } from './LockTerms.ts'
import { MAX_INPUTS, MAX_OUTPUTS, type Output } from './Transaction.ts'

/** Who is paid how much by a payment, and under which terms if under any; of an ERC-721 `value` is the id. */
export interface Payee {
  readonly owner: Hex
  readonly value: bigint
  readonly terms?: LockTerms
}

/**
 * Few and dear outputs of those that are free, dearest first: as soon as the dearest suffice, the last of them is the
 * cheapest one that still does. Of an ERC-721 the one with the id. Refuses InsufficientFunds.
 */
export function select(free: readonly Held[], need: bigint, unique: boolean): readonly Held[] {
  if (unique) {
    const one = free.find(({ output }) => output.value === need)
    if (!one) throw new Refusal('InsufficientFunds', 0n, 1n)
    return [one]
  }
  const chosen: Held[] = []
  let have = 0n
  for (const one of free.slice(0, MAX_INPUTS)) {
    if (have + one.output.value < need) {
      chosen.push(one)
      have += one.output.value
      continue
    }
    const short = need - have
    const last = free.findLast((other) => other.output.value >= short && !chosen.includes(other))
    return [...chosen, last ?? one]
  }
  throw new Refusal('InsufficientFunds', have, need)
}

/** What a payment of these inputs makes: what its payees get, and what is left of more than `need` for its owner. */
export function outputsOf(
  owner: Hex,
  asset: Hex,
  inputs: readonly Held[],
  payees: readonly Payee[],
  need: bigint,
): readonly Output[] {
  const change = inputs.reduce((sum, one) => sum + one.output.value, 0n) - need
  const all: readonly Payee[] = change > 0n ? [...payees, { owner, value: change }] : payees
  require(all.length <= MAX_OUTPUTS, 'WrongOutputCount', all.length, MAX_OUTPUTS)
  return all.map(({ owner: to, value, terms }) => ({ owner: to, asset, value, lock: terms ? lockOf(terms) : ZERO }))
}
