import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isNative } from '../../src/core/base/Signature.ts'
import { FUNDS, type Seated, sit } from './seat.ts'

const WARM = 200
const PAYMENTS = 1000

/** What the payee's process answers when it has gone to its court with what it holds. */
export interface Claimed {
  readonly payA: string
  readonly payB: string
}

/**
 * Two processes, TCP on loopback, durable stores on both sides, one payment at a time, each countersigned before the
 * next: payments a second and the milliseconds of one. The payee must get it all in court.
 */
export async function measure(): Promise<Record<string, number>> {
  if (!isNative) throw new Error('signatures are not native here, so nothing is measured; see the README for platforms')
  const { rate, p50, p99 } = await run()
  return {
    'channel.pay.serial': Math.round(rate),
    'channel.pay.serial.p50': round(p50),
    'channel.pay.serial.p99': round(p99),
  }
}

interface Run {
  readonly rate: number
  readonly p50: number
  readonly p99: number
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}

async function run(): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'kerros-bench-'))
  const payee = fork(fileURLToPath(new URL('./payee.ts', import.meta.url)), [folder], {
    execArgv: ['--import', 'tsx'],
  })
  try {
    const { address } = await heard<{ address: string }>(payee)
    const payer = await sit(folder, 0, address)
    const times = await pay(payer)
    payee.send('claim')
    check(await heard<Claimed>(payee))
    await payer.stop()
    return times
  } finally {
    payee.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function pay({ node, id }: Seated): Promise<Run> {
  for (let i = 0; i < WARM; i++) await node.pay(id, 1n)
  const times: number[] = []
  const start = performance.now()
  for (let i = 0; i < PAYMENTS; i++) {
    const before = performance.now()
    await node.pay(id, 1n)
    times.push(performance.now() - before)
  }
  const rate = (1000 * PAYMENTS) / (performance.now() - start)
  times.sort((x, y) => x - y)
  return { rate, p50: times[PAYMENTS >> 1]!, p99: times[Math.floor(0.99 * PAYMENTS)]! }
}

function heard<T>(from: ChildProcess): Promise<T> {
  return new Promise((done, failed) => {
    from.once('message', (message) => done(message as T))
    from.once('exit', (code) => failed(new Error(`the payee's process ended with code ${code}`)))
  })
}

function check({ payA, payB }: Claimed): void {
  const paid = BigInt(WARM + PAYMENTS)
  const [have, need] = [`${payA} and ${payB}`, `${FUNDS - paid} and ${FUNDS + paid}`]
  if (have !== need) throw new Error(`the court paid ${have} where it owed ${need}: the figure does not count`)
}
