import { readFileSync, writeFileSync } from 'node:fs'
import { reason } from '../../edge/Fault.ts'
import { Trouble } from './Trouble.ts'

/** Writes a file that only its owner can read. Trouble if there is one of this name: nothing is replaced. */
export function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 })
  } catch (why) {
    const isThere = (why as NodeJS.ErrnoException).code === 'EEXIST'
    const what = isThere ? 'exists and is not replaced: choose another name' : `cannot be written (${reason(why)})`
    throw new Trouble(isThere ? 'FileExists' : 'FileUnwritable', `${path} ${what}`, why)
  }
}

/** The text of a file that a person has named. Trouble if it cannot be read. */
export function readNamed(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (why) {
    throw new Trouble('FileUnreadable', `${path} cannot be read (${reason(why)}): name the right file`, why)
  }
}
