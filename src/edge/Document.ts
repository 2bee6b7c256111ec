import { z } from 'zod'
import { type Hex, isHex } from '../core/base/Bytes.ts'
import { Fault } from './Fault.ts'
import { bytes, decimal } from './http/Fields.ts'
import { encode } from './Json.ts'

// What people keep and hand on as files: JSON with amounts as decimal text, whose first fields name format and version.

/** A whole number as decimal text, from `least` up to, but not, `below`: a hash would wrap a wider one and prove it all the same. */
export function whole(least: bigint, below: bigint) {
  return decimal(true).refine(
    (value) => value >= least && value < below,
    `must be from ${least} up to, but not, ${below}`,
  )
}

/** An unsigned number of so many bits as decimal text. */
export function uint(bits: bigint) {
  return whole(0n, 2n ** bits)
}

/** A net: an int128 as decimal text. */
export const net = whole(-(2n ** 127n), 2n ** 127n)
/** A signature of 64 or 65 bytes. */
export const signature = z.custom<Hex>(
  (value) => isHex(value, 65) || isHex(value, 64),
  'must be a signature of 64 or 65 bytes, 0x and lowercase hexadecimal digits',
)
const party = z.strictObject({ owner: bytes(20), signer: bytes(20) })
/** The terms of a channel. */
export const channel = z.strictObject({
  a: party,
  b: party,
  asset: bytes(20),
  challengePeriod: z.int().min(0).max(0xffff_ffff),
  bond: uint(96n),
  salt: bytes(32),
})

/** How a kind of file is read: its format, its fields, and what to say of one that is none. */
export interface Kind<T> {
  readonly format: string
  /** Everything but `format`. */
  readonly schema: z.ZodType<T>
  /** "this is no … (what is wrong); do …" */
  readonly wrong: (what: string) => string
}

/** The text of a file. */
export function writeDocument(format: string, content: object): string {
  return `${encode({ format, ...content }, 2)}\n`
}

/** The content of a file. Throws Malformed, in one sentence, unless every field is there and of its kind, and no other is. */
export function readDocument<T>(text: string, { format, schema, wrong }: Kind<T>): T {
  const { format: had, ...fields } = parsed(text, wrong)
  if (had !== format) throw malformed(wrong(`it does not say "format": "${format}"`))
  const result = schema.safeParse(fields)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  throw malformed(wrong(`${path.join('.') || 'the whole'}: ${message}`))
}

function parsed(text: string, wrong: Kind<unknown>['wrong']): { readonly format?: unknown } {
  try {
    return Object(JSON.parse(text))
  } catch {
    // The parser's own words repeat what it read: whoever named the wrong file must not see a secret told.
    throw malformed(wrong('it is no JSON'))
  }
}

/** The fault of a file that is not what it should be. */
export function malformed(sentence: string): Fault {
  return new Fault('Malformed', sentence)
}
