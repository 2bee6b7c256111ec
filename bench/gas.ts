// Remakes snapshots/gas.json: what every verb of both courts costs, byte-identical at every run.
import { parseArgs } from 'node:util'
import { benchesOf, committedText, type Figures, save, shown, stale, table } from './snapshot.ts'
import { GAS_TARGETS } from './targets.ts'

const PATH = 'snapshots/gas.json'
const HELP = `npm run bench:gas -- [--check]

Measures the gas of every verb on Hardhat's chain in process (fixed keys, nonces and dates), prints it beside its
target and writes ${PATH}.

  --check    write nothing; exit 1 if the committed snapshot is not what is measured
  --help     this text`

/** Every room's figures, merged; two rooms never measure one key. */
async function measureAll(): Promise<Figures> {
  const figures: Record<string, number> = {}
  for (const room of benchesOf('gas')) {
    const { measure } = (await import(`./gas/${room}.ts`)) as { readonly measure: () => Promise<Figures> }
    for (const [key, gas] of Object.entries(await measure())) {
      if (key in figures || !Number.isSafeInteger(gas)) throw new Error(`${key} is measured twice or is no gas: ${gas}`)
      figures[key] = gas
    }
  }
  return figures
}

function print(figures: Figures): void {
  const rows = Object.keys(figures)
    .sort()
    .map((key) => {
      const [gas, target] = [figures[key]!, GAS_TARGETS[key]]
      const over = target === undefined ? '' : `${((100 * gas) / target - 100).toFixed(1)} %`
      return [key, shown(gas), target === undefined ? '' : shown(target), over]
    })
  console.log(table([['gas', 'measured', 'target', 'over'], ...rows]))
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, help: { type: 'boolean' } } })
  if (values.help) return console.log(HELP)
  const figures = await measureAll()
  print(figures)
  if (!values.check) {
    save(PATH, figures)
    return console.log(`\nwritten to ${PATH}`)
  }
  const differences = stale(committedText(PATH), figures)
  if (differences.length === 0) return console.log(`\n${PATH} is fresh`)
  throw new Error(`${PATH} is stale; run npm run bench:gas and commit it:\n  ${differences.join('\n  ')}`)
}

await main().catch((why) => {
  console.error(`bench:gas: ${why instanceof Error ? why.message : why}`)
  process.exitCode = 1
})
