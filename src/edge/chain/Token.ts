import { decodeBytes32String, Interface } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'
import { Fault } from '../Fault.ts'
import { type Node, unreachable } from './Node.ts'

const METADATA = new Interface(['function symbol() view returns (string)', 'function decimals() view returns (uint8)'])

/** What a token says of itself: its symbol, if it has one, and how many decimals its amounts have. */
export interface TokenWords {
  readonly symbol: string | undefined
  readonly decimals: number
}

/** Asks a token what it calls itself. Throws ChainUnreachable, or CallFailed if there is no token that says its decimals. */
export async function tokenWords(node: Node, token: Hex): Promise<TokenWords> {
  const [symbol, decimals] = await Promise.all([ask(node, token, 'symbol'), ask(node, token, 'decimals')])
  const count = uint8In(decimals)
  if (count !== undefined) return { symbol: symbolIn(symbol), decimals: count }
  throw new Fault('CallFailed', `${token} does not tell its decimals: name a token, or count in its smallest unit`)
}

/** What a call answers; "0x" if the token refuses it. */
async function ask(node: Node, token: Hex, name: 'symbol' | 'decimals'): Promise<string> {
  try {
    const data = METADATA.encodeFunctionData(name)
    return (await node.send('eth_call', [{ to: token, data }, 'latest'])) as string
  } catch (why) {
    // An answer that says no is one; anything else is the node's.
    await node.send('eth_chainId', []).catch(() => {
      throw unreachable('the chain', why)
    })
    return '0x'
  }
}

function uint8In(answer: string): number | undefined {
  const value = answer.length === 66 ? BigInt(answer) : 256n
  return value < 256n ? Number(value) : undefined
}

/** Old tokens answer 32 bytes of letters. */
function symbolIn(answer: string): string | undefined {
  try {
    return answer.length === 66
      ? decodeBytes32String(answer)
      : String(METADATA.decodeFunctionResult('symbol', answer)[0])
  } catch {
    return undefined
  }
}
