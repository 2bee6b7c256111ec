import { ETHER, type Hex } from '../../core/base/Bytes.ts'
import { reason } from '../../edge/Fault.ts'
import type { ChannelView, MoneyView, NodeInfo } from '../../edge/http/NodeApi.ts'
import { addressIn } from '../../edge/key/Keystore.ts'
import { type Client, channelsOf, clientOf } from './Client.ts'
import type { Answer, Call } from './Command.ts'
import { ETH, formatMoney } from './Money.ts'
import { type Config, configOf, homeOf } from './Settings.ts'
import { facts } from './Table.ts'
import { Trouble } from './Trouble.ts'
import { moneyRows } from './View.ts'

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
    sums: sums.map(({ rows: _rows, ...sum }) => sum),
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
    ...sums.flatMap(({ rows }) => rows),
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

interface Sum extends MoneyView {
  readonly asset: Hex
  readonly rows: readonly (readonly [string, string])[]
}

const NOTHING: MoneyView = { arriving: 0n, inChannel: 0n, locked: null, inDispute: null, credit: 0n, paidOut: 0n }

/** Where this side's money of all channels is, by asset; the times are the latest of any. */
async function sumsOf({ channels, client }: Running): Promise<readonly Sum[]> {
  const sums = new Map<Hex, MoneyView>([[ETHER, NOTHING]])
  for (const { channel, whereabouts } of channels)
    sums.set(channel.asset, added(sums.get(channel.asset) ?? NOTHING, whereabouts))
  const made = [...sums].map(async ([asset, sum]) => {
    const unit = await client.unit(asset)
    const within = ['in channels', formatMoney(sum.inChannel, unit)] as const
    return { asset, ...sum, rows: [within, ...moneyRows(sum, unit)] }
  })
  return Promise.all(made)
}

function added(one: MoneyView, other: MoneyView): MoneyView {
  return {
    arriving: one.arriving + other.arriving,
    inChannel: one.inChannel + other.inChannel,
    locked: later(one.locked, other.locked),
    inDispute: later(one.inDispute, other.inDispute),
    credit: one.credit === null || other.credit === null ? null : one.credit + other.credit,
    paidOut: one.paidOut + other.paidOut,
  }
}

function later(one: MoneyView['locked'], other: MoneyView['locked']): MoneyView['locked'] {
  if (!one || !other) return one ?? other
  return { amount: one.amount + other.amount, until: Math.max(one.until, other.until) }
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
