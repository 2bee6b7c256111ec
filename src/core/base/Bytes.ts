/** Bytes as lowercase hexadecimal text: equal bytes are equal strings, so a Hex is its own key in a Map. */
export type Hex = `0x${string}`

/** The zero address, which as an asset means ether. */
export const ETHER: Hex = `0x${'00'.repeat(20)}`
/** 32 zero bytes. */
export const ZERO: Hex = `0x${'00'.repeat(32)}`

/** True iff `value` is a lowercase Hex, of exactly `length` bytes if one is given. */
export function isHex(value: unknown, length?: number): value is Hex {
  if (typeof value !== 'string' || value.length % 2 > 0 || !value.startsWith('0x')) return false
  return (length === undefined || value.length === 2 + 2 * length) && hasDigits(value)
}

/** Code by code: a pattern takes twice as long. */
function hasDigits(value: string): boolean {
  for (let i = 2; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code < 48 || code > 102 || (code > 57 && code < 97)) return false
  }
  return true
}

/** The bytes of several Hex values after one another, as Solidity's abi.encodePacked. */
export function concat(...parts: readonly Hex[]): Hex {
  let joined = ''
  for (const part of parts) joined += part.slice(2)
  return `0x${joined}`
}

/** An unsigned number as exactly `width` bytes, big-endian. Throws RangeError if it does not fit. */
export function uint(value: bigint | number, width: number): Hex {
  const digits = value.toString(16)
  if (value < 0 || digits.length > 2 * width) throw new RangeError(`${value} does not fit uint${8 * width}`)
  return `0x${digits.padStart(2 * width, '0')}`
}

/** The number of bytes of a Hex. */
export function size(value: Hex): number {
  return (value.length - 2) / 2
}

/** The bytes from `start` (inclusive) to `end` (exclusive). */
export function slice(value: Hex, start: number, end: number = size(value)): Hex {
  return `0x${value.slice(2 + 2 * start, 2 + 2 * end)}`
}

const NIBBLE = new Uint8Array(128)
for (let i = 0; i < 16; i++) {
  NIBBLE['0123456789abcdef'.charCodeAt(i)] = i
  NIBBLE['0123456789ABCDEF'.charCodeAt(i)] = i
}
const TEXT = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Writes the bytes of `value` into `target` at `at`; returns the position after them. */
export function write(target: Uint8Array, at: number, value: Hex): number {
  let end = at
  for (let i = 2; i < value.length; i += 2) {
    target[end++] = (NIBBLE[value.charCodeAt(i)]! << 4) | NIBBLE[value.charCodeAt(i + 1)]!
  }
  return end
}

/** A fresh byte array with the bytes of `value`. */
export function toBytes(value: Hex): Uint8Array {
  const bytes = new Uint8Array(size(value))
  write(bytes, 0, value)
  return bytes
}

/** From how many bytes on a decoder is faster than adding texts. */
const LONG = 256
const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
const decoder = new TextDecoder('latin1')

function toLongHex(bytes: Uint8Array): Hex {
  const text = new Uint8Array(2 * bytes.length)
  for (let i = 0; i < bytes.length; i++) {
    text[2 * i] = DIGITS[bytes[i]! >> 4]!
    text[2 * i + 1] = DIGITS[bytes[i]! & 15]!
  }
  return `0x${decoder.decode(text)}`
}

/** The Hex of a byte array. */
export function toHex(bytes: Uint8Array): Hex {
  if (bytes.length >= LONG) return toLongHex(bytes)
  let text = ''
  for (const byte of bytes) text += TEXT[byte]
  return `0x${text}`
}
