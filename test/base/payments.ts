import type { network } from 'hardhat'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import {
  authorizationDigest,
  authorizationNonce,
  authorizedPayer,
  PERMIT2,
  permit2Digest,
  permit2Payer,
  permitDigest,
  permitFields,
  tokenSeparator,
} from '../../src/core/channel/Authorization.ts'
import { type Account, localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { plantPermit2 } from '../../src/edge/chain/Permit2.ts'
import {
  type ExposedAuthorization,
  type OddToken,
  type Permit2StandIn,
  Permit2StandIn__factory,
  type SignedToken,
} from '../../typechain-types/index.ts'

export const CHAIN = 31337n
export const FOREVER = 2n ** 48n - 1n
export const ID: Hex = uint(7, 32)
export const [alice, bob, stranger] = [1, 2, 3].map(localAccount) as [Account, Account, Account]
export const addressOf = async (contract: { getAddress(): Promise<string> }) =>
  (await contract.getAddress()).toLowerCase() as Hex

/** Two courts that take tokens, two tokens that move by signature, an odd one, Permit2; alice holds and approved it. */
export interface Ground {
  readonly connection: Awaited<ReturnType<typeof network.create<'generic'>>>
  readonly court: ExposedAuthorization
  readonly token: SignedToken
  readonly odd: OddToken
  readonly permit2: Permit2StandIn
  readonly at: Readonly<Record<'court' | 'otherCourt' | 'token' | 'otherToken' | 'odd', Hex>>
}

/** A fresh ground; the courts' verbs are sent by a stranger unless connected to somebody else. */
export async function ground(connection: Ground['connection']): Promise<Ground> {
  const { ethers } = connection
  const [court, other] = [
    await ethers.deployContract('ExposedAuthorization'),
    await ethers.deployContract('ExposedAuthorization'),
  ]
  const [token, second] = [await ethers.deployContract('SignedToken'), await ethers.deployContract('SignedToken')]
  const odd = await ethers.deployContract('OddToken')
  await plantPermit2(ethers.provider as unknown as Node)
  const hand = await ethers.getSigner(alice.address)
  for (const one of [token, second, odd]) {
    await one.mint(alice.address, 1_000_000n)
    await one.connect(hand).approve(PERMIT2, 2n ** 256n - 1n)
  }
  const at = {
    court: await addressOf(court),
    token: await addressOf(token),
    odd: await addressOf(odd),
    otherCourt: await addressOf(other),
    otherToken: await addressOf(second),
  }
  const sender = await ethers.getSigner(stranger.address)
  const permit2 = Permit2StandIn__factory.connect(PERMIT2, sender)
  return { connection, court: court.connect(sender), token, odd, permit2, at }
}

/** What a payer means: the terms that a signature binds, and those that only the call names. */
export interface Intent {
  readonly court: Hex
  readonly asset: Hex
  readonly channelId: Hex
  readonly toB: boolean
  readonly from: Hex
  readonly amount: bigint
  readonly salt: Hex
  readonly nonce: bigint
  readonly validAfter: bigint
  readonly until: bigint
}

/** Alice pays 100 into side B of the channel, at any time. */
export function intent(on: Ground, change: Partial<Intent> = {}): Intent {
  const { court, token: asset } = on.at
  const rest = { channelId: ID, toB: true, from: alice.address, amount: 100n, salt: uint(1, 32), nonce: 0n }
  return { court, asset, ...rest, validAfter: 0n, until: FOREVER, ...change }
}

const separator = (asset: Hex) => tokenSeparator('Kerros signed test token', '1', CHAIN, asset)

/** Signs an ERC-3009 authorization of one intent and sends the call that another one means. */
export function authorized(on: Ground, signed: Intent, sent: Intent = signed, key: Hex = alice.key) {
  const nonce = authorizationNonce(signed.channelId, signed.toB, signed.salt)
  const of = ({ from, court, amount, validAfter, until }: Intent) =>
    ({ from, to: court, value: amount, validAfter, validBefore: until, nonce }) as const
  const signature = sign(authorizationDigest(separator(signed.asset), of(signed)), key)
  const { from, validAfter, validBefore, salt } = authorizedPayer(of(sent), sent.salt, signature)
  const court = on.court.attach(sent.court) as ExposedAuthorization
  const { asset, channelId, toB } = sent
  return court.depositWithAuthorization(
    asset,
    channelId,
    toB,
    from,
    sent.amount,
    validAfter,
    validBefore,
    salt,
    signature,
    GAS,
  )
}

/** Signs for Permit2 what one intent means and sends the call that another one means. */
export function permitted(on: Ground, signed: Intent, sent: Intent = signed, key: Hex = alice.key) {
  const of = ({ asset, amount, nonce, until }: Intent) =>
    ({ permitted: { token: asset, amount }, nonce, deadline: until }) as const
  const digest = permit2Digest(CHAIN, signed.court, of(signed), signed.channelId, signed.toB)
  const { from, salt, validBefore, signature } = permit2Payer(sent.from, of(sent), sign(digest, key))
  const court = on.court.attach(sent.court) as ExposedAuthorization
  return court.depositWithPermit2(
    sent.asset,
    sent.channelId,
    sent.toB,
    from,
    sent.amount,
    BigInt(salt),
    validBefore,
    signature,
    GAS,
  )
}

/** Alice's permit for the court, as the fields of a call. */
export async function permit(on: Ground, amount: bigint, deadline: bigint = FOREVER, spender: Hex = on.at.court) {
  const nonce = await on.token.nonces(alice.address)
  const signed = { owner: alice.address, spender, value: amount, nonce, deadline }
  return permitFields(signed, sign(permitDigest(separator(on.at.token), signed), alice.key))
}

/** Enough for every call, so that a refusal is found by the chain and not by an estimate. */
export const GAS = { gasLimit: 2_000_000 } as const
