import { expect } from 'chai'
import { uint, ZERO } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import { finalState, other, type Side } from '../../src/core/channel/Channel.ts'
import type { Message } from '../../src/core/channel/Message.ts'
import { type PackedPaid, type SavedHistory, unpackHistory } from '../../src/core/channel/Packed.ts'
import { BATCH, REQUESTS, serialId } from '../../src/core/channel/Payment.ts'
import { isProven, receipt } from '../../src/core/channel/Receipt.ts'
import { CHANNEL, COURT, Duel, ID, KEYS } from './duel.ts'
import { hear, pay, proposal, types } from './words.ts'

// In a duel A is the writer.
const FUNDS = 1000n

describe('Peer: payments', () => {
  it('leaves at once when idle, and everything that came meanwhile shares the next version', () => {
    const duel = Duel.opened(FUNDS)
    for (let i = 0; i < 300; i++) duel.pay('a', 1n)
    for (let i = 0; i < 300; i++) duel.pay('b', 1n)
    expect(duel.a.state.proposal?.items.length).to.equal(1)
    duel.settleDown()
    expect(duel.a.state.complete.version).to.equal(3n)
    expect(duel.a.state.hash).to.equal(duel.b.state.hash)
    expect(duel.a.state.complete.net).to.equal(0n)
  })

  it("keeps through a crash what somebody can ask for or was asked for: not the writer's under ids that nobody was told", () => {
    for (const side of ['a', 'b'] as const) {
      const duel = Duel.opened(FUNDS)
      const one = duel.side(side)
      const ids = [serialId(uint(7, 16), 1), serialId(uint(7, 16), 2), uint(9, 32)]
      for (const paymentId of ids) one.take({ kind: 'pay', amount: 1n, paymentId, memo: '0x' })
      one.revive()
      duel.connect()
      duel.settleDown()
      // The writer's first is in a proposal; its second was told to nobody, neither the peer nor the caller.
      expect(one.gained()).to.equal(side === 'a' ? -2n : -3n)
      expect(duel.side(other(side)).gained()).to.equal(-one.gained())
    }
  })

  it('keeps what a receipt needs: anybody can check it, and one altered word breaks it', () => {
    const duel = Duel.opened(FUNDS)
    for (let i = 0; i < 5; i++) duel.pay('b', BigInt(i + 1))
    duel.settleDown()
    const [key, kept] = duel.b.store.all('history').at(-1)!
    const history = unpackHistory(
      kept as unknown as SavedHistory,
      duel.b.store.get('batch', key) as unknown as PackedPaid,
    )
    const version = BigInt(key.split('/')[1]!)
    const proof = receipt(CHANNEL, { ...finalState(ID, history.net), version }, history, 0)
    expect(isProven(COURT, proof)).to.equal(true)
    expect(isProven(COURT, { ...proof, leaf: { ...proof.leaf, amount: 999n } })).to.equal(false)
    expect(isProven(COURT, { ...proof, ofA: proof.ofA + 1 })).to.equal(false)
    expect(isProven(COURT, { ...proof, index: proof.index + 1 })).to.equal(false)
    expect(isProven(COURT, { ...proof, leaf: { ...proof.leaf, memo: '0x00' } })).to.equal(false)
    expect(isProven(COURT, { ...proof, leaves: [...proof.leaves, ZERO] })).to.equal(false)
    expect(isProven(COURT, { ...proof, state: { ...proof.state, net: 5n } })).to.equal(false)
  })

  it('refuses a payment above what this side has, counting what waits', () => {
    const duel = Duel.opened(FUNDS)
    duel.cut()
    expect(duel.pay('b', FUNDS).refused).to.equal(undefined)
    expect(duel.pay('b', 1n).refused).to.equal('InsufficientFunds')
    expect(duel.pay('a', 0n).refused).to.equal('BadPayment')
  })

  it('spends only deposits that the other side has announced as final', () => {
    const duel = Duel.opened(FUNDS, 3)
    duel.deposit('a', 50n)
    duel.mine()
    duel.settleDown()
    expect(duel.pay('a', FUNDS + 1n).refused).to.equal('InsufficientFunds')
    duel.reorg(2)
    for (let i = 0; i < 5; i++) duel.mine()
    duel.settleDown()
    expect(duel.a.state.heard).to.equal(FUNDS)
    duel.deposit('a', 50n)
    duel.mine()
    duel.mine()
    expect(duel.pay('a', FUNDS + 1n).refused).to.equal('InsufficientFunds') // final, but not announced yet
    duel.settleDown()
    expect(duel.pay('a', FUNDS + 1n).refused).to.equal(undefined)
  })

  it('as writer refuses by code what the other side cannot pay, and goes on', () => {
    const duel = Duel.opened(FUNDS)
    hear(duel.a, { type: 'request', number: 1, changes: [pay(FUNDS + 1n)] })
    expect(duel.a.state.proposal?.items).to.deep.equal([{ kind: 'refusal', number: 1, code: 'InsufficientFunds' }])
    expect(duel.a.state.proposal?.state.net).to.equal(0n)
  })

  it('as writer takes each request once and in order, and hangs up on a gap', () => {
    const duel = Duel.opened(FUNDS)
    hear(duel.a, { type: 'request', number: 1, changes: [pay(1n)] })
    hear(duel.a, { type: 'request', number: 1, changes: [pay(1n)] })
    expect(duel.a.state.inbox.length).to.equal(0)
    expect(duel.a.state.proposal?.items.length).to.equal(1)
    hear(duel.a, { type: 'request', number: 3, changes: [pay(1n)] })
    expect(duel.up).to.equal(false)
  })

  it('ends each payment of both sides though a request is lost before the acknowledgement that owes it', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('a', 5n)
    duel.pay('b', 7n)
    duel.wire.b.length = 0 // the request is lost ...
    duel.deliver('a') // ... and the acknowledgement that owes it goes out
    duel.deliver('b')
    duel.pay('a', 1n)
    expect(duel.a.state.proposal).to.equal(null) // the writer waits for what it owes
    duel.connect()
    duel.settleDown()
    expect(duel.a.state.complete.net).to.equal(-1n)
    expect(duel.b.outcomes().size).to.equal(1)
  })
})

describe('Peer: a proposal is countersigned iff it is valid', () => {
  const invalid: readonly (readonly [string, string, (duel: Duel) => Message])[] = [
    [
      'spends more than the writer has',
      'InsufficientFunds',
      ({ b }) => proposal(b, [{ kind: 'own', change: pay(FUNDS + 1n) }]),
    ],
    ['has a net of its own', 'HashMismatch', ({ b }) => proposal(b, [{ kind: 'own', change: pay(1n) }], { net: -3n })],
    [
      'takes a request that was never made',
      'RequestOutOfOrder',
      ({ b }) => proposal(b, [{ kind: 'request', number: 1 }]),
    ],
    [
      'takes a request twice',
      'RequestOutOfOrder',
      (duel) => {
        duel.pay('b', 1n)
        return proposal(
          duel.b,
          [1, 1].map((number) => ({ kind: 'request', number })),
        )
      },
    ],
    [
      'takes a request out of its order',
      'RequestOutOfOrder',
      (duel) => {
        duel.pay('b', 1n)
        duel.pay('b', 2n)
        return proposal(duel.b, [{ kind: 'request', number: 2 }])
      },
    ],
    [
      'leaves out a request that the last acknowledgement owed',
      'RequestLeftOut',
      (duel) => {
        duel.pay('a', 1n)
        duel.pay('b', 1n)
        duel.wire.b.length = 0
        duel.deliver('a')
        return proposal(duel.b, [{ kind: 'own', change: pay(1n) }])
      },
    ],
  ]
  for (const [what, why, make] of invalid) {
    it(`goes to court over one that ${what}`, () => {
      const duel = Duel.opened(FUNDS)
      const bad = make(duel)
      const { version } = duel.b.state.complete
      hear(duel.b, bad)
      expect(duel.b.state.end.disputed).to.equal(why)
      expect(duel.b.state.complete.version).to.equal(version)
      expect(duel.b.calls.at(-1)?.verb).to.equal('challenge')
    })
  }

  it('does not go to court over one that somebody else signed or that skips a version, but hangs up', () => {
    const duel = Duel.opened(FUNDS)
    const honest = proposal(duel.b, [{ kind: 'own', change: pay(1n) }])
    hear(duel.b, { ...honest, signature: sign(ZERO, KEYS[0]) } as Message)
    expect(duel.up).to.equal(false)
    duel.connect()
    hear(duel.b, proposal(duel.b, [{ kind: 'own', change: pay(1n) }], { skip: 1n }))
    expect(duel.up).to.equal(false)
    expect(duel.b.state.end.disputed).to.equal(null)
    expect(duel.b.state.complete.version).to.equal(0n)
  })

  it('acknowledges the newest one again, and never judges an older one', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('a', 1n)
    const [first] = duel.wire.a
    duel.settleDown()
    hear(duel.b, first!)
    expect(types(duel.said.b).filter((type) => type === 'ack').length).to.equal(2)
    duel.wire.b.length = 0
    hear(duel.b, proposal(duel.b, [], { skip: -1n })) // the newest version, with other content
    duel.pay('a', 1n)
    duel.settleDown()
    const before = duel.said.b.length
    hear(duel.b, first!)
    expect(duel.said.b.length).to.equal(before)
    expect(duel.b.state.end.disputed).to.equal(null)
  })

  it('takes a proposal from before its hello, though it owes less than that hello', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('a', 1n)
    duel.cut()
    duel.pay('b', 1n)
    duel.connect()
    duel.settleDown()
    expect(duel.b.state.end.disputed).to.equal(null)
    expect(duel.b.state.complete.version).to.equal(2n)
  })

  it('says no more at once than the other side must keep, and all in the end', () => {
    const duel = Duel.opened(5000n)
    duel.cut()
    for (let i = 0; i < 2 * REQUESTS + 10; i++) duel.pay('b', 1n)
    duel.connect()
    duel.deliver('a') // the writer's hello
    expect(duel.wire.b.flatMap((said) => (said.type === 'request' ? said.changes : [])).length).to.equal(REQUESTS)
    duel.pay('b', 1n)
    duel.settleDown()
    duel.pay('b', 1n)
    duel.settleDown()
    expect(duel.up).to.equal(true)
    expect(duel.a.state.complete.net).to.equal(-BigInt(2 * REQUESTS + 12))
    expect(duel.b.outcomes().size).to.equal(2 * REQUESTS + 12)
  })

  it('as writer keeps no more requests than may be on their way', () => {
    const duel = Duel.opened(FUNDS)
    for (let number = 1; duel.up && number < 10_000; number++)
      hear(duel.a, { type: 'request', number, changes: [pay(1n)] })
    expect(duel.up).to.equal(false)
    expect(duel.said.a.length).to.be.lessThan(REQUESTS)
  })

  it('may owe more than a batch: the oldest come first', () => {
    const duel = Duel.opened(FUNDS)
    duel.cut()
    for (let i = 0; i < BATCH + 10; i++) duel.pay('b', 1n)
    duel.connect()
    duel.settleDown()
    expect(duel.a.state.complete.disposed).to.equal(BATCH + 10)
    expect(duel.a.state.complete.net).to.equal(-BigInt(BATCH + 10))
  })
})

describe('Peer: a crash at any point of a conversation', () => {
  const points = ['computed', 'stored', 0, 1, 2] as const
  for (const who of ['a', 'b'] as const) {
    it(`loses and doubles nothing (${who})`, () => {
      for (let at = 0; at < 14; at++) {
        for (const point of points) crashAt(who, at, point)
      }
    })
  }

  /** Both pay, the channel closes; the side crashes at its `at`-th input. */
  function crashAt(who: Side, at: number, point: (typeof points)[number]): void {
    const duel = Duel.opened(FUNDS)
    let count = 0
    const one = duel.side(who)
    const take = one.take.bind(one)
    one.take = (input, crash) => take(input, input.kind !== 'chain' && count++ === at ? point : crash)
    for (let i = 0; i < 3; i++) {
      duel.pay('a', 3n)
      duel.pay('b', 1n)
      duel.settleDown()
      if (!duel.up) duel.connect()
    }
    duel.settleDown()
    expect(duel.a.state.hash).to.equal(duel.b.state.hash)
    const lost = point === 'computed' ? 1 : 0
    expect(duel.a.outcomes().size + duel.b.outcomes().size).to.be.within(6 - lost, 6)
    duel.b.take({ kind: 'close' })
    if (!duel.b.state.end.asked) duel.b.take({ kind: 'close' })
    duel.finish()
    const { payA, payB } = duel.a.state.finished!
    expect([payA, payB]).to.deep.equal([FUNDS + duel.a.gained(), FUNDS + duel.b.gained()])
  }
})
