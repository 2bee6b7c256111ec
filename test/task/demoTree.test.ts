import { spawn } from 'node:child_process'
import { expect } from 'chai'
import type { TreeSummary } from '../../src/task/demo/Tree.ts'

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs the demo's script in a process of its own, as a user does. */
function run(...flags: readonly string[]): Promise<Ended> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/demoTree.ts', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (text) => (out += text))
    child.stderr.on('data', (text) => (err += text))
    child.on('error', failed)
    child.on('close', (code) => done({ code, out, err }))
  })
}

describe('npm run demo:tree', () => {
  it('anchors five chains of five processes by one commitment, and lets a user of the deepest leave', async () => {
    const { code, out, err } = await run('--rounds', '1', '--json')
    expect(code, err).to.equal(0)
    const { processes, payments, anchoringAll, commitments, checks } = JSON.parse(out) as TreeSummary
    expect(processes).to.equal(5)
    expect(payments).to.be.at.least(5)
    expect(anchoringAll).to.be.within(1, commitments)
    expect(checks).to.have.length(6)
    for (const { what, have, need } of checks) expect(have, what).to.equal(need)
    expect(err).to.contain('All five operators are gone for ever.')
  })

  it('says in one sentence what is wrong with its flags', async () => {
    const { code, out, err } = await run('--rounds', '9')
    expect([code, out, err]).to.deep.equal([1, '', 'demo:tree: "9" is no number of rounds: use 1 to 6\n'])
  })
})
