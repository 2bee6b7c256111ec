import { expect } from 'chai'
import { Contract, type ContractRunner } from 'ethers'
import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import type { Transfer } from '../../src/core/base/Court.ts'

/** What tells who holds tokens: the chain, and by asset and holder what the model says. */
interface Holdings {
  readonly connection: { readonly ethers: { readonly provider: ContractRunner } }
  readonly holdings: ReadonlyMap<Hex, Map<Hex, bigint>>
}

const HOLDING = [
  'function ownerOf(uint256) view returns (address)',
  'function balanceOf(address) view returns (uint256)',
]

function holderOf(on: Holdings, asset: Hex): Contract {
  return new Contract(asset, HOLDING, on.connection.ethers.provider)
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
      const deed = holderOf(on, asset)
      expect(String(await deed.ownerOf!(id)).toLowerCase(), `owner of ${id}`).to.equal(to)
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
    const token = holderOf(on, asset)
    for (const [who, amount] of held) {
      if (whose && !whose.has(who)) continue
      expect(await token.balanceOf!(who), `tokens of ${who}`).to.equal(amount)
    }
  }
}
