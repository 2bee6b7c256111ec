import { ETHER, type Hex } from '../base/Bytes.ts'
import type { Env, Transfer } from '../base/Court.ts'
import type { Domain } from '../base/Signature.ts'
import { require } from '../base/Step.ts'
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
  readonly credits: ReadonlyMap<string, bigint>
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
export function put<Name extends Exclude<keyof PlasmaCourt, 'terms'>>(
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

/** Takes money in. */
export function pull(draft: Draft, asset: Hex, amount: bigint): void {
  const { sender, value } = draft.env
  require(value === amount, 'WrongValue', value, amount)
  draft.transfers.push({ asset, from: sender, to: courtOf(draft).court, amount })
}

/** Pays, or keeps as a credit what is refused. */
export function pay(draft: Draft, asset: Hex, to: Hex, amount: bigint): void {
  if (amount === 0n || push(draft, asset, to, amount)) return
  const key = pair(asset, to)
  put(draft, 'credits', key, (draft.state.credits.get(key) ?? 0n) + amount)
  draft.events.push({ name: 'Credited', asset, owner: to, amount })
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
  const { sender } = draft.env
  require(to === owner || sender === owner, 'NotOwner', sender, owner)
  const amount = draft.state.credits.get(pair(asset, owner)) ?? 0n
  require(amount !== 0n, 'NoCredit', asset, owner)
  put(draft, 'credits', pair(asset, owner), 0n)
  draft.events.push({ name: 'CreditClaimed', asset, owner, to, amount })
  require(push(draft, asset, to, amount), 'PaymentRefused', asset, to, amount)
}

/** The court takes no money but through its verbs, so a push to itself fails. */
function push(draft: Draft, asset: Hex, to: Hex, amount: bigint): boolean {
  const court = courtOf(draft).court
  if (to === court || draft.env.refuses(asset, to)) return false
  draft.transfers.push({ asset, from: court, to, amount })
  return true
}

function courtOf(draft: Draft): Domain {
  return draft.state.terms.court
}
