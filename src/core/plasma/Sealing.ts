// How an operator seals its open block, and builds again what came too late for L1.
import { ZERO } from '../base/Bytes.ts'
import { entries } from '../base/HashMap.ts'
import { Refusal, type Row } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import { grownTxRoot, header } from './Block.ts'
import { ownOf } from './Chain.ts'
import { close, type Signed } from './Ledger.ts'
import {
  asOfRow,
  hashOf,
  listOf,
  type Next,
  type OperatorOutput,
  type OperatorParams,
  type OperatorState,
  reopen,
  type Sealed,
  take,
  then,
  waiting,
} from './Office.ts'
import { droppedRow } from './Places.ts'
import { MAX_OUTPUTS, type Output, type Transaction } from './Transaction.ts'

/** Closes the open block with its fees, if it has a transaction, and opens the next. */
export function seal(params: OperatorParams, step: Next): Next {
  if (step.state.taken === undefined || step.state.view.time === 0) return step
  const closed = collectFees(params, step)
  const { before, ledger } = closed.state
  const all = listOf(closed.state.taken)
  const record = { number: ledger.number, asOf: ledger.asOf, header: header(grownTxRoot(closed.state.tree)) }
  const [transactions, hashes] = [all.map(({ signed }) => signed), all.map(({ hash }) => hash)]
  const block: Sealed = { ...record, transactions, hashes, before }
  const state = reopen({ ...closed.state, sealed: [...closed.state.sealed, block] }, close(ledger))
  const rows = [Archive.blockRow({ ...record, count: all.length, time: 0 }), asOfRow(state)]
  const outputs: readonly OperatorOutput[] = [{ kind: 'sealed', number: record.number, count: all.length }]
  return then(closed, { state, rows, outputs })
}

function collectFees(params: OperatorParams, step: Next): Next {
  const outputs: Output[] = []
  for (const [asset, value] of entries(step.state.ledger.fees)) {
    outputs.push({ owner: ownOf(params.path).operator, asset, value, lock: ZERO })
  }
  let now = step
  for (let i = 0; i < outputs.length; i += MAX_OUTPUTS) now = closeWith(now, outputs.slice(i, i + MAX_OUTPUTS))
  return now
}

function closeWith(step: Next, outputs: readonly Output[]): Next {
  const { chain, number, index } = step.state.ledger
  const transaction: Transaction = { chain, inputs: [], outputs, lastBlock: number, memo: ZERO }
  const signed: Signed = { transaction, authorisation: '0x' }
  const state = take(step.state, signed, { hash: hashOf(step.state, signed) })
  return then(step, { state, rows: [Archive.transactionsRow(number, index, [signed])], outputs: [] })
}

/** Builds again, on a new view, every block from the first one on that can never be committed any more. */
export function rebuild(params: OperatorParams, step: Next): Next {
  const [late] = waiting(step.state)
  if (!late || step.state.view.time <= late.asOf + params.margin) return step
  const stale = step.state.sealed.filter((block) => block.number >= late.number)
  const kept = step.state.sealed.filter((block) => block.number < late.number)
  const groups = [...stale.map((block) => block.transactions), listOf(step.state.taken).map((taken) => taken.signed)]
  const state = reopen({ ...step.state, sealed: kept, sending: undefined }, late.before)
  const start = then(step, { state, rows: removals(step.state, stale), outputs: [] })
  return groups.reduce((now, group, i) => {
    const again = retake(now, group)
    return i < stale.length ? seal(params, again) : again
  }, start)
}

function removals(state: OperatorState, stale: readonly Sealed[]): readonly Row[] {
  const gone = (table: string, at: string): Row => ({ table, key: at, value: undefined })
  const blocks = [...stale.map(({ number, transactions }) => ({ number, count: transactions.length }))]
  blocks.push({ number: state.ledger.number, count: state.ledger.index })
  return blocks.flatMap(({ number, count }) => [
    gone('blocks', Archive.key(number)),
    ...Array.from({ length: count }, (_, index) => gone('transactions', Archive.key(number, index))),
  ])
}

/** Takes transactions once more; those that the new view has no place for are dropped, and said so. */
function retake(step: Next, group: readonly Signed[]): Next {
  let state = step.state
  const [rows, outputs]: [Row[], OperatorOutput[]] = [[], []]
  for (const signed of group) {
    if (signed.transaction.inputs.length === 0) continue
    const [hash, { number, index }] = [hashOf(state, signed), state.ledger]
    try {
      state = take(state, signed, { hash, authorised: true })
      rows.push(Archive.transactionsRow(number, index, [signed]))
    } catch (why) {
      if (!(why instanceof Refusal)) throw why
      rows.push(droppedRow(hash, why.code))
      outputs.push({ kind: 'dropped', txHash: hash, code: why.code })
    }
  }
  return then(step, { state, rows, outputs })
}
