// Runs in the copy: puts a mutant's code into the artifacts, runs the focused suites, says whether one failed.
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import 'hardhat' // loaded before a trial comes
import Mocha from 'mocha'
import type { Built } from './court.ts'

/** What the child is asked: code for the artifacts, then these suites. */
export interface Trial {
  readonly built: Built
  readonly suites: readonly string[]
  /** Milliseconds of processor time, so that a busy machine kills no mutant. */
  readonly limit: number
}

/** What the child answers: the first test that failed or how many passed, and the processor's milliseconds. */
export interface Verdict {
  readonly failed: string | undefined
  readonly passed: number
  readonly spent: number
  /** The limit was reached before all suites had run. */
  readonly late?: true
}

process.setMaxListeners(0) // every suite has its own runner, each listens
fc.configureGlobal({ endOnFailure: true }) // a mutant is killed by any counterexample, the smallest is not looked for

function install(built: Built): void {
  for (const [file, contracts] of Object.entries(built)) {
    for (const [name, code] of Object.entries(contracts)) {
      const path = `artifacts/${file}/${name}.json`
      const artifact = JSON.parse(readFileSync(path, 'utf8')) as object
      writeFileSync(path, JSON.stringify({ ...artifact, bytecode: `0x${code}` }))
    }
  }
  if (Object.keys(built).length === 0) throw new Error('nothing was built')
}

/** A module runs once under each address: a suite that comes again, under another one. */
let loads = 0

/** A suite's tests. */
async function load(suite: string): Promise<Mocha> {
  const mocha = new Mocha({ bail: true, timeout: 0, reporter: class {} as never })
  mocha.suite.emit('pre-require', globalThis as never, suite, mocha)
  await import(`${pathToFileURL(suite).href}?${++loads}`)
  return mocha
}

async function runOne(suite: string): Promise<Pick<Verdict, 'failed' | 'passed'>> {
  const mocha = await load(suite)
  return new Promise((resolve) => {
    let [failed, passed]: [string | undefined, number] = [undefined, 0]
    const runner = mocha.run(() => resolve({ failed, passed }))
    runner.on('pass', () => {
      passed++
    })
    runner.on('fail', (test, why: Error) => {
      failed ??= `${basename(suite)}: ${test.fullTitle()}: ${String(why.message).split('\n')[0]!.slice(0, 160)}`
    })
  })
}

function now(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** When the trial began, in the processor's milliseconds. */
let begun = 0

function spent(): number {
  return now() - begun
}

async function judge({ built, suites }: Trial): Promise<Verdict> {
  install(built)
  let passed = 0
  for (const suite of suites) {
    const verdict = await runOne(suite)
    passed += verdict.passed
    if (verdict.failed !== undefined) return { failed: verdict.failed, passed, spent: spent() }
  }
  return { failed: undefined, passed, spent: spent() }
}

function tell(answer: Verdict & { readonly broken?: string }): void {
  process.send!(answer)
}

process.on('message', (trial: Trial) => {
  begun = now()
  const watch = setInterval(() => {
    if (spent() > trial.limit) tell({ failed: undefined, passed: 0, spent: spent(), late: true })
  }, 500)
  judge(trial)
    .catch((why) => ({ failed: undefined, passed: 0, spent: 0, broken: String((why as Error).stack) }))
    .then(tell)
    .finally(() => clearInterval(watch))
})
process.on('SIGINT', () => {}) // meant for the parent, which ends this process
process.on('disconnect', () => process.exit())
process.on('unhandledRejection', () => {}) // a bailed test may leave some; what it proved is told already
