// What the court keeps: the truth about every output, money by chain and asset, exits, bonds.
import * as Asset from '../base/Asset.ts'
import { ETHER, type Hex } from '../base/Bytes.ts'
import type { Transfer } from '../base/Court.ts'
import { keccakWords } from '../base/Signature.ts'
import { require } from '../base/Step.ts'
import { type Draft, type Kind, type PlasmaCourt, pair, put } from './Draft.ts'
import { bond, UNKNOWN } from './Exit.ts'
import { EMPTY_QUEUE, push, type Queue } from './ExitQueue.ts'

/** What layer 1 knows of an output. */
export function statusOf({ state }: Draft, id: Hex): bigint {
  return state.status.get(id) ?? UNKNOWN
}

/** What exits of a chain may be paid from, in an asset. */
export function potOf(state: PlasmaCourt, chain: Hex, asset: Hex): bigint {
  return state.pots.get(pair(chain, asset)) ?? 0n
}

/** Adds to a pot, or takes from it. */
export function addToPot(draft: Draft, chain: Hex, asset: Hex, amount: bigint): void {
  put(draft, 'pots', pair(chain, asset), potOf(draft.state, chain, asset) + amount)
}

/** The exits of a chain in an asset. */
export function queueOf(state: PlasmaCourt, chain: Hex, asset: Hex): Queue {
  return state.queues.get(pair(chain, asset)) ?? EMPTY_QUEUE
}

/** Puts a word into a lane of a queue; tells its index. */
export function join(draft: Draft, chain: Hex, asset: Hex, lane: number, word: bigint): number {
  const { queue, index } = push(queueOf(draft.state, chain, asset), lane, word)
  put(draft, 'queues', pair(chain, asset), queue)
  return index
}

/** What an asset counts as: ether is never asked, and an asset that nobody deposited has no pot anyway. */
export function kindOf({ state }: Draft, asset: Hex): Kind {
  return state.kinds.get(asset) ?? 'fungible'
}

/** Whether an asset is an ERC-721. */
export function isUnique(draft: Draft, asset: Hex): boolean {
  return kindOf(draft, asset) === 'unique'
}

/** Refuses unless the wei that came are a bond for each position, evenly, within one and two of the least; tells one. */
export function requireBonds({ env, state }: Draft, positions: number): bigint {
  const { bondGas, feeFloor, feeCeiling } = state.terms
  const count = BigInt(positions)
  const least = bond(bondGas, feeFloor, feeCeiling, env.baseFee) * count
  const fair = env.value >= least && env.value <= 2n * least && env.value % count === 0n
  require(fair, 'WrongBond', env.value, least, 2n * least)
  return env.value / count
}

/** Half the bond to the sender, the rest to those whom the exit would have taken it from. */
export function split(draft: Draft, chain: Hex, posted: bigint): void {
  const half = posted / 2n
  addToPot(draft, chain, ETHER, posted - half)
  pay(draft, ETHER, draft.env.sender, half)
}

/** Takes exactly `amount` of an asset from the sender; of an ERC-721 the token `amount`. */
export function pull(draft: Draft, asset: Hex, amount: bigint): void {
  move(draft, asset, draft.env.sender, draft.state.terms.court.court, amount)
}

function move(draft: Draft, asset: Hex, from: Hex, to: Hex, amount: bigint): void {
  const unique = isUnique(draft, asset)
  const transfer: Transfer = unique ? { asset, from, to, amount: 1n, id: amount } : { asset, from, to, amount }
  draft.transfers.push(transfer)
}

/** Pays an amount, or keeps as a credit what is refused. */
export function pay(draft: Draft, asset: Hex, to: Hex, amount: bigint): void {
  const { terms, credits } = draft.state
  record(draft, Asset.pay(terms.court.court, credits, draft.env, asset, [[to, amount]]))
}

/** Hands over an ERC-721, or keeps it as a credit. */
export function payToken(draft: Draft, asset: Hex, owner: Hex, id: bigint): void {
  if (!draft.env.refuses(asset, owner)) {
    move(draft, asset, draft.state.terms.court.court, owner, id)
    return
  }
  put(draft, 'tokenCredits', pair(asset, id), owner)
  draft.events.push({ name: 'TokenCredited', asset, owner, id })
}

/** Sends what was asked for to where it was asked to, or refuses. */
export function handOver(draft: Draft, asset: Hex, to: Hex, amount: bigint): void {
  require(!draft.env.refuses(asset, to), 'PaymentRefused', asset, to, amount)
  move(draft, asset, draft.state.terms.court.court, to, amount)
}

/** Pays a whole credit out, or refuses. */
export function claim(draft: Draft, asset: Hex, owner: Hex, to: Hex): void {
  const { terms, credits } = draft.state
  record(draft, Asset.claimCredit(terms.court.court, credits, draft.env, asset, owner, to))
}

function record(draft: Draft, { credits, events, transfers }: Asset.Payment): void {
  draft.state = { ...draft.state, credits }
  draft.events.push(...events)
  draft.transfers.push(...transfers)
}

/** Where money waits for a lock's payee: keccak256(abi.encode(owner, lock, asset, id)), id zero for a fungible asset. */
export function escrowKey(owner: Hex, lock: Hex, asset: Hex, id: bigint): Hex {
  return keccakWords(owner, lock, asset, id)
}

/** Puts `value` (an id, for an ERC-721) into escrow for whom the lock decides. */
export function escrow(draft: Draft, owner: Hex, lock: Hex, asset: Hex, value: bigint): void {
  const unique = isUnique(draft, asset)
  const key = escrowKey(owner, lock, asset, unique ? value : 0n)
  const sum = Asset.saturated((draft.state.escrows.get(key) ?? 0n) + value)
  if (unique || sum !== 0n) put(draft, 'escrows', key, unique ? 1n : sum)
  draft.events.push({ name: 'Escrowed', owner, lock, asset, value })
}
