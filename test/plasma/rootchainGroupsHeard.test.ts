import { expect } from 'chai'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { type Exit, PAID } from '../../src/core/plasma/Exit.ts'
import { membersOf } from './branches.ts'
import { at, setGroups } from './groupScene.ts'
import {
  challenging,
  depositing,
  depositOf,
  exiting,
  idOf,
  payment,
  processing,
  type Sealed,
  seal,
  start,
} from './people.ts'
import { bob, carol, expectDone, expectRefused, MFP, play, type Stage, stranger } from './stage.ts'

const WORD = uint(0x1234n, 32)

describe('RootChain, groups challenged and paid', () => {
  const { scene, together, process, begun, challenge, spendOf, ...stand } = setGroups()
  const { later } = scene
  let on: Stage
  let chain: Chain
  let block: Sealed
  beforeEach(() => {
    ;({ on, chain } = scene)
    block = stand.block()
  })
  const statusOf = (id: Hex) => on.model.status.get(id) ?? 0n

  describe('is challenged', () => {
    const places = at('0.0 0.2 5.0')

    it('by a spend of one member, which makes it void whole; the others may leave again', async () => {
      const exit = await begun(places)
      expectRefused(await play(on, challenge(exit, [0, 2], carol), carol.address), 'WrongSigner')
      expectDone(await play(on, challenge(exit, [0, 2]), carol.address))
      expectRefused(await play(on, challenge(exit, [5, 0]), carol.address), 'WrongEntry')
      const rest = await begun(at('0.0 5.0'))
      const { events } = expectDone(await play(on, process(rest), stranger.address, later(2 * MFP)))
      expect(events[0]).to.deep.include({ name: 'ExitPaid', amount: 25n })
      expect(statusOf(idOf(on, block, 0, 2))).to.equal(0n)
    })

    it('never as if it were one output, nor one output as if it were a group', async () => {
      const exit = await begun(places)
      const tx = payment(chain, [exit.ids], [[carol.address, 1n]])
      const single = challenging(on, exit, chain, { tx: spendOf([0, 0]), input: 0 }, bob)
      expectRefused(await play(on, single, carol.address), 'WrongInput', idOf(on, block), exit.ids)
      const node = { value: 0n, index: 0, siblings: [] as Hex[] }
      const asMember = {
        ...challenging(on, exit, chain, { tx, input: 0 }, bob),
        verb: 'challengeGroup',
        membership: node,
      } as const
      expectRefused(await play(on, asMember, carol.address), 'WrongGroup')
      const alone = await start(on, exiting(block), bob.address)
      const lone = {
        ...challenging(on, alone, chain, { tx: spendOf([0, 0]) }, bob),
        verb: 'challengeGroup',
        membership: node,
      } as const
      expectRefused(await play(on, lone, carol.address), 'WrongGroup')
      expectRefused(
        await play(on, { ...lone, spend: { ...lone.spend, input: 1 } }, carol.address),
        'NoSuchPosition',
        1n,
        1n,
      )
    })

    it('and taken back by its owner, who pays for it', async () => {
      const { exit, lane, index } = await begun(places)
      expectRefused(await play(on, { verb: 'cancelExit', exit, lane, index }, carol.address), 'NotOwner')
      expectDone(await play(on, { verb: 'cancelExit', exit, lane, index }, bob.address))
    })
  })

  describe('is paid', () => {
    it('(!) without what was paid meanwhile, once, and not at all if nothing is left', async () => {
      const places = at('0.0 1.0 2.0')
      const exits = [await start(on, exiting(block, 1), bob.address), await begun(places), await begun(places)]
      const { events } = expectDone(await play(on, process(...exits), stranger.address, later(2 * MFP)))
      expect(events.map((event) => ('amount' in event ? event.amount : event.name))).to.deep.equal([
        11n,
        22n,
        'ExitDropped',
      ])
    })

    it('in full or not: short of the pot by one wei it leaves unpaid, nothing marked, and may start again', async () => {
      const halves = [
        [bob.address, 500n],
        [bob.address, 501n],
      ] as const
      const rich = await seal(on, chain, [payment(chain, [WORD], halves)])
      const places = at('0.0 0.1')
      const exit = await start(on, together(places, rich), bob.address)
      const { events } = expectDone(await play(on, process(exit), stranger.address, later(2 * MFP)))
      expect(events).to.deep.equal([{ name: 'ExitUnpaid', ids: exit.ids, lane: 2, index: 0, have: 1000n, need: 1001n }])
      for (const place of places) expect(statusOf(idOf(on, rich, ...place))).to.equal(0n)
      expectDone(await play(on, depositing(depositOf(chain, carol.address, 1n)), carol.address))
      expectRefused(await play(on, process(exit), stranger.address), 'EmptyQueue')
      const again = await start(on, together(places, rich), bob.address)
      expect(again.exit.exitableAt).to.equal(on.time + MFP)
      expectDone(await play(on, process(again), stranger.address, later(MFP)))
      for (const place of places) expect(statusOf(idOf(on, rich, ...place))).to.equal(PAID)
    })

    it('only with all of its members, in their order', async () => {
      const exit = await begun(at('0.0 1.0 2.2'))
      const members = membersOf(on, exit.ids)
      const due = later(2 * MFP)
      const wrong: (typeof members)[] = [
        [],
        members.slice(1),
        members.toReversed(),
        [members[1]!, members[0]!, members[2]!],
        members.map((member) => ({ ...member, value: member.value + 1n })),
        [{ id: WORD, value: 1n }, ...members],
      ]
      for (const given of wrong) {
        const call = processing(chain, [exit.exit], given)
        expectRefused(
          await play(on, call, stranger.address, { time: Math.max(due.time, on.time + 1) }),
          'MissingExit',
          1,
          0,
        )
      }
      const lie: Exit = { ...exit.exit, count: 2 }
      expectRefused(await play(on, processing(chain, [lie], members), stranger.address), 'MissingExit', 1, 0)
      expectDone(
        await play(on, processing(chain, [exit.exit], [...members, { id: WORD, value: 1n }]), stranger.address),
      )
    })

    it('with the members of several groups one after the other, skipping those of a group that has left', async () => {
      const a = await begun(at('0.0 1.0 2.0'))
      const b = await begun(at('3.0 4.0'))
      const one = await start(on, exiting(block, 5), bob.address)
      const c = await begun(at('6.0 7.0'))
      expectDone(await play(on, process(a), stranger.address, later(2 * MFP)))
      const { events } = expectDone(await play(on, process(a, b, one, c), stranger.address))
      expect(events.map((event) => 'ids' in event && event.ids)).to.deep.equal([b.ids, one.ids, c.ids])
    })

    it('no more than there is, though its members say more than a word can hold', async () => {
      const most = 2n ** 256n - 1n
      const lie = await seal(on, chain, [
        payment(
          chain,
          [WORD],
          [
            [bob.address, most],
            [bob.address, most],
          ],
        ),
      ])
      const exit = await start(on, together(at('0.0 0.1'), lie), bob.address)
      expect(exit.exit.value).to.equal(most)
      const { events } = expectDone(await play(on, process(exit), stranger.address, later(2 * MFP)))
      expect(events[0]).to.deep.include({ name: 'ExitUnpaid', have: 1000n, need: most })
    })
  })
})
