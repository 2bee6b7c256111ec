import { expect } from 'chai'
import fc from 'fast-check'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import { grow, grownRoot, NO_LEAVES, rootOf, tree } from '../../src/core/base/Merkle.ts'
import { keccak } from '../../src/core/base/Signature.ts'
import { grownTxRoot, growTx, txRoot } from '../../src/core/plasma/Block.ts'
import { droppedRow, placeRows, storedDrop, storedPlace } from '../../src/core/plasma/Places.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import { runs } from '../fuzz.ts'

const hashOf = (n: number): Hex => keccak(uint(n, 8))

describe('A block tree that grows', () => {
  it('has the root of the whole tree, at every count up to the last', () => {
    const leaves = Array.from({ length: 32 }, (_, n) => hashOf(n))
    let growing = NO_LEAVES
    for (let count = 0; count <= leaves.length; count++) {
      expect(grownRoot(growing, 5, hashOf(99))).to.equal(rootOf(tree(leaves.slice(0, count), 5, hashOf(99))))
      if (count < leaves.length) growing = grow(growing, Buffer.from(leaves[count]!.slice(2), 'hex'))
    }
    expect(() => grownRoot(grow(growing, new Uint8Array(32)), 5)).to.throw(RangeError, '33 leaves')
  })

  it('is that of its transactions, and what it was before stays as it was', () => {
    fc.assert(
      fc.property(fc.nat(200), (count) => {
        const hashes = Array.from({ length: count }, (_, n) => hashOf(n))
        const before = hashes.reduce(growTx, NO_LEAVES)
        const after = growTx(before, hashOf(1000))
        expect(grownTxRoot(before)).to.equal(txRoot(hashes))
        expect(grownTxRoot(after)).to.equal(txRoot([...hashes, hashOf(1000)]))
      }),
      runs(20),
    )
  })
})

describe('Places of committed transactions', () => {
  it('are found by their hash alone, in as many blocks as are looked through', () => {
    const store = memoryStore()
    const blocks = Array.from({ length: 600 }, (_, n) =>
      Array.from({ length: 1 + (n % 5) }, (_, i) => hashOf(10 * n + i)),
    )
    for (const [n, hashes] of blocks.entries()) store.commit(placeRows(n + 1, hashes))
    for (const [n, hashes] of blocks.entries()) {
      const index = hashes.length - 1
      expect(storedPlace(store, hashes[index]!, 600, 600)).to.deep.equal({ number: n + 1, index })
    }
    expect(storedPlace(store, hashOf(9), 600, 600)).to.equal(undefined)
    expect(storedPlace(store, blocks[9]![0]!, 600, 590)).to.equal(undefined)
    expect(storedPlace(store, blocks[10]![0]!, 600, 590)).to.deep.equal({ number: 11, index: 0 })
    expect(storedPlace(store, blocks[10]![0]!, 10, 10)).to.equal(undefined)
  })

  it('tell the last index of a full block, and what was dropped by its code', () => {
    const store = memoryStore()
    const hashes = Array.from({ length: 3 }, (_, n) => hashOf(n))
    const full = [...Array.from({ length: 65_533 }, () => hashes[0]!), ...hashes]
    store.commit([...placeRows(1, full), droppedRow(hashOf(7), 'Expired')])
    expect(storedPlace(store, hashes[2]!, 1, 1)).to.deep.equal({ number: 1, index: 65_535 })
    expect([storedDrop(store, hashOf(7)), storedDrop(store, hashOf(8))]).to.deep.equal(['Expired', undefined])
  })
})
