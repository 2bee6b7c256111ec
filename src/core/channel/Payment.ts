import { concat, type Hex, isHex, size, toHex, uint, ZERO } from '../base/Bytes.ts'
import { type Domain, isSignedBy, keccak, keccakBytes, keccakRaw, keccakWordsRaw } from '../base/Signature.ts'
import {
  batchHash,
  type Channel,
  channelId,
  type Leaf,
  leafHash,
  MAX_NET,
  other,
  type Side,
  type State,
  stateDigest,
} from './Channel.ts'

/** How many requests one version disposes of at most: a constant of the protocol. */
export const BATCH = 256
/** How many of its own payments a side may have waiting at once: a constant of the protocol. */
export const PENDING = 65_536
/**
 * How many requests may be on their way, beyond those that the newest complete version disposed of: a constant of the
 * protocol. It bounds what a side must keep for the other, and what it says at once after a hello.
 */
export const REQUESTS = 1024
/** The longest memo, in bytes: a constant of the protocol. */
export const MEMO = 1024
const MAX_AMOUNT = 2n ** 128n - 1n

/** The change that pays `amount` (smallest units) to the other side; `paymentId` (32 bytes) and `memo` are the payer's. */
export interface Pay {
  readonly kind: 'pay'
  readonly amount: bigint
  readonly paymentId: Hex
  readonly memo: Hex
}

/** True iff a value is a payment that the protocol admits: 0 < amount < 2^128, 32 bytes of id, a memo that is not too long, and no more. */
export function isPay(value: unknown): value is Pay {
  const { kind, amount, paymentId, memo } = (value ?? {}) as Partial<Record<keyof Pay, unknown>>
  if (kind !== 'pay' || typeof amount !== 'bigint' || amount <= 0n || amount > MAX_AMOUNT) return false
  return isHex(paymentId, 32) && isHex(memo) && size(memo) <= MEMO && Object.keys(value as object).length === 4
}

// keccak256("kerros payment"), its first bytes.
const SERIAL: Hex = '0x5594661f79eeb5bb'

/**
 * The id of the payment number `count` since a node's start, which it knows by 16 random bytes. Nobody asks for such an
 * id before it is told, so it needs no row of its own: what a caller chose does, or it could be paid twice.
 */
export function serialId(start: Hex, count: number): Hex {
  return concat(SERIAL, start, uint(count, 8))
}

/** Whether an id is of the form that nodes make. */
export function isSerial(paymentId: Hex): boolean {
  return paymentId.startsWith(SERIAL)
}

/** One payment of a version: who paid, and what. */
export interface Paid {
  readonly payer: Side
  readonly pay: Pay
}

/** `net` after `payer` has paid. */
export function netAfter(net: bigint, payer: Side, amount: bigint): bigint {
  return payer === 'a' ? net + amount : net - amount
}

/** What a side can still pay at `net`, of deposits that the other side has announced as final; negative if overspent. */
export function spendable(side: Side, deposits: bigint, net: bigint): bigint {
  return side === 'a' ? deposits - net : deposits + net
}

/** The leaf of the payment at `index` of a version. */
export function leafOf(id: Hex, version: bigint, index: number, { payer, pay }: Paid): Leaf {
  const { amount, paymentId, memo } = pay
  return { channelId: id, version, index, toB: payer === 'a', amount, paymentId, memoHash: keccak(memo) }
}

/** The state after `from` that pays exactly these payments, or undefined if its net would not fit. */
export function nextState(from: State, paid: readonly Paid[]): State | undefined {
  const version = from.version + 1n
  let net = from.net
  for (const { payer, pay } of paid) net = netAfter(net, payer, pay.amount)
  if (net > MAX_NET || net < -MAX_NET) return undefined
  return { ...from, version, net, batch: batchOf(from.channelId, version, paid) }
}

function leavesOf(id: Hex, version: bigint, paid: readonly Paid[]): readonly Hex[] {
  return paid.map((one, index) => leafHash(leafOf(id, version, index, one)))
}

/** What a version that pays these carries as its batch: as `batchHash` of their leaves, without text in between. */
export function batchOf(id: Hex, version: bigint, paid: readonly Paid[]): Hex {
  if (paid.length === 0) return ZERO
  const leaves = new Uint8Array(32 * paid.length)
  for (const [index, { payer, pay }] of paid.entries()) {
    const { amount, paymentId, memo } = pay
    leaves.set(keccakWordsRaw(id, version, index, payer === 'a', amount, paymentId, keccakRaw(memo)), 32 * index)
  }
  return toHex(keccakBytes(leaves))
}

/** Proof of a payment to anybody who knows the court: the payee signed the state whose batch holds the leaf. */
export interface Receipt {
  readonly channel: Channel
  readonly state: State
  readonly leaf: Leaf
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
  const { channelId: id, version } = state
  const leaves = leavesOf(id, version, kept.paid)
  const leaf = leafOf(id, version, index, kept.paid[index]!)
  return { channel, state: { ...state, batch: batchHash(leaves) }, leaf, leaves, signature: kept.signature }
}

/** True iff the receipt proves, under this court, that the payee acknowledged the payment. */
export function isProven(court: Domain, { channel, state, leaf, leaves, signature }: Receipt): boolean {
  const payee = channel[other(leaf.toB ? 'a' : 'b')]
  return (
    state.channelId === channelId(court, channel) &&
    leaf.channelId === state.channelId &&
    leaf.version === state.version &&
    leaves[leaf.index] === leafHash(leaf) &&
    batchHash(leaves) === state.batch &&
    isSignedBy(stateDigest(court, state), signature, payee.signer)
  )
}
