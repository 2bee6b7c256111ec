// A small world at one moment: the court's model, layer 1's log, blocks; and how anybody asks the court for something.
import type { Hex } from '../../../src/core/base/Bytes.ts'
import type { Court, Env } from '../../../src/core/base/Court.ts'
import { Refusal } from '../../../src/core/base/Step.ts'
import type { PlasmaCall, PlasmaEvent } from '../../../src/core/plasma/Call.ts'
import { deployed, type PlasmaCourt, pair } from '../../../src/core/plasma/Draft.ts'
import { type Exit, exitableAtOf } from '../../../src/core/plasma/Exit.ts'
import { peek } from '../../../src/core/plasma/ExitQueue.ts'
import type { InFlightExit } from '../../../src/core/plasma/InFlightExit.ts'
import { rootChain } from '../../../src/core/plasma/RootChain.ts'
import { callValue } from '../../../src/core/plasma/Sending.ts'
import { ADDRESS, ALARM, COURT, MARGIN, MFP, OPERATORS, type Scene, type Sealed } from './cast.ts'

/** The model of the court: the real one, or one with a rule left out. */
export type Model = Court<PlasmaCourt, PlasmaCall, PlasmaEvent>

/** Why nobody may spend something. */
export type Freeze = 'leaving' | 'wanted' | 'paid' | 'in flight'

/** What people must do, each of which an experiment may leave out. */
export interface Manners {
  /** Blocks that spend what is frozen are invalid, but for one kind of it. */
  readonly unfrozen?: Freeze
}

/** A scene, and the rules under which it is played. */
export interface Game {
  readonly scene: Scene
  readonly model: Model
  readonly manners: Manners
}

/** The rules as they are. */
export const RULED: Pick<Game, 'model' | 'manners'> = { model: rootChain, manners: {} }

/** An event of layer 1 and its second. */
export interface Logged {
  readonly time: number
  readonly event: PlasmaEvent
}

/** Everything there is at one moment. */
export interface Realm {
  readonly court: PlasmaCourt
  readonly time: number
  /** When the honest last looked. */
  readonly looked: number
  readonly blocks: readonly Sealed[]
  readonly log: readonly Logged[]
  /** Transactions that honest people have signed. */
  readonly signed: ReadonlySet<string>
  /** Transactions that layer 1 has shown to everybody. */
  readonly shown: ReadonlySet<string>
  readonly revealed: ReadonlyMap<Hex, number>
  /** The lowest number at which the home chain went wrong, once the honest have acted on it. */
  readonly bad: number | undefined
  /** Whether the honest leave, whatever the chain is like. */
  readonly leaving: boolean
  /** What people got from the court, by `address/asset`. */
  readonly gains: ReadonlyMap<string, bigint>
  /** Wei that honest people have left for bonds. */
  readonly purses: ReadonlyMap<Hex, bigint>
}

const BEGIN = 1000
const BOND = { bondGas: 4n, feeFloor: 1n, feeCeiling: 100n }

/** The world before anything but its first deposits. */
export function begun(game: Game): Realm {
  const { scene } = game
  const { script } = scene
  const margin = script.margin ?? MARGIN
  const court = deployed({ court: COURT, mfp: MFP, margin, alarm: ALARM, ...BOND })
  const purses = new Map(script.purse ? [ADDRESS.alice, ADDRESS.bob].map((one) => [one, script.purse!] as const) : [])
  let realm: Realm = {
    ...{ court, time: BEGIN, looked: BEGIN, blocks: [], log: [], signed: new Set<string>(), shown: new Set<string>() },
    ...{ revealed: new Map(), bad: undefined, leaving: false, gains: new Map(), purses },
  }
  for (const name of ['C', 'D']) {
    const call = { verb: 'register', path: scene.paths[name]!, signatures: ['0x'] } as const
    realm = ask(game, realm, OPERATORS[name]!, call)!
  }
  if (scene.home === 'K' && script.late === undefined) realm = registerChild(game, realm)
  for (const [name, [, , , later]] of Object.entries(script.deposits)) {
    if (!later && realm.court.chains.has(scene.ids[scene.home]!)) realm = deposit(game, realm, name)!
  }
  return { ...realm, time: BEGIN + 1, looked: BEGIN + 1 }
}

/** The child joins the tree; its operator and its parent's are both on stage. */
export function registerChild(game: Game, realm: Realm): Realm {
  const { scene } = game
  const id = scene.ids.K!
  const since = realm.court.chains.get(scene.ids.C!)!.number
  const chains = new Map(realm.court.chains).set(id, { depth: 2, since, number: 0, time: 0, asOf: 0 })
  return { ...realm, court: { ...realm.court, chains } }
}

/** A deposit of the script is made by its owner. */
export function deposit(game: Game, realm: Realm, name: string): Realm | undefined {
  const { sender, ...terms } = game.scene.coins.get(coinNamed(game.scene, name))!.deposited!
  return ask(game, realm, sender, { verb: 'deposit', ...terms })
}

/** The id of a coin of the script. */
export function coinNamed(scene: Scene, name: string): Hex {
  for (const coin of scene.coins.values()) if (coin.name === name) return coin.id
  throw new Error(`no coin is called ${name}`)
}

/** Asks the court; undefined if it refuses, or if an honest sender cannot afford it. */
export function ask(game: Game, realm: Realm, sender: Hex, call: PlasmaCall, wei?: bigint): Realm | undefined {
  const value = wei ?? callValue(realm.court.terms, call, 0n, sender)
  const purse = realm.purses.get(sender)
  if (purse !== undefined && purse < value) return undefined
  const env: Env = {
    ...{ sender, value, time: realm.time, baseFee: 0n, refuses: () => false },
    natureOf: (asset) => (asset.startsWith('0xca') ? 'unique' : 'fungible'),
    revealedAt: (hash) => realm.revealed.get(hash) ?? 0,
  }
  try {
    const { state, events, transfers } = game.model(realm.court, call, env)
    const gains = new Map(realm.gains)
    for (const { asset, to, amount, id } of transfers) {
      if (to === COURT.court) continue
      const key = id === undefined ? `${to}/${asset}` : `${to}/${asset}/${id}`
      gains.set(key, (gains.get(key) ?? 0n) + amount)
    }
    const log = [...realm.log, ...events.map((event) => ({ time: realm.time, event }))]
    const purses = purse === undefined ? realm.purses : new Map(realm.purses).set(sender, purse - value)
    return { ...realm, court: state, log, gains, purses, shown: shownBy(game, realm, call) }
  } catch (why) {
    if (why instanceof Refusal) return undefined
    throw why
  }
}

/** What anybody gives to the court, everybody knows. */
function shownBy({ scene }: Game, { shown }: Realm, call: PlasmaCall): ReadonlySet<string> {
  const txs = [
    ...('spend' in call ? [call.spend.tx] : []),
    ...('transaction' in call ? [call.transaction] : []),
    ...('inFlight' in call && call.verb !== 'process' ? [call.inFlight.tx] : []),
  ]
  const names = [...scene.txs.values()].filter(({ signed }) => txs.includes(signed)).map(({ name }) => name)
  return names.every((name) => shown.has(name)) ? shown : new Set([...shown, ...names])
}

/** A standard exit that waits, with what its start told. */
export interface WaitingExit {
  readonly exit: Exit
  readonly lane: number
  readonly index: number
  readonly members: readonly { readonly id: Hex; readonly value: bigint }[]
}

/** The standard exits that wait, in the order of their starts. */
export function waitingExits({ log, court }: Realm): readonly WaitingExit[] {
  const found: WaitingExit[] = []
  log.forEach(({ event }, i) => {
    if (event.name !== 'ExitStarted') return
    const { exit, lane, index } = event
    const queue = court.queues.get(pair(exit.chain, exit.asset))!
    const words = lane === 0 ? queue.list.words : queue.buckets.get(lane)!.words
    if (words[index] === 0n) return
    const after = log[i + 1]?.event
    const members = after?.name === 'GroupStarted' ? after.members : [{ id: exit.ids, value: exit.value }]
    found.push({ exit, lane, index, members })
  })
  return found
}

/** A running in-flight exit. */
export interface RunningInFlight {
  readonly hash: Hex
  readonly inFlight: InFlightExit
  readonly lane: number
  readonly indices: readonly number[]
}

/** The in-flight exits that run, in the order of their starts. */
export function runningInFlight({ log, court }: Realm): readonly RunningInFlight[] {
  const last = new Map<Hex, RunningInFlight>()
  for (const { event } of log) {
    if (event.name !== 'InFlightStarted' || !court.inFlight.has(event.txHash)) continue
    const { txHash: hash, inFlight, lane, indices } = event
    last.set(hash, { hash, inFlight, lane, indices })
  }
  return [...last.values()]
}

/** The court processes a queue, with all data that it may want. */
export function processed(game: Game, realm: Realm, key: string, sender: Hex): Realm | undefined {
  const [chain, asset] = key.split('/') as [Hex, Hex]
  const waits = waitingExits(realm).filter(({ exit }) => exit.chain === chain && exit.asset === asset)
  const exits = waits.toSorted((a, b) => a.exit.exitableAt - b.exit.exitableAt || a.lane - b.lane || a.index - b.index)
  const running = runningInFlight(realm).toSorted(
    (a, b) => a.inFlight.exitableAt - b.inFlight.exitableAt || a.lane - b.lane || a.indices[0]! - b.indices[0]!,
  )
  return ask(game, realm, sender, {
    ...{ verb: 'process', chain, asset, exits: exits.map(({ exit }) => exit) },
    members: exits.flatMap(({ exit, members }) => (exit.count > 1 ? members : [])),
    inFlight: running.map(({ inFlight }) => inFlight),
  })
}

/** The queues in which something waits, with the second of each one's head (0 where it is void). */
export function heads({ court }: Realm): readonly (readonly [key: string, due: number])[] {
  return [...court.queues].flatMap(([key, queue]) => {
    const head = peek(queue)
    return head ? [[key, exitableAtOf(head.word)] as const] : []
  })
}
