import { expect } from 'chai'
import { type Hex, slice, uint, ZERO } from '../../src/core/base/Bytes.ts'
import * as Merkle from '../../src/core/base/Merkle.ts'
import * as Block from '../../src/core/plasma/Block.ts'
import { type Branch, grow, type Planted, plant, tip } from './branches.ts'
import { chainId, exiting, payment, shown, start } from './people.ts'
import { set } from './scene.ts'
import { alice, BOND, bob, carol, encode, expectDone, expectRefused, play, type Stage } from './stage.ts'

const WORD = uint(0x1234n, 32)

for (const depth of [1, 2, 3]) {
  describe(`A proof to the root chain, ${depth} deep`, () => {
    const scene = set()
    let on: Stage
    let branch: Branch
    let block: Planted
    let honest: ReturnType<typeof exiting>
    beforeEach(async () => {
      on = scene.on
      branch = await grow(on, depth)
      const txs = [bob, bob, carol, bob, alice].map(({ address }, i) =>
        payment(tip(branch), [uint(i + 1, 32)], [[address, BigInt(i + 1)]]),
      )
      const above = branch.path.map((chain) => [payment(chain, [WORD], [[carol.address, 1n]])])
      block = await plant(on, branch, txs, { above })
      honest = exiting(block, 1)
    })
    const withProof = (change: Partial<Block.Inclusion>, of = honest) => ({
      ...of,
      inclusion: { ...of.inclusion, ...change },
    })
    const refused = async (change: Partial<Block.Inclusion>, what: string) => {
      const outcome = await play(on, withProof(change), bob.address)
      expect(outcome.refused, what).to.be.oneOf(['WrongCommitment', 'WrongHeader'])
    }
    const flip = (word: Hex) => uint(BigInt(word) ^ 1n, 32)

    it('holds as it is, and with nothing of it changed: no index bit, no sibling, no word of what L1 kept', async () => {
      const { index, siblings, time, asOf, childrenRoot } = honest.inclusion
      for (let bit = 0; bit < 16; bit++) await refused({ index: index ^ (1 << bit) }, `index bit ${bit}`)
      for (const [i, word] of siblings.entries())
        await refused({ siblings: siblings.with(i, flip(word)) }, `sibling ${i}`)
      await refused({ time: time + 1 }, 'time')
      await refused({ asOf: asOf - 1 }, 'asOf')
      await refused({ childrenRoot: flip(childrenRoot) }, 'childrenRoot')
      expectDone(await play(on, honest, bob.address))
    })

    it('holds for its own number alone', async () => {
      const { number } = honest.inclusion
      expect((await play(on, withProof({ number: number + 1 }), bob.address)).refused).to.be.oneOf([
        'WrongCommitment',
        'WrongHeader',
      ])
      const before = await play(on, withProof({ number: 0 }), bob.address)
      expectRefused(before, depth === 1 ? 'WrongCommitment' : 'NotBefore')
      await plant(on, branch, [])
      expect((await play(on, withProof({ number: number + 1 }), bob.address)).refused).to.be.oneOf([
        'WrongCommitment',
        'WrongHeader',
      ])
    })

    it('takes no leaf for a node, no node for a leaf, no empty leaf, and no leaf at two indices', async () => {
      const { siblings } = honest.inclusion
      await refused({ index: 0, siblings: [...siblings.slice(1), ZERO] }, 'a level left out')
      await refused({ index: 2, siblings: [ZERO, ...siblings.slice(0, 15)] }, 'a level more')
      const empty = Block.inclusion(block.tree, 9, block.commitment)
      await refused({ index: 9, siblings: empty.siblings }, 'an empty leaf')
      const twin = Block.inclusion(block.tree, 0, block.commitment)
      await refused({ index: 0, siblings: twin.siblings }, 'a neighbour’s place')
    })

    it('never has index bits above the depth', async () => {
      const data = encode(on, honest)
      const [head] = [uint(block.commitment.asOf, 32).slice(2)]
      const at = data.indexOf(head) + 64
      const ask = (text: string) => {
        const sent = { from: bob.address, to: on.domain.court, data: text, value: `0x${BOND.toString(16)}` }
        return scene.connection.provider.request({ method: 'eth_call', params: [sent] }).catch(() => 'refused')
      }
      expect(await ask(data)).to.equal('0x')
      for (const dirty of [59, 40, 0]) {
        expect(await ask(`${data.slice(0, at + dirty)}1${data.slice(at + dirty + 1)}`)).to.equal('refused')
      }
    })

    it('has one level for each ancestor, in their order', async () => {
      const { levels } = honest.inclusion
      const need = BigInt(depth - 1)
      const extra = levels[0] ?? { txRoot: ZERO, siblings: new Array<Hex>(8).fill(ZERO), r: ZERO, vs: ZERO }
      const more = await play(on, withProof({ levels: [...levels, extra] }), bob.address)
      expectRefused(more, 'WrongDepth', need + 1n, need)
      if (depth === 1) return
      const fewer = await play(on, withProof({ levels: levels.slice(1) }), bob.address)
      expectRefused(fewer, 'WrongDepth', need - 1n, need)
      if (depth === 3) await refused({ levels: levels.toReversed() }, 'levels swapped')
      for (const [i, level] of levels.entries()) {
        const change = (part: Partial<Block.Level>, what: string) =>
          refused({ levels: levels.with(i, { ...level, ...part }) }, `level ${i}: ${what}`)
        await change({ txRoot: flip(level.txRoot) }, 'txRoot')
        for (const [j, word] of level.siblings.entries()) {
          await change({ siblings: level.siblings.with(j, flip(word)) }, `sibling ${j}`)
        }
        await change({ r: flip(level.r) }, 'r')
        await change({ vs: flip(level.vs) }, 'vs')
        await change({ vs: uint(BigInt(level.vs) ^ (1n << 255n), 32) }, 'parity')
      }
    })

    it('says nothing about another chain: an ancestor’s, a neighbour’s, or a root of its own', async () => {
      const tx = block.txs[1]!
      for (const { path, levels } of block.above) {
        const outcome = await play(on, { ...withProof({ levels: levels! }), path }, bob.address)
        expectRefused(outcome, 'WrongChain', chainId(path.at(-1)!), tx.chain)
      }
      if (depth === 1) return
      const renamed = { ...tx, chain: chainId(branch.path[0]!) }
      const lifted = { ...honest, path: [branch.path[0]!], transaction: renamed }
      const levelless = { ...lifted, inclusion: { ...lifted.inclusion, levels: [] } }
      expectRefused(await play(on, levelless, bob.address), 'WrongCommitment')
      const parent = branch.path.at(-2)!
      const slot = tip(branch).slot
      const neighbour = { ...tip(branch), slot: slot ^ 1 }
      const foreign = { ...tx, chain: chainId(neighbour) }
      const path = [...branch.path.slice(0, -1), neighbour]
      expectRefused(
        await play(on, { ...honest, path, transaction: foreign }, bob.address),
        'UnknownChain',
        chainId(neighbour),
      )
      const alone = { ...tip(branch), parent: ZERO }
      const own = { ...honest, path: [alone], transaction: { ...tx, chain: chainId(alone) } }
      expectRefused(
        await play(on, { ...own, inclusion: { ...own.inclusion, levels: [] } }, bob.address),
        'WrongCommitment',
      )
      expect(parent.operator).to.not.equal(bob.address)
    })

    it('takes no child’s header for a transaction of its parent', async () => {
      for (const [at, { path, tree, childrenRoot, levels }] of block.above.entries()) {
        // The children's tree in place of the transactions': eight of its levels and eight of nothing.
        const child = branch.path[at + 1]!
        const level = block.levels![depth - 2 - at]!
        const siblings = [...level.siblings, ...new Array<Hex>(8).fill(ZERO)]
        const transaction = payment(path.at(-1)!, [slice(block.header, 0)], [[bob.address, 1n]])
        const inclusion = {
          ...shown(block),
          index: child.slot,
          siblings,
          childrenRoot: Merkle.rootOf(tree),
          levels: levels!,
        }
        const lie = { ...honest, path, transaction, output: 0, inclusion }
        const outcome = await play(on, lie, bob.address)
        expect(outcome.refused).to.be.oneOf(['WrongCommitment', 'WrongHeader'])
        const honestly = await play(
          on,
          { ...lie, inclusion: { ...inclusion, childrenRoot: childrenRoot! } },
          bob.address,
        )
        expect(honestly.refused).to.be.oneOf(['WrongCommitment', 'WrongHeader'])
      }
      // Each ancestor's own transaction is proven in its own chain at the same number.
      for (const ancestor of block.above) expectDone(await play(on, exiting(ancestor), carol.address))
      await start(on, honest, bob.address)
    })
  })
}
