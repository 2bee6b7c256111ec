import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import type { HttpServer } from '../../src/edge/http/Http.ts'
import type { NodeEvent } from '../../src/edge/http/NodeApi.ts'
import { nodeSocket } from '../../src/edge/http/NodeClient.ts'
import { type NodeServing, serveNode } from '../../src/edge/http/NodeServer.ts'
import { ID, payment, rpc, scripted, TOKEN, thrownBy } from './apiStage.ts'
import { faultIn } from './plain.ts'

describe("the WebSockets of the node's API", () => {
  const opened: NodeEvent = { channel: ID, name: 'opened' }
  let server: HttpServer
  let node: ReturnType<typeof scripted>
  const serve = async (limits: NodeServing['limits'] = {}) => {
    node = scripted()
    server = await serveNode(node.api, { token: TOKEN, limits })
    return server
  }
  afterEach(() => server.close())

  /** A client that speaks HTTP by hand. */
  function raw(headers: Readonly<Record<string, string>> = {}, path = '/rpc'): Socket {
    const { hostname, port, host } = new URL(server.url)
    const all = {
      ...{ host, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
      ...{ 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', authorization: `Bearer ${TOKEN}`, ...headers },
    }
    const socket = connect(Number(port), hostname)
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
    return socket
  }

  async function statusOf(socket: Socket): Promise<number> {
    const [data] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return Number(data.toString().split(' ')[1])
  }

  it('tell every event to who subscribed, of the channels that it named, until it unsubscribes', async () => {
    await serve()
    const [all, some] = [await nodeSocket(server.url, TOKEN), await nodeSocket(server.url, TOKEN)]
    const [seen, few]: NodeEvent[][] = [[], []]
    node.tell(opened)
    await all.subscribe((event) => seen!.push(event))
    await some.subscribe((event) => few!.push(event), [uint(8, 32)])
    const told: readonly NodeEvent[] = [
      opened,
      { channel: uint(8, 32), name: 'received', payment: { ...payment, direction: 'received' } },
      {
        channel: ID,
        name: 'refused',
        payment: { ...payment, status: 'refused', code: 'ChannelEnding', version: null, index: null },
      },
      { channel: uint(8, 32), name: 'closed', payA: 2n ** 127n, payB: 0n },
    ]
    told.forEach(node.tell)
    await Promise.all([all, some].map((one) => one.call('node.info', {})))
    expect(seen).to.deep.equal(told)
    expect(few).to.deep.equal([told[1], told[3]])
    await some.unsubscribe()
    expect(node.sinks.size).to.equal(1)
    all.close()
    await all.ended
    expect(node.sinks.size).to.equal(0)
  })

  it('are guarded as everything else is', async () => {
    await serve()
    expect(await statusOf(raw())).to.equal(101)
    expect(await statusOf(raw({ authorization: 'Bearer x' }))).to.equal(401)
    expect(await statusOf(raw({ host: 'evil.example' }))).to.equal(403)
    expect(await statusOf(raw({ origin: 'https://evil.example' }))).to.equal(403)
    expect(await statusOf(raw({}, '/metrics'))).to.equal(404)
  })

  it('are no more than allowed', async () => {
    await serve({ sockets: 1 })
    const first = await nodeSocket(server.url, TOKEN)
    expect(await statusOf(raw())).to.equal(503)
    expect((await first.call('node.info', {})).head).to.equal(9)
  })

  it('drop a client that does not take what it is told, with a reason, and go on with the others', async () => {
    await serve({ buffer: 64 * 1024 })
    const quick = await nodeSocket(server.url, TOKEN)
    let heard = 0
    await quick.subscribe(() => heard++)
    const slow = raw()
    await once(slow, 'data')
    slow.pause()
    // A masked text frame: subscribe to everything, read nothing.
    slow.write(maskedText(rpc('subscribe', {})))
    while (node.sinks.size < 2) await new Promise(setImmediate)
    const large: NodeEvent = { channel: ID, name: 'received', payment: { ...payment, memo: `0x${'00'.repeat(1024)}` } }
    let told = 0
    for (; node.sinks.size === 2 && told < 100_000; told++) {
      node.tell(large)
      if (told % 10 === 0) await quick.call('node.info', {})
    }
    expect(node.sinks.size).to.equal(1)
    await quick.call('node.info', {})
    expect(heard).to.equal(told)
    let said = ''
    slow.on('data', (data: Buffer) => {
      said += data.toString('latin1')
    })
    slow.resume()
    while (!said.includes('more than 65536 bytes wait for this client')) await once(slow, 'data')
    slow.destroy()
  })

  it('end with a reason for bytes, for what is too long, and when the node stops', async () => {
    await serve({ body: 2000 })
    const ends = async (act: (socket: Socket) => void): Promise<number> => {
      const socket = raw()
      await once(socket, 'data')
      act(socket)
      const [data] = (await once(socket, 'data')) as [Buffer]
      socket.destroy()
      return data.readUInt16BE(2)
    }
    expect(await ends((socket) => socket.write(masked(2, Buffer.from('x'))))).to.equal(1003)
    expect(await ends((socket) => socket.write(maskedText('x'.repeat(3000))))).to.equal(1009)
    const client = await nodeSocket(server.url, TOKEN)
    await server.close()
    expect(await client.ended).to.be.a('string')
    expect((await faultIn(client.call('node.info', {}))).code).to.equal('PeerUnreachable')
  })

  it('answer no more requests of one client at once than allowed', async () => {
    let go: (() => void)[] = []
    await serve({ inFlight: 2 })
    const held = {
      ...node.api,
      methods: { ...node.api.methods, 'node.info': () => new Promise<never>((done) => go.push(done as () => void)) },
    }
    await server.close()
    server = await serveNode(held, { token: TOKEN, limits: { inFlight: 2 } })
    const client = await nodeSocket(server.url, TOKEN)
    const asked = [1, 2, 3].map(() => thrownBy(client.call('node.info', {})))
    expect((await asked[2]!).code).to.equal('Busy')
    for (const done of go) done()
    go = []
    expect((await asked[0]!).code).to.equal('Malformed')
  })
})

/** A frame as a client sends it, its mask zero. */
function masked(opcode: number, body: Buffer): Buffer {
  const head = Buffer.from([0x80 | opcode, 0x80 | 126, body.length >> 8, body.length & 0xff, 0, 0, 0, 0])
  return Buffer.concat([body.length < 126 ? Buffer.from([0x80 | opcode, 0x80 | body.length, 0, 0, 0, 0]) : head, body])
}

function maskedText(text: string): Buffer {
  return masked(1, Buffer.from(text))
}
