import type { Hex } from '../base/Bytes.ts'
import type { Domain } from '../base/Signature.ts'
import { type Plain, type Row, require, type Step, unreachable } from '../base/Step.ts'
import { ALL, verdictKey } from '../base/Verdicts.ts'
import type { ChannelCall, ChannelEvent, SignedState } from './Call.ts'
import { type Channel, channelId } from './Channel.ts'
import {
  countingLocks,
  type Docket,
  docketAfter,
  EMPTY_DOCKET,
  hashKey,
  isComplete,
  isDecidable,
  isFinal,
  listOf,
  openable,
  type Place,
  type SignedFinal,
} from './Docket.ts'
import { MAX_LOCKS, unpackLocks } from './Lock.ts'
import { requireTerms } from './Terms.ts'

/** What a tower stands on and how it acts. */
export interface Post {
  readonly court: Domain
  /** How deep a block must be to be final, its own included. */
  readonly confirmations: number
  /** Seconds before a lock's expiry from which on its preimage is revealed though no clock runs. */
  readonly margin: number
  /** Whether the tower pays for settlements too, where nobody else settles. */
  readonly settles: boolean
  /** The shortest challenge period that it takes into care, seconds: it needs time to answer. */
  readonly minPeriod: number
}

/** One channel in a tower's care. */
export interface Ward {
  readonly id: Hex
  /** Null where only the court has told of it: a client may show it later. */
  readonly channel: Channel | null
  /** Who is charged for it: whoever has given last what was taken. */
  readonly account: string
  /** The newest state shown. */
  readonly state: SignedState | null
  readonly final: SignedFinal | null
  /** What its client has released, the oldest first. */
  readonly preimages: readonly Hex[]
  readonly docket: Docket
  /** What the docket was before the newest blocks that changed it, for reorgs. */
  readonly before: readonly { readonly number: number; readonly docket: Docket }[]
}

/** What happens to a ward: a client shows something, or a block comes, goes, or is past any reorg. */
export type TowerInput =
  | { readonly kind: 'show'; readonly account: string; readonly channel: Channel; readonly state: SignedState }
  | { readonly kind: 'final'; readonly account: string; readonly channel: Channel; readonly final: SignedFinal }
  | { readonly kind: 'preimages'; readonly account: string; readonly preimages: readonly Hex[] }
  /** The newest block, with its events that matter here; none where only the time matters. */
  | { readonly kind: 'block'; readonly events: readonly ChannelEvent[] }
  | { readonly kind: 'retract'; readonly number: number }
  /** Block `through` and those before it are past any reorg. */
  | { readonly kind: 'fold'; readonly through: number }
  /** A transaction with these preimages was mined: the court has them, whoever was first. */
  | { readonly kind: 'revealed'; readonly preimages: readonly Hex[] }

/** What a tower does: asks for a transaction, asks that preimages be revealed with others', or lets a channel go. */
export type TowerOutput =
  | { readonly kind: 'call'; readonly call: ChannelCall }
  | { readonly kind: 'reveal'; readonly preimages: readonly Hex[] }
  | { readonly kind: 'released' }

type Stepped = Step<Ward | undefined, TowerOutput>

/** How many preimages a ward keeps: all that the newest list can need, and as many that are early or late. */
export const MAX_PREIMAGES = 2 * MAX_LOCKS

/**
 * A tower's machine for one channel; `now` is the newest block. A state is taken iff both have signed it and it is
 * strictly newer; what is not newer changes nothing and is success. Refuses NotSignedByBoth, UnknownChannel, bad terms.
 */
export function tower(post: Post, now: Place, ward: Ward | undefined, input: TowerInput): Stepped {
  switch (input.kind) {
    case 'show':
    case 'final':
      return shown(post, now, ward, input)
    case 'preimages':
      return kept(post, now, ward, input.account, input.preimages)
    case 'block':
      return seen(post, now, ward, input.events)
    case 'retract':
      return retracted(post, now, ward, input.number)
    case 'fold':
      return folded(ward, input.through)
    case 'revealed':
      return ward ? after(post, now, withDocket(ward, now.number, known(ward.docket, input.preimages, now))) : NOTHING
    default:
      return unreachable(input)
  }
}

const NOTHING: Stepped = { state: undefined, rows: [], outputs: [] }

type Shown = Extract<TowerInput, { readonly kind: 'show' | 'final' }>

function shown(post: Post, now: Place, ward: Ward | undefined, input: Shown): Stepped {
  const { channel, account } = input
  requireTerms(channel, post.minPeriod)
  const id = channelId(post.court, channel)
  const had = ward ?? { ...EMPTY_WARD, id }
  const next = { ...had, channel, account }
  const newer =
    input.kind === 'show' ? withState(post, next, channel, input.state) : withFinal(post, next, channel, input.final)
  return newer ? after(post, now, newer, [wardRow(newer)]) : { state: ward, rows: [], outputs: [] }
}

const EMPTY_WARD: Omit<Ward, 'id'> = {
  channel: null,
  account: '',
  state: null,
  final: null,
  preimages: [],
  docket: EMPTY_DOCKET,
  before: [],
}

function withState(post: Post, ward: Ward, channel: Channel, state: SignedState): Ward | undefined {
  if (ward.state && state.version <= ward.state.version) return undefined
  require(isComplete(post.court, channel, state), 'NotSignedByBoth', state.version)
  return { ...ward, state }
}

/** Whoever signs a final state signs no other: the first one stays. */
function withFinal(post: Post, ward: Ward, channel: Channel, final: SignedFinal): Ward | undefined {
  if (ward.final) return undefined
  require(isFinal(post.court, channel, final), 'NotSignedByBoth', final.net)
  return { ...ward, final }
}

function kept(post: Post, now: Place, ward: Ward | undefined, account: string, preimages: readonly Hex[]): Stepped {
  require(ward?.channel != null, 'UnknownChannel', ward?.id ?? '0x')
  const had = new Set(ward.preimages)
  const fresh = [...new Set(preimages)].filter((preimage) => !had.has(preimage))
  if (fresh.length === 0) return { state: ward, rows: [], outputs: [] }
  const next = { ...ward, account, preimages: bounded(ward, [...ward.preimages, ...fresh]) }
  return after(post, now, next, [wardRow(next)])
}

/** Where there are too many, those that open no lock of the list that counts go first, the oldest of them at once. */
function bounded(ward: Ward, preimages: readonly Hex[]): readonly Hex[] {
  const surplus = preimages.length - MAX_PREIMAGES
  if (surplus <= 0) return preimages
  const keys = new Set(countingLocks(ward.docket, ward.state).map(({ condition, key }) => verdictKey(condition, key)))
  const idle = preimages.filter((preimage) => !keys.has(hashKey(preimage)))
  const gone = new Set(idle.slice(0, surplus))
  return preimages.filter((preimage) => !gone.has(preimage)).slice(0, MAX_PREIMAGES)
}

function seen(post: Post, now: Place, ward: Ward | undefined, events: readonly ChannelEvent[]): Stepped {
  const id = ward?.id ?? firstId(events)
  if (id === undefined) return NOTHING
  const had = ward ?? { ...EMPTY_WARD, id }
  const docket = events.reduce((before, event) => docketAfter(before, id, event, now), had.docket)
  return after(post, now, withDocket(had, now.number, docket))
}

function firstId(events: readonly ChannelEvent[]): Hex | undefined {
  return events.flatMap((event) => ('id' in event ? [event.id] : []))[0]
}

function withDocket(ward: Ward, number: number, docket: Docket): Ward {
  if (docket === ward.docket) return ward
  const isSame = ward.before.at(-1)?.number === number
  return { ...ward, docket, before: isSame ? ward.before : [...ward.before, { number, docket: ward.docket }] }
}

function known(docket: Docket, preimages: readonly Hex[], { time }: Place): Docket {
  const had = new Set(docket.verdicts.map(({ key }) => key))
  const fresh = preimages.map(hashKey).filter((key) => !had.has(key))
  if (fresh.length === 0) return docket
  return {
    ...docket,
    verdicts: [...docket.verdicts, ...fresh.map((key) => ({ key, time, amount: ALL, sent: true as const }))],
  }
}

function retracted(post: Post, now: Place, ward: Ward | undefined, number: number): Stepped {
  const first = ward?.before.findIndex((one) => one.number >= number) ?? -1
  if (!ward || first < 0) return { state: ward, rows: [], outputs: [] }
  const back = { ...ward, docket: ward.before[first]!.docket, before: ward.before.slice(0, first) }
  return !back.channel && back.docket === EMPTY_DOCKET ? NOTHING : after(post, now, back)
}

/** Only what no reorg can change is stored: the blocks after it come again from the chain. */
function folded(ward: Ward | undefined, through: number): Stepped {
  if (!ward) return NOTHING
  const before = ward.before.filter(({ number }) => number > through)
  if (before.length === ward.before.length) return { state: ward, rows: [], outputs: [] }
  const docket = before[0]?.docket ?? ward.docket
  return { state: { ...ward, before }, rows: [docketRow(ward.id, docket)], outputs: [] }
}

function wardRow({ id, channel, account, state, final, preimages }: Ward): Row {
  return { table: 'ward', key: id, value: { channel, account, state, final, preimages } as unknown as Plain }
}

function docketRow(id: Hex, docket: Docket): Row {
  return { table: 'docket', key: id, value: docket as unknown as Plain }
}

/** The ward that a store holds: what was shown of it, and the court up to the last fold; undefined where it held none. */
export function restoredWard(id: Hex, ward: unknown, docket: unknown): Ward {
  const stored = (ward ?? {}) as Partial<Ward>
  return { ...EMPTY_WARD, ...stored, id, docket: (docket ?? EMPTY_DOCKET) as Docket }
}

/** What is to be done for the ward as it is now; it is let go once nothing can come any more. */
function after(post: Post, now: Place, ward: Ward, rows: readonly Row[] = []): Stepped {
  if (isOver(post, now, ward)) {
    const gone = ['ward', 'docket'].map((table) => ({ table, key: ward.id, value: undefined }))
    return { state: undefined, rows: gone, outputs: [{ kind: 'released' }] }
  }
  return { state: ward, rows, outputs: needed(post, now, ward) }
}

/** Closed in a final block, and no lock left that a preimage, or a settlement by this tower, could still decide. */
function isOver({ confirmations, settles }: Post, { number, time }: Place, { channel, docket }: Ward): boolean {
  const { closed, locks } = docket
  if (!closed || closed.block > number - confirmations + 1) return false
  const rest = unpackLocks(listOf(docket))
  return !channel || !rest.some(({ expiry }) => (settles && locks !== null) || time <= expiry)
}

/** The outputs that the ward needs now. Asked for again at every block until the court shows what they do. */
function needed(post: Post, now: Place, ward: Ward): readonly TowerOutput[] {
  const preimages = due(post, now, ward)
  const reveals: readonly TowerOutput[] = preimages.length > 0 ? [{ kind: 'reveal', preimages }] : []
  const call = callNow(post, now, ward)
  // A settlement before the preimages that it could pay would have to be repeated.
  if (!call || (call.verb === 'settle' && reveals.length > 0)) return reveals
  return [{ kind: 'call', call }, ...reveals]
}

function callNow({ settles }: Post, { time }: Place, { channel, state, final, docket }: Ward): ChannelCall | undefined {
  const { deadline, version, locks, closed } = docket
  if (!channel || deadline === 0) return undefined
  if (closed) {
    return settles && locks && isDecidable(docket, time) ? { verb: 'settle', channel, locks } : undefined
  }
  if (final) return { verb: 'conclude', channel, net: final.net, sigA: final.sigA, sigB: final.sigB }
  if (time > deadline) return settles ? { verb: 'settle', channel, locks: locks ?? '0x' } : undefined
  return state && state.version > version ? { verb: 'answer', channel, state } : undefined
}

/** Preimages to reveal now: of locks that count, while a clock runs or has run, and before the expiry in any case. */
function due({ margin }: Post, { time }: Place, { channel, state, preimages, docket }: Ward): readonly Hex[] {
  if (!channel || preimages.length === 0) return []
  const open = openable(docket, countingLocks(docket, state), preimages, time)
  const now = open.filter(([lock]) => docket.deadline > 0 || time >= lock.expiry - margin)
  return [...new Set(now.map(([, preimage]) => preimage))]
}

/** The second at which the ward must be looked at again though no event tells of it; undefined if there is none. */
export function nextLook({ margin, settles }: Post, { time }: Place, ward: Ward): number | undefined {
  const { channel, state, preimages, docket } = ward
  if (!channel) return undefined
  const { deadline, closed } = docket
  const open = openable(docket, countingLocks(docket, state), preimages, time)
  const times = open.map(([lock]) => lock.expiry - margin)
  if (closed) times.push(...unpackLocks(listOf(docket)).map(({ expiry }) => expiry + 1))
  else if (settles && deadline > 0) times.push(deadline + 1)
  const later = times.filter((one) => one > time)
  return later.length === 0 ? undefined : Math.min(...later)
}

/** The keys of the verdicts that matter to a ward. */
export function keysOf({ state, preimages, docket }: Ward): readonly Hex[] {
  const lists = [state?.locks ?? '0x', listOf(docket)]
  const ofLocks = lists.flatMap((list) => unpackLocks(list).map(({ condition, key }) => verdictKey(condition, key)))
  return [...new Set([...ofLocks, ...preimages.map(hashKey)])]
}
