import { expect } from 'chai'
import { Interface } from 'ethers'
import { network } from 'hardhat'
import { creditKey } from '../../src/core/base/Asset.ts'
import { ETHER, type Hex, ZERO } from '../../src/core/base/Bytes.ts'
import type { Nature, Transfer } from '../../src/core/base/Court.ts'
import { type Domain, domain, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { PlasmaCall, PlasmaEvent } from '../../src/core/plasma/Call.ts'
import { deployed, type PlasmaCourt, pair, type Terms } from '../../src/core/plasma/Draft.ts'
import {
  assetsOf,
  bitsOf,
  type InFlightExit,
  type InFlightState,
  NO_PLACES,
  outputAt,
  stateWord,
} from '../../src/core/plasma/InFlightExit.ts'
import { rootChain } from '../../src/core/plasma/RootChain.ts'
import { callValue } from '../../src/core/plasma/Sending.ts'
import { escrowKey } from '../../src/core/plasma/Vaults.ts'
import { type Account, localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { type Receiver, type RootChain, RootChain__factory, type VerdictRegistry } from '../../typechain-types/index.ts'
import { named, plain } from './decode.ts'
import { agreeOnTokens } from './holdings.ts'

/** What a call ended with: a refusal's name and arguments, or the events that it emitted. */
export interface Outcome {
  readonly refused: string | undefined
  readonly args: readonly unknown[]
  readonly events: readonly PlasmaEvent[]
}

type Connection = Awaited<ReturnType<typeof network.create<'generic'>>>

/** A deployed court and its model; every call is made to both and compared. */
export interface Stage {
  readonly connection: Connection
  readonly terms: Terms
  readonly domain: Domain
  readonly abi: Interface
  /** A contract that may own outputs; `refusing` says whether it refuses ether. */
  readonly receiver: Receiver
  readonly receiverAddress: Hex
  /** The registry of preimages, and the second in which each hash was revealed. */
  readonly registry: VerdictRegistry
  readonly revealed: Map<Hex, number>
  /** What the assets are that have code. */
  readonly natures: Map<Hex, Nature>
  /** Tokens whose pushes fail. */
  readonly stubborn: Set<Hex>
  /** What everybody holds of the ERC-20s that are honest. */
  readonly holdings: Map<Hex, Map<Hex, bigint>>
  model: PlasmaCourt
  refusing: boolean
  time: number
  readonly balances: Map<Hex, bigint>
  /** Calls whose money was looked at only where it moved; at every tenth of them everybody's is. */
  brief: number | undefined
  readonly history: PlasmaEvent[]
  /** The second of each event of the history. */
  readonly moments: number[]
}

export const [operator, alice, bob, carol, stranger] = [1, 2, 3, 4, 5].map(localAccount) as [
  Account,
  Account,
  Account,
  Account,
  Account,
]
const EVERYBODY = [operator, alice, bob, carol, stranger].map(({ address }) => address)
const NEVER_MONEY = { gasPrice: 0 }
/** Seconds of the tests' court. */
export const [MFP, MARGIN, ALARM] = [1000, 120, 120]
/** The tests' bond, in gas, and its limits in wei per gas. */
export const [BOND_GAS, FLOOR, CEILING] = [101n, 5n, 200n]
/** The bond while the base fee is at or below its floor. */
export const BOND = BOND_GAS * FLOOR

/** A fresh chain that stages can be put on, one after another. */
export async function ground(): Promise<Connection> {
  return network.create({
    network: 'default',
    override: { initialBaseFeePerGas: 0n, initialDate: '2026-01-01T00:00:00Z' },
  })
}

/** A fresh court on a chain, with a registry of preimages of its own unless one is given. */
export async function stage(connection: Connection, shared?: VerdictRegistry): Promise<Stage> {
  const { ethers, networkHelpers } = connection
  await networkHelpers.setNextBlockBaseFeePerGas(0)
  await networkHelpers.mine()
  const registry = shared ?? (await ethers.deployContract('VerdictRegistry', NEVER_MONEY))
  const court = await ethers.deployContract(
    'RootChain',
    [registry, MFP, MARGIN, ALARM, BOND_GAS, FLOOR, CEILING],
    NEVER_MONEY,
  )
  const receiver = await ethers.deployContract('Receiver', NEVER_MONEY)
  const address = (await court.getAddress()).toLowerCase() as Hex
  const under = domain(31337n, address)
  const bonds = { bondGas: BOND_GAS, feeFloor: FLOOR, feeCeiling: CEILING }
  const terms = { court: under, mfp: MFP, margin: MARGIN, alarm: ALARM, ...bonds }
  return {
    connection,
    terms,
    domain: under,
    abi: new Interface(RootChain__factory.abi),
    receiver,
    receiverAddress: (await receiver.getAddress()).toLowerCase() as Hex,
    registry,
    revealed: new Map(),
    natures: new Map(),
    stubborn: new Set(),
    holdings: new Map(),
    model: deployed(terms),
    refusing: false,
    time: await connection.networkHelpers.time.latest(),
    balances: new Map(),
    brief: undefined,
    history: [],
    moments: [],
  }
}

/** The same stage with its own memory: what is played on one of the two, the other does not know. */
export function fork(on: Stage): Stage {
  return {
    ...on,
    revealed: new Map(on.revealed),
    natures: new Map(on.natures),
    stubborn: new Set(on.stubborn),
    holdings: new Map([...on.holdings].map(([asset, held]) => [asset, new Map(held)])),
    balances: new Map(on.balances),
    history: [...on.history],
    moments: [...on.moments],
  }
}

/** How a call is sent. Value defaults to what the verb needs, time to one second later, base fee to zero. */
export interface Sending {
  readonly value?: bigint
  readonly time?: number
  readonly baseFee?: bigint
  readonly gas?: number
}

/** Makes a call to contract and model, and requires that both agree on refusal, events and every balance. */
export async function play(on: Stage, call: PlasmaCall, sender: Hex, sending: Sending = {}): Promise<Outcome> {
  const { time = on.time + 1, baseFee = 0n, gas = 8_000_000 } = sending
  const value = sending.value ?? callValue(on.terms, call, baseFee, sender)
  const expected = predict(on, call, { sender, value, time, baseFee })
  on.time = time
  const got = await transact(on, call, sender, { value, time, baseFee, gas })
  expect(got, `${call.verb} by ${sender}`).to.deep.equal(expected.outcome)
  for (const { asset, from, to, amount } of expected.transfers) {
    if (asset !== ETHER) continue
    move(on, from, -amount)
    move(on, to, amount)
  }
  if (baseFee > 0n) on.balances.delete(sender) // it paid for gas, too
  const touched = new Set(expected.transfers.flatMap(({ from, to }) => [from, to]))
  const whose = on.brief === undefined || on.brief++ % 10 === 9 ? undefined : touched.add(on.domain.court)
  await agreeOnMoney(on, whose)
  await agreeOnTokens(on, expected.transfers, whose)
  on.history.push(...got.events)
  on.moments.push(...got.events.map(() => time))
  return got
}

function predict(on: Stage, call: PlasmaCall, env: { sender: Hex; value: bigint; time: number; baseFee: bigint }) {
  const hostile = (to: Hex) => to === on.receiverAddress && on.refusing
  const refuses = (asset: Hex, to: Hex) => (asset === ETHER ? hostile(to) : on.stubborn.has(asset))
  try {
    const revealedAt = (hash: Hex) => on.revealed.get(hash) ?? 0
    const natureOf = (asset: Hex) => on.natures.get(asset) ?? 'nothing'
    const ruling = rootChain(on.model, call, { ...env, refuses, revealedAt, natureOf })
    on.model = ruling.state
    return { outcome: { refused: undefined, args: [], events: ruling.events }, transfers: ruling.transfers }
  } catch (why) {
    if (!(why instanceof Refusal)) throw why
    return { outcome: { refused: why.code, args: why.args, events: [] }, transfers: [] as readonly Transfer[] }
  }
}

async function transact(on: Stage, call: PlasmaCall, sender: Hex, sending: Required<Sending>): Promise<Outcome> {
  await ask(on, 'evm_setNextBlockTimestamp', quantity(sending.time))
  // A fee of zero stays zero by itself while blocks are not half full.
  const isFeeSet = on.brief === undefined || sending.baseFee > 0n
  if (isFeeSet) await ask(on, 'hardhat_setNextBlockBaseFeePerGas', quantity(sending.baseFee))
  const data = encode(on, call)
  const direct = { from: sender, to: on.domain.court, data }
  const acted = on.receiver.interface.encodeFunctionData('act', [on.domain.court, data])
  const route = sender === on.receiverAddress ? { from: stranger.address, to: on.receiverAddress, data: acted } : direct
  const quantities = { value: quantity(sending.value), gas: quantity(sending.gas), gasPrice: quantity(sending.baseFee) }
  try {
    const hash = await ask(on, 'eth_sendTransaction', { ...route, ...quantities })
    const { logs } = (await ask(on, 'eth_getTransactionReceipt', hash)) as { readonly logs: readonly Log[] }
    return { refused: undefined, args: [], events: logs.flatMap((log) => decodeEvent(on, log)) }
  } catch (why) {
    const error = on.abi.parseError((why as { data?: string }).data ?? '0x')
    if (!error) throw why
    return { refused: error.name, args: error.args.map((arg, i) => plain(error.fragment.inputs[i]!, arg)), events: [] }
  }
}

/** The calldata of a call. */
export function encode(on: Pick<Stage, 'abi'>, call: PlasmaCall): Hex {
  const { inputs } = on.abi.getFunction(call.verb)!
  return on.abi.encodeFunctionData(
    call.verb,
    inputs.map(({ name }) => (call as unknown as Record<string, unknown>)[name]),
  ) as Hex
}

function quantity(value: bigint | number): string {
  return `0x${value.toString(16)}`
}

type Log = { readonly address: string; readonly topics: readonly string[]; readonly data: string }

function decodeEvent(on: Stage, log: Log): PlasmaEvent[] {
  if (log.address.toLowerCase() !== on.domain.court) return []
  const { name, fragment, args } = on.abi.parseLog(log)!
  return [{ name, ...named(fragment.inputs, args) } as PlasmaEvent]
}

function move(on: Stage, who: Hex, by: bigint): void {
  // What passes through the receiver in both directions came from the stranger who made it act.
  const before = on.balances.get(who === on.receiverAddress && by < 0n ? stranger.address : who)
  if (before !== undefined) on.balances.set(who === on.receiverAddress && by < 0n ? stranger.address : who, before + by)
}

/** Everybody's ether, or that of some only, is what the calls so far made it. */
async function agreeOnMoney(on: Stage, whose?: ReadonlySet<Hex>): Promise<void> {
  for (const who of [...EVERYBODY, on.receiverAddress, on.domain.court]) {
    if (whose && !whose.has(who) && on.balances.has(who)) continue
    const have = BigInt((await ask(on, 'eth_getBalance', who, 'latest')) as string)
    const known = on.balances.get(who)
    if (known !== undefined) expect(have, `balance of ${who}`).to.equal(known)
    on.balances.set(who, have)
  }
}

function ask(on: Stage, method: string, ...params: readonly unknown[]): Promise<unknown> {
  return on.connection.provider.request({ method, params: [...params] })
}

/** Everything that the contract keeps is what the model keeps, and its balance is exactly what it owes. */
export async function agreeOnState(on: Stage): Promise<void> {
  const contract = RootChain__factory.connect(on.domain.court, on.connection.ethers.provider)
  const { chains, commitments, status, approved, pots, queues, credits } = on.model
  await agreeOnMore(on, contract)
  for (const [id, { depth, since, number, time, asOf }] of chains) {
    const have = await contract.chains(id)
    expect([...have].map(Number)).to.deep.equal([depth, since, number, time, asOf])
  }
  for (const [key, kept] of commitments) {
    const [chain, number] = key.split('/') as [Hex, string]
    expect(await contract.commitments(chain, BigInt(number))).to.equal(kept)
  }
  for (const [id, have] of status) expect(await contract.status(id), id).to.equal(have)
  for (const key of approved.keys()) expect(await contract.approved(...halves(key))).to.equal(true)
  for (const [key, pot] of pots) expect(await contract.pots(...halves(key)), key).to.equal(pot)
  for (const [key, { list, buckets }] of queues) {
    for (const [lane, { words }] of [[0, list] as const, ...buckets]) {
      for (let i = 0; i < words.length; i++) expect(await contract.entry(...halves(key), lane, i)).to.equal(words[i])
    }
  }
  for (const [key, amount] of credits) {
    const [asset, owner] = [key.slice(0, 42), `0x${key.slice(42)}`]
    expect(creditKey(asset as Hex, owner as Hex)).to.equal(key)
    expect(await contract.credits(asset, owner)).to.equal(amount)
  }
  expect(await on.connection.ethers.provider.getBalance(on.domain.court)).to.equal(owed(on))
}

function halves(key: string): [Hex, Hex] {
  return key.split('/') as [Hex, Hex]
}

async function agreeOnMore(on: Stage, contract: RootChain): Promise<void> {
  const { slots, kinds, holders, tokenCredits, escrows, inFlight } = on.model
  for (const key of slots.keys()) {
    const [parent, slot] = halves(key)
    expect(((await contract.slots(parent)) >> BigInt(slot)) & 1n).to.equal(1n)
  }
  for (const [asset, kind] of kinds) expect(await contract.kinds(asset)).to.equal(kind === 'unique' ? 2n : 1n)
  for (const [key, chain] of holders) expect(await contract.holders(...halves(key))).to.equal(chain)
  for (const [key, owner] of tokenCredits) {
    expect((await contract.tokenCredits(...halves(key))).toLowerCase()).to.equal(owner)
  }
  for (const event of on.history) {
    if (event.name === 'Escrowed') {
      const { owner, lock, asset } = event
      const id = kinds.get(asset) === 'unique' ? event.value : 0n
      const kept = escrows.get(escrowKey(owner, lock, asset, id)) ?? 0n
      expect(await contract.escrows(owner, lock, asset, id)).to.equal(kept)
    } else if (event.name === 'InFlightStarted') {
      const state = inFlight.get(event.txHash)
      const [word, competitor, response] = await contract.inFlights(event.txHash)
      expect(word).to.equal(state ? stateWord(state) : 0n)
      const places = on.model.places.get(event.txHash) ?? NO_PLACES
      expect([competitor, response]).to.deep.equal([places.competitor, places.response])
    }
  }
}

/** Wei that the court owes: pots, credits, escrows and the bonds of exits that still wait. */
export function owed(on: Stage): bigint {
  const { pots, credits, inFlight } = on.model
  let sum = 0n
  for (const [key, pot] of pots) if (key.endsWith(ETHER)) sum += pot
  for (const [key, credit] of credits) if (key.startsWith(ETHER)) sum += credit
  for (const { exit } of waiting(on)) sum += exit.bond
  for (const { txHash, inFlight: exit } of lastRuns(on)) {
    const state = inFlight.get(txHash)
    if (state) sum += exit.bond * BigInt(bondsOf(state, exit))
  }
  return sum + inEscrow(on)
}

function inEscrow(on: Stage): bigint {
  let sum = 0n
  for (const event of on.history) {
    if (!('asset' in event) || event.asset !== ETHER) continue
    if (event.name === 'Escrowed') sum += event.value
    if (event.name === 'EscrowClaimed') sum -= event.value
  }
  return sum
}

type InFlightStarted = Extract<PlasmaEvent, { name: 'InFlightStarted' }>

/** The last start of each in-flight exit. */
export function lastRuns(on: Stage): readonly InFlightStarted[] {
  const last = new Map<Hex, InFlightStarted>()
  for (const event of on.history) if (event.name === 'InFlightStarted') last.set(event.txHash, event)
  return [...last.values()]
}

/** How many bonds a running in-flight exit has: its start's, and those of positions that still wait. */
function bondsOf(state: InFlightState, exit: InFlightExit): number {
  const assets = assetsOf(exit)
  const waits = (position: number) => !((state.done >> assets.indexOf(outputAt(exit, position)!.asset)) & 1)
  const start = state.outcome === 'open' && !state.doubted ? 1 : 0
  return start + bitsOf(state.piggybacked & ~state.blocked).filter(waits).length
}

/** Publishes a preimage on layer 1. */
export async function reveal(on: Stage, preimage: Hex, time = on.time + 1): Promise<void> {
  on.time = time
  await on.connection.networkHelpers.time.setNextBlockTimestamp(time)
  await on.connection.networkHelpers.setNextBlockBaseFeePerGas(0)
  await (await on.registry.reveal([preimage], { gasPrice: 0 })).wait()
  const hash = hashLock(preimage)
  if (!on.revealed.has(hash)) on.revealed.set(hash, time)
}

/** The exits that wait in any queue, in the order of their starts. */
export function waiting(on: Stage) {
  return started(on).filter(({ exit, lane, index }) => {
    const queue = on.model.queues.get(pair(exit.chain, exit.asset))
    const words = lane === 0 ? queue?.list.words : queue?.buckets.get(lane)?.words
    return words?.[index] !== 0n
  })
}

/** Every exit that was ever started, in order. */
export function started(on: Stage) {
  return on.history.filter((event) => event.name === 'ExitStarted')
}

/** Signs a digest. */
export function signed(digest: Hex, by: Account): Hex {
  return sign(digest, by.key)
}

/** The call was refused with this error, and (if given) these arguments. */
export function expectRefused(outcome: Outcome, name: string, ...args: readonly unknown[]): void {
  expect(outcome.refused).to.equal(name)
  if (args.length > 0) expect(outcome.args).to.deep.equal(args)
}

/** The call went through. */
export function expectDone(outcome: Outcome): Outcome {
  expect(
    outcome.refused,
    JSON.stringify(outcome.args, (_, v) => (typeof v === 'bigint' ? `${v}` : v)),
  ).to.equal(undefined)
  return outcome
}

export { ETHER, ZERO }
