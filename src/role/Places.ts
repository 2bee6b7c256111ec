import type { Hex } from '../core/base/Bytes.ts'
import { type Plain, Refusal, type Row, require } from '../core/base/Step.ts'
import type { Channel } from '../core/channel/Channel.ts'
import type { PeerState, Seat } from '../core/channel/PeerState.ts'
import { collect, restore } from '../core/channel/Saved.ts'
import type { Store } from '../edge/store/Store.ts'

/** One channel of a node: this side's seat and what it knows. */
export interface Place {
  readonly seat: Seat
  readonly state: PeerState
}

/** What a store holds of a channel beside its state: its terms, the first block that can tell of it, the peer's address. */
interface Kept {
  readonly channel: Channel
  readonly since: number
  readonly address: string | null
}

/** The channels of a node by id. */
export class Places {
  readonly #places = new Map<Hex, Place>()

  /** The place of a channel. Refuses UnknownChannel. */
  of(id: Hex): Place {
    const place = this.#places.get(id)
    if (!place) throw new Refusal('UnknownChannel', id)
    return place
  }

  has(id: Hex): boolean {
    return this.#places.has(id)
  }

  ids(): readonly Hex[] {
    return [...this.#places.keys()]
  }

  set(seat: Seat, state: PeerState): void {
    this.#places.set(seat.id, { seat, state })
  }

  /** A new channel: the row to store. */
  add(seat: Seat, address: string | undefined): Row {
    this.set(seat, restore(seat))
    const value: Kept = { channel: seat.channel, since: seat.since, address: address ?? null }
    return { table: 'channel', key: seat.id, value: value as unknown as Plain }
  }

  /** Brings back what a store holds; returns the addresses to call. Refuses a store of another court. */
  restore(
    store: Pick<Store, 'all' | 'get'>,
    seatOf: (channel: Channel, since: number) => Seat,
  ): ReadonlyMap<Hex, string> {
    const saved = collect(
      (table) => store.all(table),
      (table, key) => store.get(table, key),
    )
    const addresses = new Map<Hex, string>()
    for (const [id, value] of store.all('channel')) {
      const { channel, since, address } = value as unknown as Kept
      const seat = seatOf(channel, since)
      require(seat.id === id, 'OtherCourt', seat.id, id)
      this.set(seat, restore(seat, saved.get(id)))
      if (address !== null) addresses.set(seat.id, address)
    }
    return addresses
  }

  /** The first block that some channel has not seen. */
  firstBlock(): number {
    return Math.min(...[...this.#places.values()].map(({ state }) => state.watch.head)) + 1
  }
}
