import { expect } from 'chai'
import { creditKey } from '../../src/core/base/Asset.ts'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { compact, domain, sign } from '../../src/core/base/Signature.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Call.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { type Channel, challengeDigest, channelId, FINAL, MAX_NET } from '../../src/core/channel/Channel.ts'
import {
  alice,
  balance,
  bob,
  by,
  carol,
  catchUp,
  conclusion,
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
  describe(`Adjudicator with ${kind}`, () => {
    let on: Stage
    let asset: Hex
    let channel: Channel
    let salt = 0
    before(async () => {
      on = await stage()
      asset = kind === 'ether' ? ETHER : on.tokenAddress
    })
    beforeEach(async () => {
      channel = terms(asset, ++salt)
      await fund(channel, 10n, 5n)
    })
    afterEach(async () => expectSolvent(on))

    async function fund(of: Channel, a: bigint, b: bigint): Promise<void> {
      if (a > 0n) expectDone(await play(on, deposit(of, false, a), by(alice)))
      if (b > 0n) expectDone(await play(on, deposit(of, true, b), by(bob)))
    }
    const deposit = (of: Channel, toB: boolean, units: bigint): ChannelCall => ({
      verb: 'deposit',
      asset: of.asset,
      channelId: channelId(on.domain, of),
      toB,
      amount: units * UNIT,
    })
    const challenge = (state: SignedState, of = channel): ChannelCall => ({ verb: 'challenge', channel: of, state })
    const answer = (state: SignedState, of = channel): ChannelCall => ({ verb: 'answer', channel: of, state })
    const settle = (of = channel): ChannelCall => ({ verb: 'settle', channel: of, locks: '0x' })
    const state = (version: bigint, units: bigint, of = channel) => coSigned(on, of, version, units * UNIT)
    const deadlineOf = () => on.time + PERIOD

    it('adds deposits of anybody to either side, also while a clock runs', async () => {
      expectDone(await play(on, deposit(channel, true, 3n), by(carol)))
      expectDone(await play(on, challenge(NO_STATE), by(alice)))
      expectDone(await play(on, deposit(channel, false, 1n), by(stranger)))
    })

    it('refuses an empty deposit, a wrong value and a side that would outgrow int128', async () => {
      expectRefused(await play(on, deposit(channel, false, 0n), by(alice)), 'ZeroAmount')
      expectRefused(
        await play(on, deposit(channel, false, 2n), by(alice, { value: 1n })),
        'WrongValue',
        1n,
        kind === 'ether' ? 2n * UNIT : 0n,
      )
      const id = channelId(on.domain, channel)
      const huge = (amount: bigint): ChannelCall => ({ verb: 'deposit', asset, channelId: id, toB: false, amount })
      const cast = await play(on, huge(2n ** 127n), by(alice, { value: 0n }))
      expectRefused(cast, 'SafeCastOverflowedIntDowncast', 128, 2n ** 127n)
      const sum = await play(on, huge(2n ** 127n - 1n), by(alice, { value: 0n }))
      expectRefused(sum, 'SafeCastOverflowedIntDowncast', 128, 2n ** 127n - 1n + 10n * UNIT)
      const most = await play(on, huge(2n ** 255n - 1n), by(alice, { value: 0n }))
      expectRefused(most, 'SafeCastOverflowedIntDowncast', 128, 2n ** 255n - 1n)
      expectRefused(
        await play(on, huge(2n ** 255n), by(alice, { value: 0n })),
        'SafeCastOverflowedUintToInt',
        2n ** 255n,
      )
    })

    it("concludes with both signatures, a party's transaction counting as its own", async () => {
      expectDone(await play(on, conclusion(on, channel, 4n * UNIT), by(stranger)))
      channel = terms(asset, ++salt)
      await fund(channel, 10n, 5n)
      expectDone(await play(on, conclusion(on, channel, -5n * UNIT, [undefined, bob.key]), by(alice)))
    })

    it('never pays less than nothing: a net beyond the funds gives all to one side', async () => {
      for (const net of [100n * UNIT, -100n * UNIT, MAX_NET, -MAX_NET - 1n]) {
        channel = terms(asset, ++salt)
        await fund(channel, 10n, 5n)
        expectDone(await play(on, conclusion(on, channel, net), by(bob)))
      }
    })

    it('refuses to conclude without both: stranger, one twice, sides swapped, empty, zero signer', async () => {
      const wrong: (readonly (Hex | undefined)[])[] = [
        [alice.key, carol.key],
        [alice.key, alice.key],
        [bob.key, alice.key],
        [alice.key, undefined],
        [undefined, undefined],
      ]
      for (const keys of wrong)
        expectRefused(await play(on, conclusion(on, channel, 0n, keys), by(stranger)), 'WrongSigner')
      const unsigned = terms(asset, ++salt, { b: { owner: bob.address, signer: ETHER } })
      await fund(unsigned, 1n, 0n)
      const garbage = { ...conclusion(on, unsigned, 0n), sigB: `0x${'00'.repeat(65)}` as Hex } as ChannelCall
      expectRefused(await play(on, garbage, by(stranger)), 'WrongSigner', ETHER, ETHER)
    })

    it('takes compact signatures and refuses high s, odd v, a longer or shorter one', async () => {
      const call = conclusion(on, channel, UNIT) as Extract<ChannelCall, { verb: 'conclude' }>
      const flipped = call.sigA.endsWith('1b') ? '1c' : '1b'
      const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
      const highS = uint(order - BigInt(`0x${call.sigA.slice(66, 130)}`), 32).slice(2)
      const spoiled = [
        `${call.sigA.slice(0, 66)}${highS}${flipped}`,
        `${call.sigA.slice(0, -2)}1a`,
        `${call.sigA.slice(0, -2)}1d`,
        `${call.sigA.slice(0, -2)}00`,
        `${call.sigA.slice(0, -2)}01`,
        `${call.sigA}00`,
        call.sigA.slice(0, -4),
        `0x${'00'.repeat(64)}`,
      ] as Hex[]
      for (const sigA of spoiled)
        expectRefused(await play(on, { ...call, sigA }, by(stranger)), 'WrongSigner', ETHER, alice.address)
      expectDone(await play(on, { ...call, sigA: compact(call.sigA), sigB: compact(call.sigB) }, by(stranger)))
    })

    it('starts a clock for an owner or a signer of either side, with a state or with none', async () => {
      expectDone(await play(on, challenge(state(3n, 2n)), by(alice)))
      const apart = terms(asset, ++salt, { b: { owner: carol.address, signer: bob.address } })
      await fund(apart, 2n, 2n)
      const other = terms(asset, ++salt, { b: { owner: carol.address, signer: bob.address } })
      await fund(other, 2n, 2n)
      expectDone(await play(on, challenge(NO_STATE, apart), by(carol)))
      expectDone(await play(on, challenge(state(1n, 1n, other), other), by(bob)))
    })

    it('lets nobody else start a dispute, and nobody start it twice', async () => {
      expectRefused(await play(on, challenge(state(3n, 2n)), by(stranger)), 'NotParty', stranger.address)
      expectDone(await play(on, challenge(NO_STATE), by(bob)))
      const deadline = deadlineOf()
      expectRefused(await play(on, challenge(state(3n, 2n)), by(alice)), 'ChallengeRunning', deadline)
      expectRefused(
        await play(on, challenge(NO_STATE), by(alice, { time: deadline + 100 })),
        'ChallengeRunning',
        deadline,
      )
    })

    it('takes a signed Challenge from anybody, until its deadline, for its version only', async () => {
      const id = channelId(on.domain, channel)
      const limit = on.time + 50
      const sig = (version: bigint, key: Hex, under = on.domain) =>
        sign(challengeDigest(under, id, version, limit), key)
      const asked = (given: SignedState, signature: Hex, deadline = limit): ChannelCall => ({
        verb: 'challengeFor',
        channel,
        state: given,
        deadline,
        sig: signature,
      })
      const given = state(7n, 1n)
      expectRefused(await play(on, asked(given, sig(6n, bob.key)), by(stranger)), 'NotParty')
      expectRefused(await play(on, asked(given, sig(7n, carol.key)), by(stranger)), 'NotParty', carol.address)
      expectRefused(await play(on, asked(given, '0x'), by(alice)), 'NotParty', ETHER)
      expectRefused(
        await play(on, asked(given, sig(7n, bob.key, domain(1n, on.domain.court))), by(stranger)),
        'NotParty',
      )
      expectRefused(await play(on, asked(given, sig(7n, bob.key), limit + 1), by(stranger)), 'NotParty')
      expectRefused(await play(on, asked(given, given.sigB), by(stranger)), 'NotParty')
      expectDone(await play(on, asked(given, sig(7n, bob.key)), by(stranger, { time: limit })))
      channel = terms(asset, ++salt)
      const late = sign(challengeDigest(on.domain, channelId(on.domain, channel), 0n, limit), alice.key)
      const refused = await play(on, asked(NO_STATE, late), by(stranger, { time: limit + 1 }))
      expectRefused(refused, 'TooLate', BigInt(limit + 1), BigInt(limit))
    })

    it('keeps what is recorded when a challenge brings nothing newer', async () => {
      expectDone(await play(on, answer(state(5n, 2n)), by(stranger)))
      expectDone(await play(on, challenge(state(4n, 9n)), by(bob)))
      expectDone(await play(on, settle(), by(bob, { time: deadlineOf() + 1 })))
    })

    it('answers with a newer state only, never moving the deadline, up to its last second', async () => {
      expectDone(await play(on, challenge(state(3n, 5n)), by(bob)))
      const deadline = deadlineOf()
      expectRefused(await play(on, answer(state(3n, 1n)), by(alice)), 'StaleVersion', 3n, 4n)
      expectRefused(await play(on, answer(state(2n, 1n)), by(alice)), 'StaleVersion', 2n, 4n)
      expectDone(await play(on, answer(state(8n, 1n)), by(stranger, { time: deadline - 1 })))
      expectDone(await play(on, answer(state(9n, 1n)), by(stranger, { time: deadline })))
      const late = await play(on, answer(state(10n, 1n)), by(stranger, { time: deadline + 1 }))
      expectRefused(late, 'TooLate', BigInt(deadline + 1), BigInt(deadline))
      expectDone(await play(on, settle(), by(stranger)))
    })

    it('settles only after the deadline, once', async () => {
      expectRefused(await play(on, settle(), by(alice)), 'NoChallenge')
      expectDone(await play(on, challenge(state(3n, 5n)), by(bob)))
      const deadline = deadlineOf()
      expectRefused(await play(on, settle(), by(bob, { time: deadline - 1 })), 'ChallengeRunning', deadline)
      expectRefused(await play(on, settle(), by(bob, { time: deadline })), 'ChallengeRunning', deadline)
      expectDone(await play(on, settle(), by(stranger, { time: deadline + 1 })))
      expectRefused(await play(on, settle(), by(stranger)), 'ChannelClosed', channelId(on.domain, channel))
    })

    it('pays out a deposit that the peer never signed for (version 0)', async () => {
      channel = terms(asset, ++salt)
      await fund(channel, 7n, 0n)
      expectDone(await play(on, challenge(NO_STATE), by(alice)))
      const before = await balance(on, asset, alice.address)
      expectDone(await play(on, settle(), by(alice, { time: deadlineOf() + 1 })))
      expect((await balance(on, asset, alice.address)) - before).to.equal(7n * UNIT)
    })

    it('counts a clock that is older than the deposit', async () => {
      channel = terms(asset, ++salt)
      expectDone(await play(on, challenge(NO_STATE), by(bob)))
      const deadline = deadlineOf()
      await fund(channel, 7n, 0n)
      expectDone(await play(on, settle(), by(stranger, { time: deadline + 1 })))
    })

    it('refuses the final version everywhere but in conclude', async () => {
      const final = coSigned(on, channel, FINAL, UNIT)
      expectRefused(await play(on, challenge(final), by(alice)), 'FinalVersion')
      expectRefused(await play(on, answer(final), by(alice)), 'FinalVersion')
      expectDone(await play(on, challenge(state(FINAL - 1n, 1n)), by(alice)))
      expectDone(await play(on, conclusion(on, channel, UNIT), by(stranger)))
    })

    it('refuses a list of locks that was not signed, and value sent to a challenge without a bond', async () => {
      const listed = { ...state(3n, 1n), locks: `0x${'00'.repeat(82)}` as Hex }
      expectRefused(await play(on, challenge(listed), by(alice)), 'WrongSigner')
      expectRefused(await play(on, answer(listed), by(alice)), 'WrongSigner')
      expectRefused(await play(on, challenge(NO_STATE), by(alice, { value: 1n })), 'WrongValue', 1n, 0n)
      expectDone(await play(on, challenge(NO_STATE), by(alice)))
      const asked: ChannelCall = { verb: 'settle', channel, locks: '0x00' }
      expectRefused(await play(on, asked, by(alice, { time: deadlineOf() + 1 })), 'WrongLocks')
    })

    it('refuses every verb on a closed channel, however it was closed', async () => {
      for (const way of ['conclude', 'settle', 'conclude in a dispute'] as const) {
        channel = terms(asset, ++salt)
        await fund(channel, 10n, 5n)
        const id = channelId(on.domain, channel)
        if (way !== 'conclude') expectDone(await play(on, challenge(state(2n, 1n)), by(alice)))
        const deadline = deadlineOf()
        if (way === 'settle') expectDone(await play(on, settle(), by(alice, { time: deadline + 1 })))
        else expectDone(await play(on, conclusion(on, channel, UNIT), by(alice)))
        const calls = [deposit(channel, false, 1n), conclusion(on, channel, UNIT), challenge(state(9n, 2n)), settle()]
        for (const call of calls) expectRefused(await play(on, call, by(alice)), 'ChannelClosed', id)
        const tried = await play(on, answer(state(9n, 2n)), by(alice))
        // Under a clock that a conclusion left behind an answer is recorded and pays nobody; nothing else opens again.
        if (way === 'conclude in a dispute') expectDone(tried)
        else expectRefused(tried, 'ChannelClosed', id)
        if (way === 'conclude in a dispute') {
          expectRefused(await play(on, settle(), by(alice, { time: deadline + 10 })), 'ChannelClosed', id)
        }
      }
    })

    it('accepts no signature made for another chain, deployment, channel, version, verb or side', async () => {
      const elsewhere = [domain(1n, on.domain.court), domain(on.domain.chainId, stranger.address)]
      for (const foreign of elsewhere) {
        expectRefused(
          await play(on, answer(coSigned({ domain: foreign }, channel, 3n, UNIT)), by(stranger)),
          'WrongSigner',
        )
      }
      const twin = terms(asset, 10_000 + salt)
      expectRefused(await play(on, answer(coSigned(on, twin, 3n, UNIT)), by(stranger)), 'WrongSigner')
      expectRefused(await play(on, answer({ ...state(3n, 1n), version: 4n }), by(stranger)), 'WrongSigner')
      expectRefused(await play(on, answer({ ...state(3n, 1n), net: -UNIT }), by(stranger)), 'WrongSigner')
      expectRefused(await play(on, answer({ ...state(3n, 1n), batch: uint(1, 32) }), by(stranger)), 'WrongSigner')
      const { sigA, sigB, net } = state(3n, 1n)
      expectRefused(await play(on, { verb: 'conclude', channel, net, sigA, sigB }, by(stranger)), 'WrongSigner')
      const swapped = { ...channel, a: channel.b, b: channel.a }
      await fund(swapped, 1n, 1n)
      expectRefused(await play(on, answer(state(3n, 1n), swapped), by(stranger)), 'WrongSigner')
    })

    it('clamps a challenge period of nothing and of ages, so that no terms can block an exit', async () => {
      for (const [asked, real] of [
        [0, 60],
        [59, 60],
        [2 ** 32 - 1, 60 * 86_400],
      ] as const) {
        channel = terms(asset, ++salt, { challengePeriod: asked })
        await fund(channel, 1n, 0n)
        expectDone(await play(on, challenge(NO_STATE), by(alice)))
        expectRefused(await play(on, settle(), by(alice, { time: on.time + real })), 'ChallengeRunning')
        expectDone(await play(on, settle(), by(alice)))
      }
    })

    it("keeps the sides of one person's own channel apart by signature, not by address", async () => {
      const self = terms(asset, ++salt, { b: { owner: alice.address, signer: alice.address } })
      await fund(self, 2n, 0n)
      expectDone(await play(on, challenge(coSigned(on, self, 1n, UNIT, [alice.key, undefined]), self), by(alice)))
    })

    it("finds no credit, and no right to send another's", async () => {
      const claim = (owner: Hex, to: Hex): ChannelCall => ({ verb: 'claimCredit', asset, owner, to })
      expectRefused(await play(on, claim(alice.address, alice.address), by(alice)), 'NoCredit', asset, alice.address)
      expectRefused(await play(on, claim(alice.address, bob.address), by(bob)), 'NotOwner', bob.address, alice.address)
    })
  })
}

describe('Adjudicator and receivers that will not be paid', () => {
  it('keeps a refused payment as a credit, pays the other side, and lets the owner send the credit elsewhere', async () => {
    const on = await stage()
    on.refusing = true
    await on.receiver.behave(1, ETHER, '0x', { gasPrice: 0 })
    await catchUp(on)
    const owner = on.receiverAddress
    const channel = terms(ETHER, 1, { a: { owner, signer: alice.address } })
    const id = channelId(on.domain, channel)
    for (const toB of [false, true]) {
      expectDone(await play(on, { verb: 'deposit', asset: ETHER, channelId: id, toB, amount: UNIT }, by(alice)))
    }
    expectDone(await play(on, conclusion(on, channel, 0n), by(stranger)))
    expect(on.model.credits.get(creditKey(ETHER, owner))).to.equal(UNIT)
    await expectSolvent(on)
    const claim: ChannelCall = { verb: 'claimCredit', asset: ETHER, owner, to: owner }
    expectRefused(await play(on, claim, by(stranger)), 'PaymentRefused', ETHER, owner, UNIT)
    const elsewhere = on.abi.encodeFunctionData('claimCredit', [ETHER, owner, carol.address])
    const before = await balance(on, ETHER, carol.address)
    await on.receiver.act(on.domain.court, elsewhere, { gasPrice: 0 })
    expect((await balance(on, ETHER, carol.address)) - before).to.equal(UNIT)
  })
})
