import { expect } from 'chai'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { ALL, hashLock } from '../../src/core/base/Verdicts.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Call.ts'
import { type Channel, channelId } from '../../src/core/channel/Channel.ts'
import { type Lock, locksRoot, packLocks } from '../../src/core/channel/Lock.ts'
import {
  alice,
  bob,
  by,
  catchUp,
  coSigned,
  expectDone,
  expectRefused,
  expectSolvent,
  PERIOD,
  play,
  type Stage,
  stage,
  stranger,
  terms,
  UNIT,
} from './stage.ts'

for (const kind of ['ether', 'ERC-20'] as const) {
  describe(`locks in ${kind}`, () => {
    let on: Stage
    let channel: Channel
    let salt = 0
    let expiry = 0
    let secret = 0
    before(async () => {
      on = await stage()
    })
    beforeEach(async () => {
      channel = terms(kind === 'ether' ? ETHER : on.tokenAddress, ++salt)
      await fund(10n, 5n)
      expiry = on.time + 10 * PERIOD
    })
    afterEach(async () => expectSolvent(on))

    async function fund(a: bigint, b: bigint): Promise<void> {
      const { asset } = channel
      const id = channelId(on.domain, channel)
      for (const [toB, units, who] of [
        [false, a, alice],
        [true, b, bob],
      ] as const) {
        if (units > 0n)
          expectDone(await play(on, { verb: 'deposit', asset, channelId: id, toB, amount: units * UNIT }, by(who)))
      }
    }

    let ids = 0n
    function lock(toB: boolean, units: bigint, more: Partial<Lock> = {}): Lock & { preimage: Hex } {
      const preimage = uint(1_000_000 * (kind === 'ether' ? 1 : 2) + ++secret, 32)
      return {
        toB,
        id: ++ids,
        amount: units * UNIT,
        expiry,
        condition: ETHER,
        key: hashLock(preimage),
        ...more,
        preimage,
      }
    }
    const bare = ({ preimage: _, ...rest }: Lock & { preimage: Hex }): Lock => rest
    const state = (version: bigint, net: bigint, locks: readonly (Lock & { preimage: Hex })[]): SignedState =>
      coSigned(on, channel, version, net * UNIT, undefined, ZERO, locks.map(bare))
    const reveal = (...locks: readonly { preimage: Hex }[]): ChannelCall => ({
      verb: 'reveal',
      preimages: locks.map(({ preimage }) => preimage),
    })
    const settle = (locks: readonly (Lock & { preimage: Hex })[]): ChannelCall => ({
      verb: 'settle',
      channel,
      locks: packLocks(locks.map(bare)),
    })
    async function challenged(given: SignedState): Promise<number> {
      expectDone(await play(on, { verb: 'challenge', channel, state: given }, by(alice)))
      return on.time + PERIOD + 1
    }
    function paid(outcome: Awaited<ReturnType<typeof play>>): readonly [bigint, bigint, Hex] {
      expectDone(outcome)
      if (outcome.refused !== undefined) throw new Error(outcome.refused)
      const event = outcome.events.find(({ name }) => name === 'Settled')
      if (event?.name !== 'Settled') throw new Error('nothing was settled')
      return [event.payA / (UNIT / 1000n), event.payB / (UNIT / 1000n), event.locksRoot]
    }

    it('pays revealed locks to their receivers and leaves the open ones under a new root', async () => {
      const locks = [lock(true, 2n), lock(false, 1n), lock(true, 3n)]
      const over = await challenged(state(1n, 1n, locks))
      expectDone(await play(on, reveal(locks[0]!, locks[1]!), by(stranger)))
      // 10 - 1 - 2 + 1 - 3 (open) = 5 and 5 + 1 + 2 - 1 = 7
      expect(paid(await play(on, settle(locks), by(stranger, { time: over })))).to.deep.equal([
        5000n,
        7000n,
        locksRoot(packLocks([bare(locks[2]!)])),
      ])
      expectRefused(await play(on, settle([locks[2]!]), by(stranger)), 'NothingDecided')
      expectDone(await play(on, reveal(locks[2]!), by(stranger)))
      expectRefused(await play(on, settle(locks), by(stranger)), 'WrongLocks')
      expect(paid(await play(on, settle([locks[2]!]), by(stranger)))).to.deep.equal([0n, 3000n, ZERO])
      expectRefused(await play(on, settle([]), by(stranger)), 'ChannelClosed')
    })

    for (const [late, shown] of [
      [-1, 'in time'],
      [0, 'in time'],
      [1, 'too late'],
    ] as const) {
      it(`counts a preimage shown ${late} s from the expiry as ${shown}`, async () => {
        const one = lock(true, 2n, { expiry: on.time + PERIOD / 2 })
        const over = await challenged(state(1n, 0n, [one]))
        expectDone(await play(on, reveal(one), by(bob, { time: one.expiry + late })))
        const [a, b] = late <= 0 ? [8000n, 7000n] : [10_000n, 5000n]
        expect(paid(await play(on, settle([one]), by(stranger, { time: over })))).to.deep.equal([a, b, ZERO])
      })
    }

    it('gives an expired lock back, at its expiry not yet, a second later', async () => {
      const one = lock(false, 2n)
      const over = await challenged(state(1n, 0n, [one]))
      expect(paid(await play(on, settle([one]), by(stranger, { time: over })))).to.deep.equal([
        10_000n,
        3000n,
        locksRoot(packLocks([bare(one)])),
      ])
      expectRefused(await play(on, settle([one]), by(stranger, { time: one.expiry })), 'NothingDecided')
      expect(paid(await play(on, settle([one]), by(stranger, { time: one.expiry + 1 })))).to.deep.equal([
        0n,
        2000n,
        ZERO,
      ])
    })

    it('settles two locks on one key alike, and the same key in another channel too', async () => {
      const one = lock(true, 1n)
      const same = { ...lock(true, 2n), key: one.key }
      const first = channel
      const over = await challenged(state(1n, 0n, [one, same]))
      expectDone(await play(on, reveal(one), by(stranger)))
      expectDone(await play(on, reveal(one), by(stranger)))
      expect(paid(await play(on, settle([one, same]), by(stranger, { time: over })))).to.deep.equal([
        7000n,
        8000n,
        ZERO,
      ])
      channel = terms(first.asset, ++salt)
      await fund(4n, 0n)
      const again = await challenged(state(1n, 0n, [one]))
      expect(paid(await play(on, settle([one]), by(stranger, { time: again })))).to.deep.equal([3000n, 1000n, ZERO])
    })

    it('voids open locks that are together more than the funds, and clamps decided ones', async () => {
      const locks = [lock(true, 9n), lock(false, 7n)]
      const over = await challenged(state(1n, 3n, locks))
      expect(paid(await play(on, settle(locks), by(stranger, { time: over })))).to.deep.equal([7000n, 8000n, ZERO])
      channel = terms(channel.asset, ++salt)
      await fund(10n, 5n)
      const big = [lock(true, 100n), lock(true, 2n)]
      const then = await challenged(state(1n, 0n, big))
      expectDone(await play(on, reveal(big[0]!), by(bob)))
      expect(paid(await play(on, settle(big), by(stranger, { time: then })))[0]).to.equal(0n)
    })

    it('takes only the list that was signed: wrong, reordered, cut and foreign ones are refused', async () => {
      const locks = [lock(true, 1n), lock(false, 1n)]
      const given = state(1n, 0n, locks)
      const wrong = { ...given, locks: packLocks([...locks].reverse().map(bare)) }
      expectRefused(await play(on, { verb: 'challenge', channel, state: wrong }, by(alice)), 'WrongSigner')
      expectRefused(
        await play(on, { verb: 'answer', channel, state: { ...given, locks: '0x' } }, by(alice)),
        'WrongSigner',
      )
      expectRefused(
        await play(on, { verb: 'answer', channel, state: { ...given, locks: '0x00' } }, by(alice)),
        'WrongListSize',
      )
      const bent = `0x02${given.locks.slice(4)}` as Hex
      expectRefused(
        await play(on, { verb: 'answer', channel, state: { ...given, locks: bent } }, by(alice)),
        'WrongDirection',
      )
      const over = await challenged(given)
      for (const list of [[], [locks[0]!], [...locks].reverse(), [...locks, lock(true, 1n)]]) {
        expectRefused(
          await play(on, settle(list), by(stranger, { time: over > on.time ? over : on.time + 1 })),
          'WrongLocks',
        )
      }
      expectDone(await play(on, settle(locks), by(stranger)))
    })

    it('forgets the locks of an older state when a newer one has none', async () => {
      const locks = [lock(true, 4n)]
      const over = await challenged(state(1n, 0n, locks))
      expectDone(await play(on, { verb: 'answer', channel, state: state(2n, 1n, []) }, by(stranger)))
      expectRefused(await play(on, settle(locks), by(stranger, { time: over })), 'WrongLocks')
      expect(paid(await play(on, settle([]), by(stranger)))).to.deep.equal([9000n, 6000n, ZERO])
    })

    it('never settles twice through a state that is answered after a conclusion', async () => {
      const locks = [lock(true, 4n)]
      const over = await challenged(state(1n, 0n, []))
      const final = coSigned(on, channel, 2n ** 64n - 1n, 0n)
      const conclude: ChannelCall = { verb: 'conclude', channel, net: 0n, sigA: final.sigA, sigB: final.sigB }
      expectDone(await play(on, conclude, by(stranger)))
      expectDone(await play(on, { verb: 'answer', channel, state: state(2n, 0n, locks) }, by(bob)))
      expectDone(await play(on, reveal(locks[0]!), by(bob)))
      expectRefused(await play(on, settle(locks), by(bob, { time: over })), 'ChannelClosed')
    })

    it('pays a list of the greatest length within half of a transaction', async () => {
      channel = terms(channel.asset, ++salt)
      await fund(300n, 300n)
      const locks = Array.from({ length: 256 }, (_, i) => lock(i % 2 === 0, 1n))
      const over = await challenged(state(1n, 0n, locks))
      expectDone(await play(on, reveal(...locks.slice(0, 200)), by(stranger)))
      const [a, b] = paid(await play(on, settle(locks), by(stranger, { time: over })))
      expect([a, b]).to.deep.equal([272_000n, 272_000n])
      const { gasUsed } = (await on.connection.ethers.provider.getBlock('latest'))!
      expect(Number(gasUsed)).to.be.lessThan(16_777_216 / 2)
      const rest = locks.slice(200)
      expectDone(await play(on, settle(rest), by(stranger, { time: expiry + 1 })))
    })

    it('lets a condition decide, once, a part or all, and never more than the lock', async () => {
      for (const [answer, toB] of [
        [0n, 0n],
        [UNIT / 2n, 500n],
        [5n * UNIT, 2000n],
      ] as const) {
        channel = terms(channel.asset, ++salt)
        await fund(10n, 0n)
        const one = lock(true, 2n, { condition: on.conditionAddress })
        const over = await challenged(state(1n, 0n, [one]))
        on.verdict = undefined
        await on.condition.behave(1, answer, { gasPrice: 0 })
        await catchUp(on)
        const ask: ChannelCall = { verb: 'judge', condition: on.conditionAddress, key: one.key }
        expectRefused(await play(on, ask, by(stranger)), 'NotFinal', on.conditionAddress, one.key)
        await on.condition.behave(0, answer, { gasPrice: 0 })
        await catchUp(on)
        on.verdict = answer
        expectDone(await play(on, ask, by(stranger)))
        expectRefused(await play(on, ask, by(stranger)), 'AlreadyJudged', on.conditionAddress, one.key)
        const [, b] = paid(await play(on, settle([one]), by(stranger, { time: over })))
        expect(b).to.equal(toB)
      }
      const zero: ChannelCall = { verb: 'judge', condition: ETHER, key: ZERO }
      expectRefused(await play(on, zero, by(stranger)), 'NoCondition')
    })

    it('records nothing of a condition that reverts, burns, lies about its form or is no contract', async () => {
      on.verdict = undefined
      for (const manner of [2, 3, 4, 5, 6, 7]) {
        await on.condition.behave(manner, 1n, { gasPrice: 0 })
        await catchUp(on)
        const ask: ChannelCall = { verb: 'judge', condition: on.conditionAddress, key: uint(manner, 32) }
        expectRefused(await play(on, ask, by(stranger)), 'NotFinal')
      }
      const nobody: ChannelCall = { verb: 'judge', condition: stranger.address, key: ZERO }
      expectRefused(await play(on, nobody, by(stranger)), 'NotFinal')
      expect(
        on.model.verdicts.size > 0 && [...on.model.verdicts.values()].every(({ amount }) => amount <= ALL),
      ).to.equal(true)
    })
  })
}
