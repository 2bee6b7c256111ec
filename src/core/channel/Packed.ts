import type { Hex } from '../base/Bytes.ts'
import type { Side } from './Channel.ts'
import { MEMO, type Paid } from './Payment.ts'

// Characters of each field of a packed payment: payer (00 is A), amount, payment id, bytes of the memo; then the memo.
const AMOUNT = 2
const ID = AMOUNT + 32
const LENGTH = ID + 64
const HEAD = LENGTH + 4

/** Payments one after another, 51 bytes and the memo each: how a row of history and a message carry many of them. */
export function pack(paid: readonly Paid[]): Hex {
  let text = ''
  for (const { payer, pay } of paid) {
    const { amount, paymentId, memo } = pay
    text += payer === 'a' ? '00' : '01'
    text += amount.toString(16).padStart(32, '0')
    text += paymentId.slice(2)
    text += (memo.length / 2 - 1).toString(16).padStart(4, '0')
    text += memo.slice(2)
  }
  return `0x${text}`
}

/** The payments of a lowercase Hex, or undefined if it holds anything that no payment is. */
export function unpack(packed: Hex): readonly Paid[] | undefined {
  const paid: Paid[] = []
  for (let at = 2; at < packed.length; ) {
    const memo = at + HEAD
    const end = memo + 2 * Number.parseInt(packed.slice(at + LENGTH, memo), 16)
    const payer = SIDES[packed.slice(at, at + AMOUNT)]
    const amount = amountOf(packed, at)
    if (!payer || amount === 0n || !(end <= packed.length) || end - memo > 2 * MEMO) return undefined
    const paymentId: Hex = `0x${packed.slice(at + ID, at + LENGTH)}`
    paid.push({ payer, pay: { kind: 'pay', amount, paymentId, memo: `0x${packed.slice(memo, end)}` } })
    at = end
  }
  return paid
}

const SIDES: Readonly<Record<string, Side>> = { '00': 'a', '01': 'b' }

function amountOf(packed: Hex, at: number): bigint {
  const low = Number.parseInt(packed.slice(at + ID - 12, at + ID), 16)
  const high = packed.slice(at + AMOUNT, at + ID - 12)
  return high === ZEROS ? BigInt(low) : BigInt(`0x${packed.slice(at + AMOUNT, at + ID)}`)
}

const ZEROS = '0'.repeat(20)
