import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { type Plain, Refusal } from '../../src/core/base/Step.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import { other, type Side } from '../../src/core/channel/Channel.ts'
import { type OpenLock, receiverOf } from '../../src/core/channel/LockBook.ts'
import type { PeerInput } from '../../src/core/channel/Peer.ts'
import { crash, side } from './acts.ts'
import type { CrashPoint, Duel, Fighter } from './duel.ts'

/** Seconds from now within which no lock may expire. */
export const MARGIN = 1830
/** The name, the payer and the secret of every lock of a test, by number. */
const SECRETS = 0x5ec0n

/** A lock that somebody began. */
export interface Begun {
  readonly paymentId: Hex
  readonly preimage: Hex
  readonly from: Side
  readonly amount: bigint
  readonly refused?: string
}

/** The preimage behind a payment's lock. */
export function secretOf(paymentId: Hex): Hex {
  return uint(BigInt(paymentId) + SECRETS, 32)
}

/** Asks a side for something; the code of its refusal, if it is refused. */
export function ask(one: Fighter, input: PeerInput, crash?: CrashPoint): string | undefined {
  try {
    one.take(input, crash)
    return undefined
  } catch (why) {
    if (why instanceof Refusal) return why.code
    throw why
  }
}

let serial = 0x10c0

/** A side locks an amount for some seconds. */
export function lock(duel: Duel, from: Side, amount: bigint, seconds = MARGIN + 600, crash?: CrashPoint): Begun {
  const paymentId = uint(++serial, 32)
  const preimage = secretOf(paymentId)
  const expiry = duel.chain.time + seconds
  const refused = ask(
    duel.side(from),
    { kind: 'lock', paymentId, amount, expiry, condition: ETHER, key: hashLock(preimage), payload: '0xfeed' },
    crash,
  )
  return { paymentId, preimage, from, amount, ...(refused !== undefined && { refused }) }
}

/** The open locks towards a side. */
export function towards({ seat, state }: Fighter): readonly OpenLock[] {
  return state.locks.filter((one) => receiverOf(one) === seat.side)
}

/** A side takes a lock with its preimage. */
export function fulfil(one: Fighter, lockId: bigint, crash?: CrashPoint): string | undefined {
  const found = towards(one).find(({ id }) => id === lockId)
  const preimage = secretOf(found?.paymentId ?? uint(1, 32))
  return ask(one, { kind: 'fulfil', lockId, preimage, isPublic: false }, crash)
}

/** A side gives a lock up. */
export function fail(one: Fighter, lockId: bigint, code = 'Unwanted', crash?: CrashPoint): string | undefined {
  return ask(one, { kind: 'fail', lockId, code, data: '0x' }, crash)
}

/** Time passes, in blocks of at most ten minutes; everything that is said arrives, or nothing. */
export function wait(duel: Duel, seconds: number, talks = true): void {
  const until = duel.chain.time + seconds
  while (duel.chain.time < until) {
    duel.mine([], Math.min(until, duel.chain.time + 600))
    if (talks) duel.mine()
    if (talks && duel.up) duel.settleDown()
  }
}

/** What a side was told of its locks, by payment. */
export function endsOf({ told }: Fighter): ReadonlyMap<Hex, readonly string[]> {
  const ends = new Map<Hex, string[]>()
  for (const event of told) {
    if (event.name !== 'fulfilled' && event.name !== 'failed') continue
    const list = ends.get(event.lock.paymentId) ?? []
    list.push(event.name)
    ends.set(event.lock.paymentId, list)
  }
  return ends
}

/** What befalls locks, beside what befalls everything. */
export type Hold =
  | {
      readonly kind: 'lock'
      readonly side: Side
      readonly amount: number
      readonly life: number
      readonly crash: CrashPoint | undefined
    }
  | {
      readonly kind: 'fulfil' | 'fail'
      readonly side: Side
      readonly which: number
      readonly crash: CrashPoint | undefined
    }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'talk' }
  /** One side sees the blocks first. */
  | { readonly kind: 'lag'; readonly side: Side; readonly seconds: number; readonly words: number }

/** New locks, their ends, and time. */
export const holds = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('lock' as const),
      side,
      amount: fc.nat(40),
      life: fc.integer({ min: MARGIN, max: MARGIN + 1500 }),
      crash,
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constantFrom('fulfil' as const, 'fulfil' as const, 'fulfil' as const, 'fail' as const),
      side,
      which: fc.nat(3),
      crash,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(2400) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('talk' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('lag' as const), side, seconds: fc.nat(900), words: fc.nat(4) }),
  },
)

/** Lets an act happen. */
export function playHold(duel: Duel, act: Hold, begun: Begun[]): void {
  if (act.kind === 'lock') begun.push(lock(duel, act.side, BigInt(act.amount), act.life, act.crash))
  else if (act.kind === 'wait') wait(duel, 1 + act.seconds, false)
  else if (act.kind === 'talk') {
    if (!duel.up) duel.connect()
    duel.settleDown()
  } else if (act.kind === 'lag') lag(duel, act.side, act.seconds, act.words)
  else {
    const one = duel.side(act.side)
    const list = towards(one)
    const found = list[act.which % Math.max(1, list.length)]
    if (!found) return
    if (act.kind === 'fulfil') fulfil(one, found.id, act.crash)
    else fail(one, found.id, 'Unwanted', act.crash)
  }
}

/** A block that one side sees while the other still talks of before. */
function lag(duel: Duel, first: Side, seconds: number, words: number): void {
  const asked = duel.side(first).calls.splice(0)
  const sender = duel.side(first).seat.sender
  const block = duel.chain.mine(
    asked.map((call) => ({ sender, call })),
    duel.chain.time + 1 + seconds,
  )
  duel.side(first).take({ kind: 'chain', chain: { kind: 'block', block } })
  for (let i = 0; i < words; i++) duel.deliver(i % 2 === 0 ? first : other(first))
  duel.side(other(first)).take({ kind: 'chain', chain: { kind: 'block', block } })
}

type Outcome = { readonly preimage: Hex; readonly version: bigint }

function outcomeOf(one: Fighter, paymentId: Hex): Plain | undefined {
  return [...one.outcomes()].find(([key]) => key.endsWith(paymentId))?.[1]
}

/** What a side gained by locks, as the payers' own books say. */
export function gainedByLocks(duel: Duel, begun: readonly Begun[], of: Side): bigint {
  let sum = 0n
  for (const { paymentId, from, amount } of begun) {
    const outcome = outcomeOf(duel.side(from), paymentId) as Outcome | string | undefined
    if (typeof outcome === 'object') sum += from === of ? -amount : amount
  }
  return sum
}

/** Every lock has ended exactly once, on both sides alike: with its preimage, or with a reason. */
export function checkLocks(duel: Duel, begun: readonly Begun[]): void {
  for (const { paymentId, preimage, from, refused } of begun) {
    if (refused !== undefined) continue
    const outcome = outcomeOf(duel.side(from), paymentId) as Outcome | string | undefined
    const [mine, theirs] = [endsOf(duel.side(from)).get(paymentId), endsOf(duel.side(other(from))).get(paymentId)]
    for (const told of [mine ?? [], theirs ?? []]) expect(told.length, 'a lock ended twice').to.be.lessThan(2)
    // A side that died between storing and telling has told nobody.
    const words = new Set([...(mine ?? []), ...(theirs ?? [])])
    expect(words.size, 'a lock ended in two ways').to.be.lessThan(2)
    if (outcome === undefined) expect(words.size).to.equal(0)
    else if (typeof outcome === 'object') {
      expect(outcome.preimage).to.equal(preimage)
      expect(words.has('failed'), 'paid and failed').to.equal(false)
    } else expect(words.has('fulfilled'), 'failed and paid').to.equal(false)
  }
}
