import { randomBytes } from 'node:crypto'
import { decryptKeystoreJson, encryptKeystoreJson } from 'ethers'
import { z } from 'zod'
import { type Hex, isHex, toHex } from '../../core/base/Bytes.ts'
import { addressOf } from '../../core/base/Signature.ts'
import { Fault, reason } from '../Fault.ts'
import { readSecret, writeSecret } from './SecretFile.ts'

/** What an attempt at a password costs: memory 128 * N * r bytes, time N * r * p. */
export interface Scrypt {
  readonly N: number
  readonly r: number
  readonly p: number
}

/** The cost that wallets use: 128 MiB and about a second an attempt. */
export const SCRYPT: Scrypt = { N: 2 ** 17, r: 8, p: 1 }

/** How a key file is opened. */
export interface KeyReading {
  /** Asked for only if the file needs it. */
  readonly password: () => string | Promise<string>
  /** Hears of an encrypted file that others can open too. */
  readonly warn?: (warning: string) => void
}

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** A new private key of 32 random bytes. */
export function newKey(): Hex {
  for (;;) {
    const key = toHex(randomBytes(32))
    if (isKey(key)) return key
  }
}

/** True iff a value is a private key: 32 bytes, not 0, below the order of the curve. */
export function isKey(value: unknown): value is Hex {
  return isHex(value, 32) && BigInt(value) > 0n && BigInt(value) < ORDER
}

/**
 * Writes a key, encrypted under a password, as a Web3 keystore v3 that only its owner can open; gives its address.
 * Faults: KeyExists, because no file is ever replaced, NoPassword if the password is empty, StoreFailed.
 */
export async function writeKeystore(path: string, key: Hex, password: string, cost: Scrypt = SCRYPT): Promise<Hex> {
  if (!isKey(key))
    throw new Fault('KeyMalformed', 'The private key is not a number that the curve admits: make another')
  if (password === '') throw new Fault('NoPassword', 'The password is empty: a key at rest needs one')
  const address = addressOf(key)
  const text = await encryptKeystoreJson({ address, privateKey: key }, password, { scrypt: { ...cost } })
  writeSecret(path, `${text}\n`)
  return address
}

/**
 * The private key in a file: a Web3 keystore v3, opened with the password, or 64 hexadecimal digits (0x before them or
 * not), which only a file that is closed to others may hold. Faults: KeyMissing, KeyMalformed, LooseFile, WrongPassword,
 * and what asking for the password throws.
 */
export async function readKey(path: string, { password, warn = () => {} }: KeyReading): Promise<Hex> {
  const loose: string[] = []
  const text = readSecret(path, (warning) => loose.push(warning)).trim()
  if (text.startsWith('{')) {
    loose.forEach(warn)
    return decrypt(path, text, await password())
  }
  if (loose[0] !== undefined) throw new Fault('LooseFile', loose[0])
  const key = `0x${text.replace(/^0x/i, '').toLowerCase()}`
  if (isKey(key)) return key
  throw new Fault(
    'KeyMalformed',
    `${path} holds neither a keystore nor a key of 64 hexadecimal digits: name another file`,
  )
}

/** The address that a keystore says to be of, without its password; undefined if it says none. Faults as `readKey`. */
export function addressIn(path: string): Hex | undefined {
  const { address } = parsed(
    path,
    readSecret(path, () => {}),
  )
  const lower = address === undefined ? undefined : `0x${address.replace(/^0x/i, '').toLowerCase()}`
  return isHex(lower, 20) ? lower : undefined
}

async function decrypt(path: string, text: string, password: string): Promise<Hex> {
  parsed(path, text)
  try {
    const { privateKey } = await decryptKeystoreJson(text, password)
    if (isKey(privateKey)) return privateKey
  } catch (why) {
    if (/incorrect password/.test(reason(why))) {
      throw new Fault('WrongPassword', `The password does not open ${path}: try again, or name the right key file`)
    }
    throw new Fault('KeyMalformed', `${path} is a damaged keystore (${brief(why)}): take a copy of it`)
  }
  throw new Fault('KeyMalformed', `${path} holds a number that is no key of this curve: name another file`)
}

// A file from elsewhere must not take all the memory or a day: at most 1 GiB, and 2^24 rounds.
const COSTS = z.union([
  z
    .object({ n: z.int().positive(), r: z.int().positive(), p: z.int().positive() })
    .refine(({ n, r, p }) => n * r <= 2 ** 23 && n * r * p <= 2 ** 24),
  z.object({ c: z.int().positive().max(10_000_000) }),
])
const CRYPTO = z.object({ kdfparams: COSTS })
const KEYSTORE = z.object({ version: z.literal(3), address: z.string().max(64).optional() })

/** What stands outside the encryption. Keystores of old write "Crypto", names of fields are read in any case. */
function parsed(path: string, text: string): z.infer<typeof KEYSTORE> {
  try {
    const json = lowered(JSON.parse(text)) as { readonly crypto?: unknown }
    CRYPTO.parse(json.crypto)
    return KEYSTORE.parse(json)
  } catch {
    throw new Fault('KeyMalformed', `${path} is no Web3 keystore of version 3 with a bearable cost: name another file`)
  }
}

function lowered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name.toLowerCase(), lowered(part)]))
}

/** What ethers throws repeats its arguments; only its beginning is a sentence. */
function brief(why: unknown): string {
  return reason(why).split(' (')[0]!.slice(0, 100)
}
