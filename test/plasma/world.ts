import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import type { Inclusion } from '../../src/core/plasma/Block.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { type Permit, startExitDigest } from '../../src/core/plasma/Exit.ts'
import { type Deposit, outputId, type Transaction } from '../../src/core/plasma/Transaction.ts'
import type { Account } from '../../src/edge/chain/LocalAccounts.ts'
import {
  chainId,
  challenging,
  depositId,
  depositing,
  depositOf,
  exiting,
  newChain,
  payment,
  processing,
  type Sealed,
  seal,
  txHash,
  type Waiting,
} from './people.ts'
import {
  alice,
  BOND,
  bob,
  carol,
  ETHER,
  MARGIN,
  MFP,
  operator,
  play,
  type Stage,
  signed,
  started,
  stranger,
  waiting,
} from './stage.ts'

/** The random numbers of one move. */
export interface Dice {
  readonly move: number
  readonly who: number
  readonly what: number
  readonly with: number
  readonly twist: number
  readonly seconds: number
}

/** An output that somebody may believe in: where it came from, and who owns it. */
interface Coin {
  readonly id: Hex
  readonly owner: Hex
  readonly value: bigint
  readonly chain: Chain
  readonly from: Deposit | { readonly tx: Transaction; readonly output: number }
}

/** A court, two chains, and everything that was ever said on them. */
export interface World {
  readonly on: Stage
  readonly honest: boolean
  readonly chains: readonly Chain[]
  readonly coins: Coin[]
  readonly txs: Transaction[]
  readonly blocks: Sealed[]
  salt: bigint
  idsOf(tx: Transaction): readonly Hex[]
}

/** Makes a move; returns the refusal's name, if it was refused. */
type Move = (world: World, dice: Dice) => Promise<string | undefined>

const USERS = [alice, bob, carol]
const SENDERS = [alice, bob, carol, stranger, operator]

/** A world with two chains of one operator. An honest one puts only valid transactions into blocks. */
export async function beginWorld(on: Stage, honest: boolean): Promise<World> {
  const chains = [await newChain(on, 0), await newChain(on, 1)]
  const idsOf = (tx: Transaction) => tx.outputs.map((_, i) => outputId(txHash(on.domain, tx), i))
  const world: World = { on, honest, chains, coins: [], txs: [], blocks: [], salt: 1n, idsOf }
  for (let i = 0; i < 6; i++) await deposit(world, { ...NO_DICE, who: i, what: i >> 1, with: 100 * i, twist: 3 * i })
  for (let i = 0; i < 6; i++) await pay(world, { ...NO_DICE, who: i + 1, what: i, with: 50, twist: 2 })
  for (const what of [0, 1]) await commit(world, { ...NO_DICE, what, with: 5, twist: 1 })
  if (!honest) await turnHostile(world, NO_DICE)
  return world
}

function pick<T>(from: readonly T[], number: number): T | undefined {
  return from[number % Math.max(1, from.length)]
}

function userOf(address: Hex): Account | undefined {
  return USERS.find((user) => user.address === address)
}

const deposit: Move = async (world, { who, what, with: amount, twist }) => {
  const owner = twist % 3 === 0 && !world.honest ? world.on.receiverAddress : pick(USERS, who)!.address
  const chain = pick(world.chains, what)!
  const old = world.coins.flatMap(({ from }) => ('salt' in from ? [from] : []))
  const again = twist % 7 === 1 ? pick(old, amount) : undefined
  const made = again ?? depositOf(chain, owner, BigInt(100 + (amount % 1000)), world.salt++, pick(USERS, what)!.address)
  const { refused } = await play(world.on, depositing(made), made.sender)
  if (!refused) world.coins.push({ id: depositId(made), owner, value: made.value, chain, from: made })
  return refused
}

/** Signs a payment of a coin, spent before or not; nothing reaches the court. */
const pay: Move = async (world, { who, what, with: amount, twist }) => {
  const coin = pick(world.coins, what)
  if (!coin) return 'nothing to spend'
  const part = coin.value > 1n ? BigInt(amount) % coin.value : 0n
  const to = pick(USERS, who)!.address
  const outputs = [[to, coin.value - part] as const, [coin.owner, part] as const].filter(([, value]) => value > 0n)
  const last = world.on.model.chains.get(chainId(coin.chain))!.number
  const lastBlock = last + 1 + (twist % 3)
  world.txs.push(payment(coin.chain, [coin.id], outputs, { lastBlock, memo: uint(world.salt++, 32) }))
  return undefined
}

const commit: Move = async (world, { what, with: choice, twist, seconds }) => {
  const chain = pick(world.chains, what)!
  const { on } = world
  const last = on.model.chains.get(chainId(chain))!
  if (!world.honest && twist % 5 === 0) {
    const [number, asOf] = [last.number + (choice % 3), on.time - (seconds % 200)]
    const call: PlasmaCall = { verb: 'commit', chain, number, header: uint(choice, 32), asOf }
    return (await play(on, call, pick([operator, operator, alice], seconds)!.address)).refused
  }
  // As stale a view of layer 1 as the court lets pass.
  const asOf = Math.max(last.asOf, on.time - (twist % MARGIN))
  const open = world.txs.filter((tx) => tx.chain === chainId(chain))
  const chosen = world.honest
    ? valid(world, last.number + 1, asOf, open)
    : open.filter((_, i) => (choice >> (i % 30)) & 1)
  const block = await seal(on, chain, chosen, asOf)
  world.blocks.push(block)
  for (const tx of chosen) for (const output of tx.outputs.keys()) addCoin(world, chain, tx, output)
  return undefined
}

function addCoin(world: World, chain: Chain, tx: Transaction, output: number): void {
  const id = world.idsOf(tx)[output]!
  const { owner, value } = tx.outputs[output]!
  if (!world.coins.some((coin) => coin.id === id)) world.coins.push({ id, owner, value, chain, from: { tx, output } })
}

/** What an honest operator includes: live, inputs known as of asOf, unspent, not frozen, of smaller numbers. */
function valid(world: World, number: number, asOf: number, open: readonly Transaction[]): Transaction[] {
  const gone = new Set(world.blocks.flatMap(({ txs }) => txs.flatMap(({ inputs }) => inputs)))
  const { deposited, frozen } = viewOf(world.on, asOf)
  const included = new Set(world.blocks.flatMap(({ txs }) => txs.flatMap(world.idsOf)))
  const chosen: Transaction[] = []
  for (const tx of open) {
    const known = tx.inputs.every((id) => deposited.has(id) || included.has(id))
    if (!known || tx.inputs.some((id) => gone.has(id) || frozen.has(id)) || tx.lastBlock < number) continue
    for (const id of tx.inputs) gone.add(id)
    chosen.push(tx)
  }
  return chosen
}

/** What layer 1 said up to a second: what is deposited, and what nobody may spend because it leaves or has left. */
function viewOf({ history, moments }: Stage, asOf: number) {
  const [deposited, frozen] = [new Set<Hex>(), new Set<Hex>()]
  const running = new Map<Hex, number>()
  const change = (id: Hex, by: number) => running.set(id, (running.get(id) ?? 0) + by)
  for (const [i, event] of history.entries()) {
    if (moments[i]! > asOf) break
    if (event.name === 'Deposited') deposited.add(event.id)
    if (event.name === 'ExitStarted') change(event.ids, 1)
    if (event.name === 'ExitPaid') frozen.add(event.ids)
    if (['ExitChallenged', 'ExitCancelled', 'ExitDropped', 'ExitUnpaid'].includes(event.name)) {
      change((event as { ids: Hex }).ids, -1)
    }
  }
  for (const [id, count] of running) if (count > 0) frozen.add(id)
  return { deposited, frozen }
}

const startExit: Move = async (world, { who, what, with: choice, twist }) => {
  const block = pick(
    world.blocks.filter(({ txs }) => txs.length > 0),
    what,
  )
  if (!block) return 'nothing in blocks'
  const index = choice % block.txs.length
  const tx = block.txs[index]!
  const output = who % (tx.outputs.length + (world.honest ? 0 : 1))
  const owner = tx.outputs[output]?.owner ?? alice.address
  const call = { ...exiting(block, index, output) }
  if (world.honest) return (await play(world.on, call, owner)).refused
  const permit = permitFor(world, tx.chain, world.idsOf(tx)[output], owner, choice, twist)
  const spoiled = { ...call, inclusion: spoil(world, call.inclusion, twist), permit }
  const sender = permit.signature === '0x' && twist % 6 !== 0 ? owner : pick(SENDERS, choice)!.address
  return (await play(world.on, spoiled, sender, { value: bondOf(twist) })).refused
}

/** One in several proofs is wrong in one place. */
function spoil(world: World, proof: Inclusion, twist: number): Inclusion {
  const other = pick(world.blocks, twist)!
  const wrong: Partial<Inclusion>[] = [
    { index: proof.index ^ (1 << (twist % 16)) },
    { number: other.commitment.number },
    { time: other.commitment.time, asOf: other.commitment.asOf },
    { siblings: proof.siblings.toReversed() },
    { childrenRoot: uint(twist, 32) },
  ]
  return twist % 3 === 0 ? { ...proof, ...wrong[twist % wrong.length] } : proof
}

function permitFor(world: World, chain: Hex, id: Hex | undefined, owner: Hex, choice: number, twist: number): Permit {
  const terms = {
    starter: pick([ETHER, stranger.address], choice)!,
    deadline: world.on.time + (twist % 9),
    signature: '0x',
  } as const
  const key = userOf(owner)
  if (twist % 4 !== 0 || !key || !id) return terms
  return { ...terms, signature: signed(startExitDigest(world.on.domain, chain, [id], terms), key) }
}

function bondOf(twist: number): bigint {
  return pick([BOND, BOND, 2n * BOND, BOND + 1n, BOND - 1n, 2n * BOND + 1n, BOND, BOND], twist)!
}

const startDepositExit: Move = async (world, { what, with: choice, twist }) => {
  const deposits = world.coins.flatMap(({ from }) => ('salt' in from ? [from] : []))
  const deposited = pick(deposits, what)
  if (!deposited) return 'no deposits'
  if (world.honest) {
    return (await play(world.on, { verb: 'startDepositExit', deposited, permit: NO_PERMIT }, deposited.owner)).refused
  }
  const permit = permitFor(world, deposited.chain, depositId(deposited), deposited.owner, choice, twist)
  const sender = permit.signature === '0x' && twist % 6 !== 0 ? deposited.owner : pick(SENDERS, choice)!.address
  const call: PlasmaCall = { verb: 'startDepositExit', deposited, permit }
  return (await play(world.on, call, sender, { value: bondOf(twist) })).refused
}

const NO_PERMIT: Permit = { starter: ETHER, deadline: 0, signature: '0x' }

/** Challenges an exit with a spend of it, or with some other transaction; live or shown, signed by this or that. */
const challengeExit: Move = async (world, { who, what, with: choice, twist }) => {
  const spent = new Set(world.txs.flatMap(({ inputs }) => inputs))
  const exits = twist % 8 ? waiting(world.on).filter(({ ids }) => spent.has(ids)) : started(world.on)
  const exit = pick(exits, what)
  if (!exit) return 'no exits'
  const spends = world.txs.filter((tx) => tx.inputs.includes(exit.ids))
  const tx = pick(twist % 5 === 0 ? world.txs : spends, choice)
  if (!tx) return 'no transaction'
  const block = world.blocks.find(({ txs }) => txs.includes(tx))
  const inclusion = block && twist % 2 ? [exiting(block, block.txs.indexOf(tx)).inclusion] : []
  const by = twist % 7 === 0 ? pick(USERS, choice) : userOf(exit.exit.owner)
  const chain = world.chains.find((each) => chainId(each) === tx.chain)!
  const input = Math.max(0, tx.inputs.indexOf(exit.ids))
  const call = challenging(world.on, exit, chain, { tx, input, inclusion }, by)
  return (await play(world.on, call, pick(SENDERS, who)!.address)).refused
}

const cancelExit: Move = async (world, { who, what, twist }) => {
  const exit = pick(started(world.on).slice(-20), what)
  if (!exit) return 'no exits'
  const call: PlasmaCall = { verb: 'cancelExit', exit: exit.exit, lane: exit.lane, index: exit.index }
  const sender = twist % 4 === 0 ? pick(SENDERS, who)!.address : exit.exit.owner
  return (await play(world.on, call, sender)).refused
}

/** Hands over the exits of a chain in the queue's order, some left out or swapped, at or around the head's second. */
const process: Move = async (world, { who, what, with: choice, twist, seconds }) => {
  const chain = pick(world.chains, what)!
  const exits = inOrder(world, chain)
  const due = exits[0]?.exit.exitableAt ?? 0
  if (twist % 3 && due > world.on.time) world.on.time = Math.max(world.on.time, due - 2 + (seconds % 3))
  const chosen = twist % 4 === 0 ? exits.filter((_, i) => (choice >> (i % 30)) & 1) : exits
  const handed = (twist % 11 === 0 ? chosen.toReversed() : chosen).slice(0, 12)
  const call = processing(
    chain,
    handed.map(({ exit }) => exit),
  )
  return (await play(world.on, call, pick(SENDERS, who)!.address)).refused
}

function inOrder(world: World, chain: Chain): readonly Waiting[] {
  const rank = ({ exit, lane, index }: Waiting) => [exit.exitableAt, lane, index] as const
  return waiting(world.on)
    .filter(({ exit }) => exit.chain === chainId(chain))
    .sort((a, b) => {
      const [x, y] = [rank(a), rank(b)]
      return x[0] - y[0] || x[1] - y[1] || x[2] - y[2]
    })
}

const approve: Move = async (world, { who, what, twist }) => {
  const tx = pick(world.txs, what)
  if (!tx) return 'no transaction'
  const owner = world.coins.find(({ id }) => tx.inputs.includes(id))!.owner
  const sender = twist % 4 ? owner : pick(USERS, who)!.address
  return (await play(world.on, { verb: 'approve', txHash: txHash(world.on.domain, tx) }, sender)).refused
}

const claimCredit: Move = async (world, { who, twist }) => {
  const { on } = world
  const owner = twist % 3 === 0 ? pick(USERS, who)!.address : on.receiverAddress
  const to = twist % 2 ? owner : alice.address
  const sender = twist % 5 === 0 ? on.receiverAddress : stranger.address
  return (await play(on, { verb: 'claimCredit', asset: ETHER, owner, to }, sender)).refused
}

const wait: Move = async (world, { seconds }) => {
  world.on.time += seconds % (MFP / 2)
  return undefined
}

const turnHostile: Move = async (world, { twist }) => {
  const { on } = world
  on.refusing = twist % 2 === 0
  await on.connection.networkHelpers.time.setNextBlockTimestamp(++on.time)
  await on.receiver.behave(on.refusing ? 1 + (twist % 4 === 0 ? 1 : 0) : 0, ETHER, '0x', { gasPrice: 0 })
  return undefined
}

/** Challenges every exit of an output that a block or a live transaction spends: what every honest watcher does. */
const watch: Move = async (world) => {
  for (const exit of waiting(world.on)) {
    const block = world.blocks.find(({ txs }) => txs.some(({ inputs }) => inputs.includes(exit.ids)))
    const tx = block?.txs.find(({ inputs }) => inputs.includes(exit.ids))
    if (!block || !tx) continue
    const inclusion = [exiting(block, block.txs.indexOf(tx)).inclusion]
    const call = challenging(world.on, exit, block.chain, { tx, inclusion }, userOf(exit.exit.owner))
    const { refused } = await play(world.on, call, stranger.address)
    if (refused) return refused
  }
  return undefined
}

/** What time does on a healthy chain: the watcher looks before anything can have matured. */
const waitWatched: Move = async (world, dice) => {
  const refused = await watch(world, dice)
  if (refused) throw new Error(`the watcher was refused: ${refused}`)
  return wait(world, dice)
}

const processWatched: Move = async (world, dice) => {
  const refused = await watch(world, dice)
  if (refused) throw new Error(`the watcher was refused: ${refused}`)
  return process(world, dice)
}

/** Every move by name. */
export const MOVES: Readonly<Record<string, Move>> = {
  deposit,
  pay,
  commit,
  startExit,
  startDepositExit,
  challengeExit,
  cancelExit,
  process,
  approve,
  claimCredit,
  wait,
  turnHostile,
  waitWatched,
  processWatched,
}

/** Moves where nobody can be trusted, more of those that matter most. */
export const WILD = [
  ...['deposit', 'deposit', 'pay', 'pay', 'pay', 'commit', 'commit', 'startExit', 'startExit', 'startExit'],
  ...['startDepositExit', 'startDepositExit', 'challengeExit', 'challengeExit', 'challengeExit', 'cancelExit'],
  ...['process', 'process', 'process', 'approve', 'claimCredit', 'claimCredit', 'wait', 'turnHostile'],
]

/** Moves where the operator is honest and a watcher looks; users are as they are. */
export const HEALTHY = [
  ...['deposit', 'deposit', 'pay', 'pay', 'pay', 'commit', 'commit', 'startExit', 'startExit', 'startDepositExit'],
  ...['startDepositExit', 'cancelExit', 'waitWatched', 'processWatched', 'processWatched'],
]

/** Lets everything mature (on a healthy chain with a last look of the watcher) and processes every queue to its end. */
export async function settleAll(world: World): Promise<void> {
  if (world.honest) await watch(world, NO_DICE)
  world.on.time += 2 * MFP
  for (const chain of world.chains) {
    const exits = inOrder(world, chain).map(({ exit }) => exit)
    for (let at = 0; at < exits.length; at += 20) {
      await play(world.on, processing(chain, exits.slice(at, at + 20)), stranger.address)
    }
  }
}

const NO_DICE: Dice = { move: 0, who: 0, what: 0, with: 0, twist: 0, seconds: 0 }
