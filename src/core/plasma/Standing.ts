// Who may do it, and which transactions count.
import { type Hex, slice, ZERO } from '../base/Bytes.ts'
import { recover } from '../base/Signature.ts'
import { require } from '../base/Step.ts'
import { type Inclusion, impliedCommitment } from './Block.ts'
import type { Spend } from './Call.ts'
import { type Draft, pair } from './Draft.ts'
import { bond, type Permit, startExitDigest } from './Exit.ts'
import { type Chain, chainId, type Transaction } from './Transaction.ts'

/** The zero address: signs nothing. */
export const NOBODY = slice(ZERO, 12)

/** The wei that came are within one and two bonds. */
export function requireBond({ env, state }: Draft): void {
  const { bondGas, feeFloor, feeCeiling } = state.terms
  const least = bond(bondGas, feeFloor, feeCeiling, env.baseFee)
  require(env.value >= least && env.value <= 2n * least, 'WrongBond', env.value, least, 2n * least)
}

/** The sender is the owner, or has its leave. */
export function requirePermit({ env, state }: Draft, chain: Hex, id: Hex, owner: Hex, permit: Permit): void {
  if (permit.signature === '0x') {
    requireSigner(env.sender, owner)
    return
  }
  const { starter, deadline, signature } = permit
  require(starter === NOBODY || starter === env.sender, 'WrongStarter', env.sender, starter)
  require(env.time <= deadline, 'PermitExpired', env.time, deadline)
  requireSigned(startExitDigest(state.terms.court, chain, [id], permit), signature, owner)
}

/** The payee signed the transaction, or approved it. */
export function requireAuthorised({ state }: Draft, payee: Hex, txHash: Hex, signature: Hex): void {
  if (signature !== '0x') requireSigned(txHash, signature, payee)
  else require(state.approved.has(pair(payee, txHash)), 'NotApproved', payee, txHash)
}

/** The transaction may still be included, or is shown to have been. */
export function requireLiveOrShown(draft: Draft, path: readonly Chain[], { tx, inclusion }: Spend, txHash: Hex): void {
  const [shown] = inclusion
  require(inclusion.length <= 1, 'TooManyInclusions', BigInt(inclusion.length), 1n)
  if (shown) {
    requireShown(draft, path, tx, txHash, shown)
    return
  }
  const id = leafOf(path)
  require(id === tx.chain, 'WrongChain', id, tx.chain)
  const number = draft.state.chains.get(id)?.number ?? 0
  require(number < tx.lastBlock, 'Expired', tx.lastBlock, number)
}

/** Included in a block of the chain that the transaction itself names, at or before its lastBlock. */
export function requireShown(
  { state }: Draft,
  path: readonly Chain[],
  tx: Transaction,
  txHash: Hex,
  shown: Inclusion,
): void {
  const id = leafOf(path)
  require(id === tx.chain, 'WrongChain', id, tx.chain)
  require(shown.number <= tx.lastBlock, 'IncludedLate', shown.number, tx.lastBlock)
  require(shown.levels.length === 0, 'WrongDepth', BigInt(shown.levels.length), 0n)
  const have = impliedCommitment(txHash, shown)
  const need = state.commitments.get(pair(id, shown.number)) ?? ZERO
  require(have === need, 'WrongCommitment', have, need)
}

/** The id of the chain that a path leads to; so far always one of the root level. */
export function leafOf(path: readonly Chain[]): Hex {
  const [chain] = path
  require(chain !== undefined && path.length === 1, 'WrongDepth', BigInt(path.length), 1n)
  require(chain.parent === ZERO, 'WrongParent', chain.parent, ZERO)
  return chainId(chain)
}

/** `signer` made the signature. */
export function requireSigned(digest: Hex, signature: Hex, signer: Hex): void {
  requireSigner(recover(digest, signature) ?? NOBODY, signer)
}

/** The key that signed or the account that sent is the one that had to. */
export function requireSigner(have: Hex, need: Hex): void {
  require(have === need && need !== NOBODY, 'WrongSigner', have, need)
}
