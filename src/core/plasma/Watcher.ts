import { concat, type Hex, uint } from '../base/Bytes.ts'
import { emptyMap, get, type HashMap, remove, set } from '../base/HashMap.ts'
import type { Machine, Row, Step } from '../base/Step.ts'
import { type Alarm, alarmsOf, nameOf } from './Alarm.ts'
import { type Answer, answersTo, type Knowledge, type Place } from './Answer.ts'
import * as Archive from './Archive.ts'
import {
  type Follower,
  type FollowerInput,
  type FollowerParams,
  isSynced,
  lastNumberOf,
  progress,
  restoreFollower,
} from './Follower.ts'
import {
  affordable,
  bondsOf,
  checkPermit,
  type Escape,
  escapesOf,
  type GuardParams,
  hear,
  isUnderWay,
  noTries,
  type OwnerPermit,
  type Tries,
} from './Guard.ts'
import { spends as isSpend, observe, type Signed } from './Ledger.ts'
import { noExits, type RunningExits } from './Running.ts'
import { NOBODY } from './Standing.ts'
import { txHash } from './Transaction.ts'

/** A watcher: a follower that knows where every output was spent, and what leaves. */
export interface WatcherState {
  readonly follower: Follower
  readonly spends: HashMap<Place>
  readonly running: RunningExits
  /** Answers under way by their keys: the L1 block that has it, or 0 while it is being sent. */
  readonly tried: HashMap<number>
  readonly alarms: ReadonlySet<string>
  readonly tries: Tries
  /** What owners have signed in advance. */
  readonly permits: readonly OwnerPermit[]
}

/** How a watcher acts: `warning` = seconds before an exit may be paid in which a missing answer is an alarm. */
export interface WatcherPolicy {
  readonly warning: number
  /** Whom it brings to safety; nobody unless given. */
  readonly guard?: GuardParams
}

/** What a watcher is told; `sent` = how its answer or an escape ended: mined in a block, or not. */
export type WatcherInput =
  | FollowerInput
  | { readonly kind: 'sent'; readonly key: Hex; readonly mined?: number }
  | { readonly kind: 'permit'; readonly permit: OwnerPermit }

/**
 * What a watcher says. Answers and escapes are calls only with their proofs, which `answerCall` and `escapeCall` read from
 * the store. `guarding` comes before escapes: how many outputs they are for, the bonds that they post at most, and how
 * many must wait because so many bonds are out.
 */
export type WatcherOutput =
  | { readonly kind: 'fetch'; readonly number: number }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'guarding'; readonly escapes: number; readonly bonds: number; readonly left: number }
  | { readonly kind: 'escape'; readonly way: Escape }
  | { readonly kind: 'alarm'; readonly alarm: Alarm }
  | { readonly kind: 'verified'; readonly number: number; readonly count: number }

/** A watcher from its store; an empty one follows L1 from `from`. */
export function restoreWatcher(params: FollowerParams, rows: Archive.Rows, from: number): WatcherState {
  let spends = emptyMap<Place>()
  const follower = restoreFollower(params, rows, from, ({ record, transactions }) => {
    const hashes = transactions.map(({ transaction }) => txHash(params.court, transaction))
    spends = addSpends(spends, record.number, transactions, hashes)
  })
  for (const { number } of follower.bad ? Archive.storedBlocks(rows) : []) {
    if (number >= follower.ledger.number)
      spends = addSeen(spends, follower, number, Archive.storedTransactions(rows, number))
  }
  const alarms = new Set(rows.all('alarms').map(([at]) => at))
  const permits = rows.all('permits').map(([, permit]) => permit as unknown as OwnerPermit)
  const heard = hear({ running: noExits(), tries: noTries() }, Archive.storedL1(rows))
  return { follower, spends, ...heard, tried: emptyMap(), alarms, permits }
}

function addSpends(
  spends: HashMap<Place>,
  number: number,
  transactions: readonly Signed[],
  hashes: readonly Hex[],
): HashMap<Place> {
  let now = spends
  transactions.forEach(({ transaction }, index) => {
    transaction.inputs.forEach((id, input) => {
      now = set(now, id, { number, index, txHash: hashes[index]!, input })
    })
  })
  return now
}

/**
 * What a block that is bad, or comes after such a one, spends of the coins that were there before: for the court that
 * counts, whatever else is in the block. The oldest spend of each is kept.
 */
function addSeen(
  spends: HashMap<Place>,
  { params, ledger, l1, view }: Follower,
  number: number,
  transactions: readonly Signed[],
): HashMap<Place> {
  const before = observe(ledger, l1, view.time)
  let now = spends
  transactions.forEach((signed, index) => {
    const hash = txHash(params.court, signed.transaction)
    signed.transaction.inputs.forEach((id, input) => {
      const known = get(now, id)
      const older = known && (known.number < number || (known.number === number && known.index <= index))
      if (!older && isSpend(before, signed, hash, id, number))
        now = set(now, id, { number, index, txHash: hash, input })
    })
  })
  return now
}

/** What a watcher knows of exits, for answers and their calls. */
export function knowledgeOf({ spends, running, follower }: WatcherState): Knowledge {
  return { spends, running, time: follower.view.time, last: lastNumberOf(follower) }
}

/** The watcher's machine: refuses a permit that is of no use with WrongSigner or WrongStarter. */
export function watcherMachine(policy: WatcherPolicy): Machine<WatcherState, WatcherInput, WatcherOutput> {
  return (state, input) => {
    if (input.kind === 'sent') return quiet({ ...state, tried: onSent(state.tried, input.key, input.mined) })
    if (input.kind === 'permit') return onPermit(policy, state, input.permit)
    const made = progress(state.follower, input)
    const outputs: WatcherOutput[] = []
    let { spends } = state
    if (made.fetch !== undefined) outputs.push({ kind: 'fetch', number: made.fetch })
    if (made.applied) {
      const { commitment, transactions, hashes } = made.applied
      spends = addSpends(spends, commitment.number, transactions, hashes)
      outputs.push({ kind: 'verified', number: commitment.number, count: transactions.length })
    }
    if (made.seen) {
      const { commitment, transactions } = made.seen
      spends = addSeen(spends, made.follower, commitment.number, transactions)
    }
    const next = { ...state, follower: made.follower, spends, ...hear(state, made.fresh) }
    const acted = isSynced(made.follower) ? guard(act(next, policy.warning), policy.guard) : quiet(next)
    return { state: acted.state, rows: [...made.rows, ...acted.rows], outputs: [...outputs, ...acted.outputs] }
  }
}

function onPermit(
  { guard }: WatcherPolicy,
  state: WatcherState,
  permit: OwnerPermit,
): Step<WatcherState, WatcherOutput> {
  const { court, chain } = state.follower.ledger
  checkPermit(court, chain, guard?.starter ?? NOBODY, permit)
  const rows = [Archive.row('permits', concat(...permit.ids, uint(permit.deadline, 5)), permit)]
  return { state: { ...state, permits: [...state.permits, permit] }, rows, outputs: [] }
}

function quiet(state: WatcherState): Step<WatcherState, WatcherOutput> {
  return { state, rows: [], outputs: [] }
}

function onSent(tried: HashMap<number>, key: Hex, mined: number | undefined): HashMap<number> {
  return mined === undefined ? remove(tried, key) : set(tried, key, mined)
}

/** Answers every running exit that has an answer, and warns of everything that deserves it. */
function act(state: WatcherState, warning: number): Step<WatcherState, WatcherOutput> {
  const outputs: WatcherOutput[] = []
  let { tried } = state
  const answers = answersTo(knowledgeOf(state))
  for (const answer of answers) {
    if (isUnderWay(state, answer.key)) continue
    tried = set(tried, answer.key, 0)
    outputs.push({ kind: 'answer', answer })
  }
  const fresh = alarmsOf(state.follower, knowledgeOf(state), answers, warning).filter(
    (alarm) => !state.alarms.has(nameOf(alarm)),
  )
  const alarms = new Set([...state.alarms, ...fresh.map(nameOf)])
  const rows: readonly Row[] = fresh.map((alarm) => Archive.row('alarms', nameOf(alarm), alarm))
  for (const alarm of fresh) outputs.push({ kind: 'alarm', alarm })
  return { state: { ...state, tried, alarms }, rows, outputs }
}

type Acted = Step<WatcherState, WatcherOutput>

/** Brings the owners' money out, as far as bonds go: what waits for lack of them has its turn when others are back. */
function guard(acted: Acted, params: GuardParams | undefined): Acted {
  const { state } = acted
  const { bad, ledger, l1, view, commits } = state.follower
  if (!params || (!bad && state.running.inFlight.size === 0)) return acted
  const known = knowledgeOf(state)
  const scene = {
    known,
    ledger: observe(ledger, l1, view.time),
    bad: bad !== undefined,
    complete: commits.length === 0,
  }
  const all = escapesOf(params, scene, state.tries, state.permits)
  const [begun, fresh] = [true, false].map((is) => all.filter(({ key }) => isUnderWay(state, key) === is)) as [
    Escape[],
    Escape[],
  ]
  const accounts = new Set([params.starter, ...params.owners.map(({ owner }) => owner)])
  const left = begun.reduce((sum, { bonds }) => sum - bonds, params.maxBonds - bondsOf(state.running, accounts))
  const { chosen, bonds } = affordable(fresh, left)
  if (chosen.length === 0) return acted
  const said = { kind: 'guarding', escapes: chosen.length, bonds, left: fresh.length - chosen.length } as const
  const tried = chosen.reduce((now, { key }) => set(now, key, 0), state.tried)
  const outputs = [...acted.outputs, said, ...chosen.map((way) => ({ kind: 'escape' as const, way }))]
  return { ...acted, state: { ...state, tried }, outputs }
}
