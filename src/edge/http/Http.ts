import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { serve } from '@hono/node-server'
import { Fault } from '../Fault.ts'

/** Answers a request: an HTTP server's way, and a memory's. */
export type Handler = (request: Request) => Promise<Response>

/** A server that listens. */
export interface HttpServer {
  /** "http://host:port", without a slash. */
  readonly url: string
  close(): Promise<void>
}

/** What a server is besides its handler. */
export interface Serving {
  /** Connections at once; more are hung up on. */
  readonly connections?: number
  /** Takes requests for another protocol; they are hung up on unless given. */
  readonly onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** Milliseconds in which a request must have come, its head and whole. */
const PATIENCE = { headersTimeout: 10_000, requestTimeout: 30_000 }

/** Serves a handler; port 0 takes a free one. Faults: PortInUse, BadAddress. */
export function serveHttp(handler: Handler, host = '127.0.0.1', port = 0, serving: Serving = {}): Promise<HttpServer> {
  return new Promise((done, failed) => {
    const options = { hostname: host, port, overrideGlobalObjects: false, serverOptions: PATIENCE }
    const server = serve({ fetch: handler, ...options }, (info) => {
      done({ url: `http://${host.includes(':') ? `[${host}]` : host}:${info.port}`, close: () => closing(server) })
    })
    if (serving.connections !== undefined) server.maxConnections = serving.connections
    server.on('upgrade', serving.onUpgrade ?? ((_request: IncomingMessage, socket: Duplex) => socket.destroy()))
    server.once('error', (why: NodeJS.ErrnoException) => failed(listenFault(why, host, port)))
  })
}

type Listening = ReturnType<typeof serve>

function closing(server: Listening): Promise<void> {
  return new Promise((done) => {
    server.close(() => done())
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
}

function listenFault(why: NodeJS.ErrnoException, host: string, port: number): Fault {
  if (why.code === 'EADDRINUSE') {
    return new Fault('PortInUse', `Port ${port} of ${host} is in use: stop what uses it, or choose another port`, why)
  }
  return new Fault('BadAddress', `Cannot listen on ${host}:${port} (${why.code ?? why.message}): choose another`, why)
}
