import { expect } from 'chai'
import { ETHER, uint } from '../../src/core/base/Bytes.ts'
import type { Refusal } from '../../src/core/base/Step.ts'
import { dueExits } from '../../src/core/plasma/Due.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { allExits, allInFlight } from '../../src/core/plasma/Running.ts'
import { potOf } from '../../src/core/plasma/Vaults.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Watcher } from '../../src/role/Watcher.ts'
import { BOB, BOND, competing, flying, gained, given, Herald, idOf, leavingTogether, made, to } from './flights.ts'
import { CHAIN, DEPTH, key, MFP, WATCHER, type World } from './plasmaWorld.ts'
import { hashOf, ID, PAYER, type Puppet, payment, ready, THIEF } from './puppet.ts'

interface Scene {
  readonly world: World
  readonly puppet: Puppet
  readonly herald: Herald
  readonly watcher: Watcher
}

async function scene(): Promise<Scene> {
  const { world, puppet } = await ready()
  return { world, puppet, herald: new Herald(world), watcher: world.watcher(puppet.api) }
}

/** Lets everything that runs mature and be paid, by somebody who knows what everybody may know. */
async function payAll({ world, puppet, watcher }: Scene): Promise<void> {
  await world.pass(2 * MFP)
  const due = dueExits(watcher.state.running, ETHER, world.l1.head().time)
  await puppet.send(THIEF, { verb: 'process', chain: ID, asset: ETHER, ...due })
}

/** The payer of a payment to Bob starts its in-flight exit; Bob wants his output of it. */
async function startedFor({ puppet, herald }: Scene, signed: Signed): Promise<void> {
  await puppet.send(PAYER, flying(signed, given(0)))
  await puppet.send(BOB, { verb: 'piggyback', inFlight: herald.exitOf(signed), positions: 0b0001_0000, terms: [] })
}

/** The answers that went out so far. */
function answers(world: World): readonly string[] {
  const verbs = ['challengeExit', 'challengeGroup', 'challengeLocked', 'compete', 'challengeOutput', 'respond']
  return world.calls.map((call) => call.verb).filter((verb) => verbs.includes(verb))
}

/** Deposit 0 paid to Bob, and the same deposit back to its owner: who signs both robs somebody. */
const PAID = payment(0, { outputs: [to(BOB)] })
const TAKEN = payment(0, { outputs: [to(PAYER)] })

describe('Watcher of in-flight exits and groups', () => {
  it('competes with the payment in a block against one of the same money that wants out, from any position', async () => {
    const on = await scene()
    const { world, puppet } = on
    await puppet.commit([PAID, payment(1)])
    const more = {
      inputs: [PAID, payment(1)].flatMap(({ transaction }) => transaction.inputs),
      outputs: [to(PAYER, 200n)],
    }
    const both = payment(0, more)
    await puppet.send(PAYER, flying(both, given(0), given(1)))
    await world.mine(2 * DEPTH + 2)
    expect(answers(world)).to.deep.equal(['compete', 'compete'])
    await puppet.exit(1, 0, BOB)
    await payAll(on)
    expect(gained(world, BOB)).to.equal(100n)
    expect(gained(world, PAYER), 'both deposits that it paid, and all four bonds').to.equal(-300n - 4n * BOND + BOND)
    expect(gained(world, WATCHER), 'half of the start and two inputs').to.equal((BOND * 3n) / 2n)
    expect(world.alarms.map(({ name }) => name)).to.deep.equal(['NonCanonical', 'InvalidPiggyback', 'InvalidPiggyback'])
    world.stop()
  })

  it('shows a payment in its block though it lives, so that a later block of the thief cannot answer it', async () => {
    const on = await scene()
    const { world, puppet, herald } = on
    await puppet.commit([PAID])
    await puppet.send(PAYER, flying(TAKEN, given(0)))
    await puppet.commit([TAKEN])
    await world.mine(DEPTH)
    const inFlight = herald.exitOf(TAKEN)
    const late = world.connect(THIEF).send({ verb: 'respond', path: [CHAIN], inFlight, inclusion: puppet.proof(2, 0) })
    expect(await late.catch((why: Refusal) => why.code)).to.equal('NotOlder')
    await puppet.exit(1, 0, BOB)
    await payAll(on)
    expect(gained(world, BOB)).to.equal(100n)
    expect(potOf(world.court.state(), ID, ETHER) >= 200n).to.equal(true)
    world.stop()
  })

  it('shows it again with its place after the thief has shown it as a live one', async () => {
    const on = await scene()
    const { world, puppet, herald } = on
    await puppet.commit([PAID])
    world.deaf.add(WATCHER)
    await puppet.send(PAYER, flying(TAKEN, given(0)))
    await puppet.send(PAYER, competing(herald.exitOf(TAKEN), 0, PAID))
    await puppet.commit([TAKEN])
    await puppet.send(PAYER, {
      verb: 'respond',
      path: [CHAIN],
      inFlight: herald.exitOf(TAKEN),
      inclusion: puppet.proof(2, 0),
    })
    world.deaf.clear()
    await world.mine(DEPTH + 2)
    await puppet.exit(1, 0, BOB)
    await payAll(on)
    expect(gained(world, BOB)).to.equal(100n)
    expect(herald.all('InFlightProcessed').map(({ canonical }) => canonical)).to.deep.equal([false])
    world.stop()
  })

  it('objects to a piggybacked output that was spent, once, with a spend that has expired too', async () => {
    for (const lastBlock of [1000, 2]) {
      const on = await scene()
      const { world, puppet } = on
      await puppet.commit([payment(0)])
      await puppet.commit([payment(0, { inputs: [idOf(payment(0))], outputs: [to(BOB)], lastBlock })])
      await puppet.commit([payment(1)])
      await puppet.send(PAYER, flying(payment(0), given(0)))
      await world.mine(2 * DEPTH)
      expect(answers(world)).to.deep.equal(['challengeOutput'])
      await puppet.exit(2, 0, BOB)
      await payAll(on)
      expect(gained(world, BOB)).to.equal(100n)
      expect(world.alarms.map(({ name }) => name)).to.deep.equal(['InvalidPiggyback'])
      world.stop()
    }
  })

  it('responds for a payment in a block that a younger one is shown against', async () => {
    const on = await scene()
    const { world, puppet, herald } = on
    await puppet.commit([PAID])
    await startedFor(on, PAID)
    await world.mine(DEPTH)
    expect(answers(world)).to.deep.equal([])
    await puppet.send(PAYER, competing(herald.exitOf(PAID), 0, TAKEN))
    await world.mine(DEPTH + 2)
    expect(answers(world)).to.deep.equal(['compete', 'respond'])
    await payAll(on)
    // Its start's bond and its input's are lost, half of both to itself who competed.
    expect([gained(world, BOB), gained(world, PAYER)]).to.deep.equal([100n, -300n - BOND])
    world.stop()
  })

  it('responds for a payment in a block whose exit started after it had expired', async () => {
    const on = await scene()
    const { world, puppet } = on
    const old = payment(0, { outputs: [to(BOB)], lastBlock: 1 })
    await puppet.commit([old])
    await puppet.send(PAYER, flying(old, given(0)))
    await world.mine(DEPTH + 2)
    expect(answers(world)).to.deep.equal(['respond'])
    await puppet.exit(1, 0, BOB)
    await payAll(on)
    expect([gained(world, BOB), gained(world, PAYER)], 'the payer has its bonds back and no more').to.deep.equal([
      100n,
      -300n,
    ])
    world.stop()
  })

  it('challenges a group one of whose members was spent, with that member', async () => {
    const on = await scene()
    const { world, puppet, herald } = on
    const all = [0, 1, 2].map((n) => payment(n))
    await puppet.commit(all)
    await puppet.commit([payment(0, { inputs: [idOf(all[1]!)], outputs: [to(BOB)] })])
    await puppet.send(PAYER, leavingTogether(puppet, 1, [0, 1, 2]))
    await world.mine(2 * DEPTH)
    expect(answers(world)).to.deep.equal(['challengeGroup'])
    expect(herald.all('ExitChallenged')).to.have.length(1)
    await puppet.send(PAYER, leavingTogether(puppet, 1, [0, 2]))
    await puppet.exit(2, 0, BOB)
    await payAll(on)
    expect(answers(world)).to.have.length(1)
    expect([gained(world, BOB), gained(world, PAYER)]).to.deep.equal([100n, -100n - BOND])
    expect(world.alarms.map(({ name }) => name)).to.deep.equal(['InvalidExit'])
    world.stop()
  })

  it('challenges the exit of what a live transaction spends that an in-flight exit has shown, for whom it pays', async () => {
    const on = await scene()
    const { world, puppet } = on
    await startedFor(on, PAID)
    await puppet.exitDeposit(0)
    await world.mine(2 * DEPTH)
    expect(answers(world)).to.deep.equal(['challengeExit'])
    await payAll(on)
    expect([gained(world, BOB), gained(world, PAYER)]).to.deep.equal([100n, -300n - BOND])
    expect(world.alarms.map(({ name }) => name)).to.deep.equal(['InvalidExit'])
    world.stop()
  })

  const nowhere = payment(2, { inputs: [uint(7, 32)] })
  for (const [name, bad, shown] of [
    ['a bad block', [[nowhere, PAID]], 1],
    ['a block after a bad one', [[nowhere], [PAID]], 2],
    ['a block after a withheld one', [undefined, [PAID]], 2],
  ] as const) {
    it(`knows what was paid in ${name}, which its payer wants back, and after a restart`, async () => {
      const { world, puppet } = await ready()
      const store = memoryStore()
      const first = world.watcher(puppet.api, store)
      for (const block of bad) await puppet.commit(block ?? [nowhere], { shown: block !== undefined })
      await world.pass(7 * 3600)
      first.tick()
      await world.mine(DEPTH)
      first.stop()
      const watcher = world.watcher(puppet.api, store)
      await puppet.exitDeposit(0)
      await puppet.send(PAYER, flying(TAKEN, given(0)))
      await world.mine(DEPTH)
      expect([...answers(world)].sort()).to.deep.equal(['challengeExit', 'compete'])
      expect(watcher.state.spends.size).to.equal(1)
      expect(world.calls.flatMap((call) => ('spend' in call ? call.spend.inclusion : [])).at(-1)?.number).to.equal(
        shown,
      )
      const on = { world, puppet, watcher, herald: new Herald(world) }
      await startedFor(on, PAID)
      await payAll(on)
      expect(gained(world, BOB)).to.equal(100n)
      world.stop()
    })
  }

  it('warns of an in-flight exit of something that no valid block has made, once', async () => {
    const { world, puppet } = await scene()
    const forged = payment(0, { inputs: [uint(7, 32)], outputs: [to(THIEF)] })
    await puppet.commit([forged])
    const onward = payment(0, { inputs: [idOf(forged)], outputs: [to(THIEF)] }, key(5))
    await puppet.send(THIEF, flying(onward, made(puppet, 1, 0)))
    await world.mine(DEPTH + 2)
    expect(world.alarms.map(({ name, ids }) => [name, ids])).to.deep.equal([
      ['InvalidBlock', '0x'],
      ['InvalidExit', hashOf(onward)],
    ])
    expect(answers(world)).to.deep.equal([])
    world.stop()
  })

  it('believes no bad block what its payer did not sign', async () => {
    const on = await scene()
    const { world, puppet } = on
    await puppet.commit([payment(0, { outputs: [to(THIEF)] }, key(5))])
    await puppet.exitDeposit(0)
    await payAll(on)
    expect(answers(world)).to.deep.equal([])
    expect(gained(world, PAYER)).to.equal(-200n)
    world.stop()
  })

  it('leaves honest groups and in-flight exits alone, to their payment and after it', async () => {
    const on = await scene()
    const { world, puppet } = on
    const withheld = payment(0, { outputs: [to(BOB)] })
    await puppet.commit([1, 2].map((n) => payment(n)))
    await puppet.commit([withheld])
    await puppet.send(PAYER, flying(withheld, given(0)))
    await puppet.send(PAYER, leavingTogether(puppet, 1, [0, 1]))
    await payAll(on)
    await world.mine(2)
    const late = world.watcher(puppet.api)
    await world.mine(DEPTH)
    for (const one of [on.watcher, late]) {
      expect([allExits(one.state.running).length, allInFlight(one.state.running).length]).to.deep.equal([0, 0])
    }
    expect([answers(world), world.alarms, world.failures]).to.deep.equal([[], [], []])
    expect(gained(world, PAYER), 'all but what it paid').to.equal(-100n)
    world.stop()
  })

  it('warns before the half of an in-flight exit is over, and knows after a restart what was said before', async () => {
    const { world, puppet } = await ready()
    const store = memoryStore()
    const first = world.watcher(puppet.api, store)
    await puppet.commit([PAID])
    await puppet.send(PAYER, flying(TAKEN, given(0)))
    await world.mine(DEPTH + 2)
    expect(answers(world)).to.deep.equal(['compete'])
    first.stop()
    const second = world.watcher(puppet.api, store)
    await world.mine(DEPTH)
    expect(answers(world)).to.deep.equal(['compete'])
    world.deaf.add(WATCHER)
    await puppet.commit([payment(1)])
    const again = payment(1, { outputs: [to(THIEF)] })
    await puppet.send(PAYER, flying(again, given(1)))
    expect(world.alarms.map(({ name }) => name)).to.deep.equal([
      'NonCanonical',
      'InvalidPiggyback',
      'NonCanonical',
      'InvalidPiggyback',
    ])
    await world.pass(MFP / 2 - 86_400)
    expect(world.alarms.map(({ name, ids }) => [name, ids])).to.deep.include(['UnchallengedExit', hashOf(again)])
    second.stop()
    world.stop()
  })
})
