import { expect } from 'chai'
import { keccak256, SigningKey, solidityPacked, TypedDataEncoder, Wallet } from 'ethers'
import fc from 'fast-check'
import { network } from 'hardhat'
import { concat, ETHER, type Hex, isHex, slice, toBytes, toHex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { node, proof, root, rootOf, tree } from '../../src/core/base/Merkle.ts'
import {
  addressOf,
  compact,
  digest,
  domain,
  isNative,
  keccak,
  keccakWords,
  recover,
  sign,
} from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import type { Exposed } from '../../typechain-types/index.ts'
import { arbitrary, runs } from '../fuzz.ts'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map(toHex)

describe('base nouns and their Solidity twins', () => {
  let exposed: Exposed
  before(async () => {
    const { ethers } = await network.create()
    exposed = await ethers.deployContract('Exposed')
  })

  it('hashes as an independent keccak does, over any parts', () => {
    fc.assert(
      fc.property(fc.array(bytes(200), { maxLength: 5 }), (parts) => {
        expect(keccak(...parts)).to.equal(keccak256(concat(...parts)))
      }),
      runs(200),
    )
  })

  it("encodes words as abi.encode does, negative numbers as two's complement", () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 127n), 2n ** 127n - 1n), arbitrary.address, fc.boolean(), (n, address, flag) => {
        const packed = solidityPacked(['int256', 'uint256', 'uint256'], [n, BigInt(address), flag ? 1 : 0])
        expect(keccakWords(n, address, flag)).to.equal(keccak256(packed))
      }),
      runs(200),
    )
  })

  it('turns text into bytes and back, and refuses what is not lowercase hexadecimal', () => {
    fc.assert(
      fc.property(bytes(80), (value) => {
        expect(toHex(toBytes(value))).to.equal(value)
        expect(isHex(value)).to.equal(true)
      }),
      runs(100),
    )
    for (const wrong of ['0x1', '0xAA', 'aa', '0x0g', 5, null]) expect(isHex(wrong)).to.equal(false)
    expect(() => uint(256, 1)).to.throw(RangeError)
    expect(() => uint(-1n, 4)).to.throw(RangeError)
  })

  it('signs under the same EIP-712 domain as ethers, with native code', async () => {
    expect(isNative, 'this platform has no prebuilt native curve').to.equal(true)
    const [chainId, court] = [await exposed.chainIdAtDeployment(), (await exposed.getAddress()).toLowerCase() as Hex]
    const under = domain(chainId, court)
    expect(under.separator).to.equal(await exposed.domainSeparator())
    const [fields, name, version, chain, contract, domainSalt, extensions] = await exposed.eip712Domain()
    expect([fields, name, version, chain, contract.toLowerCase()]).to.deep.equal([
      '0x0f',
      'kerros',
      '1',
      chainId,
      court,
    ])
    expect([domainSalt, [...extensions]]).to.deep.equal([ZERO, []])
    const theirs = { name: 'kerros', version: '1', chainId, verifyingContract: court }
    fc.assert(
      fc.property(arbitrary.key, arbitrary.word, (key, value) => {
        const types = { Word: [{ name: 'value', type: 'bytes32' }] }
        const mine = digest(under, keccakWords(keccak(toHex(new TextEncoder().encode('Word(bytes32 value)'))), value))
        expect(mine).to.equal(TypedDataEncoder.hash(theirs, types, { value }))
        expect(sign(mine, key)).to.equal(new SigningKey(key).sign(mine).serialized)
        expect(addressOf(key)).to.equal(new Wallet(key).address.toLowerCase())
      }),
      runs(30),
    )
  })

  it('recovers the same signer as the contract: both forms, high s, odd v, any length, any bytes', async () => {
    const malform = fc.constantFrom('none', 'compact', 'high s', 'v', 'long', 'short', 'noise', 'r', 's zero')
    await fc.assert(
      fc.asyncProperty(
        arbitrary.key,
        arbitrary.word,
        malform,
        fc.integer({ min: 0, max: 255 }),
        async (key, message, how, byte) => {
          const signature = spoil(sign(message, key), how, byte)
          const mine = recover(message, signature) ?? ETHER
          expect((await exposed.recover(message, signature)).toLowerCase()).to.equal(mine)
          if (how === 'none' || how === 'compact') expect(mine).to.equal(addressOf(key))
          if (how === 'high s' || how === 'long' || how === 'short') expect(mine).to.equal(ETHER)
        },
      ),
      runs(150),
    )
  })

  it('builds the same Merkle nodes, and proofs lead to the root at their own index only', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitrary.word, { minLength: 1, maxLength: 20 }),
        fc.nat(),
        arbitrary.word,
        async (leaves, pick, empty) => {
          const built = tree(leaves, 16, empty)
          const index = pick % leaves.length
          const path = proof(built, index)
          expect(root(leaves[index]!, index, path)).to.equal(rootOf(built))
          expect(await exposed.root16(leaves[index]!, index, [...path] as never)).to.equal(rootOf(built))
          expect(root(leaves[index]!, index ^ 1, path)).to.not.equal(rootOf(built))
          expect(await exposed.node(leaves[0]!, empty)).to.equal(node(leaves[0]!, empty))
        },
      ),
      runs(20),
    )
    expect(() => tree([ETHER, ETHER, ETHER], 1)).to.throw(RangeError)
  })

  it('reveals a preimage once: the first time stays, the rest of a batch is written all the same', async () => {
    const { ethers, networkHelpers } = await network.create()
    const registry = await ethers.deployContract('VerdictRegistry')
    const [one, two] = [uint(1, 32), uint(2, 32)]
    await registry.reveal([one])
    const first = await networkHelpers.time.latest()
    await networkHelpers.time.increase(100)
    const again = await registry.connect(await ethers.getSigner(localAccount(5).address)).reveal([one, two])
    await expect(again).to.emit(registry, 'Revealed').withArgs(two)
    expect((await again.wait())!.logs).to.have.length(1)
    expect(await registry.verdict(ETHER, hashLock(one))).to.deep.equal([BigInt(first), 2n ** 128n - 1n])
    expect((await registry.verdict(ETHER, hashLock(two))).time).to.equal(BigInt(await networkHelpers.time.latest()))
    expect((await registry.verdict(ETHER, hashLock(uint(3, 32)))).time).to.equal(0n)
  })
})

function spoil(signature: Hex, how: string, byte: number): Hex {
  const [r, s, v] = [slice(signature, 0, 32), slice(signature, 32, 64), slice(signature, 64)]
  const forms: Record<string, Hex> = {
    none: signature,
    compact: compact(signature),
    'high s': concat(r, uint(ORDER - BigInt(s), 32), uint(55 - Number(v), 1)),
    v: concat(r, s, uint(byte, 1)),
    long: concat(signature, uint(byte, 1)),
    short: slice(signature, 0, 63),
    noise: concat(keccak(r), slice(s, 0, 31), uint(byte, 1), v),
    r: concat(uint(ORDER + BigInt(byte), 32), s, v),
    's zero': concat(r, uint(0, 32), v),
  }
  return forms[how]!
}
