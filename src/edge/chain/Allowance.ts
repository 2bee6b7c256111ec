import { Interface } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'
import { Fault } from '../Fault.ts'
import type { Node } from './Node.ts'
import { type SendParts, send } from './Send.ts'

/** What is asked of a token, and what OpenZeppelin's tokens refuse with. */
export const TOKEN = new Interface([
  'function allowance(address owner, address spender) view returns (uint256)',
  'function approve(address spender, uint256 value) returns (bool)',
  'error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)',
  'error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)',
  'error SafeERC20FailedOperation(address token)',
])

type Approve = { readonly verb: 'approve'; readonly spender: Hex; readonly value: bigint }

/** Sees to it that `spender` may pull `amount` of a token from the sender: approves exactly that much if it may not. */
export async function allow(
  parts: Omit<SendParts<never>, 'court' | 'abi' | 'callValue' | 'leastGas'>,
  token: Hex,
  spender: Hex,
  amount: bigint,
): Promise<void> {
  if ((await allowance(parts.node, token, parts.sender, spender)) >= amount) return
  const call: Approve = { verb: 'approve', spender, value: amount }
  await send<Approve>({ ...parts, court: token, abi: TOKEN, callValue: () => 0n }, call)
}

async function allowance(node: Node, token: Hex, owner: Hex, spender: Hex): Promise<bigint> {
  const data = TOKEN.encodeFunctionData('allowance', [owner, spender])
  const answer = (await node.send('eth_call', [{ to: token, data }, 'latest'])) as Hex
  if (answer.length < 66)
    throw new Fault('NotDeployed', `there is no token at ${token}; check the address of the asset`)
  return BigInt(answer)
}
