import { expect } from 'chai'
import { depth, seed } from '../fuzz.ts'
import { explore, gameOf, hunted } from './model/explorer.ts'
import { RULES } from './model/rules.ts'
import { OPEN } from './model/scripts.ts'
import { unruled } from './model/without.ts'

describe('The root chain’s model in small worlds', () => {
  for (const script of OPEN) {
    it(`robs nobody: ${script.name}`, () => {
      const all = explore(gameOf(script), { depth: depth > 1 ? 4 : 2, most: 150 * depth })
      const some = hunted(gameOf(script), 10 * depth, seed)
      expect([all.violation, some.violation]).to.deep.equal([undefined, undefined])
      expect(all.states).to.be.greaterThan(20)
    })
  }

  for (const ruled of RULES) {
    it(`robs somebody without a rule: ${ruled.rule}`, async () => {
      const { states, violation } = explore(await unruled(ruled), ruled.bounds)
      expect(violation).to.match(ruled.finds)
      expect(
        explore(gameOf(ruled.script), { ...ruled.bounds, most: Math.min(states, 150 * depth) }).violation,
      ).to.equal(undefined)
    })
  }
})
