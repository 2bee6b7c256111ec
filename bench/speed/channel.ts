import { concat, type Hex, slice, uint } from '../../src/core/base/Bytes.ts'
import { between, type Pair, rate, secrets, windowed } from './pair.ts'

type Figures = Record<string, number>

const WARM = 2000
const SERIAL = 2000
/** How many payments are handed over at a time, and how many such lots are paid, and are on their way at once. */
const LOT = 1000
const PIPELINED = 1000
const WINDOW = 32
/** How many lots of a long run are its beginning and its end. */
const EDGE = 10
const SINGLE = 200_000
const WARM_LOCKS = 10_000
const LOCKS = 100_000
/** How many locks are open at once: fewer than a list holds. */
const OPEN = 200
const UNTRIED = 32
const CHANNELS = 1000
const MANY = 20_000
const MANY_OPEN = 2000

/**
 * Payments between two processes, durable on both sides and countersigned: one at a time; a million through one channel,
 * each with its own id, memo and receipt, handed over a thousand at a time; others asked for singly; locked and fulfilled;
 * and between random pairs of a thousand channels through one hub, a payment in each of the two.
 */
export async function measure(): Promise<Figures> {
  return {
    ...(await between(1, serial)).figures,
    ...(await between(1, pipelined)).figures,
    ...(await between(1, single)).figures,
    ...(await between(1, locked, 'locks')).figures,
    ...(await between(CHANNELS, many, 'pairs')).figures,
  }
}

async function serial({ payer: { node, ids } }: Pair) {
  const id = ids[0]!
  for (let i = 0; i < WARM; i++) await node.pay(id, 1n)
  const times: number[] = []
  const start = performance.now()
  for (let i = 0; i < SERIAL; i++) {
    const before = performance.now()
    await node.pay(id, 1n)
    times.push(performance.now() - before)
  }
  const figures = { 'channel.pay.serial': rate(SERIAL, start, performance.now()) }
  times.sort((x, y) => x - y)
  const p50 = round(times[SERIAL >> 1]!)
  const p99 = round(times[Math.floor(0.99 * SERIAL)]!)
  return { paid: WARM + SERIAL, figures: { ...figures, 'channel.pay.serial.p50': p50, 'channel.pay.serial.p99': p99 } }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}

async function pipelined({ payer: { node, ids, size }, rss }: Pair) {
  const pay = async (n: number) => {
    const lot = Array.from({ length: LOT }, (_, i) => ({ amount: 1n, memo: uint(n * LOT + i, 8) }))
    for (const end of await node.payAll(ids[0]!, lot)) if (end instanceof Error) throw end
  }
  const warm = 5 * WINDOW
  await windowed(warm, WINDOW, pay)
  const before = [process.memoryUsage.rss(), await rss()]
  const bytes = size()
  const start = performance.now()
  const times = await windowed(PIPELINED, WINDOW, pay)
  const after = [process.memoryUsage.rss(), await rss()]
  const count = LOT * PIPELINED
  const [first, last] = [times[EDGE - 1]! - start, times[PIPELINED - 1]! - times[PIPELINED - 1 - EDGE]!]
  const figures = {
    'channel.pay.pipelined': rate(count, start, times[PIPELINED - 1]!),
    'channel.pay.pipelined.first': rate(EDGE * LOT, 0, first),
    'channel.pay.pipelined.last': rate(EDGE * LOT, 0, last),
    'channel.pay.pipelined.bytes': Math.round((size() - bytes) / count),
    'channel.pay.pipelined.rss.payer': megabytes(after[0]! - before[0]!),
    'channel.pay.pipelined.rss.payee': megabytes(after[1]! - before[1]!),
  }
  return { paid: LOT * warm + count, figures }
}

async function single({ payer: { node, ids } }: Pair) {
  const pay = (n: number) => node.pay(ids[0]!, 1n, { memo: uint(n, 8) })
  await windowed(SINGLE, LOT * WINDOW, pay)
  const start = performance.now()
  const times = await windowed(SINGLE, LOT * WINDOW, pay)
  return { paid: 2 * SINGLE, figures: { 'channel.pay.pipelined.single': rate(SINGLE, start, times[SINGLE - 1]!) } }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}

async function locked({ payer: { node, ids, l1 } }: Pair) {
  const expiry = l1.head().time + 100_000
  const keys = secrets()
  const lock = async (n: number) => {
    const { key, preimage } = keys[n]!
    if ((await node.lock(ids[0]!, { amount: 1n, expiry, key })) !== preimage)
      throw new Error('a lock without its proof')
  }
  // An untried peer is given few locks at once.
  await windowed(UNTRIED, UNTRIED / 2, lock)
  await windowed(WARM_LOCKS, OPEN, (n) => lock(UNTRIED + n))
  const start = performance.now()
  const times = await windowed(LOCKS, OPEN, (n) => lock(UNTRIED + WARM_LOCKS + n))
  const figures = { 'channel.htlc.direct': rate(LOCKS, start, times[LOCKS - 1]!) }
  return { paid: UNTRIED + WARM_LOCKS + LOCKS, figures }
}

/** From one member to another: done once the hub has paid on what the one has paid it, and the other has it. */
async function many({ payer: { node, ids }, hear }: Pair) {
  const roll = chance()
  const done = new Map<Hex, () => void>()
  let paid = 0
  let count = 0
  hear((id, { memo }) => {
    if (id !== ids[Number(slice(memo, 0, 4))]) throw new Error('the hub has paid somebody else')
    done.get(memo)?.()
    done.delete(memo)
  })
  const pay = () =>
    new Promise<void>((arrived, failed) => {
      const from = roll(ids.length)
      const to = (from + 1 + roll(ids.length - 1)) % ids.length
      paid += (from === 0 ? 1 : 0) - (to === 0 ? 1 : 0)
      const memo = concat(uint(to, 4), uint(count++, 4))
      done.set(memo, arrived)
      node.pay(ids[from]!, 1n, { memo }).catch(failed)
    })
  await windowed(MANY / 10, MANY_OPEN, pay)
  const start = performance.now()
  const times = await windowed(MANY, MANY_OPEN, pay)
  return { paid, figures: { 'channel.many': rate(MANY, start, times[MANY - 1]!) } }
}

/** Numbers below another, always the same ones: xorshift. */
function chance(): (below: number) => number {
  let state = 0x9e3779b9
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
