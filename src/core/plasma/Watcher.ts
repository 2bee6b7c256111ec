import { concat, type Hex, uint } from '../base/Bytes.ts'
import { emptyMap, get, type HashMap, remove, set } from '../base/HashMap.ts'
import type { L1Block, Machine, Row, Step } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import { inclusion, txTree } from './Block.ts'
import type { PlasmaCall, PlasmaEvent } from './Call.ts'
import {
  type Follower,
  type FollowerInput,
  type FollowerParams,
  isCaughtUp,
  isSynced,
  progress,
  restoreFollower,
} from './Follower.ts'
import type { Signed } from './Ledger.ts'
import { allExits, noExits, observeExits, type RunningExit, type RunningExits } from './Running.ts'
import { type Chain, txHash } from './Transaction.ts'

/** Where an output was spent: number, index of the transaction, which of its inputs. */
export interface Place {
  readonly number: number
  readonly index: number
  readonly input: number
}

/** What a watcher warns of, each once; `detail` is a sentence for people. */
export interface Alarm {
  readonly name: 'InvalidBlock' | 'WithheldBlock' | 'InvalidExit' | 'UnchallengedExit'
  /** The block's number, or 0 where an exit is meant. */
  readonly number: number
  /** The exiting output's id, or empty where a block is meant. */
  readonly ids: Hex
  readonly detail: string
}

/** A watcher: a follower that knows where every output was spent, and what leaves. */
export interface WatcherState {
  readonly follower: Follower
  readonly spends: HashMap<Place>
  readonly running: RunningExits
  readonly paid: HashMap<true>
  /** Challenges under way by the exit's output and place: the L1 block that has it, or 0 while it is being sent. */
  readonly tried: HashMap<number>
  readonly alarms: ReadonlySet<string>
}

/** What a watcher is told; `sent` = how its challenge of an exit ended: mined in a block, or not. */
export type WatcherInput =
  | FollowerInput
  | { readonly kind: 'sent'; readonly exit: RunningExit; readonly mined?: number }

/** What a watcher says. A challenge is a call only with its proof, which `challengeCall` reads from the store. */
export type WatcherOutput =
  | { readonly kind: 'fetch'; readonly number: number }
  | { readonly kind: 'challenge'; readonly exit: RunningExit; readonly place: Place }
  | { readonly kind: 'alarm'; readonly alarm: Alarm }
  | { readonly kind: 'verified'; readonly number: number; readonly count: number }

/** A watcher from its store; an empty one follows L1 from `from`. */
export function restoreWatcher(params: FollowerParams, rows: Archive.Rows, from: number): WatcherState {
  let spends = emptyMap<Place>()
  const follower = restoreFollower(params, rows, from, ({ record, transactions }) => {
    spends = addSpends(spends, record.number, transactions)
  })
  const l1 = Archive.storedL1(rows)
  const alarms = new Set(rows.all('alarms').map(([at]) => at))
  const [running, paid] = [observeExits(noExits(), l1), addPaid(emptyMap(), l1)]
  return { follower, spends, running, paid, tried: emptyMap(), alarms }
}

function addSpends(spends: HashMap<Place>, number: number, transactions: readonly Signed[]): HashMap<Place> {
  let now = spends
  transactions.forEach(({ transaction }, index) => {
    transaction.inputs.forEach((id, input) => {
      now = set(now, id, { number, index, input })
    })
  })
  return now
}

function addPaid(paid: HashMap<true>, blocks: readonly L1Block<PlasmaEvent>[]): HashMap<true> {
  let now = paid
  for (const event of blocks.flatMap((block) => block.events)) {
    if (event.name === 'ExitPaid') now = set(now, event.ids, true)
  }
  return now
}

/** The watcher's machine. `warning` = seconds before an exit may be paid in which a missing challenge is an alarm. */
export function watcherMachine(warning: number): Machine<WatcherState, WatcherInput, WatcherOutput> {
  return (state, input) => {
    if (input.kind === 'sent') return quiet({ ...state, tried: onSent(state.tried, input.exit, input.mined) })
    const made = progress(state.follower, input)
    const outputs: WatcherOutput[] = []
    let { spends } = state
    if (made.fetch !== undefined) outputs.push({ kind: 'fetch', number: made.fetch })
    if (made.applied) {
      const { commitment, transactions } = made.applied
      spends = addSpends(spends, commitment.number, transactions)
      outputs.push({ kind: 'verified', number: commitment.number, count: transactions.length })
    }
    const [running, paid] = [observeExits(state.running, made.fresh), addPaid(state.paid, made.fresh)]
    const next = { ...state, follower: made.follower, spends, running, paid }
    const acted = isSynced(made.follower) ? act(next, warning) : quiet(next)
    return { state: acted.state, rows: [...made.rows, ...acted.rows], outputs: [...outputs, ...acted.outputs] }
  }
}

function quiet(state: WatcherState): Step<WatcherState, WatcherOutput> {
  return { state, rows: [], outputs: [] }
}

function onSent(tried: HashMap<number>, exit: RunningExit, mined: number | undefined): HashMap<number> {
  return mined === undefined ? remove(tried, keyOf(exit)) : set(tried, keyOf(exit), mined)
}

/** One output may be in many exits at once, and each has to be answered: waiting for one must not delay another. */
function keyOf({ exit, lane, index }: RunningExit): Hex {
  return concat(exit.ids, uint(lane, 5), uint(index, 5))
}

/** Answers every running exit that has an answer, and warns of everything that deserves it. */
function act(state: WatcherState, warning: number): Step<WatcherState, WatcherOutput> {
  const outputs: WatcherOutput[] = []
  let { tried } = state
  for (const exit of allExits(state.running)) {
    const place = get(state.spends, exit.exit.ids)
    if (!place || isUnderWay(state, tried, exit)) continue
    tried = set(tried, keyOf(exit), 0)
    outputs.push({ kind: 'challenge', exit, place })
  }
  const fresh = alarmsOf(state, warning).filter((alarm) => !state.alarms.has(nameOf(alarm)))
  const alarms = new Set([...state.alarms, ...fresh.map(nameOf)])
  const rows: readonly Row[] = fresh.map((alarm) => Archive.row('alarms', nameOf(alarm), alarm))
  for (const alarm of fresh) outputs.push({ kind: 'alarm', alarm })
  return { state: { ...state, tried, alarms }, rows, outputs }
}

/** A challenge that is being sent, or is mined and not final yet, is not sent again. */
function isUnderWay(state: WatcherState, tried: HashMap<number>, exit: RunningExit): boolean {
  const mined = get(tried, keyOf(exit))
  return mined !== undefined && (mined === 0 || state.follower.view.next <= mined)
}

function nameOf(alarm: Alarm): string {
  return `${alarm.name}/${alarm.number}/${alarm.ids}`
}

function alarmsOf(state: WatcherState, warning: number): readonly Alarm[] {
  const { bad, view } = state.follower
  const alarms: Alarm[] = []
  if (bad) alarms.push({ name: bad.code, number: bad.number, ids: '0x', detail: `block ${bad.number}: ${bad.why}` })
  for (const one of allExits(state.running)) {
    const { ids, exitableAt } = one.exit
    const exit = { number: 0, ids }
    if (isInvalid(state, one)) {
      alarms.push({ name: 'InvalidExit', ...exit, detail: `exit of ${ids}, which no valid block has made` })
    } else if (get(state.spends, ids) && view.time + warning >= exitableAt) {
      alarms.push({
        name: 'UnchallengedExit',
        ...exit,
        detail: `exit of the spent ${ids} may be paid at ${exitableAt}`,
      })
    }
  }
  return alarms
}

/** Whether an exit is of something that neither L1 nor any valid block committed up to its start has made. */
function isInvalid(state: WatcherState, { exit, since }: RunningExit): boolean {
  const { ledger, l1, bad } = state.follower
  if (!bad && !isCaughtUp(state.follower, since)) return false
  if (get(ledger.coins, exit.ids) || get(state.spends, exit.ids) || get(state.paid, exit.ids)) return false
  return !l1.some(({ events }) => events.some((event) => event.name === 'Deposited' && event.id === exit.ids))
}

/** How many numbers a spend must still live for the challenge to go without its inclusion, which is cheaper. */
const SAFELY_LIVE = 64

/** The call that voids an exit with the spend at a place, read from the watcher's store. */
export function challengeCall(
  chain: Chain,
  state: WatcherState,
  rows: Archive.Rows,
  exit: RunningExit,
  at: Place,
): PlasmaCall {
  const { tx, signature } = spendAt(rows, at)
  const last = state.follower.commits.at(-1)?.number ?? state.follower.ledger.number - 1
  const shown = tx.lastBlock > last + SAFELY_LIVE ? [] : [inclusionAt(state, rows, at)]
  const spend = { tx, input: at.input, signature, inclusion: shown }
  return { verb: 'challengeExit', path: [chain], exit: exit.exit, lane: exit.lane, index: exit.index, spend }
}

function spendAt(rows: Archive.Rows, at: Place) {
  const signed = Archive.storedTransactions(rows, at.number)[at.index]
  if (!signed) throw new Error(`the store lacks transaction ${at.index} of block ${at.number}`)
  return { tx: signed.transaction, signature: signed.authorisation }
}

function inclusionAt(state: WatcherState, rows: Archive.Rows, at: Place) {
  const record = Archive.storedBlock(rows, at.number)
  if (!record) throw new Error(`the store lacks block ${at.number}`)
  const transactions = Archive.storedTransactions(rows, at.number)
  const hashes = transactions.map(({ transaction }) => txHash(state.follower.params.court, transaction))
  return inclusion(txTree(hashes), at.index, record)
}
