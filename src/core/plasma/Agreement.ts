// What two people who change money for money agree on.
import type { Hex } from '../base/Bytes.ts'
import { type LockTerms, lockOf } from './LockTerms.ts'
import type { Output } from './Transaction.ts'

/** One way of a swap: `from` locks `value` of an asset (of an ERC-721 the id) on a chain for `to`. */
export interface Leg {
  readonly chain: Hex
  readonly asset: Hex
  readonly value: bigint
  readonly from: Hex
  readonly to: Hex
}

/**
 * What two people agree on before anything moves. Both legs have one hash and one expiry, and one registry decides them:
 * a preimage that comes in time pays both, and nothing else pays either. With two expiries a reveal between them would.
 * `first` is locked first, by whoever has made the preimage.
 */
export interface Agreement {
  readonly hash: Hex
  readonly expiry: number
  readonly first: Leg
  readonly second: Leg
}

/** Whether two agreements are one. */
export function isSameAgreement(one: Agreement, other: Agreement): boolean {
  const same = (a: Leg, b: Leg) =>
    a.chain === b.chain && a.asset === b.asset && a.value === b.value && a.from === b.from && a.to === b.to
  const ofLock = one.hash === other.hash && one.expiry === other.expiry
  return ofLock && same(one.first, other.first) && same(one.second, other.second)
}

/** A swap as one of both keeps it: with the preimage it is the one who locks first. `sent` = its own lock's transaction. */
export interface Swap {
  readonly agreement: Agreement
  readonly preimage?: Hex
  readonly sent?: Hex
}

/** The leg that this side gives, and the one that it takes. */
export function legsOf({ agreement: { first, second }, preimage }: Swap): { readonly give: Leg; readonly take: Leg } {
  return preimage === undefined ? { give: second, take: first } : { give: first, take: second }
}

/** The terms of a leg's lock: it returns to whoever gives it. */
export function termsOfLeg({ hash, expiry }: Agreement, { from }: Leg): LockTerms {
  return { hash, expiry, refund: from }
}

/** What a leg is once it is locked. */
export function outputOfLeg(agreement: Agreement, leg: Leg): Output {
  const { to: owner, asset, value } = leg
  return { owner, asset, value, lock: lockOf(termsOfLeg(agreement, leg)) }
}
