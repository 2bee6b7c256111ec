import { existsSync, readFileSync } from 'node:fs'
import { type Hex, isHex } from '../../core/base/Bytes.ts'
import { Fault } from '../../edge/Fault.ts'
import type { ChannelView, MethodName, Params, Result } from '../../edge/http/NodeApi.ts'
import { type NodeSocket, nodeClient, nodeSocket } from '../../edge/http/NodeClient.ts'
import { readToken } from '../../edge/key/Token.ts'
import type { Call } from './Command.ts'
import type { Unit } from './Money.ts'
import { configOf, type Home, homeOf } from './Settings.ts'
import { Misuse, Trouble } from './Trouble.ts'
import { unitOf } from './Units.ts'

/** A connection to a running node. */
export interface Line extends Pick<NodeSocket, 'subscribe' | 'close'> {
  readonly ask: Client['ask']
}

/** The running node of a folder, as a command talks to it. */
export interface Client {
  readonly ask: <M extends MethodName>(method: M, params: Params<M>) => Promise<Result<M>>
  /** The same over one connection, which hears events, and for which no answer takes too long. */
  readonly connect: () => Promise<Line>
  /** What amounts of an asset are counted in. */
  readonly unit: (asset: Hex) => Promise<Unit>
}

/** The node that runs on the folder of this call. Troubles: NoConfig, NodeNotRunning. */
export function clientOf(call: Call): Client {
  const home = homeOf(call)
  const config = configOf(call)
  const [url, token] = [urlOf(home), readToken(home.token)]
  const client = nodeClient(url, token)
  const heard = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer
    } catch (why) {
      throw why instanceof Fault && why.code === 'PeerUnreachable' ? notRunning(home, why) : why
    }
  }
  return {
    ask: (method, params) => heard(client.call(method, params)),
    async connect() {
      const { call, subscribe, close } = await heard(nodeSocket(url, token))
      return { ask: (method, params) => heard(call(method, params)), subscribe, close }
    },
    unit: (asset) => unitOf(home, config, asset),
  }
}

function urlOf(home: Home): string {
  if (!existsSync(home.running)) throw notRunning(home)
  try {
    const { api } = JSON.parse(readFileSync(home.running, 'utf8')) as { readonly api: unknown }
    if (typeof api === 'string') return api
  } catch {}
  throw notRunning(home)
}

function notRunning({ folder }: Home, why?: unknown): Trouble {
  return new Trouble(
    'NodeNotRunning',
    `No node runs on ${folder}: start it with kerros node start, or name another folder with --home`,
    why,
  )
}

/** Every channel of the node. */
export async function channelsOf({ ask }: Client): Promise<readonly ChannelView[]> {
  const all: ChannelView[] = []
  for (let after: Hex | undefined; ; ) {
    const { channels, next } = await ask('channel.list', { after })
    all.push(...channels)
    if (next === null) return all
    after = next
  }
}

/** The channel that an id means, whole or by enough of its beginning. Throws Misuse, or what the node refuses with. */
export async function channelBy(client: Client, text: string): Promise<ChannelView> {
  const start = text.toLowerCase().replace(/^(?:0x)?/, '0x')
  if (isHex(start, 32)) return client.ask('channel.show', { id: start })
  if (!/^0x[0-9a-f]{4,63}$/.test(start))
    throw new Misuse(
      `"${text}" is no id of a channel: write at least the first 4 digits behind 0x, as channel list tells it`,
    )
  const found = (await channelsOf(client)).filter(({ id }) => id.startsWith(start))
  if (found.length === 1) return found[0]!
  const many = found.length > 1
  throw new Trouble(
    many ? 'AmbiguousChannel' : 'UnknownChannel',
    many
      ? `${found.length} channels begin with ${start}: write more of the id`
      : `This node has no channel that begins with ${start}: kerros channel list tells those it has`,
  )
}
