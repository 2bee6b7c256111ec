import { expect } from 'chai'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import { adjudicate } from '../../src/core/channel/Adjudicator.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Call.ts'
import { type Channel, channelId, withdrawalDigest } from '../../src/core/channel/Channel.ts'
import { callValue } from '../../src/core/channel/Funding.ts'
import type { packLocks } from '../../src/core/channel/Lock.ts'
import { type ChannelCourt, newCourt, type Record, recordOf, withRecord } from '../../src/core/channel/Record.ts'
import { alice, bob, coSigned, PERIOD, stranger, terms, UNIT } from './stage.ts'

const NO_STATE: SignedState = { version: 0n, net: 0n, batch: ZERO, locks: '0x', sigA: '0x', sigB: '0x' }
const under = domain(31337n, `0x${'c0'.repeat(20)}`)
const FOREVER = 2 ** 40 - 1
const SECRET = uint(1, 32)

/** What a court without a rule does before and after a call; the rule is off where something is given. */
interface Off {
  readonly before?: (bench: Bench, call: ChannelCall) => void
  readonly after?: (bench: Bench, call: ChannelCall, was: Record) => void
  readonly instead?: (bench: Bench, call: ChannelCall) => ChannelCall | undefined
}

/** The model, whose rules can be switched off one at a time from outside. */
class Bench {
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

  /** Units that somebody has been paid. */
  got(who: Hex): bigint {
    return (this.paid.get(who) ?? 0n) / (UNIT / 10n)
  }

  #move(from: Hex, to: Hex, amount: bigint): void {
    this.taken += to === under.court ? amount : from === under.court ? -amount : 0n
    if (from === under.court) this.paid.set(to, (this.paid.get(to) ?? 0n) + amount)
  }
}

const LOCK = { toB: true, id: 1n, amount: 4n * UNIT, expiry: 20_000, condition: ETHER, key: hashLock(SECRET) }
const REVEAL: ChannelCall = { verb: 'reveal', preimages: [SECRET] }

/** One rule, the change that switches it off, a history, and the outcome with and without the rule. */
interface Case {
  readonly rule: string
  readonly off: Off
  readonly terms?: Partial<Channel>
  readonly history: (bench: Bench) => void
  readonly victim?: Hex
  /** Tenths of a unit that the victim is paid (or the court is left with, where `solvency` is set). */
  readonly on: bigint
  readonly without: bigint
  readonly solvency?: true
}

const CASES: readonly Case[] = [
  {
    rule: 'version 0 needs no signature',
    off: {
      instead: (_, call) =>
        call.verb === 'challenge' && call.state.version === 0n
          ? { ...call, state: { ...call.state, version: 1n } }
          : undefined,
    },
    history: (bench) => {
      bench.fund(7n, 0n)
      bench.challenge(NO_STATE, 2, alice.address)
      bench.settle(3 + PERIOD)
    },
    on: 70n,
    without: 0n,
  },
  {
    rule: 'the highest version wins',
    off: { before: (bench, call) => void (call.verb === 'answer' && bench.change({ version: 0n })) },
    history: (bench) => {
      bench.fund(10n, 5n)
      bench.challenge(bench.state(1n, 5n), 2)
      bench.answer(bench.state(2n, 0n), 3)
      bench.answer(bench.state(1n, 5n), 4)
      bench.settle(3 + PERIOD)
    },
    on: 100n,
    without: 50n,
  },
  {
    rule: 'the deadline is a second within which an answer counts, and settlement waits for it',
    off: { before: (bench, call) => void (call.verb === 'settle' && bench.change({ deadline: 1 })) },
    history: (bench) => {
      bench.fund(10n, 5n)
      bench.challenge(bench.state(1n, 5n), 2)
      bench.settle(3)
      bench.answer(bench.state(2n, 0n), 4)
      bench.settle(3 + PERIOD)
    },
    on: 100n,
    without: 50n,
  },
  {
    rule: 'a closed channel is refused by everything: nothing is paid twice',
    off: { after: (bench, call, was) => void (call.verb === 'conclude' && bench.change({ ...was, closed: false })) },
    history: (bench) => {
      bench.fund(10n, 5n)
      bench.conclude(0n, 2)
      bench.conclude(0n, 3)
    },
    on: 0n,
    without: -150n,
    solvency: true,
  },
  {
    rule: 'the first settlement pays once, and again only for open locks',
    off: { after: (bench, call, was) => void (call.verb === 'settle' && bench.change(was)) },
    history: (bench) => {
      bench.fund(10n, 5n)
      bench.challenge(NO_STATE, 2)
      bench.settle(3 + PERIOD)
      bench.settle(4 + PERIOD)
    },
    on: 0n,
    without: -150n,
    solvency: true,
  },
  {
    rule: 'the root of the locks is read only when the recorded version has locks',
    off: { after: (bench, call, was) => void (call.verb === 'answer' && bench.change({ locksRoot: was.locksRoot })) },
    history: (bench) => {
      bench.fund(10n, 5n)
      const old = bench.state(1n, 0n, [LOCK])
      bench.call(REVEAL, 1)
      bench.challenge(old, 2)
      bench.answer(bench.state(2n, 4n), 3)
      bench.settle(3 + PERIOD, old.locks)
      bench.settle(4 + PERIOD)
    },
    on: 60n,
    without: 20n,
  },
  {
    rule: 'a withdrawal is by totals, so a repetition pays nothing',
    off: {
      before: (bench, call) => void (call.verb === 'withdraw' && bench.change({ withdrawnA: 0n, withdrawnB: 0n })),
    },
    history: (bench) => {
      bench.fund(5n, 10n)
      for (let i = 0; i < 3; i++) bench.withdraw(5n, 0n, 2 + i)
      bench.conclude(0n, 9)
    },
    victim: bob.address,
    on: 100n,
    without: 0n,
  },
  {
    rule: 'a withdrawal of more than the funds is refused',
    off: {
      before: (bench, call) =>
        void (call.verb === 'withdraw' && bench.change({ fundsB: bench.record.fundsB + 100n * UNIT })),
      after: (bench, call) =>
        void (call.verb === 'withdraw' && bench.change({ fundsB: bench.record.fundsB - 100n * UNIT })),
    },
    history: (bench) => {
      bench.fund(10n, 5n)
      bench.withdraw(16n, 0n, 2)
    },
    on: 150n,
    without: -10n,
    solvency: true,
  },
  {
    rule: 'what was withdrawn is out of reach of any state',
    off: {
      after: (bench, call, was) =>
        void (call.verb === 'withdraw' && bench.change({ fundsA: was.fundsA, fundsB: was.fundsB })),
    },
    history: (bench) => {
      bench.fund(10n, 5n)
      bench.withdraw(8n, 0n, 2)
      bench.challenge(bench.state(1n, -5n), 3, alice.address)
      bench.settle(4 + PERIOD)
    },
    on: 0n,
    without: -80n,
    solvency: true,
  },
  {
    rule: 'the first time of a verdict stays',
    off: {
      before: (bench, call) => {
        if (call.verb === 'reveal') bench.court = { ...bench.court, verdicts: new Map() }
      },
    },
    history: (bench) => {
      bench.fund(10n, 5n)
      const state = bench.state(1n, 0n, [LOCK])
      bench.call(REVEAL, 3)
      bench.call(REVEAL, LOCK.expiry + 1, alice.address)
      bench.challenge(state, LOCK.expiry + 2)
      bench.settle(LOCK.expiry + 3 + PERIOD, state.locks)
    },
    victim: bob.address,
    on: 90n,
    without: 50n,
  },
  {
    rule: 'a challenge brings its full list of locks: without it nobody else can settle',
    off: { instead: (_, call) => (call.verb === 'settle' ? { ...call, locks: '0x' } : undefined) },
    history: (bench) => {
      bench.fund(10n, 5n)
      const state = bench.state(1n, 0n, [LOCK])
      bench.challenge(state, 2)
      bench.settle(LOCK.expiry + 1, state.locks)
    },
    on: 100n,
    without: 0n,
  },
  {
    rule: 'a bond is lost only two versions above the challenged one',
    off: {
      after: (bench, call) =>
        void (call.verb === 'answer' && bench.change({ bond: { ...bench.record.bond!, version: 0n } })),
    },
    terms: { bond: UNIT },
    history: (bench) => {
      bench.fund(10n, 5n)
      bench.challenge(bench.state(1n, 0n), 2, alice.address)
      bench.answer(bench.state(2n, 0n), 3)
      bench.settle(3 + PERIOD)
    },
    on: 110n,
    without: 100n,
  },
  {
    rule: 'a bond that was not posted is not paid',
    off: {
      before: (bench, call) =>
        void (call.verb === 'conclude' && bench.change({ bond: { amount: UNIT, version: 0n, byB: true } })),
    },
    terms: { bond: UNIT },
    history: (bench) => {
      bench.fund(10n, 5n)
      bench.conclude(0n, 2)
    },
    on: 0n,
    without: -10n,
    solvency: true,
  },
  {
    rule: 'a bond is taken from its book when it is paid',
    off: {
      after: (bench, call, was) =>
        void (call.verb === 'settle' && bench.change({ bond: was.bond, closed: false, deadline: was.deadline })),
    },
    terms: { bond: UNIT },
    history: (bench) => {
      bench.fund(10n, 5n)
      bench.challenge(NO_STATE, 2)
      bench.settle(3 + PERIOD)
      bench.settle(4 + PERIOD)
    },
    on: 0n,
    without: -10n,
    solvency: true,
  },
]

describe('a rule of the court that is switched off loses money', () => {
  for (const { rule, off, history, victim = alice.address, on, without, solvency, terms: change } of CASES) {
    it(rule, () => {
      const results = [{}, off].map((rules) => {
        const bench = new Bench(rules, change)
        history(bench)
        return solvency ? bench.taken / (UNIT / 10n) : bench.got(victim)
      })
      expect(results).to.deep.equal([on, without])
    })
  }
})
