import { expect } from 'chai'
import fc from 'fast-check'
import { uint } from '../../src/core/base/Bytes.ts'
import type { CallOf, PlasmaCall } from '../../src/core/plasma/Call.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { PAID } from '../../src/core/plasma/Exit.ts'
import { type Deposit, outputId, type Transaction } from '../../src/core/plasma/Transaction.ts'
import { runs } from '../fuzz.ts'
import { coins } from './assets.ts'
import {
  competing,
  deposited,
  HALF,
  included,
  landing,
  objecting,
  output,
  piggybacking,
  type Running,
  responding,
  spending,
  starting,
  transfer,
} from './flights.ts'
import {
  challenging,
  depositId,
  depositing,
  depositOf,
  exiting,
  exitingDeposit,
  newChain,
  type Sealed,
  seal,
  shown,
  txHash,
} from './people.ts'
import {
  agreeOnState,
  alice,
  bob,
  carol,
  ETHER,
  ground,
  lastRuns,
  MFP,
  owed,
  play,
  type Stage,
  stage,
  waiting,
} from './stage.ts'

const PEOPLE = [alice, bob, carol]
const dice = fc.record({ move: fc.nat(), what: fc.nat(), with: fc.nat(), who: fc.nat(), twist: fc.nat() })
type Dice = typeof dice extends fc.Arbitrary<infer T> ? T : never

/** A few coins, payments that contradict and follow each other, and whatever blocks an operator makes of them. */
interface World {
  readonly on: Stage
  readonly chain: Chain
  readonly gifts: readonly Deposit[]
  readonly txs: readonly Transaction[]
  readonly blocks: Sealed[]
  /** Wei and coins that each output was paid, by id: never twice. */
  readonly tally: Map<string, number>
}

async function begin(on: Stage): Promise<World> {
  const chain = await newChain(on)
  const coin = await coins(on)
  const gift = (owner: typeof alice, value: bigint, salt: bigint, asset = ETHER) => ({
    ...depositOf(chain, owner.address, value, salt),
    asset,
  })
  const gifts = [gift(alice, 100n, 1n), gift(alice, 50n, 2n), gift(alice, 70n, 3n, coin.asset), gift(bob, 30n, 4n)]
  for (const one of gifts) await play(on, depositing(one), one.owner)
  const [first, second, third, fourth] = gifts.map(depositId) as [
    `0x${string}`,
    `0x${string}`,
    `0x${string}`,
    `0x${string}`,
  ]
  const of = (tx: Transaction, i: number) => outputId(txHash(on.domain, tx), i)
  const give = (owner: typeof alice, value: bigint, asset = ETHER) => output(owner.address, value, asset)
  const a = transfer(chain, [first], [give(bob, 60n), give(alice, 40n)], { lastBlock: 3 })
  const b = transfer(chain, [first, second, third], [give(carol, 70n, coin.asset), give(carol, 140n), give(alice, 10n)])
  const c = transfer(chain, [second, third], [give(bob, 70n, coin.asset), give(bob, 50n)], { lastBlock: 2 })
  const d = transfer(chain, [of(a, 0)], [give(carol, 60n)])
  const e = transfer(chain, [of(a, 0), fourth], [give(alice, 90n)], { lastBlock: 4 })
  const f = transfer(chain, [of(a, 1), of(b, 2)], [give(bob, 50n)], { lastBlock: 5 })
  const g = transfer(chain, [of(c, 0), of(c, 1)], [give(alice, 70n, coin.asset), give(alice, 50n)])
  const thief = transfer(chain, [uint(9n, 32)], [give(carol, 90n), give(carol, 60n, coin.asset)])
  const h = transfer(chain, [of(thief, 0), of(thief, 1)], [give(alice, 90n), give(alice, 60n, coin.asset)])
  return { on, chain, gifts, txs: [a, b, c, d, e, f, g, thief, h], blocks: [], tally: new Map() }
}

function pick<T>(list: readonly T[], by: number): T | undefined {
  return list[by % Math.max(1, list.length)]
}

/** Who may spend a transaction's first input, as far as the world knows. */
function signerOf({ on, gifts, txs }: World, tx: Transaction) {
  const outputs = txs.flatMap((one) =>
    one.outputs.map((out, i) => [outputId(txHash(on.domain, one), i), out.owner] as const),
  )
  const owners = new Map([...gifts.map((one) => [depositId(one), one.owner] as const), ...outputs])
  return PEOPLE.find(({ address }) => address === owners.get(tx.inputs[0]!))
}

/** Where a transaction is in the blocks, if it is. */
function placeIn({ blocks }: World, tx: Transaction, by: number) {
  const all = blocks.flatMap((block) => block.txs.flatMap((one, i) => (one === tx ? [{ block, i }] : [])))
  return pick(all, by)
}

function sourceOf(world: World, id: `0x${string}`, by: number) {
  const gift = world.gifts.find((one) => depositId(one) === id)
  if (gift) return deposited(gift)
  for (const tx of world.txs) {
    const at = tx.outputs.findIndex((_, i) => outputId(txHash(world.on.domain, tx), i) === id)
    const place = at < 0 ? undefined : placeIn(world, tx, by)
    if (place) return included(place.block, place.i, at)
  }
  return undefined
}

function spendOf(world: World, tx: Transaction, id: `0x${string}`, { with: by, twist }: Dice) {
  const place = twist % 3 === 0 ? undefined : placeIn(world, tx, by)
  return spending(world.on, tx, id, signerOf(world, tx), place ? [shown(place.block, place.i)] : [])
}

/** A transaction that spends an output, if the world has one; seldom the one that it must not be. */
function spenderOf({ on, txs }: World, id: `0x${string}`, by: number, but?: string) {
  const all = txs.filter((tx) => tx.inputs.includes(id))
  return pick(
    all.filter((tx) => by % 9 === 0 || txHash(on.domain, tx) !== but),
    by,
  )
}

type Move = (world: World, roll: Dice) => readonly [PlasmaCall, `0x${string}`, number?] | undefined

/** A running exit, seldom one that has ended. */
function runOf({ on }: World, by: number): Running | undefined {
  const all = lastRuns(on)
  const running = all.filter(({ txHash: hash }) => on.model.inFlight.has(hash))
  return pick(by % 11 === 0 || running.length === 0 ? all : running, by)
}

const start: Move = (world, { what, who, with: by }) => {
  const tx = pick(world.txs, what)!
  const sources = tx.inputs.flatMap((id) => sourceOf(world, id, by) ?? [])
  if (sources.length < tx.inputs.length) return undefined
  const call = starting(world.on, [world.chain], tx, sources, signerOf(world, tx))
  return [call, pick(PEOPLE, who)!.address]
}

const want: Move = (world, { what, who, twist }) => {
  const run = runOf(world, what)
  const [owner, bits] = [pick(PEOPLE, who)!.address, twist % 7 === 0 ? twist % 256 : 255]
  if (!run) return undefined
  const { spent, tx } = run.inFlight
  const taken = world.on.model.inFlight.get(run.txHash)?.piggybacked ?? 0
  const mine = [...spent, ...new Array(4 - spent.length).fill(undefined), ...tx.outputs]
  const positions = mine.reduce((sum, one, i) => (one?.owner === owner ? sum | (1 << i) : sum), 0) & bits & ~taken
  return [piggybacking(run, positions || twist % 256), owner]
}

const compete: Move = (world, roll) => {
  const run = runOf(world, roll.what)
  const position = run ? roll.twist % run.inFlight.tx.inputs.length : 0
  const tx = run && spenderOf(world, run.inFlight.tx.inputs[position]!, roll.with, run.txHash)
  if (!tx) return undefined
  const spend = spendOf(world, tx, run.inFlight.tx.inputs[position]!, roll)
  return [competing([world.chain], run, position, spend), pick(PEOPLE, roll.who)!.address]
}

const object: Move = (world, roll) => {
  const run = runOf(world, roll.what)
  const position = run ? roll.twist % run.inFlight.tx.outputs.length : 0
  const id = run && outputId(run.txHash, position)
  const tx = id && spenderOf(world, id, roll.with)
  if (!tx) return undefined
  return [objecting([world.chain], run, 4 + position, spendOf(world, tx, id, roll)), pick(PEOPLE, roll.who)!.address]
}

const respond: Move = (world, { what, who, with: by }) => {
  const run = runOf(world, what)
  const tx = run && world.txs.find((one) => txHash(world.on.domain, one) === run.txHash)
  const place = tx && placeIn(world, tx, by)
  return place && [responding([world.chain], run!, shown(place.block, place.i)), pick(PEOPLE, who)!.address]
}

const leave: Move = (world, { what, with: by, twist }) => {
  const gift = pick(world.gifts, what)!
  if (twist % 3 === 0) return [exitingDeposit(gift), gift.owner]
  const block = pick(world.blocks, by)
  const index = block ? what % Math.max(1, block.txs.length) : 0
  const tx = block?.txs[index]
  if (!tx) return undefined
  const at = twist % tx.outputs.length
  return [exiting(block, index, at), tx.outputs[at]!.owner]
}

const challenge: Move = (world, roll) => {
  const exit = pick(waiting(world.on), roll.what)
  const tx = exit && spenderOf(world, exit.ids, roll.with)
  if (!tx) return undefined
  const spend = spendOf(world, tx, exit.ids, roll)
  return [challenging(world.on, exit, world.chain, spend), pick(PEOPLE, roll.who)!.address]
}

/** All that waits in a queue, when the first of it is due or later; what does not match is passed. */
const process: Move = (world, { what, who, twist }) => {
  const { on, chain } = world
  const asset = pick([ETHER, world.gifts[2]!.asset], what)!
  const byAge = <T extends { readonly exitableAt: number }>(one: T, other: T) => one.exitableAt - other.exitableAt
  const exits = waiting(on).map(({ exit }) => exit)
  const flights = lastRuns(on).flatMap(({ txHash: hash, inFlight }) => (on.model.inFlight.has(hash) ? [inFlight] : []))
  const due = [...exits, ...flights].sort(byAge)[0]?.exitableAt
  if (!due) return undefined
  const some = twist % 5 === 0 ? flights.slice(1) : flights
  const own = exits.filter((exit) => exit.asset === asset)
  const call: CallOf<'process'> = landing(chain, some.sort(byAge), asset, own.sort(byAge))
  return [call, pick(PEOPLE, who)!.address, Math.max(1, due - on.time) + [0, 0, HALF, 2 * MFP][twist % 4]!]
}

const approve: Move = (world, { what, who }) => [
  { verb: 'approve', txHash: txHash(world.on.domain, pick(world.txs, what)!) },
  pick(PEOPLE, who)!.address,
]

const MOVES: readonly (readonly [string, Move])[] = [
  ...new Array(4).fill(['start', start]),
  ...new Array(3).fill(['want', want]),
  ...new Array(4).fill(['compete', compete]),
  ...new Array(2).fill(['object', object]),
  ...new Array(2).fill(['respond', respond]),
  ['leave', leave],
  ['challenge', challenge],
  ['process', process],
  ['approve', approve],
]
/** The number of the move that processes. */
const PROCESS = MOVES.findIndex(([name]) => name === 'process')

/** The operator puts any of the transactions into its next block, in any order, some again. */
async function commit(world: World, { what, with: by, twist }: Dice): Promise<void> {
  const { on, chain, txs, blocks } = world
  const some = txs.filter((_, i) => (what >> i) & 1)
  const turned = [...some.slice(by % 5), ...some.slice(0, by % 5)]
  blocks.push(await seal(on, chain, twist % 2 ? turned : turned.reverse()))
}

async function move(world: World, roll: Dice): Promise<void> {
  if (roll.move % (MOVES.length + 2) >= MOVES.length) {
    if (world.blocks.length < 6) await commit(world, roll)
    else world.on.time += roll.twist % HALF
    return
  }
  const [name, make] = MOVES[roll.move % (MOVES.length + 2)]!
  const made = make(world, roll)
  if (!made) return
  const [call, by, after = 1 + (roll.who % 5 === 0 ? roll.twist % 300 : 0)] = made
  const { refused, events } = await play(world.on, call, by, { time: world.on.time + after })
  const key = `${name} ${refused ?? 'done'}`
  world.tally.set(key, (world.tally.get(key) ?? 0) + 1)
  for (const event of events) world.tally.set(event.name, (world.tally.get(event.name) ?? 0) + 1)
}

/** No output was paid twice, by whichever exits. */
function paysOnce({ on }: World): void {
  const paid = new Set<string>()
  const pays = (id: string) => {
    expect(paid.has(id), `paid twice: ${id}`).to.equal(false)
    paid.add(id)
  }
  const running = new Map<string, Running>()
  for (const event of on.history) {
    if (event.name === 'InFlightStarted') running.set(event.txHash, event)
    if (event.name === 'ExitPaid') pays(event.ids)
    if (event.name !== 'InFlightPaid') continue
    const { tx } = running.get(event.txHash)!.inFlight
    pays(event.position < 4 ? tx.inputs[event.position]! : outputId(event.txHash, event.position - 4))
  }
  for (const id of paid) expect(on.model.status.get(id as `0x${string}`)).to.equal(PAID)
}

describe('RootChain, in-flight exits against their model, at random', () => {
  let connection: Awaited<ReturnType<typeof ground>>
  const tally = new Map<string, number>()
  before(async () => {
    connection = await ground()
  })
  after(() => {
    if (globalThis.process.env.KERROS_TALLY)
      console.log(
        [...tally]
          .sort()
          .map(([key, count]) => `${count} ${key}`)
          .join('\n'),
      )
  })

  it('agree whatever is started, wanted, shown, spent and paid in any order; nothing is paid twice, nothing is lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.array(dice, { minLength: 40, maxLength: 80 })), async (rolls) => {
        const world = await begin(await stage(connection))
        const { on } = world
        for (const roll of rolls) {
          await move(world, roll)
          expect(owed(on), 'what the court owes').to.equal(on.balances.get(on.domain.court))
        }
        await agreeOnState(on)
        for (const twist of [3, 7]) {
          for (const what of [0, 1]) await move(world, { move: PROCESS, what, with: 0, who: 1, twist })
        }
        paysOnce(world)
        expect(on.model.inFlight.size, 'exits that still run').to.equal(0)
        expect(waiting(on)).to.have.length(0)
        await agreeOnState(on)
        for (const [key, count] of world.tally) tally.set(key, (tally.get(key) ?? 0) + count)
      }),
      { ...runs(5), endOnFailure: true },
    )
  })
})
