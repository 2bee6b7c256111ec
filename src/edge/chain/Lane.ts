import type { Signer } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'
import { Fault } from '../Fault.ts'
import type { Receipt } from './Chain.ts'
import { capAt, type Fees, type GasPolicy, offered, raised } from './Fees.ts'
import { balanceOf, type Now, now, poor } from './Gas.ts'
import { type Node, quantity, unreachable } from './Node.ts'
import { type Offer, publish, type Version } from './Pool.ts'

/** Whose transactions are sent, and how. */
export interface LaneParts {
  readonly node: Node
  readonly name: string
  readonly sender: Hex
  readonly signer: Signer
  readonly gas: GasPolicy
  /** Milliseconds between looks at what is on its way. */
  readonly interval: number
  /** For how many blocks a mined transaction is sent again if a reorg takes it back. */
  readonly resend: number
  /** Told once an outage, and of what nobody waits for any more. */
  readonly onFault: (fault: Fault) => void
}

/** A call to bring into a block. */
export interface Job {
  readonly parts: LaneParts
  /** The last second in which it is of use; it can wait if absent. */
  readonly deadline: number | undefined
  /** Checks it against the chain as it is: throws what refuses it; undefined if gas costs more than may be paid now. */
  prepare(at: Now): Promise<Offer | undefined>
  /** The same call at another base fee and price. */
  again(offer: Offer, base: bigint, fees: Fees): Offer
  /** What became of it, by the receipt of its transaction: an error if it failed. */
  judge(offer: Offer, hash: Hex, receipt: Record<string, Hex>): Promise<Receipt | Error>
  /** The hash of each version of its transaction, once a pool may have it. */
  sent(hash: Hex): void
  done(receipt: Receipt): void
  failed(why: unknown): void
}

/** A nonce that was given away. */
interface Flight {
  readonly job: Job
  readonly nonce: number
  /** The oldest first. */
  versions: readonly Version[]
  /** What the node says that it has not taken: should it be mined all the same, it is ours. */
  denied: readonly Version[]
  /** The newest block that is known to be without it. */
  free: number
  /** The block that has it. */
  mined: number | undefined
}

/** How many looks until the next one whether the node still has a transaction, if no block comes. */
const PATIENCE = 20
/** How far back the block is searched that has a nonce. */
const BACK = 16
/** Milliseconds that are waited at most between two looks. */
const LONGEST = 10_000
/** What a pool says of a transaction that it will not take later either. */
const DEFINITE: ReadonlySet<string> = new Set(['poor', 'reverts', 'refused'])
/** What it says of a replacement that it has not taken. */
const DENIED: ReadonlySet<string> = new Set(['poor', 'refused', 'used', 'cheap'])
/** Gas of a transaction that only uses up a nonce; the sender may have code (EIP-7702). */
const IDLE_GAS = 60_000n

const lanes = new WeakMap<Node, Map<Hex, Lane>>()

/** The lane of a sender on a node: one for all who send for it. */
export function laneOf({ node, sender }: Pick<LaneParts, 'node' | 'sender'>): Lane {
  const ofNode = lanes.get(node) ?? new Map<Hex, Lane>()
  lanes.set(node, ofNode)
  const lane = ofNode.get(sender) ?? new Lane(node, sender)
  ofNode.set(sender, lane)
  return lane
}

/**
 * The transactions of one account in the order of their nonces. Each is kept in the pool, and replaced by one that offers
 * more, until it is mined; a nonce that somebody else uses is given up for a new one; a nonce that nobody uses, or
 * somebody else's stuck transaction, is used up so that what stands behind it gets on.
 */
export class Lane {
  readonly #node: Node
  readonly #sender: Hex
  readonly #flights = new Map<number, Flight>()
  /** No nonce below this one is given away: somebody else's transaction has it. */
  #floor = 0
  #turn: Promise<unknown> = Promise.resolve()
  #parts: LaneParts | undefined
  #looking = false
  #timer: NodeJS.Timeout | undefined
  #looks = 0
  #failures = 0
  #isOut = false
  #seen: Hex | undefined
  /** Whether a reorg may have taken back what was mined. */
  #doubted = false
  /** The nonce before all of ours that nobody uses, and since which block. */
  #gap: { readonly nonce: number; readonly since: number } | undefined
  #complained: number | undefined

  constructor(node: Node, sender: Hex) {
    this.#node = node
    this.#sender = sender
  }

  /** Brings a call into a block; the job hears how it ends, unless it is refused before it is sent: then this throws. */
  async send(job: Job): Promise<void> {
    this.#parts = job.parts
    for (;;) {
      const turn = this.#turn.then(() => this.#launch(job))
      this.#turn = turn.catch(() => undefined)
      if (await turn) break
      await pause(Math.min(20 * job.parts.interval, LONGEST))
    }
    this.#wake(job.parts.interval)
  }

  /** Blocks were taken back: looks whether what was mined still is. */
  doubt(): void {
    if (this.#flights.size === 0) return
    this.#doubted = true
    this.#wake(0)
  }

  /** Sends a call for the first time; false if gas costs more now than may be paid. */
  async #launch(job: Job): Promise<boolean> {
    const at = await now(this.#node)
    const offer = await job.prepare(at)
    while (offer) {
      const nonce = await this.#nonce()
      const { version, said, why } = await publish(job.parts, nonce, offer, at.number)
      if (said === 'underpriced' || (said === 'used' && !version)) this.#floor = nonce + 1
      else if (!version || DEFINITE.has(said)) throw why
      else {
        this.#add(job, nonce, version)
        return true
      }
    }
    return false
  }

  #add(job: Job, nonce: number, version: Version): void {
    this.#flights.set(nonce, { job, nonce, versions: [version], denied: [], free: version.at, mined: undefined })
    job.sent(version.hash)
  }

  /** The node counts what it holds; what flies and it has lost sight of still counts. */
  async #nonce(): Promise<number> {
    const counted = await this.#count('pending')
    return Math.max(counted, this.#floor, ...[...this.#flights.keys()].map((one) => one + 1))
  }

  async #count(at: 'latest' | 'pending'): Promise<number> {
    return Number(await this.#node.send('eth_getTransactionCount', [this.#sender, at]))
  }

  /** Looks after a while, or earlier if that was planned, and again until nothing is on its way. */
  #wake(wait: number): void {
    if (this.#looking || (this.#timer && wait > 0)) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#looking = true
      this.#look().finally(() => {
        this.#looking = false
        const { interval } = this.#parts!
        const pace = this.#failures === 0 ? interval : Math.min(interval * 2 ** this.#failures, LONGEST)
        if (this.#flying().length > 0 || this.#doubted) this.#wake(pace)
      })
    }, wait)
  }

  /** What is not mined, in the order of nonces. */
  #flying(): readonly Flight[] {
    const flying = [...this.#flights.values()].filter(({ mined }) => mined === undefined)
    return flying.sort((a, b) => a.nonce - b.nonce)
  }

  /** One look at everything that is on its way. What was sent is out of our hands: whatever fails is tried again. */
  async #look(): Promise<void> {
    let at: Now
    let count: number
    try {
      ;[at, count] = [await now(this.#node), await this.#count('latest')]
      this.#failures = 0
    } catch (why) {
      this.#failures++
      this.#fault(why)
      return
    }
    const isWhole = await this.#tend(at, count)
    if (isWhole) this.#isOut = false
    for (const { nonce, mined, job } of [...this.#flights.values()]) {
      if (mined !== undefined && at.number - mined >= job.parts.resend) this.#flights.delete(nonce)
    }
  }

  /** Whether everything could be done. */
  async #tend(at: Now, count: number): Promise<boolean> {
    const [below, above] = [(one: Flight) => one.nonce < count, (one: Flight) => one.nonce >= count]
    const flights = [...this.#flights.values()]
    for (const flight of flights.filter(above)) this.#unland(flight, at)
    const used = flights.filter(below).filter(({ mined }) => mined === undefined || this.#doubted)
    const landed = await this.#each(used, (flight) => this.#land(flight, at))
    if (landed) this.#doubted = false
    const flying = this.#flying().filter(above)
    if (at.hash === this.#seen && ++this.#looks % PATIENCE !== 0) return landed
    const gap = flying.slice(0, 1).filter(({ nonce }) => nonce > count)
    if (gap.length === 0) this.#gap = undefined
    const filled = await this.#each(gap, () => this.#fill(count, at))
    const kept = await this.#each(flying, (flight) => this.#keep(flight, at))
    if (kept) this.#seen = at.hash
    return landed && filled && kept
  }

  async #each(flights: readonly Flight[], run: (flight: Flight) => Promise<unknown>): Promise<boolean> {
    let all = true
    for (const flight of flights) {
      await run(flight).catch((why) => {
        all = false
        this.#fault(why)
      })
    }
    return all
  }

  /** Tells of an outage once. */
  #fault(why: unknown): void {
    const { onFault, name } = this.#parts!
    if (!this.#isOut) onFault(why instanceof Fault ? why : unreachable(name, why))
    this.#isOut = true
  }

  /** What is not mined: if it was, it waits anew. */
  #unland(flight: Flight, at: Now): void {
    flight.free = at.number
    if (flight.mined === undefined) return
    flight.mined = undefined
    flight.versions = flight.versions.map((one) => ({ ...one, at: at.number }))
  }

  /** A nonce is used up: by a version of ours, which then ends the flight, or by somebody else. */
  async #land(flight: Flight, at: Now): Promise<void> {
    const { job, nonce } = flight
    const versions = [...flight.denied, ...flight.versions].reverse()
    for (const { hash, offer } of versions) {
      const receipt = (await this.#node.send('eth_getTransactionReceipt', [hash])) as Record<string, Hex> | null
      if (!receipt) continue
      const outcome = await job.judge(offer, hash, receipt)
      flight.mined = Number(receipt.blockNumber)
      if (!(outcome instanceof Error)) return job.done(outcome)
      this.#flights.delete(nonce)
      return job.failed(outcome)
    }
    const taker = await this.#taker(flight, at)
    // Without a sight of the other transaction the node may only be behind with its receipts.
    if (taker === undefined || versions.some(({ hash }) => hash === taker)) return
    this.#flights.delete(nonce)
    this.send(job).catch((why) => job.failed(why))
  }

  /** The hash of this sender's transaction with a flight's nonce, if the newest blocks have it. */
  async #taker({ nonce, free }: Flight, at: Now): Promise<Hex | undefined> {
    for (let number = Math.max(0, Math.min(free, at.number) - BACK); number <= at.number; number++) {
      const block = (await this.#node.send('eth_getBlockByNumber', [quantity(number), true])) as FullBlock | null
      const found = block?.transactions.find((one) => one.from === this.#sender && Number(one.nonce) === nonce)
      if (found) return found.hash
    }
    return undefined
  }

  /** Uses up a nonce that is not ours, once it has kept ours waiting for as long as one of ours waits to be replaced. */
  async #fill(nonce: number, at: Now): Promise<void> {
    if (this.#gap?.nonce !== nonce) this.#gap = { nonce, since: at.number }
    const parts = this.#parts!
    const wait = parts.gas.bumpAfterBlocks
    if (at.number - this.#gap.since < wait) return
    const cap = this.#cap(nonce, at)
    let fees = offered(at.market, parts.gas, cap)
    // Pools do not tell what the stuck one offers: they say no until this one offers enough.
    while (fees) {
      const offer = { to: this.#sender, data: '0x', value: 0n, gasLimit: IDLE_GAS, fees } as const
      const { version, said } = await publish(parts, nonce, offer, at.number)
      if (version && said !== 'underpriced') return this.#add(idle(parts), nonce, version)
      fees = said === 'underpriced' ? raised(fees, wait, at.market, parts.gas, cap) : undefined
    }
  }

  /** The most that a nonce may offer: as much as the most urgent one that waits for it. */
  #cap(nonce: number, at: Now): bigint {
    const caps = this.#flying()
      .filter((one) => one.nonce >= nonce)
      .map(({ job: { parts, deadline } }) => capAt(parts.gas, deadline, at.time))
    return caps.reduce((most, cap) => (cap > most ? cap : most), 0n)
  }

  /** Sees to it that a pool has a transaction, and that it offers enough. */
  async #keep(flight: Flight, at: Now): Promise<void> {
    const { job, versions, nonce } = flight
    const newest = versions.at(-1)!
    const cap = this.#cap(nonce, at)
    const fees = raised(newest.offer.fees, at.number - newest.at, at.market, job.parts.gas, cap)
    if (fees) return this.#replace(flight, job.again(newest.offer, at.market.base, fees), cap, at)
    if (await this.#node.send('eth_getTransactionByHash', [newest.hash])) return
    const { version } = await publish(job.parts, nonce, newest.offer, newest.at, newest.raw)
    if (version && version.hash !== newest.hash) flight.versions = [...versions, version]
  }

  async #replace(flight: Flight, wanted: Offer, cap: bigint, at: Now): Promise<void> {
    const { job, versions, nonce } = flight
    const newest = versions.at(-1)!
    const have = await balanceOf(this.#node, this.#sender)
    const bearable = (have - wanted.value) / wanted.gasLimit
    const { fees: old } = newest.offer
    const fees = raised(old, at.number - newest.at, at.market, job.parts.gas, bearable < cap ? bearable : cap)
    const put = fees && (await publish(job.parts, nonce, { ...wanted, fees }, at.number))
    if (!put || put.said === 'poor') this.#complain(flight, poor(this.#sender, have, wanted))
    if (put?.version && !DENIED.has(put.said)) {
      flight.versions = [...versions, put.version]
      job.sent(put.version.hash)
      return
    }
    // It is tried again after as many blocks.
    flight.versions = [...versions.slice(0, -1), { ...newest, at: at.number }]
    if (put?.version) flight.denied = [...flight.denied, put.version]
  }

  #complain({ nonce, job }: Flight, fault: Fault): void {
    if (this.#complained === nonce) return
    this.#complained = nonce
    job.parts.onFault(fault)
  }
}

interface FullBlock {
  readonly transactions: readonly { readonly from: Hex; readonly nonce: Hex; readonly hash: Hex }[]
}

/** A job that nobody waits for: its transaction does nothing. */
function idle(parts: LaneParts): Job {
  return {
    parts,
    deadline: undefined,
    // If somebody else uses the nonce up, that is as good.
    prepare: () => Promise.reject(new Error('nothing to send')),
    again: (offer, _base, fees) => ({ ...offer, fees }),
    judge: async (_offer, hash, { blockNumber, gasUsed }) => {
      return { hash, block: Number(blockNumber), gasUsed: BigInt(gasUsed!) }
    },
    sent: () => undefined,
    done: () => undefined,
    failed: () => undefined,
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds))
}
