import { Interface } from 'ethers'
import { RootChain__factory } from '../../../typechain-types/index.ts'
import { ETHER, type Hex } from '../../core/base/Bytes.ts'
import { domain } from '../../core/base/Signature.ts'
import type { RevealCall } from '../../core/base/Verdicts.ts'
import type { PlasmaCall } from '../../core/plasma/Call.ts'
import type { Terms } from '../../core/plasma/Draft.ts'
import type { SeenEvent } from '../../core/plasma/Seen.ts'
import { callValue, leastGas } from '../../core/plasma/Sending.ts'
import { TOKEN } from './Allowance.ts'
import type { Registry } from './Chain.ts'
import { approvedFor, isErc721 } from './Erc721.ts'
import { GAS_POLICY } from './Fees.ts'
import { type Node, unreachable } from './Node.ts'
import { REGISTRY, revealedBefore, revealedBy, withEarlier } from './Reveals.ts'
import { type RpcChain, type RpcOptions, rpcChain } from './Rpc.ts'

/** What a client of the Plasma court needs: a node, a signer and the court's address, and what RpcOptions adds. */
export type PlasmaChainOptions = Omit<RpcOptions<PlasmaCall>, 'abi' | 'callValue' | 'leastGas' | 'pulls' | 'contract'>

/** The Plasma court on a real chain with its registry, and the terms that it was deployed with. */
export interface PlasmaChain extends RpcChain<PlasmaCall, SeenEvent>, Registry {
  readonly terms: Terms
}

// A deposit of a token fails by the token's own errors.
const errors = TOKEN.fragments.filter(({ type }) => type === 'error')
const abi = new Interface([...RootChain__factory.createInterface().fragments, ...errors])

interface ApproveCall {
  readonly verb: 'approve'
  readonly spender: Hex
  readonly value: bigint
}

/**
 * The Plasma court on a real chain; a start carries the bond for the newest base fee, a token is approved exactly as far
 * as its deposit needs. Throws ChainUnreachable, WrongNetwork or NotDeployed.
 */
export async function plasmaChain(options: PlasmaChainOptions): Promise<PlasmaChain> {
  const { provider: node, name = 'the chain' } = options
  let [terms, sender, verdicts]: [Terms?, Hex?, Hex?] = []
  const value = (call: PlasmaCall, baseFee: bigint) => callValue(terms!, call, baseFee, sender)
  // Its clients give no deadlines, and what they send rarely can wait for long.
  const gas = { maxFeePerGas: GAS_POLICY.urgentFeePerGas, ...options.gas }
  const uniques = new Map<Hex, boolean>()
  const parts = { ...options, gas, abi, callValue: value, leastGas, pulls: pullsBut(uniques), contract: 'root chain' }
  const beside = () => ({ at: verdicts!, eventOf: revealedBy })
  const chain = await rpcChain<PlasmaCall, SeenEvent>(parts, beside)
  sender = chain.sender
  ;[terms, verdicts] = await wordsOf(node, name, chain.chainId, chain.court)
  const other = { ...options, gas, callValue: () => 0n }
  const registry = await rpcChain<RevealCall, never>({ ...other, abi: REGISTRY, court: verdicts, contract: 'registry' })
  const told = withEarlier(chain, (before) => revealedBefore(node, verdicts!, before), options.retry)
  return {
    ...chain,
    follow: told.follow,
    terms,
    verdict: registry.verdict,
    reveal: (preimages, deadline) => registry.send({ verb: 'reveal', preimages }, deadline),
    async poll() {
      await chain.poll()
      await told.settled()
    },
    async send(call, ...how) {
      if (call.verb === 'deposit' && call.asset !== ETHER) {
        const { asset, value: id } = call
        if (!uniques.has(asset)) uniques.set(asset, await isErc721(node, asset))
        if (uniques.get(asset)) await allowId(asset, id)
      }
      return chain.send(call, ...how)
    },
  }

  /** Lets the court take one token of an ERC-721, if it may not already. */
  async function allowId(asset: Hex, id: bigint): Promise<void> {
    if ((await approvedFor(node, asset, id)) === chain.court) return
    const deed = await rpcChain<ApproveCall, never>({ ...other, abi: TOKEN, court: asset, contract: 'token' })
    await deed.send({ verb: 'approve', spender: chain.court, value: id })
  }
}

/** The token that the court pulls from the sender of a call, and how much; an ERC-721 is allowed by its id. */
function pullsBut(uniques: ReadonlyMap<Hex, boolean>) {
  return (call: PlasmaCall) => {
    const pulled = call.verb === 'deposit' && call.asset !== ETHER && !uniques.get(call.asset)
    return pulled ? { token: call.asset, amount: call.value } : undefined
  }
}

async function wordsOf(node: Node, name: string, chainId: bigint, court: Hex): Promise<[Terms, Hex]> {
  const read = async (field: 'mfp' | 'margin' | 'alarm' | 'bondTerms' | 'verdicts') => {
    const call = { to: court, data: abi.encodeFunctionData(field as 'mfp') }
    return abi.decodeFunctionResult(field as 'mfp', (await node.send('eth_call', [call, 'latest'])) as Hex).toArray()
  }
  try {
    const fields = [read('mfp'), read('margin'), read('alarm'), read('bondTerms'), read('verdicts')]
    const words = (await Promise.all(fields)).flat()
    const [mfp, margin, alarm] = words.slice(0, 3).map(Number) as [number, number, number]
    const [bondGas, feeFloor, feeCeiling] = words.slice(3, 6).map(BigInt) as [bigint, bigint, bigint]
    const terms = { court: domain(chainId, court), mfp, margin, alarm, bondGas, feeFloor, feeCeiling }
    return [terms, String(words[6]).toLowerCase() as Hex]
  } catch (why) {
    throw unreachable(name, why)
  }
}
