import { expect } from 'chai'
import { getAddress } from 'ethers'
import { network } from 'hardhat'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import { type Channel, channelId, FINAL } from '../../src/core/channel/Channel.ts'
import type { Lock } from '../../src/core/channel/Lock.ts'
import type { Adjudicator, IssuedToken, OddToken } from '../../typechain-types/index.ts'
import { alice, bob, carol, coSigned, PERIOD, stranger, terms } from './stage.ts'

describe('Adjudicator and tokens whose issuer can do anything', () => {
  let connection: Awaited<ReturnType<typeof network.create<'generic'>>>
  let court: Adjudicator
  let token: IssuedToken
  let odd: OddToken
  let [address, asset, oddAsset]: Hex[] = []
  let channel: Channel
  let salt = 0

  const as = async ({ address: who }: { address: Hex }) => court.connect(await connection.ethers.getSigner(who))
  const at = async (contract: { getAddress(): Promise<string> }) => (await contract.getAddress()).toLowerCase() as Hex
  before(async () => {
    connection = await network.create()
    court = await connection.ethers.deployContract('Adjudicator')
    address = await at(court)
    court = await as(stranger)
  })
  beforeEach(async () => {
    const { ethers } = connection
    token = await ethers.deployContract('IssuedToken')
    odd = await ethers.deployContract('OddToken')
    ;[asset, oddAsset] = [await at(token), await at(odd)]
    for (const { address: who } of [alice, bob]) {
      for (const one of [token, odd]) {
        await one.mint(who, 1000n)
        await one.connect(await ethers.getSigner(who)).approve(address!, 2n ** 256n - 1n)
      }
    }
    channel = await opened(asset)
  })

  const on = () => ({ domain: domain(31337n, address!) })
  const id = (of = channel) => channelId(on().domain, of)
  const state = (version: bigint, net: bigint, locks: readonly Lock[] = []) =>
    coSigned(on(), channel, version, net, undefined, undefined, locks)
  const credits = async () => [await court.credits(asset!, alice.address), await court.credits(asset!, bob.address)]
  const held = async () => [await token.balanceOf(alice.address), await token.balanceOf(bob.address)]
  async function opened(of: Hex): Promise<Channel> {
    const made = terms(of, ++salt)
    await (await as(alice)).deposit(of, id(made), false, 10n)
    await (await as(bob)).deposit(of, id(made), true, 5n)
    return made
  }
  async function concluded(net = 0n, of = channel) {
    const { sigA, sigB } = coSigned(on(), of, FINAL, net)
    return court.conclude(of, net, sigA, sigB)
  }
  async function overtime(): Promise<void> {
    await connection.networkHelpers.time.increase(PERIOD + 1)
  }
  const claim = (who: { address: Hex }, to = who) => court.claimCredit(asset!, who.address, to.address)

  it('pays one side although the other was blacklisted in mid-dispute, which may then name another receiver', async () => {
    await (await as(bob)).challenge(channel, state(1n, 0n))
    await token.ban(bob.address, true)
    await court.answer(channel, state(2n, -2n))
    await overtime()
    await court.settle(channel, '0x')
    expect(await held()).to.deep.equal([1002n, 995n])
    expect(await credits()).to.deep.equal([0n, 3n])
    await expect(claim(bob))
      .to.be.revertedWithCustomError(court, 'PaymentRefused')
      .withArgs(await token.getAddress(), getAddress(bob.address), 3n)
    expect(await credits()).to.deep.equal([0n, 3n])
    await (await as(bob)).claimCredit(asset!, bob.address, carol.address)
    expect(await token.balanceOf(carol.address)).to.equal(3n)
  })

  it('closes although the court itself was blacklisted in mid-dispute, and pays both once it is let go', async () => {
    await (await as(alice)).challenge(channel, state(1n, 1n))
    await token.ban(address!, true)
    await overtime()
    await court.settle(channel, '0x')
    expect(await credits()).to.deep.equal([9n, 6n])
    await token.ban(address!, false)
    for (const who of [alice, bob]) await claim(who)
    expect(await held()).to.deep.equal([999n, 1001n])
  })

  it('goes on with a dispute while its token is paused: nothing comes in, all that goes out waits as credits', async () => {
    const secret = uint(4711, 32)
    const now = await connection.networkHelpers.time.latest()
    const terms_ = { toB: true, id: 1n, amount: 4n, expiry: now + 10 * PERIOD, condition: ETHER }
    const given = state(1n, 0n, [{ ...terms_, key: hashLock(secret) }])
    await (await as(alice)).challenge(channel, given)
    await token.pause(true)
    await expect((await as(alice)).deposit(asset!, id(), false, 1n)).to.be.revertedWithCustomError(token, 'Paused')
    await overtime()
    await court.settle(channel, given.locks)
    await court.reveal([secret])
    await court.settle(channel, given.locks)
    expect(await credits()).to.deep.equal([6n, 9n])
    await expect(claim(alice)).to.be.revertedWithCustomError(court, 'PaymentRefused')
    await token.pause(false)
    for (const who of [alice, bob]) await claim(who)
    expect(await held()).to.deep.equal([996n, 1004n])
  })

  it('lets a token that shrinks all balances hurt its own holders only: who comes last waits as a credit', async () => {
    const other = await opened(oddAsset!)
    await token.rebase(700_000n)
    await concluded()
    expect(await held()).to.deep.equal([702n, 696n])
    expect(await credits()).to.deep.equal([0n, 5n])
    await expect(claim(bob)).to.be.revertedWithCustomError(court, 'PaymentRefused')
    await concluded(0n, other)
    expect(await odd.balanceOf(bob.address)).to.equal(1000n)
    // Others of the same token pay for it, first come first served: such tokens are not for channels.
    channel = await opened(asset!)
    await claim(bob)
    await concluded()
    expect(await credits()).to.deep.equal([0n, 5n])
  })

  it('lets nobody take what a token that grows all balances leaves with the court', async () => {
    await token.rebase(2_000_000n)
    await concluded(10n)
    expect(await held()).to.deep.equal([1980n, 2004n])
    expect(await token.balanceOf(address!)).to.equal(16n)
    const none = court.sweep(channel, asset!)
    await expect(none).to.be.revertedWithCustomError(court, 'ChannelAsset')
  })

  it('counts in a token of which it holds more than 2^128, and refuses a side of 2^127 or more', async () => {
    await odd.mint(address!, 2n ** 200n)
    channel = await opened(oddAsset!)
    await odd.mint(alice.address, 2n ** 255n)
    const rich = await as(alice)
    const most = 2n ** 127n - 1n
    const put = (amount: bigint) => rich.deposit(oddAsset!, id(), false, amount)
    await expect(put(most))
      .to.be.revertedWithCustomError(court, 'SafeCastOverflowedIntDowncast')
      .withArgs(128, most + 10n)
    await expect(put(2n ** 128n)).to.be.revertedWithCustomError(court, 'SafeCastOverflowedIntDowncast')
    await expect(put(2n ** 255n))
      .to.be.revertedWithCustomError(court, 'SafeCastOverflowedUintToInt')
      .withArgs(2n ** 255n)
    await put(most - 10n)
    const before = await odd.balanceOf(alice.address)
    await concluded()
    expect((await odd.balanceOf(alice.address)) - before).to.equal(most)
    expect(await odd.balanceOf(address!)).to.equal(2n ** 200n)
  })

  it('counts a reveal made inside one of its own payments, for what is still open', async () => {
    channel = await opened(oddAsset!)
    const secret = uint(31_337, 32)
    const now = await connection.networkHelpers.time.latest()
    const expiry = now + 10 * PERIOD
    const given = state(1n, 0n, [{ toB: true, id: 1n, amount: 2n, expiry, condition: ETHER, key: hashLock(secret) }])
    await (await as(alice)).challenge(channel, given)
    await overtime()
    await odd.behave(9, address!, court.interface.encodeFunctionData('reveal', [[secret]]))
    await court.settle(channel, given.locks)
    expect(await odd.reentered()).to.equal(true)
    expect((await court.verdict(ETHER, hashLock(secret))).time).to.equal(await connection.networkHelpers.time.latest())
    const before = await odd.balanceOf(bob.address)
    await court.settle(channel, given.locks)
    expect((await odd.balanceOf(bob.address)) - before).to.equal(2n)
  })

  for (const [manner, says, paid] of [
    [3, 'nothing', true],
    [4, '64 bytes that begin with the word 1', true],
    [5, 'the word 2', false],
    [8, '100,000 bytes that begin with the word 1', true],
    [12, '31 bytes', false],
    [13, 'a true with dirty bits above it', false],
  ] as const) {
    it(`takes a transfer that returns ${says} as ${paid ? 'done' : 'refused: it becomes a credit'}`, async () => {
      channel = await opened(oddAsset!)
      await odd.behave(manner, ETHER, '0x')
      await concluded()
      expect(await court.credits(oddAsset!, bob.address)).to.equal(paid ? 0n : 5n)
      const next = terms(oddAsset!, ++salt)
      const put = (await as(alice)).deposit(oddAsset!, id(next), false, 1n)
      if (paid) await put
      else
        await expect(put)
          .to.be.revertedWithCustomError(court, 'SafeERC20FailedOperation')
          .withArgs(await odd.getAddress())
      expect((await court.recordOf(oddAsset!, id(next))).fundsA).to.equal(paid ? 1n : 0n)
    })
  }
})
