import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { domain } from '../../src/core/base/Signature.ts'
import { header, txRoot } from '../../src/core/plasma/Block.ts'
import { txHash } from '../../src/core/plasma/Transaction.ts'
import type { Acknowledgement, OperatorApi } from '../../src/edge/http/OperatorApi.ts'
import { operatorClient } from '../../src/edge/http/OperatorClient.ts'
import { payment } from './operator.child.ts'

const CHILD = new URL('./operator.child.ts', import.meta.url).pathname
const COURT = domain(31337n, `0x${'c0'.repeat(20)}`)

interface Process {
  readonly child: ChildProcess
  readonly client: OperatorApi
  /** Headers that were sent to layer 1, by number. */
  readonly sent: Map<number, Set<string>>
  readonly ended: Promise<void>
}

function start(path: string, sent: Process['sent']): Promise<Process> {
  const child = spawn(process.execPath, [CHILD, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((done) => child.once('close', () => done()))
  return new Promise((done) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const [word, first, second] = line.split(' ')
      if (word === 'url') done({ child, client: operatorClient(first!), sent, ended })
      else sent.set(Number(first), (sent.get(Number(first)) ?? new Set()).add(second!))
    })
  })
}

/** Submits payments from number `from` on, a few at a time, and kills the process while it answers them. */
async function submitUntilKilled({ child, client, ended }: Process, from: number, enough: number) {
  const known = new Map<number, Acknowledgement>()
  for (let n = from; child.exitCode === null && child.signalCode === null; n += 8) {
    const batch = Array.from({ length: 8 }, (_, i) => n + i)
    const answers = batch.map((one) => client.submit(payment(one)).then((answer) => known.set(one, answer)))
    if (known.size >= enough) child.kill('SIGKILL')
    await Promise.allSettled(answers)
  }
  await ended
  return known
}

describe('Operator, killed', () => {
  it('has everything that it acknowledged and every header that it sent, after three SIGKILLs in the middle', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kerros-kill-'))
    const path = join(folder, 'operator.db')
    const sent: Process['sent'] = new Map()
    const known = new Map<number, Acknowledgement>()
    for (const [round, enough] of [30, 90, 150].entries()) {
      const more = await submitUntilKilled(await start(path, sent), 600 * round, enough)
      for (const [n, answer] of more) known.set(n, answer)
      expect(more.size).to.be.at.least(enough)
    }
    const last = await start(path, sent)
    for (const [n, answer] of known) expect(await last.client.submit(payment(n)), `payment ${n}`).to.deep.equal(answer)
    expect(sent.size).to.be.at.least(1)
    for (const [number, headers] of sent) {
      const block = await last.client.block(number)
      const hashes = block.transactions.map(({ transaction }) => txHash(COURT, transaction))
      expect([...headers]).to.deep.equal([block.header])
      expect(header(txRoot(hashes))).to.equal(block.header)
    }
    last.child.kill('SIGKILL')
    await last.ended
    rmSync(folder, { recursive: true })
  })
})
