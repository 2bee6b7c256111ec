// What a wallet's owner does on its chain: deposits, payments, under terms or not.
import { type Hex, isHex, ZERO } from '../base/Bytes.ts'
import { get, set } from '../base/HashMap.ts'
import { sign } from '../base/Signature.ts'
import { Refusal, require } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import type { Held } from './Held.ts'
import { isUnique, type Signed } from './Ledger.ts'
import { standingOf, termsOn } from './Locked.ts'
import { type LockTerms, lockOf } from './LockTerms.ts'
import { outputsOf, type Payee, select } from './Payment.ts'
import {
  freeOf,
  hold,
  idle,
  type Next,
  requireGood,
  say,
  sightOf,
  type WalletParams,
  type WalletState,
} from './Purse.ts'
import { NOBODY } from './Standing.ts'
import { MAX_INPUTS, MAX_OUTPUTS, type Output, txHash } from './Transaction.ts'

/** A deposit into the chain. Refuses ChainBad, NotSynced, ZeroValue, ValueTooLarge. */
export function deposit(state: WalletState, asset: Hex, value: bigint, salt: Hex): Next {
  requireGood(state)
  requireValue(value)
  const { chain } = state.follower.ledger
  return say(idle(state), {
    kind: 'call',
    ids: [],
    call: { verb: 'deposit', chain, salt, owner: state.owner, asset, value },
  })
}

function requireOwner(owner: Hex): void {
  require(isHex(owner, 20), 'MalformedOwner', owner)
  require(owner !== NOBODY, 'ZeroOwner')
}

/** What is locked must be somebody's whatever happens, and not decided before it is in a block. */
function requireTerms({ follower }: WalletState, { hash, expiry, refund }: LockTerms): void {
  requireOwner(refund)
  require(isHex(hash, 32), 'WrongLock', hash, ZERO)
  require(expiry > follower.view.time && expiry < 2 ** 40, 'LockExpired', expiry, follower.view.time)
}

function requireValue(value: bigint): void {
  require(value > 0n, 'ZeroValue')
  require(value < 2n ** 256n, 'ValueTooLarge', value)
}

/** A payment, locked where a payee has terms. Refuses InsufficientFunds, MalformedOwner and what makes it invalid. */
export function pay(
  params: WalletParams,
  state: WalletState,
  asset: Hex,
  payees: readonly Payee[],
  fee: bigint,
  memo: Hex,
): Next {
  requireGood(state)
  for (const { owner, value, terms } of payees) {
    requireOwner(owner)
    if (value !== 0n || !isUnique(state, asset)) requireValue(value)
    if (terms) requireTerms(state, terms)
  }
  require(fee >= 0n, 'NegativeFee', fee)
  require(payees.length >= 1 && payees.length <= MAX_OUTPUTS, 'WrongOutputCount', payees.length, MAX_OUTPUTS)
  const need = payees.reduce((sum, payee) => sum + payee.value, fee)
  const inputs = select(freeOf(state, asset), need, isUnique(state, asset))
  const locks = payees.flatMap(({ terms }) => terms ?? [])
  return send(params, learn(state, locks), inputs, outputsOf(state.owner, asset, inputs, payees, need), memo)
}

/** Makes one plain output of up to four of the owner's in one asset; a locked one has to be decided for it. */
export function merge(params: WalletParams, state: WalletState, ids: readonly Hex[], fee: bigint, memo: Hex): Next {
  requireGood(state)
  require(ids.length > 0 && ids.length <= MAX_INPUTS, 'TooManyInputs', ids.length, MAX_INPUTS)
  require(fee >= 0n, 'NegativeFee', fee)
  const inputs = ids.map((id, i) => {
    require(ids.indexOf(id) === i, 'RepeatedInput', id)
    return spendable(state, id)
  })
  const { asset } = inputs[0]!.output
  for (const { id, output } of inputs) require(output.asset === asset, 'WrongMember', id)
  require(!isUnique(state, asset) || (ids.length === 1 && fee === 0n), 'NotFungible', asset)
  const value = inputs.reduce((sum, { output }) => sum + output.value, -fee)
  require(value > 0n || isUnique(state, asset), 'InsufficientFunds', value + fee, fee + 1n)
  return send(params, idle(state), inputs, [{ owner: state.owner, asset, value, lock: ZERO }], memo)
}

function spendable(state: WalletState, id: Hex): Held {
  const one = get(state.held, id)
  if (!one) throw new Refusal('UnknownOutput', id)
  require(one.use === 'free', 'OutputInUse', id, one.use)
  require(standingOf(sightOf(state), one.output) === 'mine', 'Undecided', one.output.lock)
  return one
}

/** Signs a payment, keeps it until its end is known, and lets the operator have it. */
function send(params: WalletParams, step: Next, inputs: readonly Held[], outputs: readonly Output[], memo: Hex): Next {
  const { ledger } = step.state.follower
  const lastBlock = ledger.number + params.life
  const transaction = { chain: ledger.chain, inputs: inputs.map((one) => one.id), outputs, lastBlock, memo }
  const hash = txHash(params.court, transaction)
  const terms = inputs.flatMap(({ output }) => termsOn(step.state, output.lock) ?? [])
  const signed: Signed = { transaction, authorisation: sign(hash, params.key), ...(terms.length > 0 && { terms }) }
  const taken = inputs.reduce((now, one) => hold(now, { ...one, use: 'paying' }), step)
  const state = { ...taken.state, payments: set(taken.state.payments, hash, signed) }
  const rows = [...taken.rows, Archive.row('payments', hash, signed)]
  return say({ state, rows, outputs: taken.outputs }, { kind: 'submit', txHash: hash, signed })
}

/**
 * Keeps terms of locks: without them nobody can spend, claim or take out what is locked. Whoever pays under terms tells
 * them to the payee, and before the payment to whoever has it back; they are checked against the lock of each output.
 */
export function learn(state: WalletState, all: readonly LockTerms[]): Next {
  const named = all.map((terms) => [lockOf(terms), terms] as const)
  const locks = named.reduce((now, [lock, terms]) => set(now, lock, terms), state.locks)
  const rows = named.map(([lock, terms]) => Archive.row('locks', lock, terms))
  return { state: { ...state, locks }, rows, outputs: [] }
}
