import { Interface } from 'ethers'
import { Adjudicator__factory } from '../../../typechain-types/index.ts'
import { ETHER } from '../../core/base/Bytes.ts'
import type { ChannelCall, ChannelEvent } from '../../core/channel/Call.ts'
import { callValue } from '../../core/channel/Funding.ts'
import { TOKEN } from './Allowance.ts'
import type { Recorder } from './Chain.ts'
import { isFresh } from './Fresh.ts'
import { type RpcChain, type RpcOptions, rpcChain } from './Rpc.ts'

/** What a client of the channel court needs: a node, a signer and the court's address, and what RpcOptions adds. */
export type ChannelChainOptions = Omit<RpcOptions<ChannelCall>, 'abi' | 'callValue' | 'pulls' | 'contract'>

// A deposit of a token fails by the token's own errors.
const abi = new Interface([...Adjudicator__factory.createInterface().fragments, ...errorsOf(TOKEN)])

/**
 * The channel court on a real chain; what it pulls of a token from a sender is approved to it first, exactly as far as needed. Throws
 * ChainUnreachable, WrongNetwork or NotDeployed.
 */
export async function channelChain(
  options: ChannelChainOptions,
): Promise<RpcChain<ChannelCall, ChannelEvent> & Recorder> {
  const chain: RpcChain<ChannelCall, ChannelEvent> = await rpcChain({
    ...options,
    abi,
    callValue,
    pulls,
    contract: 'adjudicator',
  })
  const { provider: node, court, name = 'the chain' } = options
  return { ...chain, isFresh: (asset, id) => isFresh({ node, name, court }, asset, id) }
}

/** The token that the court pulls from the sender of a call, and how much: of `openBoth` the side that nobody has signed for. */
function pulls(call: ChannelCall) {
  if ((call.verb !== 'deposit' && call.verb !== 'openBoth') || call.asset === ETHER) return undefined
  if (call.verb === 'deposit') return { token: call.asset, amount: call.amount }
  return { token: call.asset, amount: call.payerIsB ? call.amountA : call.amountB }
}

function errorsOf(of: Interface) {
  return of.fragments.filter(({ type }) => type === 'error')
}
