import { sha256 } from '@noble/hashes/sha2.js'
import { concat, ETHER, type Hex, toBytes, toHex } from './Bytes.ts'

/** What layer 1 decided about a key: when (seconds), and how much goes to the receiver. */
export interface Verdict {
  readonly time: number
  readonly amount: bigint
}

/** All verdicts, under `verdictKey`. Written once, the first time stays. */
export type Verdicts = ReadonlyMap<Hex, Verdict>

/** A preimage became public. */
export interface RevealedEvent {
  readonly name: 'Revealed'
  readonly preimage: Hex
}

/** The amount of a revealed preimage: all of the lock, whatever its size. */
export const ALL = 2n ** 128n - 1n

/** sha256 of a 32-byte preimage: the key of its hash lock. */
export function hashLock(preimage: Hex): Hex {
  return toHex(sha256(toBytes(preimage)))
}

/** Where the verdict on a condition's key is kept; condition zero is the hash lock. */
export function verdictKey(condition: Hex, key: Hex): Hex {
  return concat(condition, key)
}

/** Writes the verdicts of preimages that are new at `time`; those already known are passed over. */
export function reveal(
  verdicts: Verdicts,
  preimages: readonly Hex[],
  time: number,
): { readonly verdicts: Verdicts; readonly events: readonly RevealedEvent[] } {
  const after = new Map(verdicts)
  const events: RevealedEvent[] = []
  for (const preimage of preimages) {
    const key = verdictKey(ETHER, hashLock(preimage))
    if (after.has(key)) continue
    after.set(key, { time, amount: ALL })
    events.push({ name: 'Revealed', preimage })
  }
  return { verdicts: after, events }
}
