// How much of the contracts the tests run: Hardhat's lines and statements, refused under the floor.
import { spawn, spawnSync } from 'node:child_process'
import { parseArgs, stripVTControlCharacters } from 'node:util'

const FLOOR = 95
const HELP = `npm run coverage      runs the Solidity and mocha tests over instrumented contracts

Prints lines and statements of contracts/base, contracts/channel and contracts/plasma; fails if a test fails or if
either total is under ${FLOOR} %. The report by line is in coverage/html, the machine's in coverage/lcov.info.`

/** Runs the tests under coverage; resolves with all that they printed. Their output streams through. */
function cover(): Promise<{ readonly status: number | null; readonly text: string }> {
  const tests = spawn('hardhat', ['test', '--coverage'], { shell: true, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  tests.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    process.stdout.write(chunk)
  })
  return new Promise((done) => tests.on('close', (status) => done({ status, text })))
}

/** The total line of Hardhat's table: percent of lines and of statements. */
function totals(text: string): readonly [lines: number, statements: number] | undefined {
  const found = /Total\W+(\d+\.\d+)\W+(\d+\.\d+)/.exec(stripVTControlCharacters(text))
  return found ? [Number(found[1]), Number(found[2])] : undefined
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
const { status, text } = await cover()
// Coverage leaves instrumented artifacts and types behind; what is deployed or committed must be the real ones.
spawnSync('hardhat', ['build'], { shell: true, stdio: 'ignore' })
if (status !== 0) fail('coverage: a test failed under coverage; its lines above say which')
const [lines, statements] = totals(text) ?? fail('coverage: Hardhat printed no total; is there a contract to cover?')
console.log(`lines ${lines} %, statements ${statements} %, floor ${FLOOR} %`)
if (Math.min(lines, statements) < FLOOR) fail('coverage: too little of the contracts is run by the tests')
