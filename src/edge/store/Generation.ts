import { closeSync, existsSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { Fault, reason } from '../Fault.ts'
import { openStore } from './Sqlite.ts'
import type { Store } from './Store.ts'

/** A store that can tell whether it is an older copy of itself. */
export interface Marked {
  readonly store: Store
  /** Whether newer rows than these were once committed: a backup was put back, or the marker is lost. */
  readonly isRestored: boolean
}

const TABLE = 'generation'
const BYTES = 8

/**
 * Opens the store file at `path` for `identity` with its marker at `marker`: what a node is started with, so that it
 * knows a backup that was put back. Whatever is refused is left closed.
 */
export function openMarked(path: string, marker: string, identity: string): Marked {
  const store = openStore(path, identity)
  try {
    return markGenerations(store, marker)
  } catch (why) {
    store.close()
    throw why
  }
}

/**
 * Counts a store's commits, in the store and in a marker file at `path`, which must stay out of every backup of the
 * store. The marker follows each commit, so it is never ahead of a store that was not set back, whatever crashes.
 */
export function markGenerations(store: Store, path: string): Marked {
  const kept = (store.get(TABLE, TABLE) ?? 0) as number
  const marked = guarded(path, () => read(path))
  let generation = Math.max(kept, marked ?? 0)
  const file = guarded(path, () => openSync(path, marked === undefined ? 'w' : 'r+'))
  if (marked === undefined) guarded(path, () => fsyncSync(write(file, generation)))
  const following: Store = {
    get: (table, key) => store.get(table, key),
    all: (table, range) => store.all(table, range),
    commit(rows) {
      store.commit([...rows, { table: TABLE, key: TABLE, value: generation + 1 }])
      generation++
      guarded(path, () => write(file, generation))
    },
    close: once(() => {
      store.close()
      closeSync(file)
    }),
  }
  return { store: following, isRestored: marked === undefined ? kept > 0 : marked > kept }
}

function read(path: string): number | undefined {
  if (!existsSync(path)) return undefined
  const bytes = Buffer.alloc(BYTES)
  const file = openSync(path, 'r')
  const length = readSync(file, bytes, 0, BYTES, 0)
  closeSync(file)
  // Half a marker says nothing of what was committed.
  return length === BYTES ? Number(bytes.readBigUInt64BE()) : undefined
}

function write(file: number, generation: number): number {
  const bytes = Buffer.alloc(BYTES)
  bytes.writeBigUInt64BE(BigInt(generation))
  writeSync(file, bytes, 0, BYTES, 0)
  return file
}

function once(run: () => void): () => void {
  let done = false
  return () => {
    if (!done) run()
    done = true
  }
}

function guarded<T>(path: string, run: () => T): T {
  try {
    return run()
  } catch (why) {
    const remedy = 'see to the disk and its permissions and start again, what was acknowledged is kept'
    throw new Fault('StoreFailed', `the marker ${path} could not be read or written (${reason(why)}); ${remedy}`, why)
  }
}
