import { expect } from 'chai'
import { network } from 'hardhat'
import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import { type L1Block, Refusal } from '../../src/core/base/Step.ts'
import type { Chain } from '../../src/edge/chain/Chain.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { header, type Node } from '../../src/edge/chain/Node.ts'
import { type SimulatedCourt, type SimulatedL1, simulatedL1 } from '../../src/edge/chain/SimulatedL1.ts'

export const START = Date.UTC(2027, 0, 1) / 1000
const STEP = 10

/** Hardhat's chain and a simulated one, with the same accounts, driven by the same clock. */
export interface Both {
  readonly connection: Awaited<ReturnType<typeof network.create<'generic'>>>
  readonly provider: Node
  readonly l1: SimulatedL1
  time: number
}

/** Both chains, with ether for the first accounts on both. */
export async function both(): Promise<Both> {
  const connection = await network.create({ network: 'default', override: { initialDate: new Date(1000 * START) } })
  const l1 = simulatedL1({ time: START })
  for (let i = 0; i < 5; i++) l1.money.mint(ETHER, localAccount(i).address, 10n ** 22n)
  const provider = connection.ethers.provider as unknown as Node
  const time = START + 1000
  return { connection, provider, l1, time }
}

/** Lets `seconds` pass on both, with a block at the end. */
export async function pass(world: Both, seconds: number): Promise<void> {
  world.time += seconds
  await world.provider.send('evm_setNextBlockTimestamp', [world.time])
  await world.provider.send('evm_mine', [])
  world.l1.mine(world.time)
}

/** A court on both chains as the clients of the first accounts see it. */
export interface Pair<Call, Event> {
  readonly world: Both
  readonly real: readonly Chain<Call, Event>[]
  readonly simulated: readonly Chain<Call, Event>[]
}

/** Clients of a court at one address on both chains. */
export async function pairOf<State, Call, Event>(
  world: Both,
  connect: (index: number) => Promise<Chain<Call, Event>>,
  court: SimulatedCourt<State, Call, Event>,
): Promise<Pair<Call, Event>> {
  const indices = [0, 1, 2, 3]
  const real = await Promise.all(indices.map(connect))
  return { world, real, simulated: indices.map((index) => court.connect(localAccount(index).address)) }
}

/** Sends a call on both chains in a block of the same time; expects the same outcome and gives it: a refusal's code or undefined. */
export async function call<Call, Event>({ world, real, simulated }: Pair<Call, Event>, by: number, call: Call) {
  world.time += STEP
  await world.provider.send('evm_setNextBlockTimestamp', [world.time])
  const outcome = await ended(real[by]!.send(call))
  const model = ended(simulated[by]!.send(call))
  if (outcome) await world.provider.send('evm_mine', [])
  // An approval on the way takes a block, and a second, of its own.
  world.time = (await header(world.provider, 'latest'))!.time
  world.l1.mine(world.time)
  expect(shape(await model)).to.deep.equal(shape(outcome))
  return outcome?.code
}

async function ended(sent: Promise<unknown>): Promise<Refusal | undefined> {
  return sent.then(
    () => undefined,
    (why) => {
      if (why instanceof Refusal) return why
      throw why
    },
  )
}

function shape(refusal: Refusal | undefined) {
  return refusal && { code: refusal.code, args: refusal.args.map((arg, i) => (isTime(arg) ? `time ${i}` : arg)) }
}

/** A check before sending judges by a time of its own, so a refusal's clock reading may differ by a few seconds. */
function isTime(arg: unknown): boolean {
  return (typeof arg === 'number' || typeof arg === 'bigint') && Number(arg) >= START && Number(arg) < START + 10 ** 8
}

/** Expects that a follower of either chain saw the same events in blocks of the same time; gives the events' names. */
export async function compared<Call, Event extends { readonly name: string }>({
  real,
  simulated,
}: Pair<Call, Event>): Promise<readonly string[]> {
  const [ours, models] = await Promise.all([blocksOf(real[0]!), blocksOf(simulated[0]!)])
  const told = (blocks: readonly L1Block<Event>[]) =>
    blocks.filter(({ events }) => events.length > 0).map(({ time, events }) => ({ time, events }))
  expect(told(ours)).to.deep.equal(told(models))
  return ours.flatMap(({ events }) => events.map(({ name }) => name))
}

async function blocksOf<Call, Event>(chain: Chain<Call, Event>): Promise<readonly L1Block<Event>[]> {
  const head = await chain.head()
  return new Promise((done) => {
    const blocks: L1Block<Event>[] = []
    const stop = chain.follow(0, ({ block }) => {
      blocks.push(block)
      if (block.number !== head) return
      stop()
      done(blocks)
    })
  })
}

/** What an owner holds of an asset on either chain. */
export async function held({ connection, l1 }: Both, asset: Hex, owner: Hex): Promise<{ real: bigint; model: bigint }> {
  const { ethers } = connection
  const real =
    asset === ETHER
      ? await ethers.provider.getBalance(owner)
      : await (await ethers.getContractAt('Token', asset)).balanceOf(owner)
  return { real, model: l1.money.balance(asset, owner) }
}
