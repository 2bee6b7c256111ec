import { expect } from 'chai'
import { network } from 'hardhat'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import {
  authorizationDigest,
  authorizationNonce,
  authorizedPayer,
  PERMIT2,
  permit2Digest,
  permit2Payer,
  permitDigest,
  permitFields,
  tokenSeparator,
} from '../../src/core/channel/Authorization.ts'
import type { Payer } from '../../src/core/channel/Call.ts'
import { type Channel, channelId, FINAL } from '../../src/core/channel/Channel.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { plantPermit2 } from '../../src/edge/chain/Permit2.ts'
import type { Adjudicator, SignedToken } from '../../typechain-types/index.ts'
import { alice, bob, coSigned, stranger, terms } from './stage.ts'

const LATE = 2n ** 40n
const AMOUNT = 1000n

describe('Adjudicator funded by signatures', () => {
  let connection: Awaited<ReturnType<typeof network.create<'generic'>>>
  let court: Adjudicator
  let token: SignedToken
  let [asset, address]: Hex[] = []
  let channel: Channel
  let salt = 0

  before(async () => {
    connection = await network.create()
    const { ethers } = connection
    await plantPermit2(ethers.provider as unknown as Node)
    token = await ethers.deployContract('SignedToken')
    court = (await ethers.deployContract('Adjudicator')).connect(await ethers.getSigner(stranger.address))
    ;[asset, address] = (await Promise.all([token.getAddress(), court.getAddress()])).map(
      (text) => text.toLowerCase() as Hex,
    )
    for (const { address: who } of [alice, bob, stranger]) {
      await token.mint(who, 100n * AMOUNT)
      await token.connect(await ethers.getSigner(who)).approve(PERMIT2, 2n ** 255n)
    }
  })
  beforeEach(() => {
    channel = terms(asset!, ++salt)
  })

  const id = () => channelId(domain(31337n, address!), channel)
  const separator = () => tokenSeparator('Kerros signed test token', '1', 31337n, asset!)
  const as = async ({ address: who }: { address: Hex }) => court.connect(await connection.ethers.getSigner(who))
  const funds = async () => {
    const { fundsA, fundsB } = await court.recordOf(asset!, id())
    return [fundsA, fundsB]
  }

  function by3009(toB: boolean, amount = AMOUNT): Payer {
    const nonce = authorizationNonce(id(), toB, uint(salt, 32))
    const signed = { from: alice.address, to: address!, value: amount, validAfter: 0n, validBefore: LATE, nonce }
    return authorizedPayer(signed, uint(salt, 32), sign(authorizationDigest(separator(), signed), alice.key))
  }
  function byPermit2(toB: boolean, amount = AMOUNT): Payer {
    const permit = { permitted: { token: asset!, amount }, nonce: BigInt(salt), deadline: LATE }
    return permit2Payer(alice.address, permit, sign(permit2Digest(31337n, address!, permit, id(), toB), alice.key))
  }
  async function permit(who: typeof alice) {
    const nonce = await token.nonces(who.address)
    const signed = { owner: who.address, spender: address!, value: AMOUNT, nonce, deadline: LATE }
    return permitFields(signed, sign(permitDigest(separator(), signed), who.key))
  }

  for (const [way, payer] of [
    ['ERC-3009', by3009],
    ['Permit2', byPermit2],
  ] as const) {
    it(`takes a payer's tokens by ${way} from whoever sends its signature, for the channel and side that it names`, async () => {
      const before = await token.balanceOf(alice.address)
      await court.depositWithAuthorization(asset!, id(), true, AMOUNT, payer(true))
      expect(await funds()).to.deep.equal([0n, AMOUNT])
      expect(before - (await token.balanceOf(alice.address))).to.equal(AMOUNT)
      await expect(court.depositWithAuthorization(asset!, id(), true, AMOUNT, payer(true))).to.revert(connection.ethers)
      await expect(court.depositWithAuthorization(asset!, id(), false, AMOUNT, payer(true))).to.revert(
        connection.ethers,
      )
      const meant = payer(false)
      channel = terms(asset!, ++salt)
      await expect(court.depositWithAuthorization(asset!, id(), false, AMOUNT, meant)).to.revert(connection.ethers)
      expect(await funds()).to.deep.equal([0n, 0n])
    })

    it(`opens both sides at once: the sender's by its allowance, the other's by ${way}`, async () => {
      const other = await as(bob)
      await token.connect(await connection.ethers.getSigner(bob.address)).approve(court, AMOUNT / 2n)
      await other.openBoth(asset!, id(), AMOUNT, AMOUNT / 2n, false, payer(false))
      expect(await funds()).to.deep.equal([AMOUNT, AMOUNT / 2n])
      channel = terms(asset!, ++salt)
      await token.connect(await connection.ethers.getSigner(bob.address)).approve(court, AMOUNT / 4n)
      await other.openBoth(asset!, id(), AMOUNT / 4n, AMOUNT, true, payer(true))
      expect(await funds()).to.deep.equal([AMOUNT / 4n, AMOUNT])
      channel = terms(asset!, ++salt)
      const poor = other.openBoth(asset!, id(), AMOUNT, AMOUNT / 2n, false, payer(false))
      await expect(poor).to.be.revertedWithCustomError(token, 'ERC20InsufficientAllowance')
      expect(await funds()).to.deep.equal([0n, 0n])
      await token.connect(await connection.ethers.getSigner(bob.address)).approve(court, AMOUNT)
      await expect(
        other.openBoth(asset!, id(), AMOUNT, AMOUNT, false, payer(false), { value: 1n }),
      ).to.be.revertedWithCustomError(court, 'WrongValue')
    })
  }

  it("takes the sender's own permit, also one that somebody else has used before", async () => {
    const mine = await permit(alice)
    const { v, r, s } = mine
    await token.permit(alice.address, address!, AMOUNT, LATE, v, r, s)
    await (await as(alice)).depositWithPermit(asset!, id(), false, AMOUNT, LATE, v, r, s)
    expect(await funds()).to.deep.equal([AMOUNT, 0n])
    const next = await permit(alice)
    await (await as(alice)).depositWithPermit(asset!, id(), true, AMOUNT, LATE, next.v, next.r, next.s)
    expect(await funds()).to.deep.equal([AMOUNT, AMOUNT])
  })

  it('never spends a permit for anybody but the one who signed it', async () => {
    const { v, r, s } = await permit(alice)
    const stolen = court.depositWithPermit(asset!, id(), true, AMOUNT, LATE, v, r, s)
    await expect(stolen).to.be.revertedWithCustomError(token, 'ERC20InsufficientAllowance')
    // Used first by a thief, the permit is an allowance of alice's for the court, which only alice can spend.
    await token.permit(alice.address, address!, AMOUNT, LATE, v, r, s)
    await expect(court.deposit(asset!, id(), true, AMOUNT)).to.be.revertedWithCustomError(
      token,
      'ERC20InsufficientAllowance',
    )
    await (await as(alice)).deposit(asset!, id(), false, AMOUNT)
  })

  it('refuses a closed channel, and a signature of the wrong length, before anything is pulled', async () => {
    await court.depositWithAuthorization(asset!, id(), true, AMOUNT, by3009(true))
    const { net, sigA, sigB } = coSigned({ domain: domain(31337n, address!) }, channel, FINAL, 0n)
    await court.conclude(channel, net, sigA, sigB)
    const closed = court.depositWithAuthorization(asset!, id(), false, AMOUNT, byPermit2(false))
    await expect(closed).to.be.revertedWithCustomError(court, 'ChannelClosed').withArgs(id())
    channel = terms(asset!, ++salt)
    const cut = { ...by3009(true), signature: '0x1234' as Hex }
    const tried = court.depositWithAuthorization(asset!, id(), true, AMOUNT, cut)
    await expect(tried).to.be.revertedWithCustomError(court, 'SignatureLength').withArgs(2, 65)
    await expect(court.depositWithAuthorization(asset!, id(), true, 0n, by3009(true))).to.be.revertedWithCustomError(
      court,
      'ZeroAmount',
    )
  })
})
