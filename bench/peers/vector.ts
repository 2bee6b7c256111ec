// Vector: a contract for every pair of parties, made with the first deposit. The second party deposits by a plain
// transfer. It closes by one withdrawal for each party, and settles by a defund and one exit for each.
import { AbiCoder, Contract, type Interface } from 'ethers'
import { ETHER, type Hex, ZERO } from '../../src/core/base/Bytes.ts'
import { keccak } from '../../src/core/base/Signature.ts'
import { type Account, localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import {
  call,
  demand,
  deploy,
  PAID,
  PERIOD,
  type PeerChain,
  passPeriod,
  signPrefixed,
  transfer,
  UNIT,
} from './chain.ts'
import { type Artifact, artifactOf } from './packages.ts'

/** How many local accounts the pairs of this bench need. */
export const VECTOR_PARTIES = 16
const [STATE, WITHDRAWAL] = [0, 1]
const coder = AbiCoder.defaultAbiCoder()

interface Bench {
  readonly chain: PeerChain
  readonly factory: Contract
  readonly channel: Artifact
  readonly gas: Record<string, number>
  /** Pairs that have a channel already: a pair can have one only. */
  pairs: number
}

interface Pair {
  readonly channel: Contract
  readonly parties: readonly [alice: Account, bob: Account]
  readonly asset: Hex
}

/** Gas of Vector's verbs: open, deposit, conclude, challenge, answer, settle, unilateral, withdraw (a second one), deploy. */
export async function measureVector(chain: PeerChain): Promise<Readonly<Record<string, number>>> {
  const channel = artifact('ChannelMastercopy')
  const master = await deploy(chain, channel)
  const factory = await deploy(chain, artifact('ChannelFactory'), await master.contract.getAddress(), 0n)
  const bench = { chain, factory: factory.contract, channel, gas: { deploy: master.gas + factory.gas }, pairs: 0 }
  for (const [kind, asset] of chain.assets) await measureAsset(bench, kind, asset)
  return bench.gas
}

function artifact(name: string): Artifact {
  return artifactOf('@connext/vector-contracts', `artifacts/src.sol/${name}.sol/${name}.json`)
}

async function measureAsset(bench: Bench, kind: string, asset: Hex): Promise<void> {
  const { gas } = bench
  gas[`conclude.${kind}`] = await conclude(bench, await open(bench, asset, kind))
  const dispute = await open(bench, asset)
  gas[`challenge.${kind}`] = await present(bench, dispute, 5n)
  gas[`settle.${kind}`] = await settle(bench, dispute)
  gas[`unilateral.${kind}`] = gas[`challenge.${kind}`]! + gas[`settle.${kind}`]!
  gas[`answer.${kind}`] = await answered(bench, await open(bench, asset))
  gas[`withdraw.${kind}`] = await secondWithdrawal(bench, await open(bench, asset))
}

async function open(bench: Bench, asset: Hex, kind?: string): Promise<Pair> {
  const { chain, factory, gas } = bench
  const parties = [localAccount(1 + 2 * bench.pairs), localAccount(2 + 2 * bench.pairs++)] as const
  const [alice, bob] = parties
  await call(chain, chain.token, alice, 'approve', [await factory.getAddress(), 2n ** 255n])
  const address = (await factory.getFunction('getChannelAddress')(alice.address, bob.address)) as string
  const terms = [alice.address, bob.address, asset, UNIT]
  const value = asset === ETHER ? UNIT : 0n
  const opened = await call(chain, factory, alice, 'createChannelAndDepositAlice', terms, value)
  const deposited =
    asset === ETHER
      ? await transfer(chain, bob, address, UNIT)
      : await call(chain, chain.token, bob, 'transfer', [address, UNIT])
  if (kind) Object.assign(gas, { [`open.${kind}`]: opened, [`deposit.${kind}`]: deposited })
  return { channel: new Contract(address, bench.channel.abi, chain.connection.ethers.provider), parties, asset }
}

function signatures({ parties }: Pair, kind: number, hash: Hex): readonly Hex[] {
  const commitment = keccak(coder.encode(['uint8', 'bytes32'], [kind, hash]) as Hex)
  return parties.map((party) => signPrefixed('\x16Vector Signed Message:\n32', commitment, party))
}

/** The hash of a verb's first parameter, which is what both parties sign. */
function hashOf(contract: Interface, verb: string, value: readonly unknown[]): Hex {
  return keccak(coder.encode([contract.getFunction(verb)!.inputs[0]!], [value]) as Hex)
}

async function withdraw(bench: Bench, pair: Pair, to: Account, amount: bigint, nonce: bigint): Promise<number> {
  const { channel, asset } = pair
  const data = [await channel.getAddress(), asset, to.address, amount, nonce, ETHER, '0x']
  const signed = signatures(pair, WITHDRAWAL, hashOf(channel.interface, 'withdraw', data))
  return call(bench.chain, channel, pair.parties[0], 'withdraw', [data, ...signed])
}

async function secondWithdrawal(bench: Bench, pair: Pair): Promise<number> {
  await withdraw(bench, pair, pair.parties[0], UNIT / 4n, 1n)
  return withdraw(bench, pair, pair.parties[0], UNIT / 4n, 2n)
}

async function conclude(bench: Bench, pair: Pair): Promise<number> {
  const first = await withdraw(bench, pair, pair.parties[0], PAID[0], 1n)
  const second = await withdraw(bench, pair, pair.parties[1], PAID[1], 2n)
  await demandEmpty(bench, pair)
  return first + second
}

async function stateOf({ channel, parties, asset }: Pair, nonce: bigint): Promise<readonly unknown[]> {
  const owners = parties.map(({ address }) => address)
  const balances = [[PAID, owners]]
  return [await channel.getAddress(), ...owners, [asset], balances, [UNIT], [UNIT], [1n], PERIOD, nonce, ZERO]
}

async function present(bench: Bench, pair: Pair, nonce: bigint, by = pair.parties[0]): Promise<number> {
  const state = await stateOf(pair, nonce)
  const signed = signatures(pair, STATE, hashOf(pair.channel.interface, 'disputeChannel', state))
  return call(bench.chain, pair.channel, by, 'disputeChannel', [state, ...signed])
}

async function answered(bench: Bench, pair: Pair): Promise<number> {
  await present(bench, pair, 5n)
  const used = await present(bench, pair, 9n, pair.parties[1])
  const { nonce } = (await pair.channel.getFunction('getChannelDispute')()) as { readonly nonce: bigint }
  demand('the answered nonce', nonce, 9n)
  return used
}

async function settle(bench: Bench, pair: Pair): Promise<number> {
  await passPeriod(bench.chain)
  const { channel, parties, asset } = pair
  let used = await call(bench.chain, channel, parties[0], 'defundChannel', [await stateOf(pair, 5n), [asset], [0]])
  for (const party of parties) {
    used += await call(bench.chain, channel, party, 'exit', [asset, party.address, party.address])
  }
  await demandEmpty(bench, pair)
  return used
}

async function demandEmpty({ chain }: Bench, { channel, asset }: Pair): Promise<void> {
  const address = await channel.getAddress()
  const left =
    asset === ETHER
      ? await chain.connection.ethers.provider.getBalance(address)
      : ((await chain.token.getFunction('balanceOf')(address)) as bigint)
  demand('what the Vector channel still holds', left, 0n)
}
