import { z } from 'zod'
import { type Hex, isHex } from '../../core/base/Bytes.ts'

// What travels over HTTP. Amounts are decimal texts, because JSON's numbers lose digits.

/** Bytes of a length as lowercase Hex. */
export function bytes(length: number) {
  return z
    .custom<Hex>((value) => isHex(value, length), `must be 0x and ${2 * length} lowercase hexadecimal digits`)
    .meta({ type: 'string', pattern: `^0x[0-9a-f]{${2 * length}}$` })
}

/** 32 bytes. */
export const word = bytes(32)
/** 20 bytes. */
export const address = bytes(20)
/** A number, or seconds. */
export const uint40 = z.int().min(0).max(0xff_ffff_ffff)

/** A whole number as decimal text, with a sign if it is below zero and may be. */
export function decimal(isSigned: boolean) {
  return z
    .string()
    .regex(isSigned ? SIGNED : UNSIGNED, 'must be a whole number of the smallest unit as decimal text')
    .transform(BigInt)
}

const SIGNED = /^(?:0|-?[1-9][0-9]{0,77})$/
const UNSIGNED = /^(?:0|[1-9][0-9]{0,77})$/

/** An amount in smallest units below 2^256. */
export const amount = decimal(false).refine((value) => value < 2n ** 256n, 'must be smaller than 2^256')
