import { expect } from 'chai'
import fc from 'fast-check'
import type { Hex } from '../../src/core/base/Bytes.ts'
import type { Side } from '../../src/core/channel/Channel.ts'
import type { PeerEvent } from '../../src/core/channel/PeerState.ts'
import type { CrashPoint, Duel } from './duel.ts'

/** Either side. */
export const side = fc.constantFrom<Side>('a', 'b')
/** Where a side dies, now and then. */
export const crash = fc.oneof(
  { weight: 8, arbitrary: fc.constant<CrashPoint | undefined>(undefined) },
  { weight: 1, arbitrary: fc.constantFrom<CrashPoint | undefined>('computed', 'stored', 0, 1, 2) },
)

/** Something that befalls two honest peers. */
export type Act =
  | { readonly kind: 'pay'; readonly side: Side; readonly amount: number; readonly crash: CrashPoint | undefined }
  | { readonly kind: 'deliver'; readonly side: Side; readonly again: boolean; readonly crash: CrashPoint | undefined }
  | { readonly kind: 'connect' | 'cut' | 'mine' | 'reorg' | 'settleDown' }
  | { readonly kind: 'revive' | 'deposit' | 'close' | 'challenge' | 'gap'; readonly side: Side }

/** Payments, crashes, messages, reorgs, in any order. */
export const plain = fc.oneof(
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
/** What ends the channel. */
export const ending = fc.record({ kind: fc.constantFrom('close' as const, 'challenge' as const), side })

/** Lets an act happen. */
export function play(duel: Duel, act: Act): void {
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
export function checkPayments(duel: Duel): void {
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
