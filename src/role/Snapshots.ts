import type { OperatorState } from '../core/plasma/Office.ts'
import { snapshotRows } from '../core/plasma/Snapshot.ts'
import type { OperatorEvent } from '../edge/http/OperatorApi.ts'
import type { Store } from '../edge/store/Store.ts'

/** What snapshots run on. */
export interface SnapshotParts {
  readonly store: Store
  readonly state: () => OperatorState
  readonly schedule: (run: () => void) => void
  /** Told if one could not be stored; the operator does without. */
  readonly onTrouble?: ((why: unknown) => void) | undefined
}

/** Transactions, at least, that a start executes again rather than have a new snapshot written. */
const LEAST = 10_000
/** One is written for every so many transactions as a part of the coins: writing a coin costs less than executing one. */
const SHARE = 8

/** Stores an operator's ledger now and then, a little at a time, so that a start has little to execute again. */
export class Snapshots {
  readonly #parts: SnapshotParts
  /** Transactions since the last one. */
  #count = 0
  #isWriting = false
  #isStopped = false

  constructor(parts: SnapshotParts) {
    this.#parts = parts
  }

  /** Hears what the operator does. */
  hear(event: OperatorEvent): void {
    if (event.kind === 'sealed') this.#count += event.count
    const { state } = this.#parts
    if (event.kind === 'committed' && this.#count >= Math.max(LEAST, state().base.coins.size / SHARE)) this.write()
  }

  /** Writes one now, if none is being written. */
  write(): void {
    if (this.#isWriting || this.#isStopped) return
    this.#isWriting = true
    this.#count = 0
    const { store, state } = this.#parts
    this.#go(snapshotRows(store, state().base, state().committed))
  }

  /** Writes no more; one that is not finished counts for nothing. */
  stop(): void {
    this.#isStopped = true
  }

  #go(steps: ReturnType<typeof snapshotRows>): void {
    if (this.#isStopped) return
    try {
      const { done, value } = steps.next()
      if (done) this.#isWriting = false
      else {
        this.#parts.store.commit(value)
        this.#parts.schedule(() => this.#go(steps))
      }
    } catch (why) {
      this.#isWriting = false
      this.#parts.onTrouble?.(why)
    }
  }
}
