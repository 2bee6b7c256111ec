import type { PlasmaEvent } from './Call.ts'

/** What somebody who follows layer 1 for a chain is told of each block. */
export type SeenEvent = PlasmaEvent
