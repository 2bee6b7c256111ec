import { Interface } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'
import type { Node } from './Node.ts'

const ERC721 = new Interface([
  'function supportsInterface(bytes4 id) view returns (bool)',
  'function getApproved(uint256 id) view returns (address)',
])

/** Whether a contract says that it is an ERC-721, as the court asks it with its first deposit. */
export async function isErc721(node: Node, asset: Hex): Promise<boolean> {
  const data = ERC721.encodeFunctionData('supportsInterface', ['0x80ac58cd'])
  const answer = await node.send('eth_call', [{ to: asset, data }, 'latest']).catch(() => '0x')
  return answer === `0x${'1'.padStart(64, '0')}`
}

/** Who may take a token of an ERC-721 from its owner; undefined if it does not say. */
export async function approvedFor(node: Node, asset: Hex, id: bigint): Promise<Hex | undefined> {
  const data = ERC721.encodeFunctionData('getApproved', [id])
  const answer = (await node.send('eth_call', [{ to: asset, data }, 'latest']).catch(() => '0x')) as Hex
  return answer.length === 66 ? `0x${answer.slice(26).toLowerCase()}` : undefined
}
