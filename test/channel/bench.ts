// The model of the channel court with rules that can be switched off, and what people are paid by it.
import { ETHER, type Hex, ZERO } from '../../src/core/base/Bytes.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { adjudicate } from '../../src/core/channel/Adjudicator.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Call.ts'
import { type Channel, channelId, withdrawalDigest } from '../../src/core/channel/Channel.ts'
import { callValue } from '../../src/core/channel/Funding.ts'
import type { packLocks } from '../../src/core/channel/Lock.ts'
import { type ChannelCourt, newCourt, type Record, recordOf, withRecord } from '../../src/core/channel/Record.ts'
import { alice, bob, coSigned, stranger, terms, UNIT } from './stage.ts'

/** The domain of every bench's court. */
export const under = domain(31337n, `0x${'c0'.repeat(20)}`)
const FOREVER = 2 ** 40 - 1

/** What a court without a rule does before and after a call; the rule is off where something is given. */
export interface Off {
  readonly before?: (bench: Bench, call: ChannelCall) => void
  readonly after?: (bench: Bench, call: ChannelCall, was: Record) => void
  readonly instead?: (bench: Bench, call: ChannelCall) => ChannelCall | undefined
  /** Alice does not keep to a rule that no court can enforce. */
  readonly careless?: true
}

/** The model, whose rules can be switched off one at a time from outside. */
export class Bench {
  court: ChannelCourt = newCourt(under)
  readonly paid = new Map<Hex, bigint>()
  readonly channel: Channel
  readonly #off: Off
  taken = 0n

  constructor(off: Off, change: Partial<Channel> = {}) {
    this.#off = off
    this.channel = terms(ETHER, 1, change)
  }

  get id(): Hex {
    return channelId(under, this.channel)
  }

  get record(): Record {
    return recordOf(this.court, ETHER, this.id)
  }

  change(more: Partial<Record>): void {
    this.court = withRecord(this.court, ETHER, this.id, { ...this.record, ...more })
  }

  /** Makes a call; false if it is refused. */
  call(given: ChannelCall, time: number, sender: Hex = stranger.address): boolean {
    const was = this.record
    this.#off.before?.(this, given)
    const call = this.#off.instead?.(this, given) ?? given
    try {
      const env = { sender, value: callValue(call), time, baseFee: 0n, refuses: () => false }
      const { state, transfers } = adjudicate(this.court, call, env)
      this.court = state
      for (const { from, to, amount } of transfers) this.#move(from, to, amount)
    } catch (why) {
      if (!(why instanceof Refusal)) throw why
      this.change(was)
      return false
    }
    this.#off.after?.(this, given, was)
    return true
  }

  fund(a: bigint, b: bigint): void {
    for (const [toB, units] of [
      [false, a],
      [true, b],
    ] as const) {
      if (units > 0n) this.call({ verb: 'deposit', asset: ETHER, channelId: this.id, toB, amount: units * UNIT }, 1)
    }
  }

  state(version: bigint, units: bigint, locks: Parameters<typeof packLocks>[0] = []): SignedState {
    return coSigned({ domain: under }, this.channel, version, units * UNIT, undefined, ZERO, locks)
  }

  challenge(state: SignedState, time: number, who: Hex = bob.address): boolean {
    return this.call({ verb: 'challenge', channel: this.channel, state }, time, who)
  }

  answer(state: SignedState, time: number): boolean {
    return this.call({ verb: 'answer', channel: this.channel, state }, time)
  }

  settle(time: number, locks: Hex = '0x'): boolean {
    return this.call({ verb: 'settle', channel: this.channel, locks }, time)
  }

  conclude(units: bigint, time: number): boolean {
    const { net, sigA, sigB } = coSigned({ domain: under }, this.channel, 2n ** 64n - 1n, units * UNIT)
    return this.call({ verb: 'conclude', channel: this.channel, net, sigA, sigB }, time)
  }

  withdraw(a: bigint, b: bigint, time: number): boolean {
    const [totalA, totalB] = [a * UNIT, b * UNIT]
    const digest = withdrawalDigest(under, this.id, totalA, totalB, FOREVER)
    const [sigA, sigB] = [sign(digest, alice.key), sign(digest, bob.key)]
    return this.call({ verb: 'withdraw', channel: this.channel, totalA, totalB, deadline: FOREVER, sigA, sigB }, time)
  }

  get careless(): boolean {
    return this.#off.careless === true
  }

  /** Somebody hands out goods of so many units, or whatever they are worth. */
  give(who: Hex, units: bigint): void {
    this.paid.set(who, (this.paid.get(who) ?? 0n) - units * UNIT)
  }

  /** Tenths of a unit that somebody has been paid, less what it gave. */
  got(who: Hex): bigint {
    return (this.paid.get(who) ?? 0n) / (UNIT / 10n)
  }

  #move(from: Hex, to: Hex, amount: bigint): void {
    this.taken += to === under.court ? amount : from === under.court ? -amount : 0n
    if (from === under.court) this.paid.set(to, (this.paid.get(to) ?? 0n) + amount)
  }
}
