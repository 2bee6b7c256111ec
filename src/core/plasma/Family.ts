// How an operator collects the signed headers of its children for its next block.
import { concat, type Hex } from '../base/Bytes.ts'
import { recover } from '../base/Signature.ts'
import { type L1Block, Refusal, type Row, require } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import { type Child, headerDigest } from './Block.ts'
import { ownOf } from './Chain.ts'
import { idle, type Kin, type Next, type Offer, type OperatorParams, type OperatorState, then } from './Office.ts'
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
export function accept({ court }: OperatorParams, state: OperatorState, slot: number, offer: Offer): Next {
  const { chain, id, since } = kinIn(state, slot)
  const { tender, offers } = state
  const { number, asOf, header, r, vs } = offer
  const known = offers.find((child) => child.slot === slot)
  if (tender?.number !== number || tender.asOf !== asOf) throw new Refusal('NotTendered', number, tender?.number ?? 0)
  require(number > since, 'NotBefore', number, since)
  const have = recover(headerDigest(court, id, number, asOf, header), concat(r, vs)) ?? NOBODY
  require(have === chain.operator, 'WrongHeader', id, have, chain.operator)
  require(known === undefined || known.header === header, 'SlotFilled', slot)
  if (known) return idle(state)
  const child: Child = { slot, header, r, vs }
  const all = [...offers, child].sort((a, b) => a.slot - b.slot)
  return {
    state: { ...state, offers: all },
    rows: [Archive.row('offers', Archive.key(slot), { ...offer, slot })],
    outputs: [],
  }
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
