import { Refusal } from '../../src/core/base/Step.ts'
import type { ChannelCall } from '../../src/core/channel/Call.ts'
import type { Side } from '../../src/core/channel/Channel.ts'
import { available } from '../../src/core/channel/Peer.ts'
import { CHANNEL, type Duel, type Fighter } from './duel.ts'

/** Seconds for which a withdrawal is good unless told. */
export const HOUR = 3600

/** A side asks to take money out; the code of its refusal, if it is refused. */
export function take(duel: Duel, side: Side, amount: bigint, seconds = HOUR): string | undefined {
  try {
    duel.side(side).take({ kind: 'withdraw', amount, seconds })
    return undefined
  } catch (why) {
    if (why instanceof Refusal) return why.code
    throw why
  }
}

/** What a side can pay now. */
export function left({ seat, state }: Fighter): bigint {
  return available(seat, state)
}

/** What became of a side's withdrawals, as its user was told. */
export function ends({ told }: Fighter): readonly string[] {
  return told.flatMap((event) =>
    event.name === 'withdrawn' ? ['withdrawn'] : event.name === 'unwithdrawn' ? [event.code] : [],
  )
}

/** The call that a side keeps back. */
export function keepBack({ calls }: Fighter): { readonly sender: `0x${string}`; readonly call: ChannelCall } {
  const [call] = calls.splice(0).filter(({ verb }) => verb === 'withdraw')
  return { sender: CHANNEL.a.owner, call: call! }
}
