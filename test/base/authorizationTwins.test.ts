import { expect } from 'chai'
import { TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import { network } from 'hardhat'
import { concat, ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { compact, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import {
  authorizationDigest,
  authorizationNonce,
  authorizedPayer,
  depositWitness,
  PERMIT2,
  permit2Digest,
  permit2Separator,
  permitDigest,
  permitFields,
  tokenSeparator,
} from '../../src/core/channel/Authorization.ts'
import { arbitrary, runs } from '../fuzz.ts'
import { alice, CHAIN, ID } from './payments.ts'

const address = (name: string) => ({ name, type: 'address' })
const number = (name: string) => ({ name, type: 'uint256' })
const amounts = fc.bigInt(0n, 2n ** 256n - 1n)
const PERMIT2_TYPES = {
  PermitWitnessTransferFrom: [
    { name: 'permitted', type: 'TokenPermissions' },
    address('spender'),
    number('nonce'),
    number('deadline'),
    { name: 'witness', type: 'Deposit' },
  ],
  TokenPermissions: [address('token'), number('amount')],
  Deposit: [
    { name: 'channelId', type: 'bytes32' },
    { name: 'toB', type: 'bool' },
  ],
}

describe('what payers sign', () => {
  it('is what ethers and published domains say, for permits, authorizations and Permit2', () => {
    const { address: who, word } = arbitrary
    fc.assert(
      fc.property(who, who, who, amounts, amounts, amounts, word, fc.boolean(), (token, from, to, a, b, c, id, toB) => {
        const domain = { name: 'Any', version: '2', chainId: CHAIN, verifyingContract: token }
        const separator = tokenSeparator('Any', '2', CHAIN, token)
        const one = { owner: from, spender: to, value: a, nonce: b, deadline: c }
        const Permit = [address('owner'), address('spender'), number('value'), number('nonce'), number('deadline')]
        expect(permitDigest(separator, one)).to.equal(TypedDataEncoder.hash(domain, { Permit }, one))
        const two = { from, to, value: a, validAfter: b, validBefore: c, nonce: id }
        const ReceiveWithAuthorization = [address('from'), address('to'), number('value'), number('validAfter')]
        ReceiveWithAuthorization.push(number('validBefore'), { name: 'nonce', type: 'bytes32' })
        const theirs = TypedDataEncoder.hash(domain, { ReceiveWithAuthorization }, two)
        expect(authorizationDigest(separator, two)).to.equal(theirs)
        const three = { permitted: { token, amount: a }, nonce: b, deadline: c }
        const typed = { ...three, spender: to, witness: { channelId: id, toB } }
        expect(permit2Digest(CHAIN, to, three, id, toB)).to.equal(
          TypedDataEncoder.hash({ name: 'Permit2', chainId: CHAIN, verifyingContract: PERMIT2 }, PERMIT2_TYPES, typed),
        )
      }),
      runs(50),
    )
    const dollar: Hex = '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48'
    const [known, permit2] = [tokenSeparator('USD Coin', '2', 1n, dollar), permit2Separator(1n)]
    expect(known).to.equal('0x06c37168a7db5138defc7866392bb87a741f9b3d104deb5094588ce041cae335')
    expect(permit2).to.equal('0x866a5aba21966af95d6c7ab78eb2b2fc913915c28be3b9aa07cc04ff903e3f28')
  })

  it('is bound to channel and side as the contract binds it', async () => {
    const exposed = await (await network.create()).ethers.deployContract('ExposedAuthorization')
    await fc.assert(
      fc.asyncProperty(arbitrary.word, fc.boolean(), arbitrary.word, async (id, toB, salt) => {
        expect(await exposed.nonceOf(id, toB, salt)).to.equal(authorizationNonce(id, toB, salt))
        expect(await exposed.witnessOf(id, toB)).to.equal(depositWitness(id, toB))
      }),
      runs(30),
    )
  })

  it('goes into a call as 65 bytes only, on either side of it', () => {
    const signature = sign(ID, alice.key)
    const one = { owner: ETHER, spender: ETHER, value: 1n, nonce: 2n, deadline: 3n }
    const { v, r, s, amount, deadline } = permitFields(one, signature)
    expect(concat(r, s, uint(v, 1))).to.equal(signature)
    expect([amount, deadline]).to.deep.equal([1n, 3n])
    const two = { from: ETHER, to: ETHER, value: 1n, validAfter: 2n, validBefore: 3n, nonce: ID }
    for (const wrong of [compact(signature), concat(signature, '0x00'), '0x' as const]) {
      for (const make of [() => permitFields(one, wrong), () => authorizedPayer(two, ID, wrong)]) {
        expect(make).to.throw(Refusal, 'SignatureLength')
      }
    }
  })
})
