import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect } from 'chai'
import type { Summary } from '../../src/task/demo/Demo.ts'

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs the demo's script in a process of its own, as a user does. */
function run(...flags: readonly string[]): Promise<Ended> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/demo.ts', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (text) => (out += text))
    child.stderr.on('data', (text) => (err += text))
    child.on('error', failed)
    const late = setTimeout(() => child.kill('SIGKILL'), 120_000)
    child.on('close', (code) => {
      clearTimeout(late)
      done({ code, out, err })
    })
  })
}

describe('npm run demo', () => {
  it('plays both protocols, checks every balance to the wei, and leaves nothing behind', async () => {
    const { code, out, err } = await run('--payments', '200', '--json')
    expect(code, err).to.equal(0)
    const { rows, checks, verbs, folder } = JSON.parse(out) as Summary
    expect(rows.map(({ payments }) => payments)).to.deep.equal([200, 300])
    expect(checks).to.have.length(11)
    for (const { what, have, need } of checks) expect(have, what).to.equal(need)
    for (const verb of ['Adjudicator.challenge', 'Adjudicator.answer', 'Adjudicator.settle', 'Adjudicator.conclude']) {
      expect(verbs[verb]?.calls, verb).to.equal(1)
    }
    expect(verbs['RootChain.challengeExit']?.calls).to.equal(1)
    expect(verbs['RootChain.startExit']?.calls).to.equal(2)
    expect(verbs['RootChain.startDepositExit']?.calls).to.equal(1)
    expect(existsSync(folder), 'the folder of its stores').to.equal(false)
    expect(err).to.contain('watchtower answers').and.to.contain('All 11 balances are exactly what they must be.')
  })

  it('says in one sentence what is wrong with its flags, or that no chain is there', async () => {
    const wrong = [
      [['--payments', '5'], '"5" is no number of payments: use 100 to 1000000'],
      [['--payments', '1e3x'], '"1e3x" is no number of payments'],
      [['--network', 'mainnet'], '"mainnet" is no network of hardhat.config.ts'],
      [['--speed'], "Unknown option '--speed'"],
    ] as const
    for (const [flags, sentence] of wrong) {
      const { code, out, err } = await run(...flags)
      expect(code, flags.join(' ')).to.equal(1)
      expect(out).to.equal('')
      expect(err)
        .to.match(/^demo: [^\n]*\n$/)
        .and.to.contain(sentence)
    }
  })

  it('explains itself', async () => {
    const { code, out } = await run('--help')
    expect(code).to.equal(0)
    for (const flag of ['--payments', '--network', '--json', '--keep']) expect(out).to.contain(flag)
  })
})
