import { type Interface, keccak256, type Signer, type TransactionRequest } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'
import type { Refusal } from '../../core/base/Step.ts'
import { Fault, reason } from '../Fault.ts'
import { dataOf, refusalOf } from './Abi.ts'
import type { Receipt } from './Chain.ts'
import { baseFee, type Node, quantity, unreachable } from './Node.ts'

/** How to send a court's calls. */
export interface SendParts<Call> {
  readonly node: Node
  readonly name: string
  readonly court: Hex
  readonly sender: Hex
  readonly signer: Signer
  readonly abi: Interface
  /** Wei to attach to a call at a base fee (wei per gas). */
  readonly callValue: (call: Call, baseFee: bigint) => bigint
  /** Gas to allow a call at least, whatever is estimated. None if absent. */
  readonly leastGas?: ((call: Call) => bigint) | undefined
  /** Milliseconds between looks for a receipt. */
  readonly interval: number
  /** Told once an outage. */
  readonly onFault: (fault: Fault) => void
}

/** A transaction may use no more (EIP-7825). */
const MOST_GAS = 16_777_216n

interface Sent extends Flying {
  readonly nonce: number
  /** The call as nodes are asked what it would do. */
  readonly checked: Asked
}

interface Asked extends Fees {
  readonly from: Hex
  readonly to: Hex
  readonly data: Hex
  readonly value: bigint
  readonly gasLimit?: bigint
}

interface Fees {
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/**
 * Sends one call: checks it against the newest state, so that what the contract would refuse rejects with its Refusal
 * and costs nothing, then signs, sends and waits until it is mined.
 */
export async function send<Call extends { readonly verb: string }>(
  parts: SendParts<Call>,
  call: Call,
): Promise<Receipt> {
  const data = dataOf(parts.abi, call)
  const lane = laneOf(parts.node, parts.sender)
  const sent = await lane.next(async () => {
    const sent = await meant(parts, async () => {
      const { base, fees } = await feesOf(parts.node)
      const value = parts.callValue(call, base)
      const shown = await shownValue(parts, call, value, fees)
      const checked = { from: parts.sender, to: parts.court, data, value: shown, ...fees }
      const gasLimit = await allowance(parts.node, checked, parts.leastGas?.(call) ?? 0n)
      const nonce = await lane.nonce(parts.node)
      const request = { ...checked, value, gasLimit, nonce }
      return { ...(await broadcast(parts, request)), nonce, checked: { ...checked, gasLimit } }
    })
    lane.began(sent.nonce)
    return sent
  })
  try {
    return await mined(parts, sent)
  } finally {
    lane.ended(sent.nonce)
  }
}

/** The order of one sender's transactions on one node, shared by all who send for it. */
interface Lane {
  next<T>(run: () => Promise<T>): Promise<T>
  nonce(node: Node): Promise<number>
  began(nonce: number): void
  ended(nonce: number): void
}

const lanes = new WeakMap<Node, Map<Hex, Lane>>()

function laneOf(node: Node, sender: Hex): Lane {
  const ofNode = lanes.get(node) ?? new Map<Hex, Lane>()
  lanes.set(node, ofNode)
  const lane = ofNode.get(sender) ?? newLane(sender)
  ofNode.set(sender, lane)
  return lane
}

function newLane(sender: Hex): Lane {
  const flying = new Set<number>()
  let tail: Promise<unknown> = Promise.resolve()
  return {
    next(run) {
      const turn = tail.then(run, run)
      tail = turn.catch(() => undefined)
      return turn
    },
    // The node counts what it holds; what flies and it has lost sight of still counts.
    async nonce(node) {
      const counted = Number(await node.send('eth_getTransactionCount', [sender, 'pending']))
      return Math.max(counted, ...[...flying].map((one) => one + 1))
    },
    began: (nonce) => flying.add(nonce),
    ended: (nonce) => flying.delete(nonce),
  }
}

/** Room for the base fee to double before the transaction is mined, and the tip that the node advises. */
async function feesOf(node: Node): Promise<{ readonly base: bigint; readonly fees: Fees }> {
  const [tip, base] = await Promise.all([node.send('eth_maxPriorityFeePerGas', []), baseFee(node)])
  const maxPriorityFeePerGas = BigInt(tip as string)
  return { base, fees: { maxFeePerGas: 2n * base + maxPriorityFeePerGas, maxPriorityFeePerGas } }
}

/** Init code that returns the base fee which it sees. */
const BASE_FEE = '0x4860005260206000f3'

/**
 * The wei to attach where a node is only asked what a call would do: Hardhat's shows contracts a base fee of zero then,
 * so whatever depends on the base fee must be judged by the one that is shown.
 */
async function shownValue<Call>(parts: SendParts<Call>, call: Call, value: bigint, fees: Fees): Promise<bigint> {
  if (value === parts.callValue(call, 0n)) return value
  const look = { from: parts.sender, to: null, data: BASE_FEE, value: 0n, ...fees, gasLimit: 100_000n } as const
  const shown = (await parts.node.send('eth_call', [asked(look), 'pending'])) as Hex
  return parts.callValue(call, BigInt(shown))
}

/** Checks the call and gives the gas to allow: what it needs now and a quarter more, and at least `least`. */
async function allowance(node: Node, call: Asked, least: bigint): Promise<bigint> {
  const estimate = BigInt((await node.send('eth_estimateGas', [asked(call), 'pending'])) as Hex)
  const ample = estimate + estimate / 4n + 20_000n
  const allowed = ample > least ? ample : least
  return allowed < MOST_GAS ? allowed : MOST_GAS
}

/** A call as JSON-RPC writes it; its fees are part of it, because contracts may look at them. */
function asked({ from, to, data, value, gasLimit, ...fees }: Omit<Asked, 'to'> & { readonly to: Hex | null }) {
  const { maxFeePerGas, maxPriorityFeePerGas } = fees
  return {
    ...{ from, to, data, value: quantity(value) },
    ...{ maxFeePerGas: quantity(maxFeePerGas), maxPriorityFeePerGas: quantity(maxPriorityFeePerGas) },
    ...(gasLimit === undefined ? {} : { gas: quantity(gasLimit) }),
  }
}

/** A transaction on its way; its signed bytes, if it was signed here. */
interface Flying {
  readonly hash: Hex
  readonly raw?: Hex
}

/** Signs here if the signer can, so that sending again is the same transaction; else lets the node sign. */
async function broadcast<Call>(parts: SendParts<Call>, request: TransactionRequest): Promise<Flying> {
  const { node, signer } = parts
  if (!('signingKey' in signer)) return { hash: (await signer.sendTransaction(request)).hash as Hex }
  const raw = (await signer.signTransaction(await signer.populateTransaction(request))) as Hex
  const hash = keccak256(raw) as Hex
  try {
    await node.send('eth_sendRawTransaction', [raw])
  } catch (why) {
    if (revertData(why) !== undefined || !(await holds(parts, hash))) throw why
  }
  return { hash, raw }
}

/** Whether the node has a transaction, whatever it answered when it was sent. */
async function holds<Call>(parts: SendParts<Call>, hash: Hex): Promise<boolean> {
  return (await persist(parts, 'eth_getTransactionByHash', [hash])) !== null
}

/** How many looks for a receipt until the next one whether the node still has the transaction. */
const PATIENCE = 20

async function mined<Call>(parts: SendParts<Call>, sent: Sent): Promise<Receipt> {
  let gone = 0
  for (let looks = 1; ; looks++) {
    const found = await persist(parts, 'eth_getTransactionReceipt', [sent.hash])
    if (found) return receiptOf(parts, sent, found as Record<string, Hex>)
    const count = Number(await persist(parts, 'eth_getTransactionCount', [parts.sender, 'latest']))
    // Twice, because the transaction may be mined between the two questions.
    gone = count > sent.nonce ? gone + 1 : 0
    if (gone > 1) throw replaced(sent)
    if (looks % PATIENCE === 0) await again(parts, sent)
    await new Promise((done) => setTimeout(done, parts.interval))
  }
}

/** Sends a transaction again that the node has lost: the same one, so it can be mined only once. */
async function again<Call>(parts: SendParts<Call>, { hash, raw }: Sent): Promise<void> {
  if (!raw || (await holds(parts, hash))) return
  try {
    await parts.node.send('eth_sendRawTransaction', [raw])
  } catch (why) {
    parts.onFault(unreachable(parts.name, why))
  }
}

function replaced({ hash }: Sent): Fault {
  const remedy = 'look at its account, then send it again'
  return new Fault('Dropped', `transaction ${hash} was replaced by another of this sender; ${remedy}`)
}

/** Asks until the node answers: what was sent is out of our hands, so giving up would only lose sight of it. */
async function persist<Call>(parts: SendParts<Call>, method: string, params: unknown[]): Promise<unknown> {
  for (let wait = parts.interval; ; wait = Math.min(2 * wait, 10_000)) {
    try {
      return await parts.node.send(method, params)
    } catch (why) {
      if (wait === parts.interval) parts.onFault(unreachable(parts.name, why))
      await new Promise((done) => setTimeout(done, wait))
    }
  }
}

async function receiptOf<Call>(parts: SendParts<Call>, sent: Sent, found: Record<string, Hex>): Promise<Receipt> {
  if (BigInt(found.status!) === 0n) throw await whyReverted(parts, sent, found.blockNumber!)
  return { hash: sent.hash, block: Number(found.blockNumber), gasUsed: BigInt(found.gasUsed!) }
}

/** A reverted transaction keeps no reason; the same call in its block has the same one, unless others came between. */
async function whyReverted<Call>(
  parts: SendParts<Call>,
  { hash, checked }: Sent,
  block: Hex,
): Promise<Refusal | Fault> {
  try {
    await parts.node.send('eth_call', [asked(checked), block])
  } catch (why) {
    const revert = revertData(why)
    if (revert !== undefined) return refusalOf(parts.abi, revert)
  }
  return new Fault(
    'CallFailed',
    `transaction ${hash} was mined and failed; look at what came before it and send it again`,
  )
}

/** Runs a request; what goes wrong comes out as the contract's refusal or a fault in plain words. */
async function meant<T>(parts: Pick<SendParts<never>, 'abi' | 'name' | 'sender'>, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (why) {
    if (why instanceof Fault) throw why
    const data = revertData(why)
    if (data !== undefined) throw refusalOf(parts.abi, data)
    if (/insufficient funds|enough funds|exceeds allowance/i.test(reason(why))) {
      throw new Fault(
        'InsufficientFunds',
        `${parts.sender} has too little ether for this call and its gas; send it some first`,
        why,
      )
    }
    throw unreachable(parts.name, why)
  }
}

/** The revert data somewhere in what a provider threw: each wraps it in its own way. */
function revertData(why: unknown, depth = 0): string | undefined {
  if (typeof why !== 'object' || why === null || depth > 5) return undefined
  const { data, error, info, cause } = why as Record<string, unknown>
  if (typeof data === 'string' && /^0x([0-9a-f]{2})*$/i.test(data)) return data
  for (const inner of [data, error, info, cause]) {
    const found = revertData(inner, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}
