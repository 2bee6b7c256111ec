import { closeSync, openSync } from 'node:fs'
import { ReadStream, WriteStream } from 'node:tty'
import { Fault, reason } from '../Fault.ts'
import { readSecret } from './SecretFile.ts'

/** Where a password may come from. Never from the command line, which everybody on a machine can read. */
export interface PasswordSource {
  /** A file whose first line is the password. */
  readonly file?: string | undefined
  /** The environment: KERROS_PASSWORD_FILE names such a file. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Hears of a file that others can open too. */
  readonly warn?: (warning: string) => void
  /** Asks a person, with hidden letters; the terminal unless given. */
  readonly ask?: (question: string) => Promise<string>
}

/** The name of the variable that names a password's file. */
export const PASSWORD_FILE = 'KERROS_PASSWORD_FILE'

/**
 * The password of a key: from the named file, the one that KERROS_PASSWORD_FILE names, or a person at the terminal, who
 * is asked twice for a new one. Faults: NoPassword (none to be had, empty, or not twice the same), KeyMissing.
 */
export async function passwordFor(what: string, isNew: boolean, source: PasswordSource = {}): Promise<string> {
  const { file = (source.env ?? process.env)[PASSWORD_FILE], ask = askTerminal, warn = () => {} } = source
  const password = file ? firstLine(readSecret(file, warn)) : await ask(`Password of ${what}: `)
  if (password === '') {
    throw new Fault('NoPassword', `The password of ${what} is empty${file ? ` in ${file}` : ''}: give one`)
  }
  if (isNew && !file && (await ask('The same again: ')) !== password) {
    throw new Fault('NoPassword', `The two passwords of ${what} differ: start again`)
  }
  return password
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0]!
}

/** Asks at the process's own terminal, whatever its input and output are, and shows nothing of the answer. */
export async function askTerminal(question: string): Promise<string> {
  const [input, output] = terminal()
  try {
    output.write(question)
    input.setRawMode(true)
    return await typed(input)
  } finally {
    input.setRawMode(false)
    output.write('\n')
    input.destroy()
    output.destroy()
  }
}

function terminal(): readonly [ReadStream, WriteStream] {
  const opened: number[] = []
  try {
    for (const mode of ['r', 'w']) opened.push(openSync('/dev/tty', mode))
    return [new ReadStream(opened[0]!), new WriteStream(opened[1]!)]
  } catch (why) {
    opened.forEach(closeSync)
    const remedy = `put the password in a file and name it in ${PASSWORD_FILE}`
    throw new Fault('NoPassword', `There is no terminal to ask for a password (${reason(why)}): ${remedy}`, why)
  }
}

/** What is typed up to the end of the line; backspace works, an interrupt ends it. Pasted lines count as one key. */
function typed(input: ReadStream): Promise<string> {
  return new Promise((done, failed) => {
    let line = ''
    input.setEncoding('utf8')
    input.on('error', failed)
    input.on('end', () => done(line))
    input.on('data', (keys) => {
      for (const key of String(keys)) {
        if (key === '\r' || key === '\n' || key === '\u0004') return done(line)
        if (key === '\u0003') return failed(new Fault('NoPassword', 'The question for the password was interrupted'))
        line = key === '\u007f' || key === '\b' ? [...line].slice(0, -1).join('') : line + key
      }
    })
  })
}
