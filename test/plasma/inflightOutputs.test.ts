import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { outputId } from '../../src/core/plasma/Transaction.ts'
import { dispute } from './dispute.ts'
import { HALF, objecting, paidBy, piggybacking, type Running, spending } from './flights.ts'
import { payment, type Sealed, seal, shown } from './people.ts'
import { set } from './scene.ts'
import { alice, bob, carol, expectDone, expectRefused, operator, play, type Stage } from './stage.ts'

describe('RootChain, in-flight exits, disputed outputs', () => {
  const scene = set()
  let on: Stage
  let chain: Chain
  beforeEach(() => {
    ;({ on, chain } = scene)
  })
  const { pay, begin, wanted, process, worth } = dispute(scene)

  describe('challenge an output', () => {
    const next = (run: Running, change = {}) =>
      payment(chain, [outputId(run.txHash, 0)], [[carol.address, 600n]], change)
    const object = (run: Running, tx = next(run), position = 4, by = bob, at?: Sealed) =>
      objecting([chain], run, position, spending(on, tx, tx.inputs[0]!, by, at ? [shown(at)] : []))

    it('with a live or an included spend: half of its bond, and that output is not paid', async () => {
      const run = await wanted()
      const before = worth(carol)
      expectDone(await play(on, object(run), carol.address))
      expect(worth(carol) - before).to.equal(run.inFlight.bond / 2n)
      expectRefused(await play(on, object(run), carol.address), 'WrongPositions', 16)
      expectRefused(await play(on, piggybacking(run, 16), bob.address), 'WrongPositions', 16)
      expect(paidBy(expectDone(await process(run)).events)).to.deep.equal({ 5: 400n })
    })

    it('to the second before its queue, in both halves', async () => {
      for (const [i, after] of [0, HALF, 1_000_000].entries()) {
        const run = await wanted(pay({ memo: uint(BigInt(i), 32) }))
        expectDone(await play(on, object(run), carol.address, { time: run.inFlight.start + 2 + after }))
      }
    })

    it('never one that nobody wants, an input, or none at all', async () => {
      const run = await begin()
      for (const position of [0, 3, 6, 7, 8, 255]) {
        const call = { ...object(run), position }
        expectRefused(await play(on, call, carol.address), 'NoSuchPosition', BigInt(position), 6n)
      }
      expectRefused(await play(on, object(run), carol.address), 'WrongPositions', 16)
    })

    it('never with what does not count', async () => {
      const run = await wanted()
      expectRefused(await play(on, object(run, next(run), 4, alice), carol.address), 'WrongSigner')
      const other = payment(chain, [outputId(run.txHash, 1)], [[carol.address, 400n]])
      expectRefused(await play(on, object(run, other), carol.address), 'WrongInput')
      const expired = next(run, { lastBlock: 1 })
      const block = await seal(on, chain, [expired])
      expectRefused(await play(on, object(run, expired), carol.address), 'Expired', 1, 1)
      expectDone(await play(on, object(run, expired, 4, bob, block), operator.address))
    })
  })
})
