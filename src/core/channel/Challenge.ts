import { type Hex, ZERO } from '../base/Bytes.ts'
import { type Domain, sign } from '../base/Signature.ts'
import type { ChannelCall, SignedState } from './Call.ts'
import { type Channel, challengeDigest, type Side } from './Channel.ts'

/** Seconds for which a signed challenge may be sent by somebody else. */
const CHALLENGE_TIME = 86_400

/** "No state", as a challenge without one names it. */
export const NO_STATE: SignedState = { version: 0n, net: 0n, batch: ZERO, locks: '0x', sigA: '0x', sigB: '0x' }

/** Who may challenge: one side of a channel, the key behind its signer, and the address that sends the transactions. */
export interface Challenger {
  readonly court: Domain
  readonly channel: Channel
  readonly id: Hex
  readonly side: Side
  readonly key: Hex
  readonly sender: Hex
}

/** The call with which a side starts the clock at second `time`: signed, unless the side itself sends the transaction. */
export function challengeOf(who: Challenger, state: SignedState, time: number): ChannelCall {
  const { court, channel, id, side, key, sender } = who
  const { owner, signer } = channel[side]
  if (sender === owner || sender === signer) return { verb: 'challenge', channel, state }
  const deadline = time + CHALLENGE_TIME
  const sig = sign(challengeDigest(court, id, state.version, deadline), key)
  return { verb: 'challengeFor', channel, state, deadline, sig }
}
