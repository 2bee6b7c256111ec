import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import { adjudicate } from '../../src/core/channel/Adjudicator.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Call.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { challengeDigest, channelId, withdrawalDigest } from '../../src/core/channel/Channel.ts'
import { decided, type Lock, locksRoot, packLocks, tally } from '../../src/core/channel/Lock.ts'
import { type ChannelCourt, newCourt, recordOf } from '../../src/core/channel/Record.ts'
import { runs } from '../fuzz.ts'
import { alice, bob, coSigned, PERIOD, stranger, terms, UNIT } from './stage.ts'

/** When every lock has expired. */
const AFTER = 50_000
const EXPIRIES = [1800, PERIOD, 9000, 30_000]
const secret = (index: number) => uint(index + 1, 32)
const LOCKS: readonly Lock[] = EXPIRIES.map((expiry, i) => {
  return { toB: i % 2 === 0, id: BigInt(i + 1), amount: UNIT / 2n, expiry, condition: ETHER, key: hashLock(secret(i)) }
})

/** A channel between alice (honest, with a tower) and bob (anything goes), played in the model alone. */
class Duel {
  readonly under = domain(31337n, `0x${'c0'.repeat(20)}`)
  readonly channel = terms(ETHER, 1)
  readonly id = channelId(this.under, this.channel)
  court: ChannelCourt = newCourt(this.under)
  paidToAlice = 0n
  readonly lists: Hex[] = []
  funds = { a: 0n, b: 0n }

  /** Makes a call; a refusal changes nothing. */
  call(call: ChannelCall, sender: Hex, time: number): void {
    const value = call.verb === 'deposit' ? call.amount : 0n
    try {
      const ruling = adjudicate(this.court, call, { sender, value, time, baseFee: 0n, refuses: () => false })
      this.court = ruling.state
      for (const { to, amount } of ruling.transfers) if (to === alice.address) this.paidToAlice += amount
      if (call.verb === 'deposit') this.funds[call.toB ? 'b' : 'a'] += call.amount
    } catch (why) {
      if (!(why instanceof Refusal)) throw why
    }
  }

  deposit(toB: boolean, amount: bigint, sender: Hex, time: number): void {
    this.call({ verb: 'deposit', asset: ETHER, channelId: this.id, toB, amount }, sender, time)
  }

  /** Settles with whatever list is the right one. */
  settle(sender: Hex, time: number): void {
    const { locksRoot: root } = this.record
    const locks = this.lists.find((list) => locksRoot(list) === root) ?? '0x'
    this.call({ verb: 'settle', channel: this.channel, locks }, sender, time)
    this.lists.push(tally(locks, this.court.verdicts, time).rest)
  }

  /** Publishes a withdrawal that both have signed. */
  withdraw(a: bigint, b: bigint, time: number): void {
    const [totalA, totalB] = [a * UNIT, b * UNIT]
    const digest = withdrawalDigest(this.under, this.id, totalA, totalB, 2 ** 40 - 1)
    const [sigA, sigB] = [sign(digest, alice.key), sign(digest, bob.key)]
    const deadline = 2 ** 40 - 1
    this.call({ verb: 'withdraw', channel: this.channel, totalA, totalB, deadline, sigA, sigB }, stranger.address, time)
  }

  get record() {
    return recordOf(this.court, ETHER, this.id)
  }
}

interface Attack {
  readonly verb: 'challenge' | 'challengeFor' | 'answer' | 'deposit' | 'settle' | 'withdraw' | 'reveal'
  readonly pick: number
  readonly time: number
}

function strike(duel: Duel, { verb, pick, time }: Attack, states: readonly SignedState[]): void {
  const { channel } = duel
  const state = states[pick % states.length]!
  if (verb === 'deposit') duel.deposit(time % 2 === 0, 1n, bob.address, time)
  else if (verb === 'settle') duel.settle(bob.address, time)
  else if (verb === 'withdraw') duel.withdraw(BigInt(pick % 5), BigInt(pick % 3), time)
  else if (verb === 'reveal') duel.call({ verb, preimages: [secret(pick % 4)] }, bob.address, time)
  else if (verb !== 'challengeFor') duel.call({ verb, channel, state }, bob.address, time)
  else {
    const sig = sign(challengeDigest(duel.under, duel.id, state.version, time), bob.key)
    duel.call({ verb, channel, state, deadline: time, sig }, stranger.address, time)
  }
}

/** Plays all attacks in order; the tower answers once per clock, `delay` seconds after it started. */
function playDuel(duel: Duel, attacks: readonly Attack[], states: readonly SignedState[], delay: number): void {
  const { channel } = duel
  const newest = states[states.length - 1]!
  const rescue = (time: number) => duel.call({ verb: 'answer', channel, state: newest }, stranger.address, time)
  let due: number | undefined
  for (const attack of attacks) {
    if (due !== undefined && attack.time > due) rescue(due)
    strike(duel, attack, states)
    const { deadline } = duel.record
    if (deadline !== 0) due = deadline - PERIOD + delay
  }
  if (due !== undefined) rescue(due)
  else duel.call({ verb: 'challenge', channel, state: newest }, alice.address, 10_000)
  duel.settle(stranger.address, 20_000)
  duel.settle(stranger.address, AFTER)
}

describe('the honest side of a channel, whatever the other side publishes', () => {
  const attack: fc.Arbitrary<Attack> = fc.record({
    verb: fc.constantFrom('challenge', 'answer', 'deposit', 'settle', 'challengeFor', 'withdraw', 'reveal'),
    pick: fc.nat(),
    time: fc.integer({ min: 2, max: 2 * PERIOD }),
  })
  // Old states may say anything; what is newest, an honest side has signed only if both can pay it.
  const old = fc.array(fc.tuple(fc.bigInt(-5n * UNIT, 10n * UNIT), fc.nat(15)), { maxLength: 5 })
  const newest = fc.tuple(fc.bigInt(-UNIT, 4n * UNIT), fc.nat(15))
  const attacks = fc.array(attack, { maxLength: 12 }).map((list) => list.sort((x, y) => x.time - y.time))
  const delays = fc.constantFrom(0, 1, 1800, PERIOD - 1, PERIOD)

  it('invariant 2: is paid what its newest state says, locks and withdrawals and all, if that is published once before the deadline passes', () => {
    fc.assert(
      fc.property(old, newest, attacks, delays, (before, last, strikes, delay) => {
        const duel = new Duel()
        const history = [...before, last].map(([net, mask], i) => {
          const locks = LOCKS.filter((_, bit) => (mask >> bit) & 1)
          duel.lists.push(packLocks(locks))
          return coSigned({ domain: duel.under }, duel.channel, BigInt(i + 1), net, undefined, ZERO, locks)
        })
        duel.deposit(false, 10n * UNIT, alice.address, 1)
        duel.deposit(true, 5n * UNIT, bob.address, 1)
        playDuel(duel, strikes, [NO_STATE, ...history], delay)
        expect(duel.record.closed).to.equal(true)
        // Deposits less what alice owes and her lost locks, plus those that she won: paid out, or taken out before.
        const [net, mask] = last
        const due = LOCKS.filter((_, bit) => (mask >> bit) & 1).reduce((sum, lock) => {
          const won = decided(lock, duel.court.verdicts, AFTER)!
          return lock.toB ? sum - won : sum + won
        }, duel.funds.a - net)
        expect(duel.paidToAlice).to.equal(due)
      }),
      runs(300),
    )
  })

  it('would lose without the answer: the property above can fail', () => {
    const duel = new Duel()
    const { channel } = duel
    const states = [1n, 2n].map((version) =>
      coSigned({ domain: duel.under }, channel, version, version === 1n ? 5n * UNIT : 0n),
    )
    duel.deposit(false, 10n * UNIT, alice.address, 1)
    strike(duel, { verb: 'challenge', pick: 0, time: 2 }, states)
    strike(duel, { verb: 'settle', pick: 0, time: 3 + PERIOD }, states)
    expect(duel.paidToAlice).to.equal(5n * UNIT)
  })
})
