import { z } from 'zod'
import { type Hex, isHex } from '../core/base/Bytes.ts'
import { domain } from '../core/base/Signature.ts'
import { isComplete, isFinal } from '../core/channel/Docket.ts'
import type { RescueFile } from '../core/channel/Rescue.ts'
import { Fault } from './Fault.ts'

const FORMAT = 'kerros-rescue'
const VERSION = 1

const bytes = (length?: number) =>
  z.custom<Hex>(
    (value) => isHex(value, length),
    `must be 0x and ${length === undefined ? 'lowercase' : `${2 * length} lowercase`} hexadecimal digits`,
  )
const signature = z.custom<Hex>(
  (value) => isHex(value, 65) || isHex(value, 64),
  'must be a signature of 64 or 65 bytes, 0x and lowercase hexadecimal digits',
)
/** A whole number as decimal text: JSON's numbers lose digits. */
const whole = z
  .string()
  .regex(/^(?:0|-?[1-9][0-9]{0,77})$/, 'must be a whole number of the smallest unit as decimal text')
  .transform(BigInt)
const uint40 = z.int().min(0).max(0xff_ffff_ffff)

const party = z.strictObject({ owner: bytes(20), signer: bytes(20) })
const channel = z.strictObject({
  a: party,
  b: party,
  asset: bytes(20),
  challengePeriod: z.int().min(0),
  bond: whole,
  salt: bytes(32),
})
const state = z.strictObject({
  version: whole,
  net: whole,
  batch: bytes(32),
  locks: bytes(),
  sigA: signature,
  sigB: signature,
})
const final = z.strictObject({ net: whole, sigA: signature, sigB: signature })
const verdict = z.strictObject({ key: bytes(52), time: uint40, amount: whole })

const schema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION, 'is of another version of kerros; update kerros'),
  chainId: whole,
  court: bytes(20),
  side: z.enum(['a', 'b']),
  since: z.int().min(0),
  channel,
  state: state.nullable(),
  final: final.nullable(),
  preimages: z.array(bytes(32)).max(65_536),
  verdicts: z.array(verdict).max(65_536),
})

/** The text of a rescue file: JSON for people and programs, amounts as decimal text. It holds no key. */
export function writeRescue(file: RescueFile): string {
  const content = { format: FORMAT, version: VERSION, ...file }
  const text = JSON.stringify(content, (_, part) => (typeof part === 'bigint' ? part.toString() : part), 2)
  return `${text}\n`
}

/**
 * The content of a rescue file. Throws Malformed, in one sentence, unless every field is there and of its kind, and both
 * sides have signed what the file says that they have.
 */
export function readRescue(text: string): RescueFile {
  const { format: _format, version: _version, ...file } = parsed(text)
  const court = domain(file.chainId, file.court)
  if (file.state && !isComplete(court, file.channel, file.state)) throw bad('its state is not signed by both sides')
  if (file.final && !isFinal(court, file.channel, file.final)) throw bad('its final state is not signed by both sides')
  return file
}

function parsed(text: string): z.infer<typeof schema> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own words repeat what it read: whoever named the wrong file must not see a secret told.
    throw bad('it is no JSON')
  }
  if ((value as { format?: unknown } | null)?.format !== FORMAT) throw bad(`it does not say "format": "${FORMAT}"`)
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  throw bad(`${path.join('.') || 'the whole'}: ${message}`)
}

function bad(what: string): Fault {
  return new Fault('Malformed', `this is no rescue file that can be used: ${what}; take the file as it was exported`)
}
