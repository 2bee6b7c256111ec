// Changes the contracts in small ways, one at a time, and counts how many of these mutants the tests notice.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { type Built, build, everything, focusOf } from './mutants/court.ts'
import { type Ground, newGround } from './mutants/ground.ts'
import { allMutants, fingerprint, type Mutant, mutated, shuffled } from './mutants/make.ts'
import { type Fate, type Result, report } from './mutants/table.ts'
import { save } from './snapshot.ts'

const SEED = 'kerros'
const HELP = `npm run test:mutants -- [options]

Makes small changes to contracts/base and contracts/channel (a dropped statement, a flipped comparison, a swapped side,
a number off by one), each in a copy of the project, and runs the suites of the changed file until one test fails.
Fails if less than 90 % are killed, or a survivor has no reason in bench/mutants/survivors.json.

  --only FILE      only mutants of this file (Lock.sol), or whose id holds this text
  --sample N       only N mutants, drawn at random (default: all); a larger N adds to the same sample
  --seed TEXT      what fixes the draw, and the order of trial (default ${SEED})
  --resume         keep the results of this same code and try only the mutants that have none; survivors are tried again
  --results PATH   where results are kept (default .kerros/mutants.jsonl)
  --save           write the figures to snapshots/mutants.json
  --list           print the mutants and try none
  --help           this text`

/** The longest that the suites of one mutant may take, beyond twice what the right code takes for all suites. */
const MARGIN = 30_000

/** The results that are there for this code; a line that was cut off as it was written is none. */
function kept(path: string, code: string): Map<string, Result> {
  if (!existsSync(path)) return new Map()
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  const results = lines.map((line) => JSON.parse(line) as Result)
  return new Map(results.filter((result) => result.code === code).map((result) => [result.id, result]))
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

async function judged(ground: Ground, limit: number, { mutant, code }: Made): Promise<Pick<Result, 'fate' | 'by'>> {
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
  tell: (mutant: Mutant, result: Omit<Result, 'code'>) => void,
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

function chosen(only: string | undefined, sample: string | undefined, seed: string): readonly Mutant[] {
  const fits = ({ path, id }: Mutant) => !only || basename(path) === basename(only) || id.includes(only)
  const mutants = allMutants().filter(fits)
  if (mutants.length === 0) throw new Error(`no mutant is of ${only}; --list prints all of them`)
  const count = sample === undefined ? mutants.length : Number(sample)
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`--sample is a number of mutants, not ${sample}`)
  const drawn = shuffled(mutants, seed).slice(0, count)
  console.log(`${drawn.length} of ${mutants.length} mutants, drawn with --seed ${seed}`)
  return drawn
}

const MARK: Readonly<Record<Fate, string>> = {
  killed: '✔',
  timeout: '✔ (timeout)',
  survived: '✘ SURVIVED',
  invalid: '- does not compile',
  equivalent: '- same code',
}

/** Ends the run at once when it is interrupted; what was judged by then is in the results. */
function endOn(signals: readonly NodeJS.Signals[], ground: Ground): void {
  for (const [i, signal] of signals.entries()) {
    process.once(signal, () => {
      ground.close()
      console.error(`test:mutants: stopped by ${signal}; go on with --resume`)
      process.exit(128 + [2, 15][i]!)
    })
  }
}

async function run(
  mutants: readonly Mutant[],
  path: string,
  results: Map<string, Result>,
  code: string,
): Promise<void> {
  const open = mutants.filter(({ id }) => results.get(id)?.fate === undefined || results.get(id)!.fate === 'survived')
  if (open.length === 0) return
  const ground = newGround()
  endOn(['SIGINT', 'SIGTERM'], ground)
  let done = 0
  try {
    await tryAll(ground, open, ({ line }, result) => {
      results.set(result.id, { ...result, code })
      appendFileSync(path, `${JSON.stringify({ ...result, code })}\n`)
      const { id, fate, seconds } = result
      console.log(`${++done}/${open.length} line ${line} ${id} ${MARK[fate]} ${seconds.toFixed(1)} s`)
    })
  } finally {
    ground.close()
  }
}

async function main(): Promise<void> {
  const [flag, text] = [{ type: 'boolean' }, { type: 'string' }] as const
  const options = {
    only: text,
    sample: text,
    seed: text,
    results: text,
    resume: flag,
    save: flag,
    list: flag,
    help: flag,
  }
  const { values } = parseArgs({ options })
  if (values.help) return console.log(HELP)
  const mutants = chosen(values.only, values.sample, values.seed ?? SEED)
  if (values.list) return console.log(mutants.map(({ path, line, id }) => `${path}:${line}  ${id}`).join('\n'))
  const [path, code] = [values.results ?? '.kerros/mutants.jsonl', fingerprint()]
  mkdirSync(dirname(path), { recursive: true })
  const results = values.resume ? kept(path, code) : new Map<string, Result>()
  writeFileSync(path, [...results.values()].map((result) => `${JSON.stringify(result)}\n`).join(''))
  await run(mutants, path, results, code)
  const { text: shown, short, figures } = report(mutants, results)
  console.log(`\n${shown}`)
  if (values.save) save('snapshots/mutants.json', { mutants: allMutants().length, ...figures })
  if (short.length > 0) throw new Error(short.join('; '))
}

await main().catch((why) => {
  console.error(`test:mutants: ${why instanceof Error ? why.message : why}`)
  process.exitCode = 1
})
