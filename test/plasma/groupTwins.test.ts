import { expect } from 'chai'
import fc from 'fast-check'
import { network } from 'hardhat'
import type { Hex } from '../../src/core/base/Bytes.ts'
import { type Domain, domain } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import * as Block from '../../src/core/plasma/Block.ts'
import * as Group from '../../src/core/plasma/Group.ts'
import { outputId } from '../../src/core/plasma/Transaction.ts'
import type { ExposedPlasma } from '../../typechain-types/index.ts'
import { arbitrary, depth, runs } from '../fuzz.ts'
import { CHAIN, groupsUnder, spoilt } from './groups.ts'

const { word } = arbitrary
const member = fc.record({ id: word, value: fc.bigInt(0n, 2n ** 256n - 1n) })

describe('Groups, in both languages', () => {
  let twin: ExposedPlasma
  let under: Domain
  before(async () => {
    const { ethers } = await network.create()
    twin = await ethers.deployContract('ExposedPlasma')
    under = domain(31337n, (await twin.getAddress()).toLowerCase() as Hex)
  })

  it('have the same name, and prove the same members', async () => {
    const made = fc.tuple(fc.array(member, { minLength: 2, maxLength: 64 }), fc.nat())
    const check = async ([members, pick]: [Group.Member[], number]) => {
      const leaves = members.map(Group.memberLeaf)
      const at = pick % members.length
      const { id, value } = members[at]!
      expect(leaves[at]).to.equal(await twin.memberLeaf(id, value))
      expect(Group.idsOf(members)).to.equal(await twin.groupRoot(members as never))
      const proof = Group.membership(members, at)
      for (const each of [proof, { ...proof, index: proof.index ^ 1 }]) {
        expect(Group.impliedIds(id, each)).to.equal(await twin.impliedIds(id, each as never))
      }
    }
    await fc.assert(fc.asyncProperty(made, check), runs(20))
  })

  it('prove the same transactions, and refuse the same proofs with the same words', async () => {
    const faults = new Set<string>()
    const made = fc.tuple(groupsUnder(under), fc.nat(6), fc.nat(), word)
    await fc.assert(
      fc.asyncProperty(made, async ([proven, how, pick, extra]) => {
        const { group, hashes, root } = proven
        await hashAlike(group, hashes)
        const [siblings, order] = spoilt(proven, how, pick, extra)
        const given = { ...group, order }
        const theirs = await answerOf(given, hashes.map(Block.leaf), siblings)
        expect(answer(() => Group.blockRoot(given, hashes, siblings))).to.equal(theirs)
        if (how > 3) expect(theirs).to.equal(root)
        else if (theirs.startsWith('WrongSiblings')) faults.add(String(how))
      }),
      runs(60),
    )
    // A part of the usual runs is too few to meet all of them.
    const need = depth < 1 ? [...faults] : ['0', '1', '2', '3']
    expect([...faults].sort()).to.deep.equal(need.sort())
  })

  /** Each leaver is a transaction of which the court knows hashes only. */
  async function hashAlike(group: Group.Group, hashes: readonly Hex[]): Promise<void> {
    let { others } = group
    let last = ''
    for (const [i, leaver] of group.leavers.entries()) {
      const beside = others.slice(0, leaver.outputs - 1)
      expect(Group.leaverHash(under, CHAIN, group, leaver, beside)).to.equal(hashes[i])
      expect(await twin.leaverHash(CHAIN, group as never, leaver, [...others])).to.equal(hashes[i])
      others = others.slice(leaver.outputs - 1)
      const id = outputId(hashes[i]!, leaver.output)
      expect(id > last).to.equal(true)
      last = id
    }
    expect(others).to.deep.equal([])
  }

  async function answerOf(group: Group.Group, leaves: readonly Hex[], siblings: readonly Hex[]): Promise<string> {
    try {
      return await twin.blockRoot(group as never, [...leaves], [...siblings])
    } catch (why) {
      const error = twin.interface.parseError((why as { data?: string }).data ?? '0x')
      if (!error) throw why
      return `${error.name}(${error.args.join(', ')})`
    }
  }
})

function answer(ask: () => Hex): string {
  try {
    return ask()
  } catch (why) {
    if (!(why instanceof Refusal)) throw why
    return why.message
  }
}
