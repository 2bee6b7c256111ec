import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Call.ts'
import type { AddLock, Change } from '../../src/core/channel/Change.ts'
import { finalState, other, type Side, type State, stateDigest } from '../../src/core/channel/Channel.ts'
import { effects, put, stateAfter } from '../../src/core/channel/Effects.ts'
import type { Item, Message } from '../../src/core/channel/Message.ts'
import type { Pay } from '../../src/core/channel/Payment.ts'
import { signatures, stateOf } from '../../src/core/channel/PeerState.ts'
import { items } from '../../src/core/channel/Queue.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { type Dice, dice } from '../world.ts'
import { CHANNEL, COURT, type Duel, type Fighter, ID, KEYS, PERIOD } from './duel.ts'
import { MARGIN, secretOf } from './holds.ts'

/** A party that keeps every signature it ever saw and stops at nothing that its own key and the wire allow. */
export class Adversary {
  readonly #duel: Duel
  readonly #me: Side
  readonly #victim: Fighter
  readonly #key: Hex
  readonly #known = new Map<Hex, SignedState>()
  readonly #heard: Message[] = []
  readonly #copies: Store[] = []

  constructor(duel: Duel, honest: Side) {
    this.#duel = duel
    this.#me = other(honest)
    duel.liar = this.#me
    this.#victim = duel.side(honest)
    this.#key = KEYS[this.#me === 'a' ? 0 : 1]
  }

  /** Takes note of what the victim has signed and said by now. */
  learn(): void {
    const { complete, proposal } = this.#victim.state
    if (proposal) this.#note(proposal.state, proposal.book.packed, proposal.signature)
    const signature = this.#me === 'a' ? complete.sigB : complete.sigA
    if (signature !== '0x') this.#note(stateOf(this.#victim.seat, complete), complete.book.packed, signature)
    this.#heard.splice(0, this.#heard.length, ...this.#duel.said.a, ...this.#duel.said.b)
  }

  /** Does one evil thing of many. */
  strike(seed: number): void {
    const random = dice(seed)
    const deeds = [
      () => this.#publish(random),
      () => this.#publish(random),
      () => this.#conclude(),
      () => this.#say(this.#forge(random)),
      () => this.#say(this.#forge(random)),
      () => this.#say(this.#propose(random)),
      () => this.#say(this.#propose(random, this.#failure(random))),
      () => this.#say(this.#heard[random.roll(Math.max(1, this.#heard.length))]),
      () => void this.#copies.push(this.#mine.copy()),
      () => this.#forget(random),
      () => this.#leapInTime(),
      () => this.#answerLate(random),
      () => this.#reveal(random),
      () => this.#keepBack(random),
    ]
    deeds[random.roll(deeds.length)]!()
  }

  /** The victim wants its money; the adversary answers nothing more and publishes what it can. */
  end(asksToClose: boolean): void {
    this.#duel.cut()
    if (asksToClose) this.#victim.take({ kind: 'close' })
    else this.#victim.take({ kind: 'challenge' })
    for (let seed = 0; seed < 400 && !this.#victim.state.finished; seed++) {
      this.learn()
      if (seed < 6) this.#publish(dice(seed))
      else this.#duel.mine()
      if (seed % 8 === 7) this.#leapInTime()
    }
    if (!this.#victim.state.finished) throw new Error('the victim does not get its money')
  }

  get #mine(): Fighter {
    return this.#duel.side(this.#me)
  }

  #note({ version, net, batch, ...rest }: State, locks: Hex, theirs: Hex): void {
    const hash = stateDigest(COURT, { version, net, batch, ...rest })
    const sigs = signatures(this.#mine.seat, sign(hash, this.#key), theirs)
    this.#known.set(hash, { version, net, batch, locks, ...sigs })
  }

  #send(call: ChannelCall): void {
    this.#duel.mine([{ sender: CHANNEL[this.#me].owner, call }])
  }

  #publish(random: Dice): void {
    const known = [...this.#known.values()]
    const state = known[random.roll(Math.max(1, known.length))]
    if (!state) return
    this.#send({ verb: random.chance(2) ? 'challenge' : 'answer', channel: CHANNEL, state })
  }

  #conclude(): void {
    const { final } = this.#victim.state.end
    if (!final) return
    const mine = sign(stateDigest(COURT, finalState(ID, final.net)), this.#key)
    this.#send({ verb: 'conclude', channel: CHANNEL, net: final.net, ...signatures(this.#mine.seat, mine, final.mine) })
  }

  #forget(random: Dice): void {
    const copy = this.#copies[random.roll(Math.max(1, this.#copies.length))]
    if (copy) this.#mine.revive(copy)
  }

  /** A period passes in which the victim is awake: what it asks for is mined within ten minutes. */
  #leapInTime(): void {
    const until = this.#duel.chain.time + PERIOD + 40
    this.#duel.mine()
    while (this.#duel.chain.time < until) {
      this.#duel.mine()
      this.#duel.mine([], Math.min(until, this.#duel.chain.time + 600))
    }
  }

  /** Goes to court, and acknowledges what is open when nobody can answer any more. */
  #answerLate(random: Dice): void {
    this.#publish(random)
    this.#leapInTime()
    this.#say(this.#ack(random))
  }

  /** Shows layer 1 the secret behind a lock, whoever pays it. */
  #reveal(random: Dice): void {
    const { locks } = this.#victim.state
    const lock = locks[random.roll(Math.max(1, locks.length))]
    if (lock) this.#send({ verb: 'reveal', preimages: [secretOf(lock.paymentId)] })
  }

  /** Takes a lock of the victim's, and acknowledges the version that says so when the lock has expired. */
  #keepBack(random: Dice): void {
    const { proposal, complete, inbox } = this.#victim.state
    const number = (proposal ?? complete).disposed + inbox.length + 1
    this.#say({ type: 'request', number, changes: [this.#fulfilment(random)] })
    if (random.chance(2)) this.#leapInTime()
    this.#say(this.#ack(random))
  }

  #say(message: Message | undefined): void {
    if (message && this.#duel.up) this.#victim.take({ kind: 'message', message })
  }

  #pay(random: Dice): Pay {
    return { kind: 'pay', amount: BigInt(1 + random.roll(150)), paymentId: uint(random.roll(1 << 30), 32), memo: '0x' }
  }

  /** A payment, a new lock, or the end of one: mostly as it may be. */
  #change(random: Dice): Change {
    if (random.chance(3)) return this.#newLock(random)
    if (random.chance(3)) return this.#fulfilment(random)
    return random.chance(3) ? this.#failure(random) : this.#pay(random)
  }

  #newLock(random: Dice): AddLock {
    const paymentId = uint(random.roll(1 << 30), 32)
    const life = [MARGIN + random.roll(900), random.roll(60), -1, 20_000][random.roll(8)] ?? MARGIN + 300
    const expiry = this.#duel.chain.time + life
    const key = random.chance(9) ? ZERO : hashLock(secretOf(paymentId))
    const amount = BigInt(random.chance(4) ? random.roll(300) : 1 + random.roll(30))
    return { kind: 'addLock', amount, expiry, condition: ETHER, key, paymentId, payload: '0x' }
  }

  /** The end of a lock that is open, whosever it is. */
  #fulfilment(random: Dice): Change {
    const { locks } = this.#victim.state
    const lock = locks[random.roll(Math.max(1, locks.length))]
    const preimage = secretOf(random.chance(6) ? ZERO : (lock?.paymentId ?? ZERO))
    return { kind: 'fulfilLock', lockId: lock?.id ?? 1n, preimage }
  }

  #failure(random: Dice): Change {
    const { locks } = this.#victim.state
    const lock = locks[random.roll(Math.max(1, locks.length))]
    return { kind: 'failLock', lockId: lock?.id ?? 1n, code: 'No', data: '0x' }
  }

  /** A proposal signed as it should be, that does what it likes. */
  #propose(random: Dice, first?: Change): Message | undefined {
    const { seat, state } = this.#victim
    const requests = items(state.pending)
    const proposed: Item[] = []
    const done = effects(state.complete.book, state.locks)
    if (first && typeof put(done, this.#me, first) !== 'string') proposed.push({ kind: 'own', change: first })
    for (let i = random.roll(4); i > 0; i--) {
      const request = requests[random.chance(5) ? random.roll(5) : proposed.length]
      if (!request || random.chance(2)) {
        const change = this.#change(random)
        // Somebody else's lock, or none, can only be ended on paper: then its own hash is not the victim's.
        if (typeof put(done, this.#me, change) !== 'string' || random.chance(9)) proposed.push({ kind: 'own', change })
      } else if (random.chance(4)) proposed.push({ kind: 'refusal', number: request.number, code: 'No' })
      else {
        proposed.push({ kind: 'request', number: request.number })
        put(done, other(this.#me), request.change)
      }
    }
    const honest = stateAfter(stateOf(seat, state.complete), done)?.state
    if (!honest) return undefined
    const next = random.chance(4) ? { ...honest, net: honest.net + BigInt(random.roll(50) - 25) } : honest
    const hash = stateDigest(COURT, next)
    return { type: 'propose', version: next.version, items: proposed, hash, signature: sign(hash, this.#key) }
  }

  #ack(random: Dice): Message {
    const { complete, hash, proposal, inbox } = this.#victim.state
    const asked = proposal ?? { state: complete, hash }
    const signature = this.#sign(asked.hash, random)
    const owed = (proposal ?? complete).disposed + inbox.length
    return { type: 'ack', version: asked.state.version, hash: asked.hash, owed, signature }
  }

  /** A message that is sometimes what an honest peer would say, and sometimes not. */
  #forge(random: Dice): Message {
    const { complete, hash, last, proposal, inbox } = this.#victim.state
    const version = complete.version + BigInt(random.roll(2))
    const net = random.chance(2) ? complete.net : complete.net + BigInt(random.roll(40) - 20)
    const number = (proposal ?? complete).disposed + inbox.length + 1
    const final = this.#sign(stateDigest(COURT, finalState(ID, net)), random)
    const forged: readonly Message[] = [
      { type: 'hello', version, hash, owed: random.roll(5), restored: random.chance(3) },
      { type: 'request', number: random.chance(3) ? random.roll(last + 4) : number, changes: [this.#change(random)] },
      this.#ack(random),
      this.#ack(random),
      { type: 'funds', total: BigInt(random.roll(1000)), lapsedThrough: 0 },
      { type: 'close', restored: random.chance(2) },
      { type: 'final', net, signature: final },
      { type: 'finalSig', signature: final },
      { type: 'show', state: [...this.#known.values()][0] ?? WORTHLESS, owed: 0 },
    ]
    return forged[random.roll(forged.length)]!
  }

  #sign(hash: Hex, random: Dice): Hex {
    return sign(random.chance(4) ? ZERO : hash, this.#key)
  }
}

const WORTHLESS: SignedState = { version: 9n, net: 0n, batch: ZERO, locks: '0x', sigA: '0x', sigB: '0x' }
