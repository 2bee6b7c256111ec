import { expect } from 'chai'
import fc from 'fast-check'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import { entries } from '../../src/core/base/HashMap.ts'
import { type Ledger, spend } from '../../src/core/plasma/Ledger.ts'
import { runs } from '../fuzz.ts'
import { deposited, fresh, outcome, output, owner, payment } from './ledgerStage.ts'

const DEED: Hex = `0x${'de'.repeat(20)}`
const COIN: Hex = `0x${'c1'.repeat(20)}`

function token(asset: Hex, value: bigint, salt: number) {
  return { ...deposited(0, value, salt), asset, id: uint(0xabc000 + salt, 32) }
}

describe('Ledger of tokens', () => {
  const [five, nought, coins, ether] = [token(DEED, 5n, 1), token(DEED, 0n, 2), token(COIN, 5n, 3), deposited(0, 9n)]
  const kinds = [
    { name: 'KindFixed', asset: DEED, unique: true },
    { name: 'KindFixed', asset: COIN, unique: false },
  ] as const
  const base = fresh(...kinds, five, nought, coins, ether)
  const code = (ledger: Ledger, inputs: readonly Hex[], ...outputs: readonly ReturnType<typeof output>[]) =>
    outcome(() => spend(ledger, payment(0, { inputs, outputs })))

  for (const [name, need, inputs, outputs] of [
    ['an id to another', 'accepted', [five.id], [output(1, 5n, DEED)]],
    ['the id zero', 'accepted', [nought.id], [output(1, 0n, DEED)]],
    [
      'two ids and ether at once',
      'accepted',
      [five.id, nought.id, ether.id],
      [output(1, 0n, DEED), output(2, 5n, DEED), output(0, 8n)],
    ],
    ['an id in two parts', 'Unbalanced', [five.id], [output(1, 2n, DEED), output(1, 3n, DEED)]],
    ['another id', 'Unbalanced', [five.id], [output(1, 4n, DEED)]],
    ['an id to two people', 'Unbalanced', [five.id], [output(1, 5n, DEED), output(2, 5n, DEED)]],
    ['an id as a fee', 'Unbalanced', [five.id, ether.id], [output(1, 9n)]],
    ['two ids for their sum', 'Unbalanced', [five.id, nought.id], [output(1, 5n, DEED)]],
    [
      'an id beside an amount that is equal',
      'accepted',
      [five.id, coins.id],
      [output(1, 5n, DEED), output(1, 2n, COIN)],
    ],
    ['an amount of nothing', 'ZeroValue', [coins.id], [output(1, 5n, COIN), output(1, 0n, COIN)]],
  ] as const) {
    it(`${name}: ${need}`, () => {
      expect(code(base, inputs, ...outputs)).to.equal(need)
    })
  }

  it('lets no operator take an id as a fee', () => {
    const fee = payment(0, { outputs: [output(0, 0n, DEED)], lastBlock: 1 }, '0x')
    expect(outcome(() => spend(base, fee))).to.equal('NotFungible')
  })

  it('stops, and does not guess, where nobody told what a token is', () => {
    expect(() => fresh(five)).to.throw(`nobody told what kind of token ${DEED} is`)
  })

  it('moves every id to one owner and makes none, whatever is tried', () => {
    const id = fc.nat(4).map(BigInt)
    fc.assert(
      fc.property(
        fc.uniqueArray(id, { maxLength: 4, minLength: 1 }),
        fc.array(id, { minLength: 1, maxLength: 4 }),
        (have, want) => {
          const deeds = have.map((value, salt) => token(DEED, value, salt))
          const ledger = fresh(kinds[0], ...deeds)
          const same = [...have].sort().join() === [...want].sort().join()
          const inputs = deeds.map((one) => one.id)
          const outputs = want.map((value) => output(1, value, DEED))
          expect(code(ledger, inputs, ...outputs)).to.equal(same ? 'accepted' : 'Unbalanced')
          if (!same) return
          const after = spend(ledger, payment(0, { inputs, outputs }))
          const ids = [...entries(after.coins)].map(([, coin]) => [coin.output.owner, coin.output.value])
          expect(ids).to.have.deep.members(have.map((value) => [owner(1), value]))
        },
      ),
      runs(40),
    )
  })
})
