import { ETHER, type Hex } from '../../../src/core/base/Bytes.ts'
import { OWN_PERMIT } from '../../../src/core/plasma/Exit.ts'
import {
  type Group,
  type GroupInclusion,
  groupOf,
  type Leaving,
  type Member,
  membership,
  siblingsOf,
} from '../../../src/core/plasma/Group.ts'
import { type Deposit, depositId, outputId, txHash } from '../../../src/core/plasma/Transaction.ts'
import { type Exiting, process, started } from './exits.ts'
import {
  alice,
  as,
  type Bench,
  bob,
  bonded,
  carol,
  type Gas,
  gasOf,
  MFP,
  paymentOf,
  type Sealed,
  seal,
  signed,
} from './ground.ts'

const SIZE = 50

/** Groups of 50: of neighbours, of outputs all over the block, of deposits; a challenge, and payment. Needs 150 deposits. */
export async function measureGroups(bench: Bench, deposits: readonly Deposit[]): Promise<Gas> {
  const payments = (from: number) =>
    deposits.slice(from, from + SIZE).map((one, i) => paymentOf(bench, [depositId(one)], from + i))
  const near = await seal(bench, payments(0))
  const far = await seal(bench, payments(SIZE), Math.floor(65_536 / SIZE))
  await bench.connection.networkHelpers.time.increase(MFP)
  const first = await startGroup(bench, near)
  const second = await startGroup(bench, far)
  const third = await startDeposits(bench, deposits.slice(2 * SIZE))
  const gas: Gas = {
    'plasma.exits.batch': Math.ceil(first.exiting.gas / SIZE),
    'plasma.exits.batch.scattered': Math.ceil(second.exiting.gas / SIZE),
    'plasma.exits.batch.deposits': Math.ceil(third.exiting.gas / SIZE),
    'plasma.challenge.group': await challenge(bench, third),
  }
  await bench.connection.networkHelpers.time.increase(MFP)
  await process(bench, [first.exiting], first.members)
  gas['plasma.process.group'] = Math.ceil((await process(bench, [second.exiting], second.members)) / SIZE)
  return gas
}

interface Started {
  readonly exiting: Exiting
  readonly members: readonly Member[]
}

/** Bob leaves with his halves of all the block's payments. */
async function startGroup(bench: Bench, block: Sealed): Promise<Started> {
  const { number, time, asOf, childrenRoot, levels } = block.proofs[0]!
  const leaving: Leaving[] = block.txs.map((transaction, i) => ({
    id: outputId(txHash(bench.under, transaction), 0),
    transaction,
    output: 0,
    index: block.proofs[i]!.index,
  }))
  const siblings = siblingsOf(
    block.tree,
    leaving.map(({ index }) => index),
  )
  const inclusion: GroupInclusion = { number, time, asOf, siblings, childrenRoot, levels }
  const group: Group = groupOf(leaving)
  const court = await as(bench, bob)
  const sent = court.startExits([...bench.path], group as never, inclusion as never, OWN_PERMIT, bonded(bench))
  const members = leaving.map(({ id, transaction }) => ({ id, value: transaction.outputs[0]!.value }))
  return { exiting: await started(bench, sent), members: members.sort((a, b) => (a.id < b.id ? -1 : 1)) }
}

async function startDeposits(bench: Bench, deposits: readonly Deposit[]): Promise<Started> {
  const sorted = deposits.toSorted((a, b) => (depositId(a) < depositId(b) ? -1 : 1))
  const sent = (await as(bench, alice)).startDepositExits(sorted, OWN_PERMIT, bonded(bench))
  const members = sorted.map((one) => ({ id: depositId(one), value: one.value }))
  return { exiting: await started(bench, sent), members }
}

/** Alice has spent the last of her deposits. */
async function challenge(bench: Bench, { exiting, members }: Started): Promise<number> {
  const at = members.length - 1
  const tx = paymentOf(bench, [members[at]!.id as Hex], 0)
  const spend = { tx, input: 0, authorisation: signed(bench, tx, alice), inclusion: [] }
  const { exit, lane, index } = exiting
  const proof = membership(members, at)
  if (exit.asset !== ETHER) throw new Error('the group is of ether')
  const court = await as(bench, carol)
  return gasOf(court.challengeGroup([...bench.path], exit, lane, index, spend as never, proof as never))
}
