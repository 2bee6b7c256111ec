import { type Hex, ZERO } from '../base/Bytes.ts'
import { entries, get } from '../base/HashMap.ts'
import type { Domain } from '../base/Signature.ts'
import { type L1Block, type L1Input, type Machine, Refusal, type Row, require, type Step } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import { header, txRoot } from './Block.ts'
import type { PlasmaCall } from './Call.ts'
import { type Chain, ownOf } from './Chain.ts'
import { close, emptyLedger, type Ledger, observe, type Signed, spend } from './Ledger.ts'
import type { SeenEvent } from './Seen.ts'
import { endsOf } from './Standing.ts'
import { MAX_OUTPUTS, type Output, outputId, type Transaction, txHash } from './Transaction.ts'
import { follow, headOf, type View, viewFrom } from './View.ts'

/** What an operator is given once and for ever. */
export interface OperatorParams {
  readonly court: Domain
  /** The chain and those above it: root level first, its own last. */
  readonly path: readonly Chain[]
  /** L1 blocks that must stand on a block before the operator believes it. */
  readonly depth: number
  /** Seconds that L1 lets pass between a block's view and its commitment. */
  readonly margin: number
  /** A transaction must leave at least one of these; none = free. */
  readonly fees: readonly { readonly asset: Hex; readonly amount: bigint }[]
  /** Users' transactions in one block at most, up to 65,000. */
  readonly maxTransactions: number
}

/** A block that is not finally committed: with everything that it takes to build it again. */
export interface Sealed {
  readonly number: number
  readonly asOf: number
  readonly header: Hex
  readonly transactions: readonly Signed[]
  /** The ledger before its first transaction. */
  readonly before: Ledger
}

interface Taken {
  readonly signed: Signed
  readonly hash: Hex
  readonly rest: Taken | undefined
}

/** A transaction on its way to L1: number 0 is the registration; `mined` is the L1 block that has it. */
interface Sending {
  readonly number: number
  readonly mined?: number
}

/** An operator: the open block, the blocks that L1 has not finally, and its view of L1. */
export interface OperatorState {
  readonly view: View<SeenEvent>
  /** Final L1 blocks that a block built again might see for the first time. */
  readonly l1: readonly L1Block<SeenEvent>[]
  readonly registered: boolean
  /** The last finally committed number. */
  readonly committed: number
  /** By number, oldest first. */
  readonly sealed: readonly Sealed[]
  /** The open block before its first transaction, and now. */
  readonly before: Ledger
  readonly ledger: Ledger
  /** The open block's transactions, newest first. */
  readonly taken: Taken | undefined
  readonly sending: Sending | undefined
}

/** What an operator is told. `seal` is its clock's tick; `sent` how a call ended: mined in a block, or not. */
export type OperatorInput =
  | { readonly kind: 'l1'; readonly input: L1Input<SeenEvent> }
  | { readonly kind: 'submit'; readonly signed: Signed }
  | { readonly kind: 'seal' }
  | { readonly kind: 'sent'; readonly number: number; readonly mined?: number }

/** What an operator says. `dropped` = a transaction that a block built again has no place for. */
export type OperatorOutput =
  | { readonly kind: 'acknowledged'; readonly txHash: Hex; readonly number: number; readonly index: number }
  | { readonly kind: 'send'; readonly number: number; readonly call: PlasmaCall }
  | { readonly kind: 'sealed'; readonly number: number; readonly count: number }
  | { readonly kind: 'dropped'; readonly txHash: Hex; readonly code: string }

type Next = Step<OperatorState, OperatorOutput>

/** Blocks that may wait for L1 before an operator takes no more transactions. */
export const MAX_WAITING = 64

/** An operator's state from its store; an empty store is a new chain that follows L1 from block `from`. */
export function restoreOperator(params: OperatorParams, rows: Archive.Rows, from: number): OperatorState {
  const bookmark = Archive.bookmarkOf(rows, from)
  const sealed: Sealed[] = []
  let [after, committed] = [emptyLedger(params.court, endsOf(params.path).id, 0), 0]
  for (const block of Archive.replay(rows, after)) {
    after = block.after
    if (block.record.time > 0) committed = block.record.number
    else sealed.push({ ...block.record, transactions: block.transactions, before: block.before })
  }
  const l1 = Archive.storedL1(rows)
  const asOf = (rows.get('operator', 'asOf') as number | undefined) ?? after.asOf
  const before = observe(after, Archive.between(l1, after.asOf), asOf)
  const state: OperatorState = {
    view: viewFrom(params.depth, bookmark),
    l1,
    registered: l1.some((block) => isRegistered(before.chain, block)),
    committed,
    sealed,
    before,
    ledger: before,
    taken: undefined,
    sending: undefined,
  }
  const open = Archive.storedTransactions(rows, before.number)
  return prune(open.reduce((now, signed) => take(now, signed, hashOf(now, signed), true), state))
}

/** The operator's machine: refuses what the ledger refuses, FeeTooLow and Backlogged; stops at a ForeignHeader. */
export function operatorMachine(params: OperatorParams): Machine<OperatorState, OperatorInput, OperatorOutput> {
  return (state, input) => {
    switch (input.kind) {
      case 'submit':
        return submit(params, state, input.signed)
      case 'seal':
        return pump(params, waiting(state).length === 0 ? seal(params, idle(state)) : idle(state))
      case 'sent':
        return idle({ ...state, sending: sent(input.number, input.mined) })
      case 'l1':
        return onL1(params, state, input.input)
    }
  }
}

function sent(number: number, mined: number | undefined): Sending | undefined {
  return mined === undefined ? undefined : { number, mined }
}

function idle(state: OperatorState): Next {
  return { state, rows: [], outputs: [] }
}

function then(first: Next, second: Next): Next {
  const { state, rows, outputs } = second
  return { state, rows: [...first.rows, ...rows], outputs: [...first.outputs, ...outputs] }
}

function hashOf(state: OperatorState, signed: Signed): Hex {
  return txHash(state.ledger.court, signed.transaction)
}

// Users' transactions

function submit(params: OperatorParams, state: OperatorState, signed: Signed): Next {
  const hash = hashOf(state, signed)
  const known = get(state.ledger.coins, outputId(hash, 0))
  if (known) return { ...idle(state), outputs: [acknowledged(hash, known.number, known.index)] }
  require(signed.transaction.inputs.length > 0, 'NoInputs')
  require(state.sealed.length < MAX_WAITING, 'Backlogged', state.sealed.length, MAX_WAITING)
  const next = take(state, signed, hash)
  checkFee(params, state.ledger, next.ledger)
  const { number, index } = state.ledger
  const rows = [Archive.transactionRow(number, index, signed)]
  const step: Next = { state: next, rows, outputs: [acknowledged(hash, number, index)] }
  return next.ledger.index < params.maxTransactions ? step : pump(params, then(step, seal(params, idle(next))))
}

function acknowledged(hash: Hex, number: number, index: number): OperatorOutput {
  return { kind: 'acknowledged', txHash: hash, number, index }
}

function take(state: OperatorState, signed: Signed, hash: Hex, authorised = false): OperatorState {
  const ledger = spend(state.ledger, signed, { hash, authorised })
  return { ...state, ledger, taken: { signed, hash, rest: state.taken } }
}

function checkFee(params: OperatorParams, before: Ledger, after: Ledger): void {
  const left = (asset: Hex) => (get(after.fees, asset) ?? 0n) - (get(before.fees, asset) ?? 0n)
  const first = params.fees[0]
  if (!first || params.fees.some(({ asset, amount }) => left(asset) >= amount)) return
  throw new Refusal('FeeTooLow', first.asset, left(first.asset), first.amount)
}

// Blocks

function seal(params: OperatorParams, step: Next): Next {
  if (step.state.taken === undefined || step.state.view.time === 0) return step
  const closed = collectFees(params, step)
  const { before, ledger } = closed.state
  const all = listOf(closed.state.taken)
  const record = { number: ledger.number, asOf: ledger.asOf, header: header(txRoot(all.map(({ hash }) => hash))) }
  const block: Sealed = { ...record, transactions: all.map(({ signed }) => signed), before }
  const state = reopen({ ...closed.state, sealed: [...closed.state.sealed, block] }, close(ledger))
  const rows = [Archive.blockRow({ ...record, count: all.length, time: 0 }), asOfRow(state)]
  const outputs: readonly OperatorOutput[] = [{ kind: 'sealed', number: record.number, count: all.length }]
  return then(closed, { state, rows, outputs })
}

function listOf(taken: Taken | undefined): readonly Taken[] {
  const list: Taken[] = []
  for (let at = taken; at; at = at.rest) list.push(at)
  return list.reverse()
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
  const state = take(step.state, signed, hashOf(step.state, signed))
  return then(step, { state, rows: [Archive.transactionRow(number, index, signed)], outputs: [] })
}

/** An empty open block over `ledger` that sees all of L1 that is final. */
function reopen(state: OperatorState, ledger: Ledger): OperatorState {
  const asOf = Math.max(ledger.asOf, state.view.time)
  const before = observe(ledger, Archive.between(state.l1, ledger.asOf), asOf)
  return { ...state, before, ledger: before, taken: undefined }
}

function asOfRow(state: OperatorState): Row {
  return { table: 'operator', key: 'asOf', value: state.before.asOf }
}

// Layer 1

function onL1(params: OperatorParams, state: OperatorState, input: L1Input<SeenEvent>): Next {
  const { view, fresh } = follow(state.view, input)
  const chain = state.ledger.chain
  const l1 = [...state.l1, ...Archive.concerning(chain, fresh)]
  const registered = state.registered || fresh.some((block) => isRegistered(chain, block))
  const seen: Next = {
    state: { ...state, view, l1, registered },
    rows: Archive.l1Rows(chain, fresh, view),
    outputs: [],
  }
  const settled = fresh.flatMap((block) => block.events).reduce((step, event) => settle(step, event), seen)
  const built = rebuild(params, settled)
  const opened = built.state.taken === undefined ? reopen(built.state, built.state.before) : built.state
  return pump(params, then(built, { state: prune(opened), rows: [asOfRow(opened)], outputs: [] }))
}

function isRegistered(chain: Hex, block: L1Block<SeenEvent>): boolean {
  return block.events.some((event) => event.name === 'ChainRegistered' && event.chain === chain)
}

/** A final commitment must be of the oldest block that waits for it: anything else is another store's work. */
function settle(step: Next, event: SeenEvent): Next {
  if (event.name !== 'Committed' || event.chain !== step.state.ledger.chain) return step
  const [block, ...sealed] = step.state.sealed
  const same = block?.header === event.header && block.number === event.number && block.asOf === event.asOf
  if (!same) throw new Refusal('ForeignHeader', event.number, block?.header ?? ZERO, event.header)
  const { number, asOf, header, transactions } = block
  const record = { number, asOf, header, count: transactions.length, time: event.time }
  const state = { ...step.state, sealed, committed: number }
  return then(step, { state, rows: [Archive.blockRow(record)], outputs: [] })
}

/** L1 blocks that neither the open block nor one that waits has seen. */
function prune(state: OperatorState): OperatorState {
  const seen = state.sealed[0]?.asOf ?? state.before.asOf
  return { ...state, l1: Archive.between(state.l1, seen) }
}

/** The blocks whose commitment L1 does not show, not even in its newest blocks. */
function waiting(state: OperatorState): readonly Sealed[] {
  const shown = new Set<Hex>()
  for (const event of state.view.window.flatMap((block) => block.events)) {
    if (event.name === 'Committed' && event.chain === state.ledger.chain) shown.add(event.header)
  }
  return state.sealed.filter((block) => !shown.has(block.header))
}

/** Builds again, on a new view, every block from the first one on that can never be committed any more. */
function rebuild(params: OperatorParams, step: Next): Next {
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
      state = take(state, signed, hash, true)
      rows.push(Archive.transactionRow(number, index, signed))
    } catch (why) {
      if (!(why instanceof Refusal)) throw why
      outputs.push({ kind: 'dropped', txHash: hash, code: why.code })
    }
  }
  return then(step, { state, rows, outputs })
}

/** Sends what L1 lacks next, unless it is on its way: the registration, then one commitment after the other. */
function pump(params: OperatorParams, step: Next): Next {
  const { state } = step
  const due = nextCall(params, state)
  if (!due) return step
  const { sending } = state
  const pending = sending?.number === due.number && (sending.mined === undefined || sending.mined > headOf(state.view))
  if (pending) return step
  const outputs: readonly OperatorOutput[] = [{ kind: 'send', ...due }]
  return then(step, { state: { ...state, sending: { number: due.number } }, rows: [], outputs })
}

function nextCall(params: OperatorParams, state: OperatorState): { number: number; call: PlasmaCall } | undefined {
  const { path } = params
  const id = state.ledger.chain
  if (!state.registered && !state.view.window.some((block) => isRegistered(id, block))) {
    return { number: 0, call: { verb: 'register', path, signatures: ['0x'] } }
  }
  const [block] = waiting(state)
  if (!block) return undefined
  const { number, header, asOf } = block
  return { number, call: { verb: 'commit', chain: ownOf(path), number, header, asOf } }
}
