import { concat, ETHER, type Hex } from './Bytes.ts'
import type { Env, Transfer } from './Court.ts'
import { require } from './Step.ts'

/** What could not be pushed and waits: amounts in the asset's smallest unit, under `creditKey`. */
export type Credits = ReadonlyMap<Hex, bigint>

/** The events of credits, named and ordered as in Solidity. */
export type CreditEvent =
  | { readonly name: 'Credited'; readonly asset: Hex; readonly owner: Hex; readonly amount: bigint }
  | {
      readonly name: 'CreditClaimed'
      readonly asset: Hex
      readonly owner: Hex
      readonly to: Hex
      readonly amount: bigint
    }

/** What a payment did: credits after it, and what is to be told and moved. */
export interface Payment {
  readonly credits: Credits
  readonly events: readonly CreditEvent[]
  readonly transfers: readonly Transfer[]
}

/** The key of an owner's credit in an asset. */
export function creditKey(asset: Hex, owner: Hex): Hex {
  return concat(asset, owner)
}

/** Refuses unless exactly the ether that the call needs came with it: `amount` if the asset is ether, else none. */
export function requireValue(env: Env, asset: Hex, amount: bigint): void {
  const need = asset === ETHER ? amount : 0n
  require(env.value === need, 'WrongValue', env.value, need)
}

/** The most that a word can say. */
export const MOST = 2n ** 256n - 1n

/** A sum as a contract keeps it that must not fail: more than a word can say is the most that it can. */
export function saturated(sum: bigint): bigint {
  return sum > MOST ? MOST : sum
}

/** Pays each receiver in order, or keeps as a credit what it would not take. Zero amounts do nothing. */
export function pay(
  court: Hex,
  credits: Credits,
  env: Env,
  asset: Hex,
  due: readonly (readonly [Hex, bigint])[],
): Payment {
  const after = new Map(credits)
  const events: CreditEvent[] = []
  const transfers: Transfer[] = []
  for (const [to, amount] of due) {
    if (amount === 0n) continue
    if (!env.refuses(asset, to)) transfers.push({ asset, from: court, to, amount })
    else {
      const key = creditKey(asset, to)
      after.set(key, saturated((after.get(key) ?? 0n) + amount))
      events.push({ name: 'Credited', asset, owner: to, amount })
    }
  }
  return { credits: after, events, transfers }
}

/** Sends a whole credit: the owner to anywhere, anybody to the owner. Refuses NotOwner, NoCredit, PaymentRefused. */
export function claimCredit(court: Hex, credits: Credits, env: Env, asset: Hex, owner: Hex, to: Hex): Payment {
  require(to === owner || env.sender === owner, 'NotOwner', env.sender, owner)
  const amount = credits.get(creditKey(asset, owner)) ?? 0n
  require(amount !== 0n, 'NoCredit', asset, owner)
  require(!env.refuses(asset, to), 'PaymentRefused', asset, to, amount)
  const after = new Map(credits)
  after.delete(creditKey(asset, owner))
  return {
    credits: after,
    events: [{ name: 'CreditClaimed', asset, owner, to, amount }],
    transfers: [{ asset, from: court, to, amount }],
  }
}
