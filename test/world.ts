import { ETHER, type Hex, uint } from '../src/core/base/Bytes.ts'
import { addressOf, domain } from '../src/core/base/Signature.ts'
import { adjudicate } from '../src/core/channel/Adjudicator.ts'
import type { ChannelCall, ChannelEvent } from '../src/core/channel/Call.ts'
import type { Channel } from '../src/core/channel/Channel.ts'
import { callValue } from '../src/core/channel/Funding.ts'
import { type ChannelCourt, newCourt } from '../src/core/channel/Record.ts'
import {
  type SimulatedCourt,
  type SimulatedL1,
  type SimulatedOptions,
  simulatedL1,
} from '../src/edge/chain/SimulatedL1.ts'
import { memoryTransport, type Weather } from '../src/edge/transport/Memory.ts'
import type { Transport } from '../src/edge/transport/Transport.ts'

/** Draws numbers from a seed: the same seed, the same numbers. */
export interface Dice {
  /** A whole number from 0 up to `below`, exclusive. */
  roll(below: number): number
  /** True once in `odds` rolls. */
  chance(odds: number): boolean
}

/** Dice of a seed (mulberry32). */
export function dice(seed: number): Dice {
  let at = seed >>> 0
  const next = () => {
    at = (at + 0x6d2b79f5) >>> 0
    let t = Math.imul(at ^ (at >>> 15), at | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  const roll = (below: number) => next() % below
  return { roll, chance: (odds) => roll(odds) === 0 }
}

type Run = () => void

/** Runs what simulated edges and roles schedule, one thing at a time, in an order that only the seed decides. */
export interface Scheduler {
  /** A lane keeps its own order; what stands in different lanes is run in any. */
  lane(): (run: Run) => void
  /** For what is tried again after a while: run when nothing else is left, and only so often. */
  later(run: Run): void
  /** Runs until `done`, or until nothing is left to run; throws after `limit` runs. */
  run(done?: () => boolean, limit?: number): Promise<void>
}

/** How often something is tried again before a run counts as over. */
const PATIENCE = 20

/** A scheduler that draws the next lane from `from`. */
export function scheduler(from: Dice): Scheduler {
  const lanes: Run[][] = []
  const late: Run[] = []
  const next = () => {
    const ready = lanes.filter((lane) => lane.length > 0)
    return ready.length === 0 ? undefined : ready[from.roll(ready.length)]!.shift()
  }
  return {
    lane() {
      const lane: Run[] = []
      lanes.push(lane)
      return (run) => void lane.push(run)
    },
    later: (run) => void late.push(run),
    async run(done = () => false, limit = 1_000_000) {
      for (let count = 0, tries = 0; count < limit; count++) {
        await new Promise(setImmediate) // lets every promise that is settled be heard
        if (done()) return
        const run = next() ?? (tries++ < PATIENCE ? late.shift() : undefined)
        if (!run) return
        run()
      }
      throw new Error(`still busy after ${limit} runs`)
    },
  }
}

/** A simulated layer 1 with a channel court, a transport and a scheduler, all driven by one seed. */
export interface World {
  readonly dice: Dice
  readonly scheduler: Scheduler
  readonly l1: SimulatedL1
  readonly court: SimulatedCourt<ChannelCourt, ChannelCall, ChannelEvent>
  readonly transport: Transport
}

const COURT: Hex = `0x${'c0'.repeat(20)}`

/** A world of a seed; `weather` decides what becomes of messages, `options` how its layer 1 is. */
export function world(seed: number, weather?: (from: Dice) => Weather, options: SimulatedOptions = {}): World {
  const random = dice(seed)
  const order = scheduler(random)
  const l1 = simulatedL1({ ...options, schedule: order.lane() })
  const court = l1.deploy(COURT, adjudicate, newCourt(domain(l1.chainId, COURT)), callValue)
  return { dice: random, scheduler: order, l1, court, transport: memoryTransport(order.lane(), weather?.(random)) }
}

/** Somebody with a signing key and an account that owns what the channels pay. */
export interface Person {
  readonly key: Hex
  readonly signer: Hex
  readonly owner: Hex
}

/** The person of a number. */
export function person(number: number): Person {
  const key = uint(BigInt(number) + 0x1000n, 32)
  return { key, signer: addressOf(key), owner: uint(BigInt(number) + 0xa0000n, 20) }
}

/** Terms between two people: ether, no bond, one hour unless told otherwise. */
export function terms(a: Person, b: Person, change: Partial<Channel> = {}): Channel {
  const { owner, signer } = a
  const salt = uint(1, 32)
  const sides = { a: { owner, signer }, b: { owner: b.owner, signer: b.signer } }
  return { ...sides, asset: ETHER, challengePeriod: 3600, bond: 0n, salt, ...change }
}

/** Runs the world until a promise is settled. */
export async function finish<T>(w: World, promise: Promise<T>): Promise<T> {
  const settled = watched(promise)
  await w.scheduler.run(settled)
  if (!settled()) throw new Error('nothing is left to do, and the promise is not settled')
  return promise
}

/** Runs the world, a block after another, until a promise is settled. */
export async function mineUntil<T>(w: World, promise: Promise<T>, blocks = 2000): Promise<T> {
  const settled = watched(promise)
  for (let i = 0; i < blocks; i++) {
    await w.scheduler.run(settled)
    if (settled()) return promise
    w.l1.mine()
  }
  throw new Error(`the promise is not settled after ${blocks} blocks`)
}

function watched(promise: Promise<unknown>): () => boolean {
  let settled = false
  const settle = () => {
    settled = true
  }
  promise.then(settle, settle)
  return () => settled
}
