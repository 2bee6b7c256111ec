import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { Fault, reason } from '../Fault.ts'

/** What to do about a secret file that others than its owner can open: refuse it, or tell somebody. */
export type Loose = 'refuse' | ((warning: string) => void)

/** Bytes of a secret file at most. */
const MAX_BYTES = 65_536
const OWNER_ONLY = 0o600

/**
 * Writes a file that only its owner can open (mode 0600), durably and whole or not at all. Faults: KeyExists, because an
 * existing file is never replaced, and StoreFailed.
 */
export function writeSecret(path: string, text: string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    writeWhole(draft, text)
    place(draft, path)
  } catch (why) {
    if ((why as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new Fault('KeyExists', `${path} exists and is not replaced: choose another name, or move it away`, why)
    }
    throw new Fault('StoreFailed', `${path} cannot be written (${reason(why)}): check its folder`, why)
  } finally {
    rmSync(draft, { force: true })
  }
}

function writeWhole(path: string, text: string): void {
  const file = openSync(path, 'wx', OWNER_ONLY)
  try {
    fchmodSync(file, OWNER_ONLY) // whatever the process's mask says
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Gives a file its name; a name that is taken stays as it is. */
function place(draft: string, path: string): void {
  try {
    linkSync(draft, path)
  } catch (why) {
    if ((why as NodeJS.ErrnoException).code === 'EEXIST') throw why
    copyFileSync(draft, path, constants.COPYFILE_EXCL) // a file system without links
  }
  if (process.platform !== 'win32') syncFolder(dirname(path))
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** The text of a secret file. Faults: KeyMissing, KeyMalformed (no plain file, or too long), LooseFile. */
export function readSecret(path: string, loose: Loose): string {
  const file = opened(path)
  try {
    const { mode, size } = fstatSync(file)
    if ((mode & constants.S_IFMT) !== constants.S_IFREG || size > MAX_BYTES) {
      throw new Fault('KeyMalformed', `${path} is no file of at most ${MAX_BYTES} bytes: name the right file`)
    }
    const others = mode & 0o077
    if (others !== 0 && process.platform !== 'win32') tellLoose(path, mode & 0o777, loose)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function opened(path: string): number {
  try {
    // Without waiting: a pipe under this name must not hang the process.
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (why) {
    throw new Fault('KeyMissing', `${path} cannot be read (${reason(why)}): check its name and its owner`, why)
  }
}

function tellLoose(path: string, mode: number, loose: Loose): void {
  const text = `${path} is open to others (mode ${mode.toString(8)}, 600 is needed): run chmod 600 ${path}`
  if (loose === 'refuse') throw new Fault('LooseFile', text)
  loose(text)
}
