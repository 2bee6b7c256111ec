// Two people change money for money, on one chain or on two of one court, by locks on one hash.
import { type Hex, isHex, ZERO } from '../base/Bytes.ts'
import { get, set } from '../base/HashMap.ts'
import { Refusal, require } from '../base/Step.ts'
import { hashLock } from '../base/Verdicts.ts'
import { type Agreement, isSameAgreement, legsOf, outputOfLeg, type Swap, termsOfLeg } from './Agreement.ts'
import * as Archive from './Archive.ts'
import { isSynced } from './Follower.ts'
import { escrowsIn } from './Kept.ts'
import { payeeAt } from './Ledger.ts'
import { learn, pay } from './Paying.ts'
import { heldBy, type Next, type WalletParams, type WalletState } from './Purse.ts'
import { NOBODY } from './Standing.ts'
import type { Output } from './Transaction.ts'

/**
 * How far a swap is. `waiting` = the other side has to lock first; `locked` = the own lock is under way or in a block;
 * `won` = the preimage came in time: what was taken is the own; `returned` = it did not: what was given is the own again;
 * `missed` = there is too little time left to lock anything.
 */
export type SwapStage = 'waiting' | 'locked' | 'won' | 'returned' | 'missed'

/** Where a swap stands, and what to do next, if anything: `lock` the own leg, or `reveal` the preimage before `expiry`. */
export interface SwapStep {
  readonly stage: SwapStage
  readonly move?: 'lock' | 'reveal'
}

/**
 * Where a swap stands by what both of its wallets know; `least` = seconds that must be left before the expiry for the own
 * lock to be worth while. Whoever locks second does so only over what it has received, by the exact output that was agreed;
 * whoever has the preimage shows it only over what it has received, of a chain that it knows whole and good.
 */
export function nextStep(swap: Swap, give: WalletState, take: WalletState, least: number): SwapStep {
  const { agreement, preimage, sent } = swap
  const verdict = verdictOf(agreement, give)
  if (verdict !== 'open') return { stage: sent === undefined && verdict === 'returned' ? 'missed' : verdict }
  const taken = isReceived(swap, take) && isWhole(take)
  if (sent === undefined) {
    const late = give.follower.view.time + least > agreement.expiry
    if (late) return { stage: 'missed' }
    return preimage !== undefined || taken ? { stage: 'waiting', move: 'lock' } : { stage: 'waiting' }
  }
  return preimage !== undefined && taken ? { stage: 'locked', move: 'reveal' } : { stage: 'locked' }
}

/** What the registry has decided, by what is final: both legs alike. */
function verdictOf(agreement: Agreement, { running, follower }: WalletState): 'open' | 'won' | 'returned' {
  const { first } = agreement
  const payee = payeeAt(running, follower.view.time, first.to, termsOfLeg(agreement, first))
  if (payee === NOBODY) return 'open'
  return payee === first.to ? 'won' : 'returned'
}

/** The exact output that was agreed is held, or waits in escrow already. */
function isReceived(swap: Swap, take: WalletState): boolean {
  const need = outputOfLeg(swap.agreement, legsOf(swap).take)
  const same = (one: Output) =>
    one.lock === need.lock && one.owner === need.owner && one.asset === need.asset && one.value === need.value
  return heldBy(take).some(({ output }) => same(output)) || escrowsIn(take.kept).some(same)
}

/** Every block that was committed is known and valid. */
function isWhole({ follower }: WalletState): boolean {
  return follower.bad === undefined && isSynced(follower) && follower.commits.length === 0
}

/**
 * Keeps a swap, and the terms of both its legs; the same again changes nothing. Refuses KnownSwap (another agreement
 * under a hash that is kept), WrongLock (the preimage is of another hash), WrongMember (this wallet is not who gives), MixedOwners (one side both gives and takes), WrongChain.
 */
export function keepSwap(state: WalletState, swap: Swap): Next {
  const { agreement, preimage } = swap
  const { first, second, hash } = agreement
  const { give } = legsOf(swap)
  const have = preimage === undefined ? hash : hashLock(preimage)
  require(isHex(hash, 32) && have === hash, 'WrongLock', have, hash)
  require(first.from === second.to && first.to === second.from, 'MixedOwners', second.to, first.from)
  require(first.from !== first.to, 'MixedOwners', first.from, first.to)
  require(give.from === state.owner, 'WrongMember', give.from)
  require(give.chain === state.follower.ledger.chain, 'WrongChain', give.chain, state.follower.ledger.chain)
  const known = learn(
    state,
    [first, second].map((leg) => termsOfLeg(agreement, leg)),
  )
  const old = get(state.swaps, hash)
  require(!old || isSameAgreement(old.agreement, agreement), 'KnownSwap', hash)
  return old ? known : put(known, swap)
}

function put(step: Next, swap: Swap): Next {
  const { hash } = swap.agreement
  const state = { ...step.state, swaps: set(step.state.swaps, hash, swap) }
  return { ...step, state, rows: [...step.rows, Archive.row('swaps', hash, swap)] }
}

/** Locks the leg that this side gives, once, whatever else happens. Refuses UnknownSwap, OutputInUse and what `pay` does. */
export function lockLeg(params: WalletParams, state: WalletState, hash: Hex, fee: bigint): Next {
  const swap = get(state.swaps, hash)
  if (!swap) throw new Refusal('UnknownSwap', hash)
  require(swap.sent === undefined, 'OutputInUse', swap.sent ?? ZERO, 'locked')
  const { give } = legsOf(swap)
  const terms = termsOfLeg(swap.agreement, give)
  const made = pay(params, state, give.asset, [{ owner: give.to, value: give.value, terms }], fee, ZERO)
  const paid = made.outputs.find((output) => output.kind === 'submit')!
  return put(made, { ...swap, sent: paid.txHash })
}
