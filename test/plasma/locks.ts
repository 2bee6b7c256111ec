import { concat, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { compact } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { OWN_PERMIT, type Permit } from '../../src/core/plasma/Exit.ts'
import { type LockTerms, lockOf } from '../../src/core/plasma/LockTerms.ts'
import type { Spend } from '../../src/core/plasma/Spend.ts'
import { type Output, type Transaction, txHash } from '../../src/core/plasma/Transaction.ts'
import type { Account } from '../../src/edge/chain/LocalAccounts.ts'
import { challenging, exiting, pathOf, type Sealed, type Waiting } from './people.ts'
import { alice, bob, ETHER, type Stage, signed } from './stage.ts'

/** The preimage of the tests' locks. */
export const SECRET: Hex = uint(0x5ec2e7n, 32)

/** Terms of a lock that alice gets back after `expiry`. */
export function termsUntil(expiry: number, change: Partial<LockTerms> = {}): LockTerms {
  return { hash: hashLock(SECRET), expiry, refund: alice.address, ...change }
}

/** What bob has if the preimage comes in time. */
export function lockedOutput(terms: LockTerms, value: bigint, asset: Hex = ETHER, owner: Hex = bob.address): Output {
  return { owner, asset, value, lock: lockOf(terms) }
}

/** The call that starts the exit of a locked output of a block. */
export function exitingLocked(block: Sealed, terms: LockTerms, index = 0, output = 0, permit: Permit = OWN_PERMIT) {
  return { ...exiting(block, index, output, permit), verb: 'startLockedExit', terms } as const
}

/** Two sides' word for a transaction: a compact signature of each, zeros where a side approved. */
export function pairOf(on: Stage, tx: Transaction, owner?: Account, refund?: Account): Hex {
  const half = (by?: Account) => (by ? compact(signed(txHash(on.domain, tx), by)) : concat(ZERO, ZERO))
  return concat(half(owner), half(refund))
}

/** The call that challenges the exit of a locked output by a spend of it. */
export function challengingLocked(on: Stage, waiting: Waiting, block: Sealed, spend: Partial<Spend>, terms: LockTerms) {
  return { ...challenging(on, waiting, pathOf(block), spend), verb: 'challengeLocked', terms } as const
}

/** The call that claims what waits under a lock of bob's. */
export function claiming(terms: LockTerms, to: Hex, asset: Hex = ETHER, id = 0n, owner: Hex = bob.address): PlasmaCall {
  return { verb: 'claimEscrow', owner, terms, asset, id, to }
}
