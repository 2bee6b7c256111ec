import { expect } from 'chai'
import { network } from 'hardhat'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import type { Source } from '../../src/core/plasma/InFlightExit.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { heldBy } from '../../src/core/plasma/Purse.ts'
import { allInFlight } from '../../src/core/plasma/Running.ts'
import type { SeenEvent } from '../../src/core/plasma/Seen.ts'
import { depositId, txHash } from '../../src/core/plasma/Transaction.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { type PlasmaChain, plasmaChain } from '../../src/edge/chain/PlasmaChain.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { Operator } from '../../src/role/Operator.ts'
import { Wallet } from '../../src/role/Wallet.ts'
import { Watcher, type WatcherOptions } from '../../src/role/Watcher.ts'
import { RootChain__factory, VerdictRegistry__factory } from '../../typechain-types/index.ts'

const GWEI = 10n ** 9n
const MFP = 86_400
const DEPTH = 3
const STEP = 12
const COIN = 10n ** 18n
/** Blocks after which whatever was asked for must have come. */
const PATIENCE = 150
const [ALICE, BOB] = [1, 2].map((n) => localAccount(n)) as [
  ReturnType<typeof localAccount>,
  ReturnType<typeof localAccount>,
]
const CHAIN = { parent: ZERO, slot: 0, operator: localAccount(0).address }
const DEPOSIT = {
  chain: chainId(CHAIN),
  sender: ALICE.address,
  salt: uint(1, 32),
  owner: ALICE.address,
  asset: ETHER,
  value: COIN,
}

/** Hardhat's chain in process with the court on it, whose blocks can be taken back, and people on it; Alice speaks for herself. */
async function stage() {
  const { ethers } = await network.create()
  const provider = ethers.provider as unknown as Node
  const signers = await ethers.getSigners()
  const registry = await new VerdictRegistry__factory(signers[4]!).deploy()
  const terms = [registry, MFP, 3600, 3600, 200_000n, GWEI, 200n * GWEI] as const
  const contract = await new RootChain__factory(signers[4]!).deploy(...terms)
  const court = (await contract.getAddress()).toLowerCase() as Hex
  const connect = (n: number) => plasmaChain({ provider, signer: signers[n]!, court, interval: 1, retry: 1 })
  const chains: PlasmaChain[] = []
  for (let n = 0; n < 4; n++) chains.push(await connect(n))
  // Blocks come when the test says so, and no others.
  await provider.send('evm_setAutomine', [false])
  const seen: SeenEvent[] = []
  const lost: string[] = []
  const leave = chains[3]!.follow(0, ({ kind, block }) => {
    if (kind === 'block') seen.push(...block.events)
    else lost.push(...seen.splice(seen.length - block.events.length).map(({ name }) => name))
  })
  const failures: unknown[] = []
  const stops: (() => void)[] = [leave]
  const common = { from: 0, onFailure: (why: unknown) => void failures.push(why) }
  const params = { path: [CHAIN], depth: DEPTH, margin: 3600, fees: [], maxTransactions: 1000 }
  const operator = new Operator({ ...common, l1: chains[0]!, store: memoryStore(), params })
  stops.push(() => operator.stop())
  const times = { depth: DEPTH, patience: 3600 }
  const wallet = (n: number) => {
    const own = { path: [CHAIN], key: localAccount(n).key, life: 50, ...times }
    const made = new Wallet({ ...common, l1: chains[n]!, store: memoryStore(), operator: operator.api, params: own })
    stops.push(() => made.stop())
    return made
  }
  const watcher = (store: Store, more: Partial<WatcherOptions> = {}) => {
    const own = {
      l1: chains[3]!,
      store,
      operator: operator.api,
      path: [CHAIN],
      warning: 3600,
      onAlarm: () => undefined,
    }
    const made = new Watcher({ ...common, ...times, ...own, ...more })
    stops.push(() => made.stop())
    return made
  }
  let different = 0
  /** A block, unlike any that was there before, and everybody has seen it. */
  async function mine(seconds = STEP): Promise<void> {
    await provider.send('hardhat_setPrevRandao', [uint(++different, 32)])
    const { timestamp } = (await provider.send('eth_getBlockByNumber', ['latest', false])) as { timestamp: Hex }
    await provider.send('evm_setNextBlockTimestamp', [Number(timestamp) + seconds])
    await provider.send('evm_mine', [])
    for (let i = 0; i < 4; i++) {
      await Promise.all(chains.map((one) => one.poll()))
      await new Promise(setImmediate)
    }
  }
  async function until(what: string, holds: () => boolean): Promise<void> {
    for (let i = 0; i < PATIENCE; i++) {
      if (holds()) return
      await mine()
    }
    throw new Error(`never: ${what}; the court has told ${seen.map(({ name }) => name)}; ${failures}`)
  }
  const count = (name: SeenEvent['name']) => seen.filter((event) => event.name === name).length
  /** What happens is mined, taken back with its block, and happens again. */
  async function shaken(name: SeenEvent['name'], happen: () => unknown, again: () => unknown = () => undefined) {
    const before = count(name)
    const snapshot = await provider.send('evm_snapshot', [])
    happen()
    await until(`${name} at first`, () => count(name) > before)
    await provider.send('evm_revert', [snapshot])
    const pool = (await provider.send('eth_pendingTransactions', [])) as readonly { readonly hash: Hex }[]
    for (const { hash } of pool) await provider.send('hardhat_dropTransaction', [hash])
    await mine()
    await mine()
    expect(lost, `${name} was not taken back`).to.include(name)
    again()
    await until(`${name} again`, () => count(name) > before)
    for (let i = 0; i <= DEPTH; i++) await mine()
  }
  const say = (n: number, call: PlasmaCall) => chains[n]!.send(call).catch((why) => void failures.push(why))
  /** A payment of Alice's deposit, all of it. */
  const payment = (to: Hex, memo: Hex = ZERO): Signed => {
    const outputs = [{ owner: to, asset: ETHER, value: COIN, lock: ZERO }]
    const transaction = { chain: DEPOSIT.chain, inputs: [depositId(DEPOSIT)], outputs, lastBlock: 1000, memo }
    return { transaction, authorisation: sign(txHash(domain(chains[0]!.chainId, court), transaction), ALICE.key) }
  }
  return {
    ...{
      provider,
      chains,
      seen,
      failures,
      operator,
      wallet,
      watcher,
      mine,
      until,
      count,
      shaken,
      say,
      payment,
      contract,
    },
    balance: (who: Hex) => ethers.provider.getBalance(who),
    end: () => stops.forEach((stop) => void stop()),
  }
}

type Game = Awaited<ReturnType<typeof stage>>

const SOURCES: readonly Source[] = [{ deposited: [DEPOSIT], tx: [], output: 0, inclusion: [] }]

function flying({ transaction, authorisation }: Signed): PlasmaCall {
  return { verb: 'startInFlight', path: [CHAIN], transaction, authorisation, sources: SOURCES, terms: [] }
}

/** Alice's deposit is on the chain, and Bob has one of his own. */
async function begun(game: Game, bob: Wallet): Promise<void> {
  await game.until('registered', () => game.operator.state.registered)
  const { sender: _, ...terms } = DEPOSIT
  void game.say(1, { verb: 'deposit', ...terms })
  await game.until('bob follows', () => bob.state.follower.goal !== undefined)
  bob.deposit(ETHER, COIN).catch((why) => game.failures.push(why))
  await game.until('deposited', () => bob.balance(ETHER) === COIN && game.operator.state.ledger.coins.size === 2)
}

/** Alice pays Bob in a block. */
async function paid(game: Game, bob: Wallet): Promise<Signed> {
  const signed = game.payment(BOB.address)
  const answer = game.operator.api.submit(signed)
  await answer
  game.operator.seal()
  await game.until('bob has it', () => bob.balance(ETHER) === 2n * COIN)
  return signed
}

/** Bob leaves with all that he has, and everything that runs is paid. */
async function payAll(game: Game, bob: Wallet): Promise<void> {
  const ids = heldBy(bob.state).map(({ id }) => id)
  bob.leaveAll(ids).catch((why) => game.failures.push(why))
  await game.until('bob leaves', () => game.count('ExitStarted') > 0)
  await game.mine(2 * MFP)
  for (let i = 0; i <= DEPTH; i++) await game.mine()
  for (let left = 4; left > 0 && heldBy(bob.state).length > 0; left--) {
    bob.process(ETHER, bob.state.follower.view.time).catch((why) => game.failures.push(why))
    for (let i = 0; i <= DEPTH + 1; i++) await game.mine()
  }
  expect(heldBy(bob.state)).to.deep.equal([])
}

describe('Games of payments in flight on the real contract', () => {
  let game: Game
  beforeEach(async () => {
    game = await stage()
  })
  afterEach(() => game.end())

  it('are answered again when a reorg takes back the start', async () => {
    const bob = game.wallet(2)
    const watcher = game.watcher(memoryStore())
    await begun(game, bob)
    await paid(game, bob)
    const taken = game.payment(ALICE.address, uint(1, 32))
    const start = () => void game.say(1, flying(taken))
    const before = game.count('Competed')
    await game.shaken('InFlightStarted', start, start)
    await game.until('answered', () => game.count('Competed') > before)
    await game.until('known', () => allInFlight(watcher.state.running)[0]?.doubted === true)
    const [one] = allInFlight(watcher.state.running)
    expect([one!.doubted, one!.blocked]).to.deep.equal([true, 1])
    await payAll(game, bob)
    expect(game.count('InFlightPaid')).to.equal(0)
    const processed = game.seen.flatMap((event) => (event.name === 'InFlightProcessed' ? [event.canonical] : []))
    expect(processed).to.deep.equal([false])
    expect(game.seen.flatMap((event) => (event.name === 'ExitPaid' ? [event.amount] : [])).sort()).to.deep.equal([
      COIN,
      COIN,
    ])
  })

  it('are answered again when a reorg takes back the competitor that was shown', async () => {
    const bob = game.wallet(2)
    await begun(game, bob)
    await paid(game, bob)
    void game.say(1, flying(game.payment(ALICE.address, uint(1, 32))))
    await game.until('started', () => game.count('InFlightStarted') === 1)
    let open = () => {}
    const gate = new Promise<void>((done) => {
      open = done
    })
    const l1 = game.chains[3]!
    const held = { ...l1, send: (call: PlasmaCall) => gate.then(() => l1.send(call)) }
    const watcher = game.watcher(memoryStore(), { l1: held })
    await game.until('the answer waits', () => watcher.state.tried.size === 1)
    await game.shaken('Competed', open)
    await game.until('known', () => allInFlight(watcher.state.running)[0]?.doubted === true)
    await payAll(game, bob)
    expect([game.count('Competed'), game.count('InFlightPaid')]).to.deep.equal([1, 0])
  })

  it('are answered by a watcher that is killed between a competitor and its response', async () => {
    const bob = game.wallet(2)
    const store = memoryStore()
    const never = { ...game.chains[3]!, send: () => new Promise<never>(() => undefined) }
    const first = game.watcher(store, { l1: never })
    await begun(game, bob)
    const signed = await paid(game, bob)
    void game.say(1, flying(signed))
    await game.until('started', () => game.count('InFlightStarted') === 1)
    const event = game.seen.find((one) => one.name === 'InFlightStarted')!
    const { inFlight } = event as Extract<SeenEvent, { readonly name: 'InFlightStarted' }>
    const { transaction: tx, authorisation } = game.payment(ALICE.address, uint(1, 32))
    const spend = { tx, input: 0, authorisation, inclusion: [] }
    void game.say(1, { verb: 'compete', path: [CHAIN], inFlight, position: 0, spend, terms: [] })
    await game.until('doubted', () => allInFlight(first.state.running)[0]?.doubted === true)
    expect(first.state.tried.size, 'the response is on its way, and never comes').to.equal(1)
    first.stop()
    game.watcher(store)
    await game.until('responded', () => game.count('Responded') === 1)
    await payAll(game, bob)
    const processed = game.seen.flatMap((one) => (one.name === 'InFlightProcessed' ? [one.canonical] : []))
    expect([processed, game.count('InFlightPaid')]).to.deep.equal([[true], 0])
    expect(game.failures).to.deep.equal([])
  })

  it('pay what no block has: the payer starts, the payee piggybacks by itself, both are paid', async () => {
    const [alice, bob] = [game.wallet(1), game.wallet(2)]
    await begun(game, bob)
    await game.until('alice has it', () => alice.balance(ETHER) === COIN)
    const { txHash: hash } = await alice.pay(ETHER, [{ owner: BOB.address, value: COIN / 4n }])
    game.operator.stop()
    alice.fly(hash).catch((why) => game.failures.push(why))
    await game.until('piggybacked', () => game.count('Piggybacked') === 1)
    await payAll(game, bob)
    const amounts = game.seen.flatMap((one) => (one.name === 'InFlightPaid' ? [one.amount] : []))
    expect(amounts.sort()).to.deep.equal([COIN / 4n, (COIN * 3n) / 4n])
    expect([heldBy(alice.state), game.failures]).to.deep.equal([[], []])
  })
})
