import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { OwnerPermit } from '../../core/plasma/Guard.ts'
import { Fault, reason } from '../Fault.ts'
import { address, bytes, uint40, word } from '../http/Fields.ts'

const permit = z.strictObject({
  owner: address,
  ids: z.array(word).min(1).max(64),
  starter: address,
  deadline: uint40,
  signature: bytes(65),
})

/**
 * The permits of a folder, one in each file whose name ends in .json, in the order of their names: what owners have signed
 * for a watcher that guards them. Faults with Malformed, naming the file, or StoreFailed if the folder cannot be read.
 */
export function readPermits(folder: string): readonly OwnerPermit[] {
  let names: readonly string[]
  try {
    names = readdirSync(folder)
  } catch (why) {
    throw new Fault('StoreFailed', `Cannot read the folder of permits ${folder} (${reason(why)}): name another`, why)
  }
  const files = names.filter((name) => name.endsWith('.json')).sort()
  return files.map((name) => permitOf(join(folder, name)))
}

function permitOf(path: string): OwnerPermit {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (why) {
    throw new Fault('Malformed', `${path} is not a permit in JSON (${reason(why)}): let its owner sign it again`, why)
  }
  const checked = permit.safeParse(json)
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  const where = issue?.path.join('.') || 'the file'
  throw new Fault('Malformed', `${path} is not a permit (${where}: ${issue?.message}): let its owner sign it again`)
}

/** A permit as the text of its file. */
export function permitText({ owner, ids, starter, deadline, signature }: OwnerPermit): string {
  return `${JSON.stringify({ owner, ids, starter, deadline, signature }, undefined, 2)}\n`
}
