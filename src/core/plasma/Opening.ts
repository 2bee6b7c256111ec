// What stands at a child's slot of its parent's block, and what that says of a chain that is deeper than root level.
import { concat, type Hex, ZERO } from '../base/Bytes.ts'
import * as Merkle from '../base/Merkle.ts'
import { type Domain, recover } from '../base/Signature.ts'
import {
  type Child,
  type Commitment,
  childrenTree,
  header,
  headerDigest,
  type Level,
  type Slot,
  slotLeaf,
  slotsOf,
} from './Block.ts'
import { type Chain, chainId } from './Chain.ts'

/** A parent's block, opened at one slot. */
export interface Opening {
  readonly txRoot: Hex
  /** 8 siblings of the slot's leaf, from the leaf upwards; none where the block has no children at all. */
  readonly siblings: readonly Hex[]
  /** What stands in the slot; absent where its leaf is zero. */
  readonly child?: Slot
}

/**
 * What openings show of a chain at a number. `absent` = it has no block there and never will: the slot of `chain`, itself
 * or an ancestor, is empty, or void because its operator did not sign what is in it for this number and this view of L1.
 */
export type Shown =
  | { readonly kind: 'anchored'; readonly header: Hex; readonly levels: readonly Level[] }
  | { readonly kind: 'absent'; readonly chain: Hex; readonly why: 'empty' | 'void' }
  | { readonly kind: 'unopened' }

const SIBLINGS = 8

/** Opens a block at a slot. */
export function openingOf(txRoot: Hex, children: readonly Child[], slot: number): Opening {
  if (children.length === 0) return { txRoot, siblings: [] }
  const slots = slotsOf(children)
  const siblings = Merkle.proof(childrenTree(slots), slot)
  const child = slots.get(slot)
  return child ? { txRoot, siblings, child } : { txRoot, siblings }
}

/** The header of a block that is opened so at a slot. */
function headerOf({ txRoot, siblings, child }: Opening, slot: number): Hex {
  const leaf = child ? slotLeaf(child) : ZERO
  return header(txRoot, siblings.length === 0 ? ZERO : Merkle.root(leaf, slot, siblings))
}

/**
 * What L1's commitment is to the chain at the end of `path`, by the openings of its ancestors' blocks, root level first.
 * `unopened` = they are not what was committed, or too few.
 */
export function shownBy(
  court: Domain,
  path: readonly Chain[],
  { number, asOf, header: anchored }: Pick<Commitment, 'number' | 'asOf' | 'header'>,
  openings: readonly Opening[],
): Shown {
  let at = anchored
  const levels: Level[] = []
  for (const [i, chain] of path.slice(1).entries()) {
    const opening = openings[i]
    if (!opening || !isWhole(opening) || headerOf(opening, chain.slot) !== at) return { kind: 'unopened' }
    const { txRoot, siblings, child } = opening
    const id = chainId(chain)
    if (!child) return { kind: 'absent', chain: id, why: 'empty' }
    const { header: head, r, vs } = child
    if (recover(headerDigest(court, id, number, asOf, head), concat(r, vs)) !== chain.operator)
      return { kind: 'absent', chain: id, why: 'void' }
    levels.unshift({ txRoot, siblings, r, vs })
    at = head
  }
  return { kind: 'anchored', header: at, levels }
}

function isWhole({ siblings, child }: Opening): boolean {
  return siblings.length === SIBLINGS || (siblings.length === 0 && child === undefined)
}
