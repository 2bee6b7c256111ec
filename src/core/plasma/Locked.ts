// Whose a locked output is, as somebody sees it who follows layer 1 and knows some terms.
import { type Hex, ZERO } from '../base/Bytes.ts'
import { get, type HashMap } from '../base/HashMap.ts'
import { payeeAt } from './Ledger.ts'
import type { LockTerms } from './LockTerms.ts'
import type { RunningExits } from './Running.ts'
import { NOBODY } from './Standing.ts'
import type { Output } from './Transaction.ts'

/** Somebody's view: who it is, the terms that it was told by their locks, and what layer 1 said up to `time` (seconds). */
export interface Sight {
  readonly owner: Hex
  readonly locks: HashMap<LockTerms>
  readonly running: RunningExits
  readonly time: number
}

/** How an output stands to somebody: `unknown` = its terms were not told. */
export type Standing = 'mine' | 'theirs' | 'undecided' | 'unknown'

/** The terms of a lock that were told, or shown on layer 1. */
export function termsOn({ locks, running }: Pick<Sight, 'locks' | 'running'>, lock: Hex): LockTerms | undefined {
  return get(locks, lock) ?? get(running.terms, lock)
}

/** Whose an output is. */
export function standingOf(sight: Sight, { owner, lock }: Output): Standing {
  if (lock === ZERO) return owner === sight.owner ? 'mine' : 'theirs'
  const terms = termsOn(sight, lock)
  if (!terms) return owner === sight.owner ? 'unknown' : 'theirs'
  const payee = payeeAt(sight.running, sight.time, owner, terms)
  if (payee === sight.owner) return 'mine'
  const isSide = owner === sight.owner || terms.refund === sight.owner
  return payee === NOBODY && isSide ? 'undecided' : 'theirs'
}

/** Whether somebody may let an output leave: it is its own, or not decided against it yet. */
export function maySpeakFor(sight: Sight, output: Output): boolean {
  const standing = standingOf(sight, output)
  return standing === 'mine' || standing === 'undecided'
}

/** The terms of outputs' locks, each once, as far as they are known. */
export function termsOfAll(sight: Sight, outputs: readonly Output[]): readonly LockTerms[] {
  const locks = new Set(outputs.flatMap(({ lock }) => (lock === ZERO ? [] : lock)))
  return [...locks].flatMap((lock) => termsOn(sight, lock) ?? [])
}
