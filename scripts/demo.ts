// Runs both protocols on a local chain, narrated, and checks every balance to the wei.
import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import hre from 'hardhat'
import { reason } from '../src/edge/Fault.ts'
import { encode } from '../src/edge/Json.ts'
import { conclude, demo, type Summary, wrong } from '../src/task/demo/Demo.ts'
import { ground, interrupted } from '../src/task/demo/Ground.ts'
import { type Voice, voiceOn } from '../src/task/demo/Voice.ts'

const HELP = `npm run demo -- [--payments N] [--network localhost] [--json] [--keep]

Opens channels, pays, cheats and is caught; deposits into Plasma, pays, leaves, steals and is caught. Exits 0 only if
every balance is exactly what it must be.

  --payments N     channel payments to make, 100 to 1,000,000 (10,000); Plasma makes a 25th of it, 300 at least
  --network NAME   run on this network of hardhat.config.ts instead of a chain in process: localhost, which
                   npm run chain serves. Its clock is turned on by about two weeks
  --json           print the figures as JSON and tell the story to stderr
  --keep           leave the stores behind, and a chain in process up, until Ctrl-C; says how to reach them
  --help           this text`

const OPTIONS = {
  payments: { type: 'string', default: '10000' },
  network: { type: 'string', default: 'default' },
  json: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS })
  if (values.help) return console.log(HELP)
  const payments = Number(values.payments)
  if (!Number.isInteger(payments) || payments < 100 || payments > 1_000_000)
    throw new Error(`"${values.payments}" is no number of payments: use 100 to 1000000`)
  const voice = voiceOn(values.json ? process.stderr : process.stdout)
  const { connection, url, stop } = await ground(hre.network, values.network, values.keep)
  const summary = await demo(connection, voice, payments)
  conclude(summary, voice)
  if (values.json) console.log(encode(summary, 2))
  if (wrong(summary).length > 0) process.exitCode = 1
  if (!values.keep) rmSync(summary.folder, { recursive: true, force: true })
  else await keep(summary, voice, url)
  await stop()
}

async function keep({ addresses, folder }: Summary, voice: Voice, url: string | undefined): Promise<void> {
  voice.chapter('Kept for you')
  voice.say(`The chain answers at ${url}, the stores are in ${folder}.`)
  for (const [name, address] of Object.entries(addresses)) voice.say(`${name}: ${address}`)
  voice.say('Ctrl-C ends the chain; the folder stays.')
  await interrupted()
}

await main().catch((why) => {
  console.error(`demo: ${reason(why)}`)
  process.exitCode = 1
})
