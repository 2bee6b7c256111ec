import { ETHER, type Hex } from './Bytes.ts'
import type { Court } from './Court.ts'
import { sha256 } from './Signature.ts'
import { require } from './Step.ts'

/** What layer 1 decided about a key: when (seconds), and how much goes to the receiver. */
export interface Verdict {
  readonly time: number
  readonly amount: bigint
}

/** All verdicts, under `verdictKey`. Written once, the first time stays. */
export type Verdicts = ReadonlyMap<Hex, Verdict>

/** A preimage became public, or a condition's outcome final; named and ordered as in Solidity. */
export type VerdictEvent =
  | { readonly name: 'Revealed'; readonly preimage: Hex }
  | { readonly name: 'Judged'; readonly condition: Hex; readonly key: Hex; readonly amount: bigint }

/** What a ruling on verdicts changes. */
export interface Judgement {
  readonly verdicts: Verdicts
  readonly events: readonly VerdictEvent[]
}

/** The amount of a revealed preimage: all of the lock, whatever its size. */
export const ALL = 2n ** 128n - 1n

/** sha256 of a 32-byte preimage: the key of its hash lock. */
export function hashLock(preimage: Hex): Hex {
  return sha256(preimage)
}

/** Where the verdict on a condition's key is kept; condition zero is the hash lock. */
export function verdictKey(condition: Hex, key: Hex): Hex {
  return `${condition}${key.slice(2)}`
}

/** Writes the verdicts of preimages that are new at `time`; those already known are passed over. */
export function reveal(verdicts: Verdicts, preimages: readonly Hex[], time: number): Judgement {
  const after = new Map(verdicts)
  const events: VerdictEvent[] = []
  for (const preimage of preimages) {
    const key = verdictKey(ETHER, hashLock(preimage))
    if (after.has(key)) continue
    after.set(key, { time, amount: ALL })
    events.push({ name: 'Revealed', preimage })
  }
  return { verdicts: after, events }
}

/** A verb of the registry as a call. */
export interface RevealCall {
  readonly verb: 'reveal'
  readonly preimages: readonly Hex[]
}

/** The model of a registry of its own, as far as hash locks go. */
export const registry: Court<{ readonly verdicts: Verdicts }, RevealCall, VerdictEvent> = (
  { verdicts: before },
  { preimages },
  { time },
) => {
  const { verdicts, events } = reveal(before, preimages, time)
  return { state: { verdicts }, events, transfers: [] }
}

/** Writes a condition's final outcome, once: `outcome` = what goes to the receiver, undefined while it is not final. */
export function judge(
  verdicts: Verdicts,
  condition: Hex,
  key: Hex,
  outcome: bigint | undefined,
  time: number,
): Judgement {
  require(condition !== ETHER, 'NoCondition')
  require(!verdicts.has(verdictKey(condition, key)), 'AlreadyJudged', condition, key)
  require(outcome !== undefined, 'NotFinal', condition, key)
  return {
    verdicts: new Map(verdicts).set(verdictKey(condition, key), { time, amount: outcome }),
    events: [{ name: 'Judged', condition, key, amount: outcome }],
  }
}
