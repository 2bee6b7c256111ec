import { statSync } from 'node:fs'
import { join } from 'node:path'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { addressOf, domain } from '../../src/core/base/Signature.ts'
import { adjudicate } from '../../src/core/channel/Adjudicator.ts'
import type { Channel } from '../../src/core/channel/Channel.ts'
import { callValue } from '../../src/core/channel/Funding.ts'
import type { PeerEvent } from '../../src/core/channel/PeerState.ts'
import { newCourt } from '../../src/core/channel/Record.ts'
import { type SimulatedL1, simulatedL1 } from '../../src/edge/chain/SimulatedL1.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'
import { tcpTransport } from '../../src/edge/transport/Tcp.ts'
import { ChannelNode } from '../../src/role/ChannelNode.ts'

/** What each side deposits in each channel, wei. */
export const FUNDS = 10n ** 18n

const COURT: Hex = `0x${'c0'.repeat(20)}`

/** Keys of both sides in the order of their addresses, so that the first is the writer. */
export const KEYS = [uint(101, 32), uint(102, 32)].sort((x, y) => (addressOf(x) < addressOf(y) ? -1 : 1)) as [Hex, Hex]
const [A, B] = KEYS.map((key) => ({ owner: addressOf(key), signer: addressOf(key) })) as [Channel['a'], Channel['b']]

/** The terms of the first channel that is measured; others differ in their salt. */
export const CHANNEL: Channel = { a: A, b: B, asset: ETHER, challengePeriod: 3600, bond: 0n, salt: uint(1, 32) }

/** One side in a process of its own, with a durable store, and with a copy of layer 1 on which both have deposited. */
export interface Seated {
  readonly node: ChannelNode
  readonly ids: readonly Hex[]
  readonly l1: SimulatedL1
  /** Where the other side may call, if this one takes calls. */
  readonly address: string
  /** Bytes of the store's file. */
  size(): number
  stop(): Promise<void>
}

/** How somebody sits down. */
export interface Sitting {
  readonly folder: string
  /** 0 for A, 1 for B. */
  readonly side: 0 | 1
  /** The other side's address: it is called there. Without one this side takes calls. */
  readonly address?: string
  /** How many channels there are between the two. */
  readonly channels: number
  readonly onEvent?: (node: ChannelNode, id: Hex, event: PeerEvent) => void
}

/** Sits down at one side of some channels; resolves when it can pay in all of them, or at once if it takes calls. */
export async function sit({ folder, side, address, channels, onEvent }: Sitting): Promise<Seated> {
  const l1 = simulatedL1({ automine: true })
  const court = l1.deploy(COURT, adjudicate, newCourt(domain(l1.chainId, COURT)), callValue)
  const path = join(folder, `side${side}.db`)
  const store = openStore(path, `side ${side}`)
  const chain = court.connect(side === 0 ? A.owner : B.owner)
  const node = await ChannelNode.start({
    key: KEYS[side],
    store,
    chain,
    transport: tcpTransport(),
    confirmations: 1,
    onEvent: (id, event) => onEvent?.(node, id, event),
  })
  const listening = address === undefined ? await node.listen('127.0.0.1:0') : address
  const ids: Hex[] = []
  for (let n = 0; n < channels; n++) ids.push(await node.open({ ...CHANNEL, salt: uint(1 + n, 32) }, address))
  for (const [toB, { owner }] of [A, B].entries()) {
    l1.money.mint(ETHER, owner, FUNDS * BigInt(channels))
    const deposits = ids.map((channelId) => ({ channelId, toB: toB === 1, amount: FUNDS }))
    await court.connect(owner).send({ verb: 'deposits', list: deposits })
  }
  if (address !== undefined) for (const id of ids) await node.until(id, ({ available }) => available === FUNDS)
  const stop = async () => {
    await node.stop()
    store.close()
  }
  return { node, ids, l1, address: listening, size: () => statSync(path).size, stop }
}
