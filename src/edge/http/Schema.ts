import { z } from 'zod'
import { type Hex, isHex } from '../../core/base/Bytes.ts'
import type { Signed } from '../../core/plasma/Ledger.ts'
import type { Offer, Tender } from '../../core/plasma/Office.ts'
import type { Opening } from '../../core/plasma/Opening.ts'
import { address, amount, uint40, word } from './Fields.ts'
import type {
  Acknowledgement,
  DepositPage,
  Fees,
  OperatorEvent,
  OutputProof,
  Page,
  Rejection,
  ServedBlock,
  Status,
  TransactionStatus,
} from './OperatorApi.ts'

// What travels is checked here, on both sides. Amounts are decimal texts, because JSON's numbers lose digits.

/** 32 bytes of an id, as they stand in a path or a query. */
export const id = word
/** An owner's address in a path. */
export const owner = address
/** A block number in a path. */
export const blockNumber = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,12})$/, 'must be a block number')
  .transform(Number)
  .pipe(uint40)

const output = z.strictObject({ owner: address, asset: address, value: amount, lock: word })
/** A transaction without any word for it. */
export const transaction = z.strictObject({
  chain: word,
  inputs: z.array(word).max(4),
  outputs: z.array(output).min(1).max(4),
  lastBlock: uint40,
  memo: word,
})

/** The terms of a lock. */
export const lockTerms = z.strictObject({ hash: word, expiry: uint40, refund: address })

/**
 * A transaction with its authorisation: 64 or 65 bytes of signature, two compact ones for a lock that is undecided, or none
 * if it was approved on L1; and the terms of its locked inputs.
 */
export const signed: z.ZodType<Signed> = z.strictObject({
  transaction,
  authorisation: z
    .custom<Hex>(
      (value) => isHex(value, 65) || isHex(value, 64) || isHex(value, 128) || value === '0x',
      'must be a signature of 64 or 65 bytes, two of 64, or 0x for an approval on layer 1',
    )
    .meta({ type: 'string', pattern: '^0x(?:[0-9a-f]{128}|[0-9a-f]{130}|[0-9a-f]{256})?$' }),
  terms: z.array(lockTerms).min(1).max(4).exactOptional(),
})

/** How many transactions one batch may carry. */
export const MAX_BATCH = 1000
/** The body of a batch. */
export const batch = z.strictObject({ transactions: z.array(signed).min(1).max(MAX_BATCH) })

export const status: z.ZodType<Status> = z.object({
  chainId: z.int().min(0),
  court: address,
  chain: word,
  operator: address,
  number: uint40,
  asOf: uint40,
  committed: uint40,
  since: uint40,
  halted: z.string().max(500).nullable(),
})

export const fees: z.ZodType<Fees> = z.object({ fees: z.array(z.object({ asset: address, amount })) })

export const acknowledgement: z.ZodType<Acknowledgement> = z.object({ txHash: word, number: uint40, index: uint40 })

const rejection: z.ZodType<Rejection> = z.object({ code: z.string().max(64), detail: z.string().max(2000) })

export const results: z.ZodType<{ results: readonly (Acknowledgement | Rejection)[] }> = z.object({
  results: z.array(z.union([acknowledgement, rejection])).max(MAX_BATCH),
})

const signature = { r: word, vs: word }
const uint8 = z.int().min(0).max(255)
const opening = z
  .object({
    txRoot: word,
    siblings: z.array(word).max(8),
    child: z.object({ header: word, ...signature }).optional(),
  })
  .transform(({ child, ...rest }): Opening => (child ? { ...rest, child } : rest))

/** How a chain's block is shown: one opening an ancestor, root level first. */
export const openings: z.ZodType<{ openings: readonly Opening[] }> = z.object({ openings: z.array(opening).max(2) })

/** A slot of a block in a path. */
export const slot = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,2})$/, 'must be a slot')
  .transform(Number)
  .pipe(uint8)

/** The body of an answer that says nothing but that it is done. */
export const nothing = z.object({})

const aTender = z.object({ number: uint40, asOf: uint40 })
export const tender: z.ZodType<{ tender: Tender | null }> = z.object({ tender: aTender.nullable() })
/** A child's signed header for its slot. */
export const offer: z.ZodType<Offer> = z.strictObject({ number: uint40, asOf: uint40, header: word, ...signature })

export const block: z.ZodType<ServedBlock> = z
  .object({
    number: uint40,
    asOf: uint40,
    header: word,
    transactions: z.array(signed).max(65_536),
    children: z
      .array(z.object({ slot: uint8, header: word, ...signature }))
      .max(256)
      .optional(),
  })
  .transform(({ children, ...rest }): ServedBlock => (children ? { ...rest, children } : rest))

export const page: z.ZodType<Page> = z.object({
  outputs: z.array(z.object({ id: word, output, number: uint40, frozen: z.boolean() })),
  next: word.nullable(),
})

const place = { txHash: word, number: uint40, index: uint40 }
const code = z.string().max(64)
export const transactionStatus: z.ZodType<TransactionStatus> = z.discriminatedUnion('status', [
  z.object({ status: z.enum(['waiting', 'sealed', 'committed']), ...place }),
  z.object({ status: z.enum(['expired', 'dropped']), txHash: word, code }),
  z.object({ status: z.literal('unknown'), txHash: word }),
])

const deposit = z.object({
  id: word,
  asset: address,
  value: amount,
  status: z.enum(['unconfirmed', 'final', 'spendable']),
  finalAt: uint40.nullable(),
})
export const deposits: z.ZodType<DepositPage> = z.object({ deposits: z.array(deposit), next: word.nullable() })

/** A text of the feed. */
export const event: z.ZodType<OperatorEvent> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sealed'), number: uint40, count: uint40 }),
  z.object({ kind: z.literal('committed'), number: uint40, time: uint40 }),
  z.object({ kind: z.literal('dropped'), txHash: word, code }),
])

const level = z.object({ txRoot: word, siblings: z.array(word).length(8), r: word, vs: word })
const inclusion = z.object({
  number: uint40,
  time: uint40,
  asOf: uint40,
  index: z.int().min(0).max(0xffff),
  siblings: z.array(word).length(16),
  childrenRoot: word,
  levels: z.array(level).max(2),
})

export const proof: z.ZodType<OutputProof> = z.object({ transaction, position: z.int().min(0).max(3), inclusion })

/** The body of every answer that is not a success (RFC 9457). */
export const problem = z.object({ code: z.string().max(64), detail: z.string().max(2000) })
