import { join } from 'node:path'
import { ETHER, type Hex, ZERO } from '../../core/base/Bytes.ts'
import { type Chain, chainId, ownOf } from '../../core/plasma/Chain.ts'
import { shownBy } from '../../core/plasma/Opening.ts'
import { freeOf } from '../../core/plasma/Purse.ts'
import type { SeenEvent } from '../../core/plasma/Seen.ts'
import { localAccount } from '../../edge/chain/LocalAccounts.ts'
import { Fault } from '../../edge/Fault.ts'
import type { OperatorApi } from '../../edge/http/OperatorApi.ts'
import { operatorClient } from '../../edge/http/OperatorClient.ts'
import { Wallet } from '../../role/Wallet.ts'
import { type Crew, recruit } from './Crew.ts'
import type { Ground } from './Ground.ts'
import { type Check, check } from './Report.ts'
import { Town } from './Town.ts'
import { count, money, type Voice } from './Voice.ts'

const UNIT = 10n ** 18n
const EXIT_TIME = 2 * 7 * 86_400
const DEPTH = 1
/** The first local account of operators, of payers and of payees; one each a chain. */
const [OPERATORS, PAYERS, PAYEES] = [10, 15, 1]
/** Milliseconds between blocks of layer 1 while something is waited for. */
const PACE = 60

/** One chain of the demo: its operator in its own process, and two users. */
interface Branch {
  readonly name: string
  readonly path: readonly Chain[]
  readonly crew: Crew
  readonly api: OperatorApi
  readonly payer: Wallet
  readonly payee: Wallet
}

/** What the demo of a tree came to. */
export interface TreeSummary {
  readonly processes: number
  readonly payments: number
  readonly seconds: number
  /** Commitments on layer 1, and how many of them anchor a block of every chain. */
  readonly commitments: number
  readonly anchoringAll: number
  readonly exitGas: number
  readonly checks: readonly Check[]
  readonly folder: string
}

/** The chains by name: where each hangs, and in which slot. */
const PLAN = [
  { name: 'root', parent: -1, slot: 0 },
  { name: 'first child', parent: 0, slot: 0 },
  { name: 'second child', parent: 0, slot: 1 },
  { name: 'third child', parent: 0, slot: 255 },
  { name: 'grandchild', parent: 1, slot: 7 },
] as const

/** Five operators in processes of their own, users on each chain, one commitment for all, an exit without any of them. */
export async function demoTree({ connection, url }: Ground, voice: Voice, rounds: number): Promise<TreeSummary> {
  const town = await Town.build(connection)
  try {
    voice.chapter('A tree of chains: a root, three children, a grandchild')
    const failures: unknown[] = []
    const events: SeenEvent[] = []
    const l1 = await town.plasma(localAccount(PAYEES))
    town.atEnd(l1.follow(town.started, (input) => input.kind === 'block' && events.push(...input.block.events)))
    const branches = await grow(town, url!, voice, failures)
    const wait = waiter(town, branches, failures)
    await wait('the wallets know layer 1', () => everyWallet(branches, ({ follower }) => follower.goal !== undefined))
    await fund(branches, voice, wait)
    const started = performance.now()
    let payments = await payAll(branches, rounds, voice, wait)
    let seen = await anchoring(events, branches)
    // On a busy machine somebody may be late every time.
    for (let more = 0; seen.anchoringAll === 0 && more < 5; more++) {
      payments += await payAll(branches, 1, voice, wait)
      seen = await anchoring(events, branches)
    }
    const seconds = (performance.now() - started) / 1000
    voice.say(
      `${count(payments)} payments on five chains in ${seconds.toFixed(1)} s, each believed once it is anchored.`,
    )
    voice.say(
      `${seen.commitments} commitments are on layer 1; ${seen.anchoringAll} anchor a block of each of the five chains.`,
    )
    for (const branch of branches) await branch.crew.stop()
    voice.say('All five operators are gone for ever.')
    const left = await leave(town, branches, events, voice, wait)
    const court = await connection.ethers.getContractAt('RootChain', town.addresses.rootChain)
    const potOf = (path: readonly Chain[]) => court.pots(chainId(ownOf(path)), ETHER)
    const checks = [...left.checks, ...(await pots(branches, left.amount, potOf))]
    return { processes: branches.length, payments, seconds, ...seen, exitGas: left.gas, checks, folder: town.folder }
  } finally {
    await town.leave()
  }
}

type Wait = (what: string, holds: () => boolean) => Promise<void>

/** Mines until something holds; stops at once if anybody has failed. */
function waiter(town: Town, branches: readonly Branch[], failures: readonly unknown[]): Wait {
  return (what, holds) =>
    town.until(what, holds, async () => {
      if (failures.length > 0) throw failures[0]
      const failed = branches.find((branch) => branch.crew.failure())
      if (failed) throw new Fault('CallFailed', `the operator of the ${failed.name} failed: ${failed.crew.failure()}`)
      await town.mine(1)
      await new Promise((done) => setTimeout(done, PACE))
    })
}

function everyWallet(branches: readonly Branch[], holds: (state: Wallet['state']) => boolean): boolean {
  return branches.every(({ payer, payee }) => holds(payer.state) && holds(payee.state))
}

async function grow(town: Town, node: string, voice: Voice, failures: unknown[]): Promise<readonly Branch[]> {
  const recruits = PLAN.map(() => recruit())
  for (const one of recruits) town.atEnd(() => one.stop())
  const grown: Branch[] = []
  const plant = async (i: number) => {
    const { name, parent, slot } = PLAN[i]!
    const above = grown[parent]
    const path = [...(above?.path ?? []), chainOf(above, slot, i)]
    const store = join(town.folder, `operator-${i}.sqlite`)
    const hired = await recruits[i]!.hire({
      ...{ node, court: town.addresses.rootChain, from: town.started, path, store, depth: DEPTH },
      account: OPERATORS + i,
      // A child asks more often than its parent seals.
      interval: [1500, 400, 100][path.length - 1]!,
      ...(above && { parent: { account: OPERATORS + parent, url: above.crew.url } }),
    })
    const api = operatorClient(hired.url)
    const users = await Promise.all([PAYERS + i, PAYEES + i].map((n) => walletOf(town, n, path, api, failures)))
    grown[i] = { name, path, crew: hired, api, payer: users[0]!, payee: users[1]! }
    voice.say(`The operator of the ${name} runs as a process of its own and serves ${hired.url}.`)
  }
  // A chain is registered before its children are.
  for (const level of [[0], [1, 2, 3], [4]]) {
    await Promise.all(level.map(plant))
    const registered = () => level.every((i) => grown[i]!.crew.isRegistered())
    await waiter(town, grown, failures)('they are registered', registered)
  }
  return grown
}

function chainOf(above: Branch | undefined, slot: number, i: number): Chain {
  const parent = above ? chainId(ownOf(above.path)) : ZERO
  return { parent, slot, operator: localAccount(OPERATORS + i).address }
}

async function walletOf(
  town: Town,
  account: number,
  path: readonly Chain[],
  operator: OperatorApi,
  failures: unknown[],
): Promise<Wallet> {
  const { key } = localAccount(account)
  const l1 = await town.plasma(localAccount(account))
  const params = { path, key, depth: DEPTH, patience: 6 * 3600, alarm: 12 * 3600, life: 100 }
  const onFailure = (why: unknown) => failures.push(why)
  const parts = { l1, store: town.store(`wallet-${account}`), operator, params, from: town.started, onFailure }
  const wallet = new Wallet({ ...parts, interval: 100 })
  town.atEnd(() => wallet.stop())
  return wallet
}

async function fund(branches: readonly Branch[], voice: Voice, wait: Wait): Promise<void> {
  await Promise.all(branches.map(({ payer }) => payer.deposit(ETHER, UNIT)))
  await wait('the deposits count', () => branches.every(({ payer }) => payer.balance(ETHER) === UNIT))
  voice.say(`A user of each chain deposits ${money(UNIT, 'ETH')}.`)
}

/** Every payer pays with each coin it has; returns how many payments that were. */
async function payAll(branches: readonly Branch[], rounds: number, voice: Voice, wait: Wait): Promise<number> {
  let payments = 0
  for (let round = 1; round <= rounds; round++) {
    const sent = branches.flatMap(({ payer, payee }) =>
      freeOf(payer.state, ETHER).map(({ output }) => payer.pay(ETHER, split(payer, payee, output.value))),
    )
    payments += (await Promise.all(sent)).length
    await wait('the payments are checked by all', () => everyWallet(branches, (state) => isSettled(state)))
    voice.progress('rounds of payments anchored and checked:', round, rounds)
  }
  return payments
}

function isSettled({ payments, follower }: Wallet['state']): boolean {
  return payments.size === 0 && follower.commits.length === 0
}

/** A little for the payee, and change in parts, so that there is more to pay with in the next round. */
function split(payer: Wallet, payee: Wallet, value: bigint): { owner: Hex; value: bigint }[] {
  return [
    { owner: payee.owner, value: value / 10n },
    { owner: payer.owner, value: value / 3n },
  ]
}

/** Holds every commitment against what the operators serve of it. */
async function anchoring(
  events: readonly SeenEvent[],
  branches: readonly Branch[],
): Promise<{ readonly commitments: number; readonly anchoringAll: number }> {
  const [root] = branches
  const court = root!.payer.state.follower.ledger.court
  const commits = events.filter((event) => event.name === 'Committed')
  let anchoringAll = 0
  for (const commit of commits) {
    const shown = await Promise.all(
      branches.map(async ({ api, path }) => {
        const openings = path.length > 1 ? await api.openings(commit.number) : []
        const found = shownBy(court, path, commit, openings)
        if (found.kind !== 'anchored') return false
        return (await api.block(commit.number)).header === found.header
      }),
    )
    if (shown.every(Boolean)) anchoringAll += 1
  }
  return { commitments: commits.length, anchoringAll }
}

interface Left {
  readonly amount: bigint
  readonly gas: number
  readonly checks: readonly Check[]
}

/** The grandchild's payee leaves with its dearest output. */
async function leave(
  town: Town,
  branches: readonly Branch[],
  events: readonly SeenEvent[],
  voice: Voice,
  wait: Wait,
): Promise<Left> {
  const { payee } = branches.at(-1)!
  const [coin] = freeOf(payee.state, ETHER)
  const { value } = coin!.output
  const { gasUsed } = await payee.leave(coin!.id)
  voice.say(
    `A user of the grandchild leaves with ${money(value, 'ETH')} by a proof through three blocks, for ${count(gasUsed)} gas.`,
  )
  await town.pass(EXIT_TIME)
  await wait('two weeks are over', () => payee.state.running.exits.size === 1)
  const paying = await payee.process(ETHER, await town.now())
  await wait('it is paid', () => events.some(({ name }) => name === 'ExitPaid'))
  voice.say(`Two weeks later the court pays it, for ${count(paying.gasUsed)} gas.`)
  const paid = events.flatMap((event) => (event.name === 'ExitPaid' ? event.amount : []))
  const income = check("what the court paid the grandchild's user", paid[0] ?? 0n, value)
  return { amount: value, gas: Number(gasUsed), checks: [income] }
}

/** Every chain's money is its own: only the grandchild's pot has paid. */
async function pots(
  branches: readonly Branch[],
  paid: bigint,
  potOf: (path: readonly Chain[]) => Promise<bigint>,
): Promise<readonly Check[]> {
  return Promise.all(
    branches.map(async ({ name, path }, i) => {
      const need = i === branches.length - 1 ? UNIT - paid : UNIT
      return check(`the pot of the ${name}`, await potOf(path), need)
    }),
  )
}
