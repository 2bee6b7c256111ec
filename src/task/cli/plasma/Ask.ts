// What a command line says of money, and how money is told.
import { randomBytes } from 'node:crypto'
import { ETHER, type Hex, isHex, toHex, ZERO } from '../../../core/base/Bytes.ts'
import { get } from '../../../core/base/HashMap.ts'
import type { Held } from '../../../core/plasma/Held.ts'
import { heldBy, type WalletState } from '../../../core/plasma/Purse.ts'
import { type Call, option } from '../Command.ts'
import { formatMoney, parseMoney } from '../Money.ts'
import { parseDuration } from '../Time.ts'
import { Misuse, Trouble } from '../Trouble.ts'
import type { Session } from './Session.ts'

/** The asset of --asset: ether unless given. Throws Misuse. */
export function assetOf(call: Call): Hex {
  const text = option(call, 'asset') ?? 'ETH'
  return /^eth(?:er)?$/i.test(text) ? ETHER : addressIn(text, '--asset (ETH, or a token)')
}

/** An address that a person has typed. Throws Misuse. */
export function addressIn(text: string, what: string): Hex {
  const address = text.toLowerCase()
  if (isHex(address, 20)) return address
  throw new Misuse(`"${text}" is no address: ${what} takes 0x and 40 hexadecimal digits`)
}

/** Thirty-two bytes that a person has typed. Throws Misuse. */
export function wordIn(text: string, what: string): Hex {
  const word = text.toLowerCase()
  if (isHex(word, 32)) return word
  throw new Misuse(`"${text}" is no ${what}: write 0x and 64 hexadecimal digits`)
}

/** Smallest units of an asset that a text means; of an ERC-721 its id. Throws Misuse. */
export async function amountIn(call: Call, { unit }: Session, text: string, asset: Hex): Promise<bigint> {
  const amount = parseMoney(text, await unit(asset), call.options.raw === true, 'this asset, which is')
  if (amount === 0n && call.options.raw !== true) throw new Misuse(`"${text}" is nothing: write an amount above 0`)
  return amount
}

/** An amount for people; of an ERC-721 `value` is the id. */
export async function moneyText({ wallet, unit }: Session, asset: Hex, value: bigint): Promise<string> {
  if (get(wallet.state.running.kinds, asset) === 'unique') return `no. ${value} of ${asset.slice(0, 10)}`
  return formatMoney(value, await unit(asset))
}

/** The output that an id means, whole or by enough of its beginning. Troubles: UnknownOutput, AmbiguousOutput, Usage. */
export function outputBy(state: WalletState, text: string): Held {
  const start = text.toLowerCase().replace(/^(?:0x)?/, '0x')
  if (!/^0x[0-9a-f]{4,64}$/.test(start))
    throw new Misuse(`"${text}" is no id: write at least the first 4 digits behind 0x, as plasma outputs tells it`)
  const found = heldBy(state).filter(({ id }) => id.startsWith(start))
  if (found.length === 1) return found[0]!
  if (found.length === 0)
    throw new Trouble(
      'UnknownOutput',
      `This wallet holds no output that begins with ${start}: kerros plasma outputs tells those it has`,
    )
  throw new Trouble('AmbiguousOutput', `${found.length} outputs begin with ${start}: write more of the id`)
}

/** The 32 bytes of --memo: up to 32 bytes of text, or 0x and 64 digits. Throws Misuse. */
export function memoOf(call: Call): Hex {
  const text = option(call, 'memo')
  if (text === undefined) return ZERO
  if (text.startsWith('0x')) return wordIn(text, 'memo')
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length > 32) throw new Misuse(`The memo has ${bytes.length} bytes, and 32 are all there are: shorten it`)
  return toHex(Buffer.concat([bytes, Buffer.alloc(32 - bytes.length)]))
}

/** A memo for people: its text if it is one, else its bytes; undefined if there is none. */
export function memoText(memo: Hex): string | undefined {
  if (memo === ZERO) return undefined
  const text = Buffer.from(memo.slice(2).replace(/(?:00)+$/, ''), 'hex').toString('utf8')
  return /^[\p{L}\p{N}\p{P}\p{S} ]+$/u.test(text) ? text : memo
}

/** The 32 bytes of --salt, or new ones. Throws Misuse. */
export function saltOf(call: Call): Hex {
  const text = option(call, 'salt')
  return text === undefined ? toHex(randomBytes(32)) : wordIn(text, 'salt')
}

/** Seconds of --wait. Throws Misuse. */
export function waitOf(call: Call, otherwise: number): number {
  const text = option(call, 'wait')
  return text === undefined ? otherwise : parseDuration(text)
}
