import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { KEPT } from '../../src/core/channel/Watch.ts'
import { CHANNEL, Duel, ID, KEYS, PATIENCE, PERIOD } from './duel.ts'
import { final, hear, pay, proposal, types } from './words.ts'

// In a duel A is the writer.
const FUNDS = 1000n

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
    const theft = { sender: CHANNEL.b.owner, call: { verb: 'challenge', channel: CHANNEL, state: NO_STATE } } as const
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
    const call = { verb: 'challenge', channel: CHANNEL, state: NO_STATE } as const
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
    duel.mine([{ sender: CHANNEL.b.owner, call: { verb: 'challenge', channel: CHANNEL, state: NO_STATE } }])
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

  it('is remembered when its blocks are too old for any reorg, and known again after a crash', () => {
    const duel = Duel.opened(FUNDS)
    for (let i = 0; i < 2 * KEPT; i++) duel.mine()
    expect(duel.a.state.watch.entries.length).to.equal(0)
    duel.a.revive()
    expect(duel.a.state.watch.base).to.deep.include({ deposits: { a: FUNDS, b: FUNDS }, checkpoint: 0n })
    duel.connect()
    duel.settleDown()
    duel.pay('a', FUNDS)
    duel.settleDown()
    duel.a.take({ kind: 'close' })
    duel.finish()
    expect(duel.a.state.finished).to.deep.equal({ payA: 0n, payB: 2n * FUNDS })
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

  it('becomes a challenge when the writer goes on with payments as if nobody had asked', () => {
    const duel = Duel.opened(FUNDS)
    const begun = duel.chain.time
    duel.b.take({ kind: 'close' })
    duel.wire.b.length = 0
    while (!duel.b.state.end.disputed) {
      duel.pay('a', 1n)
      duel.settleDown()
      duel.mine([], duel.chain.time + 60)
    }
    expect(duel.b.state.end.disputed).to.equal('CloseUnanswered')
    expect(duel.chain.time - begun).to.be.within(PATIENCE, PATIENCE + 120)
    expect(duel.b.state.complete.version).to.be.greaterThan(5n)
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
