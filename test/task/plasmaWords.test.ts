import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import type { Held } from '../../src/core/plasma/Held.ts'
import { OFF_CHAIN_CODES } from '../../src/core/plasma/Refusals.ts'
import type { Call } from '../../src/task/cli/Command.ts'
import { memoOf, memoText } from '../../src/task/cli/plasma/Ask.ts'
import { costOf, dustIn, type ExitGroup } from '../../src/task/cli/plasma/ExitAll.ts'
import { readTerms, writeTerms } from '../../src/task/cli/plasma/Locking.ts'
import { sentence } from '../../src/task/cli/plasma/Refused.ts'
import { Misuse } from '../../src/task/cli/Trouble.ts'
import { runs } from '../fuzz.ts'

const OWNER: Hex = `0x${'12'.repeat(20)}`

function held(n: number, value: bigint, asset: Hex = ETHER): Held {
  const output = { owner: OWNER, asset, value, lock: ZERO }
  const deposit = { chain: ZERO, sender: OWNER, salt: ZERO, owner: OWNER, asset, value }
  return { id: uint(n, 32), output, use: 'free', proof: { kind: 'deposit', deposit } }
}

function group(members: readonly Held[], asset: Hex = ETHER): ExitGroup {
  const outputs = members.map(({ id }) => id)
  const amount = members.reduce((sum, { output }) => sum + output.value, 0n)
  return { asset, amount, outputs, gas: 100n, payGas: 50n, feePerGas: 2n, bond: 7n }
}

function call(memo: string): Call {
  const nobody = () => undefined
  return { args: {}, options: { memo }, env: {}, say: nobody, note: nobody, answer: nobody }
}

describe('what the commands of Plasma reckon, read and write', () => {
  it('calls dust what is worth less than its share of the gas, and never a token', () => {
    const [crumb, even, coin] = [held(1, 99n), held(2, 100n), held(3, 10_000n)]
    const some = group([crumb, even, coin])
    expect(costOf(some)).to.equal(300n)
    expect(dustIn([some], [crumb, even, coin])).to.deep.equal([crumb])
    expect(dustIn([group([crumb])], [crumb, even])).to.deep.equal([crumb])
    const token = held(4, 1n, OWNER)
    expect(dustIn([group([token], OWNER)], [token])).to.deep.equal([])
  })

  it('reads every memo of text that it has written, and every other as its bytes', () => {
    for (const text of ['two coffees', 'Kaksi kahvia, kiitos!', 'x'.repeat(32)])
      expect(memoText(memoOf(call(text)))).to.equal(text)
    const bytes: Hex = `0x01${'00'.repeat(30)}02`
    expect(memoText(memoOf(call(bytes)))).to.equal(bytes)
    expect(memoText(ZERO)).to.equal(undefined)
  })

  it('reads the terms of every lock that it has written, and refuses what is cut or changed', () => {
    const word = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(word, fc.integer({ min: 1, max: 2 ** 40 - 1 }), (bytes, expiry) => {
        const terms = { hash: `0x${Buffer.from(bytes).toString('hex')}` as Hex, expiry, refund: OWNER }
        expect(readTerms(writeTerms(terms))).to.deep.equal(terms)
        expect(() => readTerms(writeTerms(terms).slice(0, -6))).to.throw(Misuse)
      }),
      runs(100),
    )
    for (const text of ['', 'kerros-lock:', 'kerros-lock:e30', `kerros-lock:${'W10'}`])
      expect(() => readTerms(text)).to.throw(Misuse)
  })

  it('has a sentence for whatever a wallet refuses', () => {
    const own = [
      'ChainBad',
      'InsufficientFunds',
      'MalformedOwner',
      'NotSynced',
      'OutputInUse',
      'UnknownOutput',
      'UnknownPayment',
    ] as const
    for (const code of own) {
      expect(OFF_CHAIN_CODES).to.contain(code)
      const said = sentence(new Refusal(code, 1, 2, 3))
      expect(said, code).not.to.contain('Refused').and.not.to.contain('undefined')
      expect(said, code).to.match(/: /)
    }
    expect(sentence(new Refusal('FeeTooLow', 'The fee is too low.'))).to.equal('The fee is too low.')
    expect(sentence(new Refusal('WrongOrder', '0x01', '0x02'))).to.equal('Refused: WrongOrder(0x01, 0x02)')
  })
})
