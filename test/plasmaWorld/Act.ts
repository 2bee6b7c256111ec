import type { Fuse } from '../world/Body.ts'
import type { Dice } from '../world.ts'

/** The people who own something, by their wallets. */
export const PEOPLE = ['a', 'b', 'c'] as const
export type Who = (typeof PEOPLE)[number]
/** Everybody with a process here. */
export type Name = Who | 'operator' | 'watcher'

/** How an operator turns: what the first block is that it makes for a thief. */
export const TURNS = ['nowhere', 'robbery', 'twice', 'fees', 'garbled', 'censored', 'old', 'stop'] as const
export type Turn = (typeof TURNS)[number]

/** What a thief tries, who signs everything twice and starts whatever the court takes. */
export const CHEATS = ['pay', 'sign', 'exit', 'group', 'fly', 'piggyback', 'compete', 'respond', 'process'] as const
export type Cheat = (typeof CHEATS)[number]

/** One thing that somebody does, or that befalls the world. Numbers choose among what there is. */
export type Act =
  | { readonly act: 'run'; readonly steps: number }
  | { readonly act: 'mine'; readonly blocks: number; readonly steps: number }
  | { readonly act: 'deposit'; readonly who: Who; readonly amount: number }
  | { readonly act: 'pay'; readonly who: Who; readonly to: Who | 'thief'; readonly amount: number }
  | { readonly act: 'seal' }
  /** A block is made, and believed by whoever is there. */
  | { readonly act: 'round' }
  | { readonly act: 'leave'; readonly who: Who; readonly which: number }
  | { readonly act: 'fly'; readonly who: Who; readonly which: number }
  | { readonly act: 'cheat'; readonly how: Cheat; readonly pick: number; readonly other: number }
  | { readonly act: 'reorg'; readonly depth: number; readonly keeps: 'all' | 'none' | 'some' }
  /** A waiting transaction is forgotten. */
  | { readonly act: 'forget' }
  | ({ readonly act: 'fuse'; readonly who: Name } & Fuse)
  | { readonly act: 'down'; readonly who: Name }
  | { readonly act: 'up'; readonly who: Name }
  | { readonly act: 'lag'; readonly who: Name; readonly what: 'chain' | 'loop'; readonly on: boolean }
  /** The operator turns, for ever: what it makes is shown, or kept for itself and the thief. */
  | { readonly act: 'turn'; readonly how: Turn; readonly shown: boolean; readonly pick: number }
  /** The turned operator makes one more block of what people still want, and of what the thief wants. */
  | { readonly act: 'more'; readonly shown: boolean; readonly pick: number }

/** What holds for a whole history. */
export interface Setting {
  readonly confirmations: number
  /** Whether the chain holds a token, and not ether. */
  readonly token: boolean
  /** What a payment leaves to the operator. */
  readonly fee: number
  /** Numbers in which a payment may be included. */
  readonly life: number
  /** Of how many answers of an operator one is lost; 0: none. */
  readonly rough: number
  /** Whether one of the owners refuses what the court pays it: it gets credits. */
  readonly refuses: boolean
}

/** A history, whole: the same seed and script, the same history. */
export interface Script {
  readonly seed: number
  readonly setting: Setting
  readonly acts: readonly Act[]
}

type Roll = Dice['roll']

const one = <T>(roll: Roll, list: readonly T[]): T => list[roll(list.length)]!
const anybody = (roll: Roll): Name => one(roll, [...PEOPLE, 'operator', 'watcher'] as const)

function fuse(roll: Roll): Act {
  const point = one(roll, ['commit', 'commit', 'call'] as const)
  const how = point === 'commit' ? one(roll, ['crash', 'crash', 'fail'] as const) : 'crash'
  return { act: 'fuse', who: anybody(roll), point, after: roll(4), when: one(roll, ['before', 'after'] as const), how }
}

/** What may happen, and how often in so many acts. */
const KINDS: readonly (readonly [weight: number, make: (roll: Roll, setting: Setting) => Act])[] = [
  [
    14,
    (roll) => ({
      act: 'pay',
      who: one(roll, PEOPLE),
      to: roll(5) === 0 ? 'thief' : one(roll, PEOPLE),
      amount: 1 + roll(40),
    }),
  ],
  [5, (roll) => ({ act: 'deposit', who: one(roll, PEOPLE), amount: 1 + roll(60) })],
  [6, () => ({ act: 'seal' })],
  [12, () => ({ act: 'round' })],
  [16, (roll) => ({ act: 'mine', blocks: 1 + roll(6), steps: roll(80) })],
  [8, (roll) => ({ act: 'run', steps: 1 + roll(20) })],
  [12, (roll) => ({ act: 'cheat', how: one(roll, CHEATS), pick: roll(1000), other: roll(1000) })],
  [3, (roll) => ({ act: 'leave', who: one(roll, PEOPLE), which: roll(8) })],
  [3, (roll) => ({ act: 'fly', who: one(roll, PEOPLE), which: roll(8) })],
  [3, (roll, { confirmations }) => reorg(roll, confirmations)],
  [1, () => ({ act: 'forget' })],
  [7, fuse],
  [3, (roll) => ({ act: 'down', who: anybody(roll) })],
  [4, (roll) => ({ act: 'up', who: anybody(roll) })],
  [2, (roll) => ({ act: 'lag', who: anybody(roll), what: one(roll, ['chain', 'loop'] as const), on: roll(2) === 0 })],
]

function reorg(roll: Roll, confirmations: number): Act {
  return { act: 'reorg', depth: 1 + roll(confirmations), keeps: one(roll, ['all', 'none', 'some'] as const) }
}

const TOTAL = KINDS.reduce((sum, [weight]) => sum + weight, 0)

function draw(roll: Roll, setting: Setting): Act {
  let at = roll(TOTAL)
  const found = KINDS.find(([weight]) => {
    at -= weight
    return at < 0
  })!
  return found[1](roll, setting)
}

/** The history of a seed. In most the operator turns at some time. */
export function scriptOf(seed: number, { roll, chance }: Dice): Script {
  const setting: Setting = {
    confirmations: one(roll, [2, 3, 5]),
    token: chance(3),
    fee: one(roll, [0, 0, 1]),
    life: one(roll, [3, 20]),
    rough: one(roll, [0, 12, 4]),
    refuses: chance(6),
  }
  const acts = Array.from({ length: 12 + roll(36) }, () => draw(roll, setting))
  if (!chance(4)) {
    const at = roll(acts.length)
    const turned = Array.from({ length: 2 + roll(8) }, (): Act => {
      const more: Act = { act: 'more', shown: chance(2), pick: roll(1000) }
      return one(roll, [
        more,
        { act: 'cheat', how: one(roll, CHEATS), pick: roll(1000), other: roll(1000) },
        draw(roll, setting),
      ])
    })
    const turn: Act = { act: 'turn', how: one(roll, TURNS), shown: chance(2), pick: roll(1000) }
    acts.splice(at, acts.length, turn, ...turned)
  }
  return { seed, setting, acts }
}

/** A script as text that can be read, and played again from a file. */
export function print({ seed, setting, acts }: Script): string {
  const lines = acts.map((act) => `    ${JSON.stringify(act)}`).join(',\n')
  return `{\n  "seed": ${seed},\n  "setting": ${JSON.stringify(setting)},\n  "acts": [\n${lines}\n  ]\n}`
}
