import type { Command } from './Command.ts'
import { EVERYWHERE, usage } from './Parse.ts'

const WIDTH = 110

/** What kerros can do, a line for each command. */
export function overview(commands: readonly Command[]): string {
  const rows = commands.map((command) => [usage(command).slice('kerros '.length), command.about] as const)
  return `kerros COMMAND [options]      payment channels and Plasma on Ethereum, from the command line

${list(rows)}

Every command takes --json (one JSON document on stdout; errors too) and --help (with examples).
Settings: flags, then KERROS_HOME and KERROS_RPC, then config.json in the node's folder, which is ~/.kerros unless given
(plasma.json in ~/.kerros/plasma for Plasma).
Amounts carry their unit: 0.25 ETH, 1 gwei, 12.5 USDC. Exit code 0: done; 1: refused, stderr says why; 2: misunderstood.`
}

/** How one command is written, what it takes, and examples. */
export function help(command: Command): string {
  const options = [...command.options, ...EVERYWHERE].map(({ name, value, about }) => {
    return [`--${name}${value ? ` ${value}` : ''}`, about] as const
  })
  const args = command.args.map(({ name, about }) => [name, about] as const)
  const examples = command.examples.map(([line, what]) => `  kerros ${line}\n      ${what}`)
  const answers = command.answers && `With --json it answers:\n${list(Object.entries(command.answers))}`
  const parts = [`${usage(command)} [options]`, wrap(capital(command.about), ''), list([...args, ...options]), answers]
  return [...parts, `Examples:\n${examples.join('\n')}`].filter((part) => part !== undefined).join('\n\n')
}

function capital(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`
}

function list(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  return rows.map(([name, about]) => `  ${name.padEnd(width)}${wrap(about, ' '.repeat(width + 2))}`).join('\n')
}

/** Breaks a text into lines; those after the first begin with `indent`. */
function wrap(text: string, indent: string): string {
  let [out, length] = ['', indent.length]
  for (const word of text.split(' ')) {
    const fits = length + word.length + 1 <= WIDTH
    out += out === '' ? word : fits ? ` ${word}` : `\n${indent}${word}`
    length = out === word || fits ? length + word.length + 1 : indent.length + word.length
  }
  return out
}
