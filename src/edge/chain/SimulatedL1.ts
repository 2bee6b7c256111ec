import { type Credits, creditKey } from '../../core/base/Asset.ts'
import { ETHER, type Hex, uint } from '../../core/base/Bytes.ts'
import type { Court, Transfer } from '../../core/base/Court.ts'
import { keccakText } from '../../core/base/Signature.ts'
import type { L1Block, L1Input } from '../../core/base/Step.ts'
import { hashLock, type VerdictEvent, type Verdicts, verdictKey } from '../../core/base/Verdicts.ts'
import { Fault } from '../Fault.ts'
import type { Chain, Creditor, Receipt, Registry } from './Chain.ts'
import { capAt, type Fees, type GasPolicy, offered, raised } from './Fees.ts'
import { type Ledger, ledger } from './Ledger.ts'

/** Runs a function soon: a microtask, or a simulated world's queue. */
export type Schedule = (run: () => void) => void

/** How a simulated layer 1 starts. */
export interface SimulatedOptions {
  readonly chainId?: bigint
  /** Seconds of block 0, and between blocks unless told otherwise (12). */
  readonly time?: number
  readonly interval?: number
  /** Hands blocks to their followers; a microtask unless given. */
  readonly schedule?: Schedule
  /** Whether a call is mined as soon as it was sent, in a block of its own. */
  readonly automine?: boolean
  /** Whether a push of `asset` to `to` fails; never unless given. */
  readonly refuses?: (asset: Hex, to: Hex) => boolean
  /** Wei per gas of the block at `time`; 1 gwei unless given. */
  readonly baseFee?: (time: number) => bigint
  /** What senders pay for gas: a call waits while the base fee is above its offer, which rises by this policy. Anything unless given. */
  readonly gas?: GasPolicy
}

/** A call that waits to be mined. */
export interface Pending {
  readonly court: Hex
  readonly sender: Hex
  readonly call: unknown
}

/** How blocks replace those that a reorg takes back. */
export interface Fork {
  /** The calls of the lost blocks that are mined again, in this order, in the first new block; all of them unless given. */
  readonly remine?: (lost: readonly Pending[]) => readonly Pending[]
  /** How many blocks come instead: one more than were lost unless given. */
  readonly blocks?: number
}

/** A court on a simulated layer 1. */
export interface SimulatedCourt<State, Call, Event> {
  readonly address: Hex
  /** The model's state after the newest block. */
  state(): State
  /** The chain as the client with address `sender` sees it; its own `schedule` may lag behind the others'. */
  connect(sender: Hex, schedule?: Schedule): Chain<Call, Event> & Creditor & Registry
}

/** A layer 1 in memory: deterministic, its time virtual, its courts pure models, its money conserved. */
export interface SimulatedL1 {
  readonly chainId: bigint
  /** What every account and court holds. */
  readonly money: Ledger
  /** Number, hash and time of the newest block. */
  head(): { readonly number: number; readonly hash: Hex; readonly time: number }
  pending(): readonly Pending[]
  /**
   * Puts a court's model at an address. `callValue` is the wei that a client attaches to a call at a base fee; 0 unless
   * given. `registry` is the address of the registry of preimages that it goes by, whose events its followers are told.
   */
  deploy<State, Call, Event>(
    address: Hex,
    court: Court<State, Call, Event>,
    state: State,
    callValue?: (call: Call, baseFee: bigint, sender: Hex) => bigint,
    registry?: Hex,
  ): SimulatedCourt<State, Call, Event>
  /** Mines one block at `time` (the interval after the last unless given) with the `picked` calls, all unless given. */
  mine(time?: number, picked?: readonly Pending[]): void
  /** Forgets a pending call: its sender is told that it was dropped. */
  drop(one: Pending): void
  /** Takes back the newest `depth` blocks, newest first, and mines others instead. */
  reorg(depth: number, fork?: Fork): void
}

interface Site {
  readonly court: Court<unknown, unknown, unknown>
  readonly callValue: (call: unknown, baseFee: bigint, sender: Hex) => bigint
  readonly registry: Hex | undefined
  readonly followers: Set<(input: L1Input<unknown>) => void>
  state: unknown
}

interface Waiting extends Pending {
  readonly hash: Hex
  readonly deadline: number | undefined
  /** What it offers since which block, if gas has a price here. */
  offer: { readonly fees: Fees; readonly at: number } | undefined
  readonly done: (receipt: Receipt) => void
  readonly failed: (why: unknown) => void
}

/** A block with what undoes it. */
interface Mined {
  readonly block: Omit<L1Block<unknown>, 'events'>
  readonly events: ReadonlyMap<Hex, readonly unknown[]>
  readonly calls: readonly Waiting[]
  readonly transfers: readonly Transfer[]
  readonly before: ReadonlyMap<Hex, unknown>
}

/** A fresh layer 1 with its block 0. */
export function simulatedL1(options: SimulatedOptions = {}): SimulatedL1 {
  return new Simulation(options)
}

class Simulation implements SimulatedL1 {
  readonly chainId: bigint
  readonly money = ledger()
  readonly #options: SimulatedOptions
  readonly #sites = new Map<Hex, Site>()
  readonly #chain: Mined[] = []
  #waiting: Waiting[] = []
  #serial = 0
  #sent = 0

  constructor(options: SimulatedOptions) {
    this.#options = options
    this.chainId = options.chainId ?? 31337n
    const genesis = { number: 0, hash: this.#hash(), parent: uint(0, 32), time: options.time ?? 1_800_000_000 }
    this.#chain.push({ block: genesis, events: new Map(), calls: [], transfers: [], before: new Map() })
  }

  head(): Mined['block'] {
    return this.#chain.at(-1)!.block
  }

  pending(): readonly Pending[] {
    return [...this.#waiting]
  }

  deploy<State, Call, Event>(
    address: Hex,
    court: Court<State, Call, Event>,
    state: State,
    callValue: (call: Call, baseFee: bigint, sender: Hex) => bigint = () => 0n,
    registry?: Hex,
  ): SimulatedCourt<State, Call, Event> {
    const site = { court, callValue, registry, followers: new Set(), state } as unknown as Site
    this.#sites.set(address, site)
    return {
      address,
      state: () => site.state as State,
      connect: (sender, schedule) =>
        this.#connect(address, sender, schedule) as Chain<Call, Event> & Creditor & Registry,
    }
  }

  mine(time = this.head().time + (this.#options.interval ?? 12), picked: readonly Pending[] = this.#waiting): void {
    if (time <= this.head().time) throw new RangeError(`a block at ${time} is not after ${this.head().time}`)
    const calls = (picked as readonly Waiting[]).filter((one) => this.#pays(one, time))
    this.#waiting = this.#waiting.filter((one) => !calls.includes(one))
    const mined = this.#execute(calls, time)
    this.#chain.push(mined)
    this.#tell('block', mined)
  }

  drop(one: Pending): void {
    this.#waiting = this.#waiting.filter((other) => other !== one)
    ;(one as Waiting).failed(new Fault('Dropped', 'the transaction left the pool without being mined; send it again'))
  }

  reorg(depth: number, { remine = (lost) => lost, blocks = depth + 1 }: Fork = {}): void {
    if (depth >= this.#chain.length) throw new RangeError(`there are no ${depth} blocks to take back`)
    const lost = this.#chain.splice(this.#chain.length - depth).reverse()
    for (const mined of lost) this.#undo(mined)
    const times = lost.map(({ block }) => block.time).reverse()
    const calls = lost.reverse().flatMap((mined) => mined.calls)
    for (let i = 0; i < blocks; i++) this.mine(times[i], i === 0 ? remine(calls) : [])
  }

  /** Whether a call offers what the block at `time` costs, after its sender has seen the block before. */
  #pays(one: Waiting, time: number): boolean {
    const { gas, baseFee = () => 1_000_000_000n } = this.#options
    if (!gas) return true
    const { number, time: now } = this.head()
    const base = baseFee(now)
    const market = { base, next: base, tip: gas.tip }
    const cap = capAt(gas, one.deadline, now)
    const { fees, at } = one.offer ?? { fees: undefined, at: number }
    const better = fees ? raised(fees, number - at, market, gas, cap) : offered(market, gas, cap)
    if (better) one.offer = { fees: better, at: number }
    return one.offer !== undefined && one.offer.fees.maxFeePerGas >= baseFee(time)
  }

  #undo(mined: Mined): void {
    this.money.undo(mined.transfers)
    for (const [address, state] of mined.before) this.#sites.get(address)!.state = state
    this.#tell('retract', mined)
  }

  #execute(calls: readonly Waiting[], time: number): Mined {
    const { number, hash: parent } = this.head()
    const block = { number: number + 1, hash: this.#hash(), parent, time }
    const before = new Map([...this.#sites].map(([address, site]) => [address, site.state]))
    const events = new Map<Hex, unknown[]>()
    const transfers: Transfer[] = []
    for (const one of calls) {
      try {
        const ruling = this.#rule(one, time)
        this.money.move(ruling.transfers)
        transfers.push(...ruling.transfers)
        this.#sites.get(one.court)!.state = ruling.state
        events.set(one.court, [...(events.get(one.court) ?? []), ...ruling.events])
        one.done({ hash: one.hash, block: block.number, gasUsed: 0n })
      } catch (why) {
        one.failed(why)
      }
    }
    return { block, events, calls, transfers, before }
  }

  /** What the court would answer to a call at `time`; changes nothing. */
  #rule({ court: address, sender, call }: Pending, time: number) {
    const site = this.#sites.get(address)!
    const { refuses = () => false, baseFee: feeAt = () => 1_000_000_000n } = this.#options
    const baseFee = feeAt(time)
    const value = site.callValue(call, baseFee, sender)
    if (this.money.balance(ETHER, sender) < value) throw poor(sender, this.money.balance(ETHER, sender), value)
    const revealedAt = (hash: Hex) => this.#verdictsOf(address)?.get(verdictKey(ETHER, hash))?.time ?? 0
    const ruling = site.court(site.state, call, { sender, value, time, baseFee, refuses, revealedAt })
    const entered = ruling.transfers.filter(({ asset, to }) => asset === ETHER && to === address)
    const sum = entered.reduce((total, { amount }) => total + amount, 0n)
    if (sum !== value) throw new Error(`the model at ${address} took ${sum} wei of ${value} that were sent`)
    for (const { from, to } of ruling.transfers) {
      if (from !== address && to !== address) throw new Error(`the model at ${address} moved money between others`)
    }
    return ruling
  }

  #connect(
    court: Hex,
    sender: Hex,
    schedule = this.#options.schedule ?? queueMicrotask,
  ): Chain<unknown, unknown> & Creditor & Registry {
    return {
      chainId: this.chainId,
      court,
      sender,
      head: async () => this.head().number,
      verdict: async (condition, key, at = this.head().number) => {
        const found = this.#verdictsOf(court)?.get(verdictKey(condition, key))
        return found && found.time <= this.#chain[at]!.block.time ? found : undefined
      },
      follow: (from, sink, origin) => this.#follow(court, from, sink, schedule, origin === from),
      send: (call, deadline, onSent) => this.#send({ court, sender, call }, deadline, onSent),
      reveal: (preimages, deadline) => {
        const to = this.#sites.get(court)!.registry ?? court
        return this.#send({ court: to, sender, call: { verb: 'reveal', preimages } }, deadline)
      },
      credit: async (asset, owner) => this.#creditsOf(court).get(creditKey(asset, owner)) ?? 0n,
    }
  }

  /** The verdicts of a court's registry, or its own. */
  #verdictsOf(court: Hex): Verdicts | undefined {
    const { registry = court } = this.#sites.get(court)!
    return (this.#sites.get(registry)?.state as { readonly verdicts?: Verdicts } | undefined)?.verdicts
  }

  /** Every court's model that pays keeps credits under this name. */
  #creditsOf(court: Hex): Credits {
    return (this.#sites.get(court)!.state as { readonly credits?: Credits }).credits ?? new Map()
  }

  #follow(
    court: Hex,
    from: number,
    sink: (input: L1Input<unknown>) => void,
    schedule: Schedule,
    isNew: boolean,
  ): () => void {
    const earlier = isNew ? this.#chain.slice(0, from).flatMap((mined) => this.#heard(mined, court)) : []
    const { followers } = this.#sites.get(court)!
    const follower = (input: L1Input<unknown>) => {
      schedule(() => {
        const { block } = input
        if (block.number < from || !followers.has(follower)) return
        sink(block.number === from ? { ...input, block: { ...block, events: [...earlier, ...block.events] } } : input)
      })
    }
    followers.add(follower)
    for (const mined of this.#chain) follower({ kind: 'block', block: this.#seen(mined, court) })
    return () => {
      followers.delete(follower)
    }
  }

  async #send(one: Pending, deadline?: number, onSent?: (hash: Hex) => void): Promise<Receipt> {
    const { transfers } = this.#rule(one, this.head().time + 1)
    this.money.move(transfers)
    this.money.undo(transfers)
    return new Promise((done, failed) => {
      const hash = keccakText(`call ${this.#sent++} of chain ${this.chainId}`)
      const waiting: Waiting = { ...one, hash, deadline, offer: undefined, done, failed }
      this.#waiting.push(waiting)
      onSent?.(hash)
      if (this.#options.automine) this.mine(undefined, [waiting])
    })
  }

  #tell(kind: 'block' | 'retract', mined: Mined): void {
    for (const [address, { followers }] of this.#sites) {
      for (const follower of followers) follower({ kind, block: this.#seen(mined, address) })
    }
  }

  /** A block with a court's events in it, and what its registry heard. */
  #seen(mined: Mined, court: Hex): L1Block<unknown> {
    return { ...mined.block, events: [...(mined.events.get(court) ?? []), ...this.#heard(mined, court)] }
  }

  /** What a court's registry heard in a block. */
  #heard({ block, events }: Mined, court: Hex): readonly unknown[] {
    const { registry } = this.#sites.get(court)!
    const heard = registry === undefined ? [] : ((events.get(registry) ?? []) as readonly VerdictEvent[])
    return heard.flatMap((one) => (one.name === 'Revealed' ? [revealed(one.preimage, block.time)] : []))
  }

  #hash(): Hex {
    return keccakText(`block ${this.#serial++} of chain ${this.chainId}`)
  }
}

function revealed(preimage: Hex, time: number) {
  return { name: 'Revealed', hash: hashLock(preimage), time }
}

function poor(owner: Hex, have: bigint, need: bigint): Fault {
  return new Fault('InsufficientFunds', `${owner} has ${have} wei and needs ${need}; send it ether first`)
}
