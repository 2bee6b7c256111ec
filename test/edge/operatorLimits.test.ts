import { connect } from 'node:net'
import { expect } from 'chai'
import { WebSocket } from 'ws'
import { buckets } from '../../src/edge/http/Bucket.ts'
import type { OperatorEvent } from '../../src/edge/http/OperatorApi.ts'
import { operatorClient } from '../../src/edge/http/OperatorClient.ts'
import { operatorHandler, serveOperator } from '../../src/edge/http/OperatorServer.ts'
import { encode } from '../../src/edge/Json.ts'

import { DEPTH, payment, stage } from './operatorStage.ts'

describe("an operator's limits", () => {
  it('give an address as much as its bucket has, and say when there is more', () => {
    let time = 0
    const { take } = buckets({ perSecond: 10, burst: 50 }, () => time)
    expect([take('a', 40), take('a', 10), take('a', 1), take('b', 50)]).to.deep.equal([0, 0, 1, 0])
    time += 2000
    expect([take('a', 21), take('a', 20), take('a', 30)]).to.deep.equal([1, 0, 3])
    time += 1e6
    expect([take('a', 9999), take('a', 1)]).to.deep.equal([0, 1])
    expect([take('2001:db8::1', 50), take('2001:db8:0:0:5::', 1), take('2001:db8:0:1::', 1)]).to.deep.equal([0, 1, 0])
  })

  it('forget no address that has taken something lately, however many come', () => {
    const { take } = buckets({ perSecond: 1, burst: 2 }, () => 0)
    take('last', 2)
    for (let n = 0; n < 19_000; n++) take(`10.0.${n >> 8}.${n & 255}`, 1)
    expect(take('last', 1)).to.equal(1)
  })

  it('answer 429 with Retry-After, for a batch by its transactions, and no other address suffers', async () => {
    const { operator } = await stage(30)
    const handler = operatorHandler(operator.api, () => {}, { rate: { perSecond: 1e-6, burst: 20 } })
    const batch = (from: number) =>
      new Request('http://x/v1/transactions/batch', {
        method: 'POST',
        body: encode({ transactions: Array.from({ length: 15 }, (_, n) => payment(from + n)) }),
      })
    expect((await handler(batch(0), '10.0.0.1')).status).to.equal(200)
    const refused = await handler(batch(15), '10.0.0.1')
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).to.deep.equal([429, true])
    expect(((await refused.json()) as { code: string }).code).to.equal('TooManyRequests')
    expect(operator.state.ledger.index).to.equal(15)
    expect((await handler(batch(15), '10.0.0.2')).status).to.equal(200)
  })

  it('cut clients that send too slowly, and those that do not read', async () => {
    const { operator } = await stage(0)
    const patience = { head: 30, whole: 60, still: 60 }
    const server = await serveOperator(operator.api, { limits: { patience } })
    const port = Number(new URL(server.url).port)
    for (const text of ['GET /v1/sta', 'POST /v1/transactions HTTP/1.1\r\nhost: x\r\ncontent-length: 9999\r\n\r\n{']) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(text)
      socket.resume()
      await new Promise<void>((done) => socket.once('close', () => done()))
    }
    expect((await operatorClient(server.url).status()).number).to.equal(1)
    await server.close()
  })

  it('refuse an address in mixed case, its checksum right or wrong', async () => {
    const { operator } = await stage(0)
    const handler = operatorHandler(operator.api)
    for (const owner of ['0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', '0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed']) {
      const answer = await handler(new Request(`http://x/v1/owners/${owner}/outputs`))
      expect(answer.status).to.equal(400)
      expect(((await answer.json()) as { detail: string }).detail).to.include('lowercase')
    }
  })
})

describe("an operator's feed", () => {
  async function opened(url: string): Promise<{ socket: WebSocket; next: () => Promise<string> }> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/feed`)
    const [told, waiting] = [[] as string[], [] as ((text: string) => void)[]]
    socket.on('message', (data: Buffer) => {
      const first = waiting.shift()
      if (first) first(data.toString())
      else told.push(data.toString())
    })
    await new Promise<void>((done) => socket.once('open', () => done()))
    const next = () => {
      const first = told.shift()
      return first === undefined ? new Promise<string>((done) => waiting.push(done)) : Promise.resolve(first)
    }
    return { socket, next }
  }

  it('tells blocks as they are sealed and committed, to everybody', async () => {
    const { l1, operator } = await stage(2)
    const server = await serveOperator(operator.api)
    const clients = [await opened(server.url), await opened(server.url)]
    await operator.api.submit(payment(0))
    operator.seal()
    for (const { next } of clients)
      expect(JSON.parse(await next())).to.deep.equal({ kind: 'sealed', number: 1, count: 1 })
    for (let n = 0; n <= DEPTH; n++) l1.mine()
    for (const { next } of clients) expect(JSON.parse(await next())).to.include({ kind: 'committed', number: 1 })
    await server.close()
  })

  it('is as many as its limit, listens to nobody, and is at one address only', async () => {
    const { operator } = await stage(0)
    const server = await serveOperator(operator.api, { limits: { sockets: 1 } })
    const { socket } = await opened(server.url)
    for (const path of ['/v1/feed', '/v1/status']) {
      const other = new WebSocket(`${server.url.replace('http', 'ws')}${path}`)
      const why = await new Promise<Error>((done) => other.once('error', done))
      expect(why.message).to.match(path === '/v1/feed' ? /503/ : /404/)
    }
    const closed = new Promise<number>((done) => socket.once('close', done))
    socket.send('hello')
    expect(await closed).to.equal(1003)
    await server.close()
  })

  it('is read by the client', async () => {
    const { operator } = await stage(1)
    const server = await serveOperator(operator.api)
    const client = operatorClient(server.url)
    const told = Promise.withResolvers<OperatorEvent>()
    const stop = await client.listen(told.resolve)
    await client.submit(payment(0))
    operator.seal()
    expect(await told.promise).to.deep.equal({ kind: 'sealed', number: 1, count: 1 })
    stop()
    await server.close()
  })
})
