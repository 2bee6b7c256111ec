import { type Hex, isHex, ZERO } from '../base/Bytes.ts'
import { emptyMap, entries, get, type HashMap, remove, set } from '../base/HashMap.ts'
import { addressOf, sign } from '../base/Signature.ts'
import { type Machine, Refusal, type Row, require, type Step } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import { type Inclusion, inclusion } from './Block.ts'
import type { PlasmaCall, PlasmaEvent } from './Call.ts'
import { OWN_PERMIT, type Permit } from './Exit.ts'
import {
  type Applied,
  type Follower,
  type FollowerInput,
  type FollowerParams,
  isSynced,
  progress,
  restoreFollower,
} from './Follower.ts'
import type { Signed } from './Ledger.ts'
import { dueExits, exitsOf, noExits, observeExits, type RunningExits } from './Running.ts'
import { NOBODY } from './Standing.ts'
import {
  type Chain,
  chainId,
  type Deposit,
  MAX_INPUTS,
  MAX_OUTPUTS,
  type Output,
  outputId,
  type Transaction,
  txHash,
} from './Transaction.ts'

/** What a wallet is given once. */
export interface WalletParams extends Omit<FollowerParams, 'chain'> {
  readonly chain: Chain
  /** The owner's private key: 32 bytes. */
  readonly key: Hex
  /** Numbers in which a payment may be included before it is dead. */
  readonly life: number
}

/** Everything that the court wants to see of an output, whoever else is still there to ask. */
export type Proof =
  | { readonly kind: 'deposit'; readonly deposit: Deposit }
  | {
      readonly kind: 'output'
      readonly transaction: Transaction
      readonly position: number
      readonly inclusion: Inclusion
    }

/** An output of this wallet's owner: `use` = free, in a payment that is not settled, or on its way to L1. */
export interface Held {
  readonly id: Hex
  readonly output: Output
  readonly proof: Proof
  readonly use: 'free' | 'paying' | 'leaving'
}

/** A wallet: a follower of its chain, the outputs it holds, and the payments whose end is open. */
export interface WalletState {
  readonly follower: Follower
  readonly owner: Hex
  readonly held: HashMap<Held>
  readonly payments: HashMap<Signed>
  readonly running: RunningExits
}

/** Who is paid how much by a payment. */
export interface Payee {
  readonly owner: Hex
  readonly value: bigint
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
  | { readonly kind: 'leave'; readonly id: Hex; readonly anyway?: boolean }
  | { readonly kind: 'process'; readonly asset: Hex; readonly time: number }
  | { readonly kind: 'sent'; readonly id: Hex; readonly failed: boolean }

/** What a wallet says. A payment is `received` or `paid` only when it and every block before it is valid and final. */
export type WalletOutput =
  | { readonly kind: 'fetch'; readonly number: number }
  | { readonly kind: 'submit'; readonly txHash: Hex; readonly signed: Signed }
  | { readonly kind: 'call'; readonly call: PlasmaCall; readonly id: Hex }
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
        return leave(params, state, input.id, input.anyway)
      case 'process':
        return settle(state, input.asset, input.time)
      case 'sent':
        return input.failed ? reuse(idle(state), input.id, 'leaving', 'free') : idle(state)
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

function reuse(step: Next, id: Hex, from: Held['use'], to: Held['use']): Next {
  const one = get(step.state.held, id)
  return one?.use === from ? hold(step, { ...one, use: from === 'leaving' && isOwed(step, id) ? 'paying' : to }) : step
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
    id: ZERO,
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
  const inputs = select(state, asset, need)
  const signed = signPayment(params, state, asset, inputs, payees, need, memo)
  const hash = txHash(params.court, signed.transaction)
  const taken = inputs.reduce((step, one) => hold(step, { ...one, use: 'paying' }), idle(state))
  const kept = { ...taken.state, payments: set(taken.state.payments, hash, signed) }
  const rows = [...taken.rows, Archive.row('payments', hash, signed)]
  return { state: kept, rows, outputs: [{ kind: 'submit', txHash: hash, signed }] }
}

/** Few and dear outputs: as soon as the dearest suffice, the last of them is the cheapest one that still does. */
function select(state: WalletState, asset: Hex, need: bigint): readonly Held[] {
  const free = freeOf(state, asset)
  const chosen: Held[] = []
  let have = 0n
  for (const one of free.slice(0, MAX_INPUTS)) {
    if (have + one.output.value < need) {
      chosen.push(one)
      have += one.output.value
      continue
    }
    const short = need - have
    const last = free.findLast((other) => other.output.value >= short && !chosen.includes(other))
    return [...chosen, last ?? one]
  }
  throw new Refusal('InsufficientFunds', have, need)
}

function signPayment(
  params: WalletParams,
  state: WalletState,
  asset: Hex,
  inputs: readonly Held[],
  payees: readonly Payee[],
  need: bigint,
  memo: Hex,
): Signed {
  const change = inputs.reduce((sum, one) => sum + one.output.value, 0n) - need
  const all = change > 0n ? [...payees, { owner: state.owner, value: change }] : payees
  require(all.length <= MAX_OUTPUTS, 'WrongOutputCount', all.length, MAX_OUTPUTS)
  const { ledger } = state.follower
  const transaction: Transaction = {
    chain: ledger.chain,
    inputs: inputs.map((one) => one.id),
    outputs: all.map(({ owner, value }) => ({ owner, asset, value, lock: ZERO })),
    lastBlock: ledger.number + params.life,
    memo,
  }
  return { transaction, authorisation: sign(txHash(params.court, transaction), params.key) }
}

function leave(params: WalletParams, state: WalletState, id: Hex, anyway = false): Next {
  const one = get(state.held, id)
  if (!one) throw new Refusal('UnknownOutput', id)
  // A start that nobody heard of again may be tried again: the court knows if it was heard.
  const lost = one.use === 'leaving' && exitsOf(state.running, id).length === 0
  require(one.use === 'free' || lost || (anyway && one.use === 'paying'), 'OutputInUse', id, one.use)
  const call = exitCall(params.chain, one.proof, OWN_PERMIT)
  return say(hold(idle(state), { ...one, use: 'leaving' }), { kind: 'call', id, call })
}

/** The call that starts the exit of an output with its proof. */
export function exitCall(chain: Chain, proof: Proof, permit: Permit): PlasmaCall {
  if (proof.kind === 'deposit') return { verb: 'startDepositExit', deposited: proof.deposit, permit }
  const { transaction, position: output, inclusion } = proof
  return { verb: 'startExit', path: [chain], transaction, output, inclusion, permit }
}

function settle(state: WalletState, asset: Hex, time: number): Next {
  const exits = dueExits(state.running, asset, time)
  const call: PlasmaCall = { verb: 'process', chain: state.follower.params.chain, asset, exits, inFlight: [] }
  return say(idle(state), { kind: 'call', id: ZERO, call })
}

// What happens

function onProgress(state: WalletState, input: FollowerInput): Next {
  const made = progress(state.follower, input)
  const running = observeExits(state.running, made.fresh)
  let step: Next = { state: { ...state, follower: made.follower, running }, rows: made.rows, outputs: [] }
  step = made.fresh.flatMap((block) => block.events).reduce(onEvent, step)
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

function onEvent(step: Next, event: PlasmaEvent): Next {
  switch (event.name) {
    case 'Deposited':
      return event.owner === step.state.owner ? onDeposited(step, event) : step
    case 'ExitStarted':
      return reuse(step, event.ids, 'free', 'leaving')
    case 'ExitChallenged':
    case 'ExitCancelled':
    case 'ExitDropped':
    case 'ExitUnpaid':
      // Another exit of it may run still: what is signed then would be the proof that voids it.
      return exitsOf(step.state.running, event.ids).length === 0 ? reuse(step, event.ids, 'leaving', 'free') : step
    case 'ExitPaid':
      return get(step.state.held, event.ids)
        ? say(release(step, event.ids), { kind: 'left', id: event.ids, amount: event.amount })
        : step
    default:
      return step
  }
}

function onDeposited(step: Next, event: PlasmaEvent & { readonly name: 'Deposited' }): Next {
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
  return bury(overtaken(now, applied), applied.commitment.number)
}

/** L1 may have told of exits of a block's outputs before the block came. */
function overtaken(step: Next, applied: Applied): Next {
  const own = (id: Hex) => {
    const proof = get(step.state.held, id)?.proof
    return proof?.kind === 'output' && proof.inclusion.number === applied.commitment.number
  }
  const events = step.state.follower.l1.flatMap((block) => block.events)
  return events.filter((event) => 'ids' in event && own(event.ids)).reduce(onEvent, step)
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
    now = hold(now, { id, output, use: 'free', proof: { kind: 'output', transaction, position, inclusion: shown } })
    now = say(now, { kind: 'received', id, output, number: applied.commitment.number })
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
