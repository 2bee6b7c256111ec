import type { Hex } from '../core/base/Bytes.ts'
import { Refusal } from '../core/base/Step.ts'
import { keysOf, restoredWard, type TowerInput, type Ward } from '../core/channel/Tower.ts'
import type { Store } from '../edge/store/Store.ts'
import { Agenda } from './Agenda.ts'

/** How much one account may leave with a tower. */
export interface Allowance {
  readonly wards: number
  /** Of states, lists and preimages, as they are kept in memory. */
  readonly bytes: number
  /** Of one state. */
  readonly locks: number
}

/** What somebody gives to a tower. */
export type Gift = Extract<TowerInput, { readonly kind: 'show' | 'final' | 'preimages' }>

/** The channels in a tower's care by id, with what finds those that a block concerns. */
export class Wards {
  readonly #wards = new Map<Hex, Ward>()
  readonly #used = new Map<string, { wards: number; bytes: number }>()
  readonly #byKey = new Map<Hex, Set<Hex>>()
  readonly #keys = new Map<Hex, readonly Hex[]>()
  /** When a ward is to be looked at though nothing happens to it. */
  readonly agenda = new Agenda<Hex>()
  /** Wards to be looked at in every block: they wait for a transaction, or for their end to be final. */
  readonly restless = new Set<Hex>()

  get size(): number {
    return this.#wards.size
  }

  get(id: Hex): Ward | undefined {
    return this.#wards.get(id)
  }

  /** The ids of the wards to which a verdict on a key matters. */
  byKey(key: Hex): Iterable<Hex> {
    return this.#byKey.get(key) ?? []
  }

  /** How much an account has left here. */
  used(account: string): Readonly<{ wards: number; bytes: number }> {
    return this.#used.get(account) ?? { wards: 0, bytes: 0 }
  }

  /** What becomes of a ward after a step. */
  put(id: Hex, had: Ward | undefined, ward: Ward | undefined, isRestless: boolean, look: number | undefined): void {
    if (ward) this.#wards.set(id, ward)
    else this.#wards.delete(id)
    if (ward && (isRestless || ward.docket.closed)) this.restless.add(id)
    else this.restless.delete(id)
    this.agenda.set(id, ward && look)
    if (had === ward) return
    const isCharged = had?.state === ward?.state && had?.preimages === ward?.preimages && had?.account === ward?.account
    if (!isCharged) this.#charge(had, ward)
    if (keepsKeys(had, ward)) return
    this.#index(id, ward)
  }

  /** Brings back what a store holds. */
  restore(store: Pick<Store, 'all'>): void {
    const dockets = new Map(store.all('docket'))
    for (const [id, value] of store.all('ward')) this.#enter(id as Hex, value, dockets.get(id))
    for (const [id, docket] of dockets) if (!this.#wards.has(id as Hex)) this.#enter(id as Hex, undefined, docket)
  }

  #enter(id: Hex, kept: unknown, docket: unknown): void {
    const ward = restoredWard(id, kept, docket)
    // Every ward is looked at once with the newest block: who knows what is due by now.
    this.put(id, undefined, ward, true, undefined)
  }

  /** Refuses what is more than the account that gives it may leave here; TooManyLocks, TooManyWards, TooManyBytes. */
  admit(id: Hex, input: Gift, may: Allowance): void {
    const had = this.#wards.get(id)
    if (input.kind === 'show') {
      const locks = (input.state.locks.length - 2) / 164
      if (locks > may.locks) throw new Refusal('TooManyLocks', locks, may.locks)
    }
    if (isNothingNew(had, input)) return
    const { wards, bytes } = this.used(input.account)
    const isCharged = had?.channel != null && had.account === input.account
    if (!isCharged && wards >= may.wards) throw new Refusal('TooManyWards', wards + 1, may.wards)
    const before = isCharged ? bytesOf(had) : 0
    const need = bytes - before + bytesAfter(had, input)
    if (need > may.bytes && bytesAfter(had, input) > before) throw new Refusal('TooManyBytes', need, may.bytes)
  }

  #charge(had: Ward | undefined, ward: Ward | undefined): void {
    for (const [one, sign] of [
      [had, -1],
      [ward, 1],
    ] as const) {
      if (!one?.channel) continue
      const { wards, bytes } = this.used(one.account)
      const next = { wards: wards + sign, bytes: bytes + sign * bytesOf(one) }
      if (next.wards === 0) this.#used.delete(one.account)
      else this.#used.set(one.account, next)
    }
  }

  #index(id: Hex, ward: Ward | undefined): void {
    for (const key of this.#keys.get(id) ?? []) {
      const ids = this.#byKey.get(key)!
      ids.delete(id)
      if (ids.size === 0) this.#byKey.delete(key)
    }
    const keys = ward ? keysOf(ward) : []
    if (keys.length === 0) this.#keys.delete(id)
    else this.#keys.set(id, keys)
    for (const key of keys) {
      const ids = this.#byKey.get(key) ?? new Set()
      this.#byKey.set(key, ids.add(id))
    }
  }
}

function keepsKeys(had: Ward | undefined, ward: Ward | undefined): boolean {
  return (
    had?.preimages === ward?.preimages &&
    (had?.state?.locks ?? '0x') === (ward?.state?.locks ?? '0x') &&
    (had?.docket.locks ?? '0x') === (ward?.docket.locks ?? '0x')
  )
}

/** Whether what is given will be refused as of nobody's channel, or is not newer: then it takes no room. */
function isNothingNew(had: Ward | undefined, input: Gift): boolean {
  if (input.kind === 'preimages') return !had?.channel
  if (input.kind === 'final') return had?.final != null
  return had?.state != null && input.state.version <= had.state.version
}

/** Roughly what a ward takes: its terms and two signatures, its list, its preimages. */
const BARE = 2048

function bytesOf(ward: Ward | undefined): number {
  if (!ward?.channel) return 0
  return BARE + (ward.state?.locks.length ?? 0) + 80 * ward.preimages.length
}

function bytesAfter(had: Ward | undefined, input: Gift): number {
  const before = had?.channel ? bytesOf(had) : BARE
  if (input.kind === 'show') return before - (had?.state?.locks.length ?? 0) + input.state.locks.length
  return input.kind === 'preimages' ? before + 80 * input.preimages.length : before
}
