import { expect } from 'chai'
import { concat, ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import { OWN_PERMIT } from '../../src/core/plasma/Exit.ts'
import { exitCall } from '../../src/core/plasma/Held.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { freeOf, heldBy } from '../../src/core/plasma/Purse.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import type { Operator } from '../../src/role/Operator.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import { CHAIN, DEPTH, ETHER_100, MFP, through, World } from './plasmaWorld.ts'

const SECRET: Hex = uint(0x5ec2e7, 32)
const HASH = hashLock(SECRET)
const HOUR = 3600

interface Scene {
  readonly world: World
  readonly operator: Operator
  readonly alice: Wallet
  readonly bob: Wallet
}

/** Alice has 100 on the chain, bob nothing. */
async function scene(store?: Store): Promise<Scene> {
  const world = new World()
  const operator = world.operator()
  await world.mine(DEPTH + 3)
  const [alice, bob] = [world.wallet(1, through(operator)), world.wallet(2, through(operator), store)]
  world.watcher(through(operator))
  await world.rest()
  const sent = alice.deposit(ETHER, 100n)
  await world.mine(DEPTH + 3)
  await sent
  return { world, operator, alice, bob }
}

/** Alice pays bob 60 under terms that end in `seconds`, and tells him; both see it in a block. */
async function locking({ world, operator, alice, bob }: Scene, seconds: number) {
  const expiry = world.l1.head().time + seconds
  const { terms } = await alice.lock(ETHER, { owner: bob.owner, value: 60n }, { hash: HASH, expiry })
  await world.settle(operator)
  await bob.learn(terms)
  return terms
}

/** Does something on layer 1 and lets everybody believe it. */
async function onL1<T>(world: World, run: () => Promise<T>): Promise<T> {
  const doing = run()
  await world.mine(DEPTH + 2)
  return doing
}

async function refusal(run: () => Promise<unknown>): Promise<string> {
  try {
    await run()
    return 'accepted'
  } catch (why) {
    if (why instanceof Refusal) return why.message
    throw why
  }
}

const gained = (world: World, wallet: Wallet) => world.l1.money.balance(ETHER, wallet.owner) - ETHER_100

/** Lets exits mature and be paid. */
async function processAll({ world, bob }: Scene): Promise<void> {
  await world.pass(2 * MFP)
  await onL1(world, () => bob.process(ETHER, world.l1.head().time))
}

describe('Wallet of locked outputs', () => {
  it('pays under terms, spends what its own reveal decided, and makes it plain if asked', async () => {
    const on = await scene()
    const { world, operator, alice, bob } = on
    await locking(on, 10 * HOUR)
    expect([bob.balance(ETHER), bob.balances(ETHER).locked, alice.balances(ETHER).locked]).to.deep.equal([0n, 60n, 60n])
    const [held] = heldBy(bob.state)
    expect(await refusal(() => bob.claim(held!.id))).to.match(/^Undecided/)
    await onL1(world, () => bob.reveal([SECRET]))
    expect([bob.balance(ETHER), alice.balances(ETHER).locked]).to.deep.equal([60n, 0n])
    await bob.pay(ETHER, [{ owner: alice.owner, value: 10n }])
    await world.settle(operator)
    expect([bob.balance(ETHER), alice.balance(ETHER)]).to.deep.equal([50n, 50n])
    expect([world.failures, world.alarms]).to.deep.equal([[], []])
    world.stop()
  })

  it('claims as one plain output what is decided for it', async () => {
    const on = await scene()
    const { world, operator, bob } = on
    await locking(on, 10 * HOUR)
    await onL1(world, () => bob.reveal([SECRET]))
    await bob.claim(freeOf(bob.state, ETHER)[0]!.id)
    await world.settle(operator)
    expect(heldBy(bob.state).map(({ output }) => [output.value, BigInt(output.lock)])).to.deep.equal([[60n, 0n]])
    world.stop()
  })

  it('has its money back after the expiry by itself, and its payee has lost it', async () => {
    const on = await scene()
    const { world, operator, alice, bob } = on
    const { expiry } = await locking(on, 10 * HOUR)
    await world.pass(expiry - world.l1.head().time - 100)
    expect([alice.balance(ETHER), bob.balances(ETHER).locked]).to.deep.equal([40n, 60n])
    await world.pass(101)
    expect([alice.balance(ETHER), bob.balances(ETHER).locked]).to.deep.equal([100n, 0n])
    await onL1(world, () => bob.reveal([SECRET]))
    expect(bob.balance(ETHER), 'too late').to.equal(0n)
    await alice.merge(freeOf(alice.state, ETHER).map(({ id }) => id))
    await world.settle(operator)
    expect(heldBy(alice.state).map(({ output }) => output.value)).to.deep.equal([100n])
    expect(world.failures).to.deep.equal([])
    world.stop()
  })

  it('leaves with an undecided output into escrow, which either side has once it is decided', async () => {
    for (const reveals of [true, false]) {
      const on = await scene()
      const { world, alice, bob } = on
      const { expiry } = await locking(on, 30 * 24 * HOUR)
      const [held] = heldBy(bob.state)
      await onL1(world, () => (reveals ? bob : alice).leave(held!.id))
      expect([alice, bob].map((one) => one.balances(ETHER).exiting)).to.deep.equal([60n, 60n])
      await processAll(on)
      expect([alice, bob].map((one) => one.balances(ETHER).escrow)).to.deep.equal([60n, 60n])
      expect(await refusal(() => bob.claimEscrow())).to.match(/^NoCredit/)
      if (reveals) await onL1(world, () => bob.reveal([SECRET]))
      else await world.pass(expiry - world.l1.head().time + 1)
      const [winner, loser] = reveals ? [bob, alice] : [alice, bob]
      expect([winner, loser].map((one) => one.balances(ETHER).escrow)).to.deep.equal([60n, 0n])
      await onL1(world, () => winner.claimEscrow())
      expect(winner.balances(ETHER).escrow).to.equal(0n)
      expect([gained(world, winner), world.alarms]).to.deep.equal([winner === bob ? 60n : -40n, []])
      world.stop()
    }
  })

  it('takes a locked payment out in flight when the operator is gone: escrow holds it for whom the lock decides', async () => {
    const on = await scene()
    const { world, operator, alice, bob } = on
    const expiry = world.l1.head().time + 60 * 24 * HOUR
    const { terms, txHash } = await alice.lock(ETHER, { owner: bob.owner, value: 60n }, { hash: HASH, expiry })
    await bob.learn(terms)
    operator.stop()
    await onL1(world, () => alice.fly(txHash))
    await processAll(on)
    await onL1(world, () => bob.reveal([SECRET]))
    await onL1(world, () => bob.claimEscrow())
    // Alice paid a bond for the position, too: it goes to whom the lock decides for, as the money does.
    expect(gained(world, bob) > 60n).to.equal(true)
    expect(world.failures).to.deep.equal([])
    world.stop()
  })

  it('takes the spend of a decided output out in flight, with its terms', async () => {
    const on = await scene()
    const { world, operator, bob } = on
    await locking(on, 10 * HOUR)
    await onL1(world, () => bob.reveal([SECRET]))
    const { txHash } = await bob.claim(freeOf(bob.state, ETHER)[0]!.id)
    operator.stop()
    await onL1(world, () => bob.fly(txHash))
    await processAll(on)
    await onL1(world, () => bob.claimEscrow())
    expect(gained(world, bob)).to.equal(60n)
    expect([world.failures, world.alarms]).to.deep.equal([[], []])
    world.stop()
  })

  it('has its watcher answer the exit of a locked output that was spent, by terms that the exit showed', async () => {
    const on = await scene()
    const { world, operator, alice, bob } = on
    const terms = await locking(on, 10 * HOUR)
    await onL1(world, () => bob.reveal([SECRET]))
    const [held] = freeOf(bob.state, ETHER)
    await bob.pay(ETHER, [{ owner: alice.owner, value: 60n }])
    await world.settle(operator)
    const call = exitCall([CHAIN], held!.proof, OWN_PERMIT, terms)
    await onL1(world, () => world.connect(bob.owner).send(call))
    await world.mine(2 * DEPTH)
    expect(world.calls.map(({ verb }) => verb)).to.include('challengeLocked')
    expect([alice.state.running.exits.size, world.failures]).to.deep.equal([0, []])
    world.stop()
  })

  it('restarts with its terms, whether they were told before the output came or after', async () => {
    const store = memoryStore()
    const on = await scene(store)
    const { world, operator, bob } = on
    await locking(on, 10 * HOUR)
    bob.stop()
    const again = world.wallet(2, through(operator), store)
    await world.mine(1)
    expect(again.balances(ETHER).locked).to.equal(60n)
    await onL1(world, () => again.reveal([SECRET]))
    expect(again.balance(ETHER)).to.equal(60n)
    const third = world.wallet(2, through(operator), store)
    expect(third.balance(ETHER)).to.equal(60n)
    world.stop()
  })

  it('calls no block invalid that is served with other terms than its locks: it asks on until the true ones come', async () => {
    const on = await scene()
    const { world, operator, alice, bob } = on
    await locking(on, 10 * HOUR)
    await onL1(world, () => bob.reveal([SECRET]))
    const api = through(operator)
    let isGarbled = true
    const garble = (signed: Signed): Signed => (signed.terms ? { ...signed, terms: [] } : signed)
    const block = async (number: number) => {
      const served = await api.block(number)
      return isGarbled ? { ...served, transactions: served.transactions.map(garble) } : served
    }
    const one = world.wallet(3, { ...api, block })
    await bob.pay(ETHER, [{ owner: alice.owner, value: 60n }])
    await world.settle(operator)
    expect([one.state.follower.bad, one.state.follower.commits.length]).to.deep.equal([undefined, 1])
    isGarbled = false
    one.tick()
    await world.rest()
    expect(one.state.follower.commits).to.deep.equal([])
    world.stop()
  })

  it('spends an undecided output by the word of both sides, who each get what they agreed', async () => {
    for (const offers of ['refund', 'owner'] as const) {
      const on = await scene()
      const { world, operator, alice, bob } = on
      await locking(on, 10 * HOUR)
      const id = heldBy(bob.state)[0]!.id
      const payees = [
        { owner: alice.owner, value: 45n },
        { owner: bob.owner, value: 15n },
      ]
      const [one, other] = offers === 'refund' ? [alice, bob] : [bob, alice]
      const half = await one.offer(id, payees)
      const gets = other === bob ? 15n : 45n
      expect(await refusal(() => other.accept(half, gets + 1n))).to.match(/^InsufficientFunds/)
      const forged = { ...half, half: `0x${'11'.repeat(64)}` as Hex }
      expect(await refusal(() => other.accept(forged, gets))).to.match(/^WrongSigner/)
      await other.accept(half, gets)
      await world.settle(operator)
      expect([alice.balance(ETHER), bob.balance(ETHER)]).to.deep.equal([85n, 15n])
      expect([alice, bob].map(({ state }) => state.halves.size + state.payments.size)).to.deep.equal([0, 0])
      expect([world.failures, world.alarms]).to.deep.equal([[], []])
      world.stop()
    }
  })

  it('treats a coin as spent of which it has given half a pair away, until that is dead', async () => {
    const on = await scene()
    const { world, operator, alice, bob } = on
    const { expiry } = await locking(on, 10 * HOUR)
    const id = heldBy(bob.state)[0]!.id
    const { transaction, half, terms } = await alice.offer(id, [{ owner: bob.owner, value: 60n }])
    expect(await refusal(() => alice.offer(id, [{ owner: bob.owner, value: 1n }]))).to.match(/^OutputInUse/)
    await world.pass(expiry - world.l1.head().time + 1)
    expect(alice.balance(ETHER), 'hers now, but not free').to.equal(40n)
    expect(await refusal(() => alice.leave(id))).to.match(/^OutputInUse/)
    await alice.split(ETHER, [1n])
    await world.settle(operator)
    const authorisation = concat(ZERO, ZERO, half)
    await through(operator).submit({ transaction, authorisation, terms: [terms] })
    await world.settle(operator)
    expect([alice.balance(ETHER), bob.balance(ETHER)], 'her half was her word').to.deep.equal([40n, 60n])
    expect([world.failures, world.alarms]).to.deep.equal([[], []])
    world.stop()
  })

  it('has a coin back whose half pair nobody used in time', async () => {
    const on = await scene()
    const { world, operator, alice, bob } = on
    await locking(on, 10 * HOUR)
    await alice.offer(heldBy(bob.state)[0]!.id, [{ owner: bob.owner, value: 60n }])
    expect(alice.balances(ETHER).locked).to.equal(0n)
    for (let i = 0; i < 51; i++) {
      await alice.split(ETHER, [1n])
      await world.settle(operator)
    }
    expect([alice.balances(ETHER).locked, alice.state.halves.size]).to.deep.equal([60n, 0])
    world.stop()
  })

  it('refuses terms by which nobody has it, or that are over', async () => {
    const on = await scene()
    const { world, alice, bob } = on
    const lock = (terms: object) => {
      const all = { hash: HASH, expiry: world.l1.head().time + HOUR, ...terms }
      return refusal(() => alice.lock(ETHER, { owner: bob.owner, value: 1n }, all))
    }
    expect(await lock({ refund: `0x${'00'.repeat(20)}` })).to.equal('ZeroOwner()')
    expect(await lock({ refund: '0x12' })).to.match(/^MalformedOwner/)
    expect(await lock({ expiry: alice.state.follower.view.time })).to.match(/^LockExpired/)
    expect(await lock({})).to.equal('accepted')
    world.stop()
  })

  it('splits and merges, and says where everything is', async () => {
    const on = await scene()
    const { world, operator, alice } = on
    await alice.split(ETHER, [10n, 20n, 30n])
    expect(alice.balances(ETHER)).to.include({ received: 0n, unconfirmed: 100n })
    await world.settle(operator)
    expect(freeOf(alice.state, ETHER).map(({ output }) => output.value)).to.deep.equal([40n, 30n, 20n, 10n])
    const ids = freeOf(alice.state, ETHER).map(({ id }) => id)
    expect(await refusal(() => alice.merge([ids[0]!, ids[0]!]))).to.match(/^RepeatedInput/)
    expect(await refusal(() => alice.merge([...ids, ids[0]!]))).to.match(/^TooManyInputs/)
    expect(await refusal(() => alice.merge(ids, 100n))).to.equal('InsufficientFunds(100, 101)')
    await alice.merge(ids)
    expect(await refusal(() => alice.merge(ids))).to.match(/^OutputInUse/)
    await world.settle(operator)
    const left = freeOf(alice.state, ETHER)
    expect(left.map(({ output }) => output.value)).to.deep.equal([100n])
    await onL1(world, () => alice.leave(left[0]!.id))
    const nothing = { unconfirmed: 0n, locked: 0n, escrow: 0n, credit: 0n }
    expect(alice.balances(ETHER)).to.deep.equal({ ...nothing, received: 0n, exiting: 100n })
    world.stop()
  })
})
