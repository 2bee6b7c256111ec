// Changes the contracts in small ways, one at a time, and counts how many of these mutants the tests notice.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { type Built, build, everything, focusOf, ROOMS, type Room, sources } from './mutants/court.ts'
import { type Ground, newGround } from './mutants/ground.ts'
import { allMutants, fingerprint, type Mutant, mutated, shuffled } from './mutants/make.ts'
import { type Menu, menuOf } from './mutants/menu.ts'
import { type Fate, type Result, reasons, report } from './mutants/table.ts'
import { committedText, save } from './snapshot.ts'

const SEED = 'kerros'
const HELP = `npm run test:mutants -- [options]

Makes small changes to the contracts of a room (a dropped statement, a flipped comparison, a swapped side, a number off by
one), each in a copy of the project, and runs the suites of the changed file until one test fails.
Fails if less than 90 % are killed, or a survivor has no reason in bench/mutants/survivors.json.

  --room NAME      channel (contracts/base and contracts/channel) or plasma (contracts/plasma); default: channel
  --only FILE      only mutants of this file (Lock.sol), or whose id holds this text
  --sample N       only N mutants, drawn at random (default: all); a larger N adds to the same sample
  --seed TEXT      what fixes the draw, and the order of trial (default ${SEED})
  --jobs N         so many mutants at a time (default 2)
  --resume         keep the results of files that are as they were, and try only mutants that have none, and survivors
                   without a reason
  --results PATH   where results are kept (default .kerros/mutants.ROOM.jsonl)
  --save           write the figures to snapshots/mutants.json
  --list           print the mutants and try none
  --help           this text`

/** Milliseconds of the processor that the suites of a mutant may take beyond twice what the right code takes for all. */
const MARGIN = 30_000
const PATIENCE = 1_200_000

/** What a results file holds: the proof that this code and these suites are right, and what became of mutants. */
interface Kept {
  readonly proofs: Map<string, Proof>
  readonly results: Map<string, Result>
}

/** The right code passed all suites, in so many milliseconds of the processor. */
interface Proof {
  readonly proof: string
  readonly spent: number
}

/** What is there for these sources as they are; a line that was cut off as it was written is none. */
function kept(path: string, room: Room): Kept {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  const all = lines.map((line) => JSON.parse(line) as Result | Proof)
  const codes = new Set(sources(room).map((source) => `${basename(source)} ${fingerprint([source])}`))
  const is = ({ id, code }: Result) => codes.has(`${id.split(' ')[0]} ${code}`)
  const results = all.flatMap((one) => ('id' in one && is(one) ? [[one.id, one] as const] : []))
  const proofs = all.flatMap((one) => ('proof' in one ? [[one.proof, one] as const] : []))
  return { proofs: new Map(proofs), results: new Map(results) }
}

function written(path: string, lines: Iterable<Result | Proof>): void {
  writeFileSync(path, [...lines].map((line) => `${JSON.stringify(line)}\n`).join(''))
}

/** Proves that the right code, built as mutants are, passes every suite; else no failure means anything. */
async function rightCode(ground: Ground, built: Built | string, room: Room): Promise<number> {
  if (typeof built === 'string') throw new Error(`the contracts do not build: ${built}`)
  const { failed, late, passed, spent } = await ground.try({ built, suites: everything(room).suites, limit: PATIENCE })
  if (late) throw new Error('the right code does not pass its suites in 20 minutes')
  if (failed !== undefined) throw new Error(`the right code fails: ${failed}`)
  console.log(`the right code passes ${passed} tests in ${Math.round(spent / 1000)} s`)
  return spent
}

/** The code of some targets as it should be. */
function codeOf(targets: readonly string[]): string {
  const key = targets.join()
  const code = right.get(key) ?? JSON.stringify(build(new Map(), targets))
  right.set(key, code)
  return code
}
const right = new Map<string, string>()

/** The code with this mutant alone; a verdict if it needs no trial. */
function alone(mutant: Mutant): Built | 'invalid' | 'equivalent' {
  const { targets } = focusOf(mutant)
  const built = build(new Map([[mutant.path, mutated(mutant)]]), targets)
  if (typeof built === 'string') return 'invalid'
  return JSON.stringify(built) === codeOf(targets) ? 'equivalent' : built
}

async function judged(
  ground: Ground,
  limit: number,
  mutant: Mutant,
  menu: Menu | undefined,
): Promise<Pick<Result, 'fate' | 'by'>> {
  if (menu?.invalid.has(mutant.id)) return { fate: 'invalid' }
  const served = menu?.codeOf(mutant)
  const built = served ?? alone(mutant)
  if (typeof built === 'string') return { fate: built }
  const { failed, late } = await ground.try({ built, suites: focusOf(mutant).suites, limit })
  if (late) return { fate: 'timeout' }
  if (failed !== undefined) return { fate: 'killed', by: failed }
  return { fate: 'survived' }
}

/** Takes mutants from a queue until there is none; what another takes meanwhile is built while this one's suites run. */
async function tryAll(
  ground: Ground,
  queue: Iterator<Mutant>,
  judge: (ground: Ground, mutant: Mutant) => Promise<Pick<Result, 'fate' | 'by'>>,
  tell: (mutant: Mutant, result: Omit<Result, 'code'>) => void,
): Promise<void> {
  for (let next = queue.next(); !next.done; next = queue.next()) {
    const [mutant, begun] = [next.value, Date.now()]
    const verdict = await judge(ground, mutant)
    tell(mutant, { id: mutant.id, ...verdict, seconds: (Date.now() - begun) / 1000 })
  }
}

function chosen(room: Room, only: string | undefined, sample: string | undefined, seed: string): readonly Mutant[] {
  const fits = ({ path, id }: Mutant) => !only || basename(path) === basename(only) || id.includes(only)
  const mutants = allMutants(room).filter(fits)
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
  readonly room: Room
  readonly drawn: readonly Mutant[]
  readonly open: readonly Mutant[]
  readonly path: string
  readonly jobs: number
}

/** Random runs in a trial, as a share of the usual ones. */
const DEPTH: Readonly<Record<Room, number>> = { channel: 0.2, plasma: 0.05 }

/** So many mutants of the root chain are built into one code. */
const ON_MENU = 200

/** What is tried together: mutants, their menu if they have one, the milliseconds that the right code takes. */
interface Round {
  readonly mutants: readonly Mutant[]
  readonly menu: Menu | undefined
  readonly spent: number
}

/** The proof of some code and suites, as it is known or made anew. */
async function proven(of: string, known: Kept, right: () => Promise<number>): Promise<Proof> {
  const proof = known.proofs.get(of) ?? { proof: of, spent: await right() }
  known.proofs.set(of, proof)
  return proof
}

/** The mutants in rounds, each after the proof that the right code passes as it is built there. */
async function* rounds({ room, drawn, open }: Run, known: Kept, ground: Ground): AsyncGenerator<Round> {
  const { targets, suites } = everything(room)
  const files = [...sources(room), ...suites]
  const rest = new Set(open)
  let last: Proof | undefined
  if (room === 'plasma') {
    for (let i = 0; i < drawn.length; i += ON_MENU) {
      const served = drawn.slice(i, i + ON_MENU)
      if (!served.some((mutant) => rest.has(mutant))) continue
      const menu = menuOf(served, targets)
      const of = fingerprint(files, served.map(({ id }) => id).join())
      last = await proven(of, known, () => rightCode(ground, menu.codeOf(undefined)!, room))
      const mutants = served.filter(
        (mutant) => rest.has(mutant) && (menu.codeOf(mutant) || menu.invalid.has(mutant.id)),
      )
      yield { mutants, menu, spent: last.spent }
      for (const mutant of mutants) rest.delete(mutant)
    }
  }
  if (rest.size === 0) return
  const right = () => rightCode(ground, build(new Map(), targets), room)
  const { spent } = last ?? (await proven(fingerprint(files), known, right))
  yield { mutants: [...rest], menu: undefined, spent }
}

async function run(of: Run, before: Kept): Promise<void> {
  const { open, path, jobs } = of
  if (open.length === 0) return
  const grounds = Array.from({ length: jobs }, () => newGround(DEPTH[of.room]))
  endOn(['SIGINT', 'SIGTERM'], grounds)
  let done = 0
  const tell = ({ line, path: source }: Mutant, told: Omit<Result, 'code'>) => {
    const result: Result = { ...told, code: fingerprint([source]) }
    before.results.set(result.id, result)
    appendFileSync(path, `${JSON.stringify(result)}\n`)
    const { id, fate, seconds } = result
    console.log(`${++done}/${open.length} line ${line} ${id} ${MARK[fate]} ${seconds.toFixed(1)} s`)
  }
  try {
    for await (const { mutants, menu, spent } of rounds(of, before, grounds[0]!)) {
      written(path, [...before.proofs.values(), ...before.results.values()])
      const queue = mutants.values()
      const judge = (ground: Ground, mutant: Mutant) => judged(ground, MARGIN + 2 * spent, mutant, menu)
      await Promise.all(grounds.map((ground) => tryAll(ground, queue, judge, tell)))
    }
  } finally {
    for (const ground of grounds) ground.close()
  }
}

async function main(): Promise<void> {
  const [flag, text] = [{ type: 'boolean' }, { type: 'string' }] as const
  const options = {
    room: text,
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
  const room = (values.room ?? 'channel') as Room
  if (!ROOMS[room]) throw new Error(`--room is ${Object.keys(ROOMS).join(' or ')}, not ${room}`)
  const mutants = chosen(room, values.only, values.sample, values.seed ?? SEED)
  if (values.list) return console.log(mutants.map(({ path, line, id }) => `${path}:${line}  ${id}`).join('\n'))
  const path = values.results ?? `.kerros/mutants.${room}.jsonl`
  mkdirSync(dirname(path), { recursive: true })
  const before: Kept = values.resume ? kept(path, room) : { proofs: new Map(), results: new Map() }
  const jobs = Number(values.jobs ?? 2)
  if (!Number.isSafeInteger(jobs) || jobs < 1) throw new Error(`--jobs is a number of processes, not ${values.jobs}`)
  await run({ room, drawn: mutants, open: untried(mutants, before.results), path, jobs }, before)
  const { text: shown, short, figures } = report(mutants, before.results)
  console.log(`\n${shown}`)
  if (values.save) saved(room, { mutants: allMutants(room).length, ...figures })
  if (short.length > 0) throw new Error(short.join('; '))
}

/** Writes a room's figures beside the other's. */
function saved(room: Room, figures: Readonly<Record<string, number>>): void {
  const path = 'snapshots/mutants.json'
  const known = JSON.parse(committedText(path)) as Readonly<Record<string, number>>
  const mine = Object.entries(figures).map(([key, value]) => [`${room}.${key}`, value])
  save(path, { ...known, ...Object.fromEntries(mine) })
}

await main().catch((why) => {
  console.error(`test:mutants: ${why instanceof Error ? why.message : why}`)
  process.exitCode = 1
})
