import type { Hex } from '../core/base/Bytes.ts'
import type { Domain } from '../core/base/Signature.ts'
import { Refusal } from '../core/base/Step.ts'
import type { Known, Signed } from '../core/plasma/Ledger.ts'
import type { OperatorOutput, Submission } from '../core/plasma/Office.ts'
import { knownOf, packAll } from '../core/plasma/Packed.ts'
import type { Place } from '../core/plasma/Places.ts'
import type { Acknowledgement } from '../edge/http/OperatorApi.ts'
import type { Checker } from '../edge/signature/Checker.ts'

/** How a submission ended: stored and acknowledged, or refused. */
export type Outcome = Acknowledgement | Refusal

/** What submissions run on. */
export interface SubmissionParts {
  readonly court: Domain
  readonly checker: Checker
  /** Hands submissions to the machine; resolves with its outputs once they are durable. */
  readonly take: (list: readonly Submission[]) => Promise<readonly OperatorOutput[]>
  /** Where a transaction is that was taken before. */
  readonly find: (txHash: Hex) => Place | undefined
  readonly schedule: (run: () => void) => void
}

interface Job {
  readonly list: readonly Signed[]
  readonly done: (outcomes: readonly Outcome[]) => void
  readonly failed: (why: unknown) => void
  known?: readonly Known[]
}

interface Single {
  readonly signed: Signed
  readonly done: (outcome: Outcome) => void
  readonly failed: (why: unknown) => void
}

/** How many transactions are checked together at most: enough that a thread's messages cost nothing beside signatures. */
const CHUNK = 128

/** Transactions on their way to an operator's machine: checked wherever there is room, taken in the order they came. */
export class Submissions {
  readonly #parts: SubmissionParts
  #singles: Single[] = []
  /** Oldest first; those in front wait for their check. */
  readonly #jobs: Job[] = []

  constructor(parts: SubmissionParts) {
    this.#parts = parts
  }

  /** Resolves with what became of it, once that is durable. Those that come together are checked and stored together. */
  submit(signed: Signed): Promise<Outcome> {
    return new Promise((done, failed) => {
      if (this.#singles.push({ signed, done, failed }) === 1) this.#parts.schedule(() => this.#gather())
      if (this.#singles.length === CHUNK) this.#gather()
    })
  }

  /** The same of many, in their order. */
  async submitAll(list: readonly Signed[]): Promise<readonly Outcome[]> {
    this.#gather()
    const parts: Promise<readonly Outcome[]>[] = []
    for (let at = 0; at < list.length; at += CHUNK) {
      parts.push(new Promise((done, failed) => this.#begin({ list: list.slice(at, at + CHUNK), done, failed })))
    }
    return (await Promise.all(parts)).flat()
  }

  #gather(): void {
    const singles = this.#singles.splice(0)
    if (singles.length === 0) return
    this.#begin({
      list: singles.map(({ signed }) => signed),
      done: (outcomes) => {
        for (const [i, { done }] of singles.entries()) done(outcomes[i]!)
      },
      failed: (why) => {
        for (const { failed } of singles) failed(why)
      },
    })
  }

  #begin(job: Job): void {
    this.#jobs.push(job)
    const packed = packedOf(job.list)
    const settle = (known: readonly Known[]) => {
      job.known = known
      this.#advance()
    }
    if (packed) this.#parts.checker.check(this.#parts.court, packed, (checked) => settle(knownOf(job.list, checked)))
    else settle(job.list.map(() => ({})))
  }

  /** A transaction that was taken long ago is refused now, and answered as it was then. */
  #again(outcome: Outcome, { hash }: Known): Outcome {
    if (!(outcome instanceof Refusal) || hash === undefined) return outcome
    const place = this.#parts.find(hash)
    return place ? { txHash: hash, ...place } : outcome
  }

  #advance(): void {
    for (let job = this.#jobs[0]; job?.known; job = this.#jobs[0]) {
      this.#jobs.shift()
      const { known, done, failed } = job
      const list = job.list.map((signed, i) => ({ signed, known: known[i]! }))
      this.#parts
        .take(list)
        .then((outputs) => done(outcomesOf(outputs).map((outcome, i) => this.#again(outcome, known[i]!))), failed)
    }
  }
}

/** What cannot be packed is out of every bound: the ledger refuses it without looking at signatures. */
function packedOf(list: readonly Signed[]): Uint8Array | undefined {
  try {
    return packAll(list)
  } catch (why) {
    if (why instanceof RangeError) return undefined
    throw why
  }
}

function outcomesOf(outputs: readonly OperatorOutput[]): readonly Outcome[] {
  const outcomes: Outcome[] = []
  for (const output of outputs) {
    if (output.kind === 'refused') outcomes.push(output.refusal)
    if (output.kind !== 'acknowledged') continue
    outcomes.push({ txHash: output.txHash, number: output.number, index: output.index })
  }
  return outcomes
}
