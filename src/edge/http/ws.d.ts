// The part of the package "ws" that the node's API uses; the package has no types of its own.
declare module 'ws' {
  import type { EventEmitter } from 'node:events'
  import type { IncomingMessage } from 'node:http'
  import type { Duplex } from 'node:stream'

  interface Options {
    readonly maxPayload?: number
    readonly perMessageDeflate?: boolean
  }

  export class WebSocket extends EventEmitter {
    constructor(
      url: string,
      options?: Options & {
        readonly headers?: Readonly<Record<string, string>>
        readonly handshakeTimeout?: number
        readonly followRedirects?: boolean
      },
    )
    readonly bufferedAmount: number
    readonly readyState: number
    send(text: string): void
    ping(): void
    close(code?: number, reason?: string): void
    terminate(): void
  }

  export class WebSocketServer extends EventEmitter {
    constructor(options: Options & { readonly noServer: true })
    readonly clients: ReadonlySet<WebSocket>
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: (socket: WebSocket) => void): void
    close(): void
  }
}
