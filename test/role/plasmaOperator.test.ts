import { expect } from 'chai'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { entries } from '../../src/core/base/HashMap.ts'
import { addressOf, sign } from '../../src/core/base/Signature.ts'
import { Refusal, type Row } from '../../src/core/base/Step.ts'
import { header, txRoot } from '../../src/core/plasma/Block.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import type { OperatorParams } from '../../src/core/plasma/Office.ts'
import { claimOn } from '../../src/core/plasma/Running.ts'
import { depositId, outputId, type Transaction, txHash } from '../../src/core/plasma/Transaction.ts'
import { serveHttp } from '../../src/edge/http/Http.ts'
import { operatorClient } from '../../src/edge/http/OperatorClient.ts'
import { operatorHandler } from '../../src/edge/http/OperatorServer.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import type { Operator } from '../../src/role/Operator.ts'
import { CHAIN, DEPTH, DOMAIN, key, through, World } from './plasmaWorld.ts'

const ID = chainId(CHAIN)
const PAYER = addressOf(key(1))

function deposit(n: number): Extract<PlasmaCall, { verb: 'deposit' }> {
  return { verb: 'deposit', chain: ID, salt: uint(n, 32), owner: PAYER, asset: ETHER, value: 100n }
}

function idOf(n: number): Hex {
  const { chain, salt, owner, asset, value } = deposit(n)
  return depositId({ chain, sender: PAYER, salt, owner, asset, value })
}

/** A payment of deposit n, or of another input, that leaves `fee`. */
function payment(n: number, changes: Partial<Transaction> = {}, fee = 0n): Signed {
  const outputs = [{ owner: PAYER, asset: ETHER, value: 100n - fee, lock: ZERO }]
  const transaction = { chain: ID, inputs: [idOf(n)], outputs, lastBlock: 1000, memo: ZERO, ...changes }
  return { transaction, authorisation: sign(txHash(DOMAIN, transaction), key(1)) }
}

function hashOf(signed: Signed): Hex {
  return txHash(DOMAIN, signed.transaction)
}

/** A world whose chain has `count` deposits that its operator sees. */
async function ready(
  count: number,
  store?: Store,
  params?: Partial<OperatorParams>,
): Promise<{ world: World; operator: Operator }> {
  const world = new World()
  const operator = world.operator(store, params)
  await world.mine(DEPTH + 3)
  const client = world.court.connect(PAYER)
  const sent = Array.from({ length: count }, (_, n) => client.send(deposit(n)))
  await world.mine(DEPTH + 2)
  await Promise.all(sent)
  return { world, operator }
}

/** Every block that L1 has is served, whole, and is what L1 has: the hashes of all their transactions. */
async function expectServed(world: World, operator: Operator): Promise<readonly Hex[]> {
  const hashes: Hex[] = []
  for (const { number, header: committed, asOf } of world.commits) {
    const block = await operator.api.block(number)
    const own = block.transactions.map(hashOf)
    expect([header(txRoot(own)), block.header, block.asOf], `block ${number}`).to.deep.equal([
      committed,
      committed,
      asOf,
    ])
    hashes.push(...own)
  }
  return hashes
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'accepted'
  } catch (why) {
    if (why instanceof Refusal) return why.code
    throw why
  }
}

class Killed extends Error {}

/** A store whose process is killed at its n-th commit: just before it is durable, or just after. */
function mortal(inner: Store, at: number, after: boolean): Store {
  let count = 0
  return {
    ...inner,
    commit(rows: readonly Row[]) {
      const dies = count++ === at
      if (!dies || after) inner.commit(rows)
      if (dies) throw new Killed('killed')
    },
  }
}

describe('Operator', () => {
  it('acknowledges a hundred identical submissions over HTTP alike, and takes one', async () => {
    const { world, operator } = await ready(1)
    const server = await serveHttp(operatorHandler(operator.api))
    const client = operatorClient(server.url)
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.submit(payment(0))))
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).to.equal(1)
    expect(operator.state.ledger.index).to.equal(1)
    expect(await refusal(client.submit(payment(0, { memo: uint(1, 32) })))).to.equal('UnknownInput')
    await server.close()
    world.stop()
  })

  it('answers what became of a transaction, whether its first output is unspent or spent', async () => {
    const { world, operator } = await ready(1)
    const first = await operator.api.submit(payment(0))
    await world.settle(operator)
    expect(await operator.api.submit(payment(0))).to.deep.equal(first)
    const next = payment(0, { inputs: [outputId(first.txHash, 0)] })
    await operator.api.submit(next)
    expect(await operator.api.submit(payment(0))).to.deep.equal(first)
    world.stop()
  })

  it('judges each transaction of a batch on its own', async () => {
    const { world, operator } = await ready(2)
    const results = await through(operator).submitAll([
      payment(0),
      payment(0, { lastBlock: 0 }),
      payment(1),
      payment(7),
    ])
    expect(results.map((result) => ('code' in result ? result.code : result.index))).to.deep.equal([
      0,
      'Expired',
      1,
      'UnknownInput',
    ])
    world.stop()
  })

  it('gives proofs, pages and status that agree with layer 1', async () => {
    const { world, operator } = await ready(1)
    const api = through(operator)
    const { txHash: hash } = await api.submit(payment(0))
    const id = outputId(hash, 0)
    expect(await refusal(api.proof(id)), 'not committed yet').to.equal('UnknownOutput')
    expect(await refusal(api.block(1)), 'not sealed yet').to.equal('UnknownBlock')
    await world.settle(operator)
    const { transaction, position, inclusion } = await api.proof(id)
    const path = [CHAIN]
    const permit = { starter: ETHER, deadline: 0, signature: '0x' as Hex }
    const exit = world.court
      .connect(PAYER)
      .send({ verb: 'startExit', path, transaction, output: position, inclusion, permit })
    await world.mine(DEPTH + 2)
    await exit
    expect((await api.unspent(PAYER)).outputs).to.deep.equal([
      { id, output: payment(0).transaction.outputs[0], number: 1, frozen: true },
    ])
    const { number, committed, chain, operator: owner } = await api.status()
    expect({ number, committed, chain, owner }).to.deep.equal({
      number: 2,
      committed: 1,
      chain: ID,
      owner: CHAIN.operator,
    })
    expect(await refusal(api.submit(payment(0, { inputs: [id] })))).to.equal('FrozenInput')
    world.stop()
  })

  it('takes its fee, closes the block with it, and refuses less', async () => {
    const { world, operator } = await ready(2, undefined, { fees: [{ asset: ETHER, amount: 5n }] })
    expect(await refusal(operator.api.submit(payment(0, {}, 4n)))).to.equal('FeeTooLow')
    await operator.api.submit(payment(0, {}, 5n))
    await operator.api.submit(payment(1, {}, 6n))
    const watcher = world.watcher(through(operator))
    await world.settle(operator)
    const { transactions } = await operator.api.block(1)
    const last = transactions.at(-1)!.transaction
    expect([transactions.length, last.inputs, last.outputs[0]!.owner, last.outputs[0]!.value]).to.deep.equal([
      3,
      [],
      CHAIN.operator,
      11n,
    ])
    expect(watcher.state.follower.ledger.number).to.equal(2)
    expect(
      await refusal(operator.api.submit(payment(0, { inputs: [], outputs: last.outputs, lastBlock: 2 }))),
    ).to.equal('NoInputs')
    expect(world.alarms).to.deep.equal([])
    world.stop()
  })

  it('seals by itself when a block is full, and never more than L1 can take', async () => {
    const { world, operator } = await ready(70, undefined, { maxTransactions: 1 })
    for (let n = 0; n < 64; n++) await operator.api.submit(payment(n))
    expect(await refusal(operator.api.submit(payment(64)))).to.equal('Backlogged')
    expect(world.l1.pending().map((one) => (one.call as PlasmaCall).verb)).to.deep.equal(['commit'])
    await world.mine(64 + DEPTH + 3)
    expect(await expectServed(world, operator)).to.deep.equal(Array.from({ length: 64 }, (_, n) => hashOf(payment(n))))
    expect(await refusal(operator.api.submit(payment(64)))).to.equal('accepted')
    world.stop()
  })

  it('commits the same header again when a reorg took it away, at any depth short of final', async () => {
    for (const [depth, blocks] of [1, 2].flatMap((depth) => [1, 2].map((blocks) => [depth, blocks] as const))) {
      for (const remined of [true, false]) {
        const { world, operator } = await ready(3)
        for (let n = 0; n < blocks; n++) {
          await operator.api.submit(payment(n))
          operator.seal()
          await world.mine(n === 0 ? 1 : depth - 1)
        }
        const { header: first } = await operator.api.block(1)
        world.l1.reorg(depth, remined ? {} : { remine: () => [] })
        await world.mine(DEPTH + 6)
        expect(world.commits.length, `${blocks} blocks, ${depth} deep, ${remined}`).to.equal(blocks)
        for (let n = blocks; n < 3; n++) await operator.api.submit(payment(n))
        await world.settle(operator)
        expect(await expectServed(world, operator)).to.have.members([0, 1, 2].map((n) => hashOf(payment(n))))
        expect((await operator.api.block(1)).header).to.equal(first)
        expect(world.failures).to.deep.equal([])
        world.stop()
      }
    }
  })

  it('builds again what missed its margin, drops what layer 1 has frozen meanwhile, and says so', async () => {
    const { world, operator } = await ready(3)
    world.deaf.add(CHAIN.operator)
    for (let n = 0; n < 3; n++) await operator.api.submit(payment(n))
    operator.seal()
    await world.mine()
    const client = world.court.connect(PAYER)
    const { chain, salt, owner, asset, value } = deposit(1)
    const deposited = { chain, sender: PAYER, salt, owner, asset, value }
    const exit = client.send({
      verb: 'startDepositExit',
      deposited,
      permit: { starter: ETHER, deadline: 0, signature: '0x' },
    })
    await world.mine()
    await exit
    const before = await operator.api.block(1)
    world.deaf.clear()
    await world.pass(4000)
    await world.mine(DEPTH + 3)
    const after = await operator.api.block(1)
    expect(after.asOf).to.be.greaterThan(before.asOf)
    expect(after.transactions.map(hashOf)).to.deep.equal([0, 2].map((n) => hashOf(payment(n))))
    expect(await expectServed(world, operator)).to.have.length(2)
    expect(world.dropped).to.deep.equal([{ kind: 'dropped', txHash: hashOf(payment(1)), code: 'FrozenInput' }])
    expect(claimOn(operator.state.ledger.running, idOf(1), ZERO)).to.equal('exit')
    world.stop()
  })

  it('stops when layer 1 has a header that its store does not know', async () => {
    const { world, operator } = await ready(1)
    const asOf = operator.state.ledger.asOf
    const sent = world.court.connect(CHAIN.operator).send({ verb: 'commit', chain: CHAIN, number: 1, header: ID, asOf })
    await world.mine(DEPTH + 2)
    await sent
    expect(world.failures.map((why) => (why as Refusal).code)).to.deep.equal(['ForeignHeader'])
    world.stop()
  })

  it('restarts into exactly the state that it had', async () => {
    const store = memoryStore()
    const { world, operator } = await ready(4, store)
    for (let n = 0; n < 4; n++) {
      await operator.api.submit(payment(n))
      if (n < 2) await world.settle(operator)
      if (n === 2) operator.seal()
    }
    await world.rest()
    operator.stop()
    const again = world.operator(store)
    const facts = ({ state }: Operator) => ({
      coins: [...entries(state.ledger.coins)],
      asOf: state.ledger.asOf,
      place: [state.ledger.number, state.ledger.index, state.committed],
      sealed: state.sealed.map(({ number, header, asOf }) => ({ number, header, asOf })),
    })
    expect(facts(again)).to.deep.equal(facts(operator))
    await world.mine(DEPTH + 3)
    await world.settle(again)
    expect(await expectServed(world, again)).to.have.length(4)
    world.stop()
  })

  it('sees after a restart all of layer 1 that it saw when it took the transactions', async () => {
    const store = memoryStore()
    const { world, operator } = await ready(1, store)
    await operator.api.submit(payment(0))
    const sent = world.court.connect(PAYER).send(deposit(1))
    await world.mine(DEPTH + 2)
    await sent
    expect(await refusal(operator.api.submit(payment(1))), 'not in this block').to.equal('UnknownInput')
    operator.seal()
    await operator.api.submit(payment(1))
    operator.stop()
    const again = world.operator(store)
    expect(again.state.ledger.index).to.equal(1)
    await world.mine(DEPTH + 3)
    await world.settle(again)
    expect(await expectServed(world, again)).to.deep.equal([0, 1].map((n) => hashOf(payment(n))))
    world.stop()
  })

  it('keeps what it acknowledged and commits what it sealed, killed at any commit of its store', async () => {
    let alive = 0
    for (let at = 0; alive < 2; at++) {
      for (const after of [false, true]) {
        const inner = memoryStore()
        const world = new World()
        const first = world.operator(mortal(inner, at, after))
        const acknowledged = await busy(world, first)
        if (world.failures.length === 0) alive++
        else expect(world.failures[0]).to.be.instanceOf(Killed)
        first.stop()
        world.failures.length = 0
        const second = world.operator(inner)
        await world.mine(DEPTH + 3)
        await world.settle(second)
        await world.settle(second)
        const served = await expectServed(world, second)
        expect(served, `killed ${after ? 'after' : 'before'} commit ${at}`).to.include.members(acknowledged)
        expect(new Set(served).size).to.equal(served.length)
        expect(world.failures).to.deep.equal([])
        world.stop()
      }
    }
  })

  /** Deposits, payments, seals and commitments; returns what was acknowledged. */
  async function busy(world: World, operator: Operator): Promise<readonly Hex[]> {
    const acknowledged: Hex[] = []
    const submit = async (n: number) => {
      await operator.api.submit(payment(n)).then(
        (answer) => acknowledged.push(answer.txHash),
        () => {},
      )
    }
    await world.mine(3)
    const client = world.court.connect(PAYER)
    const sent = [0, 1, 2, 3].map((n) => client.send(deposit(n)).catch(() => {}))
    await world.mine(DEPTH + 2)
    await Promise.all(sent)
    await submit(0)
    operator.seal()
    await submit(1)
    await world.mine(2)
    await submit(2)
    operator.seal()
    await submit(3)
    await world.mine(2)
    return acknowledged
  }
})
