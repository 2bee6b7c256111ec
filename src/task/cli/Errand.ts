import type { ChannelView, NodeEvent } from '../../edge/http/NodeApi.ts'
import type { Client } from './Client.ts'
import type { Call } from './Command.ts'
import { eventText, smallest } from './Event.ts'
import { Trouble } from './Trouble.ts'

/** What is told of while somebody waits for layer 1: how far what was asked for has come. */
const TOLD: ReadonlySet<NodeEvent['name']> = new Set([
  ...(['sent', 'mined', 'funded', 'withdrawn', 'unwithdrawn'] as const),
  ...(['disputed', 'agreed', 'closed', 'impostor'] as const),
])

/**
 * Asks a node for what layer 1 takes its time with, over one connection: how far it is, is told as it happens; who waits
 * no longer (Ctrl-C) is told that the node goes on, and what to do. Troubles: Interrupted, NodeNotRunning.
 */
export async function errand<T>(
  call: Call,
  client: Client,
  view: ChannelView,
  left: string,
  run: (ask: Client['ask']) => Promise<T>,
): Promise<T> {
  const { asset } = view.channel
  const unit = await client.unit(asset).catch(() => smallest(asset))
  const socket = await client.connect()
  try {
    const tell = (event: NodeEvent) => {
      if (TOLD.has(event.name)) call.note(`${view.id.slice(0, 12)}  ${eventText(event, view.side, unit)}`)
    }
    await socket.subscribe(tell, [view.id])
    return await unlessInterrupted(run(socket.ask), `Not waited for any longer, the node goes on with it: ${left}`)
  } finally {
    socket.close()
  }
}

/** What was asked for is not taken back by leaving: `left` says what becomes of it. Troubles: Interrupted. */
export async function unlessInterrupted<T>(work: Promise<T>, left: string): Promise<T> {
  const { promise: never, reject } = Promise.withResolvers<never>()
  const stop = () => reject(new Trouble('Interrupted', left))
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, stop)
  try {
    return await Promise.race([work, never])
  } finally {
    work.catch(() => undefined) // it ends with the connection, and whoever has left hears nothing of it
    for (const signal of signals) process.off(signal, stop)
  }
}
