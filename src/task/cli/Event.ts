import type { Hex } from '../../core/base/Bytes.ts'
import type { ChannelStatus } from '../../core/channel/Status.ts'
import type { LockView, NodeEvent } from '../../edge/http/NodeApi.ts'
import { formatMoney, type Unit } from './Money.ts'
import type { Config, Home } from './Settings.ts'
import { unitOf } from './Units.ts'

interface Channels {
  status(id: Hex): ChannelStatus
}

/** Says what happens in a node's channels, a line each. */
export function eventTeller(home: Home, config: Config, node: Channels): (event: NodeEvent) => Promise<string> {
  return async (event) => {
    const { channel, side } = node.status(event.channel)
    const { asset } = channel
    const unit = await unitOf(home, config, asset).catch(() => smallest(asset))
    return `${event.channel.slice(0, 12)}  ${eventText(event, side, unit)}`
  }
}

/** What amounts are told in while nobody can tell how an asset counts. */
export function smallest(asset: Hex): Unit {
  return { asset, symbol: 'smallest units', decimals: 0 }
}

/** What has happened in a channel, as a sentence about it. */
export function eventText(event: NodeEvent, side: 'a' | 'b', unit: Unit): string {
  const money = (amount: bigint | null) => (amount === null ? 'a payment' : formatMoney(amount, unit))
  switch (event.name) {
    case 'opened':
      return 'is open: a deposit is final'
    case 'funded':
      return `has ${money(event.total)} of yours to pay with`
    case 'paid':
      return `paid ${money(event.payment.amount)} in version ${event.payment.version}`
    case 'received':
      return `received ${money(event.payment.amount)} in version ${event.payment.version}`
    case 'refused':
      return `did not pay ${money(event.payment.amount)} (${event.payment.code})`
    case 'locked':
      return `has lock ${lockText(event.lock, money)}`
    case 'fulfilled':
      return `paid lock ${lockText(event.lock, money)}`
    case 'failed':
      return `gave up lock ${lockText(event.lock, money)} (${event.lock.code})`
    case 'withdrawn':
      return `has paid out ${money(event.total)} of yours in all`
    case 'unwithdrawn':
      return `did not pay out (${event.code})`
    case 'disputed':
      return `goes to court (${event.why})`
    case 'agreed':
      return 'ends by agreement: both have signed the final state'
    case 'closed':
      return `is closed: ${money(side === 'a' ? event.payA : event.payB)} to you, ${money(side === 'a' ? event.payB : event.payA)} to the peer`
    case 'sent':
      return `${event.verb} is on its way to layer 1 (${event.hash})`
    case 'mined':
      return `${event.verb} is in block ${event.block} (${event.hash}), and counts once that is final`
    case 'impostor':
      return `has no link: who answers at ${event.address} cannot show the peer's key; check the address and the terms`
  }
}

function lockText({ lockId, direction, amount }: LockView, money: (amount: bigint | null) => string): string {
  return `${lockId} ${direction === 'sent' ? 'to the peer' : 'to you'} over ${money(amount)}`
}
