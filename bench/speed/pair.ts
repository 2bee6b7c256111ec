import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import { isNative } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { Pay } from '../../src/core/channel/Payment.ts'
import type { PeerEvent } from '../../src/core/channel/PeerState.ts'
import type { ChannelNode } from '../../src/role/ChannelNode.ts'
import { FUNDS, type Seated, sit } from './seat.ts'

/** What the payee's process says when it has gone to its court with what it holds. */
export interface Claimed {
  readonly payA: string
  readonly payB: string
}

/** The payer, in this process, and how to hear of the payee's memory. */
export interface Pair {
  readonly payer: Seated
  /** Bytes that the payee's process occupies. */
  rss(): Promise<number>
  /** Tells of every payment that the payer's process is paid. */
  hear(listen: (id: Hex, pay: Pay) => void): void
  /** Microseconds that the payer's and the payee's process have worked: what others do on the machine counts little. */
  cpu(): Promise<readonly [payer: number, payee: number]>
  /** Asks the payee's process to look where its time goes, and then for what it has seen. */
  ask<T>(what: Asked): Promise<T>
}

/** What a payee's process is asked beside its claim: what it occupies, how long it has worked, and where its time went. */
export type Asked = 'rss' | 'cpu' | 'profile' | 'shares'

/** How many locks a payee has secrets for. */
export const SECRETS = 120_000

/** A secret of the payee's, and the key that it gives to payers. */
export interface Secret {
  readonly preimage: Hex
  readonly key: Hex
}

/** The payee's secrets, which both processes of a bench know beforehand: it is the channel that is measured. */
export function secrets(): readonly Secret[] {
  return Array.from({ length: SECRETS }, (_, n) => {
    const preimage = uint(1_000_000 + n, 32)
    return { preimage, key: hashLock(preimage) }
  })
}

/**
 * Two processes, TCP on loopback, durable stores on both sides, every state signed by both: `pay` pays and tells how much
 * it has paid in the first channel. Then the payee goes to court, where it must get exactly that, or nothing counts.
 */
export async function between<T extends { readonly paid: number }>(
  channels: number,
  pay: (pair: Pair) => Promise<T>,
  what: 'payments' | 'locks' | 'pairs' = 'payments',
): Promise<T> {
  if (!isNative) throw new Error('signatures are not native here, so nothing is measured; see the README for platforms')
  const folder = mkdtempSync(join(tmpdir(), 'kerros-bench-'))
  const child = fileURLToPath(new URL('./payee.ts', import.meta.url))
  const payee = fork(child, [folder, String(channels), what], { execArgv: ['--import', 'tsx'] })
  try {
    const { address } = await heard<{ address: string }>(payee)
    let listen: (id: Hex, pay: Pay) => void = () => undefined
    const onEvent = (_node: ChannelNode, id: Hex, event: PeerEvent) => {
      if (event.name === 'received') listen(id, event.pay)
    }
    const payer = await sit({ folder, side: 0, address, channels, onEvent })
    const made = await pay({
      payer,
      hear: (listener) => {
        listen = listener
      },
      rss: () => asked<number>(payee, 'rss'),
      cpu: async () => [cpu(), await asked<number>(payee, 'cpu')],
      ask: <T>(what: Asked) => asked<T>(payee, what),
    })
    check(await asked<Claimed>(payee, 'claim'), made.paid)
    await payer.stop()
    return made
  } finally {
    payee.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Microseconds that this process has worked. */
export function cpu(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

function asked<T>(of: ChildProcess, what: string): Promise<T> {
  of.send(what)
  return heard(of)
}

function heard<T>(from: ChildProcess): Promise<T> {
  return new Promise((done, failed) => {
    const ended = (code: number | null) => failed(new Error(`the payee's process ended with code ${code}`))
    from.once('exit', ended)
    from.once('message', (message) => {
      from.off('exit', ended)
      done(message as T)
    })
  })
}

function check({ payA, payB }: Claimed, paid: number): void {
  const [have, need] = [`${payA} and ${payB}`, `${FUNDS - BigInt(paid)} and ${FUNDS + BigInt(paid)}`]
  if (have !== need) throw new Error(`the court paid ${have} where it owed ${need}: the figure does not count`)
}

/** Does something `count` times, at most `window` at once; returns the times (ms) at which the first, second, … were done. */
export function windowed(count: number, window: number, act: (n: number) => Promise<unknown>): Promise<Float64Array> {
  const times = new Float64Array(count)
  let begun = 0
  let done = 0
  return new Promise((finish, failed) => {
    function more(): void {
      while (begun < count && begun - done < window) act(begun++).then(one, failed)
    }
    function one(): void {
      times[done++] = performance.now()
      if (done === count) finish(times)
      else if (begun - done <= window / 2) more()
    }
    more()
  })
}

/** How many a second from `start` (ms) to `end`. */
export function rate(count: number, start: number, end: number): number {
  return Math.round((1000 * count) / (end - start))
}
