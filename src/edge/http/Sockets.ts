import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket, WebSocketServer } from 'ws'

// What the WebSockets of all servers have in common.

/** The WebSockets of one server. */
export interface Sockets {
  /** Takes a request to become one, or turns it away. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): void
}

/** Why a client was dropped, as a WebSocket's closing says it. */
export const DROPPED = { stopping: 1001, unwanted: 1003, slow: 4008 } as const

/** Milliseconds between signs of life; who gives none for two of them is gone. */
const HEARTBEAT = 30_000
const OPEN = 1

/** Answers a request to become a WebSocket with an HTTP status instead. */
export function turnAway(socket: Duplex, status: number): void {
  socket.on('error', () => {}) // it has hung up already
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** Says a text. False where too much waits already: that client is dropped, so that it cannot fill this process's memory. */
export function speak(client: WebSocket, text: string, buffer: number): boolean {
  if (client.readyState !== OPEN) return true
  if (client.bufferedAmount > buffer) {
    // It hears so if it ever reads on; ws hangs up if it does not.
    client.close(DROPPED.slow, `more than ${buffer} bytes wait for this client`)
    return false
  }
  client.send(text)
  return true
}

/** Asks for signs of life; the function that comes back ends it. */
export function beat(client: WebSocket): () => void {
  let isAlive = true
  client.on('pong', () => {
    isAlive = true
  })
  const timer = setInterval(() => {
    if (!isAlive) return client.terminate()
    isAlive = false
    client.ping()
  }, HEARTBEAT)
  timer.unref()
  return () => clearInterval(timer)
}

/** Drops all clients of a server that stops. */
export function dropAll(server: WebSocketServer, why: string): void {
  for (const client of server.clients) {
    client.close(DROPPED.stopping, why)
    client.terminate()
  }
  server.close()
}
