// Money leaves an open channel: one side asks, the other signs, the court pays. From the ask on its side does not spend
// it, and from the signature on the other side does not let it, until a final block has decided in the eyes of both.
import { isSignedBy } from '../base/Signature.ts'
import { require } from '../base/Step.ts'
import type { ChannelCall } from './Call.ts'
import { MAX_NET, other, type Side } from './Channel.ts'
import { isClosing, isSender } from './Ending.ts'
import type { Message } from './Message.ts'
import {
  type Draft,
  drop,
  isOver,
  type PeerState,
  peerSigner,
  put,
  type Seat,
  say,
  set,
  signatures,
  spendOf,
  tell,
} from './PeerState.ts'
import { type Ask, askDigest, type Reserve, type Reserves, signAsk, totals } from './Reserve.ts'

type Said<T extends Message['type']> = Extract<Message, { type: T }>

/** Seconds that a transaction may take until it is in a block: a withdrawal that is good for less is not asked for. */
export const MINING = 120

/** What a side has in the channel, net aside: deposits announced as final, less what is or may be taken out. */
export function fundsOf(seat: Seat, s: PeerState, side: Side): bigint {
  return (side === seat.side ? s.heard : s.announced) - outOf(seat, s, side)
}

/** What a side has taken out of the channel, or may still: the larger of what was seen and what is reserved. */
function outOf(seat: Seat, { watch, reserves }: PeerState, side: Side): bigint {
  const reserve = side === seat.side ? reserves.mine : reserves.theirs
  return max(max(watch.newest.withdrawn[side], reserves.taken[side]), reserve?.total ?? 0n)
}

function max(x: bigint, y: bigint): bigint {
  return x > y ? x : y
}

/** The user asks to take `amount` out; `have` is what this side can pay. Good for `seconds` from the newest block on. */
export function withdraw(d: Draft, seat: Seat, amount: bigint, seconds: number, have: bigint): void {
  const { reserves, end, watch } = d.state
  const isGood = amount > 0n && amount <= MAX_NET && Number.isSafeInteger(seconds) && seconds < 2 ** 32
  require(isGood && seconds > MINING, 'BadWithdrawal', amount, seconds)
  require(!end.restored, 'RestoredCopy')
  require(!isClosing(d.state) && !isOver(d.state), 'ChannelEnding')
  require(!reserves.mine, 'WithdrawalPending', reserves.mine?.deadline ?? 0)
  require(have >= amount, 'InsufficientFunds', have, amount)
  const ask = { total: outOf(seat, d.state, seat.side) + amount, deadline: watch.time + seconds }
  keep(d, seat, { mine: { ...ask, signature: null, failed: false } })
  set(d, { link: { ...d.state.link, asked: false } })
}

/** The other side asks. */
export function onWithdrawAsk(d: Draft, _seat: Seat, { total, deadline }: Said<'withdrawAsk'>): void {
  const { theirs, passed } = d.state.reserves
  const ask = { total, deadline }
  // It does not know what was decided, or it would not ask.
  if (deadline < passed) announce(d)
  else if (theirs && same(theirs, ask)) answer(d, theirs)
  else set(d, { reserves: { ...d.state.reserves, asked: ask } })
}

/** The other side has signed this side's withdrawal. */
export function onWithdrawSig(d: Draft, seat: Seat, { signature, ...ask }: Said<'withdrawSig'>): void {
  const { mine } = d.state.reserves
  if (!mine || mine.signature !== null || !same(mine, ask)) return
  const digest = askDigest(seat.court, seat.id, seat.side, mine)
  if (!isSignedBy(digest, signature, peerSigner(seat))) drop(d, 'a withdrawal that its sender did not sign')
  else {
    keep(d, seat, { mine: { ...mine, signature } })
    takeOut(d, seat)
  }
}

/** The other side has seen a final block of this time. */
export function onLapsed(d: Draft, time: number): void {
  const { reserves } = d.state
  if (time > reserves.heard) set(d, { reserves: { ...reserves, heard: time } })
}

/** Tells the other side which deposits, and which time, this side has seen in final blocks. */
export function announce(d: Draft): void {
  const { announced, watch, reserves } = d.state
  if (announced === 0n && reserves.passed === 0) return
  say(d, { type: 'funds', total: announced, lapsedThrough: Math.max(watch.lapsed, reserves.passed) })
}

/** After each input: whatever withdrawals wait for and has come. The order counts: what ends here was announced before. */
export function attend(d: Draft, seat: Seat): void {
  const { mine, theirs, asked } = d.state.reserves
  if (!mine && !theirs && !asked) return
  noteDeadlines(d, seat)
  noteOutcomes(d, seat)
  release(d, seat)
  ask(d)
  signAsked(d, seat)
}

/** Asks for the transaction of a withdrawal that both have signed, until a block shows it. */
export function takeOut(d: Draft, seat: Seat): void {
  const call = needed(seat, d.state)
  if (call) d.outputs.push({ kind: 'call', call })
}

function needed(seat: Seat, s: PeerState): ChannelCall | undefined {
  const { side, channel, court, id, key } = seat
  const { mine } = s.reserves
  if (!mine?.signature || s.end.restored || isOver(s)) return undefined
  if (s.watch.newest.withdrawn[side] >= mine.total || s.watch.time > mine.deadline) return undefined
  const own = isSender(seat) ? '0x' : signAsk(court, id, side, mine, key)
  const { deadline, total, signature } = mine
  return { verb: 'withdraw', channel, ...totals(side, total), deadline, ...signatures(seat, own, signature) }
}

/** A final block is past a deadline: said to the other side, who waits for it. */
function noteDeadlines(d: Draft, seat: Seat): void {
  const { reserves, watch } = d.state
  const { mine, theirs, asked, passed } = reserves
  const isNew = [mine, theirs, asked].some((one) => one && watch.lapsed > one.deadline && passed <= one.deadline)
  if (!isNew) return
  keep(d, seat, { passed: watch.lapsed, asked: asked && watch.lapsed > asked.deadline ? null : asked })
  announce(d)
}

/** What final blocks have decided: paid, or never. */
function noteOutcomes(d: Draft, seat: Seat): void {
  const { reserves, watch, finished } = d.state
  for (const whose of ['mine', 'theirs'] as const) {
    const reserve = reserves[whose]
    if (!reserve) continue
    const side = whose === 'mine' ? seat.side : other(seat.side)
    const paid = watch.final.withdrawn[side] >= reserve.total
    if (paid) keep(d, seat, { [whose]: null, taken: { ...d.state.reserves.taken, [side]: reserve.total } })
    if (whose === 'mine' && !reserve.failed) {
      if (paid) tell(d, { name: 'withdrawn', total: reserve.total })
      else if (finished) fail(d, seat, reserve, 'ChannelEnding')
      else if (d.state.reserves.passed > reserve.deadline) fail(d, seat, reserve, lapseOf(reserve))
    }
  }
}

function lapseOf({ signature }: Reserve): string {
  return signature === null ? 'WithdrawalUnsigned' : 'WithdrawalLapsed'
}

function fail(d: Draft, seat: Seat, mine: Reserve, code: string): void {
  keep(d, seat, { mine: { ...mine, failed: true } })
  tell(d, { name: 'unwithdrawn', total: mine.total, code })
}

/** A reserve ends when a final block past its deadline, without it, has been seen by this side and announced by the other. */
function release(d: Draft, seat: Seat): void {
  const { mine, theirs, passed, heard } = d.state.reserves
  const ends = ({ deadline }: Ask) => d.state.finished !== null || Math.min(passed, heard) > deadline
  if (mine && ends(mine)) keep(d, seat, { mine: null })
  if (theirs && ends(theirs)) keep(d, seat, { theirs: null })
}

/** Asks once a connection. Past the deadline too: the answer is then the announcement that ends the reserve. */
function ask(d: Draft): void {
  const { link, end, reserves } = d.state
  const { mine } = reserves
  if (!mine || mine.signature !== null || !link.greeted || link.behind || link.asked) return
  if (end.restored || isOver(d.state)) return
  set(d, { link: { ...link, asked: true } })
  say(d, { type: 'withdrawAsk', total: mine.total, deadline: mine.deadline })
}

/** Signs the other side's ask once everything can bear it; until then it waits. */
function signAsked(d: Draft, seat: Seat): void {
  const { asked } = d.state.reserves
  if (!asked || !maySign(seat, d.state, asked)) return
  const signature = signAsk(seat.court, seat.id, other(seat.side), asked, seat.key)
  const theirs = { ...asked, signature, failed: false }
  keep(d, seat, { theirs, asked: null })
  answer(d, theirs)
}

function maySign(seat: Seat, s: PeerState, { total, deadline }: Ask): boolean {
  const { link, end, watch, reserves, complete, proposal, announced } = s
  if (end.restored || isClosing(s) || isOver(s) || !link.greeted || link.behind) return false
  const side = other(seat.side)
  if (reserves.theirs || total <= outOf(seat, s, side) || watch.time > deadline) return false
  const open = proposal && { net: proposal.state.net, book: proposal.book }
  return [complete, open ?? complete].every((one) => spendOf(side, announced - total, one) >= 0n)
}

function answer(d: Draft, { total, deadline, signature }: Reserve): void {
  if (signature && !d.state.end.restored && !isOver(d.state))
    say(d, { type: 'withdrawSig', total, deadline, signature })
}

function same(x: Ask, y: Ask): boolean {
  return x.total === y.total && x.deadline === y.deadline
}

function keep(d: Draft, seat: Seat, change: Partial<Reserves>): void {
  const reserves = { ...d.state.reserves, ...change }
  set(d, { reserves })
  const { mine, theirs, taken, passed } = reserves
  put(d, 'withdrawal', seat.id, { mine, theirs, taken, passed })
}
