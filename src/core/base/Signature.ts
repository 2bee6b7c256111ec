// The one door to keccak-256, SHA-256 and secp256k1. Native libsecp256k1 where its package ships it, noble's curve elsewhere.
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { createKeccak, createSHA256 } from 'hash-wasm'
import { concat, type Hex, isHex, size, slice, toBytes, toHex, uint, write, ZERO } from './Bytes.ts'

/** A value that fills one 32-byte word: a number (two's complement if negative), a boolean, or left-padded bytes. */
export type Word = bigint | number | boolean | Hex | Uint8Array

interface Native {
  ecdsaSign(digest: Uint8Array, key: Uint8Array): { signature: Uint8Array; recid: number }
  ecdsaRecover(signature: Uint8Array, recid: number, digest: Uint8Array, compressed: boolean): Uint8Array
  publicKeyCreate(key: Uint8Array, compressed: boolean): Uint8Array
}

// The line that loads what is not JavaScript: the WASM hashers and the native curve (the package's own index is passed
// by, because it falls back without a word to a curve that is thirty times slower).
const [hasher, shaHasher, native] = await Promise.all([
  createKeccak(256),
  createSHA256(),
  import('secp256k1/bindings.js').then(
    (m) => m.default as unknown as Native,
    () => undefined,
  ),
])

/** Whether signatures are made and checked by native code; benches refuse to run otherwise. */
export const isNative: boolean = native !== undefined

const HALF_ORDER = toBytes(uint(secp256k1.Point.Fn.ORDER / 2n, 32))
let buffer = new Uint8Array(4096)
let view = new DataView(buffer.buffer)

function room(length: number): Uint8Array {
  if (buffer.length < length) {
    buffer = new Uint8Array(2 * length)
    view = new DataView(buffer.buffer)
  }
  return buffer
}

/** keccak-256 of raw bytes, as raw bytes. */
export function keccakBytes(bytes: Uint8Array): Uint8Array {
  hasher.init()
  hasher.update(bytes)
  return hasher.digest('binary')
}

/** The keccak-256 of each piece of `bytes`, one after another: a piece begins `skip` bytes after the end of the last. */
export function keccakEach(bytes: Uint8Array, skip: number, ends: readonly number[]): Uint8Array {
  const hashes = new Uint8Array(32 * ends.length)
  let start = 0
  for (let i = 0; i < ends.length; i++) {
    hashes.set(keccakBytes(bytes.subarray(start + skip, ends[i]!)), 32 * i)
    start = ends[i]!
  }
  return hashes
}

/** keccak256(abi.encodePacked(parts)). */
export function keccak(...parts: readonly Hex[]): Hex {
  let length = 0
  for (const part of parts) length += size(part)
  const target = room(length)
  let at = 0
  for (const part of parts) at = write(target, at, part)
  return hashOf(target.subarray(0, length))
}

/** keccak256(abi.encode(words)) for static types; a Hex longer than 32 bytes is refused with RangeError. */
export function keccakWords(...words: readonly Word[]): Hex {
  const length = 32 * words.length
  const target = room(length).fill(0, 0, length)
  for (let i = 0; i < words.length; i++) writeWord(target, 32 * i, words[i]!)
  return hashOf(target.subarray(0, length))
}

function hashOf(bytes: Uint8Array): Hex {
  hasher.init()
  hasher.update(bytes)
  return `0x${hasher.digest('hex')}`
}

function writeWord(target: Uint8Array, at: number, word: Word): void {
  if (word instanceof Uint8Array) target.set(word, at + 32 - word.length)
  else if (typeof word === 'string') {
    if (size(word) > 32) throw new RangeError('a word has at most 32 bytes')
    write(target, at + 32 - size(word), word)
  } else if (typeof word === 'boolean') target[at + 31] = word ? 1 : 0
  else writeNumber(at, BigInt(word))
}

/** Eight bytes at a time, of the words that are there: most numbers have few. */
function writeNumber(at: number, value: bigint): void {
  let rest = value < 0n ? BigInt.asUintN(256, value) : value
  for (let end = at + 24; rest > 0n && end >= at; end -= 8) {
    view.setBigUint64(end, BigInt.asUintN(64, rest))
    rest >>= 64n
  }
}

/** SHA-256 of bytes. */
export function sha256(bytes: Hex): Hex {
  const length = write(room(size(bytes)), 0, bytes)
  shaHasher.init()
  shaHasher.update(buffer.subarray(0, length))
  return `0x${shaHasher.digest('hex')}`
}

/** keccak-256 of a text's UTF-8 bytes. */
export function keccakText(text: string): Hex {
  return hashOf(new TextEncoder().encode(text))
}

/** What binds a signature to one court: the EIP-712 domain "kerros", version "1". */
export interface Domain {
  readonly chainId: bigint
  readonly court: Hex
  /** Its separator, derived once by `domain`. */
  readonly separator: Hex
}

const DOMAIN_TYPE = keccakText('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')
const NAME = keccakText('kerros')
const VERSION = keccakText('1')

/** The domain of the court at address `court`, deployed on chain `chainId` (EIP-712, EIP-5267). */
export function domain(chainId: bigint, court: Hex): Domain {
  return { chainId, court, separator: keccakWords(DOMAIN_TYPE, NAME, VERSION, chainId, court) }
}

/** EIP-712 digest of a struct hash under a domain. */
export function digest(under: Domain, structHash: Hex): Hex {
  return keccak('0x1901', under.separator, structHash)
}

/** The address of a 32-byte private key. */
export function addressOf(key: Hex): Hex {
  const secret = toBytes(key)
  return addressOfPublic(native ? native.publicKeyCreate(secret, false) : secp256k1.getPublicKey(secret, false))
}

function addressOfPublic(uncompressed: Uint8Array): Hex {
  return toHex(addressBytes(uncompressed))
}

function addressBytes(uncompressed: Uint8Array): Uint8Array {
  return keccakBytes(uncompressed.subarray(1)).subarray(12)
}

/** A 65-byte signature r ‖ s ‖ v with low s and v 27 or 28. Deterministic (RFC 6979). */
export function sign(message: Hex, key: Hex): Hex {
  const [hash, secret] = [toBytes(message), toBytes(key)]
  if (native) {
    const { signature, recid } = native.ecdsaSign(hash, secret)
    return concat(toHex(signature), uint(27 + recid, 1))
  }
  const made = secp256k1.sign(hash, secret, { prehash: false, format: 'recovered' })
  return concat(toHex(made.subarray(1)), uint(27 + made[0]!, 1))
}

/** The 64-byte form r ‖ yParityAndS of a 65-byte signature (EIP-2098). */
export function compact(signature: Hex): Hex {
  const s = BigInt(slice(signature, 32, 64))
  return concat(slice(signature, 0, 32), uint(s | (BigInt(slice(signature, 64) === '0x1c') << 255n), 32))
}

/** The address that signed, or undefined if the signature is malformed: length not 64 or 65, s high, v not 27 or 28. */
export function recover(message: Hex, signature: Hex): Hex | undefined {
  if (!isHex(signature)) return undefined
  const signer = recoverBytes(toBytes(message), toBytes(signature))
  return signer && toHex(signer)
}

/** The same of raw bytes: the 20 bytes of an address. */
export function recoverBytes(hash: Uint8Array, signature: Uint8Array): Uint8Array | undefined {
  const parts = split(signature)
  if (!parts || isHigh(parts.rs)) return undefined
  try {
    if (native) return addressBytes(native.ecdsaRecover(parts.rs, parts.recid, hash, false))
    const point = secp256k1.Signature.fromBytes(parts.rs).addRecoveryBit(parts.recid).recoverPublicKey(hash)
    return addressBytes(point.toBytes(false))
  } catch {
    return undefined // r or s out of range, or no such point: the curve's way to say "nobody signed this"
  }
}

function split(signature: Uint8Array): { rs: Uint8Array; recid: number } | undefined {
  const rs = new Uint8Array(64)
  if (signature.length === 65) {
    const v = signature[64]!
    rs.set(signature.subarray(0, 64))
    return v === 27 || v === 28 ? { rs, recid: v - 27 } : undefined
  }
  if (signature.length !== 64) return undefined
  rs.set(signature)
  const recid = rs[32]! >> 7
  rs[32]! &= 0x7f
  return { rs, recid }
}

/** Whether s is above half the curve's order. */
function isHigh(rs: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) {
    const difference = rs[32 + i]! - HALF_ORDER[i]!
    if (difference !== 0) return difference > 0
  }
  return false
}

/** True iff `signer` (never the zero address) made `signature` over `message`. */
export function isSignedBy(message: Hex, signature: Hex, signer: Hex): boolean {
  return signer !== slice(ZERO, 12) && recover(message, signature) === signer
}
