import { concat, type Hex, size, slice, uint, ZERO } from '../base/Bytes.ts'
import { keccak } from '../base/Signature.ts'
import { require } from '../base/Step.ts'
import { type Verdicts, verdictKey } from '../base/Verdicts.ts'

/** A payment that waits for a verdict. Condition zero is a hash lock: `key` = sha256 of a 32-byte preimage. */
export interface Lock {
  readonly toB: boolean
  readonly id: bigint
  readonly amount: bigint
  /** The last second in which a verdict counts. */
  readonly expiry: number
  readonly condition: Hex
  readonly key: Hex
}

/** What verdicts and expiries make of a list of locks: decided for receivers, decided for senders, still open. */
export interface Tally {
  readonly toA: bigint
  readonly toB: bigint
  readonly backToA: bigint
  readonly backToB: bigint
  /** Undecided, by the side that would pay. */
  readonly openOfA: bigint
  readonly openOfB: bigint
  /** The undecided locks, packed, in their order. */
  readonly rest: Hex
}

/** Bytes of a packed lock. */
export const SIZE = 82
/** The longest list: all preimages of a channel fit in one transaction. */
export const MAX_LOCKS = 256

/** A list as it is hashed and published: 82 bytes a lock, in the order of addition. */
export function packLocks(locks: readonly Lock[]): Hex {
  let packed = ''
  for (const { toB, id, amount, expiry, condition, key } of locks) {
    packed += `${toB ? '01' : '00'}${digits(id, 8)}${digits(amount, 16)}${digits(expiry, 5)}`
    packed += condition.slice(2) + key.slice(2)
  }
  return `0x${packed}`
}

function digits(value: bigint | number, width: number): string {
  return uint(value, width).slice(2)
}

/** The locks of a packed list. Refuses WrongListSize and WrongDirection. */
export function unpackLocks(list: Hex): readonly Lock[] {
  const length = size(list)
  require(length % SIZE === 0 && length <= MAX_LOCKS * SIZE, 'WrongListSize', BigInt(length), BigInt(MAX_LOCKS * SIZE))
  return Array.from({ length: length / SIZE }, (_, index) =>
    unpack(slice(list, index * SIZE, (index + 1) * SIZE), index),
  )
}

function unpack(bytes: Hex, index: number): Lock {
  const direction = slice(bytes, 0, 1)
  require(direction === '0x00' || direction === '0x01', 'WrongDirection', BigInt(index))
  return {
    toB: direction === '0x01',
    id: BigInt(slice(bytes, 1, 9)),
    amount: BigInt(slice(bytes, 9, 25)),
    expiry: Number(BigInt(slice(bytes, 25, 30))),
    condition: slice(bytes, 30, 50),
    key: slice(bytes, 50, 82),
  }
}

/** keccak256 of the packed list; zero iff it is empty. */
export function locksRoot(list: Hex): Hex {
  return list === '0x' ? ZERO : keccak(list)
}

/** What a lock pays its receiver as of `now`: undefined while it is open. A verdict counts iff its time <= expiry. */
export function decided({ amount, expiry, condition, key }: Lock, verdicts: Verdicts, now: number): bigint | undefined {
  const verdict = verdicts.get(verdictKey(condition, key))
  if (verdict && verdict.time <= expiry) return verdict.amount < amount ? verdict.amount : amount
  return now > expiry ? 0n : undefined
}

const NOTHING: Tally = { toA: 0n, toB: 0n, backToA: 0n, backToB: 0n, openOfA: 0n, openOfB: 0n, rest: '0x' }

/** Sorts a list's locks by what has been decided up to `now` (seconds). */
export function tally(list: Hex, verdicts: Verdicts, now: number): Tally {
  return unpackLocks(list).reduce((sums, lock) => add(sums, lock, decided(lock, verdicts, now)), NOTHING)
}

function add(sums: Tally, lock: Lock, won: bigint | undefined): Tally {
  const { toB, amount } = lock
  if (won === undefined) {
    const rest = concat(sums.rest, packLocks([lock]))
    return toB ? { ...sums, rest, openOfA: sums.openOfA + amount } : { ...sums, rest, openOfB: sums.openOfB + amount }
  }
  const lost = amount - won
  if (toB) return { ...sums, toB: sums.toB + won, backToA: sums.backToA + lost }
  return { ...sums, toA: sums.toA + won, backToB: sums.backToB + lost }
}

/**
 * The locks of a list that a settlement of second `time` left open under `root`: as one of these ways to know which
 * verdicts came before it says, or undefined if none of them does.
 */
export function leftOpen(list: Hex, root: Hex, time: number, ways: readonly Verdicts[]): Hex | undefined {
  for (const verdicts of ways) {
    const { rest } = tally(list, verdicts, time)
    if (locksRoot(rest) === root) return rest
  }
  return undefined
}
