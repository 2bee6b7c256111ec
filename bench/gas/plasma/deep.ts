import { depositId } from '../../../src/core/plasma/Transaction.ts'
import { type Exiting, exitOf, exitOfDeposit, process } from './exits.ts'
import { type Bench, deposit, depositOf, type Gas, MFP, paymentOf, type Sealed, seal, sealAgain } from './ground.ts'

const DEEP = 10_000

/**
 * Exits behind 10,000 others, in the list and in 10,000 buckets: one more in each, and one that passes. Slow (minutes):
 * measured only when asked for.
 */
export async function measureDeep(bench: Bench): Promise<Gas> {
  const deposits = Array.from({ length: DEEP + 2 }, (_, i) => depositOf(bench, i))
  for (const one of deposits) await deposit(bench, one)
  const listed: Exiting[] = []
  for (const one of deposits.slice(0, DEEP + 1)) listed.push(await exitOfDeposit(bench, one))
  const young: Exiting[] = []
  const payment = [paymentOf(bench, [depositId(deposits[DEEP + 1]!)], 0)]
  const blocks: Sealed[] = []
  const first = await seal(bench, payment)
  for (let i = 0; i < DEEP + 1; i++) blocks.push(await sealAgain(bench, first))
  for (const block of blocks) young.push(await exitOf(bench, block, 0))
  await bench.connection.networkHelpers.time.increase(MFP)
  const pop = Math.ceil((await process(bench, listed.slice(0, 100))) / 100)
  return { 'plasma.deep.list': listed.at(-1)!.gas, 'plasma.deep.young': young.at(-1)!.gas, 'plasma.deep.pop': pop }
}
