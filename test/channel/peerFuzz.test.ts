import { expect } from 'chai'
import fc from 'fast-check'
import { runs } from '../fuzz.ts'
import { checkPayments, ending, plain, play } from './acts.ts'
import { Duel } from './duel.ts'
import { resists } from './hunts.ts'

const FUNDS = 100n
describe('Two honest peers, whatever wires, crashes and reorgs do', () => {
  it('agree in the end, end every payment once and sign nothing twice', () => {
    fc.assert(
      fc.property(fc.array(plain, { minLength: 10, maxLength: 90 }), (acts) => {
        const duel = Duel.opened(FUNDS)
        for (const act of acts) play(duel, act)
        duel.connect()
        duel.settleDown()
        expect(duel.a.state.end.disputed).to.equal(null)
        expect(duel.b.state.end.disputed).to.equal(null)
        expect(duel.a.state.hash).to.equal(duel.b.state.hash)
        checkPayments(duel)
        expect(duel.a.state.complete.net).to.equal(-duel.a.gained())
      }),
      runs(600),
    )
  })

  it('are both paid exactly what their books say, however the channel ends', () => {
    fc.assert(
      fc.property(
        fc.array(plain, { minLength: 5, maxLength: 50 }),
        ending,
        fc.array(fc.oneof({ weight: 9, arbitrary: plain }, { weight: 1, arbitrary: ending }), { maxLength: 20 }),
        (before, end, after) => {
          const duel = Duel.opened(FUNDS)
          for (const act of [...before, end, ...after]) play(duel, act)
          duel.finish()
          checkPayments(duel)
          const { payA, payB } = duel.a.state.finished!
          const { deposits } = duel.a.state.watch.final
          expect(payA).to.equal(deposits.a + duel.a.gained())
          expect(payB).to.equal(deposits.b + duel.b.gained())
        },
      ),
      runs(600),
    )
  })
})

describe('An honest peer against one that forges, forgets, is silent and publishes whatever was ever signed', () => {
  for (const honest of ['a', 'b'] as const) {
    const who = honest === 'a' ? 'writer' : 'other side'
    it(`is never paid less than its books say (${who})`, () => {
      fc.assert(resists('payments', honest), runs(500))
    })

    it(`nor less than its preimages are worth, whatever is done to locks (${who})`, () => {
      fc.assert(resists('locks', honest), runs(250))
    })
  }
})
