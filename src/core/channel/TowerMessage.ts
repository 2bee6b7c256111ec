import { type Hex, isHex } from '../base/Bytes.ts'
import { type Domain, keccakText, keccakWords } from '../base/Signature.ts'
import type { SignedState } from './Call.ts'
import { type Channel, isChannel, MAX_NET } from './Channel.ts'
import type { SignedFinal } from './Docket.ts'
import { MAX_LOCKS } from './Lock.ts'
import { type Check, type Fields, fits, isSignedState } from './Message.ts'

/** What a client says to a tower. `serial` counts what it gives on one connection, from 1; it comes back in the answer. */
export type ToTower =
  /** A word that the tower's keeper has given out, or the signature of the nonce by a key: one of both, the other empty. */
  | { readonly type: 'login'; readonly token: string; readonly signature: Hex }
  | { readonly type: 'show'; readonly serial: number; readonly channel: Channel; readonly state: SignedState }
  | { readonly type: 'final'; readonly serial: number; readonly channel: Channel; readonly final: SignedFinal }
  | { readonly type: 'preimages'; readonly serial: number; readonly id: Hex; readonly preimages: readonly Hex[] }

/** What a tower says to a client. What it calls stored is durable. A refusal's serial is 0 where it is of the login. */
export type FromTower =
  | { readonly type: 'welcome'; readonly chainId: bigint; readonly court: Hex; readonly nonce: Hex }
  | { readonly type: 'ready' }
  | { readonly type: 'stored'; readonly serial: number }
  | { readonly type: 'refused'; readonly serial: number; readonly code: string }

const LOGIN = keccakText('kerros tower login')

/** What a client signs to be let in by its key: good for one connection to one tower of one court. */
export function loginDigest({ chainId, court }: Pick<Domain, 'chainId' | 'court'>, nonce: Hex): Hex {
  return keccakWords(LOGIN, chainId, court, nonce)
}

const serial: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const signature: Check = (value) => isHex(value, 65) || isHex(value, 64)
const net: Check = (value) => typeof value === 'bigint' && value >= -MAX_NET && value <= MAX_NET
const unsigned: Check = (value) => typeof value === 'bigint' && value >= 0n
const word: Check = (value) => isHex(value, 32)
const address: Check = (value) => isHex(value, 20)
const any: Check = () => true
const party: Check = (value) => fits(value, { owner: address, signer: address })
const TERMS: Fields = { a: party, b: party, asset: address, challengePeriod: serial, bond: unsigned, salt: word }
const channel: Check = (value) => fits(value, TERMS) && isChannel(value as Channel)
const preimages: Check = (value) => Array.isArray(value) && value.length <= MAX_LOCKS && value.every(word)

const TO_TOWER: Readonly<Record<ToTower['type'], Fields>> = {
  login: {
    token: (value) => typeof value === 'string' && value.length <= 256,
    signature: (value) => value === '0x' || signature(value),
  },
  show: { serial, channel, state: isSignedState },
  final: { serial, channel, final: (value) => fits(value, { net, sigA: signature, sigB: signature }) },
  preimages: { serial, id: word, preimages },
}

const FROM_TOWER: Readonly<Record<FromTower['type'], Fields>> = {
  welcome: { chainId: unsigned, court: address, nonce: word },
  ready: {},
  stored: { serial },
  refused: { serial, code: (value) => typeof value === 'string' && /^[A-Z][A-Za-z]{0,63}$/.test(value) },
}

/** The message of a client that a value from a wire is, or undefined if it is none. */
export function asToTower(value: unknown): ToTower | undefined {
  return is(value, TO_TOWER) ? (value as ToTower) : undefined
}

/** The message of a tower that a value from a wire is, or undefined if it is none. */
export function asFromTower(value: unknown): FromTower | undefined {
  return is(value, FROM_TOWER) ? (value as FromTower) : undefined
}

function is(value: unknown, messages: Readonly<Record<string, Fields>>): boolean {
  const type = (value as { type?: unknown } | null | undefined)?.type
  return typeof type === 'string' && Object.hasOwn(messages, type) && fits(value, { ...messages[type]!, type: any })
}
