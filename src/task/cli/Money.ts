import { formatAmount, parseAmount } from '../../core/base/Amount.ts'
import { ETHER, type Hex } from '../../core/base/Bytes.ts'
import { Misuse } from './Trouble.ts'

/** What amounts of an asset are counted in: its symbol stands for 10^decimals of its smallest unit. */
export interface Unit {
  readonly asset: Hex
  readonly symbol: string
  readonly decimals: number
}

/** The unit of ether. */
export const ETH: Unit = { asset: ETHER, symbol: 'ETH', decimals: 18 }

const OF_ETHER: readonly (readonly [name: string, decimals: number])[] = [
  ['ETH', 18],
  ['gwei', 9],
  ['wei', 0],
]

/** What a token calls itself may be shown to people, or nothing of it: letters of a foreign contract can be anything. */
export function isSymbol(text: unknown): text is string {
  return typeof text === 'string' && /^[A-Za-z][A-Za-z0-9.+_-]{0,15}$/.test(text)
}

/** Whether a token's symbol is the name of a unit of ether, which would make people misread its amounts. */
export function isEtherName(symbol: string): boolean {
  return OF_ETHER.some(([name]) => name.toLowerCase() === symbol.toLowerCase())
}

/**
 * The smallest units that a text means: "0.25 ETH", "1 gwei", "12.5 USDC"; a bare whole number only if it is `raw`.
 * Exact; throws Misuse. `of` says what the unit belongs to.
 */
export function parseMoney(text: string, unit: Unit, raw = false, of = 'this channel, which holds'): bigint {
  const [, digits, name] = /^([^\sA-Za-z]*)\s*(\S*)$/.exec(text.trim()) ?? []
  if (!digits) throw new Misuse(`"${text}" is no amount: write it as in ${example(unit)}`)
  if (name === '') return bare(digits, unit, raw)
  if (raw) throw new Misuse(`"${text}" has a unit, and --raw takes smallest units: leave one of them away`)
  const known = unit.asset === ETHER ? OF_ETHER : [[unit.symbol, unit.decimals] as const]
  const found = known.find(([one]) => one.toLowerCase() === name!.toLowerCase())
  if (found) return exactly(digits, found[1])
  const names = known.map(([one]) => one).join(', ')
  throw new Misuse(`"${name}" is no unit of ${of} ${unit.symbol}: use ${names}, or --raw`)
}

function bare(digits: string, unit: Unit, raw: boolean): bigint {
  if (raw) return exactly(digits, 0)
  const smallest = unit.asset === ETHER ? `"${digits} wei"` : '--raw'
  throw new Misuse(`"${digits}" has no unit: write "${digits} ${unit.symbol}", or ${smallest} for smallest units`)
}

function exactly(digits: string, decimals: number): bigint {
  try {
    return parseAmount(digits, decimals)
  } catch (why) {
    throw new Misuse((why as Error).message)
  }
}

function example({ symbol }: Unit): string {
  return symbol === 'ETH' ? '0.25 ETH or 1 gwei' : `12.5 ${symbol}`
}

/** An amount for people: "0.25 ETH". Exact; `parseMoney` gives the amount back. */
export function formatMoney(amount: bigint, { symbol, decimals }: Unit): string {
  return `${formatAmount(amount, decimals)} ${symbol}`
}
