import type { CreditEvent } from '../base/Asset.ts'
import type { Hex } from '../base/Bytes.ts'
import type { VerdictEvent } from '../base/Verdicts.ts'
import type { Channel } from './Channel.ts'

/** A state as it travels to the court: version 0 means "no state", and then the other fields say nothing. */
export interface SignedState {
  readonly version: bigint
  readonly net: bigint
  readonly batch: Hex
  /** The packed lock list behind the state's locksRoot. */
  readonly locks: Hex
  /** Signature of each side, or empty where the sender is that side's signer. */
  readonly sigA: Hex
  readonly sigB: Hex
}

/** One of many ether deposits of one transaction. */
export interface EtherDeposit {
  readonly channelId: Hex
  readonly toB: boolean
  readonly amount: bigint
}

/**
 * Somebody whose tokens come in by its signature. By ERC-3009 the signed nonce binds channel, side and salt; through
 * Permit2 the salt is the unordered nonce, `validBefore` the deadline, and `validAfter` says nothing.
 */
export interface Payer {
  readonly from: Hex
  readonly permit2: boolean
  readonly validAfter: bigint
  readonly validBefore: bigint
  readonly salt: Hex
  readonly signature: Hex
}

/** The verbs of the court as calls; the fields after `verb` have the names and the order of the Solidity parameters. */
export type ChannelCall =
  | {
      readonly verb: 'deposit'
      readonly asset: Hex
      readonly channelId: Hex
      readonly toB: boolean
      readonly amount: bigint
    }
  | {
      readonly verb: 'depositWithPermit'
      readonly asset: Hex
      readonly channelId: Hex
      readonly toB: boolean
      readonly amount: bigint
      readonly deadline: bigint
      readonly v: number
      readonly r: Hex
      readonly s: Hex
    }
  | {
      readonly verb: 'depositWithAuthorization'
      readonly asset: Hex
      readonly channelId: Hex
      readonly toB: boolean
      readonly amount: bigint
      readonly payer: Payer
    }
  | {
      readonly verb: 'openBoth'
      readonly asset: Hex
      readonly channelId: Hex
      readonly amountA: bigint
      readonly amountB: bigint
      readonly payerIsB: boolean
      readonly payer: Payer
    }
  | { readonly verb: 'deposits'; readonly list: readonly EtherDeposit[] }
  | {
      readonly verb: 'withdraw'
      readonly channel: Channel
      /** What each side has withdrawn in all, once this is done. */
      readonly totalA: bigint
      readonly totalB: bigint
      /** Last second in which the signatures are good. */
      readonly deadline: number
      readonly sigA: Hex
      readonly sigB: Hex
    }
  | {
      readonly verb: 'conclude'
      readonly channel: Channel
      readonly net: bigint
      readonly sigA: Hex
      readonly sigB: Hex
    }
  | { readonly verb: 'challenge'; readonly channel: Channel; readonly state: SignedState }
  | {
      readonly verb: 'challengeFor'
      readonly channel: Channel
      readonly state: SignedState
      /** Last second in which the signed Challenge is good. */
      readonly deadline: number
      readonly sig: Hex
    }
  | { readonly verb: 'answer'; readonly channel: Channel; readonly state: SignedState }
  | { readonly verb: 'settle'; readonly channel: Channel; readonly locks: Hex }
  | { readonly verb: 'claimCredit'; readonly asset: Hex; readonly owner: Hex; readonly to: Hex }
  | { readonly verb: 'reveal'; readonly preimages: readonly Hex[] }
  | { readonly verb: 'judge'; readonly condition: Hex; readonly key: Hex }
  | { readonly verb: 'sweep'; readonly channel: Channel; readonly asset: Hex }

/** The court's events, named and ordered as in Solidity. */
export type ChannelEvent =
  | {
      readonly name: 'Deposited'
      readonly id: Hex
      readonly asset: Hex
      readonly toB: boolean
      readonly amount: bigint
    }
  | {
      readonly name: 'Challenged'
      readonly id: Hex
      readonly version: bigint
      readonly net: bigint
      readonly locksRoot: Hex
      readonly deadline: number
      readonly byB: boolean
      readonly locks: Hex
    }
  | {
      readonly name: 'Answered'
      readonly id: Hex
      readonly version: bigint
      readonly net: bigint
      readonly locksRoot: Hex
      readonly locks: Hex
    }
  | {
      readonly name: 'Settled'
      readonly id: Hex
      readonly payA: bigint
      readonly payB: bigint
      readonly locksRoot: Hex
    }
  | { readonly name: 'Concluded'; readonly id: Hex; readonly payA: bigint; readonly payB: bigint }
  | { readonly name: 'Withdrawn'; readonly id: Hex; readonly withdrawnA: bigint; readonly withdrawnB: bigint }
  | {
      readonly name: 'Swept'
      readonly id: Hex
      readonly asset: Hex
      readonly payA: bigint
      readonly payB: bigint
    }
  | CreditEvent
  | VerdictEvent
