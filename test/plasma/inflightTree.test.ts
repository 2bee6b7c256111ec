import { expect } from 'chai'
import type { Hex } from '../../src/core/base/Bytes.ts'
import { pair } from '../../src/core/plasma/Draft.ts'
import { type Deposit, type Output, outputId } from '../../src/core/plasma/Transaction.ts'
import { type Branch, grow, honestly, type Planted, plant, type Signs, tip } from './branches.ts'
import {
  aside,
  competing,
  deposited,
  fate,
  HALF,
  included,
  landing,
  launch,
  objecting,
  output,
  paidBy,
  piggybacking,
  type Running,
  responding,
  spending,
  starting,
  transfer,
} from './flights.ts'
import { chainId, depositId, depositing, depositOf, idOf, shown, txHash } from './people.ts'
import { set } from './scene.ts'
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

for (const depth of [1, 2, 3]) {
  describe(`RootChain, in-flight exits, ${depth} deep`, () => {
    const scene = set()
    let on: Stage
    let branch: Branch
    let gift: Deposit
    beforeEach(async () => {
      ;({ on } = scene)
      branch = await grow(on, depth)
      gift = depositOf(tip(branch), alice.address, 1000n, 2n)
      expectDone(await play(on, depositing(gift), alice.address))
    })
    const pay = (change = {}) =>
      transfer(tip(branch), [depositId(gift)], [output(bob.address, 600n), output(alice.address, 400n)], change)
    const to = (id: Hex, outputs: readonly Output[] = [output(carol.address, 1n)], change = {}) =>
      transfer(tip(branch), [id], outputs, change)
    const begin = (tx = pay(), sources = [deposited(gift)], by = alice, starter = by) =>
      launch(on, starting(on, branch.path, tx, sources, by), starter.address)
    const process = async (run: Running) => {
      const time = Math.max(on.time + 1, run.inFlight.exitableAt)
      return expectDone(await play(on, landing(tip(branch), [run]), stranger.address, { time })).events
    }
    const compete = (run: Running, block: Planted, index: number) => {
      const spend = spending(on, block.txs[index]!, run.inFlight.tx.inputs[0]!, alice, [shown(block, index)])
      return competing(branch.path, run, 0, spend)
    }

    it('leave with an output of a block there, at the age of its number, from the chain’s own pot', async () => {
      const block = await plant(on, branch, [pay()])
      const tx = to(idOf(on, block), [output(carol.address, 600n)])
      const run = await begin(tx, [included(block)], bob)
      expect([run.lane, run.inFlight.exitableAt]).to.deep.equal([1, block.commitment.time + 2 * MFP])
      expectDone(await play(on, piggybacking(run, 16), carol.address))
      expect(paidBy(await process(run))).to.deep.equal({ 4: 600n })
      expect(on.model.pots.get(pair(chainId(tip(branch)), ETHER))).to.equal(depth === 1 ? 1400n : 400n)
    })

    it('are doubted by an included spend, and answered by their own inclusion, the older of both', async () => {
      const rivals = [1n, 2n].map((value) => to(depositId(gift), [output(carol.address, value)]))
      const block = await plant(on, branch, [rivals[0]!, pay(), rivals[1]!])
      const run = await begin()
      expectDone(await play(on, compete(run, block, 2), carol.address))
      expectDone(await play(on, responding(branch.path, run, shown(block, 1)), bob.address))
      expect(paidBy(await aside(on, () => process(run)))).to.deep.equal({ 5: 400n })
      expectDone(await play(on, compete(run, block, 0), carol.address))
      expect(paidBy(await process(run))).to.deep.equal({})
    })

    it('start late once the root’s number has passed their lastBlock, and live before', async () => {
      const tx = pay({ lastBlock: 1 })
      expect((await aside(on, () => begin(tx))).inFlight.late).to.equal(false)
      const block = await plant(on, branch, [tx])
      const run = await begin(tx)
      expect(run.inFlight.late).to.equal(true)
      expect(paidBy(await aside(on, () => process(run)))).to.deep.equal({ 0: 1000n })
      expectDone(await play(on, responding(branch.path, run, shown(block)), bob.address))
      expect(paidBy(await process(run))).to.deep.equal({ 5: 400n })
    })

    it('lose an output that an included transaction spends', async () => {
      const run = await begin()
      const spent = to(outputId(run.txHash, 1))
      const block = await plant(on, branch, [pay(), spent])
      const spend = spending(on, spent, spent.inputs[0]!, alice, [shown(block, 1)])
      expectDone(await play(on, objecting(branch.path, run, 5, spend), carol.address))
      expect(paidBy(await process(run))).to.deep.equal({})
      expect(fate(on, depositId(gift))).to.equal('consumed')
    })

    it('are bounded in the first half to the second, wherever they are', async () => {
      const block = await plant(on, branch, [pay(), to(depositId(gift))])
      const run = await begin()
      const end = run.inFlight.start + HALF
      await aside(on, async () => {
        expectDone(await play(on, compete(run, block, 1), carol.address, { time: end - 1 }))
        expect((await process(run))[0]).to.deep.include({ canonical: false })
      })
      expectDone(await play(on, compete(run, block, 1), carol.address, { time: end }))
      expectRefused(await play(on, piggybacking(run, 16), bob.address), 'TooLate', end + 1, end)
      expect((await process(run))[0]).to.deep.include({ canonical: true })
    })

    it('take no proof on another path, nor one with a level too few or too many', async () => {
      const block = await plant(on, branch, [pay(), to(depositId(gift))])
      const other = await grow(on, depth, depth === 1 ? [9] : [0, 7, 3].slice(0, depth - 1).concat(99))
      const run = await begin()
      const call = compete(run, block, 1)
      const path = [...branch.path.slice(0, -1), tip(other)]
      for (const one of [path, path.slice(0, -1)]) {
        const { refused } = await play(on, { ...call, path: one }, carol.address)
        expect(refused).to.be.oneOf(['WrongChain', 'WrongDepth', 'WrongParent'])
        const again = starting(on, one, { ...pay(), memo: depositId(gift) }, [deposited(gift)], alice)
        expect((await play(on, again, alice.address)).refused).to.be.oneOf(['WrongChain', 'WrongDepth', 'WrongParent'])
      }
      const proof = shown(block, 1)
      const deep = plant(on, await grow(on, 2, [0, 50]), [pay()])
      const levels = [...proof.levels, ...shown(await deep).levels]
      const long = { ...call, spend: { ...call.spend, inclusion: [{ ...proof, levels }] } }
      expectRefused(await play(on, long, carol.address), 'WrongDepth')
      const flat = { ...call, spend: { ...call.spend, inclusion: [{ ...proof, levels: proof.levels.slice(1) }] } }
      const { refused } = await play(on, flat, carol.address)
      expect(refused).to.equal(depth === 1 ? undefined : 'WrongDepth')
    })

    if (depth > 1) {
      it('are never answered, nor fed, by a block that the child’s operator did not sign for this number', async () => {
        const stale: Signs = (stage, head, key, at) => honestly(stage, { ...head, asOf: head.asOf - 1 }, key, at)
        const early: Signs = (stage, head, key, at) => honestly(stage, { ...head, number: head.number + 1 }, key, at)
        const foreign: Signs = (stage, head, _, at) => honestly(stage, head, stranger, at)
        for (const signs of [stale, early, foreign]) {
          const block = await plant(on, branch, [pay({ lastBlock: 9 }), to(depositId(gift))], { signs })
          await aside(on, async () => {
            const run = await begin(pay({ lastBlock: 9 }))
            const rival = spending(on, to(depositId(gift)), depositId(gift), alice)
            expectDone(await play(on, competing(branch.path, run, 0, rival), carol.address))
            expectRefused(await play(on, responding(branch.path, run, shown(block)), bob.address), 'WrongHeader')
            expectRefused(await play(on, compete(run, block, 1), bob.address), 'WrongHeader')
            const tx = to(idOf(on, block))
            const fed = starting(on, branch.path, tx, [included(block)], bob)
            expectRefused(await play(on, fed, bob.address), 'WrongHeader')
          })
        }
      })

      it('know no block from before the child was registered', async () => {
        const young: Branch = { path: [...branch.path.slice(0, -1), { ...tip(branch), slot: 77 }], keys: branch.keys }
        const tx = { ...pay(), chain: chainId(tip(young)) }
        const block = await plant(on, young, [tx])
        const slots = [0, 7, 255].slice(0, depth - 1)
        await grow(on, depth, [...slots, 77])
        const spend = transfer(tip(young), [idOf(on, block)], [output(carol.address, 1n)])
        const call = starting(on, young.path, spend, [included(block)], bob)
        expectRefused(await play(on, call, bob.address), 'NotBefore', 1, 1)
      })
    }

    it('belong to their chain: a payment of the parent or a sister is no competitor, whoever signed it', async () => {
      const sister = await grow(on, depth, depth === 1 ? [9] : [0, 7, 3].slice(0, depth - 1).concat(98))
      const run = await begin()
      for (const chain of [tip(sister), ...branch.path.slice(0, -1)]) {
        const rival = { ...to(depositId(gift)), chain: chainId(chain) }
        const call = competing(branch.path, run, 0, spending(on, rival, depositId(gift), alice))
        expectRefused(await play(on, call, carol.address), 'WrongChain', chainId(chain), chainId(tip(branch)))
        const authorisation = signed(txHash(on.domain, { ...rival, chain: chainId(tip(branch)) }), alice)
        const moved = { ...call, spend: { ...call.spend, authorisation } }
        expectRefused(await play(on, moved, carol.address), 'WrongChain')
      }
    })
  })
}
