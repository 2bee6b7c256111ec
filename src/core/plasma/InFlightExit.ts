import { concat, type Hex, uint, ZERO } from '../base/Bytes.ts'
import { keccak } from '../base/Signature.ts'
import type { Inclusion } from './Block.ts'
import type { Deposit, Output, Transaction } from './Transaction.ts'

/**
 * An exit of a transaction that may be in no block: the part of it that never changes. `spent` are the outputs that its
 * inputs name; `late` says that it had expired when the exit started.
 */
export interface InFlightExit {
  readonly tx: Transaction
  readonly spent: readonly Output[]
  readonly start: number
  readonly exitableAt: number
  readonly bond: bigint
  readonly starter: Hex
  readonly late: boolean
}

/** Where an input comes from: a deposit, or an output of an included transaction; one of both, the other empty. */
export interface Source {
  readonly deposited: readonly Deposit[]
  readonly tx: readonly Transaction[]
  readonly output: number
  readonly inclusion: readonly Inclusion[]
}

/** What the first of its queues has found: nothing yet, that the transaction is canonical, or that it is not. */
export type Outcome = 'open' | 'canonical' | 'notCanonical'

/** What layer 1 keeps of a running exit. Positions are bits: 0 to 3 inputs, 4 to 7 outputs. */
export interface InFlightState {
  readonly piggybacked: number
  readonly blocked: number
  /** A bit for each asset whose queue has passed it, in the order of `assetsOf`. */
  readonly done: number
  readonly outcome: Outcome
  /** Whether a competitor was shown. */
  readonly doubted: boolean
  /** What `inFlightHash` says of the exit. */
  readonly hash: bigint
}

/** Where the oldest competitor and the oldest response of a running exit are: as `placeOf` says. */
export interface Places {
  /** NOWHERE if none was shown, or only live ones. */
  readonly competitor: bigint
  /** 0 if there is none. */
  readonly response: bigint
}

/** The place of a transaction that is in no block, or was not shown to be: younger than any other. */
export const NOWHERE = 2n ** 56n - 1n
/** The places of an exit of which nothing was shown. */
export const NO_PLACES: Places = { competitor: NOWHERE, response: 0n }

const OUTCOMES: { readonly [Name in Outcome]: bigint } = { open: 0n, canonical: 1n, notCanonical: 2n }
const LOW_216 = 2n ** 216n - 1n

/** The low 216 bits of keccak256(0x08 ‖ abi.encode(exit)). */
export function inFlightHash(exit: InFlightExit): bigint {
  return BigInt(keccak('0x08', encode(exit))) & LOW_216
}

/** The word that layer 1 keeps: piggybacked, blocked, done, flags (a byte each), then the hash. */
export function stateWord({ piggybacked, blocked, done, outcome, doubted, hash }: InFlightState): bigint {
  const flags = OUTCOMES[outcome] | (doubted ? 4n : 0n)
  return (BigInt(piggybacked) << 248n) | (BigInt(blocked) << 240n) | (BigInt(done) << 232n) | (flags << 224n) | hash
}

/** The exit's word in each of its queues: exitableAt in the top 40 bits, below them a hash of its transaction and start. */
export function inFlightEntry(txHash: Hex, start: number, exitableAt: number): bigint {
  return (BigInt(exitableAt) << 216n) | (BigInt(keccak('0x07', txHash, uint(start, 32))) & LOW_216)
}

/** The place of an inclusion, number << 16 | index: the older, the lower. */
export function placeOf({ number, index }: Pick<Inclusion, 'number' | 'index'>): bigint {
  return (BigInt(number) << 16n) | BigInt(index)
}

/** The assets of an exit, in the order of the inputs that bring them in: its queues. */
export function assetsOf({ spent }: Pick<InFlightExit, 'spent'>): readonly Hex[] {
  return [...new Set(spent.map(({ asset }) => asset))]
}

/** The output at a position: 0 to 3 are those spent, 4 to 7 the transaction's own. */
export function outputAt(exit: Pick<InFlightExit, 'tx' | 'spent'>, position: number): Output | undefined {
  return position < 4 ? exit.spent[position] : exit.tx.outputs[position - 4]
}

/** All positions that an exit has, as bits. */
export function positionsOf(exit: Pick<InFlightExit, 'tx' | 'spent'>): number {
  return ((1 << exit.spent.length) - 1) | (((1 << exit.tx.outputs.length) - 1) << 4)
}

/** The positions of a set of bits, from 0 to 7. */
export function bitsOf(positions: number): readonly number[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].filter((position) => (positions >> position) & 1)
}

function encode({ tx, spent, start, exitableAt, bond, starter, late }: InFlightExit): Hex {
  const transaction = encodeTransaction(tx)
  const at = 7 * 32
  const head = [at, at + (transaction.length - 2) / 2, start, exitableAt, bond].map(word)
  return concat(word(32), ...head, address(starter), word(late ? 1 : 0), transaction, encodeOutputs(spent))
}

function encodeTransaction({ chain, inputs, outputs, lastBlock, memo }: Transaction): Hex {
  const at = 5 * 32
  const head = [chain, word(at), word(at + 32 + 32 * inputs.length), word(lastBlock), memo]
  return concat(...head, word(inputs.length), ...inputs, encodeOutputs(outputs))
}

function encodeOutputs(outputs: readonly Output[]): Hex {
  const each = outputs.map(({ owner, asset, value, lock }) => concat(address(owner), address(asset), word(value), lock))
  return concat(word(outputs.length), ...each)
}

function word(value: bigint | number): Hex {
  return uint(value, 32)
}

function address(value: Hex): Hex {
  return concat(`0x${ZERO.slice(2, 26)}`, value)
}
