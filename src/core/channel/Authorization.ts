// What a payer signs so that somebody else may bring its tokens into the court: never without where they go.
import type { Hex } from '../base/Bytes.ts'
import { size, slice, uint } from '../base/Bytes.ts'
import { keccak, keccakText, keccakWords } from '../base/Signature.ts'
import { require } from '../base/Step.ts'
import type { Payer } from './Call.ts'

/** Where Permit2 is on every chain. */
export const PERMIT2: Hex = '0x000000000022d473030f116ddee9f6b43ac78ba3'

/** ERC-2612: `owner` lets `spender` pull `value` of the token. The nonce is the owner's next, the deadline its last second. */
export interface TokenPermit {
  readonly owner: Hex
  readonly spender: Hex
  readonly value: bigint
  readonly nonce: bigint
  readonly deadline: bigint
}

/** ERC-3009: `to`, and nobody else, may take `value` from `from` once, after `validAfter` and before `validBefore` (seconds). */
export interface ReceiveWithAuthorization {
  readonly from: Hex
  readonly to: Hex
  readonly value: bigint
  readonly validAfter: bigint
  readonly validBefore: bigint
  /** `authorizationNonce`: it binds the channel and the side. */
  readonly nonce: Hex
}

/** A token and an amount of it, as Permit2 names what its payer signs. */
export interface TokenPermissions {
  readonly token: Hex
  readonly amount: bigint
}

/** What a payer permits through Permit2 once: `nonce` is unordered, `deadline` the last second. */
export interface PermitTransferFrom {
  readonly permitted: TokenPermissions
  readonly nonce: bigint
  readonly deadline: bigint
}

/** Where a transfer through Permit2 goes, and how much of what is permitted. */
export interface SignatureTransferDetails {
  readonly to: Hex
  readonly requestedAmount: bigint
}

const PERMIT_TYPE = keccakText('Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)')
const RECEIVE_TYPE = keccakText(
  'ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)',
)
const TOKEN_PERMISSIONS = 'TokenPermissions(address token,uint256 amount)'
const DEPOSIT = 'Deposit(bytes32 channelId,bool toB)'
const TOKEN_PERMISSIONS_TYPE = keccakText(TOKEN_PERMISSIONS)
const DEPOSIT_TYPE = keccakText(DEPOSIT)
const PERMIT2_TYPE = keccakText(
  `PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Deposit witness)${DEPOSIT}${TOKEN_PERMISSIONS}`,
)
const TOKEN_DOMAIN = keccakText('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')
const PERMIT2_DOMAIN = keccakText('EIP712Domain(string name,uint256 chainId,address verifyingContract)')
const PERMIT2_NAME = keccakText('Permit2')

/** The usual separator of a token's EIP-712 domain; one that has another says so by DOMAIN_SEPARATOR() or ERC-5267. */
export function tokenSeparator(name: string, version: string, chainId: bigint, token: Hex): Hex {
  return keccakWords(TOKEN_DOMAIN, keccakText(name), keccakText(version), chainId, token)
}

/** The separator of Permit2's domain on a chain: it has no version. */
export function permit2Separator(chainId: bigint): Hex {
  return keccakWords(PERMIT2_DOMAIN, PERMIT2_NAME, chainId, PERMIT2)
}

/** What an owner signs for an ERC-2612 permit under its token's separator. */
export function permitDigest(separator: Hex, permit: TokenPermit): Hex {
  const { owner, spender, value, nonce, deadline } = permit
  return keccak('0x1901', separator, keccakWords(PERMIT_TYPE, owner, spender, value, nonce, deadline))
}

/** What a payer signs for ERC-3009 under its token's separator. */
export function authorizationDigest(separator: Hex, authorization: ReceiveWithAuthorization): Hex {
  const { from, to, value, validAfter, validBefore, nonce } = authorization
  return keccak('0x1901', separator, keccakWords(RECEIVE_TYPE, from, to, value, validAfter, validBefore, nonce))
}

/** The nonce that binds an ERC-3009 authorization to a channel and a side; the salt makes it one of many. */
export function authorizationNonce(channelId: Hex, toB: boolean, salt: Hex): Hex {
  return keccakWords(channelId, toB, salt)
}

/** Struct hash of Deposit(channelId, toB), the witness of a Permit2 signature. */
export function depositWitness(channelId: Hex, toB: boolean): Hex {
  return keccakWords(DEPOSIT_TYPE, channelId, toB)
}

/** What a payer signs so that `court` may take what it permits through Permit2, for one side of one channel only. */
export function permit2Digest(
  chainId: bigint,
  court: Hex,
  permit: PermitTransferFrom,
  channelId: Hex,
  toB: boolean,
): Hex {
  const { permitted, nonce, deadline } = permit
  const tokens = keccakWords(TOKEN_PERMISSIONS_TYPE, permitted.token, permitted.amount)
  const hash = keccakWords(PERMIT2_TYPE, tokens, court, nonce, deadline, depositWitness(channelId, toB))
  return keccak('0x1901', permit2Separator(chainId), hash)
}

/** The fields that a call takes of a signed permit. Refuses SignatureLength. */
export function permitFields({ value, deadline }: TokenPermit, signature: Hex) {
  require(size(signature) === 65, 'SignatureLength', size(signature), 65)
  const [r, s] = [slice(signature, 0, 32), slice(signature, 32, 64)]
  return { amount: value, deadline, v: Number(slice(signature, 64)), r, s } as const
}

/** The payer of a call, from a signed ERC-3009 authorization whose nonce was made with `salt`. Refuses SignatureLength. */
export function authorizedPayer(authorization: ReceiveWithAuthorization, salt: Hex, signature: Hex): Payer {
  require(size(signature) === 65, 'SignatureLength', size(signature), 65)
  const { from, validAfter, validBefore } = authorization
  return { from, permit2: false, validAfter, validBefore, salt, signature }
}

/** The payer of a call, from what `from` signed for Permit2. */
export function permit2Payer(from: Hex, { nonce, deadline }: PermitTransferFrom, signature: Hex): Payer {
  return { from, permit2: true, validAfter: 0n, validBefore: deadline, salt: uint(nonce, 32), signature }
}
