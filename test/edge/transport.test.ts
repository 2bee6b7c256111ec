import { once } from 'node:events'
import { createConnection, createServer, type Socket } from 'node:net'
import { expect } from 'chai'
import fc from 'fast-check'
import type { Plain } from '../../src/core/base/Step.ts'
import { MAX_DEPTH } from '../../src/edge/Codec.ts'
import { MAX_FRAME } from '../../src/edge/transport/Endpoint.ts'
import { type Fate, memoryTransport } from '../../src/edge/transport/Memory.ts'
import { tcpTransport } from '../../src/edge/transport/Tcp.ts'
import type { Connection, Listener, Transport } from '../../src/edge/transport/Transport.ts'
import { runs } from '../fuzz.ts'
import { faultIn, faultOf, plain } from './plain.ts'

interface End {
  readonly connection: Connection
  readonly messages: unknown[]
  /** Resolves with what the close was explained with. */
  readonly closed: Promise<string | undefined>
  /** Resolves when that many messages are there. */
  count(messages: number): Promise<void>
}

function heard(connection: Connection): End {
  const messages: unknown[] = []
  let look = () => {}
  const closed = new Promise<string | undefined>((done) => {
    connection.onClose = (why) => done(why)
  })
  connection.onMessage = (message) => {
    messages.push(message)
    look()
  }
  const count = (wanted: number) =>
    new Promise<void>((done) => {
      look = () => messages.length >= wanted && done()
      look()
    })
  return { connection, messages, closed, count }
}

const open: Listener[] = []
afterEach(() => Promise.all(open.splice(0).map((listener) => listener.close())))

/** Two connected ends. */
async function connected(transport: Transport, address: string): Promise<{ dialer: End; listener: End }> {
  let accepted = (_: Connection) => {}
  const incoming = new Promise<Connection>((done) => {
    accepted = done
  })
  const listener = await transport.listen(address, (connection) => accepted(connection))
  open.push(listener)
  const dialer = heard(await transport.dial(listener.address))
  return { dialer, listener: heard(await incoming) }
}

const TRANSPORTS = [
  ['memory', () => memoryTransport(setImmediate), '', 'nowhere'],
  ['TCP', () => tcpTransport(), '127.0.0.1:0', '127.0.0.1:1'],
] as const

for (const [name, make, address, nowhere] of TRANSPORTS) {
  describe(`edge/transport over ${name}`, () => {
    it('carries any messages whole and in order, both ways at once', async () => {
      const { dialer, listener } = await connected(make(), address)
      await fc.assert(
        fc.asyncProperty(fc.array(plain, { maxLength: 20 }), fc.array(plain, { maxLength: 20 }), async (to, fro) => {
          dialer.messages.length = listener.messages.length = 0
          for (const message of to) dialer.connection.send(message)
          for (const message of fro) listener.connection.send(message)
          await Promise.all([listener.count(to.length), dialer.count(fro.length)])
          expect(listener.messages).to.deep.equal(to)
          expect(dialer.messages).to.deep.equal(fro)
        }),
        runs(50),
      )
    })

    it('delivers everything that was sent before a close, then tells both sides once', async () => {
      const { dialer, listener } = await connected(make(), address)
      for (let i = 0; i < 1000; i++) dialer.connection.send(i)
      dialer.connection.close()
      dialer.connection.close()
      dialer.connection.send('after')
      expect(await dialer.closed).to.equal(undefined)
      expect(await listener.closed).to.equal(undefined)
      expect(listener.messages).to.deep.equal([...Array(1000).keys()])
      listener.connection.send('after')
    })

    it('keeps for a late listener what came before, the end included', async () => {
      const transport = make()
      const { promise, resolve } = Promise.withResolvers<Connection>()
      const listener = await transport.listen(address, resolve)
      open.push(listener)
      const dialer = await transport.dial(listener.address)
      dialer.send('early')
      dialer.close()
      const late = await promise
      for (let i = 0; i < 20; i++) await new Promise((done) => setImmediate(done))
      const end = heard(late)
      expect(await end.closed).to.equal(undefined)
      expect(end.messages).to.deep.equal(['early'])
    })

    it('carries the largest message and refuses one byte more at its sender', async () => {
      const { dialer, listener } = await connected(make(), address)
      dialer.connection.send('x'.repeat(MAX_FRAME - 2))
      await listener.count(1)
      expect((listener.messages[0] as string).length).to.equal(MAX_FRAME - 2)
      const fault = faultOf(() => dialer.connection.send('x'.repeat(MAX_FRAME - 1)))
      expect(fault.message).to.match(/1048577 bytes is over the limit of 1048576; send it in parts/)
    })

    it('says that nobody answers, and that a place is taken', async () => {
      const transport = make()
      const unreachable = await faultIn(transport.dial(nowhere))
      expect(unreachable.code).to.equal('PeerUnreachable')
      expect(unreachable.message).to.match(/nobody answers at .*; start the peer or check its address/)
      const first = await transport.listen(address, () => {})
      const taken = await faultIn(transport.listen(first.address, () => {}))
      expect([taken.code, taken.message.includes(first.address)]).to.deep.equal(['PortInUse', true])
      await first.close()
      open.push(await transport.listen(first.address, () => {}))
    })

    it('ends its connections when a listener closes', async () => {
      const transport = make()
      const { dialer, listener } = await connected(transport, address)
      await open.pop()!.close()
      await Promise.all([dialer.closed, listener.closed])
      expect(listener.messages).to.deep.equal([])
    })
  })
}

describe('edge/transport over a hostile wire', () => {
  const frame = (text: string | Buffer) => {
    const body = Buffer.from(text)
    const head = Buffer.alloc(4)
    head.writeUInt32BE(body.length)
    return Buffer.concat([head, body])
  }

  /** What a listener made of raw bytes that came in pieces, then an end. */
  async function fed(pieces: readonly Buffer[], end = true): Promise<{ messages: unknown[]; why: string | undefined }> {
    const { promise, resolve } = Promise.withResolvers<Connection>()
    const listener = await tcpTransport({ maxFrame: 1000 }).listen('127.0.0.1:0', resolve)
    open.push(listener)
    const socket = createConnection(Number(listener.address.split(':')[1]), '127.0.0.1')
    socket.on('error', () => undefined)
    for (const piece of pieces) await new Promise((done) => socket.write(piece, done))
    if (end) socket.end()
    const side = heard(await promise)
    const why = await side.closed
    socket.destroy()
    return { messages: side.messages, why }
  }

  it('puts frames together from pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string(), { maxLength: 6 }),
        fc.array(fc.nat(40), { maxLength: 6 }),
        async (texts, cuts) => {
          let rest = Buffer.concat(texts.map((text) => frame(JSON.stringify(`s${text}`))))
          const pieces: Buffer[] = []
          for (const cut of cuts) {
            pieces.push(rest.subarray(0, cut))
            rest = rest.subarray(cut)
          }
          const { messages: got, why } = await fed([...pieces, rest])
          expect(got).to.deep.equal(texts.map((text) => `s${text}`))
          expect(why).to.equal(undefined)
        },
      ),
      runs(30),
    )
  })

  it('hands on what came whole and names a frame that did not', async () => {
    const { messages, why } = await fed([frame('1'), frame('"cut off"').subarray(0, 7)])
    expect(messages).to.deep.equal([1])
    expect(why).to.equal('the peer ended in the middle of a message')
  })

  it('ends at once where a frame is over the limit, without waiting for it', async () => {
    const { messages, why } = await fed([frame('1'), Buffer.from('ffffffff', 'hex')], false)
    expect(messages).to.deep.equal([1])
    expect(why).to.equal('the peer announced a message of 4294967295 bytes where 1000 are the limit')
  })

  for (const [what, body] of Object.entries({
    'an empty frame': '',
    'half a value': '{"a":',
    'a number in other digits': '"#xyz"',
    'bytes that are no text': Buffer.from('22ff22', 'hex'),
    'a text nested too deep': '['.repeat(MAX_DEPTH + 1) + ']'.repeat(MAX_DEPTH + 1),
  })) {
    it(`ends the connection at ${what}`, async () => {
      const { messages, why } = await fed([frame('1'), frame(body), frame('2')], false)
      expect(messages).to.deep.equal([1])
      expect(why).to.match(/^the peer sent what is no message: /)
    })
  }

  it('answers any bytes with messages or a sentence', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const { why } = await fed([Buffer.from(bytes)])
        if (bytes.length > 0) expect(why).to.match(/^the peer /)
      }),
      runs(30),
    )
  })

  it('gives up a peer that does not read instead of filling the memory', async () => {
    let socket: Socket | undefined
    const server = createServer((one) => {
      socket = one.pause()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const end = heard(await tcpTransport({ maxBuffer: 1 << 20 }).dial(`127.0.0.1:${port}`))
    const text = 'x'.repeat(500_000)
    let ended = false
    end.closed.then(() => {
      ended = true
    })
    while (!ended) {
      end.connection.send(text)
      await new Promise((done) => setImmediate(done))
    }
    expect(await end.closed).to.match(/the peer does not read: more than 1048576 bytes wait for it/)
    socket?.destroy()
    server.close()
  })

  it('reads no faster than its owner listens', async () => {
    const { promise, resolve } = Promise.withResolvers<Connection>()
    const listener = await tcpTransport({ maxBuffer: 100_000 }).listen('127.0.0.1:0', resolve)
    open.push(listener)
    const dialer = await tcpTransport({ maxBuffer: 1 << 28 }).dial(listener.address)
    for (let i = 0; i < 500; i++) dialer.send('x'.repeat(100_000))
    const slow = (await promise) as Connection & { backlog: number }
    for (let i = 0; i < 100; i++) await new Promise((done) => setImmediate(done))
    expect(slow.backlog).to.be.lessThan(1_000_000)
    const end = heard(slow)
    await end.count(500)
    dialer.close()
    expect(await end.closed).to.equal(undefined)
  })

  for (const address of ['', 'nonsense', '127.0.0.1', '127.0.0.1:70000', ':80', '127.0.0.1:-1']) {
    it(`calls "${address}" no address`, async () => {
      expect((await faultIn(tcpTransport().dial(address))).code).to.equal('BadAddress')
      expect((await faultIn(tcpTransport().listen(address, () => {}))).code).to.equal('BadAddress')
    })
  }

  it('says that an address is not of this machine', async () => {
    const fault = await faultIn(tcpTransport().listen('192.0.2.1:0', () => {}))
    expect(fault.code).to.equal('BadAddress')
  })
})

describe('edge/transport in simulated weather', () => {
  /** What arrives of 0, 1, 2 … when message i has fate i. */
  async function arrived(fates: readonly Fate[]): Promise<{ messages: unknown[]; why: string | undefined }> {
    const queue: (() => void)[] = []
    const weather = (text: string) => fates[Number(text)] ?? {}
    const transport = memoryTransport((run) => queue.push(run), weather)
    let end: End | undefined
    const listener = await transport.listen('', (connection) => {
      end = heard(connection)
    })
    const dialer = await transport.dial(listener.address)
    for (let i = 0; i < fates.length; i++) dialer.send(i as Plain)
    dialer.close()
    for (let run = queue.shift(); run; run = queue.shift()) run()
    return { messages: end!.messages, why: await end!.closed }
  }

  const cases: readonly [string, readonly Fate[], readonly number[], string?][] = [
    ['loses', [{}, { copies: 0 }, {}], [0, 2]],
    ['doubles', [{}, { copies: 2 }, {}], [0, 1, 1, 2]],
    ['delays, with all behind it', [{}, { delay: 9 }, {}], [0, 1, 2]],
    ['lets overtake', [{}, {}, { overtakes: 1 }, { overtakes: 9 }], [3, 0, 2, 1]],
    ['cuts, with all on its way', [{}, {}, { cut: true }, {}], [], 'the connection was cut'],
  ]
  for (const [what, fates, expected, sentence] of cases) {
    it(`${what} a message`, async () => {
      const { messages, why } = await arrived(fates)
      expect(messages).to.deep.equal(expected)
      expect(why).to.equal(sentence)
    })
  }
})
