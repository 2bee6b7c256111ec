import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { depositId, txHash } from '../../src/core/plasma/Transaction.ts'
import { buckets } from '../../src/edge/http/Bucket.ts'
import { OPERATIONS, openApi } from '../../src/edge/http/OpenApi.ts'
import type { OperatorApi } from '../../src/edge/http/OperatorApi.ts'
import { memoryClient, operatorClient } from '../../src/edge/http/OperatorClient.ts'
import { operatorApp, operatorHandler, serveOperator } from '../../src/edge/http/OperatorServer.ts'
import { encode } from '../../src/edge/Json.ts'
import { threads } from '../../src/edge/signature/Threads.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { runs } from '../fuzz.ts'

import { DEPTH, DOMAIN, deposit, OWNER, payment, settled, stage } from './operatorStage.ts'

const COUNT = 1500

describe('what became of a transaction, over HTTP', () => {
  it('is waiting, sealed, committed; the same submission again gets the same answer at each stage', async () => {
    const { l1, operator, events } = await stage(2)
    const api = memoryClient(operatorHandler(operator.api))
    const [first, hash] = [payment(0), txHash(DOMAIN, payment(0).transaction)]
    expect(await api.transaction(hash)).to.deep.equal({ status: 'unknown', txHash: hash })
    const answer = await api.submit(first)
    const place = { txHash: hash, number: 1, index: 0 }
    expect(answer).to.deep.equal(place)
    for (const status of ['waiting', 'sealed', 'committed'] as const) {
      expect(await api.transaction(hash)).to.deep.equal({ status, ...place })
      expect(await api.submit(first)).to.deep.equal(answer)
      if (status === 'waiting') operator.seal()
      else for (let n = 0; n <= DEPTH; n++) l1.mine()
      await settled()
    }
    expect(events.map(({ kind }) => kind)).to.deep.equal(['sealed', 'committed'])
  })

  it('is known, and answered as before, when its output is long spent', async () => {
    const { l1, operator, store } = await stage(1)
    const api = memoryClient(operatorHandler(operator.api))
    const first = payment(0, { outputs: [{ owner: OWNER, asset: ETHER, value: 10n, lock: ZERO }] })
    const answer = await api.submit(first)
    const next = async () => {
      operator.seal()
      await settled()
      for (let n = 0; n <= DEPTH; n++) l1.mine()
      await settled()
    }
    await next()
    const [output] = (await api.unspent(OWNER)).outputs
    await api.submit(payment(0, { inputs: [output!.id] }))
    await next()
    expect(await api.submit(first)).to.deep.equal(answer)
    expect((await api.transaction(answer.txHash)).status).to.equal('committed')
    expect(store.all('places')).to.have.length(2)
  })

  it('is expired if it was acknowledged and a block built again came too late for it', async () => {
    const { l1, operator } = await stage(1, {})
    const api = memoryClient(operatorHandler(operator.api))
    const { txHash: hash } = await api.submit(payment(0))
    operator.stop()
    const again = await stage(0)
    again.store.commit([{ table: 'dropped', key: hash, value: 'Expired' }])
    again.store.commit([{ table: 'dropped', key: uint(9, 32), value: 'FrozenInput' }])
    const other = memoryClient(operatorHandler(again.operator.api))
    expect(await other.transaction(hash)).to.deep.equal({ status: 'expired', txHash: hash, code: 'Expired' })
    expect((await other.transaction(uint(9, 32))).status).to.equal('dropped')
    l1.mine()
  })
})

describe('deposits over HTTP', () => {
  it('are told while layer 1 could still take them back, and when they can be spent', async () => {
    const { l1, operator } = await stage(0)
    const api = memoryClient(operatorHandler(operator.api))
    const id = depositId(deposit(0))
    l1.mine({ name: 'Deposited', id, ...deposit(0) })
    await settled()
    const seen = { id, asset: ETHER, value: 10n }
    const { deposits } = await api.deposits(OWNER)
    expect(deposits).to.deep.equal([{ ...seen, status: 'unconfirmed', finalAt: 2 + DEPTH }])
    expect((await api.unspent(OWNER)).outputs).to.deep.equal([])
    for (let n = 0; n < DEPTH; n++) l1.mine()
    await settled()
    expect((await api.deposits(OWNER)).deposits).to.deep.equal([{ ...seen, status: 'spendable', finalAt: null }])
    expect((await api.unspent(OWNER)).outputs.map((one) => one.id)).to.deep.equal([id])
  })

  it('are final, and not spendable yet, while the open block saw layer 1 earlier', async () => {
    const { l1, operator } = await stage(1)
    const api = memoryClient(operatorHandler(operator.api))
    await api.submit(payment(0))
    l1.mine({ name: 'Deposited', id: depositId(deposit(7)), ...deposit(7) })
    for (let n = 0; n < DEPTH; n++) l1.mine()
    await settled()
    const [one] = (await api.deposits(OWNER)).deposits
    expect([one?.status, one?.finalAt]).to.deep.equal(['final', null])
    operator.seal()
    await settled()
    expect((await api.deposits(OWNER)).deposits.map(({ status }) => status)).to.deep.equal(['spendable'])
  })
})

describe('submissions over HTTP', () => {
  it('takes 100 concurrent identical requests as one', async () => {
    const checker = threads(2)
    const { operator } = await stage(1, { checker })
    const server = await serveOperator(operator.api)
    const client = operatorClient(server.url)
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.submit(payment(0))))
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).to.equal(1)
    expect(operator.state.ledger.index).to.equal(1)
    await server.close()
    await checker.close()
  })

  it('answers a batch in its order, whatever threads check it and whatever is refused', async () => {
    const checker = threads(2)
    const { operator, store } = await stage(COUNT, { checker })
    const client = memoryClient(operatorHandler(operator.api))
    const batch = Array.from({ length: 600 }, (_, n) => payment(n % 500))
    batch[3] = { ...payment(3), authorisation: payment(4).authorisation }
    const results = await client.submitAll(batch)
    const hashes = batch.map(({ transaction }) => txHash(DOMAIN, transaction))
    results.forEach((result, n) => {
      if (n === 3) expect(result).to.have.property('code', 'WrongSigner')
      else expect(result).to.have.property('txHash', hashes[n])
    })
    const indices = results.slice(0, 500).flatMap((result) => ('index' in result ? [result.index] : []))
    expect(indices).to.deep.equal(Array.from({ length: 499 }, (_, n) => n))
    // The 504th is the fourth of the second round, rightly signed.
    expect(results[503]).to.include({ number: 1, index: 499 })
    operator.seal()
    await settled()
    const block = await client.block(1)
    expect(block.transactions.map(({ transaction }) => txHash(DOMAIN, transaction))).to.have.length(500)
    expect(store.all('transactions').length).to.be.lessThan(20)
    await checker.close()
  })

  it('changes nothing for 10,000 malformed requests', async () => {
    const { operator, store } = await stage(3)
    await operator.api.submit(payment(0))
    const handler = operatorHandler(operator.api)
    const before = JSON.stringify([...tables(store)])
    const good = JSON.parse(encode(payment(1))) as Record<string, unknown>
    let [asked, refused] = [0, 0]
    const ask = async (path: string, body: string | undefined) => {
      const answer = await handler(new Request(`http://x${path}`, body === undefined ? {} : { method: 'POST', body }))
      asked++
      if (answer.status >= 400 && answer.status < 500) refused++
      await answer.body?.cancel()
    }
    await fc.assert(
      fc.asyncProperty(
        broken(good),
        fc.constantFrom(...POSTS),
        fc.string({ maxLength: 30 }),
        async (text, path, part) => {
          await ask(path, text)
          await ask(path, `{"transactions":[${text}]}`)
          await ask(`/v1/transactions/${encodeURIComponent(part)}`, undefined)
          await ask(`/v1/owners/${encodeURIComponent(part)}/outputs`, undefined)
        },
      ),
      { ...runs(25), ...(process.env.KERROS_RUNS === undefined ? { numRuns: 2500 } : {}) },
    )
    expect(refused).to.equal(asked)
    expect(JSON.stringify([...tables(store)])).to.equal(before)
    expect(operator.state.ledger.index).to.equal(1)
  })
})

const POSTS = ['/v1/transactions', '/v1/transactions/batch', '/v1/blocks', '/v1/fees', '/v2/transactions']

function tables(store: Store): readonly unknown[] {
  return ['transactions', 'blocks', 'l1', 'operator', 'places', 'dropped'].map((table) => encode(store.all(table)))
}

/** A good submission with something wrong in it: a field changed, dropped or too many, or its text cut. */
function broken(good: Record<string, unknown>): fc.Arbitrary<string> {
  const paths = [
    ['transaction', 'chain'],
    ['transaction', 'inputs'],
    ['transaction', 'outputs'],
    ['transaction', 'lastBlock'],
    ['transaction', 'memo'],
    ['authorisation'],
    ['transaction'],
  ]
  const bad = fc.oneof(fc.constantFrom<unknown>(null, -1, 1.5, '', '0x', '0xZZ', [], {}, true, 2 ** 41), fc.jsonValue())
  const changed = fc.tuple(fc.constantFrom(...paths), bad).map(([path, value]) => {
    const copy = structuredClone(good)
    const at = path
      .slice(0, -1)
      .reduce<Record<string, unknown>>((part, name) => part[name] as Record<string, unknown>, copy)
    at[path.at(-1)!] = value
    return JSON.stringify(copy)
  })
  const text = JSON.stringify(good)
  const cut = fc.nat(text.length - 1).map((length) => text.slice(0, length))
  const more = fc.constant(JSON.stringify({ ...good, more: 1 }))
  return fc.oneof(changed, cut, more).filter((one) => one !== text && !isEmptyApproval(one))
}

/** An empty authorisation is well formed: it says that layer 1 has an approval. */
function isEmptyApproval(text: string): boolean {
  return text.includes('"authorisation":"0x"')
}

describe("the operator's OpenAPI document", () => {
  const app = operatorApp({} as OperatorApi, () => {}, buckets({ perSecond: 1, burst: 1 }))

  it('tells every route and no other', () => {
    const routes = app.routes.filter(({ path }) => path !== '/*')
    const offered = routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
    expect(OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort()).to.deep.equal(offered.sort())
  })

  it('is served, with a form for everything that travels', async () => {
    const { operator } = await stage(0)
    const answer = await operatorHandler(operator.api)(new Request('http://x/v1/openapi.json'))
    const text = await answer.text()
    expect(JSON.parse(text)).to.deep.equal(JSON.parse(JSON.stringify(openApi())))
    const document = JSON.parse(text) as { openapi: string; paths: Record<string, Record<string, Told>> }
    expect(document.openapi).to.equal('3.1.0')
    const submit = document.paths['/v1/transactions']!.post!
    const { transaction, authorisation } = submit.requestBody!.content['application/json'].schema.properties
    expect(Object.keys(transaction!.properties!)).to.deep.equal(['chain', 'inputs', 'outputs', 'lastBlock', 'memo'])
    expect(authorisation).to.include({ type: 'string' })
    expect(text).not.to.match(/"(?:schema|items|[a-zA-Z]+Root|value|owner|txHash)":\{\}/)
  })
})

interface Told {
  readonly requestBody?: {
    readonly content: Record<'application/json', { schema: { properties: Record<string, { properties?: object }> } }>
  }
}

describe('a long block over HTTP', () => {
  it('is sent part by part as it is read, and comes whole', async () => {
    const { operator } = await stage(COUNT)
    const batch = Array.from({ length: COUNT }, (_, n) => payment(n))
    await operator.api.submitAll(batch)
    operator.seal()
    await settled()
    let read = 0
    const counted = {
      ...operator.api,
      openBlock: (number: number) => {
        const { head, runs } = operator.api.openBlock!(number)
        return {
          head,
          runs: (function* () {
            for (const run of runs) {
              read++
              yield run
            }
          })(),
        }
      },
    }
    const handler = operatorHandler(counted)
    const answer = await handler(new Request('http://x/v1/blocks/1'))
    const reader = answer.body!.getReader()
    await reader.read()
    await reader.read()
    expect(read).to.be.at.most(3)
    await reader.cancel()
    expect((await memoryClient(handler).block(1)).transactions).to.deep.equal(batch)
    expect(read).to.be.greaterThan(10)
  })
})
