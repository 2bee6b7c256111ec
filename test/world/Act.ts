import type { Dice } from '../world.ts'
import type { Fuse } from './Body.ts'

/** The two sides of a history: x calls, y is called. */
export type Who = 'x' | 'y'

/** One thing that somebody does, or that befalls the world. */
export type Act =
  | { readonly act: 'run'; readonly steps: number }
  /** Some payments at once, of the amount and less. */
  | {
      readonly act: 'pay'
      readonly who: Who
      readonly channel: number
      readonly amount: number
      readonly count: number
    }
  /** A payment is asked for once more under its name. */
  | { readonly act: 'again'; readonly who: Who; readonly which: number }
  | {
      readonly act: 'lock'
      readonly who: Who
      readonly channel: number
      readonly amount: number
      readonly life: number
    }
  | { readonly act: 'take' | 'giveUp'; readonly who: Who; readonly channel: number; readonly which: number }
  | {
      readonly act: 'withdraw'
      readonly who: Who
      readonly channel: number
      readonly amount: number
      readonly seconds: number
    }
  | { readonly act: 'deposit'; readonly who: Who; readonly channel: number; readonly amount: number }
  | { readonly act: 'close' | 'challenge'; readonly who: Who; readonly channel: number }
  | { readonly act: 'mine'; readonly blocks: number; readonly steps: number }
  | { readonly act: 'reorg'; readonly depth: number; readonly keeps: 'all' | 'none' | 'some' }
  | { readonly act: 'spike'; readonly on: boolean }
  /** A waiting transaction is forgotten. */
  | { readonly act: 'forget' }
  | { readonly act: 'cut'; readonly who: Who }
  | ({ readonly act: 'fuse'; readonly who: Who | 'tower' } & Fuse)
  | { readonly act: 'down' | 'up'; readonly who: Who | 'tower' }
  /** Layer 1 is seen late, or everything is done late: the disk is slow. */
  | { readonly act: 'lag'; readonly who: Who | 'tower'; readonly what: 'chain' | 'loop'; readonly on: boolean }
  | { readonly act: 'tick'; readonly who: Who; readonly ahead: number }
  | { readonly act: 'backup'; readonly who: Who }
  /** The backup is put back, and it is declared, or left to the marker. */
  | { readonly act: 'restore'; readonly who: Who; readonly declared: boolean }
  /** A side turns: it publishes an old state, and is heard no more. The other is awake, or asleep until it is over. */
  | {
      readonly act: 'theft'
      readonly who: Who
      readonly channel: number
      readonly old: number
      readonly asleep: boolean
    }

/** What holds for a whole history. */
export interface Setting {
  readonly channels: number
  /** Whether x has the key with the lower address, which writes. */
  readonly xWrites: boolean
  readonly confirmations: number
  readonly patience: number
  /** Of how many messages one is lost, doubled, overtaken or cuts its connection; 0: none. */
  readonly rough: number
  /** Whether stores have generation markers. */
  readonly marked: boolean
  /** Whether x's owner refuses what the court pays it: it gets credits. */
  readonly refuses: boolean
  /** Whether both take few and large locks only. */
  readonly choosy: boolean
  /** Whether the channels hold a token. */
  readonly token: boolean
  /** Whether every node of layer 1 lies now and then. */
  readonly lying: boolean
  /** Whether it all begins before the channels are open. */
  readonly hasty: boolean
}

/** A history, whole: the same seed and script, the same history. */
export interface Script {
  readonly seed: number
  readonly setting: Setting
  readonly acts: readonly Act[]
}

type Make = (roll: Dice['roll'], who: Who, channel: number, setting: Setting) => Act

const one = <T>(roll: Dice['roll'], list: readonly T[]): T => list[roll(list.length)]!

function fuse(roll: Dice['roll'], who: Who | 'tower'): Act {
  const point = one(roll, ['commit', 'commit', 'send', 'send', 'call'] as const)
  const how = point === 'commit' ? one(roll, ['crash', 'crash', 'fail'] as const) : 'crash'
  return { act: 'fuse', who, point, after: roll(6), when: one(roll, ['before', 'after'] as const), how }
}

/** What may happen, and how often in so many acts. */
const KINDS: readonly (readonly [weight: number, make: Make])[] = [
  [30, (roll, who, channel) => ({ act: 'pay', who, channel, amount: 1 + roll(300), count: roll(4) === 0 ? 8 : 1 })],
  [8, (roll, who) => ({ act: 'again', who, which: roll(8) })],
  [12, (roll, who, channel) => ({ act: 'lock', who, channel, amount: 1 + roll(200), life: 300 + 60 * roll(30) })],
  [22, (roll, who, channel) => ({ act: 'take', who, channel, which: roll(4) })],
  [4, (roll, who, channel) => ({ act: 'giveUp', who, channel, which: roll(4) })],
  [5, (roll, who, channel) => ({ act: 'withdraw', who, channel, amount: 1 + roll(400), seconds: 300 + roll(3000) })],
  [3, (roll, who, channel) => ({ act: 'deposit', who, channel, amount: 1 + roll(300) })],
  [1, (_roll, who, channel) => ({ act: 'close', who, channel })],
  [1, (_roll, who, channel) => ({ act: 'challenge', who, channel })],
  [22, (roll) => ({ act: 'run', steps: 1 + roll(25) })],
  [12, (roll) => ({ act: 'mine', blocks: 1 + roll(5), steps: roll(30) })],
  [4, (roll, _who, _channel, { confirmations }) => reorg(roll, confirmations)],
  [2, (roll) => ({ act: 'spike', on: roll(2) === 0 })],
  [2, () => ({ act: 'forget' })],
  [4, (_roll, who) => ({ act: 'cut', who })],
  [14, (roll, who) => fuse(roll, roll(6) === 0 ? 'tower' : who)],
  [4, (roll, who) => ({ act: 'down', who: roll(4) === 0 ? 'tower' : who })],
  [5, (roll, who) => ({ act: 'up', who: roll(4) === 0 ? 'tower' : who })],
  [3, (roll, who) => lag(roll, roll(4) === 0 ? 'tower' : who)],
  [2, (roll, who) => ({ act: 'tick', who, ahead: one(roll, [60, 900, 3600, 86_400]) })],
]

function lag(roll: Dice['roll'], who: Who | 'tower'): Act {
  return { act: 'lag', who, what: one(roll, ['chain', 'loop'] as const), on: roll(2) === 0 }
}

function reorg(roll: Dice['roll'], confirmations: number): Act {
  const depth = 1 + roll(Math.min(12, confirmations - 1))
  return { act: 'reorg', depth, keeps: one(roll, ['all', 'none', 'some'] as const) }
}

const TOTAL = KINDS.reduce((sum, [weight]) => sum + weight, 0)

function draw(roll: Dice['roll'], setting: Setting): Act {
  const at = roll(TOTAL)
  const found = KINDS.find((_kind, i) => at < KINDS.slice(0, i + 1).reduce((sum, [weight]) => sum + weight, 0))!
  return found[1](roll, one(roll, ['x', 'y'] as const), roll(setting.channels), setting)
}

/** The other side has just shown a preimage, or is about to, when a side turns. */
function lastLocks(roll: Dice['roll'], who: Who, channel: number): readonly Act[] {
  const victim = who === 'x' ? 'y' : 'x'
  return [
    { act: 'up', who: 'x' },
    { act: 'up', who: 'y' },
    { act: 'run', steps: 150 },
    { act: 'lock', who, channel, amount: 100 + roll(200), life: 1800 },
    { act: 'run', steps: 60 + roll(60) },
    { act: 'take', who: victim, channel, which: 0 },
    { act: 'run', steps: 1 + roll(4) },
    fuse(roll, victim),
    { act: 'run', steps: roll(12) },
  ]
}

/** The history of a seed. A backup is put back in some, and in some a side turns at the end. */
export function scriptOf(seed: number, { roll, chance }: Dice): Script {
  const setting: Setting = {
    channels: 1 + roll(2),
    xWrites: chance(2),
    confirmations: one(roll, [3, 6, 13]),
    patience: one(roll, [900, 3600]),
    rough: one(roll, [0, 40, 12]),
    marked: chance(2),
    refuses: chance(5),
    choosy: chance(4),
    token: chance(3),
    lying: chance(4),
    hasty: chance(4),
  }
  const acts = Array.from({ length: 15 + roll(45) }, () => draw(roll, setting))
  const who = one(roll, ['x', 'y'] as const)
  if (chance(5)) {
    const at = roll(acts.length)
    acts.splice(at, 0, { act: 'backup', who })
    acts.splice(at + 1 + roll(acts.length - at), 0, { act: 'restore', who, declared: !setting.marked })
  } else if (chance(3)) {
    const channel = roll(setting.channels)
    if (chance(2)) acts.push(...lastLocks(roll, who, channel))
    acts.push({ act: 'theft', who, channel, old: roll(8), asleep: chance(2) })
  }
  return { seed, setting, acts }
}

/** A script as text that can be read, and played again from a file. */
export function print({ seed, setting, acts }: Script): string {
  const lines = acts.map((act) => `    ${JSON.stringify(act)}`).join(',\n')
  return `{\n  "seed": ${seed},\n  "setting": ${JSON.stringify(setting)},\n  "acts": [\n${lines}\n  ]\n}`
}
