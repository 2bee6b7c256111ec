// A process of its own: an operator's ledger with a million unspent outputs, each of another owner. It says how many
// megabytes its heap holds for them (after a full collection), and in how many milliseconds an operator starts with them
// from its store: opened, checked, read, ready for submissions.
import { join } from 'node:path'
import { ETHER, type Hex, uint, ZERO } from '../../../src/core/base/Bytes.ts'
import { keccak } from '../../../src/core/base/Signature.ts'
import { chainId } from '../../../src/core/plasma/Chain.ts'
import { emptyLedger, type Ledger, observe } from '../../../src/core/plasma/Ledger.ts'
import { restoreOperator } from '../../../src/core/plasma/Operator.ts'
import type { SeenEvent } from '../../../src/core/plasma/Seen.ts'
import { snapshotRows } from '../../../src/core/plasma/Snapshot.ts'
import { openStore } from '../../../src/edge/store/Sqlite.ts'
import { CHAIN, DOMAIN } from './ground.ts'

const COUNT = 1_000_000
const BATCH = 10_000
const ID = chainId(CHAIN)
const PARAMS = { court: DOMAIN, path: [CHAIN], depth: 0, margin: 3600, fees: [], maxTransactions: 60_000 }

function filled(): Ledger {
  let ledger = emptyLedger(DOMAIN, ID, 0)
  for (let from = 0; from < COUNT; from += BATCH) {
    const events = Array.from({ length: BATCH }, (_, n) => deposited(from + n))
    const time = 1 + from / BATCH
    ledger = observe(ledger, [{ number: from, hash: ZERO, parent: ZERO, time, events }], time)
  }
  return ledger
}

/** With an id that only looks like one: nobody here hashes it again. */
function deposited(n: number): SeenEvent {
  const [salt, id] = [uint(n, 32), keccak(uint(n, 8))]
  const owner: Hex = `0x${keccak(id).slice(26)}`
  return { name: 'Deposited', id, chain: ID, sender: owner, salt, owner, asset: ETHER, value: 10n ** 18n + BigInt(n) }
}

function heap(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

function write(path: string): void {
  const store = openStore(path, 'operator of the bench')
  for (const rows of snapshotRows(store, filled(), 0)) store.commit(rows)
  store.close()
}

function main(path: string): void {
  write(path)
  const before = heap()
  const start = performance.now()
  const store = openStore(path, 'operator of the bench')
  const state = restoreOperator(PARAMS, store, 0)
  const milliseconds = performance.now() - start
  const megabytes = (heap() - before) / 1e6
  if (state.ledger.coins.size !== COUNT) throw new Error(`${state.ledger.coins.size} of ${COUNT} outputs came back`)
  store.close()
  process.send?.({ milliseconds, megabytes })
}

if (import.meta.main) main(join(process.argv[2]!, 'million.db'))
