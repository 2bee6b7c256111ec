import { Adjudicator__factory } from '../../../typechain-types/index.ts'
import type { Hex } from '../../core/base/Bytes.ts'
import type { ChannelEvent } from '../../core/channel/Call.ts'
import { Fault } from '../Fault.ts'
import { eventOf, type Log } from './Abi.ts'
import { type ChannelIndex, EMPTY_INDEX, indexed, type Told } from './ChannelIndex.ts'
import { header, type Node, quantity } from './Node.ts'

/** How far to read: from block to block, both included, and how many blocks to ask for at once (1,000). */
export interface Range {
  readonly from: number
  readonly to: number
  readonly span?: number
}

interface PlacedLog extends Log {
  readonly blockNumber: Hex
  readonly blockHash: Hex
  readonly logIndex: Hex
}

const ABI = Adjudicator__factory.createInterface()

/** The index of what a court has told in a range of blocks. Throws ReorgTooDeep if one of them was replaced meanwhile. */
export async function readIndex(
  node: Node,
  court: Hex,
  { from, to, span = 1000 }: Range,
  before: ChannelIndex = EMPTY_INDEX,
): Promise<ChannelIndex> {
  const told: Told[] = []
  for (let start = from; start <= to; start += span) {
    const [fromBlock, toBlock] = [quantity(start), quantity(Math.min(start + span - 1, to))]
    const logs = (await node.send('eth_getLogs', [{ address: court, fromBlock, toBlock }])) as readonly PlacedLog[]
    for (const block of byBlock(logs)) told.push(await blockOf(node, block))
  }
  return indexed(before, told)
}

function byBlock(logs: readonly PlacedLog[]): Iterable<readonly PlacedLog[]> {
  const place = ({ blockNumber, logIndex }: PlacedLog) => 2 ** 32 * Number(blockNumber) + Number(logIndex)
  const blocks = new Map<Hex, PlacedLog[]>()
  for (const log of [...logs].sort((x, y) => place(x) - place(y))) {
    const block = blocks.get(log.blockHash)
    if (block) block.push(log)
    else blocks.set(log.blockHash, [log])
  }
  return blocks.values()
}

async function blockOf(node: Node, logs: readonly PlacedLog[]): Promise<Told> {
  const { blockNumber, blockHash } = logs[0]!
  const number = Number(blockNumber)
  const block = await header(node, number)
  if (block?.hash !== blockHash)
    throw new Fault('ReorgTooDeep', `block ${number} was replaced while it was read; read up to a final block`)
  const events = logs.map((log) => eventOf(ABI, log)).filter((event) => event !== undefined)
  return { time: block.time, events: events as unknown as readonly ChannelEvent[] }
}
