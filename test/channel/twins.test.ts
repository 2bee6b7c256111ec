import { expect } from 'chai'
import { keccak256, type Result, solidityPacked, TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import { network } from 'hardhat'
import { concat, type Hex, size, slice, toHex } from '../../src/core/base/Bytes.ts'
import { type Domain, domain } from '../../src/core/base/Signature.ts'
import {
  batchHash,
  type Channel,
  challengeDigest,
  channelId,
  leafHash,
  MAX_NET,
  payouts,
  type State,
  stateDigest,
  withdrawalDigest,
} from '../../src/core/channel/Channel.ts'
import { type Lock, locksRoot, packLocks, unpackLocks } from '../../src/core/channel/Lock.ts'
import { bondOf, period } from '../../src/core/channel/Record.ts'
import type { Exposed } from '../../typechain-types/index.ts'
import { arbitrary, runs } from '../fuzz.ts'

const party = fc.record({ owner: arbitrary.address, signer: arbitrary.address })
const net = fc.bigInt(-MAX_NET - 1n, MAX_NET)
const channel: fc.Arbitrary<Channel> = fc.record({
  a: party,
  b: party,
  asset: arbitrary.address,
  challengePeriod: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  bond: fc.bigInt(0n, 2n ** 96n - 1n),
  salt: arbitrary.word,
})
const lock: fc.Arbitrary<Lock> = fc.record({
  toB: fc.boolean(),
  id: fc.bigInt(0n, 2n ** 64n - 1n),
  amount: fc.bigInt(0n, 2n ** 128n - 1n),
  expiry: fc.integer({ min: 0, max: 2 ** 40 - 1 }),
  condition: arbitrary.address,
  key: arbitrary.word,
})
const state: fc.Arbitrary<State> = fc.record({
  channelId: arbitrary.word,
  version: fc.bigInt(0n, 2n ** 64n - 1n),
  net,
  locksRoot: arbitrary.word,
  batch: arbitrary.word,
})

describe('channel nouns and their Solidity twins', () => {
  let exposed: Exposed
  let court: Domain
  before(async () => {
    const { ethers } = await network.create()
    exposed = await ethers.deployContract('Exposed')
    court = domain(31337n, (await exposed.getAddress()).toLowerCase() as Hex)
  })

  it('gives a channel the same id', async () => {
    await fc.assert(
      fc.asyncProperty(channel, async (terms) => {
        expect(await exposed.channelId(terms)).to.equal(channelId(court, terms))
        expect(await exposed.period(terms)).to.equal(BigInt(period(terms)))
        expect(await exposed.bondDue(terms)).to.equal(bondOf(terms))
      }),
      runs(60),
    )
  })

  it('gives a state and a challenge the digest that the contract and ethers compute', async () => {
    const types = {
      State: ['bytes32 channelId', 'uint64 version', 'int128 net', 'bytes32 locksRoot', 'bytes32 batch'].map(field),
      Challenge: ['bytes32 channelId', 'uint64 version', 'uint40 deadline'].map(field),
      Withdrawal: ['bytes32 channelId', 'uint128 totalA', 'uint128 totalB', 'uint40 deadline'].map(field),
    }
    const theirs = { name: 'kerros', version: '1', chainId: court.chainId, verifyingContract: court.court }
    await fc.assert(
      fc.asyncProperty(state, fc.integer({ min: 0, max: 2 ** 40 - 1 }), async (s, deadline) => {
        const mine = stateDigest(court, s)
        expect(await exposed.stateDigest(s.channelId, s.version, s.net, s.locksRoot, s.batch)).to.equal(mine)
        expect(TypedDataEncoder.hash(theirs, { State: types.State }, s)).to.equal(mine)
        const challenge = { channelId: s.channelId, version: s.version, deadline }
        const asked = challengeDigest(court, s.channelId, s.version, deadline)
        expect(await exposed.challengeDigest(s.channelId, s.version, deadline)).to.equal(asked)
        expect(TypedDataEncoder.hash(theirs, { Challenge: types.Challenge }, challenge)).to.equal(asked)
        const [totalA, totalB] = [BigInt.asUintN(128, s.net), s.version]
        const taken = { channelId: s.channelId, totalA, totalB, deadline }
        const digest = withdrawalDigest(court, s.channelId, totalA, totalB, deadline)
        expect(await exposed.withdrawalDigest(s.channelId, totalA, totalB, deadline)).to.equal(digest)
        expect(TypedDataEncoder.hash(theirs, { Withdrawal: types.Withdrawal }, taken)).to.equal(digest)
      }),
      runs(40),
    )
  })

  it('hashes leaves and batches as abi.encodePacked says', () => {
    const count = fc.nat({ max: 2 ** 32 - 1 })
    const memo = fc.uint8Array({ maxLength: 200 }).map(toHex)
    fc.assert(
      fc.property(arbitrary.word, memo, count, fc.bigInt(0n, 2n ** 128n - 1n), (paymentId, bytes, ofA, amount) => {
        const hash = leafHash({ amount, paymentId, memo: bytes })
        const packed = solidityPacked(['uint128', 'bytes32', 'bytes'], [amount, paymentId, bytes])
        expect(hash).to.equal(keccak256(packed))
        const two = solidityPacked(['uint32', 'bytes32', 'bytes32'], [ofA, hash, paymentId])
        expect(batchHash(ofA, [hash, paymentId])).to.equal(keccak256(two))
      }),
      runs(60),
    )
    expect(batchHash(0, [])).to.equal(`0x${'00'.repeat(32)}`)
  })

  it('divides the funds the same way: never negative, always the whole', async () => {
    const funds = fc.bigInt(-(2n ** 126n), 2n ** 126n)
    const open = fc.oneof(fc.constant(0n), fc.bigInt(0n, 2n ** 120n), fc.bigInt(0n, 2n ** 128n))
    await fc.assert(
      fc.asyncProperty(funds, funds, net, open, open, async (fundsA, fundsB, owed, oA, oB) => {
        fc.pre(fundsA + fundsB >= 0n)
        const { payA, payB, voids } = payouts(fundsA, fundsB, owed, oA, oB)
        expect(await exposed.payouts(fundsA, fundsB, owed, oA, oB)).to.deep.equal([payA, payB, voids])
        expect(voids).to.equal(oA + oB > fundsA + fundsB)
        const under = voids ? 0n : oA + oB
        expect(payA >= 0n && payB >= 0n && payA + payB + under === fundsA + fundsB).to.equal(true)
        const due = fundsA - owed - (voids ? 0n : oA)
        if (due >= 0n && due <= fundsA + fundsB - under) expect(payA).to.equal(due)
      }),
      runs(100),
    )
  })

  it('packs, hashes and reads lists of locks alike, and refuses the same malformed ones', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(lock, { maxLength: 6 }), fc.nat(), async (locks, pick) => {
        const list = packLocks(locks)
        expect(unpackLocks(list)).to.deep.equal(locks)
        expect(await exposed.checkedRoot(list)).to.equal(locksRoot(list))
        if (locks.length === 0) return
        const index = pick % locks.length
        const read = await exposed.readLock(list, index)
        const mine = locks[index]!
        const lower = { condition: read.condition.toLowerCase(), expiry: Number(read.expiry) }
        expect({ ...(read as unknown as Result).toObject(), ...lower }).to.deep.equal(mine)
        const short = slice(list, 0, size(list) - 1)
        expect(() => unpackLocks(short)).to.throw('WrongListSize')
        await expect(exposed.checkedRoot(short)).to.be.revertedWithCustomError(exposed, 'WrongListSize')
        const bent = concat(slice(list, 0, 82 * index), '0x02', slice(list, 82 * index + 1))
        expect(() => unpackLocks(bent)).to.throw('WrongDirection')
        const refused = expect(exposed.checkedRoot(bent)).to.be.revertedWithCustomError(exposed, 'WrongDirection')
        await refused.withArgs(index)
      }),
      runs(25),
    )
    const most = packLocks(Array.from({ length: 256 }, () => fc.sample(lock, 1)[0]!))
    expect(await exposed.checkedRoot(most)).to.equal(locksRoot(most))
    const over = concat(most, slice(most, 0, 82))
    expect(() => unpackLocks(over)).to.throw('WrongListSize')
    await expect(exposed.checkedRoot(over)).to.be.revertedWithCustomError(exposed, 'WrongListSize')
  })

  it('packs funds and disputes without loss, and no funds but the mark read as closed', async () => {
    await fc.assert(
      fc.asyncProperty(net, net, fc.bigInt(0n, 2n ** 64n - 1n), fc.nat(2 ** 31), async (a, b, version, deadline) => {
        const [, fundsA, fundsB, closed] = await exposed.packFunds(a, b)
        expect([fundsA, fundsB, closed]).to.deep.equal([a, b, a === -(2n ** 127n)])
        for (const flag of [true, false]) {
          const packed = await exposed.packDispute(version, deadline, a, flag)
          expect(packed).to.deep.equal([version, BigInt(deadline), a, flag])
          const bond = BigInt.asUintN(96, b)
          expect(await exposed.packBond(bond, version, flag)).to.deep.equal([bond, version, flag])
        }
      }),
      runs(60),
    )
    expect((await exposed.packFunds(-(2n ** 127n), 5n))[3]).to.equal(true)
  })

  it('adds to one side of any funds, negative too, and refuses what int128 cannot hold', async () => {
    const amount = fc.oneof(
      fc.bigInt(1n, 2n ** 127n),
      fc.bigInt(1n, 2n ** 255n - 1n),
      fc.bigInt(1n, 2n ** 256n - 1n),
      fc.bigInt(1n, 100n),
    )
    await fc.assert(
      fc.asyncProperty(net, net, fc.boolean(), amount, async (a, b, toB, more) => {
        const sum = (toB ? b : a) + more
        const done = exposed.addFunds(a, b, toB, more)
        if (more > MAX_NET || sum > MAX_NET)
          await expect(done).to.be.revertedWithCustomError(
            exposed,
            more < 2n ** 255n ? 'SafeCastOverflowedIntDowncast' : 'SafeCastOverflowedUintToInt',
          )
        else expect(await done).to.deep.equal(toB ? [a, sum] : [sum, b])
      }),
      runs(150),
    )
    expect(await exposed.addFunds(-5n, -7n, true, 7n)).to.deep.equal([-5n, 0n])
    expect(await exposed.addFunds(-5n, -7n, false, MAX_NET)).to.deep.equal([MAX_NET - 5n, -7n])
  })
})

function field(text: string): { type: string; name: string } {
  const [type, name] = text.split(' ') as [string, string]
  return { type, name }
}
