// Remakes snapshots/profile.json: where both processes spend their time while one channel carries a stream of payments.
import { uint } from '../../src/core/base/Bytes.ts'
import { save, table } from '../snapshot.ts'
import { between, type Pair, windowed } from './pair.ts'
import { NAMES, profiled, type Shares } from './profiler.ts'

const PATH = 'snapshots/profile.json'
const LOT = 1000
const WINDOW = 32
const WARM = 5 * WINDOW
const LOTS = 500

async function shares({ payer: { node, ids }, ask }: Pair) {
  const pay = (n: number) =>
    node.payAll(
      ids[0]!,
      Array.from({ length: LOT }, (_, i) => ({ amount: 1n, memo: uint(n * LOT + i, 8) })),
    )
  await windowed(WARM, WINDOW, pay)
  await ask('profile')
  const stop = await profiled()
  await windowed(LOTS, WINDOW, pay)
  return { paid: LOT * (WARM + LOTS), payer: await stop(), payee: await ask<Shares>('shares') }
}

/** Percent of the time in which a process works; `waits` is the percent of all time in which it does not. */
function percent(who: string, { idle = 0, ...busy }: Shares): Record<string, number> {
  const works = Object.values(busy).reduce((sum, time) => sum + time, 0)
  const named = [...NAMES, 'rest'].map(
    (group) => [`${who}.${group}`, Math.round((100 * (busy[group] ?? 0)) / works)] as const,
  )
  const waits = Math.round((100 * idle) / (idle + works))
  return { ...Object.fromEntries(named), [`${who}.waits`]: waits }
}

async function main(): Promise<void> {
  const { payer, payee } = await between(1, shares)
  const figures: Record<string, number> = { ...percent('payer', payer), ...percent('payee', payee) }
  const rows = [...NAMES, 'rest', 'waits'].map((group) => [
    group,
    ...['payer', 'payee'].map((who) => `${figures[`${who}.${group}`]} %`),
  ])
  console.log(table([['group', 'payer', 'payee'], ...rows]))
  save(PATH, figures)
  console.log(`\nwritten to ${PATH}; npm run figures puts it into ARCHITECTURE.md`)
}

await main().then(
  () => process.exit(0),
  (why) => {
    console.error(`profile: ${why instanceof Error ? why.message : why}`)
    process.exit(1)
  },
)
