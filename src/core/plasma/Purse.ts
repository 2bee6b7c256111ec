// What a wallet is, and what it holds.
import { type Hex, ZERO } from '../base/Bytes.ts'
import { emptyMap, entries, get, type HashMap, remove, set } from '../base/HashMap.ts'
import { addressOf } from '../base/Signature.ts'
import { Refusal, type Row, require, type Step } from '../base/Step.ts'
import type { Swap } from './Agreement.ts'
import * as Archive from './Archive.ts'
import type { PlasmaCall } from './Call.ts'
import { type Follower, type FollowerInput, type FollowerParams, isSynced, restoreFollower } from './Follower.ts'
import { hear, noTries, type Tries } from './Guard.ts'
import type { Half } from './Half.ts'
import type { Held } from './Held.ts'
import { escrowsIn, type Kept, nothingKept, observeKept } from './Kept.ts'
import { isUnique, type Signed } from './Ledger.ts'
import { type Sight, type Standing, standingOf } from './Locked.ts'
import type { LockTerms } from './LockTerms.ts'
import type { Payee } from './Payment.ts'
import { claimOn, noExits, type RunningExits } from './Running.ts'
import type { Output, Transaction } from './Transaction.ts'

/** What a wallet is given once. */
export interface WalletParams extends FollowerParams {
  /** The owner's private key: 32 bytes. */
  readonly key: Hex
  /** Numbers in which a payment may be included before it is dead. */
  readonly life: number
  /** Whether it leaves a bad chain, and wants its part of in-flight exits, by itself: yes unless told otherwise. */
  readonly guard?: boolean
}

/** A wallet: a follower of its chain, the outputs it holds, and the payments whose end is open. */
export interface WalletState {
  readonly follower: Follower
  readonly owner: Hex
  readonly held: HashMap<Held>
  readonly payments: HashMap<Signed>
  readonly running: RunningExits
  /** What became of exits that were tried before. */
  readonly tries: Tries
  /** Calls under way, by the outputs or the key that they are about: the L1 block that has it, or 0 while it is sent. */
  readonly tried: HashMap<number>
  /** The terms that the owner was told, by their locks. */
  readonly locks: HashMap<LockTerms>
  readonly kept: Kept
  /** Spends of undecided outputs of which it has given its half away. */
  readonly halves: HashMap<Transaction>
  /** Swaps in which this wallet gives, by their hashes. */
  readonly swaps: HashMap<Swap>
}

/** What a wallet is told; `salt` and `memo` are 32 bytes; `sent` = how a call ended: mined in a block, or failed. */
export type WalletInput =
  | FollowerInput
  | { readonly kind: 'deposit'; readonly asset: Hex; readonly value: bigint; readonly salt: Hex }
  | {
      readonly kind: 'pay'
      readonly asset: Hex
      readonly payees: readonly Payee[]
      /** Left to the operator. */
      readonly fee: bigint
      readonly memo: Hex
    }
  | { readonly kind: 'merge'; readonly ids: readonly Hex[]; readonly fee: bigint; readonly memo: Hex }
  | { readonly kind: 'learn'; readonly terms: readonly LockTerms[] }
  | { readonly kind: 'collect' }
  | { readonly kind: 'swap'; readonly swap: Swap }
  | {
      readonly kind: 'offer'
      readonly id: Hex
      readonly payees: readonly Payee[]
      readonly fee: bigint
      readonly memo: Hex
    }
  | { readonly kind: 'accept'; readonly half: Half; readonly gets: bigint }
  | { readonly kind: 'lockLeg'; readonly hash: Hex; readonly fee: bigint }
  | { readonly kind: 'leave'; readonly ids: readonly Hex[]; readonly anyway?: boolean }
  | { readonly kind: 'fly'; readonly txHash: Hex }
  | { readonly kind: 'piggyback'; readonly txHash: Hex }
  | { readonly kind: 'process'; readonly asset: Hex; readonly time: number }
  | {
      readonly kind: 'sent'
      readonly ids: readonly Hex[]
      readonly failed: boolean
      readonly about?: Hex
      readonly mined?: number
    }

/**
 * What a wallet says. A payment is `received` or `paid` only when it and every block before it is valid and final.
 * `guarding` = what it does by itself now: so many exits and piggybacks, which post so many bonds at most, while so many
 * others wait for bonds to come back.
 */
export type WalletOutput =
  | { readonly kind: 'fetch'; readonly number: number }
  | { readonly kind: 'submit'; readonly txHash: Hex; readonly signed: Signed }
  | { readonly kind: 'call'; readonly call: PlasmaCall; readonly ids: readonly Hex[]; readonly about?: Hex }
  | { readonly kind: 'guarding'; readonly escapes: number; readonly bonds: number; readonly left: number }
  | { readonly kind: 'deposited'; readonly id: Hex; readonly output: Output }
  | { readonly kind: 'received'; readonly id: Hex; readonly output: Output; readonly number: number }
  | { readonly kind: 'paid'; readonly txHash: Hex; readonly number: number }
  | { readonly kind: 'failed'; readonly txHash: Hex }
  | { readonly kind: 'left'; readonly id: Hex; readonly amount: bigint }
  | { readonly kind: 'half'; readonly txHash: Hex; readonly half: Half }
  | { readonly kind: 'escrowed'; readonly id: Hex; readonly output: Output }
  /** A lock was decided: for the owner (`mine`), who may spend it from now on, or for its other side. */
  | { readonly kind: 'decided'; readonly id: Hex; readonly output: Output; readonly mine: boolean }
  | { readonly kind: 'bad'; readonly number: number; readonly why: string }

/** What an input makes of a wallet. */
export type Next = Step<WalletState, WalletOutput>

/** A wallet from its store; an empty one follows L1 from `from`. */
export function restoreWallet(params: WalletParams, rows: Archive.Rows, from: number): WalletState {
  const { court, path, depth, patience, alarm = patience } = params
  const follower = restoreFollower({ court, path, depth, patience, alarm }, rows, from)
  let [held, payments] = [emptyMap<Held>(), emptyMap<Signed>()]
  for (const [, one] of rows.all('held')) held = set(held, (one as unknown as Held).id, one as unknown as Held)
  for (const [hash, signed] of rows.all('payments')) payments = set(payments, hash as Hex, signed as unknown as Signed)
  let locks = emptyMap<LockTerms>()
  for (const [lock, terms] of rows.all('locks')) locks = set(locks, lock as Hex, terms as unknown as LockTerms)
  let [swaps, halves] = [emptyMap<Swap>(), emptyMap<Transaction>()]
  for (const [hash, tx] of rows.all('halves')) halves = set(halves, hash as Hex, tx as unknown as Transaction)
  for (const [hash, swap] of rows.all('swaps')) swaps = set(swaps, hash as Hex, swap as unknown as Swap)
  const l1 = Archive.storedL1(rows)
  const heard = hear({ running: noExits(), tries: noTries() }, l1)
  const owner = addressOf(params.key)
  const events = l1.flatMap((block) => block.events)
  const kept = events.reduce((now, event) => observeKept(now, event, heard.running), nothingKept(owner))
  return { follower, owner, held, payments, ...heard, tried: emptyMap(), locks, kept, swaps, halves }
}

/** What is free of an asset. */
export function balanceOf(state: WalletState, asset: Hex): bigint {
  return freeOf(state, asset).reduce((sum, one) => sum + one.output.value, 0n)
}

/** The outputs of an asset that a payment or an exit may take, dearest first. */
export function freeOf(state: WalletState, asset: Hex): readonly Held[] {
  const sight = sightOf(state)
  const free = heldBy(state).filter(({ use, output }) => {
    return use === 'free' && output.asset === asset && standingOf(sight, output) === 'mine'
  })
  return free.sort((a, b) => (a.output.value === b.output.value ? 0 : a.output.value > b.output.value ? -1 : 1))
}

/** How the wallet sees locks: as of the newest final block. */
export function sightOf({ owner, locks, running, follower }: WalletState): Sight {
  return { owner, locks, running, time: follower.view.time }
}

/** What the owner has of an asset, in its smallest unit; of an ERC-721 how many tokens. */
export interface Balance {
  /** May be paid with now. */
  readonly received: bigint
  /** Comes back from payments whose end is open. */
  readonly unconfirmed: bigint
  /** Locked, for the owner or by it, and not decided. */
  readonly locked: bigint
  /** On its way to layer 1. */
  readonly exiting: bigint
  /** On layer 1 under a lock that has a side of the owner's, decided or not. */
  readonly escrow: bigint
  /** On layer 1, where it could not be pushed. */
  readonly credit: bigint
}

/** What the owner has of an asset, by where it is. */
export function balancesOf(state: WalletState, asset: Hex): Balance {
  const [sight, unique] = [sightOf(state), isUnique(state, asset)]
  const sum = (outputs: readonly Pick<Output, 'asset' | 'value'>[]) => {
    const own = outputs.filter((one) => one.asset === asset)
    return unique ? BigInt(own.length) : own.reduce((all, { value }) => all + value, 0n)
  }
  const used = (use: Held['use'], ...standings: readonly Standing[]) => {
    const own = heldBy(state).filter((one) => one.use === use && standings.includes(standingOf(sight, one.output)))
    return sum(own.map(({ output }) => output))
  }
  const paying = [...entries(state.payments)].flatMap(([, { transaction }]) => transaction.outputs)
  const waiting = escrowsIn(state.kept).filter((one) => standingOf(sight, one) !== 'theirs')
  return {
    received: used('free', 'mine'),
    unconfirmed: sum(paying.filter(({ owner, lock }) => owner === state.owner && lock === ZERO)),
    locked: used('free', 'undecided', 'unknown'),
    exiting: used('leaving', 'mine', 'undecided', 'unknown'),
    escrow: sum(waiting),
    credit: unique ? BigInt(get(state.kept.tokens, asset)?.length ?? 0) : (get(state.kept.credits, asset) ?? 0n),
  }
}

/** Everything that the wallet holds. */
export function heldBy(state: WalletState): Held[] {
  return [...entries(state.held)].map(([, one]) => one)
}

/** Nothing changes. */
export function idle(state: WalletState): Next {
  return { state, rows: [], outputs: [] }
}

/** The same, saying more. */
export function say(step: Next, ...outputs: readonly WalletOutput[]): Next {
  return { ...step, outputs: [...step.outputs, ...outputs] }
}

/** Keeps an output. */
export function hold(step: Next, one: Held): Next {
  const state = { ...step.state, held: set(step.state.held, one.id, one) }
  return { ...step, state, rows: [...step.rows, Archive.row('held', one.id, one)] }
}

/** Holds an output no more. */
export function release(step: Next, id: Hex): Next {
  if (!get(step.state.held, id)) return step
  const row: Row = { table: 'held', key: id, value: undefined }
  return { ...step, state: { ...step.state, held: remove(step.state.held, id) }, rows: [...step.rows, row] }
}

/** Uses an output for something else; what layer 1 has a claim on is never free. */
export function reuse(step: Next, id: Hex, from: Held['use'], to: Held['use']): Next {
  const one = get(step.state.held, id)
  if (one?.use !== from) return step
  const owed = from === 'leaving' && isOwed(step, id)
  const use = owed ? 'paying' : to === 'free' && claimOn(step.state.running, id, ZERO) ? 'leaving' : to
  return hold(step, { ...one, use })
}

function isOwed({ state }: Next, id: Hex): boolean {
  const given = [...entries(state.halves)].some(([, { inputs }]) => inputs.includes(id))
  return given || [...entries(state.payments)].some(([, { transaction }]) => transaction.inputs.includes(id))
}

/** A wallet acts on a chain only while it knows all of it, and all of it is valid. Refuses ChainBad, NotSynced. */
export function requireGood({ follower }: WalletState): void {
  const { bad, commits } = follower
  if (bad) throw new Refusal('ChainBad', bad.number)
  require(isSynced(follower) && commits.length === 0, 'NotSynced', follower.ledger.number - 1, commits.at(-1)?.number ??
    0)
}
