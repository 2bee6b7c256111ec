import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect } from 'chai'
import { keccak256, type Signer, Wallet } from 'ethers'
import { network } from 'hardhat'
import type { Hex } from '../../src/core/base/Bytes.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { header, httpNode, type Node } from '../../src/edge/chain/Node.ts'
import { type RpcChain, type RpcOptions, rpcChain } from '../../src/edge/chain/Rpc.ts'
import type { Fault } from '../../src/edge/Fault.ts'
import { Till__factory } from '../../typechain-types/index.ts'
import { seed } from '../fuzz.ts'
import { behavesAsChain, followed, refusalIn, type Stage } from './chain.ts'
import { faultIn } from './plain.ts'
import { callValue, type TillCall, type TillEvent } from './till.ts'

type Options = Partial<RpcOptions<TillCall>>
const abi = Till__factory.createInterface()

type Over = 'in process' | 'over HTTP'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Hardhat's chain with a till, and what makes clients of it: its own signers in process, keys of ours over HTTP. */
async function world(over: Over = 'in process') {
  const { ethers, provider } = over === 'in process' ? await inProcess() : await overHttp()
  const deployer = signerOf(ethers, provider, 9)
  const till = await new Till__factory(await deployer).deploy()
  await till.waitForDeployment()
  const court = (await till.getAddress()).toLowerCase() as Hex
  const client = async (index: number, options: Options = {}) => {
    const chain: RpcChain<TillCall, TillEvent> = await rpcChain({
      ...{ provider, signer: await signerOf(ethers, provider, index), court, abi, callValue, interval: 5, retry: 1 },
      ...options,
    })
    return chain
  }
  return { provider, court, client, head: async () => Number(await provider.send('eth_blockNumber', [])) }
}

async function inProcess() {
  const { ethers } = await network.create()
  return { ethers, provider: ethers.provider as unknown as Node }
}

async function overHttp() {
  const server = await network.createServer('default', '127.0.0.1', 0)
  const { address, port } = await server.listen()
  closing.push(() => server.close())
  const provider = await httpNode(`http://${address}:${port}`, 31337n)
  closing.push(() => provider.destroy())
  return { ethers: undefined, provider }
}

async function signerOf(
  ethers: { getSigners(): Promise<Signer[]> } | undefined,
  provider: Node,
  index: number,
): Promise<Signer> {
  return ethers ? (await ethers.getSigners())[index]! : new Wallet(localAccount(index).key, provider)
}

/** Snapshots after every block, so that any of the newest blocks can be taken back. */
async function stage(over: Over): Promise<Stage> {
  const { provider, client, head } = await world(over)
  const snapshots = new Map<number, unknown>()
  const calls = new Map<number, () => Promise<unknown>>()
  let different = 0
  // Blocks that come instead must not be the same blocks again.
  const stir = () => provider.send('hardhat_setPrevRandao', [`0x${(++different).toString(16).padStart(64, '0')}`])
  const keep = async () => snapshots.set(await head(), await provider.send('evm_snapshot', []))
  const mine = async () => {
    await stir()
    await provider.send('evm_mine', [])
    await keep()
  }
  const mined: Stage['mined'] = async (chain, call) => {
    await stir()
    const receipt = await chain.send(call)
    calls.set(receipt.block, () => mined(chain, call))
    await keep()
    return receipt
  }
  await keep()
  return {
    // What a reorg loses stays lost here, unless the test says otherwise.
    client: (index) => client(index, { resend: 0 }),
    mined,
    mine,
    head,
    balance: async (owner) => BigInt((await provider.send('eth_getBalance', [owner, 'latest'])) as string),
    async reorg(depth, kept) {
      const top = await head()
      const lost = [...Array(depth)].map((_, i) => calls.get(top - depth + 1 + i)).filter((_, i) => kept.includes(i))
      await provider.send('evm_revert', [snapshots.get(top - depth)])
      await keep()
      for (const again of lost) await again?.()
      while ((await head()) < top + 1) await mine()
    },
  }
}

const pay = (owner: Hex, amount: bigint): TillCall => ({ verb: 'pay', owner, notes: [], amount })
const draw = (amount: bigint): TillCall => ({ verb: 'draw', amount, notBefore: 0 })

/** The node with some of its answers changed. */
function altered(node: Node, send: (method: string, params: unknown[]) => Promise<unknown>): Node {
  return new Proxy(node, { get: (target, name) => (name === 'send' ? send : Reflect.get(target, name, target)) })
}

for (const over of ['in process', 'over HTTP'] as const) {
  describe(`edge/chain of Hardhat ${over}`, () => behavesAsChain(() => stage(over)))
}

/** What `open` gives once it does not fail for lack of a node. */
async function untilThere<T>(open: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await open()
    } catch (why) {
      expect((why as Fault).code).to.equal('ChainUnreachable')
    }
  }
}

/** How many transactions wait in the node's pool. */
async function waiting(provider: Node): Promise<number> {
  return ((await provider.send('eth_pendingTransactions', [])) as unknown[]).length
}

describe('edge/chain and a node', () => {
  it('yields everything in order over a node that fails, forgets and lags', async () => {
    const { provider, client, head } = await world()
    let chance = seed
    const flaky = altered(provider, async (method, params) => {
      chance = (Math.imul(chance, 1_103_515_245) + 12_345) & 0x7fffffff
      const luck = (chance >> 16) % 20
      if (luck < 4) throw new Error('connection reset')
      if (luck < 6 && method === 'eth_getBlockByNumber') return null
      if (luck < 10 && params[0] === 'latest') return provider.send(method, ['0x1', false])
      return provider.send(method, params)
    })
    const faults: Fault[] = []
    const onFault = (fault: Fault) => faults.push(fault)
    const alice = await untilThere(() => client(0, { provider: flaky, onFault }))
    const payer = await client(0)
    const seen = followed(alice, 0)
    for (let i = 0; i < 40; i++) await payer.send(pay(payer.sender, BigInt(i)))
    await seen.reach(await head())
    seen.stop()
    const amounts = seen.blocks.flatMap(({ events }) => events.map(({ amount }) => amount))
    expect(amounts).to.deep.equal([...Array(40).keys()].map(BigInt))
    expect(seen.inputs.every(({ kind }) => kind === 'block')).to.equal(true)
    expect(faults.length).to.be.greaterThan(0)
    expect(faults[0]!.message).to.equal(
      'no chain answers at the chain (connection reset); start it or check its address',
    )
  })

  it('never mixes the logs of one block with the header of another', async () => {
    const { provider, client, head } = await world()
    let lies = 0
    const mixed = altered(provider, async (method, params) => {
      const answer = await provider.send(method, params)
      if (method !== 'eth_getLogs' || lies++ > 3) return answer
      return (answer as object[]).map((log) => ({ ...log, blockHash: `0x${'77'.repeat(32)}` }))
    })
    const payer = await client(0)
    for (let i = 0; i < 3; i++) await payer.send(pay(payer.sender, 1n))
    const seen = followed(await client(0, { provider: mixed }), await head())
    await seen.reach(await head())
    seen.stop()
    expect(seen.blocks[0]!.events).to.have.length(1)
  })

  it('ends with a fault at a reorg deeper than it remembers', async () => {
    const { provider, client, head } = await world()
    const faults: Fault[] = []
    const alice = await client(0, { depth: 3, onFault: (fault) => faults.push(fault) })
    const from = await head()
    const snapshot = await provider.send('evm_snapshot', [])
    for (let i = 0; i < 6; i++) await provider.send('evm_mine', [])
    const seen = followed(alice, from)
    await seen.reach(from + 6)
    await provider.send('evm_revert', [snapshot])
    for (let i = 0; i < 8; i++) {
      await provider.send('hardhat_setPrevRandao', [`0x${'11'.repeat(32)}`])
      await provider.send('evm_mine', [])
    }
    while (faults.length === 0) await alice.poll()
    expect(faults[0]!.code).to.equal('ReorgTooDeep')
    expect(faults[0]!.message).to.match(/replaced more than 3 blocks/)
    const count = seen.inputs.length
    await alice.poll()
    expect(seen.inputs).to.have.length(count)
  })

  it('sends many calls at once, each with its own nonce, in the order of asking', async () => {
    const { client, head } = await world('over HTTP')
    const [alice, twin] = [await client(0), await client(0)]
    const from = await head()
    const seen = followed(alice, from + 1)
    const pays = [...Array(20).keys()].map((i) => (i % 2 ? alice : twin).send(pay(alice.sender, BigInt(i))))
    const receipts = await Promise.all(pays)
    await seen.reach(from + 20)
    seen.stop()
    const amounts = seen.blocks.flatMap(({ events }) => events.map(({ amount }) => amount))
    expect(amounts).to.deep.equal([...Array(20).keys()].map(BigInt))
    expect(receipts.map(({ block }) => block)).to.deep.equal([...Array(20).keys()].map((i) => from + 1 + i))
  })

  it('sends a call whose answer got lost only once', async () => {
    const { provider, client, head } = await world('over HTTP')
    const forgetful = altered(provider, async (method, params) => {
      const answer = await provider.send(method, params)
      if (method === 'eth_sendRawTransaction') throw new Error('socket hang up')
      return answer
    })
    const alice = await client(0, { provider: forgetful })
    const had = await head()
    expect((await alice.send(pay(alice.sender, 5n))).block).to.equal(had + 1)
    expect(await head()).to.equal(had + 1)
  })

  it('sends a call again that the node took and lost', async () => {
    const { provider, client, head } = await world('over HTTP')
    let lost = 0
    const careless = altered(provider, async (method, params) => {
      if (method === 'eth_sendRawTransaction' && lost++ === 0) return keccak256(params[0] as Hex)
      return provider.send(method, params)
    })
    const alice = await client(0, { provider: careless })
    const had = await head()
    expect((await alice.send(pay(alice.sender, 5n))).block).to.equal(had + 1)
    expect(lost).to.equal(2)
  })

  it('goes on with the right nonce after a call that was refused and one that the node did not hear of', async () => {
    const { provider, client, head } = await world('over HTTP')
    let deaf = 0
    const broken = altered(provider, async (method, params) => {
      if (method === 'eth_sendRawTransaction' && deaf-- > 0) throw new Error('socket hang up')
      return provider.send(method, params)
    })
    const alice = await client(0, { provider: broken })
    const had = await head()
    expect((await refusalIn(alice.send(draw(1n)))).code).to.equal('Short')
    deaf = 3
    await alice.send(pay(alice.sender, 1n))
    await alice.send(pay(alice.sender, 2n))
    await alice.send(draw(3n))
    expect(await head()).to.equal(had + 3)
  })

  it('names the refusal of a call that was overtaken between its check and its block', async () => {
    const { provider, client } = await world()
    const [alice, rival] = [await client(0), await client(0)]
    await alice.send(pay(alice.sender, 5n))
    await provider.send('evm_setAutomine', [false])
    const both = [alice.send(draw(5n)), rival.send(draw(5n))] as const
    const second = refusalIn(both[1]).catch((why: Error) => why)
    // The pool shows the first, but what is in a pool may never be mined: the second goes as well, and fails in its block.
    while ((await waiting(provider)) < 2) await new Promise((done) => setImmediate(done))
    await provider.send('evm_mine', [])
    await both[0]
    expect(await second).to.have.property('code', 'Short')
  })

  it('names the refusal of a call that was right when it was sent and failed when it was mined', async () => {
    const { provider, client, head } = await world()
    const alice = await client(0)
    const { time } = (await header(provider, await head()))!
    await provider.send('evm_setAutomine', [false])
    await provider.send('evm_setNextBlockTimestamp', [time + 1000])
    const refused = refusalIn(alice.send({ verb: 'draw', amount: 0n, notBefore: time + 1000 }))
    while ((await waiting(provider)) === 0) await new Promise((done) => setImmediate(done))
    await provider.send('evm_setNextBlockTimestamp', [time + 500])
    await provider.send('evm_mine', [])
    const { code, args } = await refused
    expect([code, ...args]).to.deep.equal(['Early', time + 500, time + 1000])
  })

  it('says that the contract failed where it names no error of its own', async () => {
    const { provider, client } = await world()
    const alice = await client(0)
    await provider.send('hardhat_setCode', [alice.sender, '0xfe'])
    await (await client(1)).send(pay(alice.sender, 5n))
    const fault = await faultIn(alice.send(draw(5n)))
    expect([fault.code, fault.message]).to.deep.equal(['CallFailed', 'the contract failed: Panic(1)'])
  })

  it('says who has too little ether', async () => {
    const { client } = await world('over HTTP')
    const poor = await client(0, { signer: new Wallet(`0x${'5e'.repeat(32)}`) })
    const fault = await faultIn(poor.send(pay(poor.sender, 5n)))
    expect(fault.code).to.equal('InsufficientFunds')
    expect(fault.message).to.include(poor.sender)
  })

  it('refuses a chain without the contract, another network, and no chain at all, each in one sentence', async () => {
    const { client } = await world()
    const nothing = await faultIn(
      client(0, { court: `0x${'12'.repeat(20)}`, contract: 'adjudicator', name: 'localhost' }),
    )
    expect(nothing.code).to.equal('NotDeployed')
    expect(nothing.message).to.equal(
      `there is no adjudicator at 0x${'12'.repeat(20)} on localhost; deploy it or check the address`,
    )
    const other = await faultIn(client(0, { chainId: 1n, name: 'localhost' }))
    expect(other.code).to.equal('WrongNetwork')
    expect(other.message).to.equal('localhost is chain 31337 where 1 is needed; connect to a node of chain 1')
    const { provider } = await overHttp()
    await closing.pop()!()
    await closing.pop()!()
    expect((await faultIn(client(0, { provider }))).code).to.equal('ChainUnreachable')
  })

  it('refuses an address where no node answers, at once', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
    const secret = `${url.replace('//', '//me:geheim@')}/v3/geheim?key=geheim`
    const deaf = await faultIn(httpNode(secret))
    server.close()
    await once(server, 'close')
    const closed = await faultIn(httpNode(secret))
    for (const fault of [deaf, closed]) {
      expect(fault.message).to.not.include('geheim')
      expect(fault.code).to.equal('ChainUnreachable')
      expect(fault.message).to.match(/^no chain answers at http:.*; start it or check its address$/)
    }
    expect((await faultIn(httpNode('localhost:8545'))).code).to.equal('BadAddress')
    expect((await faultIn(httpNode('8545'))).code).to.equal('BadAddress')
  })
})
