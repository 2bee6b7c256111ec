import { network } from 'hardhat'
import { ETHER, type Hex, ZERO } from '../../src/core/base/Bytes.ts'
import { rootOf } from '../../src/core/base/Merkle.ts'
import { compact, type Domain, domain, keccakText, keccakWords, sign } from '../../src/core/base/Signature.ts'
import * as Block from '../../src/core/plasma/Block.ts'
import type { PlasmaEvent } from '../../src/core/plasma/Call.ts'
import { OWN_PERMIT } from '../../src/core/plasma/Exit.ts'
import {
  type Chain,
  chainId,
  type Deposit,
  depositId,
  type Transaction,
  txHash,
} from '../../src/core/plasma/Transaction.ts'
import { type Account, localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import type { RootChain } from '../../typechain-types/index.ts'

const UNIT = 10n ** 18n
const MFP = 7 * 86_400
const BATCH = 50
const [operator, alice, bob, carol] = [1, 2, 3, 4].map(localAccount) as [Account, Account, Account, Account]
const FILLER = Array.from({ length: 2 ** Block.DEPTH }, (_, i) => word('filler', i))
type Gas = Record<string, number>
type Exiting = Extract<PlasmaEvent, { name: 'ExitStarted' }>

interface Bench {
  readonly connection: Awaited<ReturnType<typeof network.create<'generic'>>>
  readonly court: RootChain
  readonly under: Domain
  readonly chain: Chain
  readonly bond: bigint
}

/** A committed block: its transactions, and the proof of each. */
interface Sealed {
  readonly txs: readonly Transaction[]
  readonly proofs: readonly Block.Inclusion[]
}

/**
 * Gas of every Plasma verb, for ether, on a fresh chain with fixed keys, nonces and dates. Of everything that is
 * measured there is one more of its kind in pot and queue, every block is full of proofs, every receiver exists.
 */
export async function measure(): Promise<Gas> {
  const bench = await begin()
  const deposits = await measureDeposits(bench)
  const block = await measureCommits(bench, deposits)
  const gas = { ...deposits.gas, ...block.gas }
  Object.assign(gas, await measureYoung(bench, block.sealed))
  await bench.connection.networkHelpers.time.increase(MFP)
  Object.assign(gas, await measureExits(bench, deposits.ids.slice(2 * BATCH), block.sealed))
  await bench.connection.close()
  return gas
}

async function begin(): Promise<Bench> {
  const connection = await network.create({ network: 'default', override: { initialDate: '2026-01-01T00:00:00Z' } })
  const { ethers } = connection
  const deployer = await ethers.getSigner(localAccount(0).address)
  const registry = await ethers.deployContract('VerdictRegistry', [], deployer)
  const terms = [registry, MFP, 3600, 43_200, 140_000, 10n ** 9n, 2n * 10n ** 11n]
  const court = await ethers.deployContract('RootChain', terms, deployer)
  const under = domain(31337n, (await court.getAddress()).toLowerCase() as Hex)
  const chain = { parent: ZERO, slot: 1, operator: operator.address }
  const bench = { connection, court, under, chain, bond: 140_000n * 10n ** 9n }
  await (await as(bench, operator)).register([chain], ['0x'])
  return bench
}

async function as({ court, connection }: Bench, who: Account): Promise<RootChain> {
  return court.connect(await connection.ethers.getSigner(who.address))
}

/** Distinct words as users have them: no byte of them is likely to be zero. */
function word(label: string, number: number): Hex {
  return keccakWords(keccakText(label), number)
}

function depositOf(bench: Bench, number: number): Deposit {
  const sender = alice.address
  const salt = word('salt', number)
  return { chain: chainId(bench.chain), sender, salt, owner: alice.address, asset: ETHER, value: UNIT }
}

async function measureDeposits(bench: Bench) {
  const court = await as(bench, alice)
  const gas: Gas = {}
  for (let i = 0; i < 3 * BATCH + 3; i++) {
    const { chain, salt, owner, asset, value } = depositOf(bench, i)
    gas['plasma.deposit.eth'] = await gasOf(court.deposit(chain, salt, owner, asset, value, { value }))
  }
  return { gas, ids: Array.from({ length: 3 * BATCH + 3 }, (_, i) => depositOf(bench, i)) }
}

/** Alice's deposits are spent one by one: a half to bob, a half back to her. */
async function measureCommits(bench: Bench, { ids }: { ids: readonly Deposit[] }) {
  const spent = ids.slice(0, 2 * BATCH)
  const txs = spent.map((deposit, i) => paymentOf(bench, depositId(deposit), i))
  await seal(bench, [])
  const { gas, sealed } = await seal(bench, txs)
  return { gas: { 'plasma.commit': gas }, sealed }
}

function paymentOf(bench: Bench, input: Hex, memo: number): Transaction {
  const outputs = [bob, alice].map(({ address }) => ({ owner: address, asset: ETHER, value: UNIT / 2n, lock: ZERO }))
  return { chain: chainId(bench.chain), inputs: [input], outputs, lastBlock: 1000, memo: word('memo', memo) }
}

/** Commits a block of 65,536 leaves, so that no sibling of a proof is an empty one. */
async function seal(bench: Bench, txs: readonly Transaction[]): Promise<{ gas: number; sealed: Sealed }> {
  const { court, under, connection, chain } = bench
  const real = txs.map((tx) => txHash(under, tx))
  const tree = Block.txTree([...real, ...FILLER.slice(real.length)])
  const header = Block.header(rootOf(tree))
  const number = Number((await court.chains(chainId(chain))).number) + 1
  const asOf = await connection.networkHelpers.time.latest()
  const gas = await gasOf((await as(bench, operator)).commit(chain, number, header, asOf))
  const commitment = { number, header, time: await connection.networkHelpers.time.latest(), asOf }
  return { gas, sealed: { txs, proofs: txs.map((_, i) => Block.inclusion(tree, i, commitment)) } }
}

async function measureYoung(bench: Bench, block: Sealed): Promise<Gas> {
  // One young exit waits in another number's bucket, so that this one opens its own.
  const earlier = (await seal(bench, block.txs)).sealed
  const [first] = await exitOf(bench, earlier, 0)
  const [second, gas] = await exitOf(bench, (await seal(bench, block.txs)).sealed, 1)
  for (const exiting of [first, second]) await cancel(bench, exiting)
  return { 'plasma.exit.young': gas }
}

async function measureExits(bench: Bench, deposits: readonly Deposit[], block: Sealed): Promise<Gas> {
  const gas: Gas = {}
  const [exits, ofDeposits]: [Exiting[], Exiting[]] = [[], []]
  for (let i = 0; i < BATCH + 1; i++) {
    const [exiting, used] = await exitOf(bench, block, i)
    exits.push(exiting)
    gas['plasma.exit.tx'] = used
  }
  for (const deposit of deposits) {
    const [exiting, used] = await exitOfDeposit(bench, deposit)
    ofDeposits.push(exiting)
    gas['plasma.exit.deposit'] = used
  }
  const [live, included] = ofDeposits.splice(BATCH + 1) as [Exiting, Exiting]
  const spends = [live, included].map(({ ids }) => paymentOf(bench, ids, 0))
  const { proofs } = (await seal(bench, spends)).sealed
  gas['plasma.challenge'] = await challenge(bench, live, spends[0]!, [])
  gas['plasma.challenge.included'] = await challenge(bench, included, spends[1]!, [proofs[1]!])
  await bench.connection.networkHelpers.time.increase(MFP)
  gas['plasma.process'] = await processed(bench, exits)
  gas['plasma.process.deposit'] = await processed(bench, ofDeposits)
  return gas
}

/** Gas of each exit in a batch of 50, after the queue has paid one. */
async function processed(bench: Bench, exits: readonly Exiting[]): Promise<number> {
  await processAll(bench, exits.slice(0, 1))
  return Math.ceil((await processAll(bench, exits.slice(1))) / (exits.length - 1))
}

async function processAll(bench: Bench, exits: readonly Exiting[]): Promise<number> {
  const court = await as(bench, carol)
  const data = exits.map(({ exit }) => exit)
  const { gasUsed, logs } = (await (
    await court.process(chainId(bench.chain), ETHER, data, [], { gasLimit: 16_000_000 })
  ).wait())!
  if (logs.length !== exits.length) throw new Error(`${logs.length} of ${exits.length} exits were paid`)
  return Number(gasUsed)
}

async function challenge(
  bench: Bench,
  { exit, lane, index }: Exiting,
  tx: Transaction,
  inclusion: readonly Block.Inclusion[],
): Promise<number> {
  const signature = compact(sign(txHash(bench.under, tx), alice.key))
  const spend = { tx, input: 0, signature, inclusion }
  return gasOf((await as(bench, carol)).challengeExit([bench.chain], exit, lane, index, spend as never))
}

async function cancel(bench: Bench, { exit, lane, index }: Exiting): Promise<void> {
  await (await as(bench, bob)).cancelExit(exit, lane, index)
}

async function exitOf(bench: Bench, { txs, proofs }: Sealed, index: number): Promise<[Exiting, number]> {
  const court = await as(bench, bob)
  const proof = { ...proofs[index]!, levels: [] }
  const start = court.startExit([bench.chain], txs[index]! as never, 0, proof as never, OWN_PERMIT, await bonded(bench))
  return started(bench, start)
}

async function exitOfDeposit(bench: Bench, deposit: Deposit): Promise<[Exiting, number]> {
  return started(bench, (await as(bench, alice)).startDepositExit(deposit, OWN_PERMIT, await bonded(bench)))
}

async function bonded({ bond, court }: Bench): Promise<{ value: bigint; gasPrice: bigint }> {
  if ((await court.bond(0)) !== bond) throw new Error('the bench posts another bond than the court wants')
  return { value: bond, gasPrice: 10n ** 9n }
}

type Sent = Promise<{
  wait(): Promise<{ gasUsed: bigint; logs: readonly { topics: readonly string[]; data: string }[] } | null>
}>

async function started({ court }: Bench, sent: Sent): Promise<[Exiting, number]> {
  const { gasUsed, logs } = (await (await sent).wait())!
  const { ids, lane, index, exit } = court.interface.decodeEventLog('ExitStarted', logs[0]!.data, logs[0]!.topics)
  const { lock, count, value, exitableAt, bond } = exit
  const numbers = { count: Number(count), exitableAt: Number(exitableAt) }
  const [chain, asset, owner, starter] = [exit.chain, exit.asset, exit.owner, exit.starter] as Hex[]
  const whole = { chain, asset, owner, lock, ids, value, bond, starter, ...numbers } as Exiting['exit']
  return [{ name: 'ExitStarted', ids, lane: Number(lane), index: Number(index), exit: whole }, Number(gasUsed)]
}

async function gasOf(sent: Sent): Promise<number> {
  return Number((await (await sent).wait())!.gasUsed)
}
