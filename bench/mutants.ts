// Changes the contracts in small ways, one at a time, and counts how many of these mutants the tests notice.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { build, everything, focusOf } from './mutants/court.ts'
import { type Ground, newGround } from './mutants/ground.ts'
import { allMutants, fingerprint, type Mutant, mutated, shuffled } from './mutants/make.ts'
import { type Fate, type Result, reasons, report } from './mutants/table.ts'
import { save } from './snapshot.ts'

const SEED = 'kerros'
const HELP = `npm run test:mutants -- [options]

Makes small changes to contracts/base and contracts/channel (a dropped statement, a flipped comparison, a swapped side,
a number off by one), each in a copy of the project, and runs the suites of the changed file until one test fails.
Fails if less than 90 % are killed, or a survivor has no reason in bench/mutants/survivors.json.

  --only FILE      only mutants of this file (Lock.sol), or whose id holds this text
  --sample N       only N mutants, drawn at random (default: all); a larger N adds to the same sample
  --seed TEXT      what fixes the draw, and the order of trial (default ${SEED})
  --jobs N         so many mutants at a time (default 2)
  --resume         keep the results of this same code and try only the mutants that have none, and survivors without a
                   reason
  --results PATH   where results are kept (default .kerros/mutants.jsonl)
  --save           write the figures to snapshots/mutants.json
  --list           print the mutants and try none
  --help           this text`

/** Milliseconds of the processor that the suites of a mutant may take beyond twice what the right code takes for all. */
const MARGIN = 30_000
const PATIENCE = 1_200_000

/** What a results file holds: the proof that this code and these suites are right, and what became of mutants. */
interface Kept {
  readonly proof: Proof | undefined
  readonly results: Map<string, Result>
}

/** The right code passed all suites, in so many milliseconds of the processor. */
interface Proof {
  readonly proof: string
  readonly spent: number
}

/** What is there for this code; a line that was cut off as it was written is none. */
function kept(path: string, code: string): Kept {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  const all = lines.map((line) => JSON.parse(line) as Result | Proof)
  const results = all.flatMap((one) => ('id' in one && one.code === code ? [[one.id, one] as const] : []))
  return { proof: all.find((one): one is Proof => 'proof' in one), results: new Map(results) }
}

function written(path: string, lines: Iterable<Result | Proof>): void {
  writeFileSync(path, [...lines].map((line) => `${JSON.stringify(line)}\n`).join(''))
}

/** Proves that the right code, built as mutants are, passes every suite; else no failure means anything. */
async function rightCode(ground: Ground, proof: string): Promise<Proof> {
  const { targets, suites } = everything()
  const built = build('', '', targets)
  if (typeof built === 'string') throw new Error(`the contracts do not build: ${built}`)
  const { failed, late, passed, spent } = await ground.try({ built, suites, limit: PATIENCE })
  if (late) throw new Error('the right code does not pass its suites in 20 minutes')
  if (failed !== undefined) throw new Error(`the right code fails: ${failed}`)
  console.log(`the right code passes ${passed} tests in ${Math.round(spent / 1000)} s`)
  return { proof, spent }
}

/** The code of some targets as it should be. */
function codeOf(targets: readonly string[]): string {
  const key = targets.join()
  const code = right.get(key) ?? JSON.stringify(build('', '', targets))
  right.set(key, code)
  return code
}
const right = new Map<string, string>()

async function judged(ground: Ground, limit: number, mutant: Mutant): Promise<Pick<Result, 'fate' | 'by'>> {
  const { suites, targets } = focusOf(mutant)
  const built = build(mutant.path, mutated(mutant), targets)
  if (typeof built === 'string') return { fate: 'invalid' }
  if (JSON.stringify(built) === codeOf(targets)) return { fate: 'equivalent' }
  const { failed, late } = await ground.try({ built, suites, limit })
  if (late) return { fate: 'timeout' }
  return failed === undefined ? { fate: 'survived' } : { fate: 'killed', by: failed }
}

/** Takes mutants from a queue until there is none; what another takes meanwhile is built while this one's suites run. */
async function tryAll(
  ground: Ground,
  queue: Iterator<Mutant>,
  limit: number,
  tell: (mutant: Mutant, result: Omit<Result, 'code'>) => void,
): Promise<void> {
  for (let next = queue.next(); !next.done; next = queue.next()) {
    const [mutant, begun] = [next.value, Date.now()]
    const verdict = await judged(ground, limit, mutant)
    tell(mutant, { id: mutant.id, ...verdict, seconds: (Date.now() - begun) / 1000 })
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
function endOn(signals: readonly NodeJS.Signals[], grounds: readonly Ground[]): void {
  for (const [i, signal] of signals.entries()) {
    process.once(signal, () => {
      for (const ground of grounds) ground.close()
      console.error(`test:mutants: stopped by ${signal}; go on with --resume`)
      process.exit(128 + [2, 15][i]!)
    })
  }
}

/** Mutants that were never tried, and those that the tests may kill by now. */
function untried(mutants: readonly Mutant[], results: ReadonlyMap<string, Result>): readonly Mutant[] {
  const known = reasons()
  return mutants.filter(({ id }) => {
    const fate = results.get(id)?.fate
    return fate === undefined || (fate === 'survived' && !known[id])
  })
}

interface Run {
  readonly open: readonly Mutant[]
  readonly path: string
  readonly code: string
  readonly jobs: number
}

async function run({ open, path, code, jobs }: Run, { results, proof }: Kept): Promise<void> {
  if (open.length === 0) return
  const grounds = Array.from({ length: jobs }, newGround)
  endOn(['SIGINT', 'SIGTERM'], grounds)
  let done = 0
  try {
    const of = fingerprint(everything().suites)
    const right = proof?.proof === of ? proof : await rightCode(grounds[0]!, of)
    written(path, [right, ...results.values()])
    const tell = ({ line }: Mutant, result: Omit<Result, 'code'>) => {
      results.set(result.id, { ...result, code })
      appendFileSync(path, `${JSON.stringify({ ...result, code })}\n`)
      const { id, fate, seconds } = result
      console.log(`${++done}/${open.length} line ${line} ${id} ${MARK[fate]} ${seconds.toFixed(1)} s`)
    }
    const queue = open.values()
    await Promise.all(grounds.map((ground) => tryAll(ground, queue, MARGIN + 2 * right.spent, tell)))
  } finally {
    for (const ground of grounds) ground.close()
  }
}

async function main(): Promise<void> {
  const [flag, text] = [{ type: 'boolean' }, { type: 'string' }] as const
  const options = {
    only: text,
    sample: text,
    seed: text,
    results: text,
    jobs: text,
    resume: flag,
    save: flag,
    list: flag,
    help: flag,
  }
  const { values } = parseArgs({ options })
  if (values.help) return console.log(HELP)
  const mutants = chosen(values.only, values.sample, values.seed ?? SEED)
  if (values.list) return console.log(mutants.map(({ path, line, id }) => `${path}:${line}  ${id}`).join('\n'))
  const [path, code] = [values.results ?? '.kerros/mutants.jsonl', fingerprint([])]
  mkdirSync(dirname(path), { recursive: true })
  const before: Kept = values.resume ? kept(path, code) : { proof: undefined, results: new Map() }
  const jobs = Number(values.jobs ?? 2)
  if (!Number.isSafeInteger(jobs) || jobs < 1) throw new Error(`--jobs is a number of processes, not ${values.jobs}`)
  await run({ open: untried(mutants, before.results), path, code, jobs }, before)
  const { text: shown, short, figures } = report(mutants, before.results)
  console.log(`\n${shown}`)
  if (values.save) save('snapshots/mutants.json', { mutants: allMutants().length, ...figures })
  if (short.length > 0) throw new Error(short.join('; '))
}

await main().catch((why) => {
  console.error(`test:mutants: ${why instanceof Error ? why.message : why}`)
  process.exitCode = 1
})
