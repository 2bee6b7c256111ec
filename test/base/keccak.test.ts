import { expect } from 'chai'
import { keccak256, toUtf8Bytes } from 'ethers'
import fc from 'fast-check'
import { toHex } from '../../src/core/base/Bytes.ts'
import { keccakBytes, keccakEach, keccakText } from '../../src/core/base/Signature.ts'
import { runs } from '../fuzz.ts'

describe('keccak-256', () => {
  it('is that of ethers for every length up to a few blocks, and for the empty one', () => {
    for (let length = 0; length < 420; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255)
      expect(toHex(keccakBytes(bytes)), `${length} bytes`).to.equal(keccak256(bytes))
    }
  })

  it('is that of ethers for more bytes than there was room for, and what was hashed before stays as it was', () => {
    const first = keccakBytes(Uint8Array.of(1))
    const bytes = new Uint8Array(3_000_000).fill(7)
    expect(toHex(keccakBytes(bytes))).to.equal(keccak256(bytes))
    expect(toHex(first)).to.equal(keccak256(Uint8Array.of(1)))
    expect(keccakText('kerros')).to.equal(keccak256(toUtf8Bytes('kerros')))
  })

  it('of pieces one after another is that of each', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })
    fc.assert(
      fc.property(pieces, fc.nat({ max: 5 }), (parts, skip) => {
        const bytes = Uint8Array.from(parts.flatMap((part) => [...new Uint8Array(skip), ...part]))
        let at = 0
        const ends = parts.map((part) => {
          at += skip + part.length
          return at
        })
        const hashes = parts.map((part) => keccak256(part).slice(2)).join('')
        expect(toHex(keccakEach(bytes, skip, ends))).to.equal(`0x${hashes}`)
      }),
      runs(100),
    )
  })
})
