import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import type { Plain } from '../../src/core/base/Step.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import { isLockChange, type LockChange } from '../../src/core/channel/Change.ts'
import { packLockChanges, packMoved, unpackLockChanges, unpackMoved } from '../../src/core/channel/PackedLocks.ts'
import { isSerial, serialId } from '../../src/core/channel/Payment.ts'
import { items } from '../../src/core/channel/Queue.ts'
import { Payments } from '../../src/role/Payments.ts'
import { runs } from '../fuzz.ts'
import { Duel, ID } from './duel.ts'
import { ask, fulfil, lock, MARGIN } from './holds.ts'

const hex = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`)
const someHex = fc.nat({ max: 40 }).chain(hex)
const change: fc.Arbitrary<LockChange> = fc.oneof(
  fc.record({
    kind: fc.constant('addLock' as const),
    paymentId: hex(32),
    amount: fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }),
    expiry: fc.nat({ max: 2 ** 40 - 1 }),
    condition: hex(20),
    key: hex(32),
    payload: someHex,
  }),
  fc.record({
    kind: fc.constant('fulfilLock' as const),
    lockId: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
    preimage: hex(32),
  }),
  fc.record({
    kind: fc.constant('failLock' as const),
    lockId: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
    code: fc.constantFrom('LockExpired', 'Unwanted', `A${'z'.repeat(63)}`),
    data: someHex,
  }),
)

/** A duel of which A, the writer, has proposed a lock of its own together with B's fulfil; B has not answered. */
function proposed(): Duel {
  const duel = Duel.opened(1000n)
  lock(duel, 'a', 10n)
  duel.settleDown()
  lock(duel, 'a', 20n)
  expect(fulfil(duel.b, 1n)).to.equal(undefined)
  duel.deliver('b')
  lock(duel, 'a', 30n)
  duel.deliver('a')
  duel.deliver('b')
  expect(duel.a.state.proposal?.moved.map((one) => one.change.kind)).to.include('addLock')
  return duel
}

describe('Changes of locks as bytes', () => {
  it('are read back as they were', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 9 }), (changes) => {
        expect(unpackLockChanges(packLockChanges(changes))).to.deep.equal(changes)
      }),
      runs(100),
    )
  })

  it('are none where they are cut, and what is read of any bytes is what the protocol admits', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(), fc.uint8Array(), (changes, at, noise) => {
        const packed = packLockChanges(changes)
        const cut = unpackLockChanges(packed.subarray(0, at % packed.length))
        expect(cut ?? []).to.deep.equal(changes.slice(0, cut?.length ?? 0))
        const bent = Uint8Array.from(packed)
        bent.set(noise.subarray(0, packed.length), 0)
        for (const one of unpackLockChanges(bent) ?? []) expect(isLockChange(one)).to.equal(true)
      }),
      runs(200),
    )
  })

  it('tell of a version who asked for what, and of which lock', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(change, fc.boolean(), hex(32)), { maxLength: 9 }), (all) => {
        const moved = all.map(([one, isA, name], index) => {
          const by = isA ? ('a' as const) : ('b' as const)
          const isAdd = one.kind === 'addLock'
          const id = isAdd ? BigInt(index + 1) : one.lockId
          const lock = {
            toB: isAdd === isA,
            id,
            amount: isAdd ? one.amount : 7n,
            paymentId: isAdd ? one.paymentId : name,
          }
          return { by, change: one, lock }
        })
        expect(unpackMoved(packMoved(moved as never))).to.deep.equal(moved)
      }),
      runs(100),
    )
  })
})

describe('A store from before changes of locks were bytes', () => {
  it('is read: its proposal and what waits are the same', () => {
    const duel = proposed()
    const { a } = duel
    const { proposal } = a.state
    const row = a.store.get('proposal', ID) as Record<string, Plain>
    const own = proposal!.moved.filter(({ by }) => by === 'a').map((one) => one.change)
    const asked = proposal!.moved.filter(({ by }) => by === 'b').map((one) => one.change)
    expect([own.length, asked.length].every((count) => count > 0)).to.equal(true)
    const old = { ...row, items: [...own, ...(row.items as Plain[])], asked } as unknown as Plain
    const batches = a.store.all('batch').map(([key]) => ({ table: 'batch', key, value: undefined }))
    a.store.commit([{ table: 'proposal', key: ID, value: old }, ...batches])
    a.revive()
    expect(a.state.proposal).to.deep.equal(proposal)
  })

  it('is read: requests that wait are the same', () => {
    const duel = proposed()
    duel.cut()
    lock(duel, 'b', 5n)
    const waits = items(duel.b.state.pending)
    const rows = duel.b.store.all('pending').map(([key]) => ({ table: 'pending', key, value: undefined }))
    const key = rows[0]!.key
    const value = waits.map((one) => one.change) as unknown as Plain
    duel.b.store.commit([...rows, { table: 'pending', key, value }])
    duel.b.revive()
    expect(items(duel.b.state.pending)).to.deep.equal(waits)
  })
})

describe('A lock under an id of the node’s making', () => {
  it('has its proof in the history of its version, and no row of its own', () => {
    const duel = Duel.opened(1000n)
    const { paymentId, preimage } = { paymentId: serialId(uint(7, 16), 1), preimage: uint(0x5e, 32) }
    expect(isSerial(paymentId)).to.equal(true)
    const asked = lockOf(duel, paymentId, preimage)
    expect(ask(duel.a, asked)).to.equal(undefined)
    duel.settleDown()
    expect(ask(duel.b, { kind: 'fulfil', lockId: 1n, preimage, isPublic: false })).to.equal(undefined)
    duel.settleDown()
    const kept = new Payments(duel.a.store, { verdict: async () => undefined })
    const { version } = duel.a.state.complete
    expect(duel.a.store.all('payment')).to.deep.equal([])
    expect(kept.outcome(duel.a.seat, paymentId)).to.deep.equal({ paymentId, version, index: 0, preimage })
    const [locked] = kept.history(ID, version).locks!
    expect(locked).to.deep.equal({ kind: 'fulfilLock', toB: true, id: 1n, amount: 9n, paymentId })
    expect(new Payments(duel.b.store, { verdict: async () => undefined }).outcome(duel.b.seat, paymentId)).to.equal(
      undefined,
    )
  })
})

function lockOf(duel: Duel, paymentId: Hex, preimage: Hex) {
  const expiry = duel.chain.time + MARGIN + 600
  return {
    kind: 'lock',
    paymentId,
    amount: 9n,
    expiry,
    condition: ETHER,
    key: hashLock(preimage),
    payload: '0x',
  } as const
}
