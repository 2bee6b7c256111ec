import { ETHER, type Hex } from '../../core/base/Bytes.ts'
import { people, type Sent, type Town } from './Town.ts'
import { count } from './Voice.ts'

/** A sum that must be exact. */
export interface Check {
  readonly what: string
  readonly have: bigint
  readonly need: bigint
}

/** What a part of the demo has done. */
export interface Part {
  readonly payments: number
  readonly seconds: number
  readonly checks: readonly Check[]
  /** What the court must have paid to whom, in wei. */
  readonly income: readonly (readonly [Hex, bigint])[]
}

/** A check of a sum. */
export function check(what: string, have: bigint, need: bigint): Check {
  return { what, have, need }
}

/** One protocol's figures. */
export interface Row {
  readonly protocol: string
  readonly payments: number
  readonly seconds: number
  readonly perSecond: number
  /** Gas of everything that the protocol did on layer 1, without the deployment. */
  readonly gas: number
  /** Gas of the same payments as plain transfers. */
  readonly plainGas: number
  readonly gasPerPayment: number
}

/** Everybody's ether before the demo. */
export async function etherNow(town: Town): Promise<ReadonlyMap<Hex, bigint>> {
  const found = new Map<Hex, bigint>()
  for (const { address } of Object.values(people)) found.set(address, await town.balance(ETHER, address))
  return found
}

/** Everybody has what they had, less what they sent and burned as fees, plus what the courts owed them: to the wei. */
export async function checkEther(
  town: Town,
  before: ReadonlyMap<Hex, bigint>,
  sent: readonly Sent[],
  parts: readonly Part[],
): Promise<Check[]> {
  const need = new Map(before)
  for (const { from, spent } of sent) if (need.has(from)) need.set(from, need.get(from)! - spent)
  for (const { income } of parts) for (const [who, amount] of income) need.set(who, need.get(who)! + amount)
  const checks: Check[] = []
  for (const [name, { address }] of Object.entries(people)) {
    checks.push(check(`${name}'s ether`, await town.balance(ETHER, address), need.get(address)!))
  }
  return checks
}

/** One protocol's row, from what it did on layer 1 and what its payments would have cost there. */
export function row(protocol: string, court: string, part: Part, sent: readonly Sent[], plainGas: bigint): Row {
  const gas = sent.filter(({ verb }) => verb.startsWith(`${court}.`)).reduce((sum, one) => sum + one.gas, 0n)
  const { payments, seconds } = part
  const perSecond = Math.round(payments / seconds)
  const gasPerPayment = Math.round((100 * Number(gas)) / payments) / 100
  return { protocol, payments, seconds, perSecond, gas: Number(gas), plainGas: Number(plainGas), gasPerPayment }
}

/** The rows as text, aligned. */
export function table(rows: readonly Row[]): string {
  const head = ['', 'payments', 'seconds', 'a second', 'gas on layer 1', 'gas as transfers', 'gas a payment']
  const lines = rows.map((one) => [
    one.protocol,
    count(one.payments),
    one.seconds.toFixed(1),
    count(one.perSecond),
    count(one.gas),
    count(one.plainGas),
    String(one.gasPerPayment),
  ])
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)))
  const text = (line: readonly string[]) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')
  return [text(head), ...lines.map(text)].join('\n')
}
