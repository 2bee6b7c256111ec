import { type Credits, claimCredit, type Payment, pay, requireValue } from '../base/Asset.ts'
import { concat, ETHER, type Hex, size, ZERO } from '../base/Bytes.ts'
import type { Court, Env, Ruling } from '../base/Court.ts'
import { type Domain, recover } from '../base/Signature.ts'
import { require, unreachable } from '../base/Step.ts'
import { reveal, type Verdicts } from '../base/Verdicts.ts'
import type { ChannelCall, ChannelEvent, SignedState } from './Call.ts'
import {
  type Channel,
  challengeDigest,
  channelId,
  FINAL,
  finalState,
  MAX_NET,
  payouts,
  type Side,
  type State,
  sideOf,
  stateDigest,
} from './Channel.ts'

/** What the court keeps under (asset, channel id): the twin of Record in Record.sol. */
export interface Record {
  readonly fundsA: bigint
  readonly fundsB: bigint
  /** The recorded version, 0 if none. */
  readonly version: bigint
  readonly net: bigint
  /** The last second in which an answer counts, 0 while no clock runs. */
  readonly deadline: number
  readonly closed: boolean
}

/** The whole court as a value. */
export interface ChannelCourt {
  readonly domain: Domain
  readonly records: ReadonlyMap<Hex, Record>
  readonly credits: Credits
  readonly verdicts: Verdicts
}

/** What storage says of a channel that nobody has touched. */
export const EMPTY_RECORD: Record = { fundsA: 0n, fundsB: 0n, version: 0n, net: 0n, deadline: 0, closed: false }

const MINUTE = 60
const DAY = 86_400
const ADDRESS_ZERO = ETHER

/** A court in which nothing has happened. */
export function newCourt(domain: Domain): ChannelCourt {
  return { domain, records: new Map(), credits: new Map(), verdicts: new Map() }
}

/** The record under (asset, channel id). */
export function recordOf(court: ChannelCourt, asset: Hex, id: Hex): Record {
  return court.records.get(concat(asset, id)) ?? EMPTY_RECORD
}

/** Seconds from challenge to settlement: the terms' period, clamped into [1 minute, 60 days]. */
export function period(channel: Channel): number {
  return Math.min(Math.max(channel.challengePeriod, MINUTE), 60 * DAY)
}

type Ruled = Ruling<ChannelCourt, ChannelEvent>

/** The model of Adjudicator.sol: the same rulings, the same refusals with the same arguments. */
export const adjudicate: Court<ChannelCourt, ChannelCall, ChannelEvent> = (court, call, env) => {
  switch (call.verb) {
    case 'deposit':
      return deposit(court, call, env)
    case 'conclude':
      return conclude(court, call, env)
    case 'challenge':
      return challenge(court, call, env, sideOfSender(call.channel, env.sender))
    case 'challengeFor':
      return challengeFor(court, call, env)
    case 'answer':
      return answer(court, call, env)
    case 'settle':
      return settle(court, call, env)
    case 'claimCredit': {
      const { asset, owner, to } = call
      return paid(court, claimCredit(court.domain.court, court.credits, env, asset, owner, to), [])
    }
    case 'reveal': {
      const { verdicts, events } = reveal(court.verdicts, call.preimages, env.time)
      return { state: { ...court, verdicts }, events, transfers: [] }
    }
    default:
      return unreachable(call)
  }
}

type Call<Verb> = Extract<ChannelCall, { readonly verb: Verb }>

function deposit(court: ChannelCourt, call: Call<'deposit'>, env: Env): Ruled {
  const { asset, channelId: id, toB, amount } = call
  const record = recordOf(court, asset, id)
  require(amount !== 0n, 'ZeroAmount')
  require(!record.closed, 'ChannelClosed', id)
  require(amount < 2n ** 255n, 'SafeCastOverflowedUintToInt', amount)
  const side = (toB ? record.fundsB : record.fundsA) + amount
  require(side <= MAX_NET, 'SafeCastOverflowedIntDowncast', 128, side)
  requireValue(env, asset, amount)
  const after = toB ? { ...record, fundsB: side } : { ...record, fundsA: side }
  return {
    state: withRecord(court, asset, id, after),
    events: [{ name: 'Deposited', id, asset, toB, amount }],
    transfers: [{ asset, from: env.sender, to: court.domain.court, amount }],
  }
}

function conclude(court: ChannelCourt, call: Call<'conclude'>, env: Env): Ruled {
  const { channel, net, sigA, sigB } = call
  const { id, record } = open(court, channel)
  requireBoth(court, channel, finalState(id, net), sigA, sigB, env)
  const { payA, payB } = payouts(record.fundsA, record.fundsB, net)
  // Slot 1 is left as it is: an answer while a clock runs does not look further.
  const closed = withRecord(court, channel.asset, id, { ...record, fundsA: 0n, fundsB: 0n, closed: true })
  return payBoth(closed, channel, env, payA, payB, { name: 'Concluded', id, payA, payB })
}

function challengeFor(court: ChannelCourt, call: Call<'challengeFor'>, env: Env): Ruled {
  const { channel, state, deadline, sig } = call
  const { id } = open(court, channel)
  require(env.time <= deadline, 'TooLate', BigInt(env.time), BigInt(deadline))
  const signer = recover(challengeDigest(court.domain, id, state.version, deadline), sig) ?? ADDRESS_ZERO
  const side = signer === ADDRESS_ZERO ? undefined : sideOf(channel, signer)
  return challenge(court, { channel, state }, env, { who: signer, side })
}

interface Challenger {
  readonly who: Hex
  readonly side: Side | undefined
}

function sideOfSender({ a, b }: Channel, who: Hex): Challenger {
  if (who === a.owner || who === a.signer) return { who, side: 'a' }
  return { who, side: who === b.owner || who === b.signer ? 'b' : undefined }
}

function challenge(
  court: ChannelCourt,
  { channel, state }: { readonly channel: Channel; readonly state: SignedState },
  env: Env,
  { who, side }: Challenger,
): Ruled {
  const { id, record } = open(court, channel)
  require(side !== undefined, 'NotParty', who)
  require(env.value === 0n, 'WrongValue', env.value, 0n)
  require(record.deadline === 0, 'ChallengeRunning', record.deadline)
  const newer = state.version > record.version
  const { version, net } = newer ? verified(court, channel, id, state, env) : record
  const deadline = env.time + period(channel)
  return {
    state: withRecord(court, channel.asset, id, { ...record, version, net, deadline }),
    events: [{ name: 'Challenged', id, version, net, locksRoot: ZERO, deadline, byB: side === 'b', locks: '0x' }],
    transfers: [],
  }
}

function answer(court: ChannelCourt, { channel, state }: Call<'answer'>, env: Env): Ruled {
  const id = channelId(court.domain, channel)
  const record = recordOf(court, channel.asset, id)
  if (record.deadline === 0) require(!record.closed, 'ChannelClosed', id)
  else require(env.time <= record.deadline, 'TooLate', BigInt(env.time), BigInt(record.deadline))
  require(state.version > record.version, 'StaleVersion', state.version, record.version + 1n)
  const { version, net } = verified(court, channel, id, state, env)
  return {
    state: withRecord(court, channel.asset, id, { ...record, version, net }),
    events: [{ name: 'Answered', id, version, net, locksRoot: ZERO, locks: '0x' }],
    transfers: [],
  }
}

function settle(court: ChannelCourt, { channel, locks }: Call<'settle'>, env: Env): Ruled {
  const { id, record } = open(court, channel)
  require(record.deadline !== 0, 'NoChallenge', id)
  require(env.time > record.deadline, 'ChallengeRunning', record.deadline)
  require(size(locks) === 0, 'LocksTooLong', BigInt(size(locks)), 0n)
  const { payA, payB } = payouts(record.fundsA, record.fundsB, record.net)
  const closed = withRecord(court, channel.asset, id, { ...EMPTY_RECORD, closed: true })
  return payBoth(closed, channel, env, payA, payB, { name: 'Settled', id, payA, payB, locksRoot: ZERO })
}

function open(court: ChannelCourt, channel: Channel): { readonly id: Hex; readonly record: Record } {
  const id = channelId(court.domain, channel)
  const record = recordOf(court, channel.asset, id)
  require(!record.closed, 'ChannelClosed', id)
  return { id, record }
}

function verified(court: ChannelCourt, channel: Channel, id: Hex, state: SignedState, env: Env): SignedState {
  require(state.version !== FINAL, 'FinalVersion')
  require(size(state.locks) === 0, 'LocksTooLong', BigInt(size(state.locks)), 0n)
  const { version, net, batch } = state
  requireBoth(court, channel, { channelId: id, version, net, locksRoot: ZERO, batch }, state.sigA, state.sigB, env)
  return state
}

function requireBoth(court: ChannelCourt, channel: Channel, state: State, sigA: Hex, sigB: Hex, env: Env): void {
  const digest = stateDigest(court.domain, state)
  requireSigned(digest, sigA, channel.a.signer, env)
  requireSigned(digest, sigB, channel.b.signer, env)
}

/** An empty signature says "the sender is the signer"; any other is verified. A zero signer never signs. */
function requireSigned(digest: Hex, signature: Hex, signer: Hex, env: Env): void {
  const have = signature === '0x' ? env.sender : (recover(digest, signature) ?? ADDRESS_ZERO)
  require(have === signer && signer !== ADDRESS_ZERO, 'WrongSigner', have, signer)
}

function withRecord(court: ChannelCourt, asset: Hex, id: Hex, record: Record): ChannelCourt {
  return { ...court, records: new Map(court.records).set(concat(asset, id), record) }
}

function payBoth(
  court: ChannelCourt,
  channel: Channel,
  env: Env,
  payA: bigint,
  payB: bigint,
  said: ChannelEvent,
): Ruled {
  const due = [
    [channel.a.owner, payA],
    [channel.b.owner, payB],
  ] as const
  return paid(court, pay(court.domain.court, court.credits, env, channel.asset, due), [said])
}

function paid(court: ChannelCourt, payment: Payment, said: readonly ChannelEvent[]): Ruled {
  const { credits, events, transfers } = payment
  return { state: { ...court, credits }, events: [...said, ...events], transfers }
}
