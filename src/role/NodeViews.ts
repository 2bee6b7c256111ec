import { randomBytes } from 'node:crypto'
import { type Hex, toHex } from '../core/base/Bytes.ts'
import type { Channel, Party, Side } from '../core/channel/Channel.ts'
import { type OpenLock, payerOf } from '../core/channel/LockBook.ts'
import type { PeerEvent } from '../core/channel/PeerState.ts'
import type { ChannelStatus } from '../core/channel/Status.ts'
import type { ChannelView, LockView, MoneyView, NodeEvent, PaymentView, PeerTerms } from '../edge/http/NodeApi.ts'
import type { Made } from './Payments.ts'

/** Seconds of a challenge period that nobody named. */
const DAY = 86_400

/** The terms that two parties come to who know each other and the salt: the lower signer is A. */
export function termsOf(self: Party, { peer, asset, challengePeriod = DAY, bond = 0n, salt }: PeerTerms): Channel {
  const [a, b] = self.signer < peer.signer ? [self, peer] : [peer, self]
  return { a, b, asset, challengePeriod, bond, salt: salt ?? toHex(randomBytes(32)) }
}

/** A channel's status, and where this side's money is, as the API tells it. */
export function viewOf({ withdrawal, closed, ...status }: ChannelStatus, whereabouts: MoneyView): ChannelView {
  return { ...status, withdrawal: withdrawal ?? null, closed: closed ?? null, whereabouts }
}

/** A lock of the newest state as a side's API tells it; its payload where that is kept. */
export function lockView(lock: OpenLock & { readonly payload?: Hex }, side: Side): LockView {
  const { id, paymentId, amount, expiry, key, outcome, payload = null } = lock
  const direction = payerOf(lock) === side ? 'sent' : 'received'
  const end = { status: outcome ?? 'open', code: null, data: null, preimage: null } as const
  return { lockId: id, paymentId, direction, amount, expiry, key, payload, ...end }
}

const UNENDED = {
  direction: 'sent',
  code: null,
  amount: null,
  memo: null,
  version: null,
  index: null,
  time: null,
} as const

/** A payment of this side that has not ended; nothing is known of a lock's memo. */
export function pendingView(paymentId: Hex, amount: bigint | null, memo: Hex | null): PaymentView {
  return { ...UNENDED, paymentId, status: 'pending', amount, memo }
}

/** A payment of this side that can no longer succeed. */
export function refusedView(paymentId: Hex, code: string): PaymentView {
  return { ...UNENDED, paymentId, status: 'refused', code }
}

/** A payment that both have signed. */
export function paidView(made: Pick<Made, 'version' | 'index' | 'pay'>, direction: 'sent' | 'received'): PaymentView {
  const { version, index, pay } = made
  const { paymentId, amount, memo } = pay
  return { paymentId, direction, status: 'paid', code: null, amount, memo, version, index, time: null }
}

/** The same, with its time. */
export function madeView(made: Made, direction: 'sent' | 'received'): PaymentView {
  return { ...paidView(made, direction), time: made.time }
}

/** An event as the API of a channel's side tells it; undefined if it does not. */
export function toldOf(channel: Hex, event: PeerEvent, side: () => Side): NodeEvent | undefined {
  switch (event.name) {
    case 'locked':
      return { channel, name: 'locked', lock: lockView({ ...event.lock, payload: event.change.payload }, side()) }
    case 'fulfilled': {
      const { lock, preimage } = event
      return { channel, name: 'fulfilled', lock: { ...lockView(lock, side()), status: 'fulfilled', preimage } }
    }
    case 'failed': {
      const { lock, code, data } = event
      return { channel, name: 'failed', lock: { ...lockView(lock, side()), status: 'failed', code, data } }
    }
    case 'paid':
      return { channel, name: 'paid', payment: paidView(event, 'sent') }
    case 'received':
      return { channel, name: 'received', payment: paidView(event, 'received') }
    case 'refused': {
      const { amount, paymentId, ...change } = event.change
      const memo = change.kind === 'pay' ? change.memo : null
      return { channel, name: 'refused', payment: { ...refusedView(paymentId, event.code), amount, memo } }
    }
    case 'opened':
    case 'funded':
    case 'withdrawn':
    case 'unwithdrawn':
    case 'disputed':
    case 'agreed':
    case 'closed':
      return { channel, ...event }
    default:
      return undefined
  }
}
