import { expect } from 'chai'
import { ETHER } from '../../src/core/base/Bytes.ts'
import { addressOf } from '../../src/core/base/Signature.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import { OWN_PERMIT } from '../../src/core/plasma/Exit.ts'
import { exitCall } from '../../src/core/plasma/Held.ts'
import { freeOf, heldBy } from '../../src/core/plasma/Purse.ts'
import { potOf } from '../../src/core/plasma/Vaults.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import { CHAIN, COURT, DEPTH, ETHER_100, key, MFP, through, World } from './plasmaWorld.ts'

const ONE = 10n ** 18n
const CHAIN_ID = chainId(CHAIN)

function onL1(world: World, n: number): bigint {
  return world.l1.money.balance(ETHER, addressOf(key(n)))
}

function total(wallets: readonly Wallet[]): bigint {
  return wallets.flatMap((wallet) => heldBy(wallet.state)).reduce((sum, one) => sum + one.output.value, 0n)
}

/** Registers the chain and gives each wallet one deposit that everybody sees. */
async function funded(world: World, wallets: readonly Wallet[], value = ONE): Promise<void> {
  await world.mine(DEPTH + 3)
  const deposits = wallets.map((wallet) => wallet.deposit(ETHER, value))
  await world.mine(DEPTH + 3)
  await Promise.all(deposits)
}

/** Turns each of a wallet's coins into four. */
function split(wallet: Wallet): Promise<unknown> {
  const coins = freeOf(wallet.state, ETHER).map((coin) => coin.output.value)
  const parts = (value: bigint) => [value / 4n, value / 4n, value / 4n, value - 3n * (value / 4n)]
  const payees = (value: bigint) => parts(value).map((part) => ({ owner: wallet.owner, value: part }))
  return Promise.all(coins.map((value) => wallet.pay(ETHER, payees(value))))
}

describe('Plasma, told over a simulated layer 1', () => {
  it('pays hundreds of times, lets people leave, stops a thief, and every wei is where it must be', async () => {
    const world = new World()
    const operator = world.operator()
    const api = through(operator)
    const watcher = world.watcher(api)
    const people = [1, 2, 3].map((n) => world.wallet(n, api)) as [Wallet, Wallet, Wallet]
    const [alice, bob, carol] = people
    await funded(world, people)

    for (let round = 0; round < 3; round++) {
      await Promise.all(people.map(split))
      await world.settle(operator)
    }
    let payments = 0
    for (let round = 0; round < 3; round++) {
      const all = people.flatMap((wallet, i) => {
        const payee = people[(i + 1 + (round % 2)) % 3]!.owner
        const count = Math.min(40, freeOf(wallet.state, ETHER).length)
        return Array.from({ length: count }, (_, n) =>
          wallet.pay(ETHER, [{ owner: payee, value: 10n ** 12n + BigInt(n) }]),
        )
      })
      payments += (await Promise.all(all)).length
      await world.settle(operator)
    }
    expect(payments).to.equal(360)
    expect(total(people)).to.equal(3n * ONE)
    expect(watcher.state.follower.ledger.number).to.equal(operator.state.ledger.number)

    // Alice leaves with an output; Carol pays with hers, then tries to leave with it all the same; Dave, who never
    // paid, leaves with his deposit.
    const dave = world.wallet(4, api)
    await funded(world, [dave], 2n * ONE)
    const [hers] = freeOf(alice.state, ETHER)
    const left = alice.leave(hers!.id)
    const spent = carol.pay(ETHER, [{ owner: bob.owner, value: freeOf(carol.state, ETHER)[0]!.output.value }])
    await spent
    const stolen = heldBy(carol.state).find((one) => one.use === 'paying')!
    await world.settle(operator)
    expect(heldBy(carol.state).map((one) => one.id)).not.to.include(stolen.id)
    const theft = world.court.connect(carol.owner).send(exitCall([CHAIN], stolen.proof, OWN_PERMIT))
    const [deposit] = freeOf(dave.state, ETHER)
    const gone = dave.leave(deposit!.id)
    await world.mine(DEPTH + 4)
    await Promise.all([left, theft, gone])
    const bond = 150_000n * 10n ** 9n + (150_000n * 10n ** 9n) / 2n
    expect(onL1(world, 3), 'the thief lost its bond').to.equal(ETHER_100 - ONE - bond)
    expect(onL1(world, 9), 'the watcher earned half of it').to.equal(ETHER_100 + bond / 2n)

    await world.pass(2 * MFP)
    const payers = bob.process(ETHER, world.l1.head().time)
    await world.mine(DEPTH + 2)
    await payers
    expect(onL1(world, 1)).to.equal(ETHER_100 - ONE + hers!.output.value)
    expect(onL1(world, 2)).to.equal(ETHER_100 - ONE)
    expect(onL1(world, 4)).to.equal(ETHER_100)
    const inPot = 3n * ONE - hers!.output.value + bond / 2n
    expect(potOf(world.court.state(), CHAIN_ID, ETHER)).to.equal(inPot)
    expect(world.l1.money.balance(ETHER, COURT)).to.equal(inPot)
    expect(total([...people, dave])).to.equal(3n * ONE - hers!.output.value)
    expect(world.alarms.map(({ name, ids }) => [name, ids])).to.deep.equal([['InvalidExit', stolen.id]])
    expect(world.failures).to.deep.equal([])
    world.stop()
  })

  it('lets people leave when the operator is gone, with proofs of their own', async () => {
    const world = new World()
    const operator = world.operator()
    const [alice, bob] = [1, 2].map((n) => world.wallet(n, through(operator))) as [Wallet, Wallet]
    await funded(world, [alice])
    await alice.pay(ETHER, [{ owner: bob.owner, value: 3n }])
    await world.settle(operator)
    operator.stop()

    const started = [...heldBy(alice.state), ...heldBy(bob.state)].map((one) => {
      return (one.output.owner === alice.owner ? alice : bob).leave(one.id)
    })
    expect(started).to.have.length(2)
    await world.mine(DEPTH + 2)
    await Promise.all(started)
    await world.pass(2 * MFP)
    const payers = bob.process(ETHER, world.l1.head().time)
    await world.mine(DEPTH + 2)
    await payers
    expect(onL1(world, 1)).to.equal(ETHER_100 - 3n)
    expect(onL1(world, 2)).to.equal(ETHER_100 + 3n)
    expect(world.failures).to.deep.equal([])
    world.stop()
  })

  it('frees what a payment wanted to spend only when that payment is dead', async () => {
    const world = new World()
    const operator = world.operator()
    const api = through(operator)
    const deaf = { ...api, submit: () => Promise.reject(new Error('lost')) }
    const [alice, bob] = [world.wallet(1, deaf), world.wallet(2, api)]
    await funded(world, [alice, bob])
    const lost = await alice.pay(ETHER, [{ owner: bob.owner, value: 5n }]).catch((why: Error) => why.message)
    expect(lost).to.equal('lost')
    expect(alice.balance(ETHER)).to.equal(0n)
    for (let round = 0; round <= 51; round++) {
      expect(alice.balance(ETHER), `after ${round} blocks`).to.equal(round < 51 ? 0n : ONE)
      await bob.pay(ETHER, [{ owner: bob.owner, value: 1n }])
      await world.settle(operator)
    }
    expect(world.failures).to.deep.equal([])
    world.stop()
  })
})
