import { type Hex, ZERO } from '../base/Bytes.ts'
import { NO_LEAVES } from '../base/Merkle.ts'
import { type L1Block, type L1Input, type Machine, Refusal } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import type { Commitment } from './Block.ts'
import type { PlasmaCall } from './Call.ts'
import { ownOf } from './Chain.ts'
import * as Descent from './Descent.ts'
import { accept, familyOf, isComplete, openTender, storedOffers, want } from './Family.ts'
import { submitAll } from './Intake.ts'
import { emptyLedger, observe } from './Ledger.ts'
import {
  hashOf,
  idle,
  isChild,
  type Next,
  type OperatorInput,
  type OperatorOutput,
  type OperatorParams,
  type OperatorState,
  openRows,
  prune,
  reopen,
  type Sealed,
  type Sending,
  type Tender,
  take,
  then,
  waiting,
} from './Office.ts'
import { placeRows } from './Places.ts'
import { rebuild, recordOf, seal } from './Sealing.ts'
import type { SeenEvent } from './Seen.ts'
import { storedSnapshot } from './Snapshot.ts'
import { endsOf } from './Standing.ts'
import { follow, headOf, viewFrom } from './View.ts'

/** An operator's state from its store; an empty store is a new chain that follows L1 from block `from`. */
export function restoreOperator(params: OperatorParams, rows: Archive.Rows, from: number): OperatorState {
  const sealed: Sealed[] = []
  const gaps = isChild(params)
  const { id } = endsOf(params.path)
  const kept = storedSnapshot(rows, params.court, id)
  let { ledger: base, committed } = kept ?? { ledger: emptyLedger(params.court, id, 0), committed: 0 }
  for (const { record, transactions, hashes, before, after } of Archive.replay(rows, base, { gaps })) {
    if (record.time === 0) {
      sealed.push({ ...record, transactions, hashes, children: record.children ?? [], before, after })
      continue
    }
    base = after
    committed = record.number
  }
  const last = sealed.at(-1)?.after ?? base
  const l1 = Archive.storedL1(rows)
  const asOf = (rows.get('operator', 'asOf') as number | undefined) ?? last.asOf
  const number = gaps ? ((rows.get('operator', 'number') as number | undefined) ?? last.number) : last.number
  const before = { ...observe(last, Archive.between(l1, last.asOf), asOf), number }
  const tender = gaps ? undefined : (rows.get('operator', 'tender') as unknown as Tender | undefined)
  const nothing = { taken: undefined, sending: undefined, wanted: false, lapsed: undefined }
  const state: OperatorState = {
    view: viewFrom(params.depth, Archive.bookmarkOf(rows, from)),
    l1,
    registered: l1.some((block) => isRegistered(before.chain, block)),
    committed,
    base,
    sealed,
    before,
    ledger: before,
    family: familyOf(before.chain, l1),
    tender,
    offers: storedOffers(rows, tender),
    ...Descent.restored(params, rows, before.chain, l1),
    ...nothing,
    tree: NO_LEAVES,
  }
  const open = Archive.storedTransactions(rows, before.number)
  const taken = open.reduce((now, signed) => take(now, signed, { hash: hashOf(now, signed), authorised: true }), state)
  return prune(params, Descent.caughtUp(params, taken))
}

/** The operator's machine: refuses what the ledger refuses, FeeTooLow and Backlogged; stops at a ForeignHeader. */
export function operatorMachine(params: OperatorParams): Machine<OperatorState, OperatorInput, OperatorOutput> {
  return (state, input) => {
    switch (input.kind) {
      case 'submit':
        return submitAll(params, state, input.list, (full) => onFull(params, full))
      case 'seal':
        return pump(params, isChild(params) ? Descent.tick(params, state) : onTick(params, idle(state)))
      case 'sent':
        return idle({ ...state, sending: sent(input.number, input.mined) })
      case 'l1':
        return onL1(params, state, input.input)
      case 'wanted':
        return want(state, input.slot)
      case 'offered':
        return onOffered(params, accept(params, state, input.slot, input.offer))
      case 'tendered':
        return Descent.onTendered(params, state, input.tender)
      case 'opened':
        return Descent.onOpened(params, state, input.number, input.openings)
    }
  }
}

function sent(number: number, mined: number | undefined): Sending | undefined {
  return mined === undefined ? undefined : { number, mined }
}

// When a block is closed

/** A root-level block is closed once L1 shows those before it; with children it is tendered first, and closed by the next tick. */
function onTick(params: OperatorParams, step: Next): Next {
  const { taken, wanted, tender, family } = step.state
  if (waiting(step.state).length > 0) return step
  if (family.size === 0 || tender) return seal(params, step)
  return taken || wanted ? openTender(step) : step
}

/** Nobody is waited for once all children have signed. */
function onOffered(params: OperatorParams, step: Next): Next {
  if (isChild(params)) return Descent.onOffered(params, step)
  const ready = isComplete(step.state) && waiting(step.state).length === 0
  return ready ? pump(params, seal(params, step)) : step
}

/** A full block is closed at once, unless it has to wait for others: then it takes no more. */
function onFull(params: OperatorParams, full: OperatorState): Next {
  if (isChild(params)) return idle(full)
  if (full.family.size === 0) return pump(params, seal(params, idle(full)))
  return full.tender ? idle(full) : openTender(idle(full))
}

// Layer 1

function onL1(params: OperatorParams, state: OperatorState, input: L1Input<SeenEvent>): Next {
  const { view, fresh } = follow(state.view, input)
  const chain = state.ledger.chain
  const kept = Archive.concerning(params.path, fresh)
  const family = familyOf(chain, kept, state.family)
  const seen: Next = {
    state: { ...state, view, l1: [...state.l1, ...kept], family },
    rows: Archive.l1Rows(params.path, fresh, view),
    outputs: [],
  }
  const settled = kept.flatMap((block) => block.events).reduce((step, event) => settle(params, step, event), seen)
  const built = isChild(params) ? Descent.onTime(params, settled) : rebuild(params, settled)
  const { taken, tender, before, lapsed } = built.state
  const opened = taken || tender ? built.state : reopen(built.state, before)
  const late = lapsed && view.time > lapsed.asOf + params.margin / 2
  const now = late ? { ...opened, lapsed: undefined } : opened
  const asked = isChild(params) ? Descent.questions(params, now) : []
  return pump(params, then(built, { state: prune(params, now), rows: openRows(now), outputs: asked }))
}

function isRegistered(chain: Hex, block: L1Block<SeenEvent>): boolean {
  return block.events.some((event) => event.name === 'ChainRegistered' && event.chain === chain)
}

function settle(params: OperatorParams, step: Next, event: SeenEvent): Next {
  const { state } = step
  if (event.name === 'ChainRegistered' && event.chain === state.ledger.chain) {
    const number = Math.max(state.base.number, event.since + 1)
    const base = { ...state.base, number }
    return then(step, idle({ ...state, registered: true, since: event.since, base }))
  }
  if (event.name !== 'Committed') return step
  const { number, header, time, asOf } = event
  if (isChild(params)) return Descent.onCommitted(params, step, { number, header, time, asOf })
  return event.chain === state.ledger.chain ? anchor(step, { number, header, time, asOf }) : step
}

/** A final commitment must be of the oldest block that waits for it: anything else is another store's work. */
function anchor(step: Next, { number, header, time, asOf }: Commitment): Next {
  const [block, ...sealed] = step.state.sealed
  const same = block?.header === header && block.number === number && block.asOf === asOf
  if (!same) throw new Refusal('ForeignHeader', number, block?.header ?? ZERO, header)
  const state = { ...step.state, sealed, committed: number, base: block.after }
  const rows = [Archive.blockRow(recordOf(block, time)), ...placeRows(number, block.hashes)]
  return then(step, { state, rows, outputs: [{ kind: 'committed', number, time }] })
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
    const own: PlasmaCall = { verb: 'register', path, signatures: ['0x'] }
    return { number: 0, call: isChild(params) ? Descent.registration(params) : own }
  }
  const [block] = isChild(params) ? [] : waiting(state)
  if (!block) return undefined
  const { number, header, asOf } = block
  return { number, call: { verb: 'commit', chain: ownOf(path), number, header, asOf } }
}
