import type { Hex } from './Bytes.ts'

/** The circumstances of one transaction: who sends, wei attached, the block's time in seconds and base fee in wei. */
export interface Env {
  readonly sender: Hex
  readonly value: bigint
  readonly time: number
  readonly baseFee: bigint
  /** Whether a push of `asset` to `to` would fail: a hostile receiver, a token that says no. */
  readonly refuses: (asset: Hex, to: Hex) => boolean
  /** The final outcome of a condition's key, if there is one; nothing is final if absent. */
  readonly outcome?: (condition: Hex, key: Hex) => bigint | undefined
  /** The second in which the preimage of a sha256 hash became public, 0 if it is not; none is if absent. */
  readonly revealedAt?: (hash: Hex) => number
  /** What an asset is: whether there is code at its address, and what that says it is (ERC-165); fungible if absent. */
  readonly natureOf?: (asset: Hex) => Nature
}

/** No code at all, or a contract that says that it is an ERC-721, or one that does not. */
export type Nature = 'nothing' | 'unique' | 'fungible'

/**
 * Money that a court moved: into it (to = the court) or out of it. Asset zero is ether. Of an ERC-721 one token moves,
 * `id`: its amount is 1.
 */
export interface Transfer {
  readonly asset: Hex
  readonly from: Hex
  readonly to: Hex
  readonly amount: bigint
  readonly id?: bigint
}

/** What a court's model answers to a call: its next state, its events in order, the money moved in order. */
export interface Ruling<State, Event> {
  readonly state: State
  readonly events: readonly Event[]
  readonly transfers: readonly Transfer[]
}

/** The model of a contract: throws a Refusal where the contract reverts with the custom error of that name. */
export type Court<State, Call, Event> = (state: State, call: Call, env: Env) => Ruling<State, Event>
