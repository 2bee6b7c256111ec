import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { type Domain, domain, sign } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { SignedState } from '../../src/core/channel/Call.ts'
import { type Channel, channelId, finalState, stateDigest } from '../../src/core/channel/Channel.ts'
import type { SignedFinal } from '../../src/core/channel/Docket.ts'
import { type Lock, locksRoot, packLocks } from '../../src/core/channel/Lock.ts'
import { person, terms, type World } from '../world.ts'

export const [alice, bob, carol] = [person(1), person(2), person(3)]
/** The channel that most tests watch. */
export const CHANNEL = terms(alice, bob)

/** The channel of a number, all of alice and bob. */
export function channelOf(number: number): Channel {
  return terms(alice, bob, { salt: uint(number, 32) })
}

/** What binds signatures to a world's court. */
export function courtOf(w: Pick<World, 'l1' | 'court'>): Domain {
  return domain(w.l1.chainId, w.court.address)
}

/** A version that both have signed. */
export function signed(
  court: Domain,
  version: bigint,
  net: bigint,
  channel: Channel = CHANNEL,
  locks: readonly Lock[] = [],
): SignedState {
  const list = packLocks(locks)
  const state = { channelId: channelId(court, channel), version, net, locksRoot: locksRoot(list), batch: ZERO }
  const digest = stateDigest(court, state)
  return { version, net, batch: ZERO, locks: list, sigA: sign(digest, alice.key), sigB: sign(digest, bob.key) }
}

/** A final state that both have signed. */
export function signedFinal(court: Domain, net: bigint, channel: Channel = CHANNEL): SignedFinal {
  const digest = stateDigest(court, finalState(channelId(court, channel), net))
  return { net, sigA: sign(digest, alice.key), sigB: sign(digest, bob.key) }
}

/** A hash lock that one preimage opens. */
export function lockOf(preimage: Hex, expiry: number, change: Partial<Lock> = {}): Lock {
  return { toB: false, id: 1n, amount: 50n, expiry, condition: ETHER, key: hashLock(preimage), ...change }
}
