import { expect } from 'chai'
import { ETHER } from '../../src/core/base/Bytes.ts'
import { addressOf } from '../../src/core/base/Signature.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import { OWN_PERMIT } from '../../src/core/plasma/Exit.ts'
import { exitCall } from '../../src/core/plasma/Held.ts'
import { freeOf, heldBy } from '../../src/core/plasma/Purse.ts'
import { potOf } from '../../src/core/plasma/Vaults.ts'
import type { ParentApi } from '../../src/edge/http/OperatorApi.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Operator } from '../../src/role/Operator.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import { PATHS, Tree } from './plasmaTree.ts'
import { DEPTH, ETHER_100, key, MFP, through } from './plasmaWorld.ts'

const ONE = 10n ** 18n

interface Scene {
  readonly tree: Tree
  readonly root: Operator
  readonly child: Operator
  readonly sibling: Operator
  readonly grand: Operator
  readonly line: readonly Operator[]
}

/** A registered tree. */
async function planted(): Promise<Scene> {
  const tree = new Tree()
  const root = tree.run(PATHS.root)
  const child = tree.run(PATHS.child, through(root))
  const sibling = tree.run(PATHS.sibling, through(root))
  const grand = tree.run(PATHS.grand, through(child))
  const line = [root, sibling, child, grand]
  for (let i = 0; i < 3; i++) await tree.mine(DEPTH + 2)
  return { tree, root, child, sibling, grand, line }
}

/** Wallets with a deposit of one ether each. */
async function funded(tree: Tree, wallets: readonly Wallet[]): Promise<void> {
  await tree.mine()
  const sent = wallets.map((wallet) => wallet.deposit(ETHER, ONE))
  await tree.mine(DEPTH + 3)
  await Promise.all(sent)
}

function balances(...wallets: readonly Wallet[]): readonly bigint[] {
  return wallets.map((wallet) => wallet.balance(ETHER))
}

async function leaveAndBePaid(tree: Tree, wallet: Wallet, value: bigint): Promise<void> {
  const [coin] = heldBy(wallet.state).filter(({ output }) => output.value === value)
  const before = tree.l1.money.balance(ETHER, wallet.owner)
  const left = wallet.leave(coin!.id)
  await tree.mine(DEPTH + 2)
  await left
  const bond = before - tree.l1.money.balance(ETHER, wallet.owner)
  await tree.pass(2 * MFP)
  const paid = wallet.process(ETHER, tree.l1.head().time)
  await tree.mine(DEPTH + 2)
  await paid
  expect(tree.l1.money.balance(ETHER, wallet.owner) - before + bond).to.equal(value + bond)
}

describe('A tree of chains, told over a simulated layer 1', () => {
  it('anchors payments on four chains by one commitment, and everybody believes their own', async () => {
    const { tree, root, child, sibling, grand, line } = await planted()
    const places = [
      [root, PATHS.root],
      [child, PATHS.child],
      [sibling, PATHS.sibling],
      [grand, PATHS.grand],
    ] as const
    const pairs = places.map(([operator, path], i) => {
      const api = through(operator)
      return [tree.user(2 * i, path, api), tree.user(2 * i + 1, path, api)] as const
    })
    const watchers = places.map(([operator, path]) => tree.guard(path, through(operator)))
    await funded(
      tree,
      pairs.map(([payer]) => payer),
    )
    for (let round = 1n; round <= 3n; round++) {
      await Promise.all(pairs.map(([payer, payee]) => payer.pay(ETHER, [{ owner: payee.owner, value: 7n }])))
      await tree.turn(...line)
      for (const [payer, payee] of pairs) expect(balances(payer, payee)).to.deep.equal([ONE - 7n * round, 7n * round])
    }
    expect(tree.commits.length, 'one commitment a block for all').to.equal(3)
    for (const [, path] of places) expect(potOf(tree.court.state(), chainId(path.at(-1)!), ETHER)).to.equal(ONE)
    for (const watcher of watchers) expect(watcher.state.follower.ledger.number).to.equal(4)
    expect([tree.alarms, tree.failures, tree.dropped]).to.deep.equal([[], [], []])
    tree.stop()
  })

  it('lets users of a child and of a grandchild leave with what they were paid, though every operator is gone', async () => {
    const { tree, child, grand, line } = await planted()
    const people = [PATHS.child, PATHS.grand].map((path, i) => {
      const api = through(i === 0 ? child : grand)
      return [tree.user(2 * i, path, api), tree.user(2 * i + 1, path, api)] as const
    })
    await funded(
      tree,
      people.map(([payer]) => payer),
    )
    await Promise.all(
      people.map(([payer, payee], i) => payer.pay(ETHER, [{ owner: payee.owner, value: 5n + BigInt(i) }])),
    )
    await tree.turn(...line)
    for (const operator of tree.operators) operator.stop()
    for (const [i, [, payee]] of people.entries()) await leaveAndBePaid(tree, payee, 5n + BigInt(i))
    expect(tree.failures).to.deep.equal([])
    tree.stop()
  })

  it('challenges with a composed proof whoever leaves with what it has spent, at both depths', async () => {
    for (const path of [PATHS.child, PATHS.grand]) {
      const { tree, child, grand, line } = await planted()
      const operator = path.length === 2 ? child : grand
      const [payer, payee] = [1, 2].map((n) => tree.user(n, path, through(operator))) as [Wallet, Wallet]
      const watcher = tree.guard(path, through(operator))
      await funded(tree, [payer])
      await payer.pay(ETHER, [{ owner: payer.owner, value: ONE }])
      await tree.turn(...line)
      const [spent] = freeOf(payer.state, ETHER)
      await payer.pay(ETHER, [{ owner: payee.owner, value: ONE }])
      await tree.turn(...line)
      const theft = tree.court.connect(payer.owner).send(exitCall(path, spent!.proof, OWN_PERMIT))
      await tree.mine(2 * DEPTH + 3)
      await theft
      expect(tree.calls.filter(({ verb }) => verb === 'challengeExit')).to.have.length(1)
      expect(watcher.state.running.exits.size).to.equal(0)
      expect(tree.alarms.map(({ name }) => name)).to.deep.equal(['InvalidExit'])
      tree.stop()
    }
  })

  it('saves a payment in flight on a grandchild, whoever is gone', async () => {
    const { tree, grand, line } = await planted()
    const [payer, payee] = [1, 2].map((n) => tree.user(n, PATHS.grand, through(grand))) as [Wallet, Wallet]
    await funded(tree, [payer])
    await payer.pay(ETHER, [{ owner: payer.owner, value: ONE }])
    await tree.turn(...line)
    const { txHash } = await payer.pay(ETHER, [{ owner: payee.owner, value: ONE }])
    for (const operator of tree.operators) operator.stop()
    const flown = payer.fly(txHash)
    await tree.mine(DEPTH + 3)
    await flown
    const joined = payee.piggyback(txHash)
    await tree.mine(DEPTH + 3)
    await joined
    await tree.pass(2 * MFP)
    const before = tree.l1.money.balance(ETHER, payee.owner)
    const paid = payee.process(ETHER, tree.l1.head().time)
    await tree.mine(DEPTH + 2)
    await paid
    expect(tree.l1.money.balance(ETHER, payee.owner) - before >= ONE).to.equal(true)
    tree.stop()
  })

  it('ignores what was committed before the chain was registered, and reads on from there', async () => {
    const tree = new Tree()
    const root = tree.run(PATHS.root)
    const early = tree.user(1, PATHS.root, through(root))
    await tree.mine(DEPTH + 3)
    await funded(tree, [early])
    for (let i = 0; i < 2; i++) {
      await early.pay(ETHER, [{ owner: early.owner, value: ONE }])
      await tree.turn(root)
    }
    const child = tree.run(PATHS.child, through(root))
    await tree.mine(2 * DEPTH + 2)
    const [payer, payee] = [2, 3].map((n) => tree.user(n, PATHS.child, through(child))) as [Wallet, Wallet]
    await funded(tree, [payer])
    await payer.pay(ETHER, [{ owner: payee.owner, value: ONE }])
    await tree.turn(root, child)
    expect([child.state.since, child.state.committed, tree.commits.length]).to.deep.equal([2, 3, 3])
    await leaveAndBePaid(tree, payee, ONE)
    expect(tree.failures).to.deep.equal([])
    tree.stop()
  })

  it('goes on after a restart of everybody, from what their stores hold', async () => {
    const tree = new Tree()
    const stores = Array.from({ length: 6 }, () => memoryStore())
    const start = () => {
      const root = tree.run(PATHS.root, undefined, stores[0])
      const child = tree.run(PATHS.child, through(root), stores[1])
      const grand = tree.run(PATHS.grand, through(child), stores[2])
      const [payer, payee] = [1, 2].map((n) => tree.user(n, PATHS.grand, through(grand), stores[2 + n])) as [
        Wallet,
        Wallet,
      ]
      const above = tree.user(3, PATHS.root, through(root), stores[5])
      return { line: [root, child, grand], payer, payee, above }
    }
    let now = start()
    for (let i = 0; i < 3; i++) await tree.mine(DEPTH + 2)
    await funded(tree, [now.payer, now.above])
    for (let round = 1; round <= 4; round++) {
      // Round two leaves the payment of the grandchild out: that number is passed, and round three has it.
      if (round !== 3) await now.payer.pay(ETHER, [{ owner: now.payee.owner, value: 3n }])
      await now.above.pay(ETHER, [{ owner: now.above.owner, value: ONE }])
      await (round === 2 ? tree.turn(now.line[0]!) : tree.turn(...now.line))
      expect(tree.commits).to.have.length(round)
      tree.stop()
      now = start()
      await tree.mine(DEPTH + 3)
    }
    expect(balances(now.payer, now.payee)).to.deep.equal([ONE - 9n, 9n])
    const known = now.line[2]!.state
    expect([known.sealed.length, known.unopened.length, known.later.length]).to.deep.equal([0, 0, 0])
    expect(tree.failures).to.deep.equal([])
    await leaveAndBePaid(tree, now.payee, 3n)
    tree.stop()
  })

  it('opens a tender again for a child that signed for it and was late, rather than let it halt', async () => {
    const tree = new Tree()
    const root = tree.run(PATHS.root)
    let held = true
    const api = through(root)
    const late: ParentApi = {
      ...api,
      offer: (slot, offer) => (held ? Promise.reject(new Error('lost')) : api.offer(slot, offer)),
    }
    const child = tree.run(PATHS.child, late)
    await tree.mine(2 * DEPTH + 2)
    const [payer, payee] = [1, 2].map((n) => tree.user(n, PATHS.child, through(child))) as [Wallet, Wallet]
    await funded(tree, [payer])
    await payer.pay(ETHER, [{ owner: payee.owner, value: ONE }])
    await tree.tick(child, root, child, root)
    await tree.mine(2)
    expect([tree.commits.length, child.state.sealed.length, root.state.tender]).to.deep.equal([0, 1, undefined])
    // What came to the root meanwhile is not lost: it sees of layer 1 what it saw before the tender was opened again.
    const above = tree.user(3, PATHS.root, api)
    await funded(tree, [above])
    held = false
    await tree.tick(child)
    await tree.mine(DEPTH + 4)
    expect([tree.commits.length, payee.balance(ETHER), above.balance(ETHER)]).to.deep.equal([1, ONE, ONE])
    await above.pay(ETHER, [{ owner: above.owner, value: ONE }])
    await tree.turn(root, child)
    expect([above.balance(ETHER), tree.failures, tree.dropped]).to.deep.equal([ONE, [], []])
    tree.stop()
  })

  it('pays nothing of one chain from the pot of another', async () => {
    const { tree, child, grand, line } = await planted()
    const [parent, deep] = [tree.user(1, PATHS.child, through(child)), tree.user(2, PATHS.grand, through(grand))]
    await funded(tree, [parent, deep])
    await deep.pay(ETHER, [{ owner: deep.owner, value: ONE }])
    await tree.turn(...line)
    await leaveAndBePaid(tree, deep, ONE)
    const pots = [PATHS.child, PATHS.grand].map((path) => potOf(tree.court.state(), chainId(path.at(-1)!), ETHER))
    expect(pots).to.deep.equal([ONE, 0n])
    expect(tree.l1.money.balance(ETHER, addressOf(key(1))) < ETHER_100).to.equal(true)
    tree.stop()
  })
})
