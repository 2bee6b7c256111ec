import { type Hex, toHex, write } from '../base/Bytes.ts'
import { keccakEach } from '../base/Signature.ts'
import { MEMO, type Pay } from './Payment.ts'

/**
 * Payments of one side, in order: as values, as bytes, and the hashes of their leaves one after another. Made once where
 * they come from, and never again: they are hashed, stored and said as these bytes.
 */
export interface Lot {
  readonly pays: readonly Pay[]
  /** Of each payment two bytes that count its leaf's, and its leaf: 16 bytes of amount, 32 of its id, and the memo. */
  readonly packed: Uint8Array
  /** 32 bytes a payment. */
  readonly leaves: Uint8Array
  readonly sum: bigint
}

/** Bytes before the leaf, and of the leaf before its memo. */
const LENGTH = 2
const ID = 16
const HEAD = 48

/** No payments. */
export const NO_PAYS: Lot = { pays: [], packed: new Uint8Array(), leaves: new Uint8Array(), sum: 0n }

/** The lot of some payments. */
export function lotOf(pays: readonly Pay[]): Lot {
  if (pays.length === 0) return NO_PAYS
  const packed = packPays(pays)
  let sum = 0n
  for (const { amount } of pays) sum += amount
  return { pays, packed, leaves: leavesOf(packed, pays.length), sum }
}

/** Some lots as one. */
export function joinedLots(lots: readonly Lot[]): Lot {
  if (lots.length < 2) return lots[0] ?? NO_PAYS
  return {
    pays: lots.flatMap(({ pays }) => pays),
    packed: joinedBytes(lots.map(({ packed }) => packed)),
    leaves: joinedBytes(lots.map(({ leaves }) => leaves)),
    sum: lots.reduce((sum, lot) => sum + lot.sum, 0n),
  }
}

function joinedBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** The lot of payments as bytes, or undefined if that is none: every field is in its bounds, and there is a payment. */
export function readLot(packed: unknown): Lot | undefined {
  const pays = unpackPays(packed)
  if (!pays || pays.length === 0) return undefined
  let sum = 0n
  for (const { amount } of pays) sum += amount
  return { pays, packed: packed as Uint8Array, leaves: leavesOf(packed as Uint8Array, pays.length), sum }
}

/** Payments as bytes. */
export function packPays(pays: readonly Pay[]): Uint8Array {
  let length = 0
  for (const { memo } of pays) length += LENGTH + HEAD + (memo.length - 2) / 2
  const packed = new Uint8Array(length)
  const view = new DataView(packed.buffer)
  let at = 0
  for (const { amount, paymentId, memo } of pays) {
    view.setUint16(at, HEAD + (memo.length - 2) / 2)
    const leaf = at + LENGTH
    if (amount > 0xffff_ffff_ffff_ffffn) view.setBigUint64(leaf, amount >> 64n)
    view.setBigUint64(leaf + 8, BigInt.asUintN(64, amount))
    at = write(packed, write(packed, leaf + ID, paymentId), memo)
  }
  return packed
}

/** The payments of bytes, or undefined if a field of any is out of its bounds. */
export function unpackPays(packed: unknown): readonly Pay[] | undefined {
  if (!(packed instanceof Uint8Array)) return undefined
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length)
  // Cut from one text: a text of each would cost more.
  const text = toHex(packed)
  const pays: Pay[] = []
  for (let at = 0; at < packed.length; ) {
    const leaf = at + LENGTH
    if (leaf + HEAD > packed.length) return undefined
    const length = view.getUint16(at)
    at = leaf + length
    if (length < HEAD || length > HEAD + MEMO || at > packed.length) return undefined
    const amount = amountAt(view, leaf)
    if (amount === 0n) return undefined
    const memo = 2 + 2 * (leaf + HEAD)
    const paymentId: Hex = `0x${text.slice(2 + 2 * (leaf + ID), memo)}`
    pays.push({ kind: 'pay', amount, paymentId, memo: `0x${text.slice(memo, 2 + 2 * at)}` })
  }
  return pays
}

/** Most amounts fit eight bytes. */
function amountAt(view: DataView, at: number): bigint {
  const low = view.getBigUint64(at + 8)
  return view.getUint32(at) === 0 && view.getUint32(at + 4) === 0 ? low : (view.getBigUint64(at) << 64n) | low
}

function leavesOf(packed: Uint8Array, count: number): Uint8Array {
  const ends: number[] = new Array(count)
  for (let at = 0, i = 0; i < count; i++) at = ends[i] = at + LENGTH + ((packed[at]! << 8) | packed[at + 1]!)
  return keccakEach(packed, LENGTH, ends)
}
