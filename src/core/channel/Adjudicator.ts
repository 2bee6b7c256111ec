import { ETHER, type Hex, size, ZERO } from '../base/Bytes.ts'
import type { Court, Env } from '../base/Court.ts'
import { require, unreachable } from '../base/Step.ts'
import { judge, reveal } from '../base/Verdicts.ts'
import type { ChannelCall, ChannelEvent, SignedState } from './Call.ts'
import { type Channel, challengeDigest, channelId, FINAL, finalState, payouts, stateDigest } from './Channel.ts'
import { deposit, deposits, depositWithAuthorization, depositWithPermit, openBoth, sweep, withdraw } from './Funding.ts'
import { locksRoot, tally, unpackLocks } from './Lock.ts'
import {
  type Bond,
  bondOf,
  type ChannelCourt,
  EMPTY_RECORD,
  openRecord,
  period,
  type Record,
  recordOf,
  withRecord,
} from './Record.ts'
import {
  type Call,
  type Challenger,
  claim,
  judged,
  payBoth,
  type Ruled,
  requireBoth,
  requireNotLate,
  sideOfSender,
  sideOfSigner,
  told,
  withBond,
} from './Standing.ts'

/** The model of Adjudicator.sol: the same rulings, the same refusals with the same arguments. */
export const adjudicate: Court<ChannelCourt, ChannelCall, ChannelEvent> = (court, call, env) => {
  switch (call.verb) {
    case 'deposit':
      return deposit(court, call, env)
    case 'depositWithPermit':
      return depositWithPermit(court, call, env)
    case 'depositWithAuthorization':
      return depositWithAuthorization(court, call)
    case 'openBoth':
      return openBoth(court, call, env)
    case 'deposits':
      return deposits(court, call, env)
    case 'withdraw':
      return withdraw(court, call, env)
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
    case 'sweep':
      return sweep(court, call, env)
    case 'claimCredit':
      return claim(court, call, env)
    case 'reveal':
      return judged(court, reveal(court.verdicts, call.preimages, env.time))
    case 'judge': {
      const outcome = env.outcome?.(call.condition, call.key)
      return judged(court, judge(court.verdicts, call.condition, call.key, outcome, env.time))
    }
    default:
      return unreachable(call)
  }
}

function conclude(court: ChannelCourt, call: Call<'conclude'>, env: Env): Ruled {
  const { channel, net, sigA, sigB } = call
  const { id, record } = openRecord(court, channel)
  requireBoth(channel, stateDigest(court.domain, finalState(id, net)), sigA, sigB, env)
  const { payA, payB } = payouts(record.fundsA, record.fundsB, net)
  // Slot 1 is left as it is: an answer while a clock runs does not look further.
  const after = { ...record, fundsA: 0n, fundsB: 0n, closed: true, bond: undefined }
  const closed = withRecord(court, channel.asset, id, after)
  const ruled = payBoth(closed, channel, channel.asset, env, { payA, payB }, { name: 'Concluded', id, payA, payB })
  return withBond(ruled, channel, env, record.bond, false)
}

function challengeFor(court: ChannelCourt, call: Call<'challengeFor'>, env: Env): Ruled {
  const { channel, state, deadline, sig } = call
  const { id } = openRecord(court, channel)
  requireNotLate(env, deadline)
  const digest = challengeDigest(court.domain, id, state.version, deadline)
  return challenge(court, { channel, state }, env, sideOfSigner(channel, digest, sig))
}

function challenge(
  court: ChannelCourt,
  { channel, state }: { readonly channel: Channel; readonly state: SignedState },
  env: Env,
  { who, side }: Challenger,
): Ruled {
  const { id, record } = openRecord(court, channel)
  require(side !== undefined, 'NotParty', who)
  const need = bondOf(channel)
  require(env.value === need, 'WrongValue', env.value, need)
  require(record.deadline === 0, 'ChallengeRunning', record.deadline)
  const newer = state.version > record.version
  const after = newer ? recorded(court, channel, id, record, state, env) : record
  const { version, net, locksRoot: root } = after
  const [deadline, byB] = [env.time + period(channel), side === 'b']
  const bond: Bond | undefined = need > 0n ? { amount: need, version, byB } : undefined
  const locks = newer ? state.locks : '0x'
  const ruled = told(withRecord(court, channel.asset, id, { ...after, deadline, bond }), {
    name: 'Challenged',
    id,
    version,
    net,
    locksRoot: root,
    deadline,
    byB,
    locks,
  })
  const posted = { asset: ETHER, from: env.sender, to: court.domain.court, amount: need }
  return { ...ruled, transfers: need > 0n ? [posted] : [] }
}

function answer(court: ChannelCourt, { channel, state }: Call<'answer'>, env: Env): Ruled {
  const id = channelId(court.domain, channel)
  const record = recordOf(court, channel.asset, id)
  if (record.deadline === 0) require(!record.closed, 'ChannelClosed', id)
  else requireNotLate(env, record.deadline)
  require(state.version > record.version, 'StaleVersion', state.version, record.version + 1n)
  const after = recorded(court, channel, id, record, state, env)
  const { version, net, locksRoot: root } = after
  return told(withRecord(court, channel.asset, id, after), {
    name: 'Answered',
    id,
    version,
    net,
    locksRoot: root,
    locks: state.locks,
  })
}

/** The record with a newer state in it, which must be well formed and co-signed. */
function recorded(
  court: ChannelCourt,
  channel: Channel,
  id: Hex,
  record: Record,
  state: SignedState,
  env: Env,
): Record {
  const { version, net, batch, locks, sigA, sigB } = state
  require(version !== FINAL, 'FinalVersion')
  unpackLocks(locks)
  const root = locksRoot(locks)
  requireBoth(
    channel,
    stateDigest(court.domain, { channelId: id, version, net, locksRoot: root, batch }),
    sigA,
    sigB,
    env,
  )
  return { ...record, version, net, locksRoot: root }
}

function settle(court: ChannelCourt, call: Call<'settle'>, env: Env): Ruled {
  const { channel } = call
  const id = channelId(court.domain, channel)
  const record = recordOf(court, channel.asset, id)
  if (record.closed) return resolve(court, call, env, id, record)
  require(record.deadline !== 0, 'NoChallenge', id)
  require(env.time > record.deadline, 'ChallengeRunning', record.deadline)
  requireLocks(call.locks, record)
  const sums = tally(call.locks, court.verdicts, env.time)
  const m = record.net + sums.toB - sums.toA
  const { payA, payB, voids } = payouts(record.fundsA, record.fundsB, m, sums.openOfA, sums.openOfB)
  const root = voids ? ZERO : locksRoot(sums.rest)
  const closed = withRecord(court, channel.asset, id, {
    ...EMPTY_RECORD,
    closed: true,
    locksRoot: root,
    openLocks: root !== ZERO,
  })
  const said = { name: 'Settled', id, payA, payB, locksRoot: root } as const
  const lost = record.bond !== undefined && record.version >= record.bond.version + 2n
  return withBond(payBoth(closed, channel, channel.asset, env, { payA, payB }, said), channel, env, record.bond, lost)
}

/** Pays what has been decided since of the locks that a settlement left open. */
function resolve(court: ChannelCourt, call: Call<'settle'>, env: Env, id: Hex, record: Record): Ruled {
  const { channel, locks } = call
  require(record.openLocks, 'ChannelClosed', id)
  requireLocks(locks, record)
  const { toA, toB, backToA, backToB, rest } = tally(locks, court.verdicts, env.time)
  const [payA, payB, root] = [toA + backToA, toB + backToB, locksRoot(rest)]
  require(size(rest) !== size(locks), 'NothingDecided', id)
  const after = withRecord(court, channel.asset, id, { ...record, locksRoot: root, openLocks: root !== ZERO })
  const said = { name: 'Settled', id, payA, payB, locksRoot: root } as const
  return payBoth(after, channel, channel.asset, env, { payA, payB }, said)
}

function requireLocks(locks: Hex, { locksRoot: need }: Record): void {
  const have = locksRoot(locks)
  require(have === need, 'WrongLocks', have, need)
}
