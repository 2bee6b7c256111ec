import { expect } from 'chai'
import { ETHER } from '../../src/core/base/Bytes.ts'
import { ALL, hashLock, verdictKey } from '../../src/core/base/Verdicts.ts'
import type { ChannelCall } from '../../src/core/channel/Call.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { packLocks } from '../../src/core/channel/Lock.ts'
import { CHANNEL, Duel, type Fighter, KEYS, PATIENCE, PERIOD } from './duel.ts'
import { type Begun, endsOf, fulfil, lock, MARGIN, secretOf, towards, wait } from './holds.ts'
import { final, hear, types } from './words.ts'

// In a duel A is the writer.
const FUNDS = 1000n

/** A channel with a lock of 100 from one side, complete on both. */
function locked(from: 'a' | 'b', seconds = MARGIN + 600): readonly [duel: Duel, begun: Begun] {
  const duel = Duel.opened(FUNDS)
  const begun = lock(duel, from, 100n, seconds)
  duel.settleDown()
  return [duel, begun]
}

/** Blocks without a word, until a time. */
function silence(duel: Duel, until: number): void {
  while (duel.chain.time < until) duel.mine([], Math.min(until, duel.chain.time + 300))
}

describe('Peer: locks and the end of the channel', () => {
  it('a final state is signed only without locks; until they end they can be ended, and nobody is late', () => {
    const [duel] = locked('a')
    duel.b.take({ kind: 'close' })
    duel.settleDown()
    expect(types([...duel.said.a, ...duel.said.b])).to.not.include('final')
    expect(duel.pay('a', 1n).refused).to.equal('ChannelEnding')
    silence(duel, duel.chain.time + 1500)
    expect(duel.b.state.end.disputed).to.equal(null)
    fulfilLate(duel.b)
    duel.settleDown()
    duel.finish()
    expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS - 100n, payB: FUNDS + 100n })
    expect(duel.b.state.end.disputed).to.equal(null)
  })

  it('nobody is late because of a lock that was complete only after the close was asked for', () => {
    const duel = Duel.opened(FUNDS)
    lock(duel, 'a', 1n, MARGIN + 10)
    silence(duel, duel.chain.time + MARGIN + 11)
    duel.b.take({ kind: 'close' })
    duel.settleDown()
    expect(duel.b.state.locks.length).to.equal(1)
    wait(duel, 600)
    duel.finish()
    expect(duel.b.state.end.disputed).to.equal(null)
    expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS, payB: FUNDS })
  })

  for (const [what, closer, life, again] of [
    ['of ten years that the other side added as it was asked', 'b', 10 * 31_536_000, false],
    ['after lock that the other side adds', 'b', 7200, true],
    ['of ten years that the writer was given before', 'a', 10 * 31_536_000, false],
  ] as const) {
    it(`a close is put off a day and the patience at most by a lock ${what}`, () => {
      const duel = Duel.opened(FUNDS)
      const me = duel.side(closer)
      const begun = duel.chain.time
      if (closer === 'a') lock(duel, 'b', 1n, life)
      if (closer === 'a') duel.settleDown()
      me.take({ kind: 'close' })
      if (closer === 'b') duel.wire.b.length = 0 // the writer has not heard of it, as it will say
      for (let i = 0; i < 200 && !me.state.end.disputed; i++) {
        if (closer === 'b' && (i === 0 || (again && i % 10 === 0))) lock(duel, 'a', 1n, life)
        while (duel.deliver('a'));
        duel.wire.b.splice(0, duel.wire.b.length, ...duel.wire.b.filter(({ type }) => type !== 'close'))
        if (closer === 'b') while (duel.deliver('b'));
        duel.mine([], duel.chain.time + 600)
      }
      expect(me.state.locks.length).to.be.greaterThan(0)
      expect(me.state.end.disputed).to.equal('CloseUnanswered')
      expect(duel.chain.time - begun).to.be.within(86_400, 86_400 + 1800 + PATIENCE)
    })
  }

  it('a close waits for a lock that this side pays as long as this side has promised', () => {
    const [duel] = locked('b', 3 * 86_400)
    const { expiry } = duel.b.state.locks[0]!
    duel.b.take({ kind: 'close' })
    duel.cut()
    silence(duel, expiry)
    expect(duel.b.state.end.disputed).to.equal(null)
    silence(duel, expiry + PATIENCE + 1200)
    expect(duel.b.state.end.disputed).to.equal('CloseUnanswered')
  })

  it('goes to court over a final state while a lock is open', () => {
    const [duel] = locked('a')
    hear(duel.b, final(0n, KEYS[0]))
    expect(duel.b.state.end.disputed).to.equal('FinalMismatch')
  })

  it('challenges, answers and settles with the list; what stays open is paid by what is revealed', () => {
    const [duel, { paymentId, preimage }] = locked('a', 3 * PERIOD)
    const packed = packLocks(duel.a.state.locks)
    duel.mine([{ sender: CHANNEL.a.owner, call: { verb: 'challenge', channel: CHANNEL, state: NO_STATE } }])
    const answer = duel.b.calls.find(({ verb }) => verb === 'answer') as Extract<ChannelCall, { verb: 'answer' }>
    expect(answer.state.locks).to.equal(packed)
    duel.mine()
    duel.mine([], duel.chain.time + PERIOD + 1)
    duel.mine()
    duel.mine()
    expect(duel.b.state.watch.newest.closed).to.deep.equal({ payA: FUNDS - 100n, payB: FUNDS })
    expect(duel.b.state.watch.newest.locks).to.equal(packed)
    expect(duel.b.state.finished).to.equal(null)
    duel.b.take({ kind: 'fulfil', lockId: 1n, preimage, isPublic: false })
    for (let i = 0; i < 5; i++) duel.mine()
    expect(duel.b.state.finished).to.deep.equal({ payA: FUNDS - 100n, payB: FUNDS + 100n })
    expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS - 100n, payB: FUNDS + 100n })
    expect(endsOf(duel.a).get(paymentId)).to.deep.equal(['fulfilled'])
    expect(endsOf(duel.b).get(paymentId)).to.deep.equal(['fulfilled'])
  })

  it('that nobody takes go back to their payer, in court too', () => {
    const [duel, { paymentId }] = locked('b', 3 * PERIOD)
    duel.b.take({ kind: 'challenge' })
    duel.finish()
    expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS, payB: FUNDS })
    expect(endsOf(duel.b).get(paymentId)).to.deep.equal(['failed'])
  })

  it('of an older copy of the store are taken on layer 1 with the preimages that it holds', () => {
    const [duel] = locked('a', 3 * PERIOD)
    duel.cut()
    fulfil(duel.b, 1n)
    duel.b.calls.length = 0
    duel.b.take({ kind: 'restored' })
    duel.b.take({ kind: 'challenge' })
    for (let i = 0; i < 40 && !duel.b.state.finished; i++) duel.mine([], duel.chain.time + (i === 5 ? PERIOD + 1 : 12))
    expect(duel.b.state.finished).to.deep.equal({ payA: FUNDS - 100n, payB: FUNDS + 100n })
  })

  it('shown with a newer state to an older copy are in its challenge', () => {
    const [duel] = locked('a')
    const old = duel.b.copy()
    lock(duel, 'a', 50n)
    duel.settleDown()
    duel.b.revive(old)
    duel.connect()
    duel.settleDown()
    expect(duel.b.state.end.restored).to.equal(true)
    expect(duel.b.state.locks.map(({ amount }) => amount)).to.deep.equal([100n, 50n])
    duel.b.take({ kind: 'challenge' })
    const call = duel.b.calls.find(({ verb }) => verb === 'challenge') as Extract<ChannelCall, { verb: 'challenge' }>
    expect(call.state.locks).to.equal(packLocks(duel.a.state.locks))
  })

  for (const late of [0, 300]) {
    it(`one of an early key hides the others from no settlement: told of it ${late} blocks after, the rest is settled`, () => {
      const duel = Duel.opened(FUNDS)
      const begun = [lock(duel, 'a', 1n, 10 * PERIOD), lock(duel, 'a', 100n, 10 * PERIOD)] as const
      // The court knew the first key before, and told of that in a block of which nobody kept anything.
      const [key, verdict] = [hashLock(begun[0].preimage), { time: duel.chain.time, amount: ALL }]
      const { court } = duel.chain
      duel.chain.court = { ...court, verdicts: new Map(court.verdicts).set(verdictKey(ETHER, key), verdict) }
      duel.settleDown()
      duel.b.take({ kind: 'challenge' })
      for (let i = 0; i < 5; i++) duel.mine([], duel.chain.time + (i === 3 ? PERIOD + 1 : 12))
      for (let i = 0; i < 5 + late; i++) duel.mine()
      expect(duel.b.state.watch.final.closed).to.deep.equal({ payA: FUNDS - 101n, payB: FUNDS + 1n })
      expect(duel.b.state.finished).to.equal(null)
      duel.b.take({ kind: 'verdict', condition: ETHER, key, verdict })
      expect(duel.b.state.watch.newest.locks).to.equal(packLocks(duel.b.state.locks.slice(1)))
      duel.b.revive()
      duel.b.take({ kind: 'fulfil', lockId: 2n, preimage: begun[1].preimage, isPublic: false })
      for (let i = 0; i < 6; i++) duel.mine()
      expect(duel.b.state.finished).to.deep.equal({ payA: FUNDS - 101n, payB: FUNDS + 101n })
      expect([...endsOf(duel.b).values()]).to.deep.equal([['fulfilled'], ['fulfilled']])
    })
  }

  it("with an early key is its receiver's when the payer stalls: it is not revealed, not given up, and paid in court", () => {
    const [duel, { paymentId, preimage }] = locked('a')
    const [key, verdict] = [hashLock(preimage), { time: duel.chain.time - 100, amount: ALL }]
    const { court } = duel.chain
    duel.chain.court = { ...court, verdicts: new Map(court.verdicts).set(verdictKey(ETHER, key), verdict) }
    duel.b.take({ kind: 'verdict', condition: ETHER, key, verdict })
    fulfil(duel.b, 1n)
    duel.cut()
    silence(duel, duel.chain.time + 2 * MARGIN)
    expect(duel.b.calls).to.deep.equal([])
    expect(endsOf(duel.b).get(paymentId)).to.deep.equal(['fulfilled'])
    duel.b.take({ kind: 'challenge' })
    duel.finish()
    expect(duel.b.state.finished).to.deep.equal({ payA: FUNDS - 100n, payB: FUNDS + 100n })
  })

  it('teach their payer the preimage as soon as anybody shows it', () => {
    const [duel, { preimage }] = locked('a')
    duel.mine([{ sender: CHANNEL.b.owner, call: { verb: 'reveal', preimages: [preimage] } }])
    const learned = duel.a.told.flatMap((event) => (event.name === 'learned' ? [event.preimage] : []))
    expect(learned).to.deep.equal([preimage])
    wait(duel, 60)
    expect(duel.a.state.locks).to.deep.equal([]) // its receiver took it: the preimage is public
  })
})

/** Its receiver has what others know already. */
function fulfilLate(one: Fighter): void {
  const [found] = towards(one)
  one.take({ kind: 'fulfil', lockId: found!.id, preimage: secretOf(found!.paymentId), isPublic: true })
}
