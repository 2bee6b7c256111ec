import { encode } from '../../edge/Json.ts'
import type { Answer, Call, Command } from './Command.ts'
import { troubleOf } from './Failure.ts'
import { help, overview } from './Help.ts'
import { type Asked, commandOf, parse, under } from './Parse.ts'

/** Where a command line's words go. */
export interface Streams {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** Runs one command line, without "kerros". Resolves with its exit code: 0 done, 1 refused, 2 not understood, 130 interrupted. */
export async function main(
  commands: readonly Command[],
  words: readonly string[],
  env: Call['env'],
  streams: Streams,
): Promise<number> {
  const isJson = words.includes('--json')
  try {
    const told = helpFor(commands, words)
    if (told !== undefined) {
      streams.out(isJson ? encode({ help: told }, 2) : told)
      return 0
    }
    const [command, rest] = commandOf(commands, words)
    return await perform(command, parse(command, rest), env, streams)
  } catch (why) {
    return fail(why, isJson, streams)
  }
}

/** The text of help if that is what is asked for: of kerros, of a noun's commands, or of one command. */
function helpFor(commands: readonly Command[], words: readonly string[]): string | undefined {
  const asks = words.length === 0 || words[0] === 'help' || words.includes('--help') || words.includes('-h')
  if (!asks) return undefined
  const named = words.filter((word) => !word.startsWith('-') && word !== 'help')
  if (named.length === 0) return overview(commands)
  const some = under(commands, named, named.length)
  if (some.length > 0 && some.every(({ path }) => path.length > named.length)) return overview(some)
  return help(commandOf(commands, named)[0])
}

/** Runs a command whose words have been read. Resolves with its exit code; nothing is thrown. */
export async function perform(
  command: Command,
  { args, options }: Asked,
  env: Call['env'],
  { out, err }: Streams,
): Promise<number> {
  const isJson = options.json === true
  let hasAnswered = false
  const answer = (one: Answer) => {
    hasAnswered = true
    out(isJson ? encode(one.json, 2) : one.text)
  }
  try {
    const run = await command.load()
    const answered = await run({ args, options, env, say: isJson ? err : out, note: err, answer })
    if (answered) answer(answered)
    return 0
  } catch (why) {
    // One document is all that a program reads: what ends a command that has answered is told as its progress is.
    return fail(why, isJson && !hasAnswered, { out, err })
  }
}

const EXITS: Readonly<Record<string, number>> = { Usage: 2, Interrupted: 130 }

function fail(why: unknown, isJson: boolean, { out, err }: Streams): number {
  const { code, message } = troubleOf(why)
  if (isJson) out(encode({ error: { code, message } }, 2))
  else err(`kerros: ${message}`)
  return EXITS[code] ?? 1
}
