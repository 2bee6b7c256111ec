import type { Plain } from '../../core/base/Step.ts'

/** One connection to a peer: messages arrive whole and in order, or the connection is closed. */
export interface Connection {
  /** Queues a message; a message to a closed connection is dropped, as on a wire. */
  send(message: Plain): void
  /** Called for every message, in order. What arrives before it is set waits. */
  onMessage: (message: unknown) => void
  /** Called once when the connection ends, with a sentence if it ended by a fault; never before it is set. */
  onClose: (why?: string) => void
  /** Ends the connection. Closing twice is harmless. */
  close(): void
}

/** A place where peers connect. */
export interface Listener {
  /** Where to dial: "host:port" of TCP, a name in memory. */
  readonly address: string
  /** Takes no more peers and ends the connections of those that came. */
  close(): Promise<void>
}

/** A way to reach peers: TCP, or memory in simulated worlds. */
export interface Transport {
  listen(address: string, onConnection: (connection: Connection) => void): Promise<Listener>
  dial(address: string): Promise<Connection>
}
