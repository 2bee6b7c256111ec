import type { Hex } from '../base/Bytes.ts'
import type { Channel, Side } from './Channel.ts'
import { available } from './Peer.ts'
import { isClocked, type PeerState, type Seat, unendedLocks } from './PeerState.ts'

/** What one side knows of one channel, for people. */
export interface ChannelStatus {
  readonly id: Hex
  readonly channel: Channel
  readonly side: Side
  readonly phase: 'new' | 'open' | 'ending' | 'closed'
  /** Whether the peer has said hello on this connection. */
  readonly connected: boolean
  /** The newest complete state. */
  readonly version: bigint
  readonly net: bigint
  /** What this side can pay now, in smallest units. */
  readonly available: bigint
  /** How many of this side's payments have not ended. */
  readonly pending: number
  /** Open locks of the newest complete state: how many, what they may take from each side, and the last second of any. */
  readonly locked: { readonly count: number; readonly owed: Readonly<Record<Side, bigint>>; readonly until: number }
  /** What is final on layer 1 of each side's deposits. */
  readonly deposits: Readonly<Record<Side, bigint>>
  /** What each side has taken out of the open channel, final on layer 1. */
  readonly withdrawn: Readonly<Record<Side, bigint>>
  /** This side's withdrawal that is not decided yet: its total, its last second, and whether the other side has signed it. */
  readonly withdrawal: { readonly total: bigint; readonly deadline: number; readonly signed: boolean } | undefined
  /** What the court paid, once that is final. */
  readonly closed: { readonly payA: bigint; readonly payB: bigint } | undefined
}

/** The status of a channel as this side knows it. */
export function status(seat: Seat, state: PeerState): ChannelStatus {
  const { id, channel, side } = seat
  const { complete, pending, proposal, watch, link, finished } = state
  const { mine } = state.reserves
  const proposed = proposal?.batch[side].pays.length ?? 0
  const adding = proposal?.moved.filter(({ by, change }) => by === side && change.kind === 'addLock').length ?? 0
  return {
    id,
    channel,
    side,
    phase: phaseOf(state),
    connected: link.greeted,
    version: complete.version,
    net: complete.net,
    available: available(seat, state),
    pending: pending.length + proposed + adding + unendedLocks(side, state).length,
    locked: lockedOf(state),
    deposits: watch.final.deposits,
    withdrawn: watch.final.withdrawn,
    withdrawal: mine ? { total: mine.total, deadline: mine.deadline, signed: mine.signature !== null } : undefined,
    closed: finished ?? undefined,
  }
}

function lockedOf({ locks, complete }: PeerState): ChannelStatus['locked'] {
  const until = locks.reduce((latest, { expiry }) => Math.max(latest, expiry), 0)
  return { count: locks.length, owed: complete.book.owed, until }
}

function phaseOf({ finished, end, watch, opened }: PeerState): ChannelStatus['phase'] {
  if (finished) return 'closed'
  if (end.asked || end.peerAsked || end.disputed !== null || end.final || isClocked(watch.newest)) return 'ending'
  return opened ? 'open' : 'new'
}
