import { RootChain__factory } from '../../../typechain-types/index.ts'
import type { Hex } from '../../core/base/Bytes.ts'
import { domain } from '../../core/base/Signature.ts'
import type { PlasmaCall } from '../../core/plasma/Call.ts'
import type { Terms } from '../../core/plasma/Draft.ts'
import type { SeenEvent } from '../../core/plasma/Seen.ts'
import { callValue, leastGas } from '../../core/plasma/Sending.ts'
import { GAS_POLICY } from './Fees.ts'
import { type Node, unreachable } from './Node.ts'
import { type RpcChain, type RpcOptions, rpcChain } from './Rpc.ts'

/** What a client of the Plasma court needs: a node, a signer and the court's address, and what RpcOptions adds. */
export type PlasmaChainOptions = Omit<RpcOptions<PlasmaCall>, 'abi' | 'callValue' | 'leastGas' | 'pulls' | 'contract'>

/** The Plasma court on a real chain, with the terms that it was deployed with. */
export interface PlasmaChain extends RpcChain<PlasmaCall, SeenEvent> {
  readonly terms: Terms
}

const abi = RootChain__factory.createInterface()

/**
 * The Plasma court on a real chain; a start carries the bond for the newest base fee. Throws ChainUnreachable,
 * WrongNetwork or NotDeployed.
 */
export async function plasmaChain(options: PlasmaChainOptions): Promise<PlasmaChain> {
  const { provider: node, name = 'the chain' } = options
  let terms: Terms | undefined
  let sender: Hex | undefined
  const value = (call: PlasmaCall, baseFee: bigint) => callValue(terms!, call, baseFee, sender)
  // Its clients give no deadlines, and what they send rarely can wait for long.
  const gas = { maxFeePerGas: GAS_POLICY.urgentFeePerGas, ...options.gas }
  const parts = { ...options, gas, abi, callValue: value, leastGas, contract: 'root chain' }
  const chain = await rpcChain<PlasmaCall, SeenEvent>(parts)
  sender = chain.sender
  terms = await termsOf(node, name, chain.chainId, chain.court)
  return { ...chain, terms }
}

async function termsOf(node: Node, name: string, chainId: bigint, court: Hex): Promise<Terms> {
  const read = async (field: 'mfp' | 'margin' | 'alarm' | 'bondTerms') => {
    const call = { to: court, data: abi.encodeFunctionData(field as 'mfp') }
    return abi.decodeFunctionResult(field as 'mfp', (await node.send('eth_call', [call, 'latest'])) as Hex).toArray()
  }
  try {
    const words = (await Promise.all([read('mfp'), read('margin'), read('alarm'), read('bondTerms')])).flat()
    const [mfp, margin, alarm] = words.slice(0, 3).map(Number) as [number, number, number]
    const [bondGas, feeFloor, feeCeiling] = words.slice(3).map(BigInt) as [bigint, bigint, bigint]
    return { court: domain(chainId, court), mfp, margin, alarm, bondGas, feeFloor, feeCeiling }
  } catch (why) {
    throw unreachable(name, why)
  }
}
