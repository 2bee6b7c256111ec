import { expect } from 'chai'
import fc from 'fast-check'
import { get } from '../../src/core/base/HashMap.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { other, type Side } from '../../src/core/channel/Channel.ts'
import { receiverOf } from '../../src/core/channel/LockBook.ts'
import { cutoff, now } from '../../src/core/channel/LockTime.ts'
import { type Act, checkPayments, ending, plain, play, side } from './acts.ts'
import { Adversary } from './adversary.ts'
import { CHANNEL, type CrashPoint, Duel, type Fighter, PATIENCE, PERIOD } from './duel.ts'
import { type Begun, checkLocks, fulfil, gainedByLocks, type Hold, holds, playHold, towards, wait } from './holds.ts'

const FUNDS = 100n

/** One side sees no blocks for a while, only its clock; what it asks for is mined, and words arrive before the blocks. */
type Blind = { readonly kind: 'blind'; readonly side: Side; readonly seconds: number; readonly words: number }
type Evil = { readonly kind: 'evil'; readonly seed: number }
type Move = Act | Hold | Blind | Evil

const blind = fc.record({
  kind: fc.constant('blind' as const),
  side,
  seconds: fc.integer({ min: 300, max: 2600 }),
  words: fc.nat(4),
})
const evil = fc.nat().map((seed): Evil => ({ kind: 'evil', seed }))
const HOLDS: ReadonlySet<string> = new Set(['lock', 'fulfil', 'fail', 'wait', 'talk', 'lag'])

/** What befalls two honest peers: with locks, time and sides that are blind for a while, or with payments alone. */
const MOVES = {
  payments: plain,
  locks: fc.oneof(
    { weight: 3, arbitrary: plain },
    { weight: 6, arbitrary: holds },
    { weight: 1, arbitrary: blind },
  ) as fc.Arbitrary<Move>,
}

/** Which moves a history is made of. */
export type Kind = keyof typeof MOVES
/** A property of random histories, to be checked so many times. */
export type Hunt = (kind: Kind, funds?: bigint) => fc.IProperty<unknown>

function perform(duel: Duel, move: Move, begun: Begun[]): void {
  if (move.kind === 'blind') stayBlind(duel, move)
  else if (HOLDS.has(move.kind)) playHold(duel, move as Hold, begun)
  else play(duel, move as Act)
}

function stayBlind(duel: Duel, { side: who, seconds, words }: Blind): void {
  const [one, seeing] = [duel.side(who), duel.side(other(who))]
  const until = duel.chain.time + seconds
  const unseen: ReturnType<Duel['chain']['mine']>[] = []
  while (duel.chain.time < until) {
    for (const time of [Math.min(until, duel.chain.time + 600), undefined]) {
      const calls = [duel.a, duel.b].flatMap(({ calls, seat }) =>
        calls.splice(0).map((call) => ({ sender: seat.sender, call })),
      )
      const block = duel.chain.mine(calls, time)
      unseen.push(block)
      seeing.take({ kind: 'chain', chain: { kind: 'block', block } })
      one.take({ kind: 'clock', time: block.time })
    }
  }
  for (let i = 0; i < words; i++) duel.deliver(i % 2 === 0 ? other(who) : who)
  for (const block of unseen) one.take({ kind: 'chain', chain: { kind: 'block', block } })
}

/** Two honest peers, whatever befalls them, and then quiet: nobody is at odds and everything has ended. */
export const agrees: Hunt = (kind) =>
  fc.property(fc.array(MOVES[kind], { minLength: 20, maxLength: 70 }), (moves) => {
    const duel = Duel.opened(FUNDS)
    const begun: Begun[] = []
    for (const move of moves) perform(duel, move, begun)
    for (let i = 0; i < 2; i++) {
      duel.connect()
      duel.settleDown()
      if (kind === 'locks') wait(duel, 4200)
    }
    expect(duel.a.state.end.disputed ?? duel.b.state.end.disputed).to.equal(null)
    expect(duel.a.state.hash).to.equal(duel.b.state.hash)
    expect(duel.a.state.locks).to.deep.equal([])
    checkPayments(duel)
    checkLocks(duel, begun)
    expect(duel.a.state.complete.net).to.equal(-duel.a.gained() - gainedByLocks(duel, begun, 'a'))
  })

/** Two honest peers whose channel ends in the middle: both are paid what their books say, and nobody is forced to it. */
export const ends: Hunt = (kind, funds = FUNDS) =>
  fc.property(
    fc.array(MOVES[kind], { minLength: 5, maxLength: 40 }),
    ending,
    fc.array(fc.oneof({ weight: 9, arbitrary: MOVES[kind] }, { weight: 1, arbitrary: ending }), { maxLength: 25 }),
    (before, end, after) => {
      const duel = Duel.opened(funds)
      const begun: Begun[] = []
      for (const move of [...before, end, ...after]) perform(duel, move, begun)
      finish(duel)
      checkPayments(duel)
      checkLocks(duel, begun)
      for (const one of [duel.a, duel.b]) {
        const who = one.seat.side
        expect(WILLED).to.include(one.state.end.disputed)
        expect(one.state.finished![who === 'a' ? 'payA' : 'payB']).to.equal(
          one.state.watch.final.deposits[who] + one.gained() + gainedByLocks(duel, begun, who),
        )
      }
    },
  )

/** Why a channel may end that two honest peers have: because somebody wants it. */
const WILLED = [null, 'Asked', 'CloseUnanswered']

function finish(duel: Duel): void {
  for (let i = 0; i < 60; i++) {
    if (!duel.up) duel.connect()
    duel.settleDown()
    wait(duel, PATIENCE)
    if (duel.a.state.finished && duel.b.state.finished) return
  }
  throw new Error('the channel does not end')
}

/** Moves on a wire that loses nothing but its end: an older copy is sure to hear what it is shown before a final state. */
function whole(kind: Kind): fc.Arbitrary<Move> {
  return (MOVES[kind] as fc.Arbitrary<Move>).filter((move) => move.kind !== 'gap')
}

/** Two honest peers of whom one comes back from an older copy of its disk: nothing is signed twice, the other loses nothing. */
export const returns: Hunt = (kind) =>
  fc.property(
    fc.array(whole(kind), { maxLength: 12 }),
    fc.array(whole(kind), { minLength: 1, maxLength: 12 }),
    fc.array(whole(kind), { maxLength: 12 }),
    side,
    (before, lost, after, older) => {
      const duel = Duel.opened(FUNDS)
      const begun: Begun[] = []
      for (const move of before) perform(duel, move, begun)
      const copy = duel.side(older).copy()
      for (const move of lost) perform(duel, move, begun)
      duel.cut()
      duel.side(older).revive(copy)
      const hadProposal = duel.side(older).state.proposal !== null
      for (const kind of ['restored', 'close'] as const) duel.side(older).take({ kind })
      for (const move of after) perform(duel, move, begun)
      finish(duel)
      const well = duel.side(other(older))
      if (!hadProposal) expect(WILLED).to.include(duel.side(older).state.end.disputed)
      expect(WILLED).to.include(well.state.end.disputed)
      const paid = well.state.finished![older === 'a' ? 'payB' : 'payA']
      const due = well.state.watch.final.deposits[other(older)] + well.gained() + gainedByOwnLocks(well, begun)
      if (kind === 'payments') expect(paid).to.equal(due)
      expect(paid >= due, `paid ${paid}, due ${due}`).to.equal(true)
    },
  )

/** What a side gained by locks at least, by its own book and what it was told: the other side's book was set back. */
function gainedByOwnLocks(one: Fighter, begun: readonly Begun[]): bigint {
  let sum = 0n
  for (const event of one.told) {
    if (event.name === 'fulfilled' && receiverOf(event.lock) === one.seat.side) sum += event.lock.amount
  }
  for (const [key, outcome] of one.outcomes()) {
    const mine = begun.find(({ paymentId }) => key.endsWith(paymentId))
    if (mine && typeof outcome === 'object') sum -= mine.amount
  }
  return sum
}

/** What an honest peer is sure of by its locks: it pays what its books say, and gets what it has a preimage for. */
class Claims {
  readonly #me: Fighter
  readonly #begun: Begun[] = []
  readonly #taken = new Map<bigint, bigint>()

  constructor(me: Fighter) {
    this.#me = me
  }

  play(duel: Duel, act: Hold): void {
    const isMine = !('side' in act) || act.side === this.#me.seat.side || act.kind === 'lag'
    if (act.kind !== 'fulfil' || !isMine) playHold(duel, act, isMine ? this.#begun : [])
    else this.#take(act.which, act.crash)
  }

  #take(which: number, crash: CrashPoint | undefined): void {
    const list = towards(this.#me)
    const lock = list[which % Math.max(1, list.length)]
    if (!lock) return
    const { state, seat } = this.#me
    const isSure =
      now(state) <= cutoff(seat, lock) && get(state.preimages, lock.key) === undefined && crash !== 'computed'
    if (fulfil(this.#me, lock.id, crash) !== undefined || !isSure) return
    this.#taken.set(lock.id, lock.amount)
  }

  due(duel: Duel): bigint {
    let sum = gainedByLocks(duel, this.#begun, this.#me.seat.side)
    for (const amount of this.#taken.values()) sum += amount
    return sum
  }
}

/** An honest peer against one that stops at nothing: it is never paid less than its books say. */
export function resists(
  kind: Kind,
  honest: Side,
  opened: () => Duel = () => Duel.opened(FUNDS),
): fc.IProperty<unknown> {
  const usual = kind === 'locks' ? fc.oneof(plain, holds) : plain
  const move = fc.oneof({ weight: 3, arbitrary: usual as fc.Arbitrary<Move> }, { weight: 1, arbitrary: evil })
  return fc.property(fc.array(move, { minLength: 10, maxLength: 80 }), fc.boolean(), (moves, asksToClose) => {
    const duel = opened()
    const me = duel.side(honest)
    const [adversary, claims] = [new Adversary(duel, honest), new Claims(me)]
    for (const one of moves) {
      if (one.kind === 'evil') adversary.strike(one.seed)
      else if ('crash' in one && one.crash !== undefined && one.side !== honest) continue
      else if (HOLDS.has(one.kind)) claims.play(duel, one as Hold)
      else play(duel, one as Act)
      adversary.learn()
    }
    adversary.end(asksToClose)
    const paid = me.state.finished![honest === 'a' ? 'payA' : 'payB']
    const due = me.state.watch.final.deposits[honest] + me.gained() + claims.due(duel)
    expect(paid >= due, `paid ${paid}, due ${due}`).to.equal(true)
    expect(me.state.pending.length).to.equal(0)
    expect(me.state.proposal).to.equal(null)
  })
}

/** A channel on which B has started the clock before anybody deposited: the time for answers is over when the money comes. */
export function clocked(): Duel {
  const duel = new Duel()
  duel.mine([{ sender: CHANNEL.b.owner, call: { verb: 'challenge', channel: CHANNEL, state: NO_STATE } }])
  duel.mine([], duel.chain.time + PERIOD + 1)
  for (const one of ['a', 'b'] as const) duel.deposit(one, FUNDS)
  for (let i = 0; i < 2; i++) duel.mine()
  duel.connect()
  duel.settleDown()
  return duel
}

/** The first failure that so many runs of a property find, or nothing. */
export function found(property: fc.IProperty<unknown>, runs: number): string | undefined {
  const { failed, errorInstance, numRuns } = fc.check(property, { numRuns: runs, seed: 1, endOnFailure: true })
  return failed ? `after ${numRuns} runs: ${String((errorInstance as Error).message).split('\n')[0]}` : undefined
}
