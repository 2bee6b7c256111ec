import { expect } from 'chai'
import { Wallet } from 'ethers'
import { network } from 'hardhat'
import type { Hex } from '../../src/core/base/Bytes.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { type Node, quantity } from '../../src/edge/chain/Node.ts'
import { rpcChain } from '../../src/edge/chain/Rpc.ts'
import type { Fault } from '../../src/edge/Fault.ts'
import { Till__factory } from '../../typechain-types/index.ts'
import { followed } from './chain.ts'
import { callValue, type TillCall, type TillEvent } from './till.ts'

const abi = Till__factory.createInterface()

type Ask = (method: string, params: unknown[]) => Promise<unknown>
type Answer = (method: string, params: unknown[], answer: () => Promise<unknown>, ask: Ask) => Promise<unknown>
interface Served {
  readonly address: Hex
  readonly data: Hex
  readonly logIndex: Hex
}

/** A chain with three payments in one block and one in the next; `answer` stands between its node and a client. */
async function told(answer: Answer) {
  const { ethers } = await network.create()
  const provider = ethers.provider as unknown as Node
  const till = await new Till__factory(new Wallet(localAccount(9).key, ethers.provider)).deploy()
  const court = (await till.getAddress()).toLowerCase() as Hex
  const signer = new Wallet(localAccount(0).key, provider)
  const send: Node['send'] = (method, params) => {
    const ask: Ask = (...what) => provider.send(...what)
    return answer(method, params, () => ask(method, params), ask)
  }
  const node = new Proxy(provider, { get: (of, name) => (name === 'send' ? send : Reflect.get(of, name, of)) })
  const faults: Fault[] = []
  const onFault = (fault: Fault) => faults.push(fault)
  const parts = { signer, court, abi, callValue, interval: 1, retry: 1 }
  const payer = await rpcChain<TillCall, TillEvent>({ ...parts, provider })
  const alice = await rpcChain<TillCall, TillEvent>({ ...parts, provider: node, onFault })
  const from = await payer.head()
  await provider.send('evm_setAutomine', [false])
  const pay = (amount: bigint) => payer.send({ verb: 'pay', owner: payer.sender, notes: [], amount })
  const three = [pay(1n), pay(2n), pay(3n)]
  while (((await provider.send('eth_pendingTransactions', [])) as unknown[]).length < 3) await soon()
  await provider.send('evm_mine', [])
  await Promise.all(three)
  await provider.send('evm_setAutomine', [true])
  await pay(4n)
  const seen = followed(alice, from + 1)
  await seen.reach(from + 2)
  seen.stop()
  return { amounts: seen.blocks.map(({ events }) => events.map(({ amount }) => amount)), faults }
}

const soon = () => new Promise((done) => setImmediate(done))
const ALL = [[1n, 2n, 3n], [4n]]

/** What a node answers for the receipts of a block; Hardhat's has no method for it. */
async function receiptsOf(ask: Ask, number: unknown) {
  const block = (await ask('eth_getBlockByNumber', [number, false])) as { readonly transactions: readonly Hex[] }
  return Promise.all(block.transactions.map((hash) => ask('eth_getTransactionReceipt', [hash])))
}

describe('edge/chain and what a node serves', () => {
  for (const [lie, change] of [
    ['leaves all logs of a block out', () => []],
    ['leaves the last log out', (logs: readonly Served[]) => logs.slice(0, -1)],
    ['leaves the first log out', (logs: readonly Served[]) => logs.slice(1)],
    [
      'says another amount in a log than its block',
      (logs: readonly Served[]) =>
        logs.map((log) => ({ ...log, data: `${log.data.slice(0, 65)}9${log.data.slice(66)}` })),
    ],
    [
      'swaps what two logs say',
      (logs: readonly Served[]) => logs.map((log, i) => ({ ...log, data: (logs[i ^ 1] ?? log).data })),
    ],
    [
      'invents a log',
      (logs: readonly Served[]) => [...logs, { ...logs[0]!, topics: [`0x${'ab'.repeat(32)}`], logIndex: '0x9' }],
    ],
  ] as const) {
    it(`is not deceived by one that ${lie} now and then`, async () => {
      let lies = 0
      const { amounts, faults } = await told(async (method, _params, answer) => {
        const logs = (await answer()) as readonly Served[]
        return method === 'eth_getLogs' && lies++ < 5 ? change(logs) : logs
      })
      expect(amounts).to.deep.equal(ALL)
      expect(faults.length).to.be.greaterThan(0)
    })

    if (lie === 'invents a log') continue
    it(`waits, and says so, while one ${lie} again and again, though its receipts tell`, async () => {
      let honest = false
      const { amounts, faults } = await told(async (method, params, answer, ask) => {
        if (method === 'eth_getBlockReceipts') {
          // What it is caught at makes it honest in the end.
          honest = true
          return receiptsOf(ask, params[0])
        }
        const logs = (await answer()) as readonly Served[]
        return method === 'eth_getLogs' && !honest ? change(logs) : logs
      })
      expect(amounts).to.deep.equal(ALL)
      expect(faults.length).to.be.greaterThan(0)
    })
  }

  it('takes each log once from one that repeats and shuffles them', async () => {
    const { amounts, faults } = await told(async (method, _params, answer) => {
      const logs = (await answer()) as readonly Served[]
      if (method !== 'eth_getLogs') return logs
      return [...logs, ...logs].reverse()
    })
    expect(amounts).to.deep.equal(ALL)
    expect(faults).to.deep.equal([])
  })

  it('follows on when a provider is switched to a node that is behind, and yields nothing twice', async () => {
    let asked = 0
    const { amounts } = await told(async (method, params, answer, ask) => {
      const isHead = method === 'eth_getBlockByNumber' && params[0] === 'latest'
      return isHead && asked++ % 2 === 1 ? ask(method, ['0x1', false]) : answer()
    })
    expect(amounts).to.deep.equal(ALL)
  })

  it('takes no block for another that the node serves under its number', async () => {
    let asked = 0
    const { amounts, faults } = await told(async (method, params, answer) => {
      const block = (await answer()) as { readonly number: Hex } | null
      if (method !== 'eth_getBlockByNumber' || params[0] === 'latest' || !block || asked++ > 4) return block
      return { ...block, number: quantity(Number(block.number) + 1) }
    })
    expect(amounts).to.deep.equal(ALL)
    expect(faults.length).to.be.greaterThan(0)
  })
})
