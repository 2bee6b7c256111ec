// Both sides of an undecided lock agree on what becomes of the coin before anything decides it.
import { concat, type Hex, ZERO } from '../base/Bytes.ts'
import { entries, get, remove, set } from '../base/HashMap.ts'
import { compact, isSignedBy, sign } from '../base/Signature.ts'
import { Refusal, type Row, require } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import type { Half } from './Half.ts'
import type { Held } from './Held.ts'
import { isUnique, type Signed } from './Ledger.ts'
import { standingOf, termsOn } from './Locked.ts'
import { lockOf } from './LockTerms.ts'
import { learn } from './Paying.ts'
import { outputsOf, type Payee } from './Payment.ts'
import { hold, type Next, requireGood, reuse, say, sightOf, type WalletParams, type WalletState } from './Purse.ts'
import { type Transaction, txHash } from './Transaction.ts'

/**
 * Signs this side's half of a spend of an undecided output and tells it. From then on the coin counts as spent until the
 * transaction is dead: should the lock be decided for this side, its half alone is its word. Refuses UnknownOutput,
 * OutputInUse, Decided, InsufficientFunds.
 */
export function offer(
  params: WalletParams,
  state: WalletState,
  id: Hex,
  payees: readonly Payee[],
  fee: bigint,
  memo: Hex,
): Next {
  requireGood(state)
  const one = undecided(state, id)
  const { asset, value, lock } = one.output
  const need = isUnique(state, asset) ? value : payees.reduce((sum, payee) => sum + payee.value, fee)
  require(need <= value, 'InsufficientFunds', value, need)
  const { chain, number } = state.follower.ledger
  const outputs = outputsOf(state.owner, asset, [one], payees, need)
  const transaction = { chain, inputs: [id], outputs, lastBlock: number + params.life, memo }
  const hash = txHash(params.court, transaction)
  const half: Half = { transaction, terms: termsOn(state, lock)!, half: compact(sign(hash, params.key)) }
  const step = hold({ state, rows: [], outputs: [] }, { ...one, use: 'paying' })
  const halves = set(step.state.halves, hash, transaction)
  const rows = [...step.rows, Archive.row('halves', hash, transaction)]
  return say({ ...step, state: { ...step.state, halves }, rows }, { kind: 'half', txHash: hash, half })
}

function undecided(state: WalletState, id: Hex): Held {
  const one = get(state.held, id)
  if (!one) throw new Refusal('UnknownOutput', id)
  require(one.use === 'free', 'OutputInUse', id, one.use)
  require(standingOf(sightOf(state), one.output) === 'undecided', 'Decided', one.output.lock)
  return one
}

/**
 * Makes a pair of the other side's half, if at least `gets` of the coin comes to this wallet by it, and lets the operator
 * have it. Refuses WrongSigner, WrongInput, Expired, InsufficientFunds and what `offer` does.
 */
export function accept(params: WalletParams, before: WalletState, given: Half, gets: bigint): Next {
  requireGood(before)
  const { transaction, terms } = given
  const known = learn(before, [terms])
  const { ledger } = before.follower
  require(transaction.chain === ledger.chain, 'WrongChain', transaction.chain, ledger.chain)
  require(transaction.inputs.length === 1, 'TooManyInputs', transaction.inputs.length, 1)
  require(transaction.lastBlock >= ledger.number, 'Expired', transaction.lastBlock, ledger.number)
  const one = undecided(known.state, transaction.inputs[0]!)
  require(lockOf(terms) === one.output.lock, 'WrongLock', lockOf(terms), one.output.lock)
  const have = comingTo(known.state, transaction, one)
  require(have >= gets, 'InsufficientFunds', have, gets)
  const hash = txHash(params.court, transaction)
  const signed: Signed = { transaction, authorisation: pairOf(params, known.state, one, given, hash), terms: [terms] }
  const taken = hold(known, { ...one, use: 'paying' })
  const state = { ...taken.state, payments: set(taken.state.payments, hash, signed) }
  const rows = [...taken.rows, Archive.row('payments', hash, signed)]
  return say({ ...taken, state, rows }, { kind: 'submit', txHash: hash, signed })
}

/** What of a coin comes to the wallet without any lock; of an ERC-721 one token. */
function comingTo(state: WalletState, { outputs }: Transaction, { output: { asset } }: Held): bigint {
  const own = outputs.filter((one) => one.owner === state.owner && one.asset === asset && one.lock === ZERO)
  return isUnique(state, asset) ? BigInt(own.length) : own.reduce((sum, { value }) => sum + value, 0n)
}

/** Both words, owner's first. */
function pairOf(params: WalletParams, { owner }: WalletState, one: Held, { half, terms }: Half, hash: Hex): Hex {
  const isOwner = one.output.owner === owner
  const other = isOwner ? terms.refund : one.output.owner
  require(isSignedBy(hash, half, other), 'WrongSigner', half, other)
  const own = compact(sign(hash, params.key))
  return isOwner ? concat(own, half) : concat(half, own)
}

/** Forgets a half whose transaction is in a block. */
export function forgetHalf(step: Next, hash: Hex): Next {
  if (!get(step.state.halves, hash)) return step
  const row: Row = { table: 'halves', key: hash, value: undefined }
  const state = { ...step.state, halves: remove(step.state.halves, hash) }
  return { ...step, state, rows: [...step.rows, row] }
}

/** Halves of transactions that no block up to their last one has are worth nothing any more. */
export function buryHalves(step: Next, number: number): Next {
  let now = step
  for (const [hash, { inputs, lastBlock }] of entries(step.state.halves)) {
    if (lastBlock <= number) now = reuse(forgetHalf(now, hash), inputs[0]!, 'paying', 'free')
  }
  return now
}
