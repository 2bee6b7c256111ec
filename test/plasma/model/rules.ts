import { EXIT_RULES } from './exitRules.ts'
import type { Ruled } from './ruled.ts'
import { SPEND_RULES } from './spendRules.ts'
import { TREE_RULES } from './treeRules.ts'

/** Every rule of the court and of its people that the explorer can leave out, and then finds what goes wrong. */
export const RULES: readonly Ruled[] = [...SPEND_RULES, ...EXIT_RULES, ...TREE_RULES]

/** Rules that were once thefts too, and why no script of these small worlds shows it. */
export const UNSHOWN: readonly (readonly [rule: string, why: string])[] = [
  [
    'inputs name ids, never positions',
    'a transaction has no positions to leave the ids out for: this is its type, and its hash',
  ],
  ['inclusion time decides nothing', 'what pays or authorises is given no time of inclusion that it could decide by'],
  [
    'a child halts in doubt',
    'it binds what a child’s operator acknowledges; the court and its users see one header a number either way',
  ],
  [
    'callers supply only the part of an in-flight exit that never changes',
    'calls are made and mined in one step here, so that none can become stale while it waits',
  ],
  [
    'no stranger starts an in-flight exit',
    'without it strangers start exits at their own cost, and the honest still have half a period to join: nobody is robbed',
  ],
  [
    'the first queue fixes the outcome',
    'that queue also marks the inputs as consumed or paid, from which every later queue would find the same outcome',
  ],
  [
    'an exit larger than its pot leaves the queue',
    'whom it protects pays into a chain that is known to be bad, which nobody here does who keeps to the rules',
  ],
]
