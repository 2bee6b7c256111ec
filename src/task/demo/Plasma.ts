import { ETHER, type Hex, ZERO } from '../../core/base/Bytes.ts'
import type { PlasmaEvent } from '../../core/plasma/Call.ts'
import type { Chain } from '../../core/plasma/Chain.ts'
import { OWN_PERMIT } from '../../core/plasma/Exit.ts'
import { exitCall, type Held } from '../../core/plasma/Held.ts'
import { freeOf, heldBy } from '../../core/plasma/Purse.ts'
import type { SeenEvent } from '../../core/plasma/Seen.ts'
import type { Account } from '../../edge/chain/LocalAccounts.ts'
import type { PlasmaChain } from '../../edge/chain/PlasmaChain.ts'
import { serveHttp } from '../../edge/http/Http.ts'
import type { OperatorApi } from '../../edge/http/OperatorApi.ts'
import { operatorClient } from '../../edge/http/OperatorClient.ts'
import { operatorHandler } from '../../edge/http/OperatorServer.ts'
import { Operator } from '../../role/Operator.ts'
import { Wallet } from '../../role/Wallet.ts'
import { Watcher } from '../../role/Watcher.ts'
import { check, type Part } from './Report.ts'
import { people, type Town } from './Town.ts'
import { count, money, type Voice } from './Voice.ts'

const UNIT = 10n ** 18n
const EXIT_TIME = 2 * 7 * 86_400
/** L1 blocks that must stand on a block before the people of the demo believe it. */
const DEPTH = 1
/** Coins that a user splits its deposit into: so many payments it can have under way at once. */
const SPLITS = 3

type Started = Extract<PlasmaEvent, { readonly name: 'ExitStarted' }>
type ExitPaid = Extract<PlasmaEvent, { readonly name: 'ExitPaid' }>

interface Scene {
  readonly town: Town
  readonly voice: Voice
  readonly operator: Operator
  readonly watcher: Watcher
  readonly wallets: readonly [Wallet, Wallet, Wallet]
  readonly courts: ReadonlyMap<Wallet, PlasmaChain>
  readonly path: readonly Chain[]
  readonly events: SeenEvent[]
  /** The first thing that went wrong in any role. */
  readonly failures: unknown[]
}

/** Three users on a child chain: payments over HTTP, two honest exits, a theft that fails. */
export async function plasma(town: Town, voice: Voice, payments: number): Promise<Part> {
  voice.chapter('Plasma: an operator and three users')
  const scene = await prepare(town, voice)
  const deposited = await deposits(scene)
  const seconds = await payAll(scene, payments)
  await leave(scene)
  const income = await process(scene)
  const paid = income.reduce((sum, [, amount]) => sum + amount, 0n)
  const { rootChain } = town.addresses
  const posted = scene.events.flatMap((event) => (event.name === 'ExitStarted' ? [event.exit.bond] : []))
  const all = deposited + posted.reduce((sum, bond) => sum + bond, 0n)
  return {
    payments,
    seconds,
    income,
    checks: [check("the root chain's ether", await town.balance(ETHER, rootChain), all - paid)],
  }
}

async function prepare(town: Town, voice: Voice): Promise<Scene> {
  const failures: unknown[] = []
  const events: SeenEvent[] = []
  const onFailure = (why: unknown) => failures.push(why)
  const from = town.started
  const path: readonly Chain[] = [{ parent: ZERO, slot: 0, operator: people.operator.address }]
  const operator = new Operator({
    l1: await town.plasma(people.operator),
    store: town.store('operator'),
    params: { path, depth: DEPTH, margin: 3600, fees: [], maxTransactions: 1000 },
    from,
    onFailure,
  })
  const server = await serveHttp(operatorHandler(operator.api))
  const api = operatorClient(server.url)
  const l1 = await town.plasma(people.watcher)
  const watcher = new Watcher({
    l1,
    store: town.store('watcher'),
    operator: api,
    path,
    depth: DEPTH,
    patience: 6 * 3600,
    warning: 86_400,
    from,
    onFailure,
    onAlarm: (alarm) => voice.say(`The watcher raises an alarm: ${alarm.name} (${alarm.detail}).`),
  })
  const unfollow = l1.follow(from, (input) => input.kind === 'block' && events.push(...input.block.events))
  const courts = new Map<Wallet, PlasmaChain>()
  const [ursula, victor, wanda] = [people.ursula, people.victor, people.wanda]
  for (const who of [ursula, victor, wanda]) await wallet(town, who, path, api, onFailure, courts)
  const wallets = [...courts.keys()] as [Wallet, Wallet, Wallet]
  town.atEnd(() => server.close())
  for (const role of [operator, watcher, ...wallets]) town.atEnd(() => role.stop())
  town.atEnd(unfollow)
  voice.say(`The operator serves its chain at ${server.url}; a watcher follows it.`)
  return { town, voice, operator, watcher, wallets, courts, path, events, failures }
}

async function wallet(
  town: Town,
  who: Account,
  path: readonly Chain[],
  operator: OperatorApi,
  onFailure: (why: unknown) => void,
  courts: Map<Wallet, PlasmaChain>,
): Promise<void> {
  const l1 = await town.plasma(who)
  const params = { path, key: who.key, depth: DEPTH, patience: 6 * 3600, life: 100 }
  const store = town.store(`wallet-${courts.size + 1}`)
  courts.set(new Wallet({ l1, store, operator, params, from: town.started, onFailure }), l1)
}

async function deposits(scene: Scene): Promise<bigint> {
  const { town, voice, wallets } = scene
  await wait(scene, 'the chain is registered', () => scene.operator.state.registered)
  const receipts = await Promise.all(wallets.map((wallet) => wallet.deposit(ETHER, UNIT)))
  await wait(scene, 'the deposits can be spent', () => wallets.every((wallet) => wallet.balance(ETHER) === UNIT))
  voice.say(`Three users deposit ${money(UNIT, 'ETH')} each, for ${count(receipts[0]!.gasUsed)} gas.`)
  const [, , wanda] = wallets
  await wanda.deposit(ETHER, 2n * UNIT)
  await wait(scene, 'the second deposit counts', () => wanda.balance(ETHER) === 3n * UNIT)
  voice.say(`The third deposits another ${money(2n * UNIT, 'ETH')}, which it will not spend.`)
  await town.look()
  return 5n * UNIT
}

/** Mines until something holds; stops at once if a role has failed. */
function wait({ town, failures }: Scene, what: string, holds: () => boolean): Promise<void> {
  return town.until(what, holds, async () => {
    if (failures.length > 0) throw failures[0]
    await town.mine(1)
  })
}

/** Seals what the operator has, and waits until everybody has checked it and believes it. */
async function settle(scene: Scene): Promise<void> {
  const { operator, watcher, wallets } = scene
  operator.seal()
  const followers = () => [watcher, ...wallets].map((role) => role.state.follower.ledger.number)
  const all = () => operator.state.taken === undefined && followers().every((n) => n === operator.state.ledger.number)
  await wait(scene, 'the block is committed and checked by all', all)
}

/** The coins that a wallet pays with: all but the third user's second deposit. */
function coins(wallet: Wallet): readonly Held[] {
  return freeOf(wallet.state, ETHER).filter(({ output }) => output.value <= UNIT)
}

async function payAll(scene: Scene, payments: number): Promise<number> {
  const { voice, wallets } = scene
  const started = performance.now()
  for (let i = 0; i < SPLITS; i++) {
    for (const wallet of wallets) await Promise.all(coins(wallet).map((coin) => split(wallet, coin)))
    await settle(scene)
  }
  let done = 0
  while (done < payments) {
    const round = wallets.flatMap((from, i) =>
      coins(from)
        .slice(0, 60)
        .map(
          ({ output }, n) =>
            () =>
              pay(from, wallets[(i + 1 + (n % 2)) % 3]!, output.value),
        ),
    )
    const now = round.slice(0, payments - done)
    await Promise.all(now.map((one) => one()))
    done += now.length
    await settle(scene)
    voice.progress('payments submitted, sealed, committed and checked:', done, payments)
  }
  const seconds = (performance.now() - started) / 1000
  const blocks = scene.events.filter(({ name }) => name === 'Committed').length
  voice.say(
    `${count(payments)} payments through the operator's HTTP API in ${seconds.toFixed(1)} s, in ${blocks} committed blocks.`,
  )
  return seconds
}

function split(wallet: Wallet, { output }: Held): Promise<unknown> {
  const quarter = output.value / 4n
  const parts = [quarter, quarter, quarter, output.value - 3n * quarter]
  return wallet.pay(
    ETHER,
    parts.map((value) => ({ owner: wallet.owner, value })),
  )
}

function pay(from: Wallet, to: Wallet, value: bigint): Promise<unknown> {
  return from.pay(ETHER, [{ owner: to.owner, value: value / 3n }])
}

/** Two leave honestly, one with a coin that it has spent. */
async function leave(scene: Scene): Promise<void> {
  const { voice, wallets, courts, path } = scene
  const [ursula, victor, wanda] = wallets
  const hers = coins(ursula)[0]!
  const first = await ursula.leave(hers.id)
  voice.say(
    `The first user leaves with an output of ${money(hers.output.value, 'ETH')}, for ${count(first.gasUsed)} gas.`,
  )
  const spent = coins(victor)[0]!
  await victor.pay(ETHER, [{ owner: ursula.owner, value: spent.output.value }])
  const stolen = heldBy(victor.state).find(({ use }) => use === 'paying')!
  await settle(scene)
  await courts.get(victor)!.send(exitCall(path, stolen.proof, OWN_PERMIT))
  voice.say(`The second spends ${money(stolen.output.value, 'ETH')}, and tries to leave with them all the same.`)
  await wait(scene, 'the watcher challenges', () => scene.events.some(({ name }) => name === 'ExitChallenged'))
  voice.say('The watcher challenges with the spend and earns half of the bond.')
  const deposit = heldBy(wanda.state).find(
    ({ proof, output }) => proof.kind === 'deposit' && output.value === 2n * UNIT,
  )!
  const third = await wanda.leave(deposit.id)
  voice.say(`The third leaves with its second deposit, for ${count(third.gasUsed)} gas.`)
}

/** Lets the periods pass and the queue pay; returns what each must have received. */
async function process(scene: Scene): Promise<readonly (readonly [Hex, bigint])[]> {
  const { town, voice, wallets, events } = scene
  await town.pass(EXIT_TIME)
  await wait(scene, 'everybody knows the exits', () => events.filter(({ name }) => name === 'ExitStarted').length === 3)
  const { gasUsed } = await wallets[0].process(ETHER, await town.now())
  await wait(scene, 'both exits are paid', () => events.filter(({ name }) => name === 'ExitPaid').length === 2)
  const started = events.filter((event): event is Started => event.name === 'ExitStarted')
  const paid = events.filter((event): event is ExitPaid => event.name === 'ExitPaid')
  const exits = paid.map(
    ({ ids, index, lane }) => started.find((one) => one.ids === ids && one.index === index && one.lane === lane)!.exit,
  )
  const ordered = exits.every(({ exitableAt }, i) => i === 0 || exits[i - 1]!.exitableAt <= exitableAt)
  if (!ordered) throw new Error('the queue paid out of order')
  const challenged = started.find(({ exit }) => !exits.includes(exit))!.exit
  voice.say(`Two weeks later the queue pays the two honest exits in order, for ${count(gasUsed)} gas.`)
  return [
    ...exits.map(({ owner, value, bond }) => [owner, value + bond] as const),
    [people.watcher.address, challenged.bond / 2n],
  ]
}
