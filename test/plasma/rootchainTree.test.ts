import { expect } from 'chai'
import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import * as Block from '../../src/core/plasma/Block.ts'
import { type Chain, registrationDigest } from '../../src/core/plasma/Chain.ts'
import type { Transaction } from '../../src/core/plasma/Transaction.ts'
import { type Branch, grow, honestly, KEYS, type Planted, plant, registering, type Signs, tip } from './branches.ts'
import { chainId, challenging, exiting, payment, shown, start, txHash } from './people.ts'
import { set } from './scene.ts'
import {
  ALARM,
  alice,
  BOND_GAS,
  bob,
  CEILING,
  carol,
  ETHER,
  expectDone,
  expectRefused,
  FLOOR,
  MARGIN,
  MFP,
  operator,
  play,
  type Stage,
  signed,
  stranger,
} from './stage.ts'

const WORD = uint(0x1234n, 32)
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const [mother, daughter] = [KEYS[1]!, KEYS[2]!]

describe('RootChain, a tree of chains', () => {
  const scene = set()
  let on: Stage
  let root: Chain
  beforeEach(() => {
    ;({ on, chain: root } = scene)
  })
  const childOf = (parent: Chain, slot: number, by = mother): Chain => ({
    parent: chainId(parent),
    slot,
    operator: by.address,
  })

  describe('takes a child', () => {
    it('with the word of both operators, whoever of them or else sends it', async () => {
      const children = [0, 1, 255].map((slot) => childOf(root, slot))
      expectDone(await play(on, registering(on, [root, children[0]!], [mother, operator]), stranger.address))
      const bySender = { verb: 'register', path: [root, children[1]!] } as const
      const own = signed(registrationDigest(on.domain, children[1]!), mother)
      expectDone(await play(on, { ...bySender, signatures: [own, '0x'] }, operator.address))
      const mine = { ...childOf(root, 2), operator: alice.address }
      const consent = signed(registrationDigest(on.domain, mine), operator)
      expectDone(await play(on, { verb: 'register', path: [root, mine], signatures: ['0x', consent] }, alice.address))
      expectDone(await play(on, registering(on, [root, children[2]!], [mother, operator]), stranger.address))
      expect(on.model.chains.get(chainId(children[2]!))!.depth).to.equal(2)
    })

    it('never without the word of both, nor with that for another slot, parent or operator', async () => {
      const child = childOf(root, 3)
      const path = [root, child]
      const refused = async (signatures: readonly Hex[], have: Hex, need: Hex, by = stranger.address) =>
        expectRefused(await play(on, { verb: 'register', path, signatures }, by), 'WrongSigner', have, need)
      const digest = registrationDigest(on.domain, child)
      const [hers, his] = [signed(digest, mother), signed(digest, operator)]
      await refused([hers, '0x'], stranger.address, operator.address)
      await refused(['0x', his], stranger.address, mother.address)
      await refused([hers, hers], mother.address, operator.address)
      await refused([his, his], operator.address, mother.address)
      for (const other of [childOf(root, 4), { ...child, parent: WORD }, { ...child, operator: alice.address }]) {
        const signature = signed(registrationDigest(on.domain, other), operator)
        const call = { verb: 'register', path, signatures: [hers, signature] } as const
        expectRefused(await play(on, call, stranger.address), 'WrongSigner')
      }
      expectRefused(
        await play(on, { verb: 'register', path, signatures: [hers] }, alice.address),
        'WrongSignatures',
        1n,
        2n,
      )
    })

    it('never in a slot that is taken, nor twice, whoever was first', async () => {
      const first = childOf(root, 9)
      const call = registering(on, [root, first], [mother, operator])
      expectDone(await play(on, call, carol.address))
      expectRefused(await play(on, call, stranger.address), 'KnownChain', chainId(first))
      const second = childOf(root, 9, daughter)
      const late = registering(on, [root, second], [daughter, operator])
      expectRefused(await play(on, late, stranger.address), 'SlotTaken', chainId(root), 9)
      const below = childOf(first, 9, daughter)
      expectDone(await play(on, registering(on, [root, first, below], [daughter, mother]), stranger.address))
    })

    it('never at depth 4, under a parent that is not known, or by a way that is not one', async () => {
      const branch = await grow(on, 3)
      const deep = childOf(tip(branch), 0, KEYS[3]!)
      const fourth = registering(on, [...branch.path, deep], [KEYS[3]!, daughter])
      expectRefused(await play(on, fourth, stranger.address), 'WrongDepth', 4n, 3n)
      const parent = childOf(root, 100)
      const orphan = childOf(parent, 0, daughter)
      const unknown = registering(on, [root, parent, orphan], [daughter, mother])
      expectRefused(await play(on, unknown, stranger.address), 'UnknownChain', chainId(parent))
      const leap = childOf(branch.path[1]!, 1, daughter)
      const skipped = registering(on, [root, leap], [daughter, mother])
      expectRefused(await play(on, skipped, stranger.address), 'WrongParent', leap.parent, chainId(root))
    })

    it('that is registered by somebody else in a race: the same chain, and the loser is told', async () => {
      const child = childOf(root, 5)
      const { signatures } = registering(on, [root, child], [mother, operator]) as { signatures: readonly Hex[] }
      expectDone(await play(on, { verb: 'register', path: [root, child], signatures }, carol.address))
      const mine = await play(on, { verb: 'register', path: [root, child], signatures }, operator.address)
      expectRefused(mine, 'KnownChain', chainId(child))
      expectDone(
        await play(
          on,
          { verb: 'deposit', chain: chainId(child), salt: WORD, owner: bob.address, asset: ETHER, value: 1n },
          bob.address,
        ),
      )
    })

    it('from the number after its root’s last one on: a slot that was filled before says nothing', async () => {
      const early = { path: [root, childOf(root, 0)], keys: KEYS.slice(0, 2) }
      const tx = payment(tip(early), [WORD], [[bob.address, 5n]])
      const before = await plant(on, early, [tx])
      expectRefused(await play(on, exiting(before), bob.address), 'UnknownChain', tx.chain)
      expectDone(await play(on, registering(on, early.path, [mother, operator]), stranger.address))
      expect(on.model.chains.get(tx.chain)!.since).to.equal(1)
      expectRefused(await play(on, exiting(before), bob.address), 'NotBefore', 1, 1)
      const after = await plant(on, early, [tx])
      expectDone(await play(on, exiting(after), bob.address))
    })

    it('never anchors anything itself: only its root does', async () => {
      const { path } = await grow(on, 2, [0, 1])
      const call = { verb: 'commit', chain: path[1]!, number: 1, header: WORD, asOf: on.time } as const
      expectRefused(await play(on, call, operator.address), 'UnknownChain', chainId(path[1]!))
    })
  })

  describe('(!) margin + alarm', () => {
    it('are at most half of H, so that honest exits come before those of a bad chain', async () => {
      const { abi, bytecode } = await scene.connection.ethers.getContractFactory('RootChain').then((factory) => ({
        abi: factory.interface,
        bytecode: factory.bytecode,
      }))
      const refusal = async (margin: number, alarm: number) => {
        const terms = abi.encodeDeploy([stranger.address, MFP, margin, alarm, BOND_GAS, FLOOR, CEILING])
        const params = [{ from: stranger.address, data: `${bytecode}${terms.slice(2)}` }]
        return scene.connection.provider.request({ method: 'eth_call', params }).then(
          () => undefined,
          ({ data }: { data: string }) => abi.parseError(data)?.name,
        )
      }
      const most = MFP / 4 - MARGIN
      for (const [margin, alarm] of [
        [MARGIN, most + 1],
        [MFP / 4, 1],
        [2 ** 40 - 1, 2 ** 40 - 1],
      ] as const) {
        expect(await refusal(margin, alarm)).to.equal('WrongTerms')
      }
      expect(await refusal(MARGIN, most)).to.equal(undefined)
      expect(MARGIN + ALARM).to.be.at.most(MFP / 4)
    })
  })

  describe('believes a child’s block', () => {
    let branch: Branch
    let tx: Transaction
    beforeEach(async () => {
      branch = await grow(on, 3)
      tx = payment(tip(branch), [WORD], [[bob.address, 5n]])
    })
    const refusedWith = async (signs: Signs, ...refusal: readonly [string, ...unknown[]]) => {
      const block = await plant(on, branch, [tx], { signs })
      expectRefused(await play(on, exiting(block), bob.address), ...refusal)
      expectRefused(await challengedBy(block), ...refusal)
    }
    /** A challenge of a deposit’s exit in the child that shows a spend in this block. */
    const challengedBy = async (block: Planted) => {
      const exit = { chain: tx.chain, ids: WORD, exitableAt: 1, count: 1, value: 1n, bond: 1n } as const
      const whose = { asset: ETHER, owner: alice.address, lock: ZERO, starter: alice.address } as const
      const waiting = { name: 'ExitStarted', ids: WORD, lane: 0, index: 0, exit: { ...exit, ...whose } } as const
      return play(on, challenging(on, waiting, block.path, { tx, inclusion: [shown(block)] }, alice), carol.address)
    }

    it('when every operator of the way has signed it for this number and this view', async () => {
      const block = await plant(on, branch, [tx])
      const exit = await start(on, exiting(block), bob.address)
      expect(exit.exit.chain).to.equal(chainId(tip(branch)))
      expectRefused(await challengedBy(block), 'WrongEntry')
    })

    for (const [name, spoil] of [
      ['another number', { number: 7 }],
      ['another view of layer 1: signed after it was committed, say', { asOf: 1 }],
      ['another header', { header: WORD }],
      ['another chain', { chain: WORD }],
    ] as const) {
      it(`never by a signature for ${name}, at either level`, async () => {
        for (const at of [1, 2]) {
          const signs: Signs = (stage_, head, key, depth) =>
            honestly(stage_, depth === at ? { ...head, ...spoil } : head, key, depth)
          await refusedWith(signs, 'WrongHeader')
        }
      })
    }

    it('never by somebody else’s signature: a parent can leave a child out, not forge it', async () => {
      const key = { 1: operator, 2: mother } as const
      for (const at of [1, 2] as const) {
        const signs: Signs = (stage_, head, own, depth) => honestly(stage_, head, depth === at ? key[at] : own, depth)
        const need = KEYS[at]!.address
        await refusedWith(signs, 'WrongHeader', chainId(branch.path[at]!), key[at].address, need)
      }
    })

    it('never by a signature with a high s, by zeros, or by noise', async () => {
      const id = chainId(branch.path[2]!)
      const high: Signs = (stage_, head, key, depth) => {
        const { r, vs } = honestly(stage_, head, key, depth)
        const s = ORDER - (BigInt(vs) & (2n ** 255n - 1n))
        const parity = (BigInt(vs) >> 255n) ^ 1n
        return depth === 2 ? { r, vs: uint((s & (2n ** 255n - 1n)) | (parity << 255n), 32) } : { r, vs }
      }
      const block = await plant(on, branch, [tx], { signs: high })
      const { refused, args } = await play(on, exiting(block), bob.address)
      expect([refused, args[0], args[2]]).to.deep.equal(['WrongHeader', id, daughter.address])
      const only =
        (words: Pick<Block.Level, 'r' | 'vs'>): Signs =>
        (stage_, head, key, depth) =>
          depth === 2 ? words : honestly(stage_, head, key, depth)
      await refusedWith(only({ r: ZERO, vs: ZERO }), 'WrongHeader', id, ETHER, daughter.address)
      await refusedWith(only({ r: WORD, vs: WORD }), 'WrongHeader')
    })

    it('never one of two signed headers for one number that is not in the slot', async () => {
      const other = payment(tip(branch), [WORD], [[bob.address, 500n]])
      const block = await plant(on, branch, [tx])
      const { number, asOf } = block.commitment
      const tree = Block.txTree([txHash(on.domain, other)])
      const header = Block.header(Block.txRoot([txHash(on.domain, other)]))
      const twin = honestly(on, { chain: tx.chain, number, asOf, header }, daughter, 2)
      const [lowest, ...upper] = block.levels!
      const lie = { ...block, txs: [other], tree, levels: [{ ...lowest!, ...twin }, ...upper] }
      // What lies above has its mother's name under another header.
      const { refused, args } = await play(on, exiting(lie), bob.address)
      expect([refused, args[0]]).to.deep.equal(['WrongHeader', chainId(branch.path[1]!)])
      expectDone(await play(on, exiting(block), bob.address))
    })

    it('never an unopened slot, nor one that is left out', async () => {
      const hidden = new Map([[branch.path[2]!.slot, { header: WORD, r: WORD, vs: WORD }]])
      const parent = { path: branch.path.slice(0, 2), keys: branch.keys.slice(0, 2) }
      for (const neighbours of [[new Map(), hidden], []]) {
        const block = await plant(on, parent, [], { neighbours })
        const { number, asOf } = block.commitment
        const tree = Block.txTree([txHash(on.domain, tx)])
        const header = Block.header(Block.txRoot([txHash(on.domain, tx)]))
        const { r, vs } = honestly(on, { chain: tx.chain, number, asOf, header }, daughter, 2)
        const level = { txRoot: ZERO, siblings: new Array<Hex>(8).fill(ZERO), r, vs }
        const lie = { ...block, chain: tip(branch), path: branch.path, txs: [tx], tree, childrenRoot: ZERO }
        const levels = [level, ...block.levels!]
        const { refused, args } = await play(on, exiting({ ...lie, levels }), bob.address)
        expect([refused, args[0]]).to.deep.equal(['WrongHeader', chainId(branch.path[1]!)])
      }
    })
  })
})
