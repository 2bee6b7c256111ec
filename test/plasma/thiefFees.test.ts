import { expect } from 'chai'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { emptyMap, set } from '../../src/core/base/HashMap.ts'
import { domain } from '../../src/core/base/Signature.ts'
import { idle } from '../../src/core/plasma/Office.ts'
import { restoreOperator } from '../../src/core/plasma/Operator.ts'
import { seal } from '../../src/core/plasma/Sealing.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'

const OPERATOR = uint(0x0b, 20)
const [WANTED, MAX] = [uint(2n ** 159n, 20), 256]
const PARAMS = {
  court: domain(31337n, uint(0xc0de, 20)),
  path: [{ parent: ZERO, slot: 0, operator: OPERATOR }],
  depth: 2,
  margin: 3600,
  fees: [{ asset: WANTED, amount: 1n }],
  maxTransactions: 65_000,
}

describe('Operator: a thief who leaves fees in thousands of tokens of his own', () => {
  it('makes no block longer than it may be, and takes neither ether nor what was asked for from it', () => {
    const state = restoreOperator(PARAMS, memoryStore(), 0)
    let fees = set(set(emptyMap<bigint>(), ETHER, 5n), WANTED, 7n)
    for (let i = 1; i <= 3000; i++) fees = set(fees, uint(i, 20), 1n)
    const transaction = { chain: ZERO, inputs: [uint(1, 32)], outputs: [], lastBlock: 9, memo: ZERO }
    const taken = { signed: { transaction, authorisation: '0x' as Hex }, hash: uint(1, 32), rest: undefined }
    const view = { ...state.view, time: 1 }
    const step = seal(PARAMS, idle({ ...state, view, taken, ledger: { ...state.ledger, fees } }))
    const [block] = step.state.sealed
    const outputs = block!.transactions.slice(1).flatMap((one) => one.transaction.outputs)
    expect(outputs.length).to.equal(MAX)
    const wanted = outputs.filter(({ asset }) => asset === ETHER || asset === WANTED)
    expect(wanted.map(({ owner, value }) => [owner, value])).to.deep.equal([
      [OPERATOR, 5n],
      [OPERATOR, 7n],
    ])
  })
})
