import { expect } from 'chai'
import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import type { PlasmaEvent } from '../../src/core/plasma/Call.ts'
import type { InFlightExit } from '../../src/core/plasma/InFlightExit.ts'
import { close, type Ledger, type Signed, spend } from '../../src/core/plasma/Ledger.ts'
import { outputId, txHash } from '../../src/core/plasma/Transaction.ts'
import { CHAIN, DOMAIN, deposited, fresh, outcome, output, owner, payment, seeing } from './ledgerStage.ts'

const MINE = [1, 2, 3].map((salt) => deposited(0, 10n, salt))
const [first, second, third] = MINE.map(({ id }) => id) as [Hex, Hex, Hex]

function hashOf({ transaction }: Signed): Hex {
  return txHash(DOMAIN, transaction)
}

function pays(...inputs: readonly Hex[]): Signed {
  return payment(0, { inputs, outputs: [output(1, 10n * BigInt(inputs.length))] })
}

/** The start of an in-flight exit of a payment of the first two deposits, which piggybacks these positions. */
function started(of: Signed, piggybacked: number, late = false): PlasmaEvent {
  const { transaction: tx, authorisation } = of
  const spent = tx.inputs.map(() => output(0, 10n))
  const inFlight: InFlightExit = { tx, spent, start: 101, exitableAt: 1101, bond: 1n, starter: owner(0), late }
  return { name: 'InFlightStarted', txHash: hashOf(of), inFlight, authorisation, piggybacked, lane: 0, indices: [0] }
}

function processed(of: Signed, canonical: boolean, ...paid: readonly number[]): readonly PlasmaEvent[] {
  const hash = hashOf(of)
  const payments = paid.map((position) => ({ name: 'InFlightPaid', txHash: hash, position, amount: 10n }) as const)
  return [{ name: 'InFlightProcessed', txHash: hash, asset: output(0, 1n).asset, canonical }, ...payments]
}

/** A group of outputs of person 0 that leaves. */
function group(...members: readonly Hex[]): readonly PlasmaEvent[] {
  const exit = { chain: CHAIN, asset: output(0, 1n).asset, owner: owner(0), lock: ZERO, ids: uint(99, 32) }
  const terms = { count: members.length, value: 20n, exitableAt: 1000, bond: 1n, starter: owner(0) }
  return [
    { name: 'ExitStarted', ids: exit.ids, lane: 0, index: 0, exit: { ...exit, ...terms } },
    { name: 'GroupStarted', ids: exit.ids, members: members.map((id) => ({ id, value: 10n })) },
  ]
}

const PLACE = { ids: uint(99, 32), lane: 0, index: 0 }

describe('Ledger under exits', () => {
  const base = fresh(...MINE)
  const flight = pays(first, second)
  const can = (ledger: Ledger, of: Signed) => outcome(() => spend(ledger, of))

  it('lets nobody spend a member of a running group, and those that it did not pay again after it', () => {
    const running = seeing(base, 101, ...group(first, second))
    expect([first, second, third].map((id) => can(running, pays(id)))).to.deep.equal([
      'FrozenInput',
      'FrozenInput',
      'accepted',
    ])
    const cancelled = seeing(running, 102, { name: 'ExitCancelled', ...PLACE })
    expect(can(cancelled, pays(first, second))).to.equal('accepted')
    const paid = seeing(running, 102, { name: 'ExitPaid', ...PLACE, amount: 20n })
    expect([first, second].map((id) => can(paid, pays(id)))).to.deep.equal(['UnknownInput', 'UnknownInput'])
  })

  it('leaves the inputs of an exit that started live to its transaction, unless they are piggybacked', () => {
    const plain = seeing(base, 101, started(flight, 0b0010_0000))
    expect([can(plain, pays(first)), can(plain, pays(first, second))]).to.deep.equal(['FrozenInput', 'accepted'])
    expect(can(plain, payment(0, { ...flight.transaction, memo: uint(1, 32) }))).to.equal('FrozenInput')
    const wanted = seeing(plain, 102, { name: 'Piggybacked', txHash: hashOf(flight), positions: 1 })
    expect(can(wanted, flight), 'what is claimed as unspent is not spent').to.equal('FrozenInput')
    expect(can(wanted, pays(third))).to.equal('accepted')
    const over = seeing(wanted, 103, ...processed(flight, false))
    expect([can(over, flight), can(over, pays(first))]).to.deep.equal(['accepted', 'accepted'])
  })

  it('takes an input from both of two transactions that want out with it', () => {
    const rival = pays(first)
    const both = seeing(base, 101, started(flight, 0b0010_0000), started(rival, 0b0010_0000))
    expect([can(both, flight), can(both, rival)]).to.deep.equal(['FrozenInput', 'FrozenInput'])
  })

  it('freezes nothing for an exit that started late but what it piggybacks', () => {
    const late = seeing(base, 101, started(flight, 0b0000_0001, true))
    expect([first, second].map((id) => can(late, pays(id)))).to.deep.equal(['FrozenInput', 'accepted'])
  })

  it('leaves what an exit has consumed to its transaction for ever, less the outputs that were paid', () => {
    const [a, b] = [output(1, 5n), output(2, 15n)]
    const two = payment(0, { inputs: [first, second], outputs: [a, b] })
    const running = seeing(base, 101, started(two, 0b0001_0000))
    const over = seeing(running, 102, ...processed(two, true, 4))
    expect([can(over, pays(first)), can(over, two)]).to.deep.equal(['FrozenInput', 'accepted'])
    const next = close(spend(over, two))
    const spending = (n: number, position: number, value: bigint) =>
      payment(n, { inputs: [outputId(hashOf(two), position)], outputs: [output(3, value)] })
    expect(can(next, spending(1, 0, 5n)), 'paid before a block had it').to.equal('UnknownInput')
    expect(can(next, spending(2, 1, 15n))).to.equal('accepted')
  })

  it('freezes a piggybacked output before its transaction is in a block', () => {
    const running = seeing(base, 101, started(flight, 0b0001_0000))
    const next = close(spend(running, flight))
    const on = payment(1, { inputs: [outputId(hashOf(flight), 0)], outputs: [output(3, 20n)] })
    expect(can(next, on)).to.equal('FrozenInput')
    const unpaid = [
      ...processed(flight, true),
      { name: 'InFlightUnpaid', txHash: hashOf(flight), position: 4, have: 0n, need: 20n } as const,
    ]
    expect(can(seeing(next, 102, ...unpaid), on)).to.equal('accepted')
  })

  it('takes inputs that were paid from whoever else would spend them, and keeps what was consumed out of groups', () => {
    const running = seeing(base, 101, started(flight, 0b0000_0001), ...group(second, third))
    const paid = seeing(running, 102, ...processed(flight, false, 0))
    expect([can(paid, pays(first)), can(paid, pays(second))]).to.deep.equal(['UnknownInput', 'FrozenInput'])
    const consumed = seeing(running, 102, ...processed(flight, true), { name: 'ExitPaid', ...PLACE, amount: 10n })
    expect([can(consumed, pays(third)), can(consumed, flight)]).to.deep.equal(['UnknownInput', 'accepted'])
  })
})
