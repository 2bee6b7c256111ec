import { type Hex, ZERO } from '../base/Bytes.ts'
import { type L1Block, type L1Input, require } from '../base/Step.ts'

/** L1 as somebody sees it who believes a block only once `depth` later ones stand on it. */
export interface View<Event> {
  readonly depth: number
  /** The oldest block that is not final is, or will be, this number. */
  readonly next: number
  /** Time of the newest final block, 0 before the first, and its hash. */
  readonly time: number
  readonly tip: Hex
  /** The newest blocks, not final yet, oldest first. */
  readonly window: readonly L1Block<Event>[]
}

/** What an input makes of a view: the view after it, and the blocks that became final by it, oldest first. */
export interface Followed<Event> {
  readonly view: View<Event>
  readonly fresh: readonly L1Block<Event>[]
}

/** Where a view stands that has no newest blocks: the next number, and time and hash of the block before it. */
export type Bookmark = Pick<View<unknown>, 'next' | 'time' | 'tip'>

/** The beginning: nothing before block number `next` matters. */
export function beginning(next: number): Bookmark {
  return { next, time: 0, tip: ZERO }
}

/** A view that goes on from a bookmark. */
export function viewFrom<Event>(depth: number, { next, time, tip }: Bookmark): View<Event> {
  return { depth, next, time, tip, window: [] }
}

/** The number of the newest block seen. */
export function headOf<Event>(view: View<Event>): number {
  return view.window.at(-1)?.number ?? view.next - 1
}

/** Takes an input; refuses ReorgTooDeep(number) if a final block is taken back, or was while nobody looked. */
export function follow<Event>(view: View<Event>, input: L1Input<Event>): Followed<Event> {
  if (input.kind === 'retract') {
    require(view.window.at(-1)?.hash === input.block.hash, 'ReorgTooDeep', input.block.number)
    return { view: { ...view, window: view.window.slice(0, -1) }, fresh: [] }
  }
  const below = view.window.at(-1)?.hash ?? view.tip
  require(below === ZERO || input.block.parent === below, 'ReorgTooDeep', input.block.number - 1)
  const window = [...view.window, input.block]
  const fresh = window.splice(0, Math.max(0, window.length - view.depth))
  const last = fresh.at(-1)
  const mark = last ? { next: last.number + 1, time: last.time, tip: last.hash } : {}
  return { view: { ...view, ...mark, window }, fresh }
}
