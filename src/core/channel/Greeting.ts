import { type Hex, isHex } from '../base/Bytes.ts'
import { type Domain, digest, keccakText, keccakWords } from '../base/Signature.ts'
import { type Check, type Fields, fits } from './Message.ts'

/** What each end of a connection says before all else: who it claims to be with a fresh nonce, then the proof of it. */
export type Greet =
  | { readonly type: 'greet'; readonly signer: Hex; readonly nonce: Hex }
  | { readonly type: 'prove'; readonly signature: Hex }

/** What one end signs to the other: who speaks, to whom, the nonces of both (32 bytes), and whether the speaker called. */
export interface Greeting {
  readonly signer: Hex
  readonly peer: Hex
  readonly mine: Hex
  readonly theirs: Hex
  readonly dialed: boolean
}

const GREETING_TYPE = keccakText('Greeting(address signer,address peer,bytes32 mine,bytes32 theirs,bool dialed)')

/** What an end of a connection signs: good for this end of this connection and this peer, and for nothing in a court. */
export function greetingDigest(court: Domain, { signer, peer, mine, theirs, dialed }: Greeting): Hex {
  return digest(court, keccakWords(GREETING_TYPE, signer, peer, mine, theirs, dialed))
}

const signature: Check = (value) => isHex(value, 65) || isHex(value, 64)
const FIELDS: ReadonlyMap<unknown, Fields> = new Map<unknown, Fields>([
  ['greet', { signer: (value) => isHex(value, 20), nonce: (value) => isHex(value, 32) }],
  ['prove', { signature }],
])

/** The greet that a value from a wire is, or undefined if it is none. */
export function asGreet(value: unknown): Greet | undefined {
  const fields = FIELDS.get((value as { readonly type?: unknown } | null | undefined)?.type)
  return fields && fits(value, fields, 1) ? (value as Greet) : undefined
}
