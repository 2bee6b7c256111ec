import type { Domain } from '../../core/base/Signature.ts'
import { check } from '../../core/plasma/Packed.ts'

/** Finds out what packed transactions say of themselves: their hashes, signers and outputs' ids (`Packed.check`). */
export interface Checker {
  /** Calls `done` with what was found out, at once or later, in whatever order. */
  check(court: Domain, packed: Uint8Array, done: (checked: Uint8Array) => void): void
  /** Ends its threads. Whoever still waits is told first. */
  close(): Promise<void>
}

/** A checker in the caller's own thread, which answers at once. */
export function ownThread(): Checker {
  return {
    check: (court, packed, done) => done(check(court, packed)),
    close: async () => {},
  }
}
