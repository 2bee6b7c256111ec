// How a wallet's outputs leave the chain.
import { type Hex, ZERO } from '../base/Bytes.ts'
import { get } from '../base/HashMap.ts'
import { Refusal, require } from '../base/Step.ts'
import type { PlasmaCall } from './Call.ts'
import { dueExits } from './Due.ts'
import { OWN_PERMIT } from './Exit.ts'
import { exitCalls, flightCall, type Held } from './Held.ts'
import { isUnique } from './Ledger.ts'
import { hold, idle, type Next, say, type WalletParams, type WalletState } from './Purse.ts'
import { claimOn, openPositions } from './Running.ts'

/** Starts the exits of outputs; `anyway` = even of those that an open payment spends. Refuses UnknownOutput, OutputInUse. */
export function leave(params: WalletParams, state: WalletState, ids: readonly Hex[], anyway = false): Next {
  const all = ids.map((id) => leavable(state, id, anyway))
  const doubtful = new Set(all.filter((one) => one.use === 'paying').map(({ id }) => id))
  const single = ({ id, output }: Held) => doubtful.has(id) || isUnique(state, output.asset)
  const calls = exitCalls(params.path, all, OWN_PERMIT, single)
  const taken = all.reduce((step, one) => hold(step, { ...one, use: 'leaving' }), idle(state))
  return say(taken, ...calls.map((one) => ({ kind: 'call' as const, ...one })))
}

function leavable(state: WalletState, id: Hex, anyway: boolean): Held {
  const one = get(state.held, id)
  if (!one) throw new Refusal('UnknownOutput', id)
  // A start that nobody heard of again may be tried again: the court knows if it was heard.
  const lost = one.use === 'leaving' && claimOn(state.running, id, ZERO) === undefined
  require(one.use === 'free' || lost || (anyway && one.use === 'paying'), 'OutputInUse', id, one.use)
  return one
}

/** An open payment leaves as it is: its payees have what it pays them, or its payer has its inputs back. Refuses UnknownPayment. */
export function fly(params: WalletParams, state: WalletState, hash: Hex): Next {
  const signed = get(state.payments, hash)
  if (!signed) throw new Refusal('UnknownPayment', hash)
  const call = flightCall(params.path, signed, (id) => get(state.held, id))
  return say(idle(state), { kind: 'call', ids: [], call })
}

/** Whatever is the owner's of an in-flight exit that runs, and not piggybacked, paid or blocked. Refuses NothingLeft. */
export function join(state: WalletState, hash: Hex): Next {
  const one = get(state.running.inFlight, hash)
  const positions = one ? openPositions(state.running, one, state.owner) : 0
  if (!one || positions === 0) throw new Refusal('NothingLeft', hash)
  const call: PlasmaCall = { verb: 'piggyback', inFlight: one.inFlight, positions, terms: [] }
  return say(idle(state), { kind: 'call', ids: [], call })
}

/** The exits of an asset that may be paid at `time` (seconds), as one call. */
export function settle(state: WalletState, asset: Hex, time: number): Next {
  const { chain } = state.follower.ledger
  const call: PlasmaCall = { verb: 'process', chain, asset, ...dueExits(state.running, asset, time) }
  return say(idle(state), { kind: 'call', ids: [], call })
}
