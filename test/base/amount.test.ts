import { expect } from 'chai'
import fc from 'fast-check'
import { formatAmount, parseAmount } from '../../src/core/base/Amount.ts'
import { runs } from '../fuzz.ts'

const decimals = fc.integer({ min: 0, max: 30 })

describe('core/base/Amount', () => {
  it('gives every amount back that it has written', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 200n), decimals, (amount, places) => {
        expect(parseAmount(formatAmount(amount, places), places)).to.equal(amount)
      }),
      runs(300),
    )
  })

  it('means the number that stands there: digits and decimals, whatever zeros follow', () => {
    const whole = fc.bigInt(0n, 10n ** 30n)
    const fraction = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(whole, fraction, fc.integer({ min: 0, max: 5 }), (left, right, zeros) => {
        const amount = parseAmount(`${left}.${right}${'0'.repeat(zeros)}`, right.length)
        expect(amount).to.equal(left * 10n ** BigInt(right.length) + BigInt(right))
      }),
      runs(300),
    )
  })

  it('refuses a decimal more than the asset has, and never rounds', () => {
    fc.assert(
      fc.property(decimals, fc.integer({ min: 1, max: 9 }), (places, last) => {
        const text = `1.${'0'.repeat(places)}${last}`
        expect(() => parseAmount(text, places)).to.throw(RangeError, `has ${places + 1} decimals`)
      }),
      runs(100),
    )
    expect(() => parseAmount('0.5', 0)).to.throw('nothing smaller than 1')
  })

  it('takes digits and one point, and nothing else', () => {
    for (const text of [
      '',
      '.',
      '.5',
      '5.',
      '1,5',
      '1e3',
      '0x10',
      '-1',
      '+1',
      '1 000',
      '١',
      '01',
      '1.2.3',
      'NaN',
      ' 1',
      '9'.repeat(79),
    ])
      expect(() => parseAmount(text, 18), text).to.throw(RangeError, /is no amount/)
  })

  it('writes the shortest text', () => {
    expect(
      [0n, 1n, 10n ** 17n, 10n ** 18n, 12_500_000_000_000_000_000n, -5n].map((one) => formatAmount(one, 18)),
    ).to.deep.equal(['0', '0.000000000000000001', '0.1', '1', '12.5', '-0.000000000000000005'])
  })
})
