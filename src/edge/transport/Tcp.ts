import { isUtf8 } from 'node:buffer'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { encodeFrame, type Frame } from '../Codec.ts'
import { Fault, reason } from '../Fault.ts'
import { Endpoint, MAX_FRAME } from './Endpoint.ts'
import type { Connection, Listener, Transport } from './Transport.ts'

/** Bounds of TCP connections, all with sensible values if absent. */
export interface TcpOptions {
  /** Bytes of the largest message, either way (1 MiB). */
  readonly maxFrame?: number
  /** Bytes that may wait for a peer that does not read, and characters that may wait to be handed on (16 MiB). */
  readonly maxBuffer?: number
  /** Messages handed on before others have a turn (16): without a limit two busy peers fall into lock-step. */
  readonly slice?: number
  /** Peers that may be connected to one listener at a time; more are turned away (1,024). */
  readonly maxPeers?: number
  /** Milliseconds to wait for a peer to take a call (10,000). */
  readonly dialTimeout?: number
}

type Bounds = Required<TcpOptions>

/** TCP: each message is its frame's length in 4 bytes (big-endian) and its frame, text in UTF-8. Addresses are "host:port". */
export function tcpTransport(options: TcpOptions = {}): Transport {
  const bounds = {
    maxFrame: MAX_FRAME,
    maxBuffer: 16 << 20,
    slice: 16,
    maxPeers: 1024,
    dialTimeout: 10_000,
    ...options,
  }
  return {
    listen: (address, onConnection) => listen(address, onConnection, bounds),
    dial: (address) => dial(address, bounds),
  }
}

async function listen(address: string, onConnection: (one: Connection) => void, bounds: Bounds): Promise<Listener> {
  const { host, port } = parse(address)
  const open = new Set<Endpoint>()
  const server = createServer((socket) => {
    const endpoint = connect(socket, bounds)
    open.add(endpoint)
    socket.once('close', () => open.delete(endpoint))
    onConnection(endpoint)
  })
  server.maxConnections = bounds.maxPeers
  await new Promise<void>((done, failed) => {
    // Stays: a call that cannot be taken later on is the caller's loss and no reason to fall.
    server.on('error', (why) => failed(deaf(address, why)))
    server.listen(port, host, done)
  })
  return {
    address: addressOf(server),
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        for (const endpoint of open) endpoint.close()
      }),
  }
}

async function dial(address: string, bounds: Bounds): Promise<Connection> {
  const { host, port } = parse(address)
  return await new Promise((done, failed) => {
    const socket = createConnection({ host, port, noDelay: true })
    const giveUp = (why: unknown) => {
      socket.destroy()
      failed(
        new Fault(
          'PeerUnreachable',
          `nobody answers at ${address} (${reason(why)}); start the peer or check its address`,
        ),
      )
    }
    socket.setTimeout(bounds.dialTimeout, () => giveUp('it took too long'))
    socket.once('error', giveUp)
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.off('error', giveUp)
      done(connect(socket, bounds))
    })
  })
}

function connect(socket: Socket, bounds: Bounds): Endpoint {
  const { maxFrame, maxBuffer, slice } = bounds
  const outgoing = writer(socket)
  const endpoint: Endpoint = new Endpoint({
    encode: encodeFrame,
    transmit(frame, bytes) {
      if (socket.writableLength + outgoing.waiting() + bytes > maxBuffer) {
        endpoint.fail(`the peer does not read: more than ${maxBuffer} bytes wait for it`)
      } else outgoing.add(frame, bytes)
    },
    hangUp: (why) => hangUp(socket, outgoing.flush, why),
    drained: () => socket.resume(),
    later: setImmediate,
    slice,
    maxFrame,
  })
  const incoming = reader(maxFrame, endpoint)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 30_000)
  socket.on('data', (chunk) => {
    incoming.read(chunk)
    if (endpoint.backlog > maxBuffer) socket.pause()
  })
  socket.on('error', (why) => endpoint.end(`the connection broke (${reason(why)})`))
  socket.on('end', () => endpoint.end(incoming.partial() ? 'the peer ended in the middle of a message' : undefined))
  socket.on('close', () => endpoint.end())
  return endpoint
}

/** After a fault nothing more is worth sending; else what was sent goes out, but no peer can keep the socket open. */
function hangUp(socket: Socket, flush: () => void, why: string | undefined): void {
  if (why !== undefined) {
    socket.destroy()
    return
  }
  flush()
  socket.end()
  socket.resume()
  const giveUp = setTimeout(() => socket.destroy(), 1000).unref()
  socket.once('close', () => clearTimeout(giveUp))
}

/** Gathers frames and writes them to the socket in one piece when the running callback is over. */
function writer(socket: Socket) {
  let frames: Frame[] = []
  let bytes = 0

  function flush(): void {
    if (frames.length === 0) return
    const piece = Buffer.allocUnsafe(bytes)
    let at = 0
    for (const frame of frames) {
      const length = put(piece, at + 4, frame)
      piece.writeUInt32BE(length, at)
      at += 4 + length
    }
    frames = []
    bytes = 0
    if (socket.writable) socket.write(piece)
  }

  return {
    add(frame: Frame, length: number): void {
      if (frames.length === 0) process.nextTick(flush)
      frames.push(frame)
      bytes += 4 + length
    },
    flush,
    waiting: () => bytes,
  }
}

/** Writes a frame into a piece; returns its length. */
function put(piece: Buffer, at: number, frame: Frame): number {
  if (typeof frame === 'string') return piece.write(frame, at)
  piece.set(frame, at)
  return frame.length
}

/** Cuts the stream into frames; a frame that cannot be right ends the connection after what came before it. */
function reader(maxFrame: number, endpoint: Endpoint) {
  // Grows by doubling and is moved only when frames leave it, so that a peer that drips bytes costs no more than they.
  let held = Buffer.allocUnsafe(4096)
  let filled = 0
  let broken = false

  function hold(chunk: Buffer): void {
    if (filled + chunk.length > held.length) {
      const larger = Buffer.allocUnsafe(2 * (filled + chunk.length))
      held.copy(larger, 0, 0, filled)
      held = larger
    }
    filled += chunk.copy(held, filled)
  }

  function refuse(why: string): number {
    broken = true
    endpoint.end(why)
    return -1
  }

  /** The position after the frame that begins at `at`, or -1 if it is not all there, or never will be. */
  function frame(at: number): number {
    if (broken || filled < at + 4) return -1
    const length = held.readUInt32BE(at)
    if (length > maxFrame) {
      return refuse(`the peer announced a message of ${length} bytes where ${maxFrame} are the limit`)
    }
    return filled < at + 4 + length ? -1 : at + 4 + length
  }

  return {
    read(chunk: Buffer): void {
      if (broken) return
      hold(chunk)
      let at = 0
      for (let end = frame(0); end >= 0; end = frame(at)) {
        const frame = held.subarray(at + 4, end)
        // What is held is written again; views of a frame's bytes outlive that.
        if (frame.includes(0)) endpoint.receive(Buffer.from(frame))
        else if (isUtf8(frame)) endpoint.receive(frame.toString())
        else refuse('the peer sent what is no message: not UTF-8')
        at = end
      }
      if (at > 0) held.copyWithin(0, at, filled)
      filled -= at
    },
    partial: () => filled > 0,
  }
}

function parse(address: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/i.exec(address)
  const port = Number(match?.[3])
  if (!match || port > 65_535) {
    throw new Fault('BadAddress', `"${address}" is no address; write host:port, as in 127.0.0.1:9735`)
  }
  return { host: match[1] ?? match[2]!, port }
}

function addressOf(server: Server): string {
  const at = server.address()
  if (at === null || typeof at === 'string') throw new Error('a TCP server has an address')
  return at.family === 'IPv6' ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`
}

function deaf(address: string, why: NodeJS.ErrnoException): Fault {
  return why.code === 'EADDRINUSE'
    ? new Fault(
        'PortInUse',
        `${address} is in use by another program; stop that one or name another port (0 finds one)`,
      )
    : new Fault('BadAddress', `${address} cannot be listened at (${reason(why)}); name an address of this machine`)
}
