import type { Plain } from '../../core/base/Step.ts'
import { decode, type Frame } from '../Codec.ts'
import { Fault, reason } from '../Fault.ts'
import type { Connection } from './Transport.ts'

/** The largest message, in bytes of its text. */
export const MAX_FRAME = 1 << 20

/** The wire under an endpoint. */
export interface Wire {
  /** A message as it travels on this wire. */
  readonly encode: (message: Plain) => Frame
  /** Sends one message's frame of `bytes` bytes. */
  transmit(frame: Frame, bytes: number): void
  /** Lets what was sent go out, or not if `why` is given, and ends. Called once. */
  hangUp(why?: string): void
  /** Called when everything received was handed on. */
  drained?(): void
  /** Runs a function soon. */
  readonly later: (run: () => void) => void
  /** How many messages are handed on at a time before others have a turn. */
  readonly slice: number
  readonly maxFrame: number
}

interface Ending {
  readonly why: string | undefined
}

/**
 * One end of a connection over any wire: frames to messages and back, a few at a time, and one close. What arrives
 * before somebody listens waits.
 */
export class Endpoint implements Connection {
  readonly #wire: Wire
  #onMessage: ((message: unknown) => void) | undefined
  #onClose: ((why?: string) => void) | undefined
  #inbox: Frame[] = []
  #next = 0
  #scheduled = false
  #ended: Ending | undefined
  #closed: Ending | undefined
  #told = false
  /** Characters and bytes received and not yet handed on. */
  backlog = 0

  constructor(wire: Wire) {
    this.#wire = wire
  }

  get onMessage(): (message: unknown) => void {
    return this.#onMessage ?? (() => undefined)
  }

  set onMessage(listen: (message: unknown) => void) {
    this.#onMessage = listen
    this.#wake()
  }

  get onClose(): (why?: string) => void {
    return this.#onClose ?? (() => undefined)
  }

  set onClose(listen: (why?: string) => void) {
    this.#onClose = listen
    if (this.#closed) this.#wire.later(() => this.#tell())
  }

  send(message: Plain): void {
    const frame = this.#wire.encode(message)
    const bytes = Buffer.byteLength(frame)
    if (bytes > this.#wire.maxFrame) {
      throw new Fault(
        'Malformed',
        `a message of ${bytes} bytes is over the limit of ${this.#wire.maxFrame}; send it in parts`,
      )
    }
    if (!this.#closed) this.#wire.transmit(frame, bytes)
  }

  close(): void {
    this.#finish(undefined)
  }

  /** The wire brought a message's frame, which stays as it is. */
  receive(frame: Frame): void {
    if (this.#closed || this.#ended) return
    this.#inbox.push(frame)
    this.backlog += frame.length
    this.#wake()
  }

  /** The wire ended, by a fault if `why` is given; what came before is still handed on. */
  end(why?: string): void {
    this.#ended ??= { why }
    this.#wake()
  }

  /** Ends the connection at once because of what this side found. */
  fail(why: string): void {
    this.#finish(why)
  }

  #wake(): void {
    const waits = this.#next < this.#inbox.length ? this.#onMessage !== undefined : this.#ended !== undefined
    if (this.#scheduled || this.#closed || !waits) return
    this.#scheduled = true
    this.#wire.later(() => {
      this.#scheduled = false
      this.#handOn()
    })
  }

  #handOn(): void {
    for (let i = 0; i < this.#wire.slice && this.#next < this.#inbox.length && !this.#closed; i++) {
      const message = this.#take()
      if (message !== undefined) this.#onMessage!(message)
    }
    if (this.#closed) return
    if (this.#next < this.#inbox.length) this.#wake()
    else this.#rest()
  }

  #take(): Plain | undefined {
    const frame = this.#inbox[this.#next++]!
    this.backlog -= frame.length
    try {
      return decode(frame)
    } catch (why) {
      this.fail(`the peer sent what is no message: ${reason(why)}`)
      return undefined
    }
  }

  #rest(): void {
    this.#inbox = []
    this.#next = 0
    if (this.#ended) this.#finish(this.#ended.why)
    else this.#wire.drained?.()
  }

  #finish(why: string | undefined): void {
    if (this.#closed) return
    this.#closed = { why }
    this.#inbox = []
    this.#wire.hangUp(why)
    this.#wire.later(() => this.#tell())
  }

  #tell(): void {
    if (this.#told || !this.#onClose) return
    this.#told = true
    this.#onClose(this.#closed?.why)
  }
}
