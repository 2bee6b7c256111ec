import type { Hex } from '../../src/core/base/Bytes.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { measureDeep } from './plasma/deep.ts'
import { measureExits, measureLevels } from './plasma/exits.ts'
import { alice, type Bench, begin, deposit, depositOf, type Gas, gasOf, UNIT } from './plasma/ground.ts'
import { measureGroups } from './plasma/groups.ts'
import { measureInFlight } from './plasma/inFlight.ts'

/**
 * Gas of every Plasma verb, for ether where nothing else is said, on a fresh chain with fixed keys, nonces and dates. Of
 * everything that is measured there is one more of its kind in pot and queue, every block and every parent is full, every
 * receiver exists.
 */
export async function measure(deep = false): Promise<Gas> {
  const [root, child, grandchild] = await begin()
  const gas: Gas = {}
  const take = async (bench: Bench, from: number, count: number) => {
    const taken = Array.from({ length: count }, (_, i) => depositOf(bench, from + i))
    for (const one of taken) gas['plasma.deposit.eth'] = await deposit(bench, one)
    return taken
  }
  Object.assign(gas, await measureTokens(root))
  Object.assign(gas, await measureExits(root, await take(root, 0, 105)))
  const levels = [await take(root, 200, 2), await take(child, 200, 2), await take(grandchild, 200, 2)]
  Object.assign(gas, await measureLevels([root, child, grandchild], levels))
  const [groups] = await begin()
  Object.assign(gas, await measureGroups(groups, await take(groups, 300, 150)))
  const [flights] = await begin()
  Object.assign(gas, await measureInFlight(flights, await take(flights, 500, 30)))
  if (deep) Object.assign(gas, await measureDeep((await begin())[0]))
  return gas
}

/** Deposits of what is no ether, the second of each. */
async function measureTokens(bench: Bench): Promise<Gas> {
  const { ethers } = bench.connection
  const deployer = await ethers.getSigner(localAccount(0).address)
  const holder = await ethers.getSigner(alice.address)
  const [token, deed] = [await ethers.deployContract('Token', deployer), await ethers.deployContract('Deed', deployer)]
  const [coin, unique] = [await token.getAddress(), await deed.getAddress()].map((at) => at.toLowerCase() as Hex)
  await token.connect(deployer).getFunction('mint')(alice.address, 10n * UNIT)
  await token.connect(holder).getFunction('approve')(bench.under.court, 10n * UNIT)
  await deed.connect(holder).getFunction('setApprovalForAll')(bench.under.court, true)
  const gas: Gas = {}
  for (let i = 1; i < 3; i++) {
    await gasOf(deed.connect(deployer).getFunction('mint')(alice.address, i))
    gas['plasma.deposit.erc20'] = await deposit(bench, depositOf(bench, 900 + i, coin))
    gas['plasma.deposit.erc721'] = await deposit(bench, depositOf(bench, 900 + i, unique, BigInt(i)))
  }
  return gas
}
