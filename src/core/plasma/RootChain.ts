import { requireValue } from '../base/Asset.ts'
import { ETHER, type Hex } from '../base/Bytes.ts'
import type { Court } from '../base/Court.ts'
import { require } from '../base/Step.ts'
import { commitmentHash } from './Block.ts'
import type { CallOf, PlasmaCall, PlasmaEvent } from './Call.ts'
import { type Chain, chainId, registrationDigest } from './Chain.ts'
import { type Draft, draftOn, type Kind, type PlasmaCourt, pair, put } from './Draft.ts'
import { DEPOSITED, UNKNOWN } from './Exit.ts'
import { challengeOutput, compete, piggyback, respond, startInFlight } from './InFlightExits.ts'
import { claimEscrow, claimToken, process } from './Payouts.ts'
import {
  cancelExit,
  challengeExit,
  challengeGroup,
  challengeLocked,
  startDepositExit,
  startDepositExits,
  startExit,
  startExits,
  startLockedExit,
} from './StandardExits.ts'
import { endsOf, lastNumberOf, NOBODY, requireSigned, requireSigner } from './Standing.ts'
import { depositId } from './Transaction.ts'
import { addToPot, claim, kindOf, pull, statusOf } from './Vaults.ts'

type Rules = { readonly [Verb in PlasmaCall['verb']]: (draft: Draft, call: CallOf<Verb>) => void }

/** The rules of the court, a verb each. */
const RULES: Rules = {
  register,
  commit,
  deposit,
  approve,
  startExit,
  startLockedExit,
  startExits,
  startDepositExit,
  startDepositExits,
  challengeExit,
  challengeLocked,
  challengeGroup,
  cancelExit,
  startInFlight,
  piggyback,
  compete,
  challengeOutput,
  respond,
  process,
  claimCredit: (draft, { asset, owner, to }) => claim(draft, asset, owner, to),
  claimToken,
  claimEscrow,
}

/** The model of RootChain.sol, given enough gas: the same events, payments and refusals in the same order. */
export const rootChain: Court<PlasmaCourt, PlasmaCall, PlasmaEvent> = (state, call, env) => {
  const draft = draftOn(state, env)
  const rule = RULES[call.verb] as (draft: Draft, call: PlasmaCall) => void
  rule(draft, call)
  return { state: draft.state, events: draft.events, transfers: draft.transfers }
}

// A chain begins, and its operator anchors it.

function register(draft: Draft, { path, signatures }: CallOf<'register'>): void {
  const { root, id } = endsOf(path)
  const need = path.length === 1 ? 1 : 2
  require(signatures.length === need, 'WrongSignatures', BigInt(signatures.length), BigInt(need))
  require(!draft.state.chains.has(id), 'KnownChain', id)
  const [chain, parent] = [path.at(-1)!, path.at(-2)]
  if (parent) takeSlot(draft, chain, parent, path.length - 1, signatures[1]!)
  requireRegistration(draft, chain, signatures[0]!, chain.operator)
  const since = lastNumberOf(draft, root)
  put(draft, 'chains', id, { depth: path.length, since, number: 0, time: 0, asOf: 0 })
  draft.events.push({ name: 'ChainRegistered', chain: id, since, path })
}

/** A child takes a slot of a registered parent, once, with the parent's operator's consent. */
function takeSlot(draft: Draft, child: Chain, parent: Chain, depth: number, consent: Hex): void {
  const slot = pair(child.parent, child.slot)
  require(draft.state.chains.get(child.parent)?.depth === depth, 'UnknownChain', child.parent)
  require(!draft.state.slots.has(slot), 'SlotTaken', child.parent, child.slot)
  requireRegistration(draft, child, consent, parent.operator)
  put(draft, 'slots', slot, true)
}

/** An operator signed a chain's registration, or sends it. */
function requireRegistration(draft: Draft, chain: Chain, signature: Hex, operator: Hex): void {
  if (signature === '0x') requireSigner(draft.env.sender, operator)
  else requireSigned(registrationDigest(draft.state.terms.court, chain), signature, operator)
}

function commit(draft: Draft, { chain, number, header, asOf }: CallOf<'commit'>): void {
  const id = chainId(chain)
  const { time, sender } = draft.env
  const last = draft.state.chains.get(id)
  require(last?.depth === 1, 'UnknownChain', id)
  require(sender === chain.operator, 'NotOperator', sender, chain.operator)
  require(number === last.number + 1, 'WrongNumber', number, last.number + 1)
  require(time > last.time, 'SameSecond', time, last.time)
  require(asOf >= last.asOf, 'EarlyAsOf', asOf, last.asOf)
  require(asOf < time, 'FutureAsOf', asOf, time)
  const latest = asOf + draft.state.terms.margin
  require(time <= latest, 'LateCommit', time, latest)
  put(draft, 'chains', id, { ...last, number, time, asOf })
  put(draft, 'commitments', pair(id, number), commitmentHash(header, time, asOf))
  draft.events.push({ name: 'Committed', chain: id, number, time, asOf, header })
}

// Money comes in, and is spent where the court does not look.

function deposit(draft: Draft, { chain, salt, owner, asset, value }: CallOf<'deposit'>): void {
  const { sender } = draft.env
  const id = depositId({ chain, sender, salt, owner, asset, value })
  const kind = askKind(draft, asset)
  require(owner !== NOBODY, 'ZeroOwner')
  const status = statusOf(draft, id)
  require(status === UNKNOWN, 'WrongStatus', id, status, UNKNOWN)
  put(draft, 'status', id, DEPOSITED)
  if (kind === 'unique') hold(draft, chain, asset, value)
  else fillPot(draft, chain, asset, value)
  draft.events.push({ name: 'Deposited', id, chain, owner, sender, salt, asset, value })
  requireValue(draft.env, asset, value)
  pull(draft, asset, value)
}

/** What a token is, as it says itself the first time; whatever it says later. Ether is never asked. */
function askKind(draft: Draft, asset: Hex): Kind {
  if (asset === ETHER || draft.state.kinds.has(asset)) return kindOf(draft, asset)
  const nature = draft.env.natureOf?.(asset) ?? 'fungible'
  require(nature !== 'nothing', 'NoCode', asset)
  put(draft, 'kinds', asset, nature)
  draft.events.push({ name: 'KindFixed', asset, unique: nature === 'unique' })
  return nature
}

/** Only a chain that is known can have money. */
function fillPot(draft: Draft, chain: Hex, asset: Hex, value: bigint): void {
  require(value !== 0n, 'ZeroValue')
  requireKnown(draft, chain)
  addToPot(draft, chain, asset, value)
}

function hold(draft: Draft, chain: Hex, asset: Hex, id: bigint): void {
  requireKnown(draft, chain)
  require(!draft.state.holders.has(pair(asset, id)), 'HeldAlready', asset, id)
  put(draft, 'holders', pair(asset, id), chain)
}

function requireKnown(draft: Draft, chain: Hex): void {
  require(draft.state.chains.has(chain), 'UnknownChain', chain)
}

function approve(draft: Draft, { txHash }: CallOf<'approve'>): void {
  const owner = draft.env.sender
  put(draft, 'approved', pair(owner, txHash), true)
  draft.events.push({ name: 'Approved', owner, txHash })
}
