/** What a transaction offers (EIP-1559), wei per gas. */
export interface Fees {
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/**
 * How much may be paid for gas, and how patiently. What is offered is a limit: a transaction pays its block's base fee
 * and the tip. An account must hold what it offers, though: its calls' gas times the cap is what it should keep ready.
 */
export interface GasPolicy {
  /** The most wei per gas, tip included, for what can wait; while the base fee is above it, such calls wait. */
  readonly maxFeePerGas: bigint
  /** The most for what is lost after a deadline: the cap that it grows to. */
  readonly urgentFeePerGas: bigint
  /** Seconds before a deadline in which the cap grows, evenly; it is reached when a quarter of them is left. */
  readonly rush: number
  /** The least tip, wei per gas. What others pay counts where it is more. */
  readonly tip: bigint
  /** How many blocks a transaction waits until it is replaced by one that offers more. */
  readonly bumpAfterBlocks: number
}

const GWEI = 1_000_000_000n

/** 200 gwei for what can wait, 3,000 from an hour and a half before a deadline on, a raise after 3 blocks. */
export const GAS_POLICY: GasPolicy = {
  maxFeePerGas: 200n * GWEI,
  urgentFeePerGas: 3000n * GWEI,
  rush: 21_600,
  tip: GWEI,
  bumpAfterBlocks: 3,
}

/** What gas costs now, wei per gas: the newest block's base fee, the next one's, the tip that others pay. */
export interface Market {
  readonly base: bigint
  readonly next: bigint
  readonly tip: bigint
}

/** The most that a call may offer at `now` (seconds); without a deadline it can wait. */
export function capAt(policy: GasPolicy, deadline: number | undefined, now: number): bigint {
  const { maxFeePerGas: calm, urgentFeePerGas: urgent, rush } = policy
  if (deadline === undefined || urgent <= calm) return calm
  const window = Math.ceil((rush * 3) / 4)
  const gone = Math.min(Math.max(0, now - (deadline - rush)), window)
  return window === 0 ? urgent : calm + ((urgent - calm) * BigInt(gone)) / BigInt(window)
}

/** What a new transaction offers: room for the base fee to double, within the cap. Undefined if it has to wait. */
export function offered(market: Market, policy: GasPolicy, cap: bigint): Fees | undefined {
  if (cap < market.next) return undefined
  const tip = most(policy.tip, market.tip)
  const maxFeePerGas = least(2n * market.next + tip, cap)
  return { maxFeePerGas, maxPriorityFeePerGas: least(tip, maxFeePerGas) }
}

/**
 * What replaces a transaction that has waited `waited` blocks: both fees at least an eighth higher, because pools take
 * no less, and within the cap. Undefined if it has to wait: for its turn, or for a cap that makes a difference.
 */
export function raised(fees: Fees, waited: number, market: Market, policy: GasPolicy, cap: bigint): Fees | undefined {
  const isPricedOut = fees.maxFeePerGas < market.next
  if (!isPricedOut && waited < policy.bumpAfterBlocks) return undefined
  const fresh = offered(market, policy, cap)
  const maxFeePerGas = most(replacing(fees.maxFeePerGas), fresh?.maxFeePerGas ?? 0n)
  const tip = most(replacing(fees.maxPriorityFeePerGas), fresh?.maxPriorityFeePerGas ?? 0n)
  if (!fresh || maxFeePerGas > cap) return undefined
  // The tip is paid, not only offered: with room for the base fee it takes no more than a quarter of the cap.
  if (!isPricedOut && 4n * tip > cap) return undefined
  return { maxFeePerGas, maxPriorityFeePerGas: tip }
}

/** The least that pools take in the place of a fee: an eighth more, rounded up. */
export function replacing(fee: bigint): bigint {
  return (9n * fee + 7n) / 8n
}

function most(one: bigint, other: bigint): bigint {
  return one > other ? one : other
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other
}
