import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { entries, get } from '../../src/core/base/HashMap.ts'
import { compact } from '../../src/core/base/Signature.ts'
import { type Coin, close, idsOf, type Ledger, type Signed, spend } from '../../src/core/plasma/Ledger.ts'
import { outputId, txHash } from '../../src/core/plasma/Transaction.ts'
import { runs } from '../fuzz.ts'
import { CHAIN, DOMAIN, deposited, fresh, outcome, output, owner, payment, seeing } from './ledgerStage.ts'

const TOKEN: Hex = `0x${'70'.repeat(20)}`

function coinsOf(ledger: Ledger): readonly (readonly [Hex, Coin])[] {
  return [...entries(ledger.coins)]
}

function worth(ledger: Ledger): bigint {
  const fees = get(ledger.fees, ETHER) ?? 0n
  return coinsOf(ledger).reduce((sum, [, coin]) => sum + coin.output.value, fees)
}

/** One random step: whom, how many of its coins, in how many parts, to whom, what fee in parts of 16. */
const step = fc.record({
  payer: fc.nat(3),
  inputs: fc.integer({ min: 1, max: 4 }),
  parts: fc.array(fc.record({ to: fc.nat(3), share: fc.integer({ min: 1, max: 9 }) }), { minLength: 1, maxLength: 4 }),
  fee: fc.nat(3),
  closes: fc.boolean(),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** The payment that a step asks for, or undefined if its payer has nothing that may be spent. */
function paymentOf(ledger: Ledger, { payer, inputs, parts, fee }: Step, salt: number): Signed | undefined {
  const own = coinsOf(ledger).filter(([, coin]) => coin.output.owner === owner(payer) && coin.number < ledger.number)
  const chosen = own.slice(0, inputs)
  const sum = chosen.reduce((total, [, coin]) => total + coin.output.value, 0n)
  const shares = BigInt(parts.reduce((total, part) => total + part.share, fee))
  const outputs = parts.map((part) => output(part.to, (sum * BigInt(part.share)) / shares))
  if (chosen.length === 0 || outputs.some((one) => one.value === 0n)) return undefined
  return payment(payer, { inputs: chosen.map(([id]) => id), outputs, memo: uint(salt, 32) })
}

describe('Ledger', () => {
  const funded = fresh(...[0, 1, 2, 3].map((n) => deposited(n, 10n ** 18n)))

  it('creates and destroys nothing, keeps each owner its own coins, and never takes a payment twice', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
        let ledger = funded
        const taken: Signed[] = []
        for (const [salt, one] of steps.entries()) {
          const signed = paymentOf(ledger, one, salt)
          if (!signed) continue
          ledger = spend(ledger, signed)
          taken.push(signed)
          expect(worth(ledger)).to.equal(4n * 10n ** 18n)
          for (const old of taken) expect(outcome(() => spend(ledger, old))).to.equal('UnknownInput')
          if (one.closes) ledger = withoutFees(ledger)
        }
        const indexed = [0, 1, 2, 3].flatMap((n) => [...entries(idsOf(ledger, owner(n)))].map(([id]) => [id, owner(n)]))
        expect(indexed.sort()).to.deep.equal(
          coinsOf(ledger)
            .map(([id, coin]) => [id, coin.output.owner])
            .sort(),
        )
      }),
      runs(25),
    )
  })

  it('does not care who came first in a block, as long as no two want the same coin', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (order) => {
        const pay = (n: number) => payment(n, { inputs: [deposited(n, 10n ** 18n).id], outputs: [output(3 - n, 7n)] })
        const ids = (ledger: Ledger) => coinsOf(ledger).map(([id, coin]) => [id, coin.output])
        const straight = [0, 1, 2, 3].reduce((ledger, n) => spend(ledger, pay(n)), funded)
        const shuffled = order.reduce((ledger, n) => spend(ledger, pay(n)), funded)
        expect(ids(shuffled)).to.deep.equal(ids(straight))
        expect(get(shuffled.fees, ETHER)).to.equal(get(straight.fees, ETHER))
      }),
      runs(10),
    )
  })

  it('leaves the old ledger as it was', () => {
    const before = coinsOf(funded)
    spend(funded, payment(0, { inputs: [deposited(0, 10n ** 18n).id], outputs: [output(1, 1n)] }))
    expect(coinsOf(funded)).to.deep.equal(before)
  })

  const mine = deposited(0, 10n, 1)
  const more = deposited(0, 10n, 2)
  const hers = deposited(1, 10n)
  const other = { ...deposited(0, 10n, 3), asset: TOKEN, id: uint(77, 32) }
  const base = fresh(
    { name: 'KindFixed', asset: TOKEN, unique: false },
    mine,
    more,
    hers,
    other,
    deposited(0, 10n, 9, ZERO),
  )
  const paid = payment(0, { inputs: [mine.id], outputs: [output(0, 10n)] })
  const fields = { inputs: [more.id], outputs: [output(1, 10n)] }
  const out = (value: bigint) => [output(1, value)]
  const exit = { chain: CHAIN, asset: ETHER, owner: owner(0), lock: ZERO, ids: more.id, count: 1, value: 10n }
  const started = { ...exit, exitableAt: 1000, bond: 1n, starter: owner(0) }
  const frozen = seeing(base, 101, { name: 'ExitStarted', ids: more.id, lane: 0, index: 0, exit: started })
  const young = { inputs: [outputId(txHash(DOMAIN, paid.transaction), 0)], outputs: out(10n) }

  const cases: readonly (readonly [name: string, code: string, run: () => unknown])[] = [
    ['a plain payment', 'accepted', () => spend(base, payment(0, fields))],
    [
      'one with a compact signature',
      'accepted',
      () => spend(base, payment(0, fields, compact(payment(0, fields).authorisation))),
    ],
    ['one of two coins', 'accepted', () => spend(base, payment(0, { ...fields, inputs: [mine.id, more.id] }))],
    ['another chain', 'WrongChain', () => spend(base, payment(0, { ...fields, chain: ZERO }))],
    [
      'a deposit into another chain',
      'UnknownInput',
      () => spend(base, payment(0, { ...fields, inputs: [deposited(0, 10n, 9, ZERO).id] })),
    ],
    ['the last block that it is good for', 'accepted', () => spend(base, payment(0, { ...fields, lastBlock: 1 }))],
    ['one block later', 'Expired', () => spend(close(base), payment(0, { ...fields, lastBlock: 1 }))],
    [
      'five inputs',
      'TooManyInputs',
      () => spend(base, payment(0, { ...fields, inputs: [1, 2, 3, 4, 5].map((n) => uint(n, 32)) })),
    ],
    ['no outputs', 'WrongOutputCount', () => spend(base, payment(0, { ...fields, outputs: [] }))],
    [
      'five outputs',
      'WrongOutputCount',
      () => spend(base, payment(0, { ...fields, outputs: [1, 2, 3, 4, 5].map(() => output(1, 1n)) })),
    ],
    [
      'nobody as owner',
      'ZeroOwner',
      () => spend(base, payment(0, { ...fields, outputs: [{ ...output(1, 10n), owner: ETHER }] })),
    ],
    ['nothing as value', 'ZeroValue', () => spend(base, payment(0, { ...fields, outputs: out(0n) }))],
    [
      'a value that wraps',
      'ValueTooLarge',
      () =>
        spend(
          base,
          { ...payment(0, fields), transaction: { ...payment(0, fields).transaction, outputs: out(2n ** 256n) } },
          { hash: ZERO },
        ),
    ],
    [
      'two values whose sum wraps to the input',
      'Unbalanced',
      () =>
        spend(base, payment(0, { ...fields, outputs: [output(1, 2n ** 255n), output(1, 2n ** 255n), output(1, 10n)] })),
    ],
    [
      'a locked output',
      'accepted',
      () => spend(base, payment(0, { ...fields, outputs: [{ ...output(1, 10n), lock: uint(1, 32) }] })),
    ],
    ['one input twice', 'RepeatedInput', () => spend(base, payment(0, { ...fields, inputs: [more.id, more.id] }))],
    ['an input out of nowhere', 'UnknownInput', () => spend(base, payment(0, { ...fields, inputs: [uint(5, 32)] }))],
    ['an output of the same block', 'TooYoung', () => spend(spend(base, paid), payment(0, young))],
    ['the same output in the next block', 'accepted', () => spend(close(spend(base, paid)), payment(0, young))],
    ['an exiting output', 'FrozenInput', () => spend(frozen, payment(0, fields))],
    [
      'one that was paid out',
      'UnknownInput',
      () =>
        spend(
          seeing(frozen, 102, { name: 'ExitPaid', ids: more.id, lane: 0, index: 0, amount: 10n }),
          payment(0, fields),
        ),
    ],
    ['inputs of two owners', 'MixedOwners', () => spend(base, payment(0, { ...fields, inputs: [more.id, hers.id] }))],
    ['more than there is', 'Unbalanced', () => spend(base, payment(0, { ...fields, outputs: out(11n) }))],
    [
      'one asset for another',
      'Unbalanced',
      () => spend(base, payment(0, { ...fields, outputs: [output(1, 10n, TOKEN)] })),
    ],
    [
      'both assets, each conserved',
      'accepted',
      () => spend(base, payment(0, { inputs: [more.id, other.id], outputs: [output(1, 10n, TOKEN), output(1, 9n)] })),
    ],
    ["somebody else's signature", 'WrongSigner', () => spend(base, payment(1, fields))],
    ['a signature for another transaction', 'WrongSigner', () => spend(base, payment(0, fields, paid.authorisation))],
    ['a signature of no length', 'WrongSigner', () => spend(base, payment(0, fields, '0x1234'))],
    ['no signature and no approval', 'NotApproved', () => spend(base, payment(0, fields, '0x'))],
    [
      'a transaction after the fees',
      'BlockClosed',
      () => spend(spend(spend(base, payment(0, { inputs: [mine.id], outputs: out(9n) })), fee(1n)), payment(0, fields)),
    ],
    ['fees that nobody left', 'FeesExceeded', () => spend(base, fee(1n))],
    [
      'exactly the fees',
      'accepted',
      () => spend(spend(base, payment(0, { inputs: [mine.id], outputs: out(9n) })), fee(1n)),
    ],
    [
      'a wei more than the fees',
      'FeesExceeded',
      () => spend(spend(base, payment(0, { inputs: [mine.id], outputs: out(9n) })), fee(2n)),
    ],
    [
      'the same fees twice',
      'RepeatedTransaction',
      () => spend(spend(spend(base, payment(0, { inputs: [mine.id], outputs: out(8n) })), fee(1n)), fee(1n)),
    ],
    [
      'fees for a later block',
      'WrongLastBlock',
      () => spend(spend(base, payment(0, { inputs: [mine.id], outputs: out(9n) })), fee(1n, 2)),
    ],
    ['signed fees', 'UnwantedSignature', () => spend(base, payment(0, { outputs: out(1n), lastBlock: 1 }))],
  ]

  function fee(value: bigint, lastBlock = 1): Signed {
    return payment(0, { outputs: [output(2, value)], lastBlock }, '0x')
  }

  for (const [name, code, run] of cases) {
    it(`${name}: ${code}`, () => {
      expect(outcome(run)).to.equal(code)
    })
  }

  it('takes an approved transaction from the payee only, and only once it sees the approval', () => {
    const unsigned = payment(0, fields, '0x')
    const hash = txHash(DOMAIN, unsigned.transaction)
    const stranger = seeing(base, 101, { name: 'Approved', owner: owner(1), txHash: hash })
    expect(outcome(() => spend(stranger, unsigned))).to.equal('NotApproved')
    const approved = seeing(base, 101, { name: 'Approved', owner: owner(0), txHash: hash })
    expect(outcome(() => spend(approved, unsigned))).to.equal('accepted')
  })

  it('thaws an output when every exit of it has ended unpaid, and not before', () => {
    const twice = seeing(frozen, 102, { name: 'ExitStarted', ids: more.id, lane: 0, index: 1, exit: started })
    const once = seeing(twice, 103, { name: 'ExitCancelled', ids: more.id, lane: 0, index: 0 })
    expect(outcome(() => spend(once, payment(0, fields)))).to.equal('FrozenInput')
    const none = seeing(once, 104, { name: 'ExitUnpaid', ids: more.id, lane: 0, index: 1, have: 1n, need: 10n })
    expect(outcome(() => spend(none, payment(0, fields)))).to.equal('accepted')
  })

  it('sees nothing of layer 1 that is later than its asOf', () => {
    const late = deposited(0, 5n, 7)
    const at = (time: number) => seeing(base, time, late)
    const spending = payment(0, { inputs: [late.id], outputs: out(5n) })
    expect(outcome(() => spend(at(101), spending))).to.equal('accepted')
    expect(outcome(() => spend(at(100), spending))).to.equal('UnknownInput')
  })

  it('gives fees to nobody who did not take them before the block ended', () => {
    const left = spend(base, payment(0, { inputs: [mine.id], outputs: out(9n) }))
    expect(outcome(() => spend(close(left), fee(1n, 2)))).to.equal('FeesExceeded')
  })

  function withoutFees(ledger: Ledger): Ledger {
    const fees = get(ledger.fees, ETHER) ?? 0n
    if (fees === 0n) return close(ledger)
    return close(spend(ledger, payment(0, { outputs: [output(0, fees)], lastBlock: ledger.number }, '0x')))
  }
})
