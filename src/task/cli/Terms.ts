import { type Hex, isHex } from '../../core/base/Bytes.ts'
import { type Channel, isChannel } from '../../core/channel/Channel.ts'
import { Misuse } from './Trouble.ts'

/** The terms of a channel as one side hands them to the other, in one word: the court's chain and address, and all fields. */
export interface Offer {
  readonly chainId: number
  readonly court: Hex
  readonly channel: Channel
}

/** What stands in a word, in this order; what comes from others is checked before it is believed. */
type Fields = readonly [number, Hex, Hex, Hex, Hex, Hex, Hex, number, string, Hex]

const PREFIX = 'kerros:'

/** The word of an offer. */
export function writeOffer({ chainId, court, channel }: Offer): string {
  const { a, b, asset, challengePeriod, bond, salt } = channel
  const fields = [chainId, court, a.owner, a.signer, b.owner, b.signer, asset, challengePeriod, bond.toString(), salt]
  return PREFIX + Buffer.from(JSON.stringify(fields)).toString('base64url')
}

/** The offer of a word. Throws Misuse unless every field is there and fits. */
export function readOffer(word: string): Offer {
  const fields = word.startsWith(PREFIX) ? listIn(word.slice(PREFIX.length)) : undefined
  if (fields?.length === 10) {
    const [chainId, court, ownerA, signerA, ownerB, signerB, asset, challengePeriod, wei, salt] = fields as Fields
    const bond = /^[0-9]{1,30}$/.test(String(wei)) ? BigInt(wei) : -1n
    const [a, b] = [
      { owner: ownerA, signer: signerA },
      { owner: ownerB, signer: signerB },
    ]
    const channel = { a, b, asset, challengePeriod, bond, salt }
    if (isChannel(channel) && Number.isSafeInteger(chainId) && isHex(court, 20)) return { chainId, court, channel }
  }
  throw new Misuse(`These are no terms of a channel: copy the whole word that begins with ${PREFIX}`)
}

function listIn(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
