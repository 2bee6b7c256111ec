import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Fault } from '../Fault.ts'
import { readSecret, writeSecret } from './SecretFile.ts'

/** What a token is: 32 random bytes as hexadecimal text. */
const PATTERN = /^[0-9a-f]{64}$/

/** The token in a file that only its owner can open; made if there is no file. Faults: LooseFile, KeyMalformed, StoreFailed. */
export function openToken(path: string): string {
  if (!existsSync(path)) writeSecret(path, `${randomBytes(32).toString('hex')}\n`)
  return readToken(path)
}

/** The token in a file that exists. Faults: KeyMissing, LooseFile, KeyMalformed. */
export function readToken(path: string): string {
  const token = readSecret(path, 'refuse').trim()
  if (PATTERN.test(token)) return token
  throw new Fault('KeyMalformed', `${path} holds no token of 64 hexadecimal digits: remove it and start the node again`)
}

/** True iff two tokens are equal; how long it takes says nothing of where they differ. */
export function sameToken(have: string, need: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(have), digest(need))
}
