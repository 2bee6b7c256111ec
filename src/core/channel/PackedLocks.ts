import { type Hex, size, slice, toHex, write } from '../base/Bytes.ts'
import { type AddLock, type FailLock, isCode, type LockChange, PAYLOAD, REASON } from './Change.ts'
import { other, type Side } from './Channel.ts'
import type { Moved, OpenLock } from './LockBook.ts'

// Changes of locks as bytes, one after another: a byte that tells the kind, then its fields. What a version did also tells
// who asked for it and of which lock, so that one row serves the proposal, the history and the proof.

const [ADD, FULFIL, FAIL] = [1, 2, 3]
/** Bytes of a change, without those that it says the number of. */
const SIZES = { addLock: 108, fulfilLock: 41, failLock: 12 } as const
/** Bytes of what a version did beside the change: who, and the id of an added lock, or amount and payment id of an ended one. */
const BESIDE = { addLock: 9, fulfilLock: 49, failLock: 49 } as const

/** Changes of locks as bytes: 108 and the payload for one that adds, 41 for a fulfil, 12 and what it says for a fail. */
export function packLockChanges(changes: readonly LockChange[]): Uint8Array {
  const packed = new Uint8Array(changes.reduce((sum, change) => sum + lengthOf(change), 0))
  const view = new DataView(packed.buffer)
  let at = 0
  for (const change of changes) at = writeChange(packed, view, at, change)
  return packed
}

/** The changes of bytes, or undefined if they are none: every field is in its bounds, and there is one. */
export function unpackLockChanges(packed: unknown): readonly LockChange[] | undefined {
  if (!(packed instanceof Uint8Array) || packed.length === 0) return undefined
  const text = toHex(packed)
  const changes: LockChange[] = []
  for (let at = 0; at < packed.length; ) {
    const change = readChange(text, at)
    if (!change) return undefined
    changes.push(change)
    at += lengthOf(change)
    if (at > packed.length) return undefined
  }
  return changes
}

/** What a version did to locks, as bytes. */
export function packMoved(moved: readonly Moved[]): Uint8Array {
  const packed = new Uint8Array(moved.reduce((sum, { change }) => sum + lengthOf(change) + BESIDE[change.kind], 0))
  const view = new DataView(packed.buffer)
  let at = 0
  for (const { by, change, lock } of moved) {
    packed[at] = by === 'a' ? 0 : 1
    at = writeChange(packed, view, at + 1, change)
    if (change.kind === 'addLock') {
      view.setBigUint64(at, lock.id)
      at += 8
    } else at = write(packed, writeAmount(view, at, lock.amount), lock.paymentId)
  }
  return packed
}

/** A change of a version: who asked for it, and of which lock. */
export interface Did {
  readonly by: Side
  readonly change: LockChange
  readonly lock: Pick<OpenLock, 'toB' | 'id' | 'amount' | 'paymentId'>
}

/** What a version did to locks, of bytes that this program wrote. */
export function unpackMoved(packed: Uint8Array): readonly Did[] {
  const text = toHex(packed)
  const all: Did[] = []
  for (let at = 0; at < packed.length; ) {
    const change = readChange(text, at + 1)
    if (!change) throw new Error('a row of locks is not as it was written')
    const end = at + 1 + lengthOf(change)
    all.push(didOf(packed[at] === 0 ? 'a' : 'b', change, slice(text, end)))
    at += lengthOf(change) + BESIDE[change.kind]
  }
  return all
}

function didOf(by: Side, change: LockChange, rest: Hex): Did {
  if (change.kind === 'addLock') {
    const { amount, paymentId } = change
    return { by, change, lock: { toB: other(by) === 'b', id: BigInt(slice(rest, 0, 8)), amount, paymentId } }
  }
  const [amount, paymentId] = [BigInt(slice(rest, 0, 16)), slice(rest, 16, 48)]
  return { by, change, lock: { toB: by === 'b', id: change.lockId, amount, paymentId } }
}

function lengthOf(change: LockChange): number {
  if (change.kind === 'addLock') return SIZES.addLock + size(change.payload)
  return change.kind === 'fulfilLock' ? SIZES.fulfilLock : SIZES.failLock + change.code.length + size(change.data)
}

function writeChange(to: Uint8Array, view: DataView, at: number, change: LockChange): number {
  if (change.kind === 'addLock') return writeAdd(to, view, at, change)
  to[at] = change.kind === 'fulfilLock' ? FULFIL! : FAIL!
  view.setBigUint64(at + 1, change.lockId)
  if (change.kind === 'fulfilLock') return write(to, at + 9, change.preimage)
  const { code, data } = change
  to[at + 9] = code.length
  for (let i = 0; i < code.length; i++) to[at + 10 + i] = code.charCodeAt(i)
  view.setUint16(at + 10 + code.length, size(data))
  return write(to, at + 12 + code.length, data)
}

function writeAdd(to: Uint8Array, view: DataView, at: number, change: AddLock): number {
  const { paymentId, amount, expiry, condition, key, payload } = change
  to[at] = ADD!
  const end = writeAmount(view, write(to, at + 1, paymentId), amount)
  to[end] = expiry / 2 ** 32
  view.setUint32(end + 1, expiry % 2 ** 32)
  const after = write(to, write(to, end + 5, condition), key)
  view.setUint16(after, size(payload))
  return write(to, after + 2, payload)
}

/** Bytes that are zero already are left alone: most amounts fit eight. */
function writeAmount(view: DataView, at: number, amount: bigint): number {
  if (amount > 0xffff_ffff_ffff_ffffn) view.setBigUint64(at, amount >> 64n)
  view.setBigUint64(at + 8, BigInt.asUintN(64, amount))
  return at + 16
}

/** The change whose bytes begin at `at`, if its fields are in their bounds; it may want more bytes than there are. */
function readChange(text: Hex, at: number): LockChange | undefined {
  const kind = numberAt(text, at, 1)
  if (kind === ADD) return readAdd(text, at + 1)
  const lockId = bigAt(text, at + 1, 8)
  if (lockId === 0n) return undefined
  if (kind === FULFIL) return { kind: 'fulfilLock', lockId, preimage: slice(text, at + 9, at + 41) }
  return kind === FAIL ? readFail(text, at + 9, lockId) : undefined
}

function readAdd(text: Hex, at: number): AddLock | undefined {
  const amount = bigAt(text, at + 32, 16)
  const length = numberAt(text, at + 105, 2)
  const payload = slice(text, at + 107, at + 107 + length)
  if (amount === 0n || !(length <= PAYLOAD) || size(payload) !== length) return undefined
  return {
    kind: 'addLock',
    paymentId: slice(text, at, at + 32),
    amount,
    expiry: numberAt(text, at + 48, 5),
    condition: slice(text, at + 53, at + 73),
    key: slice(text, at + 73, at + 105),
    payload,
  }
}

function readFail(text: Hex, at: number, lockId: bigint): FailLock | undefined {
  const letters = numberAt(text, at, 1)
  const said = slice(text, at + 1, at + 1 + letters).slice(2)
  const code = said.replace(/../g, (byte) => String.fromCharCode(Number.parseInt(byte, 16)))
  const length = numberAt(text, at + 1 + letters, 2)
  const data = slice(text, at + 3 + letters, at + 3 + letters + length)
  if (!isCode(code) || !(length <= REASON) || size(data) !== length) return undefined
  return { kind: 'failLock', lockId, code, data }
}

/** NaN past the end. */
function numberAt(text: Hex, at: number, width: number): number {
  return Number.parseInt(text.slice(2 + 2 * at, 2 + 2 * (at + width)), 16)
}

/** Zero past the end. */
function bigAt(text: Hex, at: number, width: number): bigint {
  return BigInt(slice(text, at, at + width) === '0x' ? 0 : slice(text, at, at + width))
}
