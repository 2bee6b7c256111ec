import { expect } from 'chai'
import fc from 'fast-check'
import { concat, ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import * as Merkle from '../../src/core/base/Merkle.ts'
import { compact, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { commitmentHash, header, inclusion, txTree } from '../../src/core/plasma/Block.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import { deployed, type PlasmaCourt, pair } from '../../src/core/plasma/Draft.ts'
import { close, emptyLedger, type Ledger, observe, type Signed, spend, spends } from '../../src/core/plasma/Ledger.ts'
import { type LockTerms, lockOf } from '../../src/core/plasma/LockTerms.ts'
import { rootChain } from '../../src/core/plasma/RootChain.ts'
import type { SeenEvent } from '../../src/core/plasma/Seen.ts'
import { depositId, type Output, outputId, type Transaction, txHash } from '../../src/core/plasma/Transaction.ts'
import { runs } from '../fuzz.ts'
import { DOMAIN, key, outcome, owner, seeing } from './ledgerStage.ts'

// People: 0 has a deposit and locks it, 1 owns what is locked, 2 has it back; 3 is nobody in it.
const PATH = [{ parent: ZERO, slot: 0, operator: owner(9) }] as const
const CHAIN = chainId(PATH[0])
const EXPIRY = 500
const HASH: Hex = uint(77, 32)
const TERMS: LockTerms = { hash: HASH, expiry: EXPIRY, refund: owner(2) }

const gift = { chain: CHAIN, sender: owner(0), salt: ZERO, owner: owner(0), asset: ETHER, value: 20n }
const deposited: SeenEvent = { name: 'Deposited', id: depositId(gift), ...gift }

function locked(terms: LockTerms, value = 10n): Output {
  return { owner: owner(1), asset: ETHER, value, lock: lockOf(terms) }
}

function signedBy(n: number, transaction: Transaction, terms?: readonly LockTerms[]): Signed {
  return { transaction, authorisation: sign(txHash(DOMAIN, transaction), key(n)), ...(terms && { terms }) }
}

/** A payment of the deposit into two outputs, and a ledger that has it in block 1 and builds block 2. */
function world(outputs: readonly Output[]) {
  const tx: Transaction = { chain: CHAIN, inputs: [depositId(gift)], outputs, lastBlock: 9, memo: ZERO }
  const before = seeing(emptyLedger(DOMAIN, CHAIN, 0), 100, deposited)
  const hash = txHash(DOMAIN, tx)
  return { tx, ids: outputs.map((_, i) => outputId(hash, i)), ledger: close(spend(before, signedBy(0, tx))) }
}

const { ids, ledger: base, tx: locking } = world([locked(TERMS), locked(TERMS)])

function spending(inputs: readonly Hex[]): Transaction {
  const value = 10n * BigInt(inputs.length)
  const to = { owner: owner(3), asset: ETHER, value, lock: ZERO }
  return { chain: CHAIN, inputs, outputs: [to], lastBlock: 9, memo: ZERO }
}

/** A ledger as of a second that was told of events at their own seconds. */
function asOf(time: number, ...events: readonly (readonly [time: number, event: SeenEvent])[]): Ledger {
  const sorted = events.toSorted(([a], [b]) => a - b)
  const blocks = sorted.map(([at, event], i) => {
    return { number: 101 + i, hash: uint(at, 32), parent: ZERO, time: at, events: [event] }
  })
  return observe(base, blocks, time)
}

function revealed(time: number): readonly [number, SeenEvent] {
  return [time, { name: 'Revealed', hash: HASH, time }]
}

/** Both sides' word: a compact signature of each that signs, zeros for one that approved. */
function pairBy(tx: Transaction, first?: number, second?: number): Hex {
  const half = (n?: number) => (n === undefined ? concat(ZERO, ZERO) : compact(sign(txHash(DOMAIN, tx), key(n))))
  return concat(half(first), half(second))
}

describe('Ledger of locked outputs', () => {
  const one = spending([ids[0]!])
  const both = spending(ids)
  const T = [TERMS]
  const approval = (n: number, tx: Transaction): SeenEvent => {
    return { name: 'Approved', owner: owner(n), txHash: txHash(DOMAIN, tx) }
  }
  const pairOf = (tx: Transaction, first?: number, second?: number, terms = T): Signed => {
    return { transaction: tx, authorisation: pairBy(tx, first, second), terms }
  }
  const cases: readonly (readonly [name: string, code: string, at: Ledger, signed: Signed])[] = [
    ['its owner after a reveal in time', 'accepted', asOf(300, revealed(300)), signedBy(1, one, T)],
    ['its owner after a reveal in the last second', 'accepted', asOf(900, revealed(EXPIRY)), signedBy(1, one, T)],
    ['its owner after a reveal a second late', 'WrongSigner', asOf(900, revealed(EXPIRY + 1)), signedBy(1, one, T)],
    ['its refund after a reveal a second late', 'accepted', asOf(900, revealed(EXPIRY + 1)), signedBy(2, one, T)],
    ['its refund after a reveal in time', 'WrongSigner', asOf(900, revealed(300)), signedBy(2, one, T)],
    ['its refund in the last second', 'Undecided', asOf(EXPIRY), signedBy(2, one, T)],
    ['its refund a second after it', 'accepted', asOf(EXPIRY + 1), signedBy(2, one, T)],
    ['its owner before any reveal', 'Undecided', asOf(300), signedBy(1, one, T)],
    ['its owner who sees no reveal yet', 'Undecided', asOf(299, revealed(300)), signedBy(1, one, T)],
    ['its owner by the first of two reveals', 'accepted', asOf(900, revealed(400), revealed(600)), signedBy(1, one, T)],
    ['both sides while undecided', 'accepted', asOf(300), pairOf(one, 1, 2)],
    ['both sides, owner’s half twice', 'WrongSigner', asOf(300), pairOf(one, 1, 1)],
    ['both sides, halves swapped', 'WrongSigner', asOf(300), pairOf(one, 2, 1)],
    ['both sides where one approved', 'accepted', asOf(300, [200, approval(2, one)]), pairOf(one, 1)],
    ['both sides where one neither signed nor approved', 'NotApproved', asOf(300), pairOf(one, 1)],
    ['the owner’s half once it is the payee', 'accepted', asOf(300, revealed(300)), pairOf(one, 1, 3)],
    ['the refund’s half once it is the payee', 'accepted', asOf(900), pairOf(one, 3, 2)],
    ['the owner’s half once refund is the payee', 'WrongSigner', asOf(900), pairOf(one, 1, 1)],
    ['both sides for two inputs', 'Undecided', asOf(300), pairOf(both, 1, 2, [TERMS, TERMS])],
    ['its owner for two inputs', 'accepted', asOf(300, revealed(200)), signedBy(1, both, [TERMS, TERMS])],
    [
      'its payee’s approval',
      'accepted',
      asOf(900, [200, approval(2, one)]),
      { transaction: one, authorisation: '0x', terms: T },
    ],
    ['no terms', 'WrongLock', asOf(900), signedBy(2, one)],
    ['other terms', 'WrongLock', asOf(900), signedBy(2, one, [{ ...TERMS, expiry: 1 }])],
    ['terms for one of two inputs', 'WrongLock', asOf(900), signedBy(2, both, T)],
    ['terms for more than its inputs', 'WrongLock', asOf(900), signedBy(2, one, [TERMS, TERMS])],
  ]
  for (const [name, code, at, signed] of cases) {
    it(`${name}: ${code}`, () => {
      expect(outcome(() => spend(at, signed))).to.equal(code)
    })
  }

  it('asks of two locked inputs that they have one payee', () => {
    const mixed = world([locked(TERMS), { owner: owner(1), asset: ETHER, value: 10n, lock: ZERO }])
    const late = seeing(mixed.ledger, 900)
    const tx = spending(mixed.ids)
    expect(outcome(() => spend(late, signedBy(2, tx, T)))).to.equal('MixedOwners')
    const early = seeing(mixed.ledger, 300, revealed(300)[1])
    expect(outcome(() => spend(early, signedBy(1, tx, T)))).to.equal('accepted')
  })

  it('counts a half of a pair as a spend once its signer is the payee, and not before', () => {
    const half: Signed = pairOf(one, 1, 3)
    const counts = (at: Ledger) => spends(at, half, txHash(DOMAIN, one), ids[0]!, 2)
    expect([counts(asOf(300)), counts(asOf(300, revealed(300))), counts(asOf(900))]).to.deep.equal([false, true, false])
  })

  const CODES = ['Undecided', 'WrongSigner', 'NotApproved', 'MixedOwners', 'WrongLock']

  const blockOf = txTree([txHash(DOMAIN, locking)])
  const from = inclusion(blockOf, 0, { number: 1, time: 101, asOf: 100 })

  /** What the court says of a word for a transaction, by a call that needs it; whatever comes after the word is none. */
  function ruling(signed: Signed, time: number, at: number, approvals: readonly number[], call: PlasmaCall): string {
    const terms = { court: DOMAIN, mfp: 604_800, margin: 3600, alarm: 3600, bondGas: 1n, feeFloor: 1n, feeCeiling: 1n }
    const state: PlasmaCourt = {
      ...deployed(terms),
      chains: new Map([[CHAIN, { depth: 1, since: 0, number: 1, time: 101, asOf: 100 }]]),
      commitments: new Map([[pair(CHAIN, 1), commitmentHash(header(Merkle.rootOf(blockOf)), 101, 100)]]),
      approved: new Map(approvals.map((n) => [pair(owner(n), txHash(DOMAIN, signed.transaction)), true])),
    }
    const revealedAt = (hash: Hex) => (hash === HASH && at <= time ? at : 0)
    const env = { sender: owner(8), value: 0n, time, baseFee: 1n, refuses: () => false, revealedAt }
    try {
      rootChain(state, call, env)
      return 'accepted'
    } catch (why) {
      if (why instanceof Refusal) return CODES.includes(why.code) ? why.message : 'accepted'
      throw why
    }
  }

  function starting({ transaction, authorisation, terms = [] }: Signed): PlasmaCall {
    const { inputs } = transaction
    const sources = inputs.map((id) => ({ deposited: [], tx: [locking], output: ids.indexOf(id), inclusion: [from] }))
    return { verb: 'startInFlight', path: PATH, transaction, authorisation, sources, terms }
  }

  /** The exit of an input is challenged by the transaction, which lives. */
  function challenging({ transaction: tx, authorisation }: Signed, input: number): PlasmaCall {
    const what = { ...locking.outputs[0]!, ids: tx.inputs[input]!, count: 1, exitableAt: 9999, bond: 1n }
    const spend = { tx, input, authorisation, inclusion: [] }
    const exit = { chain: CHAIN, ...what, starter: owner(1) }
    return { verb: 'challengeLocked', path: PATH, exit, lane: 0, index: 0, spend, terms: TERMS }
  }

  const second = fc.integer({ min: EXPIRY - 3, max: EXPIRY + 3 })
  const side = fc.option(fc.constantFrom(1, 2, 3), { nil: undefined })
  const word = fc.oneof(
    fc.record({ first: side, second: side }),
    fc.record({ alone: fc.constantFrom(1, 2, 3) }),
    fc.constant({ approval: true }),
  )

  it('takes a spend of locked outputs, and counts it, exactly if the court does at asOf, whoever signs, reveals and approves when', () => {
    fc.assert(
      fc.property(
        fc.constantFrom([0], [1], [0, 1]),
        word,
        second,
        fc.option(second, { nil: 0 }),
        fc.uniqueArray(fc.constantFrom(1, 2, 3)),
        (which, by, time, at, approvals) => {
          const tx = spending(which.map((i) => ids[i]!))
          const alone = 'alone' in by ? sign(txHash(DOMAIN, tx), key(by.alone)) : '0x'
          const authorisation = 'first' in by ? pairBy(tx, by.first, by.second) : alone
          const signed: Signed = { transaction: tx, authorisation, terms: which.map(() => TERMS) }
          const words = approvals.map((n) => [200, approval(n, tx)] as const)
          const ledger = asOf(time, ...words, ...(at === 0 ? [] : [revealed(at)]))
          const said = verdict(() => spend(ledger, signed))
          const never = Number.MAX_SAFE_INTEGER
          const asked = (call: PlasmaCall) => ruling(signed, time, at === 0 ? never : at, approvals, call)
          expect(said).to.equal(asked(starting(signed)))
          tx.inputs.forEach((id, input) => {
            const counts = spends(ledger, signed, txHash(DOMAIN, tx), id, 2)
            expect(counts, 'as a challenge').to.equal(asked(challenging(signed, input)) === 'accepted')
          })
          // What is once good stays so: a block that is built again on a later view keeps it.
          const later = asOf(time + 5, ...words, ...(at === 0 ? [] : [revealed(at)]))
          if (said === 'accepted') expect(outcome(() => spend(later, signed))).to.equal('accepted')
        },
      ),
      runs(300),
    )
  })

  function verdict(run: () => unknown): string {
    try {
      run()
      return 'accepted'
    } catch (why) {
      if (why instanceof Refusal) return why.message
      throw why
    }
  }
})
