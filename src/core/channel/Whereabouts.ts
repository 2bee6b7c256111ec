import { other } from './Channel.ts'
import type { PeerState, Seat } from './PeerState.ts'
import type { Court } from './Watch.ts'

/**
 * Where one side's money of a channel is, in smallest units: the amounts add up to what this side has deposited, and
 * what it has earned less what it has paid.
 */
export interface Whereabouts {
  /** Deposited in a block that a reorg may still take back. */
  readonly arriving: bigint
  /** In the channel, by the newest state that counts. */
  readonly inChannel: bigint
  /** Of this side, in locks that are open: at the latest decided after a second; undefined while there are none. */
  readonly locked: { readonly amount: bigint; readonly until: number } | undefined
  /** In the channel while the court's clock runs: to be had after its last second, undefined while there is none. */
  readonly inDispute: { readonly amount: bigint; readonly until: number } | undefined
  /** Kept by the court because its owner did not take it: to be claimed. */
  readonly credit: bigint
  /** Paid to the owner on layer 1: withdrawn, and at the end. */
  readonly paidOut: bigint
}

/**
 * Where this side's money is as the newest block shows it; `credit` is what the court keeps for its owner of this
 * channel. What an open lock holds counts as its payer's; once a clock runs, it is in the dispute like the rest.
 */
export function whereabouts({ side }: Seat, state: PeerState, credit = 0n): Whereabouts {
  const { newest, final } = state.watch
  const { deposits, withdrawn, clock, closed } = newest
  const paid = withdrawn[side] + (closed ? (side === 'a' ? closed.payA : closed.payB) : 0n)
  const kept = least(credit, paid)
  const rest = closed ? 0n : shareOf(side, newest, netOf(state))
  const open = clock || closed ? [] : state.locks.filter(({ toB }) => toB === (side === 'a'))
  const offered = open.reduce((sum, { amount }) => sum + amount, 0n)
  const locked = least(rest, offered)
  const arriving = clock ? 0n : least(rest - locked, most(0n, deposits[side] - final.deposits[side]))
  return {
    arriving,
    inChannel: clock ? 0n : rest - locked - arriving,
    locked: locked > 0n ? { amount: locked, until: Math.max(...open.map(({ expiry }) => expiry)) } : undefined,
    inDispute: clock && !closed ? { amount: rest, until: clock.deadline } : undefined,
    credit: kept,
    paidOut: paid - kept,
  }
}

/** All of it. */
export function sumOf({ arriving, inChannel, locked, inDispute, credit, paidOut }: Whereabouts): bigint {
  return arriving + inChannel + (locked?.amount ?? 0n) + (inDispute?.amount ?? 0n) + credit + paidOut
}

/** What A owes B by the state that the court will go by: the newest that is known, while it can still be shown there. */
function netOf({ complete, watch: { newest, time } }: PeerState): bigint {
  const { clock } = newest
  return clock && (clock.version >= complete.version || time > clock.deadline) ? clock.net : complete.net
}

/** A side's part of what is left in the channel, as the court would pay it. */
function shareOf(side: Seat['side'], { deposits, withdrawn }: Court, net: bigint): bigint {
  const mine = deposits[side] - withdrawn[side]
  const theirs = deposits[other(side)] - withdrawn[other(side)]
  return most(0n, least(side === 'a' ? mine - net : mine + net, mine + theirs))
}

function most(one: bigint, other: bigint): bigint {
  return one > other ? one : other
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other
}
