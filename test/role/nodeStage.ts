import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import { ChannelNode } from '../../src/role/ChannelNode.ts'
import type { ChannelNodeParts } from '../../src/role/ChannelNodeParts.ts'
import { finish, mineUntil, type Person, person, terms, type World } from '../world.ts'

export const [alice, bob, carol] = [person(1), person(2), person(3)] as const
/** What each side of a channel of these stories deposits. */
export const FUNDS = 1_000_000n

/** What a person's node is made of in a world. */
export function partsOf(w: World, who: Person) {
  const [schedule, chain] = [w.scheduler.lane(), w.scheduler.lane()]
  return {
    key: who.key,
    store: memoryStore(),
    chain: w.court.connect(who.owner, chain),
    transport: w.transport,
    confirmations: 2,
    schedule,
    retry: w.scheduler.later,
  } satisfies ChannelNodeParts
}

/** A person's node. */
export function node(w: World, who: Person, change: Partial<ChannelNodeParts> = {}): Promise<ChannelNode> {
  return finish(w, ChannelNode.start({ ...partsOf(w, who), ...change }))
}

/** A channel of Alice and Bob, whose nodes these are, with money on both sides. */
export async function opened(w: World, [x, y]: readonly [ChannelNode, ChannelNode]): Promise<Hex> {
  for (const { owner } of [alice, bob, carol]) w.l1.money.mint(ETHER, owner, FUNDS)
  const address = await y.listen('bob')
  const channel = terms(alice, bob)
  const [id] = await finish(w, Promise.all([x.open(channel, address), y.open(channel)]))
  await mineUntil(w, Promise.all([x.deposit(id, FUNDS), y.deposit(id, FUNDS)]))
  const ready = (n: ChannelNode) => n.until(id, ({ phase, available }) => phase === 'open' && available === FUNDS)
  await mineUntil(w, Promise.all([ready(x), ready(y)]))
  return id
}
