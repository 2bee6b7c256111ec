import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { network } from 'hardhat'
import type { Hex } from '../../src/core/base/Bytes.ts'
import { addressOfCourt, deployedIn, deploymentFile, recorded } from '../../src/edge/chain/Deployment.ts'
import { Fault } from '../../src/edge/Fault.ts'

interface Ended {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

describe('edge/Deployment', () => {
  let home: string
  let folder: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'kerros-'))
    folder = join(home, 'deployments')
  })
  afterEach(() => rmSync(home, { recursive: true, force: true }))

  function record(text: string): void {
    const file = deploymentFile(31337n, folder)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  function faultOf(run: () => unknown): Fault {
    try {
      run()
    } catch (why) {
      if (why instanceof Fault) return why
      throw why
    }
    throw new Error('no fault')
  }

  it('reads addresses in lower case, by court and chain', () => {
    record(`{ "Adjudicator#Adjudicator": "0x${'Ab'.repeat(20)}", "Other#Thing": 1 }`)
    expect(addressOfCourt('Adjudicator', 31337n, folder)).to.equal(`0x${'ab'.repeat(20)}`)
    expect(recorded(31337n, folder)).to.deep.equal({ Adjudicator: `0x${'ab'.repeat(20)}` })
    expect(recorded(1n, folder)).to.deep.equal({})
  })

  it('finds the block of a court in a journal, whatever else is written there', () => {
    record('{}')
    const court: Hex = `0x${'ab'.repeat(20)}`
    const lines = [
      '{"type":"DEPLOYMENT_INITIALIZE"}',
      `{"receipt":{"contractAddress":"0x${'cd'.repeat(20)}","blockNumber":3}}`,
      `{"receipt":{"contractAddress":"0x${'Ab'.repeat(20)}","blockNumber":"4"}}`,
      `{"receipt":{"contractAddress":"0x${'Ab'.repeat(20)}","blockNumber":5}}`,
      'null',
      '{"receipt":{"contr',
    ]
    writeFileSync(join(dirname(deploymentFile(31337n, folder)), 'journal.jsonl'), lines.join('\n'))
    expect(deployedIn(court, 31337n, folder)).to.equal(5)
    expect(deployedIn(`0x${'ef'.repeat(20)}`, 31337n, folder)).to.equal(undefined)
  })

  it('says what is missing or unreadable, and what to do', () => {
    const missing = faultOf(() => addressOfCourt('RootChain', 5n, folder))
    expect(missing.code).to.equal('NotDeployed')
    expect(missing.message).to.match(/^No RootChain is recorded for chain 5 in .*chain-5.*: run npm run deploy first$/)
    for (const text of ['', '[]', '"x"', '{ "RootChain#RootChain": "0x12" }', '{ "RootChain#RootChain": 7 }']) {
      record(text)
      const malformed = faultOf(() => addressOfCourt('RootChain', 31337n, folder))
      expect(malformed.code, text).to.equal('Malformed')
      expect(malformed.message, text).to.match(/chain-31337.*remove its folder and deploy again$/)
    }
  })

  /** Runs the deploy command as a user does, against a chain at a port, with the records in this test's folder. */
  function deploy(port: number, ...flags: readonly string[]): Promise<Ended> {
    const env = { ...process.env, KERROS_RPC: `http://127.0.0.1:${port}`, KERROS_IGNITION: home }
    const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/deploy.ts', ...flags], { env })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (err += chunk))
    return new Promise((done) => child.on('close', (status) => done({ status, out, err })))
  }

  function isOneSentence(ended: Ended, words: RegExp): void {
    expect(ended.status).to.equal(1)
    expect(ended.err).to.match(words)
    expect(ended.err.trim().split('\n')).to.have.length(1)
  }

  async function codeAt(port: number, address: Hex, block: number): Promise<string> {
    const body = { jsonrpc: '2.0', id: 1, method: 'eth_getCode', params: [address, `0x${block.toString(16)}`] }
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', headers, body: JSON.stringify(body) })
    return ((await answer.json()) as { readonly result: string }).result
  }

  async function chain(): Promise<{ readonly port: number; close(): Promise<void> }> {
    const server = await network.createServer('default', '127.0.0.1', 0)
    const { port } = await server.listen()
    return { port, close: () => server.close() }
  }

  it('is made by one command, found by the next, and refused on another chain until it is forgotten', async () => {
    const first = await chain()
    const made = await deploy(first.port)
    expect(made.status, made.err).to.equal(0)
    const courts = recorded(31337n, folder)
    expect(Object.keys(courts)).to.have.members(['Adjudicator', 'RootChain'])
    for (const address of Object.values(courts)) {
      expect(made.out).to.contain(address)
      const block = deployedIn(address, 31337n, folder)!
      const codes = [block - 1, block].map((number) => codeAt(first.port, address, number))
      expect((await Promise.all(codes)).map((code) => code !== '0x')).to.deep.equal([false, true])
    }
    expect(deployedIn(`0x${'ab'.repeat(20)}`, 31337n, folder)).to.equal(undefined)
    expect(deployedIn(courts.Adjudicator!, 1n, folder)).to.equal(undefined)
    const before = readFileSync(deploymentFile(31337n, folder), 'utf8')
    const again = await deploy(first.port, '--network', 'localhost')
    expect(again.out).to.match(/^Already deployed on chain 31337/)
    expect(readFileSync(deploymentFile(31337n, folder), 'utf8')).to.equal(before)
    await first.close()

    const second = await chain()
    isOneSentence(
      await deploy(second.port),
      /records Adjudicator at 0x\w{40}, where this chain has no contract: add --reset/,
    )
    const anew = await deploy(second.port, '--reset')
    expect(anew.out, anew.err).to.match(/^Deployed on chain 31337/)
    await second.close()
  })

  it('needs a chain that answers, a network that lasts and flags that exist', async () => {
    const gone = await chain()
    await gone.close()
    isOneSentence(await deploy(gone.port), /No chain answers on network localhost: start one with npm run chain/)
    isOneSentence(await deploy(gone.port, '--network', 'default'), /"default" is no network to deploy to: .* localhost/)
    isOneSentence(await deploy(gone.port, '--netwrk', 'localhost'), /Unknown option '--netwrk'/)
    expect((await deploy(gone.port, '--help')).out).to.match(/^npm run deploy/)
  })
})
