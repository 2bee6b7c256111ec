// How an operator seals its open block, and builds again what came too late for L1.
import { ETHER, type Hex, ZERO } from '../base/Bytes.ts'
import { entries } from '../base/HashMap.ts'
import { Refusal, type Row } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import { grownTxRoot, header, rootOfChildren } from './Block.ts'
import { ownOf } from './Chain.ts'
import { tenderRow } from './Family.ts'
import { close, type Signed } from './Ledger.ts'
import {
  type Hashed,
  hashOf,
  listOf,
  type Next,
  type OperatorOutput,
  type OperatorParams,
  type OperatorState,
  openRows,
  reopen,
  type Sealed,
  take,
  then,
  waiting,
} from './Office.ts'
import { droppedRow } from './Places.ts'
import { MAX_OUTPUTS, type Output, type Transaction } from './Transaction.ts'

/**
 * Closes the open block with its fees and what its children have signed for it, and opens the next; a block that would be
 * empty is not made, and what was tendered for it is forgotten.
 */
export function seal(params: OperatorParams, step: Next): Next {
  const children = offered(step.state)
  if (step.state.view.time === 0 || (step.state.taken === undefined && children.length === 0)) return lapse(step)
  const closed = collectFees(params, step)
  const { before, ledger } = closed.state
  const all = listOf(closed.state.taken)
  const { number, asOf } = ledger
  const record = { number, asOf, header: header(grownTxRoot(closed.state.tree), rootOfChildren(children)) }
  const [transactions, hashes] = [all.map(({ signed }) => signed), all.map(({ hash }) => hash)]
  const block: Sealed = { ...record, transactions, hashes, children, before, after: close(ledger) }
  const sealed = withdraw({
    ...closed,
    state: { ...closed.state, sealed: [...closed.state.sealed, block], lapsed: undefined },
  })
  const state = reopen(sealed.state, block.after)
  const rows = [Archive.blockRow(recordOf(block)), ...openRows(state)]
  const outputs: readonly OperatorOutput[] = [{ kind: 'sealed', number: record.number, count: all.length }]
  return then(sealed, { state, rows, outputs })
}

/** A block as it is stored, at first without the time of its commitment. */
export function recordOf(
  { number, asOf, header: head, transactions, children }: Sealed,
  time = 0,
): Archive.BlockRecord {
  const record = { number, asOf, header: head, count: transactions.length, time }
  return children.length === 0 ? record : { ...record, children }
}

/** What the children have signed for the open block. */
function offered({ tender, offers, ledger }: OperatorState): OperatorState['offers'] {
  return tender?.number === ledger.number && tender.asOf === ledger.asOf ? offers : []
}

/** Nothing came for a tender in time. */
function lapse(step: Next): Next {
  const { tender, before } = step.state
  const next = withdraw(step)
  return tender ? { ...next, state: { ...next.state, lapsed: { ...tender, before } } } : next
}

/** Nobody may sign for a tender any more. */
function withdraw(step: Next): Next {
  if (!step.state.tender && !step.state.wanted) return step
  const state = { ...step.state, tender: undefined, offers: [], wanted: false }
  return then(step, { state, rows: [tenderRow(state)], outputs: [] })
}

/** How many assets' fees a block collects at most: anybody can leave some of each token of his own making. */
const MAX_FEES = 256

function collectFees(params: OperatorParams, step: Next): Next {
  const { fees } = step.state.ledger
  const asked = new Set(params.fees.map(({ asset }) => asset))
  const isFirst = (asset: Hex) => asset === ETHER || asked.has(asset)
  const all = [...entries(fees)]
  const chosen = [...all.filter(([asset]) => isFirst(asset)), ...all.filter(([asset]) => !isFirst(asset))]
  const outputs = chosen.slice(0, MAX_FEES).map(([asset, value]): Output => {
    return { owner: ownOf(params.path).operator, asset, value, lock: ZERO }
  })
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

/**
 * Builds again, on a new view, every block from the first one on that can never be committed any more. What children
 * signed for those is void; they are asked for it again.
 */
export function rebuild(params: OperatorParams, step: Next): Next {
  const [late] = waiting(step.state)
  if (!late || step.state.view.time <= late.asOf + params.margin) return step
  const stale = step.state.sealed.filter((block) => block.number >= late.number)
  const kept = step.state.sealed.filter((block) => block.number < late.number)
  const groups = [...stale.map((block) => block.transactions), listOf(step.state.taken).map((taken) => taken.signed)]
  const wanted = step.state.tender !== undefined || stale.some(({ children }) => children.length > 0)
  const fresh = { ...step.state, sealed: kept, sending: undefined, tender: undefined, offers: [], lapsed: undefined }
  const state = reopen(fresh, late.before)
  const start = then(step, { state, rows: [...removals(step.state, stale), tenderRow(state)], outputs: [] })
  const built = groups.reduce((now, group, i) => {
    const again = dropRefused(retake(now, group))
    return i < stale.length ? seal(params, again) : again
  }, start)
  return { ...built, state: { ...built.state, wanted: wanted || built.state.wanted } }
}

/** Removes the rows of blocks that do not count, and of the open block. */
export function removals(state: OperatorState, stale: readonly Sealed[]): readonly Row[] {
  const gone = (table: string, at: string): Row => ({ table, key: at, value: undefined })
  const blocks = [...stale.map(({ number, transactions }) => ({ number, count: transactions.length }))]
  blocks.push({ number: state.ledger.number, count: state.ledger.index })
  return blocks.flatMap(({ number, count }) => [
    gone('blocks', Archive.key(number)),
    ...Array.from({ length: count }, (_, index) => gone('transactions', Archive.key(number, index))),
  ])
}

/** A transaction that was taken before, and why the open block has no place for it. */
export interface Refused extends Hashed {
  readonly code: string
}

/** Transactions taken once more, and those that the open block has no place for. */
export interface Retaken {
  readonly step: Next
  readonly refused: readonly Refused[]
}

/** Takes transactions once more, as the open block sees L1 now; fee transactions are made anew and not taken. */
export function retake(step: Next, group: readonly Signed[], limit = Number.MAX_SAFE_INTEGER): Retaken {
  let state = step.state
  const rows: Row[] = []
  const refused: Refused[] = []
  for (const signed of group) {
    if (signed.transaction.inputs.length === 0) continue
    const [hash, { number, index }] = [hashOf(state, signed), state.ledger]
    try {
      if (index >= limit) throw new Refusal('Backlogged', index, limit)
      state = take(state, signed, { hash, authorised: isPlain(signed) })
      rows.push(Archive.transactionsRow(number, index, [signed]))
    } catch (why) {
      if (!(why instanceof Refusal)) throw why
      refused.push({ signed, hash, code: why.code })
    }
  }
  return { step: then(step, { state, rows, outputs: [] }), refused }
}

/** Whether a signature that was good stays so, whatever the block sees of L1. */
function isPlain({ authorisation, terms }: Signed): boolean {
  return authorisation !== '0x' && terms === undefined
}

/** What has no place is dropped, and said so. */
export function dropRefused({ step, refused }: Retaken): Next {
  const outputs = refused.map(({ hash, code }): OperatorOutput => ({ kind: 'dropped', txHash: hash, code }))
  return then(step, { state: step.state, rows: refused.map(({ hash, code }) => droppedRow(hash, code)), outputs })
}
