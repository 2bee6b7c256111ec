import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { addressOf, domain } from '../../src/core/base/Signature.ts'
import { type L1Block, type Plain, Refusal, type Row } from '../../src/core/base/Step.ts'
import { adjudicate } from '../../src/core/channel/Adjudicator.ts'
import type { ChannelCall, ChannelEvent } from '../../src/core/channel/Call.ts'
import { type Channel, channelId, finalState, type Side, stateDigest } from '../../src/core/channel/Channel.ts'
import type { Message } from '../../src/core/channel/Message.ts'
import { type PackedPaid, type SavedHistory, unpackHistory } from '../../src/core/channel/Packed.ts'
import { type PeerInput, peer } from '../../src/core/channel/Peer.ts'
import { type PeerEvent, type PeerOutput, type PeerState, type Seat, seat } from '../../src/core/channel/PeerState.ts'
import { type ChannelCourt, newCourt } from '../../src/core/channel/Record.ts'
import { collect, restore } from '../../src/core/channel/Saved.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'

export const PERIOD = 3600
export const PATIENCE = 600
const INTERVAL = 12

const LOW = uint(101, 32)
const HIGH = uint(102, 32)
/** Keys whose addresses are in order: the first is the writer's. */
export const KEYS = addressOf(LOW) < addressOf(HIGH) ? ([LOW, HIGH] as const) : ([HIGH, LOW] as const)
export const WRITER = 'a'
const owners = { a: uint(0xa1, 20), b: uint(0xb1, 20) }

/** The terms of every duel: A is the writer. */
export const CHANNEL: Channel = {
  a: { owner: owners.a, signer: addressOf(KEYS[0]) },
  b: { owner: owners.b, signer: addressOf(KEYS[1]) },
  asset: ETHER,
  challengePeriod: PERIOD,
  bond: 0n,
  salt: uint(7, 32),
}
export const COURT = domain(31337n, uint(0xc0de, 20))
export const ID = channelId(COURT, CHANNEL)

/** Where a crash comes: before anything is stored, before anything is said, or after so many outputs. */
export type CrashPoint = 'computed' | 'stored' | number

/** A layer 1 with one court, in plain calls: blocks, and reorgs that take them back. */
export class Chain {
  readonly blocks: { readonly block: L1Block<ChannelEvent>; readonly before: ChannelCourt }[] = []
  court: ChannelCourt = newCourt(COURT)
  #serial = 0

  get time(): number {
    return this.blocks.at(-1)?.block.time ?? 1_800_000_000
  }

  /** Mines the calls that the court takes; the others are as if never sent. */
  mine(
    calls: readonly { readonly sender: Hex; readonly call: ChannelCall }[],
    time = this.time + INTERVAL,
  ): L1Block<ChannelEvent> {
    const before = this.court
    const events = calls.flatMap(({ sender, call }) => {
      const value = call.verb === 'deposit' ? call.amount : 0n
      try {
        const ruling = adjudicate(this.court, call, { sender, value, time, baseFee: 1n, refuses: () => false })
        this.court = ruling.state
        return ruling.events
      } catch (why) {
        if (why instanceof Refusal) return []
        throw why
      }
    })
    const parent = this.blocks.at(-1)?.block.hash ?? uint(0, 32)
    const block = { number: this.blocks.length, hash: uint(++this.#serial, 32), parent, time, events }
    this.blocks.push({ block, before })
    return block
  }

  /** Takes the newest block back. */
  retract(): L1Block<ChannelEvent> {
    const { block, before } = this.blocks.pop()!
    this.court = before
    return block
  }
}

/** One side: its machine's state in memory, its rows on disk, what it has told and what it has signed. */
export class Fighter {
  readonly seat: Seat
  readonly told: PeerEvent[] = []
  readonly calls: ChannelCall[] = []
  readonly disputes: string[] = []
  store: Store = memoryStore()
  state: PeerState
  readonly #duel: Duel

  constructor(duel: Duel, side: Side, confirmations: number) {
    this.#duel = duel
    const key = KEYS[side === 'a' ? 0 : 1]
    const parts = { court: COURT, channel: CHANNEL, key, confirmations, patience: PATIENCE, since: 0 }
    this.seat = seat({ ...parts, sender: CHANNEL[side].owner })
    this.state = restore(this.seat)
  }

  /** Takes an input; with a crash point, dies there and comes back from its disk. */
  take(input: PeerInput, crash?: CrashPoint): void {
    const { state, rows, outputs } = peer(this.seat, this.state, input)
    if (crash !== 'computed') this.store.commit(rows)
    this.state = state
    if (crash === undefined) this.#speak(outputs)
    else {
      if (typeof crash === 'number') this.#speak(outputs.slice(0, crash))
      this.revive()
    }
  }

  #speak(outputs: readonly PeerOutput[]): void {
    for (const output of outputs) {
      if (output.kind === 'send') this.#duel.sent(this.seat.side, output.message)
      else if (output.kind === 'drop') this.#duel.cut()
      else if (output.kind === 'call') this.calls.push(output.call)
      else if (output.kind === 'event') this.told.push(output.event)
    }
  }

  /** Starts again from the disk, or from an older copy of it; the connection is gone. */
  revive(disk: Store = this.store): void {
    this.store = disk
    this.calls.length = 0
    this.#duel.lose(this.seat.side)
    this.state = restore(
      this.seat,
      collect(
        (table) => disk.all(table),
        (table, key) => disk.get(table, key),
      ).get(ID),
    )
    for (const { block } of this.#duel.chain.blocks) this.take({ kind: 'chain', chain: { kind: 'block', block } })
  }

  /** A copy of the disk as it is now. */
  copy(): Store {
    const copy = memoryStore()
    for (const table of TABLES) {
      copy.commit(this.store.all(table).map(([key, value]): Row => ({ table, key, value })))
    }
    return copy
  }

  /** What became of this side's payments, by id: as the disk says. */
  outcomes(): ReadonlyMap<string, Plain> {
    const mine = `${ID}/${this.seat.side}/`
    return new Map(this.store.all('payment').filter(([key]) => key.startsWith(mine)))
  }

  /** What this side's own books say that it gained in the channel: received less paid. */
  gained(): bigint {
    let sum = 0n
    for (const [key, value] of this.store.all('history')) {
      const batch = this.store.get('batch', key) as unknown as PackedPaid | undefined
      const { paid } = unpackHistory(value as unknown as SavedHistory, batch)
      for (const { payer, pay } of paid) sum += payer === this.seat.side ? -pay.amount : pay.amount
    }
    return sum
  }
}

const TABLES = [
  'complete',
  'proposal',
  'batch',
  'funds',
  'court',
  'end',
  'finished',
  'pending',
  'history',
  'payment',
  'withdrawal',
  'lock',
  'payload',
  'preimage',
]

/** Two sides of one channel, a wire between them that loses only its end, and a layer 1 under both. */
export class Duel {
  readonly chain = new Chain()
  readonly a: Fighter
  readonly b: Fighter
  readonly wire: Record<Side, Message[]> = { a: [], b: [] }
  /** Everything each side ever said, in order. */
  readonly said: Record<Side, Message[]> = { a: [], b: [] }
  up = false
  /** A side that may sign what it likes, as often as it likes. */
  liar: Side | undefined
  readonly #signed = new Map<string, Hex>()
  #serial = 0
  #peak = 0

  constructor(confirmations = 2) {
    this.a = new Fighter(this, 'a', confirmations)
    this.b = new Fighter(this, 'b', confirmations)
  }

  /** Both have deposited, final in the view of both, and are connected. */
  static opened(funds: bigint, confirmations = 2): Duel {
    const duel = new Duel(confirmations)
    duel.deposit('a', funds)
    duel.deposit('b', funds)
    for (let i = 0; i < confirmations; i++) duel.mine()
    duel.connect()
    duel.settleDown()
    return duel
  }

  side(side: Side): Fighter {
    return side === 'a' ? this.a : this.b
  }

  /** A side says a message: kept, checked for a second signature of one version, and put on the wire. */
  sent(from: Side, message: Message): void {
    this.#checkSigned(from, message)
    this.said[from].push(message)
    if (this.up) this.wire[from].push(message)
  }

  /** Delivers the oldest message from a side; `again` leaves it on the wire. */
  deliver(from: Side, crash?: CrashPoint, again = false): boolean {
    const message = again ? this.wire[from][0] : this.wire[from].shift()
    if (!message) return false
    this.side(from === 'a' ? 'b' : 'a').take({ kind: 'message', message }, crash)
    return true
  }

  connect(): void {
    if (this.up) this.cut()
    this.up = true
    this.a.take({ kind: 'up' })
    this.b.take({ kind: 'up' })
  }

  /** The connection is lost with everything on it. */
  cut(): void {
    if (!this.up) return
    this.lose()
    this.a.take({ kind: 'down' })
    this.b.take({ kind: 'down' })
  }

  /** The wire is gone; a side that crashed does not need to be told. */
  lose(crashed?: Side): void {
    const wasUp = this.up
    this.up = false
    this.wire.a.length = 0
    this.wire.b.length = 0
    if (wasUp && crashed) this.side(crashed === 'a' ? 'b' : 'a').take({ kind: 'down' })
  }

  /** A payment; returns its id, or the code of its refusal. */
  pay(from: Side, amount: bigint, crash?: CrashPoint): { readonly paymentId: Hex; readonly refused?: string } {
    const paymentId = uint(++this.#serial, 32)
    try {
      this.side(from).take({ kind: 'pay', amount, paymentId, memo: '0x' }, crash)
      return { paymentId }
    } catch (why) {
      if (why instanceof Refusal) return { paymentId, refused: why.code }
      throw why
    }
  }

  deposit(side: Side, amount: bigint): void {
    const call: ChannelCall = { verb: 'deposit', asset: ETHER, channelId: ID, toB: side === 'b', amount }
    this.mine([{ sender: owners[side], call }])
  }

  /** Mines a block with what both sides have asked for and other calls, and shows it to both. */
  mine(others: readonly { readonly sender: Hex; readonly call: ChannelCall }[] = [], time?: number): void {
    const asked = (['a', 'b'] as const).flatMap((side) =>
      this.side(side)
        .calls.splice(0)
        .map((call) => ({ sender: owners[side], call })),
    )
    const block = this.chain.mine([...others, ...asked], time)
    this.#peak = Math.max(this.#peak, this.chain.blocks.length)
    for (const side of [this.a, this.b]) side.take({ kind: 'chain', chain: { kind: 'block', block } })
  }

  /** Takes back blocks, never a final one; what was in them is lost unless somebody asks again. */
  reorg(depth: number): void {
    const firm = this.#peak - this.a.seat.confirmations + 1
    for (let i = 0; i < depth && this.chain.blocks.length > firm; i++) {
      const block = this.chain.retract()
      for (const side of [this.a, this.b]) side.take({ kind: 'chain', chain: { kind: 'retract', block } })
    }
  }

  /** Delivers everything until nothing is on the wire. */
  settleDown(): void {
    for (let i = 0; i < 100_000; i++) if (!this.deliver('a') && !this.deliver('b')) return
    throw new Error('two peers talk for ever')
  }

  /** Lets the channel's end take its course: time passes, both may act, until the court has closed it for good. */
  finish(): void {
    for (let i = 0; i < 40; i++) {
      if (!this.up) this.connect()
      this.settleDown()
      this.mine([], this.chain.time + (i % 4 === 3 ? PERIOD + 1 : INTERVAL))
      if (this.a.state.finished && this.b.state.finished) return
    }
    throw new Error('the channel does not end')
  }

  #checkSigned(from: Side, message: Message): void {
    const signed = signedBy(message)
    if (!signed || from === this.liar) return
    const key = `${from}/${signed.version}`
    const had = this.#signed.get(key)
    if (had !== undefined && had !== signed.hash) throw new Error(`${key} was signed twice with different content`)
    this.#signed.set(key, signed.hash)
  }
}

function signedBy(message: Message): { readonly version: bigint; readonly hash: Hex } | undefined {
  if (message.type === 'propose' || message.type === 'ack') return message
  if (message.type !== 'final') return undefined
  const state = finalState(ID, message.net)
  return { version: state.version, hash: stateDigest(COURT, state) }
}
