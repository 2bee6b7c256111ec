import { z } from 'zod'
import { type Hex, isHex, size } from '../core/base/Bytes.ts'
import { type Domain, domain } from '../core/base/Signature.ts'
import { BATCH, MEMO, PENDING } from '../core/channel/Payment.ts'
import { isProven, type Receipt } from '../core/channel/Receipt.ts'
import { channel, type Kind, malformed, net, readDocument, signature, uint, writeDocument } from './Document.ts'
import { bytes } from './http/Fields.ts'

/** A receipt and the court that it speaks of. Who shows it chose the court: compare it with the one that you trust. */
export interface ReceiptFile extends Receipt {
  readonly chainId: bigint
  readonly court: Hex
}

const VERSION = 2
const index = z.int().min(0).max(0xffff_ffff)

const KIND: Kind<ReceiptFile & { readonly formatVersion: 2 }> = {
  format: 'kerros-receipt',
  schema: z.strictObject({
    formatVersion: z.literal(VERSION, 'is of another version of kerros; update kerros'),
    chainId: uint(256n),
    court: bytes(20),
    channel,
    state: z.strictObject({ channelId: bytes(32), version: uint(64n), net, locksRoot: bytes(32), batch: bytes(32) }),
    leaf: z.strictObject({
      amount: uint(128n),
      paymentId: bytes(32),
      memo: z.custom<Hex>((value) => isHex(value) && size(value) <= MEMO, 'must be bytes, not too many'),
    }),
    index,
    ofA: index,
    leaves: z.array(bytes(32)).max(BATCH + PENDING),
    signature,
  }),
  wrong: (what) => `this receipt proves nothing: ${what}; ask for the file as it was written`,
}

/** The text of a receipt: JSON for people and programs, amounts as decimal text. */
export function writeReceipt({ chainId, court }: Domain, receipt: Receipt): string {
  const { channel: terms, state, leaf, index: place, ofA, leaves, signature: signed } = receipt
  const content = { chainId, court, channel: terms, state, leaf, index: place, ofA, leaves, signature: signed }
  return writeDocument(KIND.format, { formatVersion: VERSION, ...content })
}

/** The receipt of a text. Throws Malformed, in one sentence, unless it proves its payment under the court that it names. */
export function readReceipt(text: string): ReceiptFile {
  const { formatVersion: _, ...file } = readDocument(text, KIND)
  if (provesUnder(domain(file.chainId, file.court), file)) return file
  const what = 'the signature is not that of the payee under this state, or the payment is not in the state'
  throw malformed(KIND.wrong(what))
}

/** What `isProven` says; numbers beyond the width of their fields prove nothing. */
function provesUnder(court: Domain, file: Receipt): boolean {
  try {
    return isProven(court, file)
  } catch {
    return false
  }
}
