import { expect } from 'chai'
import { network } from 'hardhat'
import { type Hex, ZERO } from '../../src/core/base/Bytes.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { plasmaChain } from '../../src/edge/chain/PlasmaChain.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import { Operator } from '../../src/role/Operator.ts'
import { proposal, Swapping } from '../../src/role/Swapping.ts'
import { Wallet } from '../../src/role/Wallet.ts'
import { Token__factory } from '../../typechain-types/index.ts'
import { deployRootChain, MFP, until } from './plasmaReal.ts'
import { through } from './plasmaWorld.ts'

const _GWEI = 10n ** 9n

const open: (() => unknown)[] = []

describe('Locked outputs and tokens on the real contracts', () => {
  after(() => {
    for (const close of open.reverse()) close()
  })

  it('deposits ERC-20s by exact approval, swaps them by one reveal, and pays a lock out through escrow', async () => {
    const { ethers } = await network.create()
    const provider = ethers.provider as unknown as Node
    const signers = await ethers.getSigners()
    const { court } = await deployRootChain(signers[4]!)
    const connect = (n: number) => plasmaChain({ provider, signer: signers[n]!, court, interval: 5 })
    const [apple, pear] = [
      await new Token__factory(signers[4]!).deploy(),
      await new Token__factory(signers[4]!).deploy(),
    ]
    const [APPLE, PEAR] = (await Promise.all([apple.getAddress(), pear.getAddress()])).map((one) =>
      one.toLowerCase(),
    ) as [Hex, Hex]
    const failures: unknown[] = []
    const onFailure = (why: unknown) => failures.push(why)
    const path = [{ parent: ZERO, slot: 0, operator: localAccount(0).address }]
    const params = { path, depth: 0, margin: 3600, fees: [], maxTransactions: 1000 }
    const l1 = await connect(0)
    const operator = new Operator({ l1, store: memoryStore(), params, from: 0, interval: 20, onFailure })
    open.push(() => operator.stop())
    const api = through(operator)
    const wallet = async (n: number) => {
      const own = { path, key: localAccount(n).key, life: 500, depth: 0, patience: 3600, guard: false }
      const common = { store: memoryStore(), operator: api, from: 0, interval: 20, onFailure }
      const one = new Wallet({ ...common, l1: await connect(n), params: own })
      open.push(() => one.stop())
      return one
    }
    const [ann, ben] = [await wallet(1), await wallet(2)]
    await apple.mint(ann.owner, 100n)
    await pear.mint(ben.owner, 10n)
    await until('registered', () => operator.state.registered)
    await until('synced', () => [ann, ben].every((one) => one.state.follower.goal !== undefined))
    await Promise.all([ann.deposit(APPLE, 100n), ben.deposit(PEAR, 10n)])
    expect(await apple.allowance(ann.owner, court)).to.equal(0n)
    await until('deposited', () => ann.balance(APPLE) === 100n && ben.balance(PEAR) === 10n)

    const now = (await ethers.provider.getBlock('latest'))!.timestamp
    const goods = { gives: { asset: APPLE, value: 60n }, takes: { asset: PEAR, value: 7n }, with: ben.owner }
    const swap = proposal({ give: ann, take: ann }, { ...goods, expiry: now + 50_000 })
    const troubles: unknown[] = []
    const ways = { interval: 20, onTrouble: (why: unknown) => troubles.push(why) }
    const first = await Swapping.begin({ give: ann, take: ann }, swap, ways)
    const second = await Swapping.begin({ give: ben, take: ben }, { agreement: swap.agreement }, ways)
    open.push(
      () => first.stop(),
      () => second.stop(),
    )
    await until('swapped', () => first.step.stage === 'won' && second.step.stage === 'won')
    expect([ann.balance(PEAR), ben.balance(APPLE)]).to.deep.equal([7n, 60n])

    // Ben's apples are locked still, and decided for him: they leave with their terms, into escrow, and from there to him.
    const [apples] = [...(await api.unspent(ben.owner)).outputs].filter(({ output }) => output.asset === APPLE)
    await ben.leave(apples!.id)
    await provider.send('evm_increaseTime', [2 * MFP])
    await provider.send('evm_mine', [])
    await until('ben sees that', async () => ben.state.follower.view.next > (await l1.head()))
    await ben.process(APPLE, ben.state.follower.view.time)
    await until('in escrow', () => ben.balances(APPLE).escrow === 60n)
    await ben.claimEscrow()
    expect(await apple.balanceOf(ben.owner)).to.equal(60n)
    expect([failures, troubles]).to.deep.equal([[], []])
  })
})
