import { expect } from 'chai'
import { network } from 'hardhat'
import { header, type Node } from '../../src/edge/chain/Node.ts'
import { seconded } from '../../src/edge/chain/Seconded.ts'
import { faultIn } from './plain.ts'

type Answer = (method: string, params: unknown[], honest: () => Promise<unknown>) => Promise<unknown>

async function world(answer: Answer) {
  const { ethers, networkHelpers } = await network.create()
  await networkHelpers.mine(5)
  const [honest, told] = [ethers.provider as unknown as Node, [] as string[]]
  const over = (send: Node['send']): Node => Object.assign(Object.create(honest) as Node, { send })
  const ask = honest.send.bind(honest)
  const second = over((method, params) => answer(method, params, () => ask(method, params)))
  const mine = seconded(over(ask), second, (why) => told.push(String(why)))
  return { mine, told, ask, head: Number(await ask('eth_blockNumber', [])) }
}

describe('Two nodes of layer 1', () => {
  it('that agree are believed', async () => {
    const { mine, told, head } = await world((_method, _params, honest) => honest())
    expect((await header(mine, 'latest'))?.number).to.equal(head)
    expect((await header(mine, 3))?.number).to.equal(3)
    expect(await mine.send('eth_getLogs', [{ blockHash: (await header(mine, 3))!.hash }])).to.deep.equal([])
    expect(told).to.deep.equal([])
  })

  for (const field of ['hash', 'parentHash', 'timestamp', 'logsBloom']) {
    it(`that differ about a block's ${field} are not`, async () => {
      const { mine } = await world(async (method, _params, honest) => {
        const said = await honest()
        return method === 'eth_getBlockByNumber' ? { ...(said as object), [field]: '0x1234' } : said
      })
      expect((await faultIn(header(mine, 2))).code).to.equal('EndpointsDiffer')
    })
  }

  it('that differ about logs, or what a call at a block says, are not', async () => {
    const { mine } = await world(async (method, _params, honest) => {
      if (method === 'eth_call') return '0x01'
      return method === 'eth_getLogs' ? [{ topics: [], data: '0x', logIndex: '0x0' }] : honest()
    })
    const { hash } = (await header(mine, 2))!
    expect((await faultIn(mine.send('eth_getLogs', [{ blockHash: hash }]))).code).to.equal('EndpointsDiffer')
    const call = mine.send('eth_call', [{ to: `0x${'11'.repeat(20)}`, data: '0x' }, '0x2'])
    expect((await faultIn(call)).code).to.equal('EndpointsDiffer')
  })

  it('of which one is behind have the newest block that both have', async () => {
    const { mine } = await world(async (method, [tag], honest) => {
      if (method === 'eth_blockNumber') return '0x3'
      return method === 'eth_getBlockByNumber' && Number(tag) > 3 ? null : honest()
    })
    expect(await mine.send('eth_blockNumber', [])).to.equal('0x3')
    expect((await header(mine, 'latest'))?.number).to.equal(3)
    expect(await header(mine, 4)).to.equal(undefined)
  })

  it('of which the second is silent are one that says so', async () => {
    const { mine, told } = await world(() => Promise.reject(new Error('gone')))
    expect((await header(mine, 4))?.number).to.equal(4)
    expect(told.join()).to.match(/at the second endpoint \(gone\)/)
  })
})
