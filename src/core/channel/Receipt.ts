import { type Hex, toBytes, toHex, uint, ZERO } from '../base/Bytes.ts'
import { type Domain, isSignedBy, keccakBytes } from '../base/Signature.ts'
import {
  batchHash,
  type Channel,
  channelId,
  type Leaf,
  leafHash,
  type Side,
  type State,
  stateDigest,
} from './Channel.ts'
import { type Lot, lotOf } from './Lot.ts'
import type { Paid } from './Payment.ts'

/** What a version pays, by who pays it. */
export type Batch = Readonly<Record<Side, Lot>>

/** What a state carries as its batch: as `batchHash` of the leaves, without text in between. */
export function batchOf({ a, b }: Batch): Hex {
  const length = a.leaves.length + b.leaves.length
  if (length === 0) return ZERO
  const bytes = new Uint8Array(4 + length)
  bytes.set(toBytes(uint(a.pays.length, 4)))
  bytes.set(a.leaves, 4)
  bytes.set(b.leaves, 4 + a.leaves.length)
  return toHex(keccakBytes(bytes))
}

/** What a version pays, in the order of its leaves: A's payments come first. */
export function paidIn({ a, b }: Readonly<Record<Side, Pick<Lot, 'pays'>>>): readonly Paid[] {
  const of = (payer: Side, { pays }: Pick<Lot, 'pays'>) => pays.map((pay) => ({ payer, pay }))
  return [...of('a', a), ...of('b', b)]
}

/** Proof of a payment to anybody who knows the court: the payee signed the state whose batch holds the leaf. */
export interface Receipt {
  readonly channel: Channel
  readonly state: State
  readonly leaf: Leaf
  /** The place of the leaf in its batch. */
  readonly index: number
  /** How many leaves of the batch are payments of A: they come first. */
  readonly ofA: number
  /** The hashes of all leaves of the batch, in order. */
  readonly leaves: readonly Hex[]
  /** The payee's signature of the state. */
  readonly signature: Hex
}

/** What a side keeps of a version that paid something. */
export interface History {
  readonly net: bigint
  /** The other side's signature of the version; empty if only layer 1 showed it complete. */
  readonly signature: Hex
  /** Time of the newest block when it became complete, seconds. */
  readonly time: number
  /** In the order of the leaves. */
  readonly paid: readonly Paid[]
  /** What became of locks, if anything did. */
  readonly locks?: readonly HistoryLock[]
  /** Of the open locks, if there were any. */
  readonly locksRoot?: Hex
}

/** A lock that a version added, fulfilled or failed, and its payer's name for it. */
export interface HistoryLock {
  readonly kind: 'addLock' | 'fulfilLock' | 'failLock'
  readonly toB: boolean
  readonly id: bigint
  readonly amount: bigint
  readonly paymentId: Hex
}

/** The receipt of payment `index` of a version; `state` is the version's, its batch recomputed here. */
export function receipt(channel: Channel, state: Omit<State, 'batch'>, kept: History, index: number): Receipt {
  const of = (side: Side) => lotOf(kept.paid.filter(({ payer }) => payer === side).map(({ pay }) => pay))
  const batch = { a: of('a'), b: of('b') }
  const { amount, paymentId, memo } = kept.paid[index]!.pay
  return {
    channel,
    state: { ...state, batch: batchOf(batch) },
    leaf: { amount, paymentId, memo },
    index,
    ofA: batch.a.pays.length,
    leaves: kept.paid.map(({ pay }) => leafHash(pay)),
    signature: kept.signature,
  }
}

/** Who paid what a receipt proves. */
export function payerIn({ index, ofA }: Pick<Receipt, 'index' | 'ofA'>): Side {
  return index < ofA ? 'a' : 'b'
}

/** True iff the receipt proves, under this court, that the payee acknowledged the payment. */
export function isProven(court: Domain, proof: Receipt): boolean {
  const { channel, state, leaf, index, ofA, leaves, signature } = proof
  const payee = channel[payerIn(proof) === 'a' ? 'b' : 'a']
  return (
    state.channelId === channelId(court, channel) &&
    leaves[index] === leafHash(leaf) &&
    batchHash(ofA, leaves) === state.batch &&
    isSignedBy(stateDigest(court, state), signature, payee.signer)
  )
}
