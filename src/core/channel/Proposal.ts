import type { Hex } from '../base/Bytes.ts'
import { isSignedBy, sign } from '../base/Signature.ts'
import { aligned, countOf, resolved, saidIn } from './Ahead.ts'
import { type Change, costOf, weightOf } from './Change.ts'
import { other, type State, stateDigest } from './Channel.ts'
import { compose, recompute } from './Compose.ts'
import { type Effects, movedBy, stateAfter } from './Effects.ts'
import { becomeRestored, dispute, isClosing, offerFinal } from './Ending.ts'
import { adopt, completeProposal, failProposal, refuse, unqueue } from './Ledger.ts'
import { locksRoot } from './Lock.ts'
import type { Book, Moved } from './LockBook.ts'
import { learn, replaceLocks } from './LockEnd.ts'
import { NO_PAYS } from './Lot.ts'
import type { Item, Message } from './Message.ts'
import { BATCH, REQUESTS } from './Payment.ts'
import {
  type Complete,
  type Draft,
  drop,
  isOver,
  type PeerState,
  type Pending,
  type Proposal,
  peerSigner,
  type Seat,
  say,
  set,
  signatures,
  spendOf,
  stateOf,
} from './PeerState.ts'
import { newest, oldest, push, pushAll, type Queue, take } from './Queue.ts'
import type { Batch } from './Receipt.ts'
import { putBatch, putProposal } from './Saved.ts'
import { fundsOf } from './Withdrawal.ts'

/** How many changes one message carries at most, and how many characters of them: a constant of the protocol. */
const CHANGES = 4096
const CHARACTERS = 900_000

type Said<T extends Message['type']> = Extract<Message, { type: T }>

/** Whether the writer may put what waits into a new version now. */
export function mayPropose(seat: Seat, s: PeerState): boolean {
  const { link, complete, inbox } = s
  if (!seat.isWriter || !link.greeted || link.behind || s.proposal) return false
  if (s.end.restored || isOver(s) || (isClosing(s) && !endsLocks(s))) return false
  return inbox.length >= BATCH || complete.disposed + inbox.length >= link.owed
}

/** A closing channel goes on while it has open locks, so that their receivers can end them; an older copy cannot. */
function endsLocks({ locks, link }: PeerState): boolean {
  return locks.length > 0 && !link.peerRestored
}

/** More changes of this side wait for the next version, under the next numbers. */
export function enqueue(d: Draft, changes: readonly Change[]): void {
  const { last, pending } = d.state
  let { pendingSum, pendingLocks } = d.state
  for (const change of changes) {
    pendingSum += costOf(change)
    if (change.kind === 'addLock') pendingLocks++
  }
  const more = changes.map((change, index) => ({ number: last + 1 + index, change }))
  set(d, { last: last + changes.length, pending: pushAll(pending, more), pendingSum, pendingLocks })
}

/** Puts everything that waits, up to a batch of each side's, into the next version, stores it signed and offers it. */
export function propose(d: Draft, seat: Seat): void {
  if (!mayPropose(seat, d.state)) return
  const [requests, inbox] = take(d.state.inbox, BATCH)
  const count = aligned(d.state, fitting(oldest(d.state.pending, CHANGES)))
  const [own, pending] = take(d.state.pending, count)
  if (requests.length + own.length === 0) return
  const said = saidIn(d.state, count)
  const lots = said.map(({ lot }) => lot)
  const { items, done, dropped } = compose(seat, d.state, lots, own.slice(countOf(said)), requests)
  unqueue(d, seat, own, pending)
  for (const [change, code] of dropped) refuse(d, seat, change, code)
  if (items.length === 0) return
  const proposal = signed(seat, d.state, items, done, requests.length)
  set(d, { inbox, proposal })
  putBatch(d, seat, proposal.state.version, proposal.batch, proposal.moved)
  putProposal(d, seat, proposal)
  offer(d, said.length)
}

/** How many of some changes fit into one message, the first of them first. */
function fitting(changes: readonly Pending[]): number {
  let room = CHARACTERS
  let count = 0
  for (const { change } of changes) {
    room -= weightOf(change)
    if (room < 0 || count === CHANGES) break
    count++
  }
  return count
}

/** Says the outstanding proposal (again); its first lots may have been said ahead on this connection. */
export function offer(d: Draft, said = 0): void {
  const { proposal, link } = d.state
  if (!proposal) return
  const { state, hash, signature } = proposal
  const items: readonly Item[] =
    said > 0 ? [{ kind: 'ahead', count: said }, ...proposal.items.slice(said)] : proposal.items
  if (said > 0) set(d, { link: { ...link, ahead: link.ahead.slice(said) } })
  say(d, { type: 'propose', version: state.version, items, hash, signature })
}

function signed(seat: Seat, s: PeerState, made: readonly Item[], done: Effects, requests: number): Proposal {
  const after = stateAfter(stateOf(seat, s.complete), done)
  if (!after) throw new Error('the sum of the payments does not fit a channel')
  const hash = stateDigest(seat.court, after.state)
  const disposed = s.complete.disposed + requests
  return {
    ...after,
    hash,
    signature: sign(hash, seat.key),
    items: made,
    moved: movedBy(done),
    disposed,
    late: null,
  }
}

/** Says requests that the other side has not heard on this connection yet, as many as may be on their way. */
export function request(d: Draft, seat: Seat): void {
  const { link, complete, last, pending, end } = d.state
  if (seat.isWriter || !link.greeted || link.behind || end.restored || isOver(d.state)) return
  const said = Math.max(link.said, complete.disposed)
  const through = Math.min(last, complete.disposed + REQUESTS)
  if (said >= through) return
  let asked = newest(pending, last - said).slice(0, through - said)
  while (asked.length > 0) {
    const some = asked.slice(0, fitting(asked))
    say(d, { type: 'request', number: some[0]!.number, changes: some.map(({ change }) => change) })
    asked = asked.slice(some.length)
  }
  set(d, { link: { ...link, said: through } })
}

/** The writer takes a request: the next in order, once. After a gap only a new connection brings what is missing. */
export function onRequest(d: Draft, seat: Seat, { number, changes }: Said<'request'>): void {
  const { proposal, complete } = d.state
  let { inbox } = d.state
  const next = (proposal ?? complete).disposed + inbox.length + 1
  const fresh = changes.slice(Math.max(0, next - number))
  if (!seat.isWriter || fresh.length === 0 || isOver(d.state)) return
  if (number > next || inbox.length + fresh.length > REQUESTS) drop(d, 'a request was lost, or too many wait')
  else {
    for (const change of fresh) {
      if (change.kind === 'fulfilLock') learn(d, change.preimage)
      inbox = push(inbox, change)
    }
    set(d, { inbox })
  }
}

/** The non-writer takes a proposal: the past is acknowledged again or ignored, never judged. */
export function onPropose(d: Draft, seat: Seat, said: Said<'propose'>): void {
  const { complete, hash, end } = d.state
  if (seat.isWriter) return
  if (said.version > complete.version) {
    if (!isOver(d.state) && !end.restored) answerProposal(d, seat, said)
  } else if (said.version === complete.version && said.hash === hash) acknowledge(d, seat)
}

/** Countersigns a new proposal iff it is valid; ends the channel iff the writer signed an invalid one. */
function answerProposal(d: Draft, seat: Seat, offered: Said<'propose'>): void {
  const { hash, signature, version } = offered
  const items = resolved(d, offered.items)
  if (!isSignedBy(hash, signature, peerSigner(seat))) drop(d, 'a proposal that its writer did not sign')
  // A gap says that one of the two stores is an older copy; the next hello tells which.
  else if (version > d.state.complete.version + 1n) drop(d, 'a proposal beyond the next version')
  else if (!items) drop(d, 'a proposal of payments that were not said')
  else {
    const said = { ...offered, items }
    learnFrom(d, said)
    const judged = judge(seat, d.state, said)
    if (judged === 'Undecided') set(d, { held: said })
    else if (typeof judged === 'string') dispute(d, seat, judged)
    else accept(d, seat, said, judged)
  }
}

/** A preimage that the writer has shown is known, whatever becomes of its proposal. */
function learnFrom(d: Draft, { items: shown }: Said<'propose'>): void {
  for (const item of shown) {
    if (item.kind === 'own' && item.change.kind === 'fulfilLock') learn(d, item.change.preimage)
  }
}

/** Judges a held proposal again: a block has come, or time has passed. */
export function judgeHeld(d: Draft, seat: Seat): void {
  const { held } = d.state
  if (!held) return
  set(d, { held: null })
  onPropose(d, seat, held)
}

interface Judged {
  readonly state: State
  readonly book: Book
  readonly batch: Batch
  readonly moved: readonly Moved[]
  readonly disposed: number
  readonly own: readonly Pending[]
  readonly refused: readonly (readonly [Change, string])[]
  readonly rest: Queue<Pending>
}

/**
 * What a proposal does, recomputed from the newest complete state and this side's own requests; or why it is invalid, or
 * `Undecided` while nobody can know whether it is valid.
 */
export function judge(seat: Seat, s: PeerState, { items, hash }: Said<'propose'>): Judged | string {
  const numbered = items.filter((item) => item.kind === 'request' || item.kind === 'refusal')
  const [own, rest] = take(s.pending, numbered.length)
  if (numbered.some((item, i) => item.number !== own[i]?.number)) return 'RequestOutOfOrder'
  const disposed = s.complete.disposed + numbered.length
  if (disposed < Math.min(s.complete.owed, s.complete.disposed + BATCH)) return 'RequestLeftOut'
  const made = recompute(seat, s, items, own)
  if (typeof made === 'string') return made
  const after = stateAfter(stateOf(seat, s.complete), made.done)
  if (!after || isOverspent(seat, s, after)) return 'InsufficientFunds'
  if (stateDigest(seat.court, after.state) !== hash) return 'HashMismatch'
  if (made.undecided) return 'Undecided'
  return { ...after, moved: movedBy(made.done), disposed, own, refused: made.refused, rest }
}

/** Whether the writer spends more than it has; this side's own requests were within its means when it made them. */
function isOverspent(
  seat: Seat,
  s: PeerState,
  { state, book }: { readonly state: State; readonly book: Book },
): boolean {
  const writer = other(seat.side)
  return spendOf(writer, fundsOf(seat, s, writer), { net: state.net, book }) < 0n
}

function accept(d: Draft, seat: Seat, said: Said<'propose'>, judged: Judged): void {
  const mine = sign(said.hash, seat.key)
  set(d, { held: null })
  unqueue(d, seat, judged.own, judged.rest)
  putBatch(d, seat, said.version, judged.batch, judged.moved)
  adopt(d, seat, { ...judged, hash: said.hash }, mine, said.signature)
  for (const [change, code] of judged.refused) refuse(d, seat, change, code)
  acknowledge(d, seat)
}

function acknowledge(d: Draft, seat: Seat): void {
  const { complete, hash } = d.state
  const signature = complete[seat.side === 'a' ? 'sigA' : 'sigB']
  say(d, { type: 'ack', version: complete.version, hash, owed: d.state.last, signature })
}

/** The writer takes an acknowledgement; once a clock is set it is good for the court only. */
export function onAck(d: Draft, seat: Seat, { version, hash, owed, signature }: Said<'ack'>): void {
  const { proposal, link } = d.state
  if (!proposal || version !== proposal.state.version || hash !== proposal.hash || proposal.late) return
  if (!isSignedBy(hash, signature, peerSigner(seat))) drop(d, 'an acknowledgement that its sender did not sign')
  else if (isOver(d.state)) keepLate(d, seat, proposal, signature)
  else {
    set(d, { link: { ...link, owed } })
    completeProposal(d, seat, signature)
    offerFinal(d, seat)
  }
}

function keepLate(d: Draft, seat: Seat, proposal: Proposal, late: Hex): void {
  set(d, { proposal: { ...proposal, late } })
  putProposal(d, seat, { ...proposal, late })
}

/** A newer complete state than mine: my own proposal's, or one that proves that my store is an older copy. */
export function onShow(d: Draft, seat: Seat, { state: shown, owed }: Said<'show'>): void {
  const { complete } = d.state
  const { version, net, batch, sigA, sigB, locks } = shown
  const state: State = { channelId: seat.id, version, net, locksRoot: locksRoot(locks), batch }
  const hash = stateDigest(seat.court, state)
  const { a, b } = seat.channel
  if (version <= complete.version) return
  if (!isSignedBy(hash, sigA, a.signer) || !isSignedBy(hash, sigB, b.signer)) {
    drop(d, 'a state that not both have signed')
  } else if (isOver(d.state)) shownLate(d, seat, hash, seat.side === 'a' ? sigB : sigA)
  else {
    set(d, { link: { ...d.state.link, behind: false, owed } })
    if (d.state.proposal?.hash === hash) completeProposal(d, seat, seat.side === 'a' ? sigB : sigA)
    else adoptForgotten(d, seat, state, locks, hash, signatures(seat, sigA, sigB))
    offerFinal(d, seat)
  }
}

function shownLate(d: Draft, seat: Seat, hash: Hex, theirs: Hex): void {
  const { proposal } = d.state
  if (proposal?.hash === hash && !proposal.late) keepLate(d, seat, proposal, theirs)
}

/** Both have signed a version that this store does not know: it is an older copy of itself. */
function adoptForgotten(
  d: Draft,
  seat: Seat,
  state: State,
  packed: Hex,
  hash: Hex,
  sigs: Pick<Complete, 'sigA' | 'sigB'>,
): void {
  becomeRestored(d, seat)
  if (d.state.proposal && d.state.proposal.state.version <= state.version) failProposal(d, seat)
  const { disposed, book: before } = d.state.complete
  const book = replaceLocks(d, seat, packed, before)
  // `signatures` is its own inverse: what was by side comes back as mine and theirs.
  adopt(d, seat, { state, book, hash, batch: { a: NO_PAYS, b: NO_PAYS }, moved: [], disposed }, sigs.sigA, sigs.sigB)
}
