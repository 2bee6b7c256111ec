import type { CreditEvent } from '../base/Asset.ts'
import type { Hex } from '../base/Bytes.ts'
import type { Inclusion } from './Block.ts'
import type { Exit, InFlightExit, Permit } from './Exit.ts'
import type { Chain, Deposit, Transaction } from './Transaction.ts'

/** A transaction that spends an exiting output: which input does, who authorised it, and where it was included. */
export interface Spend {
  readonly tx: Transaction
  /** Index of the input that is the exiting output. */
  readonly input: number
  /** The payee's signature; empty if it approved on L1. */
  readonly signature: Hex
  /** None for a live transaction, one for a shown one. */
  readonly inclusion: readonly Inclusion[]
}

/** The verbs of the court as calls; the fields after `verb` have the names and the order of the Solidity parameters. */
export type PlasmaCall =
  | {
      readonly verb: 'register'
      /** The chain's ancestors from the root level, itself last. */
      readonly path: readonly Chain[]
      /** The operator's (empty if it sends), then for a child its parent's operator's. */
      readonly signatures: readonly Hex[]
    }
  | {
      readonly verb: 'deposit'
      readonly chain: Hex
      readonly salt: Hex
      readonly owner: Hex
      readonly asset: Hex
      readonly value: bigint
    }
  | {
      readonly verb: 'commit'
      readonly chain: Chain
      readonly number: number
      readonly header: Hex
      readonly asOf: number
    }
  | { readonly verb: 'approve'; readonly txHash: Hex }
  | {
      readonly verb: 'startExit'
      readonly path: readonly Chain[]
      readonly transaction: Transaction
      /** Index of the output that leaves. */
      readonly output: number
      readonly inclusion: Inclusion
      readonly permit: Permit
    }
  | {
      readonly verb: 'startDepositExit'
      readonly deposited: Deposit
      readonly permit: Permit
    }
  | {
      readonly verb: 'challengeExit'
      readonly path: readonly Chain[]
      readonly exit: Exit
      readonly lane: number
      readonly index: number
      readonly spend: Spend
    }
  | { readonly verb: 'cancelExit'; readonly exit: Exit; readonly lane: number; readonly index: number }
  | {
      readonly verb: 'process'
      readonly chain: Hex
      readonly asset: Hex
      readonly exits: readonly Exit[]
      /** None yet. */
      readonly inFlight: readonly InFlightExit[]
    }
  | { readonly verb: 'claimCredit'; readonly asset: Hex; readonly owner: Hex; readonly to: Hex }

/** The court's events, named and ordered as in Solidity. */
export type PlasmaEvent =
  | {
      readonly name: 'ChainRegistered'
      readonly chain: Hex
      /** The last committed number of its root-level chain: the chain has no block up to here. */
      readonly since: number
      readonly path: readonly Chain[]
    }
  | {
      readonly name: 'Deposited'
      readonly id: Hex
      readonly chain: Hex
      readonly owner: Hex
      readonly sender: Hex
      readonly salt: Hex
      readonly asset: Hex
      readonly value: bigint
    }
  | {
      readonly name: 'Committed'
      readonly chain: Hex
      readonly number: number
      readonly time: number
      readonly asOf: number
      readonly header: Hex
    }
  | { readonly name: 'Approved'; readonly owner: Hex; readonly txHash: Hex }
  | {
      readonly name: 'ExitStarted'
      readonly ids: Hex
      /** 0 = the list, else the number whose bucket it is in. */
      readonly lane: number
      readonly index: number
      readonly exit: Exit
    }
  | {
      readonly name: 'ExitChallenged'
      readonly ids: Hex
      readonly lane: number
      readonly index: number
      readonly txHash: Hex
      readonly challenger: Hex
    }
  | { readonly name: 'ExitCancelled'; readonly ids: Hex; readonly lane: number; readonly index: number }
  /** Paid: `amount` went to the owner, or waits as its credit. */
  | {
      readonly name: 'ExitPaid'
      readonly ids: Hex
      readonly lane: number
      readonly index: number
      readonly amount: bigint
    }
  /** Left the queue without payment: everything in it was paid before. */
  | { readonly name: 'ExitDropped'; readonly ids: Hex; readonly lane: number; readonly index: number }
  /** Left the queue unpaid: the pot had `have`, it wanted `need`; it may be started again. */
  | {
      readonly name: 'ExitUnpaid'
      readonly ids: Hex
      readonly lane: number
      readonly index: number
      readonly have: bigint
      readonly need: bigint
    }
  | CreditEvent
