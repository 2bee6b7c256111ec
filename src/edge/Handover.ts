// What two people hand each other out of band, as JSON: terms of a lock, what a swap is to be, half of a pair.
import { z } from 'zod'
import type { Agreement } from '../core/plasma/Agreement.ts'
import type { Half } from '../core/plasma/Half.ts'
import type { LockTerms } from '../core/plasma/LockTerms.ts'
import { Fault } from './Fault.ts'
import { address, amount, bytes, uint40, word } from './http/Fields.ts'
import { lockTerms, transaction } from './http/Schema.ts'
import { encode } from './Json.ts'

const leg = z.strictObject({ chain: word, asset: address, value: amount, from: address, to: address })

/** Everything that can be handed over, by what it is called. */
const HANDOVERS = {
  lock: lockTerms as z.ZodType<LockTerms>,
  swap: z.strictObject({ hash: word, expiry: uint40, first: leg, second: leg }) as z.ZodType<Agreement>,
  half: z.strictObject({ transaction, terms: lockTerms, half: bytes(64) }) as z.ZodType<Half>,
} as const

type Handovers = { readonly [What in keyof typeof HANDOVERS]: z.output<(typeof HANDOVERS)[What]> }

/** One thing as JSON that says what it is. None of them holds a secret; half of a pair binds who signed it. */
export function handOver<What extends keyof Handovers>(what: What, value: Handovers[What]): string {
  return encode({ kerros: what, [what]: value }, 2)
}

/** The thing in a JSON that was handed over. Throws Malformed if it is another, or not of its form. */
export function takeOver<What extends keyof Handovers>(what: What, json: string): Handovers[What] {
  const read = z.strictObject({ kerros: z.literal(what), [what]: HANDOVERS[what] }).safeParse(parsed(json))
  if (read.success) return (read.data as unknown as Record<What, Handovers[What]>)[what]
  const [issue] = read.error.issues
  const where = issue?.path.join('.') || 'it'
  throw new Fault('Malformed', `This is no ${what} that was handed over: ${where}: ${issue?.message}; ask for it again`)
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
