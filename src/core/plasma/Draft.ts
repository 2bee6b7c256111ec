import type * as Asset from '../base/Asset.ts'
import { ETHER, type Hex } from '../base/Bytes.ts'
import type { Env, Transfer } from '../base/Court.ts'
import type { Domain } from '../base/Signature.ts'
import type { PlasmaEvent } from './Call.ts'
import type { ChainState } from './Chain.ts'
import type { Queue } from './ExitQueue.ts'
import type { InFlightState, Places } from './InFlightExit.ts'

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

/** What an asset is since its first deposit. */
export type Kind = 'fungible' | 'unique'

/** The court's whole storage. Keys of two parts are `first/second`, in the order of the Solidity mapping. */
export interface PlasmaCourt {
  readonly terms: Terms
  readonly chains: ReadonlyMap<Hex, ChainState>
  /** The slots of a parent that are taken. */
  readonly slots: ReadonlyMap<string, boolean>
  readonly commitments: ReadonlyMap<string, Hex>
  readonly status: ReadonlyMap<Hex, bigint>
  readonly approved: ReadonlyMap<string, boolean>
  readonly kinds: ReadonlyMap<Hex, Kind>
  /** The chain that holds an ERC-721, by asset and id. */
  readonly holders: ReadonlyMap<string, Hex>
  readonly pots: ReadonlyMap<string, bigint>
  readonly queues: ReadonlyMap<string, Queue>
  readonly inFlight: ReadonlyMap<Hex, InFlightState>
  /** Where the competitor and the response of a running in-flight exit are, by txHash. */
  readonly places: ReadonlyMap<Hex, Places>
  readonly credits: Asset.Credits
  /** Owners of ERC-721s that could not be pushed, by asset and id. */
  readonly tokenCredits: ReadonlyMap<string, Hex>
  /** What waits for a lock's payee, by `escrowKey`; 1 for an ERC-721. */
  readonly escrows: ReadonlyMap<Hex, bigint>
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
    slots: new Map(),
    commitments: new Map(),
    status: new Map(),
    approved: new Map(),
    kinds: new Map(),
    holders: new Map(),
    pots: new Map(),
    queues: new Map(),
    inFlight: new Map(),
    places: new Map(),
    credits: new Map(),
    tokenCredits: new Map(),
    escrows: new Map(),
  }
}

/** The key of two parts. */
export function pair(first: Hex, second: Hex | number | bigint): string {
  return `${first}/${second}`
}

type Mapping = Exclude<keyof PlasmaCourt, 'terms' | 'credits'>

/** Writes one value of one mapping. */
export function put<Name extends Mapping>(
  draft: Draft,
  name: Name,
  key: string,
  value: PlasmaCourt[Name] extends ReadonlyMap<string, infer Value> ? Value : never,
): void {
  const old = draft.state[name] as ReadonlyMap<string, unknown>
  draft.state = { ...draft.state, [name]: new Map(old).set(key, value) }
}

/** Removes one value of one mapping. */
export function erase(draft: Draft, name: Mapping, key: string): void {
  const left = new Map(draft.state[name] as ReadonlyMap<string, unknown>)
  left.delete(key)
  draft.state = { ...draft.state, [name]: left }
}

/** A draft on a state. The court takes no ether but through its verbs, so a push of it to itself fails. */
export function draftOn(state: PlasmaCourt, env: Env): Draft {
  const { court } = state.terms.court
  const refuses = (asset: Hex, to: Hex) => (asset === ETHER && to === court) || env.refuses(asset, to)
  return { state, env: { ...env, refuses }, events: [], transfers: [] }
}
