// What layer 1 has said of a chain's exits so far: those that run, and whatever they have paid and consumed.
import { type Hex, uint } from '../base/Bytes.ts'
import { emptyMap, entries, get, type HashMap, remove, set } from '../base/HashMap.ts'
import type { L1Block } from '../base/Step.ts'
import type { Kind } from './Draft.ts'
import type { Exit } from './Exit.ts'
import type { Member } from './Group.ts'
import { assetsOf, bitsOf, type InFlightExit, NO_PLACES, outputAt, type Places, placeOf } from './InFlightExit.ts'
import type { LockTerms } from './LockTerms.ts'
import type { SeenEvent } from './Seen.ts'
import { type Output, outputId } from './Transaction.ts'

/** A standard exit in its queue: `lane` and `index` are its place, `since` the time of its start (seconds). */
export interface RunningExit {
  readonly exit: Exit
  readonly lane: number
  readonly index: number
  readonly since: number
  /** What leaves: one output, or the members of a group. */
  readonly members: readonly Member[]
}

/** An in-flight exit that runs, as its events have made it; positions are bits, 0 to 3 inputs, 4 to 7 outputs. */
export interface RunningInFlight extends Places {
  readonly txHash: Hex
  readonly inFlight: InFlightExit
  readonly authorisation: Hex
  /** Its place in the queue of each of its assets. */
  readonly lane: number
  readonly indices: readonly number[]
  /** First second in which nobody may piggyback any more, and no competitor changes who is paid. */
  readonly half: number
  readonly piggybacked: number
  readonly blocked: number
  /** A bit for each asset whose queue has passed it. */
  readonly done: number
  /** Whether a competitor was shown in the first half. */
  readonly doubted: boolean
}

/** Who has a claim on an output: standard exits by their ids, in-flight exits by their txHash. */
interface Hold {
  readonly exits: readonly Hex[]
  /** In-flight exits of which it is a piggybacked position. */
  readonly wanted: readonly Hex[]
  /** In-flight exits of which it is an input; those that started late have no claim by that. */
  readonly spent: readonly Hex[]
}

/** A chain's exits as of some moment, and how its outputs have ended on layer 1. */
export interface RunningExits {
  readonly exits: HashMap<readonly RunningExit[]>
  readonly inFlight: HashMap<RunningInFlight>
  readonly holds: HashMap<Hold>
  /** PAID_OUT, or the hash of the transaction that has consumed it. */
  readonly ends: HashMap<Hex>
  readonly terms: HashMap<LockTerms>
  /** When the preimages of hash locks became public: the first time stays. */
  readonly revealed: HashMap<number>
  /** What the tokens are that were ever deposited. */
  readonly kinds: HashMap<Kind>
  /** Whose queue was passed last: the payments that follow are its. */
  readonly passed: RunningInFlight | undefined
  /** Times of the commitments, by `timeKey` of their numbers. */
  readonly times: HashMap<number>
}

/** How an output has ended that was paid. */
export const PAID_OUT: Hex = '0x'

const FREE: Hold = { exits: [], wanted: [], spent: [] }

/** No exit runs. */
export function noExits(): RunningExits {
  const [exits, inFlight] = [emptyMap<readonly RunningExit[]>(), emptyMap<RunningInFlight>()]
  const [holds, ends, terms] = [emptyMap<Hold>(), emptyMap<Hex>(), emptyMap<LockTerms>()]
  const revealed = emptyMap<number>()
  return { exits, inFlight, holds, ends, terms, revealed, kinds: emptyMap(), passed: undefined, times: emptyMap() }
}

/** The exits after blocks of L1, which must hold only events that concern the chain. */
export function observeExits(running: RunningExits, blocks: readonly L1Block<SeenEvent>[]): RunningExits {
  let now = running
  for (const { time, events } of blocks) for (const event of events) now = observeExit(now, event, time)
  return now
}

/** The exits after one event of the second `time`. */
export function observeExit(running: RunningExits, event: SeenEvent, time: number): RunningExits {
  switch (event.name) {
    case 'Committed':
      return { ...running, times: set(running.times, timeKey(event.number), event.time) }
    case 'ExitStarted': {
      const { exit, lane, index } = event
      const members = exit.count === 1 ? [{ id: exit.ids, value: exit.value }] : []
      return begin(running, event.ids, [{ exit, lane, index, since: time, members }])
    }
    case 'GroupStarted':
      return gather(running, event.ids, event.members)
    case 'ExitPaid':
      return end(payAll(running, event), event)
    case 'ExitChallenged':
    case 'ExitCancelled':
    case 'ExitDropped':
    case 'ExitUnpaid':
      return end(running, event)
    case 'KindFixed':
      return { ...running, kinds: set(running.kinds, event.asset, event.unique ? 'unique' : 'fungible') }
    case 'LockShown':
      return { ...running, terms: set(running.terms, event.lock, event.terms) }
    case 'Revealed':
      return reveal(running, event.hash, event.time)
    case 'InFlightPaid':
      return payOut(running, idsPaid(running, event))
    default:
      return observeInFlight(running, event, time)
  }
}

function reveal(running: RunningExits, hash: Hex, time: number): RunningExits {
  if (get(running.revealed, hash) !== undefined) return running
  return { ...running, revealed: set(running.revealed, hash, time) }
}

// Standard exits

function begin(running: RunningExits, ids: Hex, fresh: readonly RunningExit[]): RunningExits {
  const exits = set(running.exits, ids, [...(get(running.exits, ids) ?? []), ...fresh])
  const claimed = fresh.flatMap(({ members }) => members)
  return { ...running, exits, holds: claimed.reduce((now, { id }) => claim(now, id, 'exits', ids), running.holds) }
}

/** The members of a group come right after its start. */
function gather(running: RunningExits, ids: Hex, members: readonly Member[]): RunningExits {
  const all = get(running.exits, ids) ?? []
  const known = all.filter((one) => one.members.length > 0)
  const fresh = all.filter((one) => one.members.length === 0).map((one) => ({ ...one, members }))
  return begin({ ...running, exits: set(running.exits, ids, known) }, ids, fresh)
}

type At = { readonly ids: Hex; readonly lane: number; readonly index: number }

function exitAt(running: RunningExits, { ids, lane, index }: At): RunningExit | undefined {
  return get(running.exits, ids)?.find((one) => one.lane === lane && one.index === index)
}

function end(running: RunningExits, at: At): RunningExits {
  const gone = exitAt(running, at)
  if (!gone) return running
  const left = get(running.exits, at.ids)!.filter((one) => one !== gone)
  const exits = left.length === 0 ? remove(running.exits, at.ids) : set(running.exits, at.ids, left)
  return {
    ...running,
    exits,
    holds: gone.members.reduce((now, { id }) => yieldUp(now, id, 'exits', at.ids), running.holds),
  }
}

function payAll(running: RunningExits, at: At): RunningExits {
  return payOut(running, exitAt(running, at)?.members.map(({ id }) => id) ?? [])
}

/** Pays outputs; what was consumed before stays so. */
function payOut(running: RunningExits, ids: readonly Hex[]): RunningExits {
  const open = ids.filter((id) => get(running.ends, id) === undefined)
  return { ...running, ends: open.reduce((now, id) => set(now, id, PAID_OUT), running.ends) }
}

/** The outputs that an event, not observed yet, says were paid. */
export function idsPaid(running: RunningExits, event: SeenEvent): readonly Hex[] {
  if (event.name === 'ExitPaid') {
    const members = exitAt(running, event)?.members ?? []
    return members.flatMap(({ id }) => (get(running.ends, id) === undefined ? [id] : []))
  }
  const { passed } = running
  if (event.name !== 'InFlightPaid' || passed?.txHash !== event.txHash) return []
  return [idAt(passed, event.position)]
}

/** The outputs whose claims an event, not observed yet, begins or ends. */
export function touchedBy(running: RunningExits, event: SeenEvent): readonly Hex[] {
  switch (event.name) {
    case 'ExitStarted':
      return [event.ids]
    case 'GroupStarted':
      return event.members.map(({ id }) => id)
    case 'ExitPaid':
    case 'ExitChallenged':
    case 'ExitCancelled':
    case 'ExitDropped':
    case 'ExitUnpaid':
      return exitAt(running, event)?.members.map(({ id }) => id) ?? []
    case 'InFlightStarted':
      return idsOf(event.txHash, event.inFlight)
    case 'InFlightPaid':
      return idsPaid(running, event)
    case 'Piggybacked':
    case 'InFlightProcessed': {
      const one = get(running.inFlight, event.txHash)
      return one ? idsOf(one.txHash, one.inFlight) : []
    }
    default:
      return []
  }
}

function idsOf(txHash: Hex, { tx }: InFlightExit): readonly Hex[] {
  return [...tx.inputs, ...tx.outputs.map((_, index) => outputId(txHash, index))]
}

/** The id of the output at a position. */
export function idAt({ txHash, inFlight }: RunningInFlight, position: number): Hex {
  return position < 4 ? inFlight.tx.inputs[position]! : outputId(txHash, position - 4)
}

function claim(holds: HashMap<Hold>, id: Hex, as: keyof Hold, by: Hex): HashMap<Hold> {
  const hold = get(holds, id) ?? FREE
  return set(holds, id, { ...hold, [as]: [...hold[as], by] })
}

/** Takes one claim back. */
function yieldUp(holds: HashMap<Hold>, id: Hex, as: keyof Hold, by: Hex): HashMap<Hold> {
  const hold = get(holds, id)
  const at = hold?.[as].indexOf(by) ?? -1
  if (!hold || at < 0) return holds
  const left = { ...hold, [as]: hold[as].toSpliced(at, 1) }
  const free = left.exits.length + left.wanted.length + left.spent.length === 0
  return free ? remove(holds, id) : set(holds, id, left)
}

// In-flight exits

function observeInFlight(running: RunningExits, event: SeenEvent, time: number): RunningExits {
  if (event.name === 'InFlightStarted') return beginInFlight(running, event)
  const one = 'txHash' in event ? get(running.inFlight, event.txHash) : undefined
  if (!one) return running
  switch (event.name) {
    case 'Piggybacked':
      return want(running, one, event.positions)
    case 'Competed':
      return keep(running, compete(one, event, time))
    case 'OutputChallenged':
      return keep(running, { ...one, blocked: one.blocked | (1 << event.position) })
    case 'Responded':
      return keep(running, { ...one, response: placeOf(event) })
    case 'InFlightProcessed':
      return pass(running, one, event.asset, event.canonical)
    default:
      return running
  }
}

type EventOf<Name> = Extract<SeenEvent, { readonly name: Name }>

function beginInFlight(running: RunningExits, event: EventOf<'InFlightStarted'>): RunningExits {
  const { txHash, inFlight, authorisation, lane, indices } = event
  const half = inFlight.start + mfpOf(running, event) / 2
  const fresh = { piggybacked: 0, blocked: 0, done: 0, doubted: false, ...NO_PLACES }
  const one: RunningInFlight = { txHash, inFlight, authorisation, lane, indices, half, ...fresh }
  const inputs = inFlight.late ? [] : inFlight.tx.inputs
  const holds = inputs.reduce((now, id) => claim(now, id, 'spent', txHash), running.holds)
  return want({ ...running, holds }, one, event.piggybacked)
}

/** The seconds that an exit waits at least, as the court has counted them for this one. */
function mfpOf({ times }: RunningExits, { inFlight, lane }: EventOf<'InFlightStarted'>): number {
  const { start, exitableAt } = inFlight
  const committed = lane === 0 ? undefined : get(times, timeKey(lane))
  return committed === undefined ? exitableAt - start : (exitableAt - committed) / 2
}

function timeKey(number: number): Hex {
  return uint(number, 5)
}

function keep(running: RunningExits, one: RunningInFlight): RunningExits {
  return { ...running, inFlight: set(running.inFlight, one.txHash, one) }
}

function want(running: RunningExits, one: RunningInFlight, positions: number): RunningExits {
  const ids = bitsOf(positions).map((position) => idAt(one, position))
  const holds = ids.reduce((now, id) => claim(now, id, 'wanted', one.txHash), running.holds)
  return keep({ ...running, holds }, { ...one, piggybacked: one.piggybacked | positions })
}

/** In the first half a competitor makes the transaction doubtful, the more so the older it is; it blocks at any time. */
function compete(one: RunningInFlight, event: EventOf<'Competed'>, time: number): RunningInFlight {
  const blocked = one.blocked | (1 << event.position)
  if (time >= one.half) return { ...one, blocked }
  const place = placeOf(event)
  return { ...one, blocked, doubted: true, competitor: place < one.competitor ? place : one.competitor }
}

/** A queue has passed an exit: its positions of that asset have no claim any more, and after the last queue it is over. */
function pass(running: RunningExits, one: RunningInFlight, asset: Hex, canonical: boolean): RunningExits {
  const { tx } = one.inFlight
  const assets = assetsOf(one.inFlight)
  const passed = { ...one, done: one.done | (1 << assets.indexOf(asset)) }
  const over = passed.done === (1 << assets.length) - 1
  const settled = bitsOf(one.piggybacked).filter((at) => over || outputAt(one.inFlight, at)?.asset === asset)
  let holds = settled.reduce((now, at) => yieldUp(now, idAt(one, at), 'wanted', one.txHash), running.holds)
  if (over) holds = tx.inputs.reduce((now, id) => yieldUp(now, id, 'spent', one.txHash), holds)
  const inFlight = over ? remove(running.inFlight, one.txHash) : set(running.inFlight, one.txHash, passed)
  const ends = canonical ? consume(running.ends, tx.inputs, one.txHash) : running.ends
  return { ...running, inFlight, holds, ends, passed }
}

function consume(ends: HashMap<Hex>, inputs: readonly Hex[], by: Hex): HashMap<Hex> {
  return inputs.reduce((now, id) => (get(now, id) === undefined ? set(now, id, by) : now), ends)
}

// Questions

/** Why an output may not be spent now by the transaction of this hash, or undefined if it may. */
export function claimOn(
  { holds, ends }: RunningExits,
  id: Hex,
  txHash: Hex,
): 'exit' | 'piggyback' | 'inFlight' | 'end' | undefined {
  const ended = get(ends, id)
  if (ended !== undefined && ended !== txHash) return 'end'
  const { exits, wanted, spent } = get(holds, id) ?? FREE
  if (exits.length > 0) return 'exit'
  if (wanted.length > 0) return 'piggyback'
  return spent.some((by) => by !== txHash) ? 'inFlight' : undefined
}

/** How an output has ended on layer 1: PAID_OUT, or what has consumed it. */
export function endOf({ ends }: RunningExits, id: Hex): Hex | undefined {
  return get(ends, id)
}

/** The running in-flight exits that started live and spend an output. */
export function spendersOf({ holds, inFlight }: RunningExits, id: Hex): readonly RunningInFlight[] {
  return (get(holds, id) ?? FREE).spent.flatMap((by) => get(inFlight, by) ?? [])
}

/** The running standard exits of an output, in groups too. */
export function exitsOf(running: RunningExits, id: Hex): readonly RunningExit[] {
  const { exits } = get(running.holds, id) ?? FREE
  return [...new Set(exits)].flatMap((ids) => get(running.exits, ids) ?? [])
}

/** The positions of an exit that are somebody's and neither piggybacked, nor blocked, nor ended; as bits. */
export function openPositions(
  running: RunningExits,
  one: RunningInFlight,
  isTheirs: (output: Output) => boolean,
): number {
  const own = [0, 1, 2, 3, 4, 5, 6, 7].filter((position) => {
    const output = outputAt(one.inFlight, position)
    const taken = ((one.piggybacked | one.blocked) >> position) & 1
    return output && isTheirs(output) && !taken && endOf(running, idAt(one, position)) === undefined
  })
  return own.reduce((bits, position) => bits | (1 << position), 0)
}

/** All running standard exits. */
export function allExits(running: RunningExits): readonly RunningExit[] {
  return [...entries(running.exits)].flatMap(([, exits]) => exits)
}

/** All running in-flight exits. */
export function allInFlight(running: RunningExits): readonly RunningInFlight[] {
  return [...entries(running.inFlight)].map(([, one]) => one)
}

/** Whether the queue of an asset has passed an in-flight exit. */
export function isDone({ inFlight, done }: RunningInFlight, asset: Hex): boolean {
  return ((done >> assetsOf(inFlight).indexOf(asset)) & 1) === 1
}
