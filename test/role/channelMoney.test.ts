import { expect } from 'chai'
import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import type { SignedState } from '../../src/core/channel/Call.ts'
import { sumOf, type Whereabouts } from '../../src/core/channel/Whereabouts.ts'
import type { ChannelNode } from '../../src/role/ChannelNode.ts'
import { dice, finish, mineUntil, terms, world } from '../world.ts'
import { alice, bob, node } from './nodeStage.ts'

const FUNDS = 1_000n

describe('where the money of a channel is', () => {
  for (let seed = 0; seed < 8; seed++) {
    it(`adds up to what was deposited and earned at each step, and ends as what the owner was paid (seed ${seed})`, async () => {
      const w = world(seed)
      const from = dice(seed)
      const old: SignedState[] = []
      const nodes = [
        await node(w, alice),
        await node(w, bob, { onComplete: (_channel, state) => old.push(state) }),
      ] as const
      for (const { owner } of [alice, bob]) w.l1.money.mint(ETHER, owner, FUNDS)
      const channel = terms(alice, bob)
      const address = await nodes[1].listen('bob')
      const [id = ETHER] = (await finish(
        w,
        Promise.all([nodes[0].open(channel, address), nodes[1].open(channel)]),
      )) as readonly Hex[]
      let earned = 0n
      const seen = (): readonly [Whereabouts, Whereabouts] => [nodes[0].whereabouts(id), nodes[1].whereabouts(id)]
      const expectSums = (a: bigint, b: bigint) => {
        expect(seen().map(sumOf)).to.deep.equal([a - earned, b + earned])
      }
      expectSums(0n, 0n)
      await mineUntil(w, nodes[0].deposit(id, FUNDS))
      await mineUntil(
        w,
        nodes[0].until(id, ({ deposits }) => deposits.a === FUNDS),
      )
      expectSums(FUNDS, 0n)
      await mineUntil(w, nodes[1].deposit(id, FUNDS))
      for (const one of nodes)
        await mineUntil(
          w,
          one.until(id, ({ available }) => available === FUNDS),
        )
      expectSums(FUNDS, FUNDS)
      for (let i = 0; i < 10; i++) {
        const amount = BigInt(from.roll(50) + 1)
        const by = from.roll(2)
        await finish(w, nodes[by]!.pay(id, amount))
        await finish(
          w,
          nodes[1 - by]!.until(id, ({ pending, version }) => pending === 0 && version > BigInt(i)),
        )
        earned += by === 0 ? amount : -amount
        expectSums(FUNDS, FUNDS)
      }
      if (from.chance(2)) {
        // An old state is challenged with: while it can still be answered, the newest one counts.
        const cheat = w.court.connect(bob.owner).send({ verb: 'challenge', channel, state: old[0]! })
        await mineUntil(w, cheat)
      } else nodes[0].challenge(id).catch(() => undefined)
      await mineUntil(
        w,
        nodes[0].until(id, ({ phase }) => phase === 'ending'),
      )
      const isClosed = (one: ChannelNode) => one.until(id, ({ phase }) => phase === 'closed')
      for (let i = 0; i < 5; i++) {
        w.l1.mine()
        await w.scheduler.run()
        expectSums(FUNDS, FUNDS)
      }
      expect(seen()[0].inDispute?.amount).to.equal(FUNDS - earned)
      await mineUntil(w, Promise.all(nodes.map(isClosed)))
      expectSums(FUNDS, FUNDS)
      expect(seen().map(({ paidOut }) => paidOut)).to.deep.equal([FUNDS - earned, FUNDS + earned])
      expect(w.l1.money.balance(ETHER, alice.owner)).to.equal(FUNDS - earned)
      expect(nodes[0].whereabouts(id, 7n)).to.include({ credit: 7n, paidOut: FUNDS - earned - 7n })
    })
  }
})
