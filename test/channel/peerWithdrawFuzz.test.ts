import { expect } from 'chai'
import fc from 'fast-check'
import type { PeerInput } from '../../src/core/channel/Peer.ts'
import { runs } from '../fuzz.ts'
import { type Act, checkPayments, ending, plain, play } from './acts.ts'
import { Adversary } from './adversary.ts'
import { type CrashPoint, Duel, type Fighter } from './duel.ts'
import { checkTakes, HOUR, playTake, type Take, Taker, takes } from './takes.ts'

const FUNDS = 100n
const move = fc.oneof({ weight: 2, arbitrary: plain }, { weight: 1, arbitrary: takes })

function playAny(duel: Duel, act: Act | Take): void {
  if (act.kind === 'take' || act.kind === 'hoard' || act.kind === 'lapse') playTake(duel, act)
  else play(duel, act)
}

/** Two honest peers, whatever befalls them, and then quiet: nobody is at odds, and everything can be spent again. */
function agree(duel: Duel, acts: readonly (Act | Take)[]): void {
  for (const act of acts) playAny(duel, act)
  duel.connect()
  duel.settleDown()
  for (let i = 0; i < 2; i++) duel.mine()
  duel.mine([], duel.chain.time + HOUR + 1)
  duel.mine()
  duel.settleDown()
  expect(duel.a.state.end.disputed).to.equal(null)
  expect(duel.b.state.end.disputed).to.equal(null)
  expect(duel.a.state.hash).to.equal(duel.b.state.hash)
  checkPayments(duel)
  checkTakes(duel)
  for (const { state } of [duel.a, duel.b])
    expect([state.reserves.mine, state.reserves.theirs]).to.deep.equal([null, null])
}

describe('Two honest peers who take money out', () => {
  it('agree in the end, whatever wires, crashes, reorgs and lagging chains do', () => {
    fc.assert(
      fc.property(fc.array(move, { minLength: 10, maxLength: 70 }), (acts) => agree(Duel.opened(FUNDS), acts)),
      runs(250),
    )
  })

  it('are both paid exactly what their books say, less what they took, however the channel ends', () => {
    fc.assert(
      fc.property(
        fc.array(move, { minLength: 5, maxLength: 40 }),
        ending,
        fc.array(fc.oneof({ weight: 9, arbitrary: move }, { weight: 1, arbitrary: ending }), { maxLength: 20 }),
        (before, end, after) => {
          const duel = Duel.opened(FUNDS)
          for (const act of [...before, end, ...after]) playAny(duel, act)
          duel.finish()
          checkPayments(duel)
          checkTakes(duel)
          const { deposits, withdrawn } = duel.a.state.watch.final
          const { payA, payB } = duel.a.state.finished!
          expect(payA + withdrawn.a).to.equal(deposits.a + duel.a.gained())
          expect(payB + withdrawn.b).to.equal(deposits.b + duel.b.gained())
        },
      ),
      runs(250),
    )
  })
})

describe('An honest peer against one that takes money out as it likes', () => {
  for (const honest of ['a', 'b'] as const) {
    it(`is never paid less than its books say (${honest === 'a' ? 'writer' : 'other side'})`, () => {
      fc.assert(
        fc.property(evils, fc.boolean(), (moves, asksToClose) =>
          resist(Duel.opened(FUNDS), honest, moves, asksToClose),
        ),
        runs(300),
      )
    })
  }

  const evil = fc.nat().map((seed) => ({ kind: 'evil' as const, seed }))
  const evils = fc.array(fc.oneof({ weight: 2, arbitrary: move }, { weight: 2, arbitrary: evil }), {
    minLength: 10,
    maxLength: 70,
  })
})

type Evil = { readonly kind: 'evil'; readonly seed: number }

function resist(duel: Duel, honest: 'a' | 'b', moves: readonly (Act | Take | Evil)[], asksToClose: boolean): void {
  const [adversary, taker] = [new Adversary(duel, honest), new Taker(duel, honest)]
  for (const one of moves) {
    if (one.kind === 'evil') (one.seed % 3 === 0 ? adversary : taker).strike(Math.floor(one.seed / 3))
    else if (!('crash' in one) || one.crash === undefined || one.side === honest) playAny(duel, one)
    adversary.learn()
  }
  adversary.end(asksToClose)
  const me = duel.side(honest)
  const { deposits, withdrawn } = me.state.watch.final
  const paid = me.state.finished![honest === 'a' ? 'payA' : 'payB'] + withdrawn[honest]
  const due = deposits[honest] + me.gained()
  expect(paid >= due, `paid ${paid}, due ${due}`).to.equal(true)
}

/** Rules of the reserve, each switched off in both sides: what a side forgets after each of its steps. */
const RULES: readonly (readonly [string, (one: Fighter) => void])[] = [
  ['the signer keeps no reserve', (one) => forget(one, { theirs: null })],
  [
    'the asker keeps no reserve',
    (one) => forget(one, { mine: one.state.reserves.mine && { ...one.state.reserves.mine, total: 0n } }),
  ],
  [
    'a reserve ends by this side’s own view alone',
    (one) => {
      const { mine, theirs, passed } = one.state.reserves
      forget(one, {
        mine: mine && passed > mine.deadline ? null : mine,
        theirs: theirs && passed > theirs.deadline ? null : theirs,
      })
    },
  ],
  ['a reserve ends by the other’s announcement alone', (one) => endByHearsay(one)],
]

function forget(one: Fighter, change: Partial<Fighter['state']['reserves']>): void {
  one.state = { ...one.state, reserves: { ...one.state.reserves, ...change } }
}

function endByHearsay(one: Fighter): void {
  const { theirs, heard } = one.state.reserves
  if (theirs && heard > theirs.deadline) forget(one, { theirs: null })
}

describe('The rules of withdrawals, switched off one by one', () => {
  const broken = (rule: (one: Fighter) => void): Duel => {
    const duel = Duel.opened(FUNDS)
    for (const one of [duel.a, duel.b]) {
      const plainly = one.take.bind(one)
      one.take = (input: PeerInput, crash?: CrashPoint) => {
        plainly(input, crash)
        rule(one)
      }
    }
    return duel
  }
  for (const [what, rule] of RULES) {
    it(`cost money or force two honest peers apart: ${what}`, () => {
      const evil = fc.nat().map((seed) => ({ kind: 'evil' as const, seed }))
      const honest = fc.check(
        fc.property(fc.array(move, { minLength: 10, maxLength: 70 }), (acts) => agree(broken(rule), acts)),
        { ...runs(250), endOnFailure: true },
      )
      const robbed = fc.check(
        fc.property(
          fc.array(fc.oneof({ weight: 2, arbitrary: move }, { weight: 2, arbitrary: evil }), {
            minLength: 10,
            maxLength: 70,
          }),
          (moves) => resist(broken(rule), 'b', moves, false),
        ),
        { ...runs(250), endOnFailure: true },
      )
      expect(honest.failed || robbed.failed, 'nothing is lost without it').to.equal(true)
    })
  }
})
