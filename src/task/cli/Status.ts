import { ETHER, type Hex } from '../../core/base/Bytes.ts'
import { reason } from '../../edge/Fault.ts'
import type { ChannelView, NodeInfo } from '../../edge/http/NodeApi.ts'
import { addressIn } from '../../edge/key/Keystore.ts'
import { type Client, channelsOf, clientOf } from './Client.ts'
import type { Answer, Call } from './Command.ts'
import { ETH, formatMoney } from './Money.ts'
import { type Config, configOf, homeOf } from './Settings.ts'
import { facts } from './Table.ts'
import { Trouble } from './Trouble.ts'
import { balances } from './View.ts'

interface Running {
  readonly info: NodeInfo
  readonly channels: readonly ChannelView[]
  readonly client: Client
}

/** What a node's folder is, whether its node runs, and where the money is. */
export async function status(call: Call): Promise<Answer> {
  const home = homeOf(call)
  const config = configOf(call)
  const address = addressIn(home.keystore)
  const running = await runningOf(call)
  const wallet = address === undefined ? undefined : await balanceOf(config, address)
  const sums = running ? await sumsOf(running) : []
  const { info, channels } = running ?? {}
  const json = {
    home: home.folder,
    address,
    chainId: config.chainId,
    court: config.court,
    running: running !== undefined,
    info,
    wallet,
    sums,
    channels,
  }
  const rows = [
    ['folder', home.folder],
    ['address', address],
    ['chain', `${config.chainId}, court ${config.court}`],
    [
      'node',
      info ? `runs; peers connect at ${info.addresses.join(', ') || 'nowhere'}` : 'does not run: kerros node start',
    ],
    ['on layer 1', typeof wallet === 'bigint' ? `${formatMoney(wallet, ETH)}` : wallet && `not known: ${wallet.error}`],
    ...sums.map(({ text }) => ['in channels', text] as const),
    ['channels', channels && counted(channels)],
  ] as const
  return { json, text: facts(rows) }
}

/** The node, if it runs; whatever else keeps it from answering is thrown. */
async function runningOf(call: Call): Promise<Running | undefined> {
  try {
    const client = clientOf(call)
    return { client, info: await client.ask('node.info', {}), channels: await channelsOf(client) }
  } catch (why) {
    if (why instanceof Trouble && why.code === 'NodeNotRunning') return undefined
    throw why
  }
}

/** Wei that the address has, or why that is not known: a chain that is away must not hide the rest. */
async function balanceOf({ rpc, chainId }: Config, address: Hex): Promise<bigint | { readonly error: string }> {
  try {
    const { httpNode } = await import('../../edge/chain/Node.ts')
    const node = await httpNode(rpc, BigInt(chainId))
    try {
      return BigInt((await node.send('eth_getBalance', [address, 'latest'])) as string)
    } finally {
      node.destroy()
    }
  } catch (why) {
    return { error: reason(why).split('\n')[0]! }
  }
}

interface Sum {
  readonly asset: Hex
  readonly amount: bigint
  readonly text: string
}

/** What this side has in channels that are not closed, by asset. */
async function sumsOf({ channels, client }: Running): Promise<readonly Sum[]> {
  const sums = new Map<Hex, bigint>([[ETHER, 0n]])
  for (const view of channels) {
    if (view.closed) continue
    const { asset } = view.channel
    sums.set(asset, (sums.get(asset) ?? 0n) + balances(view).mine)
  }
  const made = [...sums].map(async ([asset, amount]) => ({
    asset,
    amount,
    text: formatMoney(amount, await client.unit(asset)),
  }))
  return Promise.all(made)
}

function counted(channels: readonly ChannelView[]): string {
  if (channels.length === 0) return 'none: kerros channel open makes one'
  const phases = (['new', 'open', 'ending', 'closed'] as const).map((phase) => {
    return [channels.filter((view) => view.phase === phase).length, phase] as const
  })
  return phases
    .filter(([count]) => count > 0)
    .map(([count, phase]) => `${count} ${phase}`)
    .join(', ')
}
