import { ETHER, type Hex, ZERO } from '../base/Bytes.ts'
import { type Domain, isSignedBy } from '../base/Signature.ts'
import { Refusal } from '../base/Step.ts'
import { ALL, hashLock, type Verdicts, verdictKey } from '../base/Verdicts.ts'
import type { ChannelEvent, SignedState } from './Call.ts'
import {
  type Channel,
  channelId,
  emptyState,
  finalState,
  isChannel,
  MAX_NET,
  type State,
  stateDigest,
} from './Channel.ts'
import { decided, type Lock, leftOpen, locksRoot, unpackLocks } from './Lock.ts'
import { isSignedState } from './Message.ts'

/** A final state that both have signed. */
export interface SignedFinal {
  readonly net: bigint
  readonly sigA: Hex
  readonly sigB: Hex
}

/** A verdict as it is kept: under `verdictKey`, its time in seconds, its amount in smallest units. */
export interface KnownVerdict {
  readonly key: Hex
  readonly time: number
  readonly amount: bigint
  /** Whether only a transaction of this side tells of it: then its time is about right, and no event has told it yet. */
  readonly sent?: true
}

/** What the court's events tell of one channel to somebody who only wants its end to be right. */
export interface Docket {
  /** The recorded version, 0 if none. */
  readonly version: bigint
  /** The last second for answers, 0 if no clock was started. */
  readonly deadline: number
  /** The recorded list; of a closed channel, what its settlements left open; null if the events do not tell. */
  readonly locks: Hex | null
  /** Where they do not: the list of which something was left open. */
  readonly left?: Hex
  /** The block that closed the channel, and all that it and later settlements paid. */
  readonly closed: { readonly block: number; readonly payA: bigint; readonly payB: bigint } | null
  /** Verdicts on locks that matter here. */
  readonly verdicts: readonly KnownVerdict[]
}

/** The docket of a channel of which the court has told nothing. */
export const EMPTY_DOCKET: Docket = { version: 0n, deadline: 0, locks: '0x', closed: null, verdicts: [] }

/** Where and when an event was told: block number and its time in seconds. */
export interface Place {
  readonly number: number
  readonly time: number
}

/** The docket after one event of channel `id`, or after a verdict; those of others change nothing. */
export function docketAfter(docket: Docket, id: Hex, event: ChannelEvent, at: Place): Docket {
  const verdict = verdictOf(event, at)
  if (verdict) return { ...docket, verdicts: [...docket.verdicts.filter((had) => !isToldBy(had, verdict)), verdict] }
  if (!('id' in event) || event.id !== id) return docket
  switch (event.name) {
    case 'Challenged':
      return { ...recordedIn(docket, event), deadline: event.deadline }
    case 'Answered':
      // A conclusion leaves a running clock as it is, and answers to it change nothing that counts.
      return docket.closed ? docket : recordedIn(docket, event)
    case 'Concluded':
      return { ...docket, locks: '0x', closed: { block: at.number, payA: event.payA, payB: event.payB } }
    case 'Settled':
      return settledIn(docket, event, at)
    default:
      return docket // deposits, withdrawals and sweeps change what is paid, not what is to be done
  }
}

type Of<Name extends ChannelEvent['name']> = Extract<ChannelEvent, { readonly name: Name }>

/** Whether an event now tells what only a transaction of this side told before. */
function isToldBy({ key, sent }: KnownVerdict, verdict: KnownVerdict): boolean {
  return sent === true && key === verdict.key
}

/** The verdict that an event tells, if it tells one. */
export function verdictOf(event: ChannelEvent, { time }: Place): KnownVerdict | undefined {
  if (event.name === 'Revealed') return { key: hashKey(event.preimage), time, amount: ALL }
  if (event.name === 'Judged') return { key: verdictKey(event.condition, event.key), time, amount: event.amount }
  return undefined
}

/** Where the verdict on a preimage's hash lock is kept. */
export function hashKey(preimage: Hex): Hex {
  return verdictKey(ETHER, hashLock(preimage))
}

/** A challenge with nothing newer has no list: the one before stays. */
function recordedIn(docket: Docket, { version, locks }: Of<'Challenged' | 'Answered'>): Docket {
  return version > docket.version ? { ...docket, version, locks } : docket
}

/** What a settlement leaves open is the list before it, less what was decided by then; void locks leave nothing. */
function settledIn(docket: Docket, { payA, payB, locksRoot: need }: Of<'Settled'>, at: Place): Docket {
  const { block, payA: beforeA, payB: beforeB } = docket.closed ?? { block: at.number, payA: 0n, payB: 0n }
  const closed = { block, payA: beforeA + payA, payB: beforeB + payB }
  const { left: _before, ...known } = docket
  if (need === ZERO) return { ...known, closed, locks: '0x' }
  const list = listOf(docket)
  const told = docket.verdicts.filter(({ sent }) => !sent)
  // What this side sent may have come after the settlement; and of the same second it is not known which came before.
  const ways = [docket.verdicts, told, told.filter(({ time }) => time < at.time)].map((verdicts) => {
    return verdictsOf({ verdicts: verdicts.filter(({ time }) => time <= at.time) })
  })
  const rest = leftOpen(list, need, at.time, ways)
  return rest === undefined ? { ...known, closed, locks: null, left: list } : { ...known, closed, locks: rest }
}

/** The list that counts as far as the events tell: of a closed channel at least what is open. */
export function listOf({ locks, left }: Pick<Docket, 'locks' | 'left'>): Hex {
  return locks ?? left ?? '0x'
}

/** The verdicts of a docket as the court keeps them: of two on a key the first counts. */
export function verdictsOf({ verdicts }: Pick<Docket, 'verdicts'>): Verdicts {
  return new Map(verdicts.toReversed().map(({ key, time, amount }) => [key, { time, amount }]))
}

/** Whether `settle` again would pay something at `time`: a lock that was left open is decided. */
export function isDecidable(docket: Docket, time: number): boolean {
  const verdicts = verdictsOf(docket)
  return unpackLocks(docket.locks ?? '0x').some((lock) => decided(lock, verdicts, time) !== undefined)
}

/** The list that counts in the end: of a closed channel what is open, else of the newer of what is held and what is recorded. */
export function countingLocks(docket: Docket, held: SignedState | null): readonly Lock[] {
  const isNewer = held !== null && !docket.closed && held.version > docket.version
  return unpackLocks(isNewer ? held.locks : listOf(docket))
}

/** Locks that one of these preimages opens, while it still counts and nobody has revealed it. */
export function openable(
  docket: Docket,
  locks: readonly Lock[],
  preimages: readonly Hex[],
  time: number,
): readonly (readonly [Lock, Hex])[] {
  if (locks.length === 0 || preimages.length === 0) return []
  const byKey = new Map(preimages.map((preimage) => [hashKey(preimage), preimage]))
  const known = new Set(docket.verdicts.map(({ key }) => key))
  return locks.flatMap((lock) => {
    const key = verdictKey(lock.condition, lock.key)
    const preimage = byKey.get(key)
    return preimage === undefined || known.has(key) || lock.expiry <= time ? [] : [[lock, preimage] as const]
  })
}

/** Whether both have signed a state that the court would take: in its widths, no final one, with a list that can be read. */
export function isComplete(court: Domain, channel: Channel, signed: SignedState): boolean {
  if (!isChannel(channel) || !isSignedState(signed) || signed.version === 0n || !isList(signed.locks)) return false
  const { version, net, batch, locks } = signed
  const state = { ...emptyState(channelId(court, channel)), version, net, locksRoot: locksRoot(locks), batch }
  return isSignedByBoth(court, channel, state, signed)
}

/** Whether both have signed this final state. */
export function isFinal(court: Domain, channel: Channel, final: SignedFinal): boolean {
  const isNet = typeof final.net === 'bigint' && final.net <= MAX_NET && final.net >= -MAX_NET
  return (
    isNet &&
    isChannel(channel) &&
    isSignedByBoth(court, channel, finalState(channelId(court, channel), final.net), final)
  )
}

function isSignedByBoth(
  court: Domain,
  channel: Channel,
  state: State,
  { sigA, sigB }: SignedFinal | SignedState,
): boolean {
  const digest = stateDigest(court, state)
  return isSignedBy(digest, sigA, channel.a.signer) && isSignedBy(digest, sigB, channel.b.signer)
}

function isList(locks: Hex): boolean {
  try {
    unpackLocks(locks)
    return true
  } catch (why) {
    if (why instanceof Refusal) return false
    throw why
  }
}
