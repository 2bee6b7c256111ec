// How a wallet's outputs leave the chain.
import { ETHER, type Hex, ZERO } from '../base/Bytes.ts'
import { get } from '../base/HashMap.ts'
import { Refusal, require } from '../base/Step.ts'
import type { PlasmaCall } from './Call.ts'
import { dueExits } from './Due.ts'
import { OWN_PERMIT } from './Exit.ts'
import { exitCalls, flightCall, type Held } from './Held.ts'
import { bitsOf, outputAt } from './InFlightExit.ts'
import { escrowsIn } from './Kept.ts'
import { isUnique, type Signed } from './Ledger.ts'
import { maySpeakFor, standingOf, termsOfAll, termsOn } from './Locked.ts'
import { hold, idle, type Next, say, sightOf, type WalletParams, type WalletState } from './Purse.ts'
import { claimOn, openPositions } from './Running.ts'

/** Starts the exits of outputs; `anyway` = even of those that an open payment spends. Refuses UnknownOutput, OutputInUse. */
export function leave(params: WalletParams, state: WalletState, ids: readonly Hex[], anyway = false): Next {
  const all = ids.map((id) => leavable(state, id, anyway))
  const doubtful = new Set(all.filter((one) => one.use === 'paying').map(({ id }) => id))
  const single = ({ id, output }: Held) => doubtful.has(id) || isUnique(state, output.asset)
  const calls = exitCalls(params.path, all, OWN_PERMIT, single, (lock) => termsOn(state, lock))
  const taken = all.reduce((step, one) => hold(step, { ...one, use: 'leaving' }), idle(state))
  return say(taken, ...calls.map((one) => ({ kind: 'call' as const, ...one })))
}

function leavable(state: WalletState, id: Hex, anyway: boolean): Held {
  const one = get(state.held, id)
  if (!one) throw new Refusal('UnknownOutput', id)
  const { lock } = one.output
  require(lock === ZERO || maySpeakFor(sightOf(state), one.output), 'WrongLock', ZERO, lock)
  // A start that nobody heard of again may be tried again: the court knows if it was heard.
  const lost = one.use === 'leaving' && claimOn(state.running, id, ZERO) === undefined
  require(one.use === 'free' || lost || (anyway && one.use === 'paying'), 'OutputInUse', id, one.use)
  return one
}

/** An open payment leaves as it is: its payees have what it pays them, or its payer has its inputs back. Refuses UnknownPayment. */
export function fly(params: WalletParams, state: WalletState, hash: Hex): Next {
  const signed = get(state.payments, hash)
  if (!signed) throw new Refusal('UnknownPayment', hash)
  const call = flightOf(params, state, signed)
  return say(idle(state), { kind: 'call', ids: [], call })
}

/** The call that starts the in-flight exit of a payment, with the terms of all that the owner may speak for. */
export function flightOf({ path }: WalletParams, state: WalletState, signed: Signed): PlasmaCall {
  const sight = sightOf(state)
  const own = signed.transaction.outputs.filter((output) => maySpeakFor(sight, output))
  return flightCall(path, signed, (id) => get(state.held, id), termsOfAll(sight, own))
}

/** Whatever is the owner's of an in-flight exit that runs, and not piggybacked, paid or blocked. Refuses NothingLeft. */
export function join(state: WalletState, hash: Hex): Next {
  const one = get(state.running.inFlight, hash)
  const sight = sightOf(state)
  const positions = one ? openPositions(state.running, one, (output) => maySpeakFor(sight, output)) : 0
  if (!one || positions === 0) throw new Refusal('NothingLeft', hash)
  const { inFlight } = one
  const terms = termsOfAll(
    sight,
    bitsOf(positions).flatMap((position) => outputAt(inFlight, position) ?? []),
  )
  const call: PlasmaCall = { verb: 'piggyback', inFlight, positions, terms }
  return say(idle(state), { kind: 'call', ids: [], call })
}

/** The exits of an asset that may be paid at `time` (seconds), as one call. */
export function settle(state: WalletState, asset: Hex, time: number): Next {
  const { chain } = state.follower.ledger
  const call: PlasmaCall = { verb: 'process', chain, asset, ...dueExits(state.running, asset, time) }
  return say(idle(state), { kind: 'call', ids: [], call })
}

/** Takes what waits in escrow and is decided for the owner: a call for each. Refuses NoCredit. */
export function collect(state: WalletState): Next {
  const sight = sightOf(state)
  const due = escrowsIn(state.kept).filter((one) => standingOf(sight, one) === 'mine')
  require(due.length > 0, 'NoCredit', ETHER, state.owner)
  const calls = due.map(({ owner, lock, asset, value }): PlasmaCall => {
    const id = isUnique(state, asset) ? value : 0n
    return { verb: 'claimEscrow', owner, terms: termsOn(state, lock)!, asset, id, to: state.owner }
  })
  return say(idle(state), ...calls.map((call) => ({ kind: 'call' as const, ids: [], call })))
}
