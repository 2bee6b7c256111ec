import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { PLASMA } from '../../src/task/cli/plasma/Commands.ts'
import { type Ended, type Staying, type Terminal, terminal } from './commandLine.ts'

const ETH = 10n ** 18n
const MFP = 86_400
const [alice, bob] = [localAccount(1), localAccount(2)]

/** What a refused command told as JSON, if it did so in one document and one sentence. */
function refused({ code, out }: Ended, status: number): { readonly code: string; readonly message: string } {
  expect(code, out).to.equal(status)
  const { error } = JSON.parse(out)
  expect(Object.keys(error)).to.deep.equal(['code', 'message'])
  expect(error.message)
    .to.match(/^[^\n]+$/)
    .and.not.to.match(/ at .*:\d+:\d+|\/src\//)
  return error
}

describe('kerros plasma, in processes of its own', () => {
  let t: Terminal
  let court: Hex
  beforeEach(async () => {
    t = await terminal()
    court = await t.rootChain(MFP)
  })
  afterEach(() => t.leave())

  /** The flags that name a wallet's folder and open its key. */
  const of = (name: string) => ['--home', t.home(name), '--password-file', t.password] as const

  /** What a command of a wallet answers: the fields that its help tells, and no others. */
  // biome-ignore lint/suspicious/noExplicitAny: the answer is whatever JSON the command promises
  async function ask(name: string, verb: string, ...words: readonly string[]): Promise<any> {
    const answer = await t.json('plasma', verb, ...words, ...of(name))
    const { answers } = PLASMA.find(({ path }) => path[1] === verb)!
    expect(Object.keys(answer).sort(), verb).to.deep.equal(Object.keys(answers!).sort())
    return answer
  }

  /** Makes a folder; its key is no longer encrypted afterwards, because a password takes a second of every command. */
  async function init(name: string, account: number, ...more: readonly string[]) {
    const { key } = localAccount(account)
    const made = await ask(name, 'init', '--court', court, '--key-file', t.secret(`${name}.key`, key), ...more)
    const file = join(t.home(name), 'key.json')
    expect(readFileSync(file, 'utf8')).not.to.contain(key.slice(2))
    writeFileSync(file, key)
    return made
  }

  /** An operator that runs, and two wallets on its chain. */
  async function town(...more: readonly string[]): Promise<Staying> {
    await init('op', 0)
    const operator = await t.stay(
      'plasma',
      'operator',
      'start',
      ...of('op'),
      '--listen',
      '127.0.0.1:0',
      '--every',
      '1s',
      ...more,
    )
    for (const [name, account] of [
      ['a', 1],
      ['b', 2],
    ] as const)
      await init(name, account, '--operator', operator.answer.api)
    return operator
  }

  it('deposits, pays, and takes everything out when the operator is gone for ever', async () => {
    const operator = await town()
    const { answers } = PLASMA.find(({ path }) => path.join(' ') === 'plasma operator start')!
    expect(Object.keys(operator.answer)).to.deep.equal(Object.keys(answers!))
    const config = JSON.parse(readFileSync(join(t.home('a'), 'plasma.json'), 'utf8'))
    expect(config).to.include({ court, operator: operator.answer.api, chainId: 31337 })

    const deposited = await ask('a', 'deposit', '1', 'ETH')
    expect(deposited).to.include({ amount: String(ETH), asset: ETHER, isFinal: true })
    const again = await ask('a', 'deposit', '1 ETH', '--salt', deposited.salt)
    expect(again).to.include({ id: deposited.id, transaction: null, isFinal: true })
    const paid = await ask('a', 'pay', bob.address, '0.25', 'ETH', '--memo', 'two coffees', '--wait', '1m')
    expect(paid).to.include({ status: 'paid', amount: String(ETH / 4n), fee: '0', number: 1 })
    const atB = await ask('b', 'balance')
    expect(atB.assets).to.have.length(1)
    expect(atB.assets[0]).to.include({ received: String(ETH / 4n), unconfirmed: '0', exiting: '0', symbol: 'ETH' })
    expect(atB).to.include({ checked: 1, committed: 1, bad: null, silent: null })
    const { deeds } = await ask('a', 'history')
    expect(deeds.map(({ kind }: { kind: string }) => kind)).to.deep.equal(['deposited', 'paid'])
    const told = await t.run('plasma', 'history', ...of('b'))
    expect(told.out).to.contain('two coffees').and.to.contain('received in block 1').and.to.contain('0.25 ETH')

    await operator.kill('SIGKILL')
    const refusal = refused(await t.run('plasma', 'pay', bob.address, '0.1', 'ETH', ...of('a'), '--json'), 1)
    expect(refusal.code).to.equal('OperatorSilent')
    expect(refusal.message).to.contain('Nothing was signed')
    const plan = await ask('b', 'exit-all')
    expect(plan.started).to.deep.equal([])
    expect(plan.groups).to.have.length(1)
    expect(plan.groups[0]).to.include({ asset: ETHER, amount: String(ETH / 4n) })
    for (const name of ['a', 'b']) expect((await ask(name, 'exit-all', '--yes')).started).to.have.length(1)
    const running = await ask('b', 'exits')
    expect(running.exits[0]).to.include({ stage: 'running', amount: String(ETH / 4n), ahead: 1, kind: 'output' })
    expect(running.exits[0].exitableAt).to.be.greaterThan(running.now + MFP)
    expect(refused(await t.run('plasma', 'process', ...of('b'), '--json'), 1).code).to.equal('NothingDue')

    await t.pass(2 * MFP + 1)
    expect((await t.run('plasma', 'exits', ...of('b'))).out).to.contain('may be paid now')
    const before = await t.balance(alice.address)
    const processed = await ask('b', 'process')
    expect(processed).to.include({ due: 2, left: 0 })
    expect(processed.paid.map(({ amount }: { amount: string }) => amount)).to.deep.equal([String(ETH / 4n)])
    const bond = BigInt((await ask('a', 'exits', '--all')).exits[0].bond)
    expect((await t.balance(alice.address)) - before).to.equal((3n * ETH) / 4n + bond)
    const gone = await ask('a', 'balance')
    expect(gone.assets[0]).to.include({ received: '0', exiting: '0', credit: '0' })
    expect(gone.silent).to.be.a('string')
    expect((await t.run('plasma', 'outputs', ...of('a'))).out).to.contain('holds nothing')
  })
})
