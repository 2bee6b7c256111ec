import { expect } from 'chai'
import { network } from 'hardhat'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import { type Channel, channelId } from '../../src/core/channel/Channel.ts'
import type { RescueFile } from '../../src/core/channel/Rescue.ts'
import { channelChain } from '../../src/edge/chain/ChannelChain.ts'
import { readRescue, writeRescue } from '../../src/edge/RescueFile.ts'
import { type RescueProgress, rescue } from '../../src/role/Rescue.ts'
import { Adjudicator__factory } from '../../typechain-types/index.ts'
import { alice, bob, lockOf, signed } from './towerStage.ts'

const FUNDS = 10n ** 18n
const SECRET = uint(77, 32)

describe('rescue on a real chain', () => {
  it('challenges, reveals, settles, and settles again for a lock that is decided later', async () => {
    const { ethers, networkHelpers } = await network.create()
    const signers = await ethers.getSigners()
    const court = (await (await new Adjudicator__factory(signers[4]!).deploy()).getAddress()).toLowerCase() as Hex
    const [chain] = await Promise.all([
      channelChain({ provider: ethers.provider as never, signer: signers[0]!, court, interval: 5 }),
    ])
    const under = domain(chain.chainId, court)
    const sides = { a: { owner: alice.owner, signer: alice.signer }, b: { owner: bob.owner, signer: bob.signer } }
    const channel: Channel = { ...sides, asset: ETHER, challengePeriod: 3600, bond: 0n, salt: uint(1, 32) }
    const id = channelId(under, channel)
    for (const toB of [false, true]) {
      await chain.send({ verb: 'deposit', asset: ETHER, channelId: id, toB, amount: FUNDS })
    }
    const now = await networkHelpers.time.latest()
    const locks = [
      lockOf(SECRET, now + 20_000, { amount: 50n }),
      lockOf(uint(78, 32), now + 20_000, { toB: true, amount: 70n }),
    ]
    const state = signed(under, 3n, 100n, channel, locks)
    const nothing = { final: null, verdicts: [] }
    const file: RescueFile = {
      ...{ chainId: chain.chainId, court, channel, side: 'a', since: 0, state },
      ...{ ...nothing, preimages: [SECRET] },
    }
    const verbs: string[] = []
    const waits: Promise<unknown>[] = []
    const onProgress = (one: RescueProgress) => {
      if (one.name === 'mined') verbs.push(one.verb)
      if (one.name === 'waits') waits.push(networkHelpers.time.increaseTo(one.until + 1))
    }
    const parts = { chain, key: alice.key, confirmations: 1, onProgress }
    const rescued = await rescue(readRescue(writeRescue(file)), parts)
    await Promise.all(waits)
    expect(verbs).to.deep.equal(['challengeFor', 'reveal', 'settle', 'settle'])
    expect(rescued).to.deep.equal({ payA: FUNDS - 50n, payB: FUNDS + 50n, creditLeft: 0n, locksUnknown: false })
    expect(await ethers.provider.getBalance(alice.owner)).to.equal(FUNDS - 50n)
    expect(await ethers.provider.getBalance(bob.owner)).to.equal(FUNDS + 50n)
    const again = await rescue(file, { ...parts, onProgress: () => undefined })
    expect(again).to.deep.equal(rescued)
  })
})
