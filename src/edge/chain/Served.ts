import { type Hex, toBytes } from '../../core/base/Bytes.ts'
import { keccak } from '../../core/base/Signature.ts'
import type { Log } from './Abi.ts'
import { type Header, type Node, quantity } from './Node.ts'
import { isUnsupported } from './Pool.ts'

interface ServedLog extends Log {
  readonly address: string
  readonly blockHash: Hex
  readonly logIndex: Hex
}

/**
 * The logs of a court in a block, in their order. Throws if the node shows logs of another block or ones that the
 * header's filter rules out. Where the filter says that the court may have logs, the block's receipts must say the same
 * as what was served, word for word, and all of them together must make up the filter.
 */
export async function logsOf(node: Node, court: Hex, block: Header): Promise<readonly Log[]> {
  const logs = await asked(node, court, block)
  const filter = BigInt(block.bloom)
  // Some chains fill in no filter at all.
  if (filter === 0n) return logs
  if (logs.some((log) => !within(bloomOf(log), filter))) throw new Error(`logs that block ${block.number} cannot have`)
  if (!within(bits(court), filter)) return logs
  const found = await fromReceipts(node, court, block)
  if (textOf(found) !== textOf(logs)) throw new Error(`other logs of block ${block.number} than its receipts have`)
  return logs
}

async function asked(node: Node, court: Hex, { hash, number }: Header): Promise<readonly ServedLog[]> {
  const logs = (await node.send('eth_getLogs', [{ address: court, blockHash: hash }])) as readonly ServedLog[]
  return ordered(logs, court, { hash, number })
}

/** The logs of a court in the order of their places, each once. */
function ordered(
  logs: readonly ServedLog[],
  court: Hex,
  { hash, number }: Pick<Header, 'hash' | 'number'>,
): readonly ServedLog[] {
  if (logs.some((log) => log.blockHash !== hash)) throw new Error(`logs of another block than ${number}`)
  const own = logs.filter(({ address }) => address.toLowerCase() === court)
  const byPlace = new Map(own.map((log) => [Number(log.logIndex), log]))
  return [...byPlace].sort(([a], [b]) => a - b).map(([, log]) => log)
}

interface WithLogs {
  readonly logs: readonly ServedLog[]
}

/** The logs of a court by the receipts of a block. */
async function fromReceipts(node: Node, court: Hex, block: Header): Promise<readonly ServedLog[]> {
  const logs = (await receiptsOf(node, block)).flatMap((one) => one.logs)
  const filter = logs.reduce((all, log) => all | bloomOf(log), 0n)
  if (filter !== BigInt(block.bloom)) throw new Error(`not the receipts of block ${block.number}`)
  return ordered(logs, court, block)
}

/** The receipts of a block, one by one where the node does not serve them together. */
async function receiptsOf(node: Node, { number, hash }: Header): Promise<readonly WithLogs[]> {
  try {
    return ((await node.send('eth_getBlockReceipts', [quantity(number)])) as readonly WithLogs[] | null) ?? []
  } catch (why) {
    if (!isUnsupported(why)) throw why
  }
  const block = (await node.send('eth_getBlockByHash', [hash, false])) as {
    readonly transactions: readonly Hex[]
  } | null
  const asked = (block?.transactions ?? []).map((one) => node.send('eth_getTransactionReceipt', [one]))
  return ((await Promise.all(asked)) as readonly (WithLogs | null)[]).filter((one) => one !== null)
}

function textOf(logs: readonly ServedLog[]): string {
  return JSON.stringify(logs.map(({ logIndex, topics, data }) => [Number(logIndex), topics, data])).toLowerCase()
}

function bloomOf({ address, topics }: ServedLog): bigint {
  return [address, ...topics].reduce((all, one) => all | bits(one.toLowerCase() as Hex), 0n)
}

/** The three bits of the yellow paper's filter that some bytes set. */
function bits(of: Hex): bigint {
  const hash = toBytes(keccak(of))
  return [0, 2, 4].reduce((all, at) => all | (1n << BigInt(((hash[at]! << 8) | hash[at + 1]!) & 2047)), 0n)
}

function within(some: bigint, all: bigint): boolean {
  return (some & all) === some
}
