import { claimCredit, type Payment, pay } from '../base/Asset.ts'
import { ETHER, type Hex } from '../base/Bytes.ts'
import type { Env, Ruling } from '../base/Court.ts'
import { recover } from '../base/Signature.ts'
import { require } from '../base/Step.ts'
import type { Judgement } from '../base/Verdicts.ts'
import type { ChannelCall, ChannelEvent } from './Call.ts'
import { type Channel, other, type Side, sideOf } from './Channel.ts'
import type { Bond, ChannelCourt } from './Record.ts'

/** A ruling of the channel court. */
export type Ruled = Ruling<ChannelCourt, ChannelEvent>
/** The call of one verb. */
export type Call<Verb> = Extract<ChannelCall, { readonly verb: Verb }>

/** Who challenges, and for which side; no side = it may not. */
export interface Challenger {
  readonly who: Hex
  readonly side: Side | undefined
}

/** The side whose owner or signer sends; A if it is on both. */
export function sideOfSender({ a, b }: Channel, who: Hex): Challenger {
  if (who === a.owner || who === a.signer) return { who, side: 'a' }
  return { who, side: who === b.owner || who === b.signer ? 'b' : undefined }
}

/** The side whose signer made a signature; A if it is on both. A malformed one is of nobody: the zero address. */
export function sideOfSigner(channel: Channel, digest: Hex, sig: Hex): Challenger {
  const who = recover(digest, sig) ?? ETHER
  return { who, side: who === ETHER ? undefined : sideOf(channel, who) }
}

/** Refuses WrongSigner unless both sides have signed, the sender's empty signature counting as its own. */
export function requireBoth(channel: Channel, digest: Hex, sigA: Hex, sigB: Hex, env: Env): void {
  requireSigned(digest, sigA, channel.a.signer, env)
  requireSigned(digest, sigB, channel.b.signer, env)
}

/** An empty signature says "the sender is the signer"; any other is verified. A zero signer never signs. */
function requireSigned(digest: Hex, signature: Hex, signer: Hex, env: Env): void {
  const have = signature === '0x' ? env.sender : (recover(digest, signature) ?? ETHER)
  require(have === signer && signer !== ETHER, 'WrongSigner', have, signer)
}

/** Refuses TooLate after the last second allowed. */
export function requireNotLate(env: Env, deadline: number): void {
  require(env.time <= deadline, 'TooLate', BigInt(env.time), BigInt(deadline))
}

/** A ruling that tells something and moves nothing. */
export function told(state: ChannelCourt, ...events: readonly ChannelEvent[]): Ruled {
  return { state, events, transfers: [] }
}

/** A ruling that pays. */
export function paid(court: ChannelCourt, payment: Payment, said: readonly ChannelEvent[] = []): Ruled {
  const { credits, events, transfers } = payment
  return { state: { ...court, credits }, events: [...said, ...events], transfers }
}

/** A ruling that pays each side's owner in an asset, A first. */
export function payBoth(
  court: ChannelCourt,
  channel: Channel,
  asset: Hex,
  env: Env,
  due: { readonly payA: bigint; readonly payB: bigint },
  said: ChannelEvent,
): Ruled {
  const owners = [
    [channel.a.owner, due.payA],
    [channel.b.owner, due.payB],
  ] as const
  return paid(court, pay(court.domain.court, court.credits, env, asset, owners), [said])
}

/** The same ruling, and after it the bond to the owner of a side: nothing if none was posted. */
export function withBond(ruled: Ruled, channel: Channel, env: Env, bond: Bond | undefined, lost: boolean): Ruled {
  if (!bond) return ruled
  const poster: Side = bond.byB ? 'b' : 'a'
  const to = channel[lost ? other(poster) : poster].owner
  const { state, events, transfers } = ruled
  const after = pay(state.domain.court, state.credits, env, ETHER, [[to, bond.amount]])
  return {
    state: { ...state, credits: after.credits },
    events: [...events, ...after.events],
    transfers: [...transfers, ...after.transfers],
  }
}

/** A ruling on a credit. */
export function claim(court: ChannelCourt, { asset, owner, to }: Call<'claimCredit'>, env: Env): Ruled {
  return paid(court, claimCredit(court.domain.court, court.credits, env, asset, owner, to))
}

/** A ruling on verdicts. */
export function judged(court: ChannelCourt, { verdicts, events }: Judgement): Ruled {
  return told({ ...court, verdicts }, ...events)
}
