import { expect } from 'chai'
import { Interface, type Result } from 'ethers'
import { network } from 'hardhat'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import type { Transfer } from '../../src/core/base/Court.ts'
import { type Domain, domain, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { adjudicate } from '../../src/core/channel/Adjudicator.ts'
import { PERMIT2 } from '../../src/core/channel/Authorization.ts'
import type { ChannelCall, ChannelEvent, SignedState } from '../../src/core/channel/Call.ts'
import { type Channel, channelId, FINAL, finalState, stateDigest } from '../../src/core/channel/Channel.ts'
import { callValue } from '../../src/core/channel/Funding.ts'
import { type Lock, locksRoot, packLocks } from '../../src/core/channel/Lock.ts'
import { type ChannelCourt, newCourt, recorded, recordOf } from '../../src/core/channel/Record.ts'
import { type Account, localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { plantPermit2 } from '../../src/edge/chain/Permit2.ts'
import {
  Adjudicator__factory,
  type OddCondition,
  Permit2StandIn__factory,
  type Receiver,
  type SignedToken,
  SignedToken__factory,
} from '../../typechain-types/index.ts'
import { isRefused, NEW_PURSE, type Purse, pull, type Refused } from './purse.ts'

/** The tests' unit of money. */
export const UNIT = 10n ** 18n
/** Seconds of the tests' challenge period. */
export const PERIOD = 3600
/** What a call ended with: a refusal's name and arguments, or the events that it emitted. */
export type Outcome =
  | { readonly refused: string; readonly args: readonly unknown[] }
  | { readonly refused: undefined; readonly events: readonly ChannelEvent[] }

/** A deployed court, its model, and money to play with; every call is made to both and compared. */
export interface Stage {
  readonly connection: Awaited<ReturnType<typeof network.create<'generic'>>>
  readonly domain: Domain
  readonly token: SignedToken
  readonly tokenAddress: Hex
  /** A contract that may own a side; `refusing` says whether it takes ether. */
  readonly receiver: Receiver
  readonly receiverAddress: Hex
  readonly abi: Interface
  /** A condition that answers as it is told. */
  readonly condition: OddCondition
  readonly conditionAddress: Hex
  /** What it answers, once that is final. */
  verdict: bigint | undefined
  /** Money under open locks of closed channels, by channel id. */
  readonly underLocks: Map<Hex, { asset: Hex; amount: bigint }>
  model: ChannelCourt
  /** What the token and Permit2 know of everybody. */
  purse: Purse
  refusing: boolean
  time: number
  balances: Map<string, bigint>
}

export const [alice, bob, carol, stranger] = [1, 2, 3, 4].map(localAccount) as [Account, Account, Account, Account]
const FOREIGN = [new Interface(SignedToken__factory.abi), new Interface(Permit2StandIn__factory.abi)]
const START = Date.UTC(2026, 0, 1) / 1000

/** A fresh chain with a court and a token that alice, bob, carol and a stranger hold and let court and Permit2 take. */
export async function stage(): Promise<Stage> {
  const connection = await network.create({
    network: 'default',
    override: { initialBaseFeePerGas: 0n, initialDate: new Date(1000 * START) },
  })
  const { ethers } = connection
  const court = await ethers.deployContract('Adjudicator', { gasPrice: 0 })
  const token = await ethers.deployContract('SignedToken', { gasPrice: 0 })
  const receiver = await ethers.deployContract('Receiver', { gasPrice: 0 })
  const condition = await ethers.deployContract('OddCondition', { gasPrice: 0 })
  await condition.behave(1, 0, { gasPrice: 0 })
  const contracts = [court, token, receiver, condition]
  const addresses = await Promise.all(contracts.map((contract) => contract.getAddress()))
  const [address, tokenAddress, receiverAddress, conditionAddress] = addresses.map(
    (text) => text.toLowerCase() as Hex,
  ) as [Hex, Hex, Hex, Hex]
  for (const { address: who } of [alice, bob, carol, stranger]) {
    await token.mint(who, 1_000_000n * UNIT, { gasPrice: 0 })
    for (const spender of [address, PERMIT2]) {
      await token.connect(await ethers.getSigner(who)).approve(spender, 2n ** 256n - 1n, { gasPrice: 0 })
    }
  }
  await plantPermit2(ethers.provider as unknown as Node)
  const under = domain(31337n, address)
  const abi = new Interface(Adjudicator__factory.abi)
  const known = { token, tokenAddress, receiver, receiverAddress, condition, conditionAddress }
  const made = { connection, domain: under, ...known, abi, verdict: undefined, underLocks: new Map() }
  const time = await connection.networkHelpers.time.latest()
  return { ...made, model: newCourt(under), purse: NEW_PURSE, refusing: false, time, balances: new Map() }
}

/** After a transaction that was sent past the stage: its time is again that of the newest block. */
export async function catchUp(on: Stage): Promise<void> {
  on.time = await on.connection.networkHelpers.time.latest()
}

/** Terms between alice (A) and bob (B), or whom `change` puts there. */
export function terms(asset: Hex, salt: number | bigint = 1, change: Partial<Channel> = {}): Channel {
  const [a, b] = [alice, bob].map(({ address }) => ({ owner: address, signer: address })) as [
    Channel['a'],
    Channel['b'],
  ]
  return { a, b, asset, challengePeriod: PERIOD, bond: 0n, salt: uint(salt, 32), ...change }
}

/** A state of both parties' making; a key that is undefined leaves that signature empty. */
export function coSigned(
  on: { readonly domain: Domain },
  channel: Channel,
  version: bigint,
  net: bigint,
  keys: readonly (Hex | undefined)[] = [alice.key, bob.key],
  batch: Hex = ZERO,
  locks: readonly Lock[] = [],
): SignedState {
  const id = channelId(on.domain, channel)
  const list = packLocks(locks)
  const state =
    version === FINAL ? finalState(id, net) : { channelId: id, version, net, locksRoot: locksRoot(list), batch }
  const message = stateDigest(on.domain, state)
  const [sigA, sigB] = keys.map((key) => (key ? sign(message, key) : '0x')) as [Hex, Hex]
  return { version, net, batch, locks: list, sigA, sigB }
}

/** The conclusion that pays out `net`. */
export function conclusion(on: Stage, channel: Channel, net: bigint, keys?: readonly (Hex | undefined)[]): ChannelCall {
  const { sigA, sigB } = coSigned(on, channel, FINAL, net, keys)
  return { verb: 'conclude', channel, net, sigA, sigB }
}

/** How a call is sent. Value defaults to what the verb needs, time to one second later. */
export interface Sending {
  readonly sender: Hex
  readonly value?: bigint
  readonly time?: number
}

/** Sent by somebody. */
export function by({ address }: { readonly address: Hex }, more: Omit<Sending, 'sender'> = {}): Sending {
  return { sender: address, ...more }
}

/** Makes a call to contract and model, and requires that both agree on refusal, events, record and every balance. */
export async function play(on: Stage, call: ChannelCall, sending: Sending): Promise<Outcome> {
  const { got, transfers } = await agreeOnCall(on, call, sending)
  await agreeOnMoney(on, transfers)
  return got
}

/** The same, but the balances of those whom the call does not touch are left for `agreeOnMoney` to look at, later. */
export async function playFast(on: Stage, call: ChannelCall, sending: Sending): Promise<Outcome> {
  const { got, transfers } = await agreeOnCall(on, call, sending)
  const touched = transfers.flatMap(({ asset, from, to }) => [[asset, from] as const, [asset, to] as const])
  for (const [asset, who] of touched) await agreeOnBalance(on, asset, who)
  return got
}

async function agreeOnCall(on: Stage, call: ChannelCall, sending: Sending) {
  const { sender, time = on.time + 1 } = sending
  const value = sending.value ?? callValue(call)
  const before = 'channel' in call ? fundsOf(on, call.channel) : 0n
  const expected = predict(on, call, sender, value, time)
  on.time = time
  const got = await transact(on, call, sender, value, time)
  expect(got, `${call.verb} by ${sender}`).to.deep.equal(expected.outcome)
  for (const { asset, from, to, amount } of expected.transfers) {
    move(on, asset, from, -amount)
    move(on, asset, to, amount)
  }
  if (call.verb === 'settle') keepUnderLocks(on, call.channel, before, got)
  if (call.verb === 'sweep') await agreeOnRecord(on, call.asset, channelId(on.domain, call.channel))
  if (call.verb === 'deposits') for (const one of call.list) await agreeOnRecord(on, ETHER, one.channelId)
  if ('channel' in call) await agreeOnRecord(on, call.channel.asset, channelId(on.domain, call.channel))
  if ('channelId' in call) await agreeOnRecord(on, call.asset, call.channelId)
  return { got, transfers: expected.transfers }
}

function fundsOf(on: Stage, channel: Channel): bigint {
  const { fundsA, fundsB, closed } = recordOf(on.model, channel.asset, channelId(on.domain, channel))
  return closed ? 0n : fundsA + fundsB
}

/** What a settlement did not pay stays under its open locks, until later ones pay it. */
function keepUnderLocks(on: Stage, channel: Channel, before: bigint, got: Outcome): void {
  const settled = got.refused === undefined && got.events.find(({ name }) => name === 'Settled')
  if (settled === false || settled?.name !== 'Settled') return
  const { id, payA, payB } = settled
  const held = on.underLocks.get(id)?.amount ?? before
  on.underLocks.set(id, { asset: channel.asset, amount: held - payA - payB })
}

function predict(on: Stage, call: ChannelCall, sender: Hex, value: bigint, time: number) {
  const refuses = (asset: Hex, to: Hex) => asset === ETHER && to === on.receiverAddress && on.refusing
  try {
    const outcome = (condition: Hex) => (condition === on.conditionAddress ? on.verdict : undefined)
    const ruling = adjudicate(on.model, call, { sender, value, time, baseFee: 0n, refuses, outcome })
    const pulled = pullFor(on, call, sender, time)
    if (isRefused(pulled)) return { outcome: pulled as Outcome, transfers: [] as readonly Transfer[] }
    on.model = ruling.state
    on.purse = pulled
    return { outcome: { refused: undefined, events: ruling.events } as Outcome, transfers: ruling.transfers }
  } catch (why) {
    if (!(why instanceof Refusal)) throw why
    // Of two who pay at once the sender comes first, before the other's signature is looked at.
    const pulled = why.code === 'SignatureLength' ? pullFor(on, call, sender, time) : on.purse
    if (isRefused(pulled)) return { outcome: pulled as Outcome, transfers: [] as readonly Transfer[] }
    return { outcome: { refused: why.code, args: why.args } as Outcome, transfers: [] as readonly Transfer[] }
  }
}

function pullFor(on: Stage, call: ChannelCall, sender: Hex, time: number): Purse | Refused {
  return pull(on.purse, call, { court: on.domain, token: on.tokenAddress, sender, time })
}

/** Makes many calls in one `batch` and one by one to the model: the refused are told, the others agree in every event. */
export async function playBatch(on: Stage, calls: readonly ChannelCall[], sending: Sending): Promise<Outcome> {
  const { sender, time = on.time + 1 } = sending
  const events: unknown[] = []
  for (const [index, call] of calls.entries()) {
    const before = 'channel' in call ? fundsOf(on, call.channel) : 0n
    const { outcome, transfers } = predict(on, call, sender, 0n, time)
    for (const { asset, from, to, amount } of transfers) {
      move(on, asset, from, -amount)
      move(on, asset, to, amount)
    }
    if (call.verb === 'settle') keepUnderLocks(on, call.channel, before, outcome)
    if (outcome.refused === undefined) events.push(...outcome.events)
    else events.push({ name: 'ItemRefused', index: BigInt(index), reason: outcome.refused })
  }
  on.time = time
  const items = calls.map((call) => encode(on, call))
  const got = await send(on, on.abi.encodeFunctionData('batch', [items]), sender, 0n, time)
  if (got.refused !== undefined) throw new Error(`a batch was refused: ${got.refused}`)
  const told = got.events.map((event: { name: string; reason?: Hex }) =>
    event.name === 'ItemRefused' ? { ...event, reason: parseError(on, event.reason!)?.name } : event,
  )
  expect(told, 'batch').to.deep.equal(events)
  for (const call of calls) {
    if ('channelId' in call) await agreeOnRecord(on, call.asset, call.channelId)
    if ('channel' in call) await agreeOnRecord(on, call.channel.asset, channelId(on.domain, call.channel))
  }
  return got
}

function encode({ abi }: Stage, call: ChannelCall): string {
  const values = abi.getFunction(call.verb)!.inputs.map(({ name }) => call[name as keyof ChannelCall])
  return abi.encodeFunctionData(call.verb, values)
}

function transact(on: Stage, call: ChannelCall, from: Hex, value: bigint, time: number): Promise<Outcome> {
  return send(on, encode(on, call), from, value, time)
}

async function send(on: Stage, data: string, from: Hex, value: bigint, time: number): Promise<Outcome> {
  const { connection, domain: court } = on
  await ask(connection, 'evm_setNextBlockTimestamp', `0x${time.toString(16)}`)
  const quantities = { value: `0x${value.toString(16)}`, gas: '0xf00000', gasPrice: '0x0' }
  const request = { from, to: court.court, data, ...quantities }
  try {
    const hash = await ask(connection, 'eth_sendTransaction', request)
    const { logs } = (await ask(connection, 'eth_getTransactionReceipt', hash)) as { readonly logs: readonly Log[] }
    return { refused: undefined, events: logs.flatMap((log) => decodeEvent(on, log)) }
  } catch (why) {
    const error = parseError(on, (why as { data?: string }).data ?? '0x')
    if (!error) throw why
    return { refused: error.name, args: error.args.map((arg, i) => plain(error.fragment.inputs[i]!.type, arg)) }
  }
}

/** The error of the court, or of the token or Permit2 that it called. */
function parseError({ abi }: Stage, data: string) {
  return [abi, ...FOREIGN].flatMap((known) => known.parseError(data) ?? []).at(0)
}

/** A request without a library between: these are most of what a random history costs. */
function ask({ provider }: Stage['connection'], method: string, ...params: readonly unknown[]): Promise<unknown> {
  return provider.request({ method, params: [...params] })
}

interface Log {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
}

function decodeEvent(on: Stage, log: Log): ChannelEvent[] {
  if (log.address.toLowerCase() !== on.domain.court) return []
  const { name, fragment, args } = on.abi.parseLog(log)!
  const fields = fragment.inputs.map((input, i) => [input.name, plain(input.type, args[i])])
  return [{ name, ...Object.fromEntries(fields) } as ChannelEvent]
}

/** A decoded ABI value as the core writes it: small integers as numbers, addresses in lower case. */
function plain(type: string, value: unknown): unknown {
  if (/^u?int(8|16|24|32|40)$/.test(type)) return Number(value)
  return type === 'address' ? String(value).toLowerCase() : value
}

function move(on: Stage, asset: Hex, who: Hex, by: bigint): void {
  const key = `${asset} ${who}`
  const before = on.balances.get(key)
  if (before !== undefined) on.balances.set(key, before + by)
}

/** Everybody's balance of everything is what the transfers so far make it. */
export async function agreeOnMoney(on: Stage, moved: readonly Transfer[] = []): Promise<void> {
  const everybody = [alice, bob, carol, stranger].map(({ address }) => address)
  for (const asset of [ETHER, on.tokenAddress]) {
    for (const who of [...everybody, on.receiverAddress, on.domain.court]) {
      await agreeOnBalance(on, asset, who, moved)
    }
  }
}

async function agreeOnBalance(on: Stage, asset: Hex, who: Hex, moved: readonly Transfer[] = []): Promise<void> {
  const key = `${asset} ${who}`
  const have = await balance(on, asset, who)
  const known = on.balances.get(key)
  if (known !== undefined) expect(have, `balance ${key}, moved ${JSON.stringify(moved.length)}`).to.equal(known)
  on.balances.set(key, have)
}

/** The balance of an account in the real ledger. */
export async function balance(on: Stage, asset: Hex, who: Hex): Promise<bigint> {
  const balanceOf = { to: asset, data: `0x70a08231${who.slice(2).padStart(64, '0')}` }
  if (asset === ETHER) return BigInt((await ask(on.connection, 'eth_getBalance', who, 'latest')) as Hex)
  return BigInt((await ask(on.connection, 'eth_call', balanceOf, 'latest')) as Hex)
}

async function agreeOnRecord(on: Stage, asset: Hex, id: Hex): Promise<void> {
  const asked = { to: on.domain.court, data: on.abi.encodeFunctionData('recordOf', [asset, id]) }
  const answer = (await ask(on.connection, 'eth_call', asked, 'latest')) as Hex
  const told = on.abi.decodeFunctionResult('recordOf', answer)[0] as Result
  const need = recorded(recordOf(on.model, asset, id))
  expect(told.toObject()).to.deep.equal({ ...need, deadline: BigInt(need.deadline) })
}

/** Invariant: funds of open channels, credits, bonds and open locks are together what the court holds, per asset. */
export async function expectSolvent(on: Stage): Promise<void> {
  for (const asset of [ETHER, on.tokenAddress]) {
    let owed = 0n
    for (const [key, { fundsA, fundsB }] of on.model.records) if (key.startsWith(asset)) owed += fundsA + fundsB
    if (asset === ETHER) for (const { bond } of on.model.records.values()) owed += bond?.amount ?? 0n
    for (const held of on.underLocks.values()) if (held.asset === asset) owed += held.amount
    for (const [key, amount] of on.model.credits) if (key.startsWith(asset)) owed += amount
    expect(await balance(on, asset, on.domain.court), `court's ${asset}`).to.equal(owed)
  }
}

/** The call went through. */
export function expectDone(outcome: Outcome): void {
  expect(outcome.refused).to.equal(undefined)
}

/** The call was refused with this error, and (if given) these arguments. */
export function expectRefused(outcome: Outcome, name: string, ...args: readonly unknown[]): void {
  expect(outcome.refused).to.equal(name)
  if (args.length > 0 && outcome.refused !== undefined) expect(outcome.args).to.deep.equal(args)
}
