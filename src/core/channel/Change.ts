import { ETHER, type Hex, isHex, size } from '../base/Bytes.ts'
import type { Lock } from './Lock.ts'
import type { Pay } from './Payment.ts'

/** The longest payload of a lock, in bytes: a constant of the protocol. */
export const PAYLOAD = 2048
/** The longest data beside the code of a failure, in bytes: a constant of the protocol. */
export const REASON = 1024
const MAX_AMOUNT = 2n ** 128n - 1n
const MAX_EXPIRY = 2 ** 40 - 1
const MAX_ID = 2n ** 64n - 1n

/** The change that adds a lock towards the other side. `paymentId` is the payer's name for it; `payload` is the receiver's. */
export interface AddLock extends Pick<Lock, 'amount' | 'expiry' | 'condition' | 'key'> {
  readonly kind: 'addLock'
  readonly paymentId: Hex
  readonly payload: Hex
}

/** The change with which its receiver takes a lock: `lockId` counts the locks towards this side. */
export interface FulfilLock {
  readonly kind: 'fulfilLock'
  readonly lockId: bigint
  readonly preimage: Hex
}

/** The change with which its receiver gives a lock up: why, as a code and as data for the payer. */
export interface FailLock {
  readonly kind: 'failLock'
  readonly lockId: bigint
  readonly code: string
  readonly data: Hex
}

/** What a side does to the open locks. */
export type LockChange = AddLock | FulfilLock | FailLock
/** What a side asks of the next version. */
export type Change = Pay | LockChange
/** What a side begins and the other ends: it has a name, an amount and exactly one outcome. */
export type Promised = Pay | AddLock

type Fields = Readonly<Record<string, (value: unknown) => boolean>>

const id = (value: unknown): boolean => typeof value === 'bigint' && value > 0n && value <= MAX_ID
const kind = (): boolean => true

const FIELDS: Readonly<Record<string, Fields>> = {
  addLock: {
    kind,
    paymentId: (value) => isHex(value, 32),
    amount: (value) => typeof value === 'bigint' && value > 0n && value <= MAX_AMOUNT,
    expiry: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_EXPIRY,
    condition: (value) => isHex(value, 20),
    key: (value) => isHex(value, 32),
    payload: (value) => isHex(value) && size(value) <= PAYLOAD,
  },
  fulfilLock: { kind, lockId: id, preimage: (value) => isHex(value, 32) },
  failLock: { kind, lockId: id, code: isCode, data: (value) => isHex(value) && size(value) <= REASON },
}

/** True iff a value may be the code of a refusal or a failure: named as an error is, never as what waits is. */
export function isCode(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Z][A-Za-z]{0,63}$/.test(value)
}

/** True iff a value is a change of locks that the protocol admits: every field in its bounds, and no others. */
export function isLockChange(value: unknown): value is LockChange {
  const kind = (value as { readonly kind?: unknown } | null | undefined)?.kind
  // A list of one name would find the fields of that name, and be none of the changes.
  if (typeof kind !== 'string' || !Object.hasOwn(FIELDS, kind)) return false
  const fields = FIELDS[kind]!
  for (const name in fields) if (!fields[name]!((value as Record<string, unknown>)[name])) return false
  return Object.keys(value as object).length === Object.keys(fields).length
}

/** True iff a change is one that has an outcome of its own. */
export function isPromised(change: Change): change is Promised {
  return change.kind === 'pay' || change.kind === 'addLock'
}

/** What a change takes from what its side can spend. */
export function costOf(change: Change): bigint {
  return isPromised(change) ? change.amount : 0n
}

/** How many characters a change takes in a message, at most. */
export function weightOf(change: Change): number {
  if (change.kind === 'pay') return 100 + change.memo.length
  if (change.kind === 'addLock') return 500 + change.payload.length
  return change.kind === 'failLock' ? 200 + change.data.length : 200
}

/** True iff a lock is opened by a preimage. */
export function isHashLock({ condition }: Pick<Lock, 'condition'>): boolean {
  return condition === ETHER
}

/** True iff a change ends a lock. */
export function isEnd(change: Change): change is FulfilLock | FailLock {
  return change.kind === 'fulfilLock' || change.kind === 'failLock'
}
