import type { Hex } from '../base/Bytes.ts'
import { keccakWords } from '../base/Signature.ts'

/**
 * The terms of a locked output: who knows the preimage of `hash` (sha256) shows it up to the second `expiry` and has the
 * output for its owner; after that it is `refund`'s. An output names them by their hash.
 */
export interface LockTerms {
  readonly hash: Hex
  readonly expiry: number
  readonly refund: Hex
}

/** What an output's `lock` is for these terms: keccak256(abi.encode(terms)). */
export function lockOf(terms: LockTerms): Hex {
  return keccakWords(terms.hash, terms.expiry, terms.refund)
}
