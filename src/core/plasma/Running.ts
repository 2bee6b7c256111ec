import type { Hex } from '../base/Bytes.ts'
import { emptyMap, entries, get, type HashMap, remove, set } from '../base/HashMap.ts'
import type { L1Block } from '../base/Step.ts'
import type { PlasmaEvent } from './Call.ts'
import type { Exit } from './Exit.ts'

/** An exit in its queue: `lane` and `index` are its place, `since` the time of its start (seconds). */
export interface RunningExit {
  readonly exit: Exit
  readonly lane: number
  readonly index: number
  readonly since: number
}

/** A chain's running exits by the output that leaves; one output may be in several. */
export type RunningExits = HashMap<readonly RunningExit[]>

/** No exit runs. */
export function noExits(): RunningExits {
  return emptyMap()
}

/** The running exits after blocks of L1, which must hold only events that concern the chain. */
export function observeExits(running: RunningExits, blocks: readonly L1Block<PlasmaEvent>[]): RunningExits {
  let now = running
  for (const { time, events } of blocks) for (const event of events) now = observeExit(now, event, time)
  return now
}

function observeExit(running: RunningExits, event: PlasmaEvent, time: number): RunningExits {
  switch (event.name) {
    case 'ExitStarted': {
      const { exit, lane, index } = event
      return set(running, event.ids, [...exitsOf(running, event.ids), { exit, lane, index, since: time }])
    }
    case 'ExitChallenged':
    case 'ExitCancelled':
    case 'ExitPaid':
    case 'ExitDropped':
    case 'ExitUnpaid':
      return end(running, event.ids, event.lane, event.index)
    default:
      return running
  }
}

function end(running: RunningExits, id: Hex, lane: number, index: number): RunningExits {
  const left = exitsOf(running, id).filter((one) => one.lane !== lane || one.index !== index)
  return left.length === 0 ? remove(running, id) : set(running, id, left)
}

/** The running exits of an output. */
export function exitsOf(running: RunningExits, id: Hex): readonly RunningExit[] {
  return get(running, id) ?? []
}

/** All running exits. */
export function allExits(running: RunningExits): readonly RunningExit[] {
  return [...entries(running)].flatMap(([, exits]) => exits)
}

/** Exits that one transaction may carry: more than its gas can pay, and less than nodes refuse to relay. */
export const MAX_DUE = 256

/** The exits of an asset that may be paid at `time`, in the order in which the court pays them; MAX_DUE at most. */
export function dueExits(running: RunningExits, asset: Hex, time: number): readonly Exit[] {
  const due = allExits(running).filter(({ exit }) => exit.asset === asset && exit.exitableAt <= time)
  due.sort((a, b) => a.exit.exitableAt - b.exit.exitableAt || a.lane - b.lane || a.index - b.index)
  return due.slice(0, MAX_DUE).map(({ exit }) => exit)
}
