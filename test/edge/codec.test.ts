import { expect } from 'chai'
import fc from 'fast-check'
import type { Plain } from '../../src/core/base/Step.ts'
import { decode, encode, encodeFrame, MAX_DEPTH } from '../../src/edge/Codec.ts'
import type { Fault } from '../../src/edge/Fault.ts'
import { runs } from '../fuzz.ts'
import { faultOf, leaf, plain } from './plain.ts'

function nested(depth: number): Plain {
  let value: Plain = 1n
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

describe('edge/Codec', () => {
  it('gives back exactly what it was given', () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(decode(encode(value))).to.deep.equal(value)
      }),
      runs(2000),
    )
  })

  it('gives back what it was given in a frame, bytes as they are, and takes nothing else for one', () => {
    fc.assert(
      fc.property(plain, fc.uint8Array({ maxLength: 3000 }), (value, bytes) => {
        const frame = encodeFrame({ value, bytes })
        expect(decode(frame)).to.deep.equal({ value, bytes })
        expect(frame.length).to.be.lessThan(Buffer.byteLength(encode(value)) + bytes.length + 40)
        for (const bad of [Buffer.concat([frame as Uint8Array, Uint8Array.of(1)]), frame.slice(0, -1)]) {
          if (bad.length > frame.length || bytes.length > 0)
            expect(faultOf(() => decode(bad)).code).to.equal('Malformed')
        }
      }),
      runs(300),
    )
    for (const text of ['"#@1"\0', '"#@01"\0a', '"#@-1"\0', '"#@1"\0ab', '"x"', '\xff\0']) {
      expect(faultOf(() => decode(Buffer.from(text, 'latin1'))).code, text).to.equal('Malformed')
    }
    expect(faultOf(() => decode('"#@1"')).code).to.equal('Malformed')
  })

  it('never writes two values as one text', () => {
    fc.assert(
      fc.property(leaf, leaf, (a, b) => {
        expect(encode(a) === encode(b)).to.equal(Object.is(a, b))
      }),
      runs(1000),
    )
  })

  it('keeps the sign of zero, a text that looks like a number, and a field named __proto__', () => {
    expect(Object.is(decode(encode(-0)), -0)).to.equal(true)
    expect(decode(encode('#ff'))).to.equal('#ff')
    const odd = JSON.parse('{"__proto__":"#7"}')
    const back = decode(encode({ a: 1 }).replace('"a":1', '"__proto__":"#7"')) as Record<string, unknown>
    expect(Object.getPrototypeOf(back)).to.equal(Object.getPrototypeOf(odd))
    expect(Object.getOwnPropertyDescriptor(back, '__proto__')?.value).to.equal(7n)
  })

  it('writes many bytes as base64, of which there is one form, and takes no text for them', () => {
    const bytes = fc
      .uint8Array({ minLength: 250, maxLength: 600 })
      .map((raw) => `0x${Buffer.from(raw).toString('hex')}`)
    fc.assert(
      fc.property(bytes, (hex) => {
        const text = encode(hex)
        expect(decode(text)).to.equal(hex)
        expect(text.length).to.be.lessThan(hex.length < 512 ? hex.length + 3 : 0.7 * hex.length)
      }),
      runs(300),
    )
    for (const text of ['~', '~AAAA', `0X${'ab'.repeat(300)}`, `0x${'AB'.repeat(300)}`, `0x${'a'.repeat(601)}`]) {
      expect(decode(encode(text))).to.equal(text)
    }
    expect(decode('"~AAAA"')).to.equal('0x000000')
    for (const odd of ['"~AAA"', '"~AA=="', '"~AA A"', '"~AAB="', '"~!"']) {
      if (odd === '"~AA=="') expect(decode(odd)).to.equal('0x00')
      else expect(faultOf(() => decode(odd)).code, odd).to.equal('Malformed')
    }
  })

  it('answers any text with plain data or Malformed, nothing else', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      plain.map(encode).map((s) => s.slice(0, -1)),
      fc.constant('"#zz"'),
    )
    fc.assert(
      fc.property(texts, (input) => {
        try {
          decode(input)
        } catch (why) {
          expect((why as Fault).code).to.equal('Malformed')
        }
      }),
      runs(1000),
    )
  })

  for (const value of [NaN, Infinity, undefined, () => 1, Symbol('x')]) {
    it(`refuses ${String(value)}, which is not plain`, () => {
      expect(faultOf(() => encode({ value } as unknown as Plain)).code).to.equal('Malformed')
    })
  }

  it('takes the deepest allowed nesting and refuses one more, both ways', () => {
    expect(decode(encode(nested(MAX_DEPTH)))).to.deep.equal(nested(MAX_DEPTH))
    expect(faultOf(() => encode(nested(MAX_DEPTH + 1))).code).to.equal('Malformed')
    expect(faultOf(() => decode('['.repeat(500_000) + ']'.repeat(500_000))).code).to.equal('Malformed')
  })
})
