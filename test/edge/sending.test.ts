import { expect } from 'chai'
import { keccak256, Transaction, Wallet } from 'ethers'
import { network } from 'hardhat'
import type { Hex } from '../../src/core/base/Bytes.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { type Node, quantity } from '../../src/edge/chain/Node.ts'
import { type RpcChain, type RpcOptions, rpcChain } from '../../src/edge/chain/Rpc.ts'
import type { Fault } from '../../src/edge/Fault.ts'
import { Till__factory } from '../../typechain-types/index.ts'
import { followed, refusalIn } from './chain.ts'
import { faultIn } from './plain.ts'
import { callValue, type TillCall, type TillEvent } from './till.ts'

const abi = Till__factory.createInterface()
const GWEI = 10n ** 9n
const { address: ALICE, key: ALICES } = localAccount(0)

type Options = Partial<RpcOptions<TillCall>>
type Send = (method: string, params: unknown[]) => Promise<unknown>

/** A chain that mines when it is told to, with a till; what a client sends is signed by a key of ours. */
async function world() {
  const { ethers } = await network.create()
  const provider = ethers.provider as unknown as Node
  const till = await new Till__factory(new Wallet(localAccount(9).key, ethers.provider)).deploy()
  const court = (await till.getAddress()).toLowerCase() as Hex
  await provider.send('evm_setAutomine', [false])
  const faults: Fault[] = []
  const client = (options: Options = {}): Promise<RpcChain<TillCall, TillEvent>> => {
    // Each client has a node object of its own, as processes of their own have.
    const own = altered(options.provider ?? provider, (options.provider ?? provider).send.bind(provider))
    const parts = { signer: new Wallet(ALICES, provider), court, abi, callValue, interval: 1, retry: 1 }
    return rpcChain({ ...parts, onFault: (fault) => faults.push(fault), ...options, provider: options.provider ?? own })
  }
  const pool = async () => (await provider.send('eth_pendingTransactions', [])) as readonly Pooled[]
  const nonce = async () => Number(await provider.send('eth_getTransactionCount', [ALICE, 'latest']))
  const mine = async (base = 1n * GWEI) => {
    await provider.send('hardhat_setNextBlockBaseFeePerGas', [quantity(base)])
    await provider.send('evm_mine', [])
  }
  return { provider, client, pool, nonce, mine, faults }
}

interface Pooled {
  readonly hash: Hex
  readonly nonce: Hex
  readonly input: Hex
  readonly maxFeePerGas: Hex
  readonly maxPriorityFeePerGas: Hex
}

/** The node with some of its answers changed. */
function altered(node: Node, send: Send): Node {
  return new Proxy(node, { get: (target, name) => (name === 'send' ? send : Reflect.get(target, name, target)) })
}

const pay = (amount: bigint): TillCall => ({ verb: 'pay', owner: ALICE, notes: [], amount })
const draw = (amount: bigint): TillCall => ({ verb: 'draw', amount, notBefore: 0 })

/** Mines a block after another until a promise is settled. */
async function mined<T>(promise: Promise<T>, mine: () => Promise<void>): Promise<T> {
  let settled = false
  const settle = () => {
    settled = true
  }
  promise.then(settle, settle)
  while (!settled) {
    await mine()
    await new Promise((done) => setImmediate(done))
  }
  return promise
}

/** Resolves once something holds; what makes it hold is on its way. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((done) => setImmediate(done))
}

describe('edge/chain sends', () => {
  it('through a base fee that rises fifty times while the call has a deadline', async () => {
    const { provider, client, pool, mine } = await world()
    const alice = await client()
    const head = (await provider.send('eth_getBlockByNumber', ['latest', false])) as { timestamp: Hex }
    const sent = alice.send(pay(5n), Number(head.timestamp) + 3600)
    await until(async () => (await pool()).length === 1)
    const [first] = await pool()
    const { hash } = await mined(sent, () => mine(50n * GWEI))
    const second = (await provider.send('eth_getTransactionByHash', [hash])) as Pooled
    expect(second.nonce).to.equal(first!.nonce)
    expect(BigInt(first!.maxFeePerGas) < 50n * GWEI).to.equal(true)
    expect(8n * BigInt(second.maxPriorityFeePerGas) >= 9n * BigInt(first!.maxPriorityFeePerGas)).to.equal(true)
    expect(await pool()).to.deep.equal([])
  })

  it('replaces what waits for too many blocks, though its fee is enough', async () => {
    const { provider, client, pool, mine } = await world()
    let first: Hex | undefined
    // The first version is taken and shown, and nobody ever mines it.
    const deaf = altered(provider, async (method, params) => {
      if (method === 'eth_sendRawTransaction' && first === undefined) {
        first = params[0] as Hex
        return keccak256(first)
      }
      if (method === 'eth_getTransactionByHash' && params[0] === keccak256(first!)) return {}
      return provider.send(method, params)
    })
    const alice = await client({ provider: deaf, gas: { bumpAfterBlocks: 2 } })
    const told: Hex[] = []
    const sent = alice.send(pay(5n), undefined, (hash) => told.push(hash))
    await until(() => first !== undefined)
    await mine()
    expect(await pool()).to.deep.equal([])
    await mine()
    await until(async () => (await pool()).length === 1)
    const [second] = (await pool()) as [Pooled]
    const old = Transaction.from(first!)
    expect(Number(second.nonce)).to.equal(old.nonce)
    expect(8n * BigInt(second.maxFeePerGas) >= 9n * old.maxFeePerGas!).to.equal(true)
    expect(8n * BigInt(second.maxPriorityFeePerGas) >= 9n * old.maxPriorityFeePerGas!).to.equal(true)
    await mine()
    expect((await sent).hash).to.equal(second.hash)
    expect(told).to.deep.equal([keccak256(first!), second.hash])
  })

  it('waits with what can wait while gas is dearer than its cap, and says so once; what is urgent goes', async () => {
    const { client, pool, mine, faults, provider } = await world()
    const alice = await client({ gas: { maxFeePerGas: 10n * GWEI, urgentFeePerGas: 100n * GWEI } })
    await mine(40n * GWEI)
    const calm = alice.send(pay(1n))
    await until(() => faults.length > 0)
    expect(faults.map(({ code }) => code)).to.deep.equal(['GasTooDear'])
    const { timestamp } = (await provider.send('eth_getBlockByNumber', ['latest', false])) as { timestamp: Hex }
    const urgent = alice.send(pay(2n), Number(timestamp) + 60)
    await until(async () => (await pool()).length === 1)
    await mine(40n * GWEI)
    await urgent
    await mine()
    await until(async () => (await pool()).length === 1)
    await mine()
    expect((await calm).block).to.equal((await urgent).block + 2)
    expect(faults).to.have.length(1)
  })

  it('lets what is urgent pay for the calm call that stands before it', async () => {
    const { client, pool, mine, provider } = await world()
    const alice = await client({ gas: { maxFeePerGas: 3n * GWEI, urgentFeePerGas: 100n * GWEI } })
    const calm = alice.send(pay(1n))
    await until(async () => (await pool()).length === 1)
    const { timestamp } = (await provider.send('eth_getBlockByNumber', ['latest', false])) as { timestamp: Hex }
    const urgent = alice.send(pay(2n), Number(timestamp) + 60)
    await until(async () => (await pool()).length === 2)
    const { block } = await mined(urgent, () => mine(40n * GWEI))
    expect((await calm).block).to.be.at.most(block)
  })

  it('sends again what the pool dropped, and fills the gap that this left', async () => {
    const { provider, client, pool, mine, nonce } = await world()
    const alice = await client()
    const had = await nonce()
    const all = [1n, 2n, 3n].map((amount) => alice.send(pay(amount)))
    await until(async () => (await pool()).length === 3)
    const second = (await pool()).find((one) => Number(one.nonce) === had + 1)!
    await provider.send('hardhat_dropTransaction', [second.hash])
    await mine()
    expect(await nonce()).to.equal(had + 1)
    await until(async () => (await pool()).some(({ hash }) => hash === second.hash))
    await mine()
    const receipts = await Promise.all(all)
    expect(receipts[1]!.hash).to.equal(second.hash)
    expect(await nonce()).to.equal(had + 3)
  })

  for (const [what, isCounted] of [
    ['counts', true],
    ['does not count', false],
  ] as const) {
    it(`uses up the nonce of a stuck transaction of an earlier life of the process, which the node ${what}`, async () => {
      const { provider, client, pool, mine, nonce } = await world()
      const had = await nonce()
      const fees = { maxFeePerGas: 2n * GWEI, maxPriorityFeePerGas: GWEI, gasLimit: 21_000 }
      await new Wallet(ALICES, provider).sendTransaction({ to: ALICE, nonce: had, ...fees })
      await mine(30n * GWEI)
      const counting = altered(provider, async (method, params) => {
        const isAsked = method === 'eth_getTransactionCount' && params[1] === 'pending' && isCounted
        return isAsked ? quantity(had + 1) : provider.send(method, params)
      })
      const alice = await client({ provider: counting })
      const sent = alice.send(pay(5n))
      await until(async () => (await pool()).length === 2)
      await until(async () => {
        await mine(30n * GWEI)
        return (await nonce()) === had + 2
      })
      await sent
    })
  }

  it('sends with the next nonce what lost its own to somebody else with the same key', async () => {
    const { provider, client, pool, mine, nonce } = await world()
    const alice = await client()
    const had = await nonce()
    const sent = alice.send(pay(5n))
    await until(async () => (await pool()).length === 1)
    const fees = { maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: 10n * GWEI }
    const other = new Wallet(ALICES, provider)
    await other.sendTransaction({ to: ALICE, nonce: had, gasLimit: 21_000, ...fees })
    await mine()
    await until(async () => (await pool()).length === 1)
    await mine()
    await sent
    expect(await nonce()).to.equal(had + 2)
    expect(BigInt((await provider.send('eth_getBalance', [alice.court, 'latest'])) as Hex)).to.equal(5n)
  })

  for (const depth of [1, 2, 5, 12]) {
    it(`sends again what a reorg of ${depth} blocks took back, as often as it does`, async () => {
      const { provider, client, pool, mine, nonce } = await world()
      const alice = await client()
      const [from, had] = [await alice.head(), await nonce()]
      const seen = followed(alice, from)
      let snapshot = await provider.send('evm_snapshot', [])
      const sent = alice.send(pay(5n))
      await until(async () => (await pool()).length === 1)
      for (let i = 0; i < depth; i++) await mine()
      await seen.reach(from + depth)
      const { hash } = await sent
      for (let round = 1; round <= 2; round++) {
        await provider.send('evm_revert', [snapshot])
        snapshot = await provider.send('evm_snapshot', [])
        await provider.send('hardhat_dropTransaction', [hash]).catch(() => undefined)
        await provider.send('hardhat_setPrevRandao', [`0x${String(round).padStart(64, '0')}`])
        expect(await nonce()).to.equal(had)
        for (let i = 0; i < depth; i++) await mine()
        await until(async () => {
          await mine()
          return (await nonce()) === had + 1
        })
      }
      const { hash: last } = (await provider.send('eth_getBlockByNumber', ['latest', false])) as { hash: Hex }
      await until(() => seen.blocks.at(-1)?.hash === last)
      seen.stop()
      expect(seen.blocks.flatMap(({ events }) => events).map(({ amount }) => amount)).to.deep.equal([5n])
    })
  }

  it('says what the account had and needed, and what to do', async () => {
    const { client, provider } = await world()
    const alice = await client()
    await provider.send('hardhat_setBalance', [ALICE, quantity(10n ** 12n)])
    const fault = await faultIn(alice.send(pay(5n)))
    expect(fault.code).to.equal('InsufficientFunds')
    expect(fault.message).to.match(
      new RegExp(`^${ALICE} has 1000000000000 wei and needs \\d+ for this call, .*send it ether first$`),
    )
  })

  it('tells once that a replacement cannot be paid, and goes on when it can', async () => {
    const { client, provider, pool, mine, faults } = await world()
    const alice = await client()
    const sent = alice.send(pay(5n))
    await until(async () => (await pool()).length === 1)
    await provider.send('hardhat_setBalance', [ALICE, quantity(10n ** 15n)])
    for (let i = 0; i < 3; i++) await mine(150n * GWEI)
    await until(() => faults.length > 0)
    expect(faults.map(({ code }) => code)).to.deep.equal(['InsufficientFunds'])
    await provider.send('hardhat_setBalance', [ALICE, quantity(10n ** 18n)])
    await mined(sent, () => mine(150n * GWEI))
    expect(faults).to.have.length(1)
  })

  it('loses nothing over outages: each call is mined exactly once, whatever the node says or does not say', async () => {
    const { provider, client, nonce, mine } = await world()
    const words = [
      'already known',
      'nonce too low: next nonce 9, tx nonce 1',
      'transaction underpriced',
      'txpool is full',
      'internal error',
    ]
    let luck = 7
    const roll = (below: number) => {
      luck = (Math.imul(luck, 1_103_515_245) + 12_345) & 0x7fffffff
      return (luck >> 8) % below
    }
    const node = altered(provider, async (method, params) => {
      if (method === 'eth_sendRawTransaction') {
        // Taken or not: the answer says nothing about it.
        if (roll(2) === 0) await provider.send(method, params).catch(() => undefined)
        const word = words[roll(2 * words.length)]
        throw word ? Object.assign(new Error(word), { code: -32000 }) : new Error('503 service unavailable')
      }
      if (method !== 'eth_chainId' && method !== 'eth_getCode' && roll(5) === 0) throw new Error('connection reset')
      return provider.send(method, params)
    })
    const had = await nonce()
    const alice = await client({ provider: node })
    const asked = [...Array(8).keys()].map(async (i) => {
      for (;;) {
        // What an outage stopped before it was signed was not sent.
        const outcome = await alice.send(pay(BigInt(i + 1))).catch((why: Fault) => why.code)
        if (outcome !== 'ChainUnreachable') return outcome
      }
    })
    const all = await mined(Promise.all(asked), mine)
    expect(all.every((one) => typeof one === 'object')).to.equal(true)
    expect(await nonce()).to.equal(had + 8)
    expect(BigInt((await provider.send('eth_getBalance', [alice.court, 'latest'])) as Hex)).to.equal(36n)
  })

  it('does not trust a pool: a call that only waits there does not stop the same call', async () => {
    const { client, pool, mine, provider } = await world()
    const alice = await client()
    const first = alice.send(pay(5n))
    await until(async () => (await pool()).length === 1)
    await mine()
    await first
    // Somebody draws it first, at a price at which nobody mines it.
    await provider.send('eth_sendRawTransaction', [
      await new Wallet(ALICES, provider).signTransaction({
        ...{ chainId: 31337, type: 2, to: alice.court, nonce: 1, gasLimit: 100_000 },
        ...{ maxFeePerGas: 3n * GWEI, maxPriorityFeePerGas: GWEI },
        data: abi.encodeFunctionData('draw', [5n, 0]),
      }),
    ])
    const again = await client()
    const drawn = refusalIn(again.send(draw(5n)))
    await until(async () => (await pool()).length === 2)
    await mine()
    expect((await drawn).code).to.equal('Short')
  })
})
