import { expect } from 'chai'
import fc from 'fast-check'
import { lotOf } from '../../src/core/channel/Lot.ts'
import type { Message } from '../../src/core/channel/Message.ts'
import type { Pay } from '../../src/core/channel/Payment.ts'
import { asMessage, toWire } from '../../src/core/channel/Wire.ts'
import { runs } from '../fuzz.ts'
import { checkPayments } from './acts.ts'
import { Duel } from './duel.ts'
import { lock, MARGIN } from './holds.ts'
import { hear, pay, proposal, types } from './words.ts'

// In a duel A is the writer.
const FUNDS = 100_000n
/** Fewer payments are not said ahead. */
const LEAST = 64

function payMany(duel: Duel, count: number): void {
  for (let i = 0; i < count; i++) expect(duel.pay('a', BigInt(1 + (i % 7))).refused).to.equal(undefined)
}

function lots(said: readonly Message[]): readonly Extract<Message, { type: 'ahead' }>[] {
  return said.filter((message) => message.type === 'ahead')
}

function newestOffer(duel: Duel): Extract<Message, { type: 'propose' }> {
  return duel.said.a.findLast((message) => message.type === 'propose')!
}

describe('Peer: payments said ahead of their version', () => {
  it('are only counted by their proposal, and paid once, in order', () => {
    const duel = Duel.opened(FUNDS)
    payMany(duel, 1 + 3 * LEAST + 5)
    expect(lots(duel.said.a).map(({ lot }) => lot.pays.length)).to.deep.equal([LEAST, LEAST, LEAST])
    duel.settleDown()
    const { items } = newestOffer(duel)
    expect(items.map((item) => (item.kind === 'lot' ? item.lot.pays.length : item))).to.deep.equal([
      { kind: 'ahead', count: 3 },
      5,
    ])
    const told = (['a', 'b'] as const).map((side) =>
      duel.side(side).told.flatMap((one) => ('pay' in one ? [one.pay] : [])),
    )
    expect(told[0]).to.deep.equal(told[1])
    expect(told[0]!.length).to.equal(1 + 3 * LEAST + 5)
    expect(duel.a.state.link.ahead.length + duel.b.state.link.ahead.length).to.equal(0)
    checkPayments(duel)
  })

  it('are the same after a wire, and nothing else is taken for them', () => {
    const message = { type: 'ahead', lot: lotOf([pay(1n), pay(2n)]) } as const
    const wire = toWire(message) as { readonly payments: Uint8Array }
    expect(asMessage(wire)).to.deep.equal(message)
    for (const bad of [{ ...wire, junk: 1 }, { ...wire, payments: wire.payments.slice(1) }, { type: 'ahead' }]) {
      expect(asMessage(bad)).to.equal(undefined)
    }
    expect(asMessage({ ...wire, payments: new Uint8Array() })).to.equal(undefined)
  })

  it('bind nobody: after a cut the proposal is repeated in full, and they come with a version of their own', () => {
    const duel = Duel.opened(FUNDS)
    payMany(duel, 1 + LEAST)
    duel.settleDown()
    payMany(duel, 1 + 2 * LEAST)
    duel.deliver('a')
    duel.deliver('b')
    expect(duel.a.state.proposal?.items.map(({ kind }) => kind)).to.include('lot')
    duel.cut()
    expect(duel.b.state.link.ahead).to.deep.equal([])
    duel.connect()
    duel.settleDown()
    expect(newestOffer(duel).items.some(({ kind }) => kind === 'ahead')).to.equal(false)
    expect(duel.b.told.filter(({ name }) => name === 'received').length).to.equal(2 + 3 * LEAST)
    checkPayments(duel)
  })

  it('stop at a change of a lock, which keeps its place', () => {
    const duel = Duel.opened(FUNDS)
    payMany(duel, 1)
    payMany(duel, LEAST)
    lock(duel, 'a', 5n, MARGIN + 600)
    payMany(duel, 2 * LEAST)
    expect(lots(duel.said.a).length).to.equal(1)
    duel.settleDown()
    expect(duel.b.told.filter(({ name }) => name === 'received').length).to.equal(1 + 3 * LEAST)
    expect(duel.b.state.locks.length).to.equal(1)
    checkPayments(duel)
  })

  it('that were never said end the connection, not the channel', () => {
    const duel = Duel.opened(FUNDS)
    const offer = proposal(duel.b, [{ kind: 'lot', lot: lotOf([pay(1n)]) }]) as Extract<Message, { type: 'propose' }>
    hear(duel.b, { ...offer, items: [{ kind: 'ahead', count: 1 }] })
    expect(duel.up).to.equal(false)
    expect(duel.b.state.end.disputed).to.equal(null)
    expect(types(duel.said.b)).to.not.include('ack')
  })

  it('are kept within bounds: whoever says more is hung up on', () => {
    const duel = Duel.opened(FUNDS)
    const many: readonly Pay[] = Array.from({ length: 1000 }, (_, i) => ({
      ...pay(1n, i),
      memo: `0x${'00'.repeat(1024)}`,
    }))
    const message = { type: 'ahead', lot: lotOf(many) } as const
    hear(duel.b, message)
    expect(duel.up).to.equal(false)
    const small = { type: 'ahead', lot: lotOf([pay(1n)]) } as const
    duel.connect()
    duel.settleDown()
    for (let i = 0; i < 256; i++) hear(duel.b, small)
    expect(duel.up).to.equal(true)
    hear(duel.b, small)
    expect(duel.up).to.equal(false)
    hear(duel.a, small)
    expect(duel.a.state.link.ahead).to.deep.equal([])
  })

  it('end as other payments do, whatever is lost and whoever dies', () => {
    const move = fc.record({
      kind: fc.constantFrom('pay', 'pay', 'theirs', 'talk', 'talk', 'cut', 'crash'),
      count: fc.integer({ min: 1, max: 3 * LEAST }),
    })
    fc.assert(
      fc.property(fc.array(move, { maxLength: 25 }), (moves) => {
        const duel = Duel.opened(FUNDS)
        for (const { kind, count } of moves) {
          if (kind === 'pay') payMany(duel, count)
          else if (kind === 'theirs') duel.pay('b', 1n)
          else if (kind === 'cut') duel.cut()
          else if (kind === 'crash') duel.side(count % 2 === 0 ? 'a' : 'b').revive()
          else if (!duel.up) duel.connect()
          else for (let i = 0; i < count % 12; i++) duel.deliver(i % 2 === 0 ? 'a' : 'b')
        }
        duel.connect()
        duel.settleDown()
        checkPayments(duel)
        expect(duel.a.state.pending.length + duel.b.state.pending.length).to.equal(0)
        expect([duel.a.state.complete.net, duel.a.disputes]).to.deep.equal([duel.b.state.complete.net, []])
      }),
      runs(40),
    )
  })
})
