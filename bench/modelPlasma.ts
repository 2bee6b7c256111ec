// Explores small worlds of the root chain's model, with all rules and without each.
import { parseArgs } from 'node:util'
import { explore, gameOf, hunted } from '../test/plasma/model/explorer.ts'
import { RULES, UNSHOWN } from '../test/plasma/model/rules.ts'
import { OPEN } from '../test/plasma/model/scripts.ts'
import { unruled } from '../test/plasma/model/without.ts'

const HELP = `npm run model:plasma -- [options]

Visits every state that two honest users, two hostile ones and a hostile operator can reach in small worlds of the root
chain's model, up to a number of moves, and random schedules beyond; then leaves out one rule at a time and prints the
shortest script that robs somebody. Exit 1 if anybody is robbed under all rules, or if a rule proves to be idle.

  --depth N        moves of the exhaustive part (default 4)
  --most N         states of each world at most (default 20000)
  --schedules N    random schedules of each world (default 500)
  --seed N         what they are drawn by (default 1)
  --help           this text`

const number = (value: string) => ({ type: 'string', default: value }) as const
const { values } = parseArgs({
  options: {
    ...{ depth: number('4'), most: number('20000'), schedules: number('500'), seed: number('1') },
    help: { type: 'boolean' },
  },
})

let failed = 0

/** Prints what was visited, with the seconds of the processor that it took, and what went wrong. */
function tell(
  what: string,
  work: () => { readonly states: number; readonly depth: number; violation: string | undefined },
): void {
  const before = process.cpuUsage().user
  const { states, depth, violation } = work()
  const seconds = ((process.cpuUsage().user - before) / 1e6).toFixed(1)
  console.log(`  ${what}: ${states} states, up to ${depth} moves, ${seconds} s`)
  if (violation) console.log(`    ROBBED: ${violation}`)
  if (violation) failed++
}

function withAll(): void {
  const { depth, most, schedules, seed } = values
  for (const script of OPEN) {
    const game = gameOf(script)
    console.log(script.name)
    tell('exhaustive', () => explore(game, { depth: Number(depth), most: Number(most) }))
    tell(`${schedules} random schedules`, () => hunted(game, Number(schedules), Number(seed)))
  }
}

async function withoutEach(): Promise<void> {
  for (const ruled of RULES) {
    const { violation, states } = explore(await unruled(ruled), ruled.bounds)
    const found = violation !== undefined && ruled.finds.test(violation)
    const robbed = explore(gameOf(ruled.script), { ...ruled.bounds, most: 2 * states }).violation
    console.log(`${found ? 'needed' : 'IDLE'}: ${ruled.rule}\n  after ${states} states: ${violation ?? 'nothing'}`)
    if (robbed) console.log(`  ROBBED under all rules, too: ${robbed}`)
    if (!found || robbed) failed++
  }
  for (const [rule, why] of UNSHOWN) console.log(`not shown: ${rule}\n  ${why}`)
}

if (values.help) console.log(HELP)
else {
  withAll()
  await withoutEach()
  console.log(failed === 0 ? `all ${RULES.length} rules are needed, nobody is robbed under them` : `${failed} failures`)
  process.exitCode = failed === 0 ? 0 : 1
}
