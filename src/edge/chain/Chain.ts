import type { Hex } from '../../core/base/Bytes.ts'
import type { L1Input } from '../../core/base/Step.ts'
import type { Verdict } from '../../core/base/Verdicts.ts'

/** How a transaction ended. A reverted one rejects instead, with the Refusal named by the contract. */
export interface Receipt {
  readonly hash: Hex
  readonly block: number
  readonly gasUsed: bigint
}

/** A court that can be asked what it keeps for those whom it could not pay. */
export interface Creditor {
  /** What the newest block keeps of an asset for an owner, in its smallest unit. */
  credit(asset: Hex, owner: Hex): Promise<bigint>
}

/** The registry of preimages that a court's locks go by. */
export interface Registry {
  /** Makes preimages public, for every lock on their hashes; those that are public already are passed over. */
  reveal(preimages: readonly Hex[], deadline?: number): Promise<Receipt>
}

/** A channel court that can be asked what it has recorded. */
export interface Recorder {
  /** Whether nothing but deposits has ever come under a channel's id, by the newest block. */
  isFresh(asset: Hex, id: Hex): Promise<boolean>
}

/** Layer 1 as one court's clients see it: its blocks as inputs, its verbs as calls. */
export interface Chain<Call, Event> {
  readonly chainId: bigint
  /** Address of the court. */
  readonly court: Hex
  /** Address that sends this client's transactions. */
  readonly sender: Hex
  /** Number of the newest block; whoever follows has caught up once it has seen that one. */
  head(): Promise<number>
  /** The court's verdict on a condition's key as of block number `at`, the newest unless given; undefined if there is none. */
  verdict(condition: Hex, key: Hex, at?: number): Promise<Verdict | undefined>
  /**
   * Yields every block from number `from` on, each once and in order, reorgs as retractions (newest first).
   * Returns a function that ends it. `origin` is the block with which the follower began, long ago perhaps: with that one
   * it is told what it has to know from before, if there is anything.
   */
  follow(from: number, sink: (input: L1Input<Event>) => void, origin?: number): () => void
  /**
   * Sends a call in a transaction and waits until it is mined. The same checks run before sending, so a call that the
   * contract would refuse rejects with its Refusal and costs nothing. `deadline` is the last second in which the call is
   * of use: the nearer it is, the more is offered for gas; without one it can wait. Asked again, it is sent again.
   * `onSent` hears the hash of the transaction, and of every one that takes its place before one is mined.
   */
  send(call: Call, deadline?: number, onSent?: (hash: Hex) => void): Promise<Receipt>
}
