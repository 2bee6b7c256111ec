import type { Domain } from '../core/base/Signature.ts'
import type { Served } from '../core/plasma/Follower.ts'
import type { Known, Signed } from '../core/plasma/Ledger.ts'
import { knownOf, packAll } from '../core/plasma/Packed.ts'
import type { Checker } from '../edge/signature/Checker.ts'

/** How many transactions of a block are checked together. */
const CHUNK = 256

/** A served block with what its transactions say of themselves, found out wherever there is room. */
export async function checked(checker: Checker, court: Domain, served: Served): Promise<Served> {
  const { transactions } = served
  const parts: Promise<readonly Known[]>[] = []
  for (let at = 0; at < transactions.length; at += CHUNK) {
    parts.push(knownFrom(checker, court, transactions.slice(at, at + CHUNK)))
  }
  return { ...served, known: (await Promise.all(parts)).flat() }
}

/** What cannot be packed is in no block that was anchored: of it nothing is known. */
function knownFrom(checker: Checker, court: Domain, list: readonly Signed[]): Promise<readonly Known[]> {
  return new Promise((done) => {
    try {
      checker.check(court, packAll(list), (bytes) => done(knownOf(list, bytes)))
    } catch (why) {
      if (!(why instanceof RangeError)) throw why
      done(list.map(() => ({})))
    }
  })
}
