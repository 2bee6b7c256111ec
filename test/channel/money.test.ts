import { expect } from 'chai'
import { creditKey } from '../../src/core/base/Asset.ts'
import { ETHER, type Hex, ZERO } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import { adjudicate } from '../../src/core/channel/Adjudicator.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Call.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { type Channel, channelId, withdrawalDigest } from '../../src/core/channel/Channel.ts'
import {
  agreeOnMoney,
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
  playBatch,
  type Stage,
  stage,
  stranger,
  terms,
  UNIT,
} from './stage.ts'

interface Signed {
  readonly of: Channel
  readonly state: SignedState
}

describe('money in an open channel', () => {
  let on: Stage
  let channel: Channel
  let salt = 0
  before(async () => {
    on = await stage()
  })
  afterEach(async () => expectSolvent(on))

  const id = () => channelId(on.domain, channel)
  async function open(change: Partial<Channel> = {}, asset: Hex = ETHER): Promise<void> {
    channel = terms(asset, ++salt, change)
    for (const [toB, units, who] of [
      [false, 10n, alice],
      [true, 5n, bob],
    ] as const) {
      expectDone(await play(on, { verb: 'deposit', asset, channelId: id(), toB, amount: units * UNIT }, by(who)))
    }
  }
  function withdrawal(a: bigint, b: bigint, keys: readonly Hex[] = [alice.key, bob.key], late = 0): ChannelCall {
    const [totalA, totalB, deadline] = [a * UNIT, b * UNIT, on.time + 100 + late]
    const digest = withdrawalDigest(on.domain, id(), totalA, totalB, deadline)
    const [sigA, sigB] = keys.map((key) => sign(digest, key)) as [Hex, Hex]
    return { verb: 'withdraw', channel, totalA, totalB, deadline, sigA, sigB }
  }
  const challenge = (state: SignedState): ChannelCall => ({ verb: 'challenge', channel, state })
  const settle = (): ChannelCall => ({ verb: 'settle', channel, locks: '0x' })

  for (const kind of ['ether', 'ERC-20'] as const) {
    it(`takes out what both have signed, once, by totals, in ${kind}`, async () => {
      await open({}, kind === 'ether' ? ETHER : on.tokenAddress)
      const first = withdrawal(3n, 0n)
      expectDone(await play(on, first, by(stranger)))
      expectRefused(await play(on, first, by(stranger)), 'WrongWithdrawal', 0n, 12n * UNIT)
      expectDone(await play(on, withdrawal(4n, 2n), by(stranger)))
      expectDone(await play(on, withdrawal(1n, 3n), by(stranger)))
      expectRefused(await play(on, withdrawal(20n, 3n), by(stranger)), 'WrongWithdrawal', 16n * UNIT, 8n * UNIT)
      const before = await balance(on, channel.asset, alice.address)
      expectDone(await play(on, conclusion(on, channel, UNIT), by(stranger)))
      // Alice had put in 10, took 4, and owes 1.
      expect((await balance(on, channel.asset, alice.address)) - before).to.equal(5n * UNIT)
      expectRefused(await play(on, withdrawal(5n, 5n), by(stranger)), 'ChannelClosed', id())
    })
  }

  it('refuses a withdrawal that is late, half signed, or signed for another channel or verb', async () => {
    await open()
    const call = withdrawal(1n, 0n) as Extract<ChannelCall, { verb: 'withdraw' }>
    expectRefused(await play(on, call, by(stranger, { time: call.deadline + 1 })), 'TooLate')
    expectRefused(await play(on, withdrawal(1n, 0n, [alice.key, alice.key]), by(stranger)), 'WrongSigner')
    const raised = { ...withdrawal(1n, 0n), totalA: 2n * UNIT } as ChannelCall
    expectRefused(await play(on, raised, by(stranger)), 'WrongSigner')
    const elsewhere = withdrawal(1n, 0n) as typeof call
    await open()
    expectRefused(await play(on, { ...elsewhere, channel }, by(stranger)), 'WrongSigner')
    const { sigA, sigB } = withdrawal(0n, 0n) as typeof call
    expectRefused(await play(on, { verb: 'conclude', channel, net: 0n, sigA, sigB }, by(stranger)), 'WrongSigner')
  })

  it('lets no old state touch what was withdrawn: all of one side out, then every old state at court', async () => {
    await open()
    const old = coSigned(on, channel, 1n, -5n * UNIT)
    expectDone(await play(on, withdrawal(10n, 0n), by(stranger)))
    expectDone(await play(on, challenge(old), by(alice)))
    expectDone(await play(on, withdrawal(12n, 1n), by(stranger)))
    const before = await balance(on, ETHER, bob.address)
    expectDone(await play(on, settle(), by(stranger, { time: on.time + PERIOD + 1 })))
    // The funds are -2 and 4; by the old state Alice is owed 5 more, so what is left is hers.
    expect((await balance(on, ETHER, bob.address)) - before).to.equal(0n)
  })

  for (const [step, lost] of [
    [0n, false],
    [1n, false],
    [2n, true],
    [3n, true],
  ] as const) {
    it(`gives a bond ${lost ? 'to the other side' : 'back'} when the settled version is ${step} above the challenged one`, async () => {
      await open({ bond: UNIT / 10n })
      expectDone(await play(on, challenge(coSigned(on, channel, 5n, 0n)), by(bob)))
      const deadline = on.time + PERIOD
      if (step > 0n) {
        const newer = coSigned(on, channel, 5n + step, 0n)
        expectDone(await play(on, { verb: 'answer', channel, state: newer }, by(stranger)))
      }
      const [a, b] = [await balance(on, ETHER, alice.address), await balance(on, ETHER, bob.address)]
      expectDone(await play(on, settle(), by(stranger, { time: deadline + 1 })))
      const bond = UNIT / 10n
      expect((await balance(on, ETHER, alice.address)) - a).to.equal(10n * UNIT + (lost ? bond : 0n))
      expect((await balance(on, ETHER, bob.address)) - b).to.equal(5n * UNIT + (lost ? 0n : bond))
    })
  }

  it('judges a bond by what is recorded when the clock starts, not by what the challenger brought', async () => {
    await open({ bond: UNIT })
    expectDone(await play(on, { verb: 'answer', channel, state: coSigned(on, channel, 8n, 0n) }, by(stranger)))
    expectDone(await play(on, challenge(coSigned(on, channel, 2n, 0n)), by(bob)))
    const before = await balance(on, ETHER, bob.address)
    expectDone(await play(on, settle(), by(stranger, { time: on.time + PERIOD + 1 })))
    expect((await balance(on, ETHER, bob.address)) - before).to.equal(6n * UNIT)
  })

  it('takes exactly the bond, one ether at most, and gives it back at a conclusion', async () => {
    await open({ bond: UNIT / 2n })
    for (const value of [0n, UNIT / 2n - 1n, UNIT / 2n + 1n]) {
      expectRefused(await play(on, challenge(NO_STATE), by(alice, { value })), 'WrongValue', value, UNIT / 2n)
    }
    await open({ bond: 2n ** 96n - 1n })
    expectDone(await play(on, conclusion(on, channel, 0n), by(stranger)))
    await open({ bond: 2n ** 96n - 1n }, on.tokenAddress)
    expectRefused(await play(on, challenge(NO_STATE), by(alice, { value: 2n * UNIT })), 'WrongValue', 2n * UNIT, UNIT)
    expectDone(await play(on, challenge(NO_STATE), by(alice)))
    const before = await balance(on, ETHER, alice.address)
    expectDone(await play(on, conclusion(on, channel, 0n), by(stranger)))
    expect((await balance(on, ETHER, alice.address)) - before).to.equal(UNIT)
  })

  it('gives back by side what came under another asset, again and again, and never its own', async () => {
    await open()
    const wrong = on.tokenAddress
    const sweep: ChannelCall = { verb: 'sweep', channel, asset: wrong }
    expectRefused(await play(on, sweep, by(stranger)), 'ZeroAmount')
    expectRefused(await play(on, { ...sweep, asset: ETHER } as ChannelCall, by(stranger)), 'ChannelAsset', ETHER)
    for (const toB of [false, true]) {
      expectDone(await play(on, { verb: 'deposit', asset: wrong, channelId: id(), toB, amount: 3n * UNIT }, by(carol)))
    }
    expectDone(await play(on, sweep, by(stranger)))
    expectRefused(await play(on, sweep, by(stranger)), 'ZeroAmount')
    expectDone(await play(on, conclusion(on, channel, 0n), by(stranger)))
    expectDone(await play(on, { verb: 'deposit', asset: wrong, channelId: id(), toB: true, amount: UNIT }, by(carol)))
    expectDone(await play(on, sweep, by(stranger)))
  })

  it('opens a hundred channels in one transaction, and gives back the ether of those that are closed', async () => {
    await open()
    expectDone(await play(on, conclusion(on, channel, 0n), by(stranger)))
    const closed = id()
    const list = Array.from({ length: 99 }, (_, i) => ({
      channelId: channelId(on.domain, terms(ETHER, ++salt)),
      toB: i % 2 === 0,
      amount: BigInt(i + 1),
    }))
    const all = [...list, { channelId: closed, toB: true, amount: UNIT }]
    const call: ChannelCall = { verb: 'deposits', list: all }
    expectRefused(await play(on, call, by(carol, { value: 4950n })), 'WrongValue', 4950n, 4950n + UNIT)
    expectRefused(await play(on, { verb: 'deposits', list: [{ ...all[0]!, amount: 0n }] }, by(carol)), 'ZeroAmount')
    const before = await balance(on, ETHER, carol.address)
    expectDone(await play(on, call, by(carol)))
    expect(before - (await balance(on, ETHER, carol.address))).to.equal(4950n)
  })

  it('keeps as a credit what it cannot give back', async () => {
    await open()
    expectDone(await play(on, conclusion(on, channel, 0n), by(stranger)))
    const data = on.abi.encodeFunctionData('deposits', [[{ channelId: id(), toB: true, amount: 7n }]])
    await on.receiver.behave(1, ETHER, '0x', { gasPrice: 0 })
    await on.receiver.act(on.domain.court, data, { value: 7n, gasPrice: 0 })
    await on.receiver.behave(0, ETHER, '0x', { gasPrice: 0 })
    await catchUp(on)
    const claim: ChannelCall = { verb: 'claimCredit', asset: ETHER, owner: on.receiverAddress, to: on.receiverAddress }
    const credits = new Map(on.model.credits).set(creditKey(ETHER, on.receiverAddress), 7n)
    on.model = { ...on.model, credits }
    on.balances.clear()
    expectDone(await play(on, claim, by(stranger)))
  })

  it('funds both sides at once in ether, and refuses the whole if one side is refused', async () => {
    channel = terms(ETHER, ++salt)
    const payer = { from: ETHER, permit2: false, validAfter: 0n, validBefore: 0n, salt: ZERO, signature: '0x' as Hex }
    const both = (amountA: bigint, amountB: bigint): ChannelCall => ({
      verb: 'openBoth',
      asset: ETHER,
      channelId: id(),
      amountA,
      amountB,
      payerIsB: true,
      payer,
    })
    expectRefused(await play(on, both(UNIT, 0n), by(carol)), 'ZeroAmount')
    expectRefused(await play(on, both(UNIT, UNIT), by(carol, { value: UNIT })), 'WrongValue', UNIT, 2n * UNIT)
    expectDone(await play(on, both(UNIT, 2n * UNIT), by(carol)))
    const token = { ...both(UNIT, UNIT), asset: on.tokenAddress } as ChannelCall
    expectRefused(await play(on, token, by(carol)), 'SignatureLength', 0n, 65n)
    expectDone(await play(on, conclusion(on, channel, 0n), by(stranger)))
    expectRefused(await play(on, both(UNIT, UNIT), by(carol)), 'ChannelClosed', id())
  })

  it('closes many channels in one transaction: each call gives its lock back', async () => {
    await open()
    const first = conclusion(on, channel, UNIT)
    await open()
    const outcome = await playBatch(on, [first, conclusion(on, channel, -UNIT)], by(stranger))
    if (outcome.refused !== undefined) throw new Error('unreachable')
    expect(outcome.events.map(({ name }) => name)).to.deep.equal(['Concluded', 'Concluded'])
    await agreeOnMoney(on)
  })

  it('makes many calls at once, passes over and tells the refused ones, and takes no ether for them', async () => {
    await open()
    const first = channel
    await open()
    const [one, two] = [first, channel].map((of) => ({ of, state: coSigned(on, of, 4n, UNIT) })) as [Signed, Signed]
    const stale = coSigned(on, first, 2n, 0n)
    const calls = [
      on.abi.encodeFunctionData('answer', [one.of, one.state]),
      on.abi.encodeFunctionData('answer', [first, stale]),
      on.abi.encodeFunctionData('deposit', [ETHER, id(), true, UNIT]),
      on.abi.encodeFunctionData('answer', [two.of, two.state]),
    ]
    const { ethers } = on.connection
    const court = (await ethers.getContractAt('Adjudicator', on.domain.court)).connect(
      await ethers.getSigner(carol.address),
    )
    const sent = await court.batch(calls, { gasPrice: 0 })
    await catchUp(on)
    const refused = (await sent.wait())!.logs.flatMap((log) => {
      const event = on.abi.parseLog(log)!
      return event.name === 'ItemRefused' ? [[event.args.index, on.abi.parseError(event.args.reason)!.name]] : []
    })
    expect(refused).to.deep.equal([
      [1n, 'StaleVersion'],
      [2n, 'WrongValue'],
    ])
    for (const of of [first, channel]) {
      // The model takes part item by item; here it is told what the batch did.
      const state = of === first ? one.state : two.state
      on.model = adjudicate(
        on.model,
        { verb: 'answer', channel: of, state },
        { sender: carol.address, value: 0n, time: on.time, baseFee: 0n, refuses: () => false },
      ).state
      expect((await court.recordOf(ETHER, channelId(on.domain, of))).version).to.equal(4n)
    }
    const data = on.abi.encodeFunctionData('batch', [calls])
    const paid = (await ethers.getSigner(carol.address)).sendTransaction({
      to: on.domain.court,
      data,
      value: 1n,
      gasPrice: 0,
    })
    await expect(paid).to.revert(ethers)
  })
})
