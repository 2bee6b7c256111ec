import { expect } from 'chai'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { ChannelCall } from '../../src/core/channel/Call.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import type { Channel } from '../../src/core/channel/Channel.ts'
import { Bench, type Off } from './bench.ts'
import { alice, bob, PERIOD, UNIT } from './stage.ts'

const SECRET = uint(1, 32)
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
    rule: 'a final state is irrevocable, so whoever has signed one takes nothing more in the channel',
    off: { careless: true },
    history: (bench) => {
      bench.fund(10n, 5n)
      // Alice has signed the end at net 0; bob offers her five units in a newer version, for goods.
      const newer = bench.state(2n, -5n)
      if (bench.careless) bench.give(alice.address, 5n)
      bench.conclude(0n, 2)
      bench.challenge(newer, 3, alice.address)
    },
    on: 100n,
    without: 50n,
  },
  {
    rule: 'a final state is signed only with no lock open: it pays none',
    off: { careless: true },
    history: (bench) => {
      bench.fund(10n, 5n)
      const mine = bench.state(1n, 0n, [{ ...LOCK, toB: false }])
      if (bench.careless) bench.conclude(0n, 2)
      bench.call(REVEAL, 3, alice.address)
      bench.challenge(mine, 4, alice.address)
      bench.settle(5 + PERIOD, mine.locks)
    },
    on: 140n,
    without: 100n,
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
