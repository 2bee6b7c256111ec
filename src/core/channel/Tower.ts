import type { Hex } from '../base/Bytes.ts'
import { type Domain, isSignedBy } from '../base/Signature.ts'
import { type L1Input, type Plain, type Step, unreachable } from '../base/Step.ts'
import type { ChannelCall, ChannelEvent, SignedState } from './Call.ts'
import { type Channel, channelId, emptyState, isChannel, stateDigest } from './Channel.ts'
import { isSignedState } from './Message.ts'
import { type Court, type Watch, watch, watched } from './Watch.ts'

/** What a tower stands on: the court, how deep a block must be to be final, the first block that can tell of a channel. */
export interface Post {
  readonly court: Domain
  readonly confirmations: number
  readonly since: number
}

/** One channel in a tower's care: its terms, the newest state shown to the tower, and its view of the court. */
export interface Ward {
  readonly channel: Channel
  readonly state: SignedState
  readonly watch: Watch
}

/** What happens to a ward: a client shows a state, a block comes or goes. */
export type TowerInput =
  | { readonly kind: 'show'; readonly channel: Channel; readonly state: SignedState }
  | { readonly kind: 'chain'; readonly chain: L1Input<ChannelEvent> }

/** What a tower does: asks for the transaction that answers, or lets a closed channel go. */
export type TowerOutput = { readonly kind: 'call'; readonly call: ChannelCall } | { readonly kind: 'released' }

type Stepped = Step<Ward | undefined, TowerOutput>

/** A tower's machine for one channel. A state is taken iff both have signed it and it is strictly newer; else nothing changes. */
export function tower(post: Post, ward: Ward | undefined, input: TowerInput): Stepped {
  switch (input.kind) {
    case 'show':
      return shown(post, ward, input.channel, input.state)
    case 'chain':
      return ward ? seen(post, ward, input.chain) : { state: ward, rows: [], outputs: [] }
    default:
      return unreachable(input)
  }
}

/** Whether both have signed a state that the court would take: in its widths, no final one, no locks in it. */
export function isComplete(post: Post, channel: Channel, signed: SignedState): boolean {
  if (!isChannel(channel) || !isSignedState(signed)) return false
  const { version, net, batch, locks, sigA, sigB } = signed
  if (version === 0n || locks !== '0x') return false
  const state = { ...emptyState(channelId(post.court, channel)), version, net, batch }
  const digest = stateDigest(post.court, state)
  return isSignedBy(digest, sigA, channel.a.signer) && isSignedBy(digest, sigB, channel.b.signer)
}

function shown(post: Post, ward: Ward | undefined, channel: Channel, state: SignedState): Stepped {
  const isNewer = !ward || state.version > ward.state.version
  if (!isNewer || !isComplete(post, channel, state)) return { state: ward, rows: [], outputs: [] }
  const next = { channel, state, watch: ward?.watch ?? watch(post.since - 1) }
  const row = { table: 'ward', key: channelId(post.court, channel), value: { channel, state } as unknown as Plain }
  return { state: next, rows: [row], outputs: answers(next) }
}

function seen(post: Post, ward: Ward, input: L1Input<ChannelEvent>): Stepped {
  const id = channelId(post.court, ward.channel)
  const next = { ...ward, watch: watched(ward.watch, input, id, ward.channel, post.confirmations) }
  const { base, through, final } = next.watch
  if (final.closed) {
    const rows = ['ward', 'court'].map((table) => ({ table, key: id, value: undefined }))
    return { state: undefined, rows, outputs: [{ kind: 'released' }] }
  }
  const rows = through === ward.watch.through ? [] : [courtRow(id, base, through)]
  return { state: next, rows, outputs: answers(next) }
}

function courtRow(id: Hex, base: Court, through: number) {
  return { table: 'court', key: id, value: { base, through } as unknown as Plain }
}

/** While an older version stands in the court and its clock runs: the answer, asked for again at every block. */
function answers({ channel, state, watch: { newest, time } }: Ward): readonly TowerOutput[] {
  const { clock, closed } = newest
  if (closed || !clock || time > clock.deadline || clock.version >= state.version) return []
  return [{ kind: 'call', call: { verb: 'answer', channel, state } }]
}
