// A process of its own, to be killed: an operator on a durable store, whose layer 1 has only deposits and takes every
// commitment without ever showing it. It prints its address, and each header that it sends.
import { writeSync } from 'node:fs'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { addressOf, domain, sign } from '../../src/core/base/Signature.ts'
import type { PlasmaCall, PlasmaEvent } from '../../src/core/plasma/Call.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { depositId, txHash } from '../../src/core/plasma/Transaction.ts'
import type { Chain } from '../../src/edge/chain/Chain.ts'
import { serveHttp } from '../../src/edge/http/Http.ts'
import { operatorHandler } from '../../src/edge/http/OperatorServer.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'
import { Operator } from '../../src/role/Operator.ts'

const COURT: Hex = `0x${'c0'.repeat(20)}`
const OPERATOR = addressOf(uint(1, 32))
const PAYER = uint(2, 32)
const CHAIN = { parent: ZERO, slot: 0, operator: OPERATOR }

function deposit(n: number) {
  const owner = addressOf(PAYER)
  return { chain: chainId(CHAIN), sender: owner, salt: uint(n, 32), owner, asset: ETHER, value: 1n }
}

/** The chain, its court, and who is paid. */
export const PATH = [CHAIN]
export const PAYEE = OPERATOR

/** The payment of deposit n. */
export function payment(n: number): Signed {
  const outputs = [{ owner: OPERATOR, asset: ETHER, value: 1n, lock: ZERO }]
  const transaction = { chain: chainId(CHAIN), inputs: [depositId(deposit(n))], outputs, lastBlock: 9999, memo: ZERO }
  return { transaction, authorisation: sign(txHash(domain(31337n, COURT), transaction), PAYER) }
}

function layer1(count: number): Chain<PlasmaCall, PlasmaEvent> {
  const events: PlasmaEvent[] = [{ name: 'ChainRegistered', chain: chainId(CHAIN), since: 0, path: [CHAIN] }]
  for (let n = 0; n < count; n++) events.push({ name: 'Deposited', id: depositId(deposit(n)), ...deposit(n) })
  const block = { number: 0, hash: uint(1, 32), parent: ZERO, time: 1_800_000_000, events }
  return {
    chainId: 31337n,
    court: COURT,
    sender: OPERATOR,
    verdict: async () => undefined,
    head: async () => 0,
    follow: (from, sink) => {
      if (from === 0) sink({ kind: 'block', block })
      return () => {}
    },
    send: async (call) => {
      if (call.verb === 'commit') writeSync(1, `commit ${call.number} ${call.header}\n`)
      return { hash: ZERO, block: Number.MAX_SAFE_INTEGER, gasUsed: 0n }
    },
  }
}

async function run(path: string, count: number, maxTransactions: number): Promise<void> {
  const store = openStore(path, 'operator of the kill test')
  const params = { path: [CHAIN], depth: 0, margin: 3600, fees: [], maxTransactions }
  const onFailure = (why: unknown) => {
    throw why
  }
  const operator = new Operator({ l1: layer1(count), store, params, from: 0, interval: 20, onFailure })
  const { url } = await serveHttp(operatorHandler(operator.api))
  writeSync(1, `url ${url}\n`)
}

// Mocha loads every file of this folder; only a process that was started with this one operates.
if (import.meta.main) await run(process.argv[2]!, Number(process.argv[3]), Number(process.argv[4]))
