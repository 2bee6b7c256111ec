// How an operator collects the signed headers of its children for its next block.
import { concat, type Hex } from '../base/Bytes.ts'
import { recover } from '../base/Signature.ts'
import { type L1Block, Refusal, type Row, require } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import { type Child, headerDigest } from './Block.ts'
import { ownOf } from './Chain.ts'
import {
  idle,
  isChild,
  type Kin,
  type Next,
  type Offer,
  type OperatorParams,
  type OperatorState,
  type Tender,
  then,
} from './Office.ts'
import type { SeenEvent } from './Seen.ts'
import { NOBODY } from './Standing.ts'

/** The children of a chain by their slots: those known, and those that these blocks of L1 register. */
export function familyOf(
  parent: Hex,
  blocks: readonly L1Block<SeenEvent>[],
  known: ReadonlyMap<number, Kin> = new Map(),
): ReadonlyMap<number, Kin> {
  const family = new Map(known)
  for (const event of blocks.flatMap((block) => block.events)) {
    if (event.name !== 'ChainRegistered') continue
    const chain = ownOf(event.path)
    if (chain.parent === parent) family.set(chain.slot, { chain, id: event.chain, since: event.since })
  }
  return family
}

/** A child has something for a block: says what it may sign now, if that is settled, and else sees to it that it will be. */
export function want(state: OperatorState, slot: number): Next {
  kinIn(state, slot)
  const filled = state.offers.some((child) => child.slot === slot)
  const { tender } = state
  const now = tender ? state : { ...state, wanted: true }
  return { ...idle(now), outputs: [{ kind: 'tender', tender: filled ? undefined : tender }] }
}

function kinIn({ family }: OperatorState, slot: number): Kin {
  const kin = family.get(slot)
  if (!kin) throw new Refusal('UnknownSlot', slot)
  return kin
}

/** Settles number and view of the open block, so that children can sign theirs. */
export function openTender(step: Next): Next {
  const { number, asOf } = step.state.before
  const state = { ...step.state, tender: { number, asOf }, offers: [] }
  return then(step, { state, rows: [tenderRow(state)], outputs: [] })
}

/** The tender as it is stored: a parent that restarts goes on collecting for the same block. */
export function tenderRow({ tender }: Pick<OperatorState, 'tender'>): Row {
  return { table: 'operator', key: 'tender', value: tender && { number: tender.number, asOf: tender.asOf } }
}

/** Takes a child's signed header, the first one for its slot; refuses UnknownSlot, NotTendered, WrongHeader, SlotFilled. */
export function accept(params: OperatorParams, state: OperatorState, slot: number, offer: Offer): Next {
  const { chain, id, since } = kinIn(state, slot)
  const { number, asOf, header, r, vs } = offer
  const open = isFor(state.tender, offer) ? state : revived(params, state, offer)
  if (!open) throw new Refusal('NotTendered', number, state.tender?.number ?? 0)
  const { offers } = open
  const known = offers.find((child) => child.slot === slot)
  require(number > since, 'NotBefore', number, since)
  const have = recover(headerDigest(params.court, id, number, asOf, header), concat(r, vs)) ?? NOBODY
  require(have === chain.operator, 'WrongHeader', id, have, chain.operator)
  require(known === undefined || known.header === header, 'SlotFilled', slot)
  if (known) return idle(open)
  const child: Child = { slot, header, r, vs }
  const all = [...offers, child].sort((a, b) => a.slot - b.slot)
  return {
    state: { ...open, offers: all },
    rows: [tenderRow(open), Archive.row('offers', Archive.key(slot), { ...offer, slot })],
    outputs: [],
  }
}

function isFor(tender: Tender | undefined, { number, asOf }: Tender): boolean {
  return tender?.number === number && tender.asOf === asOf
}

/**
 * A tender for which nothing came in time, opened again for a child that has signed it: it would halt until the margin
 * is over. Not if something else is under way, or the block would soon be too late for L1.
 */
function revived(params: OperatorParams, state: OperatorState, offer: Tender): OperatorState | undefined {
  const { lapsed, tender, taken, before, view, anchored, base } = state
  if (!lapsed || tender || !isFor(lapsed, offer) || view.time > lapsed.asOf + params.margin / 2) return undefined
  const again = { ...state, tender: { number: lapsed.number, asOf: lapsed.asOf }, offers: [], lapsed: undefined }
  if (isChild(params)) {
    const free = state.sealed.length === 0 && lapsed.number > anchored && lapsed.asOf >= base.asOf
    return free ? again : undefined
  }
  const free = taken === undefined && before.number === lapsed.number
  return free ? { ...again, before: lapsed.before, ledger: lapsed.before } : undefined
}

/** What was offered for a tender before a restart. */
export function storedOffers(rows: Archive.Rows, tender: OperatorState['tender']): readonly Child[] {
  const all = rows.all('offers').map(([, offer]) => offer as unknown as Offer & Child)
  const fit = all.filter(({ number, asOf }) => number === tender?.number && asOf === tender.asOf)
  return fit.map(({ slot, header, r, vs }) => ({ slot, header, r, vs }))
}

/** Whether every child has signed: nobody is left to wait for. */
export function isComplete({ family, offers }: OperatorState): boolean {
  return family.size > 0 && offers.length === family.size
}
