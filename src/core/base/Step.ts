import type { Hex } from './Bytes.ts'

/** One row of a durable store: a value under a key of a table, or its removal (undefined). */
export interface Row {
  readonly table: string
  readonly key: string
  readonly value: Plain | undefined
}

/** Plain data: what a store keeps and a message carries. */
export type Plain =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly Plain[]
  | { readonly [field: string]: Plain }

/** What a machine answers to one input: its next state, what to store before anything is said, and what to say then. */
export interface Step<State, Output> {
  readonly state: State
  readonly rows: readonly Row[]
  readonly outputs: readonly Output[]
}

/** A pure machine: no clock, no randomness, no waiting. Everything arrives as an input, time as a block. */
export type Machine<State, Input, Output> = (state: State, input: Input) => Step<State, Output>

/** A block of layer 1 as a machine sees it: number, hash, parent's hash, time in seconds, and a court's events in it. */
export interface L1Block<Event> {
  readonly number: number
  readonly hash: Hex
  readonly parent: Hex
  readonly time: number
  readonly events: readonly Event[]
}

/** Layer 1 as an input: a block that came, or the newest block taken back by a reorg (newest first). */
export type L1Input<Event> =
  | { readonly kind: 'block'; readonly block: L1Block<Event> }
  | { readonly kind: 'retract'; readonly block: L1Block<Event> }

/** A named refusal. `code` is the name of the Solidity custom error, `args` its arguments in the error's order. */
export class Refusal extends Error {
  readonly code: string
  readonly args: readonly Word[]
  constructor(code: string, ...args: readonly Word[]) {
    super(`${code}(${args.join(', ')})`)
    this.name = 'Refusal'
    this.code = code
    this.args = args
  }
}

type Word = string | number | bigint | boolean

/** Throws the refusal unless the condition holds; reads as Solidity's require(condition, Error(have, need)). */
export function require(condition: boolean, code: string, ...args: readonly Word[]): asserts condition {
  if (!condition) throw new Refusal(code, ...args)
}

/** An exhaustive switch's last arm: the compiler proves that it cannot be reached. */
export function unreachable(value: never): never {
  throw new Error(`unexpected ${JSON.stringify(value)}`)
}
