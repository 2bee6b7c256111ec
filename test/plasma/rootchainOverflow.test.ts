import { expect } from 'chai'
import { creditKey } from '../../src/core/base/Asset.ts'
import { catchUp, oddCoins } from './assets.ts'
import { depositing, depositOf, exitingDeposit, processing, start } from './people.ts'
import { set } from './scene.ts'
import { carol, expectDone, MFP, play } from './stage.ts'

const HALF = 2n ** 255n
const MOST = 2n ** 256n - 1n

describe('RootChain and a token that pays and says that it did not', () => {
  const scene = set()

  it('passes its exits all the same: what it says it owes stops at the most that a word can say', async () => {
    const { on, chain } = scene
    const { asset, contract } = await oddCoins(on, HALF)
    on.stubborn.add(asset)
    for (const salt of [1n, 2n]) {
      await contract.behave(0, asset, '0x', { gasPrice: 0 })
      const own = contract.connect(await on.connection.ethers.getSigner(carol.address)) as typeof contract
      await own.approve(on.domain.court, MOST, { gasPrice: 0 })
      await catchUp(on)
      const made = depositOf(chain, carol.address, HALF, salt, carol.address, asset)
      expectDone(await play(on, depositing(made), carol.address))
      const { exit } = await start(on, exitingDeposit(made), carol.address)
      await contract.behave(12, asset, '0x', { gasPrice: 0 }) // pays, and answers with 31 bytes
      await catchUp(on)
      expectDone(await play(on, processing(chain, [exit], [], asset), carol.address, { time: on.time + MFP }))
    }
    expect(on.model.credits.get(creditKey(asset, carol.address))).to.equal(MOST)
  })
})
