import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { keccak256 } from 'ethers'
import fc from 'fast-check'
import { concat, type Hex, size, slice, uint, ZERO } from '../../src/core/base/Bytes.ts'
import * as Merkle from '../../src/core/base/Merkle.ts'
import { compact, domain, keccak, recover, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import * as Block from '../../src/core/plasma/Block.ts'
import * as Group from '../../src/core/plasma/Group.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { arbitrary, runs } from '../fuzz.ts'
import { groupsUnder, spoilt } from './groups.ts'

const { word } = arbitrary
const court = domain(31337n, `0x${'c0'.repeat(20)}`)
const hash = (...parts: readonly Hex[]) => keccak256(concat(...parts)) as Hex

/** The root over all leaves of a tree of a depth, every node hashed, by an independent keccak. */
function naive(leaves: readonly Hex[], depth: number, empty: Hex): Hex {
  let [level, filler] = [leaves, empty]
  for (let height = 0; height < depth; height++) {
    const whole = level.length % 2 === 0 ? level : [...level, filler]
    level = Array.from({ length: whole.length / 2 }, (_, i) => hash('0x01', whole[2 * i]!, whole[2 * i + 1]!))
    filler = hash('0x01', filler, filler)
  }
  return level[0] ?? filler
}

const empty = hash('0x00', ZERO)

/** Leaves as they are, one that is repeated, or the one of the first of 64,000 payments. */
interface Vector {
  readonly leaves?: readonly Hex[]
  readonly leaf?: Hex
  readonly count?: number
  readonly generator?: { readonly first: Hex; readonly last: Hex }
  readonly root?: Hex
  readonly index?: number
  readonly proofIndex?: number
  readonly proof?: Hex
  readonly proofPrefix?: Hex
}

function leavesOf({ leaves, leaf, count, generator }: Vector): readonly Hex[] {
  if (leaves) return leaves
  if (leaf) return new Array<Hex>(count!).fill(leaf)
  const { first, last } = generator!
  const spent = (i: number) => uint(1_000_000_000 + i * 10_001, 32)
  const payments = Array.from({ length: 64_000 }, (_, i) => concat(slice(first, 0, 5), spent(i + 1), slice(first, 37)))
  expect([payments[0], payments.at(-1)]).to.deep.equal([first, last])
  return payments
}

describe('The trees of a block', () => {
  const path = join(process.env.KERROS_VECTORS ?? '../shared/vectors', 'plasma-merkle-depth16.json')
  const published = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')).vectors as Vector[]) : []

  const compare = () => {
    for (const vector of published) {
      const leaves = leavesOf(vector).map((leaf) => keccak('0x00', leaf))
      const tree = Merkle.tree(leaves, Block.DEPTH, Block.EMPTY_LEAF)
      if (vector.root) expect(Merkle.rootOf(tree)).to.equal(vector.root)
      const [index, proof] = [vector.index ?? vector.proofIndex, vector.proof ?? vector.proofPrefix]
      if (proof) expect(slice(concat(...Merkle.proof(tree, index!)), 0, size(proof))).to.equal(proof)
    }
  }
  if (published.length > 0) it('have the roots and proofs that others have published', compare)
  else console.warn(`${path} is not there, so the published trees are not compared: name its folder in KERROS_VECTORS`)

  it('are what hashing every node makes, with zeros where no child is', () => {
    const slot = fc.record({ header: word, r: word, vs: word })
    const slots = fc.dictionary(fc.nat(255).map(String), slot, { maxKeys: 6 })
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), slots, (hashes, given) => {
        const leaves = hashes.map((one) => hash('0x00', one))
        expect(Block.txRoot(hashes)).to.equal(naive(leaves, 16, empty))
        const children = new Map(Object.entries(given).map(([at, child]) => [Number(at), child]))
        const opened = Array.from({ length: 256 }, (_, at) => {
          const child = children.get(at)
          return child ? hash('0x03', child.header, child.r, child.vs) : ZERO
        })
        expect(Block.childrenRoot(children)).to.equal(children.size === 0 ? ZERO : naive(opened, 8, ZERO))
      }),
      runs(20),
    )
  })

  it('prove a transaction from three levels down, signed at each, to the word that L1 kept', () => {
    const [mother, child] = [localAccount(1), localAccount(2)]
    const args = fc.record({
      hashes: fc.array(fc.uniqueArray(word, { minLength: 1, maxLength: 5 }), { minLength: 3, maxLength: 3 }),
      slots: fc.tuple(fc.nat(255), fc.nat(255)),
      neighbour: fc.tuple(fc.nat(255), fc.record({ header: word, r: word, vs: word })),
      pick: fc.nat(),
      ids: fc.tuple(word, word),
      at: fc.record({ number: fc.nat(1000), time: fc.nat(1000), asOf: fc.nat(1000) }),
    })
    fc.assert(
      fc.property(args, ({ hashes, slots, neighbour, pick, ids, at }) => {
        const [top, middle, bottom] = hashes as [Hex[], Hex[], Hex[]]
        const opened = (head: Hex, id: Hex, key: Hex, slot: number) => {
          const signature = compact(sign(Block.headerDigest(court, id, at.number, at.asOf, head), key))
          const own = { header: head, r: slice(signature, 0, 32), vs: slice(signature, 32) }
          return new Map([neighbour, [slot, own] as const])
        }
        const low = Block.header(Block.txRoot(bottom))
        const inMiddle = opened(low, ids[1], child.key, slots[1])
        const mid = Block.header(Block.txRoot(middle), Block.childrenRoot(inMiddle))
        const inTop = opened(mid, ids[0], mother.key, slots[0])
        const high = Block.header(Block.txRoot(top), Block.childrenRoot(inTop))
        const levels = [
          Block.level(Block.txRoot(middle), inMiddle, slots[1]),
          Block.level(Block.txRoot(top), inTop, slots[0]),
        ]
        const index = pick % bottom.length
        const proof = Block.inclusion(Block.txTree(bottom), index, at, ZERO, levels)
        let head = Block.header(Block.rootOf(bottom[index]!, proof), proof.childrenRoot)
        const way = [
          [slots[1], ids[1], child.address],
          [slots[0], ids[0], mother.address],
        ] as const
        proof.levels.forEach((level, i) => {
          const [slot, id, operator] = way[i]!
          const digest = Block.headerDigest(court, id, at.number, at.asOf, head)
          expect(recover(digest, concat(level.r, level.vs))).to.equal(operator)
          head = Block.parentHeader(head, slot, level)
        })
        expect(head).to.equal(high)
        expect(Block.parentHeader(low, slots[1] ^ 1, levels[0]!)).to.not.equal(mid)
      }),
      runs(10),
    )
  })
})

describe('A group', () => {
  const members = fc.array(fc.record({ id: word, value: fc.bigInt(0n, 2n ** 256n - 1n) }), {
    minLength: 2,
    maxLength: 64,
  })

  it('is named by the root of its members, of which each is proven, at its own place alone', () => {
    fc.assert(
      fc.property(members, fc.nat(), (of, pick) => {
        const ids = Group.idsOf(of)
        const leaves = of.map(({ id, value }) => hash('0x09', id, uint(value, 32)))
        expect(ids).to.equal(naive(leaves, Math.ceil(Math.log2(of.length)), ZERO))
        const at = pick % of.length
        const proof = Group.membership(of, at)
        expect(Group.impliedIds(of[at]!.id, proof)).to.equal(ids)
        expect(Group.impliedIds(of[at]!.id, { ...proof, index: at ^ 1 })).to.not.equal(ids)
        expect(Group.impliedIds(of[at]!.id, { ...proof, value: proof.value ^ 1n })).to.not.equal(ids)
        expect(Group.impliedIds(of[at]!.id, { ...proof, siblings: proof.siblings.slice(1) })).to.not.equal(ids)
      }),
      runs(40),
    )
  })

  it('is proven to be in a block by the siblings that it lacks, and by no others', () => {
    fc.assert(
      fc.property(groupsUnder(court), fc.nat(6), fc.nat(), word, (proven, how, pick, extra) => {
        const { group, hashes, root } = proven
        const [siblings, order] = spoilt(proven, how, pick, extra)
        const prove = () => Group.blockRoot({ ...group, order }, hashes, siblings)
        if (how < 2) expect(prove).to.throw(Refusal, 'WrongSiblings')
        else if (order === group.order) expect(prove()).to.equal(root)
      }),
      runs(60),
    )
  })
})
