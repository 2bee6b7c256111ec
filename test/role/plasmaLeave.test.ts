import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, uint } from '../../src/core/base/Bytes.ts'
import { inclusion, txTree } from '../../src/core/plasma/Block.ts'
import { siblingsOf } from '../../src/core/plasma/Group.ts'
import { mergedInclusion } from '../../src/core/plasma/Held.ts'
import { freeOf, heldBy } from '../../src/core/plasma/Purse.ts'
import type { Operator } from '../../src/role/Operator.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import { runs } from '../fuzz.ts'
import { gained, Herald } from './flights.ts'
import { COURT, DEPTH, ETHER_100, MFP, through, World } from './plasmaWorld.ts'

interface Town {
  readonly world: World
  readonly operator: Operator
  readonly alice: Wallet
  readonly bob: Wallet
  readonly herald: Herald
}

/** Alice with deposits of these values that everybody sees, Bob with nothing, and a watcher. */
async function town(values: readonly bigint[]): Promise<Town> {
  const world = new World()
  const operator = world.operator()
  world.watcher(through(operator))
  await world.mine(DEPTH + 3)
  const [alice, bob] = [1, 2].map((n) => world.wallet(n, through(operator))) as [Wallet, Wallet]
  await world.rest()
  const sent = values.map((value) => alice.deposit(ETHER, value))
  await world.mine(DEPTH + 3)
  await Promise.all(sent)
  return { world, operator, alice, bob, herald: new Herald(world) }
}

/** Does something on layer 1, mines, and waits until everybody believes it. */
async function done<Result>({ world }: Town, work: Promise<Result>): Promise<Result> {
  await world.mine(DEPTH + 2)
  return work
}

/** Lets everything mature; whoever is told lets the court pay it. */
async function payBy(on: Town, wallet: Wallet): Promise<void> {
  await on.world.pass(2 * MFP)
  await done(on, wallet.process(ETHER, on.world.l1.head().time))
}

function uses(wallet: Wallet): readonly string[] {
  return heldBy(wallet.state).map(({ output, use }) => `${output.value} ${use}`)
}

describe('Wallet that leaves', () => {
  it('leaves with everything in two groups, which a stranger lets the court pay, and nobody objects', async () => {
    const on = await town([5n, 6n, 7n, 20n])
    const { world, operator, alice, bob, herald } = on
    await alice.pay(
      ETHER,
      [1n, 2n, 3n, 4n].map((value) => ({ owner: alice.owner, value })),
      10n,
    )
    await world.settle(operator)
    operator.stop()
    const ids = freeOf(alice.state, ETHER).map(({ id }) => id)
    expect(ids).to.have.length(7)
    await done(on, alice.leaveAll(ids))
    expect(herald.all('GroupStarted').map(({ members }) => members.length)).to.have.members([3, 4])
    expect(new Set(uses(alice))).to.deep.equal(
      new Set(['1 leaving', '2 leaving', '3 leaving', '4 leaving', '5 leaving', '6 leaving', '7 leaving']),
    )
    expect(await alice.pay(ETHER, [{ owner: bob.owner, value: 1n }]).catch((why: Error) => why.message)).to.match(
      /^InsufficientFunds/,
    )
    await payBy(on, bob)
    expect(gained(world, alice.owner), 'all but the fee').to.equal(-10n)
    expect(uses(alice)).to.deep.equal([])
    expect([world.alarms, world.failures]).to.deep.equal([[], []])
    world.stop()
  })

  it('has its outputs free again whose group was cancelled', async () => {
    const on = await town([5n, 6n])
    const { world, alice, herald } = on
    await done(on, alice.leaveAll(freeOf(alice.state, ETHER).map(({ id }) => id)))
    const [{ exit, lane, index }] = herald.all('ExitStarted') as [never]
    await done(on, world.connect(alice.owner).send({ verb: 'cancelExit', exit, lane, index }))
    expect(uses(alice)).to.have.members(['5 free', '6 free'])
    world.stop()
  })

  it('takes a payment to layer 1 that no operator included: the payee has it, the payer its change', async () => {
    const on = await town([10n, 3n])
    const { world, operator, alice, bob } = on
    const { txHash } = await alice.pay(ETHER, [{ owner: bob.owner, value: 4n }])
    operator.stop()
    await done(on, alice.fly(txHash))
    await done(on, bob.piggyback(txHash))
    expect(await bob.piggyback(txHash).catch((why: Error) => why.message)).to.match(/^NothingLeft/)
    await payBy(on, bob)
    expect([gained(world, bob.owner), gained(world, alice.owner)]).to.deep.equal([4n, -7n])
    expect([uses(alice), alice.state.payments.size]).to.deep.equal([['3 free'], 0])
    expect(world.l1.money.balance(ETHER, COURT)).to.equal(3n)
    expect([world.alarms, world.failures]).to.deep.equal([[], []])
    world.stop()
  })

  it('has its money back, or the payment made, when the operator includes what is on its way to layer 1', async () => {
    const on = await town([10n])
    const { world, operator, alice, bob } = on
    const { txHash } = await alice.pay(ETHER, [{ owner: bob.owner, value: 4n }])
    await done(on, alice.fly(txHash))
    await world.settle(operator)
    await payBy(on, bob)
    const [onL1, held] = [gained(world, alice.owner) + gained(world, bob.owner), [...uses(alice), ...uses(bob)]]
    expect([onL1, held]).to.deep.equal([-4n, ['4 free']])
    expect(world.l1.money.balance(ETHER, COURT)).to.equal(4n)
    expect([world.alarms, world.failures]).to.deep.equal([[], []])
    world.stop()
  })

  it('refuses what it has no payment, exit or output of', async () => {
    const { world, alice } = await town([])
    const code = (work: Promise<unknown>) => work.catch((why: Error) => why.message.split('(')[0])
    expect(await code(alice.fly(uint(1, 32)))).to.equal('UnknownPayment')
    expect(await code(alice.piggyback(uint(1, 32)))).to.equal('NothingLeft')
    expect(await code(alice.leaveAll([uint(1, 32)]))).to.equal('UnknownOutput')
    expect(gained(world, alice.owner) + ETHER_100).to.equal(ETHER_100)
    world.stop()
  })

  it('merges proofs into the one that a whole tree gives, whatever leaves', () => {
    const index = fc.nat(40)
    fc.assert(
      fc.property(fc.array(index, { minLength: 2, maxLength: 12 }), (indices) => {
        const tree = txTree(Array.from({ length: 41 }, (_, n) => uint(n + 1, 32)))
        const merged = mergedInclusion(indices.map((at) => inclusion(tree, at, { number: 1, time: 2, asOf: 1 })))
        expect(merged.siblings).to.deep.equal(siblingsOf(tree, indices))
      }),
      runs(30),
    )
  })
})
