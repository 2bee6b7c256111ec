import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Hex, toHex } from '../core/base/Bytes.ts'
import { recover } from '../core/base/Signature.ts'
import { type Plain, Refusal } from '../core/base/Step.ts'
import { type Channel, sideOf } from '../core/channel/Channel.ts'
import { asToTower, type FromTower, loginDigest, type ToTower } from '../core/channel/TowerMessage.ts'
import type { Connection, Listener, Transport } from '../edge/transport/Transport.ts'
import type { Watchtower } from './Watchtower.ts'

/** Whom a tower lets in, and how much at a time. */
export interface TowerServerParts {
  readonly tower: Watchtower
  readonly transport: Transport
  /** Where clients call: "host:port", port 0 finds a free one. */
  readonly address: string
  /** Words that let in, and the account of each. */
  readonly tokens?: ReadonlyMap<string, string>
  /** Whether a key lets in for the channels that it signs in, as the account of its address; no unless told to. */
  readonly keys?: boolean
  /** What an account may give in a second, and at once after a rest; 1,000 and 20,000 unless given. */
  readonly rate?: number
  readonly burst?: number
  /** Milliseconds of a clock that never goes back; the process's unless given. */
  readonly clock?: () => number
  /** Runs a function after a while, in which a client must have been let in; ten seconds unless given. */
  readonly later?: (run: () => void) => void
  /** Hears what went wrong and was not a client's doing. */
  readonly onFault?: (why: unknown) => void
}

/** How many messages of one client may wait to be stored; one that sends more does not wait for its answers. */
const MAX_WAITING = 1024

interface Account {
  readonly name: string
  /** The key that was shown, if the account is a key's: it may show its own channels only. */
  readonly signer: Hex | undefined
}

interface Guest {
  readonly connection: Connection
  readonly nonce: Hex
  account: Account | undefined
  waiting: number
}

/** Takes calls from clients for a tower: who may leave something here, how much, how fast; tells what is durable. */
export async function serveTower(parts: TowerServerParts): Promise<Listener> {
  const server = new TowerServer(parts)
  return parts.transport.listen(parts.address, (connection) => server.enter(connection))
}

class TowerServer {
  readonly #parts: TowerServerParts
  readonly #tokens: readonly (readonly [hash: Buffer, account: string])[]
  readonly #buckets = new Map<string, { left: number; at: number }>()

  constructor(parts: TowerServerParts) {
    this.#parts = parts
    this.#tokens = [...(parts.tokens ?? [])].map(([token, account]) => [sha256(token), account] as const)
  }

  enter(connection: Connection): void {
    const guest: Guest = { connection, nonce: toHex(randomBytes(32)), account: undefined, waiting: 0 }
    const { chainId, court } = this.#parts.tower.court
    connection.onMessage = (value) => this.#hear(guest, value)
    const { later = (run) => void setTimeout(run, 10_000).unref() } = this.#parts
    later(() => {
      if (!guest.account) connection.close()
    })
    say(guest, { type: 'welcome', chainId, court, nonce: guest.nonce })
  }

  #hear(guest: Guest, value: unknown): void {
    const message = asToTower(value)
    // Whoever speaks otherwise is no client; whoever was not let in is told so once.
    if (!message || (message.type !== 'login' && !guest.account)) guest.connection.close()
    else if (message.type === 'login') this.#login(guest, message)
    else this.#take(guest, guest.account!, message)
  }

  #login(guest: Guest, { token, signature }: Extract<ToTower, { type: 'login' }>): void {
    guest.account = signature === '0x' ? this.#byToken(token) : this.#byKey(guest, signature)
    if (guest.account) say(guest, { type: 'ready' })
    else {
      say(guest, { type: 'refused', serial: 0, code: 'NotAdmitted' })
      guest.connection.close()
    }
  }

  /** Hashes are compared, each in the same time: how long it takes tells nothing of a token. */
  #byToken(token: string): Account | undefined {
    const hash = sha256(token)
    let found: string | undefined
    for (const [known, account] of this.#tokens) if (timingSafeEqual(hash, known)) found = account
    return found === undefined ? undefined : { name: found, signer: undefined }
  }

  #byKey({ nonce }: Guest, signature: Hex): Account | undefined {
    if (!this.#parts.keys) return undefined
    const signer = recover(loginDigest(this.#parts.tower.court, nonce), signature)
    return signer && { name: signer, signer }
  }

  #take(guest: Guest, account: Account, message: Exclude<ToTower, { type: 'login' }>): void {
    const { serial } = message
    if (++guest.waiting > MAX_WAITING) guest.connection.close()
    else {
      this.#store(account, message)
        .then(
          () => say(guest, { type: 'stored', serial }),
          (why) => this.#refuse(guest, serial, why),
        )
        .finally(() => guest.waiting--)
    }
  }

  #refuse(guest: Guest, serial: number, why: unknown): void {
    if (why instanceof Refusal) say(guest, { type: 'refused', serial, code: why.code })
    else {
      // What this tower cannot do now, it may do after a restart: the client keeps what it has and calls again.
      this.#parts.onFault?.(why)
      guest.connection.close()
    }
  }

  async #store(account: Account, message: Exclude<ToTower, { type: 'login' }>): Promise<void> {
    if (!this.#spend(account.name)) throw new Refusal('TooFast')
    const { tower } = this.#parts
    const channel = message.type === 'preimages' ? tower.channelOf(message.id) : message.channel
    if (channel && !isAllowed(account, channel)) throw new Refusal('NotAParty', account.name)
    if (message.type === 'preimages') await tower.watchPreimages(message.id, message.preimages, account.name)
    else if (message.type === 'show') await tower.watch(message.channel, message.state, account.name)
    else await tower.watchFinal(message.channel, message.final, account.name)
  }

  /** So many a second, and a rest is worth `burst` at most. */
  #spend(account: string): boolean {
    const { rate = 1000, burst = 20_000, clock = () => performance.now() } = this.#parts
    const now = clock()
    const had = this.#buckets.get(account) ?? { left: burst, at: now }
    const left = Math.min(burst, had.left + ((now - had.at) * rate) / 1000)
    this.#buckets.set(account, { left: left < 1 ? left : left - 1, at: now })
    return left >= 1
  }
}

function isAllowed({ signer }: Account, channel: Channel): boolean {
  return signer === undefined || sideOf(channel, signer) !== undefined
}

function say({ connection }: Guest, message: FromTower): void {
  connection.send(message as unknown as Plain)
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
