import { expect } from 'chai'
import fc from 'fast-check'
import type { Hex } from '../../src/core/base/Bytes.ts'
import type { Side } from '../../src/core/channel/Channel.ts'
import type { PeerEvent } from '../../src/core/channel/PeerState.ts'
import { runs } from '../fuzz.ts'
import { Adversary } from './adversary.ts'
import { type CrashPoint, Duel } from './duel.ts'

const FUNDS = 100n
const side = fc.constantFrom<Side>('a', 'b')
const crash = fc.oneof(
  { weight: 8, arbitrary: fc.constant<CrashPoint | undefined>(undefined) },
  { weight: 1, arbitrary: fc.constantFrom<CrashPoint | undefined>('computed', 'stored', 0, 1, 2) },
)

/** Something that befalls two honest peers. */
type Act =
  | { readonly kind: 'pay'; readonly side: Side; readonly amount: number; readonly crash: CrashPoint | undefined }
  | { readonly kind: 'deliver'; readonly side: Side; readonly again: boolean; readonly crash: CrashPoint | undefined }
  | { readonly kind: 'connect' | 'cut' | 'mine' | 'reorg' | 'settleDown' }
  | { readonly kind: 'revive' | 'deposit' | 'close' | 'challenge' | 'gap'; readonly side: Side }

const plain = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pay' as const), side, amount: fc.nat(40), crash }) },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('deliver' as const),
      side,
      again: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      crash,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'connect' as const,
        'cut' as const,
        'mine' as const,
        'reorg' as const,
        'settleDown' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('revive' as const, 'deposit' as const, 'gap' as const), side }),
  },
)
const ending = fc.record({ kind: fc.constantFrom('close' as const, 'challenge' as const), side })

function play(duel: Duel, act: Act): void {
  if (act.kind === 'pay') duel.pay(act.side, BigInt(act.amount), act.crash)
  else if (act.kind === 'deliver') duel.deliver(act.side, act.crash, act.again)
  else if (act.kind === 'mine') duel.mine()
  else if (act.kind === 'reorg') duel.reorg(1)
  else if (act.kind === 'revive') duel.side(act.side).revive()
  else if (act.kind === 'deposit') duel.deposit(act.side, 10n)
  else if (act.kind === 'gap') duel.wire[act.side].shift()
  else if ('side' in act) duel.side(act.side).take({ kind: act.kind as 'close' | 'challenge' })
  else duel[act.kind as 'connect' | 'cut' | 'settleDown']()
}

type Ended = Extract<PeerEvent, { readonly name: 'paid' | 'refused' }>

function nameOf(event: Ended): Hex {
  return event.name === 'paid' ? event.pay.paymentId : event.change.paymentId
}

/** Every payment has exactly one outcome, told at most once, the same on both sides. */
function checkPayments(duel: Duel): void {
  for (const one of [duel.a, duel.b]) {
    const ended = one.told.flatMap((event) => (event.name === 'paid' || event.name === 'refused' ? [event] : []))
    const ids = ended.map(nameOf)
    expect(new Set(ids).size, 'a payment ended twice').to.equal(ids.length)
    const outcomes = one.outcomes()
    for (const event of ended) {
      const kept = [...outcomes].find(([key]) => key.endsWith(nameOf(event)))?.[1]
      expect(Array.isArray(kept)).to.equal(event.name === 'paid')
    }
    expect(one.state.pending.length).to.equal(0)
    expect(one.state.pendingSum).to.equal(0n)
    expect(one.state.proposal).to.equal(null)
  }
  expect(duel.a.gained() + duel.b.gained(), 'the two books differ').to.equal(0n)
}

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
    it(`is never paid less than its books say (${honest === 'a' ? 'writer' : 'other side'})`, () => {
      const move = fc.oneof(
        { weight: 3, arbitrary: plain },
        { weight: 1, arbitrary: fc.nat().map((seed) => ({ kind: 'evil' as const, seed })) },
      )
      fc.assert(
        fc.property(fc.array(move, { minLength: 10, maxLength: 80 }), fc.boolean(), (moves, asksToClose) => {
          const duel = Duel.opened(FUNDS)
          const adversary = new Adversary(duel, honest)
          for (const one of moves) {
            if (one.kind === 'evil') adversary.strike(one.seed)
            else if (!('crash' in one) || one.crash === undefined || one.side === honest) play(duel, one)
            adversary.learn()
          }
          adversary.end(asksToClose)
          const me = duel.side(honest)
          const paid = me.state.finished![honest === 'a' ? 'payA' : 'payB']
          const due = me.state.watch.final.deposits[honest] + me.gained()
          expect(paid >= due, `paid ${paid}, due ${due}`).to.equal(true)
          expect(me.state.pending.length).to.equal(0)
          expect(me.state.proposal).to.equal(null)
        }),
        runs(500),
      )
    })
  }
})
