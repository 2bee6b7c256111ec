import { ETHER, type Hex } from '../../../src/core/base/Bytes.ts'
import type { Inclusion } from '../../../src/core/plasma/Block.ts'
import type { PlasmaEvent } from '../../../src/core/plasma/Call.ts'
import { OWN_PERMIT } from '../../../src/core/plasma/Exit.ts'
import type { Member } from '../../../src/core/plasma/Group.ts'
import type { InFlightExit } from '../../../src/core/plasma/InFlightExit.ts'
import { type Deposit, depositId, type Transaction } from '../../../src/core/plasma/Transaction.ts'
import {
  alice,
  as,
  type Bench,
  bob,
  bonded,
  carol,
  chainOf,
  type Gas,
  gasOf,
  MFP,
  mined,
  paymentOf,
  type Sealed,
  type Sent,
  seal,
  signed,
} from './ground.ts'

/** A running exit as its event tells it, and what its start cost. */
export type Exiting = Extract<PlasmaEvent, { name: 'ExitStarted' }> & { readonly gas: number }

const BATCH = 50

/** Standard exits of one output each: starts of every age and kind, challenges, payments in a batch of 50. */
export async function measureExits(bench: Bench, deposits: readonly Deposit[]): Promise<Gas> {
  const spent = deposits.slice(0, BATCH + 2)
  const txs = spent.map((one, i) => paymentOf(bench, [depositId(one)], i))
  const gas: Gas = {}
  await seal(bench, [])
  const block = await seal(bench, txs)
  gas['plasma.commit'] = block.gas
  gas['plasma.exit.young'] = await measureYoung(bench, block)
  await bench.connection.networkHelpers.time.increase(MFP)
  const exits: Exiting[] = []
  for (let i = 0; i < BATCH + 1; i++) exits.push(await exitOf(bench, block, i))
  gas['plasma.exit.tx'] = exits.at(-1)!.gas
  const ofDeposits: Exiting[] = []
  for (const one of deposits.slice(BATCH + 2)) ofDeposits.push(await exitOfDeposit(bench, one))
  gas['plasma.exit.deposit'] = ofDeposits.at(-1)!.gas
  const [live, included] = ofDeposits.splice(BATCH + 1) as [Exiting, Exiting]
  const spends = [live, included].map(({ ids }) => paymentOf(bench, [ids], 0))
  const { proofs } = await seal(bench, spends)
  gas['plasma.challenge'] = await challenge(bench, live, spends[0]!, [])
  gas['plasma.challenge.included'] = await challenge(bench, included, spends[1]!, [proofs[1]!])
  await bench.connection.networkHelpers.time.increase(MFP)
  gas['plasma.process'] = await processedAfterOne(bench, exits)
  gas['plasma.process.deposit'] = await processedAfterOne(bench, ofDeposits)
  return gas
}

async function measureYoung(bench: Bench, block: Sealed): Promise<number> {
  // One young exit waits in another number's bucket, so that this one opens its own.
  const earlier = await seal(bench, block.txs)
  const first = await exitOf(bench, earlier, 0)
  const second = await exitOf(bench, await seal(bench, block.txs), 1)
  for (const { exit, lane, index } of [first, second]) await (await as(bench, bob)).cancelExit(exit, lane, index)
  return second.gas
}

/** What one more level of the tree costs in a proof: at depths 2 and 3, the same exit as at depth 1. */
export async function measureLevels(
  benches: readonly Bench[],
  deposits: readonly (readonly Deposit[])[],
): Promise<Gas> {
  const costs: number[] = []
  for (const [i, bench] of benches.entries()) {
    const txs = deposits[i]!.map((one, memo) => paymentOf(bench, [depositId(one)], memo))
    const block = await seal(bench, txs)
    await bench.connection.networkHelpers.time.increase(MFP)
    await exitOf(bench, block, 0)
    costs.push((await exitOf(bench, block, 1)).gas)
  }
  const [one, two, three] = costs as [number, number, number]
  return {
    'plasma.exit.level': Math.max(two - one, three - two),
    'plasma.exit.tx.depth2': two,
    'plasma.exit.tx.depth3': three,
  }
}

/** Gas of each exit in a batch, after the queue has paid one. */
async function processedAfterOne(bench: Bench, exits: readonly Exiting[]): Promise<number> {
  await process(bench, exits.slice(0, 1))
  return Math.ceil((await process(bench, exits.slice(1))) / (exits.length - 1))
}

/** Processes exits of ether; all that is handed over must be paid. Returns the gas. */
export async function process(
  bench: Bench,
  exits: readonly Exiting[],
  members: readonly Member[] = [],
  inFlight: readonly InFlightExit[] = [],
): Promise<number> {
  const data = exits.map(({ exit }) => exit)
  const court = await as(bench, carol)
  const limit = { gasLimit: 16_000_000 }
  const sent = court.process(chainOf(bench), ETHER, data, members as Member[], inFlight as never[], limit)
  const { gasUsed, logs } = await mined(sent)
  const names = logs.map((log) => court.interface.parseLog(log)?.name)
  const paid = names.filter((name) => name === 'ExitPaid' || name === 'InFlightProcessed').length
  if (paid !== exits.length + inFlight.length) throw new Error(`${paid} exits were paid: ${names.join(', ')}`)
  return Number(gasUsed)
}

/** Challenges by a payment of alice. */
async function challenge(
  bench: Bench,
  { exit, lane, index }: Exiting,
  tx: Transaction,
  inclusion: readonly Inclusion[],
): Promise<number> {
  const spend = { tx, input: 0, authorisation: signed(bench, tx, alice), inclusion }
  return gasOf((await as(bench, carol)).challengeExit([...bench.path], exit, lane, index, spend as never))
}

/** Bob leaves with his half of a payment. */
export async function exitOf(bench: Bench, { txs, proofs }: Sealed, index: number): Promise<Exiting> {
  const court = await as(bench, bob)
  const [tx, proof] = [txs[index]! as never, proofs[index]! as never]
  return started(bench, court.startExit([...bench.path], tx, 0, proof, OWN_PERMIT, bonded(bench)))
}

/** Alice leaves with a deposit. */
export async function exitOfDeposit(bench: Bench, deposit: Deposit): Promise<Exiting> {
  return started(bench, (await as(bench, alice)).startDepositExit(deposit, OWN_PERMIT, bonded(bench)))
}

/** The exit that a start's event tells, and the start's gas. */
export async function started({ court }: Bench, sent: Sent): Promise<Exiting> {
  const { gasUsed, logs } = await mined(sent)
  const { ids, lane, index, exit } = court.interface.decodeEventLog('ExitStarted', logs[0]!.data, logs[0]!.topics)
  const { lock, count, value, exitableAt, bond } = exit
  const numbers = { count: Number(count), exitableAt: Number(exitableAt) }
  const [chain, asset, owner, starter] = [exit.chain, exit.asset, exit.owner, exit.starter] as Hex[]
  const whole = { chain, asset, owner, lock, ids, value, bond, starter, ...numbers } as Exiting['exit']
  return { name: 'ExitStarted', ids, lane: Number(lane), index: Number(index), exit: whole, gas: Number(gasUsed) }
}
