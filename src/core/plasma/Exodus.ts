// What a wallet does by itself: it leaves a bad chain with everything, and wants its part of what others put up.
import { type Hex, ZERO } from '../base/Bytes.ts'
import { emptyMap, entries, get, set } from '../base/HashMap.ts'
import { flightOf } from './Departure.ts'
import { OWN_PERMIT } from './Exit.ts'
import { type Follower, lastNumberOf } from './Follower.ts'
import { affordable, boarding, bondsOf, dearestFirst, isUnderWay, type Scene } from './Guard.ts'
import { exitCalls, type Held, type Leaving } from './Held.ts'
import { bitsOf, outputAt } from './InFlightExit.ts'
import { isUnique, observe } from './Ledger.ts'
import { maySpeakFor, termsOfAll, termsOn } from './Locked.ts'
import {
  heldBy,
  hold,
  type Next,
  say,
  sightOf,
  type WalletOutput,
  type WalletParams,
  type WalletState,
} from './Purse.ts'
import { allInFlight, claimOn } from './Running.ts'
import type { Output } from './Transaction.ts'

/** Bonds that a wallet may have out at once without being asked. */
const MAX_BONDS = 256

/** What a wallet calls by itself: with the bonds that it posts at most. */
type Deed = Extract<WalletOutput, { readonly kind: 'call' }> & { readonly bonds: number }

/** Acts for the owner where waiting would cost it money; says first how much is at stake. */
export function guardSelf(params: WalletParams, step: Next): Next {
  const { state } = step
  const { bad } = state.follower
  if (params.guard === false || (!bad && state.running.inFlight.size === 0)) return step
  const deeds = [...boardings(state), ...(bad ? [...flights(params, state), ...leaves(params, state)] : [])]
  const { chosen, bonds } = affordable(deeds, MAX_BONDS - bondsOf(state.running, new Set([state.owner])))
  if (chosen.length === 0) return step
  const said: WalletOutput = { kind: 'guarding', escapes: chosen.length, bonds, left: deeds.length - chosen.length }
  return chosen.reduce(take, say(step, said))
}

function take(step: Next, { bonds: _, ...call }: Deed): Next {
  const taken = call.ids.reduce((now, id) => hold(now, { ...get(now.state.held, id)!, use: 'leaving' }), step)
  const keys = call.about === undefined ? call.ids : [call.about]
  const tried = keys.reduce((now, key) => set(now, key, 0), taken.state.tried)
  return say({ ...taken, state: { ...taken.state, tried } }, call)
}

function boardings(state: WalletState): readonly Deed[] {
  const { running, follower, owner } = state
  if (running.inFlight.size === 0) return []
  const [scene, sight] = [sceneOf(state, follower), sightOf(state)]
  const isOurs = (output: Output) => maySpeakFor(sight, output)
  return allInFlight(running).flatMap((one) =>
    boarding(scene, one, owner, isOurs).flatMap((way): readonly Deed[] => {
      if (way.kind !== 'piggyback' || isUnderWay(state, way.key)) return []
      const { positions, bonds, key } = way
      const { inFlight } = one
      const terms = termsOfAll(
        sight,
        bitsOf(positions).flatMap((at) => outputAt(inFlight, at) ?? []),
      )
      const call = { verb: 'piggyback', inFlight, positions, terms } as const
      return [{ kind: 'call', call, ids: [], about: key, bonds }]
    }),
  )
}

function sceneOf({ running }: WalletState, follower: Follower): Scene {
  const { ledger, l1, view, bad, commits } = follower
  const known = { spends: emptyMap<never>(), running, time: view.time, last: lastNumberOf(follower) }
  return { known, ledger: observe(ledger, l1, view.time), bad: bad !== undefined, complete: commits.length === 0 }
}

/** Payments that no valid block has: their payees are paid, or their inputs come back. */
function flights(params: WalletParams, state: WalletState): readonly Deed[] {
  return [...entries(state.payments)].flatMap(([hash, signed]): readonly Deed[] => {
    const { inputs } = signed.transaction
    const held = inputs.flatMap((id) => get(state.held, id) ?? [])
    const claimed = inputs.some((id) => claimOn(state.running, id, hash) !== undefined)
    const over = claimed || get(state.running.inFlight, hash) || get(state.tries.flown, hash) || isUnderWay(state, hash)
    if (over || held.length < inputs.length) return []
    const call = flightOf(params, state, signed)
    return [{ kind: 'call', call, ids: [], about: hash, bonds: 1 + inputs.length + signed.transaction.outputs.length }]
  })
}

/** Everything that no payment spends, in few groups; what was challenged in a group alone, what was challenged alone no more. */
function leaves(params: WalletParams, state: WalletState): readonly Deed[] {
  const all = heldBy(state).filter((one) => isLeaving(state, one))
  const single = ({ id, output }: Held) =>
    isUnique(state.follower.ledger, output.asset) || !!get(state.tries.voided, id)
  const termsOf = (lock: Hex) => termsOn(state, lock)
  const calls = exitCalls(params.path, all, OWN_PERMIT, single, termsOf)
  const outputsOf = ({ ids }: Leaving) => ids.map((id) => get(state.held, id)!.output)
  return dearestFirst(state.follower.ledger, calls, outputsOf).map((one): Deed => ({ kind: 'call', ...one, bonds: 1 }))
}

function isLeaving(state: WalletState, { id, output, use }: Held): boolean {
  const given = !maySpeakFor(sightOf(state), output) || use === 'paying' || (get(state.tries.voided, id) ?? 0) > 1
  return !given && claimOn(state.running, id, ZERO) === undefined && !isUnderWay(state, id)
}
