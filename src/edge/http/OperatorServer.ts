import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { z } from 'zod'
import { encode } from '../Json.ts'
import type { Handler } from './Http.ts'
import type { OperatorApi } from './OperatorApi.ts'
import { type Problem, problemOf } from './Problem.ts'
import * as Schema from './Schema.ts'

/** Bytes of a body at most: a full batch of the longest transactions. */
export const MAX_BODY = 4 * 1024 * 1024

/** An operator's API as a handler of requests. `onError` is told what nobody outside is. */
export function operatorHandler(api: OperatorApi, onError: (why: unknown) => void = () => {}): Handler {
  const app = new Hono()
  app.use(bodyLimit({ maxSize: MAX_BODY, onError: () => answerProblem(TOO_LARGE) }))
  app.get('/v1/status', async () => answer(await api.status()))
  app.get('/v1/fees', async () => answer(await api.fees()))
  app.post('/v1/transactions', async (c) => answer(await api.submit(await body(c, Schema.signed))))
  app.post('/v1/transactions/batch', async (c) => {
    const { transactions } = await body(c, Schema.batch)
    return answer({ results: await api.submitAll(transactions) })
  })
  app.get('/v1/blocks/:number', async (c) => {
    return answer(await api.block(checked(Schema.blockNumber, c.req.param('number'), 'number')))
  })
  treeRoutes(app, api)
  app.get('/v1/outputs/:id/proof', async (c) => answer(await api.proof(checked(Schema.id, c.req.param('id'), 'id'))))
  app.get('/v1/owners/:owner/outputs', async (c) => {
    const owner = checked(Schema.owner, c.req.param('owner'), 'owner')
    const after = checked(Schema.id.optional(), c.req.query('after'), 'after')
    return answer(await api.unspent(owner, after))
  })
  app.notFound(() => answerProblem(NOT_FOUND))
  app.onError((why) => {
    if (why instanceof Unreadable) return answerProblem({ status: 400, code: 'InvalidRequest', detail: why.message })
    const problem = problemOf(why)
    if (problem.status >= 500) onError(why)
    return answerProblem(problem)
  })
  return async (request) => app.fetch(request)
}

/** What the tree is about: how a deeper chain's block is shown, and how a child's operator has its own anchored. */
function treeRoutes(app: Hono, api: OperatorApi): void {
  const numberOf = (c: Context) => checked(Schema.blockNumber, c.req.param('number'), 'number')
  const slotOf = (c: Context) => checked(Schema.slot, c.req.param('slot'), 'slot')
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

async function body<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
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

function answerProblem({ status, code, detail }: Problem): Response {
  const text = JSON.stringify({ type: `urn:kerros:${code}`, title: code, status, detail, code })
  return new Response(text, { status, headers: { 'content-type': 'application/problem+json' } })
}
