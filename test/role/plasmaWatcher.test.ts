import { expect } from 'chai'
import { ETHER, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { entries } from '../../src/core/base/HashMap.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { header, inclusion, txRoot, txTree } from '../../src/core/plasma/Block.ts'
import { OWN_PERMIT } from '../../src/core/plasma/Exit.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { allExits } from '../../src/core/plasma/Running.ts'
import { outputId } from '../../src/core/plasma/Transaction.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Watcher } from '../../src/role/Watcher.ts'
import { CHAIN, COURT, DEPTH, ETHER_100, key, MFP, WATCHER, type World } from './plasmaWorld.ts'
import { hashOf, ID, PAYER, payment, ready, THIEF } from './puppet.ts'

function names(world: World): readonly string[] {
  return world.alarms.map((alarm) => `${alarm.name} ${alarm.number}`)
}

function running(watcher: Watcher): number {
  return allExits(watcher.state.running).length
}

describe('Watcher', () => {
  const outputs = [{ owner: THIEF, asset: ETHER, value: 100n, lock: ZERO }]
  const lies: readonly (readonly [string, readonly Signed[]])[] = [
    ['an output out of nowhere', [payment(0, { inputs: [uint(7, 32)], outputs })]],
    ['a deposit spent twice', [payment(0), payment(0, { outputs })]],
    ['more paid out than in', [payment(0, { outputs: [{ ...outputs[0]!, value: 101n }] })]],
    [
      'fees that nobody left',
      [payment(0), { ...payment(0, { inputs: [], outputs, lastBlock: 1 }), authorisation: '0x' }],
    ],
    ['an expired payment', [payment(0, { lastBlock: 0 })]],
    ['an output spent in its own block', [payment(0), payment(0, { inputs: [outputId(hashOf(payment(0)), 0)] })]],
    ['the same transaction twice', [payment(0), payment(0)]],
  ]
  for (const [name, transactions] of lies) {
    it(`finds ${name} in a block, and says so once`, async () => {
      const { world, puppet } = await ready()
      const store = memoryStore()
      const watcher = world.watcher(puppet.api, store)
      await puppet.commit(transactions)
      expect(names(world)).to.deep.equal(['InvalidBlock 1'])
      await puppet.commit([payment(1)])
      watcher.stop()
      const again = world.watcher(puppet.api, store)
      await puppet.commit([payment(2)])
      expect(names(world)).to.deep.equal(['InvalidBlock 1'])
      expect(again.state.follower.bad?.number).to.equal(1)
      expect(world.failures).to.deep.equal([])
      world.stop()
    })
  }

  it('calls no block invalid whose authorisations do not verify: it asks on, and at last calls it withheld', async () => {
    const unsigned = payment(0, { outputs }, key(5))
    const signedFee = payment(0, { inputs: [], outputs: [{ ...outputs[0]!, value: 1n }], lastBlock: 1 })
    const cheap = payment(0, { outputs: [{ ...outputs[0]!, value: 99n }] })
    for (const block of [[unsigned], [{ ...payment(0), authorisation: '0x' } as const], [cheap, signedFee]]) {
      const { world, puppet } = await ready()
      const store = memoryStore()
      world.watcher(puppet.api, store).stop()
      const watcher = world.watcher(puppet.api, store)
      await puppet.commit(block)
      await world.pass(6 * 3600 - 600)
      expect(names(world)).to.deep.equal([])
      watcher.stop()
      const again = world.watcher(puppet.api, store)
      await world.pass(1200)
      expect(names(world), 'what was missed before a restart is remembered').to.deep.equal(['WithheldBlock 1'])
      await puppet.exitDeposit(0)
      expect(again.state.spends.size, 'what nobody signed spends nothing').to.equal(block.length - 1)
      expect(world.failures).to.deep.equal([])
      world.stop()
    }
  })

  it('believes a block as soon as somebody serves it with the true signatures', async () => {
    const { world, puppet } = await ready()
    const watcher = world.watcher(puppet.api)
    await puppet.commit([payment(0)], { shown: false })
    puppet.served.set(1, [payment(0, {}, key(5))])
    await world.mine(3)
    expect(watcher.state.follower.ledger.number).to.equal(1)
    puppet.served.set(1, [payment(0)])
    await world.mine(1)
    expect(watcher.state.follower.ledger.number).to.equal(2)
    expect(names(world)).to.deep.equal([])
    world.stop()
  })

  it('calls a block invalid at once that would be so whatever its signatures said', async () => {
    const { world, puppet } = await ready()
    world.watcher(puppet.api)
    await puppet.commit([payment(0, {}, key(5)), payment(1, { inputs: [uint(7, 32)] })])
    expect(names(world)).to.deep.equal(['InvalidBlock 1'])
    world.stop()
  })

  it('finds a deposit that was spent before the block could see it', async () => {
    const { world, puppet } = await ready()
    world.watcher(puppet.api)
    await puppet.commit([payment(2)], { seen: false })
    expect(names(world)).to.deep.equal(['InvalidBlock 1'])
    world.stop()
  })

  it('warns of the exit of something that no valid block has made', async () => {
    const { world, puppet } = await ready()
    world.watcher(puppet.api)
    await puppet.commit([payment(0)])
    await puppet.commit([payment(1, { inputs: [uint(7, 32)], outputs })])
    await puppet.exit(2, 0, THIEF)
    await puppet.exit(1, 0)
    const forged = outputId(hashOf(puppet.served.get(2)![0]!), 0)
    expect(world.alarms.map(({ name, ids }) => [name, ids])).to.deep.equal([
      ['InvalidBlock', '0x'],
      ['InvalidExit', forged],
    ])
    world.stop()
  })

  for (const instead of [undefined, [payment(1)], []]) {
    it(`calls a block withheld for which it is served ${instead ? `${instead.length} others` : 'nothing'}, not too early`, async () => {
      const { world, puppet } = await ready()
      const watcher = world.watcher(puppet.api)
      await puppet.commit([payment(0)], { shown: false })
      if (instead) puppet.served.set(1, instead)
      await world.pass(6 * 3600 - 600)
      watcher.tick()
      await world.rest()
      expect(names(world)).to.deep.equal([])
      await world.pass(1200)
      expect(names(world)).to.deep.equal(['WithheldBlock 1'])
      world.stop()
    })
  }

  it('calls no block withheld because time leapt between two questions', async () => {
    const { world, puppet } = await ready()
    const watcher = world.watcher(puppet.api)
    await puppet.commit([payment(0)], { shown: false })
    puppet.served.set(1, [payment(0)])
    for (let i = 0; i < DEPTH + 2; i++) world.l1.mine(world.l1.head().time + 6 * 3600)
    await world.mine(DEPTH)
    expect(names(world)).to.deep.equal([])
    expect(watcher.state.follower.ledger.number).to.equal(2)
    world.stop()
  })

  it('goes on as soon as a late block comes', async () => {
    const { world, puppet } = await ready()
    const watcher = world.watcher(puppet.api)
    await puppet.commit([payment(0)], { shown: false })
    await puppet.commit([payment(1)])
    expect(watcher.state.follower.ledger.number).to.equal(1)
    puppet.served.set(1, [payment(0)])
    watcher.tick()
    await world.rest()
    expect(watcher.state.follower.ledger.number).to.equal(3)
    expect(names(world)).to.deep.equal([])
    world.stop()
  })

  for (const [name, lastBlock, proofs] of [
    ['a spend that lives for long, without its proof', 1000, 0],
    ['a spend that has expired, with its proof', 2, 1],
  ] as const) {
    it(`challenges with ${name}`, async () => {
      const { world, puppet } = await ready()
      const watcher = world.watcher(puppet.api)
      await puppet.commit([payment(0), payment(1)])
      await puppet.commit([payment(0, { inputs: [outputId(hashOf(payment(0)), 0)], lastBlock })])
      await puppet.commit([payment(2)])
      await puppet.exit(1, 0)
      await world.mine(DEPTH + 2)
      expect(running(watcher)).to.equal(0)
      const earned = world.l1.money.balance(ETHER, WATCHER) - ETHER_100
      expect(earned, 'half of one and a half bonds').to.equal((150_000n * 10n ** 9n * 3n) / 4n)
      const shown = world.calls.flatMap((call) => (call.verb === 'challengeExit' ? [call.spend.inclusion.length] : []))
      expect(shown).to.deep.equal([proofs])
      world.stop()
    })
  }

  it('challenges the exit of a spent deposit, and of an output whose spend it learns of only later', async () => {
    const { world, puppet } = await ready()
    const watcher = world.watcher(puppet.api)
    await puppet.commit([payment(0), payment(1)])
    await puppet.exitDeposit(0)
    await world.mine(DEPTH + 2)
    expect(running(watcher)).to.equal(0)
    await puppet.commit([payment(1, { inputs: [outputId(hashOf(payment(1)), 0)] })], { shown: false })
    await puppet.exit(1, 1)
    expect(running(watcher)).to.equal(1)
    puppet.served.set(2, [payment(1, { inputs: [outputId(hashOf(payment(1)), 0)] })])
    watcher.tick()
    await world.mine(DEPTH + 3)
    expect(running(watcher)).to.equal(0)
    expect(names(world)).to.deep.equal(['InvalidExit 0', 'InvalidExit 0'])
    world.stop()
  })

  it('challenges all exits of one spent output at once, however many a thief starts', async () => {
    const { world, puppet } = await ready()
    const watcher = world.watcher(puppet.api)
    await puppet.commit([payment(0)])
    await Promise.all(Array.from({ length: 20 }, () => puppet.exitDeposit(0)))
    await world.mine(2 * DEPTH + 2)
    expect(running(watcher)).to.equal(0)
    expect(world.calls.filter((call) => call.verb === 'challengeExit')).to.have.length(20)
    world.stop()
  })

  it('calls no exit invalid whose block was committed in the very second of its start', async () => {
    const { world, puppet } = await ready()
    const watcher = world.watcher(puppet.api)
    const [asOf, head] = [world.l1.head().time, header(txRoot([hashOf(payment(0))]))]
    const commitment = { number: 1, asOf, time: asOf + 12, header: head }
    const commit = world.connect(CHAIN.operator).send({ verb: 'commit', chain: CHAIN, number: 1, header: head, asOf })
    await world.mine()
    const shown = inclusion(txTree([hashOf(payment(0))]), 0, commitment)
    const start = { verb: 'startExit', path: [CHAIN], output: 0, inclusion: shown, permit: OWN_PERMIT } as const
    const started = world.connect(PAYER).send({ ...start, transaction: payment(0).transaction })
    await world.mine()
    await Promise.all([commit, started])
    world.l1.reorg(2)
    await world.mine(2 * DEPTH)
    expect([running(watcher), watcher.state.follower.commits.length]).to.deep.equal([1, 1])
    expect(names(world)).to.deep.equal([])
    world.stop()
  })

  it('leaves honest exits alone, from a sync in the middle of them to their payment', async () => {
    const { world, puppet } = await ready()
    await puppet.commit([payment(0)])
    await puppet.exit(1, 0)
    await puppet.exitDeposit(1)
    const watcher = world.watcher(puppet.api)
    await world.mine(DEPTH + 2)
    expect(running(watcher)).to.equal(2)
    await world.pass(2 * MFP)
    const exits = allExits(watcher.state.running).map(({ exit }) => exit)
    exits.sort((a, b) => a.exitableAt - b.exitableAt)
    await puppet.send(THIEF, { verb: 'process', chain: ID, asset: ETHER, exits, members: [], inFlight: [] })
    await puppet.commit([payment(2)])
    const late = world.watcher(puppet.api)
    await world.mine(2)
    for (const one of [watcher, late]) expect([running(one), one.state.follower.ledger.number]).to.deep.equal([0, 3])
    expect(world.l1.money.balance(ETHER, COURT)).to.equal(100n)
    expect(names(world)).to.deep.equal([])
    world.stop()
  })

  it('answers after a restart what was started while it was away', async () => {
    const { world, puppet } = await ready()
    const store = memoryStore()
    const first = world.watcher(puppet.api, store)
    await puppet.commit([payment(0)])
    first.stop()
    await puppet.exitDeposit(0)
    const silent = { block: () => Promise.reject(new Refusal('UnknownBlock', 0)) }
    const second = world.watcher(silent, store)
    await world.mine(DEPTH + 2)
    expect(running(second)).to.equal(0)
    expect([...entries(second.state.spends)]).to.deep.equal([...entries(first.state.spends)])
    world.stop()
  })

  it('challenges again what a reorg took away', async () => {
    const { world, puppet } = await ready()
    const watcher = world.watcher(puppet.api)
    await puppet.commit([payment(0)])
    await puppet.exitDeposit(0)
    await world.mine()
    expect(world.l1.pending()).to.deep.equal([])
    world.l1.reorg(1, { remine: () => [] })
    await world.mine(2 * DEPTH + 3)
    expect(running(watcher)).to.equal(0)
    expect(world.l1.money.balance(ETHER, WATCHER) > ETHER_100).to.equal(true)
    world.stop()
  })

  it('asks for the head of layer 1 until it is told', async () => {
    const { world, puppet } = await ready()
    await puppet.commit([payment(0)])
    await puppet.exitDeposit(0)
    let lost = 2
    const connect = world.connect.bind(world)
    world.connect = (sender) => {
      const l1 = connect(sender)
      return { ...l1, head: () => (lost-- > 0 ? Promise.reject(new Error('no node')) : l1.head()) }
    }
    const watcher = world.watcher(puppet.api)
    await world.mine(2 * DEPTH + 3)
    expect(running(watcher)).to.equal(0)
    expect(names(world)).to.deep.equal(['InvalidExit 0'])
    world.stop()
  })

  it('cries no wolf over old blocks while it syncs, whatever its operator does meanwhile', async () => {
    const { world, puppet } = await ready()
    await puppet.commit([payment(0)])
    await puppet.exitDeposit(0)
    await world.pass(30 * 86_400)
    let down = true
    const flaky = { block: (number: number) => (down ? Promise.reject(new Error('down')) : puppet.api.block(number)) }
    const watcher = world.watcher(flaky)
    await world.mine(2)
    expect(names(world)).to.deep.equal([])
    down = false
    await world.mine(2)
    expect(watcher.state.follower.ledger.number).to.equal(2)
    expect(names(world)).to.deep.equal(['InvalidExit 0', 'UnchallengedExit 0'])
    world.stop()
  })

  it('keeps trying a challenge that fails, and warns before it is too late', async () => {
    const { world, puppet } = await ready()
    const watcher = world.watcher(puppet.api)
    await puppet.commit([payment(0)])
    world.deaf.add(WATCHER)
    await puppet.exitDeposit(0)
    await world.mine(3)
    expect(names(world)).to.deep.equal(['InvalidExit 0'])
    await world.pass(MFP - 86_400)
    expect(names(world)).to.deep.equal(['InvalidExit 0', 'UnchallengedExit 0'])
    world.deaf.clear()
    await world.mine(DEPTH + 3)
    expect(running(watcher)).to.equal(0)
    world.stop()
  })
})

describe('Wallet on a bad chain', () => {
  it('pays no more, and leaves with what is its own', async () => {
    const { world, puppet } = await ready()
    const bad: string[] = []
    const wallet = world.wallet(1, puppet.api)
    await puppet.commit([payment(0)])
    await puppet.commit([payment(1, { inputs: [uint(7, 32)] })])
    const why = await wallet.pay(ETHER, [{ owner: THIEF, value: 1n }]).catch((error: Refusal) => bad.push(error.code))
    expect([why, bad]).to.deep.equal([1, ['ChainBad']])
    expect(wallet.balance(ETHER)).to.equal(300n)
    const left = [...entries(wallet.state.held)].map(([id]) => wallet.leave(id))
    expect(left).to.have.length(3)
    await world.mine(DEPTH + 2)
    await Promise.all(left)
    world.stop()
  })

  it('has not received what a withheld or invalid block says', async () => {
    const { world, puppet } = await ready()
    const wallet = world.wallet(5, puppet.api)
    const outputs = [{ owner: THIEF, asset: ETHER, value: 100n, lock: ZERO }]
    await puppet.commit([payment(0, { outputs })], { shown: false })
    await puppet.commit([payment(1, { outputs })])
    expect(wallet.balance(ETHER)).to.equal(0n)
    puppet.served.set(1, [payment(0, { outputs })])
    wallet.tick()
    await world.rest()
    expect(wallet.balance(ETHER)).to.equal(200n)
    await puppet.commit([payment(2, { outputs, inputs: [uint(7, 32)] })])
    expect(wallet.balance(ETHER)).to.equal(200n)
    world.stop()
  })
})
