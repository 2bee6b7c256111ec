import type { Hex } from '../core/base/Bytes.ts'
import { isHex } from '../core/base/Bytes.ts'
import type { Domain } from '../core/base/Signature.ts'
import type { Plain } from '../core/base/Step.ts'
import { asGreet, type Greet } from '../core/channel/Greeting.ts'
import type { Message } from '../core/channel/Message.ts'
import { asMessage, toWire } from '../core/channel/Wire.ts'
import type { Connection, Listener, Transport } from '../edge/transport/Transport.ts'
import { Doorstep, type GreetingParts } from './Doorstep.ts'

/** What links are made of. */
export interface LinksParts extends GreetingParts {
  /** The private key that this node signs with in all of its channels. */
  readonly key: Hex
  readonly court: Domain
  readonly transport: Transport
  /** Runs a function after so many milliseconds, before a lost peer is called again; with a timer unless given. */
  readonly retry?: (run: () => void, milliseconds: number) => void
  readonly onUp: (id: Hex) => void
  readonly onDown: (id: Hex) => void
  readonly onMessage: (id: Hex, message: Message) => void
  /** Whether this side's own call goes first where both sides have called each other. */
  readonly isCaller: (id: Hex) => boolean
  /** Who signs for the other side of a known channel: nobody else is heard about it. */
  readonly peerOf: (id: Hex) => Hex
  /**
   * Told each time that who answers at an address cannot show the key of the peer who was called there: which of its
   * channels have no connection, and for how many times in a row.
   */
  readonly onImpostor?: (address: string, ids: readonly Hex[], times: number) => void
}

interface Line {
  readonly connection: Connection
  /** The address that this side called, if it did. */
  readonly dialed: string | undefined
  readonly door: Doorstep
  readonly ids: Set<Hex>
  /** What came for channels that are not known yet. */
  readonly early: Map<Hex, Message[]>
}

/** Milliseconds after which a lost peer is called again. */
const RETRY = 1000
/** The same at most, where somebody else answers: each time twice as long. */
const LONGEST = 60_000
const MAX_EARLY = 256
const MAX_EARLY_MESSAGES = 16

/**
 * The connections of a node: many channels share one to each peer, at most one connection carries a channel, and only
 * the holder of the key that signs for the other side is at its end.
 */
export class Links {
  readonly #parts: LinksParts
  readonly #lines = new Set<Line>()
  readonly #lineOf = new Map<Hex, Line>()
  readonly #known = new Set<Hex>()
  readonly #dialing = new Map<string, Set<Hex>>()
  /** How many times in a row somebody else than the peer has answered, by address. */
  readonly #impostors = new Map<string, number>()
  readonly #listeners: Listener[] = []
  #stopped = false

  constructor(parts: LinksParts) {
    this.#parts = parts
  }

  /** Takes calls at an address; the real one comes back. */
  async listen(address: string): Promise<string> {
    const listener = await this.#parts.transport.listen(address, (connection) => {
      this.#enter(connection, undefined)
    })
    this.#listeners.push(listener)
    return listener.address
  }

  /** Lets a channel be spoken of; with an address, calls its peer there and again whenever the connection is lost. */
  add(id: Hex, address?: string): void {
    this.#known.add(id)
    for (const line of this.#lines) this.#replay(line, id)
    if (address !== undefined) this.#call(address, id)
  }

  /** Says a message about a channel, if its peer is connected. */
  say(id: Hex, message: Message): void {
    this.#lineOf.get(id)?.connection.send({ channel: id, ...(toWire(message) as object) } as Plain)
  }

  /** Ends the connection that carries a channel. */
  drop(id: Hex): void {
    const line = this.#lineOf.get(id)
    if (line) this.#leave(line)
  }

  isUp(id: Hex): boolean {
    return this.#lineOf.has(id)
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const line of this.#lines) line.connection.close()
    await Promise.all(this.#listeners.map((listener) => listener.close()))
  }

  #call(address: string, id: Hex): void {
    const ids = this.#dialing.get(address)
    if (ids) {
      ids.add(id)
      for (const line of this.#lines) if (line.dialed === address && this.#isPeer(line, id)) this.#attach(line, id)
    } else {
      this.#dialing.set(address, new Set([id]))
      this.#dial(address)
    }
  }

  #dial(address: string): void {
    if (this.#stopped) return
    this.#parts.transport.dial(address).then(
      (connection) => {
        if (this.#stopped) return connection.close()
        this.#enter(connection, address)
      },
      () => this.#retry(address),
    )
  }

  #retry(address: string): void {
    const { retry = (run, milliseconds) => void setTimeout(run, milliseconds).unref() } = this.#parts
    const times = this.#impostors.get(address) ?? 0
    retry(() => this.#dial(address), Math.min(RETRY * 2 ** times, LONGEST))
  }

  /** Who is at the other end has not shown the key that it must. */
  #turnAway(line: Line): void {
    const { dialed: address } = line
    if (address !== undefined) {
      const times = (this.#impostors.get(address) ?? 0) + 1
      this.#impostors.set(address, times)
      const ids = [...this.#dialing.get(address)!].filter((id) => !this.#lineOf.has(id))
      this.#parts.onImpostor?.(address, ids, times)
    }
    this.#leave(line)
  }

  #enter(connection: Connection, dialed: string | undefined): void {
    const { later = (run) => void setTimeout(run, 10_000).unref() } = this.#parts
    const line: Line = { connection, dialed, door: this.#door(connection, dialed), ids: new Set(), early: new Map() }
    this.#lines.add(line)
    connection.onMessage = (message) => this.#hear(line, message)
    connection.onClose = () => this.#leave(line)
    later(() => {
      if (!line.door.peer) this.#leave(line)
    })
  }

  /** Who calls speaks only with a peer that it called; who is called, with any: its peer may know more channels. */
  #door(connection: Connection, address: string | undefined): Doorstep {
    const { key, court, random, peerOf } = this.#parts
    const expects = (signer: Hex) =>
      address === undefined || [...this.#dialing.get(address)!].some((id) => peerOf(id) === signer)
    return new Doorstep({ key, court, connection, dialed: address !== undefined, expects, ...(random && { random }) })
  }

  #greet(line: Line, greet: Greet): void {
    const had = line.door.peer
    const isGood = line.door.hear(greet)
    if (!isGood) had ? this.#leave(line) : this.#turnAway(line)
    else if (!had && line.door.peer && line.dialed !== undefined) {
      this.#impostors.delete(line.dialed)
      for (const id of this.#dialing.get(line.dialed)!) {
        if (!this.#lineOf.has(id) && this.#isPeer(line, id)) this.#attach(line, id)
      }
    }
  }

  #isPeer(line: Line, id: Hex): boolean {
    return line.door.peer === this.#parts.peerOf(id)
  }

  #leave(line: Line): void {
    if (!this.#lines.delete(line)) return
    line.connection.close()
    for (const id of [...line.ids]) this.#detach(id)
    if (line.dialed !== undefined && !this.#stopped) this.#retry(line.dialed)
  }

  #attach(line: Line, id: Hex): void {
    this.#detach(id)
    line.ids.add(id)
    this.#lineOf.set(id, line)
    this.#parts.onUp(id)
  }

  #detach(id: Hex): void {
    const line = this.#lineOf.get(id)
    if (!line) return
    line.ids.delete(id)
    this.#lineOf.delete(id)
    if (!this.#stopped) this.#parts.onDown(id)
  }

  #hear(line: Line, value: unknown): void {
    const greet = asGreet(value)
    if (greet) this.#greet(line, greet)
    else if (line.door.peer) this.#take(line, value)
    else this.#turnAway(line)
  }

  #take(line: Line, value: unknown): void {
    const { channel: id, ...said } = (value ?? {}) as { readonly channel?: unknown }
    const message = asMessage(said)
    if (!message || !isHex(id, 32)) this.#leave(line)
    else if (this.#known.has(id)) this.#pass(line, id, message)
    else keepEarly(line, id, message)
  }

  #pass(line: Line, id: Hex, message: Message): void {
    const isTakingOver = this.#lineOf.get(id) !== line && message.type === 'hello' && this.#isPeer(line, id)
    if (isTakingOver && this.#isBetter(line, id)) this.#attach(line, id)
    if (this.#lineOf.get(id) === line) this.#parts.onMessage(id, message)
    // Who goes on as if it were heard has not been told: without a word it would wait for ever.
    else if (!this.#isPeer(line, id) || !isEarly(message)) this.#leave(line)
  }

  /** Both sides must keep the same one of two connections: the caller's, or else the newer. */
  #isBetter(line: Line, id: Hex): boolean {
    const current = this.#lineOf.get(id)
    if (!current || (current.dialed === undefined) === (line.dialed === undefined)) return true
    return (line.dialed !== undefined) === this.#parts.isCaller(id)
  }

  #replay(line: Line, id: Hex): void {
    const early = line.early.get(id)
    line.early.delete(id)
    for (const message of early ?? []) this.#pass(line, id, message)
  }
}

function isEarly({ type }: Message): boolean {
  return type === 'hello' || type === 'funds'
}

/**
 * The first messages wait until the node knows the channel: its peer may have called before it took the terms. Only what
 * a peer says before it is answered, which is small: whoever is at the other end has a key, but may be nobody's peer.
 */
function keepEarly(line: Line, id: Hex, message: Message): void {
  if (!isEarly(message)) return
  const early = line.early.get(id) ?? []
  if (line.early.size >= MAX_EARLY || early.length >= MAX_EARLY_MESSAGES) return
  line.early.set(id, [...early, message])
}
