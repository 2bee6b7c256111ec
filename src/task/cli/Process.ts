import { COMMANDS } from './Commands.ts'
import { main } from './Main.ts'

/** Runs one command line, without "kerros", on this process's own streams; its exit code is the process's. */
export async function kerros(words: readonly string[]): Promise<void> {
  // Whoever reads the answer may have seen enough: `kerros channel list | head -1`.
  process.stdout.on('error', (why: NodeJS.ErrnoException) => process.exit(why.code === 'EPIPE' ? 0 : 1))
  process.exitCode = await main(COMMANDS, words, process.env, {
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
  })
  if (process.connected) process.disconnect()
  // What still looks after a transaction must not keep a command from ending that has answered.
  setTimeout(() => process.exit(), 500).unref()
}
