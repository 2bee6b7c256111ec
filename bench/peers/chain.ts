import { Contract, ContractFactory, type TransactionResponse, toUtf8Bytes } from 'ethers'
import { network } from 'hardhat'
import { ETHER, type Hex, toHex } from '../../src/core/base/Bytes.ts'
import { keccak, sign } from '../../src/core/base/Signature.ts'
import { type Account, localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import type { Artifact } from './packages.ts'

/** What each party deposits. */
export const UNIT = 10n ** 18n
/** What the first and the second party are paid at the end. */
export const PAID = [(3n * UNIT) / 4n, (5n * UNIT) / 4n] as const
/** Seconds of a dispute. */
export const PERIOD = 86_400

/** The chain that peers are measured on: settings, keys, amounts and token of kerros' own channel bench. */
export interface PeerChain {
  readonly connection: Awaited<ReturnType<typeof network.create<'generic'>>>
  readonly token: Contract
  readonly assets: readonly (readonly [kind: 'eth' | 'erc20', asset: Hex])[]
}

/** A fresh chain on which the first `parties` local accounts own the token and ether. */
export async function peerChain(parties: number): Promise<PeerChain> {
  const connection = await network.create({ network: 'default', override: { initialDate: '2026-01-01T00:00:00Z' } })
  const { ethers } = connection
  const deployed = await ethers.deployContract('Token', [], await ethers.getSigner(localAccount(0).address))
  const token = new Contract(await deployed.getAddress(), deployed.interface, ethers.provider)
  const assets = [['eth', ETHER] as const, ['erc20', (await deployed.getAddress()).toLowerCase() as Hex] as const]
  const chain = { connection, token, assets }
  for (let i = 1; i <= parties; i++) await call(chain, token, localAccount(0), 'mint', [partyOf(i), 10_000n * UNIT])
  return chain
}

function partyOf(index: number): Hex {
  return localAccount(index).address
}

/** Deploys a published artifact from the account that deploys kerros; tells the gas too. */
export async function deploy(
  chain: PeerChain,
  artifact: Artifact,
  ...args: readonly unknown[]
): Promise<{ readonly contract: Contract; readonly gas: number }> {
  const signer = await chain.connection.ethers.getSigner(localAccount(0).address)
  const made = await new ContractFactory(artifact.abi, artifact.bytecode, signer).deploy(...args)
  const gas = await gasOf(made.deploymentTransaction()!)
  return { contract: new Contract(await made.getAddress(), artifact.abi, chain.connection.ethers.provider), gas }
}

/** Gas of one transaction of `from` that calls a verb. */
export async function call(
  chain: PeerChain,
  contract: Contract,
  from: Account,
  verb: string,
  args: readonly unknown[],
  value = 0n,
): Promise<number> {
  const signer = await chain.connection.ethers.getSigner(from.address)
  const run = (contract.connect(signer) as Contract).getFunction(verb)
  return gasOf((await run.send(...args, { value })) as TransactionResponse)
}

/** Gas of one plain transfer of ether. */
export async function transfer(chain: PeerChain, from: Account, to: string, value: bigint): Promise<number> {
  const signer = await chain.connection.ethers.getSigner(from.address)
  return gasOf(await signer.sendTransaction({ to, value }))
}

async function gasOf(sent: TransactionResponse): Promise<number> {
  return Number((await sent.wait())!.gasUsed)
}

/** Ends the dispute period of everything disputed so far. */
export async function passPeriod(chain: PeerChain): Promise<void> {
  await chain.connection.networkHelpers.time.increase(PERIOD + 1)
}

/** A 65-byte signature over `hash` behind a text, as wallets sign messages. */
export function signPrefixed(prefix: string, hash: Hex, { key }: Account): Hex {
  return sign(keccak(toHex(toUtf8Bytes(prefix)), hash), key)
}

/** Throws unless a peer's own books say what the measured verb had to bring about. */
export function demand(what: string, have: bigint, need: bigint): void {
  if (have !== need) throw new Error(`${what} is ${have} where it has to be ${need}: the peer was called wrongly`)
}
