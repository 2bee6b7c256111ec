import type { Hex } from '../core/base/Bytes.ts'
import { type Domain, domain } from '../core/base/Signature.ts'
import type { ChannelCall, ChannelEvent } from '../core/channel/Call.ts'
import { channelId } from '../core/channel/Channel.ts'
import type { Chain, Receipt } from '../edge/chain/Chain.ts'
import type { NodeEvent } from '../edge/http/NodeApi.ts'

type Sender = Pick<Chain<ChannelCall, ChannelEvent>, 'send'>

/** Sends a call about a channel, and tells of its transaction when it is sent, replaced and mined. */
export async function sendTold(
  chain: Sender,
  tell: (event: NodeEvent) => void,
  channel: Hex,
  call: ChannelCall,
  deadline?: number,
): Promise<Receipt> {
  const about = { channel, verb: call.verb }
  const receipt = await chain.send(call, deadline, (hash) => tell({ ...about, name: 'sent', hash }))
  tell({ ...about, name: 'mined', hash: receipt.hash, block: receipt.block })
  return receipt
}

/** The same chain; of every transaction about one channel it tells. */
export function herald(
  chain: Chain<ChannelCall, ChannelEvent>,
  tell: (event: NodeEvent) => void,
): Chain<ChannelCall, ChannelEvent> {
  const court = domain(chain.chainId, chain.court)
  return {
    ...chain,
    send(call, deadline) {
      const id = idOf(court, call)
      return id === undefined ? chain.send(call, deadline) : sendTold(chain, tell, id, call, deadline)
    },
  }
}

/** The one channel that a call is about; undefined if it is about several, or none. */
function idOf(court: Domain, call: ChannelCall): Hex | undefined {
  if ('channelId' in call) return call.channelId
  return 'channel' in call ? channelId(court, call.channel) : undefined
}
