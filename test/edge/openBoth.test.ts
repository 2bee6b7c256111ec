import { expect } from 'chai'
import { network } from 'hardhat'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import {
  authorizationDigest,
  authorizationNonce,
  authorizedPayer,
  tokenSeparator,
} from '../../src/core/channel/Authorization.ts'
import { type Channel, channelId } from '../../src/core/channel/Channel.ts'
import { channelChain } from '../../src/edge/chain/ChannelChain.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'

const [alice, bob] = [localAccount(0), localAccount(1)]

describe('A node that funds both sides of a channel with tokens', () => {
  for (const payerIsB of [false, true]) {
    it(`approves what its own side is paid, exactly; side ${payerIsB ? 'B' : 'A'} has signed for the rest`, async () => {
      const { ethers } = await network.create()
      const token = await ethers.deployContract('SignedToken')
      const [asset, court] = (
        await Promise.all([token.getAddress(), (await ethers.deployContract('Adjudicator')).getAddress()])
      ).map((address) => address.toLowerCase()) as [Hex, Hex]
      for (const { address } of [alice, bob]) await token.mint(address, 1000n)
      const party = (who: typeof alice) => ({ owner: who.address, signer: who.address })
      const channel: Channel = {
        ...{ a: party(payerIsB ? bob : alice), b: party(payerIsB ? alice : bob) },
        ...{ asset, challengePeriod: 3600, bond: 0n, salt: uint(7, 32) },
      }
      const id = channelId(domain(31337n, court), channel)
      const [salt, mine, theirs] = [uint(9, 32), 300n, 20n]
      const nonce = authorizationNonce(id, payerIsB, salt)
      const signed = { from: alice.address, to: court, value: theirs, validAfter: 0n, validBefore: 2n ** 40n, nonce }
      const under = tokenSeparator(await token.name(), '1', 31337n, asset)
      const payer = authorizedPayer(signed, salt, sign(authorizationDigest(under, signed), alice.key))
      const signer = await ethers.getSigner(bob.address)
      const chain = await channelChain({ provider: ethers.provider, signer, court, interval: 5 })
      const [amountA, amountB] = payerIsB ? [mine, theirs] : [theirs, mine]
      await chain.send({ verb: 'openBoth', asset, channelId: id, amountA, amountB, payerIsB, payer })
      expect(await token.balanceOf(bob.address)).to.equal(1000n - mine)
      expect(await token.balanceOf(alice.address)).to.equal(1000n - theirs)
      expect(await token.allowance(bob.address, court)).to.equal(0n)
    })
  }
})
