import { expect } from 'chai'
import { ETHER, uint } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import type { Refusal } from '../../src/core/base/Step.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Call.ts'
import { channelId } from '../../src/core/channel/Channel.ts'
import { isProven } from '../../src/core/channel/Receipt.ts'
import { Fault } from '../../src/edge/Fault.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import type { Weather } from '../../src/edge/transport/Memory.ts'
import type { ChannelNodeParts } from '../../src/role/ChannelNodeParts.ts'
import type { Payment } from '../../src/role/Payments.ts'
import { Watchtower } from '../../src/role/Watchtower.ts'
import { type Dice, finish, mineUntil, terms, type World, world } from '../world.ts'
import { alice, bob, carol, FUNDS, node, opened } from './nodeStage.ts'

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

  it('pays many at once: each has its receipt, and those beyond its means are refused alone', async () => {
    const w = world(12)
    const nodes = [await node(w, alice), await node(w, bob)] as const
    const id = await opened(w, nodes)
    const court = domain(w.l1.chainId, w.court.address)
    for (const [who, one] of nodes.entries()) {
      const amounts = Array.from({ length: 500 }, (_, i) => (i === 100 ? 10n * FUNDS : BigInt(i + 1)))
      const ends = await finish(
        w,
        one.payAll(
          id,
          amounts.map((amount, i) => ({ amount, memo: uint(i, 4) })),
        ),
      )
      for (const [i, end] of ends.entries()) {
        if (i === 100) expect((end as Refusal).code).to.equal('InsufficientFunds')
        else {
          const proof = one.receipt(id, (end as Payment).paymentId)!
          expect(isProven(court, proof), `${who} ${i}`).to.equal(true)
          expect([proof.leaf.amount, proof.leaf.memo]).to.deep.equal([BigInt(i + 1), uint(i, 4)])
        }
      }
    }
    expect(await nodes[0].payAll(id, [])).to.deep.equal([])
    const waiting = nodes[0].payAll(id, [{ amount: 1n }])
    await nodes[0].stop()
    const [ended] = await finish(w, waiting)
    expect((ended as Error).message).to.include('stopped')
    const late = await nodes[0].payAll(id, [{ amount: 1n }])
    expect((late[0] as Error).message).to.include('stopped')
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

  it('answers an old state by itself, again when a reorg takes the answer back, and settles when it is time', async () => {
    const w = world(3)
    const old: SignedState[] = []
    const x = await node(w, alice)
    const y = await node(w, bob, { onComplete: (_channel, state) => old.push(state) })
    const id = await opened(w, [x, y])
    for (let i = 0; i < 4; i++) await finish(w, x.pay(id, 50n))
    await finish(w, y.pay(id, 500n))
    await finish(
      w,
      x.until(id, ({ version }) => version === 5n),
    )
    const { channel } = y.status(id)
    await y.stop()
    const thief = w.court.connect(bob.owner)
    await mineUntil(w, thief.send({ verb: 'challenge', channel, state: old[3]! }))
    await mineUntil(
      w,
      x.until(id, ({ phase }) => phase === 'ending'),
    )
    w.l1.mine()
    await w.scheduler.run()
    w.l1.reorg(1, { remine: () => [] })
    for (let i = 0; i < 4; i++) {
      await w.scheduler.run()
      w.l1.mine()
    }
    w.l1.mine(w.l1.head().time + 3600)
    const { closed } = await mineUntil(
      w,
      x.until(id, ({ phase }) => phase === 'closed'),
    )
    expect(closed).to.deep.equal({ payA: FUNDS + 300n, payB: FUNDS - 300n })
    await x.stop()
  })

  it('goes on after a stop with what its store holds, and ends every payment once', async () => {
    const w = world(4)
    const store = memoryStore()
    const ended = new Map<string, number>()
    const onEvent: ChannelNodeParts['onEvent'] = (_id, event) => {
      if (event.name === 'paid') ended.set(event.pay.paymentId, (ended.get(event.pay.paymentId) ?? 0) + 1)
    }
    const x = await node(w, alice)
    let y = await node(w, bob, { store, onEvent })
    const id = await opened(w, [x, y])
    const ids = Array.from({ length: 60 }, (_, i) => uint(i + 1, 32))
    for (let round = 0; round < 6; round++) {
      const payments = ids.slice(10 * round, 10 * round + 10).map((paymentId) => y.pay(id, 1n, { paymentId }))
      const all = Promise.allSettled(payments)
      for (let i = 0; i < 5 * round; i++) await w.scheduler.run(() => false, 1).catch(() => undefined)
      await y.stop()
      await all
      y = await node(w, bob, { store, onEvent })
      await finish(w, y.listen('bob'))
      await finish(
        w,
        y.until(id, ({ connected, pending }) => connected && pending === 0),
      )
    }
    await finish(w, Promise.all(ids.map((paymentId) => y.pay(id, 1n, { paymentId }))))
    expect(y.status(id).net).to.equal(-60n)
    expect([...ended.values()].every((count) => count === 1)).to.equal(true)
    await finish(
      w,
      x.until(id, ({ net }) => net === -60n),
    )
  })

  it('loses and doubles no payment on a wire that is cut again and again', async () => {
    const stormy = (from: Dice): Weather => {
      return () => ({ cut: from.chance(25), delay: from.roll(3), copies: from.chance(9) ? 2 : 1 })
    }
    for (let seed = 10; seed < 15; seed++) {
      const w = world(seed, stormy)
      const nodes = [await node(w, alice), await node(w, bob)] as const
      const id = await opened(w, nodes)
      const payments = Array.from({ length: 100 }, (_, i) => nodes[i % 2]!.pay(id, i % 2 === 0 ? 3n : 1n))
      await mineUntil(w, Promise.all(payments))
      await mineUntil(w, Promise.all(nodes.map((one) => one.until(id, ({ net }) => net === 100n))))
      await Promise.all(nodes.map((one) => one.stop()))
    }
  })

  it('watches a channel that was opened while layer 1 did not answer, once it is opened again, and speaks no sooner', async () => {
    const w = world(8)
    let answers = false
    const chain = w.court.connect(alice.owner, w.scheduler.lane())
    const head = async () => {
      if (!answers) throw new Fault('ChainUnreachable', 'the endpoint does not answer; name another one')
      return chain.head()
    }
    const told: string[] = []
    const [x, y] = [
      await node(w, alice, { chain: { ...chain, head }, onEvent: (_id, { name }) => told.push(name) }),
      await node(w, bob),
    ] as const
    w.l1.money.mint(ETHER, alice.owner, FUNDS)
    const channel = terms(alice, bob)
    const id = await finish(w, y.open(channel))
    const address = await y.listen('bob')
    const why = await finish(
      w,
      x.open(channel, address).catch((one) => one),
    )
    expect(why.code).to.equal('ChainUnreachable')
    await w.scheduler.run()
    expect([x.status(id).connected, y.status(id).connected]).to.deep.equal([false, false])
    answers = true
    await finish(w, Promise.all([x.open(channel, address), x.open(channel, address)]))
    await mineUntil(w, x.deposit(id, FUNDS))
    await mineUntil(
      w,
      x.until(id, ({ available }) => available === FUNDS),
    )
    expect(told.filter((name) => name === 'opened')).to.have.length(1)
  })

  it('listens to a peer who called before the terms were taken, and keeps one connection where both call', async () => {
    const w = world(5)
    const [x, y] = [await node(w, alice), await node(w, bob)]
    await y.listen('bob')
    await x.listen('alice')
    const channel = terms(alice, bob)
    const id = await finish(w, x.open(channel, 'bob'))
    await w.scheduler.run()
    await finish(w, y.open(channel, 'alice'))
    await w.scheduler.run()
    expect([x, y].map((one) => one.status(id).connected)).to.deep.equal([true, true])
  })

  it('as an older copy of its store signs nothing new, and is paid by the newest state that its peer shows', async () => {
    const w = world(6)
    const [before, store] = [memoryStore(), memoryStore()]
    const x = await node(w, alice)
    let y = await node(w, bob, { store })
    const id = await opened(w, [x, y])
    for (const table of ['channel', 'funds']) {
      before.commit(store.all(table).map(([key, value]) => ({ table, key, value })))
    }
    for (let i = 0; i < 3; i++) await finish(w, x.pay(id, 10n))
    await y.stop()
    y = await node(w, bob, { store: before, restored: true })
    await finish(w, y.listen('bob'))
    expect(await refusalOf(w, y.pay(id, 1n))).to.equal('RestoredCopy')
    const { closed } = await mineUntil(
      w,
      y.until(id, ({ phase }) => phase === 'closed'),
    )
    expect(closed).to.deep.equal({ payA: FUNDS - 30n, payB: FUNDS + 30n })
  })

  it('as an older copy stays one in every channel, though it crashes before it has said so of all', async () => {
    const w = world(9)
    const store = memoryStore()
    const many = Array.from({ length: 300 }, (_, i) => terms(alice, bob, { salt: uint(i + 1, 32) }))
    const court = domain(w.l1.chainId, w.court.address)
    const ids = many.map((channel) => channelId(court, channel))
    store.commit(
      many.map((channel, i) => ({
        table: 'channel',
        key: ids[i]!,
        value: { channel, since: 0, address: null } as never,
      })),
    )
    let said = false
    const failing: Store = {
      ...store,
      commit(rows) {
        if (said) throw new Error('a crash')
        said = rows.some(({ table }) => table === 'end')
        store.commit(rows)
      },
    }
    const crashed = await node(w, alice, { store: failing, restored: true }).catch(({ message }) => message)
    expect(crashed).to.equal('a crash')
    const x = await node(w, alice, { store })
    for (const id of ids) expect(await refusalOf(w, x.pay(id, 1n))).to.equal('RestoredCopy')
    await x.stop()
  })

  it('says what is wrong with terms, channels and payments before anything is signed', async () => {
    const w = world(7)
    const [x, y] = [await node(w, alice), await node(w, bob)]
    const id = await opened(w, [x, y])
    const paymentId = uint(1, 32)
    const refused = [
      [() => x.open(terms(alice, alice)), 'EqualSigners'],
      [() => x.open(terms(alice, bob, { challengePeriod: 60 })), 'PeriodTooShort'],
      [() => x.open(terms(alice, bob, { bond: 1n })), 'BondTooHigh'],
      [() => x.open(terms(alice, { ...bob, owner: ETHER })), 'ZeroParty'],
      [() => x.open(terms(bob, carol)), 'NotAParty'],
      [() => x.pay(uint(9, 32), 1n), 'UnknownChannel'],
      [() => x.pay(id, -1n), 'BadPayment'],
      [() => x.pay(id, FUNDS + 1n), 'InsufficientFunds'],
      [() => x.pay(id, 1n, { memo: `0x${'00'.repeat(1025)}` }), 'BadPayment'],
    ] as const
    for (const [call, code] of refused) expect(await refusalOf(w, call())).to.equal(code)
    const first = x.pay(id, 1n, { paymentId })
    expect(await refusalOf(w, x.pay(id, 1n, { paymentId }))).to.equal('PaymentPending')
    const paid = await finish(w, first)
    expect(await finish(w, x.pay(id, 1n, { paymentId }))).to.deep.equal(paid)
    expect(x.status(id).net).to.equal(1n)
    expect(x.payment(id, uint(2, 32))).to.equal(undefined)
  })

  it('stops with its store: what cannot be saved is not said, and everybody who waits is told', async () => {
    const w = world(8)
    const store = memoryStore()
    const faults: unknown[] = []
    const x = await node(w, alice, { store, onFault: (why) => faults.push(why) })
    const y = await node(w, bob)
    const id = await opened(w, [x, y])
    store.close()
    const failed = await finish(
      w,
      x.pay(id, 1n).catch((why) => why.code),
    )
    await w.scheduler.run()
    expect(failed).to.equal('StoreClosed')
    expect(faults.length).to.equal(1)
    expect(y.status(id).version).to.equal(0n)
  })
})

function refusalOf(w: World, promise: Promise<unknown>): Promise<unknown> {
  return finish(
    w,
    promise.then(
      () => 'not refused',
      (why) => why.code,
    ),
  )
}
