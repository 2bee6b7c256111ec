import { randomBytes } from 'node:crypto'
import { type Hex, toHex } from '../core/base/Bytes.ts'
import { addressOf, type Domain, isSignedBy, sign } from '../core/base/Signature.ts'
import type { Plain } from '../core/base/Step.ts'
import { type Greet, greetingDigest } from '../core/channel/Greeting.ts'
import type { Connection } from '../edge/transport/Transport.ts'

/** How those who connect are told from strangers. */
export interface GreetingParts {
  /** A fresh nonce, 32 bytes that nobody foresees; the system's randomness unless given. */
  readonly random?: () => Hex
  /** Runs a function after a while, in which the other end must have shown who it is; ten seconds unless given. */
  readonly later?: (run: () => void) => void
}

/** Who this end of a connection is, to whom it says so, and how it came to be. */
export interface DoorstepParts extends GreetingParts {
  readonly key: Hex
  readonly court: Domain
  readonly connection: Connection
  /** Whether this end called. */
  readonly dialed: boolean
  /** Whether somebody who claims to be this signer is spoken with at all. */
  readonly expects: (signer: Hex) => boolean
}

/**
 * One end of a connection until the other has shown its key. Each signs the nonces of both, who is who and who called: a
 * signature is of no use on another connection, at the other end, or to a peer who hands it on.
 */
export class Doorstep {
  readonly #parts: DoorstepParts
  readonly #signer: Hex
  readonly #nonce: Hex
  #claim: Extract<Greet, { type: 'greet' }> | undefined
  #peer: Hex | undefined

  constructor(parts: DoorstepParts) {
    const { key, random = () => toHex(randomBytes(32)) } = parts
    this.#parts = parts
    this.#signer = addressOf(key)
    this.#nonce = random()
    this.#say({ type: 'greet', signer: this.#signer, nonce: this.#nonce })
  }

  /** Whose key the other end has shown, if it has. */
  get peer(): Hex | undefined {
    return this.#peer
  }

  /** Takes what the other end says of itself; false if it shall hear no more. Once more the same is harmless. */
  hear(greet: Greet): boolean {
    return greet.type === 'greet' ? this.#answer(greet) : this.#verify(greet.signature)
  }

  #answer(greet: Extract<Greet, { type: 'greet' }>): boolean {
    const { signer, nonce } = greet
    if (this.#claim) return this.#claim.signer === signer && this.#claim.nonce === nonce
    const { court, key, dialed, expects } = this.#parts
    if (!expects(signer)) return false
    this.#claim = greet
    const mine = { signer: this.#signer, peer: signer, mine: this.#nonce, theirs: nonce, dialed }
    this.#say({ type: 'prove', signature: sign(greetingDigest(court, mine), key) })
    return true
  }

  #verify(signature: Hex): boolean {
    if (this.#peer) return true
    if (!this.#claim) return false
    const { signer, nonce } = this.#claim
    const { court, dialed } = this.#parts
    const theirs = { signer, peer: this.#signer, mine: nonce, theirs: this.#nonce, dialed: !dialed }
    if (!isSignedBy(greetingDigest(court, theirs), signature, signer)) return false
    this.#peer = signer
    return true
  }

  #say(greet: Greet): void {
    this.#parts.connection.send(greet as unknown as Plain)
  }
}
