import { expect } from 'chai'
import { network } from 'hardhat'
import { PERMIT2, permit2Separator } from '../../src/core/channel/Authorization.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { plantPermit2 } from '../../src/edge/chain/Permit2.ts'
import { Fault } from '../../src/edge/Fault.ts'
import { Permit2StandIn__factory } from '../../typechain-types/index.ts'

describe('planting Permit2', () => {
  let provider: Node
  beforeEach(async () => {
    provider = (await network.create()).ethers.provider as unknown as Node
  })

  /** The node, but for some methods. */
  const without = (method: string, answer: () => Promise<unknown>): Node =>
    Object.create(provider, {
      send: { value: (name: string, params: unknown[]) => (name === method ? answer() : provider.send(name, params)) },
    })

  async function fault(node: Node): Promise<Fault> {
    const thrown = await plantPermit2(node).then(
      () => undefined,
      (why: unknown) => why,
    )
    expect(thrown).to.be.instanceOf(Fault)
    return thrown as Fault
  }

  it('puts a stand-in at the canonical address of a local chain, without a transaction', async () => {
    const head = () => provider.send('eth_blockNumber', [])
    const before = await head()
    await plantPermit2(provider)
    expect(await Permit2StandIn__factory.connect(PERMIT2, provider).DOMAIN_SEPARATOR()).to.equal(
      permit2Separator(31337n),
    )
    expect(await head()).to.equal(before)
  })

  it('leaves alone what is there', async () => {
    await provider.send('hardhat_setCode', [PERMIT2, '0x6001'])
    await plantPermit2(provider)
    expect(await provider.getCode(PERMIT2)).to.equal('0x6001')
  })

  it('says in one sentence that a node cannot, or only says that it did', async () => {
    const unknown = await fault(
      without('hardhat_setCode', () => Promise.reject(new Error('the method does not exist\nat somewhere'))),
    )
    expect(unknown.code).to.equal('NotDeployed')
    expect(unknown.message).to.contain(`no Permit2 at ${PERMIT2}`).and.contain('(the method does not exist)')
    expect(unknown.message).to.not.contain('\n')
    const forgetful = await fault(without('hardhat_setCode', () => Promise.resolve(true)))
    expect(forgetful.message).to.contain('does not have it')
  })
})
