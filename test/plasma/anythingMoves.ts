// Whatever anybody may ask of the court in a world where everything may happen; right, nearly right, or wrong.
import { ETHER, type Hex, ZERO } from '../../src/core/base/Bytes.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { type Chain, chainId } from '../../src/core/plasma/Chain.ts'
import { OWN_PERMIT, type Permit, startExitDigest } from '../../src/core/plasma/Exit.ts'
import { peek } from '../../src/core/plasma/ExitQueue.ts'
import { type Member, membership } from '../../src/core/plasma/Group.ts'
import { outputAt, positionsOf } from '../../src/core/plasma/InFlightExit.ts'
import { outputId, txHash } from '../../src/core/plasma/Transaction.ts'
import {
  type Anything,
  type Coin,
  commitAnew,
  make,
  openCoins,
  PEOPLE,
  pathTo,
  pay,
  pick,
  placeOf,
  type Roll,
  SENDERS,
  sourceOf,
  spendAnew,
  spendOf,
  termsOf,
  wordOf,
} from './anything.ts'
import { leavingTogether, membersOf, type Place, registering } from './branches.ts'
import { HALF, type Running } from './flights.ts'
import { exiting, shown } from './people.ts'
import { BOND, lastRuns, MFP, reveal, type Stage, signed, started, stranger, waiting } from './stage.ts'

/** Makes a move; tells the refusal's name, 'done', or '-' where there was nothing to do. */
export type Move = (world: Anything, roll: Roll) => Promise<string>

function senderOf({ on }: Anything, owner: Hex, twist: number): Hex {
  if (twist % 10 === 9) return pick(SENDERS, twist)!
  return owner === on.receiverAddress || PEOPLE.some(({ address }) => address === owner) ? owner : stranger.address
}

function permitFor({ on }: Anything, { output }: Coin, chain: Hex, ids: readonly Hex[], twist: number): Permit {
  const key = PEOPLE.find(({ address }) => address === output.owner)
  if (twist % 5 !== 4 || !key) return OWN_PERMIT
  const terms = { starter: ETHER, deadline: on.time + (twist % 50), signature: '0x' } as const
  return { ...terms, signature: signed(startExitDigest(on.domain, chain, ids, terms), key) }
}

const exit: Move = async (world, { what, with: by, twist }) => {
  const coin = pick(twist % 5 ? openCoins(world) : world.coins, what)
  if (!coin) return '-'
  const chain = chainId(world.branch.path[coin.depth]!)
  const permit = permitFor(world, coin, chain, [coin.id], twist)
  const sender = permit === OWN_PERMIT ? senderOf(world, coin.output.owner, by) : pick(SENDERS, by)!
  const value = twist % 8 === 7 ? BOND + BigInt(by % 1200) - 10n : BOND
  if (coin.deposit) return make(world, { verb: 'startDepositExit', deposited: coin.deposit, permit }, sender, { value })
  const place = placeOf(world, coin.tx!, by)
  if (!place) return '-'
  const call = exiting(place.block, place.index, coin.position, permit)
  const terms = termsOf(world, coin.output.lock)
  if (!terms) return make(world, call, sender, { value })
  const speaker = twist % 2 ? terms.refund : sender
  return make(world, { ...call, verb: 'startLockedExit', terms }, speaker, { value })
}

/** Several outputs of a block, or several deposits, of one owner in one asset leave together. */
const group: Move = async (world, { what, with: by, twist }) => {
  const open = openCoins(world)
  const kin = (of: Coin) => open.filter(({ tx, output }) => tx === of.tx && output.owner === of.output.owner).length
  const first = pick(
    open.filter((one) => twist % 5 === 0 || one.deposit || kin(one) > 1),
    what,
  )
  if (!first) return '-'
  const alike = ({ depth, output }: Coin) =>
    depth === first.depth && output.owner === first.output.owner && output.asset === first.output.asset
  const sender = senderOf(world, first.output.owner, by)
  if (twist % 3 === 0) {
    const deposited = open.flatMap((one) => (one.deposit && alike(one) ? [one] : []))
    const sorted = deposited.sort((a, b) => (a.id < b.id ? -1 : 1)).flatMap(({ deposit }) => deposit ?? [])
    const call = { verb: 'startDepositExits', deposited: sorted.slice(0, 4), permit: OWN_PERMIT } as const
    return make(world, call, sender, { value: BOND })
  }
  const place = first.tx && placeOf(world, first.tx, by)
  if (!place) return '-'
  const picks = world.coins.flatMap((one): Place[] => {
    const index = one.tx ? place.block.txs.indexOf(one.tx) : -1
    return index >= 0 && (alike(one) || twist % 13 === 1) && one.output.lock === ZERO ? [[index, one.position]] : []
  })
  if (picks.length === 0) return '-'
  return make(world, leavingTogether(world.on, place.block, picks.slice(0, 5)), sender, { value: BOND })
}

const challenge: Move = async (world, roll) => {
  const { what, who, with: by, twist } = roll
  const spent = new Set(world.txs.flatMap(({ tx }) => tx.inputs))
  const idsOf = (ids: Hex, count: number) => (count > 1 ? membersOf(world.on, ids).map(({ id }) => id) : [ids])
  const open = waiting(world.on).filter(({ ids, exit: one }) => idsOf(ids, one.count).some((id) => spent.has(id)))
  const found = pick(twist % 8 ? open : started(world.on), what)
  if (!found) return '-'
  const { exit: of, lane, index, ids } = found
  const members = of.count > 1 ? membersOf(world.on, ids) : []
  const mine = idsOf(ids, of.count)
  const id =
    pick(
      mine.filter((one) => spent.has(one)),
      by,
    ) ?? mine[0]!
  const made = spendOf(world, id, roll)
  if (!made) return '-'
  const place = { path: pathTo(world, made.depth, by), exit: of, lane, index, spend: made.spend }
  const sender = pick(SENDERS, who)!
  const terms = termsOf(world, of.lock)
  if (terms) return make(world, { verb: 'challengeLocked', ...place, terms }, sender)
  if (members.length === 0) return make(world, { verb: 'challengeExit', ...place }, sender)
  const at = members.findIndex((member) => member.id === id)
  return make(world, { verb: 'challengeGroup', ...place, membership: membership(members, Math.max(0, at)) }, sender)
}

const cancel: Move = async (world, { what, with: by, twist }) => {
  const found = pick(twist % 3 ? waiting(world.on) : started(world.on), what)
  if (!found || twist % 4) return '-'
  const { exit: of, lane, index } = found
  return make(world, { verb: 'cancelExit', exit: of, lane, index }, senderOf(world, of.owner, by))
}

const fly: Move = async (world, { what, who, with: by, twist }) => {
  const one = pick(world.txs, what)
  const sources = one?.tx.inputs.flatMap((id) => sourceOf(world, id, by) ?? [])
  if (!one || sources?.length !== one.tx.inputs.length) return '-'
  const terms = world.locks.map((lock) => lock.terms).slice(0, twist % 6 === 5 ? 1 : 3)
  const authorisation = wordOf(world, one.tx, one.tx, twist)
  const path = pathTo(world, one.depth, by)
  const call = { verb: 'startInFlight', path, transaction: one.tx, authorisation, sources, terms } as const
  return make(world, call, senderOf(world, pick(one.tx.outputs, who)!.owner, by))
}

/** A running exit that something can be done about, seldom another one or one that has ended. */
function runOf({ on }: Anything, by: number, fits: (run: Running) => boolean): Running | undefined {
  const running = lastRuns(on).filter((run) => on.model.inFlight.has(run.txHash) && fits(run))
  return pick(by % 11 === 0 || running.length === 0 ? lastRuns(on) : running, by)
}

const want: Move = async (world, { what, who, twist }) => {
  const run = runOf(world, what, ({ inFlight }) => world.on.time < inFlight.start + HALF)
  if (!run) return '-'
  const [owner, taken] = [pick(SENDERS, who)!, world.on.model.inFlight.get(run.txHash)?.piggybacked ?? 0]
  const speaks = (position: number) => {
    const output = outputAt(run.inFlight, position)
    return output && (output.owner === owner || termsOf(world, output.lock)?.refund === owner)
  }
  const mine = [0, 1, 2, 3, 4, 5, 6, 7].reduce((bits, at) => (speaks(at) ? bits | (1 << at) : bits), 0)
  const positions = mine & positionsOf(run.inFlight) & ~taken || twist % 256
  const terms = world.locks.map((lock) => lock.terms)
  return make(world, { verb: 'piggyback', inFlight: run.inFlight, positions, terms }, owner)
}

const dispute: Move = async (world, roll) => {
  const rivals = (hash: Hex) => world.txs.filter(({ tx }) => txHash(world.on.domain, tx) !== hash)
  const run = runOf(world, roll.what, ({ txHash: hash, inFlight }) => {
    const ids = [...inFlight.tx.inputs, ...inFlight.tx.outputs.map((_, i) => outputId(hash, i))]
    return rivals(hash).some(({ tx }) => tx.inputs.some((id) => ids.includes(id)))
  })
  if (!run) return '-'
  const { tx } = run.inFlight
  const all = [...tx.inputs, ...tx.outputs.map((_, i) => outputId(run.txHash, i))]
  const open = all.filter((id) => rivals(run.txHash).some((one) => one.tx.inputs.includes(id)))
  const id = pick(open, roll.who) ?? tx.inputs[0]!
  const outputs = !tx.inputs.includes(id)
  const at = outputs ? all.indexOf(id) - tx.inputs.length : tx.inputs.indexOf(id)
  const made = spendOf(world, id, { ...roll, twist: roll.with })
  if (!made) return '-'
  const { spend, depth } = made
  const terms = world.locks.map((lock) => lock.terms)
  const position = outputs ? 4 + at : at
  const verb = outputs ? 'challengeOutput' : 'compete'
  const call = { verb, path: pathTo(world, depth, roll.twist), inFlight: run.inFlight, position, spend, terms } as const
  return make(world, call, pick(SENDERS, roll.who)!)
}

const respond: Move = async (world, { what, who, with: by, twist }) => {
  const doubted = ({ txHash: hash, inFlight }: Running) => inFlight.late || world.on.model.inFlight.get(hash)!.doubted
  const run = runOf(world, what, doubted)
  const one = run && world.txs.find(({ tx }) => txHash(world.on.domain, tx) === run.txHash)
  const place = one && placeOf(world, one.tx, by)
  if (!place) return '-'
  const inclusion = shown(place.block, place.index)
  const call = { verb: 'respond', path: pathTo(world, one.depth, twist), inFlight: run.inFlight, inclusion } as const
  return make(world, call, pick(SENDERS, who)!)
}

/** The call that processes a chain's queue of an asset with everything that waits in it; some left out by `but`. */
function processing({ on }: Anything, chain: Chain, asset: Hex, but = 0): PlasmaCall {
  const id = chainId(chain)
  const byAge = (a: { readonly exitableAt: number }, b: { readonly exitableAt: number }) => a.exitableAt - b.exitableAt
  const mine = waiting(on)
    .filter(({ exit: one }) => one.chain === id && one.asset === asset)
    .sort((a, b) => byAge(a.exit, b.exit) || a.lane - b.lane || a.index - b.index)
    .filter((_, i) => !((but >> i) & 1))
  const runs = lastRuns(on)
    .filter(({ txHash: hash, inFlight }) => on.model.inFlight.has(hash) && inFlight.tx.chain === id)
    .sort((a, b) => byAge(a.inFlight, b.inFlight) || a.lane - b.lane || a.indices[0]! - b.indices[0]!)
  const members: Member[] = mine.flatMap(({ exit: one }) => (one.count > 1 ? membersOf(on, one.ids) : []))
  const exits = mine.map(({ exit: one }) => one)
  return { verb: 'process', chain: id, asset, exits, members, inFlight: runs.map(({ inFlight }) => inFlight) }
}

function assetsOf({ gold, deed, odd }: Anything): readonly Hex[] {
  return [ETHER, gold, deed, odd]
}

/** The next second in which something is due, at the earliest the one after this. */
function nextDue({ model, time }: Stage, asset: Hex): number {
  const dues = [...model.queues].flatMap(([key, { list, buckets }]) =>
    key.endsWith(asset) ? [list, ...buckets.values()].flatMap(({ head, words }) => words.slice(head)) : [],
  )
  const due = dues.filter((word) => word !== 0n).map((word) => Number(word >> 216n))
  return Math.max(time + 1, Math.min(time + HALF, ...due))
}

const process: Move = async (world, { what, who, with: by, twist }) => {
  const keys = [...world.on.model.queues].flatMap(([key, queue]) => (peek(queue) ? [key] : []))
  const [id, busy] = (pick(keys, what) ?? '/').split('/') as [Hex, Hex]
  const asset = twist % 9 === 8 ? pick(assetsOf(world), what)! : busy || ETHER
  const chain = world.branch.path.find((each) => chainId(each) === id) ?? pick(world.branch.path, by)!
  const time = twist % 2 ? nextDue(world.on, asset) : world.on.time + 1
  const call = processing(world, chain, asset, twist % 7 === 6 ? by : 0)
  return make(world, call, pick(SENDERS, who)!, { time })
}

const approve: Move = async (world, { what, who, twist }) => {
  const one = pick(world.txs, what)
  const owner = world.coins.find(({ id }) => id === one?.tx.inputs[0])?.output.owner
  if (!one) return '-'
  const sender = owner && twist % 4 ? senderOf(world, owner, 0) : pick(SENDERS, who)!
  return make(world, { verb: 'approve', txHash: txHash(world.on.domain, one.tx) }, sender)
}

const claim: Move = async (world, { what, who, twist }) => {
  const { on } = world
  const waits = on.history.flatMap((event) => (event.name === 'Escrowed' ? [event] : []))
  const one = pick(waits, what)
  const to = pick([...PEOPLE.map(({ address }) => address), on.receiverAddress], who)!
  const terms = one && termsOf(world, one.lock)
  const sender = pick(SENDERS, twist)!
  if (terms && twist % 3) {
    const id = on.model.kinds.get(one.asset) === 'unique' ? one.value : 0n
    return make(world, { verb: 'claimEscrow', owner: one.owner, terms, asset: one.asset, id, to }, sender)
  }
  const credited = pick([...on.model.tokenCredits], what)
  if (credited && twist % 2) {
    const [asset, id] = credited[0].split('/') as [Hex, string]
    return make(world, { verb: 'claimToken', asset, id: BigInt(id), to: twist % 5 ? credited[1] : to }, sender)
  }
  const owner = twist % 5 ? on.receiverAddress : to
  const asset = twist % 6 === 5 ? world.gold : ETHER
  return make(world, { verb: 'claimCredit', asset, owner, to }, twist % 7 ? owner : sender)
}

const register: Move = async (world, { what, twist }) => {
  const { path, keys } = world.branch
  const depth = 1 + (what % 3)
  const above = path.slice(0, depth - 1)
  const parent = above.at(-1)
  const chain = {
    parent: parent ? chainId(parent) : ZERO,
    slot: twist % 3 ? 7 : twist % 256,
    operator: keys[1]!.address,
  }
  const signers = depth === 1 ? [keys[1]!] : [keys[1]!, keys[depth - 2]!]
  const call = registering(world.on, [...above, chain], twist % 5 === 0 ? signers.toReversed() : signers)
  return make(world, call, stranger.address)
}

const show: Move = async (world, { what, twist }) => {
  if (twist % 3) return '-'
  await reveal(world.on, pick(world.locks, what)!.preimage)
  return 'done'
}

const wait: Move = async (world, { twist }) => {
  world.on.time += twist % 150
  return 'done'
}

/** The receiver refuses ether or takes it again; the odd deed moves or does not. */
const turn: Move = async ({ on, odd }, { twist }) => {
  on.refusing = twist % 2 === 0
  await on.connection.networkHelpers.time.setNextBlockTimestamp(++on.time)
  await on.receiver.behave(on.refusing ? 1 : 0, ETHER, '0x', { gasPrice: 0 })
  const deed = (await on.connection.ethers.getContractAt('OddDeed', odd)) as unknown as {
    behave(manner: number, victim: Hex, payload: Hex, sending: object): Promise<unknown>
  }
  await on.connection.networkHelpers.time.setNextBlockTimestamp(++on.time)
  await deed.behave(twist % 3 === 0 ? 2 : 0, ETHER, '0x', { gasPrice: 0 })
  if (twist % 3 === 0) on.stubborn.add(odd)
  else on.stubborn.delete(odd)
  return 'done'
}

const anew: Move = async (world, roll) => {
  spendAnew(world, roll)
  return 'done'
}

/** Every move with its name, those that matter most more than once. */
export const ANY: readonly (readonly [string, Move])[] = [
  ...([
    ['pay', pay],
    ['pay', pay],
    ['anew', anew],
    ['anew', anew],
    ['commit', commitAnew],
  ] as const),
  ...([
    ['exit', exit],
    ['exit', exit],
    ['exit', exit],
    ['group', group],
    ['group', group],
  ] as const),
  ...([
    ['challenge', challenge],
    ['challenge', challenge],
    ['cancel', cancel],
    ['fly', fly],
    ['fly', fly],
  ] as const),
  ...([
    ['fly', fly],
    ['want', want],
    ['want', want],
    ['dispute', dispute],
    ['dispute', dispute],
  ] as const),
  ...([
    ['respond', respond],
    ['process', process],
    ['process', process],
    ['approve', approve],
  ] as const),
  ...([
    ['claim', claim],
    ['register', register],
    ['show', show],
    ['wait', wait],
    ['turn', turn],
  ] as const),
]

/** Lets everything mature and processes every queue to its end. */
export async function settleAnything(world: Anything): Promise<void> {
  world.on.time += 3 * MFP
  for (const chain of world.branch.path) {
    for (const asset of assetsOf(world)) await make(world, processing(world, chain, asset), stranger.address)
  }
}
