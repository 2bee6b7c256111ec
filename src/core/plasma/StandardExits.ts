// Outputs want out: what their owners start, and what others object.
import { ETHER, type Hex, ZERO } from '../base/Bytes.ts'
import { recover } from '../base/Signature.ts'
import { require } from '../base/Step.ts'
import { header, type Inclusion } from './Block.ts'
import type { CallOf } from './Call.ts'
import type { Chain } from './Chain.ts'
import { type Draft, pair, put } from './Draft.ts'
import { DEPOSITED, type Exit, entry, exitableAt, laneOf, PAID, type Permit, startExitDigest } from './Exit.ts'
import { clear, wordAt } from './ExitQueue.ts'
import { blockRoot, type Group, idsOf, impliedIds, leaverHash, MAX_MEMBERS, type Member, sumOf } from './Group.ts'
import { lockOf } from './LockTerms.ts'
import type { Spend } from './Spend.ts'
import {
  endsOf,
  maySpeak,
  NOBODY,
  requireAuthorised,
  requireAuthorisedUnder,
  requireCommitted,
  requireLiveOrShown,
  requireShown,
  requireSigner,
} from './Standing.ts'
import { depositId, txHash as hashOf, MAX_OUTPUTS, type Output, outputId } from './Transaction.ts'
import { isUnique, join, pull, queueOf, requireBonds, split, statusOf } from './Vaults.ts'

/** What an exit is of, before it is known when it may be paid. */
type Leaving = Omit<Exit, 'exitableAt' | 'bond' | 'starter'>

/** A plain output leaves. */
export function startExit(draft: Draft, call: CallOf<'startExit'>): void {
  const { id, output } = leavingOf(draft, call)
  const { transaction, inclusion, permit } = call
  require(output.lock === ZERO, 'LockedOutput', output.lock)
  const bond = requireBonds(draft, 1)
  requireSigner(starterOf(draft, transaction.chain, [id], permit), output.owner)
  queue(draft, { chain: transaction.chain, ...output, ids: id, count: 1 }, bond, inclusion)
}

/** A locked output leaves, with its terms. */
export function startLockedExit(draft: Draft, call: CallOf<'startLockedExit'>): void {
  const { id, output } = leavingOf(draft, call)
  const { transaction, inclusion, terms, permit } = call
  const { owner, lock } = output
  require(lockOf(terms) === lock, 'WrongLock', lockOf(terms), lock)
  const bond = requireBonds(draft, 1)
  const have = starterOf(draft, transaction.chain, [id], permit)
  require(maySpeak(draft, have, owner, terms), 'WrongSigner', have, owner)
  draft.events.push({ name: 'LockShown', lock, terms })
  queue(draft, { chain: transaction.chain, ...output, ids: id, count: 1 }, bond, inclusion)
}

/** The output that leaves, shown and not finalised. */
function leavingOf(
  draft: Draft,
  { path, transaction, output: at, inclusion }: CallOf<'startExit'> | CallOf<'startLockedExit'>,
): { readonly id: Hex; readonly output: Output } {
  const txHash = hashOf(draft.state.terms.court, transaction)
  const id = outputId(txHash, at)
  requireShown(draft, path, transaction, txHash, inclusion)
  const output = transaction.outputs[at]
  require(output !== undefined, 'NoSuchPosition', BigInt(at), BigInt(transaction.outputs.length))
  const status = statusOf(draft, id)
  require(status < PAID, 'Finalised', id, status)
  return { id, output }
}

/** A deposit leaves. */
export function startDepositExit(draft: Draft, { deposited, permit }: CallOf<'startDepositExit'>): void {
  const id = depositId(deposited)
  requireDeposited(draft, id)
  const { chain, asset, owner, value } = deposited
  const bond = requireBonds(draft, 1)
  requireSigner(starterOf(draft, chain, [id], permit), owner)
  queue(draft, { chain, asset, owner, lock: ZERO, ids: id, count: 1, value }, bond, DEPOSIT)
}

/** Where a deposit is: in no block. */
const DEPOSIT = { number: 0, time: 0 }

function requireDeposited(draft: Draft, id: Hex): void {
  const status = statusOf(draft, id)
  require(status === DEPOSITED, 'WrongStatus', id, status, DEPOSITED)
}

/** Outputs of one block leave together. */
export function startExits(draft: Draft, { path, group, inclusion, permit }: CallOf<'startExits'>): void {
  const { id: chain } = endsOf(path)
  requireCount(draft, group.leavers.length, group.asset)
  const hashes = txHashesOf(draft, chain, group, inclusion.number)
  const root = blockRoot(group, hashes, inclusion.siblings)
  requireCommitted(draft, path, chain, header(root, inclusion.childrenRoot), inclusion)
  const members = group.leavers.map(({ output, value }, i) => ({ id: outputId(hashes[i]!, output), value }))
  startGroup(draft, { chain, ...group }, members, PAID - 1n, permit, inclusion)
}

/** The hashes of the leavers' transactions, each with the next of the others beside it. */
function txHashesOf(draft: Draft, chain: Hex, group: Group, number: number): readonly Hex[] {
  const given = BigInt(group.others.length)
  let others = group.others
  const hashes = group.leavers.map((leaver) => {
    const { outputs: all, output, lastBlock } = leaver
    require(output < all && all <= MAX_OUTPUTS, 'NoSuchPosition', BigInt(output), BigInt(all))
    require(all - 1 <= others.length, 'WrongSiblings', given)
    require(number <= lastBlock, 'IncludedLate', number, lastBlock)
    const beside = others.slice(0, all - 1)
    others = others.slice(all - 1)
    return leaverHash(draft.state.terms.court, chain, group, leaver, beside)
  })
  require(others.length === 0, 'WrongSiblings', given)
  return hashes
}

/** Deposits leave together. */
export function startDepositExits(draft: Draft, { deposited, permit }: CallOf<'startDepositExits'>): void {
  requireCount(draft, deposited.length, deposited[0]?.asset ?? NOBODY)
  const { chain, asset, owner } = deposited[0]!
  const members = deposited.map((one) => {
    const id = depositId(one)
    requireDeposited(draft, id)
    require(one.chain === chain && one.asset === asset && one.owner === owner, 'WrongMember', id)
    return { id, value: one.value }
  })
  startGroup(draft, { chain, asset, owner }, members, DEPOSITED, permit, DEPOSIT)
}

function requireCount(draft: Draft, count: number, asset: Hex): void {
  require(count > 1 && count <= MAX_MEMBERS, 'WrongCount', BigInt(count), BigInt(MAX_MEMBERS))
  require(!isUnique(draft, asset), 'NotFungible', asset)
}

/** Members that are shown leave together, if none is finalised (its status above `most`) and none is named twice. */
function startGroup(
  draft: Draft,
  { chain, asset, owner }: Pick<Exit, 'chain' | 'asset' | 'owner'>,
  members: readonly Member[],
  most: bigint,
  permit: Permit,
  from: Pick<Inclusion, 'number' | 'time'>,
): void {
  const bond = requireBonds(draft, 1)
  requireOrder(draft, members, most)
  const ids = idsOf(members)
  const idList = members.map(({ id }) => id)
  requireSigner(starterOf(draft, chain, idList, permit), owner)
  const value = sumOf(members)
  queue(draft, { chain, asset, owner, lock: ZERO, ids, count: members.length, value }, bond, from)
  draft.events.push({ name: 'GroupStarted', ids, members })
}

function requireOrder(draft: Draft, members: readonly Member[], most: bigint): void {
  let last: Hex = ZERO
  for (const { id } of members) {
    require(id > last, 'WrongOrder', id, last)
    const status = statusOf(draft, id)
    require(status <= most, 'Finalised', id, status)
    last = id
  }
}

/** Who starts: the sender, or the signer of the permit that the sender has. */
function starterOf({ env, state }: Draft, chain: Hex, ids: readonly Hex[], permit: Permit): Hex {
  const { starter, deadline, signature } = permit
  if (signature === '0x') return env.sender
  require(starter === NOBODY || starter === env.sender, 'WrongStarter', env.sender, starter)
  require(env.time <= deadline, 'PermitExpired', env.time, deadline)
  return recover(startExitDigest(state.terms.court, chain, ids, permit), signature) ?? NOBODY
}

/** Joins its queue: at its own second in its number's lane, or `mfp` from now in the list. */
function queue(draft: Draft, leaving: Leaving, bond: bigint, from: Pick<Inclusion, 'number' | 'time'>): void {
  const { time, sender, value } = draft.env
  const { mfp } = draft.state.terms
  const { chain, asset, owner, lock, ids, count } = leaving
  const lane = laneOf(time, mfp, from.number, from.time)
  const due = exitableAt(time, mfp, from.time)
  const exit = { chain, asset, owner, lock, ids, count, value: leaving.value, exitableAt: due, bond, starter: sender }
  const index = join(draft, chain, asset, lane, entry(exit))
  pull(draft, ETHER, value)
  draft.events.push({ name: 'ExitStarted', ids, lane, index, exit })
}

// Somebody objects.

type Place = Pick<CallOf<'cancelExit'>, 'exit' | 'lane' | 'index'>

/** A plain output was spent. */
export function challengeExit(draft: Draft, { path, exit, lane, index, spend }: CallOf<'challengeExit'>): void {
  require(exit.lock === ZERO, 'LockedOutput', exit.lock)
  const txHash = requireSpends(draft, path, exit.chain, exit.ids, spend)
  requireAuthorised(draft, exit.owner, txHash, spend.authorisation)
  challenge(draft, { exit, lane, index }, txHash)
}

/** A locked output was spent. */
export function challengeLocked(draft: Draft, call: CallOf<'challengeLocked'>): void {
  const { path, exit, spend, terms } = call
  require(lockOf(terms) === exit.lock, 'WrongLock', lockOf(terms), exit.lock)
  const txHash = requireSpends(draft, path, exit.chain, exit.ids, spend)
  requireAuthorisedUnder(draft, terms, exit.owner, spend.tx, txHash, spend.authorisation)
  challenge(draft, call, txHash)
}

/** A member of a group was spent. */
export function challengeGroup(draft: Draft, call: CallOf<'challengeGroup'>): void {
  const { path, exit, spend, membership } = call
  const id = inputOf(spend)
  const have = impliedIds(id, membership)
  require(have === exit.ids, 'WrongGroup', have, exit.ids)
  const txHash = requireSpends(draft, path, exit.chain, id, spend)
  requireAuthorised(draft, exit.owner, txHash, spend.authorisation)
  challenge(draft, call, txHash)
}

function inputOf({ tx, input }: Spend): Hex {
  const id = tx.inputs[input]
  require(id !== undefined, 'NoSuchPosition', BigInt(input), BigInt(tx.inputs.length))
  return id
}

/** A transaction of the chain that is live or shown, and spends this output; tells its hash. */
export function requireSpends(draft: Draft, path: readonly Chain[], chain: Hex, id: Hex, spend: Spend): Hex {
  const txHash = hashOf(draft.state.terms.court, spend.tx)
  require(spend.tx.chain === chain, 'WrongChain', spend.tx.chain, chain)
  const input = inputOf(spend)
  require(input === id, 'WrongInput', input, id)
  requireLiveOrShown(draft, path, spend, txHash)
  return txHash
}

function challenge(draft: Draft, at: Place, txHash: Hex): void {
  const { exit, lane, index } = at
  makeVoid(draft, at)
  draft.events.push({ name: 'ExitChallenged', ids: exit.ids, lane, index, txHash, challenger: draft.env.sender })
  split(draft, exit.chain, exit.bond)
}

/** Its owner takes an exit back. */
export function cancelExit(draft: Draft, { exit, lane, index }: CallOf<'cancelExit'>): void {
  require(draft.env.sender === exit.owner, 'NotOwner', draft.env.sender, exit.owner)
  require(exit.lock === ZERO, 'LockedOutput', exit.lock)
  makeVoid(draft, { exit, lane, index })
  draft.events.push({ name: 'ExitCancelled', ids: exit.ids, lane, index })
  split(draft, exit.chain, exit.bond)
}

function makeVoid(draft: Draft, { exit, lane, index }: Place): void {
  const waiting = queueOf(draft.state, exit.chain, exit.asset)
  const [have, need] = [wordAt(waiting, lane, index), entry(exit)]
  require(have === need, 'WrongEntry', have, need)
  put(draft, 'queues', pair(exit.chain, exit.asset), clear(waiting, lane, index))
}
