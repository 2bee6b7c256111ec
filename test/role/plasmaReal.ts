import type { Signer } from 'ethers'
import type { Hex } from '../../src/core/base/Bytes.ts'
import { type RootChain, RootChain__factory, VerdictRegistry__factory } from '../../typechain-types/index.ts'

const GWEI = 10n ** 9n
/** Seconds until an exit may be paid by a court that `deployRootChain` makes. */
export const MFP = 86_400

/** A real root chain with its registry of preimages; bonds are those of 200,000 gas, at 1 to 200 gwei. */
export async function deployRootChain(signer: Signer): Promise<{ readonly contract: RootChain; readonly court: Hex }> {
  const registry = await new VerdictRegistry__factory(signer).deploy()
  const fees = [200_000n, GWEI, 200n * GWEI] as const
  const contract = await new RootChain__factory(signer).deploy(registry, MFP, 3600, 3600, ...fees)
  return { contract, court: (await contract.getAddress()).toLowerCase() as Hex }
}

/** Waits until something holds; throws after twenty seconds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 4000; i++) {
    if (await holds()) return
    await new Promise((done) => setTimeout(done, 5))
  }
  throw new Error(`never: ${what}`)
}
