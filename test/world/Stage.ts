import { join } from 'node:path'
import { ETHER, type Hex, isHex, uint } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import type { Plain, Row } from '../../src/core/base/Step.ts'
import type { ChannelEvent, SignedState } from '../../src/core/channel/Call.ts'
import { type Channel, channelId } from '../../src/core/channel/Channel.ts'
import { ANY_LOCK, type PeerEvent, type Policy } from '../../src/core/channel/PeerState.ts'
import { asMessage } from '../../src/core/channel/Wire.ts'
import { GAS_POLICY } from '../../src/edge/chain/Fees.ts'
import { markGenerations } from '../../src/edge/store/Generation.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import type { Weather } from '../../src/edge/transport/Memory.ts'
import { ChannelNode } from '../../src/role/ChannelNode.ts'
import { TowerClient } from '../../src/role/TowerClient.ts'
import { serveTower } from '../../src/role/TowerServer.ts'
import { Watchtower } from '../../src/role/Watchtower.ts'
import { type Dice, type Person, person, terms, type World, world } from '../world.ts'
import type { Script, Who } from './Act.ts'
import { type Body, body, type Disk, disk, type Rpc } from './Body.ts'
import { type Archive, archive, followLiar } from './Liar.ts'

type Run = () => void
type Lane = (run: Run) => void
type SimulatedChain = ReturnType<World['court']['connect']>

/** A lane that can be held up. */
type Gate = Lane & { hold(on: boolean): void }

/** Whoever runs a process here: it may die and come back with what its disk holds. */
export interface Host {
  readonly name: string
  readonly loop: Gate
  readonly chain: Gate
  disk: Disk
  body: Body
  /** Out of order until somebody starts it again. */
  isDown: boolean
  /** Never heard again: it has turned, and is owed nothing, or has been shut down. */
  isGone: boolean
}

/** One side of the channels. */
export interface Party extends Host {
  readonly who: Who
  readonly person: Person
  node: ChannelNode | undefined
  client: TowerClient | undefined
  backup: readonly Row[] | undefined
  /** Whether an older copy of its store was put back, and whether it knows. */
  isSetBack: boolean
  isRestored: boolean
  /** Every state of a channel that was complete here, in order. */
  readonly states: Map<Hex, SignedState[]>
}

/** What somebody was told. */
export interface Told {
  readonly who: Who
  readonly id: Hex
  readonly event: PeerEvent
}

/** A payment, or a lock, that somebody began. */
export interface Begun {
  readonly paymentId: Hex
  readonly who: Who
  readonly id: Hex
  readonly amount: bigint
  readonly isLock: boolean
  /** How it ended in the eyes of who asked: its process may have died before. */
  answer: 'done' | string | undefined
  /** Whether its receiver was promised that it is paid, here or on layer 1: it has shown the preimage. */
  isTaken: boolean
}

/** How a rule is broken on purpose, to see that it is noticed. */
export interface Broken {
  readonly store?: (store: Store) => Store
  /** Nobody says that a backup was put back. */
  readonly forgetsMarker?: boolean
  /** The tower takes everything and answers nothing. */
  readonly isTowerIdle?: boolean
  /** Whatever a node serves as logs is taken for the truth. */
  readonly believesNodes?: boolean
}

/** Everything of one history. */
export interface Stage extends World {
  readonly script: Script
  readonly parties: Readonly<Record<Who, Party>>
  readonly tower: Host & { role: Watchtower | undefined }
  readonly channels: readonly { readonly id: Hex; readonly channel: Channel }[]
  /** What all of them hold. */
  readonly asset: Hex
  /** What the nodes of layer 1 keep, where they lie. */
  readonly archive: Archive | undefined
  readonly told: Told[]
  readonly begun: Map<Hex, Begun>
  /** What each key has signed, by channel and version. */
  readonly signed: Map<string, Hex>
  readonly faults: string[]
  readonly folder: string
  readonly broken: Broken
  /** What may go wrong now: nothing, once the end has come. */
  readonly mood: { calm: boolean; spike: boolean }
  /** What the court has taken and paid by channel: what it should hold. */
  readonly held: Map<Hex, bigint>
  /** How often what has happened. */
  readonly seen: Map<string, number>
  violations: string[]
  /** How many nonces were drawn. */
  nonces: number
}

/** Money of everybody before anything happens. */
export const PURSE = 10_000n
/** What each side deposits at first. */
export const FUNDS = 1000n
/** Seconds between blocks. */
export const INTERVAL = 60
/** Seconds that layer 1 may take to hear of a preimage. */
export const INC = 1800

const TOKEN = uint(0x70c3, 20)
const CHOOSY: Policy = { minLock: 30n, maxLocks: 2, maxInFlight: 300n }
const NOBODY = uint(0xfff, 20)
const GWEI = 1_000_000_000n
const SECRETS = 0x5ec0n

/** The preimage behind a payment's lock. */
export function secretOf(paymentId: Hex): Hex {
  return uint(BigInt(paymentId) + SECRETS, 32)
}

/** The world of a script, with nobody in it yet. */
export function stage(script: Script, folder: string, broken: Broken): Stage {
  const { seed, setting } = script
  const mood = { calm: true, spike: false }
  const baseFee = () => (mood.spike ? 500n : 10n) * GWEI
  const made = [person(1), person(2)].sort((p, q) => (p.signer < q.signer ? -1 : 1))
  const [first, second] = setting.xWrites ? made : made.reverse()
  const refuses = (_asset: Hex, to: Hex) => setting.refuses && to === first!.owner
  const w = world(seed, storm(setting.rough, mood), { interval: INTERVAL, gas: GAS_POLICY, baseFee, refuses })
  const asset = setting.token ? TOKEN : ETHER
  for (const { owner } of made) w.l1.money.mint(asset, owner, PURSE)
  const parties = { x: party(w, 'x', first!), y: party(w, 'y', second!) }
  const sides = w.dice.chance(2) ? ([first!, second!] as const) : ([second!, first!] as const)
  const court = domain(w.l1.chainId, w.court.address)
  const channels = Array.from({ length: setting.channels }, (_, i) => {
    const channel = terms(...sides, { asset, salt: uint(i + 1, 32) })
    return { id: channelId(court, channel), channel }
  })
  const tower = { ...host(w, 'tower'), role: undefined }
  const held = new Map<Hex, bigint>()
  const log = { told: [], begun: new Map(), signed: new Map(), faults: [], violations: [], seen: new Map() }
  const nodes = setting.lying || broken.believesNodes ? archive(w.court.connect(NOBODY, (run) => run())) : undefined
  const money = { asset, held, channels, archive: nodes }
  const on: Stage = { ...w, script, parties, tower, ...money, ...log, nonces: 0, folder, broken, mood }
  observe(on)
  if (setting.token) see(on, 'a token')
  if (setting.lying) see(on, 'a lying node')
  if (setting.hasty) see(on, 'a hasty beginning')
  return on
}

/** Wires that lose, double, delay, reorder and cut, unless it is calm. */
const storm =
  (rough: number, mood: Stage['mood']) =>
  (from: Dice): Weather =>
  () => {
    if (mood.calm || rough === 0) return {}
    if (from.chance(4 * rough)) return { cut: true }
    if (from.chance(2 * rough)) return { copies: 0 }
    const copies = from.chance(rough) ? 2 : 1
    return { copies, delay: from.roll(4), overtakes: from.chance(rough) ? 1 : 0 }
  }

function gate(lane: Lane): Gate {
  const waiting: Run[] = []
  let holds = false
  const enter = (run: Run) => (holds ? void waiting.push(run) : lane(run))
  function hold(on: boolean): void {
    holds = on
    if (!on) for (const run of waiting.splice(0)) lane(run)
  }
  return Object.assign(enter, { hold })
}

function host(w: World, name: string): Host {
  const dead = body()
  dead.kill()
  const lanes = { loop: gate(w.scheduler.lane()), chain: gate(w.scheduler.lane()) }
  return { name, ...lanes, disk: disk(), body: dead, isDown: false, isGone: false }
}

function party(w: World, who: Who, one: Person): Party {
  const parts = {
    node: undefined,
    client: undefined,
    backup: undefined,
    isSetBack: false,
    isRestored: false,
    isGone: false,
  }
  return { ...host(w, who), who, person: one, ...parts, states: new Map() }
}

/** Adds up what comes and goes, block by block, reorgs included. */
function observe(on: Stage): void {
  const withdrawn = new Map<Hex, bigint[]>()
  const add = (id: Hex, amount: bigint) => on.held.set(id, (on.held.get(id) ?? 0n) + amount)
  function move(event: ChannelEvent, by: 1n | -1n): void {
    if (event.name === 'Deposited') add(event.id, by * event.amount)
    else if (event.name === 'Settled' || event.name === 'Concluded') add(event.id, by * (-event.payA - event.payB))
    else if (event.name === 'Withdrawn') {
      const totals = withdrawn.get(event.id) ?? [0n]
      withdrawn.set(event.id, totals)
      if (by > 0n) totals.push(event.withdrawnA + event.withdrawnB)
      add(event.id, by * (totals.at(-2)! - totals.at(-1)!))
      if (by < 0n) totals.pop()
    }
  }
  on.court
    .connect(NOBODY, (run) => run())
    .follow(0, ({ kind, block }) => {
      if (kind === 'retract') see(on, 'retracted block')
      for (const { name } of block.events) see(on, kind === 'block' ? name : `retracted ${name}`)
      const events = kind === 'block' ? block.events : [...block.events].reverse()
      for (const event of events) move(event, kind === 'block' ? 1n : -1n)
    })
}

/** Counts one of what has happened. */
export function see(on: Stage, what: string): void {
  on.seen.set(what, (on.seen.get(what) ?? 0) + 1)
}

/** A new life of somebody here, counted. */
function born(on: Stage): Body {
  see(on, 'start')
  return body(({ point, when, how }) => see(on, `${how} ${when} a ${point}`))
}

function rpc(on: Stage): Rpc {
  const { dice, mood } = on
  return {
    fate: () => (mood.calm || !dice.chance(8) ? 'good' : dice.chance(2) ? 'unsent' : 'unheard'),
    behind: () => (mood.calm ? 0 : dice.roll(4)),
    fails: () => lies(on, 10),
  }
}

/** Whether a node lies now, once in so many answers, where they do at all. */
function lies({ archive: nodes, mood, dice }: Stage, odds: number): boolean {
  return nodes !== undefined && !mood.calm && dice.chance(odds)
}

/** Layer 1 as somebody here sees it: by a node that lies, or as it is. */
function chainOf(on: Stage, owner: Hex, lane: Lane): SimulatedChain {
  const raw = on.court.connect(owner, lane)
  if (!on.archive) return raw
  const { dice, scheduler } = on
  const isBelieved = on.broken.believesNodes ?? false
  const hearing = { dice, lane, isBelieved, lies: (odds: number) => lies(on, odds), later: scheduler.later }
  return { ...raw, follow: followLiar(on.archive, { ...hearing, onFault: () => see(on, 'lie noticed') }) }
}

/** Notes what a side signs: of one version one content, and after a final state nothing. */
function listen(on: Stage, { who, isRestored }: Party, said: Plain): void {
  const { channel: id, ...rest } = said as { channel?: unknown }
  const message = asMessage(rest)
  if (!message || !isHex(id, 32)) return
  if (on.parties[who].body.hasFailed()) on.violations.push(`${who} says ${message.type} after its store has failed`)
  if (isRestored && message.type === 'request') on.violations.push(`${who} is an older copy and asks for something`)
  if (message.type === 'propose' || message.type === 'ack') note(on, `${who} ${id} ${message.version}`, message.hash)
  if (message.type === 'final') note(on, `${who} ${id} final`, uint(message.net + (1n << 128n), 32))
}

function note(on: Stage, key: string, content: Hex): void {
  const had = on.signed.get(key)
  if (had !== undefined && had !== content) on.violations.push(`signed twice: ${key}`)
  on.signed.set(key, content)
}

/** Starts a side with what its disk holds. */
export function start(on: Stage, one: Party, declared = false): void {
  one.body.kill()
  const life = born(on)
  one.body = life
  one.node = undefined
  one.isDown = false
  const transport = life.transport(on.transport, (message) => listen(on, one, message))
  const later = life.schedule(on.scheduler.later)
  const hooks = { schedule: life.schedule(one.loop), retry: later }
  const court = domain(on.l1.chainId, on.court.address)
  const client = new TowerClient({ transport, address: 'tower', court, login: { key: one.person.key }, ...hooks })
  one.client = client
  const { store, isRestored } = storeOf(on, one, life)
  const restored = declared || (isRestored && !on.broken.forgetsMarker)
  if (restored) one.isRestored = true
  if (restored && !one.isSetBack) on.violations.push(`${one.who} takes its own store for an older copy`)
  const { confirmations, patience, choosy } = on.script.setting
  const policy = choosy ? CHOOSY : ANY_LOCK
  ChannelNode.start({
    key: one.person.key,
    store,
    chain: life.chain(chainOf(on, one.person.owner, one.chain), rpc(on)),
    transport,
    confirmations,
    patience,
    margins: { inc: INC, fin: INTERVAL * (confirmations + 1), policy },
    restored,
    ...hooks,
    later,
    random: () => uint(++on.nonces, 32),
    onEvent: life.whileAlive((id: Hex, event: PeerEvent) => hear(on, one, id, event)),
    onComplete: life.whileAlive((channel: Channel, state: SignedState) => {
      keep(on, one, channel, state)
      client.show(channel, state)
    }),
    onPreimages: (channel, preimages) => client.preimages(channel, preimages),
    onFinal: (channel, final) => client.final(channel, final),
    onFault: life.whileAlive((why: unknown) => void on.faults.push(`${one.who}: ${codeOf(why)}`)),
  }).then(
    life.whileAlive((node: ChannelNode) => enter(on, one, node)),
    life.whileAlive((why: unknown) => {
      on.faults.push(`${one.who} does not start: ${codeOf(why)}`)
      life.kill()
    }),
  )
}

function enter(on: Stage, one: Party, node: ChannelNode): void {
  one.node = node
  node.listen(one.who).catch((why) => on.violations.push(`${one.who} cannot listen: ${codeOf(why)}`))
  giveTerms(on, one)
}

/** Gives a side all terms, again: it may have died before they were stored, or layer 1 may not have answered. */
export function giveTerms(on: Stage, { who, node }: Party): void {
  for (const { channel } of on.channels) node?.open(channel, who === 'x' ? 'y' : undefined).catch(() => undefined)
}

function storeOf(on: Stage, one: Party, life: Body): { readonly store: Store; readonly isRestored: boolean } {
  const inner = life.store((on.broken.store ?? ((store) => store))(one.disk.store))
  if (!on.script.setting.marked) return { store: inner, isRestored: false }
  // The disk outlives this life, its open files do not.
  const disk = { ...inner, close: () => undefined }
  const marked = markGenerations(disk, join(on.folder, `${on.script.seed}.${one.who}`))
  life.atEnd(() => marked.store.close())
  return marked
}

function keep(on: Stage, one: Party, channel: Channel, state: SignedState): void {
  const { id } = on.channels.find((known) => known.channel.salt === channel.salt)!
  const list = one.states.get(id) ?? []
  one.states.set(id, list)
  if (list.at(-1)?.version !== state.version) list.push(state)
}

function hear(on: Stage, { who }: Party, id: Hex, event: PeerEvent): void {
  see(on, event.name)
  on.told.push({ who, id, event })
}

/** The code of what went wrong, or its words. */
export function codeOf(why: unknown): string {
  return String((why as { code?: unknown })?.code ?? why)
}

/** Starts the tower with what its disk holds. */
export function startTower(on: Stage): void {
  const { tower } = on
  tower.body.kill()
  const life = born(on)
  tower.body = life
  tower.isDown = false
  tower.role = undefined
  const line: Rpc = on.broken.isTowerIdle ? { ...rpc(on), fate: () => 'unsent' } : rpc(on)
  const chain = life.chain(chainOf(on, person(3).owner, tower.chain), line)
  const { confirmations } = on.script.setting
  const schedule = life.schedule(tower.loop)
  const onFault = life.whileAlive((why: unknown) => void on.faults.push(`tower: ${codeOf(why)}`))
  Watchtower.start({ store: life.store(tower.disk.store), chain, confirmations, schedule, onFault }).then(
    life.whileAlive((role: Watchtower) => {
      tower.role = role
      const transport = life.transport(on.transport, () => undefined)
      const parts = { tower: role, transport, address: 'tower', keys: true, clock: () => 0, onFault }
      serveTower({ ...parts, later: life.schedule(on.scheduler.later) }).catch(onFault)
    }),
    life.whileAlive((why: unknown) => {
      on.faults.push(`tower does not start: ${codeOf(why)}`)
      life.kill()
    }),
  )
}
