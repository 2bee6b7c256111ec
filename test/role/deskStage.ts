import { expect } from 'chai'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import type { SimulatedOptions } from '../../src/edge/chain/SimulatedL1.ts'
import { memoryNodeClient, type NodeClient } from '../../src/edge/http/NodeClient.ts'
import { nodeHandler } from '../../src/edge/http/NodeServer.ts'
import type { ChannelNodeParts } from '../../src/role/ChannelNodeParts.ts'
import { type DeskParts, NodeDesk } from '../../src/role/NodeDesk.ts'
import { finish, mineUntil, type Person, type World, world } from '../world.ts'
import { alice, bob, FUNDS, partsOf } from './nodeStage.ts'

export { alice, bob, FUNDS }
export const TOKEN = 'ab'.repeat(32)

/** Time that passes when the test says so. */
export function clock() {
  const waiting = new Set<() => void>()
  return {
    later: (run: () => void) => {
      waiting.add(run)
      return () => waiting.delete(run)
    },
    pass: () => {
      for (const run of waiting) run()
      waiting.clear()
    },
  }
}

/** A person's node with its desk. */
export async function desk(
  w: World,
  who: Person,
  change: Partial<ChannelNodeParts & DeskParts> = {},
): Promise<NodeDesk> {
  const parts = { ...partsOf(w, who), later: clock().later }
  return finish(w, NodeDesk.start({ ...parts, ...change }))
}

/** The client of a desk's API, over the same bytes as over HTTP. */
export function clientOf(of: NodeDesk): NodeClient {
  return memoryNodeClient(nodeHandler(of, { token: TOKEN }), TOKEN)
}

/** What a story about desks has. */
export interface Stage {
  readonly w: World
  readonly desks: readonly [NodeDesk, NodeDesk]
  readonly x: NodeClient
  readonly y: NodeClient
  readonly id: Hex
}

/** Two nodes with a channel between them that both have funded, all of it done through the API. */
export async function stage(
  seed: number,
  change: Partial<ChannelNodeParts & DeskParts> = {},
  options: SimulatedOptions = {},
): Promise<Stage> {
  const w = world(seed, undefined, options)
  for (const { owner } of [alice, bob]) w.l1.money.mint(ETHER, owner, FUNDS)
  const desks = [await desk(w, alice, change), await desk(w, bob)] as const
  const [x, y] = [clientOf(desks[0]), clientOf(desks[1])]
  const address = await desks[1].listen('bob')
  const wish = { asset: ETHER, salt: uint(9, 32), challengePeriod: 3600 }
  const [one, two] = await finish(
    w,
    Promise.all([
      x.call('channel.open', { ...wish, peer: { owner: bob.owner, signer: bob.signer }, address }),
      y.call('channel.open', { ...wish, peer: { owner: alice.owner, signer: alice.signer } }),
    ]),
  )
  expect(one!.id).to.equal(two!.id)
  const { id } = one!
  await mineUntil(w, Promise.all([x, y].map((api) => api.call('channel.deposit', { id, amount: FUNDS }))))
  const isReady = (one: NodeDesk) =>
    one.node.until(id, ({ phase, available }) => phase === 'open' && available === FUNDS)
  await mineUntil(w, Promise.all(desks.map(isReady)))
  return { w, desks, x, y, id }
}

/** The code that a promise is refused with. */
export async function refused(promise: Promise<unknown>): Promise<string> {
  const why = await promise.then(
    () => new Error('it was not refused'),
    (thrown) => thrown,
  )
  if (why instanceof Refusal) return why.code
  throw why
}
