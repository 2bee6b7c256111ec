// Remakes snapshots/gas.json: what every verb of both courts costs, byte-identical at every run.
import { parseArgs } from 'node:util'
import { benchesOf, committedText, type Figures, save, shown, stale, table } from './snapshot.ts'
import { GAS_TARGETS } from './targets.ts'

const PATH = 'snapshots/gas.json'
const PEERS_PATH = 'snapshots/peers.json'
const HELP = `npm run bench:gas -- [--check | --peers] [--deep]

Measures the gas of every verb on Hardhat's chain in process (fixed keys, nonces and dates), prints it beside its
target and writes ${PATH}.

  --check    write nothing; exit 1 if the committed snapshot is not what is measured
  --peers    also measure the contracts of other projects (fetched from npm once), print them beside kerros' and
             write ${PEERS_PATH}
  --deep     also measure queues with 10,000 exits in each lane (slow)
  --help     this text`

/** Every room's figures, merged; two rooms never measure one key. */
async function measureAll(deep: boolean): Promise<Figures> {
  const figures: Record<string, number> = {}
  for (const room of benchesOf('gas')) {
    const { measure } = (await import(`./gas/${room}.ts`)) as { readonly measure: (deep: boolean) => Promise<Figures> }
    for (const [key, gas] of Object.entries(await measure(deep))) {
      if (key in figures || !Number.isSafeInteger(gas)) throw new Error(`${key} is measured twice or is no gas: ${gas}`)
      figures[key] = gas
    }
  }
  return figures
}

/** The figures of deep queues, which stay as they were recorded until somebody asks for them. */
function deepOnes(committed: string): Figures {
  const known = Object.entries(JSON.parse(committed) as Figures)
  return Object.fromEntries(known.filter(([key]) => key.startsWith('plasma.deep.')))
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

async function compareWithPeers(figures: Figures): Promise<void> {
  const { compare, comparisonTable } = await import('./gas/peers.ts')
  const content = await compare(figures)
  console.log(`\n${comparisonTable(content)}`)
  save(PEERS_PATH, content)
  console.log(`\nwritten to ${PEERS_PATH}`)
}

async function main(): Promise<void> {
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({ options: { check: flag, peers: flag, deep: flag, help: flag } })
  if (values.help) return console.log(HELP)
  if (values.check && values.peers) throw new Error('--check writes nothing and --peers does: give one of them')
  if (values.peers) (await import('./peers/packages.ts')).install() // if it cannot be done, that is known at once
  const figures = { ...(values.deep ? {} : deepOnes(committedText(PATH))), ...(await measureAll(values.deep === true)) }
  print(figures)
  if (!values.check) {
    save(PATH, figures)
    console.log(`\nwritten to ${PATH}`)
    return values.peers ? compareWithPeers(figures) : undefined
  }
  const differences = stale(committedText(PATH), figures)
  if (differences.length === 0) return console.log(`\n${PATH} is fresh`)
  throw new Error(`${PATH} is stale; run npm run bench:gas and commit it:\n  ${differences.join('\n  ')}`)
}

await main().catch((why) => {
  console.error(`bench:gas: ${why instanceof Error ? why.message : why}`)
  process.exitCode = 1
})
