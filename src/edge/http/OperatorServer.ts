import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { z } from 'zod'
import { encode } from '../Json.ts'
import { type Buckets, buckets, type Rate } from './Bucket.ts'
import { type Handler, type HttpServer, type Patience, serveHttp } from './Http.ts'
import { openApi } from './OpenApi.ts'
import type { LocalOperator, OpenBlock, OperatorApi } from './OperatorApi.ts'
import { type FeedLimits, feedOf } from './OperatorSocket.ts'
import { type Problem, problemOf } from './Problem.ts'
import * as Schema from './Schema.ts'

/** Bytes of a body at most: a full batch of the longest transactions. */
export const MAX_BODY = 4 * 1024 * 1024

/** What one operator's API can bear. */
export interface OperatorLimits extends FeedLimits {
  /** Requests an address may make; each transaction of a batch and each of a block's thousands counts as one more. */
  readonly rate: Rate
  /** Connections at once, WebSockets included. */
  readonly connections: number
  readonly patience?: Patience
}

/** The limits unless others are given. */
export const LIMITS: OperatorLimits = {
  rate: { perSecond: 1000, burst: 10_000 },
  connections: 1024,
  sockets: 512,
  buffer: 1 << 20,
}

/** How an operator's API is served. */
export interface OperatorServing {
  /** 127.0.0.1 unless given. Port 0 takes a free one. */
  readonly host?: string
  readonly port?: number
  readonly limits?: Partial<OperatorLimits>
  /** Hears of what nobody outside is told. */
  readonly onError?: (why: unknown) => void
}

/** Serves an operator's API over HTTP, and its feed over WebSockets. Faults: PortInUse, BadAddress. */
export async function serveOperator(api: LocalOperator, serving: OperatorServing = {}): Promise<HttpServer> {
  const { host, port, onError } = serving
  const limits = { ...LIMITS, ...serving.limits }
  const feed = feedOf(api, limits)
  const server = await serveHttp(operatorHandler(api, onError, limits), host, port, { ...limits, onUpgrade: feed.take })
  const close = async () => {
    feed.close()
    await server.close()
  }
  return { url: server.url, close }
}

/** An operator's API as a handler of requests. `onError` is told what nobody outside is. */
export function operatorHandler(
  api: LocalOperator,
  onError: (why: unknown) => void = () => {},
  { rate }: Pick<OperatorLimits, 'rate'> = LIMITS,
): Handler {
  const app = operatorApp(api, onError, buckets(rate))
  return async (request, from) => app.fetch(request, { from })
}

/** The routes of an operator's API: those that `openapi.json` tells of, and no others. */
export function operatorApp(api: LocalOperator, onError: (why: unknown) => void, limits: Buckets): Hono<Asked> {
  const app = new Hono<Asked>()
  const spend = (c: Context<Asked>, tokens: number) => {
    const seconds = c.env.from === undefined ? 0 : limits.take(c.env.from, tokens)
    if (seconds > 0) throw new TooMany(seconds)
  }
  app.use(async (c, next) => {
    spend(c, 1)
    await next()
  })
  app.use(bodyLimit({ maxSize: MAX_BODY, onError: () => answerProblem(TOO_LARGE) }))
  app.get('/v1/openapi.json', () => new Response(document(), { headers: { 'content-type': 'application/json' } }))
  app.get('/v1/status', async () => answer(await api.status()))
  app.get('/v1/fees', async () => answer(await api.fees()))
  app.post('/v1/transactions', async (c) => answer(await api.submit(await body(c, Schema.signed))))
  app.post('/v1/transactions/batch', async (c) => {
    const { transactions } = await body(c, Schema.batch)
    spend(c, transactions.length)
    return answer({ results: await api.submitAll(transactions) })
  })
  app.get('/v1/blocks/:number', async (c) => {
    const number = checked(Schema.blockNumber, c.req.param('number'), 'number')
    spend(c, BLOCK)
    return api.openBlock ? answerBlock(api.openBlock(number)) : answer(await api.block(number))
  })
  app.get('/v1/transactions/:hash', async (c) => {
    return answer(await api.transaction(checked(Schema.id, c.req.param('hash'), 'hash')))
  })
  treeRoutes(app, api)
  app.get('/v1/outputs/:id/proof', async (c) => answer(await api.proof(checked(Schema.id, c.req.param('id'), 'id'))))
  app.get('/v1/owners/:owner/outputs', async (c) => {
    const owner = checked(Schema.owner, c.req.param('owner'), 'owner')
    const after = checked(Schema.id.optional(), c.req.query('after'), 'after')
    return answer(await api.unspent(owner, after))
  })
  app.get('/v1/owners/:owner/deposits', async (c) => {
    const owner = checked(Schema.owner, c.req.param('owner'), 'owner')
    const after = checked(Schema.id.optional(), c.req.query('after'), 'after')
    return answer(await api.deposits(owner, after))
  })
  app.notFound(() => answerProblem(NOT_FOUND))
  app.onError((why) => {
    if (why instanceof TooMany) return answerProblem(why.problem, { 'retry-after': String(why.seconds) })
    if (why instanceof Unreadable) return answerProblem({ status: 400, code: 'InvalidRequest', detail: why.message })
    const problem = problemOf(why)
    if (problem.status >= 500) onError(why)
    return answerProblem(problem)
  })
  return app
}

/** What is known of who asks; in memory nothing is. */
interface Asked {
  Bindings: { readonly from?: string | undefined }
}

/** What a block counts as besides its request. */
const BLOCK = 99

let documentText: string | undefined

function document(): string {
  documentText ??= JSON.stringify(openApi())
  return documentText
}

/** What the tree is about: how a deeper chain's block is shown, and how a child's operator has its own anchored. */
function treeRoutes(app: Hono<Asked>, api: OperatorApi): void {
  const numberOf = (c: Context<Asked>) => checked(Schema.blockNumber, c.req.param('number'), 'number')
  const slotOf = (c: Context<Asked>) => checked(Schema.slot, c.req.param('slot'), 'slot')
  app.get('/v1/blocks/:number/openings', async (c) => answer({ openings: await api.openings(numberOf(c)) }))
  app.get('/v1/children/:slot/openings/:number', async (c) => {
    return answer({ openings: await api.openingsOf(slotOf(c), numberOf(c)) })
  })
  app.post('/v1/children/:slot/tender', async (c) => answer({ tender: await api.tender(slotOf(c)) }))
  app.post('/v1/children/:slot/header', async (c) => {
    await api.offer(slotOf(c), await body(c, Schema.offer))
    return answer({})
  })
}

const TOO_LARGE: Problem = { status: 413, code: 'BodyTooLarge', detail: `A body has at most ${MAX_BODY} bytes.` }
const NOT_FOUND: Problem = {
  status: 404,
  code: 'NotFound',
  detail: 'There is nothing at this address; see /v1/status.',
}

class Unreadable extends Error {}

class TooMany extends Error {
  readonly seconds: number
  constructor(seconds: number) {
    super()
    this.seconds = seconds
  }

  get problem(): Problem {
    const detail = `This address asks for more than it may; ask again in ${this.seconds} seconds.`
    return { status: 429, code: 'TooManyRequests', detail }
  }
}

async function body<T>(c: Context<Asked>, schema: z.ZodType<T>): Promise<T> {
  let json: unknown
  try {
    json = await c.req.json()
  } catch {
    throw new Unreadable('The body is not JSON.')
  }
  return checked(schema, json, 'body')
}

function checked<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const where = [what, ...(issue?.path ?? [])].join('.')
  throw new Unreadable(`${where}: ${issue?.message ?? 'invalid'}`)
}

function answer(value: unknown): Response {
  return new Response(encode(value), { headers: { 'content-type': 'application/json' } })
}

/** A block as it is read, so that however long it is little of it is in memory. */
function answerBlock({ head, runs }: OpenBlock): Response {
  const parts = blockText(head, runs)
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { done, value } = parts.next()
      if (done) controller.close()
      else controller.enqueue(new TextEncoder().encode(value))
    },
    cancel() {
      parts.return()
    },
  })
  return new Response(stream, { headers: { 'content-type': 'application/json' } })
}

function* blockText(head: OpenBlock['head'], runs: OpenBlock['runs']): Generator<string, void> {
  yield `${encode(head).slice(0, -1)},"transactions":[`
  let comma = ''
  for (const run of runs) {
    yield comma + encode(run).slice(1, -1)
    comma = ','
  }
  yield ']}'
}

function answerProblem({ status, code, detail }: Problem, more: Readonly<Record<string, string>> = {}): Response {
  const text = JSON.stringify({ type: `urn:kerros:${code}`, title: code, status, detail, code })
  return new Response(text, { status, headers: { 'content-type': 'application/problem+json', ...more } })
}
