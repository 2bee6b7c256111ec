import { type Hex, ZERO } from '../base/Bytes.ts'
import { NO_LEAVES } from '../base/Merkle.ts'
import { type L1Block, type L1Input, type Machine, Refusal } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import type { PlasmaCall } from './Call.ts'
import { ownOf } from './Chain.ts'
import { submitAll } from './Intake.ts'
import { emptyLedger, observe } from './Ledger.ts'
import {
  asOfRow,
  hashOf,
  idle,
  type Next,
  type OperatorInput,
  type OperatorOutput,
  type OperatorParams,
  type OperatorState,
  prune,
  reopen,
  type Sealed,
  type Sending,
  take,
  then,
  waiting,
} from './Office.ts'
import { placeRows } from './Places.ts'
import { rebuild, seal } from './Sealing.ts'
import type { SeenEvent } from './Seen.ts'
import { endsOf } from './Standing.ts'
import { follow, headOf, viewFrom } from './View.ts'

/** An operator's state from its store; an empty store is a new chain that follows L1 from block `from`. */
export function restoreOperator(params: OperatorParams, rows: Archive.Rows, from: number): OperatorState {
  const bookmark = Archive.bookmarkOf(rows, from)
  const sealed: Sealed[] = []
  let [after, committed] = [emptyLedger(params.court, endsOf(params.path).id, 0), 0]
  for (const block of Archive.replay(rows, after)) {
    after = block.after
    if (block.record.time > 0) committed = block.record.number
    else sealed.push({ ...block.record, transactions: block.transactions, hashes: block.hashes, before: block.before })
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
    tree: NO_LEAVES,
    sending: undefined,
  }
  const open = Archive.storedTransactions(rows, before.number)
  return prune(open.reduce((now, signed) => take(now, signed, { hash: hashOf(now, signed), authorised: true }), state))
}

/** The operator's machine: refuses what the ledger refuses, FeeTooLow and Backlogged; stops at a ForeignHeader. */
export function operatorMachine(params: OperatorParams): Machine<OperatorState, OperatorInput, OperatorOutput> {
  return (state, input) => {
    switch (input.kind) {
      case 'submit':
        return submitAll(params, state, input.list, (full) => pump(params, seal(params, idle(full))))
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
  const { number, asOf, header, transactions, hashes } = block
  const record = { number, asOf, header, count: transactions.length, time: event.time }
  const state = { ...step.state, sealed, committed: number }
  const rows = [Archive.blockRow(record), ...placeRows(number, hashes)]
  return then(step, { state, rows, outputs: [{ kind: 'committed', number, time: event.time }] })
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
