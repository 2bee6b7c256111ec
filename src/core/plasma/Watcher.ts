import type { Hex } from '../base/Bytes.ts'
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
import { spends as isSpend, observe, type Signed } from './Ledger.ts'
import { noExits, observeExits, type RunningExits } from './Running.ts'
import { txHash } from './Transaction.ts'

/** A watcher: a follower that knows where every output was spent, and what leaves. */
export interface WatcherState {
  readonly follower: Follower
  readonly spends: HashMap<Place>
  readonly running: RunningExits
  /** Answers under way by their keys: the L1 block that has it, or 0 while it is being sent. */
  readonly tried: HashMap<number>
  readonly alarms: ReadonlySet<string>
}

/** What a watcher is told; `sent` = how its answer ended: mined in a block, or not. */
export type WatcherInput = FollowerInput | { readonly kind: 'sent'; readonly key: Hex; readonly mined?: number }

/** What a watcher says. An answer is a call only with its proof, which `answerCall` reads from the store. */
export type WatcherOutput =
  | { readonly kind: 'fetch'; readonly number: number }
  | { readonly kind: 'answer'; readonly answer: Answer }
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
  const running = observeExits(noExits(), Archive.storedL1(rows))
  return { follower, spends, running, tried: emptyMap(), alarms }
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

/** The watcher's machine. `warning` = seconds before an exit may be paid in which a missing answer is an alarm. */
export function watcherMachine(warning: number): Machine<WatcherState, WatcherInput, WatcherOutput> {
  return (state, input) => {
    if (input.kind === 'sent') return quiet({ ...state, tried: onSent(state.tried, input.key, input.mined) })
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
    const next = { ...state, follower: made.follower, spends, running: observeExits(state.running, made.fresh) }
    const acted = isSynced(made.follower) ? act(next, warning) : quiet(next)
    return { state: acted.state, rows: [...made.rows, ...acted.rows], outputs: [...outputs, ...acted.outputs] }
  }
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

/** An answer that is being sent, or is mined and not final yet, is not sent again. */
function isUnderWay({ tried, follower }: WatcherState, key: Hex): boolean {
  const mined = get(tried, key)
  return mined !== undefined && (mined === 0 || follower.view.next <= mined)
}
