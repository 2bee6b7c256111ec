import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** What solc says of a part of a source: a number for the kind of message, and where it starts. */
export interface Said {
  readonly severity: 'info' | 'warning' | 'error'
  readonly errorCode: string
  readonly message: string
  readonly sourceLocation?: { readonly file: string; readonly start: number }
}

interface Compiled {
  readonly errors?: readonly Said[]
  readonly contracts?: {
    readonly [file: string]: {
      readonly [name: string]: {
        readonly abi: object[]
        readonly evm: { readonly bytecode: { readonly object: string } }
      }
    }
  }
}

const require = createRequire(import.meta.url)
const solc = require('solc') as {
  readonly compile: (input: string, read: { import(path: string): { contents: string } }) => string
}

/** The text of a source of this project or of a package; throws if there is none. */
export function sourceOf(path: string): string {
  return readFileSync(path.startsWith('@') ? require.resolve(path) : path, 'utf8')
}

/** A file compiled with these settings by solc itself, its imports read through `read`. Throws if it does not compile. */
export function compiled(file: string, settings: object, read: (path: string) => string): Compiled {
  const input = { language: 'Solidity', sources: { [file]: { content: read(file) } }, settings }
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: (path) => ({ contents: read(path) }) }))
  const { errors = [] } = output as Compiled
  const broken = errors.find(({ severity }) => severity === 'error')
  if (broken) throw new Error(`${file} does not compile: ${broken.message}`)
  return output as Compiled
}
