import { expect } from 'chai'
import { ETHER, uint } from '../../src/core/base/Bytes.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { AddLock } from '../../src/core/channel/Change.ts'
import type { Message } from '../../src/core/channel/Message.ts'
import { available } from '../../src/core/channel/Peer.ts'
import { Duel, type Fighter } from './duel.ts'
import { type Begun, endsOf, fail, fulfil, lock, MARGIN, secretOf, towards } from './holds.ts'
import { hear, proposal, types } from './words.ts'

// In a duel A is the writer.
const FUNDS = 1000n
const LIFE = MARGIN + 600

/** A channel with a lock of 100 from one side, complete on both. */
function locked(from: 'a' | 'b', seconds = LIFE): readonly [duel: Duel, begun: Begun] {
  const duel = Duel.opened(FUNDS)
  const begun = lock(duel, from, 100n, seconds)
  duel.settleDown()
  expect(duel.a.state.locks.length).to.equal(1)
  return [duel, begun]
}

function addLock(amount: bigint, number = 7): AddLock {
  const key = hashLock(uint(number, 32))
  const paymentId = uint(number, 32)
  return { kind: 'addLock', amount, expiry: 2_000_000_000, condition: ETHER, key, paymentId, payload: '0x' }
}

function take(preimage: `0x${string}`, lockId = 1n) {
  return { kind: 'own', change: { kind: 'fulfilLock', lockId, preimage } } as const
}

function left({ seat, state }: Fighter): bigint {
  return available(seat, state)
}

/** Blocks without a word, until a time; what both ask of layer 1 is mined, or lost. */
function silence(duel: Duel, until: number, lost = false): void {
  while (duel.chain.time < until) {
    if (lost) for (const { calls } of [duel.a, duel.b]) calls.length = 0
    duel.mine([], Math.min(until, duel.chain.time + 300))
  }
}

describe('Peer: locks', () => {
  for (const [from, to] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    it(`pays with the preimage, exactly once and exactly the amount (${from})`, () => {
      const [duel, { paymentId, preimage }] = locked(from)
      expect([left(duel.side(from)), left(duel.side(to))]).to.deep.equal([FUNDS - 100n, FUNDS])
      expect(fulfil(duel.side(to), 1n)).to.equal(undefined)
      expect(fulfil(duel.side(to), 1n)).to.equal(undefined)
      duel.settleDown()
      expect([left(duel.side(from)), left(duel.side(to))]).to.deep.equal([FUNDS - 100n, FUNDS + 100n])
      expect(duel.a.state.locks).to.deep.equal([])
      expect(endsOf(duel.a).get(paymentId)).to.deep.equal(['fulfilled'])
      expect(endsOf(duel.b).get(paymentId)).to.deep.equal(['fulfilled'])
      const kept = [...duel.side(from).outcomes().values()]
      expect(kept).to.deep.equal([{ preimage, version: 2n }])
      expect(duel.side(to).state.preimages.size).to.equal(0)
    })

    it(`gives the money back when its receiver gives the lock up (${from})`, () => {
      const [duel, { paymentId }] = locked(from)
      expect(fail(duel.side(to), 1n, 'NoRoute')).to.equal(undefined)
      duel.settleDown()
      expect([left(duel.a), left(duel.b)]).to.deep.equal([FUNDS, FUNDS])
      expect(endsOf(duel.side(from)).get(paymentId)).to.deep.equal(['failed'])
      expect([...duel.side(from).outcomes().values()]).to.deep.equal(['NoRoute'])
    })

    it(`outlives the crash of both sides, with its preimage (${from})`, () => {
      const [duel, { paymentId }] = locked(from)
      duel.cut()
      fulfil(duel.side(to), 1n)
      duel.a.revive()
      duel.b.revive()
      expect(duel.side(to).state.preimages.size).to.equal(1)
      duel.connect()
      duel.settleDown()
      expect(endsOf(duel.side(from)).get(paymentId)).to.deep.equal(['fulfilled'])
    })
  }

  it('is known by its direction and id: two of one key and amount end apart', () => {
    const duel = Duel.opened(FUNDS)
    const twin = { ...addLock(50n), kind: 'lock', expiry: duel.chain.time + LIFE } as const
    duel.a.take(twin)
    duel.a.take({ ...twin, paymentId: uint(8, 32) })
    duel.b.take({ ...twin, paymentId: uint(9, 32) })
    duel.settleDown()
    expect(duel.a.state.locks.map(({ toB, id }) => [toB, id])).to.deep.equal([
      [true, 1n],
      [true, 2n],
      [false, 1n],
    ])
    fail(duel.b, 2n)
    duel.settleDown()
    expect(towards(duel.b).map(({ id }) => id)).to.deep.equal([1n])
    expect(towards(duel.a).map(({ id }) => id)).to.deep.equal([1n])
    lock(duel, 'a', 1n)
    duel.settleDown()
    expect(towards(duel.b).map(({ id }) => id)).to.deep.equal([1n, 3n])
  })

  it('refuses what its receiver could not take in time, and what this side cannot spend', () => {
    const [duel] = locked('a')
    expect(lock(duel, 'a', FUNDS).refused).to.equal('InsufficientFunds')
    expect(lock(duel, 'a', 0n).refused).to.equal('BadLock')
    expect(lock(duel, 'a', 1n, MARGIN).refused).to.equal('LockTooShort')
    expect(fulfil(duel.b, 9n)).to.equal('NoSuchLock')
    expect(fulfil(duel.a, 1n)).to.equal('NoSuchLock')
  })

  it('gives an untried peer 32, and more once as many have ended', () => {
    const duel = Duel.opened(FUNDS)
    for (let i = 0; i < 32; i++) expect(lock(duel, 'a', 1n).refused).to.equal(undefined)
    expect(lock(duel, 'a', 1n).refused).to.equal('TooManyLocks')
    duel.settleDown()
    for (let id = 1n; id <= 32n; id++) fulfil(duel.b, id)
    duel.settleDown()
    for (let i = 0; i < 40; i++) expect(lock(duel, 'a', 1n).refused).to.equal(undefined)
    duel.settleDown()
    expect(towards(duel.b).length).to.equal(40)
  })

  it('against its receiver’s policy is accepted and failed, never a reason to go to court', () => {
    const duel = Duel.opened(FUNDS)
    Object.assign(duel.b.seat, { policy: { minLock: 10n, maxLocks: 256, maxInFlight: 50n } })
    lock(duel, 'a', 9n)
    lock(duel, 'a', 40n)
    lock(duel, 'a', 20n)
    duel.settleDown()
    expect(towards(duel.b).map(({ amount }) => amount)).to.deep.equal([40n])
    const codes = [...duel.a.outcomes().values()]
    expect(codes).to.deep.equal(['LockTooSmall', 'TooMuchInFlight'])
    expect(duel.b.state.end.disputed).to.equal(null)
  })
})

describe('Peer: a proposal that touches locks is countersigned iff it is valid', () => {
  const invalid: readonly (readonly [string, string, (duel: Duel) => Message])[] = [
    [
      'adds a lock beyond what the writer has',
      'InsufficientFunds',
      ({ b }) => proposal(b, [{ kind: 'own', change: addLock(FUNDS) }]),
    ],
    [
      'removes a lock that it does not receive',
      'NoSuchLock',
      ({ b }) => proposal(b, [{ kind: 'own', change: { kind: 'failLock', lockId: 1n, code: 'No', data: '0x' } }]),
    ],
    [
      'drops a lock from the list',
      'HashMismatch',
      (duel) => {
        const without = { ...duel.b.state, locks: [], complete: Duel.opened(FUNDS).b.state.complete }
        const { version } = duel.b.state.complete
        return proposal({ ...duel.b, seat: duel.b.seat, state: without } as unknown as Fighter, [], { skip: version })
      },
    ],
  ]
  for (const [what, why, make] of invalid) {
    it(`goes to court over one that ${what}`, () => {
      const [duel] = locked('a')
      hear(duel.b, make(duel))
      expect(duel.b.state.end.disputed).to.equal(why)
    })
  }

  it('goes to court over one that fulfils without the preimage, or moves another amount', () => {
    const [duel, { preimage }] = locked('b')
    hear(duel.b, proposal(duel.b, [take(uint(1, 32))]))
    expect(duel.b.state.end.disputed).to.equal('WrongPreimage')
    const [other] = locked('b')
    const right = secretOf(other.b.state.locks[0]!.paymentId)
    expect(right).to.not.equal(preimage)
    hear(other.b, proposal(other.b, [take(right)], { net: -101n }))
    expect(other.b.state.end.disputed).to.equal('HashMismatch')
  })

  it('goes to court over one that fulfils a lock in the version that adds it', () => {
    const duel = Duel.opened(FUNDS)
    const { preimage } = lock(duel, 'b', 100n)
    hear(duel.b, proposal(duel.b, [{ kind: 'request', number: 1 }, take(preimage)]))
    expect(duel.b.state.end.disputed).to.equal('NoSuchLock')
  })

  it('as writer refuses by code what cannot be done, and goes on', () => {
    const [duel] = locked('a')
    const end = { kind: 'fulfilLock', lockId: 9n, preimage: uint(1, 32) } as const
    hear(duel.a, { type: 'request', number: 1, changes: [end, { ...end, lockId: 1n }, addLock(FUNDS + 1n)] })
    expect(duel.a.state.proposal?.items.map((item) => item.kind === 'refusal' && item.code)).to.deep.equal([
      'NoSuchLock',
      'WrongPreimage',
      'InsufficientFunds',
    ])
  })
})

describe('Peer: a lock and time', () => {
  it('a payee first shows a preimage only while layer 1 could still hear of it', () => {
    const [duel] = locked('a')
    silence(duel, duel.b.state.locks[0]!.expiry - MARGIN + 1)
    expect(fulfil(duel.b, 1n)).to.equal('LockTooLate')
    expect(duel.b.state.preimages.size).to.equal(0)
    expect(fail(duel.b, 1n)).to.equal(undefined)
  })

  it('is revealed on layer 1 when its fulfil is not acknowledged in time, and pays its payer’s books there', () => {
    for (const [from, to] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const [duel, { paymentId }] = locked(from)
      fulfil(duel.side(to), 1n)
      duel.cut()
      silence(duel, duel.a.state.locks[0]!.expiry + 60)
      const revealed = duel.chain.blocks.flatMap(({ block }) => block.events.filter(({ name }) => name === 'Revealed'))
      expect(revealed.length).to.equal(1)
      expect(endsOf(duel.side(from)).get(paymentId)).to.deep.equal(['fulfilled'])
      duel.connect()
      duel.settleDown()
      expect(duel.a.state.locks).to.deep.equal([])
      expect(left(duel.side(to))).to.equal(FUNDS + 100n)
      expect(duel.a.state.end.disputed ?? duel.b.state.end.disputed).to.equal(null)
    }
  })

  it('met after its expiry is held, neither signed nor refused, until a verdict in time is seen', () => {
    const [duel] = locked('b')
    fulfil(duel.a, 1n) // the writer's proposal is on the wire
    const { expiry } = duel.b.state.locks[0]!
    silenceOf(duel, 'a', expiry + 5)
    expect(duel.b.state.watch.time).to.be.lessThan(expiry)
    duel.b.take({ kind: 'clock', time: expiry + 5 })
    duel.deliver('a')
    expect(duel.b.state.held).to.not.equal(null)
    expect(types(duel.said.b).filter((type) => type === 'ack').length).to.equal(1)
    expect(duel.b.state.end.disputed).to.equal(null)
    catchUp(duel, 'b')
    expect(duel.b.state.held).to.equal(null)
    duel.settleDown()
    expect(duel.a.state.complete.net).to.equal(-100n)
    expect(duel.a.state.complete.version).to.equal(2n)
  })

  it('met after its expiry without a verdict is invalid once a final block says so, not before', () => {
    const [duel, { preimage, paymentId }] = locked('b')
    silence(duel, duel.b.state.locks[0]!.expiry + 1, true)
    hear(duel.b, proposal(duel.b, [take(preimage)]))
    expect(duel.b.state.end.disputed).to.equal(null)
    expect(duel.b.state.held).to.not.equal(null)
    duel.mine()
    expect(duel.b.state.end.disputed).to.equal('LockExpired')
    expect(endsOf(duel.b).get(paymentId)).to.deep.equal(['failed'])
  })

  it('a late request without a verdict is refused by code, and made again once there is one', () => {
    const [duel] = locked('a')
    const held = fulfil(duel.b, 1n)
    expect(held).to.equal(undefined)
    const { expiry } = duel.a.state.locks[0]!
    silenceOf(duel, 'b', expiry + 5)
    duel.a.take({ kind: 'clock', time: expiry + 5 })
    duel.deliver('b')
    expect(duel.a.state.proposal?.items).to.deep.equal([{ kind: 'refusal', number: 1, code: 'LockExpired' }])
    duel.settleDown()
    catchUp(duel, 'a')
    duel.mine()
    duel.settleDown()
    expect(duel.a.state.locks).to.deep.equal([])
    expect(duel.a.state.complete.net).to.equal(100n)
  })

  it('after a final block past its expiry its receiver gives it up, and not before', () => {
    for (const from of ['a', 'b'] as const) {
      const [duel, { paymentId }] = locked(from)
      const { expiry } = duel.a.state.locks[0]!
      silence(duel, expiry + 1)
      duel.settleDown()
      expect(duel.a.state.locks.length).to.equal(1)
      expect(endsOf(duel.side(from)).size).to.equal(0)
      duel.mine()
      duel.settleDown()
      expect(duel.a.state.locks).to.deep.equal([])
      expect(endsOf(duel.side(from)).get(paymentId)).to.deep.equal(['failed'])
      expect([...duel.side(from).outcomes().values()]).to.deep.equal(['LockExpired'])
    }
  })

  it('that was told as failed is not promised to its receiver again, though the preimage is known', () => {
    const [duel, { paymentId }] = locked('a')
    duel.cut()
    expect(fulfil(duel.b, 1n)).to.equal(undefined)
    const { expiry } = duel.b.state.locks[0]!
    silence(duel, expiry, true)
    expect(fulfil(duel.b, 1n), 'layer 1 may still hear of it').to.equal(undefined)
    silence(duel, expiry + 1, true)
    expect(fulfil(duel.b, 1n)).to.equal('LockTooLate')
    silence(duel, expiry + 1200, true)
    expect(endsOf(duel.b).get(paymentId)).to.deep.equal(['failed'])
    expect(fulfil(duel.b, 1n)).to.equal('LockTooLate')
  })

  it('that is given up is not promised to its receiver, though another one has shown the preimage', () => {
    const [duel] = locked('a')
    const { key, expiry } = duel.a.state.locks[0]!
    const twin = {
      kind: 'lock',
      amount: 50n,
      expiry,
      condition: ETHER,
      key,
      paymentId: uint(9, 32),
      payload: '0x',
    } as const
    duel.a.take(twin)
    duel.settleDown()
    duel.cut()
    expect(fail(duel.b, 2n)).to.equal(undefined)
    expect(fulfil(duel.b, 1n)).to.equal(undefined)
    const preimage = secretOf(duel.a.state.locks[0]!.paymentId)
    const again = () => duel.b.take({ kind: 'fulfil', lockId: 2n, preimage, isPublic: false })
    expect(again).to.throw('LockEnding')
    duel.connect()
    duel.settleDown()
    expect([...endsOf(duel.a).values()]).to.deep.equal([['failed'], ['fulfilled']])
  })

  it('whose fulfil the payer has signed is not told as failed while that state may become complete', () => {
    const [duel, { paymentId }] = locked('a')
    fulfil(duel.b, 1n)
    duel.deliver('b')
    expect(duel.a.state.proposal?.moved.length).to.equal(1)
    duel.cut()
    silence(duel, duel.a.state.locks[0]!.expiry + 60, true)
    expect(endsOf(duel.a).get(paymentId)).to.equal(undefined)
    duel.connect()
    duel.settleDown()
    expect(endsOf(duel.a).get(paymentId)).to.deep.equal(['fulfilled'])
  })
})

/** Only one side sees blocks, and what it asks is mined; `catchUp` shows them to the other. */
function silenceOf(duel: Duel, one: 'a' | 'b', until: number): void {
  while (duel.chain.time < until) {
    const sender = duel.side(one).seat.sender
    const asked = duel
      .side(one)
      .calls.splice(0)
      .map((call) => ({ sender, call }))
    const block = duel.chain.mine(asked, Math.min(until, duel.chain.time + 300))
    duel.side(one).take({ kind: 'chain', chain: { kind: 'block', block } })
  }
}

function catchUp(duel: Duel, one: 'a' | 'b'): void {
  const { head } = duel.side(one).state.watch
  for (const { block } of duel.chain.blocks.slice(head + 1)) {
    duel.side(one).take({ kind: 'chain', chain: { kind: 'block', block } })
  }
}
