import { expect } from 'chai'
import { network } from 'hardhat'
import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import type { L1Input } from '../../src/core/base/Step.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import type { SeenEvent } from '../../src/core/plasma/Seen.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { plasmaChain } from '../../src/edge/chain/PlasmaChain.ts'
import {
  Deed__factory,
  RootChain__factory,
  Token__factory,
  VerdictRegistry__factory,
} from '../../typechain-types/index.ts'

/** What was told of deposits, in order. */
function told(inputs: readonly L1Input<SeenEvent>[]): readonly string[] {
  return inputs.flatMap(({ kind, block }) =>
    block.events.flatMap((event) => {
      if (event.name === 'KindFixed')
        return `${kind} ${block.number}: ${event.asset} is ${event.unique ? 'unique' : 'fungible'}`
      return event.name === 'Deposited' ? `${kind} ${block.number}: ${event.asset} of ${event.value}` : []
    }),
  )
}

describe('edge/chain kinds of tokens', () => {
  it('learns from the first deposit of each what the real court made of a token and of an ERC-721', async () => {
    const { ethers } = await network.create()
    const signer = (await ethers.getSigners())[0]!
    const registry = await new VerdictRegistry__factory(signer).deploy()
    const fees = [200_000n, 10n ** 9n, 200n * 10n ** 9n] as const
    const contract = await new RootChain__factory(signer).deploy(registry, 1000, 120, 120, ...fees)
    const court = (await contract.getAddress()).toLowerCase() as Hex
    const l1 = await plasmaChain({ provider: ethers.provider as unknown as Node, signer, court, interval: 5 })
    const chain = { parent: ZERO, slot: 0, operator: l1.sender }
    await l1.send({ verb: 'register', path: [chain], signatures: ['0x'] })
    const [deed, coin] = [await new Deed__factory(signer).deploy(), await new Token__factory(signer).deploy()]
    await deed.mint(l1.sender, 7n)
    await coin.mint(l1.sender, 100n)
    for (const token of [deed, coin]) await token.approve(court, 7n)
    const inputs: L1Input<SeenEvent>[] = []
    const stop = l1.follow(0, (one) => inputs.push(one))
    const assets = await Promise.all([deed, coin].map(async (one) => (await one.getAddress()).toLowerCase() as Hex))
    const terms = { chain: chainId(chain), salt: ZERO, owner: l1.sender, value: 7n }
    for (const asset of assets) await l1.send({ verb: 'deposit', ...terms, asset })
    await coin.approve(court, 7n)
    await l1.send({ verb: 'deposit', ...terms, salt: uint(1, 32), asset: assets[1]! })
    await l1.poll()
    stop()
    expect(told(inputs).map((line) => line.replace(/^block \d+: /, ''))).to.deep.equal([
      `${assets[0]} is unique`,
      `${assets[0]} of 7`,
      `${assets[1]} is fungible`,
      `${assets[1]} of 7`,
      `${assets[1]} of 7`,
    ])
  })
})
