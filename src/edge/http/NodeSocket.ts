import type { IncomingMessage } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Hex } from '../../core/base/Bytes.ts'
import { encode } from '../Json.ts'
import { type Admission, turnedAway } from './Guard.ts'
import { answerText, type Dispatch, Rejected, RPC, type Telling } from './JsonRpc.ts'
import type { NodeApi, NodeEvent } from './NodeApi.ts'
import { complaintOf, subscription } from './NodeSchema.ts'
import { beat, DROPPED, dropAll, type Sockets, speak, turnAway } from './Sockets.ts'

/** What one node's WebSockets can bear. */
export interface SocketLimits {
  readonly body: number
  readonly sockets: number
  readonly buffer: number
  readonly inFlight: number
}

/** The WebSockets of /rpc: the same methods as over HTTP, and `subscribe` and `unsubscribe` for events. */
export function socketsOf(
  api: NodeApi,
  dispatch: Dispatch,
  telling: Telling,
  admission: Admission,
  limits: SocketLimits,
): Sockets {
  const server = new WebSocketServer({ noServer: true, maxPayload: limits.body, perMessageDeflate: false })
  return {
    take(request, socket, head) {
      const status = statusFor(request, admission, server.clients.size < limits.sockets)
      if (status !== undefined) return turnAway(socket, status)
      server.handleUpgrade(request, socket, head, (client) => attend(client, api, dispatch, telling, limits))
    },
    close() {
      dropAll(server, 'this node stops')
    },
  }
}

/** The HTTP status that turns a request away, or undefined. */
function statusFor(request: IncomingMessage, admission: Admission, hasRoom: boolean): number | undefined {
  if (request.url?.split('?')[0] !== '/rpc') return 404
  const headers = new Headers()
  for (const name of ['host', 'origin', 'authorization'] as const) {
    const value = request.headers[name]
    if (value !== undefined) headers.set(name, value)
  }
  return turnedAway(headers, admission)?.status ?? (hasRoom ? undefined : 503)
}

/** Serves one client until it leaves, or is dropped. */
function attend(client: WebSocket, api: NodeApi, dispatch: Dispatch, telling: Telling, limits: SocketLimits): void {
  const say = (text: string) => {
    if (!speak(client, text, limits.buffer)) events.end()
  }
  const events = subscriptions(api, say)
  let inFlight = 0

  const hear = async (text: string) => {
    const isBusy = inFlight++ >= limits.inFlight
    const asked = isBusy ? busy(limits.inFlight) : events.dispatch(dispatch)
    const answer = await answerText(text, asked, telling)
    inFlight--
    if (answer.text !== undefined) say(answer.text)
  }
  client.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) client.close(DROPPED.unwanted, 'texts only')
    else hear(data.toString('utf8')).catch(telling.onError)
  })
  client.on('error', () => client.terminate()) // too long, no text, no WebSocket: ws has told the client
  const stopBeating = beat(client)
  client.on('close', () => {
    stopBeating()
    events.end()
  })
}

function busy(need: number): Dispatch {
  return async () => {
    throw new Rejected(RPC.busy, 'Busy', `${need} requests of this connection are not answered yet; wait for some.`)
  }
}

/** One client's subscription: at most one, to some channels or to all. */
function subscriptions(api: NodeApi, say: (text: string) => void) {
  let unsubscribe: (() => void) | undefined
  const end = () => {
    unsubscribe?.()
    unsubscribe = undefined
  }
  const begin = (channels: ReadonlySet<Hex> | undefined) => {
    end()
    unsubscribe = api.subscribe((event) => {
      if (!channels || channels.has(event.channel)) say(notification(event))
    })
  }
  const dispatch =
    (others: Dispatch): Dispatch =>
    async (method, params) => {
      if (method === 'subscribe') begin(channelsOf(params))
      else if (method === 'unsubscribe') end()
      else return others(method, params)
      return true
    }
  return { dispatch, end }
}

function channelsOf(params: unknown): ReadonlySet<Hex> | undefined {
  const checked = subscription.safeParse(params)
  if (!checked.success) throw new Rejected(RPC.params, 'InvalidParams', complaintOf(checked.error))
  return checked.data.channels && new Set(checked.data.channels)
}

/** An event encoded once, however many clients hear it. */
const encoded = new WeakMap<NodeEvent, string>()

function notification(event: NodeEvent): string {
  const known = encoded.get(event)
  if (known !== undefined) return known
  const text = encode({ jsonrpc: '2.0', method: 'event', params: event })
  encoded.set(event, text)
  return text
}
