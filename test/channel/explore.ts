import { type Hex, toHex, uint } from '../../src/core/base/Bytes.ts'
import { type L1Block, type Plain, Refusal } from '../../src/core/base/Step.ts'
import { adjudicate } from '../../src/core/channel/Adjudicator.ts'
import type { ChannelCall, ChannelEvent } from '../../src/core/channel/Call.ts'
import type { Side } from '../../src/core/channel/Channel.ts'
import { type PackedPaid, type SavedHistory, unpackHistory } from '../../src/core/channel/Packed.ts'
import { type PeerInput, peer } from '../../src/core/channel/Peer.ts'
import { type PeerOutput, type PeerState, type Seat, seat } from '../../src/core/channel/PeerState.ts'
import { items, type Queue } from '../../src/core/channel/Queue.ts'
import { type ChannelCourt, newCourt } from '../../src/core/channel/Record.ts'
import { collect, restore } from '../../src/core/channel/Saved.ts'
import { CHANNEL, COURT, ID, KEYS, PATIENCE } from './duel.ts'

/** The machine under exploration: the real one, or one with a rule broken. */
export type Machine = typeof peer

/** A store as data: values by table and key. */
export type Disk = Readonly<Record<string, Plain>>

/** One side as it is: in memory, on disk, and what it has ever signed, by version. */
export interface Local {
  readonly state: PeerState
  readonly disk: Disk
  readonly signed: Readonly<Record<string, Hex>>
}

/** Layer 1 as it is: every block, each final at once, and the court after the last. */
export interface Ledger {
  readonly blocks: readonly L1Block<ChannelEvent>[]
  readonly court: ChannelCourt
}

/** What a side says in a step, as far as it comes: messages and calls, interned. */
export interface Stepped {
  /** The side after it has stored, and said everything. */
  readonly next: number
  /** The side after it has stored, and died after so many messages. */
  readonly died: readonly number[]
  readonly sends: readonly number[]
  readonly calls: readonly number[]
  readonly drops: boolean
  readonly wrong: string | undefined
}

/** Values as small numbers: equal values, equal numbers. */
export class Interned<T> {
  readonly #numbers = new Map<string, number>()
  readonly values: T[] = []

  of(value: T): number {
    const text = textOf(value)
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    this.#numbers.set(text, this.values.length)
    return this.values.push(value) - 1
  }

  at(number: number): T {
    return this.values[number]!
  }
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, part) => {
    if (typeof part === 'bigint') return `${part}n`
    if (part instanceof Map) return [...part]
    if (part instanceof Uint8Array) return toHex(part)
    return isQueue(part) ? items(part) : part
  })
}

function isQueue(value: unknown): value is Queue<unknown> {
  return typeof value === 'object' && value !== null && 'front' in value && 'from' in value
}

const FINE = new Set(['Asked', 'CloseUnanswered'])
const SIDES: readonly Side[] = ['a', 'b']

/** Two seats under one court, their machine remembered: a step is computed once for equal states and inputs. */
export class Board {
  readonly locals = new Interned<Local>()
  readonly messages = new Interned<Extract<PeerOutput, { kind: 'send' }>['message']>()
  readonly calls = new Interned<ChannelCall>()
  readonly ledgers = new Interned<Ledger>()
  readonly #steps = new Map<string, Stepped | undefined>()
  readonly #revived = new Map<string, number>()
  readonly #machine: Machine
  readonly #seats: Readonly<Record<Side, Seat>>
  /** How many steps the machine has really taken. */
  taken = 0

  constructor(machine: Machine = peer) {
    this.#machine = machine
    const seatOf = (side: Side) => {
      const key = KEYS[side === 'a' ? 0 : 1]
      const parts = { court: COURT, channel: CHANNEL, key, sender: CHANNEL[side].owner }
      return seat({ ...parts, confirmations: 1, patience: PATIENCE, since: 0 })
    }
    this.#seats = { a: seatOf('a'), b: seatOf('b') }
  }

  fresh(side: Side): number {
    return this.locals.of({ state: restore(this.#seats[side]), disk: {}, signed: {} })
  }

  genesis(): number {
    return this.ledgers.of({ blocks: [], court: newCourt(COURT) })
  }

  /** A side takes an input; undefined if it refuses. `name` tells inputs apart. */
  step(side: Side, local: number, name: string, input: PeerInput): Stepped | undefined {
    const key = `${side}${local}/${name}`
    if (!this.#steps.has(key)) this.#steps.set(key, this.#take(side, this.locals.at(local), input))
    return this.#steps.get(key)
  }

  #take(side: Side, { state, disk, signed }: Local, input: PeerInput): Stepped | undefined {
    this.taken++
    try {
      const step = this.#machine(this.#seats[side], state, input)
      return this.#said(step.state, written(disk, step.rows), signed, step.outputs)
    } catch (why) {
      if (why instanceof Refusal) return undefined
      throw why
    }
  }

  #said(state: PeerState, disk: Disk, before: Local['signed'], outputs: readonly PeerOutput[]): Stepped {
    const [sends, calls, died]: number[][] = [[], [], []] as [number[], number[], number[]]
    let [signed, wrong, drops] = [before, undefined as string | undefined, false]
    for (const output of outputs) {
      if (output.kind === 'send') {
        died!.push(this.locals.of({ state, disk, signed }))
        const now = signedBy(output.message)
        if (now && (signed[now.version] ?? now.hash) !== now.hash) wrong = `version ${now.version} signed twice`
        if (now) signed = { ...signed, [now.version]: now.hash }
        sends!.push(this.messages.of(output.message))
      } else if (output.kind === 'call') calls!.push(this.calls.of(output.call))
      else if (output.kind === 'drop') drops = true
      else if (output.kind === 'event' && output.event.name === 'disputed' && !FINE.has(output.event.why))
        wrong = `two honest peers are forced apart: ${output.event.why}`
    }
    return { next: this.locals.of({ state, disk, signed }), died: died!, sends: sends!, calls: calls!, drops, wrong }
  }

  /** A side comes back from its disk, or from an older one, and has seen the first `seen` blocks. */
  revive(side: Side, local: number, ledger: number, seen: number, older?: Disk): number {
    const key = `${side}${local}/${ledger}/${seen}/${older !== undefined}`
    const known = this.#revived.get(key)
    if (known !== undefined) return known
    const { disk, signed } = this.locals.at(local)
    const kept = older ?? disk
    let at = this.locals.of({ state: this.#restored(side, kept), disk: kept, signed })
    for (const block of this.ledgers.at(ledger).blocks.slice(0, seen)) {
      at = this.step(side, at, `block ${block.hash}`, { kind: 'chain', chain: { kind: 'block', block } })!.next
    }
    if (older) for (const kind of ['restored', 'close'] as const) at = this.step(side, at, kind, { kind })!.next
    this.#revived.set(key, at)
    return at
  }

  #restored(side: Side, disk: Disk): PeerState {
    const rows = Object.entries(disk).map(([name, value]) => [name.split('|'), value] as const)
    const all = (table: string) => rows.flatMap(([[of, key], value]) => (of === table ? [[key!, value] as const] : []))
    return restore(this.#seats[side], collect(all, (table, key) => disk[`${table}|${key}`]).get(ID))
  }

  /** The next block, with the calls that the court takes, `seconds` after the last. */
  mine(ledger: number, calls: readonly (readonly [Side, number])[], seconds: number): number {
    const { blocks, court: before } = this.ledgers.at(ledger)
    const time = (blocks.at(-1)?.time ?? 1_800_000_000) + seconds
    let court = before
    const events: ChannelEvent[] = []
    for (const [side, number] of calls) {
      const call = this.calls.at(number)
      const value = call.verb === 'deposit' ? call.amount : 0n
      const env = { sender: CHANNEL[side].owner, value, time, baseFee: 1n, refuses: () => false }
      try {
        const ruling = adjudicate(court, call, env)
        court = ruling.state
        events.push(...ruling.events)
      } catch (why) {
        if (!(why instanceof Refusal)) throw why
      }
    }
    const parent = blocks.at(-1)?.hash ?? uint(0, 32)
    const number = blocks.length
    const draft = { blocks: [...blocks, { number, hash: parent, parent, time, events }], court }
    // A hash is all that came before it: equal histories have equal hashes.
    const hash = uint(BigInt(this.ledgers.of(draft)) + 1n, 32)
    return this.ledgers.of({ blocks: [...blocks, { number, hash, parent, time, events }], court })
  }

  /** What a side's own books say that it gained, and whether nothing of it waits. */
  books(side: Side, local: number): { readonly gained: bigint; readonly waits: boolean } {
    const { disk, state } = this.locals.at(local)
    let gained = 0n
    for (const [key, value] of Object.entries(disk)) {
      if (!key.startsWith('history|')) continue
      const batch = disk[key.replace('history|', 'batch|')] as unknown as PackedPaid | undefined
      const { paid } = unpackHistory(value as unknown as SavedHistory, batch)
      for (const { payer, pay } of paid) gained += payer === side ? -pay.amount : pay.amount
    }
    return { gained, waits: state.pending.length > 0 || state.proposal !== null }
  }
}

function written(disk: Disk, rows: readonly { table: string; key: string; value: Plain | undefined }[]): Disk {
  if (rows.length === 0) return disk
  const next: Record<string, Plain> = { ...disk }
  for (const { table, key, value } of rows) {
    if (value === undefined) delete next[`${table}|${key}`]
    else next[`${table}|${key}`] = value
  }
  return Object.fromEntries(Object.entries(next).sort(([x], [y]) => (x < y ? -1 : 1)))
}

function signedBy(
  message: Extract<PeerOutput, { kind: 'send' }>['message'],
): { version: string; hash: Hex } | undefined {
  if (message.type === 'propose' || message.type === 'ack')
    return { version: String(message.version), hash: message.hash }
  return message.type === 'final' ? { version: 'final', hash: message.signature } : undefined
}

/** Both sides. */
export const BOTH = SIDES
