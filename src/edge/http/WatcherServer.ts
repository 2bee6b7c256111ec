import { Hono } from 'hono'
import type { Hex } from '../../core/base/Bytes.ts'
import type { Alarm } from '../../core/plasma/Alarm.ts'
import type { Bad } from '../../core/plasma/Follower.ts'
import { encode } from '../Json.ts'
import { type Handler, type HttpServer, serveHttp } from './Http.ts'
import type { ServedBlock } from './OperatorApi.ts'
import { type FeedLimits, feedOf } from './OperatorSocket.ts'
import { type Problem, problemOf } from './Problem.ts'

/** How far a watcher is: `number` is the next that it checks, `time` what it has seen of L1 (seconds). */
export interface WatcherStatus {
  readonly chain: Hex
  readonly number: number
  readonly time: number
  readonly synced: boolean
  readonly bad: Bad | null
  /** Exits that run, standard and in-flight. */
  readonly exits: number
  readonly inFlight: number
}

/** What a watcher offers to everybody. */
export interface WatcherApi {
  status(): WatcherStatus
  /** Every alarm that it has raised. */
  alarms(): readonly Alarm[]
  /** A block that it has, for whom the operator does not serve; refused with UnknownBlock(number). */
  block(number: number): Promise<ServedBlock>
  /** Tells every alarm from now on, until the function that comes back is called. */
  subscribe(listen: (alarm: Alarm) => void): () => void
}

/** How a watcher's API is served: 127.0.0.1 unless given; port 0 takes a free one. */
export interface WatcherServing {
  readonly host?: string
  readonly port?: number
  readonly limits?: Partial<FeedLimits & { readonly connections: number }>
  /** Hears of what nobody outside is told. */
  readonly onError?: (why: unknown) => void
}

const LIMITS = { sockets: 64, buffer: 1 << 20, connections: 256 }

/** Serves a watcher's API over HTTP, and its alarms over the WebSocket /v1/feed. Faults: PortInUse, BadAddress. */
export async function serveWatcher(api: WatcherApi, serving: WatcherServing = {}): Promise<HttpServer> {
  const limits = { ...LIMITS, ...serving.limits }
  const feed = feedOf(api, limits)
  const handler = watcherHandler(api, serving.onError)
  const server = await serveHttp(handler, serving.host, serving.port, { ...limits, onUpgrade: feed.take })
  const close = async () => {
    feed.close()
    await server.close()
  }
  return { url: server.url, close }
}

/** A watcher's API as a handler of requests: GET /v1/status, /v1/alarms and /v1/blocks/NUMBER, as operators serve them. */
export function watcherHandler(api: WatcherApi, onError: (why: unknown) => void = () => {}): Handler {
  const app = new Hono()
  app.get('/v1/status', () => answer(api.status()))
  app.get('/v1/alarms', () => answer({ alarms: api.alarms() }))
  app.get('/v1/blocks/:number{[0-9]{1,12}}', async (c) => answer(await api.block(Number(c.req.param('number')))))
  app.notFound(() => problem({ status: 404, code: 'NotFound', detail: 'There is nothing here; see /v1/status.' }))
  app.onError((why) => {
    const told = problemOf(why)
    if (told.status >= 500) onError(why)
    return problem(told)
  })
  return async (request) => app.fetch(request)
}

function answer(value: unknown): Response {
  return new Response(encode(value), { headers: { 'content-type': 'application/json' } })
}

function problem({ status, code, detail }: Problem): Response {
  const text = JSON.stringify({ type: `urn:kerros:${code}`, title: code, status, detail, code })
  return new Response(text, { status, headers: { 'content-type': 'application/problem+json' } })
}
