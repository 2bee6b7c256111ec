import { expect } from 'chai'
import { concat, ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { type Domain, domain, keccak, sign } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Call.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { type Channel, challengeDigest, channelId, withdrawalDigest } from '../../src/core/channel/Channel.ts'
import { type Lock, packLocks } from '../../src/core/channel/Lock.ts'
import {
  alice,
  balance,
  bob,
  by,
  carol,
  conclusion,
  coSigned,
  expectDone,
  expectRefused,
  expectSolvent,
  PERIOD,
  play,
  playBatch,
  type Stage,
  stage,
  stranger,
  terms,
  UNIT,
} from './stage.ts'

const FOREVER = 2 ** 40 - 1

describe('disputes, case by case', () => {
  let on: Stage
  let channel: Channel
  let salt = 0
  let forced = 0n
  before(async () => {
    on = await stage()
  })
  beforeEach(() => open())
  afterEach(async () => forced > 0n || expectSolvent(on))

  const id = (of = channel) => channelId(on.domain, of)
  async function open(change: Partial<Channel> = {}): Promise<void> {
    channel = terms(ETHER, ++salt, change)
    for (const [toB, amount, who] of [
      [false, 10n * UNIT, alice],
      [true, 5n * UNIT, bob],
    ] as const) {
      expectDone(await play(on, { verb: 'deposit', asset: ETHER, channelId: id(), toB, amount }, by(who)))
    }
  }
  const state = (version: bigint, units = 0n, locks: readonly Lock[] = []) =>
    coSigned(on, channel, version, units * UNIT, undefined, ZERO, locks)
  const challenge = (given: SignedState): ChannelCall => ({ verb: 'challenge', channel, state: given })
  const answer = (given: SignedState): ChannelCall => ({ verb: 'answer', channel, state: given })
  const settle = (locks: readonly Lock[] = []): ChannelCall => ({ verb: 'settle', channel, locks: packLocks(locks) })
  const over = () => on.time + PERIOD + 1
  function lock(preimage: Hex, more: Partial<Lock> = {}): Lock {
    const expiry = on.time + 10 * PERIOD
    return { toB: true, id: 1n, amount: 2n * UNIT, expiry, condition: ETHER, key: hashLock(preimage), ...more }
  }
  /** What both got since, in whole units of ether. */
  async function gains(act: () => Promise<unknown>): Promise<readonly bigint[]> {
    const money = () => Promise.all([alice, bob].map(({ address }) => balance(on, ETHER, address)))
    const before = await money()
    await act()
    return (await money()).map((have, i) => (have - before[i]!) / (UNIT / 10n))
  }

  describe('a bond', () => {
    beforeEach(() => open({ bond: UNIT / 2n }))

    it('comes back to an honest challenger whose peer kept back its signature under one newer proposal', async () => {
      // Alice's newest complete state is 7; she proposed 8 and Bob, who has signed it too, says so only at court.
      expectDone(await play(on, challenge(state(7n, 1n)), by(alice)))
      const end = over()
      expectDone(await play(on, answer(state(8n, 2n)), by(bob)))
      const got = await gains(async () => expectDone(await play(on, settle(), by(stranger, { time: end }))))
      expect(got).to.deep.equal([85n, 70n])
    })

    it('is lost by a cheater who answers its own challenge with another old state', async () => {
      expectDone(await play(on, challenge(state(1n, 9n)), by(bob)))
      const end = over()
      for (const version of [2n, 3n]) expectDone(await play(on, answer(state(version, 8n)), by(bob)))
      expectDone(await play(on, answer(state(9n, 0n)), by(stranger)))
      const got = await gains(async () => expectDone(await play(on, settle(), by(stranger, { time: end }))))
      expect(got).to.deep.equal([105n, 50n])
    })

    it('is lost by a cheater who supersedes itself by two, although nobody else answers', async () => {
      expectDone(await play(on, challenge(state(1n, 9n)), by(bob)))
      const end = over()
      expectDone(await play(on, answer(state(3n, 9n)), by(bob)))
      const got = await gains(async () => expectDone(await play(on, settle(), by(stranger, { time: end }))))
      expect(got).to.deep.equal([15n, 140n])
    })

    for (const first of ['the same answer', 'an older answer'] as const) {
      it(`goes where it would have gone when an answer is front-run by ${first}`, async () => {
        expectDone(await play(on, challenge(state(1n, 9n)), by(bob)))
        const end = over()
        const newest = answer(state(9n, 0n))
        if (first === 'the same answer') {
          expectDone(await play(on, newest, by(bob)))
          expectRefused(await play(on, newest, by(stranger)), 'StaleVersion', 9n, 10n)
        } else {
          expectDone(await play(on, answer(state(2n, 9n)), by(bob)))
          expectDone(await play(on, newest, by(stranger)))
        }
        const got = await gains(async () => expectDone(await play(on, settle(), by(stranger, { time: end }))))
        expect(got).to.deep.equal([105n, 50n])
      })
    }

    it('of 2^96-1 in the terms takes nothing from a conclusion when none was posted, and gives back one that was', async () => {
      for (const posted of [false, true]) {
        await open({ bond: 2n ** 96n - 1n })
        if (posted) expectDone(await play(on, challenge(NO_STATE), by(bob)))
        const end = conclusion(on, channel, UNIT)
        const got = await gains(async () => expectDone(await play(on, end, by(stranger))))
        expect(got).to.deep.equal([90n, posted ? 70n : 60n])
      }
    })
  })

  it('lets one refused item among a hundred answers stop none of the others', async () => {
    const channels = Array.from({ length: 100 }, () => terms(ETHER, ++salt))
    const calls = channels.map((of): ChannelCall => ({ verb: 'answer', channel: of, state: coSigned(on, of, 3n, 0n) }))
    expectDone(await play(on, conclusion(on, channels[57]!, 0n), by(bob)))
    const { refused, ...told } = await playBatch(on, calls, by(stranger))
    expect(refused).to.equal(undefined)
    const events = 'events' in told ? told.events.map((event: { name: string }) => event.name) : []
    expect(events.indexOf('ItemRefused')).to.equal(57)
    expect(events.filter((name) => name === 'Answered')).to.have.length(99)
  })

  it('gives nobody the ether that a destroyed contract forces on it, and takes no deposit for it', async () => {
    forced = 3n * UNIT
    const before = await balance(on, ETHER, on.domain.court)
    const { address: from } = carol
    // Creation code that destroys what it creates: PUSH20 court, SELFDESTRUCT.
    const data = concat('0x73', on.domain.court, '0xff')
    on.time += 1
    await on.connection.networkHelpers.time.setNextBlockTimestamp(on.time)
    const request = { from, data, value: `0x${forced.toString(16)}`, gas: '0x20000', gasPrice: '0x0' }
    await on.connection.provider.request({ method: 'eth_sendTransaction', params: [request] })
    on.balances.clear()
    expect((await balance(on, ETHER, on.domain.court)) - before).to.equal(forced)
    const deposit: ChannelCall = { verb: 'deposit', asset: ETHER, channelId: id(), toB: true, amount: UNIT }
    expectRefused(await play(on, deposit, { ...by(bob), value: 0n }), 'WrongValue', 0n, UNIT)
    const digest = withdrawalDigest(on.domain, id(), 16n * UNIT, 0n, FOREVER)
    const [sigA, sigB] = [sign(digest, alice.key), sign(digest, bob.key)]
    const more: ChannelCall = {
      verb: 'withdraw',
      channel,
      totalA: 16n * UNIT,
      totalB: 0n,
      deadline: FOREVER,
      sigA,
      sigB,
    }
    expectRefused(await play(on, more, by(bob)), 'WrongWithdrawal', 16n * UNIT, 15n * UNIT)
    expectRefused(await play(on, { verb: 'sweep', channel, asset: ETHER }, by(bob)), 'ChannelAsset', ETHER)
    expectDone(await play(on, conclusion(on, channel, -100n * UNIT), by(stranger)))
    expect(await balance(on, ETHER, on.domain.court)).to.equal(before + forced - 15n * UNIT)
    on = await stage()
    forced = 0n
  })

  it('knows two locks of one direction, key and amount apart by their ids, and pays both', async () => {
    const secret = uint(808, 32)
    const twins = [lock(secret), lock(secret, { id: 2n }), lock(secret, { id: 3n, expiry: on.time + PERIOD })]
    expectDone(await play(on, challenge(state(1n, 0n, twins)), by(alice)))
    const end = over()
    const got = await gains(async () => expectDone(await play(on, settle(twins), by(stranger, { time: end }))))
    // The third has expired, and it alone: four stay open.
    expect(got).to.deep.equal([60n, 50n])
    expectRefused(await play(on, settle(twins.slice(0, 1)), by(stranger)), 'WrongLocks')
    expectDone(await play(on, { verb: 'reveal', preimages: [secret] }, by(bob)))
    const more = await gains(async () => expectDone(await play(on, settle(twins.slice(0, 2)), by(stranger))))
    expect(more).to.deep.equal([0n, 40n])
  })

  for (const size of [31, 33]) {
    it(`never pays a lock on the hash of ${size} bytes, however they are shown`, async () => {
      const bytes = `0x${'ab'.repeat(size)}` as Hex
      const key = hashLock(bytes)
      const one = lock(ZERO, { key, expiry: on.time + 2 * PERIOD })
      expectDone(await play(on, challenge(state(1n, 0n, [one])), by(alice)))
      const end = over()
      const shown: Hex[] = size === 31 ? [concat('0x00', bytes), concat(bytes, '0x00')] : [`0x${'ab'.repeat(32)}`]
      expectDone(await play(on, { verb: 'reveal', preimages: shown }, by(bob)))
      expectDone(await play(on, settle([one]), by(bob, { time: end })))
      expectRefused(await play(on, settle([one]), by(bob)), 'NothingDecided')
      const got = await gains(async () => expectDone(await play(on, settle([one]), by(bob, { time: one.expiry + 1 }))))
      expect(got).to.deep.equal([20n, 0n])
    })
  }

  it('gives back a lock whose preimage was shown after its expiry, also when nobody had asked before', async () => {
    const secret = uint(909, 32)
    const one = lock(secret, { expiry: on.time + PERIOD + 100 })
    expectDone(await play(on, challenge(state(1n, 0n, [one])), by(alice)))
    expectDone(await play(on, settle([one]), by(bob, { time: over() })))
    expectDone(await play(on, { verb: 'reveal', preimages: [secret] }, by(bob, { time: one.expiry + 1 })))
    const got = await gains(async () => expectDone(await play(on, settle([one]), by(bob))))
    expect(got).to.deep.equal([20n, 0n])
  })

  it('gives back a lock whose condition never becomes final, a second after its expiry', async () => {
    on.verdict = undefined
    const one = lock(ZERO, {
      condition: on.conditionAddress,
      key: keccak(uint(salt, 32)),
      expiry: on.time + 2 * PERIOD,
    })
    expectDone(await play(on, challenge(state(1n, 0n, [one])), by(alice)))
    expectDone(await play(on, settle([one]), by(bob, { time: over() })))
    const ask: ChannelCall = { verb: 'judge', condition: one.condition, key: one.key }
    expectRefused(await play(on, ask, by(bob)), 'NotFinal', one.condition, one.key)
    expectRefused(await play(on, settle([one]), by(bob, { time: one.expiry })), 'NothingDecided')
    const got = await gains(async () => expectDone(await play(on, settle([one]), by(bob))))
    expect(got).to.deep.equal([20n, 0n])
  })

  it('takes no answer without a version, with a clock and without', async () => {
    expectRefused(await play(on, answer(state(0n)), by(bob)), 'StaleVersion', 0n, 1n)
    expectDone(await play(on, challenge(NO_STATE), by(bob)))
    expectRefused(await play(on, answer(state(0n)), by(bob)), 'StaleVersion', 0n, 1n)
  })

  /** Every message that the two sign, for terms under a domain, as calls that name the channel at hand. */
  function messages(under: Domain, of: Channel): readonly (readonly [ChannelCall, string])[] {
    const signed = { domain: under }
    const made = channelId(under, of)
    const both = (digest: Hex) => ({ sigA: sign(digest, alice.key), sigB: sign(digest, bob.key) })
    const [totalA, totalB, deadline] = [UNIT, UNIT, FOREVER] as const
    const withdrawal = both(withdrawalDigest(under, made, totalA, totalB, deadline))
    const { sigA, sigB } = coSigned(signed, of, 2n ** 64n - 1n, 0n)
    const sig = sign(challengeDigest(under, made, 0n, deadline), bob.key)
    return [
      [answer(coSigned(signed, of, 3n, UNIT)), 'WrongSigner'],
      [challenge(coSigned(signed, of, 3n, UNIT)), 'WrongSigner'],
      [{ verb: 'withdraw', channel, totalA, totalB, deadline, ...withdrawal }, 'WrongSigner'],
      [{ verb: 'conclude', channel, net: 0n, sigA, sigB }, 'WrongSigner'],
      [{ verb: 'challengeFor', channel, state: NO_STATE, deadline, sig }, 'NotParty'],
    ]
  }

  it('takes no message that was signed for another chain, deployment, salt, asset or pair of sides', async () => {
    const { chainId, court } = on.domain
    const foreign = [
      messages(domain(1n, court), channel),
      messages(domain(chainId, stranger.address), channel),
      messages(on.domain, { ...channel, salt: keccak(channel.salt) }),
      messages(on.domain, { ...channel, asset: on.tokenAddress }),
      messages(on.domain, { ...channel, a: channel.b, b: channel.a }),
    ]
    for (const [call, code] of foreign.flat()) {
      const sender = call.verb === 'challenge' ? alice : stranger
      expectRefused(await play(on, call, by(sender)), code)
    }
    for (const [call] of messages(on.domain, channel).slice(0, 1)) expectDone(await play(on, call, by(stranger)))
  })

  const endings = ['no locks', 'open locks', 'void locks', 'resolved locks', 'a conclusion'] as const
  for (const ending of endings) {
    it(`refuses every verb on a channel that was closed with ${ending}`, async () => {
      const secret = uint(7000 + endings.indexOf(ending), 32)
      const one = lock(secret, ending === 'void locks' ? { amount: 99n * UNIT } : {})
      const locks = ending === 'no locks' || ending === 'a conclusion' ? [] : [one]
      if (ending !== 'a conclusion') {
        expectDone(await play(on, challenge(state(1n, 0n, locks)), by(alice)))
        expectDone(await play(on, settle(locks), by(bob, { time: over() })))
      } else expectDone(await play(on, conclusion(on, channel, 0n), by(alice)))
      if (ending === 'resolved locks') {
        expectDone(await play(on, { verb: 'reveal', preimages: [secret] }, by(bob)))
        expectDone(await play(on, settle([one]), by(bob)))
      }
      const payer = { from: ETHER, permit2: false, validAfter: 0n, validBefore: 0n, salt: ZERO, signature: '0x' as Hex }
      const funding = { asset: ETHER, channelId: id() }
      const calls: readonly ChannelCall[] = [
        { ...funding, verb: 'deposit', toB: true, amount: UNIT },
        { ...funding, verb: 'openBoth', amountA: UNIT, amountB: UNIT, payerIsB: true, payer },
        ...messages(on.domain, channel).map(([call]) => call),
      ]
      for (const call of calls) expectRefused(await play(on, call, by(alice)), 'ChannelClosed', id())
      if (ending === 'open locks') expectRefused(await play(on, settle([one]), by(alice)), 'NothingDecided', id())
      else for (const list of [[], [one]]) expectRefused(await play(on, settle(list), by(alice)), 'ChannelClosed', id())
    })
  }
})
