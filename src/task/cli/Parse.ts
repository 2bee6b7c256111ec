import { parseArgs } from 'node:util'
import type { Argument, Call, Command, Option } from './Command.ts'
import { Misuse, nearest } from './Trouble.ts'

/** What every command takes. */
export const EVERYWHERE: readonly Option[] = [
  { name: 'json', about: 'print one JSON document instead of words' },
  { name: 'help', about: 'tell of this command' },
]

/** What was asked of a command. */
export type Asked = Pick<Call, 'args' | 'options'>

/** The command that the first words name, and the words behind it. Misuse says which are near. */
export function commandOf(commands: readonly Command[], words: readonly string[]): readonly [Command, string[]] {
  const found = commands.find(({ path }) => path.every((part, i) => words[i] === part))
  if (found) return [found, words.slice(found.path.length)]
  const named = words.filter((word) => !word.startsWith('-'))
  let [some, depth] = [commands, 0]
  for (let next = under(some, named, 1); next.length > 0; next = under(some, named, depth + 1))
    [some, depth] = [next, depth + 1]
  const [word = '', known] = [named[depth], [...new Set(some.flatMap(({ path }) => path[depth] ?? []))]]
  const near = nearest(word, known)
  const had = word === '' ? `kerros ${named.join(' ')} needs one more word` : `"${word}" is no command of kerros`
  throw new Misuse(`${had}: ${near ? `did you mean ${near}?` : `it takes ${known.join(', ')}`}`)
}

/** The commands whose first `depth` words are those. */
export function under(commands: readonly Command[], words: readonly string[], depth: number): readonly Command[] {
  if (words.length < depth) return []
  return commands.filter(
    ({ path }) => path.length >= depth && words.slice(0, depth).every((word, i) => path[i] === word),
  )
}

/** The words under which several commands stand: ["channel"], ["plasma", "operator"]; each once, and no command itself. */
export function nounsOf(commands: readonly Command[]): readonly (readonly string[])[] {
  const all = commands.flatMap(({ path }) => path.slice(1).map((_, i) => path.slice(0, i + 1).join(' ')))
  return [...new Set(all)].map((words) => words.split(' '))
}

/** Reads the words behind a command. Misuse says what is unknown, missing or too much, and what was probably meant. */
export function parse(command: Command, words: readonly string[]): Asked {
  const known = [...command.options, ...EVERYWHERE]
  const types = known.map(({ name, value }) => [name, { type: value === undefined ? 'boolean' : 'string' }] as const)
  const { tokens } = parseArgs({
    args: [...words],
    options: { ...Object.fromEntries(types), h: { type: 'boolean' } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const options: Record<string, string | true> = {}
  const placed: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') placed.push(token.value)
    if (token.kind !== 'option') continue
    const { name } = token
    if (options[name] !== undefined) throw new Misuse(`--${name} is given twice: give it once`)
    if (name === 'h') options.help = true
    else options[name] = meant(command, known, token)
  }
  return { args: options.help ? {} : place(command, placed), options }
}

interface Token {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function meant(command: Command, known: readonly Option[], token: Token): string | true {
  const { name, rawName, value, inlineValue } = token
  const option = known.find((one) => one.name === name)
  if (!option) throw new Misuse(unknown(command, known, name, rawName))
  if (option.value === undefined) {
    if (value !== undefined) throw new Misuse(`--${name} takes no value: leave it away`)
    return true
  }
  if (value === undefined || value === '' || (!inlineValue && value.startsWith('--')))
    throw new Misuse(`--${name} needs a value: --${name} ${option.value}`)
  return value
}

const SECRET = /^(?:private-?)?key$|^pass(?:word|phrase)?$|^secret$|^mnemonic$|^token$/i

function unknown(command: Command, known: readonly Option[], name: string, rawName: string): string {
  if (SECRET.test(name))
    return `${rawName} is refused: what stands on a command line is seen by others; name a file that holds it, or type it when asked`
  const near = nearest(
    name,
    known.map((one) => one.name),
  )
  const line = command.path.join(' ')
  return `kerros ${line} has no ${rawName}: ${near ? `did you mean --${near}?` : `kerros ${line} --help tells what it takes`}`
}

function place({ args, path }: Command, placed: readonly string[]): Readonly<Record<string, string>> {
  const given: Record<string, string> = {}
  for (const [i, arg] of args.entries()) {
    const words = arg.rest ? placed.slice(i) : placed.slice(i, i + 1)
    if (words.length > 0) given[arg.name] = words.join(' ')
    else if (!arg.optional) throw new Misuse(`kerros ${path.join(' ')} needs ${arg.name}, ${arg.about}`)
  }
  const surplus = args.some(({ rest }) => rest) ? undefined : placed[args.length]
  if (surplus !== undefined) throw new Misuse(`"${surplus}" is too much: ${usage({ args, path })}`)
  return given
}

/** How a command is written: "kerros channel pay ID AMOUNT". */
export function usage({ path, args }: Pick<Command, 'path' | 'args'>): string {
  return ['kerros', ...path, ...args.map(shown)].join(' ')
}

function shown({ name, optional, rest }: Argument): string {
  const word = rest ? `${name}…` : name
  return optional ? `[${word}]` : word
}
