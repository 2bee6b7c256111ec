import { getAddress } from 'ethers'
import { z } from 'zod'
import { type Hex, isHex } from '../../core/base/Bytes.ts'
import { isCode, PAYLOAD, REASON } from '../../core/channel/Change.ts'
import type { Channel } from '../../core/channel/Channel.ts'
import { MAX_LOCKS } from '../../core/channel/Lock.ts'
import { MEMO } from '../../core/channel/Payment.ts'
import { decimal, uint40, word } from './Fields.ts'
import type {
  ChannelView,
  LockView,
  MethodName,
  MoneyView,
  NodeEvent,
  NodeInfo,
  OpenRequest,
  Params,
  PaymentView,
  Result,
} from './NodeApi.ts'

// What travels between a node and those who run it, checked on both sides.

const MAX_PAGE = 1000
/** Seconds in which a withdrawal must be mined, at most: a week. */
const MAX_WITHDRAWAL = 604_800
/** Characters of a file at most. */
const MAX_FILE = 32 * 1024 * 1024

/** A whole number as decimal text, from `least` up to 2^bits, exclusive. */
function whole(bits: number, least: bigint): z.ZodType<bigint> {
  return decimal(least < 0n)
    .refine((value) => value >= least, `must be at least ${least}`)
    .refine((value) => value < 2n ** BigInt(bits), `must be smaller than 2^${bits}`)
}

const amount = whole(128, 0n)
const positive = whole(128, 1n)
const net = whole(127, -(2n ** 127n))
const version = whole(64, 0n)
const total = whole(256, 0n)
const count = z.int().min(0)
const side = z.enum(['a', 'b'])
const code = z.string().max(64)

/** At most so many bytes. */
function upTo(most: number): z.ZodType<Hex> {
  return z.custom<Hex>(
    (value) => isHex(value) && value.length <= 2 + 2 * most,
    `must be 0x and lowercase hexadecimal digits, at most ${most} bytes`,
  )
}

const memo = upTo(MEMO)
const payload = upTo(PAYLOAD)

/** An address in lower case, or with the checksum of its capital letters (EIP-55); it comes out in lower case. */
const address = z
  .string()
  .refine(isAddress, 'must be 0x and 40 hexadecimal digits: in lower case, or with a right checksum')
  .transform((value) => value.toLowerCase() as Hex)

function isAddress(value: string): boolean {
  const lower = value.toLowerCase()
  return isHex(lower, 20) && (value === lower || value === getAddress(lower))
}

const party = z.strictObject({ owner: address, signer: address })
const period = z.int().min(0).max(0xffff_ffff)
const bond = whole(96, 0n)
const transport = z.string().min(1).max(300)

/** The terms of a channel. */
export const channel: z.ZodType<Channel> = z.strictObject({
  a: party,
  b: party,
  asset: address,
  challengePeriod: period,
  bond,
  salt: word,
})

const open: z.ZodType<OpenRequest> = z.union(
  [
    z.strictObject({ channel, address: transport.optional() }),
    z.strictObject({
      peer: party,
      asset: address,
      challengePeriod: period.optional(),
      bond: bond.optional(),
      salt: word.optional(),
      address: transport.optional(),
    }),
  ],
  'must be { channel: { a, b, asset, challengePeriod, bond, salt } } or { peer: { owner, signer }, asset }, both with address?',
)

const info: z.ZodType<NodeInfo> = z.object({
  chainId: count,
  court: address,
  signer: address,
  owner: address,
  addresses: z.array(transport),
  channels: count,
  head: count,
})

const part = z.object({ amount: total, until: uint40 }).nullable()

const money: z.ZodType<MoneyView> = z.object({
  arriving: total,
  inChannel: total,
  locked: part,
  inDispute: part,
  credit: total.nullable(),
  paidOut: total,
})

const view: z.ZodType<ChannelView> = z.object({
  id: word,
  channel,
  side,
  phase: z.enum(['new', 'open', 'ending', 'closed']),
  connected: z.boolean(),
  version,
  net,
  available: whole(129, -(2n ** 129n)),
  pending: count,
  deposits: z.object({ a: total, b: total }),
  withdrawn: z.object({ a: total, b: total }),
  withdrawal: z.object({ total, deadline: uint40, signed: z.boolean() }).nullable(),
  closed: z.object({ payA: total, payB: total }).nullable(),
  whereabouts: money,
})

const mined = z.object({ hash: word, block: count, gasUsed: total })

const payment: z.ZodType<PaymentView> = z.object({
  paymentId: word,
  direction: z.enum(['sent', 'received']),
  status: z.enum(['pending', 'paid', 'refused']),
  code: code.nullable(),
  amount: amount.nullable(),
  memo: memo.nullable(),
  version: version.nullable(),
  index: uint40.nullable(),
  time: uint40.nullable(),
})

const lockId = whole(64, 1n)

const lock: z.ZodType<LockView> = z.object({
  lockId: lockId.nullable(),
  paymentId: word,
  direction: z.enum(['sent', 'received']),
  status: z.enum(['pending', 'open', 'fulfilled', 'failed']),
  code: code.nullable(),
  data: upTo(REASON).nullable(),
  amount: amount.nullable(),
  expiry: uint40.nullable(),
  key: word.nullable(),
  payload: payload.nullable(),
  preimage: word.nullable(),
})

const ofChannel = { id: word }
const limit = z.int().min(1).max(MAX_PAGE).optional()
const cursor = z.string().regex(/^[0-9]{1,20}\/[0-9]{1,10}$/, 'must be the `next` of an earlier page')
const ending = z.strictObject({ ...ofChannel, wait: z.boolean().optional() })
const ofLock = { ...ofChannel, lockId, wait: z.boolean().optional() }
const failure = z.string().refine(isCode, 'must be the name of an error, as NotInterested')

/** How each method's parameters and result travel. */
export const METHODS: {
  readonly [M in MethodName]: { readonly params: z.ZodType<Params<M>>; readonly result: z.ZodType<Result<M>> }
} = {
  'node.info': { params: z.strictObject({}), result: info },
  'channel.open': { params: open, result: view },
  'channel.list': {
    params: z.strictObject({ after: word.optional(), limit }),
    result: z.object({ channels: z.array(view).max(MAX_PAGE), next: word.nullable() }),
  },
  'channel.show': { params: z.strictObject(ofChannel), result: view },
  'channel.deposit': {
    params: z.strictObject({ ...ofChannel, amount: positive, depositId: word.optional() }),
    result: mined,
  },
  'channel.pay': {
    params: z.strictObject({ ...ofChannel, amount: positive, paymentId: word, memo: memo.optional() }),
    result: payment,
  },
  'channel.payments': {
    params: z.strictObject({ ...ofChannel, after: cursor.optional(), limit }),
    result: z.object({ payments: z.array(payment).max(MAX_PAGE), next: cursor.nullable() }),
  },
  'channel.payment': { params: z.strictObject({ ...ofChannel, paymentId: word }), result: payment },
  'channel.lock': {
    params: z.strictObject({
      ...ofChannel,
      amount: positive,
      key: word,
      expiry: uint40,
      paymentId: word.optional(),
      payload: payload.optional(),
    }),
    result: lock,
  },
  'channel.locks': {
    params: z.strictObject(ofChannel),
    result: z.object({ locks: z.array(lock).max(MAX_LOCKS) }),
  },
  'channel.fulfil': { params: z.strictObject({ ...ofLock, preimage: word }), result: lock },
  'channel.fail': { params: z.strictObject({ ...ofLock, code: failure }), result: lock },
  'channel.claim': {
    params: z.strictObject({ ...ofChannel, to: address.optional() }),
    result: z.object({ claims: z.array(mined.extend({ asset: address, amount: total })) }),
  },
  'channel.withdraw': {
    params: z.strictObject({
      ...ofChannel,
      amount: positive,
      seconds: z.int().min(1).max(MAX_WITHDRAWAL).optional(),
      wait: z.boolean().optional(),
    }),
    result: view,
  },
  'channel.export': {
    params: z.strictObject(ofChannel),
    result: z.object({ file: z.string().max(MAX_FILE) }),
  },
  'channel.receipt': {
    params: z.strictObject({ ...ofChannel, paymentId: word }),
    result: z.object({ file: z.string().max(MAX_FILE) }),
  },
  'channel.close': { params: ending, result: view },
  'channel.challenge': { params: ending, result: view },
}

/** True iff a text names a method. */
export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(METHODS, name)
}

const where = { channel: word }

/** An event as it travels. */
export const event: z.ZodType<NodeEvent> = z.discriminatedUnion('name', [
  z.object({ ...where, name: z.literal('opened') }),
  z.object({ ...where, name: z.literal('funded'), total }),
  z.object({ ...where, name: z.enum(['paid', 'received', 'refused']), payment }),
  z.object({ ...where, name: z.enum(['locked', 'fulfilled', 'failed']), lock }),
  z.object({ ...where, name: z.literal('withdrawn'), total }),
  z.object({ ...where, name: z.literal('unwithdrawn'), total, code }),
  z.object({ ...where, name: z.literal('disputed'), why: z.string().max(1000) }),
  z.object({ ...where, name: z.literal('agreed'), net }),
  z.object({ ...where, name: z.literal('closed'), payA: total, payB: total }),
  z.object({ ...where, name: z.literal('sent'), verb: code, hash: word }),
  z.object({ ...where, name: z.literal('mined'), verb: code, hash: word, block: count }),
  z.object({ ...where, name: z.literal('impostor'), address: transport }),
])

/** What a subscription names: all channels unless given. */
export const subscription = z.strictObject({ channels: z.array(word).max(MAX_PAGE).optional() })

/** The sentence of what a value has wrong, with the place. */
export function complaintOf({ issues: [issue] }: z.ZodError): string {
  const path = issue?.path.join('.') ?? ''
  return path === '' ? (issue?.message ?? 'invalid') : `${path}: ${issue?.message}`
}
