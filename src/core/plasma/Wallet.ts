import { type Hex, isHex, ZERO } from '../base/Bytes.ts'
import { emptyMap, entries, get, type HashMap, remove, set } from '../base/HashMap.ts'
import { addressOf, sign } from '../base/Signature.ts'
import { type Machine, Refusal, type Row, require, type Step } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import { inclusion } from './Block.ts'
import type { PlasmaCall } from './Call.ts'
import { type Chain, chainId } from './Chain.ts'
import { dueExits } from './Due.ts'
import { OWN_PERMIT } from './Exit.ts'
import {
  type Applied,
  type Follower,
  type FollowerInput,
  type FollowerParams,
  isSynced,
  progress,
  restoreFollower,
} from './Follower.ts'
import { exitCalls, flightCall, type Held, type Proof } from './Held.ts'
import { isUnique, type Signed } from './Ledger.ts'
import { outputsOf, type Payee, select } from './Payment.ts'
import {
  claimOn,
  endOf,
  noExits,
  observeExit,
  observeExits,
  openPositions,
  PAID_OUT,
  type RunningExits,
  touchedBy,
} from './Running.ts'
import type { SeenEvent } from './Seen.ts'
import { NOBODY } from './Standing.ts'
import type { Output } from './Transaction.ts'
import { MAX_OUTPUTS, outputId, txHash } from './Transaction.ts'

/** What a wallet is given once. */
export interface WalletParams extends Omit<FollowerParams, 'chain'> {
  readonly chain: Chain
  /** The owner's private key: 32 bytes. */
  readonly key: Hex
  /** Numbers in which a payment may be included before it is dead. */
  readonly life: number
}

/** A wallet: a follower of its chain, the outputs it holds, and the payments whose end is open. */
export interface WalletState {
  readonly follower: Follower
  readonly owner: Hex
  readonly held: HashMap<Held>
  readonly payments: HashMap<Signed>
  readonly running: RunningExits
}

/** What a wallet is told; `salt` and `memo` are 32 bytes; `sent` = how the start of an exit ended. */
export type WalletInput =
  | FollowerInput
  | { readonly kind: 'deposit'; readonly asset: Hex; readonly value: bigint; readonly salt: Hex }
  | {
      readonly kind: 'pay'
      readonly asset: Hex
      readonly payees: readonly Payee[]
      /** Left to the operator. */
      readonly fee: bigint
      readonly memo: Hex
    }
  | { readonly kind: 'leave'; readonly ids: readonly Hex[]; readonly anyway?: boolean }
  | { readonly kind: 'fly'; readonly txHash: Hex }
  | { readonly kind: 'piggyback'; readonly txHash: Hex }
  | { readonly kind: 'process'; readonly asset: Hex; readonly time: number }
  | { readonly kind: 'sent'; readonly ids: readonly Hex[]; readonly failed: boolean }

/** What a wallet says. A payment is `received` or `paid` only when it and every block before it is valid and final. */
export type WalletOutput =
  | { readonly kind: 'fetch'; readonly number: number }
  | { readonly kind: 'submit'; readonly txHash: Hex; readonly signed: Signed }
  | { readonly kind: 'call'; readonly call: PlasmaCall; readonly ids: readonly Hex[] }
  | { readonly kind: 'deposited'; readonly id: Hex; readonly output: Output }
  | { readonly kind: 'received'; readonly id: Hex; readonly output: Output; readonly number: number }
  | { readonly kind: 'paid'; readonly txHash: Hex; readonly number: number }
  | { readonly kind: 'failed'; readonly txHash: Hex }
  | { readonly kind: 'left'; readonly id: Hex; readonly amount: bigint }
  | { readonly kind: 'bad'; readonly number: number; readonly why: string }

type Next = Step<WalletState, WalletOutput>

/** A wallet from its store; an empty one follows L1 from `from`. */
export function restoreWallet(params: WalletParams, rows: Archive.Rows, from: number): WalletState {
  const { court, depth, patience } = params
  const follower = restoreFollower({ court, chain: chainId(params.chain), depth, patience }, rows, from)
  let [held, payments] = [emptyMap<Held>(), emptyMap<Signed>()]
  for (const [, one] of rows.all('held')) held = set(held, (one as unknown as Held).id, one as unknown as Held)
  for (const [hash, signed] of rows.all('payments')) payments = set(payments, hash as Hex, signed as unknown as Signed)
  const running = observeExits(noExits(), Archive.storedL1(rows))
  return { follower, owner: addressOf(params.key), held, payments, running }
}

/** The wallet's machine: refuses InsufficientFunds, MalformedOwner, NotSynced, ChainBad, OutputInUse. */
export function walletMachine(params: WalletParams): Machine<WalletState, WalletInput, WalletOutput> {
  return (state, input) => {
    switch (input.kind) {
      case 'deposit':
        return deposit(state, input.asset, input.value, input.salt)
      case 'pay':
        return pay(params, state, input.asset, input.payees, input.fee, input.memo)
      case 'leave':
        return leave(params, state, input.ids, input.anyway)
      case 'fly':
        return fly(params, state, input.txHash)
      case 'piggyback':
        return join(state, input.txHash)
      case 'process':
        return settle(state, input.asset, input.time)
      case 'sent':
        return input.failed
          ? input.ids.reduce((step, id) => reuse(step, id, 'leaving', 'free'), idle(state))
          : idle(state)
      default:
        return onProgress(state, input)
    }
  }
}

/** What is free of an asset. */
export function balanceOf(state: WalletState, asset: Hex): bigint {
  return freeOf(state, asset).reduce((sum, one) => sum + one.output.value, 0n)
}

/** The outputs of an asset that a payment or an exit may take, dearest first. */
export function freeOf(state: WalletState, asset: Hex): readonly Held[] {
  const free = heldBy(state).filter((one) => one.use === 'free' && one.output.asset === asset)
  return free.sort((a, b) => (a.output.value === b.output.value ? 0 : a.output.value > b.output.value ? -1 : 1))
}

/** Everything that the wallet holds. */
export function heldBy(state: WalletState): Held[] {
  return [...entries(state.held)].map(([, one]) => one)
}

function idle(state: WalletState): Next {
  return { state, rows: [], outputs: [] }
}

function say(step: Next, ...outputs: readonly WalletOutput[]): Next {
  return { ...step, outputs: [...step.outputs, ...outputs] }
}

function hold(step: Next, one: Held): Next {
  const state = { ...step.state, held: set(step.state.held, one.id, one) }
  return { ...step, state, rows: [...step.rows, Archive.row('held', one.id, one)] }
}

function release(step: Next, id: Hex): Next {
  if (!get(step.state.held, id)) return step
  const row: Row = { table: 'held', key: id, value: undefined }
  return { ...step, state: { ...step.state, held: remove(step.state.held, id) }, rows: [...step.rows, row] }
}

/** Uses an output for something else; what layer 1 has a claim on is never free. */
function reuse(step: Next, id: Hex, from: Held['use'], to: Held['use']): Next {
  const one = get(step.state.held, id)
  if (one?.use !== from) return step
  const owed = from === 'leaving' && isOwed(step, id)
  const use = owed ? 'paying' : to === 'free' && claimOn(step.state.running, id, ZERO) ? 'leaving' : to
  return hold(step, { ...one, use })
}

function isOwed({ state }: Next, id: Hex): boolean {
  return [...entries(state.payments)].some(([, { transaction }]) => transaction.inputs.includes(id))
}

// What the owner wants

/** A wallet acts on a chain only while it knows all of it, and all of it is valid. */
function requireGood({ follower }: WalletState): void {
  const { bad, commits } = follower
  if (bad) throw new Refusal('ChainBad', bad.number)
  require(isSynced(follower) && commits.length === 0, 'NotSynced', follower.ledger.number - 1, commits.at(-1)?.number ??
    0)
}

function deposit(state: WalletState, asset: Hex, value: bigint, salt: Hex): Next {
  requireGood(state)
  requireValue(value)
  const chain = state.follower.params.chain
  return say(idle(state), {
    kind: 'call',
    ids: [],
    call: { verb: 'deposit', chain, salt, owner: state.owner, asset, value },
  })
}

function requireValue(value: bigint): void {
  require(value > 0n, 'ZeroValue')
  require(value < 2n ** 256n, 'ValueTooLarge', value)
}

function pay(
  params: WalletParams,
  state: WalletState,
  asset: Hex,
  payees: readonly Payee[],
  fee: bigint,
  memo: Hex,
): Next {
  requireGood(state)
  for (const { owner, value } of payees) {
    require(isHex(owner, 20), 'MalformedOwner', owner)
    require(owner !== NOBODY, 'ZeroOwner')
    requireValue(value)
  }
  require(fee >= 0n, 'NegativeFee', fee)
  require(payees.length >= 1 && payees.length <= MAX_OUTPUTS, 'WrongOutputCount', payees.length, MAX_OUTPUTS)
  const need = payees.reduce((sum, payee) => sum + payee.value, fee)
  const { ledger } = state.follower
  const inputs = select(freeOf(state, asset), need, isUnique(state, asset))
  const outputs = outputsOf(state.owner, asset, inputs, payees, need)
  const lastBlock = ledger.number + params.life
  const transaction = { chain: ledger.chain, inputs: inputs.map((one) => one.id), outputs, lastBlock, memo }
  const signed = { transaction, authorisation: sign(txHash(params.court, transaction), params.key) }
  const hash = txHash(params.court, signed.transaction)
  const taken = inputs.reduce((step, one) => hold(step, { ...one, use: 'paying' }), idle(state))
  const kept = { ...taken.state, payments: set(taken.state.payments, hash, signed) }
  const rows = [...taken.rows, Archive.row('payments', hash, signed)]
  return { state: kept, rows, outputs: [{ kind: 'submit', txHash: hash, signed }] }
}

function leave(params: WalletParams, state: WalletState, ids: readonly Hex[], anyway = false): Next {
  const all = ids.map((id) => leavable(state, id, anyway))
  const doubtful = new Set(all.filter((one) => one.use === 'paying').map(({ id }) => id))
  const single = ({ id, output }: Held) => doubtful.has(id) || isUnique(state, output.asset)
  const calls = exitCalls(params.chain, all, OWN_PERMIT, single)
  const taken = all.reduce((step, one) => hold(step, { ...one, use: 'leaving' }), idle(state))
  return say(taken, ...calls.map((one) => ({ kind: 'call' as const, ...one })))
}

function leavable(state: WalletState, id: Hex, anyway: boolean): Held {
  const one = get(state.held, id)
  if (!one) throw new Refusal('UnknownOutput', id)
  // A start that nobody heard of again may be tried again: the court knows if it was heard.
  const lost = one.use === 'leaving' && claimOn(state.running, id, ZERO) === undefined
  require(one.use === 'free' || lost || (anyway && one.use === 'paying'), 'OutputInUse', id, one.use)
  return one
}

/** An open payment leaves as it is: its payees have what it pays them, or its payer has its inputs back. */
function fly(params: WalletParams, state: WalletState, hash: Hex): Next {
  const signed = get(state.payments, hash)
  if (!signed) throw new Refusal('UnknownPayment', hash)
  const call = flightCall(params.chain, signed, (id) => get(state.held, id))
  return say(idle(state), { kind: 'call', ids: [], call })
}

/** Whatever is the owner's of an in-flight exit that runs, and not piggybacked, paid or blocked. */
function join(state: WalletState, hash: Hex): Next {
  const one = get(state.running.inFlight, hash)
  const positions = one ? openPositions(state.running, one, state.owner) : 0
  if (!one || positions === 0) throw new Refusal('NothingLeft', hash)
  const call: PlasmaCall = { verb: 'piggyback', inFlight: one.inFlight, positions, terms: [] }
  return say(idle(state), { kind: 'call', ids: [], call })
}

function settle(state: WalletState, asset: Hex, time: number): Next {
  const { chain } = state.follower.params
  const call: PlasmaCall = { verb: 'process', chain, asset, ...dueExits(state.running, asset, time) }
  return say(idle(state), { kind: 'call', ids: [], call })
}

// What happens

function onProgress(state: WalletState, input: FollowerInput): Next {
  const made = progress(state.follower, input)
  let step: Next = { state: { ...state, follower: made.follower }, rows: made.rows, outputs: [] }
  for (const { time, events } of made.fresh) step = events.reduce((now, event) => onEvent(now, event, time), step)
  if (made.applied) step = onApplied(step, made.applied)
  if (made.bad) step = say(step, { kind: 'bad', number: made.bad.number, why: made.bad.why })
  if (made.fetch !== undefined) step = say(step, { kind: 'fetch', number: made.fetch })
  return made.applied || input.kind === 'tick' ? again(step) : step
}

/** A payment that is not settled is told to the operator again, unless what it spends is leaving. */
function again(step: Next): Next {
  const pays = (id: Hex) => get(step.state.held, id)?.use === 'paying'
  const open = [...entries(step.state.payments)].filter(([, { transaction }]) => transaction.inputs.every(pays))
  return say(step, ...open.map(([hash, signed]) => ({ kind: 'submit' as const, txHash: hash, signed })))
}

function onEvent(step: Next, event: SeenEvent, time: number): Next {
  const { running, owner } = step.state
  const touched = touchedBy(running, event)
  const now = { ...step, state: { ...step.state, running: observeExit(running, event, time) } }
  if (event.name === 'Deposited' && event.owner === owner) return onDeposited(now, event)
  const ends = event.name !== 'InFlightStarted'
  const seen = touched.reduce((made, id) => onTouched(made, id, ends), now)
  return event.name === 'InFlightProcessed' && event.canonical ? close(seen, event.txHash) : seen
}

/** What layer 1 has paid or consumed is held no more; what it has a claim on is leaving, and else free again. */
function onTouched(step: Next, id: Hex, ends: boolean): Next {
  const { running, held } = step.state
  const one = get(held, id)
  const ended = endOf(running, id)
  if (!one || ended === undefined) {
    if (claimOn(running, id, ZERO)) return reuse(step, id, 'free', 'leaving')
    return ends ? reuse(step, id, 'leaving', 'free') : step
  }
  const gone = release(step, id)
  return ended === PAID_OUT ? say(gone, { kind: 'left', id, amount: one.output.value }) : gone
}

/** A payment that layer 1 has carried out itself needs no block any more. */
function close(step: Next, hash: Hex): Next {
  return get(step.state.payments, hash) ? forget(step, hash) : step
}

function onDeposited(step: Next, event: SeenEvent & { readonly name: 'Deposited' }): Next {
  const { id, chain, sender, salt, owner, asset, value } = event
  const proof: Proof = { kind: 'deposit', deposit: { chain, sender, salt, owner, asset, value } }
  const output = { owner, asset, value, lock: ZERO }
  return say(hold(step, { id, output, proof, use: 'free' }), { kind: 'deposited', id, output })
}

function onApplied(step: Next, applied: Applied): Next {
  let now = step
  applied.transactions.forEach(({ transaction }, index) => {
    for (const id of transaction.inputs) now = release(now, id)
    now = end(now, applied.hashes[index]!, applied.commitment.number)
    now = receive(now, applied, index)
  })
  return bury(now, applied.commitment.number)
}

function end(step: Next, hash: Hex, number: number): Next {
  if (!get(step.state.payments, hash)) return step
  return say(forget(step, hash), { kind: 'paid', txHash: hash, number })
}

function forget(step: Next, hash: Hex): Next {
  const row: Row = { table: 'payments', key: hash, value: undefined }
  const state = { ...step.state, payments: remove(step.state.payments, hash) }
  return { ...step, state, rows: [...step.rows, row] }
}

function receive(step: Next, applied: Applied, index: number): Next {
  let now = step
  const { transaction } = applied.transactions[index]!
  transaction.outputs.forEach((output, position) => {
    if (output.owner !== step.state.owner) return
    const id = outputId(applied.hashes[index]!, position)
    const shown = inclusion(applied.tree, index, applied.commitment)
    const proof: Proof = { kind: 'output', transaction, position, inclusion: shown }
    now = say(hold(now, { id, output, use: 'free', proof }), {
      kind: 'received',
      id,
      output,
      number: applied.commitment.number,
    })
    // L1 may have told of the exits of a block's outputs before the block came.
    now = onTouched(now, id, true)
  })
  return now
}

/** Payments that no block up to their last one has are dead: what they would have spent is free again. */
function bury(step: Next, number: number): Next {
  let now = step
  for (const [hash, { transaction }] of entries(step.state.payments)) {
    if (transaction.lastBlock > number) continue
    now = transaction.inputs.reduce((made, id) => reuse(made, id, 'paying', 'free'), forget(now, hash))
    now = say(now, { kind: 'failed', txHash: hash })
  }
  return now
}
