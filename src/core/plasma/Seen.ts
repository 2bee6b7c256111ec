import type { Hex } from '../base/Bytes.ts'
import type { PlasmaEvent } from './Call.ts'

/**
 * What somebody who follows layer 1 for a chain is told of each block: the court's events, and what the registry of
 * preimages that decides its locks has heard: the hash lock's key and the second in which it came. Whoever begins to
 * follow later than the registry is told with its first block what was revealed before.
 */
export type SeenEvent = PlasmaEvent | { readonly name: 'Revealed'; readonly hash: Hex; readonly time: number }
