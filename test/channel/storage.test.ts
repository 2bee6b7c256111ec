import { expect } from 'chai'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { keccakWords, sign } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import { type Channel, channelId, withdrawalDigest } from '../../src/core/channel/Channel.ts'
import { type Lock, locksRoot, packLocks } from '../../src/core/channel/Lock.ts'
import {
  alice,
  bob,
  by,
  conclusion,
  coSigned,
  expectDone,
  PERIOD,
  play,
  type Stage,
  stage,
  terms,
  UNIT,
} from './stage.ts'

const CLOSED = 1n << 255n

describe("a channel's five slots", () => {
  let on: Stage
  let channel: Channel
  let first: Hex
  let salt = 0
  const id = () => channelId(on.domain, channel)

  async function open(change: Partial<Channel> = {}): Promise<void> {
    channel = terms(ETHER, ++salt, change)
    for (const toB of [false, true]) {
      expectDone(await play(on, { verb: 'deposit', asset: ETHER, channelId: id(), toB, amount: UNIT }, by(alice)))
    }
  }
  async function slot(base: Hex, index: bigint): Promise<bigint> {
    const at = BigInt(keccakWords(id(), keccakWords(ETHER, base))) + index
    return BigInt(await on.connection.ethers.provider.getStorage(on.domain.court, at))
  }
  const slots = () => Promise.all([0n, 1n, 2n, 3n, 4n].map((index) => slot(first, index)))
  const challenge = (version: bigint, locks: readonly Lock[] = []) => {
    const state = coSigned(on, channel, version, 0n, undefined, ZERO, locks)
    return play(on, { verb: 'challenge', channel, state }, by(alice))
  }
  const settle = (locks: readonly Lock[], time: number) =>
    play(on, { verb: 'settle', channel, locks: packLocks(locks) }, by(bob, { time }))
  const lock = (number: number, expiry: number): Lock => {
    const key = hashLock(uint(number, 32))
    return { toB: true, id: BigInt(number), amount: UNIT / 4n, expiry, condition: ETHER, key }
  }

  before(async () => {
    on = await stage()
    await open()
    const bases = [0, 1, 2, 3, 4].map((index) => uint(index, 32))
    const found = await Promise.all(bases.map((base) => slot(base, 0n)))
    first = bases[found.findIndex((word) => word !== 0n)]!
  })
  beforeEach(() => open())

  it('hold the funds and nothing else until there is more to say', async () => {
    expect(await slots()).to.deep.equal([(UNIT << 128n) | UNIT, 0n, 0n, 0n, 0n])
  })

  it('hold version, deadline and net of a dispute, its root, and the bond', async () => {
    await open({ bond: 1n })
    const locks = [lock(1, on.time + PERIOD)]
    expectDone(await challenge(3n, locks))
    const dispute = (3n << 192n) | (BigInt(on.time + PERIOD) << 152n) | (1n << 16n)
    const bond = (1n << 160n) | (3n << 96n)
    expect(await slots()).to.deep.equal([(UNIT << 128n) | UNIT, dispute, BigInt(locksRoot(packLocks(locks))), 0n, bond])
  })

  for (const [what, totalA, totalB] of [
    ['something', UNIT / 2n, 3n],
    ['everything', UNIT, UNIT],
  ] as const) {
    it(`hold totals once ${what} was withdrawn`, async () => {
      const deadline = on.time + 9
      const digest = withdrawalDigest(on.domain, id(), totalA, totalB, deadline)
      const [sigA, sigB] = [sign(digest, alice.key), sign(digest, bob.key)]
      expectDone(await play(on, { verb: 'withdraw', channel, totalA, totalB, deadline, sigA, sigB }, by(bob)))
      const rest = ((UNIT - totalA) << 128n) | (UNIT - totalB)
      expect(await slots()).to.deep.equal([rest, 0n, 0n, (totalA << 128n) | totalB, 0n])
    })
  }

  it('hold the mark alone once a settlement has paid all', async () => {
    for (const locks of [[], [lock(2, on.time + 9)]]) {
      await open({ bond: 1n })
      expectDone(await challenge(2n, locks))
      expectDone(await settle(locks, on.time + PERIOD + 1))
      expect(await slots()).to.deep.equal([CLOSED, 0n, 0n, 0n, 0n])
    }
  })

  it('hold the mark alone once both have concluded: no bond is left', async () => {
    await open({ bond: 1n })
    expectDone(await challenge(0n))
    expectDone(await play(on, conclusion(on, channel, 0n), by(bob)))
    const [mark, , root, withdrawn, bond] = await slots()
    expect([mark, root, withdrawn, bond]).to.deep.equal([CLOSED, 0n, 0n, 0n])
  })

  it('hold the root of what a settlement left open, until all of that is decided', async () => {
    const [soon, late] = [lock(3, on.time + 2 * PERIOD), lock(4, on.time + 3 * PERIOD)]
    expectDone(await challenge(2n, [soon, late]))
    expectDone(await settle([soon, late], on.time + PERIOD + 1))
    const open = BigInt(locksRoot(packLocks([soon, late])))
    expect(await slots()).to.deep.equal([CLOSED | 1n, 0n, open, 0n, 0n])
    expectDone(await settle([soon, late], soon.expiry + 1))
    expect(await slots()).to.deep.equal([CLOSED | 1n, 0n, BigInt(locksRoot(packLocks([late]))), 0n, 0n])
    expectDone(await settle([late], late.expiry + 1))
    expect(await slots()).to.deep.equal([CLOSED, 0n, 0n, 0n, 0n])
  })

  it('hold nothing more when a lock of B is revealed after the settlement: A is paid all of it, B none', async () => {
    const late = { ...lock(5, on.time + 3 * PERIOD), toB: false }
    expectDone(await challenge(2n, [late]))
    expectDone(await settle([late], on.time + PERIOD + 1))
    expectDone(await play(on, { verb: 'reveal', preimages: [uint(5, 32)] }, by(alice)))
    const told = await settle([late], on.time + 1)
    if (told.refused !== undefined) throw new Error(told.refused)
    expect(told.events[0]).to.include({ payA: UNIT / 4n, payB: 0n })
    expect(await slots()).to.deep.equal([CLOSED, 0n, 0n, 0n, 0n])
  })
})
