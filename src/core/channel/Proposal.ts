import type { Hex } from '../base/Bytes.ts'
import { isSignedBy, sign } from '../base/Signature.ts'
import { type Change, costOf, weightOf } from './Change.ts'
import { other, type Side, type State, stateDigest } from './Channel.ts'
import { becomeRestored, dispute, isClosing, offerFinal } from './Ending.ts'
import { adopt, completeProposal, failProposal, refuse, unqueue } from './Ledger.ts'
import type { Item, Message } from './Message.ts'
import { BATCH, nextState, type Paid, REQUESTS, spendable } from './Payment.ts'
import {
  type Complete,
  type Draft,
  drop,
  isOver,
  type PeerState,
  type Pending,
  type Proposal,
  peerSigner,
  putProposal,
  type Seat,
  say,
  set,
  signatures,
  stateOf,
} from './PeerState.ts'
import { newest, oldest, push, type Queue, take } from './Queue.ts'
import { fundsOf } from './Withdrawal.ts'

/** How many changes one message carries at most, and how many characters of them: a constant of the protocol. */
const CHANGES = 4096
const CHARACTERS = 900_000

type Said<T extends Message['type']> = Extract<Message, { type: T }>

/** Whether the writer may put what waits into a new version now. */
export function mayPropose(seat: Seat, s: PeerState): boolean {
  const { link, complete, inbox } = s
  if (!seat.isWriter || !link.greeted || link.behind || s.proposal) return false
  if (s.end.restored || isClosing(s) || isOver(s)) return false
  return inbox.length >= BATCH || complete.disposed + inbox.length >= link.owed
}

/** Puts everything that waits, up to a batch of each side's, into the next version, stores it signed and offers it. */
export function propose(d: Draft, seat: Seat): void {
  if (!mayPropose(seat, d.state)) return
  const [requests, inbox] = take(d.state.inbox, BATCH)
  const [own, pending] = take(d.state.pending, fitting(oldest(d.state.pending, CHANGES)))
  if (requests.length + own.length === 0) return
  const proposal = signed(seat, d.state, compose(seat, d.state, own, requests), requests.length)
  unqueue(d, seat, own, pending)
  set(d, { inbox, proposal })
  putProposal(d, seat, proposal)
  offer(d)
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

/** Says the outstanding proposal (again). */
export function offer(d: Draft): void {
  const { proposal } = d.state
  if (!proposal) return
  const { state, items, hash, signature } = proposal
  say(d, { type: 'propose', version: state.version, items, hash, signature })
}

interface Composed {
  readonly items: readonly Item[]
  readonly paid: readonly Paid[]
}

/** The writer's own changes, then the requests in order; a request above what its side can pay is refused. */
function compose(seat: Seat, s: PeerState, own: readonly Pending[], requests: readonly Change[]): Composed {
  const peer = other(seat.side)
  const items: Item[] = own.map(({ change }) => ({ kind: 'own', change }))
  const paid: Paid[] = []
  let left = spendable(peer, fundsOf(seat, s, peer), s.complete.net)
  for (const { change } of own) {
    add(paid, seat.side, change)
    left += costOf(change)
  }
  let number = s.complete.disposed
  for (const change of requests) {
    number++
    if (costOf(change) > left) items.push({ kind: 'refusal', number, code: 'InsufficientFunds' })
    else {
      items.push({ kind: 'request', number })
      add(paid, peer, change)
      left -= costOf(change)
    }
  }
  return { items, paid }
}

function add(to: Paid[], payer: Side, change: Change): void {
  if (change.kind === 'pay') to.push({ payer, pay: change })
}

function signed(seat: Seat, s: PeerState, { items, paid }: Composed, requests: number): Proposal {
  const state = nextState(stateOf(seat, s.complete), paid)
  if (!state) throw new Error('the sum of the payments does not fit a channel')
  const hash = stateDigest(seat.court, state)
  const disposed = s.complete.disposed + requests
  return { state, hash, signature: sign(hash, seat.key), items, paid, disposed, late: null }
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
    for (const change of fresh) inbox = push(inbox, change)
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
function answerProposal(d: Draft, seat: Seat, said: Said<'propose'>): void {
  const { hash, signature, version } = said
  if (!isSignedBy(hash, signature, peerSigner(seat))) drop(d, 'a proposal that its writer did not sign')
  // A gap says that one of the two stores is an older copy; the next hello tells which.
  else if (version > d.state.complete.version + 1n) drop(d, 'a proposal beyond the next version')
  else {
    const judged = judge(seat, d.state, said)
    if (typeof judged === 'string') dispute(d, seat, judged)
    else accept(d, seat, said, judged)
  }
}

interface Judged {
  readonly state: State
  readonly paid: readonly Paid[]
  readonly disposed: number
  readonly own: readonly Pending[]
  readonly refused: readonly (readonly [Change, string])[]
  readonly rest: Queue<Pending>
}

/** What a proposal does, recomputed from the newest complete state and this side's own requests; or why it is invalid. */
export function judge(seat: Seat, s: PeerState, { items, hash }: Said<'propose'>): Judged | string {
  const numbered = items.filter((item) => item.kind !== 'own')
  const [own, rest] = take(s.pending, numbered.length)
  if (numbered.some((item, i) => item.number !== own[i]?.number)) return 'RequestOutOfOrder'
  const disposed = s.complete.disposed + numbered.length
  if (disposed < Math.min(s.complete.owed, s.complete.disposed + BATCH)) return 'RequestLeftOut'
  const { paid, refused } = settle(seat, items, own)
  const state = nextState(stateOf(seat, s.complete), paid)
  const writer = other(seat.side)
  if (!state || spendable(writer, fundsOf(seat, s, writer), state.net) < 0n) return 'InsufficientFunds'
  if (stateDigest(seat.court, state) !== hash) return 'HashMismatch'
  return { state, paid, disposed, own, refused, rest }
}

function settle(seat: Seat, items: readonly Item[], own: readonly Pending[]): Pick<Judged, 'paid' | 'refused'> {
  const paid: Paid[] = []
  const refused: (readonly [Change, string])[] = []
  let next = 0
  for (const item of items) {
    if (item.kind === 'own') add(paid, other(seat.side), item.change)
    else if (item.kind === 'request') add(paid, seat.side, own[next++]!.change)
    else refused.push([own[next++]!.change, item.code])
  }
  return { paid, refused }
}

function accept(d: Draft, seat: Seat, said: Said<'propose'>, judged: Judged): void {
  const mine = sign(said.hash, seat.key)
  unqueue(d, seat, judged.own, judged.rest)
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
  const state: State = { ...stateOf(seat, complete), version, net, batch }
  const hash = stateDigest(seat.court, state)
  const { a, b } = seat.channel
  if (version <= complete.version) return
  if (locks !== '0x' || !isSignedBy(hash, sigA, a.signer) || !isSignedBy(hash, sigB, b.signer)) {
    drop(d, 'a state that not both have signed')
  } else if (isOver(d.state)) shownLate(d, seat, hash, seat.side === 'a' ? sigB : sigA)
  else {
    set(d, { link: { ...d.state.link, behind: false, owed } })
    if (d.state.proposal?.hash === hash) completeProposal(d, seat, seat.side === 'a' ? sigB : sigA)
    else adoptForgotten(d, seat, state, hash, signatures(seat, sigA, sigB))
    offerFinal(d, seat)
  }
}

function shownLate(d: Draft, seat: Seat, hash: Hex, theirs: Hex): void {
  const { proposal } = d.state
  if (proposal?.hash === hash && !proposal.late) keepLate(d, seat, proposal, theirs)
}

/** Both have signed a version that this store does not know: it is an older copy of itself. */
function adoptForgotten(d: Draft, seat: Seat, state: State, hash: Hex, sigs: Pick<Complete, 'sigA' | 'sigB'>): void {
  becomeRestored(d, seat)
  if (d.state.proposal && d.state.proposal.state.version <= state.version) failProposal(d, seat)
  const { disposed } = d.state.complete
  // `signatures` is its own inverse: what was by side comes back as mine and theirs.
  adopt(d, seat, { state, hash, paid: [], disposed }, sigs.sigA, sigs.sigB)
}
