import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ETHER } from '../../src/core/base/Bytes.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { nodeClient } from '../../src/edge/http/NodeClient.ts'
import { readToken } from '../../src/edge/key/Token.ts'
import { type Ended, type Staying, type Terminal, terminal } from './commandLine.ts'

const ETH = 10n ** 18n
const [alice, bob] = [localAccount(1), localAccount(2)]

/** What a refused command told as JSON, if it did so in one document and one sentence. */
function refused({ code, out, err }: Ended, status: number): { readonly code: string; readonly message: string } {
  expect(code, `${out}${err}`).to.equal(status)
  const { error } = JSON.parse(out)
  expect(Object.keys(error)).to.deep.equal(['code', 'message'])
  expect(error.message)
    .to.match(/^[^\n]+$/)
    .and.not.to.match(/ at .*:\d+:\d+|\/src\//)
  expect(err).to.equal('')
  return error
}

describe('kerros, in processes of its own', () => {
  let t: Terminal
  beforeEach(async () => {
    t = await terminal()
  })
  afterEach(() => t.leave())

  /** Two nodes with a channel in which A has deposited 1 ETH. */
  async function channel(
    ...more: readonly string[]
  ): Promise<{ readonly id: string; readonly a: Staying; readonly b: Staying }> {
    await Promise.all([t.init('a', 1), t.init('b', 2)])
    const [a, b] = await Promise.all([t.start('a'), t.start('b', 'node', ...more)])
    const { id, terms } = await t.json('channel', 'open', b.answer.peer, '--period', '2h', '--home', t.home('a'))
    const taken = await t.json('channel', 'open', '--terms', terms, '--home', t.home('b'))
    expect(taken.id).to.equal(id)
    expect(taken.channel.challengePeriod).to.equal(7200)
    await t.json('channel', 'deposit', id, '1', 'ETH', '--home', t.home('a'))
    await a.until(/has 1 ETH of yours to pay with/)
    return { id, a, b }
  }

  it('opens, deposits, pays, proves a payment, withdraws and closes, as both sides see it', async () => {
    const { id, a, b } = await channel()
    const [atA, atB] = [['--home', t.home('a')] as const, ['--home', t.home('b')] as const]
    const paid = await t.json('channel', 'pay', id.slice(0, 10), '0.25', 'ETH', '--memo', 'two coffees', ...atA)
    expect(paid).to.include({ id, status: 'paid', amount: String(ETH / 4n) })
    const again = await t.json(
      'channel',
      'pay',
      id,
      '0.25 ETH',
      '--memo',
      'two coffees',
      '--payment',
      paid.paymentId,
      ...atA,
    )
    expect(again).to.deep.equal(paid)
    const shown = await t.program('channel', 'show', id.slice(2, 10), ...atB)
    expect(shown.out)
      .to.match(/^yours +0\.25 ETH$/m)
      .and.to.match(/^theirs +0\.75 ETH$/m)
      .and.to.match(/^phase +open$/m)
    const told = await t.run('channel', 'payments', id, ...atB)
    expect(told.out).to.contain(paid.paymentId).and.to.contain('received').and.to.contain('two coffees')

    const file = join(t.folder, 'coffee.json')
    await t.json('receipt', 'get', id, paid.paymentId, '--out', file, ...atA)
    const proof = await t.json('receipt', 'verify', file, '--court', t.court)
    expect(proof).to.include({ proven: true, amount: String(ETH / 4n), payer: alice.address, payee: bob.address })
    const elsewhere = await t.run('receipt', 'verify', file, '--court', `0x${'11'.repeat(20)}`, '--json')
    expect(refused(elsewhere, 1).code).to.equal('OtherCourt')
    writeFileSync(file, readFileSync(file, 'utf8').replace(`"amount": "${ETH / 4n}"`, `"amount": "${ETH / 2n}"`))
    const forged = await t.run('receipt', 'verify', file, '--court', t.court, '--json')
    expect(refused(forged, 1).message).to.contain('proves nothing')

    const less = await t.json('channel', 'withdraw', id, '0.1 ETH', ...atA)
    expect(less.withdrawal).to.equal(null)
    const closed = await t.json('channel', 'close', id, ...atA)
    const [mine, theirs] = closed.side === 'a' ? ['payA', 'payB'] : ['payB', 'payA']
    expect(closed.closed).to.deep.equal({ [mine!]: String((65n * ETH) / 100n), [theirs!]: String(ETH / 4n) })
    await b.until(/is closed: 0\.25 ETH to you, 0\.65 ETH to the peer/)
    const list = await t.run('channel', 'list', ...atB)
    expect(list.out)
      .to.match(/^channel +peer +phase/)
      .and.to.contain('closed')
    for (const node of [a, b]) expect((await node.kill('SIGTERM')).code).to.equal(0)
    expect(existsSync(join(t.home('a'), 'live', 'node.json'))).to.equal(false)
    expect(await t.json('status', ...atA)).to.include({ running: false, address: alice.address })
  })

  it('rescues a channel from its file, with nothing else but a chain and the key, when the node is dead', async () => {
    const { id, a } = await channel()
    await t.json('channel', 'pay', id, '250000000', 'gwei', '--home', t.home('a'))
    const file = join(t.folder, 'rescue.json')
    await t.json('channel', 'export', id, '--out', file, '--home', t.home('a'))
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    expect(readFileSync(file, 'utf8')).not.to.contain(alice.key.slice(2))
    const second = await t.program('node', 'start', '--home', t.home('a'), '--password-file', t.password, '--json')
    expect(refused(second, 1).code).to.equal('StoreBusy')
    await a.kill('SIGKILL')
    const before = await t.balance(bob.address)
    const rescuing = t.follow('channel', 'rescue', file, '--key-file', t.secret('alice.again', alice.key))
    await rescuing.until(/Nothing is to be done before the period is over/)
    await t.pass(7201)
    const { code, out, err } = await rescuing.ended
    expect(code, err).to.equal(0)
    const rescued = JSON.parse(out)
    expect(rescued).to.include({ locksUnknown: false })
    const [mine, theirs] = rescued.side === 'a' ? ['payA', 'payB'] : ['payB', 'payA']
    expect([rescued[mine!], rescued[theirs!]]).to.deep.equal([String((3n * ETH) / 4n), String(ETH / 4n)])
    expect(await t.balance(bob.address)).to.be.above(before + ETH / 5n)
  })

  it('locks under a secret of the payee, takes it, gives one up, and says meanwhile where the money is', async () => {
    const { id, b } = await channel()
    const [atA, atB] = [['--home', t.home('a')] as const, ['--home', t.home('b')] as const]
    const file = join(t.folder, 'secret')
    const { hash } = await t.json('channel', 'secret', '--out', file)
    const lock = ['channel', 'lock', id, '0.25 ETH', '--hash', hash, '--within', '4h'] as const
    const locked = await t.json(...lock, ...atA)
    expect(locked).to.include({ id, lockId: '1', status: 'open', key: hash })
    const again = ['--payment', locked.paymentId, '--expiry', String(locked.expiry)]
    expect(await t.json(...lock.slice(0, 6), ...again, ...atA)).to.deep.equal(locked)
    const shown = await t.run('channel', 'show', id, ...atA)
    expect(shown.out).to.match(/^locked +0\.25 ETH until in (?:4 hours|3 hours 59 minutes) \(.* UTC\) at the latest$/m)
    const status = await t.run('status', ...atA)
    expect(status.out)
      .to.match(/^in channels +0\.75 ETH$/m)
      .and.to.match(/^locked +0\.25 ETH until in /m)
    await b.until(/has lock 1 to you over 0\.25 ETH/)
    expect((await t.run('channel', 'locks', id, ...atB)).out).to.match(
      /^ *1 +received +0\.25 ETH +in .*0x[0-9a-f]{64}$/m,
    )
    const taken = await t.json('channel', 'fulfil', id, '1', '--secret-file', file, ...atB)
    expect(taken).to.include({ status: 'fulfilled', amount: String(ETH / 4n) })
    const other = join(t.folder, 'other')
    const next = await t.json('channel', 'secret', '--out', other)
    await t.json('channel', 'lock', id, '1 gwei', '--hash', next.hash, ...atA)
    await b.until(/has lock 2 to you/)
    const given = await t.run('channel', 'fail', id, '2', '--reason', 'SoldOut', ...atB)
    expect(given.out).to.match(/^Lock 2 over 0\.000000001 ETH is given up \(SoldOut\): nothing was paid; /)
    const cases: readonly (readonly [readonly string[], number, string, RegExp])[] = [
      [['fulfil', id, '1', '--secret-file', other, ...atB], 1, 'NoSuchLock', /channel\.locks tells those there are/],
      [['fulfil', id, '1', '--secret-file', t.password, ...atB], 1, 'Malformed', /holds no secret of a lock/],
      [['lock', id, '1 ETH', '--hash', '0x12', ...atA], 2, 'Usage', /is no value of --hash/],
      [['claim', id, ...atA], 1, 'NoCredit', /there is nothing to claim/],
    ]
    for (const [words, code, name, sentence] of cases) {
      const error = refused(await t.run('channel', ...words, '--json'), code)
      expect([error.code, sentence.test(error.message)], error.message).to.deep.equal([name, true])
    }
  })

  it('ends with one sentence when its disk is full, and has everything that it acknowledged when it starts again', async () => {
    await t.init('a', 1)
    const node = await t.cramped('a', 256)
    const api = nodeClient(node.answer.api, readToken(join(t.home('a'), 'live', 'token')))
    const peer = { owner: bob.address, signer: bob.address }
    let count = 0
    for (let full = false; !full; ) {
      const opened = api.call('channel.open', { peer, asset: ETHER })
      full = await opened.then(
        () => ++count > 1000,
        () => true,
      )
    }
    const { code, out, err } = await node.ended
    expect([code, JSON.parse(out).api], err).to.deep.equal([1, node.answer.api])
    expect(err.trimEnd().split('\n').at(-1)).to.match(
      /^kerros: the node could not go on and has ended: .+ start again, what was acknowledged is kept$/,
    )
    const back = await t.start('a')
    const { channels } = await t.json('channel', 'list', '--home', t.home('a'))
    expect(channels.length).to.be.at.least(count).and.at.least(1)
    await back.kill('SIGTERM')
  })

  it('shows a tower what was paid, which answers the old state of a thief when the node is dead', async () => {
    const [, tower] = [await t.init('tower', 3), await t.start('tower', 'tower')]
    const { id, a, b } = await channel('--tower', tower.answer.address)
    const old = join(t.folder, 'old.json')
    await t.json('channel', 'pay', id, '0.1 ETH', '--home', t.home('a'))
    await t.json('channel', 'export', id, '--out', old, '--home', t.home('a'))
    await t.json('channel', 'pay', id, '0.2 ETH', '--home', t.home('a'))
    for (const node of [a, b]) await node.kill('SIGTERM')
    const stealing = t.follow('channel', 'rescue', old, '--key-file', t.secret('thief', alice.key))
    await tower.until(/an old state was answered with version 2/)
    await stealing.kill('SIGKILL')
    expect((await tower.kill('SIGTERM')).code).to.equal(0)
  })

  it('tells how far layer 1 is, and whoever leaves meanwhile asks again without a second deposit', async () => {
    const { id } = await channel()
    const at = ['--home', t.home('a')] as const
    const words = ['channel', 'deposit', id, '0.5 ETH', ...at]
    await t.automine(false)
    const left = t.follow(...words)
    await left.until(/0x[0-9a-f]{10} {2}deposit is on its way to layer 1 \(0x[0-9a-f]{64}\)/)
    const { code, out } = await left.kill('SIGINT')
    expect(code).to.equal(130)
    const { error } = JSON.parse(out)
    expect(error.code).to.equal('Interrupted')
    expect(error.message).to.match(/the node goes on with it: repeat it with --deposit 0x[0-9a-f]{64}, it is made once/)
    const [named] = /--deposit 0x[0-9a-f]{64}/.exec(error.message)!
    const again = t.run(...words, ...named.split(' '), '--wait', '1m', '--json')
    await t.pass(1)
    const made = await again
    expect(made.code, made.out).to.equal(0)
    expect(made.err).to.match(/deposit is in block \d+/)
    expect(JSON.parse(made.out)).to.include({ amount: String(ETH / 2n), final: true })
    const told = await t.run(...words, ...named.split(' '))
    expect(told.err).not.to.match(/on its way/)
    expect(told.code).to.equal(0)
    await t.automine(true)
    const withdrawn = await t.run('channel', 'withdraw', id, '0.1 ETH', ...at)
    expect(withdrawn.code).to.equal(0)
    for (const words of [/withdraw is on its way/, /has paid out 0\.1 ETH of yours in all/]) {
      expect(withdrawn.err).to.match(words)
      expect(withdrawn.out).not.to.match(words)
    }
    const { deposits } = await t.json('channel', 'show', id, ...at)
    expect(BigInt(deposits.a) + BigInt(deposits.b)).to.equal((3n * ETH) / 2n)
  })

  it('goes on after it was killed, and ends cleanly on a signal', async () => {
    const { id, a, b } = await channel()
    await a.kill('SIGKILL')
    const waiting = await t.run('channel', 'show', id, '--home', t.home('a'), '--json')
    expect(refused(waiting, 1).code).to.equal('NodeNotRunning')
    const back = await t.start('a')
    const paid = await t.json('channel', 'pay', id, '1', '--raw', '--home', t.home('a'))
    expect(paid).to.include({ status: 'paid', amount: '1' })
    for (const node of [back, b]) {
      const { code, out, err } = await node.kill('SIGINT')
      expect(code, err).to.equal(0)
      expect(JSON.parse(out).home).to.contain(t.folder)
      expect(err).to.contain('Stopping')
    }
  })

  it('says in one sentence what is wrong, with a code, and never more', async () => {
    await t.init('a', 1)
    const at = ['--home', t.home('a'), '--json']
    const wrong = t.secret('wrong', 'battery staple')
    const cases: readonly (readonly [readonly string[], number, string, RegExp])[] = [
      [['node', 'start', '--password-file', wrong, ...at], 1, 'WrongPassword', /does not open .*key\.json/],
      [['channel', 'list', ...at], 1, 'NodeNotRunning', /start it with kerros node start/],
      [['channel', 'list', '--json'], 1, 'NoConfig', /kerros init/],
      [['init', ...at], 1, 'HomeExists', /is a node's folder already/],
      [
        ['init', '--home', t.home('n'), '--rpc', 'http://127.0.0.1:1', '--json'],
        1,
        'ChainUnreachable',
        /no chain answers/,
      ],
      [
        ['init', '--home', t.home('n'), '--court', t.court, '--since', '999999', '--json'],
        2,
        'Usage',
        /--since 999999 is no block yet/,
      ],
      [['channel', 'pya', ...at], 2, 'Usage', /did you mean pay\?/],
      [['channel', 'pay', '0x1234', '1 ETH', '--memmo', 'x', ...at], 2, 'Usage', /did you mean --memo\?/],
      [['node', 'start', '--password', 'correct horse', ...at], 2, 'Usage', /seen by others/],
      [['receipt', 'verify', t.password, ...at], 1, 'Malformed', /no JSON/],
      [
        ['channel', 'rescue', join(t.folder, 'none'), '--key-file', wrong, '--json'],
        1,
        'FileUnreadable',
        /cannot be read/,
      ],
    ]
    const ended = await Promise.all(
      cases.map(([words]) => (words[0] === 'node' ? t.program(...words) : t.run(...words))),
    )
    for (const [i, [words, status, code, sentence]] of cases.entries()) {
      const error = refused(ended[i]!, status)
      expect([error.code, sentence.test(error.message)], `${words.join(' ')}: ${error.message}`).to.deep.equal([
        code,
        true,
      ])
      expect(error.message).not.to.contain('correct horse')
    }
    const files = ['--key-file', t.secret('n.key', bob.key), '--password-file', t.password, '--court', t.court]
    const late = await t.run('init', '--home', t.home('n'), ...files, '--since', '1')
    expect(late.out).to.match(/^history +from block 1 on; what came before is not read: .+ is refused/m)
    const whole = await t.run('init', '--home', t.home('m'), ...files)
    expect(whole.out).to.match(/^history +from block 0 on; the court is no older$/m)
    const people = await t.program('channel', 'list', '--home', t.home('a'))
    expect([people.code, people.out]).to.deep.equal([1, ''])
    expect(people.err).to.match(/^kerros: No node runs on [^\n]+\n$/)
  })

  it('refuses amounts and ids that it cannot mean, before anything is paid; is the same as a task of Hardhat', async () => {
    const { id, a } = await channel()
    const at = ['--home', t.home('a'), '--json']
    const cases: readonly (readonly [readonly string[], number, string, RegExp])[] = [
      [['pay', id, '5', ...at], 2, 'Usage', /"5" has no unit: write "5 ETH", or "5 wei"/],
      [['pay', id, '1.0000000000000000001 ETH', ...at], 2, 'Usage', /19 decimals, and 18 are all there are/],
      [['pay', id, '0 ETH', ...at], 2, 'Usage', /amount is 0/],
      [['pay', id, '1 USDC', ...at], 2, 'Usage', /is no unit of this channel, which holds ETH/],
      [['pay', id, '1.5 ETH', ...at], 1, 'InsufficientFunds', /can pay 1 ETH, the payment needs 1\.5 ETH/],
      [['show', `0x${'00'.repeat(32)}`, ...at], 1, 'UnknownChannel', /kerros channel list tells/],
      [['show', '0x0000', ...at], 1, 'UnknownChannel', /begins with 0x0000/],
      [['show', 'mine', ...at], 2, 'Usage', /is no id of a channel/],
    ]
    const ended = await Promise.all(cases.map(([words]) => t.run('channel', ...words)))
    for (const [i, [words, status, code, sentence]] of cases.entries()) {
      const error = refused(ended[i]!, status)
      expect([error.code, sentence.test(error.message)], `${words.join(' ')}: ${error.message}`).to.deep.equal([
        code,
        true,
      ])
    }
    const list = await t.json('channel', 'list', '--home', t.home('a'))
    expect(list.channels[0]).to.include({ id, version: '0', pending: 0 })
    expect(JSON.parse(await task('channel', 'show', id, ...at))).to.deep.equal(list.channels[0])
    await a.kill('SIGTERM')
  })
})

/** Runs a command as a task of Hardhat; resolves with its output. */
function task(...words: readonly string[]): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, ['node_modules/.bin/hardhat', 'kerros', ...words], { env: process.env })
    let [out, err] = ['', '']
    child.stdout.on('data', (text) => (out += text))
    child.stderr.on('data', (text) => (err += text))
    child.on('close', (code) => (code === 0 ? done(out) : failed(new Error(`it ended with ${code}: ${err}${out}`))))
  })
}
