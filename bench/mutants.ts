// Changes the contracts in small ways, one at a time, and counts how many of these mutants the tests notice.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { type Built, build, focusOf } from './mutants/court.ts'
import { type Ground, newGround } from './mutants/ground.ts'
import { allMutants, type Mutant, mutated, sampled } from './mutants/make.ts'
import { type Fate, type Result, report } from './mutants/table.ts'

const HELP = `npm run test:mutants -- [options]

Makes small changes to contracts/base and contracts/channel (a dropped statement, a flipped comparison, a swapped side,
a number off by one), each in a copy of the project, and runs the suites of the changed file until one test fails.
Fails if less than 90 % are killed, or a survivor has no reason in bench/mutants/survivors.json.

  --only FILE      only mutants of this file (Lock.sol), or whose id holds this text
  --sample N       only N mutants, spread evenly over the list (default: all)
  --resume         keep the results that are there and try only the mutants that have none; survivors are tried again
  --results PATH   where results are kept (default .kerros/mutants.jsonl)
  --list           print the mutants and try none
  --help           this text`

/** The longest that the suites of one mutant may take, beyond four times what the right code takes. */
const MARGIN = 30_000

interface Base {
  readonly code: Built
  readonly limit: number
}

/** Files with the same suites share their run on the right code. */
const bases = new Map<string, Base>()

function kept(path: string): Map<string, Result> {
  if (!existsSync(path)) return new Map()
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  return new Map(lines.map((line) => JSON.parse(line) as Result).map((result) => [result.id, result]))
}

/** The right code passes its suites, built as mutants are; without that nothing that fails would mean anything. */
async function baseOf(ground: Ground, path: string): Promise<Base> {
  const { targets, suites } = focusOf(path)
  const key = JSON.stringify([targets, suites])
  const known = bases.get(key)
  if (known) return known
  const code = build(path, readFileSync(path, 'utf8'), targets)
  if (typeof code === 'string') throw new Error(`${path} does not build: ${code}`)
  const begun = Date.now()
  const ending = await ground.try({ built: code, suites }, 600_000)
  if (ending.kind === 'timeout' || ending.failed !== undefined || (ending.passed === 0 && suites.length > 0))
    throw new Error(
      `the suites of ${path} fail on the right code: ${ending.kind === 'done' ? ending.failed : 'too slow'}`,
    )
  const base = { code, limit: MARGIN + 4 * (Date.now() - begun) }
  bases.set(key, base)
  return base
}

interface Made {
  readonly mutant: Mutant
  readonly code: Built | string
}

async function judged(ground: Ground, base: Base, { mutant, code }: Made): Promise<Omit<Result, 'id' | 'seconds'>> {
  if (typeof code === 'string') return { fate: 'invalid' }
  if (JSON.stringify(code) === JSON.stringify(base.code)) return { fate: 'equivalent' }
  const { suites } = focusOf(mutant.path)
  const ending = await ground.try({ built: { ...base.code, ...code }, suites }, base.limit)
  if (ending.kind === 'timeout') return { fate: 'timeout' }
  return ending.failed === undefined ? { fate: 'survived' } : { fate: 'killed', by: ending.failed }
}

/** Tries mutants of one file; the next one is built while the suites of this one run. */
async function tryAll(
  ground: Ground,
  mutants: readonly Mutant[],
  tell: (mutant: Mutant, result: Result) => void,
): Promise<void> {
  const path = mutants[0]!.path
  const base = await baseOf(ground, path)
  const made = (mutant: Mutant): Made => ({ mutant, code: build(path, mutated(mutant), focusOf(path).targets) })
  let next: Made | undefined = made(mutants[0]!)
  for (let i = 0; next; i++) {
    const [now, begun]: [Made, number] = [next, Date.now()]
    const verdict = judged(ground, base, now)
    await new Promise(setImmediate) // the trial is on its way before the compiler takes this thread
    next = mutants[i + 1] ? made(mutants[i + 1]!) : undefined
    tell(now.mutant, { id: now.mutant.id, ...(await verdict), seconds: (Date.now() - begun) / 1000 })
  }
}

function chosen(only: string | undefined, sample: string | undefined): readonly Mutant[] {
  const fits = ({ path, id }: Mutant) => !only || basename(path) === basename(only) || id.includes(only)
  const mutants = allMutants().filter(fits)
  if (mutants.length === 0) throw new Error(`no mutant is of ${only}; --list prints all of them`)
  const count = sample === undefined ? mutants.length : Number(sample)
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`--sample is a number of mutants, not ${sample}`)
  return sampled(mutants, count)
}

const MARK: Readonly<Record<Fate, string>> = {
  killed: '✔',
  timeout: '✔ (timeout)',
  survived: '✘ SURVIVED',
  invalid: '- does not compile',
  equivalent: '- same code',
}

async function run(mutants: readonly Mutant[], path: string, results: Map<string, Result>): Promise<void> {
  const [open, ground] = [mutants.filter(({ id }) => !results.has(id)), newGround()]
  let done = 0
  try {
    for (const file of new Set(open.map((mutant) => mutant.path))) {
      const own = open.filter((mutant) => mutant.path === file)
      await tryAll(ground, own, (mutant, result) => {
        results.set(result.id, result)
        appendFileSync(path, `${JSON.stringify(result)}\n`)
        const { fate, seconds } = result
        console.log(`${++done}/${open.length} ${mutant.line} ${result.id} ${MARK[fate]} ${seconds.toFixed(1)} s`)
      })
    }
  } finally {
    ground.close()
  }
}

async function main(): Promise<void> {
  const [flag, text] = [{ type: 'boolean' }, { type: 'string' }] as const
  const options = { only: text, sample: text, results: text, resume: flag, list: flag, help: flag }
  const { values } = parseArgs({ options })
  if (values.help) return console.log(HELP)
  const mutants = chosen(values.only, values.sample)
  if (values.list) return console.log(mutants.map(({ path, line, id }) => `${path}:${line}  ${id}`).join('\n'))
  const path = values.results ?? '.kerros/mutants.jsonl'
  mkdirSync(dirname(path), { recursive: true })
  if (!values.resume) rmSync(path, { force: true })
  const results = new Map([...kept(path)].filter(([, { fate }]) => fate !== 'survived'))
  await run(mutants, path, results)
  const { text: shown, short } = report(mutants, results)
  console.log(`\n${shown}`)
  if (short.length > 0) throw new Error(short.join('; '))
}

await main().catch((why) => {
  console.error(`test:mutants: ${why instanceof Error ? why.message : why}`)
  process.exitCode = 1
})
