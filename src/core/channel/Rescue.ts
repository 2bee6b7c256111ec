import { ETHER, type Hex } from '../base/Bytes.ts'
import { entries } from '../base/HashMap.ts'
import { addressOf, type Domain } from '../base/Signature.ts'
import { type L1Input, require } from '../base/Step.ts'
import type { ChannelCall, ChannelEvent, SignedState } from './Call.ts'
import { challengeOf, NO_STATE } from './Challenge.ts'
import { type Channel, channelId, type Side } from './Channel.ts'
import {
  countingLocks,
  type Docket,
  docketAfter,
  EMPTY_DOCKET,
  isDecidable,
  type KnownVerdict,
  openable,
  type SignedFinal,
} from './Docket.ts'
import { unpackLocks } from './Lock.ts'
import { type PeerState, type Seat, signatures, signedState } from './PeerState.ts'
import { KEPT } from './Watch.ts'

/** All that it takes to end a channel, but the key: a file that somebody keeps for the day when all else is lost. */
export interface RescueFile {
  readonly chainId: bigint
  /** Address of the court. */
  readonly court: Hex
  readonly channel: Channel
  /** The side that this file is for. */
  readonly side: Side
  /** The first block that may tell of the end of the channel. */
  readonly since: number
  /** The newest state that both have signed; null if there is none. */
  readonly state: SignedState | null
  readonly final: SignedFinal | null
  /** The preimages that this side knows. */
  readonly preimages: readonly Hex[]
  /** Verdicts from before block `since`. */
  readonly verdicts: readonly KnownVerdict[]
}

/** What one side must keep to end its channel with nothing else. */
export function exported(seat: Seat, state: PeerState): RescueFile {
  const { court, channel, side, since } = seat
  const { watch, complete } = state
  const untouched = !watch.base.clock && !watch.base.closed && watch.base.checkpoint === 0n
  const isWhole = complete.version > 0n && complete.sigA !== '0x' && complete.sigB !== '0x'
  return {
    chainId: court.chainId,
    court: court.court,
    channel,
    side,
    since: untouched ? watch.through + 1 : since,
    state: isWhole ? signedState(complete) : null,
    final: finalOf(seat, state),
    preimages: [...entries(state.preimages)].map(([, preimage]) => preimage),
    verdicts: Object.entries(watch.base.verdicts).map(([key, { time, amount }]) => ({ key: key as Hex, time, amount })),
  }
}

function finalOf(seat: Seat, { end: { final } }: PeerState): SignedFinal | null {
  return final?.theirs ? { net: final.net, ...signatures(seat, final.mine, final.theirs) } : null
}

/** The preimages by which open locks of the newest complete state pay this side: what a tower may reveal for it. */
export function earning({ side }: Seat, { locks, preimages }: PeerState): readonly Hex[] {
  const mine = new Set(locks.filter(({ toB }) => toB === (side === 'b')).map(({ key }) => key))
  return [...entries(preimages)].flatMap(([key, preimage]) => (mine.has(key) ? [preimage] : []))
}

/** Who rescues: the file, the key behind its side's signer, and the address that sends the transactions. */
export interface Rescuer {
  readonly court: Domain
  readonly file: RescueFile
  readonly id: Hex
  readonly key: Hex
  readonly sender: Hex
  /** Seconds before a lock's expiry at which its preimage is revealed at the latest. */
  readonly margin: number
}

/** A rescuer; refused if the file is of another court, or the key is not its side's. */
export function rescuer(parts: Omit<Rescuer, 'id'>): Rescuer {
  const { court, file, key } = parts
  const { signer } = file.channel[file.side]
  require(file.court === court.court && file.chainId === court.chainId, 'OtherCourt', file.court, court.court)
  require(addressOf(key) === signer, 'NotAParty', addressOf(key))
  return { ...parts, id: channelId(court, file.channel) }
}

/** What a rescuer sees of the court: of the channel, and what waits as a credit for its owner, by asset. */
export interface RescueView {
  readonly docket: Docket
  readonly credits: Readonly<Record<Hex, bigint>>
  readonly head: number
  /** Time of the newest block ever seen, seconds. */
  readonly time: number
  /** What was before the newest blocks that changed something, for reorgs. */
  readonly before: readonly (Pick<RescueView, 'docket' | 'credits'> & { readonly number: number })[]
}

/** A view that begins before the file's first block. */
export function rescueView({ since, verdicts }: RescueFile): RescueView {
  return { docket: { ...EMPTY_DOCKET, verdicts }, credits: {}, head: since - 1, time: 0, before: [] }
}

/** The view after one input of the chain. */
export function rescueViewed(who: Rescuer, view: RescueView, { kind, block }: L1Input<ChannelEvent>): RescueView {
  const { number, events } = block
  if (kind === 'retract') return number === view.head ? retracted(view, number) : view
  if (number <= view.head) return view
  const { docket, credits } = view
  const next = {
    docket: events.reduce((before, event) => docketAfter(before, who.id, event, block), docket),
    credits: events.reduce((before, event) => creditsAfter(before, ownerOf(who), event), credits),
  }
  const changed = next.docket !== docket || next.credits !== credits
  const kept = view.before.filter((one) => one.number > number - KEPT)
  const before = changed ? [...kept, { number, docket, credits }] : kept
  return { ...next, head: number, time: Math.max(view.time, block.time), before }
}

function retracted(view: RescueView, number: number): RescueView {
  const last = view.before.at(-1)
  if (last?.number !== number) return { ...view, head: number - 1 }
  const { docket, credits } = last
  return { ...view, docket, credits, head: number - 1, before: view.before.slice(0, -1) }
}

function ownerOf({ file }: Rescuer): Hex {
  return file.channel[file.side].owner
}

function creditsAfter(credits: RescueView['credits'], owner: Hex, event: ChannelEvent): RescueView['credits'] {
  if (event.name !== 'Credited' && event.name !== 'CreditClaimed') return credits
  if (event.owner !== owner) return credits
  const had = event.name === 'Credited' ? (credits[event.asset] ?? 0n) + event.amount : 0n
  return { ...credits, [event.asset]: had }
}

/** Whether the court has nothing left to decide: closed, and every lock decided and paid, or no more to be told. */
export function isSettled({ docket }: RescueView): boolean {
  return docket.closed !== null && (docket.locks === '0x' || docket.locks === null)
}

/** What waits as a credit for the side's owner in an asset. */
export function creditOf({ credits }: RescueView, asset: Hex): bigint {
  return credits[asset] ?? 0n
}

/** The calls that the rescuer needs now. Asked for again at every block until the court shows what they do. */
export function rescueCalls(who: Rescuer, view: RescueView): readonly ChannelCall[] {
  const preimages = toReveal(who, view)
  const reveals: readonly ChannelCall[] = preimages.length > 0 ? [{ verb: 'reveal', preimages }] : []
  const { docket } = view
  if (docket.closed) return [...reveals, ...again(who, view), ...claims(who, view)]
  // A settlement right after the preimages pays their locks at once; before them it would have to be repeated.
  if (reveals.length > 0 && isPast(view)) return reveals
  const next = nextCall(who, view)
  return next ? [...reveals, next] : reveals
}

function nextCall(who: Rescuer, view: RescueView): ChannelCall | undefined {
  const { channel, state, final } = who.file
  const { docket } = view
  if (final) return { verb: 'conclude', channel, net: final.net, sigA: final.sigA, sigB: final.sigB }
  if (docket.deadline === 0) return challenge(who, view)
  if (isPast(view)) return { verb: 'settle', channel, locks: docket.locks ?? '0x' }
  return state && state.version > docket.version ? { verb: 'answer', channel, state } : undefined
}

function isPast({ docket, time }: RescueView): boolean {
  return docket.deadline > 0 && time > docket.deadline
}

function challenge({ file, ...who }: Rescuer, { docket, time }: RescueView): ChannelCall {
  const { channel, side } = file
  const state = file.state && file.state.version > docket.version ? file.state : NO_STATE
  return challengeOf({ ...who, channel, side }, state, time)
}

/**
 * Preimages of locks that pay this side: once it is certain that they count (nobody can answer any more), and at the
 * latest `margin` before their expiry.
 */
function toReveal({ file, margin }: Rescuer, view: RescueView): readonly Hex[] {
  const { docket, time } = view
  const certain = docket.closed !== null || isPast(view)
  const locks = countingLocks(docket, file.state).filter(({ toB }) => toB === (file.side === 'b'))
  const due = openable(docket, locks, file.preimages, time).filter(([lock]) => certain || time >= lock.expiry - margin)
  return [...new Set(due.map(([, preimage]) => preimage))]
}

function again({ file }: Rescuer, { docket, time }: RescueView): readonly ChannelCall[] {
  const { channel } = file
  return docket.locks && isDecidable(docket, time) ? [{ verb: 'settle', channel, locks: docket.locks }] : []
}

/** Of the channel's asset, and of the ether that a bond is. */
function claims(who: Rescuer, view: RescueView): readonly ChannelCall[] {
  const owner = ownerOf(who)
  const assets = [...new Set([who.file.channel.asset, ETHER])].filter((asset) => creditOf(view, asset) > 0n)
  return assets.map((asset) => ({ verb: 'claimCredit', asset, owner, to: owner }))
}

/** The second after which something is to be done if nobody else acts: the deadline, or the next expiry; 0 if there is none. */
export function nextTime({ docket }: RescueView): number {
  if (!docket.closed) return docket.deadline
  const expiries = unpackLocks(docket.locks ?? '0x').map(({ expiry }) => expiry)
  return expiries.length === 0 ? 0 : Math.min(...expiries)
}
