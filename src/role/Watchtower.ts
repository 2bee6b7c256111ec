import type { Hex } from '../core/base/Bytes.ts'
import { domain } from '../core/base/Signature.ts'
import { type L1Input, Refusal, type Row, type Step } from '../core/base/Step.ts'
import type { ChannelCall, ChannelEvent, SignedState } from '../core/channel/Call.ts'
import { type Channel, channelId } from '../core/channel/Channel.ts'
import { hashKey, type Place, type SignedFinal, verdictOf } from '../core/channel/Docket.ts'
import { MAX_LOCKS } from '../core/channel/Lock.ts'
import { nextLook, type Post, type TowerInput, type TowerOutput, tower } from '../core/channel/Tower.ts'
import { usefulUntil } from '../core/channel/Urgency.ts'
import { KEPT } from '../core/channel/Watch.ts'
import type { Chain, Receipt } from '../edge/chain/Chain.ts'
import type { Store } from '../edge/store/Store.ts'
import { Loop } from './Loop.ts'
import { type Allowance, type Gift, Wards } from './Wards.ts'

/** What a watchtower is made of. It needs no key of any channel, only an account that pays for its transactions. */
export interface WatchtowerParts {
  readonly store: Store
  readonly chain: Chain<ChannelCall, ChannelEvent>
  /** How deep a block must be to be final, its own included; 12 unless given. */
  readonly confirmations?: number
  /** The first block that can tell of a channel: the court's deployment; 0 unless given. */
  readonly since?: number
  /** Seconds before a lock's expiry from which on a released preimage is revealed though no clock runs; 1,800 unless given. */
  readonly margin?: number
  /** Whether the tower settles what nobody else does; it does not unless told to. */
  readonly settles?: boolean
  /** The shortest challenge period taken into care, seconds; an hour unless given. */
  readonly minPeriod?: number
  /** How much an account may leave here; 10,000 channels, 64 MiB and full lists unless given. */
  readonly allowance?: (account: string) => Allowance
  /** Hears of every answer that was mined. */
  readonly onAnswer?: (id: Hex, version: bigint, receipt: Receipt) => void
  /** Hears of every transaction that was mined. */
  readonly onMined?: (verb: ChannelCall['verb'], receipt: Receipt) => void
  /** Hears what went wrong: a transaction that failed, a store that broke. */
  readonly onFault?: (why: unknown) => void
  /** Runs a function soon; setImmediate unless given. */
  readonly schedule?: (run: () => void) => void
}

type Input =
  | { readonly id: Hex; readonly input: Gift }
  | { readonly chain: L1Input<ChannelEvent> }
  | { readonly revealed: readonly Hex[] }
type Output = { readonly id: Hex; readonly output: TowerOutput }

/** What one input comes to. */
interface Turn {
  readonly rows: Row[]
  readonly outputs: Output[]
}

/** A block that a reorg may still take back, and the wards that it changed. */
interface Recent {
  readonly number: number
  readonly ids: Set<Hex>
}

/** The court's refusals that say: somebody was as good and faster, or there is nothing left to do. */
const BENIGN = new Set(['StaleVersion', 'ChannelClosed', 'TooLate', 'ChallengeRunning', 'NothingDecided'])
const ALLOWANCE: Allowance = { wards: 10_000, bytes: 64 << 20, locks: MAX_LOCKS }
/** How many quiet blocks may come again after a restart, beyond those that a reorg could take back. */
const QUIET = 64

/** Answers old states in the court for clients that are away, with the newest that they have shown it, and reveals what they have released. */
export class Watchtower {
  readonly #parts: WatchtowerParts
  readonly #post: Post
  readonly #wards = new Wards()
  readonly #loop: Loop<Wards, Input, Output>
  readonly #recent: Recent[] = []
  readonly #asking = new Set<string>()
  readonly #waiting: { readonly until: number; readonly done: () => void }[] = []
  #now: Place = { number: -1, time: 0 }
  /** Before the block that was newest at the start nothing is done: what it needs may have been done. */
  #live = Number.POSITIVE_INFINITY
  #unfollow: (() => void) | undefined

  private constructor(parts: WatchtowerParts) {
    const { chain, store, confirmations = 12, margin = 1800, settles = false, minPeriod = 3600 } = parts
    this.#parts = parts
    this.#post = { court: domain(chain.chainId, chain.court), confirmations, margin, settles, minPeriod }
    this.#loop = new Loop({
      machine: (_wards: Wards, input: Input) => this.#step(input),
      state: this.#wards,
      store,
      speak: ({ id, output }) => this.#speak(id, output),
      onFailure: (why) => this.#fail(why),
      schedule: parts.schedule ?? setImmediate,
    })
  }

  /** A tower that goes on where its store says that it stopped; resolves when it has caught up with layer 1 for what it holds. */
  static async start(parts: WatchtowerParts): Promise<Watchtower> {
    const one = new Watchtower(parts)
    await one.#begin()
    return one
  }

  /** What binds signatures to this tower's court. */
  get court(): Post['court'] {
    return this.#post.court
  }

  /** How many channels are in its care, those included of which only the court has told. */
  get size(): number {
    return this.#wards.size
  }

  /**
   * Takes a state into care; resolves once it is durable. Not newer than the one held is success. Refuses
   * NotSignedByBoth, terms that no careful party takes, and what is more than the account may leave here.
   */
  async watch(channel: Channel, state: SignedState, account = ''): Promise<void> {
    await this.#give(channelId(this.court, channel), { kind: 'show', account, channel, state })
  }

  /** Takes a final state into care, to conclude when somebody challenges; resolves once it is durable. */
  async watchFinal(channel: Channel, final: SignedFinal, account = ''): Promise<void> {
    await this.#give(channelId(this.court, channel), { kind: 'final', account, channel, final })
  }

  /** Takes preimages that the client has released; resolves once they are durable. Refuses UnknownChannel. */
  async watchPreimages(id: Hex, preimages: readonly Hex[], account = ''): Promise<void> {
    await this.#give(id, { kind: 'preimages', account, preimages })
  }

  /** The terms of a channel in its care, undefined if nobody has shown it. */
  channelOf(id: Hex): Channel | undefined {
    return this.#wards.get(id)?.channel ?? undefined
  }

  /** The version held for a channel, undefined if none is. */
  held(id: Hex): bigint | undefined {
    return this.#wards.get(id)?.state?.version
  }

  /** Stops watching; the store stays the caller's to close. */
  stop(): void {
    this.#loop.stop()
    this.#unfollow?.()
  }

  async #begin(): Promise<void> {
    const { store, chain, since = 0 } = this.#parts
    this.#wards.restore(store)
    const through = (store.get('chain', 'through') ?? since - 1) as number
    this.#now = { number: through, time: 0 }
    const until = await chain.head()
    this.#live = until
    const caughtUp = new Promise<void>((done) => this.#waiting.push({ until, done }))
    this.#unfollow = chain.follow(through + 1, (input) => this.#loop.post({ chain: input }))
    this.#release()
    // Who holds nothing can take something before it has caught up: nothing is done for it until then.
    if (this.#wards.size > 0) await caughtUp
  }

  async #give(id: Hex, input: Gift): Promise<void> {
    await this.#loop.ask({ id, input })
  }

  #step(input: Input): Step<Wards, Output> {
    const turn: Turn = { rows: [], outputs: [] }
    if ('chain' in input) this.#onChain(turn, input.chain)
    else if ('revealed' in input) this.#onRevealed(turn, input.revealed)
    else {
      const { allowance = () => ALLOWANCE } = this.#parts
      this.#wards.admit(input.id, input.input, allowance(input.input.account))
      this.#advance(turn, input.id, input.input)
    }
    return { state: this.#wards, rows: turn.rows, outputs: this.#now.number < this.#live ? [] : turn.outputs }
  }

  #advance(turn: Turn, id: Hex, input: TowerInput): void {
    const had = this.#wards.get(id)
    const { state, rows, outputs } = tower(this.#post, this.#now, had, input)
    this.#wards.put(id, had, state, outputs.length > 0, state && nextLook(this.#post, this.#now, state))
    turn.rows.push(...rows)
    for (const output of outputs) turn.outputs.push({ id, output })
  }

  #onChain(turn: Turn, { kind, block }: L1Input<ChannelEvent>): void {
    const { number } = block
    if (kind === 'retract') this.#onRetract(turn, number)
    else if (number > this.#now.number) {
      this.#now = { number, time: Math.max(block.time, this.#now.time) }
      this.#onBlock(turn, this.#route(block.events))
      this.#release()
    }
  }

  #onBlock(turn: Turn, routed: ReadonlyMap<Hex, readonly ChannelEvent[]>): void {
    const { number, time } = this.#now
    this.#recent.push({ number, ids: new Set(routed.keys()) })
    const looked = new Set([...routed.keys(), ...this.#wards.restless, ...this.#wards.agenda.take(time)])
    for (const id of looked) this.#advance(turn, id, { kind: 'block', events: routed.get(id) ?? [] })
    if (this.#recent[0]!.number <= number - KEPT) this.#fold(turn, this.#recent.shift()!)
  }

  /** The events by the wards that they matter to. A clock is noted for everybody: its channel may be shown later. */
  #route(events: readonly ChannelEvent[]): ReadonlyMap<Hex, readonly ChannelEvent[]> {
    const routed = new Map<Hex, ChannelEvent[]>()
    for (const event of events) {
      for (const id of this.#concerned(event)) routed.set(id, [...(routed.get(id) ?? []), event])
    }
    return routed
  }

  #concerned(event: ChannelEvent): Iterable<Hex> {
    const verdict = verdictOf(event, this.#now)
    if (verdict) return this.#wards.byKey(verdict.key)
    if (!('id' in event)) return []
    const starts = event.name === 'Challenged' || event.name === 'Answered'
    return starts || this.#wards.get(event.id) ? [event.id] : []
  }

  #onRetract(turn: Turn, number: number): void {
    if (number !== this.#now.number) return
    this.#now = { ...this.#now, number: number - 1 }
    const last = this.#recent.at(-1)?.number === number ? this.#recent.pop() : undefined
    for (const id of last?.ids ?? []) this.#advance(turn, id, { kind: 'retract', number })
  }

  #fold(turn: Turn, { number, ids }: Recent): void {
    for (const id of ids) this.#advance(turn, id, { kind: 'fold', through: number })
    if (ids.size > 0 || number % QUIET === 0) turn.rows.push({ table: 'chain', key: 'through', value: number })
  }

  #onRevealed(turn: Turn, preimages: readonly Hex[]): void {
    for (const preimage of preimages) {
      for (const id of [...this.#wards.byKey(hashKey(preimage))]) {
        this.#recent.at(-1)?.ids.add(id)
        this.#advance(turn, id, { kind: 'revealed', preimages: [preimage] })
      }
    }
  }

  #release(): void {
    const { number } = this.#now
    const due = this.#waiting.filter(({ until }) => until <= number)
    for (const one of due) {
      this.#waiting.splice(this.#waiting.indexOf(one), 1)
      one.done()
    }
  }

  #speak(id: Hex, output: TowerOutput): void {
    // What a later block of the same turn has let go needs nothing any more.
    const ward = this.#wards.get(id)
    if (!ward || output.kind === 'released') return
    if (output.kind === 'reveal') this.#reveal(output.preimages)
    else {
      const version = ward.state?.version ?? 0n
      const told = (receipt: Receipt) => this.#parts.onAnswer?.(id, version, receipt)
      const { call } = output
      const until = usefulUntil(call, ward.docket.deadline, this.#now.time)
      this.#send(`${call.verb} ${id}`, call, until, call.verb === 'answer' ? told : () => undefined)
    }
  }

  readonly #revealing = new Set<Hex>()
  #gathering: Hex[] = []

  /** Preimages of all wards that are due in one turn go together, as many as fit into a transaction. */
  #reveal(preimages: readonly Hex[]): void {
    if (this.#gathering.length === 0) queueMicrotask(() => this.#revealAll())
    for (const preimage of preimages) {
      if (this.#revealing.has(preimage)) continue
      this.#revealing.add(preimage)
      this.#gathering.push(preimage)
    }
  }

  #revealAll(): void {
    const all = this.#gathering
    this.#gathering = []
    for (let at = 0; at < all.length; at += MAX_LOCKS) {
      const preimages = all.slice(at, at + MAX_LOCKS)
      const told = () => this.#loop.post({ revealed: preimages })
      const free = () => {
        for (const preimage of preimages) this.#revealing.delete(preimage)
      }
      this.#send(`reveal ${preimages[0]}`, { verb: 'reveal', preimages }, this.#now.time, told, free)
    }
  }

  #send(
    name: string,
    call: ChannelCall,
    until: number | undefined,
    told: (receipt: Receipt) => void,
    free = () => {},
  ): void {
    if (this.#asking.has(name)) return
    this.#asking.add(name)
    this.#parts.chain
      .send(call, until)
      .then((receipt) => {
        told(receipt)
        this.#parts.onMined?.(call.verb, receipt)
      })
      .catch((why) => {
        if (!(why instanceof Refusal && BENIGN.has(why.code))) this.#parts.onFault?.(why)
      })
      .finally(() => {
        this.#asking.delete(name)
        free()
      })
  }

  #fail(why: unknown): void {
    this.#unfollow?.()
    this.#parts.onFault?.(why)
  }
}
