import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { emptyMap, mapOf, set } from '../../src/core/base/HashMap.ts'
import { keccak } from '../../src/core/base/Signature.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import { restoreOperator } from '../../src/core/plasma/Operator.ts'
import type { SeenEvent } from '../../src/core/plasma/Seen.ts'
import { storedSnapshot } from '../../src/core/plasma/Snapshot.ts'
import { depositId } from '../../src/core/plasma/Transaction.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { runs } from '../fuzz.ts'
import { CHAIN, DEPTH, DOMAIN, deposit, OWNER, payment, type Stage, settled, stage } from './operatorStage.ts'

const PARAMS = { court: DOMAIN, path: [CHAIN], depth: DEPTH, margin: 3600, fees: [], maxTransactions: 60_000 }
const COUNT = 24

/** What an exit, an approval and a preimage leave in a ledger besides its coins. */
function noise(n: number): readonly SeenEvent[] {
  const ids = depositId(deposit(n))
  const exit = { chain: chainId(CHAIN), asset: ETHER, owner: OWNER, lock: ZERO, ids, count: 1, value: 10n }
  return [
    {
      name: 'ExitStarted',
      ids,
      lane: 0,
      index: n,
      exit: { ...exit, exitableAt: 9e9, bond: 2n ** 80n, starter: OWNER },
    },
    { name: 'Approved', owner: OWNER, txHash: uint(n + 1, 32) },
    { name: 'Revealed', hash: uint(n + 1, 32), time: 1 },
  ]
}

/** Commits a block of payments of the deposits from one number to another, and waits until it is final. */
async function commit({ l1, operator }: Stage, from: number, to: number): Promise<void> {
  await operator.api.submitAll(Array.from({ length: to - from }, (_, n) => payment(from + n)))
  operator.seal()
  await settled()
  for (let n = 0; n <= DEPTH; n++) l1.mine(...(n === 0 ? noise(COUNT + from) : []))
  await settled()
}

/** The same store without what is only a cache. */
function bare(store: Store): Store {
  return { ...store, get: (table, key) => (table === 'snapshot' ? undefined : store.get(table, key)) }
}

async function shot({ operator }: Stage): Promise<void> {
  operator.snapshot()
  await settled()
}

describe('a snapshot of the ledger', () => {
  it('makes a start that equals one from all blocks, whatever came before and after it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }), fc.nat(5), async (sizes, when) => {
        const on = await stage(2 * COUNT)
        let from = 0
        for (const [n, size] of sizes.entries()) {
          if (n === when) await shot(on)
          await commit(on, from, from + size)
          from += size
        }
        if (when >= sizes.length) await shot(on)
        await on.operator.api.submit(payment(COUNT - 1))
        const [short, long] = [on.store, bare(on.store)].map((store) => restoreOperator(PARAMS, store, 0))
        expect(storedSnapshot(on.store, DOMAIN, chainId(CHAIN))).not.to.equal(undefined)
        expect(short).to.deep.equal(long)
        on.operator.stop()
      }),
      runs(15),
    )
  })

  it('is passed by if a byte of it is another, if a part of it is missing, and if it was never finished', async () => {
    const on = await stage(COUNT)
    await commit(on, 0, 3)
    await shot(on)
    const state = restoreOperator(PARAMS, bare(on.store), 0)
    const [[coins, bytes]] = on.store.all('snapshot').filter(([at]) => at.startsWith('coins/')) as [
      [string, Uint8Array],
    ]
    const [[rest]] = on.store.all('snapshot').filter(([at]) => at.startsWith('rest/')) as [[string, unknown]]
    const changed = Uint8Array.from(bytes)
    changed[100]! ^= 1
    for (const row of [
      { table: 'snapshot', key: coins, value: changed },
      { table: 'snapshot', key: coins, value: undefined },
      { table: 'snapshot', key: rest, value: undefined },
      { table: 'snapshot', key: 'about', value: undefined },
    ]) {
      const kept = on.store.get('snapshot', row.key)!
      on.store.commit([row])
      expect(storedSnapshot(on.store, DOMAIN, chainId(CHAIN))).to.equal(undefined)
      expect(restoreOperator(PARAMS, on.store, 0)).to.deep.equal(state)
      on.store.commit([{ ...row, value: kept }])
    }
    expect(storedSnapshot(on.store, DOMAIN, chainId(CHAIN))?.ledger).to.deep.equal(state.base)
  })

  it('takes the place of the one before, and of one that was begun and never finished', async () => {
    const on = await stage(COUNT)
    await commit(on, 0, 1)
    await shot(on)
    on.store.commit([
      { table: 'snapshot', key: 'begun', value: { number: 77 } },
      { table: 'snapshot', key: 'coins/0000000000077/0000000000000', value: new Uint8Array(1) },
    ])
    await commit(on, 1, 2)
    await shot(on)
    const keys = on.store.all('snapshot').map(([at]) => at)
    expect(keys).to.deep.equal(['about', 'coins/0000000000003/0000000000000', 'rest/0000000000003'])
  })

  it('is read into maps that equal those that were made one entry at a time', () => {
    const list = Array.from({ length: 5000 }, (_, n): readonly [Hex, number] => [keccak(uint(n, 4)), n])
    const sorted = list.toSorted(([a], [b]) => (a < b ? -1 : 1))
    const one = list.reduce((map, [at, value]) => set(map, at, value), emptyMap<number>())
    expect(mapOf(sorted)).to.deep.equal(one)
    expect(mapOf([])).to.deep.equal(emptyMap())
  })
})
