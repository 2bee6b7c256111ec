import { type Interface, type Signer, toQuantity } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'
import type { Verdict } from '../../core/base/Verdicts.ts'
import { Fault } from '../Fault.ts'
import { eventOf } from './Abi.ts'
import { allow } from './Allowance.ts'
import type { Chain, Creditor, Receipt } from './Chain.ts'
import { creditOf } from './Credit.ts'
import { GAS_POLICY, type GasPolicy } from './Fees.ts'
import { type Beside, type Follower, follow } from './Follow.ts'
import { laneOf } from './Lane.ts'
import { chainIdOf, checkNetwork, type Node, unreachable } from './Node.ts'
import { type Quote, quoted, send } from './Send.ts'

/** What a client of a real court needs. */
export interface RpcOptions<Call> {
  /** The node: `httpNode(url)`, or Hardhat's `ethers.provider`. */
  readonly provider: Node
  /** Signs and pays for this client's transactions. */
  readonly signer: Signer
  readonly court: Hex
  readonly abi: Interface
  /** Wei to attach to a call at a base fee (wei per gas). */
  readonly callValue: (call: Call, baseFee: bigint) => bigint
  /** Gas to allow a call at least, whatever a node estimates. None if absent. */
  readonly leastGas?: (call: Call) => bigint
  /** The token that the court pulls from the sender of a call: approved first. None if absent. */
  readonly pulls?: (call: Call) => Pulled | undefined
  /** The chain that the court must be on; any if absent. */
  readonly chainId?: bigint
  /** What people call the node and the court in sentences: "the chain" and "a contract" if absent. */
  readonly name?: string
  readonly contract?: string
  /** Milliseconds between looks at the node (500), and before a failed one is repeated (250, doubling). */
  readonly interval?: number
  readonly retry?: number
  /** How many blocks a reorg may take back (128). */
  readonly depth?: number
  /** What may be paid for gas: GAS_POLICY where it says nothing. */
  readonly gas?: Partial<GasPolicy>
  /** For how many blocks what was mined is sent again if a reorg takes it back (12); seen while somebody follows. */
  readonly resend?: number
  /** Told once an outage, and once when a reorg is too deep and following has ended. */
  readonly onFault?: (fault: Fault) => void
}

/** Money of a token that a court pulls. */
export interface Pulled {
  readonly token: Hex
  readonly amount: bigint
}

/** A chain over a node, which can be told to look at once. */
export interface RpcChain<Call, Event> extends Chain<Call, Event>, Creditor {
  /** Resolves when every follower has what the node has now. */
  poll(): Promise<void>
  /** What a call would cost now; rejects as `send` does, and sends nothing. */
  quote(call: Call): Promise<Quote>
}

/** A call's deadline, and who hears of its transaction. */
type Sending = readonly [deadline?: number, onSent?: (hash: Hex) => void]

/**
 * The court at `court` as `signer` sees it through a node. Throws ChainUnreachable, WrongNetwork or NotDeployed,
 * before anything else. Its followers are told the logs of a contract `beside` it as well, if there is one.
 */
export async function rpcChain<Call extends { readonly verb: string }, Event extends { readonly name: string }>(
  options: RpcOptions<Call>,
  beside: () => Beside<Event> | undefined = () => undefined,
): Promise<RpcChain<Call, Event>> {
  const { provider: node, court, abi, callValue, leastGas } = options
  const { name = 'the chain', contract = 'a contract', interval = 500, retry = 250, depth = 128 } = options
  const gas = { ...GAS_POLICY, ...options.gas }
  const onFault = options.onFault ?? (() => undefined)
  const chainId = await chainIdOf(node, name)
  checkNetwork(name, chainId, options.chainId)
  await checkCode(node, name, court, contract)
  const signer = options.signer.provider ? options.signer : options.signer.connect(node)
  const sender = (await signer.getAddress()).toLowerCase() as Hex
  const followers = new Set<Follower>()
  const poll = async () => {
    await Promise.all([...followers].map((one) => one.poll()))
  }
  const { resend = 12 } = options
  const parts = { node, name, court, sender, signer, abi, callValue, leastGas, gas, resend, interval, onFault }
  // One after another: an allowance is for the call that follows it and no other may use it up.
  let pulling: Promise<unknown> = Promise.resolve()
  const pull = ({ token, amount }: Pulled, call: Call, ...how: Sending): Promise<Receipt> => {
    const turn = async () => {
      await allow(parts, token, court, amount)
      return send(parts, call, ...how)
    }
    const pulled = pulling.then(turn, turn)
    pulling = pulled
    return pulled
  }
  const decode = (log: Parameters<typeof eventOf>[1]) => eventOf(abi, log) as Event | undefined
  return {
    chainId,
    court,
    sender,
    poll,
    quote: (call) => quoted(parts, call),
    head: () => headOf(node, name),
    credit: (asset, owner) => creditOf({ node, name, court }, asset, owner),
    verdict: (condition, key, at) => verdictOf(parts, condition, key, at),
    follow(from, sink) {
      const looks = { interval, retry, depth, onFault }
      const one = follow({ node, name, court, eventOf: decode, beside: beside(), ...looks }, from, (input) => {
        if (input.kind === 'retract') laneOf(parts).doubt()
        sink(input)
      })
      followers.add(one)
      return () => {
        one.stop()
        followers.delete(one)
      }
    },
    async send(call, ...how) {
      const pulled = options.pulls?.(call)
      const receipt = await (pulled ? pull(pulled, call, ...how) : send(parts, call, ...how))
      void poll()
      return receipt
    },
  }
}

async function headOf(node: Node, name: string): Promise<number> {
  try {
    return Number(await node.send('eth_blockNumber', []))
  } catch (why) {
    throw unreachable(name, why)
  }
}

async function verdictOf(
  {
    node,
    name,
    court,
    abi,
  }: { readonly node: Node; readonly name: string; readonly court: Hex; readonly abi: Interface },
  condition: Hex,
  key: Hex,
  at?: number,
): Promise<Verdict | undefined> {
  const data = abi.encodeFunctionData('verdict', [condition, key])
  try {
    const answer = (await node.send('eth_call', [
      { to: court, data },
      at === undefined ? 'latest' : toQuantity(at),
    ])) as string
    const [time, amount] = abi.decodeFunctionResult('verdict', answer) as unknown as [bigint, bigint]
    return time === 0n ? undefined : { time: Number(time), amount }
  } catch (why) {
    throw unreachable(name, why)
  }
}

async function checkCode(node: Node, name: string, court: Hex, contract: string): Promise<void> {
  const code = await node.send('eth_getCode', [court, 'latest']).catch((why) => {
    throw unreachable(name, why)
  })
  if (code !== '0x') return
  throw new Fault(
    'NotDeployed',
    `there is no ${contract.replace(/^an? /, '')} at ${court} on ${name}; deploy it or check the address`,
  )
}
