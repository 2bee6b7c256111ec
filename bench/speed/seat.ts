import { join } from 'node:path'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { addressOf, domain } from '../../src/core/base/Signature.ts'
import { adjudicate } from '../../src/core/channel/Adjudicator.ts'
import type { ChannelCall } from '../../src/core/channel/Call.ts'
import type { Channel } from '../../src/core/channel/Channel.ts'
import { newCourt } from '../../src/core/channel/Record.ts'
import { type SimulatedL1, simulatedL1 } from '../../src/edge/chain/SimulatedL1.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'
import { tcpTransport } from '../../src/edge/transport/Tcp.ts'
import { ChannelNode } from '../../src/role/ChannelNode.ts'

/** What each side deposits, wei. */
export const FUNDS = 10n ** 18n

const COURT: Hex = `0x${'c0'.repeat(20)}`

/** The keys of the two sides, in the order of their addresses, so that the first is the writer. */
export const KEYS = [uint(101, 32), uint(102, 32)].sort((x, y) => (addressOf(x) < addressOf(y) ? -1 : 1)) as [Hex, Hex]
const [A, B] = KEYS.map((key) => ({ owner: addressOf(key), signer: addressOf(key) })) as [Channel['a'], Channel['b']]

/** The terms of the channel that is measured. */
export const CHANNEL: Channel = { a: A, b: B, asset: ETHER, challengePeriod: 3600, bond: 0n, salt: uint(1, 32) }

/** One side in a process of its own, with a durable store, and with a copy of layer 1 on which both have deposited. */
export interface Seated {
  readonly node: ChannelNode
  readonly id: Hex
  readonly l1: SimulatedL1
  /** Where the other side may call, if this one takes calls. */
  readonly address: string
  stop(): Promise<void>
}

/** Sits down at side 0 (A) or 1 (B); calls the other side at `address`, or takes calls if none is given. */
export async function sit(folder: string, side: 0 | 1, address?: string): Promise<Seated> {
  const l1 = simulatedL1({ automine: true })
  const callValue = (call: ChannelCall) => (call.verb === 'deposit' ? call.amount : 0n)
  const court = l1.deploy(COURT, adjudicate, newCourt(domain(l1.chainId, COURT)), callValue)
  const store = openStore(join(folder, `side${side}.db`), `side ${side}`)
  const chain = court.connect(side === 0 ? A.owner : B.owner)
  const node = await ChannelNode.start({ key: KEYS[side], store, chain, transport: tcpTransport(), confirmations: 1 })
  const listening = address === undefined ? await node.listen('127.0.0.1:0') : address
  const id = await node.open(CHANNEL, address)
  for (const { owner } of [A, B]) {
    l1.money.mint(ETHER, owner, FUNDS)
    const deposit = { verb: 'deposit', asset: ETHER, channelId: id, toB: owner === B.owner, amount: FUNDS } as const
    await court.connect(owner).send(deposit)
  }
  if (address !== undefined) await node.until(id, ({ available }) => available === FUNDS)
  const stop = async () => {
    await node.stop()
    store.close()
  }
  return { node, id, l1, address: listening, stop }
}
