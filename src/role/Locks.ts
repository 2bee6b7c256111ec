import { ETHER, type Hex } from '../core/base/Bytes.ts'
import { Refusal } from '../core/base/Step.ts'
import type { OpenLock } from '../core/channel/LockBook.ts'
import { type KeptLock, lockKey } from '../core/channel/LockEnd.ts'
import type { PeerInput } from '../core/channel/Peer.ts'
import type { PeerEvent, PeerState, Seat } from '../core/channel/PeerState.ts'
import type { Store } from '../edge/store/Store.ts'

/** What a lock is made of: `key` is the SHA-256 of a 32-byte preimage, `expiry` the last second in which it can be taken. */
export interface LockOptions {
  readonly amount: bigint
  readonly expiry: number
  readonly key: Hex
  /** The payer's name for it, 32 bytes; made up unless given. */
  readonly paymentId?: Hex
  /** Bytes for its receiver. */
  readonly payload?: Hex
}

/** The input that adds a lock. */
export function lockInput({ amount, expiry, key, payload = '0x' }: LockOptions, paymentId: Hex): PeerInput {
  return { kind: 'lock', amount, expiry, condition: ETHER, key, paymentId, payload }
}

/** The open locks of a channel, with what their payers sent along. */
export function openLocks(store: Pick<Store, 'get'>, { id }: Seat, { locks }: PeerState): readonly KeptLock[] {
  return locks.map((lock: OpenLock) => {
    const { isLoaded, ...bare } = lock
    return { ...bare, payload: isLoaded ? ((store.get('payload', lockKey(id, lock)) ?? '0x') as Hex) : '0x' }
  })
}

/** How a payment of this side that was locked has ended, if an event tells: its preimage, or the refusal. */
export function lockEnd(
  seat: Seat,
  event: PeerEvent,
): { readonly preimage: Hex; readonly version: bigint } | Refusal | undefined {
  if (event.name !== 'fulfilled' && event.name !== 'failed') return undefined
  const isMine = event.lock.toB === (seat.side === 'a')
  if (!isMine) return undefined
  if (event.name === 'failed') return new Refusal(event.code, event.lock.paymentId)
  return { preimage: event.preimage, version: event.version }
}
