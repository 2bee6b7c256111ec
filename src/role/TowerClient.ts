import type { Hex } from '../core/base/Bytes.ts'
import { type Domain, sign } from '../core/base/Signature.ts'
import type { Plain } from '../core/base/Step.ts'
import type { SignedState } from '../core/channel/Call.ts'
import { type Channel, channelId } from '../core/channel/Channel.ts'
import type { SignedFinal } from '../core/channel/Docket.ts'
import { MAX_LOCKS } from '../core/channel/Lock.ts'
import { MAX_PREIMAGES } from '../core/channel/Tower.ts'
import { asFromTower, type FromTower, loginDigest, type ToTower } from '../core/channel/TowerMessage.ts'
import { reason } from '../edge/Fault.ts'
import type { Connection, Transport } from '../edge/transport/Transport.ts'

/** What a client of a tower is made of. */
export interface TowerClientParts {
  readonly transport: Transport
  readonly address: string
  readonly court: Domain
  /** What lets in: a word from the tower's keeper, or the key that signs in all channels that will be shown. */
  readonly login: { readonly token: string } | { readonly key: Hex }
  /** How many messages may wait for their answer; 64 unless given. */
  readonly window?: number
  /** Hears what the tower has refused for good; channel undefined if it was the login. */
  readonly onRefused?: (code: string, id: Hex | undefined) => void
  /** Hears why the tower is out of reach, once an outage. */
  readonly onTrouble?: (why: string) => void
  /** Runs a function soon; setImmediate unless given. */
  readonly schedule?: (run: () => void) => void
  /** Runs a function after a while, before a tower that is away or silent is called again; two seconds unless given. */
  readonly retry?: (run: () => void) => void
}

/** What is to be given of one channel; at most one message of it is on its way. */
interface Slot {
  readonly id: Hex
  readonly channel: Channel
  state: SignedState | undefined
  final: SignedFinal | undefined
  preimages: Hex[]
  /** What is on its way: it is over once the tower has answered. */
  flying: Given | undefined
}

type Given = Exclude<ToTower, { readonly type: 'login' }>

/**
 * Keeps a tower up to date: of each channel only the newest state is sent, again until the tower says that it is durable.
 * Giving costs the same whether the tower is fast, slow or away.
 */
export class TowerClient {
  readonly #parts: TowerClientParts
  readonly #slots = new Map<Hex, Slot>()
  readonly #ids = new WeakMap<Channel, Hex>()
  /** Slots with something to send, the first to be asked first. */
  readonly #dirty = new Set<Slot>()
  readonly #flying = new Map<number, Slot>()
  #waiting: { readonly done: () => void; readonly failed: (why: unknown) => void }[] = []
  #connection: Connection | undefined
  #ready = false
  #serial = 0
  #scheduled = false
  #isAway = false
  #stopped = false

  constructor(parts: TowerClientParts) {
    this.#parts = parts
    this.#dial()
  }

  /** The newest state of a channel: an older one that was not sent yet never will be. */
  show(channel: Channel, state: SignedState): void {
    const slot = this.#slot(channel)
    if (slot.state && slot.state.version >= state.version) return
    slot.state = state
    this.#mark(slot)
  }

  /** The final state of a channel. */
  final(channel: Channel, final: SignedFinal): void {
    const slot = this.#slot(channel)
    slot.final = final
    this.#mark(slot)
  }

  /** Preimages that this side has released: the tower reveals them where it must. */
  preimages(channel: Channel, preimages: readonly Hex[]): void {
    const slot = this.#slot(channel)
    slot.preimages = [...slot.preimages, ...preimages].slice(-MAX_PREIMAGES)
    this.#mark(slot)
  }

  /** How many channels have something that the tower has not called durable. */
  get behind(): number {
    return this.#slots.size
  }

  /** Resolves once all that was given so far, and meanwhile, is durable at the tower, or refused. */
  settled(): Promise<void> {
    if (this.#slots.size === 0) return Promise.resolve()
    return new Promise((done, failed) => this.#waiting.push({ done, failed }))
  }

  /** Ends the connection and calls no more. */
  stop(): void {
    this.#stopped = true
    this.#connection?.close()
    for (const { failed } of this.#waiting.splice(0)) failed(new Error('this client has stopped'))
  }

  #slot(channel: Channel): Slot {
    const id = this.#ids.get(channel) ?? channelId(this.#parts.court, channel)
    this.#ids.set(channel, id)
    const slot = this.#slots.get(id)
    if (slot) return slot
    const made: Slot = { id, channel, state: undefined, final: undefined, preimages: [], flying: undefined }
    this.#slots.set(id, made)
    return made
  }

  #mark(slot: Slot): void {
    if (!slot.flying) this.#dirty.add(slot)
    this.#wake()
  }

  #wake(): void {
    if (this.#scheduled || !this.#ready || this.#dirty.size === 0) return
    this.#scheduled = true
    const { schedule = setImmediate } = this.#parts
    schedule(() => {
      this.#scheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    const { window = 64 } = this.#parts
    for (const slot of this.#dirty) {
      if (!this.#ready || this.#flying.size >= window) return
      this.#dirty.delete(slot)
      const given = next(slot, this.#serial + 1)
      if (!given) this.#drop(slot)
      else {
        this.#serial++
        slot.flying = given
        this.#flying.set(given.serial, slot)
        this.#say(given)
      }
    }
  }

  #say(message: ToTower): void {
    this.#connection!.send(message as unknown as Plain)
  }

  /** A slot with nothing left to send is forgotten. */
  #drop(slot: Slot): void {
    this.#slots.delete(slot.id)
    if (this.#slots.size === 0) for (const { done } of this.#waiting.splice(0)) done()
  }

  #dial(): void {
    if (this.#stopped) return
    this.#parts.transport.dial(this.#parts.address).then(
      (connection) => this.#enter(connection),
      (why) => this.#away(reason(why)),
    )
  }

  #enter(connection: Connection): void {
    if (this.#stopped) {
      connection.close()
      return
    }
    this.#connection = connection
    connection.onMessage = (value) => this.#hear(connection, value)
    connection.onClose = (why) => {
      if (this.#connection === connection) this.#away(why ?? 'the tower ended the connection')
    }
    this.#watch(connection, this.#owed())
  }

  /** All that is on its way may be lost: it is sent again on the next connection. */
  #away(why: string): void {
    this.#connection = undefined
    this.#ready = false
    for (const slot of this.#flying.values()) {
      slot.flying = undefined
      this.#dirty.add(slot)
    }
    this.#flying.clear()
    if (this.#stopped) return
    if (!this.#isAway) this.#parts.onTrouble?.(why)
    this.#isAway = true
    this.#later(() => this.#dial())
  }

  #later(run: () => void): void {
    const { retry = (later) => void setTimeout(later, 2000).unref() } = this.#parts
    retry(run)
  }

  /** The oldest message that the tower has not answered: 0 the login, undefined none. */
  #owed(): number | undefined {
    return this.#ready ? this.#flying.keys().next().value : 0
  }

  /** A tower that owes the same answer for a while is called anew: something was lost. */
  #watch(connection: Connection, owed: number | undefined): void {
    this.#later(() => {
      if (this.#connection !== connection) return
      const still = this.#owed()
      if (still !== undefined && still === owed) connection.close()
      else this.#watch(connection, still)
    })
  }

  #hear(connection: Connection, value: unknown): void {
    if (this.#connection !== connection) return
    const message = asFromTower(value)
    if (!message) connection.close()
    else if (message.type === 'welcome') this.#login(connection, message)
    else if (message.type === 'ready') this.#open()
    else this.#answered(message)
  }

  #login(connection: Connection, { chainId, court, nonce }: Extract<FromTower, { type: 'welcome' }>): void {
    const { court: need, login } = this.#parts
    if (chainId !== need.chainId || court !== need.court) {
      this.#parts.onRefused?.('OtherCourt', undefined)
      connection.close()
    } else if ('token' in login) this.#say({ type: 'login', token: login.token, signature: '0x' })
    else this.#say({ type: 'login', token: '', signature: sign(loginDigest(need, nonce), login.key) })
  }

  #open(): void {
    this.#ready = true
    this.#isAway = false
    this.#wake()
  }

  #answered(message: Extract<FromTower, { type: 'stored' | 'refused' }>): void {
    const slot = this.#flying.get(message.serial)
    if (!slot?.flying) {
      if (message.serial === 0 && message.type === 'refused') this.#parts.onRefused?.(message.code, undefined)
      return
    }
    const given = slot.flying
    this.#flying.delete(message.serial)
    slot.flying = undefined
    if (message.type === 'refused' && message.code === 'TooFast') {
      this.#later(() => this.#mark(slot))
      return
    }
    if (message.type === 'refused') this.#parts.onRefused?.(message.code, slot.id)
    strike(slot, given)
    this.#dirty.add(slot)
    this.#pump()
  }
}

/** The next message of a slot: preimages last, because the tower must know the channel. */
function next(slot: Slot, serial: number): Given | undefined {
  const { id, channel, state, final, preimages } = slot
  if (state) return { type: 'show', serial, channel, state }
  if (final) return { type: 'final', serial, channel, final }
  if (preimages.length > 0) return { type: 'preimages', serial, id, preimages: preimages.slice(0, MAX_LOCKS) }
  return undefined
}

/** What the tower has answered for is not sent again; what came meanwhile stays. */
function strike(slot: Slot, given: Given): void {
  if (given.type === 'show' && slot.state === given.state) slot.state = undefined
  else if (given.type === 'final' && slot.final === given.final) slot.final = undefined
  else if (given.type === 'preimages') {
    const gone = new Set(given.preimages)
    slot.preimages = slot.preimages.filter((preimage) => !gone.has(preimage))
  }
}
