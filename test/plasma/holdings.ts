import { expect } from 'chai'
import { Interface } from 'ethers'
import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import type { Transfer } from '../../src/core/base/Court.ts'

/** What tells who holds tokens: the chain, and by asset and holder what the model says. */
interface Holdings {
  readonly connection: { readonly provider: { request(of: { method: string; params: unknown[] }): Promise<unknown> } }
  readonly holdings: ReadonlyMap<Hex, Map<Hex, bigint>>
}

const HOLDING = new Interface([
  'function ownerOf(uint256) view returns (address)',
  'function balanceOf(address) view returns (uint256)',
])

/** What a token answers: a word. */
async function told(on: Holdings, asset: Hex, verb: string, of: unknown): Promise<bigint> {
  const call = { to: asset, data: HOLDING.encodeFunctionData(verb, [of]) }
  return BigInt((await on.connection.provider.request({ method: 'eth_call', params: [call, 'latest'] })) as Hex)
}

/** Tokens are counted by those who hold them, or some: what the model moved last is where the token says that it is. */
export async function agreeOnTokens(
  on: Holdings,
  transfers: readonly Transfer[],
  whose?: ReadonlySet<Hex>,
): Promise<void> {
  for (const { asset, from, to, amount, id } of transfers) {
    if (asset === ETHER) continue
    if (id !== undefined) {
      expect(await told(on, asset, 'ownerOf', id), `owner of ${id}`).to.equal(BigInt(to))
      continue
    }
    const held = on.holdings.get(asset)
    if (!held) continue
    held.set(from, (held.get(from) ?? 0n) - amount)
    held.set(to, (held.get(to) ?? 0n) + amount)
  }
  const moved = new Set(transfers.map(({ asset }) => asset))
  for (const [asset, held] of on.holdings) {
    if (whose && !moved.has(asset)) continue
    for (const [who, amount] of held) {
      if (whose && !whose.has(who)) continue
      expect(await told(on, asset, 'balanceOf', who), `tokens of ${who}`).to.equal(amount)
    }
  }
}
