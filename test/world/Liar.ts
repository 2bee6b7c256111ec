import { keccak256 } from 'ethers'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import type { L1Block } from '../../src/core/base/Step.ts'
import type { ChannelEvent } from '../../src/core/channel/Call.ts'
import { eventOf } from '../../src/edge/chain/Abi.ts'
import type { Chain } from '../../src/edge/chain/Chain.ts'
import { type Follower, follow } from '../../src/edge/chain/Follow.ts'
import { type Node, quantity } from '../../src/edge/chain/Node.ts'
import { Adjudicator__factory } from '../../typechain-types/index.ts'
import type { Dice } from '../world.ts'

const abi = Adjudicator__factory.createInterface()

interface Log {
  readonly address: Hex
  readonly blockHash: Hex
  readonly logIndex: Hex
  readonly topics: readonly string[]
  readonly data: string
}

/** A block as a node keeps it. */
interface Kept {
  readonly header: Readonly<Record<string, Hex>>
  readonly logs: readonly Log[]
}

/** The newest blocks of a simulated layer 1, as every node of it has them. */
export interface Archive {
  readonly court: Hex
  readonly blocks: readonly Kept[]
  /** Runs `run` at each change until the function that comes back is called. */
  onChange(run: () => void): () => void
}

/** Writes down what a court's blocks hold, reorgs included. */
export function archive({ court, follow: tell }: Chain<never, ChannelEvent>): Archive {
  const blocks: Kept[] = []
  const hearers = new Set<() => void>()
  tell(0, ({ kind, block }) => {
    if (kind === 'retract') blocks.pop()
    else blocks.push(kept(court, block))
    for (const hear of hearers) hear()
  })
  return {
    court,
    blocks,
    onChange(run) {
      hearers.add(run)
      return () => hearers.delete(run)
    },
  }
}

function kept(court: Hex, { number, hash, parent, time, events }: L1Block<ChannelEvent>): Kept {
  const logs = events.map((event, i): Log => {
    const { inputs } = abi.getEvent(event.name as 'Settled')
    const values = inputs.map(({ name }) => event[name as keyof ChannelEvent])
    const { topics, data } = abi.encodeEventLog(event.name as 'Settled', values as never)
    return { address: court, blockHash: hash, logIndex: quantity(i), topics, data }
  })
  // A transaction of somebody else is in every block: an empty filter would say that this chain fills in none.
  const named = [court, ...logs.flatMap(({ topics }) => topics)]
  const logsBloom = uint(logs.length === 0 ? 1n : named.reduce((all, one) => all | bits(one), 0n), 256)
  const header = { number: quantity(number), hash, parentHash: parent, timestamp: quantity(time), logsBloom }
  return { header, logs }
}

/** The three bits that some bytes set in a header's filter. */
function bits(of: string): bigint {
  const hash = Buffer.from(keccak256(of).slice(2), 'hex')
  return [0, 2, 4].reduce((all, at) => all | (1n << BigInt(hash.readUInt16BE(at) & 2047)), 0n)
}

const SILENT = new Error('no answer')

/**
 * A node's answers, of which some are lies while it is not calm: an older head, no block, another one or one that links to
 * nothing, logs
 * left out, repeated, out of order, changed, or of another block. It never tells the same false content twice, once as
 * logs and once as receipts: what all of its answers agree on is the chain for who knows no other.
 */
function answers({ court, blocks }: Archive, { dice: { roll, chance }, lies, isBelieved }: Hearing): Node['send'] {
  const at = (number: number) => blocks[number]
  const head = () => at(blocks.length - 1 - (lies(8) ? roll(4) : 0)) ?? null

  function block(tag: unknown): Kept['header'] | null {
    const right = (tag === 'latest' ? head() : at(Number(tag)))?.header ?? null
    if (!lies(12)) return right
    const odd = uint(roll(1 << 30), 32)
    const bends: readonly (() => Kept['header'] | null)[] = [
      () => null,
      () => at(Math.max(0, Number(right?.number ?? 0) - 1 + roll(3)))?.header ?? null,
      () => right && { ...right, hash: odd },
      () => right && { ...right, parentHash: odd },
    ]
    return bends[roll(bends.length)]!()
  }

  function bent(logs: readonly Log[]): readonly Log[] {
    const other = at(roll(blocks.length))?.logs ?? []
    const [first] = other
    const bends: readonly (() => readonly Log[])[] = [
      () => [],
      () => logs.slice(1),
      () => logs.slice(0, -1),
      () => [...logs, ...logs].reverse(),
      () => other,
      () => (first && logs[0] ? [...logs, { ...first, blockHash: logs[0].blockHash, logIndex: '0x63' }] : logs),
    ]
    return bends[roll(bends.length)]!()
  }

  /** Other amounts, or another version, than the block has. */
  function changed({ data, ...log }: Log): Log {
    const end = 2 + 64 * (1 + roll(Math.max(1, (data.length - 2) / 64)))
    return { ...log, data: `${data.slice(0, end - 2)}07${data.slice(end)}` }
  }

  return async (method, params) => {
    if (lies(30)) throw SILENT
    if (method === 'eth_getBlockByNumber') {
      const found = block(params[0])
      return found && { ...found, ...(isBelieved && { logsBloom: '0x0' }) }
    }
    if (method === 'eth_getLogs') {
      const [{ blockHash }] = params as [{ readonly blockHash: Hex }]
      const found = blocks.find(({ header }) => header.hash === blockHash)
      if (!found) throw new Error('unknown block')
      if (!lies(2)) return found.logs
      return chance(2) ? found.logs.map(changed) : bent(found.logs)
    }
    if (method !== 'eth_getBlockReceipts') throw new Error(`a node of ${court} has no ${method}`)
    const found = at(Number(params[0]))
    return found ? [{ logs: lies(4) ? bent(found.logs) : found.logs }] : null
  }
}

/** How a node is heard: in which lane news come, and when something that failed is tried again. */
interface Hearing {
  readonly dice: Dice
  /** Whether it lies now, as it does once in so many answers. */
  readonly lies: (odds: number) => boolean
  /** Whether no header has a filter, so that nothing can be checked. */
  readonly isBelieved: boolean
  readonly lane: (run: () => void) => void
  readonly later: (run: () => void) => void
  readonly onFault: (code: string) => void
}

/** The blocks of a court from number `from` on, as the program's own follower makes them out of what such a node says. */
export function followLiar(from: Archive, hearing: Hearing): Chain<never, ChannelEvent>['follow'] {
  const { lane, later, onFault } = hearing
  const node = { send: answers(from, hearing) } as Node
  const eventIn = (log: Parameters<typeof eventOf>[1]) => eventOf(abi, log) as ChannelEvent | undefined
  const parts = { node, name: 'the chain', court: from.court, eventOf: eventIn, depth: 64 }
  // It looks when it is told to, never by itself: time is the scheduler's.
  const patience = { interval: 1_000_000_000, retry: 10_000_000 }
  return (first, sink) => {
    let stopped = false
    let seen = ''
    const one: Follower = follow({ ...parts, ...patience, onFault: ({ code }) => onFault(code) }, first, (input) => {
      seen = input.kind === 'block' ? input.block.hash : input.block.parent
      sink(input)
    })
    const look = () => {
      if (stopped) return
      void one.poll().then(() => {
        if (!stopped && seen !== from.blocks.at(-1)?.header.hash) later(look)
      })
    }
    look()
    const leave = from.onChange(() => lane(look))
    return () => {
      stopped = true
      leave()
      one.stop()
    }
  }
}
