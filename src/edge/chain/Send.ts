import type { Interface } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'
import { Refusal } from '../../core/base/Step.ts'
import { Fault, reason } from '../Fault.ts'
import { dataOf, refusalOf } from './Abi.ts'
import type { Receipt } from './Chain.ts'
import { capAt, offered } from './Fees.ts'
import { type Asked, allowance, asked, balanceOf, estimateOf, type Now, now, poor, shownBaseFee } from './Gas.ts'
import { type Job, type LaneParts, laneOf } from './Lane.ts'
import { unreachable } from './Node.ts'
import { meaning, type Offer, revertData } from './Pool.ts'

/** How to send a court's calls. */
export interface SendParts<Call> extends LaneParts {
  readonly court: Hex
  readonly abi: Interface
  /** Wei to attach to a call at a base fee (wei per gas). */
  readonly callValue: (call: Call, baseFee: bigint) => bigint
  /** Gas to allow a call at least, whatever is estimated. None if absent. */
  readonly leastGas?: ((call: Call) => bigint) | undefined
}

/**
 * Sends one call and waits until it is mined. It is checked first, so that what the contract would refuse rejects with
 * its Refusal and costs nothing; once it is signed it stays on its way, over outages, reorgs and rising prices.
 */
export async function send<Call extends { readonly verb: string }>(
  parts: SendParts<Call>,
  call: Call,
  deadline?: number,
  onSent: (hash: Hex) => void = () => undefined,
): Promise<Receipt> {
  const data = dataOf(parts.abi, call)
  let dear = false
  return new Promise((done, reject) => {
    let told = false
    const tell = (receipt: Receipt) => {
      told = true
      done(receipt)
    }
    const failed = (why: unknown) => (told ? parts.onFault(lost(meant(parts, why))) : reject(meant(parts, why)))
    const job: Job = {
      parts,
      deadline,
      async prepare(at) {
        const offer = await prepared(parts, call, data, deadline, at)
        if (!offer && !dear) parts.onFault(tooDear(parts, at))
        dear ||= !offer
        return offer
      },
      again: (offer, base, fees) => ({ ...offer, value: parts.callValue(call, base), fees }),
      judge: (offer, hash, receipt) => judged(parts, offer, hash, receipt),
      sent: (hash) => told || onSent(hash),
      done: tell,
      failed,
    }
    laneOf(parts).send(job).catch(failed)
  })
}

/** What a call needs and offers now, checked; undefined if gas costs more than may be paid for it. */
async function prepared<Call>(
  parts: SendParts<Call>,
  call: Call,
  data: Hex,
  deadline: number | undefined,
  at: Now,
): Promise<Offer | undefined> {
  const { node, sender, court, gas } = parts
  const value = parts.callValue(call, at.market.base)
  const ample = offered(at.market, gas, 4n * (at.market.next + at.market.tip + gas.tip))!
  const have = await balanceOf(node, sender)
  const estimate = await checked(parts, call, { from: sender, to: court, data, value, fees: ample }).catch((why) => {
    throw meaning(why) === 'poor' ? poor(sender, have, { value, gasLimit: 0n, fees: ample }, why) : why
  })
  const gasLimit = allowance(estimate, parts.leastGas?.(call) ?? 0n)
  const cap = capAt(gas, deadline, at.time)
  const bearable = (have - value) / gasLimit
  const fees = offered(at.market, gas, bearable < cap ? bearable : cap)
  const offer = { to: court, data, value, gasLimit }
  if (fees) return { ...offer, fees }
  const wanted = offered(at.market, gas, cap)
  if (wanted) throw poor(sender, have, { ...offer, fees: wanted })
  return undefined
}

/** What a call would cost now. */
export interface Quote {
  /** The gas that it needs. */
  readonly gas: bigint
  /** Wei that go with it. */
  readonly value: bigint
  /** Wei a gas, as the newest block and what others pay tell it. */
  readonly feePerGas: bigint
}

/** What a call would cost; checked as before it is sent, so rejects with the contract's Refusal. Nothing is sent. */
export async function quoted<Call extends { readonly verb: string }>(
  parts: Omit<SendParts<Call>, 'signer' | 'resend' | 'interval' | 'onFault'>,
  call: Call,
): Promise<Quote> {
  const { node, sender, court, gas, abi, callValue } = parts
  try {
    const { market } = await now(node)
    const tip = market.tip > gas.tip ? market.tip : gas.tip
    const value = callValue(call, market.base)
    const fees = offered(market, gas, 4n * (market.next + tip))!
    const needed = await checked(parts, call, { from: sender, to: court, data: dataOf(abi, call), value, fees })
    return { gas: needed, value, feePerGas: market.next + tip }
  } catch (why) {
    throw meant(parts, why)
  }
}

type Checking<Call> = Pick<SendParts<Call>, 'node' | 'sender' | 'callValue'>

/**
 * The gas of a call that the contract takes: in the block to come with all that the pool shows for it, or else after the
 * newest block, because what waits in a pool may never be mined.
 */
async function checked<Call>(parts: Checking<Call>, call: Call, what: Asked): Promise<bigint> {
  try {
    return await gasAt(parts, call, what, 'pending')
  } catch (why) {
    if (revertData(why) === undefined) throw why
    return gasAt(parts, call, what, 'latest').catch(() => {
      throw why
    })
  }
}

/** The gas of a call at a block; whatever depends on the base fee is judged by the one that is shown there. */
async function gasAt<Call>(parts: Checking<Call>, call: Call, what: Asked, at: string): Promise<bigint> {
  const isFixed = what.value === parts.callValue(call, 0n)
  const shown = isFixed ? 0n : await shownBaseFee(parts.node, parts.sender, what.fees, at)
  const value = isFixed ? what.value : parts.callValue(call, shown)
  return estimateOf(parts.node, { ...what, value }, at)
}

async function judged<Call>(
  parts: SendParts<Call>,
  offer: Offer,
  hash: Hex,
  found: Record<string, Hex>,
): Promise<Receipt | Refusal | Fault> {
  if (BigInt(found.status!) === 0n) return whyReverted(parts, offer, hash, found.blockNumber!)
  return { hash, block: Number(found.blockNumber), gasUsed: BigInt(found.gasUsed!) }
}

/** A reverted transaction keeps no reason; the same call in its block has the same one, unless others came between. */
async function whyReverted<Call>(
  parts: SendParts<Call>,
  offer: Offer,
  hash: Hex,
  block: Hex,
): Promise<Refusal | Fault> {
  try {
    await parts.node.send('eth_call', [asked({ ...offer, from: parts.sender }), block])
  } catch (why) {
    const revert = revertData(why)
    if (revert !== undefined) return refusalOf(parts.abi, revert)
    if (meaning(why) === 'silent') throw why
  }
  return new Fault(
    'CallFailed',
    `transaction ${hash} was mined and failed; look at what came before it and send it again`,
  )
}

/** What goes wrong comes out as the contract's refusal or a fault in plain words. */
function meant<Call>({ abi, name, sender }: Pick<SendParts<Call>, 'abi' | 'name' | 'sender'>, why: unknown): unknown {
  if (why instanceof Fault || why instanceof Refusal) return why
  const data = revertData(why)
  if (data !== undefined) return refusalOf(abi, data)
  const said = meaning(why)
  if (said === 'poor')
    return new Fault(
      'InsufficientFunds',
      `${sender} has too little ether for this call and its gas; send it some first`,
      why,
    )
  if (said !== 'refused') return unreachable(name, why)
  return new Fault(
    'CallFailed',
    `${name} did not take the transaction (${reason(why).split('\n')[0]}); look at its limits`,
    why,
  )
}

function tooDear<Call>({ name, gas }: SendParts<Call>, { market }: Now): Fault {
  return new Fault(
    'GasTooDear',
    `gas at ${name} costs ${market.next} wei and a call that can wait may offer ${gas.maxFeePerGas}; it waits, or raise maxFeePerGas`,
  )
}

function lost(why: unknown): Fault {
  return new Fault(
    'Dropped',
    `a reorg took back a call that was mined, and it fails now (${reason(why)}); look at it`,
    why,
  )
}
