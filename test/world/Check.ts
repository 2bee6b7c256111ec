import { concat, type Hex } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import { isProven } from '../../src/core/channel/Receipt.ts'
import { recordOf } from '../../src/core/channel/Record.ts'
import { sumOf } from '../../src/core/channel/Whereabouts.ts'
import type { Payment } from '../../src/role/Payments.ts'
import type { Who } from './Act.ts'
import { type Begun, type Party, PURSE, type Stage } from './Stage.ts'

/** After each act: the court holds exactly what it owes, and the two sides' books do not contradict each other. */
export function checkBooks(on: Stage): void {
  checkCourt(on)
  for (const { id } of on.channels) checkPair(on, id)
  if (on.violations.length > 0) throw new Error(on.violations.join('; '))
}

/** Deposits + credits + bonds + open locks = what the court has. */
function checkCourt(on: Stage): void {
  const court = on.court.state()
  let owed = 0n
  for (const { id, channel } of on.channels) {
    const record = recordOf(court, channel.asset, id)
    const rest = on.held.get(id) ?? 0n
    if (rest < 0n) violated(on, `the court has paid ${-rest} too much of ${id}`)
    if (!record.closed && record.fundsA + record.fundsB !== rest) violated(on, `the court's funds are not ${rest}`)
    if (record.closed && !record.openLocks && rest !== 0n) violated(on, `${rest} stay in a closed channel`)
    owed += rest + (record.bond?.amount ?? 0n)
  }
  for (const amount of court.credits.values()) owed += amount
  const have = on.l1.money.balance(on.asset, on.court.address)
  if (have !== owed) violated(on, `the court has ${have} and owes ${owed}`)
}

/** Two sides of the same version know the same of it, and neither is more than one ahead. */
function checkPair(on: Stage, id: Hex): void {
  const { x, y } = on.parties
  if (![x, y].every(isHonest)) return
  const [p, q] = [x, y].map(({ node }) => (node?.channels().includes(id) ? node.status(id) : undefined))
  if (!p || !q) return
  if (p.version === q.version && p.net !== q.net) violated(on, `version ${p.version} is worth ${p.net} and ${q.net}`)
  const apart = p.version > q.version ? p.version - q.version : q.version - p.version
  if (apart > 1n) violated(on, `the sides are at versions ${p.version} and ${q.version}`)
}

function violated(on: Stage, what: string): void {
  on.violations.push(what)
}

function isHonest({ isSetBack, isGone, backup }: Party): boolean {
  return !isSetBack && !isGone && backup === undefined
}

/** At the end: everybody has what is theirs, and every payment has ended once. */
export function checkEnd(on: Stage): void {
  for (const made of on.begun.values()) checkPayment(on, made)
  for (const { who, event } of on.told) {
    if (event.name === 'disputed' && !mayDispute(on, event.why)) violated(on, `${who} is forced apart: ${event.why}`)
  }
  for (const fault of on.faults) if (!isExpected(fault)) violated(on, `nobody asked for it, and it is told: ${fault}`)
  const { x, y } = on.parties
  for (const one of [x, y]) if (!one.isGone) checkMoney(on, one)
  checkBooks(on)
}

/** What a node may tell whoever runs it: its disk, its endpoint or its own end, and no mistake of its own. */
const EXPECTED = ['StoreFailed', 'ChainUnreachable', 'Dropped', 'Error: this node has stopped']

function isExpected(fault: string): boolean {
  return EXPECTED.some((one) => fault.endsWith(one))
}

const CALM = new Set(['Asked', 'CloseUnanswered'])

function mayDispute(on: Stage, why: string): boolean {
  const { x, y } = on.parties
  return CALM.has(why) || ![x, y].every(isHonest)
}

function other(who: Who): Who {
  return who === 'x' ? 'y' : 'x'
}

/** What became of a payment in its payer's book: paid, or why not; `gone` if the book was set back or is lost. */
function outcome(on: Stage, { who, id, paymentId }: Begun): Payment | string | undefined {
  const { node, isGone } = on.parties[who]
  return isGone ? 'gone' : node!.payment(id, paymentId)
}

/** Whether its receiver has a payment in its book, or was told of it. */
function isReceived(on: Stage, { who, id, paymentId, isLock }: Begun): boolean {
  const payee = on.parties[other(who)]
  const heard = on.told.some(
    ({ who: whom, event }) => whom === payee.who && event.name === 'fulfilled' && event.lock.paymentId === paymentId,
  )
  if (isLock || payee.isGone)
    return (
      heard ||
      on.told.some(
        ({ who: whom, event }) => whom === payee.who && event.name === 'received' && event.pay.paymentId === paymentId,
      )
    )
  const { side } = payee.node!.status(id)
  const made = payee.node!.made(id, { version: 0n, index: -1 }, 10_000)
  return made.some(({ payer, pay }) => payer !== side && pay.paymentId === paymentId)
}

/** Whether a payment has moved money: by its payer's book, or by the receiver's where that book was set back. */
function isPaid(on: Stage, made: Begun): boolean {
  const end = outcome(on, made)
  if (typeof end === 'object') return true
  const { isRestored, isGone } = on.parties[made.who]
  return isRestored || isGone ? isReceived(on, made) || made.isTaken : false
}

function checkPayment(on: Stage, made: Begun): void {
  const { who, id, paymentId, answer } = made
  const end = outcome(on, made)
  const name = `${made.isLock ? 'lock' : 'payment'} ${BigInt(paymentId)} of ${who}`
  const payer = on.parties[who]
  const payee = on.parties[other(who)]
  const ends = endsOf(on, made)
  if (end === 'pending') violated(on, `${name} is in flight for ever`)
  if (payer.isRestored || payer.isGone) return
  if (ends.length > 1) violated(on, `${name} ended ${ends.length} times: ${ends}`)
  if (typeof end === 'object' && ends.some((one) => one !== 'paid' && one !== 'fulfilled')) {
    violated(on, `${name} is paid and was told as ${ends}`)
  }
  if (typeof end !== 'object' && ends.some((one) => one === 'paid' || one === 'fulfilled')) {
    violated(on, `${name} was told as ${ends} and is ${end}`)
  }
  if (answer === 'done' && typeof end !== 'object') violated(on, `${name} was answered as done and is ${end}`)
  if (answer !== undefined && answer !== 'done' && typeof end === 'object')
    violated(on, `${name} was answered as ${answer} and is paid`)
  if (payee.isGone || payee.isRestored) return
  if (made.isTaken && typeof end !== 'object') violated(on, `${name} was taken for good and is ${end}`)
  const isThere = isReceived(on, made)
  if (!made.isLock && isThere !== (typeof end === 'object'))
    violated(on, `${name} is ${JSON.stringify(typeof end === 'object' ? 'paid' : end)} and its receiver has ${isThere}`)
  if (typeof end === 'object' && !made.isLock) {
    const proof = payer.node!.receipt(id, paymentId)
    const court = domain(on.l1.chainId, on.court.address)
    if (proof && (!isProven(court, proof) || proof.leaf.amount !== made.amount))
      violated(on, `${name} has a bad receipt`)
  }
}

/** The ends of a payment that its payer was told. */
function endsOf(on: Stage, { who, paymentId }: Begun): readonly string[] {
  const ends: string[] = []
  for (const { who: whom, event } of on.told) {
    if (whom !== who) continue
    if (event.name === 'paid' && event.pay.paymentId === paymentId) ends.push('paid')
    else if (event.name === 'refused' && event.change.paymentId === paymentId) ends.push('refused')
    else if ((event.name === 'fulfilled' || event.name === 'failed') && event.lock.paymentId === paymentId)
      ends.push(event.name)
  }
  return ends
}

/** All channels are closed: a side's purse holds what it began with and what the payments say. */
function checkMoney(on: Stage, one: Party): void {
  const { person, who, node } = one
  let due = PURSE
  for (const made of on.begun.values()) {
    if (isPaid(on, made)) due += made.who === who ? -made.amount : made.amount
  }
  const credit = on.court.state().credits.get(concat(on.asset, person.owner)) ?? 0n
  const have = on.l1.money.balance(on.asset, person.owner) + credit
  const isAlone = on.parties[other(who)].isGone
  if (isAlone ? have < due : have !== due) violated(on, `${who} has ${have} and should have ${due}`)
  for (const { id } of on.channels) {
    const place = node!.whereabouts(id)
    if (sumOf(place) !== place.paidOut) violated(on, `${who} believes that it has money in a closed channel`)
  }
}
