import { expect } from 'chai'
import fc from 'fast-check'
import type { Hex } from '../../src/core/base/Bytes.ts'
import { recover, sign } from '../../src/core/base/Signature.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { bounds, check, knownOf, packAll, unpackAll } from '../../src/core/plasma/Packed.ts'
import { outputId, txHash } from '../../src/core/plasma/Transaction.ts'
import { arbitrary, runs } from '../fuzz.ts'
import { DOMAIN, key, owner } from './ledgerStage.ts'

const word = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`)
const uint40 = fc.nat(2 ** 31).map((n) => n * 256)
const output = fc.record({
  owner: arbitrary.address,
  asset: arbitrary.address,
  value: fc.bigInt(0n, 2n ** 256n - 1n),
  lock: word,
})
const transaction = fc.record({
  chain: word,
  inputs: fc.array(word, { maxLength: 5 }),
  outputs: fc.array(output, { maxLength: 5 }),
  lastBlock: uint40,
  memo: word,
})
const terms = fc.option(
  fc.array(fc.record({ hash: word, expiry: uint40, refund: arbitrary.address }), { minLength: 1, maxLength: 4 }),
  { nil: undefined },
)
const authorisation = fc.constantFrom(0, 1, 64, 65, 128).map((length): Hex => `0x${'1b'.repeat(length)}`)
const signed = fc.tuple(transaction, authorisation, terms, fc.boolean()).map(([tx, bytes, shown, isSigned]): Signed => {
  const made = { transaction: tx, authorisation: isSigned ? sign(txHash(DOMAIN, tx), key(1)) : bytes }
  return shown ? { ...made, terms: shown } : made
})

describe('Packed transactions', () => {
  it('come back as they were, any number of them', () => {
    fc.assert(
      fc.property(fc.array(signed, { maxLength: 4 }), (list) => {
        const packed = packAll(list)
        expect(unpackAll(packed)).to.deep.equal(list)
        expect(bounds(packed)).to.have.length(list.length + 1)
      }),
      runs(200),
    )
  })

  it('say the hash, ids and signer that the ledger would find', () => {
    fc.assert(
      fc.property(fc.array(signed, { maxLength: 3 }), (list) => {
        const known = knownOf(list, check(DOMAIN, packAll(list)))
        list.forEach((one, i) => {
          const hash = txHash(DOMAIN, one.transaction)
          const { signer, ...rest } = known[i]!
          expect(rest).to.deep.equal({
            hash,
            ids: one.transaction.outputs.map((_, position) => outputId(hash, position)),
          })
          const length = (one.authorisation.length - 2) / 2
          const nobody = `0x${'00'.repeat(20)}`
          expect(signer).to.equal(
            length === 65 || length === 64 ? (recover(hash, one.authorisation) ?? nobody) : undefined,
          )
        })
      }),
      runs(100),
    )
  })

  it('name the signer of a short signature, too, and nobody for one with a high s', () => {
    const tx = { chain: DOMAIN.separator, inputs: [], outputs: [], lastBlock: 1, memo: DOMAIN.separator }
    const long = sign(txHash(DOMAIN, tx), key(3))
    const s = BigInt(`0x${long.slice(66, 130)}`)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const flipped: Hex = `0x${long.slice(2, 66)}${(order - s).toString(16).padStart(64, '0')}${long.endsWith('1b') ? '1c' : '1b'}`
    const short: Hex = `0x${long.slice(2, 66)}${(s | (BigInt(long.endsWith('1c') ? 1 : 0) << 255n)).toString(16).padStart(64, '0')}`
    const list = [long, short, flipped].map((authorisation): Signed => ({ transaction: tx, authorisation }))
    const signers = knownOf(list, check(DOMAIN, packAll(list))).map(({ signer }) => signer)
    expect(signers).to.deep.equal([owner(3), owner(3), `0x${'00'.repeat(20)}`])
  })

  it('are refused where they end too early, and where a number has no room', () => {
    const tx = { chain: DOMAIN.separator, inputs: [], outputs: [], lastBlock: 1, memo: DOMAIN.separator }
    const packed = packAll([{ transaction: tx, authorisation: '0x' }])
    expect(() => bounds(packed.subarray(0, packed.length - 1))).to.throw(RangeError)
    expect(() => packAll([{ transaction: { ...tx, lastBlock: 2 ** 40 }, authorisation: '0x' }])).to.throw(RangeError)
    expect(() => packAll([{ transaction: { ...tx, chain: '0xaa' }, authorisation: '0x' }])).to.throw(RangeError)
  })
})
