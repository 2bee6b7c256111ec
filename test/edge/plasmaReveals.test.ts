import { expect } from 'chai'
import { network } from 'hardhat'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import type { L1Input, Refusal } from '../../src/core/base/Step.ts'
import { hashLock, registry } from '../../src/core/base/Verdicts.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import { deployed } from '../../src/core/plasma/Draft.ts'
import { rootChain } from '../../src/core/plasma/RootChain.ts'
import type { SeenEvent } from '../../src/core/plasma/Seen.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { plasmaChain } from '../../src/edge/chain/PlasmaChain.ts'
import { simulatedL1 } from '../../src/edge/chain/SimulatedL1.ts'
import {
  Deed__factory,
  RootChain__factory,
  Token__factory,
  VerdictRegistry__factory,
} from '../../typechain-types/index.ts'

const secret = (n: number): Hex => uint(0xace0 + n, 32)

/** The real court with its registry, and a client of it. */
async function ground() {
  const { ethers } = await network.create()
  const signer = (await ethers.getSigners())[0]!
  const registry = await new VerdictRegistry__factory(signer).deploy()
  const deploy = async () => {
    const fees = [200_000n, 10n ** 9n, 200n * 10n ** 9n] as const
    const contract = await new RootChain__factory(signer).deploy(registry, 1000, 120, 120, ...fees)
    const court = (await contract.getAddress()).toLowerCase() as Hex
    const l1 = await plasmaChain({ provider: ethers.provider as unknown as Node, signer, court, interval: 5 })
    return { contract, court, l1 }
  }
  return { ethers, signer, registry, deploy }
}

describe('edge/chain registry of preimages and deposits of tokens', () => {
  it('tells every reveal with its hash and second, also those from before its follower began, and only to beginners', async () => {
    const { ethers, registry, deploy } = await ground()
    await registry.reveal([secret(1), secret(2)])
    const early = (await ethers.provider.getBlock('latest'))!.timestamp
    const { l1 } = await deploy()
    const from = (await l1.head()) + 1
    await l1.reveal([secret(2), secret(3)])
    const late = (await ethers.provider.getBlock('latest'))!.timestamp
    const told = async (origin?: number) => {
      const seen: L1Input<SeenEvent>[] = []
      const stop = l1.follow(from, (input) => seen.push(input), origin)
      await l1.poll()
      stop()
      return seen.flatMap(({ block }) => block.events)
    }
    const event = (n: number, time: number) => ({ name: 'Revealed', hash: hashLock(secret(n)), time })
    expect(await told(from)).to.deep.equal([event(1, early), event(2, early), event(3, late)])
    expect(await told(0), 'went on, and knew those').to.deep.equal([event(3, late)])
    const known = await l1.verdict(`0x${'00'.repeat(20)}`, hashLock(secret(3)))
    expect(known?.time).to.equal(late)
  })

  it('tells the same on a simulated layer 1', async () => {
    const l1 = simulatedL1({ automine: true })
    const [place, court]: readonly [Hex, Hex] = [`0x${'4e'.repeat(20)}`, `0x${'c0'.repeat(20)}`]
    l1.deploy(place, registry, { verdicts: new Map() })
    const terms = { mfp: 1000, margin: 120, alarm: 120, bondGas: 1n, feeFloor: 1n, feeCeiling: 1n }
    const state = deployed({ court: domain(31337n, court), ...terms })
    const chain = l1.deploy(court, rootChain, state, () => 0n, place).connect(`0x${'aa'.repeat(20)}`)
    await chain.reveal([secret(1), secret(2)])
    const early = l1.head().time
    const from = (await chain.head()) + 1
    await chain.reveal([secret(2), secret(3)])
    const late = l1.head().time
    const told = async (origin?: number) => {
      const seen: SeenEvent[] = []
      chain.follow(from, ({ block }) => seen.push(...block.events), origin)
      await new Promise((done) => setImmediate(done))
      return seen
    }
    const event = (n: number, time: number) => ({ name: 'Revealed', hash: hashLock(secret(n)), time })
    expect(await told(from)).to.deep.equal([event(1, early), event(2, early), event(3, late)])
    expect(await told(0)).to.deep.equal([event(3, late)])
    expect((await chain.verdict(ETHER, hashLock(secret(3))))?.time).to.equal(late)
  })

  it('approves exactly what a deposit of a token takes, and of an ERC-721 its id', async () => {
    const { signer, deploy } = await ground()
    const { court, l1, contract } = await deploy()
    const chain = { parent: ZERO, slot: 0, operator: l1.sender }
    await l1.send({ verb: 'register', path: [chain], signatures: ['0x'] })
    const [deed, coin] = [await new Deed__factory(signer).deploy(), await new Token__factory(signer).deploy()]
    await deed.mint(l1.sender, 7n)
    await coin.mint(l1.sender, 100n)
    const at = async (of: { getAddress(): Promise<string> }) => (await of.getAddress()).toLowerCase() as Hex
    const deposit = (asset: Hex, value: bigint, salt: number) => {
      const to = { chain: chainId(chain), salt: uint(salt, 32), owner: l1.sender }
      return l1.send({ verb: 'deposit', ...to, asset, value })
    }
    await Promise.all([
      deposit(await at(coin), 30n, 0),
      deposit(await at(coin), 50n, 1),
      deposit(await at(deed), 7n, 2),
    ])
    expect(await contract.pots(chainId(chain), coin)).to.equal(80n)
    expect(await coin.allowance(l1.sender, court)).to.equal(0n)
    expect(await deed.ownerOf(7n)).to.satisfy((who: string) => who.toLowerCase() === court)
    const poor = await deposit(await at(coin), 21n, 3).catch((why: Refusal) => why.code)
    expect(poor).to.equal('ERC20InsufficientBalance')
  })
})
