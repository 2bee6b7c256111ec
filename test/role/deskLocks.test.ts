import { expect } from 'chai'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { LockView, NodeEvent } from '../../src/edge/http/NodeApi.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { finish, mineUntil } from '../world.ts'
import { alice, bob, clientOf, clock, desk, FUNDS, refused, type Stage, stage } from './deskStage.ts'

const SECRET = uint(0x5ec, 32)

/** A wish that both sides can bear. */
function wish({ w, id }: Stage) {
  const expiry = w.l1.head().time + 7200
  return { id, amount: 1000n, key: hashLock(SECRET), expiry, paymentId: uint(1, 32), payload: '0xfeed' as Hex }
}

describe('NodeDesk: locks', () => {
  it('locks once, however many ask for the same at once, and tells at each step what became of it', async () => {
    const s = await stage(31)
    const { w, desks, x, y, id } = s
    const events: NodeEvent[] = []
    desks[1].subscribe((event) => events.push(event))
    const asked = wish(s)
    const answers = await finish(w, Promise.all(Array.from({ length: 20 }, () => x.call('channel.lock', asked))))
    const { id: _id, ...fields } = asked
    const open = { ...fields, lockId: 1n, direction: 'sent', status: 'open', code: null, data: null, preimage: null }
    for (const answer of answers) expect(answer).to.deep.equal(open)
    await finish(
      w,
      desks[1].node.until(id, ({ locked }) => locked.count === 1),
    )
    const { locks } = await finish(w, y.call('channel.locks', { id }))
    expect(locks).to.deep.equal([{ ...open, direction: 'received' }])
    const shown = await finish(w, x.call('channel.show', { id }))
    expect([shown.available, shown.whereabouts.locked, shown.whereabouts.inChannel]).to.deep.equal([
      FUNDS - 1000n,
      { amount: 1000n, until: asked.expiry },
      FUNDS - 1000n,
    ])
    const taken = await finish(w, y.call('channel.fulfil', { id, lockId: 1n, preimage: SECRET, wait: true }))
    expect(taken).to.include({ status: 'fulfilled', preimage: SECRET, direction: 'received' })
    expect(events.map(({ name }) => name)).to.deep.equal(['locked', 'fulfilled'])
    expect((events[1] as { readonly lock: LockView }).lock).to.deep.equal(taken)
    await finish(
      w,
      desks[0].node.until(id, ({ locked }) => locked.count === 0),
    )
    expect(await finish(w, x.call('channel.lock', asked))).to.include({ status: 'fulfilled', preimage: SECRET })
    expect((await finish(w, y.call('channel.show', { id }))).available).to.equal(FUNDS + 1000n)
  })

  it('refuses the same id for another lock: under way, open, paid, and after a restart', async () => {
    const store = memoryStore()
    const s = await stage(32, { store })
    const { w, desks, x, y, id } = s
    const asked = wish(s)
    const others = [
      { ...asked, amount: 1001n },
      { ...asked, key: hashLock(uint(7, 32)) },
      { ...asked, expiry: asked.expiry + 1 },
      { ...asked, payload: '0x' as Hex },
    ]
    const expectRefused = async (api = x, some = others) => {
      for (const other of some)
        expect(await finish(w, refused(api.call('channel.lock', other)))).to.equal('IdempotencyMismatch')
    }
    const locking = x.call('channel.lock', asked)
    await expectRefused()
    const open = await finish(w, locking)
    await expectRefused()
    await desks[0].node.stop()
    const again = await desk(w, alice, { store })
    const client = clientOf(again)
    expect(await finish(w, client.call('channel.lock', asked))).to.deep.equal(open)
    await expectRefused(client)
    await finish(
      w,
      desks[1].node.until(id, ({ locked }) => locked.count === 1),
    )
    await finish(w, y.call('channel.fulfil', { id, lockId: 1n, preimage: SECRET }))
    await finish(
      w,
      again.node.until(id, ({ locked }) => locked.count === 0),
    )
    await expectRefused(client, [others[1]!])
    const paid = { id, amount: 5n, paymentId: uint(2, 32) }
    await finish(w, client.call('channel.pay', paid))
    expect(await finish(w, refused(client.call('channel.lock', { ...asked, ...paid })))).to.equal('IdempotencyMismatch')
  })

  it('is asked again without an id and locks once for a hash: under way, open, after a restart, and when it is paid', async () => {
    const store = memoryStore()
    const s = await stage(37, { store })
    const { w, desks, x, y, id } = s
    const { paymentId: _paymentId, ...asked } = wish(s)
    const other = { ...asked, amount: 1001n }
    const [open, same] = await finish(w, Promise.all([x.call('channel.lock', asked), x.call('channel.lock', asked)]))
    expect(open).to.include({ status: 'open', lockId: 1n, paymentId: asked.key })
    expect(same).to.deep.equal(open)
    expect(await finish(w, refused(x.call('channel.lock', other)))).to.equal('IdempotencyMismatch')
    await desks[0].node.stop()
    const again = await desk(w, alice, { store })
    const client = clientOf(again)
    expect(await finish(w, client.call('channel.lock', asked))).to.deep.equal(open)
    expect(await finish(w, refused(client.call('channel.lock', other)))).to.equal('IdempotencyMismatch')
    await finish(
      w,
      desks[1].node.until(id, ({ locked }) => locked.count === 1),
    )
    await finish(w, y.call('channel.fulfil', { id, lockId: 1n, preimage: SECRET }))
    await finish(
      w,
      again.node.until(id, ({ locked }) => locked.count === 0),
    )
    expect(await finish(w, client.call('channel.lock', asked))).to.include({ status: 'fulfilled', preimage: SECRET })
    expect((await finish(w, y.call('channel.show', { id }))).available).to.equal(FUNDS + 1000n)
  })

  it('counts locks: those that are open and what they may take, and how they have ended', async () => {
    const s = await stage(38)
    const { w, desks, x, y, id } = s
    const counted = async (api: typeof x) => {
      const lines = (await finish(w, api.metrics())).split('\n')
      return Object.fromEntries(lines.filter((line) => /^kerros_lock/.test(line)).map((line) => line.split(' ')))
    }
    const asked = wish(s)
    await finish(w, x.call('channel.lock', asked))
    await finish(
      w,
      x.call('channel.lock', { ...asked, amount: 7n, key: hashLock(uint(7, 32)), paymentId: uint(2, 32) }),
    )
    await finish(
      w,
      desks[1].node.until(id, ({ locked }) => locked.count === 2),
    )
    const none = { 'outcome="fulfilled"': '0', 'outcome="failed"': '0' }
    const expected = (direction: string, open: number, locked: number, ended: Record<string, string>) => {
      const across = direction === 'sent' ? 'received' : 'sent'
      return {
        kerros_locks_open: String(open),
        [`kerros_locked{direction="${direction}",asset="${ETHER}"}`]: String(locked),
        [`kerros_locked{direction="${across}",asset="${ETHER}"}`]: '0',
        ...ofDirection(direction, ended),
        ...ofDirection(across, none),
      }
    }
    const ofDirection = (direction: string, ended: Record<string, string>) =>
      Object.fromEntries(
        Object.entries(ended).map(([label, n]) => [`kerros_locks_total{direction="${direction}",${label}}`, n]),
      )
    expect(await counted(x)).to.deep.equal(expected('sent', 2, 1007, none))
    expect(await counted(y)).to.deep.equal(expected('received', 2, 1007, none))
    await finish(w, y.call('channel.fulfil', { id, lockId: 1n, preimage: SECRET, wait: true }))
    await finish(w, y.call('channel.fail', { id, lockId: 2n, code: 'SoldOut', wait: true }))
    await finish(
      w,
      desks[0].node.until(id, ({ locked }) => locked.count === 0),
    )
    const both = { 'outcome="fulfilled"': '1', 'outcome="failed"': '1' }
    expect(await counted(x)).to.deep.equal(expected('sent', 0, 0, both))
    expect(await counted(y)).to.deep.equal(expected('received', 0, 0, both))
  })

  it('gives a lock up for a reason, which the payer is told, then and later', async () => {
    const s = await stage(33)
    const { w, desks, x, y, id } = s
    const events: NodeEvent[] = []
    desks[0].subscribe((event) => events.push(event))
    await finish(w, x.call('channel.lock', wish(s)))
    await finish(
      w,
      desks[1].node.until(id, ({ locked }) => locked.count === 1),
    )
    const failing = y.call('channel.fail', { id, lockId: 1n, code: 'SoldOut', wait: true })
    expect(await finish(w, failing)).to.include({ status: 'failed', code: 'SoldOut' })
    await finish(
      w,
      desks[0].node.until(id, ({ locked }) => locked.count === 0),
    )
    expect(events.at(-1)).to.deep.include({ channel: id, name: 'failed' })
    expect(await finish(w, x.call('channel.lock', wish(s)))).to.include({ status: 'failed', code: 'SoldOut' })
    for (const ask of [
      () => y.call('channel.fulfil', { id, lockId: 1n, preimage: SECRET }),
      () => y.call('channel.fail', { id, lockId: 1n, code: 'SoldOut' }),
      () => x.call('channel.fail', { id, lockId: 1n, code: 'SoldOut' }),
    ])
      expect(await finish(w, refused(ask()))).to.equal('NoSuchLock')
  })

  it('refuses what cannot be locked or taken, by name, and answers as pending while the peer is away', async () => {
    const wait = clock()
    const s = await stage(34, { later: wait.later })
    const { w, desks, x, y, id } = s
    const late = { ...wish(s), expiry: w.l1.head().time }
    expect(await finish(w, refused(x.call('channel.lock', late)))).to.equal('LockTooShort')
    const much = { ...wish(s), amount: FUNDS + 1n }
    expect(await finish(w, refused(x.call('channel.lock', much)))).to.equal('InsufficientFunds')
    await finish(w, x.call('channel.lock', wish(s)))
    await finish(
      w,
      desks[1].node.until(id, ({ locked }) => locked.count === 1),
    )
    const wrong = y.call('channel.fulfil', { id, lockId: 1n, preimage: uint(7, 32) })
    expect(await finish(w, refused(wrong))).to.equal('WrongPreimage')
    await desks[1].node.stop()
    const unheard = { ...wish(s), paymentId: uint(2, 32) }
    const asked = x.call('channel.lock', unheard)
    await w.scheduler.run()
    wait.pass()
    expect(await finish(w, asked)).to.include({ status: 'pending', lockId: null, amount: 1000n })
  })
})

describe('NodeDesk: money on layer 1', () => {
  it('tells of a credit, of several channels each its own, and claims it to where it is taken', async () => {
    let isDeaf = true
    const refuses = (_asset: Hex, to: Hex) => isDeaf && to === alice.owner
    const { w, desks, x, y, id } = await stage(35, {}, { refuses })
    const { channel } = desks[0].node.status(id)
    const other = await finish(w, x.call('channel.open', { channel: { ...channel, salt: uint(10, 32) } }))
    await finish(w, y.call('channel.open', { channel: other.channel, address: await desks[0].listen('alice') }))
    w.l1.money.mint(channel.asset, alice.owner, 5n)
    await mineUntil(w, x.call('channel.deposit', { id: other.id, amount: 5n }))
    await mineUntil(
      w,
      desks[1].node.until(other.id, ({ phase, connected }) => phase === 'open' && connected),
    )
    const ends = [id, other.id].map((one) => x.call('channel.close', { id: one, wait: true }))
    await mineUntil(w, Promise.all(ends))
    const { channels } = await finish(w, x.call('channel.list', {}))
    const [first, second] = [id, other.id].map((one) => channels.find((view) => view.id === one)!.whereabouts)
    expect(first).to.include({ inChannel: 0n, credit: FUNDS, paidOut: 0n })
    expect(second).to.include({ inChannel: 0n, credit: 5n, paidOut: 0n })
    const claimed = (to?: Hex) => mineUntil(w, refused(x.call('channel.claim', { id, to })))
    expect(await claimed()).to.equal('PaymentRefused')
    isDeaf = false
    const events: NodeEvent[] = []
    desks[0].subscribe((event) => events.push(event))
    const { claims } = await mineUntil(w, x.call('channel.claim', { id, to: bob.owner }))
    const about = { channel: id, verb: 'claimCredit', hash: claims[0]!.hash }
    expect(events).to.deep.equal([
      { ...about, name: 'sent' },
      { ...about, name: 'mined', block: claims[0]!.block },
    ])
    expect(claims.map(({ asset, amount }) => [asset, amount])).to.deep.equal([[channel.asset, FUNDS + 5n]])
    expect((await finish(w, x.call('channel.show', { id }))).whereabouts).to.include({ credit: 0n, paidOut: FUNDS })
    expect(await claimed()).to.equal('NoCredit')
    expect(desks[0].node.status(id).phase).to.equal('closed')
  })

  it('shows a channel while layer 1 cannot be asked: the credit is not known then', async () => {
    const { w, x, desks, id } = await stage(36)
    await mineUntil(w, x.call('channel.withdraw', { id, amount: 9n, wait: true }))
    await desks[0].node.stop()
    const chain = { ...w.court.connect(alice.owner), credit: async () => Promise.reject(new Error('away')) }
    const store = memoryStore()
    const later = await desk(w, alice, { chain, store })
    const { channel } = desks[0].node.status(id)
    await finish(w, later.node.open(channel))
    const { whereabouts } = await finish(w, clientOf(later).call('channel.show', { id }))
    expect([whereabouts.credit, whereabouts.paidOut]).to.deep.equal([null, 9n])
  })

  it('makes a named deposit once, asked at the same time, later, and after a restart', async () => {
    const store = memoryStore()
    const { w, desks, x, id } = await stage(37, { store })
    const { asset } = desks[0].node.status(id).channel
    w.l1.money.mint(asset, alice.owner, 100n)
    const request = { id, amount: 7n, depositId: uint(1, 32) }
    const both = await mineUntil(w, Promise.all([1, 2].map(() => x.call('channel.deposit', request))))
    expect(both[0]).to.deep.equal(both[1])
    expect(await finish(w, refused(x.call('channel.deposit', { ...request, amount: 8n })))).to.equal(
      'IdempotencyMismatch',
    )
    await desks[0].node.stop()
    const again = clientOf(await desk(w, alice, { store }))
    expect(await mineUntil(w, again.call('channel.deposit', request))).to.deep.equal(both[0])
    expect(w.l1.money.balance(asset, alice.owner)).to.equal(93n)
  })

  it('does not repeat a deposit of which it does not know whether it was sent, and forgets one that was refused', async () => {
    const kept = memoryStore()
    let isDead = false
    const store: Store = { ...kept, commit: (rows) => isDead || kept.commit(rows) }
    const { w, desks, x, id } = await stage(38, { store })
    const { asset } = desks[0].node.status(id).channel
    const request = { id, amount: 7n, depositId: uint(1, 32) }
    const poor = await x.call('channel.deposit', request).catch((why: { readonly code: string }) => why.code)
    expect(poor).to.equal('InsufficientFunds')
    w.l1.money.mint(asset, alice.owner, 100n)
    x.call('channel.deposit', request).catch(() => undefined)
    await w.scheduler.run()
    await desks[0].node.stop()
    isDead = true
    const again = clientOf(await desk(w, alice, { store: kept }))
    expect(await finish(w, refused(again.call('channel.deposit', request)))).to.equal('DepositUnknown')
    w.l1.mine()
    expect(await finish(w, refused(again.call('channel.deposit', request)))).to.equal('DepositUnknown')
    expect(w.l1.money.balance(asset, alice.owner)).to.equal(93n)
  })

  it('says once that it has failed when its store breaks, and acknowledges nothing', async () => {
    const kept = memoryStore()
    let isBroken = false
    const store: Store = {
      ...kept,
      commit(rows) {
        if (isBroken) throw new Error('the disk is full')
        kept.commit(rows)
      },
    }
    const failures: unknown[] = []
    const { w, x, id } = await stage(39, { store, onFailure: (why) => failures.push(why) })
    isBroken = true
    const paid = x.call('channel.pay', { id, amount: 1n, paymentId: uint(1, 32) }).then(
      () => 'paid',
      () => 'not paid',
    )
    expect(await finish(w, paid)).to.equal('not paid')
    w.l1.mine()
    await w.scheduler.run()
    expect(failures.map((why) => (why as Error).message)).to.deep.equal(['the disk is full'])
  })
})
