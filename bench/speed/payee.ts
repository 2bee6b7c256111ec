// The payee's process: takes payments, and when told goes to its court with what it holds.
import type { Claimed } from './channel.ts'
import { sit } from './seat.ts'

const { node, id, l1, address, stop } = await sit(process.argv[2]!, 1)
process.send!({ address })
process.once('message', async () => {
  const ended = node.challenge(id)
  await node.until(id, ({ phase }) => phase === 'ending')
  const mining = setInterval(() => l1.mine(l1.head().time + 4000), 10)
  const { closed } = await ended
  clearInterval(mining)
  await stop()
  process.send!({ payA: String(closed!.payA), payB: String(closed!.payB) } satisfies Claimed)
})
