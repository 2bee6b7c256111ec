import type { Hex } from '../base/Bytes.ts'
import { type L1Input, Refusal, require, type Step } from '../base/Step.ts'
import { type Verdict, verdictKey } from '../base/Verdicts.ts'
import { onAhead, sayAhead } from './Ahead.ts'
import type { ChannelEvent } from './Call.ts'
import { type AddLock, type Change, costOf, type FailLock } from './Change.ts'
import { other } from './Channel.ts'
import {
  askToClose,
  becomeRestored,
  close,
  dispute,
  goToCourt,
  offerFinal,
  onClose,
  onFinal,
  onFinalSig,
  onTime,
  repeatFinal,
} from './Ending.ts'
import { completeProposal, failPending, failProposal, keepPending } from './Ledger.ts'
import { keepLocks, keepPreimages, learn } from './LockEnd.ts'
import { fail, fulfil, interest, onLocks, requireLock } from './Locking.ts'
import type { Message } from './Message.ts'
import { isPay, type Pay, PENDING } from './Payment.ts'
import {
  DOWN,
  type Draft,
  drop,
  isClocked,
  isOver,
  type PeerOutput,
  type PeerState,
  put,
  type Seat,
  say,
  set,
  signedState,
  spendOf,
  tell,
} from './PeerState.ts'
import { enqueue, offer, onAck, onPropose, onRequest, onShow, propose, request } from './Proposal.ts'
import { queue } from './Queue.ts'
import { type Court, informed, rowOf, type Watch, watched } from './Watch.ts'
import { announce, attend, fundsOf, onLapsed, onWithdrawAsk, onWithdrawSig, takeOut, withdraw } from './Withdrawal.ts'

/** What happens to one side of a channel. Time arrives with blocks. */
export type PeerInput =
  | { readonly kind: 'pay'; readonly amount: bigint; readonly paymentId: Hex; readonly memo: Hex }
  /** Takes `amount` out of the open channel, by a transaction within so many seconds. */
  | { readonly kind: 'withdraw'; readonly amount: bigint; readonly seconds: number }
  /** Locks `amount` for the other side until `expiry` (seconds): it is the one's who shows the preimage of `key` by then. */
  | AddLockInput
  /** Takes a lock towards this side; `isPublic` where others know the preimage already. */
  | { readonly kind: 'fulfil'; readonly lockId: bigint; readonly preimage: Hex; readonly isPublic: boolean }
  /** Gives a lock towards this side up. */
  | { readonly kind: 'fail'; readonly lockId: bigint; readonly code: string; readonly data: Hex }
  /** The clock, in seconds: it counts where no block has come for a while. */
  | { readonly kind: 'clock'; readonly time: number }
  | { readonly kind: 'close' }
  | { readonly kind: 'challenge' }
  /** The store is an older copy of itself, as its generation marker says. */
  | { readonly kind: 'restored' }
  | { readonly kind: 'up' }
  | { readonly kind: 'down' }
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'chain'; readonly chain: L1Input<ChannelEvent> }
  /** What the court has decided about a key, in a final block: it tells of that once, maybe before anybody here cared. */
  | VerdictInput

type VerdictInput = {
  readonly kind: 'verdict'
  readonly condition: Hex
  readonly key: Hex
  readonly verdict: Verdict
}
type AddLockInput = Omit<AddLock, 'kind'> & { readonly kind: 'lock' }

/** One side of one channel: the next state, the rows to store before anything is said, and what to say then. */
export function peer(seat: Seat, state: PeerState, input: PeerInput): Step<PeerState, PeerOutput> {
  const d: Draft = { state, rows: [], outputs: [] }
  act(d, seat, input)
  rest(d, seat)
  return d
}

/** The first half of a step: what an input does by itself. Many inputs may share the second. */
export function act(d: Draft, seat: Seat, input: PeerInput): void {
  ;(INPUTS[input.kind] as Verb<PeerInput>)(d, seat, input)
}

/** The second half: stores what now waits and says what can be said of it, all in one. */
export function rest(d: Draft, seat: Seat): void {
  if (d.state.locks !== d.state.tended) onLocks(d, seat)
  propose(d, seat)
  attend(d, seat)
  keepLocks(d, seat)
  keepPreimages(d, seat)
  keepPending(d, seat)
  request(d, seat)
  sayAhead(d, seat)
}

type Verb<Input> = (d: Draft, seat: Seat, input: Input) => void
type Verbs<Input, Tag extends keyof Input> = {
  readonly [K in Input[Tag] & string]: Verb<Extract<Input, Record<Tag, K>>>
}

/** What each input does. */
const INPUTS: Verbs<PeerInput, 'kind'> = {
  pay: (d, seat, { amount, paymentId, memo }) => pay(d, seat, { kind: 'pay', amount, paymentId, memo }),
  withdraw: (d, seat, { amount, seconds }) => withdraw(d, seat, amount, seconds, available(seat, d.state)),
  lock: (d, seat, input) => lock(d, seat, { ...input, kind: 'addLock' }),
  fulfil: (d, seat, { lockId, preimage, isPublic }) => fulfil(d, seat, lockId, preimage, isPublic),
  fail: (d, seat, { lockId, code, data }) => fail(d, seat, { kind: 'failLock', lockId, code, data } satisfies FailLock),
  clock: onClock,
  close,
  challenge: (d, seat) => dispute(d, seat, 'Asked'),
  restored: becomeRestored,
  up,
  down: (d) => set(d, { link: DOWN, inbox: queue(), held: null }),
  message: (d, seat, { message }) => (MESSAGES[message.type] as Verb<Message>)(d, seat, message),
  chain: (d, seat, { chain }) => onChain(d, seat, chain),
  verdict: onVerdict,
}

/** What each message does. */
const MESSAGES: Verbs<Message, 'type'> = {
  hello: onHello,
  request: onRequest,
  ahead: onAhead,
  propose: onPropose,
  ack: onAck,
  show: onShow,
  funds: onFunds,
  withdrawAsk: onWithdrawAsk,
  withdrawSig: onWithdrawSig,
  close: onClose,
  final: onFinal,
  finalSig: onFinalSig,
}

/** What this side can pay now, in the worse of its newest complete state and its outstanding proposal. */
export function available(seat: Seat, s: PeerState): bigint {
  const { complete, proposal, pendingSum } = s
  const funds = fundsOf(seat, s, seat.side)
  const now = spendOf(seat.side, funds, complete)
  const next = proposal ? spendOf(seat.side, funds, { net: proposal.state.net, book: proposal.book }) : now
  return (now < next ? now : next) - pendingSum
}

function pay(d: Draft, seat: Seat, change: Pay): void {
  for (const [, why] of payAll(d, seat, [change])) throw why
}

/** Pays many at once, as if one after the other: those that are refused come back with why. */
export function payAll(d: Draft, seat: Seat, pays: readonly Pay[]): readonly (readonly [Pay, Refusal])[] {
  const refused: (readonly [Pay, Refusal])[] = []
  const taken: Pay[] = []
  let have = available(seat, d.state)
  for (const one of pays) {
    try {
      require(isPay(one), 'BadPayment', one.amount, one.paymentId)
      requireSpend(d.state, one, have, taken.length)
      taken.push(one)
      have -= one.amount
    } catch (why) {
      if (!(why instanceof Refusal)) throw why
      refused.push([one, why])
    }
  }
  if (taken.length > 0) enqueue(d, taken)
  return refused
}

function lock(d: Draft, seat: Seat, change: AddLock): void {
  requireLock(seat, d.state, change)
  requireSpend(d.state, change, available(seat, d.state))
  enqueue(d, [change])
}

/** Refuses what this side cannot begin now, beside so many `more`, or cannot spend of what it has. */
function requireSpend(state: PeerState, change: Change, have: bigint, more = 0): void {
  require(!state.end.restored, 'RestoredCopy')
  require(!state.end.asked && !state.end.peerAsked && !isOver(state), 'ChannelEnding')
  const waiting = state.pending.length + more
  require(waiting < PENDING, 'TooManyPending', waiting, PENDING)
  const need = costOf(change)
  require(have >= need, 'InsufficientFunds', have, need)
}

function onClock(d: Draft, seat: Seat, { time }: { readonly time: number }): void {
  if (time <= d.state.clock) return
  set(d, { clock: time })
  if (d.state.finished || (d.state.locks.length === 0 && !d.state.held)) return
  onLocks(d, seat)
  goToCourt(d, seat)
}

function up(d: Draft): void {
  set(d, { link: { ...DOWN, up: true }, inbox: queue(), held: null })
  const { complete, hash, last, end } = d.state
  say(d, { type: 'hello', version: complete.version, hash, owed: last, restored: end.restored })
  announce(d)
}

function onHello(d: Draft, seat: Seat, said: Extract<Message, { type: 'hello' }>): void {
  const { complete, hash, last } = d.state
  const behind = said.version > complete.version || (said.version === complete.version && said.hash !== hash)
  set(d, { link: { ...DOWN, up: true, greeted: true, behind, owed: said.owed, peerRestored: said.restored } })
  // What only the court has shown complete cannot be shown to anybody: a signature is missing.
  const isWhole = complete.sigA !== '0x' && complete.sigB !== '0x'
  if (said.version < complete.version && isWhole) say(d, { type: 'show', state: signedState(complete), owed: last })
  if (!behind) resume(d, seat)
  else if (said.version === complete.version) drop(d, 'another state of the same version')
}

/** Says again what the other side may have missed, now that both know the same newest state. */
function resume(d: Draft, seat: Seat): void {
  repeatFinal(d)
  askToClose(d, seat)
  offerFinal(d, seat)
  if (isOver(d.state) || d.state.end.restored) return
  offer(d)
}

function onFunds(d: Draft, seat: Seat, { total, lapsedThrough }: Extract<Message, { type: 'funds' }>): void {
  onLapsed(d, lapsedThrough)
  if (total <= d.state.heard) return
  set(d, { heard: total })
  keepFunds(d, seat)
  tell(d, { name: 'funded', total })
}

function keepFunds(d: Draft, seat: Seat): void {
  const { announced, heard, opened } = d.state
  put(d, 'funds', seat.id, { announced, heard, opened })
}

function onChain(d: Draft, seat: Seat, input: L1Input<ChannelEvent>): void {
  const before = d.state.watch
  const watch = watched(before, input, seat.id, seat.channel, seat.confirmations, interest(d.state))
  set(d, { watch })
  if (watch.through !== before.through) keepCourt(d, seat, watch)
  if (d.state.finished) return
  if (input.kind === 'block') {
    for (const event of input.block.events) if (event.name === 'Revealed') learn(d, event.preimage)
  }
  // What was ignored while the clock was set must be said again, and that begins with a hello.
  if (isClocked(before.newest) && !isClocked(watch.newest)) drop(d, 'the clock was taken back')
  onView(d, seat)
}

function onVerdict(d: Draft, seat: Seat, { condition, key, verdict }: VerdictInput): void {
  const { watch: before, finished } = d.state
  const name = verdictKey(condition, key)
  if (finished || name in before.base.verdicts || !interest(d.state)?.(name)) return
  const watch = informed(before, name, verdict, seat)
  set(d, { watch })
  keepCourt(d, seat, watch)
  onView(d, seat)
}

function keepCourt(d: Draft, seat: Seat, { base, through }: Watch): void {
  put(d, 'court', seat.id, { base: rowOf(base), through })
}

/** What a new view of the court obliges this side to. */
function onView(d: Draft, seat: Seat): void {
  onFinalView(d, seat)
  onLocks(d, seat)
  finish(d, seat)
  onTime(d, seat)
  goToCourt(d, seat)
  takeOut(d, seat)
}

/** What a final block shows is true for ever: deposits count, a clock ends what waits, a record completes a version. */
function onFinalView(d: Draft, seat: Seat): void {
  const { final } = d.state.watch
  if (!isClocked(final)) onFunding(d, seat)
  else onEnd(d, seat, final)
}

function onEnd(d: Draft, seat: Seat, final: Court): void {
  failPending(d, seat)
  if (d.state.proposal && final.clock?.version === d.state.proposal.state.version) {
    completeProposal(d, seat, d.state.proposal.late ?? '0x')
  }
  if (final.closed) failProposal(d, seat)
}

/** A channel has ended when the court has closed it and paid its last lock, both in a final block. */
function finish(d: Draft, seat: Seat): void {
  const { closed, locks, unsure } = d.state.watch.final
  if (!closed || locks !== '0x' || unsure) return
  set(d, { finished: closed })
  put(d, 'finished', seat.id, closed)
  tell(d, { name: 'closed', ...closed })
}

function onFunding(d: Draft, seat: Seat): void {
  const { watch, announced, opened, end } = d.state
  const { deposits } = watch.final
  if (isClocked(watch.newest) || end.disputed !== null) return
  const total = deposits[other(seat.side)]
  const opens = !opened && deposits.a + deposits.b > 0n
  if (total <= announced && !opens) return
  set(d, { announced: total > announced ? total : announced, opened: opened || opens })
  keepFunds(d, seat)
  if (opens) tell(d, { name: 'opened' })
  if (total > announced) announce(d)
}
