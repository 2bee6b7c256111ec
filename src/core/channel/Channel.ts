import { type Hex, isHex, uint, ZERO } from '../base/Bytes.ts'
import { type Domain, digest, keccak, keccakText, keccakWords } from '../base/Signature.ts'

/** One side of a channel: `owner` is paid and may be a contract; `signer` is a key and signs. */
export interface Party {
  readonly owner: Hex
  readonly signer: Hex
}

/** The terms of a channel: immutable, passed with every call, never stored by the court. */
export interface Channel {
  readonly a: Party
  readonly b: Party
  /** Token address, or zero for ether. */
  readonly asset: Hex
  /** Seconds from challenge to settlement; the court clamps it into [1 minute, 60 days]. */
  readonly challengePeriod: number
  /** Wei posted by a challenger. */
  readonly bond: bigint
  readonly salt: Hex
}

/** What both parties sign: the newest version wins. `net` is what A owes B so far, negative if B owes A. */
export interface State {
  readonly channelId: Hex
  readonly version: bigint
  readonly net: bigint
  /** keccak256 of the packed lock list, zero iff there is none. */
  readonly locksRoot: Hex
  /** keccak256 of the leaves of what this version paid, zero iff nothing. */
  readonly batch: Hex
}

/** Sides of a channel. */
export type Side = 'a' | 'b'

/** The version of a final state: no locks, paid at once by conclude, refused by every other verb. */
export const FINAL = 2n ** 64n - 1n
/** The largest absolute `net`: an int128. */
export const MAX_NET = 2n ** 127n - 1n

const STATE_TYPE = keccakText('State(bytes32 channelId,uint64 version,int128 net,bytes32 locksRoot,bytes32 batch)')
const WITHDRAWAL_TYPE = keccakText('Withdrawal(bytes32 channelId,uint128 totalA,uint128 totalB,uint40 deadline)')
const CHALLENGE_TYPE = keccakText('Challenge(bytes32 channelId,uint64 version,uint40 deadline)')

/** The channel's id: keccak256(abi.encode(chain id at deployment, adjudicator, channel)). */
export function channelId(court: Domain, channel: Channel): Hex {
  const { a, b, asset, challengePeriod, bond, salt } = channel
  const parties = [a.owner, a.signer, b.owner, b.signer] as const
  return keccakWords(court.chainId, court.court, ...parties, asset, challengePeriod, bond, salt)
}

/** What a party signs for a state: its EIP-712 digest. */
export function stateDigest(court: Domain, state: State): Hex {
  const { version, net, locksRoot, batch } = state
  return digest(court, keccakWords(STATE_TYPE, state.channelId, version, net, locksRoot, batch))
}

/** What a party signs to let somebody else send its challenge of a version, up to `deadline` (seconds). */
export function challengeDigest(court: Domain, id: Hex, version: bigint, deadline: number): Hex {
  return digest(court, keccakWords(CHALLENGE_TYPE, id, version, deadline))
}

/** What both sign to take money out of an open channel: totals withdrawn in all, good up to `deadline` (seconds). */
export function withdrawalDigest(court: Domain, id: Hex, totalA: bigint, totalB: bigint, deadline: number): Hex {
  return digest(court, keccakWords(WITHDRAWAL_TYPE, id, totalA, totalB, deadline))
}

/** The state that empty storage means: version 0, nothing owed. It needs no signature. */
export function emptyState(id: Hex): State {
  return { channelId: id, version: 0n, net: 0n, locksRoot: ZERO, batch: ZERO }
}

/** The final state that pays out `net`. */
export function finalState(id: Hex, net: bigint): State {
  return { channelId: id, version: FINAL, net, locksRoot: ZERO, batch: ZERO }
}

/** One payment of a batch: its amount, and what it was for. */
export interface Leaf {
  readonly amount: bigint
  readonly paymentId: Hex
  readonly memo: Hex
}

/** keccak256(abi.encodePacked(uint128 amount, bytes32 paymentId, bytes memo)): one permutation for memos up to 87 bytes. */
export function leafHash({ amount, paymentId, memo }: Leaf): Hex {
  return keccak(uint(amount, 16), paymentId, memo)
}

/**
 * A state's `batch`: zero if nothing was paid, else keccak256 of how many leaves are A's payments (4 bytes) and of the leaf
 * hashes, A's first. The state binds it to the channel and the version, the place of a leaf tells who paid.
 */
export function batchHash(ofA: number, leaves: readonly Hex[]): Hex {
  return leaves.length === 0 ? ZERO : keccak(uint(ofA, 4), ...leaves)
}

/**
 * True iff every field of the terms has its width in Solidity. Others have an id too, because a hash pads and wraps, but
 * the court takes no call about them: money under such an id is lost.
 */
export function isChannel({ a, b, asset, challengePeriod, bond, salt }: Channel): boolean {
  const addresses = [a.owner, a.signer, b.owner, b.signer, asset]
  const isPeriod = Number.isInteger(challengePeriod) && challengePeriod >= 0 && challengePeriod < 2 ** 32
  const isBond = typeof bond === 'bigint' && bond >= 0n && bond < 2n ** 96n
  return addresses.every((address) => isHex(address, 20)) && isPeriod && isBond && isHex(salt, 32)
}

/** The side whose signer this is, or undefined. */
export function sideOf(channel: Channel, signer: Hex): Side | undefined {
  if (signer === channel.a.signer) return 'a'
  return signer === channel.b.signer ? 'b' : undefined
}

/** The side that produces new versions: the one with the lower signer address. */
export function writerOf(channel: Channel): Side {
  return channel.a.signer < channel.b.signer ? 'a' : 'b'
}

/** The side across. */
export function other(side: Side): Side {
  return side === 'a' ? 'b' : 'a'
}

/** What a channel pays out, what stays under its open locks: exact, never negative, the sum always the funds. */
export interface Payouts {
  readonly payA: bigint
  readonly payB: bigint
  /** Whether the open locks are void: together more than the funds. */
  readonly voids: boolean
}

/** Divides the funds; `m` is the net after decided locks, the open ones are by the side that would pay them. */
export function payouts(fundsA: bigint, fundsB: bigint, m: bigint, openOfA = 0n, openOfB = 0n): Payouts {
  const total = fundsA + fundsB
  const voids = openOfA + openOfB > total
  const [oA, oB] = voids ? [0n, 0n] : [openOfA, openOfB]
  const payA = clamp(fundsA - m - oA, 0n, total - oA - oB)
  return { payA, payB: total - oA - oB - payA, voids }
}

function clamp(value: bigint, low: bigint, high: bigint): bigint {
  if (value < low) return low
  return value > high ? high : value
}
