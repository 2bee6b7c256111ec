// What a watcher warns of, from what it knows of the chain and of layer 1.
import type { Hex } from '../base/Bytes.ts'
import { get } from '../base/HashMap.ts'
import { type Answer, type Evidence, foreignSpendOf, type Knowledge, objectionTo, spendOf } from './Answer.ts'
import { type Bad, type Follower, isCaughtUp } from './Follower.ts'
import { bitsOf } from './InFlightExit.ts'
import { allExits, allInFlight, endOf, idAt, type RunningExit, type RunningInFlight } from './Running.ts'

/** What a watcher warns of, each once; `detail` is a sentence for people. */
export interface Alarm {
  /**
   * Bad for the whole chain, everybody leaves: InvalidBlock, WithheldBlock. An exit that is wrong, which the watcher
   * answers where it can: InvalidExit, NonCanonical, InvalidPiggyback. An answer that has not come through and is nearly
   * too late: UnchallengedExit.
   */
  readonly name: Bad['code'] | 'InvalidExit' | 'NonCanonical' | 'InvalidPiggyback' | 'UnchallengedExit'
  /** The block's number, or 0 where an exit is meant. */
  readonly number: number
  /** The ids of the exit, the hash of the transaction that wants out, or the id of its output; empty for a block. */
  readonly ids: Hex
  readonly detail: string
}

/** The key of an alarm: what it is raised once for. */
export function nameOf(alarm: Alarm): string {
  return `${alarm.name}/${alarm.number}/${alarm.ids}`
}

/**
 * Everything to warn of now. `answers` are those that should be on layer 1 already, `warning` the seconds before the last
 * in which one is of use.
 */
export function alarmsOf(
  follower: Follower,
  known: Knowledge,
  answers: readonly Answer[],
  warning: number,
): readonly Alarm[] {
  const { bad } = follower
  const detail = bad && `block ${bad.number}: ${bad.why}`
  const block: readonly Alarm[] = bad ? [{ name: bad.code, number: bad.number, ids: '0x', detail: detail! }] : []
  const late = answers.filter((answer) => known.time + warning >= deadlineOf(answer))
  const standard = allExits(known.running).flatMap((exit) => wrongExit(follower, known, exit) ?? [])
  const flying = allInFlight(known.running).flatMap((one) => wrongInFlight(follower, known, one))
  return [...block, ...standard, ...flying, ...late.map(unanswered)]
}

function wrongExit(follower: Follower, known: Knowledge, { exit, members, since }: RunningExit): Alarm | undefined {
  const invalid = (why: string): Alarm => ({ name: 'InvalidExit', number: 0, ids: exit.ids, detail: why })
  for (const { id } of members) {
    const by = spendOf(known, id)
    if (by) return invalid(`exit of ${exit.ids}, whose ${id} was spent ${whereOf(by)}`)
  }
  const ids = members.map(({ id }) => id)
  return isUnknown(follower, known, ids, since) ? invalid(`exit of ${exit.ids}, ${NOWHERE}`) : undefined
}

const NOWHERE = 'which no valid block has made'

function whereOf(by: Evidence): string {
  return 'live' in by ? `by ${by.live.txHash}, which is in flight` : `by ${by.txHash} in block ${by.number}`
}

function wrongInFlight(follower: Follower, known: Knowledge, one: RunningInFlight): readonly Alarm[] {
  const { txHash, inFlight } = one
  const alarm = (name: Alarm['name'], ids: Hex, detail: string): Alarm => ({ name, number: 0, ids, detail })
  const inputs = inFlight.tx.inputs.flatMap((id, position) => {
    const by = foreignSpendOf(known, one, position)
    return by ? [{ id, position, by }] : []
  })
  const first = inputs[0]
  const rival = first
    ? [
        alarm(
          'NonCanonical',
          txHash,
          `in-flight exit of ${txHash}, whose input ${first.id} was spent ${whereOf(first.by)}`,
        ),
      ]
    : []
  const wanted = inputs.filter(({ position }) => (one.piggybacked >> position) & 1)
  const spent = bitsOf(one.piggybacked & 0xf0).flatMap((position) => {
    const by = objectionTo(known, one, position)
    return by ? [{ id: idAt(one, position), position, by }] : []
  })
  const pieces = [...wanted, ...spent].map(({ id, by }) =>
    alarm(
      'InvalidPiggyback',
      id,
      `piggyback of ${id} in the in-flight exit of ${txHash}, which was spent ${whereOf(by)}`,
    ),
  )
  const unknown = isUnknown(follower, known, inFlight.tx.inputs, inFlight.start)
  return [
    ...(unknown ? [alarm('InvalidExit', txHash, `in-flight exit of ${txHash}, ${NOWHERE}`)] : []),
    ...rival,
    ...pieces,
  ]
}

/** Whether any of these is something that neither L1 nor any valid block committed up to a second has made. */
function isUnknown(follower: Follower, known: Knowledge, ids: readonly Hex[], since: number): boolean {
  const { ledger, l1, bad } = follower
  if (!bad && !isCaughtUp(follower, since)) return false
  const deposited = (id: Hex) =>
    l1.some(({ events }) => events.some((event) => event.name === 'Deposited' && event.id === id))
  const isKnown = (id: Hex) => get(ledger.coins, id) || get(known.spends, id) || endOf(known.running, id) !== undefined
  return ids.some((id) => !isKnown(id) && !deposited(id))
}

/** When an answer comes too late to be of use. */
function deadlineOf(answer: Answer): number {
  if (answer.kind === 'challenge') return answer.exit.exit.exitableAt
  const { half, inFlight, doubted } = answer.exit
  return answer.kind === 'compete' && !doubted ? half : inFlight.exitableAt
}

function unanswered(answer: Answer): Alarm {
  const common = { name: 'UnchallengedExit', number: 0 } as const
  if (answer.kind === 'challenge') {
    const { ids, exitableAt } = answer.exit.exit
    return { ...common, ids, detail: `exit of the spent ${ids} may be paid at ${exitableAt}` }
  }
  const { txHash } = answer.exit
  const wrong = { compete: 'a spent input', challengeOutput: 'a spent output', respond: 'no response' }[answer.kind]
  return {
    ...common,
    ids: txHash,
    detail: `in-flight exit of ${txHash} with ${wrong} is final at ${deadlineOf(answer)}`,
  }
}
