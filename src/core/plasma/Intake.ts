// How an operator takes users' transactions into its open block.
import type { Hex } from '../base/Bytes.ts'
import { get } from '../base/HashMap.ts'
import { Refusal, type Row, require } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import type { Ledger, Signed } from './Ledger.ts'
import {
  hashOf,
  MAX_WAITING,
  type Next,
  type OperatorOutput,
  type OperatorParams,
  type OperatorState,
  type Submission,
  take,
} from './Office.ts'
import { outputId } from './Transaction.ts'

/**
 * Takes submissions, each on its own: what is refused changes nothing. Those that follow one another in a block are stored
 * as one row.
 */
export function submitAll(
  params: OperatorParams,
  start: OperatorState,
  list: readonly Submission[],
  whenFull: (state: OperatorState) => Next,
): Next {
  let state = start
  let run: Signed[] = []
  const [rows, outputs]: [Row[], OperatorOutput[]] = [[], []]
  const keep = () => {
    const { number, index } = state.ledger
    if (run.length > 0) rows.push(Archive.transactionsRow(number, index - run.length, run))
    run = []
  }
  for (const submission of list) {
    const made = submit(params, state, submission)
    outputs.push(made.output)
    if (made.state === state) continue
    state = made.state
    run.push(submission.signed)
    if (state.ledger.index < params.maxTransactions) continue
    keep()
    const sealed = whenFull(state)
    state = sealed.state
    rows.push(...sealed.rows)
    outputs.push(...sealed.outputs)
  }
  keep()
  return { state, rows, outputs }
}

interface Submitted {
  readonly state: OperatorState
  readonly output: OperatorOutput
}

function submit(params: OperatorParams, state: OperatorState, { signed, known }: Submission): Submitted {
  const hash = known.hash ?? hashOf(state, signed)
  const had = get(state.ledger.coins, known.ids?.[0] ?? outputId(hash, 0))
  if (had) return { state, output: acknowledged(hash, had.number, had.index) }
  if (state.later.some((one) => one.hash === hash))
    return { state, output: acknowledged(hash, state.ledger.number + 1, 0) }
  try {
    require(signed.transaction.inputs.length > 0, 'NoInputs')
    require(state.sealed.length < MAX_WAITING, 'Backlogged', state.sealed.length, MAX_WAITING)
    require(state.ledger.index < params.maxTransactions, 'Backlogged', state.ledger.index, params.maxTransactions)
    const next = take(state, signed, { ...known, hash })
    checkFee(params, state.ledger, next.ledger)
    const { number, index } = state.ledger
    return { state: next, output: acknowledged(hash, number, index) }
  } catch (why) {
    if (!(why instanceof Refusal)) throw why
    return { state, output: { kind: 'refused', refusal: why } }
  }
}

function acknowledged(hash: Hex, number: number, index: number): OperatorOutput {
  return { kind: 'acknowledged', txHash: hash, number, index }
}

function checkFee(params: OperatorParams, before: Ledger, after: Ledger): void {
  const left = (asset: Hex) => (get(after.fees, asset) ?? 0n) - (get(before.fees, asset) ?? 0n)
  const first = params.fees[0]
  if (!first || params.fees.some(({ asset, amount }) => left(asset) >= amount)) return
  throw new Refusal('FeeTooLow', first.asset, left(first.asset), first.amount)
}
