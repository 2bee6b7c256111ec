// Remakes snapshots/speed.json: what the clients do in a second on this machine, durable and with signatures checked.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isNative } from '../src/core/base/Signature.ts'
import { benchesOf, type Figures, save, shown, table } from './snapshot.ts'
import { SPEED_TARGETS } from './targets.ts'

const PATH = 'snapshots/speed.json'
const HELP = `npm run bench -- [--runs N]

Measures payments and transactions a second (latencies in milliseconds under .p50 and .p99) with durable stores and
native signatures, prints the median and spread of the runs with this machine's hardware and versions, and writes
${PATH}.

  --runs N   how many runs (default 5); fewer are for trying out and are not written
  --help     this text`
const RUNS = 5
const PAGES = 500

function environment(): Readonly<Record<string, string | number>> {
  // A payment alone waits for three of these, one after another: no code can make it faster than that.
  const { version, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const [cpu] = cpus()
  return {
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    'disk.sync': Math.round(syncTime()),
    kerros: version,
    secp256k1: dependencies.secp256k1,
    'hash-wasm': dependencies['hash-wasm'],
  }
}

/** Microseconds until 4 KiB are on the disk, written where the file has room already, as a store's log does: the middle of many. */
function syncTime(): number {
  const folder = mkdtempSync(join(tmpdir(), 'kerros-bench-'))
  const file = openSync(join(folder, 'log'), 'w')
  try {
    const page = Buffer.alloc(4096, 1)
    for (let i = 0; i < PAGES; i++) writeSync(file, page, 0, page.length, i * page.length)
    fdatasyncSync(file)
    const times = Array.from({ length: PAGES }, (_, i) => {
      const start = performance.now()
      writeSync(file, page, 0, page.length, i * page.length)
      fdatasyncSync(file)
      return 1000 * (performance.now() - start)
    })
    return median(times)
  } finally {
    closeSync(file)
    rmSync(folder, { recursive: true })
  }
}

async function measure(): Promise<Figures> {
  const figures: Record<string, number> = {}
  for (const room of benchesOf('speed')) {
    const bench = (await import(`./speed/${room}.ts`)) as { readonly measure: () => Promise<Figures> }
    Object.assign(figures, await bench.measure())
  }
  return figures
}

/** The middle of some numbers; of an even count, the lower middle, so that it is one that was measured. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]!
}

function print(runs: readonly Figures[]): void {
  const rows = Object.keys(runs[0]!)
    .sort()
    .map((key) => {
      const values = runs.map((run) => run[key]!)
      const target = SPEED_TARGETS[key]
      const spread = `${shown(Math.min(...values))} - ${shown(Math.max(...values))}`
      return [key, shown(median(values)), spread, target === undefined ? '' : shown(target)]
    })
  for (const [name, value] of Object.entries(environment())) console.log(`${name.padEnd(10)} ${value}`)
  console.log(`\n${table([['figure', 'median', 'spread', 'target'], ...rows])}`)
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { runs: { type: 'string' }, help: { type: 'boolean' } } })
  if (values.help) return console.log(HELP)
  const count = Number(values.runs ?? RUNS)
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`--runs ${values.runs} is no count: give a whole number from 1`)
  if (!isNative) {
    throw new Error(
      'signatures are not native on this platform, so no figure would count: measure on linux-x64, darwin-arm64 or win32-x64',
    )
  }
  const runs: Figures[] = []
  for (let run = 1; run <= count; run++) {
    console.log(`run ${run} of ${count}`)
    runs.push(await measure())
  }
  print(runs)
  if (count < RUNS) return console.log(`\nnot written: ${PATH} holds the median of ${RUNS} runs`)
  const medians = Object.fromEntries(Object.keys(runs[0]!).map((key) => [key, median(runs.map((run) => run[key]!))]))
  save(PATH, { ...medians, environment: environment() })
  console.log(`\nwritten to ${PATH}`)
}

await main().then(
  () => process.exit(0),
  (why) => {
    console.error(`bench: ${why instanceof Error ? why.message : why}`)
    process.exit(1)
  },
)
