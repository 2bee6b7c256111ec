import { z } from 'zod'
import type { Hex } from '../core/base/Bytes.ts'
import { isHex } from '../core/base/Bytes.ts'
import { type Domain, domain } from '../core/base/Signature.ts'
import type { Receipt } from '../core/channel/Payment.ts'
import { BATCH, isProven, PENDING } from '../core/channel/Payment.ts'
import { Fault } from './Fault.ts'

const FORMAT = 'kerros-receipt'
const VERSION = 1

/** A receipt and the court that it speaks of. Who shows it chose the court: compare it with the one that you trust. */
export interface ReceiptFile extends Receipt {
  readonly chainId: bigint
  readonly court: Hex
}

const bytes = (length: number) =>
  z.custom<Hex>((value) => isHex(value, length), `must be 0x and ${2 * length} lowercase hexadecimal digits`)
/** A whole number as decimal text. Its width is checked, because a hash would wrap a wider one and prove it all the same. */
const whole = (least: bigint, below: bigint) =>
  z
    .string()
    .regex(/^(?:0|-?[1-9][0-9]{0,77})$/, 'must be a whole number of the smallest unit as decimal text')
    .transform(BigInt)
    .refine((value) => value >= least && value < below, `must be from ${least} up to, but not, ${below}`)
const uint = (bits: bigint) => whole(0n, 2n ** bits)
const net = whole(-(2n ** 127n), 2n ** 127n)
const party = z.strictObject({ owner: bytes(20), signer: bytes(20) })
const count = z.int().min(0).max(0xffff_ffff)

const schema = z.strictObject({
  format: z.literal(FORMAT),
  formatVersion: z.literal(VERSION, 'is of another version of kerros; update kerros'),
  chainId: uint(256n),
  court: bytes(20),
  channel: z.strictObject({
    a: party,
    b: party,
    asset: bytes(20),
    challengePeriod: count,
    bond: uint(96n),
    salt: bytes(32),
  }),
  state: z.strictObject({ channelId: bytes(32), version: uint(64n), net, locksRoot: bytes(32), batch: bytes(32) }),
  leaf: z.strictObject({
    channelId: bytes(32),
    version: uint(64n),
    index: count,
    toB: z.boolean(),
    amount: uint(128n),
    paymentId: bytes(32),
    memoHash: bytes(32),
  }),
  leaves: z.array(bytes(32)).max(BATCH + PENDING),
  signature: z.custom<Hex>((value) => isHex(value, 65) || isHex(value, 64), 'must be a signature of 64 or 65 bytes'),
})

/** The text of a receipt: JSON for people and programs, amounts as decimal text. */
export function writeReceipt({ chainId, court }: Domain, { channel, state, leaf, leaves, signature }: Receipt): string {
  const content = { format: FORMAT, formatVersion: VERSION, chainId, court, channel, state, leaf, leaves, signature }
  return `${JSON.stringify(content, (_, part) => (typeof part === 'bigint' ? part.toString() : part), 2)}\n`
}

/** The receipt of a text. Throws Malformed, in one sentence, unless it proves its payment under the court that it names. */
export function readReceipt(text: string): ReceiptFile {
  const { format: _format, formatVersion: _version, ...file } = parsed(text)
  if (provesUnder(domain(file.chainId, file.court), file)) return file
  throw bad('the signature is not that of the payee under this state, or the payment is not in the state')
}

/** What `isProven` says; numbers beyond the width of their fields prove nothing. */
function provesUnder(court: Domain, file: Receipt): boolean {
  try {
    return isProven(court, file)
  } catch {
    return false
  }
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
  return new Fault('Malformed', `this receipt proves nothing: ${what}; ask for the file as it was written`)
}
