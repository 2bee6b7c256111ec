import { z } from 'zod'
import * as Schema from './Schema.ts'

// The document that tells programs what an operator's API is. Every form in it is the schema that checks what travels.

/** One thing that an operator can be asked. */
interface Operation {
  readonly method: 'get' | 'post'
  /** As OpenAPI writes it: a parameter in braces. */
  readonly path: string
  readonly summary: string
  readonly query?: Readonly<Record<string, z.ZodType>>
  readonly body?: z.ZodType
  readonly answer: z.ZodType
}

const PARAMETERS: Readonly<Record<string, z.ZodType>> = {
  hash: Schema.id,
  id: Schema.id,
  owner: Schema.owner,
  number: Schema.blockNumber,
  slot: Schema.slot,
}
const PAGED = { after: Schema.id }

/** Everything that an operator's routes offer. */
export const OPERATIONS: readonly Operation[] = [
  { method: 'get', path: '/v1/openapi.json', summary: 'This document.', answer: z.looseObject({}) },
  { method: 'get', path: '/v1/status', summary: 'Which chain this is and how far it is.', answer: Schema.status },
  { method: 'get', path: '/v1/fees', summary: 'What a transaction must leave, in one of these.', answer: Schema.fees },
  {
    method: 'post',
    path: '/v1/transactions',
    summary: 'Submits a transaction; answered once it is stored. The same one again gets the same answer.',
    body: Schema.signed,
    answer: Schema.acknowledgement,
  },
  {
    method: 'post',
    path: '/v1/transactions/batch',
    summary: 'Submits transactions, each on its own; answered in their order.',
    body: Schema.batch,
    answer: Schema.results,
  },
  {
    method: 'get',
    path: '/v1/transactions/{hash}',
    summary: 'What became of a transaction.',
    answer: Schema.transactionStatus,
  },
  { method: 'get', path: '/v1/blocks/{number}', summary: 'A sealed block, whole.', answer: Schema.block },
  {
    method: 'get',
    path: '/v1/blocks/{number}/openings',
    summary: "How the blocks of its ancestors show this chain's.",
    answer: Schema.openings,
  },
  {
    method: 'get',
    path: '/v1/children/{slot}/openings/{number}',
    summary: "The same of the child in a slot, for the child's operator.",
    answer: Schema.openings,
  },
  {
    method: 'post',
    path: '/v1/children/{slot}/tender',
    summary: "What a child's operator shall sign for its slot now.",
    answer: Schema.tender,
  },
  {
    method: 'post',
    path: '/v1/children/{slot}/header',
    summary: "A child's signed header for its slot; answered once it is stored.",
    body: Schema.offer,
    answer: Schema.nothing,
  },
  { method: 'get', path: '/v1/outputs/{id}/proof', summary: 'What an exit of an output needs.', answer: Schema.proof },
  {
    method: 'get',
    path: '/v1/owners/{owner}/outputs',
    summary: 'Unspent outputs by their ids, a page at a time.',
    query: PAGED,
    answer: Schema.page,
  },
  {
    method: 'get',
    path: '/v1/owners/{owner}/deposits',
    summary: 'Deposits that layer 1 shows and nobody spent, and when they can be spent.',
    query: PAGED,
    answer: Schema.deposits,
  },
]

const INTRODUCTION =
  'Amounts are whole numbers of the smallest unit as decimal text; bytes are 0x and lowercase digits. What is not a ' +
  'success is a problem (RFC 9457), whose code is the name of the refusal. GET /v1/feed is a WebSocket that tells events.'

/** The document, in OpenAPI 3.1. */
export function openApi(): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of OPERATIONS) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: described(operation) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'kerros operator', version: '1', description: INTRODUCTION },
    paths,
    components: { schemas: { Problem: formOf(Schema.problem, 'output'), Event: formOf(Schema.event, 'input') } },
  }
}

function described({ path, summary, query = {}, body, answer }: Operation): Readonly<Record<string, unknown>> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
  const inPath = names.map((name) => parameter(name, 'path', PARAMETERS[name]!))
  const inQuery = Object.entries(query).map(([name, schema]) => parameter(name, 'query', schema))
  return {
    summary,
    parameters: [...inPath, ...inQuery],
    ...(body && { requestBody: { required: true, content: json(formOf(body, 'input')) } }),
    responses: {
      200: { description: 'The answer.', content: json(formOf(answer, 'input')) },
      default: {
        description: 'A refusal, or a request that is not understood.',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  }
}

function parameter(name: string, place: 'path' | 'query', schema: z.ZodType): Readonly<Record<string, unknown>> {
  return { name, in: place, required: place === 'path', schema: formOf(schema, 'input') }
}

function json(schema: unknown): Readonly<Record<string, unknown>> {
  return { 'application/json': { schema } }
}

/** The JSON schema of what travels, which is what a schema takes. */
function formOf(schema: z.ZodType, io: 'input' | 'output'): unknown {
  const { $schema: _, ...form } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return form
}
