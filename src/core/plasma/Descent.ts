// The operator of a deeper chain: it signs its blocks for its parent, and waits until it is known what became of each.
import { type Hex, slice, ZERO } from '../base/Bytes.ts'
import { NO_LEAVES } from '../base/Merkle.ts'
import { compact, sign as signDigest } from '../base/Signature.ts'
import { type L1Block, Refusal, type Row } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import { type Commitment, headerDigest, type Level } from './Block.ts'
import type { PlasmaCall } from './Call.ts'
import { ownOf, registrationDigest } from './Chain.ts'
import { isComplete, tenderRow } from './Family.ts'
import { observe, type Signed } from './Ledger.ts'
import {
  type Hashed,
  idle,
  isChild,
  listOf,
  type Next,
  type Offer,
  type OperatorOutput,
  type OperatorParams,
  type OperatorState,
  openRows,
  prune,
  reopen,
  type Sealed,
  type Tender,
  then,
} from './Office.ts'
import { type Opening, shownBy } from './Opening.ts'
import { packAll, unpackAll } from './Packed.ts'
import { placeRows } from './Places.ts'
import { dropRefused, recordOf, removals, retake, seal } from './Sealing.ts'
import type { SeenEvent } from './Seen.ts'
import { endsOf } from './Standing.ts'
import { txHash } from './Transaction.ts'

/** The registration of a deeper chain, with its operator's consent and its parent's operator's. */
export function registration({ court, path, key, consent }: OperatorParams): PlasmaCall {
  if (key === undefined || consent === undefined)
    throw new Error("a deeper chain needs a key, and its parent's consent")
  return { verb: 'register', path, signatures: [signDigest(registrationDigest(court, ownOf(path)), key), consent] }
}

/**
 * The block in doubt: signed, and neither proven in nor out. Nothing else is signed before it is: another block may be
 * built on what does not exist, or be a second one for the same number.
 */
function doubtOf({ sealed }: OperatorState): Sealed | undefined {
  return sealed[0]
}

/** Why a deeper chain signs nothing now, a sentence for people; undefined if it would. */
export function haltOf({ margin }: Pick<OperatorParams, 'margin'>, state: OperatorState): string | undefined {
  if (!state.registered) return 'The chain is not registered on layer 1 yet.'
  const doubt = doubtOf(state)
  if (!doubt) return undefined
  const { number, asOf } = doubt
  if (state.anchored < number)
    return `Block ${number} is signed as of ${asOf}, and layer 1 may still have it until ${asOf + margin}.`
  return `Block ${number} is signed, and its slot is not opened: nobody has shown yet whether layer 1 has it.`
}

/** The clock's tick: asks again for what did not come, signs what was collected. */
export function tick(params: OperatorParams, state: OperatorState): Next {
  const asked = { ...idle(state), outputs: questions(params, state) }
  if (doubtOf(state) || !state.registered) return asked
  if (state.tender) return then(asked, signTendered(params, idle(state)))
  const wants = state.taken !== undefined || state.later.length > 0 || state.wanted
  return wants ? { ...asked, outputs: [...asked.outputs, { kind: 'ask' }] } : asked
}

/** What the parent should be told and asked as long as it does not answer. */
export function questions(params: OperatorParams, state: OperatorState): readonly OperatorOutput[] {
  const [first] = state.unopened
  const doubt = doubtOf(state)
  const outputs: OperatorOutput[] = first ? [{ kind: 'open', number: first.number }] : []
  if (doubt && state.anchored < doubt.number) outputs.push({ kind: 'offer', offer: offerOf(params, doubt) })
  if (doubt && first && first.number < doubt.number && state.anchored >= doubt.number)
    outputs.push({ kind: 'open', number: doubt.number })
  return outputs
}

function offerOf({ court, path, key }: OperatorParams, { number, asOf, header }: Sealed): Offer {
  const signature = compact(signDigest(headerDigest(court, endsOf(path).id, number, asOf, header), key!))
  return { number, asOf, header, r: slice(signature, 0, 32), vs: slice(signature, 32) }
}

/** How many numbers beyond the last committed one a parent may be. */
const AHEAD = 64

/** The parent's next block is settled: without children of its own the chain signs for it, else it asks them first. */
export function onTendered(params: OperatorParams, state: OperatorState, tender: Tender): Next {
  const { number, asOf } = tender
  const free = state.registered && !doubtOf(state) && !state.tender
  const last = Math.max(state.anchored, state.since)
  const fits = number > last && number <= last + AHEAD && asOf <= state.view.time && asOf >= state.base.asOf
  if (!free || !fits) return idle(state)
  const now = { ...state, tender, offers: [] }
  const step: Next = { state: now, rows: [tenderRow(now)], outputs: [] }
  return state.family.size === 0 ? signTendered(params, step) : step
}

/** Signs once every child has. */
export function onOffered(params: OperatorParams, step: Next): Next {
  return isComplete(step.state) ? signTendered(params, step) : step
}

/** The block for the tender, as it sees L1; what has no place in it waits for another. Nothing is signed for an empty one. */
function signTendered(params: OperatorParams, step: Next): Next {
  const { base, l1, tender, taken, later } = step.state
  const { number, asOf } = tender!
  const before = { ...observe(base, Archive.between(l1, base.asOf), asOf), number }
  const empty = { ...step.state, before, ledger: before, taken: undefined, tree: NO_LEAVES, later: [] }
  const rows = [...removals(step.state, []), ...laterRows(later, [])]
  const all = [...listOf(taken), ...later].map(({ signed }) => signed)
  const filled = retake(then(step, { state: empty, rows, outputs: [] }), all, params.maxTransactions)
  const sealed = seal(params, filled.step)
  const [block] = sealed.state.sealed
  const open = block ? sealed : then(sealed, { state: reopen(sealed.state, base), rows: [], outputs: [] })
  const refilled = refill(
    params,
    open,
    filled.refused.map(({ signed }) => signed),
  )
  return block ? say(refilled, { kind: 'offer', offer: offerOf(params, block) }) : refilled
}

function say(step: Next, ...outputs: readonly OperatorOutput[]): Next {
  return then(step, { state: step.state, rows: [], outputs })
}

/** Takes transactions once more; what only came too early or is too much waits, the rest is dropped, and said so. */
function refill(params: OperatorParams, step: Next, group: readonly Signed[]): Next {
  const { step: made, refused } = retake(step, group, params.maxTransactions)
  const waits = ({ code }: { readonly code: string }) => code === 'TooYoung' || code === 'Backlogged'
  const later = refused.filter(waits).map(({ signed, hash }) => ({ signed, hash }))
  const rest = dropRefused({ step: made, refused: refused.filter((one) => !waits(one)) })
  const state = { ...rest.state, later }
  return then(rest, { state, rows: [...laterRows(step.state.later, later), ...openRows(state)], outputs: [] })
}

function laterRows(before: readonly Hashed[], after: readonly Hashed[]): readonly Row[] {
  const length = Math.max(before.length, after.length)
  return Array.from({ length }, (_, i) => {
    const one = after[i]
    return { table: 'later', key: Archive.key(i), value: one && packAll([one.signed]) }
  })
}

/** What a store says of a deeper chain's place under its root. */
export function restored(
  { path, court }: OperatorParams,
  rows: Archive.Rows,
  chain: Hex,
  l1: readonly L1Block<SeenEvent>[],
): Pick<OperatorState, 'since' | 'anchored' | 'unopened' | 'later'> {
  const nothing = { since: 0, anchored: 0, unopened: [], later: [] }
  if (path.length === 1) return nothing
  const unopened: Commitment[] = []
  let [since, anchored] = [Number.POSITIVE_INFINITY, 0]
  for (const event of l1.flatMap((block) => block.events)) {
    if (event.name === 'ChainRegistered' && event.chain === chain) since = event.since
    if (event.name !== 'Committed') continue
    const { number, header, time, asOf } = event
    anchored = number
    const known = rows.get('openings', Archive.key(number)) !== undefined
    if (number > since && !known) unopened.push({ number, header, time, asOf })
  }
  const packed = rows.all('later').flatMap(([, one]) => unpackAll(one as Uint8Array))
  const later = packed.map((signed) => ({ signed, hash: txHash(court, signed.transaction) }))
  return { since: since === Number.POSITIVE_INFINITY ? 0 : since, anchored, unopened, later }
}

/** A restored state that sees of L1 what it saw when it was stored. */
export function caughtUp(params: OperatorParams, state: OperatorState): OperatorState {
  const commits = state.l1.flatMap(({ events }) =>
    events.flatMap((event) => (event.name === 'Committed' ? event.asOf : [])),
  )
  const asOf = commits.at(-1)
  return isChild(params) && !doubtOf(state) && asOf !== undefined ? advance(state, asOf) : state
}

// What became of the block in doubt

/** The root's commitments on L1: those of which it must still be shown what they hold, and what they say by themselves. */
export function onCommitted(params: OperatorParams, step: Next, commitment: Commitment): Next {
  const { state } = step
  if (!state.registered) return then(step, idle({ ...state, anchored: commitment.number }))
  const unopened = [...state.unopened, commitment]
  const next = then(step, idle({ ...state, anchored: commitment.number, unopened }))
  const doubt = doubtOf(state)
  if (!doubt) return then(next, idle(advance(next.state, commitment.asOf)))
  return doubt.number === commitment.number && doubt.asOf !== commitment.asOf ? undo(params, next) : next
}

/** No block that can still be built sees less of L1 than the root's last. */
function advance(state: OperatorState, asOf: number): OperatorState {
  const base = observe(state.base, Archive.between(state.l1, state.base.asOf), Math.max(state.base.asOf, asOf))
  return { ...state, base }
}

/** A signed block can not be committed any more once L1 is finally later than its margin and has not its number. */
export function onTime(params: OperatorParams, step: Next): Next {
  const { view, anchored } = step.state
  const doubt = doubtOf(step.state)
  return doubt && anchored < doubt.number && view.time > doubt.asOf + params.margin ? undo(params, step) : step
}

/** The parent shows what an unopened commitment holds of this chain. What fits not is no answer. */
export function onOpened(
  params: OperatorParams,
  state: OperatorState,
  number: number,
  openings: readonly Opening[],
): Next {
  const commitment = state.unopened.find((one) => one.number === number)
  if (!commitment) return idle(state)
  const unopened = state.unopened.filter((one) => one !== commitment)
  const shown = shownBy(params.court, params.path, commitment, openings)
  if (shown.kind === 'unopened') return idle(state)
  const rows = [Archive.row('openings', Archive.key(number), openings)]
  const step: Next = { state: { ...state, unopened }, rows, outputs: [] }
  const doubt = doubtOf(state)
  const made =
    shown.kind === 'anchored'
      ? confirm(step, commitment, shown.header, shown.levels)
      : doubt?.number === number
        ? undo(params, step)
        : step
  return say({ ...made, state: prune(params, made.state) }, ...questions(params, made.state))
}

/** The block is in. One that this store has not signed is another store's work. */
function confirm(step: Next, { number, time }: Commitment, header: Hex, levels: readonly Level[]): Next {
  const doubt = doubtOf(step.state)
  if (doubt?.number !== number || doubt.header !== header)
    throw new Refusal('ForeignHeader', number, doubt?.header ?? ZERO, header)
  const state = { ...step.state, sealed: [], committed: number, base: doubt.after }
  const rows = [Archive.blockRow({ ...recordOf(doubt, time), levels }), ...placeRows(number, doubt.hashes)]
  return then(step, { state, rows, outputs: [{ kind: 'committed', number, time }] })
}

/** The block is out, for ever: its transactions are taken once more, under another number. */
function undo(params: OperatorParams, step: Next): Next {
  const { state } = step
  const { sealed, taken, later, base } = state
  const rows = [...removals(state, sealed), ...laterRows(later, [])]
  const all = [
    ...sealed.flatMap(({ transactions }) => transactions),
    ...[...listOf(taken), ...later].map(({ signed }) => signed),
  ]
  const fresh = { ...state, sealed: [], tender: undefined, offers: [], later: [] }
  return refill(params, then(step, { state: reopen(fresh, base), rows, outputs: [] }), all)
}
