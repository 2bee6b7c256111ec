import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { network } from 'hardhat'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import type { Plain } from '../../src/core/base/Step.ts'
import type { Channel } from '../../src/core/channel/Channel.ts'
import { encode } from '../../src/edge/Codec.ts'
import { channelChain } from '../../src/edge/chain/ChannelChain.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { httpNode } from '../../src/edge/chain/Node.ts'
import { Adjudicator__factory } from '../../typechain-types/index.ts'
import type { Order, Place, Role } from './channel.child.ts'

const CHILD = new URL('./channel.child.ts', import.meta.url).pathname
/** A wait that takes longer than this many milliseconds is a failure: no figure, only the end of patience. */
const DEADLINE = 120_000

/** The owners of the two sides: accounts that have nothing and pay for nothing. */
export const OWNERS = [uint(0xa1, 20), uint(0xb2, 20)] as const
/** The terms of the channel under test. */
export const CHANNEL: Channel = {
  a: { owner: OWNERS[0], signer: localAccount(0).address },
  b: { owner: OWNERS[1], signer: localAccount(1).address },
  ...{ asset: ETHER, challengePeriod: 3600, bond: 0n, salt: uint(1, 32) },
}

/** A chain over JSON-RPC, a line between two processes and a folder, all gone when it ends. */
export interface Stage {
  readonly folder: string
  readonly rpc: string
  readonly court: Hex
  /** Where the second side is reached, in whatever process it is. */
  readonly address: string
  /** Says at which port that process takes calls. */
  direct(port: number): void
  /** The balance of an account, wei. */
  balance(of: Hex): Promise<bigint>
  /** What each side has deposited, wei. */
  deposits(): Promise<readonly [bigint, bigint]>
  /** Lets the period of every challenge pass as soon as it is made. */
  hurry(): Promise<void>
  /** Ends when the stage ends, before it. */
  atEnd(run: () => unknown): void
  end(): Promise<void>
}

/** A fresh stage, with the court on its chain. */
export async function stage(): Promise<Stage> {
  const ends: (() => unknown)[] = []
  const folder = mkdtempSync(join(tmpdir(), 'kerros-killed-'))
  // Also when this process ends in the middle of a test; the others end with it by themselves.
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  process.once('exit', remove)
  const end = async () => {
    for (const run of ends.splice(0).reverse()) await run()
    process.off('exit', remove)
    remove()
  }
  try {
    const line = await relay()
    ends.push(line.end)
    const chain = await ground(ends)
    return { folder, ...chain, address: line.address, direct: line.direct, atEnd: (run) => void ends.push(run), end }
  } catch (why) {
    await end()
    throw why
  }
}

async function ground(ends: (() => unknown)[]) {
  const server = await network.createServer('default', '127.0.0.1', 0)
  const { address, port } = await server.listen()
  ends.push(() => server.close())
  const rpc = `http://${address}:${port}`
  const provider = await httpNode(rpc, 31337n)
  ends.push(() => provider.destroy())
  const signer = await import('ethers').then(({ Wallet }) => new Wallet(localAccount(9).key, provider))
  const court = (await (await new Adjudicator__factory(signer).deploy()).getAddress()).toLowerCase() as Hex
  const balance = async (of: Hex) => BigInt((await provider.send('eth_getBalance', [of, 'latest'])) as string)
  const hurry = async () => {
    const chain = await channelChain({ provider, signer, court, interval: 20 })
    const pass = async () => {
      await provider.send('evm_increaseTime', [CHANNEL.challengePeriod + 1])
      await provider.send('evm_mine', [])
    }
    const leave = chain.follow(0, ({ kind, block }) => {
      if (kind === 'block' && block.events.some(({ name }) => name === 'Challenged')) void pass()
    })
    ends.push(leave)
  }
  const deposits = async () => {
    const contract = Adjudicator__factory.connect(court, provider)
    const logs = await contract.queryFilter(contract.filters.Deposited(), 0)
    const of = (side: boolean) => logs.reduce((sum, { args }) => (args.toB === side ? sum + args.amount : sum), 0n)
    return [of(false), of(true)] as const
  }
  return { rpc, court, balance, deposits, hurry }
}

/** One address in front of a process that gets a new port each time it starts; a call that finds nobody is ended. */
async function relay() {
  let target = 0
  const open = new Set<Socket>()
  const keep = (socket: Socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => open.delete(socket))
  }
  const server = createServer((caller) => {
    const called = connect(target, '127.0.0.1')
    for (const [one, other] of [
      [caller, called],
      [called, caller],
    ] as const) {
      keep(one)
      one.setNoDelay(true)
      one.pipe(other)
      one.once('close', () => other.end())
      one.once('error', () => other.destroy())
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    direct: (port: number) => {
      target = port
    },
    end: () =>
      new Promise<void>((done) => {
        server.close(() => done())
        for (const socket of open) socket.destroy()
      }),
  }
}

/** How a process is to be started, beside its role. */
export interface Conditions {
  /** Milliseconds by which its clock is wrong; 0 unless given. */
  readonly skew?: number
  /** Blocks of 512 bytes that fit into one file of its disk; any unless given. */
  readonly blocks?: number
  /** Where it dies, maybe before it can be told anything; nowhere unless given. */
  readonly die?: Pick<Victim, 'at' | 'count'>
}

interface Hope {
  readonly holds: (line: string) => boolean
  readonly done: (line: string) => void
  readonly failed: (why: Error) => void
  /** Whether it outlives a process that was to die. */
  readonly outlives: boolean
}

/** A process ended while something was expected of it. */
export class Died extends Error {}

/** One side of the channel: a process, and after its death the next one with the same files. */
export class Member {
  readonly #stage: Stage
  readonly #who: 0 | 1
  #child: ChildProcess | undefined
  #gone: Promise<string> = Promise.resolve('never started')
  #hopes: Hope[] = []
  #isOver = false
  /** Whether the running process is to die by its own hand: its end is no failure. */
  #mayDie = false
  /** Where each payment is that was acknowledged to this side, "version/index". */
  readonly acknowledged = new Map<number, string>()
  /** How many payments were acknowledged more than once, all at the same place, and what differed. */
  again = 0
  readonly contradictions: string[] = []
  /** Every other line that the running process has printed. */
  lines: string[] = []

  constructor(on: Stage, who: 0 | 1) {
    this.#stage = on
    this.#who = who
    mkdirSync(this.folder, { recursive: true })
    on.atEnd(() => {
      this.#isOver = true
      return this.kill()
    })
  }

  get folder(): string {
    return join(this.#stage.folder, `side${this.#who}`)
  }

  /** Resolves when the running process has ended, with its signal or code. */
  get gone(): Promise<string> {
    return this.#gone
  }

  /** Starts a process on this side's files; resolves when it can be told what to do. */
  async start({ skew = 0, blocks, die }: Conditions = {}): Promise<void> {
    if (this.#isOver) throw new Error('the test has ended')
    const { rpc, court, address } = this.#stage
    const { key } = localAccount(this.#who)
    const peer = this.#who === 0 ? address : null
    const role: Role = { key, folder: this.folder, rpc, court, channel: CHANNEL, peer, skew, die: die ?? null }
    const run = [process.execPath, CHILD, encode(role as unknown as Plain)]
    const limited = ['/bin/sh', '-c', `ulimit -f ${blocks} && exec "$0" "$@"`, ...run]
    const [file, ...args] = blocks === undefined ? run : limited
    this.lines = []
    this.#mayDie = die !== undefined
    // What the first process compiles is kept for the others.
    const env = { ...process.env, NODE_COMPILE_CACHE: join(this.#stage.folder, 'compiled') }
    const child = spawn(file!, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], env })
    this.#child = child
    createInterface({ input: child.stdout! }).on('line', (line) => this.#hear(line))
    this.#gone = new Promise((done) => child.once('close', (code, signal) => done(signal ?? `code ${code}`)))
    this.#gone.then((how) => this.#bury(how))
    const ready = await this.hears('ready')
    if (this.#who === 1) this.#stage.direct(Number(ready.split(' ')[2]))
  }

  /** Tells the running process to do something. */
  tell(order: Order): void {
    this.#mayDie ||= order.do === 'die'
    // It may have died of what it was told before.
    if (this.#child?.connected) this.#child.send(encode(order as unknown as Plain), () => undefined)
  }

  /** Kills the running process, if there is one; resolves when it is dead. */
  async kill(): Promise<string> {
    this.#mayDie = true
    this.#child?.kill('SIGKILL')
    return this.#gone
  }

  /** Resolves with the running process's first line that begins with `word`; rejects if it dies before. */
  async hears(word: string): Promise<string> {
    const had = this.lines.find((line) => line.startsWith(word))
    return had ?? this.#hope(word, (line) => line.startsWith(word), false)
  }

  /** Resolves once these payments were acknowledged to this side, in whatever process. */
  async paid(numbers: readonly number[]): Promise<void> {
    const left = new Set(numbers.filter((one) => !this.acknowledged.has(one)))
    if (left.size === 0) return
    const isLast = (line: string) => left.delete(numberIn(line)) && left.size === 0
    await this.#hope(`${left.size} payments`, isLast, true)
  }

  /** Takes the end off this side's newest commit, as a disk does that said it was written when it was not. */
  tearLastWrite(): void {
    const log = join(this.folder, 'node.db-wal')
    truncateSync(log, statSync(log).size - 100)
  }

  /** Puts this side's store aside, or back; the marker stays where it is. */
  copyStore(how: 'out' | 'back'): void {
    for (const suffix of ['', '-wal']) {
      const [live, aside] = [join(this.folder, `node.db${suffix}`), join(this.folder, `backup.db${suffix}`)]
      const [from, to] = how === 'out' ? [live, aside] : [aside, live]
      if (existsSync(from)) cpSync(from, to)
      else rmSync(to, { force: true })
    }
  }

  #hope(what: string, holds: Hope['holds'], outlives: boolean): Promise<string> {
    const hope = new Promise<string>((done, failed) => {
      this.#hopes.push({ holds, done, failed, outlives })
    })
    return within(hope, () => `side ${this.#who}: ${what}, after: ${this.lines.join('; ')}`)
  }

  #hear(line: string): void {
    const number = numberIn(line)
    if (number < 0) this.lines.push(line)
    else this.#acknowledge(number, line.split(' ')[2]!)
    const kept = this.#hopes.filter(({ holds }) => holds(line))
    this.#hopes = this.#hopes.filter((one) => !kept.includes(one))
    for (const { done } of kept) done(line)
  }

  #acknowledge(number: number, place: string): void {
    const before = this.acknowledged.get(number)
    if (before === undefined) this.acknowledged.set(number, place)
    else if (before === place) this.again++
    else this.contradictions.push(`payment ${number} was acknowledged at ${before}, and then at ${place}`)
  }

  #bury(how: string): void {
    this.#child = undefined
    const why = new Died(`side ${this.#who} ended (${how}), after: ${this.lines.join('; ')}`)
    const isMeant = this.#mayDie && how === 'SIGKILL' && !this.#isOver
    const lost = this.#hopes.filter(({ outlives }) => !(outlives && isMeant))
    this.#hopes = this.#hopes.filter((one) => !lost.includes(one))
    for (const { failed } of lost) failed(why)
  }
}

/** The number of the payment that a line acknowledges, -1 if it is another line. */
function numberIn(line: string): number {
  return line.startsWith('paid ') ? Number(line.split(' ')[1]) : -1
}

/** The same promise, rejected if it is not settled by the end of all patience. */
export async function within<T>(promise: Promise<T>, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, failed) => {
    timer = setTimeout(() => failed(new Error(`waited in vain for ${what()}`)), DEADLINE)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Both sides of the channel. */
export type Pair = readonly [Member, Member]

/** Who dies where, at the so-many-th time that it comes there. */
export interface Victim {
  readonly who: 0 | 1
  readonly at: Place
  readonly count: number
}

/** How an order is done though somebody dies of it. */
export interface Way {
  /** Whether only who dies is told. */
  readonly alone?: boolean
  /** What it is told next, round by round, and what it says when it has done that, while it has not died yet. */
  readonly more?: (round: number) => readonly [order: Order, word: string]
}

/** How many rounds more lead to any place there is. */
const ROUNDS = 5

/** Both are told the same and do it, though one dies on the way, or right after it. Returns whether it was on the way. */
export async function doThrough(
  pair: Pair,
  { who, at, count }: Victim,
  order: Order,
  word: string,
  { alone = false, more }: Way = {},
): Promise<boolean> {
  const [victim, other] = [pair[who], pair[1 - who]!]
  victim.tell({ do: 'die', at, count })
  // What comes before it counts is not counted.
  await victim.hears('armed')
  for (const one of alone ? [victim] : pair) one.tell(order)
  const othersDone = other.hears(word)
  let isEarly = await diesBefore(victim, word)
  for (let round = 1; more && !isEarly && round <= ROUNDS; round++) {
    const [next, said] = more(round)
    victim.tell(next)
    isEarly = await diesBefore(victim, said)
  }
  await victim.kill()
  await victim.start()
  expect(victim.lines, 'what was said is stored').to.not.include('restored')
  victim.tell(order)
  await Promise.all([othersDone, victim.hears(word)])
  return isEarly
}

function diesBefore(victim: Member, word: string): Promise<boolean> {
  return victim.hears(word).then(
    () => false,
    (why) => {
      if (why instanceof Died) return true
      throw why
    },
  )
}
