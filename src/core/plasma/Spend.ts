import type { Hex } from '../base/Bytes.ts'
import type { Inclusion } from './Block.ts'
import type { Transaction } from './Transaction.ts'

/** A transaction that spends an output, with what makes it count: its payee authorised it, and it is live or shown. */
export interface Spend {
  readonly tx: Transaction
  /** Which of its inputs is the output. */
  readonly input: number
  /**
   * The payee's signature; empty if the payee approved the transaction on layer 1; for an output whose lock is undecided
   * two compact signatures, owner's then refund's, with zeros in place of one that approved.
   */
  readonly authorisation: Hex
  /** None for a live transaction, one for a shown one. */
  readonly inclusion: readonly Inclusion[]
}
