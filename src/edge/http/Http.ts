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

/** Serves a handler; port 0 takes a free one. Faults: PortInUse, BadAddress. */
export function serveHttp(handler: Handler, host = '127.0.0.1', port = 0): Promise<HttpServer> {
  return new Promise((done, failed) => {
    const server = serve({ fetch: handler, hostname: host, port, overrideGlobalObjects: false }, (info) => {
      done({ url: `http://${host.includes(':') ? `[${host}]` : host}:${info.port}`, close: () => closing(server) })
    })
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
