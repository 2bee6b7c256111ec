import type { Hex } from '../core/base/Bytes.ts'
import type { ChannelCall, ChannelEvent, SignedState } from '../core/channel/Call.ts'
import type { Channel } from '../core/channel/Channel.ts'
import type { SignedFinal } from '../core/channel/Docket.ts'
import type { PeerEvent, Seat } from '../core/channel/PeerState.ts'
import type { Chain } from '../edge/chain/Chain.ts'
import type { Store } from '../edge/store/Store.ts'
import type { LinksParts } from './Links.ts'

/** What a channel node is made of. */
export interface ChannelNodeParts extends Pick<LinksParts, 'transport' | 'retry' | 'random' | 'later' | 'onImpostor'> {
  /** The private key that signs states: never stored, never shown. */
  readonly key: Hex
  readonly store: Store
  readonly chain: Chain<ChannelCall, ChannelEvent>
  /** How deep a block must be to be final, its own included; 12 unless given. */
  readonly confirmations?: number
  /** Seconds after which an unanswered close becomes a challenge; an hour unless given. */
  readonly patience?: number
  /** How long layer 1 takes to hear of a preimage (`inc`) and to be final (`fin`), seconds; and which locks are taken. */
  readonly margins?: Partial<Pick<Seat, 'inc' | 'fin' | 'policy'>>
  /** The first block that can tell of a channel: the court's deployment; 0 unless given. */
  readonly since?: number
  /** The shortest challenge period taken, seconds; an hour unless given. */
  readonly minPeriod?: number
  /** The store is an older copy of itself: sign nothing new, end every channel. */
  readonly restored?: boolean
  /** Hears what happens, channel by channel. */
  readonly onEvent?: (id: Hex, event: PeerEvent) => void
  /** Takes every newest complete state: for watchtowers. After a start it takes those of all channels that have not ended. */
  readonly onComplete?: (channel: Channel, state: SignedState) => void
  /** Takes the known preimages of open locks that pay this side, once they are stored: for watchtowers. */
  readonly onPreimages?: (channel: Channel, preimages: readonly Hex[]) => void
  /** Takes every final state that both have signed: for watchtowers. */
  readonly onFinal?: (channel: Channel, final: SignedFinal) => void
  /** Hears what went wrong and was not the caller's: a transaction that failed, a store that broke. */
  readonly onFault?: (why: unknown) => void
  /** Told once if the node can no longer go on, because its store broke: end the process, and start it again. */
  readonly onFailure?: (why: unknown) => void
  /** Runs a function soon; setImmediate unless given. */
  readonly schedule?: (run: () => void) => void
}
