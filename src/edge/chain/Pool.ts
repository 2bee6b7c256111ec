import { keccak256, type Signer, type TransactionRequest } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'
import { reason } from '../Fault.ts'
import type { Fees } from './Fees.ts'
import type { Node } from './Node.ts'

/**
 * What a node means by not taking a transaction: it has it already; its nonce is used up; another one has its nonce and
 * offers as much; it offers too little now; the sender cannot pay; the call reverts; a definite no of another kind; or
 * nothing at all, so that nobody knows whether it was taken.
 */
export type Meaning = 'known' | 'used' | 'underpriced' | 'cheap' | 'poor' | 'reverts' | 'refused' | 'silent'

const WORDS: readonly (readonly [Meaning, RegExp])[] = [
  ['known', /already ?known|known transaction|already imported|already exists/i],
  ['underpriced', /replacement|replace existing|same nonce/i],
  ['used', /nonce.{0,20}too low|oldnonce|nonce has already been used/i],
  ['poor', /insufficient (funds|balance)|enough funds|exceeds allowance|cannot afford/i],
  [
    'cheap',
    /underpriced|too low for the next block|less than block base ?fee|fee ?too ?low|below (the )?(base|minimum)/i,
  ],
  // Temporary, or no more than a gateway's opinion: the transaction may be taken next time.
  [
    'silent',
    /nonce too high|pool is full|too many|rate.?limit|limit exceeded|time(d )?out|internal|again|unavailable/i,
  ],
]

/** What a node meant when it threw. */
export function meaning(why: unknown): Meaning {
  if (revertData(why) !== undefined) return 'reverts'
  const said = answerOf(why)
  if (said === undefined) return 'silent'
  return WORDS.find(([, words]) => words.test(said.message))?.[0] ?? 'refused'
}

/** Whether a node says that it does not have a method. */
export function isUnsupported(why: unknown): boolean {
  const said = answerOf(why)
  if (said === undefined) return false
  return said.code === -32601 || said.code === -32004 || /not (supported|available|found|exist)/i.test(said.message)
}

interface Answer {
  readonly code: number
  readonly message: string
}

/** The JSON-RPC error that a node answered with, somewhere in what a provider threw; undefined if it did not answer. */
function answerOf(why: unknown): Answer | undefined {
  const said = within(why, ({ code, message }) => typeof code === 'number' && typeof message === 'string')
  if (said) return said as unknown as Answer
  // Providers translate some answers and keep only their own word for it.
  const code = within(why, ({ code }) => typeof code === 'string' && code in TRANSLATED)?.code as string | undefined
  return code === undefined ? undefined : { code: 0, message: `${TRANSLATED[code]}: ${reason(why)}` }
}

const TRANSLATED: Readonly<Record<string, string>> = {
  INSUFFICIENT_FUNDS: 'insufficient funds',
  NONCE_EXPIRED: 'nonce too low',
  REPLACEMENT_UNDERPRICED: 'replacement transaction underpriced',
}

/** The revert data somewhere in what a provider threw: each wraps it in its own way. */
export function revertData(why: unknown): string | undefined {
  return within(why, ({ data }) => typeof data === 'string' && /^0x([0-9a-f]{2})*$/i.test(data))?.data as string
}

type Fields = Readonly<Record<string, unknown>>

function within(why: unknown, fits: (fields: Fields) => boolean, depth = 0): Fields | undefined {
  if (typeof why !== 'object' || why === null || depth > 5) return undefined
  const fields = why as Fields
  if (fits(fields)) return fields
  for (const inner of [fields.data, fields.error, fields.info, fields.cause]) {
    const found = within(inner, fits, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

/** What a transaction carries and offers. */
export interface Offer {
  readonly to: Hex
  readonly data: Hex
  readonly value: bigint
  readonly gasLimit: bigint
  readonly fees: Fees
}

/** One version of a transaction as it was sent: newer ones have the same nonce and offer more. */
export interface Version {
  readonly offer: Offer
  readonly hash: Hex
  readonly raw?: Hex
  /** The newest block when it was sent. */
  readonly at: number
}

/** What came of handing a transaction to a pool; a version of it that may be mined, unless the node signs and did not. */
export interface Published {
  readonly version?: Version
  readonly said: Meaning | 'taken'
  readonly why?: unknown
}

/** Signs here if the signer can, so that sending again is the same transaction; else lets the node sign. */
export async function publish(
  { node, signer }: { readonly node: Node; readonly signer: Signer },
  nonce: number,
  offer: Offer,
  at: number,
  known?: Hex,
): Promise<Published> {
  const { fees, ...call } = offer
  const request: TransactionRequest = { ...call, ...fees, nonce, type: 2 }
  if (!('signingKey' in signer)) return published(signer.sendTransaction(request), { offer, at })
  const raw = known ?? ((await signer.signTransaction(await signer.populateTransaction(request))) as Hex)
  const version = { offer, at, raw, hash: keccak256(raw) as Hex }
  return published(node.send('eth_sendRawTransaction', [raw]), version)
}

async function published(sent: Promise<unknown>, made: Omit<Version, 'hash'> & { hash?: Hex }): Promise<Published> {
  try {
    const answer = (await sent) as { readonly hash: Hex }
    return { version: { ...made, hash: made.hash ?? answer.hash }, said: 'taken' }
  } catch (why) {
    const { hash, ...rest } = made
    return { ...(hash && { version: { ...rest, hash } }), said: meaning(why), why }
  }
}
