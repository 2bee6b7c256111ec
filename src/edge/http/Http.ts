import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type HttpBindings, serve } from '@hono/node-server'
import { Fault } from '../Fault.ts'

/** Answers a request, which came from an address if one is given: an HTTP server's way, and a memory's. */
export type Handler = (request: Request, from?: string) => Promise<Response>

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
  /** Milliseconds for slow clients; PATIENCE unless given. */
  readonly patience?: Patience
  readonly onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** Milliseconds: in which a request must have come, its head and whole; in which a client reads or writes something. */
export interface Patience {
  readonly head: number
  readonly whole: number
  readonly still: number
}

const PATIENCE: Patience = { head: 10_000, whole: 30_000, still: 60_000 }

/** Serves a handler; port 0 takes a free one. Faults: PortInUse, BadAddress. */
export function serveHttp(handler: Handler, host = '127.0.0.1', port = 0, serving: Serving = {}): Promise<HttpServer> {
  return new Promise((done, failed) => {
    const patience = serving.patience ?? PATIENCE
    const serverOptions = {
      headersTimeout: patience.head,
      requestTimeout: patience.whole,
      connectionsCheckingInterval: Math.min(patience.head, 5000),
    }
    const options = { hostname: host, port, overrideGlobalObjects: false, serverOptions }
    const fetch = (request: Request, { incoming }: HttpBindings) => handler(request, incoming.socket.remoteAddress)
    const server = serve({ fetch: fetch as never, ...options }, (info) => {
      done({ url: `http://${host.includes(':') ? `[${host}]` : host}:${info.port}`, close: () => closing(server) })
    })
    if ('setTimeout' in server) server.setTimeout(patience.still)
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
