// Which transactions count: shown or live, authorised, and who may speak for an output. Every verb asks here.
import { concat, type Hex, size, slice, ZERO } from '../base/Bytes.ts'
import { recover } from '../base/Signature.ts'
import { Refusal, require } from '../base/Step.ts'
import { commitmentHash, header, headerDigest, type Inclusion, type Level, parentHeader, rootOf } from './Block.ts'
import { type Chain, chainId } from './Chain.ts'
import { type Draft, pair } from './Draft.ts'
import { type LockTerms, lockOf } from './LockTerms.ts'
import type { Spend } from './Spend.ts'
import type { Transaction } from './Transaction.ts'

/** The zero address: signs nothing, and is the payee of what is undecided. */
export const NOBODY = slice(ZERO, 12)

const MAX_DEPTH = 3

/** What decides whose word counts: approvals by `pair`, the time, what was revealed. A court's draft is one. */
export interface Bench {
  readonly state: { readonly approved: { has(key: string): boolean } }
  readonly env: { readonly time: number; readonly revealedAt?: (hash: Hex) => number }
}

/** The ids of a path's root and of the chain that it leads to, each chain the child of the one before it. */
export function endsOf(path: readonly Chain[]): { readonly root: Hex; readonly id: Hex } {
  const depth = path.length
  require(depth >= 1 && depth <= MAX_DEPTH, 'WrongDepth', BigInt(depth), BigInt(MAX_DEPTH))
  let above: Hex = ZERO
  for (const chain of path) {
    require(chain.parent === above, 'WrongParent', chain.parent, above)
    above = chainId(chain)
  }
  return { root: chainId(path[0]!), id: above }
}

/** Included in a block of the chain that the transaction itself names, at or before its lastBlock. */
export function requireShown(
  draft: Draft,
  path: readonly Chain[],
  tx: Transaction,
  txHash: Hex,
  shown: Inclusion,
): void {
  require(shown.number <= tx.lastBlock, 'IncludedLate', shown.number, tx.lastBlock)
  requireCommitted(draft, path, tx.chain, header(rootOf(txHash, shown), shown.childrenRoot), shown)
}

/** The chain's header at a number is anchored, through every level above it, by what L1 kept of the number. */
export function requireCommitted(
  { state }: Draft,
  path: readonly Chain[],
  chain: Hex,
  head: Hex,
  { number, time, asOf, levels }: Pick<Inclusion, 'number' | 'time' | 'asOf' | 'levels'>,
): void {
  const { root, id } = endsOf(path)
  require(id === chain, 'WrongChain', id, chain)
  const depth = path.length - 1
  require(levels.length === depth, 'WrongDepth', BigInt(levels.length), BigInt(depth))
  if (depth > 0) {
    const known = state.chains.get(id)
    require(known !== undefined, 'UnknownChain', id)
    require(number > known.since, 'NotBefore', number, known.since)
  }
  let at = head
  levels.forEach((level, i) => {
    const child = path[depth - i]!
    requireHeader(state.terms.court, child, number, asOf, at, level)
    at = parentHeader(at, child.slot, level)
  })
  const have = commitmentHash(at, time, asOf)
  const need = state.commitments.get(pair(root, number)) ?? ZERO
  require(have === need, 'WrongCommitment', have, need)
}

/** The child's operator signed its header for this number and this view of L1. */
function requireHeader(
  court: Draft['state']['terms']['court'],
  child: Chain,
  number: number,
  asOf: number,
  head: Hex,
  { r, vs }: Level,
): void {
  const id = chainId(child)
  const have = recover(headerDigest(court, id, number, asOf, head), concat(r, vs)) ?? NOBODY
  require(have === child.operator && have !== NOBODY, 'WrongHeader', id, have, child.operator)
}

/** The transaction may still be included, or is shown to have been. */
export function requireLiveOrShown(draft: Draft, path: readonly Chain[], { tx, inclusion }: Spend, txHash: Hex): void {
  const [shown] = inclusion
  require(inclusion.length <= 1, 'TooManyInclusions', BigInt(inclusion.length), 1n)
  if (shown) {
    requireShown(draft, path, tx, txHash, shown)
    return
  }
  const { root, id } = endsOf(path)
  require(id === tx.chain, 'WrongChain', id, tx.chain)
  const number = lastNumberOf(draft, root)
  require(number < tx.lastBlock, 'Expired', tx.lastBlock, number)
}

/** The last number that a root-level chain has committed. */
export function lastNumberOf({ state }: Draft, root: Hex): number {
  return state.chains.get(root)?.number ?? 0
}

/** The payee signed the transaction, or approved it. */
export function requireAuthorised({ state }: Bench, payee: Hex, txHash: Hex, authorisation: Hex): void {
  if (authorisation !== '0x') requireSigned(txHash, authorisation, payee)
  else require(state.approved.has(pair(payee, txHash)), 'NotApproved', payee, txHash)
}

/**
 * The same for a locked output: its payee's word, or that of both sides while nobody has decided between them. Half of
 * such a pair is its signer's word for ever, and counts as that once the signer is the payee.
 */
export function requireAuthorisedUnder(
  draft: Bench,
  terms: LockTerms,
  owner: Hex,
  tx: Transaction,
  txHash: Hex,
  authorisation: Hex,
): void {
  const payee = payeeUnder(draft, owner, terms)
  const both = size(authorisation) === 128
  require(payee !== NOBODY || (both && tx.inputs.length === 1), 'Undecided', lockOf(terms))
  if (!both) {
    requireAuthorised(draft, payee, txHash, authorisation)
    return
  }
  if (payee === NOBODY || payee === owner) requireHalf(draft, owner, txHash, slice(authorisation, 0, 64))
  if (payee !== owner) requireHalf(draft, terms.refund, txHash, slice(authorisation, 64))
}

/** A half of a pair: a compact signature, or zeros where its side approved. */
function requireHalf(draft: Bench, side: Hex, txHash: Hex, half: Hex): void {
  requireAuthorised(draft, side, txHash, half === concat(ZERO, ZERO) ? '0x' : half)
}

/** Whom a lock has decided for: its owner if the preimage came in time, its refund if it did not; nobody before. */
export function payeeUnder({ env }: Bench, owner: Hex, { hash, expiry, refund }: LockTerms): Hex {
  const revealed = env.revealedAt?.(hash) ?? 0
  if (revealed !== 0 && revealed <= expiry) return owner
  return env.time > expiry ? refund : NOBODY
}

/** The terms of a lock among those given, which have to be there. */
export function termsOf(lock: Hex, terms: readonly LockTerms[]): LockTerms {
  const found = terms.find((one) => lockOf(one) === lock)
  if (!found) throw new Refusal('WrongLock', ZERO, lock)
  return found
}

/** Whether somebody may act for a locked output: its payee, or either side while nobody has decided. */
export function maySpeak(draft: Bench, who: Hex, owner: Hex, terms: LockTerms): boolean {
  const payee = payeeUnder(draft, owner, terms)
  if (who === NOBODY) return false
  return payee === NOBODY ? who === owner || who === terms.refund : who === payee
}

/** `signer` made the signature. */
export function requireSigned(digest: Hex, signature: Hex, signer: Hex): void {
  requireSigner(recover(digest, signature) ?? NOBODY, signer)
}

/** The key that signed or the account that sent is the one that had to. */
export function requireSigner(have: Hex, need: Hex): void {
  require(have === need && need !== NOBODY, 'WrongSigner', have, need)
}
