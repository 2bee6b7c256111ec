import { once } from '../base/Once.ts'
import { verdictKey } from '../base/Verdicts.ts'
import type { Lock } from './Lock.ts'
import type { OpenLock } from './LockBook.ts'
import type { PeerState, Seat } from './PeerState.ts'
import type { Court, KnownVerdict } from './Watch.ts'

/** Seconds: the later of the clock and the newest block's time. It never goes back. */
export function now({ clock, watch }: Pick<PeerState, 'clock' | 'watch'>): number {
  return Math.max(clock, watch.time)
}

/** The last second in which a receiver offers a fulfil, and the first in which it reveals on layer 1 what has not been taken. */
export function cutoff({ inc, fin }: Pick<Seat, 'inc' | 'fin'>, { expiry }: Pick<Lock, 'expiry'>): number {
  return expiry - inc - fin
}

const hasNone = once((verdicts: Court['verdicts']) => Object.keys(verdicts).length === 0)

/** A court's verdict on a lock's key, if it has one. */
export function verdictOn({ verdicts }: Court, { condition, key }: Lock): KnownVerdict | undefined {
  return hasNone(verdicts) ? undefined : verdicts[verdictKey(condition, key)]
}

/** Whether a court has a verdict on a lock that came in time. */
export function isDecided(court: Court, lock: Lock): boolean {
  const verdict = verdictOn(court, lock)
  return verdict !== undefined && verdict.time <= lock.expiry
}

/** Whether a final block is past a lock's expiry and no verdict came in time: it can never be fulfilled any more. */
export function isLapsed({ watch: { final, lapsed } }: Pick<PeerState, 'watch'>, lock: Lock): boolean {
  return lapsed > lock.expiry && !isDecided(final, lock)
}

/**
 * Whether its payer may sign a fulfil: until the lock expires, and later iff a verdict came in time. Before a final block
 * decides that, two honest sides could differ: then it is neither signed nor refused.
 */
export function timing(s: PeerState, lock: OpenLock): 'inTime' | 'undecided' | 'expired' {
  if (lock.outcome === 'failed') return 'expired'
  if (now(s) <= lock.expiry || isDecided(s.watch.newest, lock)) return 'inTime'
  return isLapsed(s, lock) ? 'expired' : 'undecided'
}

/** Whether its receiver may offer a fulfil now: so that a refusal would still leave time for layer 1, or layer 1 has spoken. */
export function mayOffer(seat: Seat, s: PeerState, lock: Lock): boolean {
  return now(s) <= cutoff(seat, lock) || isDecided(s.watch.newest, lock)
}
