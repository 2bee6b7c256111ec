import { expect } from 'chai'
import { network } from 'hardhat'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import type { L1Input } from '../../src/core/base/Step.ts'
import type { PlasmaEvent } from '../../src/core/plasma/Call.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import type { SeenEvent } from '../../src/core/plasma/Seen.ts'
import { withKinds } from '../../src/edge/chain/Kinds.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { plasmaChain } from '../../src/edge/chain/PlasmaChain.ts'
import {
  Deed__factory,
  RootChain__factory,
  Token__factory,
  VerdictRegistry__factory,
} from '../../typechain-types/index.ts'

const [DEED, COIN]: readonly Hex[] = [`0x${'de'.repeat(20)}`, `0x${'c1'.repeat(20)}`]

/** What was told of deposits, in order. */
function told(inputs: readonly L1Input<SeenEvent>[]): readonly string[] {
  return inputs.flatMap(({ kind, block }) =>
    block.events.flatMap((event) => {
      if (event.name === 'KindTold') return `${kind} ${block.number}: ${event.asset} is ${event.kind}`
      return event.name === 'Deposited' ? `${kind} ${block.number}: ${event.asset} of ${event.value}` : []
    }),
  )
}

function input(number: number, assets: readonly Hex[], kind: 'block' | 'retract' = 'block'): L1Input<PlasmaEvent> {
  const events = assets.map((asset, n): PlasmaEvent => {
    const [id, salt] = [uint(number * 10 + n, 32), uint(n, 32)]
    return { name: 'Deposited', id, chain: ZERO, owner: ETHER, sender: ETHER, salt, asset, value: 1n }
  })
  return { kind, block: { number, hash: uint(number, 32), parent: ZERO, time: number, events } }
}

/** A court whose blocks come when they are pushed. */
function pushed() {
  let sink: (input: L1Input<PlasmaEvent>) => void = () => undefined
  let stopped = false
  const follow = (_: number, to: typeof sink) => {
    sink = to
    return () => {
      stopped = true
    }
  }
  return { follow, push: (one: L1Input<PlasmaEvent>) => sink(one), stopped: () => stopped }
}

describe('edge/chain kinds', () => {
  it('tells the kind of each token before every deposit of it, in order, however slowly it learns them', async () => {
    const court = pushed()
    const asked: Hex[] = []
    const kindOf = async (asset: Hex) => {
      asked.push(asset)
      if (asked.length < 4) throw new Error('not yet')
      return asset === DEED ? 'unique' : ('fungible' as const)
    }
    const chain = withKinds(court, kindOf, 1)
    const inputs: L1Input<SeenEvent>[] = []
    chain.follow(0, (one) => inputs.push(one))
    court.push(input(1, [ETHER]))
    expect(inputs, 'ether waits for nothing').to.have.length(1)
    court.push(input(2, [DEED!, ETHER]))
    court.push(input(3, [ETHER]))
    court.push(input(3, [ETHER], 'retract'))
    court.push(input(4, [COIN!, DEED!]))
    expect(inputs).to.have.length(1)
    await chain.settled()
    expect(told(inputs)).to.deep.equal([
      `block 1: ${ETHER} of 1`,
      `block 2: ${DEED} is unique`,
      `block 2: ${DEED} of 1`,
      `block 2: ${ETHER} of 1`,
      `block 3: ${ETHER} of 1`,
      `retract 3: ${ETHER} of 1`,
      `block 4: ${COIN} is fungible`,
      `block 4: ${COIN} of 1`,
      `block 4: ${DEED} is unique`,
      `block 4: ${DEED} of 1`,
    ])
    court.push(input(5, [ETHER]))
    expect(inputs.at(-1)?.block.number, 'who has caught up waits for nothing again').to.equal(5)
  })

  it('tells nothing more to whoever has stopped', async () => {
    const court = pushed()
    const chain = withKinds(court, () => Promise.reject(new Error('never')), 1)
    const inputs: unknown[] = []
    const stop = chain.follow(0, (one) => inputs.push(one))
    court.push(input(1, [DEED!]))
    stop()
    await chain.settled()
    expect([inputs, court.stopped()]).to.deep.equal([[], true])
  })

  it('learns from the real court what it made of a token and of an ERC-721', async () => {
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
    await l1.poll()
    stop()
    expect(told(inputs).map((line) => line.replace(/^block \d+: /, ''))).to.deep.equal([
      `${assets[0]} is unique`,
      `${assets[0]} of 7`,
      `${assets[1]} is fungible`,
      `${assets[1]} of 7`,
    ])
  })
})
