import type { Hex } from '../base/Bytes.ts'
import { get } from '../base/HashMap.ts'
import { isSignedBy, sign } from '../base/Signature.ts'
import type { ChannelCall, SignedState } from './Call.ts'
import { challengeOf } from './Challenge.ts'
import { finalState, stateDigest } from './Channel.ts'
import { failPending } from './Ledger.ts'
import { unpackLocks } from './Lock.ts'
import { type OpenLock, payerOf, receiverOf } from './LockBook.ts'
import { cutoff, isDecided, now } from './LockTime.ts'
import type { Message } from './Message.ts'
import {
  type Complete,
  type Draft,
  drop,
  isClocked,
  isOver,
  type PeerState,
  peerSigner,
  type Seat,
  say,
  set,
  setEnd,
  signatures,
  signedState,
  tell,
} from './PeerState.ts'

/** Seconds for which a side that wants the end waits at most for locks that the other side pays: that chose their expiry. */
const HOLD = 86_400

type Said<T extends Message['type']> = Extract<Message, { type: T }>

/** Whether the channel is on its way to a final state: nothing new is proposed. */
export function isClosing({ end, link }: PeerState): boolean {
  return end.asked || end.peerAsked || link.peerRestored
}

/** This side goes to court with its newest state and signs nothing more. */
export function dispute(d: Draft, seat: Seat, why: string): void {
  if (d.state.finished || d.state.end.disputed !== null) return
  setEnd(d, seat, { disputed: why })
  tell(d, { name: 'disputed', why })
  failPending(d, seat)
  goToCourt(d, seat)
}

/**
 * This store is an older copy of itself: it signs nothing new. The channel is to end, but before any block has come the
 * wait for that cannot begin: `close` says when.
 */
export function becomeRestored(d: Draft, seat: Seat): void {
  if (d.state.end.restored || d.state.finished) return
  const { time } = d.state.watch
  setEnd(d, seat, time === 0 ? { restored: true } : { restored: true, asked: true, since: time })
}

/** The user asks for the end of the channel by agreement. */
export function close(d: Draft, seat: Seat): void {
  const { end, finished, watch } = d.state
  if (finished || end.asked) return
  setEnd(d, seat, { asked: true, since: end.since || watch.time })
  askToClose(d, seat)
  offerFinal(d, seat)
  goToCourt(d, seat)
}

/** Who may not sign a final state first asks the other to. */
export function askToClose(d: Draft, seat: Seat): void {
  const { end, link } = d.state
  if (end.asked && (!seat.isWriter || end.restored) && !link.peerRestored && !isOver(d.state)) {
    say(d, { type: 'close', restored: end.restored })
  }
}

/** Signs the final state and offers it, where this side may be first: the writer, or the peer of a restored copy. */
export function offerFinal(d: Draft, seat: Seat): void {
  const { end, link, proposal, complete, watch } = d.state
  const mayBeFirst = (seat.isWriter || link.peerRestored) && !end.restored && d.state.locks.length === 0
  if (!isClosing(d.state) || !mayBeFirst || proposal || isOver(d.state) || !link.greeted || link.behind) return
  const mine = sign(stateDigest(seat.court, finalState(seat.id, complete.net)), seat.key)
  const asked = end.asked || link.peerRestored
  setEnd(d, seat, { final: { net: complete.net, mine, theirs: null }, asked, since: end.since || watch.time })
  failPending(d, seat)
  repeatFinal(d)
}

/** Says the final state (again) that this side signed first. */
export function repeatFinal(d: Draft): void {
  const { final } = d.state.end
  if (final && !final.theirs) say(d, { type: 'final', net: final.net, signature: final.mine })
}

/** The other side asks for the final state. */
export function onClose(d: Draft, seat: Seat, { restored }: Said<'close'>): void {
  if (restored) set(d, { link: { ...d.state.link, peerRestored: true } })
  else if (!seat.isWriter) return
  if (!d.state.end.peerAsked) setEnd(d, seat, { peerAsked: true })
  offerFinal(d, seat)
}

/** The other side has signed the final state: countersigned iff it pays exactly the newest net and no proposal is open. */
export function onFinal(d: Draft, seat: Seat, { net, signature }: Said<'final'>): void {
  const { end, complete, proposal } = d.state
  if (!isSignedBy(finalHash(seat, net), signature, peerSigner(seat))) drop(d, 'a final state not signed')
  else if (end.final) meet(d, seat, net, signature)
  else if (isOver(d.state) || (seat.isWriter && !end.restored)) return
  else if (net !== complete.net || proposal || d.state.locks.length > 0) dispute(d, seat, 'FinalMismatch')
  else countersign(d, seat, net, signature)
}

function countersign(d: Draft, seat: Seat, net: bigint, theirs: Hex): void {
  const mine = sign(finalHash(seat, net), seat.key)
  setEnd(d, seat, { final: { net, mine, theirs }, since: d.state.watch.time })
  failPending(d, seat)
  agree(d, seat)
  say(d, { type: 'finalSig', signature: mine })
}

/** A final state meets one that this side has signed: the same is acknowledged again. */
function meet(d: Draft, seat: Seat, net: bigint, signature: Hex): void {
  const { final } = d.state.end
  if (!final || final.net !== net) return
  if (final.theirs) say(d, { type: 'finalSig', signature: final.mine })
  else onFinalSig(d, seat, { type: 'finalSig', signature })
}

function finalHash(seat: Seat, net: bigint): Hex {
  return stateDigest(seat.court, finalState(seat.id, net))
}

/** The other side has countersigned the final state. */
export function onFinalSig(d: Draft, seat: Seat, { signature }: Said<'finalSig'>): void {
  const { final } = d.state.end
  if (!final || final.theirs) return
  if (!isSignedBy(finalHash(seat, final.net), signature, peerSigner(seat))) {
    drop(d, 'a final state not signed')
    return
  }
  setEnd(d, seat, { final: { ...final, theirs: signature }, since: d.state.watch.time })
  agree(d, seat)
}

function agree(d: Draft, seat: Seat): void {
  tell(d, { name: 'agreed', net: d.state.end.final!.net })
  goToCourt(d, seat)
}

/** A lock that came after the wait for an end had begun: the wait begins anew once it is over. */
export function waitAnew(d: Draft, seat: Seat): void {
  if (d.state.end.since !== 0 && d.state.end.final === null && waitsForLocks(seat, d.state))
    setEnd(d, seat, { since: 0 })
}

/** Starts the wait for an end at the first known block, and goes to court when the wait has been too long. */
export function onTime(d: Draft, seat: Seat): void {
  const { end, watch } = d.state
  const waits = end.asked || end.final !== null
  if (!waits || watch.time === 0) return
  if (end.until === 0) setEnd(d, seat, { until: watch.time + HOLD })
  if (end.since === 0) {
    if (!waitsForLocks(seat, d.state)) setEnd(d, seat, { since: watch.time })
  } else if (waitsForLocks(seat, d.state)) setEnd(d, seat, { since: 0 })
  else if (!end.final?.theirs && isLate(seat, d.state) && !isClocked(watch.newest)) dispute(d, seat, 'CloseUnanswered')
}

/**
 * A lock never forces a close: while one may be taken, nobody is late, but a lock that the other side pays puts off no end
 * for ever. An older copy cannot end any, so it waits for none.
 */
function waitsForLocks({ side }: Seat, { end, locks, watch }: PeerState): boolean {
  const isPatient = end.until === 0 || watch.time <= end.until
  const mayBeTaken = (lock: OpenLock) => watch.lapsed <= lock.expiry && (isPatient || payerOf(lock) === side)
  return end.disputed === null && !end.restored && locks.some(mayBeTaken)
}

function isLate(seat: Seat, { end, watch }: PeerState): boolean {
  return end.since > 0 && watch.time > end.since + seat.patience
}

/** Asks for the transaction that the court needs next from this side, if any. Asked again at every block until done. */
export function goToCourt(d: Draft, seat: Seat): void {
  const shown = toReveal(seat, d.state)
  if (shown) d.outputs.push({ kind: 'call', call: shown })
  const call = needed(seat, d.state)
  if (call) d.outputs.push({ kind: 'call', call })
}

/** The call that this side needs now: conclude, settle, answer or challenge. */
export function needed(seat: Seat, s: PeerState): ChannelCall | undefined {
  const { clock, closed, locks, unsure } = s.watch.newest
  if (s.finished) return undefined
  if (closed) return !unsure && paysLocks(s) ? { verb: 'settle', channel: seat.channel, locks } : undefined
  const { final, asked, disputed } = s.end
  if (final?.theirs && (asked || clock || isLate(seat, s))) return conclude(seat, final.net, final.mine, final.theirs)
  if (!clock) return disputed === null ? undefined : challengeOf(seat, forCourt(seat, s.complete), s.watch.time)
  if (s.watch.time > clock.deadline) return { verb: 'settle', channel: seat.channel, locks }
  const best = publishable(seat, s)
  if (best.version <= clock.version) return undefined
  return { verb: 'answer', channel: seat.channel, state: forCourt(seat, best) }
}

/** Whether the court, after it has closed the channel, would pay a lock that it had left open. */
function paysLocks({ watch: { newest, time } }: PeerState): boolean {
  return unpackLocks(newest.locks).some((lock) => time > lock.expiry || isDecided(newest, lock))
}

/**
 * The preimages that layer 1 must hear of now: of locks towards this side that were not taken in time, or of a channel that
 * is in court, until a verdict is there. The court counts by blocks: a clock that is ahead makes it sooner, never too late.
 */
function toReveal(seat: Seat, s: PeerState): ChannelCall | undefined {
  const { newest } = s.watch
  if (s.finished || s.preimages.size === 0) return undefined
  const inCourt = isClocked(newest) || s.end.disputed !== null || s.end.restored
  const listed = newest.closed ? [] : s.locks
  const due = [...listed, ...unpackLocks(newest.locks)].filter(
    (lock) =>
      receiverOf(lock) === seat.side &&
      s.watch.time <= lock.expiry &&
      (inCourt || now(s) >= cutoff(seat, lock)) &&
      !isDecided(newest, lock),
  )
  const preimages = new Set(due.flatMap((lock) => get(s.preimages, lock.key) ?? []))
  return preimages.size === 0 ? undefined : { verb: 'reveal', preimages: [...preimages] }
}

/** The newest state that the court would take from this side: the complete one, or a proposal acknowledged too late. */
function publishable(seat: Seat, { complete, proposal }: PeerState): Complete {
  if (!proposal?.late) return complete
  const { version, net, batch } = proposal.state
  const { book } = proposal
  return { ...complete, version, net, batch, book, ...signatures(seat, proposal.signature, proposal.late) }
}

function conclude(seat: Seat, net: bigint, mine: Hex, theirs: Hex): ChannelCall {
  const sigs = signatures(seat, isSender(seat) ? '0x' : mine, theirs)
  return { verb: 'conclude', channel: seat.channel, net, ...sigs }
}

/** Whether this side's signer sends the transactions itself: then its signature need not travel. */
export function isSender(seat: Seat): boolean {
  return seat.sender === seat.channel[seat.side].signer
}

/** The state for the court; where this side's signer sends the transaction, its signature stays away. */
function forCourt(seat: Seat, complete: Complete): SignedState {
  const state = signedState(complete)
  if (!isSender(seat) || state.version === 0n) return state
  return seat.side === 'a' ? { ...state, sigA: '0x' } : { ...state, sigB: '0x' }
}
