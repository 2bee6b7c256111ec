import { WebSocket } from 'ws'
import type { z } from 'zod'
import { Refusal } from '../../core/base/Step.ts'
import { Fault, reason } from '../Fault.ts'
import { encode } from '../Json.ts'
import type { Handler } from './Http.ts'
import type { OperatorApi, OperatorEvent } from './OperatorApi.ts'
import * as Schema from './Schema.ts'

/** Milliseconds that an answer may take. */
const TIMEOUT = 30_000
/** Bytes of an answer at most: a full block of the longest transactions. */
const MAX_ANSWER = 256 * 1024 * 1024

/** An operator that is asked over a network. */
export interface OperatorClient extends OperatorApi {
  /** Hears the operator's feed from now on, until the function that comes back is called. Fault: PeerUnreachable. */
  listen(sink: (event: OperatorEvent) => void, onEnd?: () => void): Promise<() => void>
}

/**
 * The operator at `url`, asked over HTTP. What it answers is checked before it is believed to be of the right form.
 * Rejects with a Refusal that has the operator's code, or a Fault: PeerUnreachable, Malformed.
 */
export function operatorClient(url: string, ask: Handler = overNetwork): OperatorClient {
  const base = url.replace(/\/+$/, '')

  async function call<T>(schema: z.ZodType<T>, path: string, body?: unknown): Promise<T> {
    const text = body === undefined ? undefined : encode(body)
    const init = text === undefined ? {} : { method: 'POST', body: text, headers: JSON_TYPE }
    const response = await reach(base, () => ask(new Request(`${base}${path}`, init)))
    return read(schema, response, base)
  }

  return {
    status: () => call(Schema.status, '/v1/status'),
    fees: () => call(Schema.fees, '/v1/fees'),
    submit: (signed) => call(Schema.acknowledgement, '/v1/transactions', signed),
    submitAll: async (transactions) => (await call(Schema.results, '/v1/transactions/batch', { transactions })).results,
    block: (number) => call(Schema.block, `/v1/blocks/${number}`),
    openings: async (number) => (await call(Schema.openings, `/v1/blocks/${number}/openings`)).openings,
    tender: async (slot) => (await call(Schema.tender, `/v1/children/${slot}/tender`, {})).tender,
    offer: async (slot, offer) => void (await call(Schema.nothing, `/v1/children/${slot}/header`, offer)),
    openingsOf: async (slot, number) =>
      (await call(Schema.openings, `/v1/children/${slot}/openings/${number}`)).openings,
    proof: (id) => call(Schema.proof, `/v1/outputs/${id}/proof`),
    listen: (sink) => listen(base, sink),
    transaction: (hash) => call(Schema.transactionStatus, `/v1/transactions/${hash}`),
    deposits: (owner, after) => call(Schema.deposits, `/v1/owners/${owner}/deposits${after ? `?after=${after}` : ''}`),
    unspent: (owner, after) => call(Schema.page, `/v1/owners/${owner}/outputs${after ? `?after=${after}` : ''}`),
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }

function overNetwork(request: Request): Promise<Response> {
  return fetch(request, { signal: AbortSignal.timeout(TIMEOUT), redirect: 'error' })
}

async function reach(base: string, run: () => Promise<Response>): Promise<Response> {
  try {
    return await run()
  } catch (why) {
    const cause = why instanceof Error && why.cause ? why.cause : why
    throw new Fault('PeerUnreachable', `No operator answers at ${base} (${reason(cause)}): check that it runs`, why)
  }
}

async function read<T>(schema: z.ZodType<T>, response: Response, base: string): Promise<T> {
  const json = await jsonOf(response, base)
  if (response.ok) {
    const answer = schema.safeParse(json)
    if (answer.success) return answer.data
  } else {
    const problem = Schema.problem.safeParse(json)
    if (problem.success) throw new Refusal(problem.data.code, problem.data.detail)
  }
  throw malformed(base, response.status)
}

async function jsonOf(response: Response, base: string): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > MAX_ANSWER) throw new RangeError('too large')
      chunks.push(chunk)
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (why) {
    throw new Fault('Malformed', `The operator at ${base} gave no readable answer (${reason(why)})`, why)
  }
}

function malformed(base: string, status: number): Fault {
  return new Fault('Malformed', `What answers at ${base} (status ${status}) does not speak as an operator does`)
}

/** A text that is no event is passed by: a newer operator may tell more. */
function listen(base: string, sink: (event: OperatorEvent) => void, onEnd = () => {}): Promise<() => void> {
  const options = { handshakeTimeout: TIMEOUT, maxPayload: 1 << 16, perMessageDeflate: false, followRedirects: false }
  const socket = new WebSocket(`${base.replace(/^http/, 'ws')}/v1/feed`, options)
  socket.on('message', (data: Buffer) => {
    const event = Schema.event.safeParse(parsed(data.toString('utf8')))
    if (event.success) sink(event.data)
  })
  socket.on('close', onEnd)
  return new Promise((done, failed) => {
    socket.once('open', () => done(() => socket.terminate()))
    socket.on('error', (why: Error) => {
      failed(
        new Fault('PeerUnreachable', `No feed at ${base} (${why.message}): check that an operator runs there`, why),
      )
    })
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The simulated twin: the same bytes to and fro, without a network. */
export function memoryClient(handler: Handler): OperatorApi {
  return operatorClient('http://operator.invalid', handler)
}
