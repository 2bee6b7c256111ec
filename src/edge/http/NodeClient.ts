import { WebSocket } from 'ws'
import { z } from 'zod'
import type { Hex } from '../../core/base/Bytes.ts'
import { Fault, reason } from '../Fault.ts'
import { encode } from '../Json.ts'
import type { Handler } from './Http.ts'
import { ANSWER, thrown } from './JsonRpc.ts'
import type { MethodName, NodeEvent, Params, Result } from './NodeApi.ts'
import { event, METHODS } from './NodeSchema.ts'

/** Milliseconds that an answer may take; a node itself answers what takes longer with what is known by then. */
const TIMEOUT = 60_000
/** Bytes of an answer at most. */
const MAX_ANSWER = 64 * 1024 * 1024

/** A node, asked over its API. Rejects with what the node refused with (a Refusal or a Fault), or a Fault of its own. */
export interface NodeClient {
  call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>>
  /** What a Prometheus server would read. */
  metrics(): Promise<string>
}

/** A node over one connection, which tells events too. */
export interface NodeSocket {
  call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>>
  /** Tells the events of some channels, or of all, from now on. Again replaces the earlier wish. */
  subscribe(sink: (event: NodeEvent) => void, channels?: readonly Hex[]): Promise<void>
  unsubscribe(): Promise<void>
  /** Resolves with the reason once the connection has ended, whoever ended it. */
  readonly ended: Promise<string>
  close(): void
}

/** The node at `url` ("http://127.0.0.1:7777"), asked over HTTP with its token. Faults: PeerUnreachable, TimedOut, Unauthorized, Malformed. */
export function nodeClient(url: string, token: string, ask: Handler = overNetwork): NodeClient {
  const base = url.replace(/\/+$/, '')
  const authorization = `Bearer ${token}`

  async function send(path: string, init: { readonly method?: string; readonly body?: string }): Promise<string> {
    const headers = { authorization, ...(init.body === undefined ? {} : { 'content-type': 'application/json' }) }
    const { response, text } = await reach(base, async () => {
      const response = await ask(new Request(`${base}${path}`, { ...init, headers }))
      return { response, text: await textOf(response) }
    })
    if (response.ok || (response.status === 400 && path === '/rpc')) return text
    throw turnedAway(base, response.status, text)
  }

  return {
    async call(method, params) {
      const body = encode({ jsonrpc: '2.0', id: 1, method, params })
      return resultOf(method, ANSWER.safeParse(json(await send('/rpc', { method: 'POST', body }))), base)
    },
    metrics: () => send('/metrics', {}),
  }
}

function overNetwork(request: Request): Promise<Response> {
  return fetch(request, { signal: AbortSignal.timeout(TIMEOUT), redirect: 'error' })
}

async function reach<T>(base: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (why) {
    if (why instanceof Error && why.name === 'TimeoutError') throw timedOut(base, why)
    throw unreachable(base, why instanceof Error && why.cause ? why.cause : why)
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_ANSWER) throw new RangeError('its answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** It may be at work: nobody may take it for a node that is not there. */
function timedOut(base: string, why: Error): Fault {
  const said = `The node at ${base} has taken ${TIMEOUT / 1000} seconds without an answer and may still do what was asked`
  return new Fault('TimedOut', `${said}: look at what it has done before you ask again`, why)
}

function unreachable(base: string, why: unknown): Fault {
  return new Fault('PeerUnreachable', `No node answers at ${base} (${reason(why)}): check that it runs`, why)
}

const PROBLEM = z.object({ code: z.string().max(64), detail: z.string().max(2000) })

function turnedAway(base: string, status: number, text: string): Fault {
  const problem = PROBLEM.safeParse(json(text))
  if (status !== 401 && status !== 403) {
    return new Fault('Malformed', `${base} gave no answer but status ${status}: check that a node listens there`)
  }
  const why = problem.success ? problem.data.detail : `status ${status}`
  return new Fault('Unauthorized', `The node at ${base} does not hear this client. ${why}`)
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // what is no JSON is no answer either
  }
}

type Parsed = ReturnType<typeof ANSWER.safeParse>

/** What a method gave; whatever has another form than the method's is not believed. */
function resultOf<M extends MethodName>(method: M, answer: Parsed, base: string): Result<M> {
  if (answer.success && answer.data.error) throw thrown(answer.data.error as Parameters<typeof thrown>[0])
  const result = answer.success ? METHODS[method].result.safeParse(answer.data.result) : undefined
  if (result?.success) return result.data
  throw new Fault('Malformed', `What answers at ${base} does not speak as a node of this version does: check both`)
}

interface Waiting {
  readonly done: (answer: Parsed) => void
  readonly failed: (why: unknown) => void
}

const NOTIFICATION = z.object({ method: z.literal('event'), params: event })

/** The node at `url`, over a WebSocket. Faults: PeerUnreachable, Unauthorized; calls under way reject if it ends. */
export async function nodeSocket(url: string, token: string): Promise<NodeSocket> {
  const base = url.replace(/\/+$/, '')
  const client = await connected(base, token)
  const waiting = new Map<number, Waiting>()
  let next = 1
  let sink: (event: NodeEvent) => void = () => {}

  const hear = (text: string) => {
    const said = json(text)
    const told = NOTIFICATION.safeParse(said)
    if (told.success) return sink(told.data.params)
    const answer = ANSWER.safeParse(said)
    const id = answer.success ? answer.data.id : undefined
    waiting.get(id as number)?.done(answer)
    waiting.delete(id as number)
  }
  const ask = (method: string, params: unknown) =>
    new Promise<Parsed>((done, failed) => {
      const id = next++
      waiting.set(id, { done, failed })
      if (client.readyState === OPEN) client.send(encode({ jsonrpc: '2.0', id, method, params }))
      else failed(unreachable(base, new Error('the connection has ended')))
    })
  const say = async (method: string, params: unknown) => {
    const answer = await ask(method, params)
    if (answer.success && answer.data.error) throw thrown(answer.data.error as Parameters<typeof thrown>[0])
  }

  client.on('message', (data: Buffer) => hear(data.toString('utf8')))
  client.on('error', () => client.terminate())
  const ended = new Promise<string>((done) => {
    client.on('close', (code: number, why: Buffer) => {
      const told = why.toString('utf8') || `code ${code}`
      for (const { failed } of waiting.values()) failed(unreachable(base, new Error(told)))
      waiting.clear()
      done(told)
    })
  })

  return {
    call: async (method, params) => resultOf(method, await ask(method, params), base),
    async subscribe(to, channels) {
      sink = to
      await say('subscribe', channels ? { channels } : {})
    },
    unsubscribe: () => say('unsubscribe', {}),
    ended,
    close: () => client.close(),
  }
}

const OPEN = 1

function connected(base: string, token: string): Promise<WebSocket> {
  const headers = { authorization: `Bearer ${token}` }
  const options = { headers, handshakeTimeout: TIMEOUT, maxPayload: MAX_ANSWER, perMessageDeflate: false }
  return new Promise((done, failed) => {
    const client = new WebSocket(`${base.replace(/^http/, 'ws')}/rpc`, options)
    client.on('open', () => done(client))
    client.on('error', (why: Error) => failed(unreachable(base, why)))
    client.on('unexpected-response', (_request: unknown, response: { readonly statusCode: number }) => {
      failed(turnedAway(base, response.statusCode, ''))
      client.terminate()
    })
  })
}

/** The simulated twin of the client over HTTP: the same bytes to and fro, without a network. */
export function memoryNodeClient(handler: Handler, token: string): NodeClient {
  return nodeClient('http://127.0.0.1', token, handler)
}
