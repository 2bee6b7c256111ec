import { ETHER, uint } from '../../src/core/base/Bytes.ts'
import { other, type Side } from '../../src/core/channel/Channel.ts'
import type { PeerInput } from '../../src/core/channel/Peer.ts'
import { ID, PATIENCE, PERIOD } from './duel.ts'
import { BOTH, Board, type Disk, type Machine, type Stepped } from './explore.ts'

/** What may happen once, beside messages and blocks coming when they like. */
export interface Happening {
  readonly name: string
  readonly side: Side
  readonly input: PeerInput
}

/** How far an exploration goes. */
export interface Bounds {
  /** Each happens at most once, at any time. */
  readonly happenings: readonly Happening[]
  readonly cuts: number
  readonly crashes: number
  /** How many of the crashes come back from the backup that was made before anything happened. */
  readonly restores: number
  /** Seconds after the block before, of each block that may come. */
  readonly blocks: readonly number[]
  /** Looks at signatures alone: no end is tried. */
  readonly signatures?: true
}

/** What an exploration found. */
export interface Found {
  readonly states: number
  readonly steps: number
  readonly violation: string | undefined
}

/** Everything there is at one moment, in numbers. */
interface World {
  readonly locals: readonly [number, number]
  readonly up: readonly [boolean, boolean]
  readonly wires: readonly [readonly number[], readonly number[]]
  readonly ledger: number
  readonly seen: readonly [number, number]
  readonly pool: readonly (readonly [Side, number])[]
  readonly happened: number
  readonly cuts: number
  readonly crashes: number
  readonly restores: number
  readonly blocks: number
  /** Which sides are older copies. */
  readonly older: readonly [boolean, boolean]
}

type Move = readonly [name: string, next: World, wrong?: string | undefined]
interface Node {
  readonly world: World
  readonly by: string
  readonly from: Node | undefined
}

const FUNDS = 100n
const at = (side: Side): 0 | 1 => (side === 'a' ? 0 : 1)

function put<T>(pair: readonly [T, T], side: Side, value: T): readonly [T, T] {
  return side === 'a' ? [value, pair[1]] : [pair[0], value]
}

/** Visits every state that two peers can reach within bounds, and ends the channel quietly from each. */
export class Explorer {
  readonly #board: Board
  readonly #bounds: Bounds
  readonly #good = new Set<string>()
  #backup: readonly [Disk, Disk] = [{}, {}]

  constructor(bounds: Bounds, machine?: Machine) {
    this.#board = new Board(machine)
    this.#bounds = bounds
  }

  run(): Found {
    const start = this.#opened()
    const seen = new Set([keyOf(start)])
    const queue: Node[] = [{ world: start, by: 'start', from: undefined }]
    let violation: string | undefined
    for (let i = 0; i < queue.length && !violation; i++) {
      const node = queue[i]!
      const end = this.#bounds.signatures ? undefined : this.#quiet(node.world)
      if (end) violation = `${end} after ${pathOf(node)}`
      for (const [by, world, wrong] of this.#moves(node.world)) {
        if (wrong) violation ??= `${wrong} after ${pathOf({ world, by, from: node })}`
        const key = keyOf(world)
        if (seen.has(key)) continue
        seen.add(key)
        queue.push({ world, by, from: node })
      }
    }
    return { states: seen.size, steps: this.#board.taken, violation }
  }

  /** Both have deposited, both know, both are connected. */
  #opened(): World {
    const board = this.#board
    const deposit = (side: Side): readonly [Side, number] => {
      const call = { verb: 'deposit', asset: ETHER, channelId: ID, toB: side === 'b', amount: FUNDS } as const
      return [side, board.calls.of(call)]
    }
    const { cuts, crashes, restores } = this.#bounds
    const none = { happened: 0, cuts, crashes, restores, blocks: 0, pool: [], older: [false, false] } as const
    const ledger = board.mine(board.genesis(), BOTH.map(deposit), 12)
    const locals = [board.fresh('a'), board.fresh('b')] as const
    let world: World = { locals, up: [false, false], wires: [[], []], ledger, seen: [0, 0], ...none }
    for (const side of BOTH) world = this.#show(world, side)[1]
    world = this.#deliverAll(this.#connect(world)[1])
    this.#backup = [board.locals.at(world.locals[0]).disk, board.locals.at(world.locals[1]).disk]
    return world
  }

  /** Everything that can happen next. */
  #moves(world: World): readonly Move[] {
    const moves: Move[] = []
    const { happenings, blocks } = this.#bounds
    happenings.forEach(({ name, side, input }, i) => {
      if (!(world.happened & (1 << i)))
        this.#step(moves, { ...world, happened: world.happened | (1 << i) }, side, name, input)
    })
    for (const side of BOTH) this.#movesOf(moves, world, side)
    if (world.up[0] && world.up[1] && world.cuts > 0) moves.push(this.#cut({ ...world, cuts: world.cuts - 1 }))
    if (!world.up[0] && !world.up[1]) moves.push(this.#connect(world))
    if (world.blocks < blocks.length)
      moves.push(this.#mine({ ...world, blocks: world.blocks + 1 }, blocks[world.blocks]!))
    return moves
  }

  #movesOf(moves: Move[], world: World, side: Side): void {
    const incoming = world.wires[at(other(side))]
    if (incoming.length > 0 && world.up[at(side)]) {
      const message = this.#board.messages.at(incoming[0]!)
      const rest = { ...world, wires: put(world.wires, other(side), incoming.slice(1)) }
      this.#step(moves, rest, side, `${message.type}#${incoming[0]}`, { kind: 'message', message })
    }
    // A connection whose other end is gone ends here, too, at any time.
    if (world.up[at(side)] && !world.up[at(other(side))])
      this.#step(moves, lost(world, side), side, 'down', { kind: 'down' })
    if (world.seen[at(side)] < this.#board.ledgers.at(world.ledger).blocks.length) moves.push(this.#show(world, side))
    if (world.crashes > 0) moves.push([`${side} crashes`, this.#died(world, side, world.locals[at(side)], false)])
    if (world.restores > 0) moves.push([`${side} is set back`, this.#died(world, side, world.locals[at(side)], true)])
  }

  /** A side takes an input, and may die before each of the messages that it wants to say. */
  #step(moves: Move[], world: World, side: Side, name: string, input: PeerInput): void {
    const stepped = this.#board.step(side, world.locals[at(side)], name, input)
    if (!stepped) return
    moves.push([`${side} ${name}`, this.#after(world, side, stepped), stepped.wrong])
    if (world.crashes === 0) return
    for (const [said, died] of stepped.died.entries()) {
      const spoken = this.#say(world, side, stepped.sends.slice(0, said))
      moves.push([`${side} ${name}, dies after ${said}`, this.#died(spoken, side, died, false)])
    }
  }

  #after(world: World, side: Side, { next, sends, calls, drops }: Stepped): World {
    const pool = [...world.pool]
    for (const call of calls) if (!pool.some(([who, had]) => who === side && had === call)) pool.push([side, call])
    const said = { ...this.#say(world, side, sends), locals: put(world.locals, side, next), pool }
    return drops && said.up[at(side)] ? this.#cut(said)[1] : said
  }

  #say(world: World, side: Side, sends: readonly number[]): World {
    if (!world.up[0] || !world.up[1] || sends.length === 0) return world
    return { ...world, wires: put(world.wires, side, [...world.wires[at(side)], ...sends]) }
  }

  #died(world: World, side: Side, local: number, older: boolean): World {
    const disk = older ? this.#backup[at(side)] : undefined
    const revived = this.#board.revive(side, local, world.ledger, world.seen[at(side)], disk)
    const spent = older
      ? { restores: world.restores - 1, older: put(world.older, side, true) }
      : { crashes: world.crashes - 1 }
    return { ...lost(world, side), locals: put(world.locals, side, revived), ...spent }
  }

  #cut(world: World): Move {
    let next = { ...world, wires: [[], []] as const }
    for (const side of BOTH)
      if (next.up[at(side)]) next = { ...this.#take(lost(next, side), side, 'down', { kind: 'down' }), wires: [[], []] }
    return ['cut', next]
  }

  #connect(world: World): Move {
    let next: World = { ...world, up: [true, true], wires: [[], []] }
    for (const side of BOTH) next = this.#take(next, side, 'up', { kind: 'up' })
    return ['connect', next]
  }

  #take(world: World, side: Side, name: string, input: PeerInput): World {
    const stepped = this.#board.step(side, world.locals[at(side)], name, input)
    return stepped ? this.#after(world, side, stepped) : world
  }

  #show(world: World, side: Side): Move {
    const number = world.seen[at(side)]
    const block = this.#board.ledgers.at(world.ledger).blocks[number]!
    const name = `block ${block.hash}`
    const input = { kind: 'chain', chain: { kind: 'block', block } } as const
    const stepped = this.#board.step(side, world.locals[at(side)], name, input)!
    const next = { ...this.#after(world, side, stepped), seen: put(world.seen, side, number + 1) }
    return [`${side} sees block ${number}`, next, stepped.wrong]
  }

  #mine(world: World, seconds: number): Move {
    return ['mine', { ...world, ledger: this.#board.mine(world.ledger, world.pool, seconds), pool: [] }]
  }

  #deliverAll(world: World): World {
    let next = world
    for (let i = 0; i < 1000; i++) {
      const from = BOTH.find((side) => next.wires[at(side)].length > 0)
      if (!from) return next
      const [first, ...rest] = next.wires[at(from)]
      const message = this.#board.messages.at(first!)
      const name = `${message.type}#${first}`
      next = this.#take({ ...next, wires: put(next.wires, from, rest) }, other(from), name, {
        kind: 'message',
        message,
      })
    }
    throw new Error('two peers talk for ever')
  }

  /** Nothing bad happens any more: the channel is ended, and both are paid what their books say. What is wrong, if it is. */
  #quiet(from: World): string | undefined {
    const path: string[] = []
    let world = from
    for (let round = 0; round < 24; round++) {
      const key = keyOf(world) + round
      if (this.#good.has(key)) return this.#done(path)
      path.push(key)
      if (this.#isFinished(world)) return this.#wrong(world) ?? this.#done(path)
      world = this.#round(world, round)
    }
    return 'the channel does not end'
  }

  #done(path: readonly string[]): undefined {
    for (const key of path) this.#good.add(key)
  }

  #round(from: World, round: number): World {
    let world = from
    if (!world.up[0] || !world.up[1]) world = this.#connect(this.#cut(world)[1])[1]
    world = this.#deliverAll(world)
    if (round === 1) world = this.#deliverAll(this.#take(world, 'b', 'close', { kind: 'close' }))
    world = this.#mine(world, round === 4 ? PATIENCE + 1 : round % 4 === 3 ? PERIOD + 1 : 12)[1]
    const blocks = this.#board.ledgers.at(world.ledger).blocks.length
    for (const side of BOTH) while (world.seen[at(side)] < blocks) world = this.#show(world, side)[1]
    return world
  }

  #isFinished({ locals }: World): boolean {
    return locals.every((local) => this.#board.locals.at(local).state.finished !== null)
  }

  #wrong({ locals, older }: World): string | undefined {
    const { state } = this.#board.locals.at(locals[0])
    const { deposits, withdrawn } = state.watch.final
    for (const side of BOTH) {
      if (older[at(side)]) continue // its books are older than what it was paid
      const { gained, waits } = this.#board.books(side, locals[at(side)])
      if (waits) return `something of ${side} waits for ever`
      const paid = state.finished![side === 'a' ? 'payA' : 'payB'] + withdrawn[side]
      if (paid !== deposits[side] + gained) return `${side} was paid ${paid}, its books say ${deposits[side] + gained}`
    }
    return undefined
  }
}

function lost(world: World, side: Side): World {
  return { ...world, up: put(world.up, side, false), wires: put(world.wires, other(side), []) }
}

function keyOf(w: World): string {
  const { locals, up, wires, ledger, seen, pool, happened, cuts, crashes, restores, blocks, older } = w
  return `${locals}|${up}|${wires[0]}/${wires[1]}|${ledger}|${seen}|${pool.join(';')}|${happened},${cuts},${crashes},${restores},${blocks}|${older}`
}

function pathOf(node: Node): string {
  const path: string[] = []
  for (let at: Node | undefined = node; at; at = at.from) path.push(at.by)
  return path.reverse().join(', ')
}

/** A payment that may happen. */
export function pays(side: Side, amount: bigint, number: number): Happening {
  const paymentId = uint(number, 32)
  return { name: `pays ${amount} (${number})`, side, input: { kind: 'pay', amount, paymentId, memo: '0x' } }
}
