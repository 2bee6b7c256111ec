import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import { isProven } from '../../src/core/channel/Receipt.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { ChannelNode } from '../../src/role/ChannelNode.ts'
import type { ChannelNodeParts } from '../../src/role/ChannelNodeParts.ts'
import { finish, mineUntil, type World, world } from '../world.ts'
import { alice, bob, FUNDS, node, opened } from './nodeStage.ts'

const SECRET = uint(0x5ec, 32)
const LOCK = { amount: 1000n, key: hashLock(SECRET), paymentId: uint(1, 32), payload: '0xfeed' } as const

/** A payer who does not mind that layer 1 knows a key already. */
function liar(w: World): Promise<ChannelNode> {
  const chain = w.court.connect(alice.owner, w.scheduler.lane())
  return node(w, alice, { chain: { ...chain, verdict: async () => undefined } })
}

/** Writes down what a node asks the court for, and what becomes of its locks. */
function watched(w: World, calls: string[], told: string[]): Partial<ChannelNodeParts> {
  const chain = w.court.connect(bob.owner, w.scheduler.lane())
  const send: typeof chain.send = (call, deadline) => {
    calls.push(call.verb)
    return chain.send(call, deadline)
  }
  return { chain: { ...chain, send }, onEvent: (_id, { name }) => told.push(name) }
}

/** The secret is shown on layer 1, and so many blocks follow. */
async function known(w: World, blocks: number): Promise<void> {
  await mineUntil(w, w.court.connect(bob.owner).send({ verb: 'reveal', preimages: [SECRET] }))
  for (let i = 0; i < blocks; i++) await pass(w, 12)
  await w.scheduler.run()
}

/** A block after some seconds, and all that follows from it. */
async function pass(w: World, seconds: number): Promise<void> {
  w.l1.mine(w.l1.head().time + seconds)
  await w.scheduler.run()
}

const count = (n: number) => (status: { readonly locked: { readonly count: number } }) => status.locked.count === n

describe('ChannelNode: locks', () => {
  it('pays for a preimage, tells where the money is meanwhile, and answers the same when asked again', async () => {
    const w = world(11)
    const nodes = [await node(w, alice), await node(w, bob)] as const
    const [x, y] = nodes
    const id = await opened(w, nodes)
    const expiry = w.l1.head().time + 7200
    const paid = x.lock(id, { ...LOCK, expiry })
    await finish(w, Promise.all([x.until(id, count(1)), y.until(id, count(1))]))
    expect(x.status(id).locked).to.deep.equal({ count: 1, owed: { a: 1000n, b: 0n }, until: expiry })
    expect(x.payment(id, LOCK.paymentId)).to.equal('pending')
    const [lock] = y.locks(id)
    expect(lock?.payload).to.equal('0xfeed')
    await finish(w, y.fulfil(id, lock!.id, SECRET))
    expect(await finish(w, paid)).to.equal(SECRET)
    expect(await x.lock(id, { ...LOCK, expiry })).to.equal(SECRET)
    expect(y.status(id).available).to.equal(FUNDS + 1000n)
    expect(x.receipt(id, LOCK.paymentId)).to.equal(undefined)
  })

  it('rejects with the reason for which the receiver gives it up', async () => {
    const w = world(12)
    const nodes = [await node(w, alice), await node(w, bob)] as const
    const [x, y] = nodes
    const id = await opened(w, nodes)
    const paid = y.lock(id, { ...LOCK, expiry: w.l1.head().time + 7200 })
    const why = paid.then(
      () => 'paid',
      (error) => (error as Error).message,
    )
    await finish(w, x.until(id, count(1)))
    await finish(w, x.fail(id, 1n, 'UnknownPayment'))
    expect(await finish(w, why)).to.contain('UnknownPayment')
    await finish(w, y.until(id, count(0)))
    expect(y.status(id).available).to.equal(FUNDS)
  })

  it('outlives a restart of the payer, and is paid on layer 1 when the receiver has gone to court with it', async () => {
    const w = world(13)
    const store = memoryStore()
    const y = await node(w, bob)
    const first = await node(w, alice, { store })
    const id = await opened(w, [first, y])
    first.lock(id, { ...LOCK, expiry: w.l1.head().time + 7200 }).catch(() => undefined)
    await finish(w, Promise.all([first.until(id, count(1)), y.until(id, count(1))]))
    await first.stop()
    const x = await node(w, alice, { store })
    expect(x.payment(id, LOCK.paymentId)).to.equal('pending')
    await finish(w, y.fulfil(id, 1n, SECRET))
    const closed = y.challenge(id)
    await mineUntil(
      w,
      y.until(id, ({ phase }) => phase === 'ending'),
    )
    for (let i = 0; i < 4; i++) {
      w.l1.mine()
      await w.scheduler.run()
    }
    w.l1.mine(w.l1.head().time + 4000)
    const end = await mineUntil(w, closed)
    expect([FUNDS + 1000n, end.closed?.payB]).to.deep.equal([end.closed?.payB, FUNDS + 1000n])
    await mineUntil(
      w,
      x.until(id, ({ phase }) => phase === 'closed'),
    )
    expect(x.payment(id, LOCK.paymentId)).to.include({ preimage: SECRET })
  })

  it('is not begun with a preimage that layer 1 knows already: the court would pay it, and nobody would hear of that', async () => {
    const w = world(15)
    const [x, y] = [await node(w, alice), await node(w, bob)] as const
    const id = await opened(w, [x, y])
    await mineUntil(w, w.court.connect(bob.owner).send({ verb: 'reveal', preimages: [SECRET] }))
    await finish(w, w.scheduler.run())
    const paid = x.lock(id, { ...LOCK, expiry: w.l1.head().time + 7200 }).then(
      () => 'locked',
      (why) => (why as Error).message,
    )
    await w.scheduler.run()
    expect(await Promise.race([paid, 'pending'])).to.contain('KeyDecided')
    expect(x.status(id).locked.count).to.equal(0)
  })

  for (const blocks of [0, 5]) {
    it(`is the receiver's whose payer stalls, with a key that layer 1 had known for ${blocks + 1} blocks before`, async () => {
      const w = world(16 + blocks)
      const calls: string[] = []
      const told: string[] = []
      const [x, y] = [await liar(w), await node(w, bob, watched(w, calls, told))] as const
      const id = await opened(w, [x, y])
      await known(w, blocks)
      const expiry = w.l1.head().time + 7200
      x.lock(id, { ...LOCK, expiry }).catch(() => undefined)
      await finish(w, Promise.all([x.until(id, count(1)), y.until(id, count(1))]))
      await x.stop()
      await finish(w, y.fulfil(id, 1n, SECRET))
      while (w.l1.head().time < expiry + 600) await pass(w, 300)
      expect(calls).to.not.include('reveal')
      expect(told).to.not.include('failed')
      const closed = y.challenge(id)
      for (let i = 0; i < 6; i++) await pass(w, 12)
      await pass(w, 4000)
      expect((await mineUntil(w, closed)).closed?.payB).to.equal(FUNDS + 1000n)
    })
  }

  it('beside one of a known key is still paid after a settlement has left it open, through a restart too', async () => {
    const w = world(31)
    const store = memoryStore()
    const [x, first] = [await liar(w), await node(w, bob, { store })] as const
    await known(w, 0)
    const id = await opened(w, [x, first])
    for (let i = 0; i < 300; i++) await pass(w, 12) // what is older is in no block that a start reads again
    const expiry = w.l1.head().time + 40_000
    const other = uint(0x0be, 32)
    x.lock(id, { ...LOCK, amount: 1n, expiry }).catch(() => undefined)
    x.lock(id, { ...LOCK, key: hashLock(other), paymentId: uint(2, 32), expiry }).catch(() => undefined)
    await finish(w, Promise.all([x.until(id, count(2)), first.until(id, count(2))]))
    await first.stop()
    x.challenge(id).catch(() => undefined)
    for (let i = 0; i < 6; i++) await pass(w, 12)
    await pass(w, 4000)
    for (let i = 0; i < 6; i++) await pass(w, 12)
    const y = await node(w, bob, { store })
    expect(y.status(id).phase).to.not.equal('closed')
    await finish(w, y.fulfil(id, 2n, other))
    const end = await mineUntil(
      w,
      y.until(id, ({ phase }) => phase === 'closed'),
    )
    expect([end.closed?.payA, end.closed?.payB]).to.deep.equal([FUNDS - 1001n, FUNDS + 1001n])
  })

  it('is left open by a settlement that both sides ask for in one block: the second is late, and nothing is wrong', async () => {
    const w = world(32)
    const faults: unknown[] = []
    const onFault = (why: unknown) => faults.push(why)
    const calls: string[] = []
    const [x, y] = [
      await node(w, alice, { onFault }),
      await node(w, bob, { ...watched(w, calls, []), onFault }),
    ] as const
    const id = await opened(w, [x, y])
    const expiry = w.l1.head().time + 40_000
    const other = uint(0x0be, 32)
    x.lock(id, { ...LOCK, expiry }).catch(() => undefined)
    x.lock(id, { ...LOCK, key: hashLock(other), paymentId: uint(2, 32), expiry }).catch(() => undefined)
    await finish(w, Promise.all([x.until(id, count(2)), y.until(id, count(2))]))
    x.challenge(id).catch(() => undefined)
    for (let i = 0; i < 4; i++) await pass(w, 12)
    await finish(w, y.fulfil(id, 1n, SECRET))
    for (let i = 0; i < 4; i++) await pass(w, 12)
    await pass(w, 4000)
    expect(w.l1.pending().map(({ call }) => (call as { verb: string }).verb)).to.deep.equal(['settle', 'settle'])
    await finish(w, y.fulfil(id, 2n, other))
    const closed = [x, y].map((one) => one.until(id, ({ phase }) => phase === 'closed'))
    const [end] = await mineUntil(w, Promise.all(closed))
    expect([end!.closed?.payA, end!.closed?.payB]).to.deep.equal([FUNDS - 2000n, FUNDS + 2000n])
    expect(faults).to.deep.equal([])
  })

  it('gives a receipt that proves a payment made while a lock is open', async () => {
    const w = world(14)
    const [x, y] = [await node(w, alice), await node(w, bob)] as const
    const id = await opened(w, [x, y])
    x.lock(id, { ...LOCK, expiry: w.l1.head().time + 7200 }).catch(() => undefined)
    await finish(w, Promise.all([x.until(id, count(1)), y.until(id, count(1))]))
    for (const one of [x, y]) {
      const { paymentId } = await finish(w, one.pay(id, 5n))
      expect(isProven(domain(w.l1.chainId, w.court.address), one.receipt(id, paymentId)!)).to.equal(true)
    }
  })
})
