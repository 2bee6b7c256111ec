import type { Hex } from '../core/base/Bytes.ts'
import type { ChannelCall, ChannelEvent } from '../core/channel/Call.ts'
import { other } from '../core/channel/Channel.ts'
import type { PeerEvent } from '../core/channel/PeerState.ts'
import type { ChannelStatus } from '../core/channel/Status.ts'
import type { Chain } from '../edge/chain/Chain.ts'
import { type Family, Histogram, prometheus } from '../edge/http/Prometheus.ts'
import type { Store } from '../edge/store/Store.ts'
import type { ChannelNodeParts } from './ChannelNodeParts.ts'

type Direction = 'sent' | 'received'
type Place = Pick<ChannelStatus, 'side' | 'channel'>

/** Counts what a channel node does, by watching what it is made of. Who pays whom is not counted. */
export class NodeMeter {
  readonly #payments: Record<Direction | 'refused', number> = { sent: 0, received: 0, refused: 0 }
  readonly #locks: Record<Direction, Record<'fulfilled' | 'failed', number>> = {
    sent: { fulfilled: 0, failed: 0 },
    received: { fulfilled: 0, failed: 0 },
  }
  readonly #amounts: Record<Direction, Map<Hex, bigint>> = { sent: new Map(), received: new Map() }
  readonly #batches = new Histogram([1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
  readonly #commits = new Histogram([0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5])
  readonly #fresh = new Map<Hex, number>()
  #disputes = 0
  #impostors = 0
  #faults = 0
  #sending = 0
  #sent = 0
  #failed = 0
  #block = { number: 0, time: 0 }

  /** The same parts, watched. */
  watch(parts: ChannelNodeParts, of: (id: Hex) => Place): ChannelNodeParts {
    const { store, chain, onEvent, onComplete, onFault, onImpostor } = parts
    return {
      ...parts,
      store: this.#watchStore(store),
      chain: this.#watchChain(chain),
      onEvent: (id, event) => {
        this.#hear(id, event, () => of(id))
        onEvent?.(id, event)
      },
      onComplete: (channel, state) => {
        for (const [id, count] of this.#fresh) this.#endBatch(id, count)
        onComplete?.(channel, state)
      },
      onImpostor: (...told) => {
        this.#impostors++
        onImpostor?.(...told)
      },
      onFault: (why) => {
        this.#faults++
        onFault?.(why)
      },
    }
  }

  /** What was counted since the process began, and what is now, as Prometheus reads it. */
  text(channels: readonly ChannelStatus[], head: number): string {
    return prometheus([
      ...[...this.#ofPayments(), this.#ofLocks(), ...this.#ofChain(head)],
      ...[...ofChannels(channels), ...ofLocks(channels), ...ofProcess()],
    ])
  }

  #watchStore(store: Store): Store {
    return {
      get: (table, key) => store.get(table, key),
      all: (table, range) => store.all(table, range),
      commit: (rows) => {
        const began = performance.now()
        store.commit(rows)
        this.#commits.observe((performance.now() - began) / 1000)
      },
      close: () => store.close(),
    }
  }

  #watchChain(chain: Chain<ChannelCall, ChannelEvent>): Chain<ChannelCall, ChannelEvent> {
    const { chainId, court, sender } = chain
    return {
      ...{ chainId, court, sender },
      head: () => chain.head(),
      verdict: (condition, key, at) => chain.verdict(condition, key, at),
      follow: (from, sink) =>
        chain.follow(from, (input) => {
          const { number, parent: _parent, time } = input.block
          this.#block = input.kind === 'block' ? { number, time } : { number: number - 1, time: this.#block.time }
          sink(input)
        }),
      send: async (call, deadline, onSent) => {
        this.#sending++
        try {
          const receipt = await chain.send(call, deadline, onSent)
          this.#sent++
          return receipt
        } catch (why) {
          this.#failed++
          throw why
        } finally {
          this.#sending--
        }
      },
    }
  }

  #hear(id: Hex, event: PeerEvent, of: () => Place): void {
    if (event.name === 'disputed') this.#disputes++
    else if (event.name === 'refused') this.#payments.refused++
    else if (event.name === 'fulfilled' || event.name === 'failed') {
      this.#locks[event.lock.toB === (of().side === 'a') ? 'sent' : 'received'][event.name]++
    } else if (event.name === 'paid' || event.name === 'received') {
      const direction = event.name === 'paid' ? 'sent' : 'received'
      const [totals, asset] = [this.#amounts[direction], of().channel.asset]
      this.#payments[direction]++
      totals.set(asset, (totals.get(asset) ?? 0n) + event.pay.amount)
      this.#countFresh(id, event.index)
    }
  }

  /** Payments are told in the order of their places, so a place 0 begins another version. */
  #countFresh(id: Hex, index: number): void {
    const count = this.#fresh.get(id)
    if (count !== undefined && index === 0) this.#endBatch(id, count)
    this.#fresh.set(id, index + 1)
  }

  #endBatch(id: Hex, count: number): void {
    this.#batches.observe(count)
    this.#fresh.delete(id)
  }

  #ofPayments(): readonly Family[] {
    const amounts = (['sent', 'received'] as const).flatMap((direction) =>
      [...this.#amounts[direction]].map(([asset, value]) => ({ labels: { direction, asset }, value })),
    )
    const { sent, received, refused } = this.#payments
    return [
      {
        name: 'kerros_payments_total',
        help: 'Payments that have ended since the start.',
        type: 'counter',
        samples: Object.entries({ sent, received, refused }).map(([outcome, value]) => ({
          labels: { outcome },
          value,
        })),
      },
      {
        name: 'kerros_paid_total',
        help: 'Sum of the payments since the start, in smallest units of the asset.',
        type: 'counter',
        samples: amounts,
      },
      {
        name: 'kerros_batch_payments',
        help: 'Payments that one state carries.',
        type: 'histogram',
        samples: this.#batches.samples(),
      },
      {
        name: 'kerros_commit_seconds',
        help: 'Time that a durable commit takes.',
        type: 'histogram',
        samples: this.#commits.samples(),
      },
    ]
  }

  #ofLocks(): Family {
    const samples = (['sent', 'received'] as const).flatMap((direction) =>
      Object.entries(this.#locks[direction]).map(([outcome, value]) => ({ labels: { direction, outcome }, value })),
    )
    const help = 'Locks that have ended since the start: taken, or given up and expired.'
    return { name: 'kerros_locks_total', help, type: 'counter', samples }
  }

  #ofChain(head: number): readonly Family[] {
    return [
      gauge('kerros_chain_head', 'Number of the newest block of layer 1.', head),
      gauge('kerros_chain_lag_blocks', 'Blocks that the node has not looked at yet.', lag(head, this.#block.number)),
      gauge('kerros_chain_block_time_seconds', 'Time of the newest block that the node has seen.', this.#block.time),
      gauge('kerros_transactions_pending', 'Transactions that are on their way.', this.#sending),
      {
        name: 'kerros_transactions_total',
        help: 'Transactions that have ended since the start.',
        type: 'counter',
        samples: Object.entries({ mined: this.#sent, failed: this.#failed }).map(([outcome, value]) => {
          return { labels: { outcome }, value }
        }),
      },
      counter('kerros_impostors_total', "Calls at a peer's address that somebody else answered.", this.#impostors),
      counter('kerros_disputes_total', 'Channels that this side took to court since the start.', this.#disputes),
      counter('kerros_faults_total', 'Things that went wrong and nobody was asked for since the start.', this.#faults),
    ]
  }
}

/** What the open locks of all channels may take from each side of them, by asset, and how many there are. */
function ofLocks(channels: readonly ChannelStatus[]): readonly Family[] {
  const sums: Record<Direction, Map<Hex, bigint>> = { sent: new Map(), received: new Map() }
  let count = 0
  for (const { channel, side, locked, closed } of channels) {
    if (closed) continue
    count += locked.count
    for (const [direction, by] of [['sent', side] as const, ['received', other(side)] as const]) {
      sums[direction].set(channel.asset, (sums[direction].get(channel.asset) ?? 0n) + locked.owed[by])
    }
  }
  const samples = (['sent', 'received'] as const).flatMap((direction) =>
    [...sums[direction]].map(([asset, value]) => ({ labels: { direction, asset }, value })),
  )
  const help = 'What open locks may take, in smallest units of the asset.'
  return [
    gauge('kerros_locks_open', 'Locks that have not ended.', count),
    { name: 'kerros_locked', help, type: 'gauge', samples },
  ]
}

/** A node without channels follows nothing and is behind nobody. */
function lag(head: number, seen: number): number {
  return seen === 0 ? 0 : Math.max(0, head - seen)
}

function ofChannels(channels: readonly ChannelStatus[]): readonly Family[] {
  const phases = { new: 0, open: 0, ending: 0, closed: 0 }
  let connected = 0
  let pending = 0
  for (const one of channels) {
    phases[one.phase]++
    pending += one.pending
    if (one.connected) connected++
  }
  return [
    {
      name: 'kerros_channels',
      help: 'Channels by phase.',
      type: 'gauge',
      samples: Object.entries(phases).map(([phase, value]) => ({ labels: { phase }, value })),
    },
    gauge('kerros_channels_connected', 'Channels whose peer is connected.', connected),
    gauge('kerros_payments_pending', "This side's payments that have not ended.", pending),
  ]
}

function ofProcess(): readonly Family[] {
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return [
    gauge('process_resident_memory_bytes', 'Memory of the process.', rss),
    gauge('process_heap_bytes', 'Memory of its JavaScript objects.', heapUsed),
    counter('process_cpu_seconds_total', 'Processor time of the process.', (user + system) / 1e6),
    gauge('process_start_time_seconds', 'When the process began.', Math.round(Date.now() / 1000 - process.uptime())),
  ]
}

function gauge(name: string, help: string, value: number): Family {
  return { name, help, type: 'gauge', samples: [{ value }] }
}

function counter(name: string, help: string, value: number): Family {
  return { name, help, type: 'counter', samples: [{ value }] }
}
