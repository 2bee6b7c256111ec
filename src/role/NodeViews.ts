import { randomBytes } from 'node:crypto'
import { type Hex, toHex } from '../core/base/Bytes.ts'
import type { Channel, Party } from '../core/channel/Channel.ts'
import type { PeerEvent } from '../core/channel/PeerState.ts'
import type { ChannelStatus } from '../core/channel/Status.ts'
import type { ChannelView, NodeEvent, PaymentView, PeerTerms } from '../edge/http/NodeApi.ts'
import type { Made } from './Payments.ts'

/** Seconds of a challenge period that nobody named. */
const DAY = 86_400

/** The terms that two parties come to who know each other and the salt: the lower signer is A. */
export function termsOf(self: Party, { peer, asset, challengePeriod = DAY, bond = 0n, salt }: PeerTerms): Channel {
  const [a, b] = self.signer < peer.signer ? [self, peer] : [peer, self]
  return { a, b, asset, challengePeriod, bond, salt: salt ?? toHex(randomBytes(32)) }
}

/** A channel's status as the API tells it. */
export function viewOf({ withdrawal, closed, ...status }: ChannelStatus): ChannelView {
  return { ...status, withdrawal: withdrawal ?? null, closed: closed ?? null }
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

/** An event as the API tells it; undefined if it does not. */
export function toldOf(channel: Hex, event: PeerEvent): NodeEvent | undefined {
  switch (event.name) {
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
