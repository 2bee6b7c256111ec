// Runs a tree of chains on a local chain, each operator in a process of its own, narrated, and checks what it came to.
import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import hre from 'hardhat'
import { reason } from '../src/edge/Fault.ts'
import { encode } from '../src/edge/Json.ts'
import { ground } from '../src/task/demo/Ground.ts'
import { demoTree } from '../src/task/demo/Tree.ts'
import { voiceOn } from '../src/task/demo/Voice.ts'

const HELP = `npm run demo:tree -- [--rounds N] [--json]

Runs the operators of a root, three children and a grandchild as processes with stores and ports of their own. Users pay
on each chain, one commitment anchors them all; then every operator ends, and a user of the grandchild leaves. Exits 0
only if everything is exactly what it must be.

  --rounds N   rounds of payments, 1 to 6 (3); each has twice the payments of the one before
  --json       print the figures as JSON and tell the story to stderr
  --help       this text`

const OPTIONS = {
  rounds: { type: 'string', default: '3' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS })
  if (values.help) return console.log(HELP)
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 6)
    throw new Error(`"${values.rounds}" is no number of rounds: use 1 to 6`)
  const voice = voiceOn(values.json ? process.stderr : process.stdout)
  const place = await ground(hre.network, 'default', true)
  try {
    const { folder, ...summary } = await demoTree(place, voice, rounds)
    rmSync(folder, { recursive: true, force: true })
    const wrong = summary.checks.filter(({ have, need }) => have !== need)
    for (const { what, have, need } of wrong) voice.say(`WRONG: ${what}: ${have}, must be ${need}`)
    if (wrong.length === 0) voice.say(`All ${summary.checks.length} sums are exactly what they must be.`)
    if (wrong.length > 0 || summary.anchoringAll === 0) process.exitCode = 1
    if (values.json) console.log(encode(summary, 2))
  } finally {
    await place.stop()
  }
}

await main().catch((why) => {
  console.error(`demo:tree: ${reason(why)}`)
  process.exitCode = 1
})
