// What an operator has, is told and says; the open block and what is done with it.
import type { Hex } from '../base/Bytes.ts'
import { type Growing, NO_LEAVES } from '../base/Merkle.ts'
import type { Domain } from '../base/Signature.ts'
import type { L1Block, L1Input, Refusal, Row, Step } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import { type Child, type Commitment, growTx, type Slot } from './Block.ts'
import type { PlasmaCall } from './Call.ts'
import type { Chain } from './Chain.ts'
import { type Known, type Ledger, observe, type Signed, spend } from './Ledger.ts'
import type { Opening } from './Opening.ts'
import type { SeenEvent } from './Seen.ts'
import { txHash } from './Transaction.ts'
import type { View } from './View.ts'

/** What an operator is given once and for ever. */
export interface OperatorParams {
  readonly court: Domain
  /** The chain and those above it: root level first, its own last. */
  readonly path: readonly Chain[]
  /** L1 blocks that must stand on a block before the operator believes it. */
  readonly depth: number
  /** Seconds that L1 lets pass between a block's view and its commitment. */
  readonly margin: number
  /** A transaction must leave at least one of these; none = free. */
  readonly fees: readonly { readonly asset: Hex; readonly amount: bigint }[]
  /** Users' transactions in one block at most, up to 65,000. */
  readonly maxTransactions: number
  /** A deeper chain's operator's private key, which signs its registration and its headers. */
  readonly key?: Hex
  /** For a deeper chain: its parent's operator's signature of its registration (`registrationDigest`). */
  readonly consent?: Hex
}

/** The number and the view of L1 that the next block has for sure: what children may sign for it. */
export interface Tender {
  readonly number: number
  readonly asOf: number
}

/** What a child's operator hands to its parent's: its header at a number as of a second, with its compact signature. */
export interface Offer extends Tender, Slot {}

/** A registered child of a chain. */
export interface Kin {
  readonly chain: Chain
  readonly id: Hex
  readonly since: number
}

/** A block that is not finally committed: with everything that it takes to build it again. */
export interface Sealed {
  readonly number: number
  readonly asOf: number
  readonly header: Hex
  readonly transactions: readonly Signed[]
  readonly hashes: readonly Hex[]
  /** What stands in its slots, ascending. */
  readonly children: readonly Child[]
  /** The ledger before its first transaction, and for the block after it. */
  readonly before: Ledger
  readonly after: Ledger
}

/** A transaction with its hash. */
export interface Hashed {
  readonly signed: Signed
  readonly hash: Hex
}

/** A transaction of the open block, and those before it. */
export interface Taken extends Hashed {
  readonly rest: Taken | undefined
}

/** A transaction on its way to L1: number 0 is the registration; `mined` is the L1 block that has it. */
export interface Sending {
  readonly number: number
  readonly mined?: number
}

/** An operator: the open block, the blocks that L1 has not finally, and its view of L1. */
export interface OperatorState {
  readonly view: View<SeenEvent>
  /** Final L1 blocks that a block built again might see for the first time. */
  readonly l1: readonly L1Block<SeenEvent>[]
  readonly registered: boolean
  /** The last number at which L1 finally has a block of this chain. */
  readonly committed: number
  /** The ledger after that block; a deeper chain's sees L1 as its root's last commitment does. */
  readonly base: Ledger
  /** By number, oldest first. */
  readonly sealed: readonly Sealed[]
  /** The open block before its first transaction, and now. */
  readonly before: Ledger
  readonly ledger: Ledger
  /** The open block's transactions, newest first. */
  readonly taken: Taken | undefined
  /** The tree of the open block's transactions. */
  readonly tree: Growing
  readonly sending: Sending | undefined
  /** Children by their slots, as L1 has registered them finally. */
  readonly family: ReadonlyMap<number, Kin>
  /** What children may sign now, and what they have signed for it, by slot ascending. */
  readonly tender: Tender | undefined
  readonly offers: readonly Child[]
  /** The last tender for which nothing came in time, and its ledger: a child may have signed for it all the same. */
  readonly lapsed: (Tender & { readonly before: Ledger }) | undefined
  /** Whether a child has asked for a block since the last. */
  readonly wanted: boolean
  /** A deeper chain: the root's last number before its registration, and its last final one. */
  readonly since: number
  readonly anchored: number
  /** A deeper chain: the root's final commitments of which nobody has shown yet what they hold, oldest first. */
  readonly unopened: readonly Commitment[]
  /** A deeper chain: transactions that the open block has no place for, but one after it may. */
  readonly later: readonly Hashed[]
}

/** A transaction that somebody wants to be in a block, and what is known of it. */
export interface Submission {
  readonly signed: Signed
  readonly known: Known
}

/**
 * What an operator is told. `seal` is its clock's tick; `sent` how a call ended: mined in a block, or not. By a child's
 * operator: `wanted` = it has something for a block, `offered` = its signed header. By the parent's: `tendered` = what its
 * next block is, `opened` = how the ancestors' blocks of a number show this chain's.
 */
export type OperatorInput =
  | { readonly kind: 'l1'; readonly input: L1Input<SeenEvent> }
  | { readonly kind: 'submit'; readonly list: readonly Submission[] }
  | { readonly kind: 'seal' }
  | { readonly kind: 'sent'; readonly number: number; readonly mined?: number }
  | { readonly kind: 'wanted'; readonly slot: number }
  | { readonly kind: 'offered'; readonly slot: number; readonly offer: Offer }
  | { readonly kind: 'tendered'; readonly tender: Tender }
  | { readonly kind: 'opened'; readonly number: number; readonly openings: readonly Opening[] }

/**
 * What an operator says. Of each submission, in their order, that it is acknowledged or refused. `dropped` = a transaction
 * that a block built again has no place for. To a child: `tender`. To the parent: `ask` = for its tender, `offer` = a
 * signed header, `open` = a question how a number shows this chain's block.
 */
export type OperatorOutput =
  | { readonly kind: 'acknowledged'; readonly txHash: Hex; readonly number: number; readonly index: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'send'; readonly number: number; readonly call: PlasmaCall }
  | { readonly kind: 'sealed'; readonly number: number; readonly count: number }
  | { readonly kind: 'committed'; readonly number: number; readonly time: number }
  | { readonly kind: 'dropped'; readonly txHash: Hex; readonly code: string }
  | { readonly kind: 'tender'; readonly tender: Tender | undefined }
  | { readonly kind: 'ask' }
  | { readonly kind: 'offer'; readonly offer: Offer }
  | { readonly kind: 'open'; readonly number: number }

/** What a part of the operator's machine makes of a state. */
export type Next = Step<OperatorState, OperatorOutput>

/** Blocks that may wait for L1 before an operator takes no more transactions. */
export const MAX_WAITING = 64

/** Nothing happened. */
export function idle(state: OperatorState): Next {
  return { state, rows: [], outputs: [] }
}

/** One step after another: the state of the second, what both store and say. */
export function then(first: Next, second: Next): Next {
  const { state, rows, outputs } = second
  return { state, rows: [...first.rows, ...rows], outputs: [...first.outputs, ...outputs] }
}

/** The hash of a transaction of this chain. */
export function hashOf(state: OperatorState, signed: Signed): Hex {
  return txHash(state.ledger.court, signed.transaction)
}

/** The open block with one more transaction. Throws the ledger's Refusal. */
export function take(state: OperatorState, signed: Signed, known: Known & { readonly hash: Hex }): OperatorState {
  const { hash } = known
  const ledger = spend(state.ledger, signed, known)
  return { ...state, ledger, taken: { signed, hash, rest: state.taken }, tree: growTx(state.tree, hash) }
}

/** Transactions in the order in which they were taken. */
export function listOf(taken: Taken | undefined): readonly Taken[] {
  const list: Taken[] = []
  for (let at = taken; at; at = at.rest) list.push(at)
  return list.reverse()
}

/** An empty open block over `ledger` that sees all of L1 that is final; a deeper chain's has a number that is not taken. */
export function reopen(state: OperatorState, ledger: Ledger): OperatorState {
  const asOf = Math.max(ledger.asOf, state.view.time)
  const next = Math.max(ledger.number, state.anchored + 1)
  const before = { ...observe(ledger, Archive.between(state.l1, ledger.asOf), asOf), number: next }
  return { ...state, before, ledger: before, taken: undefined, tree: NO_LEAVES }
}

/** Which number the open block has and what it sees of L1, to be the same after a restart. */
export function openRows({ before }: OperatorState): readonly Row[] {
  return [
    { table: 'operator', key: 'asOf', value: before.asOf },
    { table: 'operator', key: 'number', value: before.number },
  ]
}

/** Whether the chain is anchored by a parent. */
export function isChild({ path }: Pick<OperatorParams, 'path'>): boolean {
  return path.length > 1
}

/** L1 blocks that some ledger that may still be built on has not seen. */
export function prune(params: OperatorParams, state: OperatorState): OperatorState {
  const { base, sealed, before, lapsed } = state
  const newest = sealed[0]?.asOf ?? before.asOf
  const seen = isChild(params) ? base.asOf : Math.min(newest, lapsed?.asOf ?? newest)
  return { ...state, l1: Archive.between(state.l1, seen) }
}

/** The blocks whose commitment L1 does not show, not even in its newest blocks. */
export function waiting(state: OperatorState): readonly Sealed[] {
  const shown = new Set<Hex>()
  for (const event of state.view.window.flatMap((block) => block.events)) {
    if (event.name === 'Committed' && event.chain === state.ledger.chain) shown.add(event.header)
  }
  return state.sealed.filter((block) => !shown.has(block.header))
}
