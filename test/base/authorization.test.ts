import { expect } from 'chai'
import { getAddress, TypedDataEncoder } from 'ethers'
import { network } from 'hardhat'
import { concat, ETHER, type Hex, slice, uint } from '../../src/core/base/Bytes.ts'
import { compact, sign } from '../../src/core/base/Signature.ts'
import {
  authorizationDigest,
  authorizationNonce,
  depositWitness,
  permit2Digest,
} from '../../src/core/channel/Authorization.ts'
import {
  alice,
  authorized,
  bob,
  CHAIN,
  FOREVER,
  GAS,
  type Ground,
  ground,
  ID,
  type Intent,
  intent,
  permit,
  permitted,
  stranger,
} from './payments.ts'

const OTHER: Hex = uint(8, 32)

/** Where an intent differs from what was signed, for each way of paying. */
const CHANGES = (on: Ground): Readonly<Record<string, Partial<Intent>>> => ({
  'another channel': { channelId: OTHER },
  'the other side': { toB: false },
  'another court': { court: on.at.otherCourt },
  'another token': { asset: on.at.otherToken },
  'a larger amount': { amount: 101n },
  'a smaller amount': { amount: 99n },
  'another payer': { from: bob.address },
  'a later end': { until: FOREVER + 1n },
})
const WAYS = {
  'ERC-3009': {
    pay: authorized,
    changes: (on: Ground) => ({
      ...CHANGES(on),
      'another salt': { salt: OTHER },
      'an earlier start': { validAfter: 1n },
    }),
    judge: 'token',
    wrong: 'WrongAuthorizer',
    used: 'AuthorizationUsedBefore',
  },
  Permit2: {
    pay: permitted,
    changes: (on: Ground) => ({ ...CHANGES(on), 'another nonce': { nonce: 1n } }),
    judge: 'permit2',
    wrong: 'InvalidSigner',
    used: 'InvalidNonce',
  },
} as const

describe('tokens that come in by a signature', () => {
  let connection: Ground['connection']
  let on: Ground
  before(async () => {
    connection = await network.create()
  })
  beforeEach(async () => {
    on = await connection.networkHelpers.loadFixture(freshGround)
  })
  const freshGround = () => ground(connection)
  const booked = (toB = true, asset = on.at.token) => on.court.booked(asset, ID, toB)
  const at = (time: bigint) => connection.networkHelpers.time.setNextBlockTimestamp(time)
  const soon = async () => BigInt(await connection.networkHelpers.time.latest()) + 100n

  for (const [way, { pay, changes, judge, wrong, used }] of Object.entries(WAYS)) {
    describe(`through ${way}`, () => {
      it('come from the payer whoever sends it, and are booked where the payer said', async () => {
        const paid = await pay(on, intent(on))
        await expect(paid).to.changeTokenBalances(
          connection.ethers,
          on.token,
          [alice.address, on.at.court],
          [-100, 100],
        )
        expect([await booked(), await booked(false)]).to.deep.equal([100n, 0n])
      })

      it('go nowhere else: every term of the call that is not what was signed is refused', async () => {
        await on.token.mint(bob.address, 1000n)
        for (const [what, change] of Object.entries(changes(on))) {
          const tried = pay(on, intent(on), intent(on, change))
          await expect(tried, what).to.be.revertedWithCustomError(on[judge], wrong)
        }
        expect(await on.token.balanceOf(alice.address)).to.equal(1_000_000n)
        await pay(on, intent(on))
      })

      it('come once', async () => {
        await pay(on, intent(on))
        await expect(pay(on, intent(on))).to.be.revertedWithCustomError(on[judge], used)
        await pay(on, intent(on, { nonce: 300n, salt: OTHER }))
        expect(await booked()).to.equal(200n)
      })

      it("are not moved by somebody else's key", async () => {
        await expect(pay(on, intent(on), intent(on), bob.key)).to.be.revertedWithCustomError(on[judge], wrong)
      })

      it('come with no ether', async () => {
        const { asset, channelId, toB, from, amount, salt } = intent(on)
        const options = { ...GAS, value: 1n }
        const signature = sign(ID, alice.key)
        const tried =
          way === 'Permit2'
            ? on.court.depositWithPermit2(asset, channelId, toB, from, amount, 0, 0, signature, options)
            : on.court.depositWithAuthorization(asset, channelId, toB, from, amount, 0, 0, salt, signature, options)
        await expect(tried).to.be.revertedWithCustomError(on.court, 'WrongValue').withArgs(1n, 0n)
      })

      it('are not ether, and no address without code', async () => {
        for (const asset of [ETHER, stranger.address]) {
          await expect(pay(on, intent(on, { asset }))).to.revert(connection.ethers)
        }
      })

      it('are refused where the books would be wrong, and cannot enter twice', async () => {
        const asset = on.at.odd
        const tried = async (manner: number) => {
          await on.odd.behave(manner, on.at.court, inner(on))
          return pay(on, intent(on, { asset, nonce: BigInt(manner) }))
        }
        const { TakesFee, ReturnsFalse, ReturnsNothing, Reverts, BurnsGas, Reenters, PaysTwice } = MANNERS
        const refused = (manner: number) =>
          expect(tried(manner)).to.be.revertedWithCustomError(on.court, 'WrongTransfer')
        await refused(TakesFee).withArgs(99n, 100n)
        await refused(PaysTwice).withArgs(200n, 100n)
        if (way === 'ERC-3009') await refused(ReturnsFalse).withArgs(0n, 100n)
        for (const manner of [ReturnsFalse, Reverts, BurnsGas]) await expect(tried(manner)).to.revert(connection.ethers)
        expect(await booked(true, asset)).to.equal(0n)
        await tried(ReturnsNothing)
        await tried(Reenters)
        expect(await on.odd.reentered()).to.equal(false)
        expect(await on.odd.refusal()).to.equal(on.court.interface.getError('ReentrancyGuardReentrantCall')!.selector)
        expect(await booked(true, asset)).to.equal(200n)
        expect(await on.odd.balanceOf(on.at.court)).to.equal(200n)
      })
    })
  }

  describe('through ERC-3009', () => {
    const by = async (who: Hex) => on.token.connect(await connection.ethers.getSigner(who))
    const lengths = [compact(sign(ID, alice.key)), '0x', concat(sign(ID, alice.key), '0x1b')] as const

    it('are taken by the court only: nobody can spend the authorization at the token', async () => {
      const nonce = authorizationNonce(ID, true, uint(1, 32))
      const one = { from: alice.address, to: on.at.court, value: 100n, validAfter: 0n, validBefore: FOREVER, nonce }
      const separator = (await on.token.DOMAIN_SEPARATOR()) as Hex
      const signature = sign(authorizationDigest(separator, one), alice.key)
      const [r, s, v] = [slice(signature, 0, 32), slice(signature, 32, 64), Number(slice(signature, 64))]
      const theirs = await by(stranger.address)
      const direct = [alice.address, on.at.court, 100n, 0n, FOREVER, nonce, v, r, s] as const
      await expect(theirs.receiveWithAuthorization(...direct))
        .to.be.revertedWithCustomError(on.token, 'NotPayee')
        .withArgs(getAddress(stranger.address), getAddress(on.at.court))
      await expect(theirs.transferWithAuthorization(...direct)).to.be.revertedWithCustomError(
        on.token,
        'WrongAuthorizer',
      )
      await authorized(on, intent(on))
      expect(await booked()).to.equal(100n)
    })

    it('come after the start and before the end, to the second', async () => {
      const time = await soon()
      const window = intent(on, { validAfter: time, until: time + 2n })
      await at(time)
      await expect(authorized(on, window)).to.be.revertedWithCustomError(on.token, 'NotYetValid').withArgs(time, time)
      await at(time + 1n)
      await authorized(on, window)
      await at(time + 2n)
      await expect(authorized(on, { ...window, salt: OTHER }))
        .to.be.revertedWithCustomError(on.token, 'Expired')
        .withArgs(time + 2n, time + 2n)
    })

    it('need 65 bytes of signature', async () => {
      const { asset, channelId, toB, from, amount, salt } = intent(on)
      for (const wrong of lengths) {
        const tried = on.court.depositWithAuthorization(asset, channelId, toB, from, amount, 0, 1, salt, wrong, GAS)
        await expect(tried)
          .to.be.revertedWithCustomError(on.court, 'SignatureLength')
          .withArgs((wrong.length - 2) / 2, 65)
      }
    })

    it('do not come once the payer has taken its word back', async () => {
      const nonce = authorizationNonce(ID, true, uint(1, 32))
      const fields = [
        { name: 'authorizer', type: 'address' },
        { name: 'nonce', type: 'bytes32' },
      ]
      const types = { CancelAuthorization: fields }
      const domain = {
        name: 'Kerros signed test token',
        version: '1',
        chainId: CHAIN,
        verifyingContract: on.at.token,
      }
      const digest = TypedDataEncoder.hash(domain, types, { authorizer: alice.address, nonce }) as Hex
      const signature = sign(digest, alice.key)
      const [r, s, v] = [slice(signature, 0, 32), slice(signature, 32, 64), Number(slice(signature, 64))]
      await on.token.cancelAuthorization(alice.address, nonce, v, r, s)
      await expect(authorized(on, intent(on))).to.be.revertedWithCustomError(on.token, 'AuthorizationUsedBefore')
    })
  })

  describe('through Permit2', () => {
    it('come until the deadline, to the second', async () => {
      const until = await soon()
      await at(until)
      await permitted(on, intent(on, { until }))
      await at(until + 1n)
      await expect(permitted(on, intent(on, { until, nonce: 1n })))
        .to.be.revertedWithCustomError(on.permit2, 'SignatureExpired')
        .withArgs(until)
    })

    it('cannot be taken by anybody but the court that was signed', async () => {
      const { asset, amount, until } = intent(on)
      const permit = { permitted: { token: asset, amount }, nonce: 0n, deadline: until }
      const signature = sign(permit2Digest(CHAIN, on.at.court, permit, ID, true), alice.key)
      const details = { to: stranger.address, requestedAmount: amount }
      const rest = [details, alice.address, depositWitness(ID, true), WITNESS, signature] as const
      await expect(on.permit2.permitWitnessTransferFrom(permit, ...rest)).to.be.revertedWithCustomError(
        on.permit2,
        'InvalidSigner',
      )
    })

    it('come by a stand-in that keeps to the rules of the original', async () => {
      const permit = { permitted: { token: on.at.token, amount: 5n }, nonce: 259n, deadline: FOREVER }
      const signature = sign(permit2Digest(CHAIN, stranger.address, permit, ID, true), alice.key)
      const take = (requestedAmount: bigint, by: Hex, owner = alice.address) => {
        const details = { to: bob.address, requestedAmount }
        return on.permit2.permitWitnessTransferFrom(permit, details, owner, depositWitness(ID, true), WITNESS, by, GAS)
      }
      const refused = (tried: Promise<unknown>, error: string) =>
        expect(tried).to.be.revertedWithCustomError(on.permit2, error)
      await refused(take(6n, signature), 'InvalidAmount').withArgs(5n)
      await refused(take(5n, slice(signature, 0, 63)), 'InvalidSignatureLength')
      await refused(take(5n, concat(slice(signature, 0, 64), '0x05')), 'InvalidSignature')
      await expect(take(5n, signature, on.at.court)).to.revert(connection.ethers)
      await take(2n, compact(signature))
      expect(await on.permit2.nonceBitmap(alice.address, 1n)).to.equal(8n)
      await refused(take(3n, signature), 'InvalidNonce')
      const hand = on.permit2.connect(await connection.ethers.getSigner(alice.address))
      await hand.invalidateUnorderedNonces(0n, 1n)
      await expect(permitted(on, intent(on))).to.be.revertedWithCustomError(on.permit2, 'InvalidNonce')
    })
  })

  describe('through a permit', () => {
    type Fields = Awaited<ReturnType<typeof permit>>
    const pay = async (fields: Fields, who = alice.address, asset = on.at.token, value = 0n) => {
      const court = on.court.connect(await connection.ethers.getSigner(who))
      const { amount, deadline, v, r, s } = fields
      return court.depositWithPermit(asset, ID, true, amount, deadline, v, r, s, { ...GAS, value })
    }
    const use = ({ amount, deadline, v, r, s }: Fields) =>
      on.token.permit(alice.address, on.at.court, amount, deadline, v, r, s)
    const short = (tried: Promise<unknown>) =>
      expect(tried).to.be.revertedWithCustomError(on.token, 'ERC20InsufficientAllowance')

    it('come from the sender, and leave no allowance', async () => {
      const paid = await pay(await permit(on, 100n))
      await expect(paid).to.changeTokenBalances(connection.ethers, on.token, [alice.address, on.at.court], [-100, 100])
      expect(await booked()).to.equal(100n)
      expect(await on.token.allowance(alice.address, on.at.court)).to.equal(0n)
    })

    it('come although somebody used the permit first', async () => {
      const fields = await permit(on, 100n)
      await use(fields)
      await pay(fields)
      expect(await booked()).to.equal(100n)
    })

    it('come from nobody but the sender, whosever permit and allowance there is', async () => {
      await on.token.mint(stranger.address, 1000n)
      const fields = await permit(on, 100n)
      await short(pay(fields, stranger.address)).withArgs(getAddress(on.at.court), 0n, 100n)
      await use(fields)
      await short(pay(fields, stranger.address)).withArgs(getAddress(on.at.court), 0n, 100n)
      expect(await on.token.balanceOf(alice.address)).to.equal(1_000_000n)
    })

    it('do not come twice, nor by a permit for another court, another amount, or that has expired', async () => {
      const fields = await permit(on, 100n)
      await pay(fields)
      await short(pay(fields))
      await short(pay(await permit(on, 100n, FOREVER, on.at.otherCourt)))
      await short(pay({ ...(await permit(on, 100n)), amount: 101n }))
      const deadline = await soon()
      const late = await permit(on, 100n, deadline)
      await at(deadline + 1n)
      await short(pay(late))
      expect(await booked()).to.equal(100n)
    })

    it('come with no ether, and are not ether', async () => {
      const fields = await permit(on, 100n)
      await expect(pay(fields, alice.address, on.at.token, 1n))
        .to.be.revertedWithCustomError(on.court, 'WrongValue')
        .withArgs(1n, 0n)
      for (const asset of [ETHER, stranger.address]) {
        await expect(pay(fields, alice.address, asset)).to.revert(connection.ethers)
      }
      await expect(pay(fields, alice.address, ETHER, 100n)).to.revert(connection.ethers)
    })

    it('are refused where the books would be wrong, and cannot enter twice', async () => {
      const tried = async (manner: number) => {
        await on.odd.behave(manner, on.at.court, inner(on))
        return pay(await permit(on, 100n), alice.address, on.at.odd)
      }
      const { TakesFee, ReturnsFalse, ReturnsNothing, Reverts, BurnsGas, Reenters, PaysTwice } = MANNERS
      const refused = (manner: number) => expect(tried(manner)).to.be.revertedWithCustomError(on.court, 'WrongTransfer')
      await refused(TakesFee).withArgs(99n, 100n)
      await refused(PaysTwice).withArgs(200n, 100n)
      await expect(tried(ReturnsFalse)).to.be.revertedWithCustomError(on.court, 'SafeERC20FailedOperation')
      for (const manner of [Reverts, BurnsGas]) await expect(tried(manner)).to.revert(connection.ethers)
      await tried(ReturnsNothing)
      await tried(Reenters)
      expect(await on.odd.reentered()).to.equal(false)
      expect(await booked(true, on.at.odd)).to.equal(200n)
    })
  })
})

const WITNESS = 'Deposit witness)Deposit(bytes32 channelId,bool toB)TokenPermissions(address token,uint256 amount)'

/** As in OddToken.Manner. */
const MANNERS = {
  TakesFee: 1,
  ReturnsFalse: 2,
  ReturnsNothing: 3,
  Reverts: 6,
  BurnsGas: 7,
  Reenters: 9,
  PaysTwice: 10,
} as const

/** A deposit as a token would slip it in. */
function inner(on: Ground): string {
  return on.court.interface.encodeFunctionData('deposit', [on.at.token, ID, true, 0n])
}
