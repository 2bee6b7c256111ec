import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { type Admission, requireLoopback, turnedAway } from './Guard.ts'
import { type Handler, type HttpServer, serveHttp } from './Http.ts'
import { answerText, type Dispatch, Rejected, RPC, type Telling } from './JsonRpc.ts'
import type { NodeApi } from './NodeApi.ts'
import { explainNode } from './NodeProblem.ts'
import { complaintOf, isMethod, METHODS } from './NodeSchema.ts'
import { socketsOf } from './NodeSocket.ts'
import type { Problem } from './Problem.ts'

/** What one node's API can bear. */
export interface Limits {
  /** Bytes of a request, or of a batch of them. */
  readonly body: number
  /** Connections at once, WebSockets included, and WebSockets among them. */
  readonly connections: number
  readonly sockets: number
  /** Bytes that wait for a slow client; beyond, it is dropped. */
  readonly buffer: number
  /** Requests of one WebSocket that are being answered at once. */
  readonly inFlight: number
}

/** The limits unless others are given. */
export const LIMITS: Limits = { body: 1 << 20, connections: 128, sockets: 64, buffer: 1 << 20, inFlight: 1024 }

/** How a node's API is served. */
export interface NodeServing extends Admission {
  /** 127.0.0.1 unless given; another machine's way in needs `isPublic` too. Port 0 takes a free one. */
  readonly host?: string
  readonly port?: number
  readonly isPublic?: boolean
  readonly limits?: Partial<Limits>
  /** Hears of what nobody outside is told. */
  readonly onError?: (why: unknown) => void
}

/** Does what a method's name and parameters ask of a node, once they are of the right form. */
export function dispatcher(api: NodeApi): Dispatch {
  return async (method, params) => {
    if (!isMethod(method)) throw new Rejected(RPC.method, 'UnknownMethod', `There is no method ${method}.`)
    const checked = METHODS[method].params.safeParse(params)
    if (!checked.success) throw new Rejected(RPC.params, 'InvalidParams', complaintOf(checked.error))
    return api.methods[method](checked.data as never)
  }
}

/** How a node's refusals are told. */
export function tellingOf({ onError = () => {} }: Pick<NodeServing, 'onError'>): Telling {
  return { explain: explainNode, onError }
}

/** A node's API as a handler of requests: POST /rpc, and GET /metrics. Everything needs the token. */
export function nodeHandler(api: NodeApi, serving: NodeServing): Handler {
  const { body } = { ...LIMITS, ...serving.limits }
  const telling = tellingOf(serving)
  const dispatch = dispatcher(api)
  const app = new Hono()
  app.use(async (c, next) => {
    const problem = turnedAway(headersOf(c.req.raw), serving)
    return problem ? answerProblem(problem) : next()
  })
  app.use(bodyLimit({ maxSize: body, onError: () => answerProblem(tooLarge(body)) }))
  app.post('/rpc', async (c) => {
    if (!/^application\/json\s*(?:;|$)/i.test(c.req.header('content-type') ?? '')) return answerProblem(NOT_JSON)
    const { isRequest, text } = await answerText(await c.req.text(), dispatch, telling)
    if (text === undefined) return new Response(null, { status: 204 })
    return new Response(text, { status: isRequest ? 200 : 400, headers: { 'content-type': 'application/json' } })
  })
  app.get('/metrics', async () => new Response(await api.metrics(), { headers: { 'content-type': METRICS } }))
  app.notFound(() => answerProblem(NOT_FOUND))
  app.onError((why) => {
    telling.onError(why)
    return answerProblem(INTERNAL)
  })
  return async (request) => app.fetch(request)
}

/** Serves a node's API, over HTTP and WebSockets. Faults: PortInUse, BadAddress. */
export async function serveNode(api: NodeApi, serving: NodeServing): Promise<HttpServer> {
  const { host = '127.0.0.1', port = 0, isPublic = false } = serving
  requireLoopback(host, isPublic)
  const limits = { ...LIMITS, ...serving.limits }
  const sockets = socketsOf(api, dispatcher(api), tellingOf(serving), serving, limits)
  const { connections } = limits
  const server = await serveHttp(nodeHandler(api, serving), host, port, { connections, onUpgrade: sockets.take })
  const close = async () => {
    sockets.close()
    await server.close()
  }
  return { url: server.url, close }
}

const METRICS = 'text/plain; version=0.0.4; charset=utf-8'

/** A request that never went over a network names its host in its address only. */
function headersOf(request: Request): Headers {
  if (request.headers.has('host')) return request.headers
  const headers = new Headers(request.headers)
  headers.set('host', new URL(request.url).host)
  return headers
}

function tooLarge(need: number): Problem {
  return { status: 413, code: 'BodyTooLarge', detail: `A body has at most ${need} bytes; send several.` }
}
const NOT_JSON: Problem = { status: 415, code: 'NotJson', detail: 'The content-type must be application/json.' }
const NOT_FOUND: Problem = { status: 404, code: 'NotFound', detail: 'There are POST /rpc and GET /metrics.' }
const INTERNAL: Problem = { status: 500, code: 'Internal', detail: 'The node failed to answer; its log says why.' }

function answerProblem({ status, code, detail }: Problem): Response {
  const text = JSON.stringify({ type: `urn:kerros:${code}`, title: code, status, detail, code })
  const headers = { 'content-type': 'application/problem+json', ...(status === 401 ? CHALLENGE : {}) }
  return new Response(text, { status, headers })
}

const CHALLENGE = { 'www-authenticate': 'Bearer' }
