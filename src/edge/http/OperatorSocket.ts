import { type WebSocket, WebSocketServer } from 'ws'
import { encode } from '../Json.ts'
import { beat, DROPPED, dropAll, type Sockets, speak, turnAway } from './Sockets.ts'

/** What a feed can bear. */
export interface FeedLimits {
  /** WebSockets at once. */
  readonly sockets: number
  /** Bytes that wait for a slow client; beyond, it is dropped. */
  readonly buffer: number
}

/** Who tells events, if it does: an operator its blocks, a watcher its alarms. */
export interface Teller<Event> {
  subscribe?(listen: (event: Event) => void): () => void
}

/** The WebSockets of /v1/feed: each event is one text, told to all; nobody is listened to. */
export function feedOf<Event>(api: Teller<Event>, limits: FeedLimits): Sockets {
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
      dropAll(server, 'this server stops')
    },
  }
}

function attend(client: WebSocket): void {
  const stopBeating = beat(client)
  client.on('message', () => client.close(DROPPED.unwanted, 'this feed only tells'))
  client.on('error', () => client.terminate()) // too long, or no WebSocket: ws has told the client
  client.on('close', stopBeating)
}
