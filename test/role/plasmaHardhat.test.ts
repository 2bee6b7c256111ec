import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { network } from 'hardhat'
import { ETHER, ZERO } from '../../src/core/base/Bytes.ts'
import type { Alarm } from '../../src/core/plasma/Alarm.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import { OWN_PERMIT } from '../../src/core/plasma/Exit.ts'
import { exitCall, type Held } from '../../src/core/plasma/Held.ts'
import { freeOf, heldBy } from '../../src/core/plasma/Purse.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { plasmaChain } from '../../src/edge/chain/PlasmaChain.ts'
import { serveHttp } from '../../src/edge/http/Http.ts'
import { operatorClient } from '../../src/edge/http/OperatorClient.ts'
import { operatorHandler } from '../../src/edge/http/OperatorServer.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'
import { Operator } from '../../src/role/Operator.ts'
import { Wallet } from '../../src/role/Wallet.ts'
import { Watcher } from '../../src/role/Watcher.ts'
import { deployRootChain, MFP, until } from './plasmaReal.ts'

const _GWEI = 10n ** 9n
const ONE = 10n ** 18n

const open: (() => unknown)[] = []

describe('Plasma on the real contract, over HTTP and SQLite', () => {
  // Whatever happens, nothing goes on.
  after(async () => {
    for (const close of open.reverse()) await close()
  })

  it('deposits, pays, leaves, catches a thief, pays out in order, to the wei', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kerros-plasma-'))
    open.push(() => rmSync(folder, { recursive: true }))
    const { ethers } = await network.create()
    const provider = ethers.provider as unknown as Node
    const signers = await ethers.getSigners()
    const { contract, court } = await deployRootChain(signers[4]!)
    const connect = (n: number) => plasmaChain({ provider, signer: signers[n]!, court, interval: 5 })
    const [l1, l1Alice, l1Bob, l1Watcher] = [await connect(0), await connect(1), await connect(2), await connect(3)]
    const chain = { parent: ZERO, slot: 0, operator: localAccount(0).address }
    const failures: unknown[] = []
    const onFailure = (why: unknown) => failures.push(why)
    const stores = ['operator', 'alice', 'bob', 'watcher'].map((name) => openStore(join(folder, `${name}.db`), name))
    open.push(() => stores.forEach((store) => void store.close()))
    const [forOperator, forAlice, forBob, forWatcher] = stores

    const params = { path: [chain], depth: 0, margin: 3600, fees: [], maxTransactions: 1000 }
    const operator = new Operator({ l1, store: forOperator!, params, from: 0, interval: 20, onFailure })
    const server = await serveHttp(operatorHandler(operator.api))
    open.push(
      () => server.close(),
      () => operator.stop(),
    )
    const api = operatorClient(server.url)
    const following = { operator: api, from: 0, interval: 20, onFailure }
    const times = { depth: 0, patience: 3600 }
    const wallet = (n: number, l1: typeof l1Alice, store: (typeof stores)[number]) =>
      new Wallet({ ...following, l1, store, params: { path: [chain], key: localAccount(n).key, life: 50, ...times } })
    const [alice, bob] = [wallet(1, l1Alice, forAlice!), wallet(2, l1Bob, forBob!)]
    const alarms: string[] = []
    const onAlarm = ({ name }: Alarm) => alarms.push(name)
    const watcher = new Watcher({
      ...following,
      ...times,
      l1: l1Watcher,
      store: forWatcher!,
      path: [chain],
      warning: 3600,
      onAlarm,
    })

    open.push(() => [alice, bob, watcher].forEach((one) => void one.stop()))

    await until('registered', () => operator.state.registered)
    for (const one of [alice, bob]) {
      await until('synced', async () => one.state.follower.goal !== undefined)
      await one.deposit(ETHER, ONE)
    }
    await until('deposited', () => alice.balance(ETHER) === ONE && bob.balance(ETHER) === ONE)
    for (let round = 1n; round <= 5n; round++) {
      await until('alice may pay', () => alice.balance(ETHER) === ONE - 7n * (round - 1n))
      await until('alice is synced', () => alice.state.follower.commits.length === 0)
      await alice.pay(ETHER, [{ owner: bob.owner, value: 7n }])
      await until('bob has it', () => bob.balance(ETHER) === ONE + 7n * round)
    }
    await until('alice has her change', () => alice.balance(ETHER) === ONE - 35n)

    // Bob leaves with what he was paid; Alice pays all that she has, then wants it back on layer 1.
    const small = heldBy(bob.state).filter((one) => one.output.value === 7n)
    for (const one of small) await bob.leave(one.id)
    const [hers] = freeOf(alice.state, ETHER)
    await alice.pay(ETHER, [{ owner: bob.owner, value: ONE - 35n }])
    await until('bob has all', () => bob.balance(ETHER) === 2n * ONE - 35n)
    await l1Alice.send(exitCall([chain], hers!.proof, OWN_PERMIT))
    await until('the watcher saw it', async () => {
      const { head, goal } = { head: await l1.head(), goal: watcher.state.follower.view.next - 1 }
      return head === goal && watcher.state.running.exits.size === 5
    })
    await provider.send('evm_increaseTime', [2 * MFP])
    await provider.send('evm_mine', [])
    await until('bob sees that', async () => bob.state.follower.view.next > (await l1.head()))
    const before = await ethers.provider.getBalance(court)
    // With less gas the court pays fewer, so it may take more than one transaction.
    for (let left = 5; left > 0; ) {
      await bob.process(ETHER, bob.state.follower.view.time)
      const leaving = () => heldBy(bob.state).filter((one) => one.use === 'leaving').length
      await until('somebody is paid', () => leaving() < left)
      left = leaving()
    }
    const [challenged] = await contract.queryFilter(contract.filters.ExitChallenged())
    expect(challenged?.args.challenger.toLowerCase()).to.equal(localAccount(3).address)
    const paid = await contract.queryFilter(contract.filters.ExitPaid())
    // They left in the order of their age, in whatever order they started.
    const age = ({ proof }: Held) => (proof.kind === 'output' ? proof.inclusion.number : 0)
    const byAge = small.toSorted((a, b) => age(a) - age(b))
    expect(paid.map((event) => event.args.ids)).to.deep.equal(byAge.map((one) => one.id))
    const bonds = (await contract.queryFilter(contract.filters.ExitStarted())).slice(0, 5)
    const returned = bonds.reduce((sum, event) => sum + event.args.exit.bond, 0n)
    expect(before - (await ethers.provider.getBalance(court))).to.equal(35n + returned)
    expect(heldBy(bob.state).reduce((sum, one) => sum + one.output.value, 0n)).to.equal(2n * ONE - 35n)
    expect(operator.state.ledger.chain).to.equal(chainId(chain))
    expect([alarms, failures]).to.deep.equal([['InvalidExit'], []])
  })
})
