// What of a chain's exits may be paid now, as the court wants to be told it.
import type { Hex } from '../base/Bytes.ts'
import type { CallOf } from './Call.ts'
import { assetsOf, type InFlightExit } from './InFlightExit.ts'
import { allExits, allInFlight, isDone, type RunningExit, type RunningExits } from './Running.ts'

/** Exits that one transaction may carry: more than its gas can pay, and less than nodes refuse to relay. */
export const MAX_DUE = 256

/** What exits that may be paid are given to the court as. */
export type Due = Pick<CallOf<'process'>, 'exits' | 'members' | 'inFlight'>

/** A place in a queue with what it costs to tell: bytes of calldata. */
interface Turn {
  readonly exitableAt: number
  readonly lane: number
  readonly index: number
  readonly bytes: number
  readonly exit?: RunningExit
  readonly inFlight?: InFlightExit
}

const BYTES = { exit: 320, member: 64, inFlight: 2048 } as const

/**
 * The exits of an asset that may be paid at `time`, in the order in which the court pays them; as many as make no more
 * calldata than MAX_DUE exits of one output.
 */
export function dueExits(running: RunningExits, asset: Hex, time: number): Due {
  const turns = turnsOf(running, asset).filter(({ exitableAt }) => exitableAt <= time)
  turns.sort((a, b) => a.exitableAt - b.exitableAt || a.lane - b.lane || a.index - b.index)
  let left = MAX_DUE * BYTES.exit
  const due = turns.filter(({ bytes }) => {
    left -= bytes
    return left >= 0
  })
  const exits = due.flatMap(({ exit }) => exit ?? [])
  const groups = exits.filter(({ exit }) => exit.count > 1)
  const inFlight = due.flatMap((turn) => turn.inFlight ?? [])
  return { exits: exits.map(({ exit }) => exit), members: groups.flatMap(({ members }) => members), inFlight }
}

function turnsOf(running: RunningExits, asset: Hex): Turn[] {
  const exits = allExits(running).filter(({ exit }) => exit.asset === asset)
  const standard = exits.map((one): Turn => {
    const { exit, lane, index } = one
    const bytes = BYTES.exit + (exit.count > 1 ? exit.count * BYTES.member : 0)
    return { exitableAt: exit.exitableAt, lane, index, bytes, exit: one }
  })
  const waiting = allInFlight(running).filter((one) => assetsOf(one.inFlight).includes(asset) && !isDone(one, asset))
  const flying = waiting.map(({ inFlight, lane, indices }): Turn => {
    const index = indices[assetsOf(inFlight).indexOf(asset)]!
    return { exitableAt: inFlight.exitableAt, lane, index, bytes: BYTES.inFlight, inFlight }
  })
  return [...standard, ...flying]
}
