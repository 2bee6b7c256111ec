import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { addressOf, domain, sign } from '../../src/core/base/Signature.ts'
import type { PlasmaCall, PlasmaEvent } from '../../src/core/plasma/Call.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { depositId, txHash } from '../../src/core/plasma/Transaction.ts'
import type { Chain } from '../../src/edge/chain/Chain.ts'
import { threads } from '../../src/edge/signature/Threads.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'
import { Operator } from '../../src/role/Operator.ts'
import { windowed } from './pair.ts'

const COUNT = 20_000
const WARM_UP = 2_000
/** How many submissions wait for their acknowledgement at a time, as many clients would have it. */
const WINDOW = 4096
const COURT: Hex = `0x${'c0'.repeat(20)}`
const DOMAIN = domain(31337n, COURT)
const OPERATOR = addressOf(uint(1, 32))
const CHAIN = { parent: ZERO, slot: 0, operator: OPERATOR }

/** Transactions a second from submission to acknowledgement: signature, ledger, durable row; one process, no HTTP. */
export async function measure(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'kerros-bench-'))
  const store = openStore(join(folder, 'operator.db'), 'operator of the bench')
  const params = { path: [CHAIN], depth: 0, margin: 3600, fees: [], maxTransactions: 60_000 }
  const checker = threads(2)
  try {
    const operator = new Operator({ l1: depositsOnly(), store, params, from: 0, checker, onFailure: fail })
    while (operator.state.ledger.coins.size === 0) await new Promise((done) => setImmediate(done))
    const payments = Array.from({ length: WARM_UP + COUNT }, (_, n) => payment(n))
    await submitAll(operator, payments.slice(0, WARM_UP))
    const start = performance.now()
    await submitAll(operator, payments.slice(WARM_UP))
    const seconds = (performance.now() - start) / 1000
    if (operator.state.ledger.index !== payments.length) throw new Error('not everything that counts is in the block')
    operator.stop()
    return { 'plasma.ingest': Math.round(COUNT / seconds) }
  } finally {
    await checker.close()
    store.close()
    rmSync(folder, { recursive: true })
  }
}

function fail(why: unknown): void {
  throw why
}

async function submitAll({ api }: Operator, payments: readonly Signed[]): Promise<void> {
  await windowed(payments.length, WINDOW, (n) => api.submit(payments[n]!))
}

/** Every payer has a key of its own, so that no key's result can be kept from one payment to the next. */
function payer(n: number): Hex {
  return uint(1_000_000 + n, 32)
}

const DEPOSITS = new Map<number, ReturnType<typeof makeDeposit>>()

function deposited(n: number) {
  const made = DEPOSITS.get(n) ?? makeDeposit(n)
  DEPOSITS.set(n, made)
  return made
}

function makeDeposit(n: number) {
  const owner = addressOf(payer(n))
  return { chain: chainId(CHAIN), sender: owner, salt: uint(n, 32), owner, asset: ETHER, value: 10n ** 18n }
}

function payment(n: number): Signed {
  const outputs = [{ owner: OPERATOR, asset: ETHER, value: 10n ** 18n, lock: ZERO }]
  const inputs = [depositId(deposited(n))]
  const transaction = { chain: chainId(CHAIN), inputs, outputs, lastBlock: 100, memo: ZERO }
  return { transaction, authorisation: sign(txHash(DOMAIN, transaction), payer(n)) }
}

/** A layer 1 of one block that has every payer's deposit. */
function depositsOnly(): Chain<PlasmaCall, PlasmaEvent> {
  const events: PlasmaEvent[] = [{ name: 'ChainRegistered', chain: chainId(CHAIN), since: 0, path: [CHAIN] }]
  for (let n = 0; n < WARM_UP + COUNT; n++) {
    const one = deposited(n)
    events.push({ name: 'Deposited', id: depositId(one), ...one })
  }
  const block = { number: 0, hash: uint(1, 32), parent: ZERO, time: 1_800_000_000, events }
  return {
    chainId: 31337n,
    court: COURT,
    sender: OPERATOR,
    verdict: async () => undefined,
    head: async () => 0,
    follow: (_, sink) => {
      sink({ kind: 'block', block })
      return () => {}
    },
    send: () => Promise.reject(new Error('nothing is committed here')),
  }
}
