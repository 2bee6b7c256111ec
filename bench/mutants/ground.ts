import { type ChildProcess, fork } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Trial, Verdict } from './suite.child.ts'

const COPIED = ['artifacts', 'bench/mutants', 'contracts', 'hardhat.config.ts', 'package.json', 'src', 'test']
const ALL = [...COPIED, 'tsconfig.json', 'typechain-types']

/** A process that answers nothing for so many times its processor's limit is stuck. */
const PATIENCE = 20

/** So many trials are made by one process, unless one of them is broken off. */
const TRIALS = 25

/** A temporary copy of the built project and one process in it that runs suites. */
export interface Ground {
  readonly try: (trial: Trial) => Promise<Verdict>
  readonly close: () => void
}

/**
 * Makes `depth` times the usual number of random runs: survivors run all suites, and most are killed long before. Copies
 * the project (node_modules is linked); nothing is written outside of the copy.
 */
export function newGround(depth: number): Ground {
  const folder = mkdtempSync(join(tmpdir(), 'kerros-mutants-'))
  for (const name of ALL) cpSync(name, join(folder, name), { recursive: true })
  symlinkSync(realpathSync('node_modules'), join(folder, 'node_modules'))
  makeRoom(join(folder, 'hardhat.config.ts'))
  let [child, trials] = [start(folder, depth), 0]
  return {
    try: async (trial) => {
      const verdict = await asked(child, trial)
      for (const file of Object.keys(trial.built))
        cpSync(`artifacts/${file}`, join(folder, 'artifacts', file), { recursive: true })
      if (++trials < TRIALS && !verdict.late) return verdict
      // What was broken off leaves chains and hooks behind; the next process loads while the compiler works.
      child.kill('SIGKILL')
      ;[child, trials] = [start(folder, depth), 0]
      return verdict
    },
    close: () => {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Code that is built quickly, or for many mutants, is larger than what a chain takes. */
function makeRoom(config: string): void {
  const text = readFileSync(config, 'utf8')
  const loose = 'allowUnlimitedContractSize: true, transactionGasCap: 200_000_000, blockGasLimit: 200_000_000,'
  const made = text.replace("type: 'edr-simulated',", `type: 'edr-simulated', ${loose}`)
  if (made === text) throw new Error(`${config} names no simulated chain`)
  writeFileSync(config, made)
}

function start(folder: string, depth: number): ChildProcess {
  const options = { cwd: folder, execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] as const }
  const env = { ...process.env, KERROS_DEPTH: String(depth) }
  return fork(join(folder, 'bench/mutants/suite.child.ts'), { ...options, env, stdio: [...options.stdio] })
}

function asked(child: ChildProcess, trial: Trial): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const stuck: Verdict = { failed: undefined, passed: 0, spent: trial.limit, late: true }
    const timer = setTimeout(() => end(() => resolve(stuck)), PATIENCE * trial.limit)
    const answered = (answer: Verdict & { readonly broken?: string }) =>
      end(() => (answer.broken ? reject(new Error(answer.broken)) : resolve(answer)))
    const gone = (code: number | null) =>
      end(() => reject(new Error(`the process that runs the suites ended (${code})`)))
    const end = (then: () => void) => {
      clearTimeout(timer)
      child.off('message', answered).off('exit', gone)
      then()
    }
    child.on('message', answered).on('exit', gone).send(trial)
  })
}
