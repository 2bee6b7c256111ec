import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import type { L1Input } from '../../src/core/base/Step.ts'
import type { ChannelCall, ChannelEvent, SignedState } from '../../src/core/channel/Call.ts'
import { type Channel, channelId, emptyState, stateDigest } from '../../src/core/channel/Channel.ts'
import type { Chain } from '../../src/edge/chain/Chain.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'
import { Watchtower } from '../../src/role/Watchtower.ts'
import { CHANNEL, KEYS } from './seat.ts'

const WARDS = 10_000
const BLOCKS = 400
/** How many channels each block tells of. */
const EVENTS = 20
const COURT = domain(31337n, `0x${'c0'.repeat(20)}`)

/** A tower with 10,000 channels on a durable store: states taken a second, and milliseconds for a block that tells of 20 of them. */
export async function measure(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'kerros-bench-'))
  const store = openStore(join(folder, 'tower.db'), 'tower of the bench')
  try {
    const feed = chainByHand()
    const tower = await Watchtower.start({ store, chain: feed.chain })
    const channels = Array.from({ length: WARDS }, (_, i) => ({ ...CHANNEL, salt: uint(i, 32) }))
    const states = channels.map((channel) => signed(channel, 2n))
    const shown = await timed(() => Promise.all(channels.map((channel, i) => tower.watch(channel, states[i]!))))
    const blocks = await timed(async () => {
      for (let number = 1; number <= BLOCKS; number++) await feed.block(number, eventsOf(channels, number))
    })
    if (tower.size !== WARDS)
      throw new Error(`the tower holds ${tower.size} channels of ${WARDS}: the figure does not count`)
    tower.stop()
    const again = await timed(() => Watchtower.start({ store, chain: feed.chain }).then((one) => one.stop()))
    const rate = Math.round((1000 * WARDS) / shown)
    return { 'tower.show': rate, 'tower.wards.block': round(blocks / BLOCKS), 'tower.wards.start': round(again) }
  } finally {
    store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await run()
  return performance.now() - start
}

function signed(channel: Channel, version: bigint): SignedState {
  const digest = stateDigest(COURT, { ...emptyState(channelId(COURT, channel)), version })
  const [sigA, sigB] = KEYS.map((key) => sign(digest, key)) as [Hex, Hex]
  return { version, net: 0n, batch: ZERO, locks: '0x', sigA, sigB }
}

/** Checkpoints: events that concern a ward and leave nothing to be done. */
function eventsOf(channels: readonly Channel[], number: number): readonly ChannelEvent[] {
  return Array.from({ length: EVENTS }, (_, i) => {
    const id = channelId(COURT, channels[(EVENTS * number + i) % WARDS]!)
    return { name: 'Answered', id, version: 2n, net: 0n, locksRoot: ZERO, locks: '0x' }
  })
}

/** A chain that shows the blocks that it is given, and has taken one in once the next turn begins. */
function chainByHand() {
  let sink: (input: L1Input<ChannelEvent>) => void = () => undefined
  let head = 0
  const chain: Chain<ChannelCall, ChannelEvent> = {
    chainId: COURT.chainId,
    court: COURT.court,
    sender: CHANNEL.a.owner,
    verdict: async () => undefined,
    head: async () => head,
    follow(from, to) {
      sink = to
      for (let number = from; number <= head; number++) show(number, [])
      return () => undefined
    },
    send: () => Promise.reject(new Error('nothing is to be sent here')),
  }
  function show(number: number, events: readonly ChannelEvent[]): void {
    head = Math.max(head, number)
    const time = 1_800_000_000 + 12 * number
    sink({ kind: 'block', block: { number, hash: uint(number + 1, 32), parent: uint(number, 32), time, events } })
  }
  const block = async (number: number, events: readonly ChannelEvent[]) => {
    show(number, events)
    await new Promise(setImmediate)
  }
  return { chain, block }
}
