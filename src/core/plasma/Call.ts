import type { CreditEvent } from '../base/Asset.ts'
import type { Hex } from '../base/Bytes.ts'
import type { Inclusion } from './Block.ts'
import type { Chain } from './Chain.ts'
import type { Exit, Permit } from './Exit.ts'
import type { Group, GroupInclusion, Member, Membership } from './Group.ts'
import type { InFlightExit, Source } from './InFlightExit.ts'
import type { LockTerms } from './LockTerms.ts'
import type { Spend } from './Spend.ts'
import type { Deposit, Transaction } from './Transaction.ts'

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
      readonly verb: 'startLockedExit'
      readonly path: readonly Chain[]
      readonly transaction: Transaction
      readonly output: number
      readonly inclusion: Inclusion
      readonly terms: LockTerms
      readonly permit: Permit
    }
  | {
      readonly verb: 'startExits'
      readonly path: readonly Chain[]
      readonly group: Group
      readonly inclusion: GroupInclusion
      readonly permit: Permit
    }
  | { readonly verb: 'startDepositExit'; readonly deposited: Deposit; readonly permit: Permit }
  | { readonly verb: 'startDepositExits'; readonly deposited: readonly Deposit[]; readonly permit: Permit }
  | {
      readonly verb: 'challengeExit'
      readonly path: readonly Chain[]
      readonly exit: Exit
      readonly lane: number
      readonly index: number
      readonly spend: Spend
    }
  | {
      readonly verb: 'challengeLocked'
      readonly path: readonly Chain[]
      readonly exit: Exit
      readonly lane: number
      readonly index: number
      readonly spend: Spend
      readonly terms: LockTerms
    }
  | {
      readonly verb: 'challengeGroup'
      readonly path: readonly Chain[]
      readonly exit: Exit
      readonly lane: number
      readonly index: number
      readonly spend: Spend
      readonly membership: Membership
    }
  | { readonly verb: 'cancelExit'; readonly exit: Exit; readonly lane: number; readonly index: number }
  | {
      readonly verb: 'process'
      readonly chain: Hex
      readonly asset: Hex
      readonly exits: readonly Exit[]
      /** The members of the groups among `exits`, in the same order. */
      readonly members: readonly Member[]
      readonly inFlight: readonly InFlightExit[]
    }
  | { readonly verb: 'claimCredit'; readonly asset: Hex; readonly owner: Hex; readonly to: Hex }
  | { readonly verb: 'claimToken'; readonly asset: Hex; readonly id: bigint; readonly to: Hex }
  | {
      readonly verb: 'claimEscrow'
      readonly owner: Hex
      readonly terms: LockTerms
      readonly asset: Hex
      /** The ERC-721's; zero for a fungible asset. */
      readonly id: bigint
      readonly to: Hex
    }
  | {
      readonly verb: 'startInFlight'
      readonly path: readonly Chain[]
      readonly transaction: Transaction
      readonly authorisation: Hex
      /** Where each input comes from. */
      readonly sources: readonly Source[]
      readonly terms: readonly LockTerms[]
    }
  | {
      readonly verb: 'piggyback'
      readonly inFlight: InFlightExit
      /** Bits: 0 to 3 inputs, 4 to 7 outputs. */
      readonly positions: number
      readonly terms: readonly LockTerms[]
    }
  | {
      readonly verb: 'compete'
      readonly path: readonly Chain[]
      readonly inFlight: InFlightExit
      readonly position: number
      readonly spend: Spend
      readonly terms: readonly LockTerms[]
    }
  | {
      readonly verb: 'challengeOutput'
      readonly path: readonly Chain[]
      readonly inFlight: InFlightExit
      readonly position: number
      readonly spend: Spend
      readonly terms: readonly LockTerms[]
    }
  | {
      readonly verb: 'respond'
      readonly path: readonly Chain[]
      readonly inFlight: InFlightExit
      readonly inclusion: Inclusion
    }

/** The call of one verb. */
export type CallOf<Verb> = Extract<PlasmaCall, { readonly verb: Verb }>

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
  | { readonly name: 'KindFixed'; readonly asset: Hex; readonly unique: boolean }
  | { readonly name: 'Approved'; readonly owner: Hex; readonly txHash: Hex }
  | {
      readonly name: 'ExitStarted'
      readonly ids: Hex
      /** 0 = the list, else the number whose bucket it is in. */
      readonly lane: number
      readonly index: number
      readonly exit: Exit
    }
  /** Follows the start of a group's exit. */
  | { readonly name: 'GroupStarted'; readonly ids: Hex; readonly members: readonly Member[] }
  | {
      readonly name: 'ExitChallenged'
      readonly ids: Hex
      readonly lane: number
      readonly index: number
      readonly txHash: Hex
      readonly challenger: Hex
    }
  | { readonly name: 'ExitCancelled'; readonly ids: Hex; readonly lane: number; readonly index: number }
  /** Paid: `amount` (an id, for an ERC-721) went to the owner, or waits as its credit or in escrow. */
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
  /** The terms of a lock that an exit depends on: every later verb wants them again. */
  | { readonly name: 'LockShown'; readonly lock: Hex; readonly terms: LockTerms }
  /** `value` (an id, for an ERC-721) waits for whom the lock decides. */
  | {
      readonly name: 'Escrowed'
      readonly owner: Hex
      readonly lock: Hex
      readonly asset: Hex
      readonly value: bigint
    }
  | {
      readonly name: 'EscrowClaimed'
      readonly owner: Hex
      readonly lock: Hex
      readonly asset: Hex
      readonly value: bigint
      readonly to: Hex
    }
  /** An ERC-721 could not be pushed. */
  | { readonly name: 'TokenCredited'; readonly asset: Hex; readonly owner: Hex; readonly id: bigint }
  | {
      readonly name: 'TokenClaimed'
      readonly asset: Hex
      readonly owner: Hex
      readonly to: Hex
      readonly id: bigint
    }
  | {
      readonly name: 'InFlightStarted'
      readonly txHash: Hex
      readonly inFlight: InFlightExit
      readonly authorisation: Hex
      readonly piggybacked: number
      readonly lane: number
      /** Its place in the queue of each of its assets, in the order of the inputs that bring them in. */
      readonly indices: readonly number[]
    }
  | { readonly name: 'Piggybacked'; readonly txHash: Hex; readonly positions: number }
  | {
      readonly name: 'Competed'
      readonly txHash: Hex
      readonly position: number
      readonly competitor: Hex
      /** Where it was shown; 2^40 - 1 and 2^16 - 1 if it was live. */
      readonly number: number
      readonly index: number
      readonly challenger: Hex
    }
  | {
      readonly name: 'OutputChallenged'
      readonly txHash: Hex
      readonly position: number
      readonly spender: Hex
      readonly challenger: Hex
    }
  | { readonly name: 'Responded'; readonly txHash: Hex; readonly number: number; readonly index: number }
  | { readonly name: 'InFlightProcessed'; readonly txHash: Hex; readonly asset: Hex; readonly canonical: boolean }
  | { readonly name: 'InFlightPaid'; readonly txHash: Hex; readonly position: number; readonly amount: bigint }
  /** The pot had `have` where the position wanted `need`: it may leave by a new exit. */
  | {
      readonly name: 'InFlightUnpaid'
      readonly txHash: Hex
      readonly position: number
      readonly have: bigint
      readonly need: bigint
    }
  | CreditEvent
