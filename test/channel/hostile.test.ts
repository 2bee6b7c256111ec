import { expect } from 'chai'
import { network } from 'hardhat'
import { ETHER, type Hex, ZERO } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import { type Channel, channelId, FINAL } from '../../src/core/channel/Channel.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import type { Adjudicator, OddToken, Receiver } from '../../typechain-types/index.ts'
import { alice, bob, coSigned, stranger, terms, UNIT } from './stage.ts'

// The order of OddToken.Manner and Receiver.Manner.
const MANNERS = [
  'Honest',
  'TakesFee',
  'ReturnsFalse',
  'ReturnsNothing',
  'Returns64Bytes',
  'ReturnsTwo',
  'Reverts',
  'BurnsGas',
  'ReturnBomb',
  'Reenters',
  'PaysTwice',
] as const
const RECEIVES = ['Accepts', 'Reverts', 'BurnsGas', 'Reenters', 'ReturnBomb'] as const

describe('Adjudicator among odd tokens and hostile receivers', () => {
  let connection: Awaited<ReturnType<typeof network.create<'generic'>>>
  let court: Adjudicator
  let token: OddToken
  let receiver: Receiver
  let courtAddress: Hex
  let tokenAddress: Hex
  let receiverAddress: Hex
  let salt = 0

  before(async () => {
    connection = await network.create()
    const { ethers } = connection
    court = await ethers.deployContract('Adjudicator')
    receiver = await ethers.deployContract('Receiver')
    courtAddress = (await court.getAddress()).toLowerCase() as Hex
    receiverAddress = (await receiver.getAddress()).toLowerCase() as Hex
    court = court.connect(await ethers.getSigner(alice.address))
  })
  beforeEach(async () => {
    const { ethers } = connection
    token = await ethers.deployContract('OddToken')
    tokenAddress = (await token.getAddress()).toLowerCase() as Hex
    await token.mint(alice.address, 1000n * UNIT)
    await token.connect(await ethers.getSigner(alice.address)).approve(courtAddress, 1000n * UNIT)
    await receiver.behave(0, ETHER, '0x')
  })

  const id = (channel: Channel) => channelId(domain(31337n, courtAddress), channel)
  const manner = (name: (typeof MANNERS)[number]) => MANNERS.indexOf(name)
  const final = (channel: Channel, net = 0n) => coSigned({ domain: domain(31337n, courtAddress) }, channel, FINAL, net)
  async function opened(asset: Hex, change: Partial<Channel> = {}): Promise<Channel> {
    const channel = terms(asset, ++salt, change)
    for (const toB of [false, true]) {
      await court.deposit(asset, id(channel), toB, UNIT, { value: asset === ETHER ? UNIT : 0n })
    }
    return channel
  }
  async function concluded(channel: Channel, options: { gasLimit?: number } = {}) {
    const { net, sigA, sigB } = final(channel)
    const { ethers } = connection
    return (
      await court.connect(await ethers.getSigner(stranger.address)).conclude(channel, net, sigA, sigB, options)
    ).wait()
  }

  it('takes no deposit that its books would get wrong', async () => {
    const channel = terms(tokenAddress, ++salt)
    const tried = async (name: (typeof MANNERS)[number]) => {
      await token.behave(manner(name), ETHER, '0x')
      return court.deposit(tokenAddress, id(channel), false, UNIT, { gasLimit: 3_000_000 })
    }
    await expect(tried('TakesFee'))
      .to.be.revertedWithCustomError(court, 'WrongTransfer')
      .withArgs(UNIT - 1n, UNIT)
    await expect(tried('PaysTwice'))
      .to.be.revertedWithCustomError(court, 'WrongTransfer')
      .withArgs(2n * UNIT, UNIT)
    await expect(tried('ReturnsFalse'))
      .to.be.revertedWithCustomError(court, 'SafeERC20FailedOperation')
      .withArgs(await token.getAddress())
    await expect(tried('Reverts')).to.revert(connection.ethers)
    await expect(tried('BurnsGas')).to.revert(connection.ethers)
    expect((await court.recordOf(tokenAddress, id(channel))).fundsA).to.equal(0n)
    await expect(court.deposit(stranger.address, id(channel), false, UNIT)).to.revert(connection.ethers)
  })

  it('takes deposits of tokens that return nothing', async () => {
    await token.behave(manner('ReturnsNothing'), ETHER, '0x')
    const channel = await opened(tokenAddress)
    expect((await court.recordOf(tokenAddress, id(channel))).fundsB).to.equal(UNIT)
    await expect(concluded(channel)).to.emit(court, 'Concluded')
    expect(await court.credits(tokenAddress, bob.address)).to.equal(0n)
  })

  for (const name of ['ReturnsFalse', 'ReturnsTwo', 'Reverts', 'BurnsGas'] as const) {
    it(`closes with credits when the token ${name} at payout, and pays them when it is itself again`, async () => {
      const channel = await opened(tokenAddress)
      const before = await court.credits(tokenAddress, bob.address)
      await token.behave(manner(name), ETHER, '0x')
      await concluded(channel)
      expect((await court.credits(tokenAddress, bob.address)) - before).to.equal(UNIT)
      await token.behave(0, ETHER, '0x')
      if (name === 'ReturnsTwo') return // it moved the money and lied: its own holders bear that
      for (const { address } of [alice, bob]) await court.claimCredit(tokenAddress, address, address)
      expect(await court.credits(tokenAddress, bob.address)).to.equal(0n)
    })
  }

  for (const name of ['Returns64Bytes', 'ReturnBomb'] as const) {
    it(`is not impressed by a token that ${name}`, async () => {
      const channel = await opened(tokenAddress)
      await token.behave(manner(name), ETHER, '0x')
      const receipt = await concluded(channel)
      expect(Number(receipt!.gasUsed)).to.be.lessThan(700_000)
      expect((await court.recordOf(tokenAddress, id(channel))).closed).to.equal(true)
    })
  }

  it('lets no token re-enter any verb, at deposit or at payout', async () => {
    const channel = await opened(tokenAddress)
    const other = await opened(ETHER)
    const { net, sigA, sigB } = final(other)
    const state = { ...coSigned({ domain: domain(31337n, courtAddress) }, other, 1n, 0n) }
    const payer = { from: bob.address, permit2: false, validAfter: 0n, validBefore: 0n, salt: ZERO, signature: '0x' }
    const inner = [
      court.interface.encodeFunctionData('deposit', [ETHER, id(other), false, 0n]),
      court.interface.encodeFunctionData('conclude', [other, net, sigA, sigB]),
      court.interface.encodeFunctionData('challenge', [other, state]),
      court.interface.encodeFunctionData('challengeFor', [other, state, 2n ** 40n - 1n, sigA]),
      court.interface.encodeFunctionData('answer', [other, state]),
      court.interface.encodeFunctionData('settle', [other, '0x']),
      court.interface.encodeFunctionData('claimCredit', [tokenAddress, alice.address, alice.address]),
      court.interface.encodeFunctionData('deposits', [[]]),
      court.interface.encodeFunctionData('depositWithPermit', [tokenAddress, id(other), true, 1n, 0n, 27, ZERO, ZERO]),
      court.interface.encodeFunctionData('depositWithAuthorization', [tokenAddress, id(other), true, 1n, payer]),
      court.interface.encodeFunctionData('openBoth', [ETHER, id(other), 0n, 0n, true, payer]),
      court.interface.encodeFunctionData('withdraw', [other, 1n, 0n, 2n ** 40n - 1n, sigA, sigB]),
      court.interface.encodeFunctionData('sweep', [other, tokenAddress]),
      court.interface.encodeFunctionData('judge', [tokenAddress, ZERO]),
    ]
    const locked = court.interface.fragments.filter(
      (part) => part.type === 'function' && !('constant' in part && part.constant),
    )
    // Every verb that changes something is in the list, but the two that need no lock: reveal, and batch, whose items do.
    expect(inner).to.have.length(locked.length - 2)
    const guard = court.interface.getError('ReentrancyGuardReentrantCall')!.selector
    for (const payload of inner) {
      await token.behave(manner('Reenters'), courtAddress, payload)
      await court.deposit(tokenAddress, id(channel), false, 1n)
      expect(await token.reentered(), payload.slice(0, 10)).to.equal(false)
      expect(await token.refusal(), payload.slice(0, 10)).to.equal(guard)
    }
    await token.behave(manner('Reenters'), courtAddress, inner[1]!)
    await concluded(channel)
    expect(await token.reentered()).to.equal(false)
    expect((await court.recordOf(ETHER, id(other))).closed).to.equal(false)
  })

  it('holds its lock while a token runs in a settlement, and in a deposit by authorization', async () => {
    const channel = await opened(tokenAddress)
    const judge = court.interface.encodeFunctionData('judge', [tokenAddress, ZERO])
    const guard = court.interface.getError('ReentrancyGuardReentrantCall')!.selector
    const signature = `0x${'01'.repeat(65)}`
    const payer = { from: alice.address, permit2: false, validAfter: 0n, validBefore: 0n, salt: ZERO, signature }
    await token.behave(manner('Reenters'), courtAddress, judge)
    await court.depositWithAuthorization(tokenAddress, id(channel), true, 1n, payer)
    expect([await token.reentered(), await token.refusal()]).to.deep.equal([false, guard])
    await token.behave(0, ETHER, '0x')
    await court.challenge(channel, { version: 0n, net: 0n, batch: ZERO, locks: '0x', sigA: '0x', sigB: '0x' })
    await connection.networkHelpers.time.increase(100_000)
    await token.behave(manner('Reenters'), courtAddress, judge)
    await court.settle(channel, '0x')
    expect([await token.reentered(), await token.refusal()]).to.deep.equal([false, guard])
  })

  it('asks a condition only with all of the promised gas', async () => {
    const condition = await connection.ethers.deployContract('OddCondition')
    const short = court.judge(condition, ZERO, { gasLimit: 400_000 })
    await expect(short)
      .to.be.revertedWithCustomError(court, 'GasShort')
      .withArgs((have: bigint) => have < 400_000n, 515_625n)
    await court.judge(condition, ZERO)
  })

  for (const name of RECEIVES.slice(1)) {
    it(`pays the other side and keeps a credit when a receiver ${name}`, async () => {
      const channel = await opened(ETHER, { a: { owner: receiverAddress, signer: alice.address } })
      const again = court.interface.encodeFunctionData('claimCredit', [ETHER, receiverAddress, receiverAddress])
      await receiver.behave(RECEIVES.indexOf(name), courtAddress, again)
      const before = await connection.ethers.provider.getBalance(bob.address)
      const credit = await court.credits(ETHER, receiverAddress)
      await concluded(channel)
      expect((await connection.ethers.provider.getBalance(bob.address)) - before).to.equal(UNIT)
      const took = name === 'ReturnBomb' || name === 'Reenters'
      expect((await court.credits(ETHER, receiverAddress)) - credit).to.equal(took ? 0n : UNIT)
      expect(await receiver.reentered()).to.equal(false)
    })
  }

  it('cannot be made to skip a payment by a caller who sends too little gas', async () => {
    const channel = await opened(ETHER)
    const needs = Number((await concluded(await opened(ETHER)))!.gasUsed)
    for (let gasLimit = needs; gasLimit < 250_000; gasLimit += 7_000) {
      const left = await connection.provider.request({ method: 'evm_snapshot', params: [] })
      const paid = await concluded(channel, { gasLimit }).then(
        () => true,
        () => false,
      )
      expect(await court.credits(ETHER, bob.address)).to.equal(0n)
      expect((await court.recordOf(ETHER, id(channel))).closed).to.equal(paid)
      await connection.provider.request({ method: 'evm_revert', params: [left] })
    }
    await expect(concluded(channel, { gasLimit: 130_000 })).to.be.revertedWithCustomError(court, 'GasShort')
  })

  for (const [kind, gasLimit, need] of [
    ['ether', 130_000, 50_000 + 1_562 + 60_000],
    ['a token', 300_000, 300_000 + 9_375 + 60_000],
  ] as const) {
    it(`says how much gas a payment of ${kind} must find: its cap, a 32nd of it, and the reserve`, async () => {
      const channel = await opened(kind === 'ether' ? ETHER : tokenAddress)
      await expect(concluded(channel, { gasLimit }))
        .to.be.revertedWithCustomError(court, 'GasShort')
        .withArgs((have: bigint) => have < need, need)
    })
  }

  it("pays owners that became contracts (EIP-7702) and still takes their keys' signatures", async () => {
    const { ethers } = connection
    const code = await ethers.provider.getCode(receiverAddress)
    const channel = await opened(ETHER)
    await connection.networkHelpers.setCode(bob.address, code)
    const before = await ethers.provider.getBalance(bob.address)
    await concluded(channel)
    expect((await ethers.provider.getBalance(bob.address)) - before).to.equal(UNIT)
    await connection.networkHelpers.setCode(bob.address, '0x')
  })

  it('has no way to take ether that nobody deposited', async () => {
    await expect(
      (await connection.ethers.getSigner(localAccount(7).address)).sendTransaction({ to: courtAddress, value: 1n }),
    ).to.revert(connection.ethers)
  })
})
