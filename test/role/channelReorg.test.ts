import { expect } from 'chai'
import { network } from 'hardhat'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { ChannelEvent, SignedState } from '../../src/core/channel/Call.ts'
import type { Channel } from '../../src/core/channel/Channel.ts'
import { channelChain } from '../../src/edge/chain/ChannelChain.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { memoryTransport } from '../../src/edge/transport/Memory.ts'
import { ChannelNode } from '../../src/role/ChannelNode.ts'
import type { ChannelNodeParts } from '../../src/role/ChannelNodeParts.ts'
import { Adjudicator__factory } from '../../typechain-types/index.ts'
import { depth as fuller } from '../fuzz.ts'

const FUNDS = 10n ** 18n
const PERIOD = 3600
/** One block more than the deepest reorg takes back. */
const CONFIRMATIONS = 13
const STEP = 12
/** Blocks after which whatever was asked for must have come. */
const PATIENCE = 400
const OWNERS = [uint(0xa1, 20), uint(0xb2, 20)] as const
const SECRET = uint(0x5ec, 32)

const party = (who: 0 | 1) => ({ owner: OWNERS[who], signer: localAccount(who).address })
const CHANNEL: Channel = {
  ...{ a: party(0), b: party(1) },
  ...{ asset: ETHER, challengePeriod: PERIOD, bond: 0n, salt: uint(1, 32) },
}

type EventName = ChannelEvent['name']

/** Hardhat's chain in process with the court on it, whose blocks can be taken back, and nodes on it. */
async function stage() {
  const { ethers } = await network.create()
  const provider = ethers.provider as unknown as Node
  const signers = await ethers.getSigners()
  const court = (await (await new Adjudicator__factory(signers[4]!).deploy()).getAddress()).toLowerCase() as Hex
  // Blocks come when the test says so, and no others.
  await provider.send('evm_setAutomine', [false])
  const client = (who: number) => channelChain({ provider, signer: signers[who]!, court, interval: 1, retry: 1 })
  const chains = await Promise.all([0, 1, 2].map(client))
  const wire = memoryTransport((run) => void setImmediate(run))
  const seen: EventName[] = []
  let lost = 0
  const leave = chains[2]!.follow(0, ({ kind, block }) => {
    const names = block.events.map(({ name }) => name)
    if (kind === 'block') seen.push(...names)
    else {
      lost += names.length
      seen.splice(seen.length - names.length)
    }
  })
  let different = 0
  /** A block, unlike any that was there before, and everybody has seen it. */
  async function mine(time?: number): Promise<void> {
    await provider.send('hardhat_setPrevRandao', [uint(++different, 32)])
    const { timestamp } = (await provider.send('eth_getBlockByNumber', ['latest', false])) as { timestamp: Hex }
    await provider.send('evm_setNextBlockTimestamp', [time ?? Number(timestamp) + STEP])
    await provider.send('evm_mine', [])
    for (let i = 0; i < 3; i++) {
      await Promise.all(chains.map((one) => one.poll()))
      await new Promise(setImmediate)
    }
  }
  async function until(what: string, holds: () => boolean): Promise<void> {
    for (let i = 0; i < PATIENCE; i++) {
      if (holds()) return
      await mine()
    }
    throw new Error(`never again: ${what}; the court has told ${seen}`)
  }
  /** Nobody's pool remembers what was mined in blocks that are gone. */
  async function forget(): Promise<void> {
    const pool = (await provider.send('eth_pendingTransactions', [])) as readonly { readonly hash: Hex }[]
    for (const { hash } of pool) await provider.send('hardhat_dropTransaction', [hash])
  }
  /** A transaction waits to be mined. */
  async function sent(): Promise<void> {
    for (let i = 0; i < 20_000; i++) {
      if (((await provider.send('eth_pendingTransactions', [])) as readonly unknown[]).length > 0) return
      await new Promise(setImmediate)
    }
    throw new Error('nobody sends anything')
  }
  const stopped: ChannelNode[] = []
  async function node(who: 0 | 1, store: Store, change: Partial<ChannelNodeParts> = {}): Promise<ChannelNode> {
    const started = await ChannelNode.start({
      ...{ key: localAccount(who).key, store, chain: chains[who]!, transport: wire, confirmations: CONFIRMATIONS },
      retry: (run) => setTimeout(run, 1).unref(),
      ...change,
    })
    stopped.push(started)
    return started
  }
  return {
    ...{ provider, chains, seen, node, mine, forget, until, sent },
    lost: () => lost,
    time: async () => (await ethers.provider.getBlock('latest'))!.timestamp,
    balance: (who: 0 | 1) => ethers.provider.getBalance(OWNERS[who]),
    async end() {
      for (const one of stopped) await one.stop()
      leave()
    },
  }
}

type World = Awaited<ReturnType<typeof stage>>

/** What happens on layer 1 is mined `depth` deep and taken back with its block: it happens again. */
async function shaken(w: World, depth: number, name: EventName, happen: () => unknown): Promise<void> {
  const count = () => w.seen.filter((one) => one === name).length
  const [before, lost] = [count(), w.lost()]
  const snapshot = await w.provider.send('evm_snapshot', [])
  happen()
  await w.until(`${name} at first`, () => count() > before)
  for (let i = 1; i < depth; i++) await w.mine()
  expect(w.lost()).to.equal(lost)
  await w.provider.send('evm_revert', [snapshot])
  await w.forget()
  for (let i = 0; i <= depth; i++) await w.mine()
  expect(w.lost(), `${name} was not taken back`).to.be.greaterThan(lost)
  await w.until(`${name} again`, () => count() > before)
  for (let i = 0; i <= CONFIRMATIONS; i++) await w.mine()
}

/** Both sides with their money in; whatever became complete at the first is noted. */
async function opened(w: World, depth?: number) {
  const states: SignedState[] = []
  const stores = [memoryStore(), memoryStore()] as const
  const x = await w.node(0, stores[0], { onComplete: (_channel, state) => states.push(state) })
  const y = await w.node(1, stores[1])
  const address = await y.listen('y')
  const [id] = await Promise.all([x.open(CHANNEL, address), y.open(CHANNEL)])
  const pay = (one: ChannelNode) => () => void one.deposit(id, FUNDS).catch(() => undefined)
  if (depth !== undefined) await shaken(w, depth, 'Deposited', pay(x))
  else pay(x)()
  pay(y)()
  await w.until('both have opened', () => [x, y].every((one) => one.status(id).available === FUNDS))
  return { x, y, id, stores, states }
}

/** A channel's life, each step of which on layer 1 a reorg takes back. */
async function live(w: World, depth: number): Promise<void> {
  const { x, y, id, states } = await opened(w, depth)
  await x.pay(id, 1000n)
  await y.pay(id, 10n)
  let taken = 0n
  await shaken(w, depth, 'Withdrawn', () => y.withdraw(id, 500n, 7200).then((total) => (taken = total)))
  await w.until('the withdrawal is final', () => taken === 500n)
  await x.pay(id, 1n)
  const expiry = (await w.time()) + 12_000
  const lock = { amount: 7n, expiry, key: hashLock(SECRET), paymentId: uint(9, 32) }
  x.lock(id, lock).catch(() => undefined)
  await w.until('a lock', () => y.status(id).locked.count === 1)
  await x.stop()
  await shaken(w, depth, 'Challenged', () => y.end(id, 'challenge'))
  await shaken(w, depth, 'Revealed', () => y.fulfil(id, 1n, SECRET))
  await w.mine((await w.time()) + PERIOD)
  await shaken(w, depth, 'Settled', () => undefined)
  await w.until('the end', () => y.status(id).phase === 'closed')
  expect(states.length).to.be.greaterThan(3)
  expect(await Promise.all([w.balance(0), w.balance(1)])).to.deep.equal([FUNDS - 998n, FUNDS + 998n])
}

describe('ChannelNode on a real chain that takes blocks back', () => {
  let w: World
  beforeEach(async () => {
    w = await stage()
  })
  afterEach(() => w.end())

  const all = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
  for (const depth of fuller > 1 ? all : [1, 5, 12]) {
    it(`does every step of a dispute again that a reorg of ${depth} has undone, and is paid to the wei`, () =>
      live(w, depth))

    it(`concludes again after a reorg of ${depth}`, async () => {
      const { x, y, id } = await opened(w)
      await x.pay(id, 3n)
      await shaken(w, depth, 'Concluded', () => y.end(id, 'close'))
      await w.until('the end', () => [x, y].every((one) => one.status(id).phase === 'closed'))
      expect(await Promise.all([w.balance(0), w.balance(1)])).to.deep.equal([FUNDS - 3n, FUNDS + 3n])
    })

    it(`answers an old state again after a reorg of ${depth}`, async () => {
      const { x, y, id, states } = await opened(w)
      for (const amount of [5n, 6n, 7n]) await y.pay(id, amount)
      await y.stop()
      const thief = { verb: 'challenge', channel: CHANNEL, state: states[0]! } as const
      w.chains[1]!.send(thief).catch(() => undefined)
      await w.until('a theft', () => w.seen.includes('Challenged'))
      await shaken(w, depth, 'Answered', () => undefined)
      await w.mine((await w.time()) + PERIOD)
      await w.until('the end', () => x.status(id).phase === 'closed')
      expect(await Promise.all([w.balance(0), w.balance(1)])).to.deep.equal([FUNDS + 18n, FUNDS - 18n])
    })
  }
})

describe('ChannelNode on a real chain, offline until the last block that counts', () => {
  let w: World
  beforeEach(async () => {
    w = await stage()
  })
  afterEach(() => w.end())

  /** Y challenges with an old state while X is away, who comes back so many seconds after the last that counts. */
  async function robbed(late: number) {
    const { x, y, id, stores, states } = await opened(w)
    for (const amount of [5n, 6n, 7n]) await y.pay(id, amount)
    await Promise.all([x.stop(), y.stop()])
    w.chains[1]!.send({ verb: 'challenge', channel: CHANNEL, state: states[0]! }).catch(() => undefined)
    await w.until('a theft', () => w.seen.includes('Challenged'))
    const deadline = (await w.time()) + PERIOD
    await w.mine(deadline - STEP + late)
    const back = await w.node(0, stores[0])
    if (late === 0) await w.sent()
    await w.mine(deadline + late)
    await w.until('the end', () => back.status(id).phase === 'closed')
    return { paid: await Promise.all([w.balance(0), w.balance(1)]), isAnswered: w.seen.includes('Answered') }
  }

  it('answers an old state in the very last second', async () => {
    expect(await robbed(0)).to.deep.equal({ paid: [FUNDS + 18n, FUNDS - 18n], isAnswered: true })
  })

  it('settles by the old state one block later: what is published by then counts', async () => {
    expect(await robbed(STEP)).to.deep.equal({ paid: [FUNDS + 5n, FUNDS - 5n], isAnswered: false })
  })

  it('shows a preimage in the very last second of a lock', async () => {
    const { x, y, id, stores } = await opened(w)
    const expiry = (await w.time()) + 6000
    x.lock(id, { amount: 7n, expiry, key: hashLock(SECRET), paymentId: uint(9, 32) }).catch(() => undefined)
    await w.until('a lock', () => y.status(id).locked.count === 1)
    await x.stop()
    await y.fulfil(id, 1n, SECRET)
    await y.stop()
    await w.mine(expiry - STEP)
    const back = await w.node(1, stores[1])
    await w.sent()
    await w.mine(expiry)
    expect(w.seen).to.include('Revealed')
    await back.end(id, 'challenge')
    await w.until('a challenge', () => w.seen.includes('Challenged'))
    await w.mine((await w.time()) + PERIOD)
    await w.until('the end', () => back.status(id).phase === 'closed')
    expect(await Promise.all([w.balance(0), w.balance(1)])).to.deep.equal([FUNDS - 7n, FUNDS + 7n])
  })
})
