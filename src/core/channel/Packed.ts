import { type Hex, isHex } from '../base/Bytes.ts'
import type { Plain } from '../base/Step.ts'
import { type Change, isCode, isLockChange, type LockChange } from './Change.ts'
import type { Side } from './Channel.ts'
import { type Item, isCount } from './Message.ts'
import { BATCH, type History, MEMO, type Paid, type Pay } from './Payment.ts'

// Rows and messages carry many payments. Here those that follow one another become one Hex: 50 bytes and the memo each.

/** Changes in order: payments that follow one another packed, changes of locks as they are. */
export type PackedChanges = readonly (Hex | LockChange)[]

/** Items of a proposal: own changes as in `PackedChanges`; requests by their first and last number; a refused one and its code. */
export type PackedItems = readonly (Hex | LockChange | readonly [number, number] | readonly [number, string])[]

/** What a version paid: who, and what, in turns. */
export type PackedPaid = readonly (readonly [payer: Side, payments: Hex])[]

// Characters of each field of a packed payment: amount, payment id, bytes of the memo; then the memo.
const ID = 32
const LENGTH = ID + 64
const HEAD = LENGTH + 4
const ZEROS = '0'.repeat(20)

function pack({ amount, paymentId, memo }: Pay): string {
  const length = (memo.length / 2 - 1).toString(16).padStart(4, '0')
  return amount.toString(16).padStart(32, '0') + paymentId.slice(2) + length + memo.slice(2)
}

/** Adds the payments of a Hex to a list; false if it holds anything else, or a field out of its bounds. */
function unpack(packed: unknown, add: (pay: Pay) => void): packed is Hex {
  if (!isHex(packed)) return false
  for (let at = 2; at < packed.length; ) {
    const memo = at + HEAD
    const end = memo + 2 * Number.parseInt(packed.slice(at + LENGTH, memo), 16)
    if (!(end <= packed.length) || end - memo > 2 * MEMO) return false
    const amount = amountIn(packed, at)
    if (amount === 0n) return false
    const paymentId: Hex = `0x${packed.slice(at + ID, at + LENGTH)}`
    add({ kind: 'pay', amount, paymentId, memo: `0x${packed.slice(memo, end)}` })
    at = end
  }
  return true
}

/** Most amounts have few digits, and a number is read much faster than a bigint. */
function amountIn(packed: Hex, at: number): bigint {
  const high = packed.slice(at, at + ZEROS.length)
  if (high !== ZEROS) return BigInt(`0x${packed.slice(at, at + ID)}`)
  return BigInt(Number.parseInt(packed.slice(at + ZEROS.length, at + ID), 16))
}

/** Gathers runs of payments; whatever else comes ends the run. */
function packer<Other>() {
  const done: (Hex | Other)[] = []
  let run = ''
  function end(): void {
    if (run !== '') done.push(`0x${run}`)
    run = ''
  }
  return {
    add(change: Change): void {
      if (change.kind === 'pay') run += pack(change)
      else this.put(change as Other)
    },
    put(other: Other): void {
      end()
      done.push(other)
    },
    all(): readonly (Hex | Other)[] {
      end()
      return done
    },
  }
}

/** Changes, packed. */
export function packChanges(changes: readonly Change[]): PackedChanges {
  const packed = packer<LockChange>()
  for (const change of changes) packed.add(change)
  return packed.all()
}

/** The changes of a packed list, or undefined if the value is none: every field is in its bounds. */
export function unpackChanges(packed: unknown): readonly Change[] | undefined {
  if (!Array.isArray(packed)) return undefined
  const changes: Change[] = []
  for (const part of packed) {
    if (isLockChange(part)) changes.push(part)
    else if (!unpack(part, (pay) => changes.push(pay))) return undefined
  }
  return changes
}

/** Items of a proposal, packed. */
export function packItems(items: readonly Item[]): PackedItems {
  const packed = packer<LockChange | [number, number] | [number, string]>()
  let run: [number, number] | undefined
  for (const item of items) {
    if (item.kind === 'request' && run && run[1] + 1 === item.number) run[1]++
    else {
      run = item.kind === 'request' ? [item.number, item.number] : undefined
      if (run) packed.put(run)
      else if (item.kind === 'own') packed.add(item.change)
      else if (item.kind === 'refusal') packed.put([item.number, item.code])
    }
  }
  return packed.all()
}

/** The items of a packed list, or undefined if the value is none: every field in its bounds, at most a batch of requests. */
export function unpackItems(packed: unknown): readonly Item[] | undefined {
  if (!Array.isArray(packed)) return undefined
  const items: Item[] = []
  let requests = 0
  for (const part of packed) {
    if (Array.isArray(part)) {
      requests += addRequests(items, part, BATCH - requests)
      if (!(requests <= BATCH)) return undefined
    } else if (isLockChange(part)) items.push({ kind: 'own', change: part })
    else if (!unpack(part, (change) => items.push({ kind: 'own', change }))) return undefined
  }
  return items
}

/** Adds the items of a run of requests and tells how many; NaN if it is none, or more than there is room for. */
function addRequests(items: Item[], run: readonly Plain[], room: number): number {
  const [first, last] = run
  if (run.length !== 2 || !isCount(first)) return Number.NaN
  if (isCode(last)) items.push({ kind: 'refusal', number: first, code: last })
  else if (!isCount(last) || last < first || last - first >= room) return Number.NaN
  else for (let number = first; number <= last; number++) items.push({ kind: 'request', number })
  return isCount(last) ? last - first + 1 : 1
}

/** A row of history: what a version paid is packed. */
export type SavedHistory = Omit<History, 'paid'> & { readonly paid: PackedPaid }

/** What a row of history holds. */
export function unpackHistory(saved: SavedHistory): History {
  return { ...saved, paid: unpackPaid(saved.paid) }
}

/** What a version paid, packed. */
export function packPaid(paid: readonly Paid[]): PackedPaid {
  const runs: [Side, string][] = []
  for (const { payer, pay } of paid) {
    const run = runs.at(-1)
    if (run?.[0] === payer) run[1] += pack(pay)
    else runs.push([payer, pack(pay)])
  }
  return runs.map(([payer, text]) => [payer, `0x${text}`])
}

/** What a version paid, of a row that this program wrote. */
export function unpackPaid(packed: PackedPaid): readonly Paid[] {
  const paid: Paid[] = []
  for (const [payer, payments] of packed) {
    if (!unpack(payments, (pay) => paid.push({ payer, pay })))
      throw new Error('a row of history is not as it was written')
  }
  return paid
}
