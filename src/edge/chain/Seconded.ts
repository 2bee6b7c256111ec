import type { Hex } from '../../core/base/Bytes.ts'
import { Fault } from '../Fault.ts'
import { type Node, quantity, unreachable } from './Node.ts'

type Block = Readonly<Record<'number' | 'hash' | 'parentHash' | 'timestamp' | 'logsBloom', Hex>>
type Log = Readonly<{ topics: readonly Hex[]; data: Hex; logIndex: Hex }>

const NUMBER = /^0x[0-9a-f]+$/

/**
 * The same node, held against a second one: what it says of a block, of its logs and of a call at a numbered block counts
 * only if the second says the same (else EndpointsDiffer), and the newest block is the newest that both have. A second one
 * that does not answer is told of and not waited for: a node that sees nothing could answer nobody.
 */
export function seconded<N extends Node>(node: N, second: Node, onFault: (why: unknown) => void): N {
  const ask: Node['send'] = node.send.bind(node)
  const other = async <T>(method: string, params: unknown[], instead: T): Promise<T> => {
    try {
      return (await second.send(method, params)) as T
    } catch (why) {
      onFault(unreachable('the second endpoint', why))
      return instead
    }
  }

  async function block(tag: unknown, full: unknown): Promise<unknown> {
    const mine = (await ask('eth_getBlockByNumber', [tag, full])) as Block | null
    if (!mine) return null
    const theirs = await other<Block | null>('eth_getBlockByNumber', [mine.number, false], mine)
    if (theirs) return agreed('block', Number(mine.number), mine, headOf(mine), headOf(theirs))
    if (typeof tag === 'string' && NUMBER.test(tag)) return null
    return block(quantity(Number(await other('eth_blockNumber', [], mine.number))), full)
  }

  async function logs(params: unknown[]): Promise<unknown> {
    const mine = (await ask('eth_getLogs', params)) as readonly Log[]
    return agreed('logs', 0, mine, saidIn(mine), saidIn(await other('eth_getLogs', params, mine)))
  }

  async function call(params: unknown[]): Promise<unknown> {
    const mine = await ask('eth_call', params)
    return agreed('call', Number(params[1]), mine, mine, await other('eth_call', params, mine))
  }

  const send: Node['send'] = async (method, params) => {
    if (method === 'eth_getBlockByNumber') return block(params[0], params[1])
    if (method === 'eth_getLogs' && 'blockHash' in (params[0] as object)) return logs(params)
    if (method === 'eth_call' && NUMBER.test(String(params[1]))) return call(params)
    if (method !== 'eth_blockNumber') return ask(method, params)
    const mine = (await ask(method, params)) as Hex
    const theirs = await other(method, params, mine)
    return BigInt(theirs) < BigInt(mine) ? theirs : mine
  }
  return Object.assign(node, { send })
}

function agreed<T>(what: string, number: number, answer: T, mine: unknown, theirs: unknown): T {
  if (mine === theirs) return answer
  const where = number > 0 ? ` ${number}` : ''
  throw new Fault(
    'EndpointsDiffer',
    `two nodes of layer 1 differ about ${what}${where}; one of them is wrong or behind, nothing is believed until they agree`,
  )
}

function headOf({ number, hash, parentHash, timestamp, logsBloom }: Block): string {
  return [number, hash, parentHash, timestamp, logsBloom].join()
}

function saidIn(logs: readonly Log[]): string {
  return logs.map(({ topics, data, logIndex }) => [logIndex, ...topics, data].join()).join(';')
}
