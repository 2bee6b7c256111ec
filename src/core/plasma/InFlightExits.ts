// A transaction in flight wants out: who starts, who wants what of it, and what others show against it.
import { MOST } from '../base/Asset.ts'
import { ETHER, type Hex, ZERO } from '../base/Bytes.ts'
import { require } from '../base/Step.ts'
import type { Inclusion } from './Block.ts'
import type { CallOf } from './Call.ts'
import type { Chain } from './Chain.ts'
import { type Draft, put } from './Draft.ts'
import { consumedBy, DEPOSITED, exitableAt, laneOf, PAID, UNKNOWN } from './Exit.ts'
import { sumOf } from './Group.ts'
import {
  assetsOf,
  bitsOf,
  type InFlightExit,
  type InFlightState,
  inFlightEntry,
  inFlightHash,
  NO_PLACES,
  NOWHERE,
  outputAt,
  type Places,
  placeOf,
  type Source,
} from './InFlightExit.ts'
import { type LockTerms, lockOf } from './LockTerms.ts'
import type { Spend } from './Spend.ts'
import { requireSpends } from './StandardExits.ts'
import {
  endsOf,
  lastNumberOf,
  maySpeak,
  NOBODY,
  payeeUnder,
  requireAuthorised,
  requireAuthorisedUnder,
  requireShown,
  termsOf,
} from './Standing.ts'
import {
  depositId,
  txHash as hashOf,
  MAX_INPUTS,
  MAX_OUTPUTS,
  type Output,
  outputId,
  type Transaction,
} from './Transaction.ts'
import { isUnique, join, pull, requireBonds, split, statusOf } from './Vaults.ts'

/** The exit of a transaction begins, with the positions of whoever starts it. */
export function startInFlight(draft: Draft, call: CallOf<'startInFlight'>): void {
  const { path, transaction: tx, authorisation, sources, terms } = call
  const { time, sender, value } = draft.env
  const { court, mfp } = draft.state.terms
  const txHash = hashOf(court, tx)
  require(!draft.state.inFlight.has(txHash), 'AlreadyRunning', txHash)
  requireShape(draft, tx)
  const { spent, youngest } = spentBy(draft, path, tx, sources)
  requireConserved(draft, spent, tx.outputs)
  requireOnePayee(draft, spent, tx, txHash, authorisation, terms)
  const positions = positionsOf(draft, spent, tx, txHash, terms)
  const { root, id } = endsOf(path)
  require(id === tx.chain, 'WrongChain', id, tx.chain)
  const bond = requireBonds(draft, 1 + bitsOf(positions).length)
  const late = tx.lastBlock <= lastNumberOf(draft, root)
  const due = exitableAt(time, mfp, youngest.time)
  const exit: InFlightExit = { tx, spent, start: time, exitableAt: due, bond, starter: sender, late }
  const fresh = { piggybacked: positions, blocked: 0, done: 0, outcome: 'open', doubted: false } as const
  put(draft, 'inFlight', txHash, { ...fresh, hash: inFlightHash(exit) })
  const lane = laneOf(time, mfp, youngest.number, youngest.time)
  const word = inFlightEntry(txHash, time, due)
  const indices = assetsOf(exit).map((asset) => join(draft, tx.chain, asset, lane, word))
  pull(draft, ETHER, value)
  show(draft, terms)
  const name = 'InFlightStarted'
  draft.events.push({ name, txHash, inFlight: exit, authorisation, piggybacked: positions, lane, indices })
}

function show(draft: Draft, terms: readonly LockTerms[]): void {
  for (const one of terms) draft.events.push({ name: 'LockShown', lock: lockOf(one), terms: one })
}

/** What needs no chain to see: how many there are of what, and that nothing is nobody's or nothing. */
function requireShape(draft: Draft, { inputs, outputs }: Transaction): void {
  const [have, need] = [inputs.length, outputs.length]
  const fits = have >= 1 && have <= MAX_INPUTS && need >= 1 && need <= MAX_OUTPUTS
  require(fits, 'WrongShape', BigInt(have), BigInt(need))
  inputs.forEach((id, i) => {
    require(inputs.indexOf(id) === i, 'RepeatedInput', id)
  })
  for (const { owner, asset, value } of outputs) {
    require(owner !== NOBODY, 'ZeroOwner')
    require(value !== 0n || isUnique(draft, asset), 'ZeroValue')
  }
}

type Age = Pick<Inclusion, 'number' | 'time'>

/** The outputs that the inputs name, all shown, and where the youngest is (zero if all are deposits). */
function spentBy(
  draft: Draft,
  path: readonly Chain[],
  tx: Transaction,
  sources: readonly Source[],
): { readonly spent: readonly Output[]; readonly youngest: Age } {
  const [have, need] = [sources.length, tx.inputs.length]
  require(have === need, 'WrongSources', BigInt(have), BigInt(need))
  let youngest: Age = { number: 0, time: 0 }
  const spent = sources.map((source, i) => {
    const known = source.tx.length
    require(known === source.inclusion.length && known + source.deposited.length === 1, 'WrongSources', BigInt(i), 1n)
    if (known === 0) return depositedBy(draft, tx.chain, tx.inputs[i]!, source)
    const inclusion = source.inclusion[0]!
    const output = includedBy(draft, path, tx.chain, tx.inputs[i]!, source)
    if (inclusion.number > youngest.number) youngest = inclusion
    return output
  })
  return { spent, youngest }
}

/** A deposit is shown by whatever layer 1 has ever known of it. */
function depositedBy(draft: Draft, chain: Hex, input: Hex, source: Source): Output {
  const deposited = source.deposited[0]!
  const id = depositId(deposited)
  require(id === input, 'WrongInput', id, input)
  require(deposited.chain === chain, 'WrongChain', deposited.chain, chain)
  require(statusOf(draft, id) !== UNKNOWN, 'WrongStatus', id, UNKNOWN, DEPOSITED)
  const { owner, asset, value } = deposited
  return { owner, asset, value, lock: ZERO }
}

function includedBy(draft: Draft, path: readonly Chain[], chain: Hex, input: Hex, source: Source): Output {
  const tx = source.tx[0]!
  require(tx.chain === chain, 'WrongChain', tx.chain, chain)
  const txHash = hashOf(draft.state.terms.court, tx)
  const id = outputId(txHash, source.output)
  require(id === input, 'WrongInput', id, input)
  const output = tx.outputs[source.output]
  require(output !== undefined, 'NoSuchPosition', BigInt(source.output), BigInt(tx.outputs.length))
  requireShown(draft, path, tx, txHash, source.inclusion[0]!)
  return output
}

/** Nothing comes from nowhere: of a fungible asset no more goes out than comes in, of an ERC-721 each id once. */
function requireConserved(draft: Draft, spent: readonly Output[], outputs: readonly Output[]): void {
  const unique = spent.filter(({ asset }) => isUnique(draft, asset))
  for (const { asset, value } of unique) requireOnce(spent, outputs, asset, value)
  for (const { asset, value } of outputs) {
    if (isUnique(draft, asset)) requireOnce(spent, outputs, asset, value)
    else {
      const [have, need] = [spent, outputs].map((of) => sumOf(of.filter((one) => one.asset === asset))) as [
        bigint,
        bigint,
      ]
      require(have >= need && have !== MOST, 'Unbalanced', asset, have, need)
    }
  }
}

function requireOnce(spent: readonly Output[], outputs: readonly Output[], asset: Hex, id: bigint): void {
  const count = (of: readonly Output[]) => BigInt(of.filter((one) => one.asset === asset && one.value === id).length)
  const [have, need] = [count(spent), count(outputs)]
  require(have === 1n && need === 1n, 'Unbalanced', asset, have, need)
}

/** One payee and one authorisation for all inputs; so a competitor proves that somebody signed twice. */
function requireOnePayee(
  draft: Draft,
  spent: readonly Output[],
  tx: Transaction,
  txHash: Hex,
  authorisation: Hex,
  terms: readonly LockTerms[],
): void {
  const first = spent[0]!
  if (spent.length === 1) {
    requireWord(draft, first, tx, txHash, authorisation, terms)
    return
  }
  const payee = decidedPayee(draft, first, terms)
  for (const output of spent.slice(1)) {
    const other = decidedPayee(draft, output, terms)
    require(other === payee, 'MixedOwners', other, payee)
  }
  requireAuthorised(draft, payee, txHash, authorisation)
}

/** Whoever may spend the output has authorised the transaction. */
function requireWord(
  draft: Draft,
  { owner, lock }: Output,
  tx: Transaction,
  txHash: Hex,
  authorisation: Hex,
  terms: readonly LockTerms[],
): void {
  if (lock === ZERO) requireAuthorised(draft, owner, txHash, authorisation)
  else requireAuthorisedUnder(draft, termsOf(lock, terms), owner, tx, txHash, authorisation)
}

function decidedPayee(draft: Draft, { owner, lock }: Output, terms: readonly LockTerms[]): Hex {
  if (lock === ZERO) return owner
  const payee = payeeUnder(draft, owner, termsOf(lock, terms))
  require(payee !== NOBODY, 'Undecided', lock)
  return payee
}

/** The sender's inputs and outputs that are not finalised, of which there has to be one. */
function positionsOf(
  draft: Draft,
  spent: readonly Output[],
  tx: Transaction,
  txHash: Hex,
  terms: readonly LockTerms[],
): number {
  const all = [...bitsOf((1 << spent.length) - 1), ...bitsOf(((1 << tx.outputs.length) - 1) << 4)]
  const mine = all.filter((position) => isParty(draft, outputAt({ tx, spent }, position)!, terms))
  // The starter shows how old the inputs are, so it is the one to whom that matters.
  const starts = mine.some((position) => position < 4) || statusOf(draft, tx.inputs[0]!) === consumedBy(txHash)
  require(starts && mine.length > 0, 'NotParty', draft.env.sender, 0)
  const open = mine.filter((position) => statusOf(draft, idAt(tx, txHash, position)) < PAID)
  require(open.length > 0, 'NothingLeft', txHash)
  return open.reduce((bits, position) => bits | (1 << position), 0)
}

/** The id of the output at a position. */
export function idAt(tx: Transaction, txHash: Hex, position: number): Hex {
  return position < 4 ? tx.inputs[position]! : outputId(txHash, position - 4)
}

/** Whether the sender may speak for an output; of a lock without its terms nobody may. */
function isParty(draft: Draft, { owner, lock }: Output, terms: readonly LockTerms[]): boolean {
  const { sender } = draft.env
  if (lock === ZERO) return sender === owner
  const known = terms.find((one) => lockOf(one) === lock)
  return known !== undefined && maySpeak(draft, sender, owner, known)
}

/** Parties want positions of a running exit. */
export function piggyback(draft: Draft, { inFlight, positions, terms }: CallOf<'piggyback'>): void {
  const { txHash, state } = running(draft, inFlight)
  const { time, value } = draft.env
  const end = endOfFirstHalf(draft, inFlight)
  require(time < end, 'TooLate', time, end)
  const taken = state.piggybacked | state.blocked
  require(positions !== 0 && (positions & taken) === 0, 'WrongPositions', positions)
  for (const position of bitsOf(positions)) {
    const output = outputAt(inFlight, position)
    require(output !== undefined, 'WrongPositions', positions)
    require(statusOf(draft, idAt(inFlight.tx, txHash, position)) < PAID, 'WrongPositions', positions)
    require(isParty(draft, output, terms), 'NotParty', draft.env.sender, positions)
  }
  const need = inFlight.bond * BigInt(bitsOf(positions).length)
  require(value === need, 'WrongBond', value, need, need)
  put(draft, 'inFlight', txHash, { ...state, piggybacked: state.piggybacked | positions })
  pull(draft, ETHER, value)
  show(draft, terms)
  draft.events.push({ name: 'Piggybacked', txHash, positions })
}

/** Another transaction spends an input: it is blocked, and in the first half the exit's own is doubted. */
export function compete(draft: Draft, { path, inFlight, position, spend, terms }: CallOf<'compete'>): void {
  const { txHash, state } = running(draft, inFlight)
  const [output, id] = [inFlight.spent[position], inFlight.tx.inputs[position]]
  require(output !== undefined && position < 4, 'NoSuchPosition', BigInt(position), BigInt(inFlight.spent.length))
  const competitor = requireCounts(draft, path, inFlight, output, id!, spend, terms)
  require(competitor !== txHash, 'SameTransaction', txHash)
  require(statusOf(draft, id!) !== consumedBy(txHash), 'Consumed', txHash)
  const [shown] = spend.inclusion
  const place = shown ? placeOf(shown) : NOWHERE
  const bit = 1 << position
  const places = placesOf(draft, txHash)
  const doubts = doubt(draft, inFlight, txHash, state, places, place)
  const blocks = (state.blocked & bit) === 0 && !isDone(inFlight, state, output.asset)
  require(doubts || blocks, 'NotOlder', place, places.competitor)
  const blocked = blocks ? state.blocked | bit : state.blocked
  put(draft, 'inFlight', txHash, { ...state, doubted: state.doubted || doubts, blocked })
  const [number, index] = [Number(place >> 16n), Number(place & 0xffffn)]
  draft.events.push({ name: 'Competed', txHash, position, competitor, number, index, challenger: draft.env.sender })
  const bonds = (doubts && !state.doubted ? 1n : 0n) + (blocks && (state.piggybacked & bit) !== 0 ? 1n : 0n)
  if (bonds > 0n) split(draft, inFlight.tx.chain, bonds * inFlight.bond)
}

/** In the first half a transaction becomes doubtful by any competitor, and more so by older ones only. */
function doubt(
  draft: Draft,
  inFlight: InFlightExit,
  txHash: Hex,
  state: InFlightState,
  places: Places,
  place: bigint,
): boolean {
  if (draft.env.time >= endOfFirstHalf(draft, inFlight)) return false
  if (place >= places.competitor) return !state.doubted
  put(draft, 'places', txHash, { ...places, competitor: place })
  return true
}

/** A transaction spends a piggybacked output: it is blocked. */
export function challengeOutput(draft: Draft, call: CallOf<'challengeOutput'>): void {
  const { path, inFlight, position, spend, terms } = call
  const { txHash, state } = running(draft, inFlight)
  const output = position < 4 ? undefined : inFlight.tx.outputs[position - 4]
  require(output !== undefined, 'NoSuchPosition', BigInt(position), BigInt(4 + inFlight.tx.outputs.length))
  const bit = 1 << position
  require((state.piggybacked & ~state.blocked & bit) !== 0, 'WrongPositions', bit)
  require(!isDone(inFlight, state, output.asset), 'Processed', txHash)
  const id = outputId(txHash, position - 4)
  const spender = requireCounts(draft, path, inFlight, output, id, spend, terms)
  put(draft, 'inFlight', txHash, { ...state, blocked: state.blocked | bit })
  draft.events.push({ name: 'OutputChallenged', txHash, position, spender, challenger: draft.env.sender })
  split(draft, inFlight.tx.chain, inFlight.bond)
}

/** The transaction is older than its competitor. */
export function respond(draft: Draft, { path, inFlight, inclusion }: CallOf<'respond'>): void {
  const { txHash, state } = running(draft, inFlight)
  require(state.outcome === 'open', 'Processed', txHash)
  require(state.doubted || inFlight.late, 'NoCompetitor', txHash)
  requireShown(draft, path, inFlight.tx, txHash, inclusion)
  const places = placesOf(draft, txHash)
  const [have, need] = [placeOf(inclusion), places.response === 0n ? places.competitor : places.response]
  require(have < need, 'NotOlder', have, need)
  put(draft, 'places', txHash, { ...places, response: have })
  draft.events.push({ name: 'Responded', txHash, number: inclusion.number, index: inclusion.index })
}

/** The exit runs and is what its event told. */
function running(draft: Draft, inFlight: InFlightExit): { readonly txHash: Hex; readonly state: InFlightState } {
  const txHash = hashOf(draft.state.terms.court, inFlight.tx)
  const state = draft.state.inFlight.get(txHash)
  require(state !== undefined && state.hash === inFlightHash(inFlight), 'NotRunning', txHash)
  return { txHash, state }
}

function endOfFirstHalf({ state }: Draft, { start }: InFlightExit): number {
  return start + state.terms.mfp / 2
}

/** A transaction that counts and spends this output; tells its hash. */
function requireCounts(
  draft: Draft,
  path: readonly Chain[],
  inFlight: InFlightExit,
  output: Output,
  id: Hex,
  spend: Spend,
  terms: readonly LockTerms[],
): Hex {
  const txHash = requireSpends(draft, path, inFlight.tx.chain, id, spend)
  requireWord(draft, output, spend.tx, txHash, spend.authorisation, terms)
  return txHash
}

/** Where the competitor and the response of a running exit are. */
export function placesOf({ state }: Draft, txHash: Hex): Places {
  return state.places.get(txHash) ?? NO_PLACES
}

function isDone(inFlight: InFlightExit, { done }: InFlightState, asset: Hex): boolean {
  return ((done >> assetsOf(inFlight).indexOf(asset)) & 1) === 1
}
