import { concat, type Hex, slice, uint } from '../base/Bytes.ts'
import { type Domain, digest, keccak, keccakText, keccakWords } from '../base/Signature.ts'

/**
 * A standard exit as its start's event tells it and later verbs want it: of one output (`ids` is its id, `count` 1), or
 * of a group (`ids` is its root, see Group, `count` its size, `value` its sum).
 */
export interface Exit {
  readonly chain: Hex
  readonly asset: Hex
  readonly owner: Hex
  readonly lock: Hex
  readonly ids: Hex
  readonly count: number
  readonly value: bigint
  /** First second in which it may be paid. */
  readonly exitableAt: number
  /** Wei that its starter posted. */
  readonly bond: bigint
  readonly starter: Hex
}

/** An owner's leave to start its exit: to `starter` (zero = anybody), up to the second `deadline`. */
export interface Permit {
  readonly starter: Hex
  readonly deadline: number
  /** Empty where the owner itself sends. */
  readonly signature: Hex
}

/** Status of an output nobody brought to L1. */
export const UNKNOWN = 0n
/** Status of a deposit that was not paid out. */
export const DEPOSITED = 1n << 248n
/** Status of an output that was paid out. */
export const PAID = 2n << 248n
/** Tag of the status of an output that was consumed; below it lies what consumed it. */
const CONSUMED = 3n << 248n

/** Status of an output that a transaction's in-flight exit consumed: a tag, and the low 248 bits of the txHash. */
export function consumedBy(txHash: Hex): bigint {
  return CONSUMED | BigInt.asUintN(248, BigInt(txHash))
}

/** Whether a status says that an output was consumed, by whatever transaction. */
export function isConsumed(status: bigint): boolean {
  return status >= CONSUMED
}

const START_EXIT_TYPE = keccakText('StartExit(bytes32 chain,bytes32[] ids,address starter,uint40 deadline)')
const LOW_216 = 2n ** 216n - 1n

/** The exit's hash: keccak256(0x06 ‖ abi.encode(exit)). */
export function exitHash(exit: Exit): Hex {
  const { chain, asset, owner, lock, ids, count, value, exitableAt, bond, starter } = exit
  const parties = concat(uint(0, 12), asset, uint(0, 12), owner)
  const terms = concat(uint(count, 32), uint(value, 32), uint(exitableAt, 32), uint(bond, 32))
  return keccak('0x06', chain, parties, lock, ids, terms, uint(0, 12), starter)
}

/** The exit's word in its queue: exitableAt in the top 40 bits, the low 216 bits of its hash below. */
export function entry(exit: Exit): bigint {
  return (BigInt(exit.exitableAt) << 216n) | (BigInt(exitHash(exit)) & LOW_216)
}

/** When a word of a queue may be paid (seconds); 0 for a void one. */
export function exitableAtOf(word: bigint): number {
  return Number(word >> 216n)
}

/**
 * The first second in which an exit started at `now` may be paid: `mfp` seconds later, but never less than two of them
 * after its youngest output's commitment. A deposit has no such time.
 */
export function exitableAt(now: number, mfp: number, committedAt = 0): number {
  return Math.max(now + mfp, committedAt === 0 ? 0 : committedAt + 2 * mfp)
}

/** The lane of an exit: 0, the list, if it may be paid `mfp` after its start; else its number's bucket. */
export function laneOf(now: number, mfp: number, number: number, committedAt: number): number {
  return committedAt + 2 * mfp > now + mfp ? number : 0
}

/** Wei per position at a base fee (wei per gas): bondGas * clamp(baseFee, feeFloor, feeCeiling). */
export function bond(bondGas: bigint, feeFloor: bigint, feeCeiling: bigint, baseFee: bigint): bigint {
  const fee = baseFee < feeFloor ? feeFloor : baseFee
  return bondGas * (fee > feeCeiling ? feeCeiling : fee)
}

/** What an owner signs to let somebody start an exit of its outputs. */
export function startExitDigest(court: Domain, chain: Hex, ids: readonly Hex[], permit: Permit): Hex {
  return digest(court, keccakWords(START_EXIT_TYPE, chain, keccak(...ids), permit.starter, permit.deadline))
}

/** A permit signed elsewhere is not needed: the owner itself sends. */
export const OWN_PERMIT: Permit = { starter: slice(uint(0, 32), 12), deadline: 0, signature: '0x' }
