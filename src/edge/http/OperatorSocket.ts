import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { encode } from '../Json.ts'

/** What a feed can bear. */
export interface FeedLimits {
  /** WebSockets at once. */
  readonly sockets: number
  /** Bytes that wait for a slow client; beyond, it is dropped. */
  readonly buffer: number
}

/** All WebSockets of an operator's feed. */
export interface FeedSockets {
  /** Takes a request to become one, or turns it away. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): void
}

/** Why a client was dropped, as a WebSocket's closing says it. */
const DROPPED = { stopping: 1001, talking: 1003, slow: 4008 } as const
/** Milliseconds between signs of life; who gives none for two of them is gone. */
const HEARTBEAT = 30_000
const OPEN = 1

/** Who tells events, if it does: an operator its blocks, a watcher its alarms. */
export interface Teller<Event> {
  subscribe?(listen: (event: Event) => void): () => void
}

/** The WebSockets of /v1/feed: each event is one text, told to all; nobody is listened to. */
export function feedOf<Event>(api: Teller<Event>, limits: FeedLimits): FeedSockets {
  const server = new WebSocketServer({ noServer: true, maxPayload: 64, perMessageDeflate: false })
  const unsubscribe = api.subscribe?.((event) => {
    const text = encode(event)
    for (const client of server.clients) speak(client, text, limits.buffer)
  })
  return {
    take(request, socket, head) {
      if (request.url?.split('?')[0] !== '/v1/feed' || !api.subscribe) return turnAway(socket, 404)
      if (server.clients.size >= limits.sockets) return turnAway(socket, 503)
      server.handleUpgrade(request, socket, head, attend)
    },
    close() {
      unsubscribe?.()
      for (const client of server.clients) {
        client.close(DROPPED.stopping, 'this server stops')
        client.terminate()
      }
      server.close()
    },
  }
}

function turnAway(socket: Duplex, status: number): void {
  socket.on('error', () => {}) // it has hung up already
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

function attend(client: WebSocket): void {
  let isAlive = true
  const timer = setInterval(() => {
    if (!isAlive) return client.terminate()
    isAlive = false
    client.ping()
  }, HEARTBEAT)
  timer.unref()
  client.on('pong', () => {
    isAlive = true
  })
  client.on('message', () => client.close(DROPPED.talking, 'this feed only tells'))
  client.on('error', () => client.terminate()) // too long, or no WebSocket: ws has told the client
  client.on('close', () => clearInterval(timer))
}

function speak(client: WebSocket, text: string, buffer: number): void {
  if (client.readyState !== OPEN) return
  if (client.bufferedAmount <= buffer) client.send(text)
  // It hears so if it ever reads on; ws hangs up if it does not.
  else client.close(DROPPED.slow, `more than ${buffer} bytes wait for this client`)
}
