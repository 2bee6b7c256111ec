import type { Hex } from '../base/Bytes.ts'
import { type Domain, digest, keccakText, keccakWords } from '../base/Signature.ts'

/** A chain of the tree: its id is the hash of this, and nothing of it ever changes. `parent` zero = root level. */
export interface Chain {
  readonly parent: Hex
  readonly slot: number
  readonly operator: Hex
}

/** What is known of a chain. The last number, its time and its asOf are kept at root level only. */
export interface ChainState {
  readonly depth: number
  readonly since: number
  readonly number: number
  readonly time: number
  readonly asOf: number
}

/** The chain that a path leads to: its last. */
export function ownOf(path: readonly Chain[]): Chain {
  return path.at(-1)!
}

const REGISTRATION_TYPE = keccakText('Registration(bytes32 parent,uint8 slot,address operator)')

/** The chain's id: keccak256(abi.encode(chain)). */
export function chainId(chain: Chain): Hex {
  return keccakWords(chain.parent, chain.slot, chain.operator)
}

/** What an operator signs to let somebody else register its chain. */
export function registrationDigest(court: Domain, chain: Chain): Hex {
  return digest(court, keccakWords(REGISTRATION_TYPE, chain.parent, chain.slot, chain.operator))
}
