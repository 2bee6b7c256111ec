import type { Hex } from '../base/Bytes.ts'
import { type Domain, sign } from '../base/Signature.ts'
import { type Side, withdrawalDigest } from './Channel.ts'

/** What one side will have taken out of the open channel in all, and the last second in which the court takes it. */
export interface Ask {
  readonly total: bigint
  readonly deadline: number
}

/** A withdrawal that may still be paid: its side cannot spend it. */
export interface Reserve extends Ask {
  /** Of the side whose money it is not; null while it has only been asked for. */
  readonly signature: Hex | null
  /** Whether who asked has been told that it cannot be paid any more. */
  readonly failed: boolean
}

/** What one side knows of withdrawals. */
export interface Reserves {
  /** This side's own, from its ask on. */
  readonly mine: Reserve | null
  /** The other side's, from this side's signature on. */
  readonly theirs: Reserve | null
  /** The other side's ask that is not signed: it comes again with every connection. */
  readonly asked: Ask | null
  /** What final blocks have shown as taken out by withdrawals known here; never goes back. */
  readonly taken: Readonly<Record<Side, bigint>>
  /** A final block's time past the deadline of a withdrawal, as announced to the other side, 0 if none; never goes back. */
  readonly passed: number
  /** The time of a final block that the other side has announced. */
  readonly heard: number
}

/** Before anybody has asked for anything. */
export const NO_RESERVES: Reserves = {
  mine: null,
  theirs: null,
  asked: null,
  taken: { a: 0n, b: 0n },
  passed: 0,
  heard: 0,
}

/** The totals of a withdrawal by one side: the other side's part is none. */
export function totals(side: Side, total: bigint): { readonly totalA: bigint; readonly totalB: bigint } {
  return side === 'a' ? { totalA: total, totalB: 0n } : { totalA: 0n, totalB: total }
}

/** What both sign so that a side may take out its total. */
export function askDigest(court: Domain, id: Hex, side: Side, { total, deadline }: Ask): Hex {
  const { totalA, totalB } = totals(side, total)
  return withdrawalDigest(court, id, totalA, totalB, deadline)
}

/** A signature of a side's withdrawal. */
export function signAsk(court: Domain, id: Hex, side: Side, ask: Ask, key: Hex): Hex {
  return sign(askDigest(court, id, side, ask), key)
}
