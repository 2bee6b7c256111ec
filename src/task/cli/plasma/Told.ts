// What a wallet's store and its newest view say: of balances, of exits. No question is asked here.
import { ETHER, type Hex, ZERO } from '../../../core/base/Bytes.ts'
import { entries, get } from '../../../core/base/HashMap.ts'
import type { L1Block } from '../../../core/base/Step.ts'
import { concerning, type Rows, storedL1 } from '../../../core/plasma/Archive.ts'
import { bitsOf, outputAt } from '../../../core/plasma/InFlightExit.ts'
import { escrowsIn } from '../../../core/plasma/Kept.ts'
import { balancesOf as balancesBy, heldBy, type WalletState } from '../../../core/plasma/Purse.ts'
import { allExits, allInFlight, endOf, idAt, observeExits, type RunningExits } from '../../../core/plasma/Running.ts'
import type { SeenEvent } from '../../../core/plasma/Seen.ts'
import type { Output } from '../../../core/plasma/Transaction.ts'

/** Layer 1 as far as it concerns the wallet's chain. */
export interface Told {
  /** Every block with events, oldest first, final or not. */
  readonly blocks: readonly L1Block<SeenEvent>[]
  /** The first number that is not final. */
  readonly next: number
  /** The exits as of the newest block. */
  readonly running: RunningExits
}

/** All that layer 1 has told of the wallet's chain up to its newest block. */
export function toldTo(state: WalletState, rows: Rows): Told {
  const { view, params } = state.follower
  const fresh = concerning(params.path, view.window)
  return {
    blocks: [...storedL1(rows), ...fresh],
    next: view.next,
    running: observeExits(state.running, fresh),
  }
}

/** Where the money of one asset is: amounts in smallest units, or how many, for an ERC-721. */
export interface Balance {
  readonly asset: Hex
  /** Can be spent: every block up to it is checked. */
  readonly received: bigint
  /** Deposits that are not final yet, and what comes back from payments that are not in a checked block. */
  readonly unconfirmed: bigint
  /** On its way to others and to fees in such payments. */
  readonly paying: bigint
  /** Under a lock that nobody has decided, for the owner or by it. */
  readonly locked: bigint
  /** On its way to layer 1. */
  readonly exiting: bigint
  /** Paid by layer 1 to an escrow, under a lock that has a side of the owner's. */
  readonly escrow: bigint
  /** What layer 1 could not pay out, as of its newest final block. */
  readonly credit: bigint
}

/** Where everything is that the wallet's owner has, by asset; ether's first. */
export function balancesOf(state: WalletState, told: Told): readonly Balance[] {
  const [leaves, open] = [[...leaving(state, told.running).values()], heldBy(state)]
  const paying = open.flatMap(({ use, output }) => (use === 'paying' ? output : []))
  const [change, arriving] = [changeOf(state), depositsIn(state, told)]
  const kept = [...entries(state.kept.credits), ...entries(state.kept.tokens)].map(([asset]) => asset)
  const own = [...open.map(({ output }) => output), ...leaves, ...arriving, ...escrowsIn(state.kept)]
  return [...new Set([ETHER, ...own.map(({ asset }) => asset), ...kept])].map((asset) => {
    const sum = (outputs: readonly Pick<Output, 'asset' | 'value'>[]) => sumOf(told, asset, outputs)
    const settled = balancesBy(state, asset)
    const unconfirmed = sum(change) + sum(arriving)
    return { asset, ...settled, unconfirmed, paying: sum(paying) - sum(change), exiting: sum(leaves) }
  })
}

function sumOf({ running }: Told, asset: Hex, outputs: readonly Pick<Output, 'asset' | 'value'>[]): bigint {
  const own = outputs.filter((one) => one.asset === asset)
  const isUnique = get(running.kinds, asset) === 'unique'
  return isUnique ? BigInt(own.length) : own.reduce((sum, { value }) => sum + value, 0n)
}

/** The owner's deposits in blocks that are not final yet. */
function depositsIn({ owner }: WalletState, { blocks, next }: Told): readonly Pick<Output, 'asset' | 'value'>[] {
  const fresh = blocks.filter(({ number }) => number >= next).flatMap(({ events }) => events)
  return fresh.flatMap((event) => (event.name === 'Deposited' && event.owner === owner ? event : []))
}

/** What open payments give back to their payer. */
function changeOf({ payments, held, owner }: WalletState): readonly Output[] {
  const open = [...entries(payments)].filter(([, { transaction }]) =>
    transaction.inputs.every((id) => get(held, id)?.use === 'paying'),
  )
  return open.flatMap(([, { transaction }]) => transaction.outputs.filter((output) => output.owner === owner))
}

/** What is on its way to layer 1, by its id: of an in-flight exit the side that is paid as it stands. */
function leaving(state: WalletState, running: RunningExits): ReadonlyMap<Hex, Pick<Output, 'asset' | 'value'>> {
  const found = new Map<Hex, Pick<Output, 'asset' | 'value'>>()
  for (const { id, use, output } of heldBy(state)) if (use === 'leaving') found.set(id, output)
  for (const { exit, members } of allExits(running)) {
    if (exit.owner !== state.owner) continue
    for (const { id, value } of members)
      if (endOf(running, id) === undefined) found.set(id, { asset: exit.asset, value })
  }
  for (const one of allInFlight(running)) {
    for (const position of bitsOf(one.piggybacked & ~one.blocked)) {
      const [id, output] = [idAt(one, position), outputAt(one.inFlight, position)!]
      if (output.owner !== state.owner || endOf(running, id) !== undefined) continue
      if (one.doubted === position < 4) found.set(id, output)
      else found.delete(id)
    }
  }
  return found
}

/** How far an exit is. */
export type Stage =
  | 'running'
  | 'payable'
  | 'paid'
  | 'challenged'
  | 'cancelled'
  | 'dropped'
  | 'unpaid'
  | 'joinable'
  | 'processed'

/** An exit of the wallet's owner, or one that it has started. */
export interface ExitView {
  readonly kind: 'output' | 'group' | 'inFlight'
  /** The output's id, the group's, or the hash of the transaction that is in flight. */
  readonly id: Hex
  readonly outputs: readonly Hex[]
  readonly asset: Hex
  /** In smallest units; an ERC-721's id. */
  readonly amount: bigint
  /** Wei that its starter posted, and gets back unless it is challenged. */
  readonly bond: bigint
  /** Whether the block of its start is final. */
  readonly isFinal: boolean
  /** Seconds: of its start, the end of piggybacking (in flight only), and the first in which it may be paid. */
  readonly startedAt: number
  readonly half: number | null
  readonly exitableAt: number
  readonly stage: Stage
  /** How many exits of the asset are paid before it, while it runs. */
  readonly ahead: number
  /** What was paid so far; of an ERC-721 its id. */
  readonly paid: bigint | null
}

type At = { readonly ids: Hex; readonly lane: number; readonly index: number }

/** The exits that concern the wallet's owner at the second `now`, the oldest first. */
export function exitsOf({ owner }: WalletState, told: Told, now: number): readonly ExitView[] {
  const ends = endsOf(told)
  const views = told.blocks.flatMap(({ number, time, events }) =>
    events.flatMap((event, i): readonly ExitView[] => {
      const common = { isFinal: number < told.next, startedAt: time }
      if (event.name === 'ExitStarted') {
        if (event.exit.owner !== owner && event.exit.starter !== owner) return []
        const next = events[i + 1]
        const members = next?.name === 'GroupStarted' ? next.members.map(({ id }) => id) : [event.ids]
        return [{ ...common, ...standardView(told, event, members, ends.get(placeOf(event)), now) }]
      }
      if (event.name !== 'InFlightStarted') return []
      const { tx, spent, starter } = event.inFlight
      const isMine = starter === owner || [...spent, ...tx.outputs].some((output) => output.owner === owner)
      return isMine ? [{ ...common, ...flightView(told, event, owner, now) }] : []
    }),
  )
  return views
}

function placeOf({ ids, lane, index }: At): string {
  return `${ids}/${lane}/${index}`
}

type End = { readonly stage: Stage; readonly paid: bigint | null }

const ENDS: Readonly<Partial<Record<SeenEvent['name'], Stage>>> = {
  ExitPaid: 'paid',
  ExitChallenged: 'challenged',
  ExitCancelled: 'cancelled',
  ExitDropped: 'dropped',
  ExitUnpaid: 'unpaid',
}

function endsOf({ blocks }: Told): ReadonlyMap<string, End> {
  const ends = new Map<string, End>()
  for (const event of blocks.flatMap(({ events }) => events)) {
    const stage = ENDS[event.name]
    if (!stage || !('lane' in event && 'ids' in event)) continue
    ends.set(placeOf(event), { stage, paid: event.name === 'ExitPaid' ? event.amount : null })
  }
  return ends
}

function standardView(
  { running }: Told,
  event: Extract<SeenEvent, { readonly name: 'ExitStarted' }>,
  outputs: readonly Hex[],
  end: End | undefined,
  now: number,
): Omit<ExitView, 'isFinal' | 'startedAt'> {
  const { exit, lane, index } = event
  const { asset, value: amount, bond, exitableAt, count } = exit
  const open: End = { stage: now >= exitableAt ? 'payable' : 'running', paid: null }
  const turn = { exitableAt, lane, index }
  const ahead = end ? 0 : before(running, asset, turn)
  const kind = count > 1 ? 'group' : 'output'
  return { kind, id: event.ids, outputs, asset, amount, bond, half: null, exitableAt, ...(end ?? open), ahead }
}

type Turn = { readonly exitableAt: number; readonly lane: number; readonly index: number }

/** How many exits of an asset have their turn before this one. */
function before(running: RunningExits, asset: Hex, turn: Turn): number {
  const all = allExits(running).filter(({ exit }) => exit.asset === asset)
  return all.filter(({ exit, lane, index }) => isBefore({ exitableAt: exit.exitableAt, lane, index }, turn)).length
}

function isBefore(one: Turn, other: Turn): boolean {
  return (one.exitableAt - other.exitableAt || one.lane - other.lane || one.index - other.index) < 0
}

function flightView(
  { running, blocks }: Told,
  event: Extract<SeenEvent, { readonly name: 'InFlightStarted' }>,
  owner: Hex,
  now: number,
): Omit<ExitView, 'isFinal' | 'startedAt'> {
  const { txHash, inFlight } = event
  const one = get(running.inFlight, txHash)
  const isRunning = one !== undefined && one.inFlight.start === inFlight.start
  const mine = inFlight.tx.outputs.filter((output) => output.owner === owner && output.lock === ZERO)
  const wanted =
    mine.length > 0 && !(one?.doubted ?? false) ? mine : inFlight.spent.filter((out) => out.owner === owner)
  const paid = blocks
    .flatMap(({ events }) => events)
    .flatMap((paidOut) => (paidOut.name === 'InFlightPaid' && paidOut.txHash === txHash ? paidOut.amount : []))
  const { exitableAt } = inFlight
  const open = now >= exitableAt ? 'payable' : now < (one?.half ?? 0) ? 'joinable' : 'running'
  return {
    kind: 'inFlight',
    id: txHash,
    outputs: inFlight.tx.inputs,
    asset: inFlight.spent[0]!.asset,
    amount: wanted.reduce((sum, { value }) => sum + value, 0n),
    bond: inFlight.bond,
    half: one?.half ?? null,
    exitableAt,
    stage: isRunning ? open : 'processed',
    ahead: 0,
    paid: isRunning || paid.length === 0 ? null : paid.reduce((sum, amount) => sum + amount, 0n),
  }
}
