import { type ChildProcess, fork } from 'node:child_process'
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Trial, Verdict } from './suite.child.ts'

const COPIED = ['artifacts', 'bench/mutants', 'contracts', 'hardhat.config.ts', 'package.json', 'src', 'test']
const ALL = [...COPIED, 'tsconfig.json', 'typechain-types']

/** How a trial ended; `timeout` counts as killed, since the suites end in time on the right code. */
export type Ending = { readonly kind: 'timeout' } | ({ readonly kind: 'done' } & Verdict)

/** A temporary copy of the built project and one process in it that runs suites, a new one for every trial. */
export interface Ground {
  readonly try: (trial: Trial, limit: number) => Promise<Ending>
  readonly close: () => void
}

/** Copies the project (node_modules is linked); nothing is written outside of the copy. */
export function newGround(): Ground {
  const folder = mkdtempSync(join(tmpdir(), 'kerros-mutants-'))
  for (const name of ALL) cpSync(name, join(folder, name), { recursive: true })
  symlinkSync(realpathSync('node_modules'), join(folder, 'node_modules'))
  let child = start(folder)
  return {
    try: async (trial, limit) => {
      const ending = await asked(child, trial, limit)
      // A run that was broken off leaves chains and hooks behind; the next process loads while the compiler works.
      child.kill('SIGKILL')
      for (const file of Object.keys(trial.built))
        cpSync(`artifacts/${file}`, join(folder, 'artifacts', file), { recursive: true })
      child = start(folder)
      return ending
    },
    close: () => {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function start(folder: string): ChildProcess {
  const options = { cwd: folder, execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] as const }
  return fork(join(folder, 'bench/mutants/suite.child.ts'), { ...options, stdio: [...options.stdio] })
}

function asked(child: ChildProcess, trial: Trial, limit: number): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(() => resolve({ kind: 'timeout' })), limit)
    const answered = (answer: Verdict & { readonly broken?: string }) =>
      end(() => (answer.broken ? reject(new Error(answer.broken)) : resolve({ kind: 'done', ...answer })))
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
