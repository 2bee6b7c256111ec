import { isHex } from '../core/base/Bytes.ts'
import type { Plain } from '../core/base/Step.ts'
import { Fault, reason } from './Fault.ts'

// Plain data as JSON. A bigint is a string of '#' and its hexadecimal digits (linear to read, however long); a long Hex is
// '~' and its bytes in base64, a third shorter; bytes are '#=' and base64. A string that begins with either is written with one '#' more, so that no
// string can be taken for what it is not.

/** How deeply plain data may be nested, both ways: a hostile message must not exhaust anybody's stack. */
export const MAX_DEPTH = 64

/** The text of a value: `decode` gives exactly the value back. Throws Malformed on what is not plain data. */
export function encode(value: Plain): string {
  return write(value, 0)
}

/** The value of a text made by `encode`. Throws Malformed on anything else. */
export function decode(text: string): Plain {
  try {
    return revive(JSON.parse(text), 0)
  } catch (why) {
    if (why instanceof Fault) throw why
    throw new Fault('Malformed', `not the text of plain data: ${reason(why)}`)
  }
}

function write(value: Plain, depth: number): string {
  if (typeof value === 'string') return writeText(value)
  if (typeof value === 'bigint') return `"#${value.toString(16)}"`
  if (typeof value === 'number') return writeNumber(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value !== 'object') throw new Fault('Malformed', `${typeof value} is not plain data`)
  if (value instanceof Uint8Array) return `"#=${bufferOf(value).toString('base64')}"`
  if (depth === MAX_DEPTH) throw tooDeep()
  return Array.isArray(value)
    ? writeList(value as readonly Plain[], depth + 1)
    : writeFields(value as { readonly [field: string]: Plain }, depth + 1)
}

/** From how many characters on a Hex is written as base64. */
const LONG = 512

function writeText(value: string): string {
  const first = value.charCodeAt(0)
  if (first === HASH || first === TILDE) return JSON.stringify(`#${value}`)
  if (value.length < LONG || !isHex(value)) return JSON.stringify(value)
  return `"~${Buffer.from(value.slice(2), 'hex').toString('base64')}"`
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new Fault('Malformed', `${value} is not plain data`)
  return Object.is(value, -0) ? '-0' : String(value)
}

function writeList(list: readonly Plain[], depth: number): string {
  let text = '['
  for (let i = 0; i < list.length; i++) text += i === 0 ? write(list[i]!, depth) : `,${write(list[i]!, depth)}`
  return `${text}]`
}

function writeFields(fields: { readonly [field: string]: Plain }, depth: number): string {
  let text = '{'
  for (const field of Object.keys(fields)) {
    text += `${text.length === 1 ? '' : ','}${named(field)}${write(fields[field]!, depth)}`
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
const DIGITS = /^#-?[0-9a-f]+$/

function revive(value: unknown, depth: number): Plain {
  if (typeof value === 'string') return reviveText(value)
  if (typeof value !== 'object' || value === null) return value as Plain
  if (depth === MAX_DEPTH) throw tooDeep()
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = revive(value[i], depth + 1)
  } else reviveFields(value as Record<string, unknown>, depth + 1)
  return value as Plain
}

function reviveFields(fields: Record<string, unknown>, depth: number): void {
  for (const field of Object.keys(fields)) {
    const had = fields[field]
    const value = revive(had, depth)
    if (value === had) continue
    // Assigning to this one name would set the prototype instead of the field.
    if (field === '__proto__') Object.defineProperty(fields, field, { value, enumerable: true })
    else fields[field] = value
  }
}

function reviveText(text: string): Plain {
  const first = text.charCodeAt(0)
  if (first === TILDE) return reviveHex(text.slice(1))
  return first === HASH ? reviveEscaped(text) : text
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function reviveHex(base64: string): string {
  return `0x${reviveBytes(base64).toString('hex')}`
}

function reviveBytes(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.toString('base64') !== base64) throw new Fault('Malformed', 'bytes in the text of plain data are no base64')
  return bytes
}

function reviveEscaped(text: string): Plain {
  const second = text.charCodeAt(1)
  if (second === EQUALS) return new Uint8Array(reviveBytes(text.slice(2)))
  if (second === HASH || second === TILDE) return text.slice(1)
  if (!DIGITS.test(text)) throw new Fault('Malformed', 'a number in the text of plain data has other than digits')
  return text.charCodeAt(1) === 45 ? -BigInt(`0x${text.slice(2)}`) : BigInt(`0x${text.slice(1)}`)
}

function tooDeep(): Fault {
  return new Fault('Malformed', `plain data is nested at most ${MAX_DEPTH} deep`)
}
