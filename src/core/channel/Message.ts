import { type Hex, isHex, size } from '../base/Bytes.ts'
import type { SignedState } from './Call.ts'
import type { Change } from './Change.ts'
import { FINAL, MAX_NET } from './Channel.ts'
import { MAX_LOCKS, SIZE } from './Lock.ts'
import type { Lot } from './Lot.ts'

/** What a version does, in order: the writer's own changes, requests of the other side, or a request refused by code. */
export type Item =
  | { readonly kind: 'own'; readonly change: Change }
  | { readonly kind: 'lot'; readonly lot: Lot }
  /** The writer's payments of the oldest so many lots that were said ahead. */
  | { readonly kind: 'ahead'; readonly count: number }
  | { readonly kind: 'request'; readonly number: number }
  | { readonly kind: 'refusal'; readonly number: number; readonly code: string }

/** The messages of one channel. `hash` is the digest that both sign; `owed` the number of the sender's last request. */
export type Message =
  | {
      readonly type: 'hello'
      readonly version: bigint
      readonly hash: Hex
      readonly owed: number
      readonly restored: boolean
    }
  /** Changes that the sender asks for, the first of them under `number`. */
  | { readonly type: 'request'; readonly number: number; readonly changes: readonly Change[] }
  /** Payments that the writer is about to propose. */
  | { readonly type: 'ahead'; readonly lot: Lot }
  | {
      readonly type: 'propose'
      readonly version: bigint
      readonly items: readonly Item[]
      readonly hash: Hex
      readonly signature: Hex
    }
  | {
      readonly type: 'ack'
      readonly version: bigint
      readonly hash: Hex
      readonly owed: number
      readonly signature: Hex
    }
  | { readonly type: 'show'; readonly state: SignedState; readonly owed: number }
  /** The receiver's deposits that the sender has seen final, and the time of the sender's newest final block. */
  | { readonly type: 'funds'; readonly total: bigint; readonly lapsedThrough: number }
  /** The sender wants to have taken out `total` in all, by a transaction up to `deadline`; and the same, signed for it. */
  | { readonly type: 'withdrawAsk'; readonly total: bigint; readonly deadline: number }
  | { readonly type: 'withdrawSig'; readonly total: bigint; readonly deadline: number; readonly signature: Hex }
  | { readonly type: 'close'; readonly restored: boolean }
  | { readonly type: 'final'; readonly net: bigint; readonly signature: Hex }
  | { readonly type: 'finalSig'; readonly signature: Hex }

/** True iff a packed list can be read: whole locks, no more than a list holds, every direction one of two. */
export function isLockList(value: unknown): value is Hex {
  if (!isHex(value) || size(value) % SIZE !== 0 || size(value) > MAX_LOCKS * SIZE) return false
  for (let at = 2; at < value.length; at += 2 * SIZE) if (value[at] !== '0' || value[at + 1]! > '1') return false
  return true
}

/** Whether a value is what a field holds. */
export type Check = (value: unknown) => boolean
/** What each field of a message holds. */
export type Fields = Readonly<Record<string, Check>>

// A hash wraps what does not fit: a net beyond an int128 would pass every signature and be of no use in the court.
const net: Check = (value) => typeof value === 'bigint' && value >= -MAX_NET && value <= MAX_NET
const unsigned: Check = (value) => typeof value === 'bigint' && value >= 0n && value <= MAX_NET
const version: Check = (value) => typeof value === 'bigint' && value >= 0n && value < 2n ** 64n
const flag: Check = (value) => typeof value === 'boolean'
const count: Check = (value) => isCount(value)
const seconds: Check = (value) => isCount(value) && value < 2 ** 40
const list: Check = (value) => Array.isArray(value)
const word: Check = (value) => isHex(value, 32)
const signature: Check = (value) => isHex(value, 65) || isHex(value, 64)

/** Whether a value is a number of things. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

const SIGNED: Fields = {
  // A final state is no newest state: the court refuses it wherever one is asked for.
  version: (value) => version(value) && value !== FINAL,
  net,
  batch: word,
  locks: isLockList,
  sigA: signature,
  sigB: signature,
}

const MESSAGES: Readonly<Record<Message['type'], Fields>> = {
  hello: { version, hash: word, owed: count, restored: flag },
  request: { number: count, changes: list },
  ahead: { lot: (value) => value !== undefined },
  propose: { version, items: list, hash: word, signature },
  ack: { version, hash: word, owed: count, signature },
  show: { state: isSignedState, owed: count },
  funds: { total: unsigned, lapsedThrough: count },
  withdrawAsk: { total: unsigned, deadline: seconds },
  withdrawSig: { total: unsigned, deadline: seconds, signature },
  close: { restored: flag },
  final: { net, signature },
  finalSig: { signature },
}

/** Every field is there, and but for `tags` of others no more: what nobody asked for would be kept, and it has no bounds. */
export function fits(value: unknown, fields: Fields, tags = 0): boolean {
  if (typeof value !== 'object' || value === null) return false
  const record = value as Readonly<Record<string, unknown>>
  for (const name in fields) if (!fields[name]!(record[name])) return false
  return Object.keys(record).length === Object.keys(fields).length + tags
}

/** True iff every field of a signed state has its type and width, its version is no final one, and both signatures are there. */
export function isSignedState(value: unknown): value is SignedState {
  return fits(value, SIGNED)
}

/**
 * Whether a value is a message as far as its fields go: each is there, of its type and in its bounds, and there are no
 * others. What its lists hold is not looked at.
 */
export function isMessage(value: unknown): value is Message {
  const type = (value as { type?: unknown } | null | undefined)?.type
  if (typeof type !== 'string' || !Object.hasOwn(MESSAGES, type)) return false
  return fits(value, MESSAGES[type as Message['type']], 1)
}
