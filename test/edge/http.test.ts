import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { Fault } from '../../src/edge/Fault.ts'
import { type HttpServer, serveHttp } from '../../src/edge/http/Http.ts'
import type { OperatorApi, OutputProof } from '../../src/edge/http/OperatorApi.ts'
import { memoryClient, operatorClient } from '../../src/edge/http/OperatorClient.ts'
import { MAX_BODY, operatorHandler } from '../../src/edge/http/OperatorServer.ts'
import { MAX_BATCH } from '../../src/edge/http/Schema.ts'
import { encode } from '../../src/edge/Json.ts'
import { arbitrary, runs } from '../fuzz.ts'

const ID: Hex = `0x${'ab'.repeat(32)}`
const OWNER: Hex = `0x${'cd'.repeat(20)}`
const output = { owner: OWNER, asset: ETHER, value: 2n ** 256n - 1n, lock: ZERO }
const transaction = { chain: ID, inputs: [ID], outputs: [output], lastBlock: 2 ** 40 - 1, memo: ZERO }
const signed: Signed = { transaction, authorisation: `0x${'11'.repeat(65)}` }
const inclusion = { number: 3, time: 9, asOf: 8, index: 65_535, childrenRoot: ZERO, levels: [] }
const proof: OutputProof = { transaction, position: 3, inclusion: { ...inclusion, siblings: Array(16).fill(ID) } }

const OFFER = { number: 4, asOf: 8, header: ID, r: ID, vs: ZERO }

/** An operator whose answers say what it was asked. */
const scripted: OperatorApi = {
  status: async () => ({
    chainId: 31337,
    court: OWNER,
    chain: ID,
    operator: OWNER,
    number: 4,
    asOf: 8,
    committed: 3,
    since: 0,
    halted: null,
  }),
  fees: async () => ({ fees: [{ asset: ETHER, amount: 10n ** 30n }] }),
  submit: async ({ transaction: { lastBlock } }) => {
    if (lastBlock === 1) throw new Refusal('Expired', 1, 4)
    if (lastBlock === 2) throw new Error('secret path /home/x')
    return { txHash: ID, number: 4, index: 0 }
  },
  submitAll: async (batch) =>
    batch.map((_, index) => (index === 1 ? { code: 'Expired', detail: 'late' } : { txHash: ID, number: 4, index })),
  block: async (number) => {
    if (number > 3) throw new Refusal('UnknownBlock', number)
    return { number, asOf: 8, header: ID, transactions: [signed, { ...signed, authorisation: '0x' }] }
  },
  openings: async (number) => [
    { txRoot: ID, siblings: Array(8).fill(ID), child: { header: ID, r: ID, vs: ZERO } },
    { txRoot: number === 3 ? ID : ZERO, siblings: [] },
  ],
  tender: async (slot) => (slot === 255 ? { number: 4, asOf: 8 } : null),
  offer: async (slot, offer) => {
    if (slot !== 7) throw new Refusal('SlotFilled', slot)
    if (JSON.stringify(offer) !== JSON.stringify(OFFER)) throw new Error('not what was offered')
  },
  openingsOf: async (slot, number) => [{ txRoot: uint(slot * 1000 + number, 32), siblings: [] }],
  proof: async (id) => {
    if (id !== ID) throw new Refusal('UnknownOutput', id)
    return proof
  },
  transaction: async (txHash) => {
    if (txHash === ZERO) return { status: 'unknown', txHash }
    if (txHash === uint(1, 32)) return { status: 'expired', txHash, code: 'Expired' }
    return { status: 'committed', txHash, number: 3, index: 65_535 }
  },
  deposits: async (_, after) => ({
    deposits: [{ id: ID, asset: OWNER, value: 2n ** 255n, status: 'unconfirmed', finalAt: 17 }],
    next: after ?? null,
  }),
  unspent: async (owner, after) => ({
    outputs: [{ id: after ?? ID, output: { ...output, owner }, number: 0, frozen: true }],
    next: ID,
  }),
}

async function rejected(promise: Promise<unknown>): Promise<Refusal | Fault> {
  const why = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (why instanceof Refusal || why instanceof Fault) return why
  throw new Error(`rejected with ${why}`)
}

const variants: readonly (readonly [
  string,
  () => Promise<{ client: OperatorApi; url: string; server?: HttpServer }>,
])[] = [
  ['memory', async () => ({ client: memoryClient(operatorHandler(scripted)), url: '' })],
  [
    'HTTP',
    async () => {
      const server = await serveHttp(operatorHandler(scripted))
      return { client: operatorClient(server.url), url: server.url, server }
    },
  ],
]

for (const [name, open] of variants) {
  describe(`the operator's API over ${name}`, () => {
    let made: Awaited<ReturnType<typeof open>>
    before(async () => {
      made = await open()
    })
    after(() => made.server?.close())

    it('carries every answer exactly, the largest amounts too', async () => {
      const { client } = made
      expect(await client.status()).to.deep.equal(await scripted.status())
      expect(await client.fees()).to.deep.equal(await scripted.fees())
      expect(await client.submit(signed)).to.deep.equal({ txHash: ID, number: 4, index: 0 })
      expect(await client.submitAll([signed, signed])).to.deep.equal(await scripted.submitAll([signed, signed]))
      expect(await client.block(3)).to.deep.equal(await scripted.block(3))
      expect(await client.proof(ID)).to.deep.equal(proof)
      for (const hash of [ID, ZERO, uint(1, 32)]) {
        expect(await client.transaction(hash)).to.deep.equal(await scripted.transaction(hash))
      }
      expect(await client.deposits(OWNER, ZERO)).to.deep.equal(await scripted.deposits(OWNER, ZERO))
      expect(await client.deposits(OWNER)).to.deep.equal(await scripted.deposits(OWNER))
      expect(await client.unspent(OWNER, ZERO)).to.deep.equal(await scripted.unspent(OWNER, ZERO))
    })

    it('carries what a tree needs: how blocks are shown, and what children sign', async () => {
      const { client } = made
      for (const number of [3, 4]) expect(await client.openings(number)).to.deep.equal(await scripted.openings(number))
      expect(await client.openingsOf(9, 4)).to.deep.equal(await scripted.openingsOf(9, 4))
      expect([await client.tender(255), await client.tender(0)]).to.deep.equal([{ number: 4, asOf: 8 }, null])
      await client.offer(7, OFFER)
      expect((await rejected(client.offer(8, OFFER))).code).to.equal('SlotFilled')
      for (const slot of [256, -1, 0.5]) expect((await rejected(client.tender(slot))).code).to.equal('InvalidRequest')
    })

    it('carries refusals by their code, with a sentence', async () => {
      const expired = await rejected(made.client.submit({ ...signed, transaction: { ...transaction, lastBlock: 1 } }))
      expect([expired.code, expired.message]).to.deep.equal([
        'Expired',
        'Expired(The transaction ends with block 1, block 4 is being built; sign a new one.)',
      ])
      expect((await rejected(made.client.block(4))).code).to.equal('UnknownBlock')
      expect((await rejected(made.client.proof(ZERO))).code).to.equal('UnknownOutput')
    })

    it('says nothing of what went wrong inside', async () => {
      const why = await rejected(made.client.submit({ ...signed, transaction: { ...transaction, lastBlock: 2 } }))
      expect(why.code).to.equal('Internal')
      expect(why.message).not.to.include('secret')
    })
  })
}

describe("the operator's API against bad input", () => {
  const handler = operatorHandler(scripted)

  async function post(path: string, body: string): Promise<{ status: number; code: string; detail: string }> {
    const answer = await handler(new Request(`http://x${path}`, { method: 'POST', body }))
    expect(answer.headers.get('content-type')).to.equal('application/problem+json')
    const problem = (await answer.json()) as { status: number; code: string; detail: string }
    expect(problem.status).to.equal(answer.status)
    return problem
  }

  function withValue(value: unknown): string {
    const text = JSON.parse(encode(signed))
    text.transaction.outputs[0].value = value
    return JSON.stringify(text)
  }

  for (const value of [
    '1e-19',
    '-1',
    String(2n ** 256n),
    '0x',
    '0x10',
    '',
    ' 1',
    '01',
    '1.0',
    '1e18',
    '٣',
    5,
    1e21,
    null,
    true,
    {},
    ['1'],
  ]) {
    it(`refuses the amount ${JSON.stringify(value)}`, async () => {
      const { status, code, detail } = await post('/v1/transactions', withValue(value))
      expect([status, code]).to.deep.equal([400, 'InvalidRequest'])
      expect(detail).to.include('body.transaction.outputs.0.value')
    })
  }

  const bad: readonly (readonly [
    string,
    (text: { transaction: Record<string, unknown>; authorisation: unknown }) => void,
  ])[] = [
    ['an upper-case id', (text) => (text.transaction.inputs = [`0x${'AB'.repeat(32)}`])],
    ['a short id', (text) => (text.transaction.inputs = ['0xab'])],
    ['five inputs', (text) => (text.transaction.inputs = Array(5).fill(ID))],
    ['no outputs', (text) => (text.transaction.outputs = [])],
    ['a lastBlock beyond 40 bits', (text) => (text.transaction.lastBlock = 2 ** 40)],
    ['a fractional lastBlock', (text) => (text.transaction.lastBlock = 1.5)],
    ['a lastBlock as text', (text) => (text.transaction.lastBlock = '5')],
    ['a field too many', (text) => (text.transaction.note = 'x')],
    ['no memo', (text) => delete text.transaction.memo],
    ['a signature of 63 bytes', (text) => (text.authorisation = `0x${'11'.repeat(63)}`)],
    ['a signature as a list', (text) => (text.authorisation = [1, 2])],
  ]
  for (const [name, change] of bad) {
    it(`refuses ${name}`, async () => {
      const text = JSON.parse(encode(signed))
      change(text)
      expect((await post('/v1/transactions', JSON.stringify(text))).code).to.equal('InvalidRequest')
    })
  }

  it('refuses what is not JSON, and any JSON that is no transaction', async () => {
    for (const text of ['', '{', 'null', '[]', '"x"', '{"__proto__":1}']) {
      expect((await post('/v1/transactions', text)).code).to.equal('InvalidRequest')
    }
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        expect((await post('/v1/transactions', JSON.stringify(value))).status).to.equal(400)
      }),
      runs(50),
    )
  })

  it('refuses an empty batch and one too long, and takes the longest', async () => {
    const batch = (count: number) => encode({ transactions: Array(count).fill(signed) })
    expect((await post('/v1/transactions/batch', batch(0))).code).to.equal('InvalidRequest')
    expect((await post('/v1/transactions/batch', batch(MAX_BATCH + 1))).code).to.equal('InvalidRequest')
    const full = new Request('http://x/v1/transactions/batch', { method: 'POST', body: batch(MAX_BATCH) })
    expect((await handler(full)).status).to.equal(200)
  })

  it('takes a full batch of the longest transactions, and no larger body', async () => {
    const long = { ...transaction, inputs: Array(4).fill(ID), outputs: Array(4).fill(output) }
    const body = encode({ transactions: Array(MAX_BATCH).fill({ ...signed, transaction: long }) })
    expect(body.length).to.be.lessThan(MAX_BODY)
    const full = new Request('http://x/v1/transactions/batch', { method: 'POST', body })
    expect((await handler(full)).status).to.equal(200)
    const problem = await post('/v1/transactions', ' '.repeat(MAX_BODY + 1))
    expect([problem.status, problem.code]).to.deep.equal([413, 'BodyTooLarge'])
  })

  for (const path of [
    '/v1/blocks/-1',
    '/v1/blocks/1e3',
    '/v1/blocks/0x1',
    '/v1/outputs/0xab/proof',
    '/v1/owners/me/outputs',
    `/v1/owners/${OWNER}/outputs?after=x`,
  ]) {
    it(`refuses ${path}`, async () => {
      const answer = await handler(new Request(`http://x${path}`))
      expect([answer.status, ((await answer.json()) as { code: string }).code]).to.deep.equal([400, 'InvalidRequest'])
    })
  }

  it('knows nothing at other addresses', async () => {
    for (const path of ['/', '/v1', '/v2/status', '/v1/blocks', '/v1/status/x']) {
      expect((await handler(new Request(`http://x${path}`))).status).to.equal(404)
    }
  })
})

describe("the operator's client against bad servers", () => {
  it('says who does not answer', async () => {
    const server = await serveHttp(operatorHandler(scripted))
    await server.close()
    const why = await rejected(operatorClient(server.url).status())
    expect([why.code, why.message]).to.satisfy(
      ([code, text]: string[]) => code === 'PeerUnreachable' && text!.includes(server.url),
    )
  })

  it('believes no answer of another form', async () => {
    const answers = ['', '<html>', '{}', '{"number":1}', '[]', encode({ ...(await scripted.status()), court: '0x' })]
    let next = 0
    const server = createServer((_, response) => response.end(answers[next++]))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const client = operatorClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    for (const _ of answers) expect((await rejected(client.status())).code).to.equal('Malformed')
    server.close()
  })

  it('believes no block whose amounts or ids are malformed', async () => {
    const block = { ...(await scripted.block(3)) }
    for (const value of ['-1', '1e3', '', 7]) {
      const text = JSON.parse(encode(block))
      text.transactions[0].transaction.outputs[0].value = value
      const client = memoryClient(async () => new Response(JSON.stringify(text)))
      expect((await rejected(client.block(3))).code).to.equal('Malformed')
    }
  })

  it('says that a port is taken', async () => {
    const server = await serveHttp(operatorHandler(scripted))
    const port = Number(new URL(server.url).port)
    const why = await rejected(serveHttp(operatorHandler(scripted), '127.0.0.1', port))
    expect([why.code, why.message.includes(String(port))]).to.deep.equal(['PortInUse', true])
    await server.close()
  })
})

describe('amounts on the wire', () => {
  it('come back as they were', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.bigInt(0n, 2n ** 256n - 1n),
        arbitrary.address,
        fc.nat(1000),
        async (value, owner, number) => {
          const one = { id: uint(number, 32), output: { ...output, value, owner }, number, frozen: false }
          const api = { ...scripted, unspent: async () => ({ outputs: [one], next: null }) }
          expect((await memoryClient(operatorHandler(api)).unspent(owner)).outputs).to.deep.equal([one])
        },
      ),
      runs(50),
    )
  })
})
