import type { Hex } from '../../core/base/Bytes.ts'
import { Fault } from '../Fault.ts'
import type { Fees, Market } from './Fees.ts'
import { type Node, quantity } from './Node.ts'
import { isUnsupported } from './Pool.ts'

/** The newest block with what gas costs there. */
export interface Now {
  readonly number: number
  readonly hash: Hex
  readonly time: number
  readonly market: Market
}

/** A call as a node is asked what it would do. */
export interface Asked {
  readonly from: Hex
  readonly to: Hex | null
  readonly data: Hex
  readonly value: bigint
  readonly gasLimit?: bigint
  readonly fees: Fees
}

/** How many blocks the advised tip is taken from. */
const HISTORY = 5

/** The newest block, its base fee and the next one's, and the middle one of the tips that half of the gas has paid. */
export async function now(node: Node): Promise<Now> {
  const [block, history] = await Promise.all([
    node.send('eth_getBlockByNumber', ['latest', false]) as Promise<Record<string, Hex>>,
    historyOf(node),
  ])
  const base = BigInt(block.baseFeePerGas ?? 0)
  const next = BigInt(history?.baseFeePerGas.at(-1) ?? base + base / 8n)
  const tips = (history?.reward ?? []).map(([tip]) => BigInt(tip ?? 0)).sort((a, b) => (a < b ? -1 : 1))
  const market = { base, next, tip: tips[tips.length >> 1] ?? 0n }
  return { number: Number(block.number), hash: block.hash!, time: Number(block.timestamp), market }
}

interface History {
  readonly baseFeePerGas: readonly Hex[]
  readonly reward?: readonly (readonly Hex[])[]
}

async function historyOf(node: Node): Promise<History | undefined> {
  try {
    return (await node.send('eth_feeHistory', [quantity(HISTORY), 'latest', [50]])) as History
  } catch (why) {
    if (isUnsupported(why)) return undefined
    throw why
  }
}

/** A call as JSON-RPC writes it; its fees are part of it, because contracts may look at them. */
export function asked({ from, to, data, value, gasLimit, fees }: Asked) {
  const { maxFeePerGas, maxPriorityFeePerGas } = fees
  return {
    ...{ from, to, data, value: quantity(value) },
    ...{ maxFeePerGas: quantity(maxFeePerGas), maxPriorityFeePerGas: quantity(maxPriorityFeePerGas) },
    ...(gasLimit === undefined ? {} : { gas: quantity(gasLimit) }),
  }
}

/** Init code that returns the base fee which it sees. */
const BASE_FEE = '0x4860005260206000f3'

/** The base fee that a node shows to contracts where it is only asked what a call would do: zero in Hardhat's. */
export async function shownBaseFee(node: Node, from: Hex, fees: Fees, at: string): Promise<bigint> {
  const look = { from, to: null, data: BASE_FEE, value: 0n, fees, gasLimit: 100_000n } as const
  return BigInt((await node.send('eth_call', [asked(look), at])) as Hex)
}

/** A transaction may use no more (EIP-7825). */
const MOST_GAS = 16_777_216n

/** The gas that a call needs at a block. Throws what it reverts with. */
export async function estimateOf(node: Node, call: Asked, at: string): Promise<bigint> {
  return BigInt((await node.send('eth_estimateGas', [asked(call), at])) as Hex)
}

/** The gas to allow a call that needs `estimate`: a quarter more, and at least `least`. */
export function allowance(estimate: bigint, least: bigint): bigint {
  const ample = estimate + estimate / 4n + 20_000n
  const allowed = ample > least ? ample : least
  return allowed < MOST_GAS ? allowed : MOST_GAS
}

/** Wei of an account at the newest block. */
export async function balanceOf(node: Node, owner: Hex): Promise<bigint> {
  return BigInt((await node.send('eth_getBalance', [owner, 'latest'])) as Hex)
}

/** The sentence for an account that cannot pay for a transaction; no gas if that is not known. */
export function poor(
  owner: Hex,
  have: bigint,
  { value, gasLimit, fees }: Pick<Asked, 'value' | 'fees'> & { readonly gasLimit: bigint },
  why?: unknown,
): Fault {
  const need = value + gasLimit * fees.maxFeePerGas
  const what = gasLimit === 0n ? 'and its gas' : `${gasLimit} gas at ${fees.maxFeePerGas} wei included`
  return new Fault(
    'InsufficientFunds',
    `${owner} has ${have} wei and needs ${need} for this call, ${what}; send it ether first`,
    why,
  )
}
