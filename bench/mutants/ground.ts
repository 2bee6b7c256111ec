import { type ChildProcess, fork } from 'node:child_process'
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Trial, Verdict } from './suite.child.ts'

const COPIED = ['artifacts', 'bench/mutants', 'contracts', 'hardhat.config.ts', 'package.json', 'src', 'test']
const ALL = [...COPIED, 'tsconfig.json', 'typechain-types']

/** A process that answers nothing for so many times its processor's limit is stuck. */
const PATIENCE = 20
/** Random runs in a trial, as a share of the usual ones: survivors run all suites, and most are killed long before. */
const DEPTH = process.env.KERROS_DEPTH ?? '0.2'

/** A temporary copy of the built project and one process in it that runs suites, a new one for every trial. */
export interface Ground {
  readonly try: (trial: Trial) => Promise<Verdict>
  readonly close: () => void
}

/** Copies the project (node_modules is linked); nothing is written outside of the copy. */
export function newGround(): Ground {
  const folder = mkdtempSync(join(tmpdir(), 'kerros-mutants-'))
  for (const name of ALL) cpSync(name, join(folder, name), { recursive: true })
  symlinkSync(realpathSync('node_modules'), join(folder, 'node_modules'))
  let child = start(folder)
  return {
    try: async (trial) => {
      const verdict = await asked(child, trial)
      // A run that was broken off leaves chains and hooks behind; the next process loads while the compiler works.
      child.kill('SIGKILL')
      for (const file of Object.keys(trial.built))
        cpSync(`artifacts/${file}`, join(folder, 'artifacts', file), { recursive: true })
      child = start(folder)
      return verdict
    },
    close: () => {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function start(folder: string): ChildProcess {
  const options = { cwd: folder, execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] as const }
  const env = { ...process.env, KERROS_DEPTH: DEPTH }
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
