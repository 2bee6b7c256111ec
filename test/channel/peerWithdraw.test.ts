import { expect } from 'chai'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import type { Message } from '../../src/core/channel/Message.ts'
import { asMessage } from '../../src/core/channel/Wire.ts'
import { CHANNEL, Duel, type Fighter, PERIOD } from './duel.ts'
import { ends, HOUR, keepBack, left, take } from './takes.ts'
import { hear, pay, proposal, types } from './words.ts'

// In a duel A is the writer.
const FUNDS = 1000n

/** Blocks until a block past a time is final for both. */
function pass(duel: Duel, time: number, blocks = 2): void {
  duel.mine([], time)
  for (let i = 1; i < blocks; i++) duel.mine()
}

/** Shows one side alone a block. */
function show(duel: Duel, one: Fighter, time?: number): void {
  const block = duel.chain.mine([], time)
  one.take({ kind: 'chain', chain: { kind: 'block', block } })
}

describe('Peer: withdrawals', () => {
  for (const side of ['a', 'b'] as const) {
    it(`are asked for, signed, sent until final, and told once; the channel goes on and pays the rest (${side})`, () => {
      const duel = Duel.opened(FUNDS)
      duel.pay(side, 100n)
      duel.settleDown()
      expect(take(duel, side, 400n)).to.equal(undefined)
      expect(left(duel.side(side))).to.equal(500n) // from the ask on
      duel.settleDown()
      duel.mine()
      duel.reorg(1) // the transaction is lost, and asked for again
      duel.mine()
      expect(ends(duel.side(side))).to.deep.equal([])
      duel.mine()
      expect(ends(duel.side(side))).to.deep.equal(['withdrawn'])
      expect(duel.side(side).calls).to.deep.equal([])
      expect(duel.side(side).state.reserves.mine).to.equal(null)
      expect(left(duel.side(side))).to.equal(500n)
      expect(take(duel, side, 100n)).to.equal(undefined) // again, on the same connection
      duel.settleDown()
      for (let i = 0; i < 2; i++) duel.mine()
      expect(ends(duel.side(side))).to.deep.equal(['withdrawn', 'withdrawn'])
      expect(duel.pay(side, 400n).refused).to.equal(undefined)
      duel.settleDown()
      duel.side(side).take({ kind: 'close' })
      duel.finish()
      const paid = duel.a.state.finished!
      expect(side === 'a' ? paid : { payA: paid.payB, payB: paid.payA }).to.deep.equal({ payA: 0n, payB: FUNDS + 500n })
    })
  }

  it('take out what was received, more than was ever deposited', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('b', 900n)
    duel.settleDown()
    expect(take(duel, 'a', 1900n)).to.equal(undefined)
    duel.settleDown()
    for (let i = 0; i < 3; i++) duel.mine()
    expect(duel.chain.court.records.values().next().value).to.deep.include({ fundsA: -900n, fundsB: FUNDS })
    duel.a.take({ kind: 'challenge' })
    duel.finish()
    expect(duel.a.state.finished).to.deep.equal({ payA: 0n, payB: 100n })
  })

  it('are refused before anything is said if they are too large, too short, or one is on its way', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('b', 10n)
    expect(take(duel, 'b', FUNDS - 9n)).to.equal('InsufficientFunds') // what waits counts
    expect(take(duel, 'b', 0n)).to.equal('BadWithdrawal')
    expect(take(duel, 'b', 5n, 120)).to.equal('BadWithdrawal')
    expect(take(duel, 'b', 5n)).to.equal(undefined)
    expect(take(duel, 'b', 5n)).to.equal('WithdrawalPending')
    duel.settleDown()
    duel.b.take({ kind: 'close' })
    expect(take(duel, 'b', 5n)).to.equal('ChannelEnding')
    expect(types(duel.said.b).filter((type) => type === 'withdrawAsk').length).to.equal(1)
  })

  it('are stored before they are said: a crash at any point, and nothing is lost or asked for twice over', () => {
    for (const side of ['a', 'b'] as const) {
      for (const point of ['computed', 'stored', 0, 1, 2] as const) {
        for (let at = 0; at < 5; at++) {
          const duel = Duel.opened(FUNDS)
          for (const who of ['a', 'b'] as const) crashAt(duel.side(who), who === side ? at : -1, point)
          take(duel, 'a', 300n)
          for (let i = 0; i < 4; i++) {
            if (!duel.up) duel.connect()
            duel.settleDown()
            duel.mine()
          }
          const asked = side !== 'a' || at > 0 || point !== 'computed'
          expect(ends(duel.a)).to.deep.equal(asked ? ['withdrawn'] : [])
          expect(duel.chain.court.records.values().next().value?.withdrawnA).to.equal(asked ? 300n : 0n)
        }
      }
    }
  })

  function crashAt(one: Fighter, at: number, point: 'computed' | 'stored' | number): void {
    let count = 0
    const plain = one.take.bind(one)
    one.take = (input, crash) => plain(input, input.kind !== 'chain' && count++ === at ? point : crash)
  }

  it('fit the court: no total or deadline beyond its width is a message', () => {
    const ask = { type: 'withdrawAsk', total: 5n, deadline: 2 ** 40 - 1 } as const
    expect(asMessage(ask)).to.deep.equal(ask)
    for (const bad of [{ total: -1n }, { total: 2n ** 127n }, { deadline: 2 ** 40 }, { deadline: 1.5 }, { junk: 1 }]) {
      expect(asMessage({ ...ask, ...bad })).to.equal(undefined)
    }
  })
})

describe('Peer: what a withdrawal reserves', () => {
  it('is no longer spendable in the eyes of the signer from its signature on: a proposal that spends it goes to court', () => {
    const duel = Duel.opened(FUNDS)
    take(duel, 'a', 900n)
    duel.settleDown()
    hear(duel.b, proposal(duel.b, [{ kind: 'own', change: pay(101n) }]))
    expect(duel.b.state.end.disputed).to.equal('InsufficientFunds')
    duel.finish()
    expect(duel.b.state.finished?.payB).to.equal(FUNDS)
  })

  it('is refused by code where the signer is the writer', () => {
    const duel = Duel.opened(FUNDS)
    take(duel, 'b', 900n)
    duel.settleDown()
    hear(duel.a, { type: 'request', number: 1, changes: [pay(101n)] })
    expect(duel.a.state.proposal?.items).to.deep.equal([{ kind: 'refusal', number: 1, code: 'InsufficientFunds' }])
  })

  for (const first of ['a', 'b'] as const) {
    it(`lapses for ${first} first: nobody spends before the other has announced it, and nobody goes to court`, () => {
      const duel = Duel.opened(FUNDS)
      take(duel, 'a', 900n)
      duel.settleDown()
      duel.a.calls.length = 0 // never sent
      const { deadline } = duel.a.state.reserves.mine!
      const [early, late] = first === 'a' ? [duel.a, duel.b] : [duel.b, duel.a]
      const missed = [duel.chain.mine([], deadline + 1), duel.chain.mine([])]
      for (const block of missed) early.take({ kind: 'chain', chain: { kind: 'block', block } })
      duel.settleDown()
      expect(early.told.some(({ name }) => name === 'unwithdrawn')).to.equal(first === 'a')
      expect(left(duel.a)).to.equal(100n)
      expect([duel.a.state.reserves.mine, duel.b.state.reserves.theirs]).to.not.include(null)
      for (const block of missed) late.take({ kind: 'chain', chain: { kind: 'block', block } })
      duel.settleDown()
      expect(ends(duel.a)).to.deep.equal(['WithdrawalLapsed'])
      expect([duel.a.state.reserves.mine, duel.b.state.reserves.theirs]).to.deep.equal([null, null])
      expect(duel.pay('a', FUNDS).refused).to.equal(undefined)
      duel.settleDown()
      expect([duel.a.state.complete.net, duel.b.state.end.disputed]).to.deep.equal([FUNDS, null])
    })
  }

  it('lapses though the announcement is lost on the wire and one side forgets what it had seen', () => {
    const duel = Duel.opened(FUNDS)
    take(duel, 'a', 900n)
    duel.settleDown()
    const { deadline } = duel.a.state.reserves.mine!
    for (const one of [duel.a, duel.b]) one.calls.length = 0
    duel.mine([], deadline + 1)
    duel.mine()
    duel.wire.a.length = 0 // B does not hear that A has seen it ...
    duel.settleDown()
    expect([duel.a.state.reserves.mine, duel.b.state.reserves.theirs === null]).to.deep.equal([null, false])
    duel.a.state = { ...duel.a.state, watch: { ...duel.a.state.watch, lapsed: 0 } } // ... whose chain now lags
    duel.connect()
    duel.settleDown()
    expect(duel.b.state.reserves.theirs).to.equal(null)
    duel.pay('a', FUNDS)
    duel.settleDown()
    expect(duel.b.state.end.disputed).to.equal(null)
  })

  it('lasts as long though the other side never signs, and ends by what it announces', () => {
    const duel = Duel.opened(FUNDS)
    take(duel, 'b', 900n)
    duel.cut() // the ask is lost
    const { deadline } = duel.b.state.reserves.mine!
    pass(duel, deadline + 1)
    expect(ends(duel.b)).to.deep.equal(['WithdrawalUnsigned'])
    expect(left(duel.b)).to.equal(100n)
    expect(take(duel, 'b', 5n)).to.equal('WithdrawalPending')
    duel.connect()
    duel.settleDown()
    expect(types(duel.said.a)).to.not.include('withdrawSig')
    expect(left(duel.b)).to.equal(FUNDS)
    expect(take(duel, 'b', 5n)).to.equal(undefined)
  })

  it('holds against one that is sent after all in its last second', () => {
    const duel = Duel.opened(FUNDS)
    take(duel, 'a', 900n)
    duel.settleDown()
    const theft = keepBack(duel.a)
    const { deadline } = duel.a.state.reserves.mine!
    show(duel, duel.b, deadline - 12)
    hear(duel.b, { type: 'funds', total: 0n, lapsedThrough: deadline + 1000 }) // a lie
    expect(duel.b.state.reserves.theirs?.total).to.equal(900n)
    duel.a.take({ kind: 'chain', chain: { kind: 'block', block: duel.chain.blocks.at(-1)!.block } })
    duel.a.calls.length = 0
    duel.mine([theft], deadline)
    duel.mine()
    duel.mine()
    expect(ends(duel.a)).to.deep.equal(['withdrawn'])
    hear(duel.b, proposal(duel.b, [{ kind: 'own', change: pay(101n) }]))
    expect(duel.b.state.end.disputed).to.equal('InsufficientFunds')
    duel.finish()
    expect(duel.b.state.finished).to.deep.equal({ payA: 100n, payB: FUNDS })
  })

  it('is past its deadline only when that is final: one second later it cannot be taken', () => {
    const duel = Duel.opened(FUNDS)
    take(duel, 'a', 900n)
    duel.settleDown()
    const theft = keepBack(duel.a)
    const { deadline } = duel.a.state.reserves.mine!
    duel.mine([], deadline + 1)
    duel.settleDown()
    expect(duel.b.state.reserves.theirs?.total).to.equal(900n)
    duel.mine([theft])
    duel.mine()
    duel.settleDown()
    expect(duel.b.state.watch.newest.withdrawn.a).to.equal(0n)
    expect(duel.b.state.reserves.theirs).to.equal(null)
  })
})

describe('Peer: a withdrawal and what crosses it', () => {
  it('asked for twice is signed once: the same words come back', () => {
    const duel = Duel.opened(FUNDS)
    take(duel, 'a', 900n)
    duel.deliver('a')
    duel.cut() // the signature is lost
    duel.connect()
    duel.settleDown()
    const sigs = duel.said.b.filter(({ type }) => type === 'withdrawSig')
    expect(sigs.length).to.equal(2)
    expect(sigs[0]).to.deep.equal(sigs[1])
    duel.mine()
    expect(duel.chain.court.records.values().next().value?.withdrawnA).to.equal(900n)
  })

  it('asked for again with another total or deadline waits until the first has ended', () => {
    const duel = Duel.opened(FUNDS)
    take(duel, 'a', 300n)
    duel.settleDown()
    keepBack(duel.a)
    const { deadline } = duel.a.state.reserves.mine!
    hear(duel.b, { type: 'withdrawAsk', total: 500n, deadline: deadline + HOUR })
    expect(duel.b.state.reserves.theirs?.total).to.equal(300n)
    pass(duel, deadline + 1)
    hear(duel.b, { type: 'funds', total: 0n, lapsedThrough: deadline + 1 })
    expect(duel.b.state.reserves.theirs?.total).to.equal(500n)
    expect(duel.said.b.at(-1)).to.deep.include({ type: 'withdrawSig', total: 500n })
  })

  it('waits until the newest complete state can bear it', () => {
    const duel = Duel.opened(FUNDS)
    const deadline = duel.chain.time + HOUR
    hear(duel.b, { type: 'withdrawAsk', total: FUNDS + 50n, deadline }) // more than A has in B's newest state
    expect(types(duel.said.b)).to.not.include('withdrawSig')
    duel.pay('b', 50n)
    duel.settleDown()
    expect(duel.said.b.at(-1)).to.deep.include({ type: 'withdrawSig', total: FUNDS + 50n })
  })

  it('waits until the open proposal can bear it, too', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('b', 100n)
    duel.deliver('b') // A's proposal pays B's 100
    hear(duel.a, { type: 'withdrawAsk', total: FUNDS, deadline: duel.chain.time + HOUR })
    duel.settleDown()
    expect(types(duel.said.a)).to.not.include('withdrawSig')
    duel.pay('a', 100n)
    duel.deliver('a') // a proposal that would bear it is not complete yet
    expect(types(duel.said.a)).to.not.include('withdrawSig')
    duel.settleDown()
    expect(types(duel.said.a)).to.include('withdrawSig')
  })

  it('crosses a proposal: both are done', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('a', 300n)
    take(duel, 'a', 700n)
    duel.pay('b', 300n)
    take(duel, 'b', 700n)
    duel.settleDown()
    for (let i = 0; i < 3; i++) duel.mine()
    expect([ends(duel.a), ends(duel.b)]).to.deep.equal([['withdrawn'], ['withdrawn']])
    expect([left(duel.a), left(duel.b)]).to.deep.equal([300n, 300n])
    expect([duel.a.state.end.disputed, duel.b.state.end.disputed]).to.deep.equal([null, null])
  })

  it('is not taken to be signed by who did not sign it', () => {
    const duel = Duel.opened(FUNDS)
    take(duel, 'a', 300n)
    duel.deliver('a')
    const said = duel.wire.b.splice(0)[0] as Extract<Message, { type: 'withdrawSig' }>
    hear(duel.a, { ...said, total: 299n })
    expect(duel.up).to.equal(true)
    hear(duel.a, { ...said, signature: `${said.signature.slice(0, 4)}00${said.signature.slice(6)}` as never })
    expect(duel.up).to.equal(false)
    expect(duel.a.calls).to.deep.equal([])
  })

  it('is neither asked for nor signed nor sent any more once a clock is set, and the court pays it out at the end', () => {
    const duel = Duel.opened(FUNDS)
    take(duel, 'a', 300n)
    const asked = duel.wire.a.splice(0)
    take(duel, 'b', 200n)
    duel.settleDown()
    keepBack(duel.b)
    duel.mine([{ sender: CHANNEL.b.owner, call: { verb: 'challenge', channel: CHANNEL, state: NO_STATE } }])
    hear(duel.b, asked[0]!)
    duel.mine()
    expect(types(duel.said.b)).to.not.include('withdrawSig')
    expect(duel.b.calls.filter(({ verb }) => verb === 'withdraw')).to.deep.equal([])
    expect(take(duel, 'a', 5n)).to.equal('ChannelEnding')
    duel.finish()
    expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS, payB: FUNDS })
    expect([ends(duel.a), ends(duel.b)]).to.deep.equal([['WithdrawalUnsigned'], ['WithdrawalLapsed']])
  })

  it('that reaches the court in a dispute is paid, and the dispute pays the rest', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('b', 50n)
    duel.settleDown()
    take(duel, 'a', 1000n)
    duel.settleDown()
    const late = keepBack(duel.a)
    duel.mine([{ sender: CHANNEL.b.owner, call: { verb: 'challenge', channel: CHANNEL, state: NO_STATE } }])
    duel.mine([late])
    duel.mine()
    duel.mine()
    duel.mine()
    expect(ends(duel.a)).to.deep.equal(['withdrawn'])
    duel.mine([], duel.chain.time + PERIOD + 1)
    duel.finish()
    expect(duel.a.state.finished).to.deep.equal({ payA: 50n, payB: FUNDS - 50n })
  })

  it('ends with a final state: what was not taken out is paid by it', () => {
    const duel = Duel.opened(FUNDS)
    take(duel, 'a', 300n)
    duel.settleDown()
    keepBack(duel.a)
    duel.b.take({ kind: 'close' })
    duel.settleDown()
    duel.finish()
    expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS, payB: FUNDS })
    expect(ends(duel.a)).to.deep.equal(['ChannelEnding'])
  })

  it('is not signed by an older copy of a store, nor asked for', () => {
    const duel = Duel.opened(FUNDS)
    const copy = duel.b.copy()
    duel.pay('a', 10n)
    duel.settleDown()
    duel.cut()
    duel.b.revive(copy)
    duel.b.take({ kind: 'restored' })
    expect(take(duel, 'b', 5n)).to.equal('RestoredCopy')
    duel.connect()
    hear(duel.b, { type: 'withdrawAsk', total: 5n, deadline: duel.chain.time + HOUR })
    duel.settleDown()
    expect(types(duel.said.b)).to.not.include('withdrawSig')
  })

  it('by one side raises nothing of the other: its call names the own total alone', () => {
    const duel = Duel.opened(FUNDS)
    take(duel, 'b', 200n)
    duel.settleDown()
    const { call } = keepBack(duel.b)
    expect(call).to.deep.include({ verb: 'withdraw', totalA: 0n, totalB: 200n })
  })
})
