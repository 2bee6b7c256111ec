// The payee's process: takes payments and locks, and when told goes to its court with what it holds of the first channel.
import { type Hex, slice } from '../../src/core/base/Bytes.ts'
import type { Pay } from '../../src/core/channel/Payment.ts'
import type { ChannelNode } from '../../src/role/ChannelNode.ts'
import { type Claimed, cpu, secrets } from './pair.ts'
import { profiled, type Shares } from './profiler.ts'
import { sit } from './seat.ts'

/** Its secrets by key, for the channel that is to be measured with locks. */
const known = new Map<Hex, Hex>()
if (process.argv[4] === 'locks') for (const { preimage, key } of secrets()) known.set(key, preimage)

const seated = await sit({
  folder: process.argv[2]!,
  side: 1,
  channels: Number(process.argv[3]),
  onEvent(node, id, event) {
    if (event.name === 'received' && process.argv[4] === 'pairs') payOn(node, event.pay)
    if (event.name === 'locked') node.fulfil(id, event.lock.id, known.get(event.lock.key)!).catch(fall)
  },
})
/** What was paid to a hub it pays on in the channel that the memo's first four bytes name. */
function payOn(node: ChannelNode, { amount, memo }: Pay): void {
  node.pay(seated.ids[Number(slice(memo, 0, 4))]!, amount, { memo }).catch(fall)
}

/** Tells where this process has spent its time since it began to look. */
let seen: (() => Promise<Shares>) | undefined
process.send!({ address: seated.address })
process.on('message', (what) => {
  if (what === 'rss') process.send!(process.memoryUsage.rss())
  else if (what === 'cpu') process.send!(cpu())
  else if (what === 'profile') look().catch(fall)
  else if (what === 'shares') seen?.().then((shares) => process.send!(shares), fall)
  else claim().catch(fall)
})

async function look(): Promise<void> {
  seen = await profiled()
  process.send!(true)
}

async function claim(): Promise<void> {
  const { node, ids, l1, stop } = seated
  const ended = node.challenge(ids[0]!)
  await node.until(ids[0]!, ({ phase }) => phase === 'ending')
  const mining = setInterval(() => l1.mine(l1.head().time + 4000), 10)
  const { closed } = await ended
  clearInterval(mining)
  await stop()
  process.send!({ payA: String(closed!.payA), payB: String(closed!.payB) } satisfies Claimed)
}

function fall(why: unknown): never {
  console.error(why)
  process.exit(1)
}
