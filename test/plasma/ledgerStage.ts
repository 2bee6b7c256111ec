import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { addressOf, domain, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import type { PlasmaEvent } from '../../src/core/plasma/Call.ts'
import { emptyLedger, type Ledger, observe, type Signed } from '../../src/core/plasma/Ledger.ts'
import type { SeenEvent } from '../../src/core/plasma/Seen.ts'
import { depositId, type Transaction, txHash } from '../../src/core/plasma/Transaction.ts'

export const DOMAIN = domain(31337n, `0x${'c0'.repeat(20)}`)
export const CHAIN: Hex = `0x${'aa'.repeat(32)}`

export function key(n: number): Hex {
  return uint(n + 1, 32)
}

export function owner(n: number): Hex {
  return addressOf(key(n))
}

/** The event of a deposit of `value` by and for person n. */
export function deposited(n: number, value: bigint, salt = 0, chain = CHAIN): PlasmaEvent & { readonly id: Hex } {
  const deposit = { chain, sender: owner(n), salt: uint(salt, 32), owner: owner(n), asset: ETHER, value }
  return { name: 'Deposited', id: depositId(deposit), ...deposit }
}

/** A ledger that has seen events, all at the second `time`. */
export function seeing(ledger: Ledger, time: number, ...events: readonly SeenEvent[]): Ledger {
  return observe(ledger, [{ number: time, hash: uint(time, 32), parent: ZERO, time, events }], time)
}

export function fresh(...events: readonly SeenEvent[]): Ledger {
  return seeing(emptyLedger(DOMAIN, CHAIN, 0), 100, ...events)
}

/** A transaction, its fields changed as told, signed by person n unless told otherwise. */
export function payment(n: number, fields: Partial<Transaction>, authorisation?: Hex): Signed {
  const transaction: Transaction = { chain: CHAIN, inputs: [], outputs: [], lastBlock: 1000, memo: ZERO, ...fields }
  return { transaction, authorisation: authorisation ?? sign(txHash(DOMAIN, transaction), key(n)) }
}

export function output(n: number, value: bigint, asset = ETHER) {
  return { owner: owner(n), asset, value, lock: ZERO }
}

/** The code with which something refuses, or 'accepted'. */
export function outcome(run: () => unknown): string {
  try {
    run()
    return 'accepted'
  } catch (why) {
    if (why instanceof Refusal) return why.code
    throw why
  }
}
