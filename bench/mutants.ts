// Changes the contracts in small ways, one at a time, and counts how many of these mutants the tests notice.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { type Built, build, everything, focusOf } from './mutants/court.ts'
import { type Ground, newGround } from './mutants/ground.ts'
import { allMutants, type Mutant, mutated, sampled, spread } from './mutants/make.ts'
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

/** The longest that the suites of one mutant may take, beyond twice what the right code takes for all suites. */
const MARGIN = 30_000

function kept(path: string): Map<string, Result> {
  if (!existsSync(path)) return new Map()
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  return new Map(lines.map((line) => JSON.parse(line) as Result).map((result) => [result.id, result]))
}

/** Milliseconds in which the right code, built as mutants are, passes every suite; else no failure means anything. */
async function rightCode(ground: Ground): Promise<number> {
  const { targets, suites } = everything()
  const built = build('', '', targets)
  if (typeof built === 'string') throw new Error(`the contracts do not build: ${built}`)
  const begun = Date.now()
  const ending = await ground.try({ built, suites }, 1_200_000)
  if (ending.kind === 'timeout') throw new Error('the right code does not pass its suites in 20 minutes')
  if (ending.failed !== undefined) throw new Error(`the right code fails: ${ending.failed}`)
  console.log(`the right code passes ${ending.passed} tests in ${Math.round((Date.now() - begun) / 1000)} s`)
  return Date.now() - begun
}

/** The code of some targets as it should be. */
function codeOf(targets: readonly string[]): string {
  const key = targets.join()
  const code = right.get(key) ?? JSON.stringify(build('', '', targets))
  right.set(key, code)
  return code
}
const right = new Map<string, string>()

interface Made {
  readonly mutant: Mutant
  readonly code: Built | string
}

async function judged(ground: Ground, limit: number, { mutant, code }: Made): Promise<Omit<Result, 'id' | 'seconds'>> {
  const { suites, targets } = focusOf(mutant)
  if (typeof code === 'string') return { fate: 'invalid' }
  if (JSON.stringify(code) === codeOf(targets)) return { fate: 'equivalent' }
  const ending = await ground.try({ built: code, suites }, limit)
  if (ending.kind === 'timeout') return { fate: 'timeout' }
  return ending.failed === undefined ? { fate: 'survived' } : { fate: 'killed', by: ending.failed }
}

/** Tries mutants in their order; the next one is built while the suites of this one run. */
async function tryAll(
  ground: Ground,
  mutants: readonly Mutant[],
  tell: (mutant: Mutant, result: Result) => void,
): Promise<void> {
  const limit = MARGIN + 2 * (await rightCode(ground))
  const made = (mutant: Mutant): Made => ({
    mutant,
    code: build(mutant.path, mutated(mutant), focusOf(mutant).targets),
  })
  let next = mutants[0] && made(mutants[0])
  for (let i = 0; next; i++) {
    const [now, begun]: [Made, number] = [next, Date.now()]
    const verdict = judged(ground, limit, now)
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
  const [open, ground] = [spread(mutants.filter(({ id }) => !results.has(id))), newGround()]
  let done = 0
  try {
    if (open.length > 0)
      await tryAll(ground, open, ({ line }, result) => {
        results.set(result.id, result)
        appendFileSync(path, `${JSON.stringify(result)}\n`)
        const { fate, seconds } = result
        console.log(`${++done}/${open.length} line ${line} ${result.id} ${MARK[fate]} ${seconds.toFixed(1)} s`)
      })
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
