import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Call.ts'
import { finalState, other, type Side, type State, stateDigest } from '../../src/core/channel/Channel.ts'
import type { Item, Message } from '../../src/core/channel/Message.ts'
import { nextState, type Paid, type Pay } from '../../src/core/channel/Payment.ts'
import { signatures, stateOf } from '../../src/core/channel/PeerState.ts'
import { items } from '../../src/core/channel/Queue.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { type Dice, dice } from '../world.ts'
import { CHANNEL, COURT, type Duel, type Fighter, ID, KEYS, PERIOD } from './duel.ts'

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
    if (proposal) this.#note(proposal.state, proposal.signature)
    const signature = this.#me === 'a' ? complete.sigB : complete.sigA
    if (signature !== '0x') this.#note(stateOf(this.#victim.seat, complete), signature)
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
      () => this.#say(this.#heard[random.roll(Math.max(1, this.#heard.length))]),
      () => void this.#copies.push(this.#mine.copy()),
      () => this.#forget(random),
      () => this.#leapInTime(),
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

  #note(state: State, theirs: Hex): void {
    const hash = stateDigest(COURT, state)
    const sigs = signatures(this.#mine.seat, sign(hash, this.#key), theirs)
    this.#known.set(hash, { version: state.version, net: state.net, batch: state.batch, locks: '0x', ...sigs })
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

  /** The victim is awake for two blocks before a period passes: what it asks for is mined in time. */
  #leapInTime(): void {
    this.#duel.mine()
    this.#duel.mine()
    this.#duel.mine([], this.#duel.chain.time + PERIOD + 1)
  }

  #say(message: Message | undefined): void {
    if (message && this.#duel.up) this.#victim.take({ kind: 'message', message })
  }

  #pay(random: Dice): Pay {
    return { kind: 'pay', amount: BigInt(1 + random.roll(150)), paymentId: uint(random.roll(1 << 30), 32), memo: '0x' }
  }

  /** A proposal signed as it should be, that does what it likes. */
  #propose(random: Dice): Message {
    const { seat, state } = this.#victim
    const requests = items(state.pending)
    const proposed: Item[] = []
    const paid: Paid[] = []
    for (let i = random.roll(4); i > 0; i--) {
      const request = requests[random.chance(5) ? random.roll(5) : proposed.length]
      if (!request || random.chance(2)) {
        const change = this.#pay(random)
        proposed.push({ kind: 'own', change })
        paid.push({ payer: this.#me, pay: change })
      } else if (random.chance(4)) proposed.push({ kind: 'refusal', number: request.number, code: 'No' })
      else {
        proposed.push({ kind: 'request', number: request.number })
        if (request.change.kind === 'pay') paid.push({ payer: other(this.#me), pay: request.change })
      }
    }
    const honest = nextState(stateOf(seat, state.complete), paid)!
    const next = random.chance(4) ? { ...honest, net: honest.net + BigInt(random.roll(50) - 25) } : honest
    const hash = stateDigest(COURT, next)
    return { type: 'propose', version: next.version, items: proposed, hash, signature: sign(hash, this.#key) }
  }

  /** A message that is sometimes what an honest peer would say, and sometimes not. */
  #forge(random: Dice): Message {
    const { complete, hash, last, proposal, inbox } = this.#victim.state
    const version = complete.version + BigInt(random.roll(2))
    const net = random.chance(2) ? complete.net : complete.net + BigInt(random.roll(40) - 20)
    const number = (proposal ?? complete).disposed + inbox.length + 1
    const final = this.#sign(stateDigest(COURT, finalState(ID, net)), random)
    const asked = proposal ?? { state: complete, hash }
    const acked = { version: asked.state.version, hash: asked.hash, signature: this.#sign(asked.hash, random) }
    const forged: readonly Message[] = [
      { type: 'hello', version, hash, owed: random.roll(5), restored: random.chance(3) },
      { type: 'request', number: random.chance(3) ? random.roll(last + 4) : number, changes: [this.#pay(random)] },
      { type: 'ack', ...acked, owed: number - 1 },
      { type: 'ack', ...acked, owed: number - 1 },
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
