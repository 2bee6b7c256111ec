// What matures is paid in the order of its age; what cannot be pushed is pulled.
import { ETHER, type Hex, ZERO } from '../base/Bytes.ts'
import { Refusal, require } from '../base/Step.ts'
import type { CallOf } from './Call.ts'
import { type Draft, erase, pair, put } from './Draft.ts'
import { consumedBy, type Exit, entry, exitableAtOf, isConsumed, PAID } from './Exit.ts'
import { type Place, peek, pop } from './ExitQueue.ts'
import { idsOf, type Member, sumOf } from './Group.ts'
import {
  assetsOf,
  type InFlightExit,
  type InFlightState,
  inFlightEntry,
  inFlightHash,
  type Outcome,
  outputAt,
} from './InFlightExit.ts'
import { idAt, placesOf } from './InFlightExits.ts'
import { lockOf } from './LockTerms.ts'
import { NOBODY, payeeUnder } from './Standing.ts'
import { txHash as hashOf, type Output } from './Transaction.ts'
import { addToPot, escrow, escrowKey, handOver, isUnique, pay, payToken, potOf, queueOf, statusOf } from './Vaults.ts'

/** Pays matured exits of a queue in its order, until one cannot be passed; refuses if that is the first. */
export function process(draft: Draft, call: CallOf<'process'>): void {
  const { chain, asset } = call
  let from: Used = { exit: 0, member: 0, inFlight: 0 }
  for (let moved = false; ; moved = true) {
    const turn = nextTurn(draft, call, from)
    if (turn instanceof Refusal) {
      if (moved) return
      throw turn
    }
    put(draft, 'queues', pair(chain, asset), pop(queueOf(draft.state, chain, asset), turn.head))
    if (turn.exit) settle(draft, turn.exit, turn.members, turn.head)
    if (turn.inFlight) settleInFlight(draft, turn.inFlight, asset)
    from = turn.used
  }
}

/** How far the data of a call is used up. */
interface Used {
  readonly exit: number
  readonly member: number
  readonly inFlight: number
}

/** The head of the queue with its data: none where it is void. */
interface Turn {
  readonly head: Place
  readonly exit?: Exit
  readonly members: readonly Member[]
  readonly inFlight?: InFlightExit
  readonly used: Used
}

/** Whose turn it is, or why it cannot pass. */
function nextTurn(draft: Draft, call: CallOf<'process'>, used: Used): Turn | Refusal {
  const { state, env } = draft
  const head = peek(queueOf(state, call.chain, call.asset))
  if (!head) return new Refusal('EmptyQueue', call.chain, call.asset)
  if (head.word === 0n) return { head, members: [], used }
  const due = exitableAtOf(head.word)
  if (env.time < due) return new Refusal('NotExitable', env.time, due)
  const found = findExit(head, call, used) ?? findInFlight(draft, head, call, used)
  return found ?? new Refusal('MissingExit', head.lane, head.index)
}

function findExit(head: Place, { exits, members }: CallOf<'process'>, used: Used): Turn | undefined {
  let member = used.member
  for (let at = used.exit; at < exits.length; at++) {
    const exit = exits[at]!
    const end = member + (exit.count > 1 ? exit.count : 0)
    const own = members.slice(member, end)
    const whole = exit.count === 1 || (own.length === exit.count && idsOf(own) === exit.ids)
    if (entry(exit) === head.word && whole) {
      return { head, exit, members: own, used: { ...used, exit: at + 1, member: end } }
    }
    member = end
  }
  return undefined
}

function findInFlight(draft: Draft, head: Place, call: CallOf<'process'>, used: Used): Turn | undefined {
  const at = call.inFlight.findIndex((one, i) => i >= used.inFlight && isTurnOf(draft, one, head.word))
  const inFlight = call.inFlight[at]
  return inFlight && { head, members: [], inFlight, used: { ...used, inFlight: at + 1 } }
}

/** The word's exit, exactly as its event told it. */
function isTurnOf({ state }: Draft, inFlight: InFlightExit, word: bigint): boolean {
  const txHash = hashOf(state.terms.court, inFlight.tx)
  const { start, exitableAt } = inFlight
  return (
    inFlightEntry(txHash, start, exitableAt) === word && state.inFlight.get(txHash)?.hash === inFlightHash(inFlight)
  )
}

/**
 * Pays a standard exit once, what of it is not finalised, from its own pot; and its bond back, unless a part of it was
 * consumed: its owner had signed that away.
 */
function settle(draft: Draft, exit: Exit, group: readonly Member[], { lane, index }: Place): void {
  const { chain, asset, owner, lock, ids, starter } = exit
  const members = exit.count === 1 ? [{ id: ids, value: exit.value }] : group
  const open = members.filter(({ id }) => statusOf(draft, id) < PAID)
  const value = sumOf(open)
  const consumed = members.some(({ id }) => isConsumed(statusOf(draft, id)))
  const place = { ids, lane, index }
  const short = shortOf(draft, chain, asset, value)
  const paid = open.length > 0 && !short
  if (open.length === 0) draft.events.push({ name: 'ExitDropped', ...place })
  else if (short) draft.events.push({ name: 'ExitUnpaid', ...place, ...short })
  else {
    takeOut(draft, chain, asset, value)
    for (const { id } of open) put(draft, 'status', id, PAID)
    draft.events.push({ name: 'ExitPaid', ...place, amount: value })
  }
  if (consumed) addToPot(draft, chain, ETHER, exit.bond)
  payOut(draft, { owner, asset, value, lock }, paid, starter, consumed ? 0n : exit.bond)
}

/** What the chain has of an asset where it does not have enough: of an ERC-721 the one token, or none. */
function shortOf(
  draft: Draft,
  chain: Hex,
  asset: Hex,
  value: bigint,
): { readonly have: bigint; readonly need: bigint } | undefined {
  if (isUnique(draft, asset)) {
    return draft.state.holders.get(pair(asset, value)) === chain ? undefined : { have: 0n, need: 1n }
  }
  const have = potOf(draft.state, chain, asset)
  return value > have ? { have, need: value } : undefined
}

/** Takes what is to be paid out of the chain's pot; an ERC-721 is held by no chain then. */
function takeOut(draft: Draft, chain: Hex, asset: Hex, value: bigint): void {
  if (isUnique(draft, asset)) erase(draft, 'holders', pair(asset, value))
  else addToPot(draft, chain, asset, -value)
}

/** Pays an output if it is `due`, and a bond to whom it belongs: in one payment where both go the same way. */
function payOut(draft: Draft, output: Output, due: boolean, starter: Hex, bond: bigint): void {
  const { owner, asset, value, lock } = output
  if (due && lock === ZERO && asset === ETHER && owner === starter) {
    pay(draft, ETHER, owner, value + bond)
    return
  }
  if (due) payOwner(draft, output)
  pay(draft, ETHER, starter, bond)
}

/** What has a lock waits for whom that decides, so that no payment needs to know the terms. */
function payOwner(draft: Draft, { owner, asset, value, lock }: Output): void {
  if (lock !== ZERO) escrow(draft, owner, lock, asset, value)
  else if (isUnique(draft, asset)) payToken(draft, asset, owner, value)
  else pay(draft, asset, owner, value)
}

/** One queue's part of an in-flight exit: the first one fixes the outcome, each pays its positions, the last one ends it. */
function settleInFlight(draft: Draft, inFlight: InFlightExit, asset: Hex): void {
  const txHash = hashOf(draft.state.terms.court, inFlight.tx)
  const before = draft.state.inFlight.get(txHash)!
  const outcome = before.outcome === 'open' ? decide(draft, inFlight, txHash, before) : before.outcome
  draft.events.push({ name: 'InFlightProcessed', txHash, asset, canonical: outcome === 'canonical' })
  const assets = assetsOf(inFlight)
  const state = { ...before, outcome, done: before.done | (1 << assets.indexOf(asset)) }
  if (state.done === (1 << assets.length) - 1) {
    erase(draft, 'inFlight', txHash)
    erase(draft, 'places', txHash)
  } else put(draft, 'inFlight', txHash, state)
  for (let position = 0; position < 8; position++) settlePosition(draft, inFlight, txHash, state, asset, position)
  if (before.outcome === 'open' && !state.doubted) pay(draft, ETHER, inFlight.starter, inFlight.bond)
}

/**
 * Canonical if it has consumed its inputs, or if none is finalised and nothing older competes; then it consumes them,
 * before anything is paid.
 */
function decide(draft: Draft, inFlight: InFlightExit, txHash: Hex, state: InFlightState): Outcome {
  const { inputs } = inFlight.tx
  const mark = consumedBy(txHash)
  if (inputs.every((id) => statusOf(draft, id) === mark)) return 'canonical'
  const free = inputs.every((id) => statusOf(draft, id) < PAID)
  if (!free || !isUndisputed(draft, inFlight, txHash, state)) return 'notCanonical'
  for (const id of inputs) put(draft, 'status', id, mark)
  return 'canonical'
}

function isUndisputed(draft: Draft, { late }: InFlightExit, txHash: Hex, { doubted }: InFlightState): boolean {
  const { competitor, response } = placesOf(draft, txHash)
  return (!doubted && !late) || (response !== 0n && response < competitor)
}

/**
 * Pays a position that is wanted, not blocked and of this queue's asset, if it is on the winning side and not finalised;
 * its bond returns either way.
 */
function settlePosition(
  draft: Draft,
  inFlight: InFlightExit,
  txHash: Hex,
  { piggybacked, blocked, outcome }: InFlightState,
  asset: Hex,
  position: number,
): void {
  const output = outputAt(inFlight, position)
  const wanted = ((piggybacked & ~blocked) >> position) & 1
  if (!wanted || output?.asset !== asset) return
  const winning = (outcome === 'canonical') === position > 3
  const due = winning && take(draft, inFlight, txHash, position, output)
  const { owner, lock } = output
  if (lock === ZERO) {
    payOut(draft, output, due, owner, inFlight.bond)
    return
  }
  if (due) payOwner(draft, output)
  escrow(draft, owner, lock, ETHER, inFlight.bond)
}

/** Takes what a position is owed out of the chain's pot, if it is not finalised and the pot has it. */
function take(draft: Draft, { tx }: InFlightExit, txHash: Hex, position: number, { asset, value }: Output): boolean {
  const id = idAt(tx, txHash, position)
  if (statusOf(draft, id) >= PAID) return false
  const short = shortOf(draft, tx.chain, asset, value)
  if (short) {
    draft.events.push({ name: 'InFlightUnpaid', txHash, position, ...short })
    return false
  }
  takeOut(draft, tx.chain, asset, value)
  put(draft, 'status', id, PAID)
  draft.events.push({ name: 'InFlightPaid', txHash, position, amount: value })
  return true
}

// What could not be pushed is pulled.

/** Hands over an ERC-721 that could not be pushed: the owner to anywhere, anybody to the owner. */
export function claimToken(draft: Draft, { asset, id, to }: CallOf<'claimToken'>): void {
  const { sender } = draft.env
  const owner = draft.state.tokenCredits.get(pair(asset, id))
  require(owner !== undefined, 'NoCredit', asset, NOBODY)
  require(to === owner || sender === owner, 'NotOwner', sender, owner)
  erase(draft, 'tokenCredits', pair(asset, id))
  draft.events.push({ name: 'TokenClaimed', asset, owner, to, id })
  handOver(draft, asset, to, id)
}

/** Pays what waits in escrow: the decided payee to anywhere, anybody to the payee. */
export function claimEscrow(draft: Draft, { owner, terms, asset, id, to }: CallOf<'claimEscrow'>): void {
  const { sender } = draft.env
  const lock = lockOf(terms)
  const key = escrowKey(owner, lock, asset, id)
  const amount = draft.state.escrows.get(key)
  require(amount !== undefined, 'NothingInEscrow', owner, lock, asset, id)
  const payee = payeeUnder(draft, owner, terms)
  require(payee !== NOBODY, 'Undecided', lock)
  require(to === payee || sender === payee, 'NotOwner', sender, payee)
  erase(draft, 'escrows', key)
  const value = isUnique(draft, asset) ? id : amount
  draft.events.push({ name: 'EscrowClaimed', owner, lock, asset, value, to })
  handOver(draft, asset, to, value)
}
