import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Plain, Row } from '../../core/base/Step.ts'
import { decode, type Frame } from '../Codec.ts'
import { Fault, reason } from '../Fault.ts'
import { frameOf } from './Memory.ts'
import type { Range, Store } from './Store.ts'

/** The layout of a store file; a file of an older one is brought forward when it is opened. */
export const VERSION = 2
/** Marks a file as one of ours, in SQLite's header: "krrs". */
const APPLICATION = 0x6b727273
/** What brings a file of version i + 1 to i + 2. */
const MIGRATIONS: readonly string[] = [
  // From 2 on changes of locks are bytes. What an older program stored is read as it is; what is stored now it cannot read.
  '',
]

const LAYOUT = `
  CREATE TABLE about (identity TEXT NOT NULL) STRICT;
  CREATE TABLE rows (tab TEXT NOT NULL, key TEXT NOT NULL, value ANY NOT NULL, PRIMARY KEY (tab, key))
    STRICT, WITHOUT ROWID;`

/**
 * Opens the store file at `path`, or creates it, for the one who calls itself `identity`. A file that is corrupt,
 * somebody else's, in use or newer than this program is refused with a Fault and left as it is.
 */
export function openStore(path: string, identity: string): Store {
  if (!existsSync(path)) guarded(path, () => create(path, identity))
  checkHeader(path)
  return guarded(path, () => {
    const db = new DatabaseSync(path)
    try {
      enter(db, path, identity)
      return storeOn(db, path)
    } catch (why) {
      db.close()
      throw why
    }
  })
}

/** A file appears under its name only when it is complete, so an empty or half-made one is never taken for a new one. */
function create(path: string, identity: string): void {
  mkdirSync(dirname(path), { recursive: true })
  const unfinished = `${path}.${process.pid}.new`
  rmSync(unfinished, { force: true })
  const db = new DatabaseSync(unfinished)
  try {
    db.exec(`PRAGMA synchronous = EXTRA; PRAGMA application_id = ${APPLICATION}; BEGIN; ${LAYOUT}`)
    db.prepare('INSERT INTO about VALUES (?)').run(identity)
    db.exec(`PRAGMA user_version = ${VERSION}; COMMIT`)
    db.close()
    if (!existsSync(path)) linkSync(unfinished, path)
  } finally {
    if (db.isOpen) db.close()
    rmSync(unfinished, { force: true })
  }
  syncFolder(dirname(path))
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const file = openSync(folder, 'r')
  fsyncSync(file)
  closeSync(file)
}

/** Reads the file's header with no help of SQLite, which might repair what must only be refused. */
function checkHeader(path: string): void {
  const header = Buffer.alloc(100)
  const length = guarded(path, () => readHeader(path, header))
  if (length === header.length && header.toString('latin1', 0, 16) === 'SQLite format 3\0') {
    if (header.readUInt32BE(68) !== APPLICATION) throw foreign(path, 'the database of another program')
    checkVersion(path, header.readUInt32BE(60))
  } else throw corrupt(path, length === 0 ? 'it is empty' : 'it does not begin as a store does')
}

function readHeader(path: string, header: Buffer): number {
  const file = openSync(path, 'r')
  try {
    return readSync(file, header, 0, header.length, 0)
  } finally {
    closeSync(file)
  }
}

function checkVersion(path: string, version: number): void {
  if (version <= VERSION) return
  throw new Fault(
    'StoreNewer',
    `${path} has the layout of version ${version} and this program knows up to ${VERSION}; update kerros, nothing was changed`,
  )
}

/** Takes the file for this process alone, then looks whether it is whole and whose it is. */
function enter(db: DatabaseSync, path: string, identity: string): void {
  db.exec(
    'PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE; COMMIT',
  )
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  checkVersion(path, version)
  const { quick_check: health } = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string }
  if (health !== 'ok') throw corrupt(path, health)
  const owner = db.prepare('SELECT identity FROM about').get()?.identity
  if (owner !== identity) throw foreign(path, `the store of ${owner}`, identity)
  db.exec('PRAGMA journal_mode = WAL')
  for (let from = version; from < VERSION; from++) {
    db.exec(`BEGIN; ${MIGRATIONS[from - 1]}; PRAGMA user_version = ${from + 1}; COMMIT`)
  }
}

function storeOn(db: DatabaseSync, path: string): Store {
  const get = db.prepare('SELECT value FROM rows WHERE tab = ? AND key = ?')
  const page = db.prepare('SELECT key, value FROM rows WHERE tab = ? AND key > ? ORDER BY key LIMIT ?')
  const every = db.prepare('SELECT key, value FROM rows WHERE tab = ? ORDER BY key LIMIT ?')
  const put = db.prepare('INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
  const remove = db.prepare('DELETE FROM rows WHERE tab = ? AND key = ?')
  const [begin, commit] = [db.prepare('BEGIN IMMEDIATE'), db.prepare('COMMIT')]

  function write(rows: readonly Row[]): void {
    begin.run()
    for (const row of rows) {
      const frame = frameOf(row)
      if (frame === undefined) remove.run(row.table, row.key)
      else put.run(row.table, row.key, frame)
    }
    commit.run()
  }

  return {
    get(table, key) {
      const row = guarded(path, () => get.get(table, key))
      return row && valueIn(path, row.value)
    },
    all(table, { after, limit = -1 }: Range = {}) {
      const rows = guarded(path, () => (after === undefined ? every.all(table, limit) : page.all(table, after, limit)))
      return rows.map(({ key, value }) => [String(key), valueIn(path, value)] as const)
    },
    commit(rows) {
      guarded(path, () => {
        try {
          write(rows)
        } catch (why) {
          if (db.isOpen && db.isTransaction) db.exec('ROLLBACK')
          throw why
        }
      })
    },
    close() {
      if (db.isOpen) db.close()
    },
  }
}

function valueIn(path: string, frame: unknown): Plain {
  try {
    return decode(frame as Frame)
  } catch (why) {
    throw corrupt(path, reason(why))
  }
}

// SQLITE_ERROR too: the statements are right, so a table that they miss is damage.
const CORRUPT = [1, 11, 26]
const BUSY = [5, 6]

/** Runs what touches the file; whatever SQLite or the file system says comes out as a Fault. */
function guarded<T>(path: string, run: () => T): T {
  try {
    return run()
  } catch (why) {
    throw why instanceof Fault ? why : faultOf(path, why)
  }
}

function faultOf(path: string, why: unknown): Fault {
  const { errcode, code } = why as { errcode?: number; code?: string }
  const primary = errcode === undefined ? undefined : errcode & 0xff
  if (primary !== undefined && CORRUPT.includes(primary)) return corrupt(path, reason(why), why)
  if (primary !== undefined && BUSY.includes(primary)) {
    return new Fault(
      'StoreBusy',
      `${path} is in use by another process; stop that one first, or name another file`,
      why,
    )
  }
  if (code === 'ERR_INVALID_STATE') return new Fault('StoreClosed', 'this store was closed; open it again', why)
  return new Fault(
    'StoreFailed',
    `${path} could not be read or written (${reason(why)}); see to the disk and its permissions and start again, what was acknowledged is kept`,
    why,
  )
}

function corrupt(path: string, what: string, why?: unknown): Fault {
  const remedy = 'put a copy of the whole file back or name another one, nothing was changed'
  return new Fault('StoreCorrupt', `${path} is damaged (${what.replace(/\s+/g, ' ')}); ${remedy}`, why)
}

function foreign(path: string, had: string, identity?: string): Fault {
  const needed = identity === undefined ? 'not a store of kerros' : `not that of ${identity}`
  return new Fault('StoreForeign', `${path} is ${had}, ${needed}; name another file, nothing was changed`)
}
