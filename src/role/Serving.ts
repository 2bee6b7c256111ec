import { require } from '../core/base/Step.ts'
import { type Rows, storedBlock, storedTransactions } from '../core/plasma/Archive.ts'
import type { FollowerInput } from '../core/plasma/Follower.ts'
import type { Opening } from '../core/plasma/Opening.ts'
import type { OperatorApi, ServedBlock } from '../edge/http/OperatorApi.ts'

/** Whoever serves the blocks of a chain; of a deeper one with what its ancestors' blocks show of it. */
export type BlockSource = Pick<OperatorApi, 'block'> & Partial<Pick<OperatorApi, 'openings'>>

/**
 * What a source has of a number of a chain at a depth of the tree, as a follower is told it. It never rejects: `onTrouble`
 * hears why something did not come.
 */
export async function servedBy(
  source: BlockSource,
  depth: number,
  number: number,
  onTrouble: (why: unknown) => void = () => {},
): Promise<FollowerInput> {
  let openings: readonly Opening[] | undefined
  try {
    if (depth > 1) openings = (await source.openings?.(number)) ?? []
    const reached = depth === 1 || (openings?.length === depth - 1 && openings.at(-1)!.child !== undefined)
    if (!reached) return { kind: 'opened', number, openings: openings ?? [] }
    const { transactions, children } = await source.block(number)
    return { kind: 'served', number, transactions, ...(children && { children }), ...(openings && { openings }) }
  } catch (why) {
    onTrouble(why)
    return openings ? { kind: 'opened', number, openings } : { kind: 'missing', number }
  }
}

/** A block of a store as it is served to whoever asks; refused with UnknownBlock(number). */
export function blockIn(rows: Rows, number: number): ServedBlock {
  const record = storedBlock(rows, number)
  require(record !== undefined, 'UnknownBlock', number)
  const { asOf, header, children } = record
  const transactions = storedTransactions(rows, number)
  return { number, asOf, header, transactions, ...(children && { children }) }
}
