import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { NodeEvent } from '../../src/edge/http/NodeApi.ts'
import { memoryNodeClient, type NodeClient } from '../../src/edge/http/NodeClient.ts'
import { nodeHandler } from '../../src/edge/http/NodeServer.ts'
import { readReceipt } from '../../src/edge/ReceiptFile.ts'
import { readRescue } from '../../src/edge/RescueFile.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import { runs } from '../fuzz.ts'
import { finish, mineUntil, person, terms } from '../world.ts'
import { alice, bob, clientOf, clock, desk, FUNDS, refused, stage, TOKEN } from './deskStage.ts'

describe('NodeDesk', () => {
  it('pays once, however many ask for the same at once, and answers all of them the same', async () => {
    const { w, desks, x, y, id } = await stage(11)
    const request = { id, amount: 7n, paymentId: uint(1, 32), memo: '0x2a' as Hex }
    const answers = await finish(w, Promise.all(Array.from({ length: 100 }, () => x.call('channel.pay', request))))
    for (const answer of answers) expect(answer).to.deep.equal(answers[0])
    expect(answers[0]).to.deep.equal({
      paymentId: request.paymentId,
      direction: 'sent',
      status: 'paid',
      code: null,
      amount: 7n,
      memo: '0x2a',
      version: 1n,
      index: 0,
      time: null,
    })
    expect(await finish(w, x.call('channel.pay', request))).to.deep.equal(answers[0])
    await finish(
      w,
      desks[1].node.until(id, ({ version }) => version === 1n),
    )
    expect((await finish(w, y.call('channel.show', { id }))).available).to.equal(FUNDS + 7n)
    const { payments } = await finish(w, x.call('channel.payments', { id }))
    expect(payments).to.deep.equal([{ ...answers[0], time: w.l1.head().time }])
  })

  it('refuses a payment id for another amount or memo: under way, paid, and after a restart', async () => {
    const store = memoryStore()
    const { w, desks, x, id } = await stage(12, { store })
    const request = { id, amount: 7n, paymentId: uint(1, 32), memo: '0x2a' as Hex }
    const others = [
      { ...request, amount: 8n },
      { ...request, memo: '0x' as Hex },
    ]
    const paying = x.call('channel.pay', request)
    for (const other of others)
      expect(await finish(w, refused(x.call('channel.pay', other)))).to.equal('IdempotencyMismatch')
    const paid = await finish(w, paying)
    for (const other of others)
      expect(await finish(w, refused(x.call('channel.pay', other)))).to.equal('IdempotencyMismatch')
    await desks[0].node.stop()
    const again = clientOf(await desk(w, alice, { store }))
    for (const other of others)
      expect(await finish(w, refused(again.call('channel.pay', other)))).to.equal('IdempotencyMismatch')
    expect(await finish(w, again.call('channel.pay', request))).to.deep.equal(paid)
  })

  it('takes a lock that was taken for no payment: whoever asks for one under its id is not told of another', async () => {
    const { w, desks, x, id } = await stage(24)
    const [secret, paymentId] = [uint(0x5ec, 32), uint(2, 32)]
    await finish(w, x.call('channel.pay', { id, amount: 7n, paymentId: uint(1, 32) }))
    const expiry = w.l1.head().time + 7200
    const locked = desks[0].node.lock(id, { amount: 7n, key: hashLock(secret), paymentId, expiry })
    await finish(
      w,
      desks[1].node.until(id, ({ locked: { count } }) => count === 1),
    )
    await finish(w, desks[1].node.fulfil(id, 1n, secret))
    expect(await finish(w, locked)).to.equal(secret)
    await finish(w, x.call('channel.pay', { id, amount: 7n, paymentId: uint(3, 32) }))
    expect(await finish(w, refused(x.call('channel.pay', { id, amount: 7n, paymentId })))).to.equal(
      'IdempotencyMismatch',
    )
    expect(await finish(w, refused(x.call('channel.payment', { id, paymentId })))).to.equal('UnknownPayment')
  })

  it('takes up a payment that an earlier process began, and answers it as pending meanwhile', async () => {
    const store = memoryStore()
    const { w, desks, x, id } = await stage(13, { store })
    await desks[1].node.stop()
    const request = { id, amount: 7n, paymentId: uint(1, 32) }
    x.call('channel.pay', request).catch(() => undefined)
    const [wait, unended] = [clock(), { ...request, status: 'pending', version: null }]
    await w.scheduler.run()
    await desks[0].node.stop()
    const again = clientOf(await desk(w, alice, { store, later: wait.later }))
    expect(await finish(w, again.call('channel.payment', { id, paymentId: request.paymentId }))).to.include({
      status: 'pending',
      amount: 7n,
    })
    const other = again.call('channel.pay', { ...request, amount: 8n })
    expect(await finish(w, refused(other))).to.equal('IdempotencyMismatch')
    const asked = again.call('channel.pay', request)
    await w.scheduler.run()
    wait.pass()
    const { id: _id, ...view } = unended
    expect(await finish(w, asked)).to.include(view)
  })

  it('lists what was paid both ways, page by page, in order and each once', async () => {
    const { w, desks, x, y, id } = await stage(14)
    const pay = (api: NodeClient, i: number) =>
      api.call('channel.pay', { id, amount: BigInt(i + 1), paymentId: uint(i, 32) })
    await finish(w, Promise.all(Array.from({ length: 150 }, (_, i) => pay(i % 3 === 0 ? y : x, i))))
    const sent = (of: number) => Array.from({ length: 150 }, (_, i) => (i % 3 === of ? BigInt(i + 1) : 0n))
    const fromY = sent(0).reduce((sum, one) => sum + one)
    const fromX = [1, 2].flatMap(sent).reduce((sum, one) => sum + one)
    await finish(
      w,
      desks[0].node.until(id, ({ available }) => available === FUNDS - fromX + fromY),
    )
    for (const limit of [1, 7, 150, 1000]) {
      const seen: string[] = []
      let after: string | undefined
      do {
        const page = await finish(w, x.call('channel.payments', { id, after, limit }))
        expect(page.payments.length).to.be.at.most(limit)
        for (const one of page.payments) {
          expect(one.direction).to.equal(one.amount! % 3n === 1n ? 'received' : 'sent')
          seen.push(one.paymentId)
        }
        after = page.next ?? undefined
      } while (after !== undefined)
      expect(seen).to.have.length(150)
      expect(new Set(seen).size).to.equal(150)
    }
  })

  it('tells events as they happen, with what was paid', async () => {
    const { w, desks, x, id } = await stage(15)
    const events: NodeEvent[] = []
    const leave = desks[1].subscribe((event) => events.push(event))
    const paid = await finish(w, x.call('channel.pay', { id, amount: 5n, paymentId: uint(1, 32) }))
    expect(events).to.deep.equal([{ channel: id, name: 'received', payment: { ...paid, direction: 'received' } }])
    leave()
    await finish(w, x.call('channel.pay', { id, amount: 5n, paymentId: uint(2, 32) }))
    expect(events).to.have.length(1)
  })

  it('tells of a deposit and of a withdrawal when they are sent, when they are mined, and when they are final', async () => {
    const { w, desks, x, y, id } = await stage(23)
    const [mine, theirs]: [NodeEvent[], NodeEvent[]] = [[], []]
    desks[0].subscribe((event) => mine.push(event))
    desks[1].subscribe((event) => theirs.push(event))
    w.l1.money.mint(ETHER, alice.owner, 6n)
    const mined = await mineUntil(w, x.call('channel.deposit', { id, amount: 6n }))
    await mineUntil(
      w,
      desks[0].node.until(id, ({ available }) => available === FUNDS + 6n),
    )
    const about = { channel: id, verb: 'deposit', hash: mined.hash }
    expect(mine).to.deep.equal([
      { ...about, name: 'sent' },
      { ...about, name: 'mined', block: mined.block },
      { channel: id, name: 'funded', total: FUNDS + 6n },
    ])
    await mineUntil(w, y.call('channel.withdraw', { id, amount: 4n, wait: true }))
    expect(theirs.map(({ name, ...rest }) => [name, 'verb' in rest ? rest.verb : null])).to.deep.equal([
      ['sent', 'withdraw'],
      ['mined', 'withdraw'],
      ['withdrawn', null],
    ])
  })

  it("tells and counts each time who answers at a peer's address without its key, now and then", async () => {
    const { w, desks, x, id } = await stage(24)
    const { channel } = desks[0].node.status(id)
    const events: NodeEvent[] = []
    const impostor = await desk(w, person(3))
    desks[0].subscribe((event) => events.push(event))
    await impostor.listen('carol')
    const other = await finish(
      w,
      x.call('channel.open', { channel: { ...channel, salt: uint(10, 32) }, address: 'carol' }),
    )
    await w.scheduler.run()
    const count = Number(/^kerros_impostors_total (\d+)$/m.exec(await finish(w, x.metrics()))?.[1])
    expect(count).to.be.above(3)
    const told = Math.floor(Math.log2(count)) + 1
    expect(events).to.deep.equal(Array(told).fill({ channel: other.id, name: 'impostor', address: 'carol' }))
    expect(desks[0].node.status(other.id).connected).to.equal(false)
    expect(desks[0].node.status(id).connected).to.equal(true)
  })

  it('opens no channel that layer 1 has dealt with, where it does not read all blocks; those that it has stay open', async () => {
    const asked: Hex[] = []
    const { w, desks, id } = await stage(25)
    const { channel } = desks[0].node.status(id)
    await desks[0].node.stop()
    const isFresh = async (asset: Hex, of: Hex) => {
      expect(asset).to.equal(channel.asset)
      asked.push(of)
      return false
    }
    const at = (since: number, store = memoryStore()) =>
      desk(w, alice, { since, store, chain: { ...w.court.connect(alice.owner), isFresh } })
    const late = clientOf(await at(1))
    expect(await finish(w, refused(late.call('channel.open', { channel })))).to.equal('NotFresh')
    expect((await finish(w, late.call('channel.list', {}))).channels).to.deep.equal([])
    const store = memoryStore()
    const whole = await at(0, store)
    expect((await finish(w, clientOf(whole).call('channel.open', { channel }))).id).to.equal(id)
    await whole.node.stop()
    expect((await finish(w, clientOf(await at(1, store)).call('channel.open', { channel }))).id).to.equal(id)
    expect(asked).to.deep.equal([id])
  })

  it('closes at once with a status, or waits for the end when it is told to', async () => {
    const { w, desks, x, y, id } = await stage(16)
    const wait = clock()
    await finish(w, x.call('channel.pay', { id, amount: 5n, paymentId: uint(1, 32) }))
    expect((await finish(w, x.call('channel.close', { id }))).phase).to.equal('ending')
    const patient = memoryNodeClient(nodeHandler(desks[1], { token: TOKEN }), TOKEN)
    const side = desks[0].node.status(id).side
    const due = { [side]: FUNDS - 5n, [side === 'a' ? 'b' : 'a']: FUNDS + 5n } as Record<'a' | 'b', bigint>
    const closed = await mineUntil(w, patient.call('channel.close', { id, wait: true }))
    expect(closed.closed).to.deep.equal({ payA: due.a, payB: due.b })
    await mineUntil(
      w,
      desks[0].node.until(id, ({ phase }) => phase === 'closed'),
    )
    expect(await finish(w, x.call('channel.close', { id, wait: true }))).to.include({ phase: 'closed' })
    expect(await finish(w, y.call('channel.challenge', { id }))).to.include({ phase: 'closed' })
    wait.pass()
  })

  it('takes money out of the open channel, and says so at once or at the end', async () => {
    const { w, x, y, id } = await stage(22)
    expect(await finish(w, refused(x.call('channel.withdraw', { id, amount: 2n * FUNDS })))).to.equal(
      'InsufficientFunds',
    )
    const asked = await finish(w, x.call('channel.withdraw', { id, amount: 9n }))
    expect([asked.withdrawal?.total, asked.available]).to.deep.equal([9n, FUNDS - 9n])
    expect(await finish(w, refused(x.call('channel.withdraw', { id, amount: 9n })))).to.equal('WithdrawalPending')
    const done = await mineUntil(w, y.call('channel.withdraw', { id, amount: 4n, wait: true }))
    expect([done.withdrawal, done.withdrawn[done.side]]).to.deep.equal([null, 4n])
  })

  it('gives a receipt that stands alone, and none of what is not paid', async () => {
    const { w, x, id } = await stage(24)
    const request = { id, amount: 5n, paymentId: uint(1, 32) }
    await finish(w, x.call('channel.pay', request))
    const { file } = await finish(w, x.call('channel.receipt', { id, paymentId: request.paymentId }))
    const { leaf, chainId, court } = readReceipt(file)
    expect([leaf.amount, leaf.paymentId, chainId, court]).to.deep.equal([
      5n,
      request.paymentId,
      w.l1.chainId,
      w.court.address,
    ])
    const unpaid = x.call('channel.receipt', { id, paymentId: uint(2, 32) })
    expect(await finish(w, refused(unpaid))).to.equal('NoReceipt')
  })

  it('exports what a rescue needs', async () => {
    const { w, desks, x, id } = await stage(23)
    await finish(w, x.call('channel.pay', { id, amount: 5n, paymentId: uint(1, 32) }))
    const { file } = await finish(w, x.call('channel.export', { id }))
    expect(readRescue(file)).to.deep.equal(desks[0].node.exportChannel(id))
  })

  it('answers with what is known when an end takes longer than it waits', async () => {
    const wait = clock()
    const { w, x, desks, id } = await stage(17, { later: wait.later })
    await desks[1].node.stop()
    const asked = x.call('channel.close', { id, wait: true })
    await w.scheduler.run()
    wait.pass()
    expect((await finish(w, asked)).phase).to.equal('ending')
  })

  it('says what a node has: itself, its channels page by page, each as it stands', async () => {
    const { w, x, id, desks } = await stage(18)
    const more = await Promise.all(
      [21, 22, 23].map((salt) => finish(w, desks[0].node.open(terms(alice, bob, { salt: uint(salt, 32) })))),
    )
    const ids = [id, ...more].sort()
    const first = await finish(w, x.call('channel.list', { limit: 3 }))
    const second = await finish(w, x.call('channel.list', { limit: 3, after: first.next! }))
    expect([...first.channels, ...second.channels].map((one) => one.id)).to.deep.equal(ids)
    expect([first.next, second.next]).to.deep.equal([ids[2], null])
    expect(await finish(w, x.call('node.info', {}))).to.deep.equal({
      chainId: Number(w.l1.chainId),
      court: w.court.address,
      signer: alice.signer,
      owner: alice.owner,
      addresses: [],
      channels: 4,
      head: w.l1.head().number,
    })
  })

  it('refuses what it does not know or cannot do, by name', async () => {
    const { w, x, id } = await stage(19)
    const nobody = uint(5, 32)
    const asked: readonly (readonly [() => Promise<unknown>, string])[] = [
      [() => x.call('channel.show', { id: nobody }), 'UnknownChannel'],
      [() => x.call('channel.pay', { id: nobody, amount: 1n, paymentId: nobody }), 'UnknownChannel'],
      [() => x.call('channel.payments', { id: nobody }), 'UnknownChannel'],
      [() => x.call('channel.close', { id: nobody }), 'UnknownChannel'],
      [() => x.call('channel.deposit', { id: nobody, amount: 1n }), 'UnknownChannel'],
      [() => x.call('channel.payment', { id, paymentId: nobody }), 'UnknownPayment'],
      [() => x.call('channel.pay', { id, amount: FUNDS + 1n, paymentId: nobody }), 'InsufficientFunds'],
      [() => x.call('channel.open', { channel: terms(bob, person(3)) }), 'NotAParty'],
      [() => x.call('channel.open', { channel: terms(alice, bob, { challengePeriod: 1 }) }), 'PeriodTooShort'],
    ]
    for (const [ask, code] of asked) expect(await finish(w, refused(ask()))).to.equal(code)
    const paid = x.call('channel.pay', { id, amount: FUNDS, paymentId: nobody })
    expect((await finish(w, paid)).status).to.equal('paid')
  })

  it('changes nothing for any malformed request', async () => {
    const { w, desks, id } = await stage(20)
    const handler = nodeHandler(desks[0], { token: TOKEN })
    const before = desks[0].node.status(id)
    const methods = Object.keys(desks[0].methods)
    const word = fc.oneof(fc.constant(id), fc.constant(uint(1, 32)), fc.string())
    const number = fc.oneof(
      fc.constantFrom('1e-19', '-1', '0', String(2n ** 256n), '0x', '', ' 1', '01', '1.0'),
      fc.integer(),
    )
    const params = fc.oneof(
      fc.jsonValue(),
      fc.record({ id: word, amount: number, paymentId: word, memo: fc.oneof(fc.string(), fc.constant('0x0')) }),
    )
    const request = fc.oneof(
      fc.jsonValue(),
      fc.record({ jsonrpc: fc.constantFrom('2.0', '1.0'), id: fc.nat(), method: fc.constantFrom(...methods), params }),
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(request, fc.array(request, { maxLength: 3 }), fc.string()), async (body) => {
        const text = typeof body === 'string' ? body : JSON.stringify(body)
        const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
        const answer = await finish(
          w,
          handler(new Request('http://127.0.0.1/rpc', { method: 'POST', body: text, headers })),
        )
        expect([200, 204, 400]).to.include(answer.status)
      }),
      runs(200),
    )
    await w.scheduler.run()
    expect(desks[0].node.status(id)).to.deep.equal(before)
    expect(desks[0].node.channels()).to.have.length(1)
  })

  it('counts what it does, and says nothing of who the peers are', async () => {
    const { w, desks, x, y, id } = await stage(21)
    await finish(
      w,
      Promise.all([1, 2, 3].map((i) => x.call('channel.pay', { id, amount: 10n, paymentId: uint(i, 32) }))),
    )
    await finish(w, y.call('channel.pay', { id, amount: 4n, paymentId: uint(9, 32) }))
    await finish(w, refused(x.call('channel.pay', { id, amount: 2n * FUNDS, paymentId: uint(5, 32) })))
    await finish(
      w,
      desks[0].node.until(id, ({ version }) => version === desks[1].node.status(id).version),
    )
    const text = await finish(w, x.metrics())
    const value = (name: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')[1],
      )
    expect(value('kerros_payments_total{outcome="sent"}')).to.equal(3)
    expect(value('kerros_payments_total{outcome="received"}')).to.equal(1)
    expect(value(`kerros_paid_total{direction="sent",asset="${ETHER}"}`)).to.equal(30)
    expect(value(`kerros_paid_total{direction="received",asset="${ETHER}"}`)).to.equal(4)
    expect(value('kerros_batch_payments_sum')).to.equal(4)
    expect(value('kerros_channels{phase="open"}')).to.equal(1)
    expect(value('kerros_channels_connected')).to.equal(1)
    expect(value('kerros_chain_head')).to.equal(w.l1.head().number)
    expect(value('kerros_chain_lag_blocks')).to.equal(0)
    expect(value('kerros_transactions_total{outcome="mined"}')).to.equal(1)
    expect(value('kerros_commit_seconds_count')).to.be.above(3)
    for (const secret of [bob.signer, bob.owner, id, alice.key]) expect(text).not.to.include(secret.slice(2))
    for (const line of text.trimEnd().split('\n')) {
      expect(line).to.match(
        /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? [0-9.e+-]+)$/,
      )
    }
  })
})
