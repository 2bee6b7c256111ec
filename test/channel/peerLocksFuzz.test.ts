import { expect } from 'chai'
import fc from 'fast-check'
import { runs } from '../fuzz.ts'
import { checkPayments, ending, plain, play } from './acts.ts'
import { Duel } from './duel.ts'
import { type Begun, checkLocks, gainedByLocks, type Hold, holds, playHold, wait } from './holds.ts'

const FUNDS = 100n
const moves = fc.oneof({ weight: 3, arbitrary: plain }, { weight: 3, arbitrary: holds })
const ends = fc.oneof({ weight: 9, arbitrary: moves }, { weight: 1, arbitrary: ending })

type Move = Parameters<typeof play>[1] | Hold

function perform(duel: Duel, move: Move, begun: Begun[]): void {
  if (['lock', 'fulfil', 'fail', 'wait', 'talk', 'lag'].includes(move.kind)) playHold(duel, move as Hold, begun)
  else play(duel, move as Parameters<typeof play>[1])
}

function finish(duel: Duel): void {
  for (let i = 0; i < 60; i++) {
    if (!duel.up) duel.connect()
    duel.settleDown()
    wait(duel, 600)
    if (duel.a.state.finished && duel.b.state.finished) return
  }
  throw new Error('the channel does not end')
}

describe('Two honest peers with locks, whatever wires, crashes, reorgs and clocks do', () => {
  it('are never forced apart, agree in the end, and end every lock once', () => {
    fc.assert(
      fc.property(fc.array(moves, { minLength: 10, maxLength: 100 }), (acts) => {
        const duel = Duel.opened(FUNDS)
        const begun: Begun[] = []
        for (const act of acts) perform(duel, act, begun)
        duel.connect()
        duel.settleDown()
        wait(duel, 6000)
        if (!duel.up) duel.connect()
        duel.settleDown()
        expect(duel.a.state.end.disputed).to.equal(null)
        expect(duel.b.state.end.disputed).to.equal(null)
        expect(duel.a.state.hash).to.equal(duel.b.state.hash)
        expect(duel.a.state.locks).to.deep.equal([])
        expect(duel.a.state.preimages.size + duel.b.state.preimages.size).to.equal(0)
        checkPayments(duel)
        checkLocks(duel, begun)
        expect(duel.a.state.complete.net).to.equal(-duel.a.gained() - gainedByLocks(duel, begun, 'a'))
      }),
      runs(300),
    )
  })

  it('are both paid exactly what their books say, however the channel ends', () => {
    fc.assert(
      fc.property(
        fc.array(moves, { minLength: 5, maxLength: 50 }),
        ending,
        fc.array(ends, { maxLength: 20 }),
        (before, end, after) => {
          const duel = Duel.opened(FUNDS)
          const begun: Begun[] = []
          for (const act of [...before, end, ...after]) perform(duel, act, begun)
          finish(duel)
          checkPayments(duel)
          checkLocks(duel, begun)
          const { payA, payB } = duel.a.state.finished!
          const { deposits } = duel.a.state.watch.final
          expect(payA).to.equal(deposits.a + duel.a.gained() + gainedByLocks(duel, begun, 'a'))
          expect(payB).to.equal(deposits.b + duel.b.gained() + gainedByLocks(duel, begun, 'b'))
        },
      ),
      runs(300),
    )
  })
})
