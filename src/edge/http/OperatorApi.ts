import type { Hex } from '../../core/base/Bytes.ts'
import type { Child, Inclusion } from '../../core/plasma/Block.ts'
import type { Signed } from '../../core/plasma/Ledger.ts'
import type { Offer, Tender } from '../../core/plasma/Office.ts'
import type { Opening } from '../../core/plasma/Opening.ts'
import type { Output, Transaction } from '../../core/plasma/Transaction.ts'

/** Which chain an operator runs and how far it is. Numbers are of blocks, `asOf` is L1 time in seconds. */
export interface Status {
  readonly chainId: number
  /** Address of the root chain contract. */
  readonly court: Hex
  /** Id of the chain. */
  readonly chain: Hex
  readonly operator: Hex
  /** Number of the block under construction, and what it sees of L1. */
  readonly number: number
  readonly asOf: number
  /** Last number whose commitment the operator has seen on L1; numbers start after `since`. */
  readonly committed: number
  readonly since: number
  /** Why a deeper chain signs nothing now, or null. */
  readonly halted: string | null
}

/** What a transaction has to leave to the operator at least, in one of these assets; an empty list means nothing. */
export interface Fees {
  readonly fees: readonly { readonly asset: Hex; readonly amount: bigint }[]
}

/** The operator's word: the transaction is stored and stands in this block at this index. */
export interface Acknowledgement {
  readonly txHash: Hex
  readonly number: number
  readonly index: number
}

/**
 * What became of a transaction: it is in the open block, in one that layer 1 has not finally, or in a committed one, at
 * this index; it was acknowledged and dropped, because it expired or for the refusal `code`; or nobody submitted it.
 */
export type TransactionStatus =
  | {
      readonly status: 'waiting' | 'sealed' | 'committed'
      readonly txHash: Hex
      readonly number: number
      readonly index: number
    }
  | { readonly status: 'expired' | 'dropped'; readonly txHash: Hex; readonly code: string }
  | { readonly status: 'unknown'; readonly txHash: Hex }

/**
 * A deposit that layer 1 shows. `unconfirmed` = it becomes final with layer 1's block `finalAt`; `final` = the next block
 * of this chain can spend it; `spendable` = this one can, unless an exit of it runs.
 */
export interface SeenDeposit {
  readonly id: Hex
  readonly asset: Hex
  readonly value: bigint
  readonly status: 'unconfirmed' | 'final' | 'spendable'
  readonly finalAt: number | null
}

/** One page of an owner's deposits that were not spent: first those that cannot be yet, then by their ids. */
export interface DepositPage {
  readonly deposits: readonly SeenDeposit[]
  readonly next: Hex | null
}

/** What an operator tells whoever listens: a block is sealed, is finally committed, or a transaction was dropped. */
export type OperatorEvent =
  | { readonly kind: 'sealed'; readonly number: number; readonly count: number }
  | { readonly kind: 'committed'; readonly number: number; readonly time: number }
  | { readonly kind: 'dropped'; readonly txHash: Hex; readonly code: string }

/** A block in parts, so that nobody needs to hold all of it. */
export interface OpenBlock {
  readonly head: Omit<ServedBlock, 'transactions'>
  readonly runs: Iterable<readonly Signed[]>
}

/** Why a transaction of a batch was not taken. */
export interface Rejection {
  readonly code: string
  readonly detail: string
}

/** A block with all that its validity depends on besides L1. */
export interface ServedBlock {
  readonly number: number
  readonly asOf: number
  readonly header: Hex
  readonly transactions: readonly Signed[]
  /** What stands in its slots, ascending; absent where the block has no children. */
  readonly children?: readonly Child[]
}

/** An unspent output; `number` is its block, 0 for a deposit. */
export interface UnspentOutput {
  readonly id: Hex
  readonly output: Output
  readonly number: number
  readonly frozen: boolean
}

/** One page of an owner's unspent outputs in the order of their ids; `next` asks for the one after it. */
export interface Page {
  readonly outputs: readonly UnspentOutput[]
  readonly next: Hex | null
}

/** Everything that an exit of the output at `position` of a committed transaction needs. */
export interface OutputProof {
  readonly transaction: Transaction
  readonly position: number
  readonly inclusion: Inclusion
}

/** What an operator offers to its children's operators. */
export type ParentApi = Pick<OperatorApi, 'tender' | 'offer' | 'openingsOf'>

/** What an operator offers to everybody. A promise rejects with a Refusal, or a Fault if nobody answers. */
export interface OperatorApi {
  status(): Promise<Status>
  fees(): Promise<Fees>
  /** Resolves once the transaction is stored durably; the same transaction again gets the same answer. */
  submit(signed: Signed): Promise<Acknowledgement>
  /** Each on its own, in order. */
  submitAll(batch: readonly Signed[]): Promise<readonly (Acknowledgement | Rejection)[]>
  /** A sealed block, whole; refused with UnknownBlock(number). */
  block(number: number): Promise<ServedBlock>
  /**
   * How its ancestors' blocks show this chain's block of a committed number, or that it has none: root level first, nothing
   * for a root-level chain. Refused with UnknownBlock(number).
   */
  openings(number: number): Promise<readonly Opening[]>
  /** For a child's operator: what to sign for its slot now, or null; asking is asking for a block. */
  tender(slot: number): Promise<Tender | null>
  /** For a child's operator: its signed header; resolves once it is stored. Refused with NotTendered, SlotFilled. */
  offer(slot: number, offer: Offer): Promise<void>
  /** `openings` of the child in a slot. */
  openingsOf(slot: number, number: number): Promise<readonly Opening[]>
  /** Refused with UnknownOutput(id) if it is not an unspent output of a committed block. */
  proof(id: Hex): Promise<OutputProof>
  unspent(owner: Hex, after?: Hex): Promise<Page>
  transaction(txHash: Hex): Promise<TransactionStatus>
  deposits(owner: Hex, after?: Hex): Promise<DepositPage>
}

/** An operator in the process that serves it. */
export interface LocalOperator extends OperatorApi {
  /** As `block`, in parts. */
  openBlock?(number: number): OpenBlock
  /** Tells `listen` from now on; the function that comes back ends it. */
  subscribe?(listen: (event: OperatorEvent) => void): () => void
}
