import { isUtf8 } from 'node:buffer'
import type { Plain } from '../core/base/Step.ts'
import { Fault, reason } from './Fault.ts'

// Plain data as JSON. A bigint is a string of '#' and its hexadecimal digits (linear to read, however long); a long Hex is
// '~' and its bytes in base64, a third shorter; bytes are '#=' and base64. In a frame '~@' and '#@' are followed by how many
// of the bytes behind its text are theirs. A string that begins with either is written with one '#' more, so that no
// string can be taken for what it is not.

/** How deeply plain data may be nested, both ways: a hostile message must not exhaust anybody's stack. */
export const MAX_DEPTH = 64

/** A value as it is stored and sent: its text, or if it holds bytes its text in UTF-8, a zero, and all bytes in order. */
export type Frame = string | Uint8Array

type Parts = Uint8Array[]

/** The text of a value: `decode` gives exactly the value back. Throws Malformed on what is not plain data. */
export function encode(value: Plain): string {
  return write(value, 0)
}

/** The frame of a value: as `encode`, but bytes stay what they are. */
export function encodeFrame(value: Plain): Frame {
  const parts: Parts = []
  const text = write(value, 0, parts)
  if (parts.length === 0) return text
  const length = Buffer.byteLength(text)
  const frame = Buffer.allocUnsafeSlow(parts.reduce((sum, part) => sum + part.length, length + 1))
  frame.write(text)
  frame[length] = 0
  let at = length + 1
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
  }
  return frame
}

/** The value of a frame. Throws Malformed on anything that is none. */
export function decode(frame: Frame): Plain {
  try {
    if (typeof frame === 'string') return revive(JSON.parse(frame), 0, NO_BYTES)
    const end = frame.indexOf(0)
    const rest = { bytes: frame.subarray(end + 1) }
    const text = bufferOf(frame.subarray(0, end))
    if (end < 0 || !isUtf8(text)) throw new Fault('Malformed', 'a frame is a text in UTF-8, a zero and bytes')
    const value = revive(JSON.parse(text.toString()), 0, rest)
    if (rest.bytes.length > 0) throw new Fault('Malformed', `${rest.bytes.length} bytes of a frame are nobody's`)
    return value
  } catch (why) {
    if (why instanceof Fault) throw why
    throw new Fault('Malformed', `not the text of plain data: ${reason(why)}`)
  }
}

function write(value: Plain, depth: number, parts?: Parts): string {
  if (typeof value === 'string') return writeText(value, parts)
  if (typeof value === 'bigint') return `"#${value.toString(16)}"`
  if (typeof value === 'number') return writeNumber(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value !== 'object') throw new Fault('Malformed', `${typeof value} is not plain data`)
  if (value instanceof Uint8Array) return writeBytes(value, parts)
  if (depth === MAX_DEPTH) throw tooDeep()
  return Array.isArray(value)
    ? writeList(value as readonly Plain[], depth + 1, parts)
    : writeFields(value as { readonly [field: string]: Plain }, depth + 1, parts)
}

/** From how many characters on a Hex is written as base64. */
const LONG = 512

function writeText(value: string, parts: Parts | undefined): string {
  const first = value.charCodeAt(0)
  if (first === HASH || first === TILDE) return JSON.stringify(`#${value}`)
  const bytes = value.length < LONG ? undefined : bytesOf(value)
  if (!bytes) return JSON.stringify(value)
  if (!parts) return `"~${bytes.toString('base64')}"`
  parts.push(bytes)
  return `"~@${bytes.length}"`
}

/** The bytes of a Hex: what says the same when it is read back. */
function bytesOf(value: string): Buffer | undefined {
  if (!value.startsWith('0x')) return undefined
  const digits = value.slice(2)
  const bytes = Buffer.from(digits, 'hex')
  return bytes.toString('hex') === digits ? bytes : undefined
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new Fault('Malformed', `${value} is not plain data`)
  return Object.is(value, -0) ? '-0' : String(value)
}

function writeList(list: readonly Plain[], depth: number, parts: Parts | undefined): string {
  let text = '['
  for (let i = 0; i < list.length; i++)
    text += i === 0 ? write(list[i]!, depth, parts) : `,${write(list[i]!, depth, parts)}`
  return `${text}]`
}

function writeBytes(bytes: Uint8Array, parts: Parts | undefined): string {
  if (!parts) return `"#=${bufferOf(bytes).toString('base64')}"`
  parts.push(bytes)
  return `"#@${bytes.length}"`
}

function writeFields(fields: { readonly [field: string]: Plain }, depth: number, parts: Parts | undefined): string {
  let text = '{'
  for (const field of Object.keys(fields)) {
    text += `${text.length === 1 ? '' : ','}${named(field)}${write(fields[field]!, depth, parts)}`
  }
  return `${text}}`
}

/** The beginnings of fields, kept because the same few names come again and again; bounded, because they need not. */
const names = new Map<string, string>()

function named(field: string): string {
  const known = names.get(field)
  if (known !== undefined) return known
  const name = `${JSON.stringify(field)}:`
  if (names.size < 1000) names.set(field, name)
  return name
}

const HASH = 35
const TILDE = 126
const EQUALS = 61
const AT = 64
const DIGITS = /^#-?[0-9a-f]+$/

/** The bytes of a frame that nobody has taken yet. */
interface Rest {
  bytes: Uint8Array
}

const NO_BYTES: Rest = { bytes: new Uint8Array() }

function revive(value: unknown, depth: number, rest: Rest): Plain {
  if (typeof value === 'string') return reviveText(value, rest)
  if (typeof value !== 'object' || value === null) return value as Plain
  if (depth === MAX_DEPTH) throw tooDeep()
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = revive(value[i], depth + 1, rest)
  } else reviveFields(value as Record<string, unknown>, depth + 1, rest)
  return value as Plain
}

function reviveFields(fields: Record<string, unknown>, depth: number, rest: Rest): void {
  for (const field of Object.keys(fields)) {
    const had = fields[field]
    const value = revive(had, depth, rest)
    if (value === had) continue
    // Assigning to this one name would set the prototype instead of the field.
    if (field === '__proto__') Object.defineProperty(fields, field, { value, enumerable: true })
    else fields[field] = value
  }
}

function reviveText(text: string, rest: Rest): Plain {
  const first = text.charCodeAt(0)
  if (first === TILDE) return reviveHex(text, rest)
  return first === HASH ? reviveEscaped(text, rest) : text
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function reviveHex(text: string, rest: Rest): string {
  const bytes = text.charCodeAt(1) === AT ? bufferOf(takeBytes(text.slice(2), rest)) : reviveBytes(text.slice(1))
  return `0x${bytes.toString('hex')}`
}

function reviveBytes(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.toString('base64') !== base64) throw new Fault('Malformed', 'bytes in the text of plain data are no base64')
  return bytes
}

/** A view of a frame's next bytes. */
function takeBytes(length: string, rest: Rest): Uint8Array {
  const count = Number(length)
  if (!/^(?:0|[1-9][0-9]{0,9})$/.test(length) || count > rest.bytes.length)
    throw new Fault('Malformed', 'plain data speaks of bytes that are not there')
  const { buffer, byteOffset } = rest.bytes
  rest.bytes = rest.bytes.subarray(count)
  return new Uint8Array(buffer, byteOffset, count)
}

function reviveEscaped(text: string, rest: Rest): Plain {
  const second = text.charCodeAt(1)
  if (second === AT) return takeBytes(text.slice(2), rest)
  if (second === EQUALS) return new Uint8Array(reviveBytes(text.slice(2)))
  if (second === HASH || second === TILDE) return text.slice(1)
  if (!DIGITS.test(text)) throw new Fault('Malformed', 'a number in the text of plain data has other than digits')
  return text.charCodeAt(1) === 45 ? -BigInt(`0x${text.slice(2)}`) : BigInt(`0x${text.slice(1)}`)
}

function tooDeep(): Fault {
  return new Fault('Malformed', `plain data is nested at most ${MAX_DEPTH} deep`)
}
