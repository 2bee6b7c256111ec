import type { Hex } from '../core/base/Bytes.ts'
import { domain } from '../core/base/Signature.ts'
import { Refusal, type Step } from '../core/base/Step.ts'
import type { ChannelCall, ChannelEvent, SignedState } from '../core/channel/Call.ts'
import { type Channel, channelId } from '../core/channel/Channel.ts'
import { type Post, type TowerInput, type TowerOutput, tower, type Ward } from '../core/channel/Tower.ts'
import { type Court, watch } from '../core/channel/Watch.ts'
import type { Chain, Receipt } from '../edge/chain/Chain.ts'
import type { Store } from '../edge/store/Store.ts'
import { Feed } from './Feed.ts'
import { Loop } from './Loop.ts'

/** What a watchtower is made of. It needs no key of any channel, only an account that pays for its transactions. */
export interface WatchtowerParts {
  readonly store: Store
  readonly chain: Chain<ChannelCall, ChannelEvent>
  /** How deep a block must be to be final, its own included; 12 unless given. */
  readonly confirmations?: number
  /** The first block that can tell of a channel: the court's deployment; 0 unless given. */
  readonly since?: number
  /** Hears of every answer that was mined. */
  readonly onAnswer?: (id: Hex, version: bigint, receipt: Receipt) => void
  /** Hears what went wrong: a transaction that failed, a store that broke. */
  readonly onFault?: (why: unknown) => void
  /** Runs a function soon; setImmediate unless given. */
  readonly schedule?: (run: () => void) => void
}

type Wards = Map<Hex, Ward>
type Input = { readonly id: Hex; readonly input: TowerInput }
type Output = { readonly id: Hex; readonly output: TowerOutput }

/** The court's refusals that say: an answer as good was faster, or there is nothing left to answer. */
const BENIGN = new Set(['StaleVersion', 'ChannelClosed', 'TooLate'])

/** Answers old states in the court for clients that are away, with the newest state that they have shown it. */
export class Watchtower {
  readonly #parts: WatchtowerParts
  readonly #post: Post
  readonly #wards: Wards = new Map()
  readonly #loop: Loop<Wards, Input, Output>
  readonly #feed: Feed<Hex, ChannelEvent>
  readonly #answering = new Set<Hex>()

  private constructor(parts: WatchtowerParts) {
    const { chain, store, confirmations = 12, since = 0, schedule = setImmediate } = parts
    this.#parts = parts
    this.#post = { court: domain(chain.chainId, chain.court), confirmations, since }
    this.#loop = new Loop({
      machine: (_wards: Wards, input: Input) => this.#step(input),
      state: this.#wards,
      store,
      speak: ({ id, output }) => this.#speak(id, output),
      onFailure: (why) => this.#fail(why),
      schedule,
    })
    this.#feed = new Feed(chain, (id, input) => this.#loop.post({ id, input: { kind: 'chain', chain: input } }))
  }

  /** A tower that goes on where its store says that it stopped; resolves when it has caught up with layer 1. */
  static async start(parts: WatchtowerParts): Promise<Watchtower> {
    const one = new Watchtower(parts)
    const court = new Map(parts.store.all('court'))
    for (const [id, value] of parts.store.all('ward')) {
      const { channel, state } = value as unknown as Pick<Ward, 'channel' | 'state'>
      const { base, through } = (court.get(id) ?? {}) as { base?: Court; through?: number }
      one.#wards.set(id as Hex, { channel, state, watch: watch(through ?? one.#post.since - 1, base) })
    }
    const from = Math.min(...[...one.#wards.values()].map((ward) => ward.watch.head)) + 1
    if (one.#wards.size > 0) await one.#feed.join([...one.#wards.keys()], from)
    return one
  }

  /**
   * Takes a state into care; resolves once it is durable. Not newer than the one held is success; a state that not both
   * have signed is refused.
   */
  async watch(channel: Channel, state: SignedState): Promise<void> {
    const id = channelId(this.#post.court, channel)
    const had = this.#wards.get(id)
    await this.#loop.ask({ id, input: { kind: 'show', channel, state } })
    const held = this.held(id)
    if (held === undefined || held < state.version) throw new Refusal('NotSignedByBoth', state.version)
    if (!had) await this.#feed.join([id], this.#post.since)
  }

  /** The version held for a channel, undefined if none is. */
  held(id: Hex): bigint | undefined {
    return this.#wards.get(id)?.state.version
  }

  /** Stops watching; the store stays the caller's to close. */
  stop(): void {
    this.#loop.stop()
    this.#feed.stop()
  }

  #step({ id, input }: Input): Step<Wards, Output> {
    const { state, rows, outputs } = tower(this.#post, this.#wards.get(id), input)
    if (state) this.#wards.set(id, state)
    else this.#wards.delete(id)
    return { state: this.#wards, rows, outputs: outputs.map((output) => ({ id, output })) }
  }

  #speak(id: Hex, output: TowerOutput): void {
    // What a later block of the same turn has let go needs no answer any more.
    const ward = this.#wards.get(id)
    if (output.kind !== 'call' || !ward || this.#answering.has(id)) return
    const { version } = ward.state
    this.#answering.add(id)
    this.#parts.chain
      .send(output.call)
      .then((receipt) => this.#parts.onAnswer?.(id, version, receipt))
      .catch((why) => {
        if (!(why instanceof Refusal && BENIGN.has(why.code))) this.#parts.onFault?.(why)
      })
      .finally(() => this.#answering.delete(id))
  }

  #fail(why: unknown): void {
    this.#feed.stop()
    this.#parts.onFault?.(why)
  }
}
