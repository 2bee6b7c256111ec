import { expect } from 'chai'
import { toHex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import type { SignedState } from '../../src/core/channel/Call.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { finalState, isChannel, type State, stateDigest } from '../../src/core/channel/Channel.ts'
import { isComplete } from '../../src/core/channel/Docket.ts'
import { lotOf, packPays } from '../../src/core/channel/Lot.ts'
import type { Message } from '../../src/core/channel/Message.ts'
import { BATCH, MEMO } from '../../src/core/channel/Payment.ts'
import { requireTerms } from '../../src/core/channel/Terms.ts'
import { asMessage, toWire } from '../../src/core/channel/Wire.ts'
import { CHANNEL, COURT, Duel, ID, KEYS } from './duel.ts'
import { final, hear, pay, types } from './words.ts'

// In a duel A is the writer.
const FUNDS = 1000n
const WRAP = 2n ** 256n

/** A state that both have signed, as it travels. */
function signed(state: State): SignedState {
  const [sigA, sigB] = KEYS.map((key) => sign(stateDigest(COURT, state), key))
  return { version: state.version, net: state.net, batch: state.batch, locks: '0x', sigA: sigA!, sigB: sigB! }
}

const GOOD = signed({ ...finalState(ID, 5n), version: 3n })

/** States that hash to what both have signed and that the court cannot be told. */
const USELESS: readonly (readonly [string, SignedState])[] = [
  ['a net beyond its width', { ...GOOD, net: GOOD.net + WRAP }],
  ['a version beyond its width', { ...GOOD, version: GOOD.version + WRAP }],
  ['a batch of no bytes', { ...GOOD, batch: '0x' }],
  ['a final version', signed(finalState(ID, 5n))],
]

describe('Peer: what a hostile peer says', () => {
  for (const [what, state] of USELESS) {
    it(`shows nobody a state with ${what}: no node and no tower takes it for its newest`, () => {
      expect(asMessage({ type: 'show', state: GOOD, owed: 0 })).to.not.equal(undefined)
      expect(asMessage({ type: 'show', state, owed: 0 })).to.equal(undefined)
      expect(isComplete(COURT, CHANNEL, GOOD)).to.equal(true)
      expect(isComplete(COURT, CHANNEL, state)).to.equal(false)
    })
  }

  it('names no terms that hash to an id and that the court cannot be told', () => {
    expect(isChannel(CHANNEL)).to.equal(true)
    const wide = [
      { ...CHANNEL, challengePeriod: 2 ** 32 + 3600 },
      { ...CHANNEL, challengePeriod: 3600.5 },
      { ...CHANNEL, asset: '0x' },
      { ...CHANNEL, a: { ...CHANNEL.a, owner: uint(2n ** 200n, 32) } },
      { ...CHANNEL, salt: '0x07' },
    ] as const
    for (const terms of wide) {
      expect(() => requireTerms(terms, 0)).to.throw('BadTerms')
      expect(isComplete(COURT, terms, GOOD)).to.equal(false)
    }
  })

  it('says nothing that is kept beyond its bounds', () => {
    const junk = 'x'.repeat(1 << 19)
    const request = { type: 'request', number: 1, changes: [pay(1n)] } as const
    const wire = toWire(request) as { readonly changes: readonly [Uint8Array] }
    expect(asMessage(wire)).to.deep.equal(request)
    expect(asMessage({ ...wire, junk })).to.equal(undefined)
    const fail = { kind: 'failLock', lockId: 1n, code: 'Unknown', data: '0x' }
    expect(asMessage({ ...wire, changes: [fail] })).to.deep.equal({ ...request, changes: [fail] })
    expect(asMessage({ ...wire, changes: [{ ...fail, junk }] })).to.equal(undefined)
    for (const kind of ['fulfilLock', 'failLock', 'toString', '__proto__']) {
      expect(asMessage({ ...wire, changes: [{ ...fail, kind: [kind] }] }), `a list of ${kind}`).to.equal(undefined)
    }
    const [whole] = wire.changes
    const nothing = whole.map((byte, at) => (at < 2 ? byte : 0))
    const long = packPays([{ ...pay(1n), memo: `0x${'00'.repeat(MEMO + 1)}` }])
    for (const cut of [
      '0x00',
      Uint8Array.of(...whole, 0),
      whole.slice(0, -1),
      nothing,
      long,
      toHex(whole),
      junk,
      7,
      null,
    ]) {
      expect(asMessage({ ...wire, changes: [cut] }), String(cut).slice(0, 200)).to.equal(undefined)
    }
    const offer = { type: 'propose', version: 1n, hash: ZERO, signature: GOOD.sigA }
    const own = { kind: 'own', change: pay(1n) } as const
    const asked = [1, 2, 3].map((number) => ({ kind: 'request', number }) as const)
    const lot = { kind: 'lot', lot: lotOf([pay(1n), pay(2n)]) } as const
    const items = [lot, ...asked, { kind: 'refusal', number: 4, code: 'No' } as const, own]
    const offered = toWire({ ...offer, items } as Message) as { readonly items: readonly unknown[] }
    expect(offered.items.length).to.equal(4)
    const alone = { kind: 'lot', lot: lotOf([own.change]) }
    expect(asMessage(offered)).to.deep.equal({ ...offer, items: [...items.slice(0, -1), alone] })
    for (const bad of [[1], [2, 1], [1, BATCH + 1], [-1, 1], [1, 2, 3], [1, 'no code'], ['1', '2'], new Uint8Array()]) {
      expect(asMessage({ ...offered, items: [bad] }), String(bad)).to.equal(undefined)
    }
  })

  it('gives no refusal the name of what waits', () => {
    const refusal = (code: string) =>
      asMessage({
        type: 'propose',
        version: 1n,
        items: [[1, code]],
        hash: ZERO,
        signature: GOOD.sigA,
      })
    expect(refusal('InsufficientFunds')).to.not.equal(undefined)
    expect(refusal('pending')).to.equal(undefined)
  })

  it('gets no final state of an older copy that has a proposal out: it could be paid by both', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('b', 100n)
    duel.deliver('b')
    expect(duel.a.state.proposal?.state.net).to.equal(-100n)
    duel.cut()
    duel.a.revive()
    duel.a.take({ kind: 'restored' })
    duel.a.take({ kind: 'close' })
    duel.connect()
    hear(duel.a, final(0n, KEYS[1]))
    expect(types(duel.said.a)).to.not.include('finalSig')
    expect(duel.a.calls.at(-1)?.verb).to.equal('challenge')
  })

  it('cannot stop a channel by a clock that a reorg takes back', () => {
    const duel = Duel.opened(FUNDS)
    duel.pay('a', 10n)
    duel.deliver('a')
    duel.mine([{ sender: CHANNEL.b.owner, call: { verb: 'challenge', channel: CHANNEL, state: NO_STATE } }])
    duel.deliver('b') // the acknowledgement comes when the clock is set
    expect(duel.a.state.proposal?.late).to.not.equal(null)
    duel.reorg(1)
    duel.a.calls.length = 0
    duel.b.calls.length = 0
    duel.mine()
    expect(duel.up).to.equal(false)
    duel.connect()
    duel.settleDown()
    expect(duel.a.state.complete.version).to.equal(1n)
    duel.pay('b', 4n)
    duel.settleDown()
    expect(duel.b.state.complete.net).to.equal(6n)
  })
})
