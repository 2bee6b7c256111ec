import type { Side } from '../../core/channel/Channel.ts'
import type { ChannelView, MoneyView } from '../../edge/http/NodeApi.ts'
import { formatMoney, type Unit } from './Money.ts'
import { facts } from './Table.ts'
import { formatDuration, formatMoment } from './Time.ts'

const OTHER: Readonly<Record<Side, Side>> = { a: 'b', b: 'a' }

/** What a channel's newest state gives each side of what is final on layer 1, in smallest units. */
export function balances({ side, net, deposits, withdrawn }: ChannelView): {
  readonly mine: bigint
  readonly theirs: bigint
} {
  const owed = side === 'a' ? net : -net
  const other = OTHER[side]
  return { mine: deposits[side] - withdrawn[side] - owed, theirs: deposits[other] - withdrawn[other] + owed }
}

/** The signer at the other end. */
export function peerOf({ channel, side }: ChannelView): string {
  return channel[OTHER[side]].signer
}

/** A channel in words: who, how far, and where the money is. */
export function channelText(view: ChannelView, unit: Unit): string {
  const { id, channel, version, pending, connected, available, closed } = view
  const money = (amount: bigint) => formatMoney(amount, unit)
  const { mine, theirs } = balances(view)
  return facts([
    ['channel', id],
    ['peer', `${peerOf(view)} (${connected ? 'connected' : 'not connected'})`],
    ['phase', phaseText(view)],
    ['yours', closed ? undefined : money(mine)],
    ['theirs', closed ? undefined : money(theirs)],
    ...moneyRows(view.whereabouts, unit),
    ['can pay', closed ? undefined : `${money(available)} now`],
    ['paid out', outText(view, unit)],
    ['pending', pending > 0 ? `${pending} of your payments` : undefined],
    ['leaving', leavingText(view, unit)],
    ['version', String(version)],
    ['asset', unit.symbol === 'ETH' ? 'ETH' : `${unit.symbol} (${channel.asset})`],
    ['challenge', `${formatDuration(channel.challengePeriod)} to answer an old state`],
  ])
}

/** Where this side's money is beside in the open channel; what there is none of is left away. */
export function moneyRows(
  money: MoneyView,
  unit: Unit,
  now = Date.now() / 1000,
): readonly (readonly [string, string])[] {
  const { arriving, locked, inDispute, credit } = money
  const rows: (readonly [string, string])[] = []
  const put = (name: string, amount: bigint, words: string) =>
    rows.push([name, `${formatMoney(amount, unit)} ${words}`])
  if (arriving > 0n) put('arriving', arriving, 'in a block that is not final yet')
  if (locked) put('locked', locked.amount, `until ${formatMoment(locked.until, now)} at the latest`)
  if (inDispute) put('in dispute', inDispute.amount, `until ${formatMoment(inDispute.until, now)}`)
  if (credit === null) rows.push(['credit', 'not known: layer 1 cannot be asked'])
  else if (credit > 0n) put('credit', credit, 'that the court could not pay: take it with kerros channel claim')
  return rows
}

/** What the court has paid: at the end to both, before it to this side. */
function outText(view: ChannelView, unit: Unit): string | undefined {
  if (view.closed) return paidText(view, unit)
  const { paidOut } = view.whereabouts
  return paidOut > 0n ? `${formatMoney(paidOut, unit)} to you` : undefined
}

function leavingText({ withdrawal, withdrawn, side }: ChannelView, unit: Unit): string | undefined {
  if (withdrawal === null) return undefined
  const step = withdrawal.signed ? 'on its way to layer 1' : 'waits for the peer to sign it'
  return `${formatMoney(withdrawal.total - withdrawn[side], unit)} ${step}; void ${formatMoment(withdrawal.deadline, Date.now() / 1000)}`
}

function paidText({ side, closed }: ChannelView, unit: Unit): string {
  const [mine, theirs] = side === 'a' ? [closed!.payA, closed!.payB] : [closed!.payB, closed!.payA]
  return `${formatMoney(mine, unit)} to you, ${formatMoney(theirs, unit)} to the peer`
}

const PHASES: Readonly<Record<ChannelView['phase'], string>> = {
  new: 'new: waits for a final deposit',
  open: 'open',
  ending: 'ending: waits for layer 1',
  closed: 'closed: the court has paid both sides',
}

function phaseText({ phase }: ChannelView): string {
  return PHASES[phase]
}
