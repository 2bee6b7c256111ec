import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import type { Hex } from '../../src/core/base/Bytes.ts'
import { entries } from '../../src/core/base/HashMap.ts'
import { domain } from '../../src/core/base/Signature.ts'
import * as Archive from '../../src/core/plasma/Archive.ts'
import { header, txRoot } from '../../src/core/plasma/Block.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import { close, emptyLedger, idsOf, type Ledger, observe, spend } from '../../src/core/plasma/Ledger.ts'
import { txHash } from '../../src/core/plasma/Transaction.ts'
import type { Acknowledgement, OperatorApi } from '../../src/edge/http/OperatorApi.ts'
import { operatorClient } from '../../src/edge/http/OperatorClient.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { depth, seed } from '../fuzz.ts'
import { dice } from '../world.ts'
import { PATH, PAYEE, payment } from './operator.child.ts'

const CHILD = new URL('./operator.child.ts', import.meta.url).pathname
const COURT = domain(31337n, `0x${'c0'.repeat(20)}`)
/** Everything at depth 2 and more; enough to be seen on every machine at depth 1. */
const [KILLS, COUNT] = depth > 1 ? [50, 50_000] : [6, 2400]
const BLOCK = COUNT / 40
const BATCH = 25

interface Process {
  readonly child: ChildProcess
  readonly client: OperatorApi
  readonly ended: Promise<void>
}

/** Headers that were sent to layer 1, by number. */
type Sent = Map<number, Set<string>>

function start(path: string, sent: Sent): Promise<Process> {
  const args = [...process.execArgv, CHILD, path, String(COUNT), String(BLOCK)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((done) => child.once('close', () => done()))
  return new Promise((done) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const [word, first, second] = line.split(' ')
      if (word === 'url') done({ child, client: operatorClient(first!), ended })
      else sent.set(Number(first), (sent.get(Number(first)) ?? new Set()).add(second!))
    })
  })
}

/** Submits payments in batches, two on their way at once, and kills the process once so many are acknowledged. */
async function submitUntilKilled({ child, client, ended }: Process, from: number, to: number, enough: number) {
  const known = new Map<number, Acknowledgement>()
  const submit = async (first: number) => {
    const batch = Array.from({ length: Math.min(BATCH, to - first) }, (_, i) => first + i)
    const answers = await client.submitAll(batch.map(payment))
    answers.forEach((answer, i) => {
      if ('code' in answer) throw new Error(`payment ${batch[i]} is refused: ${answer.detail}`)
      known.set(batch[i]!, answer)
    })
    // While the next one is under way: nobody waits for a quiet moment.
    if (known.size >= enough) child.kill('SIGKILL')
  }
  let n = from
  for (; n < to && child.exitCode === null && child.signalCode === null; n += 2 * BATCH) {
    const both = [n, n + BATCH].filter((first) => first < to).map(submit)
    const ends = await Promise.allSettled(both)
    const refused = ends.find((end) => end.status === 'rejected' && /refused/.test(String(end.reason)))
    if (refused?.status === 'rejected') throw refused.reason
  }
  child.kill('SIGKILL')
  await ended
  return { known, next: Math.min(n, to) }
}

/** Executes everything again that a store has, signatures and all: the ledger after it. */
function executed(store: Store): Ledger {
  const l1 = Archive.storedL1(store)
  let ledger = emptyLedger(COURT, chainId(PATH[0]!), 0)
  for (const { number, asOf, header: head, count } of Archive.storedBlocks(store)) {
    const transactions = Archive.storedTransactions(store, number)
    expect([transactions.length, header(txRoot(transactions.map(hashOf)))]).to.deep.equal([count, head])
    ledger = close(transactions.reduce((now, one) => spend(now, one), observe(ledger, l1, asOf)))
  }
  const open = Archive.storedTransactions(store, ledger.number)
  return open.reduce((now, one) => spend(now, one), observe(ledger, l1, l1.at(-1)!.time))
}

function hashOf({ transaction }: { readonly transaction: Parameters<typeof txHash>[1] }): Hex {
  return txHash(COURT, transaction)
}

/** The ids of everything that an operator says is unspent of an owner, page after page. */
async function unspent(client: OperatorApi, owner: Hex): Promise<readonly Hex[]> {
  const ids: Hex[] = []
  for (let after: Hex | undefined; ; ) {
    const { outputs, next } = await client.unspent(owner, after)
    ids.push(...outputs.map(({ id }) => id))
    if (next === null) return ids
    after = next
  }
}

describe('Operator, killed', () => {
  it(`has all that it acknowledged, each once, after ${KILLS} SIGKILLs during ${COUNT} submissions over HTTP`, async function () {
    if (depth > 1) this.timeout(0) // as long as it takes
    const folder = mkdtempSync(join(tmpdir(), 'kerros-kill-'))
    const path = join(folder, 'operator.db')
    const sent: Sent = new Map()
    const known = new Map<number, Acknowledgement>()
    const { roll } = dice(seed)
    const share = Math.floor(COUNT / KILLS)
    for (let round = 0; round < KILLS; round++) {
      // Some of it again that was submitted before: whether it was taken nobody knows but the operator.
      const from = Math.max(0, round * share - 2 * BATCH)
      const enough = Math.max(1, Math.floor(share / 4) + roll(Math.floor(share / 2)))
      const { known: more } = await submitUntilKilled(await start(path, sent), from, (round + 1) * share, enough)
      for (const [n, answer] of more) {
        if (known.has(n)) expect(answer, `payment ${n}`).to.deep.equal(known.get(n))
        known.set(n, answer)
      }
      expect(more.size).to.be.at.least(1)
    }
    const last = await start(path, sent)
    const all = Array.from({ length: COUNT }, (_, n) => n)
    for (let n = 0; n < COUNT; n += BATCH) {
      const answers = await last.client.submitAll(all.slice(n, n + BATCH).map(payment))
      answers.forEach((answer, i) => {
        if (known.has(n + i)) expect(answer, `payment ${n + i}`).to.deep.equal(known.get(n + i))
      })
    }
    const payee = await unspent(last.client, PAYEE)
    for (const [number, headers] of sent) expect([...headers]).to.deep.equal([(await last.client.block(number)).header])
    last.child.kill('SIGKILL')
    await last.ended
    const store = openStore(path, 'operator of the kill test')
    const ledger = executed(store)
    expect([...entries(idsOf(ledger, PAYEE))].map(([id]) => id)).to.deep.equal(payee)
    expect(payee).to.have.length(COUNT)
    expect(sent.size).to.be.at.least(1)
    const numbers = new Set([...known.values()].map(({ number }) => number))
    const blocks = new Map([...numbers].map((number) => [number, Archive.storedTransactions(store, number)]))
    for (const [n, { number, index }] of known) {
      expect(hashOf(blocks.get(number)![index]!), `payment ${n}`).to.equal(hashOf(payment(n)))
    }
    store.close()
    rmSync(folder, { recursive: true })
  })
})
