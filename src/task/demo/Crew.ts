import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Fault } from '../../edge/Fault.ts'
import type { TreeOperatorLine, TreeOperatorTask } from './TreeOperator.ts'

const SCRIPT = fileURLToPath(new URL('./TreeOperator.ts', import.meta.url))
/** Milliseconds that a process has to end by itself. */
const PATIENCE = 10_000

/** A process that waits to be told which operator it is: to start one takes a while. */
export interface Recruit {
  /** Resolves once the operator serves. Faults: CallFailed. */
  hire(task: TreeOperatorTask): Promise<Crew>
  stop(): Promise<void>
}

/** An operator in a process of its own. */
export interface Crew {
  /** Where it serves its API. */
  readonly url: string
  readonly isRegistered: () => boolean
  /** Why it could not go on; undefined while it does. */
  readonly failure: () => string | undefined
  /** Ends it: by itself, or by force if it takes too long. */
  stop(): Promise<void>
}

/** Starts a process. */
export function recruit(): Recruit {
  const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, 'run'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  let [registered, failed]: [boolean, string | undefined] = [false, undefined]
  const { promise: serving, resolve, reject } = Promise.withResolvers<string>()
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as TreeOperatorLine
    if (line.kind === 'serving') resolve(line.url)
    if (line.kind === 'registered') registered = true
    if (line.kind !== 'failed') return
    failed = line.why
    reject(new Fault('CallFailed', `an operator could not go on: ${line.why}`))
  })
  child.once('exit', () => reject(new Fault('CallFailed', 'an operator ended before it served')))
  serving.catch(() => undefined) // heard by whoever hires
  const stop = () => end(child, ended)
  const hire = async (task: TreeOperatorTask) => {
    child.stdin.write(`${JSON.stringify(task)}\n`)
    return { url: await serving, isRegistered: () => registered, failure: () => failed, stop }
  }
  return { hire, stop }
}

async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.stdin?.end()
  const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  await ended
  clearTimeout(late)
}
