import { FetchRequest, JsonRpcProvider, Network, type Provider } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'
import { Fault, reason } from '../Fault.ts'

/** An Ethereum node as ethers reaches it: over HTTP, or Hardhat's chain in process. */
export interface Node extends Provider {
  send(method: string, params: unknown[]): Promise<unknown>
}

/** A block's header as a node serves it. */
export interface Header {
  readonly number: number
  readonly hash: Hex
  readonly parent: Hex
  readonly time: number
  /** Filter of the addresses and topics in its logs (256 bytes). */
  readonly bloom: Hex
}

/**
 * The node at an HTTP address. Throws ChainUnreachable, or WrongNetwork if it is not on the chain `expected`; what it
 * throws names the host only, because the rest of an address is often a password.
 */
export async function httpNode(url: string, expected?: bigint): Promise<Node & { destroy(): void }> {
  const request = reachable(url)
  const name = new URL(url).origin
  const probe = new JsonRpcProvider(request, 1, { staticNetwork: true, batchMaxCount: 1 })
  try {
    const chainId = await chainIdOf(probe, name)
    checkNetwork(name, chainId, expected)
    const network = Network.from(chainId)
    // Answers kept for a while would hide reorgs; requests gathered for a while would slow every one.
    return new JsonRpcProvider(request, network, { staticNetwork: network, batchMaxCount: 1, cacheTimeout: -1 })
  } finally {
    probe.destroy()
  }
}

function reachable(url: string): FetchRequest {
  try {
    if (!/^https?:$/.test(new URL(url).protocol)) throw new TypeError('not http or https')
  } catch (why) {
    throw new Fault(
      'BadAddress',
      `"${url}" is no address of a chain (${reason(why)}); write it as in http://127.0.0.1:8545`,
    )
  }
  const request = new FetchRequest(url)
  request.timeout = 10_000
  return request
}

/** The chain id that a node reports. Throws ChainUnreachable. */
export async function chainIdOf(node: Node, name: string): Promise<bigint> {
  try {
    return BigInt((await node.send('eth_chainId', [])) as string)
  } catch (why) {
    throw unreachable(name, why)
  }
}

/** Throws WrongNetwork unless the chain id is the expected one. */
export function checkNetwork(name: string, have: bigint, expected: bigint | undefined): void {
  if (expected === undefined || have === expected) return
  throw new Fault(
    'WrongNetwork',
    `${name} is chain ${have} where ${expected} is needed; connect to a node of chain ${expected}`,
  )
}

/** The sentence for a node that does not answer. */
export function unreachable(name: string, why: unknown): Fault {
  return new Fault(
    'ChainUnreachable',
    `no chain answers at ${name} (${brief(why)}); start it or check its address`,
    why,
  )
}

/** What ethers reports can run over many lines; a person needs its beginning. */
function brief(why: unknown): string {
  const text = reason(why).split('\n')[0]!.split(' (')[0]!
  return text || ((why as { code?: string }).code ?? 'no reason given')
}

/** The block of a number or "latest"; undefined if the node does not have it. */
export async function header(node: Node, which: number | 'latest'): Promise<Header | undefined> {
  const tag = which === 'latest' ? which : quantity(which)
  const block = (await node.send('eth_getBlockByNumber', [tag, false])) as Record<string, Hex> | null
  if (!block) return undefined
  return {
    number: Number(block.number),
    hash: block.hash!,
    parent: block.parentHash!,
    time: Number(block.timestamp),
    bloom: block.logsBloom!,
  }
}

/** A number as JSON-RPC writes it. */
export function quantity(value: number | bigint): Hex {
  return `0x${value.toString(16)}`
}
