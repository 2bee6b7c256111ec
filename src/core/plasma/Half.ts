import type { Hex } from '../base/Bytes.ts'
import type { LockTerms } from './LockTerms.ts'
import type { Transaction } from './Transaction.ts'

/**
 * One side's word for a spend of an output whose lock is undecided: a compact signature, which the other side makes a
 * pair of. It counts alone as soon as the lock is decided for its signer.
 */
export interface Half {
  readonly transaction: Transaction
  readonly terms: LockTerms
  readonly half: Hex
}
