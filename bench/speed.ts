// Remakes snapshots/speed.json: what the clients do in a second on this machine, durable and with signatures checked.
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
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

function environment(): Readonly<Record<string, string | number>> {
  const { version, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const [cpu] = cpus()
  return {
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    kerros: version,
    secp256k1: dependencies.secp256k1,
    'hash-wasm': dependencies['hash-wasm'],
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
