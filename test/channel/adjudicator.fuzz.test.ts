import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { adjudicate } from '../../src/core/channel/Adjudicator.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Call.ts'
import { type Channel, challengeDigest, channelId, payouts } from '../../src/core/channel/Channel.ts'
import { type ChannelCourt, newCourt, recordOf } from '../../src/core/channel/Record.ts'
import { runs } from '../fuzz.ts'
import {
  alice,
  bob,
  carol,
  conclusion,
  coSigned,
  expectSolvent,
  PERIOD,
  play,
  type Stage,
  stage,
  stranger,
  terms,
  UNIT,
} from './stage.ts'

const NO_STATE: SignedState = { version: 0n, net: 0n, batch: ZERO, locks: '0x', sigA: '0x', sigB: '0x' }
const people = [alice, bob, carol, stranger]

/** One random act; the numbers are folded into whatever is there to choose from when it is played. */
interface Act {
  readonly verb:
    | 'deposit'
    | 'conclude'
    | 'challenge'
    | 'challengeFor'
    | 'answer'
    | 'settle'
    | 'claimCredit'
    | 'reveal'
    | 'sign'
    | 'turn'
  readonly on: number
  readonly who: number
  readonly pick: number
  readonly amount: bigint
  readonly wait: number
}

const act: fc.Arbitrary<Act> = fc.record({
  verb: fc.constantFrom<Act['verb'][]>(
    'deposit',
    'deposit',
    'sign',
    'sign',
    'sign',
    'conclude',
    'challenge',
    'challenge',
    'challengeFor',
    'answer',
    'answer',
    'settle',
    'settle',
    'claimCredit',
    'reveal',
    'turn',
  ),
  on: fc.nat(3),
  who: fc.nat(3),
  pick: fc.nat(9),
  amount: fc.bigInt(-3n * UNIT, 3n * UNIT),
  wait: fc.constantFrom(1, 1, 1, 2, 1800, 3599, 3600, 3601, 90_000),
})

/** A game: channels of four kinds, every state ever signed in them. */
interface Game {
  readonly on: Stage
  readonly channels: readonly Channel[]
  readonly signed: SignedState[][]
}

let games = 0
function newGame(on: Stage): Game {
  const salt = 10 * ++games
  const apart = {
    a: { owner: on.receiverAddress, signer: alice.address },
    b: { owner: carol.address, signer: bob.address },
  }
  const channels = [
    terms(ETHER, salt),
    terms(on.tokenAddress, salt),
    terms(ETHER, salt + 1, apart),
    terms(ETHER, salt + 2, { challengePeriod: 0 }),
  ]
  return { on, channels, signed: channels.map(() => [NO_STATE]) }
}

async function perform(game: Game, { verb, on: which, who, pick, amount, wait }: Act): Promise<string> {
  const { on } = game
  const channel = game.channels[which]!
  const states = game.signed[which]!
  const [sender, state] = [people[who]!.address, states[pick % states.length]!]
  const sending = { sender, time: on.time + wait }
  const id = channelId(on.domain, channel)
  switch (verb) {
    case 'sign': {
      const keys = pick === 0 ? [alice.key, undefined] : pick === 1 ? [undefined, bob.key] : [alice.key, bob.key]
      states.push(coSigned(on, channel, BigInt(states.length), amount, keys, uint(pick, 32)))
      return 'signed'
    }
    case 'turn':
      on.refusing = !on.refusing
      await on.receiver.behave(on.refusing ? 1 : 0, ETHER, '0x', { gasPrice: 0 })
      on.time += 1
      return 'turned'
    case 'deposit': {
      const asset = pick === 9 ? on.tokenAddress : channel.asset
      const value = pick === 8 ? { value: 1n } : {}
      const call: ChannelCall = {
        verb,
        asset,
        channelId: id,
        toB: pick % 2 === 1,
        amount: amount < 0n ? -amount : amount,
      }
      return outcome(await play(on, call, { ...sending, ...value }))
    }
    case 'conclude':
      return outcome(
        await play(on, conclusion(on, channel, amount, pick < 3 ? [alice.key, undefined] : undefined), sending),
      )
    case 'challengeFor': {
      const deadline = on.time + 1 + pick * 400
      const sig = sign(challengeDigest(on.domain, id, state.version, deadline), people[(who + 1) % 4]!.key)
      return outcome(await play(on, { verb, channel, state, deadline, sig }, sending))
    }
    case 'challenge':
    case 'answer':
      return outcome(await play(on, { verb, channel, state }, sending))
    case 'settle':
      return outcome(await play(on, { verb, channel, locks: '0x' }, sending))
    case 'claimCredit': {
      const to = people[pick % 4]!.address
      return outcome(
        await play(on, { verb, asset: channel.asset, owner: pick > 4 ? on.receiverAddress : to, to }, sending),
      )
    }
    case 'reveal':
      return outcome(await play(on, { verb, preimages: [uint(pick, 32), uint(who, 32)] }, sending))
  }
}

function outcome({ refused }: { readonly refused: string | undefined }): string {
  return refused ?? 'done'
}

describe('Adjudicator against its model', () => {
  it('agrees on every refusal, event, record and balance in random histories, and stays solvent', async () => {
    const on = await stage()
    const met = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 30, maxLength: 60, size: 'max' }), async (acts) => {
        const game = newGame(on)
        for (const next of acts) {
          const what = `${next.verb}: ${await perform(game, next)}`
          met.set(what, (met.get(what) ?? 0) + 1)
        }
        await expectSolvent(on)
      }),
      runs(24),
    )
    for (const verb of ['deposit', 'conclude', 'challenge', 'challengeFor', 'answer', 'settle', 'reveal']) {
      expect(met.get(`${verb}: done`) ?? 0, `${verb} went through`).to.be.greaterThan(0)
    }
    for (const code of [
      'ChannelClosed',
      'StaleVersion',
      'WrongSigner',
      'NotParty',
      'ChallengeRunning',
      'TooLate',
      'NoChallenge',
    ]) {
      expect(
        [...met.keys()].some((what) => what.endsWith(code)),
        code,
      ).to.equal(true)
    }
  })
})

/** A channel between alice (honest, with a tower) and bob (anything goes), played in the model alone. */
class Duel {
  readonly under = domain(31337n, `0x${'c0'.repeat(20)}`)
  readonly channel = terms(ETHER, 1)
  readonly id = channelId(this.under, this.channel)
  court: ChannelCourt = newCourt(this.under)
  paidToAlice = 0n
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

  get record() {
    return recordOf(this.court, ETHER, this.id)
  }
}

interface Attack {
  readonly verb: 'challenge' | 'challengeFor' | 'answer' | 'deposit' | 'settle'
  readonly pick: number
  readonly time: number
}

function strike(duel: Duel, { verb, pick, time }: Attack, states: readonly SignedState[]): void {
  const { channel } = duel
  const state = states[pick % states.length]!
  if (verb === 'deposit') duel.deposit(time % 2 === 0, 1n, bob.address, time)
  else if (verb === 'settle') duel.call({ verb, channel, locks: '0x' }, bob.address, time)
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
  duel.call({ verb: 'settle', channel, locks: '0x' }, stranger.address, 20_000)
}

describe('the honest side of a channel, whatever the other side publishes', () => {
  const attack: fc.Arbitrary<Attack> = fc.record({
    verb: fc.constantFrom('challenge', 'answer', 'deposit', 'settle', 'challengeFor'),
    pick: fc.nat(),
    time: fc.integer({ min: 2, max: 2 * PERIOD }),
  })
  const nets = fc.array(fc.bigInt(-5n * UNIT, 10n * UNIT), { minLength: 1, maxLength: 6 })
  const attacks = fc.array(attack, { maxLength: 12 }).map((list) => list.sort((x, y) => x.time - y.time))

  it('is paid what its newest state says, if that is published once before the deadline passes', () => {
    fc.assert(
      fc.property(nets, attacks, fc.constantFrom(0, 1, 1800, PERIOD - 1, PERIOD), (history, strikes, delay) => {
        const duel = new Duel()
        const { channel } = duel
        const signed = history.map((net, i) => coSigned({ domain: duel.under }, channel, BigInt(i + 1), net))
        duel.deposit(false, 10n * UNIT, alice.address, 1)
        duel.deposit(true, 5n * UNIT, bob.address, 1)
        playDuel(duel, strikes, [NO_STATE, ...signed], delay)
        expect(duel.record.closed).to.equal(true)
        expect(duel.paidToAlice).to.equal(payouts(duel.funds.a, duel.funds.b, history[history.length - 1]!).payA)
      }),
      runs(150),
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
