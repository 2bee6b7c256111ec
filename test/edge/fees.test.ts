import { expect } from 'chai'
import fc from 'fast-check'
import {
  capAt,
  GAS_POLICY,
  type GasPolicy,
  type Market,
  offered,
  raised,
  replacing,
} from '../../src/edge/chain/Fees.ts'
import { meaning } from '../../src/edge/chain/Pool.ts'
import { runs } from '../fuzz.ts'

const price = fc.bigInt(0n, 10n ** 13n)
const market: fc.Arbitrary<Market> = fc.record({ base: price, next: price, tip: price })
const policy: fc.Arbitrary<GasPolicy> = fc.record({
  maxFeePerGas: price,
  urgentFeePerGas: price,
  rush: fc.nat(100_000),
  tip: fc.bigInt(1n, 10n ** 10n),
  bumpAfterBlocks: fc.nat(10),
})
const time = fc.integer({ min: 1_800_000_000, max: 1_800_200_000 })

describe('edge/chain fees', () => {
  it('cap what can wait evenly, and what is urgent never less than later', () => {
    fc.assert(
      fc.property(policy, time, time, time, (of, deadline, one, other) => {
        const [early, late] = [Math.min(one, other), Math.max(one, other)]
        const caps = [early, late].map((now) => capAt(of, deadline, now))
        expect(capAt(of, undefined, early)).to.equal(of.maxFeePerGas)
        expect(caps[0]! <= caps[1]!).to.equal(true)
        const most = of.urgentFeePerGas > of.maxFeePerGas ? of.urgentFeePerGas : of.maxFeePerGas
        expect(caps.every((cap) => cap >= of.maxFeePerGas && cap <= most)).to.equal(true)
        expect(capAt(of, deadline, deadline - Math.floor(of.rush / 4))).to.equal(most)
      }),
      runs(300),
    )
  })

  it('offer what the next block takes, within the cap, or wait', () => {
    fc.assert(
      fc.property(market, policy, price, (at, of, cap) => {
        const fees = offered(at, of, cap)
        expect(fees === undefined).to.equal(cap < at.next)
        if (!fees) return
        expect(fees.maxFeePerGas >= at.next && fees.maxFeePerGas <= cap).to.equal(true)
        expect(fees.maxPriorityFeePerGas <= fees.maxFeePerGas).to.equal(true)
      }),
      runs(300),
    )
  })

  it('replace by an eighth more in both, within the cap, by what the next block takes, and not before its time', () => {
    fc.assert(
      fc.property(market, market, policy, price, fc.nat(20), (then, at, of, cap, waited) => {
        const old = offered(then, of, 2n * (then.next + of.tip))!
        const fees = raised(old, waited, at, of, cap)
        if (!fees) return
        expect(fees.maxFeePerGas >= replacing(old.maxFeePerGas)).to.equal(true)
        expect(fees.maxPriorityFeePerGas >= replacing(old.maxPriorityFeePerGas)).to.equal(true)
        expect(8n * replacing(old.maxFeePerGas) >= 9n * old.maxFeePerGas).to.equal(true)
        expect(fees.maxFeePerGas <= cap && fees.maxFeePerGas >= at.next).to.equal(true)
        expect(fees.maxPriorityFeePerGas <= fees.maxFeePerGas).to.equal(true)
        expect(waited >= of.bumpAfterBlocks || old.maxFeePerGas < at.next).to.equal(true)
      }),
      runs(300),
    )
  })

  it('always replace at once what the base fee has priced out, if an eighth more is within the cap', () => {
    fc.assert(
      fc.property(market, fc.bigInt(2n, 50n), (then, times) => {
        const at = { ...then, base: (then.base + 1n) * times, next: (then.next + 1n) * times }
        const old = offered(then, GAS_POLICY, 2n * (then.next + GAS_POLICY.tip))!
        if (old.maxFeePerGas >= at.next) return
        const fees = raised(old, 0, at, GAS_POLICY, 100n * at.next + 10n ** 14n)
        expect(fees !== undefined && fees.maxFeePerGas >= at.next).to.equal(true)
      }),
      runs(300),
    )
  })
})

describe('edge/chain pools', () => {
  const said = (message: string, code = -32000) => meaning({ error: { code, message } })

  it('mean by their words what each client means', () => {
    for (const [message, need] of [
      ['already known', 'known'],
      ['AlreadyKnown', 'known'],
      ['Known transaction: 0x12', 'known'],
      ['nonce too low: next nonce 7, tx nonce 6', 'used'],
      ['Transaction nonce too low. Expected nonce to be at least 1 but got 0.', 'used'],
      ['OldNonce, Current nonce: 7, nonce of rejected tx: 6', 'used'],
      ['replacement transaction underpriced', 'underpriced'],
      ['ReplacementNotAllowed', 'underpriced'],
      ['transaction underpriced: gas tip cap 0, minimum needed 1', 'cheap'],
      ['max fee per gas less than block base fee', 'cheap'],
      ['Transaction maxFeePerGas (3) is too low for the next block, which has a baseFeePerGas of 5', 'cheap'],
      ['insufficient funds for gas * price + value', 'poor'],
      [
        "Sender doesn't have enough funds to send tx. The max upfront cost is: 2 and the sender's balance is: 1.",
        'poor',
      ],
      ['intrinsic gas too low', 'refused'],
      ['tx fee (1.20 ether) exceeds the configured cap (1.00 ether)', 'refused'],
      ['txpool is full', 'silent'],
      ['internal error', 'silent'],
    ] as const) {
      expect(said(message), message).to.equal(need)
    }
    expect(meaning(new Error('socket hang up'))).to.equal('silent')
    expect(meaning({ code: 'NONCE_EXPIRED', message: 'nonce has already been used' })).to.equal('used')
    expect(meaning({ info: { error: { code: 3, message: 'execution reverted', data: '0x12345678' } } })).to.equal(
      'reverts',
    )
  })
})
