import { expect } from 'chai'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import { addressOf } from '../../src/core/base/Signature.ts'
import { heldBy } from '../../src/core/plasma/Purse.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import { to } from './flights.ts'
import { DEPTH, key, MFP, through, World } from './plasmaWorld.ts'
import { ID, PAYER, payment, ready, THIEF } from './puppet.ts'

const DEED: Hex = `0x${'de'.repeat(20)}`

/** Deed `id` goes from somebody into the chain. */
async function deposit(world: World, n: number, id: bigint): Promise<void> {
  world.natures.set(DEED, 'unique')
  const owner = addressOf(key(n))
  world.l1.money.mint(DEED, owner, 1n)
  const sent = world
    .connect(owner)
    .send({ verb: 'deposit', chain: ID, salt: uint(id, 32), owner, asset: DEED, value: id })
  await world.mine(DEPTH + 3)
  await sent
}

function deedsOf(wallet: Wallet): readonly bigint[] {
  return heldBy(wallet.state).flatMap(({ output }) => (output.asset === DEED ? output.value : []))
}

describe('ERC-721s on a chain', () => {
  it('are paid by their ids, one by one, and leave as what they are', async () => {
    const world = new World()
    const operator = world.operator()
    world.watcher(through(operator))
    await world.mine(DEPTH + 3)
    const [alice, bob] = [1, 2].map((n) => world.wallet(n, through(operator))) as [Wallet, Wallet]
    for (const id of [2n, 5n]) await deposit(world, 1, id)
    expect(await alice.pay(DEED, [{ owner: bob.owner, value: 3n }]).catch((why: Error) => why.message)).to.equal(
      'InsufficientFunds(0, 1)',
    )
    await alice.pay(DEED, [{ owner: bob.owner, value: 5n }])
    await world.settle(operator)
    expect([deedsOf(alice), deedsOf(bob)]).to.deep.equal([[2n], [5n]])
    const left = [alice, bob].map((wallet) => wallet.leaveAll(heldBy(wallet.state).map(({ id }) => id)))
    await world.mine(DEPTH + 2)
    await Promise.all(left)
    await world.pass(2 * MFP)
    const paid = bob.process(DEED, world.l1.head().time)
    await world.mine(DEPTH + 2)
    await paid
    expect([1, 2].map((n) => world.l1.money.balance(DEED, addressOf(key(n))))).to.deep.equal([1n, 1n])
    expect([world.alarms, world.failures]).to.deep.equal([[], []])
    world.stop()
  })

  it('makes a block bad in which an operator lets one id become others, that are of somebody else', async () => {
    const { world, puppet } = await ready(0)
    world.watcher(puppet.api)
    await deposit(world, 1, 2n)
    await deposit(world, 5, 5n)
    const [hers] = [...world.court.state().status.keys()].slice(-1)
    const parts = [2n, 3n].map((value) => ({ ...to(THIEF, value), asset: DEED }))
    await puppet.commit([payment(0, { inputs: [hers!], outputs: parts }, key(5))])
    expect(world.alarms.map(({ name, detail }) => [name, detail.split('(')[0]])).to.deep.equal([
      ['InvalidBlock', 'block 1: Unbalanced'],
    ])
    expect(PAYER).not.to.equal(THIEF)
    world.stop()
  })
})
