import * as Asset from '../base/Asset.ts'
import { ETHER, type Hex } from '../base/Bytes.ts'
import type { Env, Transfer } from '../base/Court.ts'
import type { Domain } from '../base/Signature.ts'
import type { PlasmaEvent } from './Call.ts'
import type { Exit } from './Exit.ts'
import { EMPTY_QUEUE, type Queue } from './ExitQueue.ts'

/** The constants of a deployment: its domain, its times in seconds, its bond in gas and wei per gas. */
export interface Terms {
  readonly court: Domain
  readonly mfp: number
  readonly margin: number
  readonly alarm: number
  readonly bondGas: bigint
  readonly feeFloor: bigint
  readonly feeCeiling: bigint
}

/** What is known of a chain. The last number, its time and its asOf are kept at root level only. */
export interface ChainState {
  readonly depth: number
  readonly since: number
  readonly number: number
  readonly time: number
  readonly asOf: number
}

/** The court's whole storage. Keys of two parts are `first/second`, in the order of the Solidity mapping. */
export interface PlasmaCourt {
  readonly terms: Terms
  readonly chains: ReadonlyMap<Hex, ChainState>
  readonly commitments: ReadonlyMap<string, Hex>
  readonly status: ReadonlyMap<Hex, bigint>
  readonly approved: ReadonlyMap<string, boolean>
  readonly pots: ReadonlyMap<string, bigint>
  readonly queues: ReadonlyMap<string, Queue>
  readonly credits: Asset.Credits
}

/** A ruling in the making: the state so far, and what it says and pays so far. */
export interface Draft {
  state: PlasmaCourt
  readonly env: Env
  readonly events: PlasmaEvent[]
  readonly transfers: Transfer[]
}

/** The court as it is after its deployment. */
export function deployed(terms: Terms): PlasmaCourt {
  return {
    terms,
    chains: new Map(),
    commitments: new Map(),
    status: new Map(),
    approved: new Map(),
    pots: new Map(),
    queues: new Map(),
    credits: new Map(),
  }
}

/** The key of two parts. */
export function pair(first: Hex, second: Hex | number): string {
  return `${first}/${second}`
}

/** What exits of a chain may be paid from, in an asset. */
export function potOf(state: PlasmaCourt, chain: Hex, asset: Hex): bigint {
  return state.pots.get(pair(chain, asset)) ?? 0n
}

/** The exits of a chain in an asset. */
export function queueOf(state: PlasmaCourt, chain: Hex, asset: Hex): Queue {
  return state.queues.get(pair(chain, asset)) ?? EMPTY_QUEUE
}

/** Writes one value of one mapping. */
export function put<Name extends Exclude<keyof PlasmaCourt, 'terms' | 'credits'>>(
  draft: Draft,
  name: Name,
  key: string,
  value: PlasmaCourt[Name] extends ReadonlyMap<string, infer Value> ? Value : never,
): void {
  const old = draft.state[name] as ReadonlyMap<string, unknown>
  draft.state = { ...draft.state, [name]: new Map(old).set(key, value) }
}

/** Adds to a pot, or takes from it. */
export function addToPot(draft: Draft, chain: Hex, asset: Hex, amount: bigint): void {
  put(draft, 'pots', pair(chain, asset), potOf(draft.state, chain, asset) + amount)
}

/** Takes exactly `amount` of the sender's ether in. */
export function pull(draft: Draft, amount: bigint): void {
  draft.transfers.push({ asset: ETHER, from: draft.env.sender, to: draft.state.terms.court.court, amount })
}

/** Pays, or keeps as a credit what is refused. */
export function pay(draft: Draft, asset: Hex, to: Hex, amount: bigint): void {
  const { terms, credits } = draft.state
  record(draft, Asset.pay(terms.court.court, credits, draft.env, asset, [[to, amount]]))
}

/** Pays an exit's owner `amount` and its starter the bond: in one payment where both go the same way. */
export function payWithBond(draft: Draft, exit: Exit, amount: bigint): void {
  if (exit.asset === ETHER && exit.owner === exit.starter) {
    pay(draft, ETHER, exit.owner, amount + exit.bond)
  } else {
    pay(draft, exit.asset, exit.owner, amount)
    pay(draft, ETHER, exit.starter, exit.bond)
  }
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

/** A draft on a state. The court takes no money but through its verbs, so a push to itself fails. */
export function draftOn(state: PlasmaCourt, env: Env): Draft {
  const { court } = state.terms.court
  const refuses = (asset: Hex, to: Hex) => to === court || env.refuses(asset, to)
  return { state, env: { ...env, refuses }, events: [], transfers: [] }
}
