import { expect } from 'chai'
import fc from 'fast-check'
import type { Hex } from '../../src/core/base/Bytes.ts'
import { emptyMap, entries, get, type HashMap, remove, set } from '../../src/core/base/HashMap.ts'
import { runs } from '../fuzz.ts'

// Few digits, so that random keys often share long prefixes.
const key = fc
  .array(fc.constantFrom('00', '01', '10', 'f0', 'ff'), { minLength: 4, maxLength: 4 })
  .map((parts): Hex => {
    return `0x${parts.join('')}`
  })
const change = fc.tuple(key, fc.option(fc.nat(), { nil: undefined }))

describe('HashMap', () => {
  it('agrees with a Map after any changes, and earlier maps never change', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), key, (changes, after) => {
        const oracle = new Map<Hex, number>()
        let map: HashMap<number> = emptyMap()
        for (const [at, value] of changes) {
          const before = map
          const had = get(before, at)
          map = value === undefined ? remove(map, at) : set(map, at, value)
          value === undefined ? oracle.delete(at) : oracle.set(at, value)
          expect(get(before, at)).to.equal(had)
          expect(get(map, at)).to.equal(value)
        }
        const sorted = [...oracle].sort(([a], [b]) => (a < b ? -1 : 1))
        expect(map.size).to.equal(oracle.size)
        expect([...entries(map)]).to.deep.equal(sorted)
        expect([...entries(map, after)]).to.deep.equal(sorted.filter(([at]) => at > after))
      }),
      runs(300),
    )
  })

  it('refuses a key that is a prefix of another', () => {
    const map = set(emptyMap<number>(), '0xaabb', 1)
    expect(() => set(map, '0xaa', 2)).to.throw(RangeError, 'one length')
  })
})
