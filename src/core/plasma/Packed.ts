// Transactions as bytes: as they are stored, handed to whoever checks their signatures, and hashed there.
import { type Hex, toBytes, toHex, uint, write } from '../base/Bytes.ts'
import { type Domain, keccakBytes, recoverBytes } from '../base/Signature.ts'
import type { Known, Signed } from './Ledger.ts'
import type { LockTerms } from './LockTerms.ts'
import { OUTPUT_TYPE, type Output, TRANSACTION_TYPE } from './Transaction.ts'

// Of each transaction: two bytes that count the rest; chain, memo, lastBlock; inputs and outputs, a byte that counts
// them before each; a byte that counts the authorisation's, and it; a byte that counts the terms, and they.
const HEAD = 2
const FIXED = 32 + 32 + 5
const WORD = 32
const ADDRESS = 20
const OUTPUT = 2 * ADDRESS + 2 * WORD
const TERMS = WORD + 5 + ADDRESS
/** Of each transaction that was checked: its hash, who signed it, and the ids of its outputs. */
const CHECKED = WORD + ADDRESS

/** Transactions as bytes, one after another. Throws RangeError on numbers that no transaction of a block has. */
export function packAll(list: readonly Signed[]): Uint8Array {
  const packed = new Uint8Array(list.reduce((length, signed) => length + lengthOf(signed), 0))
  let at = 0
  for (const signed of list) at = pack(packed, at, signed)
  return packed
}

function lengthOf({ transaction: { inputs, outputs }, authorisation, terms = [] }: Signed): number {
  const lists = 4 + WORD * inputs.length + OUTPUT * outputs.length + TERMS * terms.length
  return HEAD + FIXED + lists + (authorisation.length - 2) / 2
}

function pack(target: Uint8Array, start: number, signed: Signed): number {
  const { transaction: tx, authorisation, terms = [] } = signed
  const length = lengthOf(signed) - HEAD
  target[start] = length >> 8
  target[start + 1] = length
  let at = write(target, write(target, start + HEAD, tx.chain), tx.memo)
  at = writeCount(target, write(target, at, uint(tx.lastBlock, 5)), tx.inputs.length)
  for (const id of tx.inputs) at = write(target, at, id)
  at = writeCount(target, at, tx.outputs.length)
  for (const output of tx.outputs) at = writeOutput(target, at, output)
  at = write(target, writeCount(target, at, (authorisation.length - 2) / 2), authorisation)
  at = writeCount(target, at, terms.length)
  for (const { hash, expiry, refund } of terms) {
    at = write(target, write(target, write(target, at, hash), uint(expiry, 5)), refund)
  }
  if (at !== start + HEAD + length) throw new RangeError('a field of a transaction has another length than its type')
  return at
}

function writeCount(target: Uint8Array, at: number, count: number): number {
  if (count > 255) throw new RangeError(`${count} things of a transaction cannot be counted in a byte`)
  target[at] = count
  return at + 1
}

function writeOutput(target: Uint8Array, at: number, { owner, asset, value, lock }: Output): number {
  const end = write(target, write(target, at, owner), asset)
  return write(target, write(target, end, uint(value, WORD)), lock)
}

/** Where each packed transaction begins, and last where the bytes end. Throws RangeError on bytes that are none. */
export function bounds(packed: Uint8Array): readonly number[] {
  const found = [0]
  for (let at = 0; at < packed.length; found.push(at)) at += HEAD + ((packed[at]! << 8) | (packed[at + 1] ?? 0))
  if (found.at(-1) !== packed.length) throw new RangeError('these bytes are no transactions')
  return found
}

/** The transactions that were packed. */
export function unpackAll(packed: Uint8Array): readonly Signed[] {
  const reader = { packed, at: 0 }
  const list: Signed[] = []
  while (reader.at < packed.length) list.push(unpack(reader))
  return list
}

interface Reader {
  readonly packed: Uint8Array
  at: number
}

function unpack(from: Reader): Signed {
  from.at += HEAD
  const [chain, memo, lastBlock] = [take(from, WORD), take(from, WORD), Number(take(from, 5))]
  const inputs = many(from, () => take(from, WORD))
  const outputs = many(from, () => readOutput(from))
  const authorisation = take(from, from.packed[from.at++]!)
  const terms = many(from, () => readTerms(from))
  const transaction = { chain, inputs, outputs, lastBlock, memo }
  return terms.length === 0 ? { transaction, authorisation } : { transaction, authorisation, terms }
}

function many<T>(from: Reader, read: () => T): readonly T[] {
  const list: T[] = []
  for (let left = from.packed[from.at++]!; left > 0; left--) list.push(read())
  return list
}

function take(from: Reader, length: number): Hex {
  from.at += length
  return toHex(from.packed.subarray(from.at - length, from.at))
}

function readOutput(from: Reader): Output {
  const [owner, asset] = [take(from, ADDRESS), take(from, ADDRESS)]
  return { owner, asset, value: BigInt(take(from, WORD)), lock: take(from, WORD) }
}

function readTerms(from: Reader): LockTerms {
  return { hash: take(from, WORD), expiry: Number(take(from, 5)), refund: take(from, ADDRESS) }
}

// What a signature says takes longest to find out, and needs no ledger: it is done on these bytes, in any thread.

/** What packed transactions say of themselves, as bytes that `knownOf` reads. */
export function check(court: Domain, packed: Uint8Array): Uint8Array {
  const separator = toBytes(court.separator)
  const starts = bounds(packed)
  const parts = starts.slice(1).map((end, i) => checkOne(separator, packed.subarray(starts[i]! + HEAD, end)))
  const checked = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    checked.set(part, at)
    at += part.length
  }
  return checked
}

const digestBytes = new Uint8Array(66)
digestBytes.set([0x19, 0x01])
const idBytes = new Uint8Array(34)
idBytes[0] = 0x04
const outputWords = new Uint8Array(5 * WORD)
outputWords.set(toBytes(OUTPUT_TYPE))
const words = new Uint8Array(6 * WORD)
words.set(toBytes(TRANSACTION_TYPE))

function checkOne(separator: Uint8Array, tx: Uint8Array): Uint8Array {
  const outputsAt = FIXED + 1 + WORD * tx[FIXED]!
  const count = tx[outputsAt]!
  const end = outputsAt + 1 + OUTPUT * count
  words.set(tx.subarray(0, WORD), WORD)
  words.set(keccakBytes(tx.subarray(FIXED + 1, outputsAt)), 2 * WORD)
  words.set(outputsHash(tx.subarray(outputsAt + 1, end)), 3 * WORD)
  words.set(tx.subarray(2 * WORD, FIXED), 5 * WORD - 5)
  words.set(tx.subarray(WORD, 2 * WORD), 5 * WORD)
  digestBytes.set(separator, 2)
  digestBytes.set(keccakBytes(words), 2 + WORD)
  const hash = keccakBytes(digestBytes)
  const checked = new Uint8Array(CHECKED + WORD * count)
  checked.set(hash)
  const signer = recoverBytes(hash, tx.subarray(end + 1, end + 1 + tx[end]!))
  if (signer) checked.set(signer, WORD)
  idBytes.set(hash, 1)
  for (let i = 0; i < count; i++) {
    idBytes[33] = i
    checked.set(keccakBytes(idBytes), CHECKED + WORD * i)
  }
  return checked
}

function outputsHash(outputs: Uint8Array): Uint8Array {
  const hashes = new Uint8Array((WORD * outputs.length) / OUTPUT)
  for (let from = 0, to = 0; from < outputs.length; from += OUTPUT, to += WORD) {
    outputWords.set(outputs.subarray(from, from + ADDRESS), WORD + 12)
    outputWords.set(outputs.subarray(from + ADDRESS, from + 2 * ADDRESS), 2 * WORD + 12)
    outputWords.set(outputs.subarray(from + 2 * ADDRESS, from + OUTPUT), 3 * WORD)
    hashes.set(keccakBytes(outputWords), to)
  }
  return keccakBytes(hashes)
}

/** What was found out of each transaction of a list that was packed and checked. */
export function knownOf(list: readonly Signed[], checked: Uint8Array): readonly Known[] {
  const from = { packed: checked, at: 0 }
  return list.map(({ transaction: { outputs }, authorisation }) => {
    const [hash, signer] = [take(from, WORD), take(from, ADDRESS)]
    const ids = outputs.map(() => take(from, WORD))
    return isOneSignature(authorisation) ? { hash, ids, signer } : { hash, ids }
  })
}

/** Any other authorisation is the ledger's to judge. */
function isOneSignature(authorisation: Hex): boolean {
  return authorisation.length === 2 + 2 * 65 || authorisation.length === 2 + 2 * 64
}
