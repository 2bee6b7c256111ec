import { network } from 'hardhat'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { compact, domain, keccak, sign } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { SignedState } from '../../src/core/channel/Call.ts'
import { type Channel, channelId, FINAL, stateDigest, withdrawalDigest } from '../../src/core/channel/Channel.ts'
import { type Lock, locksRoot, packLocks } from '../../src/core/channel/Lock.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import type { Adjudicator } from '../../typechain-types/index.ts'

const UNIT = 10n ** 18n
const PERIOD = 86_400
const [alice, bob, stranger] = [localAccount(1), localAccount(2), localAccount(3)]
type Gas = Record<string, number>

/** Gas of every channel verb, for ether and an ERC-20, on a fresh chain with fixed keys, nonces and dates. */
export async function measure(): Promise<Gas> {
  const connection = await network.create({ network: 'default', override: { initialDate: '2026-01-01T00:00:00Z' } })
  const { ethers } = connection
  const deployer = await ethers.getSigner(localAccount(0).address)
  const court = await ethers.deployContract('Adjudicator', [], deployer)
  const token = await ethers.deployContract('Token', [], deployer)
  const gas: Gas = { 'channel.deploy': Number((await court.deploymentTransaction()!.wait())!.gasUsed) }
  for (const party of [alice, bob]) {
    await token.mint(party.address, 10_000n * UNIT)
    await token.connect(await ethers.getSigner(party.address)).approve(court, 2n ** 255n)
  }
  await token.mint(court, UNIT) // the court's own balance of the token is not zero, as in use
  const bench = { connection, court, gas, salt: 0n }
  await measureAsset(bench, ETHER, 'eth')
  await measureAsset(bench, (await token.getAddress()).toLowerCase() as Hex, 'erc20')
  gas['channel.reveal'] = await reveal(bench, 1)
  for (const count of [1, 10, 100]) gas[`channel.settle.locks${count}`] = await settledLocks(bench, count)
  gas['channel.openMany.100.eth'] = Math.round((await openMany(bench, 100)) / 100)
  await connection.close()
  return gas
}

interface Bench {
  readonly connection: Awaited<ReturnType<typeof network.create<'generic'>>>
  readonly court: Adjudicator
  readonly gas: Gas
  salt: bigint
}

async function measureAsset(bench: Bench, asset: Hex, kind: string): Promise<void> {
  const { gas } = bench
  const together = await open(bench, asset, kind)
  gas[`channel.conclude.${kind}`] = await conclude(bench, together, 'party')
  gas[`channel.conclude.${kind}.relayed`] = await conclude(bench, await open(bench, asset), 'relayed')
  const dispute = await open(bench, asset)
  gas[`channel.challenge.${kind}`] = await challenge(bench, dispute)
  gas[`channel.settle.${kind}`] = await settle(bench, dispute)
  gas[`channel.unilateral.${kind}`] = gas[`channel.challenge.${kind}`]! + gas[`channel.settle.${kind}`]!
  gas[`channel.challenge.locks10.${kind}`] = await challenge(bench, await open(bench, asset), 5n, locks(10).map(bare))
  gas[`channel.withdraw.${kind}`] = await secondWithdrawal(bench, await open(bench, asset))
  gas[`channel.answer.${kind}`] = await answered(bench, asset, 'party')
  gas[`channel.answer.${kind}.relayed`] = await answered(bench, asset, 'relayed')
}

async function open(bench: Bench, asset: Hex, kind?: string): Promise<Channel> {
  const { ethers } = bench.connection
  const channel = terms(asset, ++bench.salt)
  const id = channelId(await courtDomain(bench), channel)
  for (const [key, party, toB] of [
    ['open', alice, false],
    ['deposit', bob, true],
  ] as const) {
    const value = asset === ETHER ? UNIT : 0n
    const court = bench.court.connect(await ethers.getSigner(party.address))
    const used = await gasOf(court.deposit(asset, id, toB, UNIT, { value }))
    if (kind) bench.gas[`channel.${key}.${kind}`] = used
  }
  return channel
}

function terms(asset: Hex, number: bigint): Channel {
  const [a, b] = [alice, bob].map(({ address }) => ({ owner: address, signer: address })) as [
    Channel['a'],
    Channel['b'],
  ]
  // The salt is a small number that counts up, as a nonce does in the peers' channels.
  return { a, b, asset, challengePeriod: PERIOD, bond: 0n, salt: uint(number, 32) }
}

async function courtDomain({ court }: Bench) {
  return domain(31337n, (await court.getAddress()).toLowerCase() as Hex)
}

async function signed(
  bench: Bench,
  channel: Channel,
  version: bigint,
  sender?: Hex,
  list: readonly Lock[] = [],
): Promise<SignedState> {
  const under = await courtDomain(bench)
  const batch = version === FINAL ? ZERO : keccak(uint(version, 32))
  const packed = packLocks(list)
  const id = channelId(under, channel)
  const state = { channelId: id, version, net: UNIT / 4n, locksRoot: locksRoot(packed), batch }
  const [sigA, sigB] = [alice, bob].map(({ address, key }) =>
    address === sender ? '0x' : compact(sign(stateDigest(under, state), key)),
  ) as [Hex, Hex]
  return { version, net: state.net, batch, locks: packed, sigA, sigB }
}

async function conclude(bench: Bench, channel: Channel, by: 'party' | 'relayed'): Promise<number> {
  const sender = by === 'party' ? alice : stranger
  const { net, sigA, sigB } = await signed(bench, channel, FINAL, sender.address)
  const court = bench.court.connect(await bench.connection.ethers.getSigner(sender.address))
  return gasOf(court.conclude(channel, net, sigA, sigB))
}

async function challenge(bench: Bench, channel: Channel, version = 5n, list: readonly Lock[] = []): Promise<number> {
  const court = bench.court.connect(await bench.connection.ethers.getSigner(alice.address))
  return gasOf(court.challenge(channel, await signed(bench, channel, version, alice.address, list)))
}

async function answered(bench: Bench, asset: Hex, by: 'party' | 'relayed'): Promise<number> {
  const channel = await open(bench, asset)
  await challenge(bench, channel)
  const sender = by === 'party' ? bob : stranger
  const court = bench.court.connect(await bench.connection.ethers.getSigner(sender.address))
  return gasOf(court.answer(channel, await signed(bench, channel, 9n, sender.address)))
}

async function settle(bench: Bench, channel: Channel): Promise<number> {
  await bench.connection.networkHelpers.time.increase(PERIOD + 1)
  const court = bench.court.connect(await bench.connection.ethers.getSigner(alice.address))
  return gasOf(court.settle(channel, '0x'))
}

type Secret = Lock & { readonly preimage: Hex }
let secrets = 0

/** Hash locks of a thousandth each, in turns to both sides, that a chain's time will not reach. */
function locks(count: number): readonly Secret[] {
  return Array.from({ length: count }, (_, i) => {
    const preimage = keccak(uint(++secrets, 32))
    const common = { amount: UNIT / 1000n, expiry: 2 ** 34, condition: ETHER, key: hashLock(preimage), preimage }
    return { toB: i % 2 === 0, id: BigInt(i + 1), ...common }
  })
}

function bare({ preimage: _, ...lock }: Secret): Lock {
  return lock
}

async function reveal(bench: Bench, count: number, of: readonly Secret[] = locks(count)): Promise<number> {
  const court = bench.court.connect(await bench.connection.ethers.getSigner(stranger.address))
  return gasOf(court.reveal(of.map(({ preimage }) => preimage)))
}

/** Settles a channel in ether whose recorded state has so many locks, all revealed. */
async function settledLocks(bench: Bench, count: number): Promise<number> {
  const channel = await open(bench, ETHER)
  const list = locks(count)
  await challenge(bench, channel, 5n, list.map(bare))
  await reveal(bench, count, list)
  await bench.connection.networkHelpers.time.increase(PERIOD + 1)
  const court = bench.court.connect(await bench.connection.ethers.getSigner(alice.address))
  return gasOf(court.settle(channel, packLocks(list.map(bare))))
}

/** The second withdrawal from a channel by one side, which sends it: nodes raise one side's total at a time. */
async function secondWithdrawal(bench: Bench, channel: Channel): Promise<number> {
  const under = await courtDomain(bench)
  const court = bench.court.connect(await bench.connection.ethers.getSigner(alice.address))
  const take = (total: bigint) => {
    const digest = withdrawalDigest(under, channelId(under, channel), total, 0n, 2 ** 34)
    return gasOf(court.withdraw(channel, total, 0n, 2 ** 34, '0x', compact(sign(digest, bob.key))))
  }
  await take(UNIT / 10n)
  return take(UNIT / 5n)
}

async function openMany(bench: Bench, count: number): Promise<number> {
  const under = await courtDomain(bench)
  const list = Array.from({ length: count }, () => {
    return { channelId: channelId(under, terms(ETHER, ++bench.salt)), toB: false, amount: UNIT }
  })
  const court = bench.court.connect(await bench.connection.ethers.getSigner(alice.address))
  return gasOf(court.deposits(list, { value: UNIT * BigInt(count) }))
}

async function gasOf(sent: Promise<{ wait(): Promise<{ gasUsed: bigint } | null> }>): Promise<number> {
  return Number((await (await sent).wait())!.gasUsed)
}
