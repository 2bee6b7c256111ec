import { concat, type Hex, uint } from '../base/Bytes.ts'
import { type Domain, digest, keccak, keccakText, keccakWords } from '../base/Signature.ts'

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

/** A transaction has at most this many inputs, and as many outputs. */
export const MAX_INPUTS = 4
/** A transaction has at most this many outputs. */
export const MAX_OUTPUTS = 4

const OUTPUT = 'Output(address owner,address asset,uint256 value,bytes32 lock)'
/** The EIP-712 type hash of an output. */
export const OUTPUT_TYPE = keccakText(OUTPUT)
/** The EIP-712 type hash of a transaction. */
export const TRANSACTION_TYPE = keccakText(
  `Transaction(bytes32 chain,bytes32[] inputs,Output[] outputs,uint40 lastBlock,bytes32 memo)${OUTPUT}`,
)

/** The EIP-712 struct hash of an output. */
export function outputHash(output: Output): Hex {
  return keccakWords(OUTPUT_TYPE, output.owner, output.asset, output.value, output.lock)
}

/** What the payee signs, and the transaction's name everywhere: its EIP-712 digest. */
export function txHash(court: Domain, tx: Transaction): Hex {
  const { chain, lastBlock, memo } = tx
  return txHashOf(court, chain, keccak(...tx.inputs), tx.outputs.map(outputHash), lastBlock, memo)
}

/** The same from the hash of the inputs and the struct hashes of the outputs. */
export function txHashOf(
  court: Domain,
  chain: Hex,
  inputs: Hex,
  outputs: readonly Hex[],
  lastBlock: number,
  memo: Hex,
): Hex {
  return digest(court, keccakWords(TRANSACTION_TYPE, chain, inputs, keccak(...outputs), lastBlock, memo))
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
