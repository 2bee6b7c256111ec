import { expect } from 'chai'
import { ETHER, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { addressOf, domain } from '../../src/core/base/Signature.ts'
import { blockRows } from '../../src/core/plasma/Archive.ts'
import { restoreWallet } from '../../src/core/plasma/Purse.ts'
import { noExits } from '../../src/core/plasma/Running.ts'
import type { Output } from '../../src/core/plasma/Transaction.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import { deedsOf } from '../../src/task/cli/plasma/Deeds.ts'

const KEY = uint(7, 32)
const OWNER = addressOf(KEY)
const PARAMS = {
  court: domain(31337n, uint(0xc0de, 20)),
  path: [{ parent: ZERO, slot: 0, operator: uint(0x0b, 20) }],
  depth: 2,
  patience: 60,
  alarm: 60,
  key: KEY,
  life: 10,
}

describe('Deeds: a thief who pays under a lock that gives it back to him', () => {
  it('has paid nothing as far as the history of the payee tells', () => {
    const state = restoreWallet(PARAMS, memoryStore(), 0)
    const plain: Output = { owner: OWNER, asset: ETHER, value: 3n, lock: ZERO }
    const outputs = [plain, { ...plain, value: 1000n, lock: uint(1, 32) }]
    const transaction = { chain: ZERO, inputs: [uint(9, 32)], outputs, lastBlock: 5, memo: ZERO }
    const rows = memoryStore()
    const record = { number: 1, asOf: 1, header: ZERO, count: 1, time: 2 }
    rows.commit(blockRows(record, [{ transaction, authorisation: '0x' }]))
    const deeds = deedsOf(state, rows, { blocks: [], next: 0, running: noExits() } as never)
    expect(deeds.map(({ kind, amount }) => [kind, amount])).to.deep.equal([['received', 3n]])
  })
})
