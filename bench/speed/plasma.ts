import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isNative } from '../../src/core/base/Signature.ts'
import { storedTransactions } from '../../src/core/plasma/Archive.ts'
import type { SeenEvent } from '../../src/core/plasma/Seen.ts'
import { serveOperator } from '../../src/edge/http/OperatorServer.ts'
import type { Checker } from '../../src/edge/signature/Checker.ts'
import { threads } from '../../src/edge/signature/Threads.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { Operator } from '../../src/role/Operator.ts'
import { Watcher } from '../../src/role/Watcher.ts'
import { windowed } from './pair.ts'
import { CHAIN, layer1, type Payers, payers } from './plasma/ground.ts'

/** A full block, and what is left for the operator's own fee transactions. */
const COUNT = 65_000
const MEASURED = 30_000
const WARM_UP = 5_000
/** How many submissions wait for their acknowledgement at a time, as many clients would have it. */
const WINDOW = 4096
const THREADS = 2

let made: Payers | undefined
/** Measured once, however many runs there are: a million outputs take their time. */
let million: Promise<Record<string, number>> | undefined

/**
 * Transactions a second from submission to acknowledgement, in process and over HTTP: signature, ledger, durable row;
 * milliseconds in which a full block is sealed; transactions a second that a watcher executes again, and stores; the
 * megabytes that a million unspent outputs take in memory, and the milliseconds in which an operator starts with them.
 */
export async function measure(): Promise<Record<string, number>> {
  if (!isNative) throw new Error('signatures are not native here, so nothing is measured; see the README for platforms')
  made ??= payers(COUNT)
  const folder = mkdtempSync(join(tmpdir(), 'kerros-bench-'))
  const checker = threads(THREADS)
  try {
    const http = await overHttp(join(folder, 'http.db'), made, checker)
    const { store, ...here } = await inProcess(join(folder, 'operator.db'), made, checker)
    const watch = await watched(join(folder, 'watcher.db'), made, store, checker)
    store.close()
    million ??= ofMillion(folder)
    return { ...here, ...http, ...watch, ...(await million) }
  } finally {
    await checker.close()
    rmSync(folder, { recursive: true })
  }
}

function fail(why: unknown): void {
  throw why
}

async function operatorOn(store: Store, deposits: readonly SeenEvent[], checker: Checker): Promise<Operator> {
  const params = { path: [CHAIN], depth: 0, margin: 3600, fees: [], maxTransactions: 65_535 }
  const operator = new Operator({ l1: layer1(deposits), store, params, from: 0, checker, onFailure: fail })
  while (operator.state.ledger.coins.size < deposits.length) await new Promise((done) => setImmediate(done))
  return operator
}

async function inProcess(path: string, { deposits, payments }: Payers, checker: Checker) {
  const store = openStore(path, 'operator of the bench')
  const operator = await operatorOn(store, deposits, checker)
  const { api } = operator
  const submit = (from: number, to: number) => windowed(to - from, WINDOW, (n) => api.submit(payments[from + n]!))
  await submit(0, WARM_UP)
  const start = performance.now()
  await submit(WARM_UP, WARM_UP + MEASURED)
  const ingest = (1000 * MEASURED) / (performance.now() - start)
  await submit(WARM_UP + MEASURED, payments.length)
  if (operator.state.ledger.index !== payments.length) throw new Error('not everything that counts is in the block')
  const isSealed = new Promise<void>((done) => api.subscribe?.(({ kind }) => kind === 'sealed' && done()))
  const begun = performance.now()
  operator.seal()
  await isSealed
  const seal = performance.now() - begun
  operator.stop()
  return { store, 'plasma.ingest': Math.round(ingest), 'plasma.seal': Math.round(seal) }
}

async function overHttp(path: string, { deposits }: Payers, checker: Checker) {
  const store = openStore(path, 'operator of the bench')
  const count = WARM_UP + MEASURED
  const operator = await operatorOn(store, deposits.slice(0, count), checker)
  const limits = { rate: { perSecond: 1e6, burst: 1e6 } }
  const server = await serveOperator(operator.api, { limits, onError: fail })
  const child = fileURLToPath(new URL('./plasma/client.ts', import.meta.url))
  const client = fork(child, [server.url, String(count), String(WARM_UP)], { execArgv: ['--import', 'tsx'] })
  try {
    const ended = once(client, 'exit').then(([code]) => fail(new Error(`the payers' process ended with code ${code}`)))
    const said = once(client, 'message') as Promise<[{ readonly milliseconds: number }]>
    const [{ milliseconds }] = (await Promise.race([said, ended])) as [{ readonly milliseconds: number }]
    ended.catch(() => {}) // it may end now
    if (operator.state.ledger.index !== count) throw new Error('not everything that counts is in the block')
    return { 'plasma.ingest.http': Math.round((1000 * MEASURED) / milliseconds) }
  } finally {
    client.kill()
    await server.close()
    operator.stop()
    store.close()
  }
}

async function ofMillion(folder: string): Promise<Record<string, number>> {
  const child = fileURLToPath(new URL('./plasma/million.ts', import.meta.url))
  const holder = fork(child, [folder], { execArgv: ['--import', 'tsx', '--expose-gc'] })
  const ended = once(holder, 'exit').then(([code]) => fail(new Error(`the holder's process ended with code ${code}`)))
  const said = once(holder, 'message') as Promise<[{ readonly milliseconds: number; readonly megabytes: number }]>
  const [{ milliseconds, megabytes }] = (await Promise.race([said, ended])) as Awaited<typeof said>
  await ended.catch(() => {}) // it has said all
  return { 'plasma.start': Math.round(milliseconds), 'plasma.memory': Math.round(megabytes) }
}

/** The watcher is handed the sealed block as soon as layer 1 shows its commitment. */
async function watched(path: string, { deposits }: Payers, of: Store, checker: Checker) {
  const store = openStore(path, 'watcher of the bench')
  const block = of.all('blocks')[0]![1] as unknown as { number: number; asOf: number; header: `0x${string}` }
  const transactions = storedTransactions(of, block.number)
  const committed: SeenEvent = { name: 'Committed', chain: chainOf(deposits), time: 1_800_000_000, ...picked(block) }
  const l1 = layer1([...deposits, committed])
  const { promise, resolve } = Promise.withResolvers<number>()
  let start = 0
  const operator = {
    block: async () => {
      start = performance.now()
      return { ...block, transactions }
    },
  }
  const watcher = new Watcher({
    l1,
    store,
    operator,
    path: [CHAIN],
    depth: 0,
    patience: 3600,
    warning: 3600,
    from: 0,
    checker,
    onAlarm: (alarm) => fail(new Error(`a good block alarmed: ${JSON.stringify(alarm)}`)),
    onOutput: (output) => output.kind === 'verified' && resolve(performance.now() - start),
    onFailure: fail,
  })
  const milliseconds = await promise
  watcher.stop()
  store.close()
  return { 'plasma.watch': Math.round((1000 * transactions.length) / milliseconds) }
}

function chainOf([first]: readonly SeenEvent[]) {
  if (first?.name !== 'Deposited') throw new Error('there are no deposits')
  return first.chain
}

function picked({ number, asOf, header }: { number: number; asOf: number; header: `0x${string}` }) {
  return { number, asOf, header }
}
