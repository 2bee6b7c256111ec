import { expect } from 'chai'
import fc from 'fast-check'
import { Refusal } from '../../src/core/base/Step.ts'
import type { ChannelCall } from '../../src/core/channel/Call.ts'
import { other, type Side } from '../../src/core/channel/Channel.ts'
import type { Message } from '../../src/core/channel/Message.ts'
import { available } from '../../src/core/channel/Peer.ts'
import { signatures } from '../../src/core/channel/PeerState.ts'
import { signAsk, totals } from '../../src/core/channel/Reserve.ts'
import { type Dice, dice } from '../world.ts'
import { crash, side } from './acts.ts'
import { CHANNEL, COURT, type CrashPoint, type Duel, type Fighter, ID, KEYS } from './duel.ts'
import { pay, proposal } from './words.ts'

/** Seconds for which a withdrawal is good unless told. */
export const HOUR = 3600

/** A side asks to take money out; the code of its refusal, if it is refused. */
export function take(duel: Duel, side: Side, amount: bigint, seconds = HOUR, crash?: CrashPoint): string | undefined {
  try {
    duel.side(side).take({ kind: 'withdraw', amount, seconds }, crash)
    return undefined
  } catch (why) {
    if (why instanceof Refusal) return why.code
    throw why
  }
}

/** What a side can pay now. */
export function left({ seat, state }: Fighter): bigint {
  return available(seat, state)
}

/** What became of a side's withdrawals, as its user was told. */
export function ends({ told }: Fighter): readonly string[] {
  return told.flatMap((event) =>
    event.name === 'withdrawn' ? ['withdrawn'] : event.name === 'unwithdrawn' ? [event.code] : [],
  )
}

/** The call that a side keeps back. */
export function keepBack({ calls }: Fighter): { readonly sender: `0x${string}`; readonly call: ChannelCall } {
  const [call] = calls.splice(0).filter(({ verb }) => verb === 'withdraw')
  return { sender: CHANNEL.a.owner, call: call! }
}

/** What befalls withdrawals, beside what befalls everything. */
export type Take =
  | { readonly kind: 'take'; readonly side: Side; readonly amount: number; readonly crash: CrashPoint | undefined }
  | { readonly kind: 'hoard'; readonly side: Side }
  | { readonly kind: 'lapse'; readonly side: Side; readonly early: number; readonly amount: number }

/** Asks, transactions that are held back, deadlines that pass for one side first. */
export const takes = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('take' as const), side, amount: fc.integer({ min: 1, max: 90 }), crash }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('hoard' as const), side }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('lapse' as const), side, early: fc.nat(6), amount: fc.nat(90) }),
  },
)

/** Lets an act happen. */
export function playTake(duel: Duel, act: Take): void {
  if (act.kind === 'take') take(duel, act.side, BigInt(act.amount), HOUR, act.crash)
  else if (act.kind === 'hoard') duel.side(act.side).calls.length = 0
  else lapse(duel, act.side, act.early, BigInt(act.amount))
}

/** Two blocks past every deadline; one side sees them, both talk and pay, then the other side sees them. */
function lapse(duel: Duel, first: Side, early: number, amount: bigint): void {
  if (early % 2 === 0) duel.settleDown()
  for (let i = 0; i < 3; i++) {
    for (const { calls } of [duel.a, duel.b]) calls.splice(0, 9, ...calls.filter(({ verb }) => verb !== 'withdraw'))
    if (i < 2) duel.mine() // who must answer has had the time
  }
  const blocks = [duel.chain.mine([], duel.chain.time + HOUR + 1), duel.chain.mine([])]
  for (const block of blocks) duel.side(first).take({ kind: 'chain', chain: { kind: 'block', block } })
  const payer = early % 3 === 0 ? other(first) : first
  duel.pay(payer, amount % 2n === 0n ? left(duel.side(payer)) : amount)
  for (let i = 0; i < early; i++) duel.deliver(i % 2 === 0 ? first : other(first))
  for (const block of blocks) duel.side(other(first)).take({ kind: 'chain', chain: { kind: 'block', block } })
  duel.mine()
}

/** Every withdrawal has ended, told once, as the court has it. */
export function checkTakes(duel: Duel): void {
  const record = [...duel.chain.court.records.values()][0]!
  for (const one of [duel.a, duel.b]) {
    const totals = one.told.flatMap((event) => (event.name === 'withdrawn' ? [event.total] : []))
    expect(totals, 'a withdrawal ended twice').to.deep.equal([...new Set(totals)])
    expect(one.state.reserves.mine === null || one.state.reserves.mine.failed).to.equal(true)
    const seen = one.state.watch.final.withdrawn[one.seat.side]
    if (!record.closed) expect(one.seat.side === 'a' ? record.withdrawnA : record.withdrawnB).to.equal(seen)
    expect(totals.at(-1) ?? 0n).to.equal(seen)
  }
}

/** An adversary's deeds with withdrawals: lies about time, asks for anything, keeps every signature for the last second. */
export class Taker {
  readonly #duel: Duel
  readonly #me: Side

  constructor(duel: Duel, honest: Side) {
    this.#duel = duel
    this.#me = other(honest)
  }

  /** Does one evil thing of many. */
  strike(seed: number): void {
    const random = dice(seed)
    const deeds = [
      () => this.#say(this.#ask(random)),
      () => this.#say(this.#ask(random)),
      () => this.#say({ type: 'funds', total: 0n, lapsedThrough: this.#duel.chain.time + random.roll(3 * HOUR) }),
      () => this.#say(this.#sig(random)),
      () => this.#publish(random),
      () => this.#publish(random),
      () => this.#rob(random),
      () => this.#duel.mine([], this.#duel.chain.time + random.roll(HOUR)),
      () => this.#duel.mine(),
    ]
    deeds[random.roll(deeds.length)]!()
  }

  #say(message: Message): void {
    if (this.#duel.up) this.#duel.side(other(this.#me)).take({ kind: 'message', message })
  }

  #ask(random: Dice): Extract<Message, { type: 'withdrawAsk' }> {
    return {
      type: 'withdrawAsk',
      total: BigInt(random.roll(300)),
      deadline: this.#duel.chain.time + random.roll(2 * HOUR),
    }
  }

  /** Gets a withdrawal signed, calls it lapsed, spends the money, and takes it out. */
  #rob(random: Dice): void {
    const victim = this.#duel.side(other(this.#me))
    this.#say({ ...this.#ask(random), total: BigInt(50 + random.roll(50)) })
    this.#say({ type: 'funds', total: 0n, lapsedThrough: this.#duel.chain.time + 3 * HOUR })
    if (this.#me === 'a') this.#say(proposal(victim, [{ kind: 'own', change: pay(BigInt(1 + random.roll(90))) }]))
    this.#publish(random)
  }

  /** The victim's own ask, signed well or badly. */
  #sig(random: Dice): Message {
    const { reserves } = this.#duel.side(other(this.#me)).state
    const ask = reserves.mine ?? { total: 5n, deadline: this.#duel.chain.time }
    const signed = { total: ask.total + BigInt(random.chance(3) ? 1 : 0), deadline: ask.deadline }
    const signature = signAsk(COURT, ID, other(this.#me), signed, KEYS[this.#me === 'a' ? 0 : 1])
    return { type: 'withdrawSig', ...signed, signature }
  }

  /** Sends a withdrawal that the victim has ever signed. */
  #publish(random: Dice): void {
    const sigs = this.#duel.said[other(this.#me)].filter((said) => said.type === 'withdrawSig')
    const sig = sigs[random.roll(Math.max(1, sigs.length))]
    if (!sig) return
    const mine = signAsk(COURT, ID, this.#me, sig, KEYS[this.#me === 'a' ? 0 : 1])
    const sigs2 = signatures(this.#duel.side(this.#me).seat, mine, sig.signature)
    const call = {
      verb: 'withdraw',
      channel: CHANNEL,
      ...totals(this.#me, sig.total),
      deadline: sig.deadline,
      ...sigs2,
    } as const
    const time = random.chance(2) ? Math.max(this.#duel.chain.time + 1, sig.deadline) : undefined
    this.#duel.mine([{ sender: CHANNEL[this.#me].owner, call }], time)
  }
}
