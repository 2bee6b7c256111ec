import { requireValue } from '../base/Asset.ts'
import { ETHER, type Hex, ZERO } from '../base/Bytes.ts'
import type { Court } from '../base/Court.ts'
import { Refusal, require } from '../base/Step.ts'
import { commitmentHash, type Inclusion } from './Block.ts'
import type { PlasmaCall, PlasmaEvent } from './Call.ts'
import {
  addToPot,
  claim,
  type Draft,
  draftOn,
  type PlasmaCourt,
  pair,
  pay,
  payWithBond,
  potOf,
  pull,
  put,
  queueOf,
  type Terms,
} from './Draft.ts'
import {
  bond,
  DEPOSITED,
  type Exit,
  entry,
  exitableAt,
  exitableAtOf,
  laneOf,
  PAID,
  type Permit,
  UNKNOWN,
} from './Exit.ts'
import { clear, type Place, peek, pop, push, wordAt } from './ExitQueue.ts'
import {
  leafOf,
  NOBODY,
  requireAuthorised,
  requireBond,
  requireLiveOrShown,
  requirePermit,
  requireShown,
  requireSigned,
  requireSigner,
} from './Standing.ts'
import { chainId, depositId, txHash as hashOf, type Output, outputId, registrationDigest } from './Transaction.ts'

/**
 * Wei to attach to a call at a base fee (wei per gas): the deposit's ether, one and a half bonds for a start (the court
 * takes one to two, so the base fee may rise by a half or fall by a quarter meanwhile), nothing for others.
 */
export function callValue(terms: Terms, call: PlasmaCall, baseFee: bigint): bigint {
  if (call.verb === 'deposit') return call.asset === ETHER ? call.value : 0n
  const least = bond(terms.bondGas, terms.feeFloor, terms.feeCeiling, baseFee)
  return call.verb === 'startExit' || call.verb === 'startDepositExit' ? least + least / 2n : 0n
}

/**
 * Gas to allow a call at least, whatever a node estimates: process succeeds with too little, too, and then stops early.
 * Enough for every exit even if each of its receivers burns what it is given.
 */
export function leastGas(call: PlasmaCall): bigint {
  return call.verb === 'process' ? 350_000n + 200_000n * BigInt(call.exits.length) : 0n
}

type Of<Verb> = Extract<PlasmaCall, { readonly verb: Verb }>

/** The model of RootChain.sol, given enough gas: the same events, payments and refusals in the same order. */
export const rootChain: Court<PlasmaCourt, PlasmaCall, PlasmaEvent> = (state, call, env) => {
  const draft = draftOn(state, env)
  const rule = RULES[call.verb] as (draft: Draft, call: PlasmaCall) => void
  rule(draft, call)
  return { state: draft.state, events: draft.events, transfers: draft.transfers }
}

const RULES: { readonly [Verb in PlasmaCall['verb']]: (draft: Draft, call: Of<Verb>) => void } = {
  register,
  commit,
  deposit,
  approve,
  startExit,
  startDepositExit,
  challengeExit,
  cancelExit,
  process,
  claimCredit: (draft, { asset, owner, to }) => claim(draft, asset, owner, to),
}

function register(draft: Draft, { path, signatures }: Of<'register'>): void {
  const id = leafOf(path)
  require(signatures.length === 1, 'WrongSignatures', BigInt(signatures.length), 1n)
  require(!draft.state.chains.has(id), 'KnownChain', id)
  const [chain, signature] = [path[0]!, signatures[0]!]
  const digest = registrationDigest(draft.state.terms.court, chain)
  if (signature === '0x') requireSigner(draft.env.sender, chain.operator)
  else requireSigned(digest, signature, chain.operator)
  put(draft, 'chains', id, { depth: 1, since: 0, number: 0, time: 0, asOf: 0 })
  draft.events.push({ name: 'ChainRegistered', chain: id, since: 0, path })
}

function commit(draft: Draft, { chain, number, header, asOf }: Of<'commit'>): void {
  const id = chainId(chain)
  const { time, sender } = draft.env
  const last = draft.state.chains.get(id)
  require(last?.depth === 1, 'UnknownChain', id)
  require(sender === chain.operator, 'NotOperator', sender, chain.operator)
  require(number === last.number + 1, 'WrongNumber', number, last.number + 1)
  require(time > last.time, 'SameSecond', time, last.time)
  require(asOf >= last.asOf, 'EarlyAsOf', asOf, last.asOf)
  require(asOf < time, 'FutureAsOf', asOf, time)
  const latest = asOf + draft.state.terms.margin
  require(time <= latest, 'LateCommit', time, latest)
  put(draft, 'chains', id, { depth: 1, since: 0, number, time, asOf })
  put(draft, 'commitments', pair(id, number), commitmentHash(header, time, asOf))
  draft.events.push({ name: 'Committed', chain: id, number, time, asOf, header })
}

function deposit(draft: Draft, { chain, salt, owner, asset, value }: Of<'deposit'>): void {
  const { sender } = draft.env
  const id = depositId({ chain, sender, salt, owner, asset, value })
  require(asset === ETHER, 'UnsupportedAsset', asset)
  require(owner !== NOBODY, 'ZeroOwner')
  require(value !== 0n, 'ZeroValue')
  require(draft.state.chains.has(chain), 'UnknownChain', chain)
  const status = statusOf(draft, id)
  require(status === UNKNOWN, 'WrongStatus', id, status, UNKNOWN)
  put(draft, 'status', id, DEPOSITED)
  addToPot(draft, chain, asset, value)
  draft.events.push({ name: 'Deposited', id, chain, owner, sender, salt, asset, value })
  requireValue(draft.env, asset, value)
  pull(draft, value)
}

function approve(draft: Draft, { txHash }: Of<'approve'>): void {
  const owner = draft.env.sender
  put(draft, 'approved', pair(owner, txHash), true)
  draft.events.push({ name: 'Approved', owner, txHash })
}

function startExit(draft: Draft, { path, transaction, output, inclusion, permit }: Of<'startExit'>): void {
  const txHash = hashOf(draft.state.terms.court, transaction)
  const id = outputId(txHash, output)
  requireShown(draft, path, transaction, txHash, inclusion)
  const leaving = transaction.outputs[output]
  require(leaving !== undefined, 'NoSuchPosition', BigInt(output), BigInt(transaction.outputs.length))
  require(leaving.lock === ZERO, 'LockedOutput', leaving.lock)
  require(leaving.asset === ETHER, 'UnsupportedAsset', leaving.asset)
  const status = statusOf(draft, id)
  require(status < PAID, 'Finalised', id, status)
  start(draft, transaction.chain, leaving, id, inclusion, permit)
}

function startDepositExit(draft: Draft, { deposited, permit }: Of<'startDepositExit'>): void {
  const id = depositId(deposited)
  const status = statusOf(draft, id)
  require(status === DEPOSITED, 'WrongStatus', id, status, DEPOSITED)
  start(draft, deposited.chain, deposited, id, { number: 0, time: 0 }, permit)
}

function start(
  draft: Draft,
  chain: Hex,
  { owner, asset, value }: Pick<Output, 'owner' | 'asset' | 'value'>,
  id: Hex,
  from: Pick<Inclusion, 'number' | 'time'>,
  permit: Permit,
): void {
  const { sender, time, value: posted } = draft.env
  const { mfp } = draft.state.terms
  requireBond(draft)
  requirePermit(draft, chain, id, owner, permit)
  const exitable = exitableAt(time, mfp, from.time)
  const lane = laneOf(time, mfp, from.number, from.time)
  const terms = { chain, asset, owner, lock: ZERO, ids: id, count: 1, value }
  const exit: Exit = { ...terms, exitableAt: exitable, bond: posted, starter: sender }
  const { queue, index } = push(queueOf(draft.state, chain, asset), lane, entry(exit))
  put(draft, 'queues', pair(chain, asset), queue)
  pull(draft, posted)
  draft.events.push({ name: 'ExitStarted', ids: id, lane, index, exit })
}

function challengeExit(draft: Draft, { path, exit, lane, index, spend }: Of<'challengeExit'>): void {
  const txHash = hashOf(draft.state.terms.court, spend.tx)
  require(spend.tx.chain === exit.chain, 'WrongChain', spend.tx.chain, exit.chain)
  const { inputs } = spend.tx
  const input = inputs[spend.input]
  require(input !== undefined, 'NoSuchPosition', BigInt(spend.input), BigInt(inputs.length))
  require(input === exit.ids, 'WrongInput', input, exit.ids)
  requireAuthorised(draft, exit.owner, txHash, spend.signature)
  requireLiveOrShown(draft, path, spend, txHash)
  clearEntry(draft, exit, lane, index)
  draft.events.push({ name: 'ExitChallenged', ids: exit.ids, lane, index, txHash, challenger: draft.env.sender })
  split(draft, exit)
}

function cancelExit(draft: Draft, { exit, lane, index }: Of<'cancelExit'>): void {
  require(draft.env.sender === exit.owner, 'NotOwner', draft.env.sender, exit.owner)
  clearEntry(draft, exit, lane, index)
  draft.events.push({ name: 'ExitCancelled', ids: exit.ids, lane, index })
  split(draft, exit)
}

function clearEntry(draft: Draft, exit: Exit, lane: number, index: number): void {
  const queue = queueOf(draft.state, exit.chain, exit.asset)
  const [have, need] = [wordAt(queue, lane, index), entry(exit)]
  require(have === need, 'WrongEntry', have, need)
  put(draft, 'queues', pair(exit.chain, exit.asset), clear(queue, lane, index))
}

function split(draft: Draft, exit: Exit): void {
  const half = exit.bond / 2n
  addToPot(draft, exit.chain, ETHER, exit.bond - half)
  pay(draft, ETHER, draft.env.sender, half)
}

function process(draft: Draft, call: Of<'process'>): void {
  const { chain, asset, inFlight } = call
  require(inFlight.length === 0, 'UnsupportedExits', BigInt(inFlight.length), 0n)
  let from = 0
  for (let moved = false; ; moved = true) {
    const turn = nextTurn(draft, call, from)
    if (turn instanceof Refusal) {
      if (moved) return
      throw turn
    }
    put(draft, 'queues', pair(chain, asset), pop(queueOf(draft.state, chain, asset), turn.head))
    if (turn.exit) settle(draft, turn.exit, turn.head)
    from = turn.from
  }
}

/** The head of the queue with its exit (none where void), or why it cannot pass. */
function nextTurn({ state, env }: Draft, { chain, asset, exits }: Of<'process'>, start: number): Turn | Refusal {
  const head = peek(queueOf(state, chain, asset))
  if (!head) return new Refusal('EmptyQueue', chain, asset)
  if (head.word === 0n) return { head, exit: undefined, from: start }
  const due = exitableAtOf(head.word)
  if (env.time < due) return new Refusal('NotExitable', env.time, due)
  const at = exits.findIndex((exit, i) => i >= start && entry(exit) === head.word)
  const exit = exits[at]
  return exit ? { head, exit, from: at + 1 } : new Refusal('MissingExit', head.lane, head.index)
}

interface Turn {
  readonly head: Place
  readonly exit: Exit | undefined
  /** Where to look on for the next one's data. */
  readonly from: number
}

function settle(draft: Draft, exit: Exit, { lane, index }: Place): void {
  const { ids, value, chain, asset } = exit
  const have = potOf(draft.state, chain, asset)
  let amount = 0n
  if (statusOf(draft, ids) >= PAID) draft.events.push({ name: 'ExitDropped', ids, lane, index })
  else if (value > have) draft.events.push({ name: 'ExitUnpaid', ids, lane, index, have, need: value })
  else {
    amount = value
    put(draft, 'status', ids, PAID)
    addToPot(draft, chain, asset, -amount)
    draft.events.push({ name: 'ExitPaid', ids, lane, index, amount })
  }
  payWithBond(draft, exit, amount)
}

function statusOf({ state }: Draft, id: Hex): bigint {
  return state.status.get(id) ?? UNKNOWN
}
