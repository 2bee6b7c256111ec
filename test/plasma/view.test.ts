import { expect } from 'chai'
import fc from 'fast-check'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import type { L1Block, L1Input } from '../../src/core/base/Step.ts'
import { beginning, follow, type View, viewFrom } from '../../src/core/plasma/View.ts'
import { runs } from '../fuzz.ts'
import { outcome } from './ledgerStage.ts'

type Block = L1Block<never>

function block(number: number, branch: number, parent: Hex): Block {
  return { number, hash: uint(1 + number * 1000 + branch, 32), parent, time: 10 * number, events: [] }
}

/** L1 as it goes: true = one more block, false = the newest is taken back and another branch goes on. */
function story(steps: readonly boolean[], depth: number): { inputs: L1Input<never>[]; chain: Block[] } {
  const chain: Block[] = []
  const inputs: L1Input<never>[] = []
  const deepest = () => Math.max(0, ...inputs.map((input) => input.block.number + 1)) - depth
  for (const [branch, grows] of steps.entries()) {
    if (grows || chain.length === 0 || chain.length <= deepest()) {
      const next = block(chain.length, branch, chain.at(-1)?.hash ?? uint(0, 32))
      chain.push(next)
      inputs.push({ kind: 'block', block: next })
    } else inputs.push({ kind: 'retract', block: chain.pop()! })
  }
  return { inputs, chain }
}

describe('View', () => {
  it('believes each block of the chain once, in order, and none that a reorg above its depth took back', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), fc.nat(4), (steps, depth) => {
        const { inputs, chain } = story(steps, depth)
        let view: View<never> = viewFrom(depth, beginning(0))
        const believed: Block[] = []
        for (const input of inputs) {
          const made = follow(view, input)
          view = made.view
          believed.push(...made.fresh)
        }
        expect(believed).to.deep.equal(chain.slice(0, believed.length))
        expect([...believed, ...view.window]).to.deep.equal(chain)
        expect([view.next, view.time]).to.deep.equal([believed.length, believed.at(-1)?.time ?? 0])
      }),
      runs(200),
    )
  })

  it('refuses a reorg of what is final, whether it sees it or was away', () => {
    const [first, second] = [block(5, 0, uint(9, 32)), block(6, 0, block(5, 0, uint(9, 32)).hash)]
    const { view } = follow(follow(viewFrom<never>(1, beginning(5)), { kind: 'block', block: first }).view, {
      kind: 'block',
      block: second,
    })
    expect(view.next).to.equal(6)
    const gone = follow(view, { kind: 'retract', block: second }).view
    expect(outcome(() => follow(gone, { kind: 'retract', block: first }))).to.equal('ReorgTooDeep')
    const away = viewFrom<never>(1, { next: view.next, time: view.time, tip: view.tip })
    expect(outcome(() => follow(away, { kind: 'block', block: second }))).to.equal('accepted')
    expect(outcome(() => follow(away, { kind: 'block', block: block(6, 1, uint(8, 32)) }))).to.equal('ReorgTooDeep')
  })
})
