import { expect } from 'chai'
import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { ChannelNode } from '../../src/role/ChannelNode.ts'
import { finish, mineUntil, terms, type World, world } from '../world.ts'
import { alice, bob, FUNDS, node } from './nodeStage.ts'

/** A channel with money on Alice's side alone. */
async function opened(w: World, x: ChannelNode, y: ChannelNode): Promise<Hex> {
  w.l1.money.mint(ETHER, alice.owner, FUNDS)
  const address = await y.listen('bob')
  const channel = terms(alice, bob)
  const [id] = await finish(w, Promise.all([x.open(channel, address), y.open(channel)]))
  await mineUntil(w, x.deposit(id, FUNDS))
  await mineUntil(
    w,
    x.until(id, ({ available }) => available === FUNDS),
  )
  return id
}

function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'not refused',
    (why) => why.code,
  )
}

describe('ChannelNode: withdrawals', () => {
  it('take money out of an open channel and resolve when that is final; the channel goes on', async () => {
    const w = world(21)
    const [x, y] = [await node(w, alice), await node(w, bob)]
    const id = await opened(w, x, y)
    await finish(w, x.pay(id, 100n))
    const taken = x.withdraw(id, 400_000n)
    expect(await finish(w, codeOf(x.withdraw(id, 1n)))).to.equal('WithdrawalPending')
    expect(x.status(id).withdrawal).to.include({ total: 400_000n })
    expect(x.status(id).available).to.equal(FUNDS - 400_100n)
    expect(await mineUntil(w, taken)).to.equal(400_000n)
    expect(w.l1.money.balance(ETHER, alice.owner)).to.equal(400_000n)
    expect(x.status(id)).to.deep.include({
      withdrawal: undefined,
      withdrawn: { a: 0n, b: 0n, [x.status(id).side]: 400_000n },
    })
    expect(await finish(w, codeOf(x.pay(id, FUNDS)))).to.equal('InsufficientFunds')
    expect(await mineUntil(w, y.withdraw(id, 60n))).to.equal(60n) // what it was paid
    await finish(w, x.pay(id, 1000n))
    expect(await mineUntil(w, x.withdraw(id, 100n))).to.equal(400_100n)
    await mineUntil(w, Promise.all([x.close(id), y.until(id, ({ phase }) => phase === 'closed')]))
    expect(w.l1.money.balance(ETHER, alice.owner)).to.equal(FUNDS - 1100n)
    expect(w.l1.money.balance(ETHER, bob.owner)).to.equal(1100n)
  })

  it('reject when the peer does not sign in time, and when the channel ends before', async () => {
    const w = world(22)
    const [x, y] = [await node(w, alice), await node(w, bob)]
    const id = await opened(w, x, y)
    await y.stop()
    expect(await mineUntil(w, codeOf(x.withdraw(id, 5n, 600)))).to.equal('WithdrawalUnsigned')
    expect(await finish(w, codeOf(x.withdraw(id, 5n, 600)))).to.equal('WithdrawalPending') // until the peer says so, too
    expect(x.status(id).available).to.equal(FUNDS - 5n)
    await mineUntil(w, Promise.all([x.challenge(id), w.l1.mine(w.l1.head().time + 4000)]))
    expect(w.l1.money.balance(ETHER, alice.owner)).to.equal(FUNDS)
    expect(await finish(w, codeOf(x.withdraw(id, 5n)))).to.equal('ChannelEnding')
  })

  it('go on after a stop: what was asked for is asked for again, and its end is in the status', async () => {
    const w = world(23)
    const store = memoryStore()
    const y = await node(w, bob)
    let x = await node(w, alice, { store })
    const id = await opened(w, x, y)
    const taken = codeOf(x.withdraw(id, 700n))
    await w.scheduler.run(() => x.status(id).withdrawal !== undefined)
    await x.stop()
    await finish(w, taken)
    x = await node(w, alice, { store })
    expect(x.status(id).withdrawal?.total).to.equal(700n)
    const seen = x.until(id, ({ withdrawal, withdrawn, side }) => !withdrawal && withdrawn[side] === 700n)
    await mineUntil(w, seen)
    expect(w.l1.money.balance(ETHER, alice.owner)).to.equal(700n)
  })
})
