import type { Hex } from '../../src/core/base/Bytes.ts'
import type { Nature } from '../../src/core/base/Court.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { callValue } from '../../src/core/plasma/Sending.ts'
import type { Deed, OddDeed, OddToken, Token } from '../../typechain-types/index.ts'
import { alice, bob, carol, encode, type Stage } from './stage.ts'

const NEVER_MONEY = { gasPrice: 0 }
const ALL = 2n ** 256n - 1n
const HOLDERS = [alice, bob, carol].map(({ address }) => address)

interface Contracts {
  readonly Token: Token
  readonly OddToken: OddToken
  readonly Deed: Deed
  readonly OddDeed: OddDeed
}

/** A token that is deployed. */
export interface Minted<Name extends keyof Contracts> {
  readonly asset: Hex
  readonly contract: Contracts[Name]
}

async function deploy<Name extends keyof Contracts>(on: Stage, name: Name, nature: Nature): Promise<Minted<Name>> {
  const contract = (await on.connection.ethers.deployContract(name, NEVER_MONEY)) as unknown as Contracts[Name]
  const asset = (await contract.getAddress()).toLowerCase() as Hex
  on.natures.set(asset, nature)
  return { asset, contract }
}

/** The stage's time is again that of the newest block, after transactions that were sent past it. */
export async function catchUp(on: Stage): Promise<void> {
  on.time = await on.connection.networkHelpers.time.latest()
}

/** An ERC-20 of which alice, bob and carol hold this much each and let the court take it; an honest one is counted. */
export async function coins(on: Stage, amount = 10_000n): Promise<Minted<'Token'>> {
  const made = await deploy(on, 'Token', 'fungible')
  await hand(on, made, amount)
  on.holdings.set(made.asset, new Map(HOLDERS.map((who) => [who, amount])))
  return made
}

/** The same of one that misbehaves as it is told. */
export async function oddCoins(on: Stage, amount = 10_000n): Promise<Minted<'OddToken'>> {
  const made = await deploy(on, 'OddToken', 'fungible')
  await hand(on, made, amount)
  return made
}

async function hand(on: Stage, { contract }: Minted<'Token' | 'OddToken'>, amount: bigint): Promise<void> {
  for (const who of HOLDERS) {
    await contract.mint(who, amount, NEVER_MONEY)
    const own = contract.connect(await on.connection.ethers.getSigner(who)) as Token
    await own.approve(on.domain.court, ALL, NEVER_MONEY)
  }
  await catchUp(on)
}

/** An ERC-721 with these ids under alice, that she lets the court take. */
export async function deeds(on: Stage, ids: readonly bigint[], owner: Hex = alice.address): Promise<Minted<'Deed'>> {
  const made = await deploy(on, 'Deed', 'unique')
  for (const id of ids) await made.contract.mint(owner, id, NEVER_MONEY)
  const own = made.contract.connect(await on.connection.ethers.getSigner(owner))
  await own.setApprovalForAll(on.domain.court, true, NEVER_MONEY)
  await catchUp(on)
  return made
}

/** The same of one that misbehaves as it is told; it asks nobody for approval. */
export async function oddDeeds(on: Stage, ids: readonly bigint[], nature: Nature): Promise<Minted<'OddDeed'>> {
  const made = await deploy(on, 'OddDeed', nature)
  for (const id of ids) await made.contract.mint(alice.address, id, NEVER_MONEY)
  await catchUp(on)
  return made
}

/**
 * The name of the error, or the reason, with which the contract alone refuses a call in the next second; undefined if it
 * does not. For what no model can know: tokens that lie while they are being taken.
 */
export async function refusalOf(
  on: Stage,
  call: PlasmaCall,
  sender: Hex,
  gas = 8_000_000,
): Promise<string | undefined> {
  const { provider, networkHelpers } = on.connection
  const before = await networkHelpers.takeSnapshot()
  await networkHelpers.time.setNextBlockTimestamp(on.time + 1)
  await networkHelpers.setNextBlockBaseFeePerGas(0)
  const value = `0x${callValue(on.terms, call, 0n, sender).toString(16)}`
  const sent = { from: sender, to: on.domain.court, data: encode(on, call), value, gas: `0x${gas.toString(16)}` }
  try {
    await provider.request({ method: 'eth_sendTransaction', params: [{ ...sent, gasPrice: '0x0' }] })
    return undefined
  } catch (why) {
    const { data = '0x', message } = why as { data?: string; message: string }
    return (data.length >= 10 ? on.abi.parseError(data)?.name : undefined) ?? message
  } finally {
    await before.restore()
  }
}
