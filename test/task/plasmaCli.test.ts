import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { serveHttp } from '../../src/edge/http/Http.ts'
import { PLASMA } from '../../src/task/cli/plasma/Commands.ts'
import { ETH, MFP, type PlasmaTown, plasmaTown, refused } from './plasmaTown.ts'

const [alice, bob] = [localAccount(1), localAccount(2)]

describe('kerros plasma, in processes of its own', () => {
  let town: PlasmaTown
  beforeEach(async () => {
    town = await plasmaTown()
  })
  afterEach(() => town.t.leave())

  it('deposits, pays, and takes everything out when the operator is gone for ever', async () => {
    const { t, court, of, ask, start } = town
    const operator = await start(['a', 1], ['b', 2])
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

    const token = await t.token(1, 100n * ETH)
    const tokens = await ask('a', 'deposit', '100', 'KTT', '--asset', token)
    expect(tokens).to.include({ amount: String(100n * ETH), asset: token })
    const wrong = refused(await t.run('plasma', 'deposit', '1', 'ETH', '--asset', token, ...of('a'), '--json'), 2)
    expect(wrong.message).to.equal('"ETH" is no unit of this asset, which is KTT: use KTT, or --raw')

    await operator.kill('SIGKILL')
    const refusal = refused(await t.run('plasma', 'pay', bob.address, '0.1', 'ETH', ...of('a'), '--json'), 1)
    expect(refusal.code).to.equal('OperatorSilent')
    expect(refusal.message).to.contain('Nothing was signed')
    const plan = await ask('b', 'exit-all')
    expect(plan.started).to.deep.equal([])
    expect(plan.groups).to.have.length(1)
    expect(plan.groups[0]).to.include({ asset: ETHER, amount: String(ETH / 4n) })
    expect((await ask('a', 'exit-all', '--yes')).started).to.have.length(2)
    expect((await ask('b', 'exit-all', '--yes')).started).to.have.length(1)
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
    const hers = (await ask('a', 'exits', '--all')).exits.find(({ asset }: { asset: Hex }) => asset === ETHER)
    expect((await t.balance(alice.address)) - before).to.equal((3n * ETH) / 4n + BigInt(hers.bond))
    expect((await ask('a', 'process', '--asset', token)).paid[0]).to.include({
      amount: String(100n * ETH),
      stage: 'paid',
    })
    const gone = await ask('a', 'balance')
    for (const one of gone.assets) expect(one).to.include({ received: '0', exiting: '0', credit: '0' })
    expect(gone.silent).to.be.a('string')
    expect((await t.run('plasma', 'outputs', ...of('a'))).out).to.contain('holds nothing')
  })
  it('watches, catches an exit of what was spent, and saves a payment whose block nobody serves', async () => {
    const { t, of, ask, office } = town
    const { operator, close } = await office(['a', 1], ['b', 2], ['w', 3])
    const posted: string[] = []
    const hook = await serveHttp(async (request) => {
      posted.push(((await request.json()) as { readonly name: string }).name)
      return new Response()
    })
    try {
      const watching = await t.stay('plasma', 'watch', ...of('w'), '--webhook', hook.url, '--listen', '127.0.0.1:0')
      const { answers } = PLASMA.find(({ path }) => path[1] === 'watch')!
      expect(Object.keys(watching.answer)).to.deep.equal(Object.keys(answers!))
      const deposit = await ask('a', 'deposit', '1 ETH')
      expect((await ask('a', 'pay', bob.address, '0.25 ETH')).status).to.equal('acknowledged')
      const plan = await ask('a', 'exit-all', '--yes')
      expect(plan).to.deep.include({ groups: [], started: [] })
      expect(plan.doubtful).to.deep.equal([{ id: deposit.id, asset: ETHER, value: String(ETH) }])
      expect((await ask('a', 'balance')).assets[0]).to.include({
        ...{ received: '0', unconfirmed: String((3n * ETH) / 4n), paying: String(ETH / 4n) },
      })
      const refusal = refused(await t.run('plasma', 'exit', deposit.id, ...of('a'), '--json'), 1)
      expect(refusal.code).to.equal('OutputInUse')
      expect(refusal.message).to.contain('--anyway')
      const stolen = await ask('a', 'exit', deposit.id.slice(0, 12), '--anyway')
      expect(stolen).to.include({ id: deposit.id, use: 'paying' })
      operator.seal()
      await watching.until(/challenges the exit of 0x/)
      await watching.until(/ALARM InvalidExit/)
      const isOpen = async () => (await ask('a', 'exits')).exits.length > 0
      for (let tries = 0; tries < 100 && ((await isOpen()) || posted.length === 0); tries++);
      expect((await ask('a', 'exits', '--all')).exits[0]).to.include({ stage: 'challenged', kind: 'output' })
      const answer = await fetch(`${watching.answer.api}/v1/alarms`)
      const served = (await answer.json()) as { readonly alarms: readonly { readonly name: string }[] }
      expect(posted[0]).to.equal('InvalidExit').and.to.equal(served.alarms[0]!.name)
      expect((await watching.kill('SIGTERM')).code).to.equal(0)

      const [change] = (await ask('a', 'outputs')).outputs
      expect(change).to.include({ value: String((3n * ETH) / 4n), use: 'free', number: 1 })
      expect((await ask('b', 'balance')).assets[0]).to.include({ received: String(ETH / 4n) })
      const { txHash } = await ask('a', 'pay', bob.address, '0.5 ETH')
      await close()
      const flown = await ask('a', 'fly', txHash.slice(0, 10))
      expect(flown.exit).to.include({ kind: 'inFlight', stage: 'joinable', amount: String(ETH / 4n) })
      expect((await ask('b', 'exits')).exits[0]).to.include({ id: txHash, amount: String(ETH / 2n) })
      expect((await ask('b', 'balance')).assets[0]).to.include({ exiting: '0' })
      await ask('b', 'piggyback', txHash)
      const nothing = refused(await t.run('plasma', 'piggyback', txHash, ...of('b'), '--json'), 1)
      expect(nothing.code).to.equal('NothingLeft')
      expect((await ask('b', 'balance')).assets[0]).to.include({
        exiting: String(ETH / 2n),
        received: String(ETH / 4n),
      })
      await t.pass(2 * MFP + 1)
      const before = await t.balance(bob.address)
      const paid = await ask('a', 'process')
      expect(paid.paid[0]).to.include({ kind: 'inFlight', stage: 'processed' })
      expect(await t.balance(bob.address)).to.be.greaterThan(before + ETH / 2n)
    } finally {
      await hook.close()
      await close()
    }
  })

  it('deposits once, however often it is interrupted and asked again', async () => {
    const { t, of, ask, office } = town
    const { close } = await office(['a', 1])
    try {
      await t.automine(false)
      const waiting = t.follow('plasma', 'deposit', '1 ETH', ...of('a'))
      await waiting.until(/Sends a deposit of 1 ETH/)
      const busy = refused(await t.run('plasma', 'balance', ...of('a'), '--json'), 1)
      expect(busy.code).to.equal('WalletBusy')
      const { code, out } = await waiting.kill('SIGINT')
      expect(code, out).to.equal(130)
      const { message } = JSON.parse(out).error
      const salt = /--salt (0x[0-9a-f]{64})$/.exec(message)![1]!
      await t.automine(true)
      await t.pass(1)
      for (let i = 0; i < 2; i++) expect((await ask('a', 'deposit', '1 ETH', '--salt', salt)).isFinal).to.equal(true)
      expect((await ask('a', 'balance')).assets[0]).to.include({ received: String(ETH), unconfirmed: '0' })
    } finally {
      await close()
    }
  })

  it('says what was wrong, and what to do, in one sentence', async () => {
    const { t, court, of, office } = town
    const { close } = await office(['a', 1])
    try {
      const tried = async (code: string, status: number, said: RegExp, ...words: readonly string[]) => {
        const error = refused(await t.run('plasma', ...words, '--json'), status)
        expect(error.code, words.join(' ')).to.equal(code)
        expect(error.message).to.match(said)
      }
      const a = of('a')
      const rest = ['--court', court, '--key-file', t.secret('c.key', bob.key), '--password-file', t.password]
      await tried('HomeExists', 1, /use it, or name another/, 'init', '--home', t.home('a'), ...rest)
      await tried(
        'UnknownChain',
        1,
        /is not registered/,
        'init',
        '--home',
        t.home('c'),
        '--chain',
        `0x${'5a'.repeat(32)}`,
        ...rest,
      )
      await tried(
        'PeerUnreachable',
        1,
        /No operator answers/,
        'init',
        '--home',
        t.home('c'),
        '--operator',
        'http://127.0.0.1:1',
        ...rest,
      )
      await tried('Usage', 2, /write an address as http/, 'init', '--home', t.home('c'), '--operator', 'here', ...rest)
      await tried('NoConfig', 1, /kerros plasma init/, 'balance', '--home', t.home('c'))
      await tried('Usage', 2, /has no unit: write "5 ETH"/, 'deposit', '5', ...a)
      await tried('Usage', 2, /is nothing/, 'deposit', '0 ETH', ...a)
      await tried('Usage', 2, /is no address: TO takes/, 'pay', 'bob', '1 ETH', ...a)
      await tried('Usage', 2, /32 are all there are/, 'pay', bob.address, '1 ETH', '--memo', 'x'.repeat(33), ...a)
      await tried('Usage', 2, /is no duration/, 'pay', bob.address, '1 ETH', '--wait', 'long', ...a)
      await tried('InsufficientFunds', 1, /deposit more/, 'pay', bob.address, '1 ETH', ...a)
      await tried('UnknownOutput', 1, /plasma outputs/, 'exit', '0x1f3a', ...a)
      await tried('Usage', 2, /first 4 digits/, 'exit', '0x1', ...a)
      await tried('UnknownPayment', 1, /plasma history/, 'fly', '0x1f3a', ...a)
      await tried('NothingLeft', 1, /plasma exits/, 'piggyback', `0x${'5a'.repeat(32)}`, ...a)
      await tried('NothingDue', 1, /No exit of ether waits/, 'process', ...a)
      await tried('NoCredit', 1, /nothing to claim/, 'claim', ...a)
      await tried('NotOperator', 1, /folder for a chain of your own/, 'operator', 'start', ...a)
      await tried('Usage', 2, /has no --key-file/, 'pay', bob.address, '1 ETH', '--key-file', 'x', ...a)
    } finally {
      await close()
    }
  })
})
