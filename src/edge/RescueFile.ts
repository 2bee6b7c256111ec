import { z } from 'zod'
import { type Hex, isHex } from '../core/base/Bytes.ts'
import { domain } from '../core/base/Signature.ts'
import { isComplete, isFinal } from '../core/channel/Docket.ts'
import type { RescueFile } from '../core/channel/Rescue.ts'
import { channel, type Kind, malformed, net, readDocument, signature, uint, writeDocument } from './Document.ts'
import { bytes, uint40 } from './http/Fields.ts'

const VERSION = 1
const list = z.custom<Hex>((value) => isHex(value), 'must be 0x and lowercase hexadecimal digits')
const state = z.strictObject({
  version: uint(64n),
  net,
  batch: bytes(32),
  locks: list,
  sigA: signature,
  sigB: signature,
})
const final = z.strictObject({ net, sigA: signature, sigB: signature })
const verdict = z.strictObject({ key: bytes(52), time: uint40, amount: uint(128n) })

const KIND: Kind<RescueFile & { readonly version: 1 }> = {
  format: 'kerros-rescue',
  schema: z.strictObject({
    version: z.literal(VERSION, 'is of another version of kerros; update kerros'),
    chainId: uint(256n),
    court: bytes(20),
    side: z.enum(['a', 'b']),
    since: z.int().min(0),
    channel,
    state: state.nullable(),
    final: final.nullable(),
    preimages: z.array(bytes(32)).max(65_536),
    verdicts: z.array(verdict).max(65_536),
  }),
  wrong: (what) => `this is no rescue file that can be used: ${what}; take the file as it was exported`,
}

/** The text of a rescue file: JSON for people and programs, amounts as decimal text. It holds no key. */
export function writeRescue(file: RescueFile): string {
  return writeDocument(KIND.format, { version: VERSION, ...file })
}

/**
 * The content of a rescue file. Throws Malformed, in one sentence, unless every field is there and of its kind, and both
 * sides have signed what the file says that they have.
 */
export function readRescue(text: string): RescueFile {
  const { version: _, ...file } = readDocument(text, KIND)
  const court = domain(file.chainId, file.court)
  if (file.state && !isComplete(court, file.channel, file.state)) throw bad('its state is not signed by both sides')
  if (file.final && !isFinal(court, file.channel, file.final)) throw bad('its final state is not signed by both sides')
  return file
}

function bad(what: string): Error {
  return malformed(KIND.wrong(what))
}
