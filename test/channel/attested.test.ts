import { expect } from 'chai'
import { AbiCoder, getAddress, keccak256 } from 'ethers'
import { network } from 'hardhat'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import { digest, domain, keccakText, keccakWords, sign } from '../../src/core/base/Signature.ts'
import type { Adjudicator, Attested } from '../../typechain-types/index.ts'
import { alice, bob, stranger } from './stage.ts'

const QUESTION = uint(42, 32)
const TYPE = keccakText('Attestation(bytes32 question,uint128 toReceiver)')

describe('Attested, a sample condition', () => {
  let connection: Awaited<ReturnType<typeof network.create<'generic'>>>
  let condition: Attested
  let court: Adjudicator
  let address: Hex
  before(async () => {
    connection = await network.create()
    const { ethers } = connection
    condition = await ethers.deployContract('Attested')
    court = await ethers.deployContract('Adjudicator')
    address = (await condition.getAddress()).toLowerCase() as Hex
  })

  const attestation = (key: Hex, amount: bigint, on = address) =>
    sign(digest(domain(31337n, on), keccakWords(TYPE, QUESTION, amount)), key)

  it('is not final before its attester has spoken, and then for ever what it said first', async () => {
    const key = await condition.keyOf(alice.address, QUESTION)
    const words = AbiCoder.defaultAbiCoder().encode(['address', 'bytes32'], [alice.address, QUESTION])
    expect(key).to.equal(keccak256(words))
    expect(await condition.outcome(key)).to.deep.equal([0n, false])
    await expect(court.judge(address, key))
      .to.be.revertedWithCustomError(court, 'NotFinal')
      .withArgs(await condition.getAddress(), key)
    await expect(condition.attest(alice.address, QUESTION, 7n, attestation(alice.key, 7n)))
      .to.emit(condition, 'AttestedTo')
      .withArgs(key, getAddress(alice.address), QUESTION, 7n)
    const again = condition.attest(alice.address, QUESTION, 9n, attestation(alice.key, 9n))
    await expect(again).to.be.revertedWithCustomError(condition, 'AlreadyAttested').withArgs(key)
    expect(await condition.outcome(key)).to.deep.equal([7n, true])
    await court.judge(address, key)
    expect((await court.verdict(address, key)).amount).to.equal(7n)
  })

  it('believes the attester only: by its signature for this contract, or by its own transaction', async () => {
    const wrong = [
      attestation(stranger.key, 5n),
      attestation(bob.key, 6n),
      attestation(bob.key, 5n, stranger.address),
      '0x',
    ]
    for (const signature of wrong) {
      const tried = condition.attest(bob.address, QUESTION, 5n, signature)
      await expect(tried).to.be.revertedWithCustomError(condition, 'WrongSigner')
    }
    await condition.connect(await connection.ethers.getSigner(bob.address)).attest(bob.address, QUESTION, 5n, '0x')
    expect(await condition.outcome(await condition.keyOf(bob.address, QUESTION))).to.deep.equal([5n, true])
  })
})
