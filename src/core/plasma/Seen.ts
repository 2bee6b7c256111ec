import type { Hex } from '../base/Bytes.ts'
import type { PlasmaEvent } from './Call.ts'
import type { Kind } from './Draft.ts'

/**
 * What somebody who follows layer 1 for a chain is told of each block: the court's events, and right before each deposit
 * of a token what kind that is, which the court keeps and has no event for. It never changes once there is a deposit, so
 * everybody is told the same. Whoever is told of a deposit without it stops rather than guess.
 */
export type SeenEvent = PlasmaEvent | { readonly name: 'KindTold'; readonly asset: Hex; readonly kind: Kind }
