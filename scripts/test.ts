// Every check, the quick ones beside the long ones; the last line says how many tests passed and failed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import Mocha from 'mocha'

const HELP = `npm test -- [options]      build, types, lint, Solidity fuzz and invariant tests, mocha tests

  --deep     20 times the random runs (npm run test:deep)
  --jobs N   processes that run mocha tests (default: one a core)
  --help     this text
Environment: KERROS_SEED (seed of every random run), KERROS_DEPTH (multiplies the random runs).`

type Count = { readonly passed: number; readonly failed: number }

/** Runs one npm script, and tells what it said once it has ended; it counts only if it fails. */
async function check(script: string): Promise<Count> {
  const child = spawn(`npm run --silent ${script} 2>&1`, { shell: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const [said, [status]] = await Promise.all([text(child.stdout), once(child, 'close')])
  console.log(`\n— ${script}\n${said}`)
  if (status !== 0) console.error(`npm run ${script} failed: its lines above say why`)
  return { passed: 0, failed: status === 0 ? 0 : 1 }
}

/** A run without a single test is a failure. */
function counted(passed: number, failed: number): Count {
  return { passed, failed: Math.max(failed, passed > 0 ? 0 : 1) }
}

async function solidity(): Promise<Count> {
  const { default: hre } = await import('hardhat')
  const result = await hre.tasks.getTask(['test', 'solidity']).run({ noCompile: true })
  type Told = { readonly suiteResults: readonly { readonly testResults: readonly { readonly status: string }[] }[] }
  const { suiteResults } = (result.success ? result.value : result.error) as Told
  const all = suiteResults.flatMap(({ testResults }) => testResults.map(({ status }) => status === 'Success'))
  const failed = all.filter((good) => !good).length
  return counted(all.length - failed, Math.max(failed, result.success ? 0 : 1))
}

/** Files that take longest are begun first, so that no process is left with one of them at the end. */
const LONG = /adjudicator\.fuzz|anything|peerRulesOff|story|plasmaWorld|fuzz|Fuzz|explorer/

/** Mocha's tests, a file at a time in each of some processes. */
async function mocha(jobs: number): Promise<Count> {
  Object.assign(process.env, { HH_TEST: 'true', NODE_ENV: process.env.NODE_ENV ?? 'test' })
  const { default: hre } = await import('hardhat')
  const ranked = globSync('test/**/*.test.ts').sort((a, b) => Number(LONG.test(b)) - Number(LONG.test(a)))
  const runner = new Mocha({ ...hre.config.test.mocha, parallel: true, jobs } as Mocha.MochaOptions)
  for (const file of ranked) runner.addFile(file)
  return new Promise((resolve) => {
    const ran = runner.run((failed) => resolve(counted(ran.stats?.passes ?? 0, failed)))
  })
}

async function run(jobs: number): Promise<readonly Count[]> {
  const built = await check('build')
  if (built.failed > 0) return [built]
  const checks = async () => [await check('types'), await check('lint'), await solidity()]
  return (await Promise.all([mocha(jobs).then((one) => [one]), checks()])).flat()
}

const options = { deep: { type: 'boolean' }, jobs: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const
const { values } = parseArgs({ options })
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
if (values.deep) process.env.KERROS_DEPTH = '20'
process.env.KERROS_SEED ??= '0x6b6572726f73'
console.log(`random runs: seed ${process.env.KERROS_SEED}, ${process.env.KERROS_DEPTH ?? 1} times the usual number`)

const counts = await run(Number(values.jobs ?? availableParallelism()))
const [passed, failed] = (['passed', 'failed'] as const).map((key) =>
  counts.reduce((sum, count) => sum + count[key], 0),
)
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
