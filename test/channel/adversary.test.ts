import { expect } from 'chai'
import { concat, ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Call.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import {
  type Channel,
  challengeDigest,
  channelId,
  FINAL,
  MAX_NET,
  withdrawalDigest,
} from '../../src/core/channel/Channel.ts'
import { packLocks } from '../../src/core/channel/Lock.ts'
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

const ALL = 2n ** 128n - 1n

describe('the channel court and an adversary', () => {
  let on: Stage
  let channel: Channel
  let salt = 0
  before(async () => {
    on = await stage()
  })
  beforeEach(() => open())
  afterEach(() => expectSolvent(on))

  const id = () => channelId(on.domain, channel)
  const deposit = (toB: boolean, amount: bigint): ChannelCall => ({
    verb: 'deposit',
    asset: channel.asset,
    channelId: id(),
    toB,
    amount,
  })
  async function open(change: Partial<Channel> = {}): Promise<void> {
    channel = terms(ETHER, ++salt, change)
    expectDone(await play(on, deposit(false, 10n * UNIT), by(alice)))
    expectDone(await play(on, deposit(true, 5n * UNIT), by(bob)))
  }
  const challenge = (state: SignedState): ChannelCall => ({ verb: 'challenge', channel, state })
  const answer = (state: SignedState): ChannelCall => ({ verb: 'answer', channel, state })
  const settle = (locks: Hex = '0x'): ChannelCall => ({ verb: 'settle', channel, locks })
  const state = (version: bigint, units: bigint) => coSigned(on, channel, version, units * UNIT)
  function withdrawal(a: bigint, b: bigint, deadline = on.time + 100): ChannelCall {
    const digest = withdrawalDigest(on.domain, id(), a * UNIT, b * UNIT, deadline)
    const [sigA, sigB] = [sign(digest, alice.key), sign(digest, bob.key)]
    return { verb: 'withdraw', channel, totalA: a * UNIT, totalB: b * UNIT, deadline, sigA, sigB }
  }
  function challengeFor(given: SignedState, key: Hex, deadline = on.time + 100): ChannelCall {
    const sig = sign(challengeDigest(on.domain, id(), given.version, deadline), key)
    return { verb: 'challengeFor', channel, state: given, deadline, sig }
  }

  it('invariant 3: a signature for one verb says nothing to another, whichever the two are', async () => {
    const deadline = on.time + 1000
    const digests = {
      state: state(3n, 0n).sigA,
      final: coSigned(on, channel, FINAL, 0n).sigA,
      withdraw: sign(withdrawalDigest(on.domain, id(), UNIT, 0n, deadline), alice.key),
      challenge: sign(challengeDigest(on.domain, id(), 3n, deadline), alice.key),
    }
    const good = state(3n, 0n)
    for (const [made, sigA] of Object.entries(digests)) {
      const withdraw = { ...withdrawal(1n, 0n, deadline), sigA } as ChannelCall
      if (made !== 'withdraw') expectRefused(await play(on, withdraw, by(stranger)), 'WrongSigner')
      const conclude = { ...conclusion(on, channel, 0n), sigA } as ChannelCall
      if (made !== 'final') expectRefused(await play(on, conclude, by(stranger)), 'WrongSigner')
      if (made !== 'state') expectRefused(await play(on, answer({ ...good, sigA }), by(stranger)), 'WrongSigner')
      const asked: ChannelCall = { verb: 'challengeFor', channel, state: good, deadline, sig: sigA }
      if (made !== 'challenge') expectRefused(await play(on, asked, by(stranger)), 'NotParty')
    }
  })

  it('invariant 3: every signed message again after a top-up, a withdrawal, a dispute and the end is refused or idle', async () => {
    const messages = [
      answer(state(2n, 1n)),
      withdrawal(1n, 1n, 2 ** 40 - 1),
      challengeFor(state(2n, 1n), bob.key, 2 ** 40 - 1),
    ]
    const again = async (...codes: readonly string[]) => {
      for (const [i, message] of messages.entries()) expectRefused(await play(on, message, by(stranger)), codes[i]!)
    }
    expectDone(await play(on, messages[0]!, by(stranger)))
    expectDone(await play(on, messages[1]!, by(stranger)))
    expectDone(await play(on, deposit(true, UNIT), by(carol)))
    expectRefused(await play(on, messages[0]!, by(stranger)), 'StaleVersion')
    expectRefused(await play(on, messages[1]!, by(stranger)), 'WrongWithdrawal')
    expectDone(await play(on, messages[2]!, by(stranger)))
    await again('StaleVersion', 'WrongWithdrawal', 'ChallengeRunning')
    expectDone(await play(on, settle(), by(stranger, { time: on.time + PERIOD + 1 })))
    await again('ChannelClosed', 'ChannelClosed', 'ChannelClosed')
    expectRefused(await play(on, conclusion(on, channel, 0n), by(stranger)), 'ChannelClosed')
  })

  for (const [late, ends] of [
    [-1, 'done'],
    [0, 'done'],
    [1, 'TooLate'],
  ] as const) {
    it(`lets signed deadlines pass to the second: ${late} s is ${ends}`, async () => {
      for (const make of [
        (deadline: number) => withdrawal(1n, 0n, deadline),
        (deadline: number) => challengeFor(NO_STATE, alice.key, deadline),
      ]) {
        const deadline = on.time + 50
        const { refused } = await play(on, make(deadline), by(stranger, { time: deadline + late }))
        expect(refused ?? 'done').to.equal(ends)
      }
    })

    it(`lets a cheater gain nothing by an answer ${late} s from the deadline, after a stranger's wei and a front-run`, async () => {
      expectDone(await play(on, challenge(state(1n, 9n)), by(bob)))
      const deadline = on.time + PERIOD
      expectDone(await play(on, deposit(true, 1n), by(stranger)))
      expectDone(await play(on, answer(state(2n, 7n)), by(bob)))
      const { refused } = await play(on, answer(state(5n, 2n)), by(carol, { time: deadline + late }))
      expect(refused ?? 'done').to.equal(ends)
      const before = await balance(on, ETHER, alice.address)
      expectDone(await play(on, settle(), by(stranger, { time: deadline + 2 })))
      const due = late <= 0 ? 8n : 3n
      expect((await balance(on, ETHER, alice.address)) - before).to.equal(due * UNIT)
    })
  }

  it('answers in the block of the challenge', async () => {
    const { provider } = on.connection
    const court = await on.connection.ethers.getContractAt('Adjudicator', on.domain.court)
    const calls = [
      [bob, court.interface.encodeFunctionData('challenge', [channel, state(1n, 9n)])],
      [stranger, court.interface.encodeFunctionData('answer', [channel, state(2n, 0n)])],
    ] as const
    const gas = { gas: '0x100000', gasPrice: '0x0' }
    on.time += 1
    const time = on.time
    await provider.request({ method: 'evm_setAutomine', params: [false] })
    for (const [{ address: from }, data] of calls) {
      await provider.request({ method: 'eth_sendTransaction', params: [{ from, to: on.domain.court, data, ...gas }] })
    }
    await on.connection.networkHelpers.time.setNextBlockTimestamp(time)
    await provider.request({ method: 'evm_mine', params: [] })
    await provider.request({ method: 'evm_setAutomine', params: [true] })
    const { version, deadline } = await court.recordOf(ETHER, id())
    expect([version, deadline]).to.deep.equal([2n, BigInt(time + PERIOD)])
    const before = await balance(on, ETHER, alice.address)
    await on.connection.networkHelpers.time.setNextBlockTimestamp(time + PERIOD + 1)
    await court.connect(await on.connection.ethers.getSigner(stranger.address)).settle(channel, '0x', { gasPrice: 0 })
    expect((await balance(on, ETHER, alice.address)) - before).to.equal(10n * UNIT)
    on.time = time + PERIOD + 1
    on.balances.clear()
    // The model takes one call a block: it forgets this channel, which is closed and paid.
    on.model = { ...on.model, records: new Map([...on.model.records].filter(([key]) => key !== concat(ETHER, id()))) }
  })

  it('takes owners and signers that became EIP-7702 accounts: keys still sign, and they are paid', async () => {
    const code = concat('0xef0100', on.receiverAddress)
    await on.receiver.behave(0, ETHER, '0x', { gasPrice: 0 })
    await catchUp(on)
    for (const { address } of [alice, bob]) await on.connection.networkHelpers.setCode(address, code)
    expectDone(await play(on, challenge(state(1n, 3n)), by(bob)))
    expectDone(await play(on, withdrawal(1n, 1n), by(stranger)))
    expectDone(await play(on, answer({ ...state(2n, 1n), sigA: '0x' }), by(alice)))
    const before = await balance(on, ETHER, bob.address)
    expectDone(await play(on, conclusion(on, channel, 2n * UNIT), by(stranger)))
    expect((await balance(on, ETHER, bob.address)) - before).to.equal(6n * UNIT)
    for (const { address } of [alice, bob]) await on.connection.networkHelpers.setCode(address, '0x')
  })

  it('keeps to its arithmetic at the limits: net at int128, locks at uint128, version 2^64-2', async () => {
    for (const [net, toB] of [
      [MAX_NET, true],
      [MAX_NET, false],
      [-MAX_NET - 1n, true],
      [-MAX_NET - 1n, false],
    ] as const) {
      await open()
      const secret = uint(900 + salt, 32)
      const expiry = on.time + 10 * PERIOD
      const lock = { toB, id: 2n ** 64n - 1n, amount: ALL, expiry, condition: ETHER, key: hashLock(secret) }
      const locks = [lock, { ...lock, id: 1n }]
      const given = coSigned(on, channel, FINAL - 1n, net, undefined, ZERO, locks)
      expectDone(await play(on, challenge(given), by(alice)))
      expectRefused(await play(on, answer(coSigned(on, channel, FINAL, 0n)), by(alice)), 'FinalVersion')
      expectDone(await play(on, { verb: 'reveal', preimages: [secret] }, by(stranger)))
      const settled = await play(on, settle(packLocks(locks)), by(stranger, { time: on.time + PERIOD }))
      expectDone(settled)
      if (settled.refused !== undefined) throw new Error('unreachable')
      const paid = settled.events.find(({ name }) => name === 'Settled')
      const m = net + (toB ? 2n : -2n) * ALL
      expect(paid).to.deep.include(m > 0n ? { payA: 0n, payB: 15n * UNIT } : { payA: 15n * UNIT, payB: 0n })
    }
  })

  it('refuses withdrawals of all that uint128 can say', async () => {
    const digest = withdrawalDigest(on.domain, id(), ALL, ALL, 2 ** 40 - 1)
    const [sigA, sigB] = [sign(digest, alice.key), sign(digest, bob.key)]
    const call: ChannelCall = { verb: 'withdraw', channel, totalA: ALL, totalB: ALL, deadline: 2 ** 40 - 1, sigA, sigB }
    expectRefused(await play(on, call, by(stranger)), 'WrongWithdrawal', 2n * ALL, 15n * UNIT)
  })

  it("counts a reveal made inside another contract's call", async () => {
    const secret = uint(7777, 32)
    const data = on.abi.encodeFunctionData('reveal', [[secret]])
    const time = on.time + 1
    await on.connection.networkHelpers.time.setNextBlockTimestamp(time)
    await on.receiver.act(on.domain.court, data, { gasPrice: 0 })
    on.time = time
    const key = hashLock(secret)
    on.model = {
      ...on.model,
      verdicts: new Map(on.model.verdicts).set(concat(ETHER, key), { time, amount: ALL }),
    }
    const lock = { toB: true, id: 1n, amount: UNIT, expiry: on.time + 60, condition: ETHER, key }
    const given = coSigned(on, channel, 1n, 0n, undefined, ZERO, [lock])
    expectDone(await play(on, challenge(given), by(alice)))
    const before = await balance(on, ETHER, bob.address)
    expectDone(await play(on, settle(given.locks), by(stranger, { time: on.time + PERIOD + 1 })))
    expect((await balance(on, ETHER, bob.address)) - before).to.equal(6n * UNIT)
  })

  it('invariant 6: pays one side in full whatever the other is: a receiver that refuses, dust, the worst terms', async () => {
    const { receiverAddress: owner } = on
    on.refusing = true
    await on.receiver.behave(1, ETHER, '0x', { gasPrice: 0 })
    await catchUp(on)
    for (const challengePeriod of [0, 2 ** 32 - 1]) {
      await open({ a: { owner, signer: alice.address }, challengePeriod, bond: 2n ** 96n - 1n })
      expectDone(await play(on, deposit(false, 1n), by(stranger)))
      const before = await balance(on, ETHER, bob.address)
      expectDone(await play(on, challenge(state(1n, -1n)), by(bob)))
      expectDone(await play(on, settle(), by(stranger, { time: on.time + 60 * 86_400 + 1 })))
      // His five less the one that he owes; his bond went out and came back.
      expect((await balance(on, ETHER, bob.address)) - before).to.equal(4n * UNIT)
    }
    on.refusing = false
    await on.receiver.behave(0, ETHER, '0x', { gasPrice: 0 })
    await catchUp(on)
  })
})
