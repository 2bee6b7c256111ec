// What a watcher has to say against the exits that run, and for those that others doubt.
import { type Hex, uint } from '../base/Bytes.ts'
import { get, type HashMap } from '../base/HashMap.ts'
import { type Domain, keccak } from '../base/Signature.ts'
import * as Archive from './Archive.ts'
import { type Inclusion, inclusion, rootOfChildren, txTree } from './Block.ts'
import type { PlasmaCall } from './Call.ts'
import type { Chain } from './Chain.ts'
import { membership } from './Group.ts'
import { bitsOf, outputAt, placeOf } from './InFlightExit.ts'
import type { Signed } from './Ledger.ts'
import {
  allExits,
  allInFlight,
  endOf,
  idAt,
  isDone,
  type RunningExit,
  type RunningExits,
  type RunningInFlight,
  spendersOf,
} from './Running.ts'
import type { Spend } from './Spend.ts'
import { txHash as hashOf } from './Transaction.ts'

/** Where an output was spent: number, index of the transaction and its hash, which of its inputs. */
export interface Place {
  readonly number: number
  readonly index: number
  readonly txHash: Hex
  readonly input: number
}

/** What spends an output: a transaction in a block, or one that an in-flight exit has shown, which counts while it lives. */
export type Evidence = Place | { readonly live: RunningInFlight; readonly input: number }

/** What to say: each is a call once its proof is read from the store. `key` = one of each at a time. */
export type Answer =
  | {
      readonly kind: 'challenge'
      readonly key: Hex
      readonly exit: RunningExit
      readonly member: number
      readonly by: Evidence
    }
  | {
      readonly kind: 'compete'
      readonly key: Hex
      readonly exit: RunningInFlight
      readonly position: number
      readonly by: Place
    }
  | {
      readonly kind: 'challengeOutput'
      readonly key: Hex
      readonly exit: RunningInFlight
      readonly position: number
      readonly by: Evidence
    }
  | { readonly kind: 'respond'; readonly key: Hex; readonly exit: RunningInFlight; readonly at: Place }

/** What a watcher knows: where every output was spent, what runs, the time of its view and the last number committed. */
export interface Knowledge {
  readonly spends: HashMap<Place>
  readonly running: RunningExits
  readonly time: number
  readonly last: number
}

/** Everything that should be said now. */
export function answersTo(known: Knowledge): readonly Answer[] {
  const standard = allExits(known.running).flatMap((exit) => challengeOf(known, exit) ?? [])
  return [...standard, ...allInFlight(known.running).flatMap((one) => answersInFlight(known, one))]
}

/** What spends an output: a transaction in a block if there is one, else one that an in-flight exit has shown and lives. */
export function spendOf({ spends, running, last }: Knowledge, id: Hex): Evidence | undefined {
  const place = get(spends, id)
  if (place) return place
  const live = spendersOf(running, id).find(({ inFlight }) => inFlight.tx.lastBlock > last)
  return live && { live, input: live.inFlight.tx.inputs.indexOf(id) }
}

/** How many numbers a spend must still live for its call to go without its inclusion. */
const SAFELY_LIVE = 64

/** Where the transaction of an in-flight exit is in the chain, if it is. */
function includedAt({ spends }: Knowledge, { txHash, inFlight }: RunningInFlight): Place | undefined {
  const place = get(spends, inFlight.tx.inputs[0]!)
  return place?.txHash === txHash ? place : undefined
}

function challengeOf(known: Knowledge, exit: RunningExit): Answer | undefined {
  for (const [member, { id }] of exit.members.entries()) {
    const by = spendOf(known, id)
    if (by) return { kind: 'challenge', key: keyOf(exit), exit, member, by }
  }
  return undefined
}

/** One output may be in many exits at once, and each has to be answered: waiting for one must not delay another. */
function keyOf({ exit, lane, index }: RunningExit): Hex {
  return keccak(exit.ids, uint(lane, 5), uint(index, 5))
}

/** An in-flight exit is answered position by position; what responds for it has a place of its own. */
function keyAt({ txHash, inFlight }: RunningInFlight, position: number): Hex {
  return keccak(txHash, uint(inFlight.start, 5), uint(position, 5))
}

const RESPONSE = 8

function answersInFlight(known: Knowledge, one: RunningInFlight): readonly Answer[] {
  const inputs = one.inFlight.tx.inputs.flatMap((_, position) => competition(known, one, position) ?? [])
  const outputs = bitsOf(one.piggybacked & ~one.blocked & 0xf0).flatMap((at) => objection(known, one, at) ?? [])
  return [...inputs, ...outputs, ...(response(known, one) ?? [])]
}

/** Another transaction in a block that spends an input of one in flight, unless this one has consumed it. */
export function foreignSpendOf(known: Knowledge, one: RunningInFlight, position: number): Place | undefined {
  const id = one.inFlight.tx.inputs[position]!
  const by = get(known.spends, id)
  return by && by.txHash !== one.txHash && endOf(known.running, id) !== one.txHash ? by : undefined
}

/**
 * Another spend of an input in a block blocks it, and before the half is over doubts the transaction: with its place,
 * even where somebody has shown it as a live one, since the transaction itself may be shown to be in a later block.
 * Between two that are in no block nobody can tell who is right; the court pays one of them at most.
 */
function competition(known: Knowledge, one: RunningInFlight, position: number): Answer | undefined {
  const by = foreignSpendOf(known, one, position)
  if (!by) return undefined
  const early = known.time < one.half
  const doubts = early && placeOf(by) < one.competitor
  const open = !((one.blocked >> position) & 1) && !isDone(one, one.inFlight.spent[position]!.asset)
  const blocks = open && (early || ((one.piggybacked >> position) & 1) === 1)
  return doubts || blocks ? { kind: 'compete', key: keyAt(one, position), exit: one, position, by } : undefined
}

/** What spends a transaction's own output that is wanted of its exit, while that is not settled. */
export function objectionTo(known: Knowledge, one: RunningInFlight, position: number): Evidence | undefined {
  return isDone(one, outputAt(one.inFlight, position)!.asset) ? undefined : spendOf(known, idAt(one, position))
}

function objection(known: Knowledge, one: RunningInFlight, position: number): Answer | undefined {
  const by = objectionTo(known, one, position)
  return by && { kind: 'challengeOutput', key: keyAt(one, position), exit: one, position, by }
}

/** A transaction in a block, doubted by a younger one or by none, is shown before any of its queues is processed. */
function response(known: Knowledge, one: RunningInFlight): readonly Answer[] | undefined {
  const at = includedAt(known, one)
  if (!at || one.done !== 0 || !(one.doubted || one.inFlight.late)) return undefined
  const shown = one.response !== 0n && one.response < one.competitor
  const useful = placeOf(at) < one.competitor && (one.response === 0n || placeOf(at) < one.response)
  return !shown && useful ? [{ kind: 'respond', key: keyAt(one, RESPONSE), exit: one, at }] : undefined
}

// The calls

/** What an answer is as a call of the court of the chain at the end of `path`: with its proofs, which are read from the watcher's store. */
export function answerCall(
  court: Domain,
  path: readonly Chain[],
  known: Knowledge,
  rows: Archive.Rows,
  answer: Answer,
): PlasmaCall {
  if (answer.kind === 'respond') {
    const { inFlight } = answer.exit
    return { verb: 'respond', path, inFlight, inclusion: inclusionAt(court, rows, answer.at) }
  }
  if (answer.kind === 'challenge') return challengeCall(path, known, answer, spendBy(court, known, rows, answer.by))
  const { position, by, exit } = answer
  const { inFlight } = exit
  const { lock } = outputAt(inFlight, position)!
  const shown = get(known.running.terms, lock)
  const terms = shown ? [shown] : []
  const common = { path, inFlight, position, terms }
  if (answer.kind === 'compete') return { verb: 'compete', ...common, spend: spendBy(court, known, rows, by, true) }
  return { verb: 'challengeOutput', ...common, spend: spendBy(court, known, rows, by) }
}

function challengeCall(
  path: readonly Chain[],
  known: Knowledge,
  { exit: at, member }: Extract<Answer, { readonly kind: 'challenge' }>,
  spend: Spend,
): PlasmaCall {
  const { exit, lane, index, members } = at
  const common = { path, exit, lane, index, spend }
  if (exit.count > 1) return { verb: 'challengeGroup', ...common, membership: membership(members, member) }
  const terms = get(known.running.terms, exit.lock)
  return terms ? { verb: 'challengeLocked', ...common, terms } : { verb: 'challengeExit', ...common }
}

/** A spend with its inclusion if it needs that to count, or is wanted to show its age. */
function spendBy(court: Domain, known: Knowledge, rows: Archive.Rows, by: Evidence, aged = false): Spend {
  if ('live' in by) {
    const { inFlight, authorisation } = by.live
    return { tx: inFlight.tx, input: by.input, authorisation, inclusion: [] }
  }
  const signed = Archive.storedTransactions(rows, by.number)[by.index]
  if (!signed) throw new Error(`the store lacks transaction ${by.index} of block ${by.number}`)
  const { transaction: tx, authorisation } = signed
  const needed = aged || tx.lastBlock <= known.last + SAFELY_LIVE
  return { tx, input: by.input, authorisation, inclusion: needed ? [inclusionAt(court, rows, by)] : [] }
}

function inclusionAt(court: Domain, rows: Archive.Rows, at: Place): Inclusion {
  return prover(court, rows)(at)
}

/** Proves transactions at their places from the blocks of a store, each of whose trees is made once. */
export function prover(court: Domain, rows: Archive.Rows): (at: Pick<Place, 'number' | 'index'>) => Inclusion {
  const trees = new Map<number, ReturnType<typeof txTree>>()
  return ({ number, index }) => {
    const record = Archive.storedBlock(rows, number)
    if (!record) throw new Error(`the store lacks block ${number}`)
    const tree = trees.get(number) ?? txTree(hashesOf(court, Archive.storedTransactions(rows, number)))
    trees.set(number, tree)
    return inclusion(tree, index, record, rootOfChildren(record.children), record.levels)
  }
}

function hashesOf(court: Domain, all: readonly Signed[]): readonly Hex[] {
  return all.map(({ transaction }) => hashOf(court, transaction))
}
