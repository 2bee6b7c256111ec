import { Worker } from 'node:worker_threads'
import type { Domain } from '../../core/base/Signature.ts'
import { check } from '../../core/plasma/Packed.ts'
import type { Checker } from './Checker.ts'

interface Job {
  readonly court: Domain
  readonly packed: Uint8Array
  readonly done: (checked: Uint8Array) => void
}

/** A thread and what it has not answered yet, oldest first. */
interface Thread {
  readonly worker: Worker
  readonly jobs: Job[]
}

const FILE = new URL('./Thread.ts', import.meta.url)

/**
 * A checker with `count` threads besides the caller's. A thread that dies is replaced, and what it had not answered is
 * done in the caller's; threads that have nothing to do keep no process alive.
 */
export function threads(count: number): Checker {
  const all: Thread[] = []
  let isClosed = false

  function start(place: number): Thread {
    const thread: Thread = { worker: new Worker(FILE), jobs: [] }
    thread.worker.unref()
    thread.worker.on('message', (checked: Uint8Array) => settle(thread, checked))
    thread.worker.on('error', () => {}) // its end says all that matters
    thread.worker.on('exit', () => {
      if (!isClosed) all[place] = start(place)
      for (const { court, packed, done } of thread.jobs.splice(0)) done(check(court, packed))
    })
    return thread
  }

  for (let place = 0; place < count; place++) all.push(start(place))
  return {
    check(court, packed, done) {
      const thread = all.reduce((least, one) => (one.jobs.length < least.jobs.length ? one : least))
      if (thread.jobs.push({ court, packed, done }) === 1) thread.worker.ref()
      thread.worker.postMessage({ court, packed })
    },
    async close() {
      isClosed = true
      await Promise.all(all.map(({ worker }) => worker.terminate()))
    },
  }
}

function settle({ worker, jobs }: Thread, checked: Uint8Array): void {
  const job = jobs.shift()
  if (jobs.length === 0) worker.unref()
  job?.done(checked)
}
