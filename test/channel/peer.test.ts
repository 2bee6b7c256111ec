import { expect } from 'chai'
import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import { finalState, type Side, stateDigest } from '../../src/core/channel/Channel.ts'
import type { Item, Message } from '../../src/core/channel/Message.ts'
import { BATCH, isProven, nextState, type Pay, receipt } from '../../src/core/channel/Payment.ts'
import { stateOf } from '../../src/core/channel/PeerState.ts'
import { CHANNEL, COURT, Duel, type Fighter, ID, KEYS, PATIENCE, PERIOD } from './duel.ts'

// In a duel A is the writer.
const FUNDS = 1000n

function pay(amount: bigint, number = 77): Pay {
  return { kind: 'pay', amount, paymentId: uint(number, 32), memo: '0x' }
}

/** A proposal of the writer on B's newest state, signed as it should be, whatever it does. */
function proposal(
  to: Fighter,
  items: readonly Item[],
  change: { readonly net?: bigint; readonly skip?: bigint } = {},
): Message {
  const requests = [...to.state.pending.front]
  const paid = items.flatMap((item) => {
    if (item.kind === 'own') return [{ payer: 'a' as Side, pay: item.change }]
    return item.kind === 'request' ? [{ payer: 'b' as Side, pay: requests[0]?.pay ?? pay(1n) }] : []
  })
  const next = nextState(stateOf(to.seat, to.state.complete), paid)!
  const state = { ...next, net: change.net ?? next.net, version: next.version + (change.skip ?? 0n) }
  const hash = stateDigest(COURT, state)
  return { type: 'propose', version: state.version, items, hash, signature: sign(hash, KEYS[0]) }
}

function hear(one: Fighter, message: Message): void {
  one.take({ kind: 'message', message })
}

function final(net: bigint, key: Hex): Message {
  return { type: 'final', net, signature: sign(stateDigest(COURT, finalState(ID, net)), key) }
}

function types(said: readonly Message[]): readonly string[] {
  return said.map(({ type }) => type)
}

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

  it('keeps what a receipt needs: anybody can check it, and one altered word breaks it', () => {
    const duel = Duel.opened(FUNDS)
    for (let i = 0; i < 5; i++) duel.pay('b', BigInt(i + 1))
    duel.settleDown()
    const [key, kept] = duel.b.store.all('history').at(-1)!
    const history = kept as never
    const version = BigInt(key.split('/')[1]!)
    const proof = receipt(CHANNEL, { ...finalState(ID, (kept as { net: bigint }).net), version }, history, 0)
    expect(isProven(COURT, proof)).to.equal(true)
    expect(isProven(COURT, { ...proof, leaf: { ...proof.leaf, amount: 999n } })).to.equal(false)
    expect(isProven(COURT, { ...proof, leaf: { ...proof.leaf, toB: !proof.leaf.toB } })).to.equal(false)
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
    hear(duel.a, { type: 'request', number: 1, change: pay(FUNDS + 1n) })
    expect(duel.a.state.proposal?.items).to.deep.equal([{ kind: 'refusal', number: 1, code: 'InsufficientFunds' }])
    expect(duel.a.state.proposal?.state.net).to.equal(0n)
  })

  it('as writer takes each request once and in order, and hangs up on a gap', () => {
    const duel = Duel.opened(FUNDS)
    hear(duel.a, { type: 'request', number: 1, change: pay(1n) })
    hear(duel.a, { type: 'request', number: 1, change: pay(1n) })
    expect(duel.a.state.inbox.length).to.equal(0)
    expect(duel.a.state.proposal?.items.length).to.equal(1)
    hear(duel.a, { type: 'request', number: 3, change: pay(1n) })
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

describe('Peer: the court', () => {
  it('takes no acknowledgement that the other side did not sign, but hangs up', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('a', 10n)
    const { hash, state } = duel.a.state.proposal!
    hear(duel.a, { type: 'ack', version: state.version, hash, owed: 0, signature: sign(hash, KEYS[0]) })
    expect(duel.a.state.complete.version).to.equal(0n)
    expect(duel.up).to.equal(false)
  })

  it('signs and announces nothing more from the moment it has decided to go there', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('a', 10n)
    const offered = duel.wire.a.splice(0)
    duel.b.take({ kind: 'challenge' })
    duel.b.calls.length = 0 // its transaction is still on the way
    hear(duel.b, offered[0]!)
    duel.deposit('a', 50n)
    duel.mine()
    expect(types(duel.said.b)).to.not.include('ack')
    expect(duel.b.state.announced).to.equal(FUNDS)
    expect(duel.pay('b', 1n).refused).to.equal('ChannelEnding')
    duel.finish()
    expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS + 50n, payB: FUNDS })
  })

  it('answers an older version than its newest, again after a reorg, and settles when the period is over', () => {
    const duel = Duel.opened(FUNDS)
    for (let i = 0; i < 3; i++) {
      duel.pay('b', 10n)
      duel.settleDown()
    }
    duel.cut()
    const old = { version: 0n, net: 0n, batch: ZERO, locks: '0x', sigA: '0x', sigB: '0x' } as const
    const theft = { sender: CHANNEL.b.owner, call: { verb: 'challenge', channel: CHANNEL, state: old } } as const
    duel.mine([theft])
    duel.mine()
    expect(duel.a.state.watch.newest.clock?.version).to.equal(3n)
    duel.reorg(1)
    duel.mine()
    duel.mine()
    expect(duel.a.state.watch.newest.clock?.version).to.equal(3n)
    duel.mine([], duel.chain.time + PERIOD + 1)
    duel.mine()
    duel.mine()
    expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS + 30n, payB: FUNDS - 30n })
  })

  it('completes nothing by an acknowledgement that comes when a clock is set, but publishes it', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('a', 10n)
    duel.deliver('a')
    const [late] = duel.wire.b.splice(0)
    duel.b.take({ kind: 'challenge' })
    duel.b.calls.length = 0 // B publishes nothing newer than version 0
    const old = { version: 0n, net: 0n, batch: ZERO, locks: '0x', sigA: '0x', sigB: '0x' } as const
    const call = { verb: 'challenge', channel: CHANNEL, state: old } as const
    const block = duel.chain.mine([{ sender: CHANNEL.b.owner, call }])
    duel.a.take({ kind: 'chain', chain: { kind: 'block', block } })
    hear(duel.a, late!)
    expect(duel.a.state.complete.version).to.equal(0n)
    expect(duel.a.told.some(({ name }) => name === 'paid')).to.equal(false)
    const next = duel.chain.mine([])
    duel.a.take({ kind: 'chain', chain: { kind: 'block', block: next } })
    const answer = duel.a.calls.at(-1)!
    expect(answer.verb === 'answer' && answer.state.version).to.equal(1n)
    duel.mine()
    duel.mine()
    duel.mine()
    expect(duel.a.told.filter(({ name }) => name === 'paid').length).to.equal(1) // by the final record
  })

  it('countersigns nothing once a clock is set, even an expired one', () => {
    const duel = Duel.opened(FUNDS)
    duel.a.take({ kind: 'challenge' })
    duel.mine()
    hear(duel.b, proposal(duel.b, [{ kind: 'own', change: pay(1n) }]))
    const block = duel.chain.mine([], duel.chain.time + PERIOD + 1)
    duel.b.take({ kind: 'chain', chain: { kind: 'block', block } })
    hear(duel.b, proposal(duel.b, [{ kind: 'own', change: pay(1n) }]))
    expect(duel.b.state.complete.version).to.equal(0n)
    expect(duel.pay('b', 1n).refused).to.equal('ChannelEnding')
  })

  it('announces no deposit once a clock is set, nor one older than which a clock was', () => {
    const duel = new Duel()
    const old = { version: 0n, net: 0n, batch: ZERO, locks: '0x', sigA: '0x', sigB: '0x' } as const
    duel.mine([{ sender: CHANNEL.b.owner, call: { verb: 'challenge', channel: CHANNEL, state: old } }])
    duel.deposit('a', 10n)
    duel.connect()
    for (let i = 0; i < 4; i++) duel.mine()
    duel.settleDown()
    expect(duel.a.told.some(({ name }) => name === 'opened')).to.equal(false)
    expect(duel.a.state.heard).to.equal(0n)
  })

  it('leaves with money that was deposited before the peer ever signed', () => {
    const duel = new Duel()
    duel.deposit('a', FUNDS)
    duel.mine()
    duel.a.take({ kind: 'challenge' })
    duel.finish()
    expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS, payB: 0n })
  })

  it('ignores deposits under another asset', () => {
    const duel = Duel.opened(FUNDS)
    const event = { name: 'Deposited', id: ID, asset: uint(9, 20), toB: false, amount: 5n } as const
    const mined = duel.chain.mine([])
    duel.b.take({ kind: 'chain', chain: { kind: 'block', block: { ...mined, events: [event] } } })
    expect(duel.b.state.watch.newest.deposits.a).to.equal(FUNDS)
  })
})

describe('Peer: the end by agreement', () => {
  it('is signed first by the writer, concluded by who asked, and everything left out has failed', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('a', 100n)
    duel.settleDown()
    duel.b.take({ kind: 'close' })
    duel.pay('a', 1n) // crosses the ask: still pays, the final state comes after it
    duel.settleDown()
    expect(types(duel.said.b)).to.include('close')
    expect(types(duel.said.a)).to.include('final')
    expect(types(duel.said.b)).to.not.include('final')
    duel.finish()
    expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS - 101n, payB: FUNDS + 101n })
  })

  it('waits for the open proposal', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('a', 1n)
    duel.pay('a', 2n)
    duel.a.take({ kind: 'close' })
    expect(types(duel.said.a)).to.not.include('final')
    duel.settleDown()
    expect(duel.a.state.end.final?.net).to.equal(1n) // the second payment is left out ...
    expect(duel.a.told.filter(({ name }) => name === 'refused').length).to.equal(1) // ... and has failed
    duel.finish()
    expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS - 1n, payB: FUNDS + 1n })
  })

  it('ends the signing: no proposal, acknowledgement or other final state after it', () => {
    const duel = Duel.opened(FUNDS)
    duel.a.take({ kind: 'close' })
    duel.settleDown()
    expect(duel.pay('a', 1n).refused).to.equal('ChannelEnding')
    expect(duel.pay('b', 1n).refused).to.equal('ChannelEnding')
    const before = duel.said.b.length
    hear(duel.b, proposal(duel.b, [{ kind: 'own', change: pay(1n) }]))
    hear(duel.b, final(-5n, KEYS[0]))
    expect(duel.said.b.length).to.equal(before)
  })

  it('is not signed for another net: that goes to court', () => {
    const duel = Duel.opened(FUNDS)
    hear(duel.b, final(5n, KEYS[0]))
    expect(duel.b.state.end.disputed).to.equal('FinalMismatch')
    expect(types(duel.said.b)).to.not.include('finalSig')
  })

  it('is not taken from a peer who may not sign it first', () => {
    const duel = Duel.opened(FUNDS)
    hear(duel.a, final(0n, KEYS[1]))
    expect(duel.a.state.end.final).to.equal(null)
    expect(types(duel.said.a)).to.not.include('finalSig')
  })

  it('becomes a challenge when nobody answers in time, and says so again after a crash', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('b', 10n)
    duel.settleDown()
    duel.cut()
    duel.b.take({ kind: 'close' })
    duel.mine([], duel.chain.time + PATIENCE + 1)
    expect(duel.b.state.end.disputed).to.equal('CloseUnanswered')
    duel.b.revive()
    duel.mine()
    expect(duel.a.state.watch.newest.clock?.version).to.equal(1n)
  })

  it('is concluded by the other side if who asked for it never does', () => {
    const duel = Duel.opened(FUNDS)
    duel.a.take({ kind: 'close' })
    duel.settleDown()
    duel.a.calls.length = 0
    const block = duel.chain.mine([], duel.chain.time + PATIENCE + 1)
    duel.b.take({ kind: 'chain', chain: { kind: 'block', block } })
    expect(duel.b.calls.at(-1)?.verb).to.equal('conclude')
  })
})

describe('Peer: an older copy of a store', () => {
  for (const side of ['a', 'b'] as const) {
    it(`that says so signs nothing new, is shown the newest state and closes at it (${side})`, () => {
      const duel = Duel.opened(FUNDS)
      const copy = duel.side(side).copy()
      for (let i = 0; i < 4; i++) {
        duel.pay(i % 2 === 0 ? 'a' : 'b', BigInt(10 * i + 1))
        duel.settleDown()
      }
      duel.cut()
      duel.side(side).revive(copy)
      duel.side(side).take({ kind: 'restored' })
      expect(duel.pay(side, 1n).refused).to.equal('RestoredCopy')
      duel.finish()
      expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS + 20n, payB: FUNDS - 20n })
      expect(duel.a.state.end.disputed).to.equal(null)
    })

    it(`that does not know finds out by what it is shown, before it signs anything (${side})`, () => {
      const duel = Duel.opened(FUNDS)
      const copy = duel.side(side).copy()
      for (let i = 0; i < 3; i++) {
        duel.pay('a', 10n)
        duel.settleDown()
      }
      duel.cut()
      duel.side(side).revive(copy)
      duel.pay(side, 5n)
      duel.connect()
      duel.settleDown()
      expect(duel.side(side).state.end.restored).to.equal(true)
      duel.finish()
      expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS - 30n, payB: FUNDS + 30n })
    })
  }

  it('goes to court with what it knows if its peer never comes', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('a', 10n)
    duel.settleDown()
    const copy = duel.b.copy()
    duel.cut()
    duel.b.revive(copy)
    duel.b.take({ kind: 'restored' })
    duel.mine()
    duel.mine([], duel.chain.time + PATIENCE + 1)
    duel.mine()
    expect(duel.b.state.watch.newest.clock?.version).to.equal(1n)
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
