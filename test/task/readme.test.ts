import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import hre from 'hardhat'

/** The script in README.md, exactly as it stands there. */
function script(): string {
  const found = /<!-- pay\.ts[^>]*-->\n```ts\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8'))
  if (!found) throw new Error('README.md has no pay.ts')
  return found[1]!
}

function run(file: string, env: NodeJS.ProcessEnv, ...flags: readonly string[]): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, ['--import', 'tsx', file, ...flags], { env: { ...process.env, ...env } })
    const late = setTimeout(() => child.kill('SIGKILL'), 120_000)
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (more) => (text += more))
    child.on('close', (code) => {
      clearTimeout(late)
      if (code === 0) done(text)
      else failed(new Error(`${file} ended with ${code}: ${text}`))
    })
  })
}

describe("README's own script", () => {
  it('opens a channel, pays and settles against a deployment, as it stands there', async () => {
    const records = mkdtempSync(join(tmpdir(), 'kerros-records-'))
    const server = await hre.network.createServer('default', '127.0.0.1', 0)
    const { port } = await server.listen()
    const env = { KERROS_RPC: `http://127.0.0.1:${port}`, KERROS_IGNITION: records }
    // The script imports kerros by its name, which it can only from inside the package.
    mkdirSync('.kerros', { recursive: true })
    const file = join('.kerros', `pay-${process.pid}.ts`)
    try {
      writeFileSync(file, script())
      expect(await run('scripts/deploy.ts', env, '--network', 'localhost')).to.contain('Deployed on chain 31337')
      expect(await run(file, env)).to.equal('paid { payA: 900000000000000000n, payB: 100000000000000000n }\n')
    } finally {
      rmSync(file, { force: true })
      rmSync(records, { recursive: true, force: true })
      await server.close()
    }
  })

  it('is short, and so is the README', () => {
    const lines = readFileSync('README.md', 'utf8').trimEnd().split('\n')
    expect(lines.length).to.be.at.most(120)
    expect(script().trimEnd().split('\n').length).to.be.at.most(30)
  })
})
