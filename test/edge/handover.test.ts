import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import { Fault } from '../../src/edge/Fault.ts'
import { handOver, takeOver } from '../../src/edge/Handover.ts'
import { arbitrary, runs } from '../fuzz.ts'

const { address, word } = arbitrary
const uint40 = fc.integer({ min: 0, max: 2 ** 40 - 1 })
const value = fc.bigInt(0n, 2n ** 256n - 1n)
const terms = fc.record({ hash: word, expiry: uint40, refund: address })
const leg = fc.record({ chain: word, asset: address, value, from: address, to: address })
const agreement = fc.record({ hash: word, expiry: uint40, first: leg, second: leg })
const output = fc.record({ owner: address, asset: address, value, lock: word })
const transaction = fc.record({
  chain: word,
  inputs: fc.array(word, { maxLength: 4 }),
  outputs: fc.array(output, { minLength: 1, maxLength: 4 }),
  lastBlock: uint40,
  memo: word,
})
const signature = fc.tuple(word, word).map(([r, vs]): Hex => `0x${r.slice(2)}${vs.slice(2)}`)
const half = fc.record({ transaction, terms, half: signature })

function refusal(run: () => unknown): string {
  try {
    run()
    return 'taken'
  } catch (why) {
    if (why instanceof Fault) return why.message
    throw why
  }
}

describe('edge/Handover', () => {
  it('gives back every lock, swap and half exactly as it was', () => {
    fc.assert(
      fc.property(terms, agreement, half, (lock, swap, one) => {
        expect(takeOver('lock', handOver('lock', lock))).to.deep.equal(lock)
        expect(takeOver('swap', handOver('swap', swap))).to.deep.equal(swap)
        expect(takeOver('half', handOver('half', one))).to.deep.equal(one)
      }),
      runs(50),
    )
  })

  it('takes nothing else, and says what is wrong with it', () => {
    const good = { hash: `0x${'11'.repeat(32)}` as const, expiry: 5, refund: ETHER }
    const text = handOver('lock', good)
    expect(refusal(() => takeOver('swap', text))).to.match(/no swap that was handed over: kerros/)
    expect(refusal(() => takeOver('lock', text.replace('"expiry": 5', '"expiry": -5')))).to.match(/lock.expiry/)
    expect(refusal(() => takeOver('lock', text.replace('"expiry"', '"more": 1, "expiry"')))).to.match(/no lock/)
    expect(refusal(() => takeOver('lock', '{'))).to.match(/no lock/)
    expect(refusal(() => takeOver('lock', text))).to.equal('taken')
  })
})
