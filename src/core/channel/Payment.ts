import { type Hex, isHex, size } from '../base/Bytes.ts'
import type { Side } from './Channel.ts'

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
  return `${SERIAL}${start.slice(2)}${count.toString(16).padStart(16, '0')}`
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
