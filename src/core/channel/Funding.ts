import { pay, requireValue } from '../base/Asset.ts'
import { ETHER, type Hex, size } from '../base/Bytes.ts'
import type { Env } from '../base/Court.ts'
import { require } from '../base/Step.ts'
import type { ChannelCall, ChannelEvent, Payer } from './Call.ts'
import { channelId, MAX_NET, withdrawalDigest } from './Channel.ts'
import { bondOf, type ChannelCourt, openRecord, type Record, recordOf, withRecord } from './Record.ts'
import { type Call, paid, payBoth, type Ruled, requireBoth, requireNotLate } from './Standing.ts'

/** Adds to one side of a channel; the sender pays. */
export function deposit(court: ChannelCourt, call: Call<'deposit'>, env: Env): Ruled {
  const { asset, channelId: id, toB, amount } = call
  const ruled = add(court, asset, id, toB, amount, env.sender)
  requireValue(env, asset, amount)
  return ruled
}

/** Adds to one side of a channel; the sender pays, by a permit or by an allowance that is there already. */
export function depositWithPermit(court: ChannelCourt, call: Call<'depositWithPermit'>, env: Env): Ruled {
  const { asset, channelId: id, toB, amount } = call
  return add(court, asset, id, toB, amount, env.sender)
}

/** Adds to one side of a channel; who has signed for it pays. */
export function depositWithAuthorization(court: ChannelCourt, call: Call<'depositWithAuthorization'>): Ruled {
  const { asset, channelId: id, toB, amount, payer } = call
  const ruled = add(court, asset, id, toB, amount, payer.from)
  requireSignature(payer)
  return ruled
}

/** Adds to both sides: ether of the sender, or tokens of the sender and of who has signed for the other side. */
export function openBoth(court: ChannelCourt, call: Call<'openBoth'>, env: Env): Ruled {
  const { asset, channelId: id, amountA, amountB, payerIsB, payer } = call
  const payerOf = (toB: boolean) => (asset !== ETHER && toB === payerIsB ? payer.from : env.sender)
  const first = add(court, asset, id, false, amountA, payerOf(false))
  const second = add(first.state, asset, id, true, amountB, payerOf(true))
  requireValue(env, asset, amountA + amountB)
  if (asset !== ETHER) requireSignature(payer)
  const transfers = [...first.transfers, ...second.transfers]
  return { state: second.state, events: [...first.events, ...second.events], transfers }
}

function requireSignature({ permit2, signature }: Payer): void {
  const have = size(signature)
  require(permit2 || have === 65, 'SignatureLength', BigInt(have), 65n)
}

function add(court: ChannelCourt, asset: Hex, id: Hex, toB: boolean, amount: bigint, payer: Hex): Ruled {
  const record = recordOf(court, asset, id)
  require(amount !== 0n, 'ZeroAmount')
  require(!record.closed, 'ChannelClosed', id)
  return {
    state: withRecord(court, asset, id, added(record, toB, amount)),
    events: [{ name: 'Deposited', id, asset, toB, amount }],
    transfers: [{ asset, from: payer, to: court.domain.court, amount }],
  }
}

function added(record: Record, toB: boolean, amount: bigint): Record {
  require(amount < 2n ** 255n, 'SafeCastOverflowedUintToInt', amount)
  require(amount <= MAX_NET, 'SafeCastOverflowedIntDowncast', 128, amount)
  const side = (toB ? record.fundsB : record.fundsA) + amount
  require(side <= MAX_NET, 'SafeCastOverflowedIntDowncast', 128, side)
  return toB ? { ...record, fundsB: side } : { ...record, fundsA: side }
}

/** Many ether deposits; those of closed channels are left out and their ether goes back to the sender. */
export function deposits(court: ChannelCourt, { list }: Call<'deposits'>, env: Env): Ruled {
  let [state, total, back] = [court, 0n, 0n]
  const events: ChannelEvent[] = []
  for (const { channelId: id, toB, amount } of list) {
    total += amount
    const record = recordOf(state, ETHER, id)
    require(amount !== 0n, 'ZeroAmount')
    if (record.closed) back += amount
    else {
      state = withRecord(state, ETHER, id, added(record, toB, amount))
      events.push({ name: 'Deposited', id, asset: ETHER, toB, amount })
    }
  }
  requireValue(env, ETHER, total)
  const { court: address } = court.domain
  const ruled = paid(state, pay(address, court.credits, env, ETHER, [[env.sender, back]]), events)
  const taken = { asset: ETHER, from: env.sender, to: address, amount: total }
  return { ...ruled, transfers: [taken, ...ruled.transfers] }
}

/** Pays what both have signed to take out; totals, so that a repetition finds nothing left to pay. */
export function withdraw(court: ChannelCourt, call: Call<'withdraw'>, env: Env): Ruled {
  const { channel, totalA, totalB, deadline, sigA, sigB } = call
  const { id, record } = openRecord(court, channel)
  requireNotLate(env, deadline)
  requireBoth(channel, withdrawalDigest(court.domain, id, totalA, totalB, deadline), sigA, sigB, env)
  const payA = over(totalA, record.withdrawnA)
  const payB = over(totalB, record.withdrawnB)
  const have = record.fundsA + record.fundsB
  require(payA + payB !== 0n && payA + payB <= have, 'WrongWithdrawal', payA + payB, have)
  const [withdrawnA, withdrawnB] = [record.withdrawnA + payA, record.withdrawnB + payB]
  const [fundsA, fundsB] = [record.fundsA - payA, record.fundsB - payB]
  const state = withRecord(court, channel.asset, id, { ...record, fundsA, fundsB, withdrawnA, withdrawnB })
  return payBoth(state, channel, channel.asset, env, { payA, payB }, { name: 'Withdrawn', id, withdrawnA, withdrawnB })
}

function over(total: bigint, before: bigint): bigint {
  return total > before ? total - before : 0n
}

/** Pays back what was deposited under an asset that is not the channel's, by side. */
export function sweep(court: ChannelCourt, { channel, asset }: Call<'sweep'>, env: Env): Ruled {
  require(asset !== channel.asset, 'ChannelAsset', asset)
  const id: Hex = channelId(court.domain, channel)
  const record = recordOf(court, asset, id)
  const { fundsA: payA, fundsB: payB } = record
  require(payA + payB !== 0n, 'ZeroAmount')
  const state = withRecord(court, asset, id, { ...record, fundsA: 0n, fundsB: 0n })
  return payBoth(state, channel, asset, env, { payA, payB }, { name: 'Swept', id, asset, payA, payB })
}

/** Wei to attach to a call: an ether deposit's amount, a challenger's bond, nothing for others. */
export function callValue(call: ChannelCall): bigint {
  if (call.verb === 'deposit') return call.asset === ETHER ? call.amount : 0n
  if (call.verb === 'openBoth') return call.asset === ETHER ? call.amountA + call.amountB : 0n
  if (call.verb === 'deposits') return call.list.reduce((sum, { amount }) => sum + amount, 0n)
  return call.verb === 'challenge' || call.verb === 'challengeFor' ? bondOf(call.channel) : 0n
}
