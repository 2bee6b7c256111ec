import { emptyTask, task } from 'hardhat/config'
import { ArgumentType } from 'hardhat/types/arguments'
import type { HardhatRuntimeEnvironment } from 'hardhat/types/hre'
import type { HardhatPlugin } from 'hardhat/types/plugins'
import type { TaskDefinition } from 'hardhat/types/tasks'
import type { Command } from './cli/Command.ts'
import { COMMANDS } from './cli/Commands.ts'
import { nounsOf } from './cli/Parse.ts'

/** Every command of kerros as a task of Hardhat: `kerros channel pay …` is `hardhat kerros channel pay …`. */
const plugin: HardhatPlugin = { id: 'kerros', npmPackage: 'kerros', tasks: tasks() }

export default plugin

function tasks(): TaskDefinition[] {
  const empty = (id: string[], about: string) => emptyTask(id, about).build()
  const parents = nounsOf(COMMANDS).map((noun) => empty(['kerros', ...noun], `kerros ${noun.join(' ')}: see its tasks`))
  return [
    empty(['kerros'], 'Payment channels and Plasma: what the kerros command does'),
    ...parents,
    ...COMMANDS.map(taskOf),
  ]
}

function taskOf(command: Command): TaskDefinition {
  const about = `${command.about[0]!.toUpperCase()}${command.about.slice(1)}`
  let made = task(['kerros', ...command.path], about)
  for (const { name, about, optional, rest } of command.args) {
    const argument = { name: name.toLowerCase(), description: about }
    if (rest) made = made.addVariadicArgument({ ...argument, ...(optional ? { defaultValue: [] } : {}) }) as typeof made
    else made = made.addPositionalArgument({ ...argument, ...(optional ? { defaultValue: '' } : {}) }) as typeof made
  }
  for (const { name, value, about } of [
    ...command.options,
    { name: 'json', about: 'Print one JSON document' },
  ] as const) {
    const option = { name: camel(name), description: about }
    if (value === undefined) made = made.addFlag(option) as typeof made
    else
      made = made.addOption({
        ...option,
        type: ArgumentType.STRING_WITHOUT_DEFAULT,
        defaultValue: undefined,
      }) as typeof made
  }
  return made.setAction(async () => ({ default: (given, hre) => run(command, given, hre) })).build()
}

/** Runs a task as the command line does; what fails is told as there, and Hardhat's exit code is the command's. */
async function run(command: Command, given: Record<string, unknown>, hre: HardhatRuntimeEnvironment): Promise<void> {
  const { perform } = await import('./cli/Main.ts')
  const args = command.args.map(({ name }) => [name, wordsOf(given[name.toLowerCase()])] as const)
  const options = [...command.options, { name: 'json' }].map(({ name }) => [name, given[camel(name)]] as const)
  const asked = {
    args: Object.fromEntries(args.filter(([, words]) => words !== '')),
    options: Object.fromEntries(options.filter(([, value]) => value !== undefined && value !== false)) as Record<
      string,
      string | true
    >,
  }
  const code = await perform(command, asked, await environment(hre), {
    out: (text) => console.log(text),
    err: (text) => console.error(text),
  })
  if (code !== 0) process.exitCode = code
}

function wordsOf(value: unknown): string {
  return Array.isArray(value) ? value.join(' ') : String(value ?? '')
}

/** The process's environment; a network that was named to Hardhat is the chain, as KERROS_RPC would be. */
async function environment({ globalOptions, config }: HardhatRuntimeEnvironment): Promise<NodeJS.ProcessEnv> {
  const named = globalOptions.network === undefined ? undefined : config.networks[globalOptions.network]
  return named?.type === 'http' ? { ...process.env, KERROS_RPC: await named.url.getUrl() } : process.env
}

function camel(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
