import { type Hex, size } from '../../src/core/base/Bytes.ts'
import { type Domain, recover } from '../../src/core/base/Signature.ts'
import {
  authorizationDigest,
  authorizationNonce,
  permit2Digest,
  permitDigest,
  tokenSeparator,
} from '../../src/core/channel/Authorization.ts'
import type { ChannelCall, Payer } from '../../src/core/channel/Call.ts'

/** What a token or Permit2 refuses with. */
export interface Refused {
  readonly refused: string
  readonly args: readonly unknown[]
}

/** What the token and Permit2 know of everybody: allowances to the court, permits used, authorizations used. */
export interface Purse {
  /** A holder that is absent has let the court take all. */
  readonly allowances: ReadonlyMap<Hex, bigint>
  readonly permits: ReadonlyMap<Hex, bigint>
  readonly used: ReadonlySet<string>
}

/** Everybody lets the court and Permit2 take all, and nothing has been signed. */
export const NEW_PURSE: Purse = { allowances: new Map(), permits: new Map(), used: new Set() }

/** Everything but less, which the token never counts down. */
const ALL = 2n ** 256n - 1n
const NOBODY = `0x${'00'.repeat(20)}` as const

interface Taker {
  readonly court: Domain
  readonly token: Hex
  readonly sender: Hex
  readonly time: number
}

type Pulled = Purse | Refused
/** Whether a pull was refused. */
export const isRefused = (pulled: Pulled): pulled is Refused => 'refused' in pulled

/** The model of a call's pulls: what the token and Permit2 know afterwards, or what they refuse with. */
export function pull(purse: Purse, call: ChannelCall, by: Taker): Pulled {
  switch (call.verb) {
    case 'deposit':
      return call.asset === by.token ? spend(purse, call.amount, by) : purse
    case 'depositWithPermit':
      return spend(permitted(purse, call, by.sender, by), call.amount, by)
    case 'depositWithAuthorization':
      return signed(purse, call.channelId, call.toB, call.amount, call.payer, by)
    case 'openBoth': {
      if (call.asset !== by.token) return purse
      const { amountA, amountB, payerIsB, channelId, payer } = call
      const own = spend(purse, payerIsB ? amountA : amountB, by)
      return isRefused(own) ? own : signed(own, channelId, payerIsB, payerIsB ? amountB : amountA, payer, by)
    }
    default:
      return purse
  }
}

function spend(purse: Purse, amount: bigint, { court, sender }: Taker): Pulled {
  const have = purse.allowances.get(sender) ?? ALL
  if (have === ALL) return purse
  if (have < amount) return { refused: 'ERC20InsufficientAllowance', args: [court.court, have, amount] }
  return { ...purse, allowances: new Map(purse.allowances).set(sender, have - amount) }
}

/** The token after somebody has shown it a permit of an owner for the court; one that is not good changes nothing. */
export function permitted(
  purse: Purse,
  call: Extract<ChannelCall, { verb: 'depositWithPermit' }>,
  owner: Hex,
  { court, token, time }: Taker,
): Purse {
  const { amount: value, deadline, v, r, s } = call
  const nonce = purse.permits.get(owner) ?? 0n
  const digest = permitDigest(separatorOf(token), { owner, spender: court.court, value, nonce, deadline })
  const signature: Hex = `${r}${s.slice(2)}${v.toString(16).padStart(2, '0')}`
  if (BigInt(time) > deadline || recover(digest, signature) !== owner) return purse
  const allowances = new Map(purse.allowances).set(owner, value)
  return { ...purse, allowances, permits: new Map(purse.permits).set(owner, nonce + 1n) }
}

/** The domain of the tests' token. */
export function separatorOf(token: Hex): Hex {
  return tokenSeparator('Kerros signed test token', '1', 31337n, token)
}

function signed(purse: Purse, id: Hex, toB: boolean, amount: bigint, payer: Payer, by: Taker): Pulled {
  return (payer.permit2 ? byPermit2 : by3009)(purse, id, toB, amount, payer, by)
}

function by3009(purse: Purse, id: Hex, toB: boolean, amount: bigint, payer: Payer, by: Taker): Pulled {
  const { from, validAfter, validBefore, salt, signature } = payer
  if (size(signature) !== 65) return { refused: 'SignatureLength', args: [BigInt(size(signature)), 65n] }
  const nonce = authorizationNonce(id, toB, salt)
  const to = by.court.court
  const digest = authorizationDigest(separatorOf(by.token), { from, to, value: amount, validAfter, validBefore, nonce })
  const have = recover(digest, signature) ?? NOBODY
  const now = BigInt(by.time)
  if (have !== from) return { refused: 'WrongAuthorizer', args: [have, from] }
  if (now <= validAfter) return { refused: 'NotYetValid', args: [now, validAfter] }
  if (now >= validBefore) return { refused: 'Expired', args: [now, validBefore] }
  return once(purse, `${from} ${nonce}`, { refused: 'AuthorizationUsedBefore', args: [from, nonce] })
}

function byPermit2(purse: Purse, id: Hex, toB: boolean, amount: bigint, payer: Payer, by: Taker): Pulled {
  const { from, validBefore: deadline, salt, signature } = payer
  const nonce = BigInt(salt)
  if (BigInt(by.time) > deadline) return { refused: 'SignatureExpired', args: [deadline] }
  const after = once(purse, `${from} permit2 ${nonce}`, { refused: 'InvalidNonce', args: [] })
  if (isRefused(after)) return after
  if (size(signature) !== 65) return { refused: 'InvalidSignatureLength', args: [] }
  const permit = { permitted: { token: by.token, amount }, nonce, deadline }
  const have = recover(permit2Digest(31337n, by.court.court, permit, id, toB), signature)
  return have === from ? after : { refused: 'InvalidSigner', args: [] }
}

function once(purse: Purse, key: string, otherwise: Refused): Pulled {
  return purse.used.has(key) ? otherwise : { ...purse, used: new Set(purse.used).add(key) }
}
