import { expect } from 'chai'
import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Adjudicator.ts'
import { isProven } from '../../src/core/channel/Payment.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import { ChannelNode, type ChannelNodeParts } from '../../src/role/ChannelNode.ts'
import { Watchtower } from '../../src/role/Watchtower.ts'
import { type Person, person, terms, type World, world } from '../world.ts'

const [alice, bob, carol] = [person(1), person(2), person(3)]
const FUNDS = 1_000_000n

async function node(w: World, who: Person, change: Partial<ChannelNodeParts> = {}): Promise<ChannelNode> {
  const [loop, chain, later] = [w.scheduler.lane(), w.scheduler.lane(), w.scheduler.lane()]
  const parts: ChannelNodeParts = {
    key: who.key,
    store: memoryStore(),
    chain: w.court.connect(who.owner, chain),
    transport: w.transport,
    confirmations: 2,
    schedule: loop,
    retry: later,
    ...change,
  }
  return finish(w, ChannelNode.start(parts))
}

/** Runs the world until a promise is settled. */
async function finish<T>(w: World, promise: Promise<T>): Promise<T> {
  let settled = false
  promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  await w.scheduler.run(() => settled)
  if (!settled) throw new Error('nothing left to do, and the promise is not settled')
  return promise
}

/** Runs the world, a block after another, until a promise is settled. */
async function mineUntil<T>(w: World, promise: Promise<T>): Promise<T> {
  let settled = false
  promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  for (let i = 0; i < 2000 && !settled; i++) {
    await w.scheduler.run(() => settled)
    if (!settled) w.l1.mine()
  }
  return promise
}

async function opened(w: World, [x, y]: readonly [ChannelNode, ChannelNode]): Promise<Hex> {
  for (const { owner } of [alice, bob, carol]) w.l1.money.mint(ETHER, owner, FUNDS)
  const address = await y.listen('bob')
  const channel = terms(alice, bob)
  const [id] = await finish(w, Promise.all([x.open(channel, address), y.open(channel)]))
  await mineUntil(w, Promise.all([x.deposit(id, FUNDS), y.deposit(id, FUNDS)]))
  const ready = (n: ChannelNode) => n.until(id, ({ phase, available }) => phase === 'open' && available === FUNDS)
  await mineUntil(w, Promise.all([ready(x), ready(y)]))
  return id
}

describe('ChannelNode', () => {
  it('pays both ways a thousand times, with a receipt for each, and closes by agreement to the wei', async () => {
    const w = world(1)
    const nodes = [await node(w, alice), await node(w, bob)] as const
    const [x, y] = nodes
    const id = await opened(w, nodes)
    const payments = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? x : y).pay(id, BigInt(i + 1)))
    const paid = await finish(w, Promise.all(payments))
    expect(new Set(paid.map(({ version, index }) => `${version}/${index}`)).size).to.equal(1000)
    const court = domain(w.l1.chainId, w.court.address)
    for (const [i, { paymentId }] of paid.entries()) {
      const proof = (i % 2 === 0 ? x : y).receipt(id, paymentId)!
      expect(isProven(court, proof)).to.equal(true)
      expect(proof.leaf.amount).to.equal(BigInt(i + 1))
    }
    expect(y.status(id).version).to.be.lessThan(20n)
    const [end] = await mineUntil(w, Promise.all([x.close(id), y.until(id, ({ phase }) => phase === 'closed')]))
    expect(end.closed).to.deep.equal({ payA: FUNDS + 500n, payB: FUNDS - 500n })
    expect(w.l1.money.balance(ETHER, alice.owner)).to.equal(FUNDS + 500n)
    expect(w.l1.money.balance(ETHER, bob.owner)).to.equal(FUNDS - 500n)
  })

  it('answers an old state through the watchtower while its client is away', async () => {
    const w = world(2)
    const old: SignedState[] = []
    const answers: bigint[] = []
    const tower = await Watchtower.start({
      store: memoryStore(),
      chain: w.court.connect(carol.owner, w.scheduler.lane()),
      confirmations: 2,
      onAnswer: (_id, version) => answers.push(version),
      schedule: w.scheduler.lane(),
    })
    const shown: Promise<void>[] = []
    const x = await node(w, alice, { onComplete: (channel, state) => shown.push(tower.watch(channel, state)) })
    const y = await node(w, bob, { onComplete: (_channel, state) => old.push(state) })
    const id = await opened(w, [x, y])
    for (let i = 0; i < 20; i++) await finish(w, (i < 5 ? x : y).pay(id, 100n))
    await finish(
      w,
      x.until(id, ({ version }) => version === 20n),
    )
    await finish(w, Promise.all(shown))
    await x.stop()
    const theft: ChannelCall = { verb: 'challenge', channel: y.status(id).channel, state: old[4]! }
    await y.stop()
    const bobs = w.court.connect(bob.owner)
    await mineUntil(w, bobs.send(theft))
    for (let i = 0; i < 10; i++) {
      w.l1.mine()
      await w.scheduler.run()
    }
    expect(answers).to.deep.equal([20n])
    w.l1.mine(w.l1.head().time + 4000)
    await mineUntil(w, bobs.send({ verb: 'settle', channel: theft.channel, locks: '0x' }))
    expect(w.l1.money.balance(ETHER, alice.owner)).to.equal(FUNDS + 1000n)
    expect(w.l1.money.balance(ETHER, bob.owner)).to.equal(FUNDS - 1000n)
  })
})
