// Every check in the order in which a mistake shows soonest; the last line says how many tests passed and failed.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const HELP = `npm test -- [options]      build, types, lint, Solidity fuzz and invariant tests, mocha tests

  --deep     20 times the random runs (npm run test:deep)
  --help     this text
Environment: KERROS_SEED (seed of every random run), KERROS_DEPTH (multiplies the random runs).`

interface Count {
  readonly passed: number
  readonly failed: number
}

/** Runs one npm script; it counts only if it fails. */
function check(script: string): Count {
  console.log(`\n— ${script}`)
  const { status } = spawnSync(`npm run --silent ${script}`, { shell: true, stdio: 'inherit' })
  if (status !== 0) console.error(`npm run ${script} failed: its lines above say why`)
  return { passed: 0, failed: status === 0 ? 0 : 1 }
}

interface SolidityResult {
  readonly suiteResults: readonly { readonly testResults: readonly { readonly status: string }[] }[]
}

/** Solidity's own summary is written by a stream that may end too late to be read: its results are counted here. */
function countSolidity({ suiteResults }: SolidityResult): Count {
  const passed = suiteResults.flatMap(({ testResults }) => testResults.map(({ status }) => status === 'Success'))
  return { passed: passed.filter(Boolean).length, failed: passed.filter((good) => !good).length }
}

/** Runs one of Hardhat's test runners; a run without a single test, or that ends badly, counts as a failure. */
async function suite(runner: 'solidity' | 'mocha'): Promise<Count> {
  console.log(`\n— ${runner} tests`)
  const { default: hre } = await import('hardhat')
  const result = await hre.tasks.getTask(['test', runner]).run({ noCompile: true })
  const told = result.success ? result.value : result.error
  const { passed, failed } = runner === 'solidity' ? countSolidity(told as SolidityResult) : (told.summary as Count)
  if (passed + failed === 0) console.error(`no ${runner} test was run`)
  return { passed, failed: Math.max(failed, result.success && passed > 0 ? 0 : 1) }
}

async function run(): Promise<readonly Count[]> {
  const built = check('build')
  if (built.failed > 0) return [built]
  const checked = [check('types'), check('lint')]
  return [...checked, await suite('solidity'), await suite('mocha')]
}

const { values } = parseArgs({ options: { deep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
if (values.deep) process.env.KERROS_DEPTH = '20'
process.env.KERROS_SEED ??= '0x6b6572726f73'
console.log(`random runs: seed ${process.env.KERROS_SEED}, ${process.env.KERROS_DEPTH ?? 1} times the usual number`)

const counts = await run()
const passed = counts.reduce((sum, count) => sum + count.passed, 0)
const failed = counts.reduce((sum, count) => sum + count.failed, 0)
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
