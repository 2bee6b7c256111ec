// How owners' money comes to layer 1 by itself: from a bad chain, and from payments that others put up.
import { ETHER, type Hex, uint, ZERO } from '../base/Bytes.ts'
import { emptyMap, entries, get, type HashMap, set } from '../base/HashMap.ts'
import { type Domain, keccak, recover } from '../base/Signature.ts'
import { type L1Block, require } from '../base/Step.ts'
import { foreignSpendOf, type Knowledge, objectionTo, type Place, prover } from './Answer.ts'
import * as Archive from './Archive.ts'
import type { PlasmaCall } from './Call.ts'
import type { Chain } from './Chain.ts'
import { type Permit, startExitDigest } from './Exit.ts'
import type { Follower } from './Follower.ts'
import { MAX_MEMBERS } from './Group.ts'
import { exitCalls, flightCall, type Held } from './Held.ts'
import { bitsOf } from './InFlightExit.ts'
import { type Coin, idsOf, isUnique, type Ledger } from './Ledger.ts'
import {
  allInFlight,
  claimOn,
  observeExit,
  openPositions,
  type RunningExits,
  type RunningInFlight,
  touchedBy,
} from './Running.ts'
import type { SeenEvent } from './Seen.ts'
import { NOBODY } from './Standing.ts'
import type { Output } from './Transaction.ts'

/** An owner whose money is guarded: `sends` = its own account may be used, without which it only signs permits. */
export interface Guarded {
  readonly owner: Hex
  readonly sends: boolean
}

/** An owner's leave, signed in advance, to start the exit of exactly these outputs: one, or a group in ascending order. */
export interface OwnerPermit extends Permit {
  readonly owner: Hex
  readonly ids: readonly Hex[]
}

/** What a guard is given once: whom it guards, whose account posts what, and how many bonds may be out at once. */
export interface GuardParams {
  readonly owners: readonly Guarded[]
  /** The account that starts exits by permit. */
  readonly starter: Hex
  readonly maxBonds: number
}

/** What has become of earlier escapes: neither outputs nor payments are tried for ever. */
export interface Tries {
  /** Outputs whose exit was challenged: 1 in a group, 2 alone. */
  readonly voided: HashMap<number>
  /** Transactions whose in-flight exit has run. */
  readonly flown: HashMap<true>
}

/** A way out for somebody's money, once it is a call; `bonds` are what it posts, `key` names it. */
export type Escape = { readonly key: Hex; readonly owner: Hex; readonly bonds: number } & (
  | { readonly kind: 'leave'; readonly ids: readonly Hex[]; readonly permit?: OwnerPermit }
  | { readonly kind: 'fly'; readonly at: Place }
  | { readonly kind: 'piggyback'; readonly exit: RunningInFlight; readonly positions: number }
)

/** What a guard sees: the chain's coins with all deposits up to now, whether it is bad, whether it is known up to now. */
export interface Scene {
  readonly known: Knowledge
  readonly ledger: Ledger
  readonly bad: boolean
  readonly complete: boolean
}

/** Nothing was tried. */
export function noTries(): Tries {
  return { voided: emptyMap(), flown: emptyMap() }
}

/** What layer 1 says of a chain's exits, those that run and those that were tried. */
export interface Heard {
  readonly running: RunningExits
  readonly tries: Tries
}

/** The same after blocks of L1, which must hold only events that concern the chain. */
export function hear(before: Heard, blocks: readonly L1Block<SeenEvent>[]): Heard {
  let { running, tries } = before
  for (const { time, events } of blocks) {
    for (const event of events) {
      tries = observeTries(tries, running, event)
      running = observeExit(running, event, time)
    }
  }
  return { running, tries }
}

/** Notes what an event, not observed yet, says of exits that were tried. */
export function observeTries(tries: Tries, running: RunningExits, event: SeenEvent): Tries {
  if (event.name === 'InFlightStarted') return { ...tries, flown: set(tries.flown, event.txHash, true) }
  if (event.name !== 'ExitChallenged') return tries
  const ids = touchedBy(running, event)
  const worth = ids.length > 1 ? 1 : 2
  const worse = (now: HashMap<number>, id: Hex) => set(now, id, Math.max(worth, get(now, id) ?? 0))
  return { ...tries, voided: ids.reduce(worse, tries.voided) }
}

/** Refuses WrongSigner, WrongStarter: a permit that the court would not take from this starter. */
export function checkPermit(court: Domain, chain: Hex, starter: Hex, permit: OwnerPermit): void {
  const have = recover(startExitDigest(court, chain, permit.ids, permit), permit.signature) ?? NOBODY
  require(have === permit.owner && have !== NOBODY, 'WrongSigner', have, permit.owner)
  require(permit.starter === NOBODY || permit.starter === starter, 'WrongStarter', starter, permit.starter)
}

/** Everything that should be done now for the owners, what is urgent first, then what is dearest. */
export function escapesOf(
  params: GuardParams,
  scene: Scene,
  tries: Tries,
  permits: readonly OwnerPermit[],
): readonly Escape[] {
  const senders = params.owners.filter(({ sends }) => sends)
  const wanted = allInFlight(scene.known.running).flatMap((one) =>
    senders.flatMap(({ owner }) => boarding(scene, one, owner)),
  )
  if (!scene.bad) return wanted
  const flights = senders.flatMap(({ owner }) => flightsOf(scene, tries, owner))
  const groups = params.owners.flatMap(({ owner }) => leavesOf(scene, tries, owner))
  const own = new Set(groups.flatMap(({ ids }) => ids))
  const permitted = permits.flatMap((permit) => permittedLeave(scene, tries, permit, own) ?? [])
  const leaves = dearestFirst(scene.ledger, [...groups, ...permitted], ({ ids }) => {
    return ids.flatMap((id) => get(scene.ledger.coins, id)?.output ?? [])
  })
  return [...wanted, ...flights, ...leaves]
}

/**
 * What leaves, the dearest first. Amounts of two assets cannot be compared, and anybody can make a token of which there is
 * much: so the assets take turns, and ether has every other one. What somebody sends in small pieces comes last.
 */
export function dearestFirst<Leaving>(
  ledger: Pick<Ledger, 'running'>,
  all: readonly Leaving[],
  outputsOf: (one: Leaving) => readonly Output[],
): readonly Leaving[] {
  const lines = new Map<Hex, { readonly one: Leaving; readonly value: bigint }[]>([[ETHER, []]])
  for (const one of all) {
    const outputs = outputsOf(one)
    const asset = outputs[0]?.asset ?? ETHER
    const value = isUnique(ledger, asset) ? 1n : outputs.reduce((sum, output) => sum + output.value, 0n)
    lines.set(asset, [...(lines.get(asset) ?? []), { one, value }])
  }
  const [ether, ...others] = [...lines.values()].map((line) => {
    return line.sort((a, b) => (a.value === b.value ? 0 : a.value > b.value ? -1 : 1)).map(({ one }) => one)
  })
  return inTurn([ether!, inTurn(others)])
}

function inTurn<Item>(lines: readonly (readonly Item[])[]): readonly Item[] {
  const most = lines.reduce((length, line) => Math.max(length, line.length), 0)
  return Array.from({ length: most }, (_, i) => lines.flatMap((line) => line.slice(i, i + 1))).flat()
}

/**
 * What an owner may want of an in-flight exit. What its transaction makes is wanted while the chain does not have it: it
 * cannot have been spent then. While the newest blocks are not known it waits, but not for half of the time that it has.
 */
export function boarding(
  { known, ledger, complete, bad }: Scene,
  one: RunningInFlight,
  owner: Hex,
  isTheirs = plainOf(owner),
): readonly Escape[] {
  const { inFlight, half, txHash } = one
  const late = known.time >= (inFlight.start + half) / 2
  if (known.time >= half || !(complete || bad || late)) return []
  if (!inFlight.tx.inputs.every((id) => get(ledger.coins, id))) return []
  const free = bitsOf(openPositions(known.running, one, isTheirs)).filter((at) => !isSpentAt(known, one, at))
  const positions = free.reduce((bits, at) => bits | (1 << at), 0)
  const key = keccak('0x03', txHash, uint(inFlight.start, 5), owner)
  return positions === 0 ? [] : [{ kind: 'piggyback', key, owner, bonds: free.length, exit: one, positions }]
}

function plainOf(who: Hex): (output: Output) => boolean {
  return ({ owner, lock }) => owner === who && lock === ZERO
}

function isSpentAt(known: Knowledge, one: RunningInFlight, position: number): boolean {
  const by = position < 4 ? foreignSpendOf(known, one, position) : objectionTo(known, one, position)
  return by !== undefined
}

function coinsOf({ known, ledger }: Scene, owner: Hex): readonly (readonly [Hex, Coin])[] {
  const all = [...entries(idsOf(ledger, owner))].map(([id]) => [id, get(ledger.coins, id)!] as const)
  return all.filter(([id, { output }]) => output.lock === ZERO && claimOn(known.running, id, ZERO) === undefined)
}

/** Payments of an owner that only a bad block has, or one after it, each once: so its change is saved, and its payees are paid. */
function flightsOf(scene: Scene, { flown }: Tries, owner: Hex): readonly Escape[] {
  const { spends, running } = scene.known
  const places = new Map<Hex, Place>()
  for (const [id] of coinsOf(scene, owner)) {
    const place = get(spends, id)
    if (place && !get(flown, place.txHash) && !get(running.inFlight, place.txHash)) places.set(place.txHash, place)
  }
  return [...places.values()].map(
    (at): Escape => ({ kind: 'fly', key: keccak('0x02', at.txHash), owner, bonds: 9, at }),
  )
}

type Leave = Escape & { readonly kind: 'leave' }

/** The unspent outputs of an owner in few groups; those of a group that was challenged alone, and those challenged alone no more. */
function leavesOf(scene: Scene, { voided }: Tries, owner: Hex): readonly Leave[] {
  const bundles = new Map<string, Hex[]>()
  for (const [id, { output, number }] of coinsOf(scene, owner)) {
    const tries = get(voided, id) ?? 0
    if (tries > 1 || get(scene.known.spends, id)) continue
    const alone = tries === 1 || isUnique(scene.ledger, output.asset)
    const bundle = alone ? id : `${output.asset}/${number}`
    bundles.set(bundle, [...(bundles.get(bundle) ?? []), id])
  }
  return [...bundles.values()].flatMap((ids) => slices(ids.sort()).map((some) => leaveOf(owner, some)))
}

function slices(ids: readonly Hex[]): readonly (readonly Hex[])[] {
  const count = Math.ceil(ids.length / MAX_MEMBERS)
  return Array.from({ length: count }, (_, i) => ids.slice(i * MAX_MEMBERS, (i + 1) * MAX_MEMBERS))
}

function leaveOf(owner: Hex, ids: readonly Hex[]): Leave {
  return { kind: 'leave', key: keccak('0x01', ...ids), owner, bonds: 1, ids }
}

/** An exit by a permit is of exactly its outputs: once one of them is gone it is of no use. */
function permittedLeave(
  scene: Scene,
  { voided }: Tries,
  permit: OwnerPermit,
  own: ReadonlySet<Hex>,
): Leave | undefined {
  const { ids, owner, deadline } = permit
  const free = new Map(coinsOf(scene, owner))
  const coins = ids.flatMap((id) => free.get(id) ?? [])
  const [first] = coins
  const good = ids.every((id) => !own.has(id) && !get(voided, id) && !get(scene.known.spends, id))
  if (!first || !good || coins.length < ids.length || deadline <= scene.known.time) return undefined
  const alike = coins.every(({ number, output }) => number === first.number && output.asset === first.output.asset)
  if (ids.length > 1 && (!alike || isUnique(scene.ledger, first.output.asset))) return undefined
  return { ...leaveOf(owner, ids), permit }
}

// The calls

/** Everything that the court wants to see of outputs that a ledger has, from the store of whoever has checked their blocks. */
export function heldOf(court: Domain, rows: Archive.Rows, ledger: Ledger, ids: readonly Hex[]): readonly Held[] {
  const prove = prover(court, rows)
  const deposits = new Map<Hex, Held['proof']>()
  for (const event of Archive.storedL1(rows).flatMap(({ events }) => events)) {
    if (event.name !== 'Deposited') continue
    const { id, chain, sender, salt, owner, asset, value } = event
    deposits.set(id, { kind: 'deposit', deposit: { chain, sender, salt, owner, asset, value } })
  }
  return ids.flatMap((id): readonly Held[] => {
    const coin = get(ledger.coins, id)
    if (!coin) return []
    const { output, number, index, position } = coin
    const signed = number === 0 ? undefined : Archive.storedTransactions(rows, number)[index]!
    const made = signed && {
      kind: 'output' as const,
      transaction: signed.transaction,
      position,
      inclusion: prove(coin),
    }
    const proof = made ?? deposits.get(id)
    return proof ? [{ id, output, proof, use: 'free' }] : []
  })
}

/** What an escape is as a call; `permit` is the leave by which its exit starts. Throws if the store lacks what it is about. */
export function escapeCall(
  court: Domain,
  path: readonly Chain[],
  ledger: Ledger,
  rows: Archive.Rows,
  way: Escape,
  permit: Permit,
): PlasmaCall {
  if (way.kind === 'piggyback') {
    const { exit, positions } = way
    return { verb: 'piggyback', inFlight: exit.inFlight, positions, terms: [] }
  }
  if (way.kind === 'leave') {
    const { starter, deadline, signature } = way.permit ?? permit
    const [one, ...more] = exitCalls(
      path,
      heldOf(court, rows, ledger, way.ids),
      { starter, deadline, signature },
      () => false,
    )
    if (!one || more.length > 0)
      throw new Error('an exit has to be of outputs that are held, of one block and one asset')
    return one.call
  }
  const signed = Archive.storedTransactions(rows, way.at.number)[way.at.index]!
  const held = new Map(heldOf(court, rows, ledger, signed.transaction.inputs).map((one) => [one.id, one]))
  return flightCall(path, signed, (id) => held.get(id))
}

/** Positions and starts that an account has bonds on, of those that run. */
export function bondsOf({ exits, inFlight }: RunningExits, accounts: ReadonlySet<Hex>): number {
  const standard = [...entries(exits)].flatMap(([, all]) => all).filter(({ exit }) => accounts.has(exit.starter))
  const flying = [...entries(inFlight)].map(([, one]) => one).filter((one) => accounts.has(one.inFlight.starter))
  return flying.reduce((sum, one) => sum + 1 + bitsOf(one.piggybacked).length, standard.length)
}

/** Of ways out in their order those whose bonds fit into what is left, and how many bonds those post together. */
export function affordable<Way extends { readonly bonds: number }>(
  ways: readonly Way[],
  most: number,
): { readonly chosen: readonly Way[]; readonly bonds: number } {
  let bonds = 0
  const chosen = ways.filter((way) => {
    if (bonds + way.bonds > most) return false
    bonds += way.bonds
    return true
  })
  return { chosen, bonds }
}

/** Whether what is named so is being sent, or is mined and not final yet: it is not sent again. */
export function isUnderWay(
  { tried, follower }: { readonly tried: HashMap<number>; readonly follower: Follower },
  key: Hex,
): boolean {
  const mined = get(tried, key)
  return mined !== undefined && (mined === 0 || follower.view.next <= mined)
}
