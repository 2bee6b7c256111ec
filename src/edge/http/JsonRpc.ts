import { z } from 'zod'
import { Refusal } from '../../core/base/Step.ts'
import { Fault } from '../Fault.ts'
import { encode } from '../Json.ts'

// JSON-RPC 2.0 over any carrier of texts.

/** How many requests one batch may carry. */
export const MAX_CALLS = 100

/** The codes of JSON-RPC, and this API's own two: a court's or machine's refusal, and a fault at an edge. */
export const RPC = {
  parse: -32700,
  request: -32600,
  method: -32601,
  params: -32602,
  internal: -32603,
  refusal: -32001,
  fault: -32002,
  busy: -32003,
} as const

/** What an answer that is no result says: a sentence for people, and for programs the name of what went wrong. */
export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data: { readonly code: string; readonly args?: readonly string[] }
}

/** A request that is answered with an error of its own. */
export class Rejected extends Error {
  readonly error: RpcError
  constructor(code: number, name: string, message: string) {
    super(message)
    this.name = 'Rejected'
    this.error = { code, message, data: { code: name } }
  }
}

/** Does what a request asks for. */
export type Dispatch = (method: string, params: unknown) => Promise<unknown>

/** What to answer a text with; nothing where only notifications came. `isRequest` is false of what cannot be read. */
export interface Answered {
  readonly isRequest: boolean
  readonly text: string | undefined
}

/** How errors become answers. */
export interface Telling {
  /** The sentence of a refusal. */
  readonly explain: (refusal: Refusal) => string
  /** Hears of what nobody outside is told. */
  readonly onError: (why: unknown) => void
}

const ID = z.union([z.string().max(256), z.number(), z.null()])
const REQUEST = z.strictObject({
  jsonrpc: z.literal('2.0'),
  method: z.string().min(1).max(64),
  params: z.looseObject({}).optional(),
  id: ID.optional(),
})
type Request = z.infer<typeof REQUEST>

/** Answers a request, or a batch of at most MAX_CALLS, all at once and in the order of the requests. */
export async function answerText(text: string, dispatch: Dispatch, telling: Telling): Promise<Answered> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return unreadable(RPC.parse, 'ParseError', 'The text is not JSON.')
  }
  if (!Array.isArray(json)) {
    const answer = await answerOne(json, dispatch, telling)
    return { isRequest: REQUEST.safeParse(json).success, text: answer === undefined ? undefined : encode(answer) }
  }
  if (json.length === 0 || json.length > MAX_CALLS) {
    return unreadable(RPC.request, 'BadBatch', `A batch has ${json.length} requests, it needs 1 to ${MAX_CALLS}.`)
  }
  const answers = await Promise.all(json.map((one) => answerOne(one, dispatch, telling)))
  const said = answers.filter((answer) => answer !== undefined)
  return { isRequest: true, text: said.length === 0 ? undefined : encode(said) }
}

function unreadable(code: number, name: string, message: string): Answered {
  const { error } = new Rejected(code, name, message)
  return { isRequest: false, text: encode({ jsonrpc: '2.0', id: null, error }) }
}

async function answerOne(json: unknown, dispatch: Dispatch, telling: Telling): Promise<unknown> {
  const request = REQUEST.safeParse(json)
  const id = request.success ? request.data.id : idOf(json)
  const answer = request.success ? await run(request.data, dispatch, telling) : { error: NO_REQUEST }
  return id === undefined ? undefined : { jsonrpc: '2.0', id, ...answer }
}

async function run({ method, params }: Request, dispatch: Dispatch, telling: Telling) {
  try {
    return { result: (await dispatch(method, params ?? {})) ?? null }
  } catch (why) {
    return { error: errorOf(why, telling) }
  }
}

const NO_REQUEST: RpcError = new Rejected(
  RPC.request,
  'InvalidRequest',
  'A request is { "jsonrpc": "2.0", "id", "method", "params" }, its params one object.',
).error

/** Whoever sent no request is told so, by its id if that can be read. */
function idOf(json: unknown): string | number | null {
  const id = ID.safeParse((json as { readonly id?: unknown } | null | undefined)?.id)
  return id.success ? id.data : null
}

/** What to answer where this was thrown; nothing of an unexpected error leaves the house but that it happened. */
function errorOf(why: unknown, { explain, onError }: Telling): RpcError {
  if (why instanceof Rejected) return why.error
  if (why instanceof Refusal) {
    return { code: RPC.refusal, message: explain(why), data: { code: why.code, args: why.args.map(String) } }
  }
  if (why instanceof Fault) return { code: RPC.fault, message: why.message, data: { code: why.code } }
  onError(why)
  const message = 'The node failed to answer; its log says why.'
  return { code: RPC.internal, message, data: { code: 'Internal' } }
}

/** What an answer looks like to whoever asked. */
export const ANSWER = z.object({
  id: ID,
  result: z.unknown().optional(),
  error: z
    .object({
      code: z.int(),
      message: z.string().max(4000),
      data: z.object({ code: z.string().max(64), args: z.array(z.string().max(1000)).max(16).optional() }),
    })
    .optional(),
})

/** What an error of an answer is to a program: the refusal or the fault that it was there. */
export function thrown({ code, message, data }: RpcError): Refusal | Fault {
  if (code === RPC.refusal) return Object.assign(new Refusal(data.code, ...(data.args ?? [])), { message })
  if (code === RPC.fault) return new Fault(data.code as Fault['code'], message)
  return Object.assign(new Refusal(data.code), { message })
}
