import { expect } from 'chai'
import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { DEPOSITED, PAID, type Permit, startExitDigest } from '../../src/core/plasma/Exit.ts'
import { type Group, membership } from '../../src/core/plasma/Group.ts'
import type { Deposit } from '../../src/core/plasma/Transaction.ts'
import { coins } from './assets.ts'
import { membersOf, type Place } from './branches.ts'
import { at, setGroups, threefold } from './groupScene.ts'
import {
  chainId,
  challenging,
  depositId,
  depositing,
  depositOf,
  exiting,
  exitingDeposit,
  idOf,
  newChain,
  payment,
  type Sealed,
  seal,
  start,
} from './people.ts'
import {
  alice,
  bob,
  carol,
  ETHER,
  expectDone,
  expectRefused,
  MFP,
  play,
  type Stage,
  signed,
  stranger,
} from './stage.ts'

const WORD = uint(0x1234n, 32)

describe('RootChain, left by groups', () => {
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

  describe('starts', () => {
    for (const [name, places] of [
      ['neighbours', at('2.0 3.0')],
      ['neighbours of different pairs', at('1.0 2.0')],
      ['scattered ones', at('0.2 5.0 8.2')],
      ['two of one transaction', at('4.0 4.2')],
      [
        'all that bob has',
        Array.from(
          { length: 9 },
          (_, i) =>
            [
              [i, 0],
              [i, 2],
            ] as const,
        ).flat(),
      ],
    ] as const) {
      it(`${name}, and pays them at once, for one bond`, async () => {
        const exit = await begun(places)
        const sum = places.reduce((total, [i, at]) => total + block.txs[i]!.outputs[at]!.value, 0n)
        expect([exit.exit.count, exit.exit.value, exit.lane]).to.deep.equal([places.length, sum, 1])
        const { events } = expectDone(await play(on, process(exit), stranger.address, later(2 * MFP)))
        expect(events[0]).to.deep.include({ name: 'ExitPaid', amount: sum })
        for (const [i, at] of places) expect(statusOf(idOf(on, block, i, at))).to.equal(PAID)
      })
    }

    it('64, and never 65, 1 or none', async () => {
      const many = await seal(
        on,
        chain,
        Array.from({ length: 33 }, (_, i) => threefold(chain, BigInt(100 + i))),
      )
      const all = many.txs.flatMap((_, i): Place[] => [
        [i, 0],
        [i, 2],
      ])
      const most = all.slice(0, 64)
      expectRefused(await play(on, together(all.slice(0, 65), many), bob.address), 'WrongCount', 65n, 64n)
      expectRefused(await play(on, together(all.slice(0, 1), many), bob.address), 'WrongCount', 1n, 64n)
      const call = together(most, many)
      const none: Group = { ...call.group, leavers: [], others: [], order: '0x' }
      expectRefused(await play(on, { ...call, group: none }, bob.address), 'WrongCount', 0n, 64n)
      const rich = depositOf(chain, alice.address, 100_000n, 50n)
      expectDone(await play(on, depositing(rich), alice.address))
      const exit = await start(on, call, bob.address)
      const { events } = expectDone(await play(on, process(exit), stranger.address, later(2 * MFP)))
      expect(events[0]).to.deep.include({ name: 'ExitPaid', amount: exit.exit.value })
    })

    it('by a permit for exactly these ids', async () => {
      const places = at('0.0 1.0')
      const permit = (of: readonly Place[]): Permit => {
        const terms = { starter: ETHER, deadline: on.time + 99, signature: '0x' } as const
        const ids = of.map((place) => idOf(on, block, ...place)).sort()
        return { ...terms, signature: signed(startExitDigest(on.domain, chainId(chain), ids, terms), bob) }
      }
      expectRefused(await play(on, together(places), carol.address), 'WrongSigner', carol.address, bob.address)
      for (const other of [at('0.0'), at('0.0 2.0'), at('0.0 1.0 2.0')] as Place[][]) {
        expectRefused(await play(on, together(places, block, permit(other)), carol.address), 'WrongSigner')
      }
      expectRefused(await play(on, exiting(block, 0, 0, permit(places)), carol.address), 'WrongSigner')
      const exit = await start(on, together(places, block, permit(places)), carol.address)
      expect([exit.exit.owner, exit.exit.starter]).to.deep.equal([bob.address, carol.address])
    })

    it('never what is repeated, foreign, locked, of another asset or a lie about its place', async () => {
      const call = together(at('0.0 2.2 4.0'))
      const { group } = call
      const change = async (altered: Partial<Group>, refusal: string, ...args: readonly unknown[]) =>
        expectRefused(await play(on, { ...call, group: { ...group, ...altered } }, bob.address), refusal, ...args)
      const leaver = (at: number, altered: Partial<Group['leavers'][number]>) => ({
        leavers: group.leavers.map((one, i) => (i === at ? { ...one, ...altered } : one)),
      })
      const [first, second, third] = group.leavers
      expect(group.leavers).to.have.length(3)
      await change({ owner: carol.address }, 'WrongCommitment')
      await change({ asset: carol.address }, 'WrongCommitment')
      await change(leaver(0, { value: first!.value + 1n }), 'WrongCommitment')
      await change(leaver(1, { inputs: WORD }), 'WrongCommitment')
      await change(leaver(1, { memo: WORD }), 'WrongCommitment')
      await change(leaver(2, { output: 3 }), 'NoSuchPosition', 3n, 3n)
      await change(leaver(2, { outputs: 5, output: 4 }), 'NoSuchPosition', 4n, 5n)
      await change(leaver(2, { lastBlock: 0 }), 'IncludedLate', 1, 0)
      await change({ others: group.others.slice(1) }, 'WrongSiblings', BigInt(group.others.length - 1))
      await change({ others: [...group.others, WORD] }, 'WrongSiblings', BigInt(group.others.length + 1))
      const { refused } = await play(
        on,
        { ...call, group: { ...group, leavers: [second!, first!, third!] } },
        bob.address,
      )
      expect(refused).to.be.oneOf(['WrongCommitment', 'WrongSiblings'])
      const of = together(at('0.0 0.2'))
      const torn = of.group.leavers.map((one, at) => ({ ...one, value: one.value + BigInt(at) }))
      const apart = { ...of, group: { ...of.group, leavers: torn } }
      expectRefused(await play(on, apart, bob.address), 'WrongSiblings', 0n)
      // carol's output between bob's: it is proven, but the group says that it is bob's.
      expectRefused(await play(on, together(at('0.0 1.1')), bob.address), 'WrongCommitment')
      const locked = { owner: bob.address, asset: ETHER, value: 10n, lock: WORD }
      const odd = await seal(on, chain, [
        { ...threefold(chain, 7n), outputs: [locked, { ...locked, lock: ZERO }] },
        threefold(chain, 8n),
      ])
      expectRefused(await play(on, together(at('0.0 1.0'), odd), bob.address), 'WrongCommitment')
      expectDone(await play(on, together(at('0.1 1.0'), odd), bob.address))
    })

    it('(!) never one member twice: ids ascend strictly', async () => {
      const call = together(at('0.0 3.0'))
      const [leaver] = call.group.leavers
      const twice = (order: Hex) => {
        const others = [...call.group.others.slice(0, 2), ...call.group.others.slice(0, 2)]
        const group = { ...call.group, leavers: [leaver!, leaver!], others, order }
        const index = leaver!.index
        return { ...call, group, inclusion: { ...call.inclusion, siblings: together([[index, 0]]).inclusion.siblings } }
      }
      const id = idOf(on, block, leaver!.index, 0)
      expectRefused(await play(on, twice('0x0001'), bob.address), 'WrongOrder', id, id)
      expectRefused(await play(on, twice('0x0000'), bob.address), 'WrongSiblings', 1n)
      const [a, b] = call.group.leavers
      const swapped = {
        ...call.group,
        leavers: [b!, a!],
        others: [...call.group.others.slice(2), ...call.group.others.slice(0, 2)],
      }
      const order: Hex = call.group.order === '0x0001' ? '0x0100' : '0x0001'
      const ids = [b!, a!].map(({ index }) => idOf(on, block, index, 0))
      expectRefused(
        await play(on, { ...call, group: { ...swapped, order } }, bob.address),
        'WrongOrder',
        ids[1],
        ids[0],
      )
    })

    it('only with an order that is one, and with the siblings that are lacking, no more and no fewer', async () => {
      const call = together(at('1.0 3.2 6.0'))
      const { order } = call.group
      const [x, y, z] = [order.slice(2, 4), order.slice(4, 6), order.slice(6)]
      const orders: Hex[] = [
        `0x${y}${x}${z}`,
        `0x${x}${z}${y}`,
        `0x${x}${x}${z}`,
        `0x${x}${y}`,
        `0x${x}${y}${z}${z}`,
        `0x${x}${y}03`,
        '0x',
      ]
      for (const spoilt of orders) {
        const group = { ...call.group, order: spoilt }
        expectRefused(await play(on, { ...call, group }, bob.address), 'WrongSiblings')
      }
      const { siblings } = call.inclusion
      for (const spoilt of [siblings.slice(1), [...siblings, WORD], []]) {
        const inclusion = { ...call.inclusion, siblings: spoilt }
        expectRefused(await play(on, { ...call, inclusion }, bob.address), 'WrongSiblings', BigInt(spoilt.length))
      }
      for (const spoilt of [siblings.toReversed(), siblings.with(0, WORD)]) {
        const inclusion = { ...call.inclusion, siblings: spoilt }
        expectRefused(await play(on, { ...call, inclusion }, bob.address), 'WrongCommitment')
      }
    })

    it('never what one of is paid already, and for a bond like any other’s', async () => {
      const first = await start(on, exiting(block), bob.address)
      expectDone(await play(on, process(first), stranger.address, later(2 * MFP)))
      const call = together(at('0.0 1.0'))
      expectRefused(await play(on, call, bob.address), 'Finalised', idOf(on, block), PAID)
      const others = together(at('1.0 2.0'))
      expectRefused(await play(on, others, bob.address, { value: 0n }), 'WrongBond')
      expectDone(await play(on, others, bob.address))
    })
  })

  describe('of deposits', () => {
    let gifts: Deposit[]
    beforeEach(async () => {
      gifts = [11n, 12n, 13n].map((value, i) => depositOf(chain, bob.address, value, BigInt(70 + i)))
      gifts.sort((a, b) => (depositId(a) < depositId(b) ? -1 : 1))
      for (const gift of gifts) expectDone(await play(on, depositing(gift), bob.address))
    })
    const leaving = (deposited: readonly Deposit[]) =>
      ({ verb: 'startDepositExits', deposited, permit: exitingDeposit(gifts[0]!).permit }) as const

    it('leaves in the list, and is paid in one', async () => {
      const exit = await start(on, leaving(gifts), bob.address)
      expect([exit.lane, exit.exit.value, exit.exit.exitableAt]).to.deep.equal([0, 36n, on.time + MFP])
      expectDone(await play(on, process(exit), stranger.address, later(MFP)))
    })

    it('never with one that is repeated, out of order, another’s, another chain’s, another asset’s, or not made', async () => {
      const [a, b, c] = gifts as [Deposit, Deposit, Deposit]
      const refused = async (of: readonly Deposit[], ...refusal: readonly [string, ...unknown[]]) =>
        expectRefused(await play(on, leaving(of), bob.address), ...refusal)
      await refused([a, a], 'WrongOrder', depositId(a), depositId(a))
      await refused([b, a, c], 'WrongOrder', depositId(a), depositId(b))
      await refused([], 'WrongCount', 0n, 64n)
      await refused([a], 'WrongCount', 1n, 64n)
      await refused(
        Array.from({ length: 65 }, () => a),
        'WrongCount',
        65n,
        64n,
      )
      await refused([scene.gift, a], 'WrongMember', depositId(a))
      await refused([a, { ...b, value: 1n }], 'WrongStatus', depositId({ ...b, value: 1n }), 0n, DEPOSITED)
      const other = depositOf(await newChain(on, 1), bob.address, 1n)
      expectDone(await play(on, depositing(other), bob.address))
      await refused([a, other], 'WrongMember', depositId(other))
      const { asset } = await coins(on)
      const coin = depositOf(chain, bob.address, 1n, 3n, bob.address, asset)
      expectDone(await play(on, depositing(coin), bob.address))
      await refused([a, coin], 'WrongMember', depositId(coin))
    })

    it('is void by a spend of one, and by nothing else', async () => {
      const exit = await start(on, leaving(gifts), bob.address)
      const members = membersOf(on, exit.ids)
      const tx = payment(chain, [WORD, members[2]!.id], [[carol.address, 1n]])
      const call = { ...challenging(on, exit, chain, { tx, input: 1 }, bob), verb: 'challengeGroup' } as const
      const proof = membership(members, 2)
      const wrong = async (change: object, input = 1) =>
        expectRefused(
          await play(
            on,
            { ...call, membership: { ...proof, ...change }, spend: { ...call.spend, input } },
            carol.address,
          ),
          'WrongGroup',
        )
      await wrong({ index: 3 })
      await wrong({ value: 1n })
      await wrong({ siblings: [] })
      await wrong({ siblings: [...proof.siblings, ZERO] })
      await wrong({}, 0)
      expectDone(await play(on, { ...call, membership: proof }, carol.address))
    })
  })
})
