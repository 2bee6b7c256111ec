import { concat, type Hex, uint } from '../base/Bytes.ts'
import { type Domain, digest, keccak, keccakText, keccakWords } from '../base/Signature.ts'

/** A chain of the tree: its id is the hash of this, and nothing of it ever changes. `parent` zero = root level. */
export interface Chain {
  readonly parent: Hex
  readonly slot: number
  readonly operator: Hex
}

/** Value under an owner: `value` in the asset's smallest unit, or a token id. `lock` zero = plain. */
export interface Output {
  readonly owner: Hex
  readonly asset: Hex
  readonly value: bigint
  readonly lock: Hex
}

/** A payment on one chain, good in blocks up to number `lastBlock`. Inputs are ids of outputs and deposits. */
export interface Transaction {
  readonly chain: Hex
  readonly inputs: readonly Hex[]
  readonly outputs: readonly Output[]
  readonly lastBlock: number
  readonly memo: Hex
}

/** What a deposit on layer 1 is made of; its output is plain and has the deposit's id. */
export interface Deposit {
  readonly chain: Hex
  readonly sender: Hex
  readonly salt: Hex
  readonly owner: Hex
  readonly asset: Hex
  readonly value: bigint
}

/** The terms of a locked output: sha256 hash, last second to reveal its preimage, and who has it back otherwise. */
export interface Lock {
  readonly hash: Hex
  readonly expiry: number
  readonly refund: Hex
}

/** A transaction has at most this many inputs, and as many outputs. */
export const MAX_INPUTS = 4
/** A transaction has at most this many outputs. */
export const MAX_OUTPUTS = 4

const OUTPUT = 'Output(address owner,address asset,uint256 value,bytes32 lock)'
const OUTPUT_TYPE = keccakText(OUTPUT)
const TRANSACTION_TYPE = keccakText(
  `Transaction(bytes32 chain,bytes32[] inputs,Output[] outputs,uint40 lastBlock,bytes32 memo)${OUTPUT}`,
)
const REGISTRATION_TYPE = keccakText('Registration(bytes32 parent,uint8 slot,address operator)')

/** The chain's id: keccak256(abi.encode(chain)). */
export function chainId(chain: Chain): Hex {
  return keccakWords(chain.parent, chain.slot, chain.operator)
}

/** The EIP-712 struct hash of an output. */
export function outputHash(output: Output): Hex {
  return keccakWords(OUTPUT_TYPE, output.owner, output.asset, output.value, output.lock)
}

/** What the payee signs, and the transaction's name everywhere: its EIP-712 digest. */
export function txHash(court: Domain, tx: Transaction): Hex {
  const inputs = keccak(...tx.inputs)
  const outputs = keccak(...tx.outputs.map(outputHash))
  return digest(court, keccakWords(TRANSACTION_TYPE, tx.chain, inputs, outputs, tx.lastBlock, tx.memo))
}

/** The id of a transaction's output: keccak256(0x04 ‖ txHash ‖ uint8 index). */
export function outputId(hash: Hex, index: number): Hex {
  return keccak('0x04', hash, uint(index, 1))
}

/** The id of a deposit's output: keccak256(0x05 ‖ abi.encode(deposit)); a re-mined deposit has the same one. */
export function depositId(deposit: Deposit): Hex {
  const { chain, sender, salt, owner, asset, value } = deposit
  return keccak(
    '0x05',
    concat(chain, uint(0, 12), sender, salt, uint(0, 12), owner, uint(0, 12), asset),
    uint(value, 32),
  )
}

/** What an output's `lock` is for these terms: keccak256(abi.encode(lock)). */
export function lockHash(lock: Lock): Hex {
  return keccakWords(lock.hash, lock.expiry, lock.refund)
}

/** What an operator signs to let somebody else register its chain. */
export function registrationDigest(court: Domain, chain: Chain): Hex {
  return digest(court, keccakWords(REGISTRATION_TYPE, chain.parent, chain.slot, chain.operator))
}
