import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { ETH, type PlasmaTown, plasmaTown, refused } from './plasmaTown.ts'

const [alice, bob] = [localAccount(1), localAccount(2)]

describe('kerros plasma, of locks and of child chains', () => {
  let town: PlasmaTown
  beforeEach(async () => {
    town = await plasmaTown()
  })
  afterEach(() => town.t.leave())

  it('pays under a lock, which the payee takes with the secret and spends on', async () => {
    const { t, of, ask, office } = town
    const { operator, close } = await office(['a', 1], ['b', 2])
    try {
      const file = join(t.folder, 'swap.secret')
      const { hash } = await t.json('plasma', 'secret', '--out', file)
      await ask('a', 'deposit', '1 ETH')
      const locked = await ask('a', 'lock', bob.address, '0.25 ETH', '--hash', hash, '--within', '2h')
      expect(locked).to.include({ status: 'acknowledged', hash, amount: String(ETH / 4n), to: bob.address })
      operator.seal()
      const learned = await ask('b', 'learn', locked.terms)
      expect(learned).to.include({ hash, refund: alice.address, lock: locked.lock, expiry: locked.expiry })
      const here = async (name: string) => (await ask(name, 'balance')).assets[0]
      for (let tries = 0; tries < 50 && (await here('b')).locked === '0'; tries++);
      expect(await here('b')).to.include({ locked: String(ETH / 4n), received: '0' })
      const early = refused(await t.run('plasma', 'pay', alice.address, '0.1 ETH', ...of('b'), '--json'), 1)
      expect(early.code).to.equal('InsufficientFunds')

      const revealed = await ask('b', 'reveal', '--secret-file', file)
      expect(revealed.hash).to.equal(hash)
      expect(await here('b')).to.include({ locked: '0', received: String(ETH / 4n) })
      expect((await ask('b', 'pay', alice.address, '0.25 ETH')).status).to.equal('acknowledged')
      const said = refused(await t.run('plasma', 'learn', 'kerros-lock:nothing', ...of('b'), '--json'), 2)
      expect(said.message).to.contain('copy the whole word')
      expect(readFileSync(file, 'utf8')).to.match(/^0x[0-9a-f]{64}\n$/)
    } finally {
      await close()
    }
  })

  it('runs a child chain under another operator, with payments and exits of its own', async () => {
    const { t, of, ask, init, operate, start } = town
    await t.blocks(1000)
    const root = await start()
    const api = root.answer.api
    const missing = refused(await t.run('plasma', 'init', '--home', t.home('x'), '--parent', api, '--json'), 2)
    expect(missing.message).to.contain('--slot')
    const child = await init('child', 3, '--parent', api, '--slot', '7')
    expect(child.path).to.have.length(2)
    const none = refused(await t.program('plasma', 'operator', 'start', ...of('child'), '--json'), 1)
    expect(none.code).to.equal('NoConsent')
    const { consent, chain } = await ask('op', 'operator consent', child.address, '--slot', '7')
    expect(chain).to.equal(child.chain)
    const operator = await operate('child', '--consent', consent)
    await init('a', 1, '--operator', operator.answer.api)
    await ask('a', 'deposit', '1 ETH')
    const paid = await ask('a', 'pay', bob.address, '0.25 ETH', '--wait', '2m')
    expect(paid.status).to.equal('paid')
    expect((await ask('a', 'exit-all', '--yes')).started).to.have.length(1)
    expect((await ask('a', 'exits')).exits[0]).to.include({ amount: String((3n * ETH) / 4n), stage: 'running' })
    for (const one of [operator, root]) expect((await one.kill('SIGTERM')).code).to.equal(0)
  })
})
