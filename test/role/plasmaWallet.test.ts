import { expect } from 'chai'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { entries } from '../../src/core/base/HashMap.ts'
import { addressOf } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { MAX_DUE } from '../../src/core/plasma/Due.ts'
import { freeOf, heldBy } from '../../src/core/plasma/Purse.ts'
import { exitsOf, noExits, observeExits } from '../../src/core/plasma/Running.ts'
import { walletMachine } from '../../src/core/plasma/Wallet.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import type { Operator } from '../../src/role/Operator.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import { CHAIN, DEPTH, DOMAIN, ETHER_100, key, MFP, through, World } from './plasmaWorld.ts'

const BOB = addressOf(key(2))

/** Alice with deposits of these values that everybody sees. */
async function alice(
  values: readonly bigint[],
  store?: Store,
): Promise<{ world: World; operator: Operator; wallet: Wallet }> {
  const world = new World()
  const operator = world.operator()
  await world.mine(DEPTH + 3)
  const wallet = world.wallet(1, through(operator), store)
  await world.rest()
  const sent = values.map((value) => wallet.deposit(ETHER, value))
  await world.mine(DEPTH + 3)
  await Promise.all(sent)
  return { world, operator, wallet }
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

describe('Wallet', () => {
  it('refuses what it cannot pay, before it signs anything', async () => {
    const { world, wallet } = await alice([5n, 5n, 5n, 5n, 5n])
    const pay = (value: bigint, fee = 0n, count = 1) => {
      return refusal(() => wallet.pay(ETHER, Array(count).fill({ owner: BOB, value }), fee))
    }
    expect(await pay(26n)).to.equal('InsufficientFunds(20, 26)')
    expect(await pay(21n), 'four inputs at most').to.equal('InsufficientFunds(20, 21)')
    expect(await pay(20n, 1n)).to.equal('InsufficientFunds(20, 21)')
    expect(await pay(0n)).to.equal('ZeroValue()')
    expect(await pay(2n ** 256n)).to.match(/^ValueTooLarge/)
    const pays = (owner: Hex) => refusal(() => wallet.pay(ETHER, [{ owner, value: 1n }]))
    expect(await pays(`0x${'00'.repeat(20)}`)).to.equal('ZeroOwner()')
    expect(await pays(`0x${'Ab'.repeat(20)}`), 'the operator would not hear of it').to.match(/^MalformedOwner/)
    expect(await pays(`0x${'ab'.repeat(19)}`)).to.match(/^MalformedOwner/)
    expect(await pay(1n, -1n)).to.equal('NegativeFee(-1)')
    expect(await pay(1n, 0n, 0)).to.equal('WrongOutputCount(0, 4)')
    expect(await pay(1n, 0n, 5)).to.equal('WrongOutputCount(5, 4)')
    expect(await pay(1n, 0n, 4), 'no room for the change').to.equal('WrongOutputCount(5, 4)')
    expect(await refusal(() => wallet.deposit(ETHER, 0n))).to.equal('ZeroValue()')
    expect(await refusal(() => wallet.leave(`0x${'11'.repeat(32)}`))).to.match(/^UnknownOutput/)
    expect(wallet.balance(ETHER)).to.equal(25n)
    expect(wallet.state.payments.size).to.equal(0)
    expect(await pay(20n)).to.equal('accepted')
    expect(wallet.balance(ETHER)).to.equal(5n)
    world.stop()
  })

  it('takes no more coins than it needs, and the smallest that suffices', async () => {
    const { world, wallet } = await alice([50n, 7n, 20n])
    await wallet.pay(ETHER, [{ owner: BOB, value: 7n }])
    expect(freeOf(wallet.state, ETHER).map((one) => one.output.value)).to.deep.equal([50n, 20n])
    await wallet.pay(ETHER, [{ owner: BOB, value: 60n }])
    expect(wallet.balance(ETHER)).to.equal(0n)
    world.stop()
  })

  it('uses each coin for one thing at a time', async () => {
    const { world, operator, wallet } = await alice([5n, 6n])
    const [six, five] = freeOf(wallet.state, ETHER)
    await wallet.pay(ETHER, [{ owner: BOB, value: 6n }])
    expect(await refusal(() => wallet.leave(six!.id))).to.match(/^OutputInUse\(.*, paying\)$/)
    const left = wallet.leave(five!.id)
    expect(await refusal(() => wallet.pay(ETHER, [{ owner: BOB, value: 5n }]))).to.equal('InsufficientFunds(0, 5)')
    await world.mine(DEPTH + 2)
    await left
    expect(await refusal(() => wallet.leave(five!.id))).to.match(/^OutputInUse\(.*, leaving\)$/)
    await world.settle(operator)
    expect(heldBy(wallet.state).map((one) => [one.output.value, one.use])).to.deep.equal([[5n, 'leaving']])
    world.stop()
  })

  it('has a coin free again whose exit could not be started', async () => {
    const { world, wallet } = await alice([5n])
    world.deaf.add(wallet.owner)
    const [five] = freeOf(wallet.state, ETHER)
    expect(await wallet.leave(five!.id).catch((why: Error) => why.message)).to.equal('deaf')
    await world.rest()
    expect(wallet.balance(ETHER)).to.equal(5n)
    world.stop()
  })

  it('restarts with all that it held, owed and was owed, and goes on paying', async () => {
    const store = memoryStore()
    const { world, operator, wallet } = await alice([5n, 6n, 8n], store)
    await wallet.pay(ETHER, [{ owner: wallet.owner, value: 2n }])
    await world.settle(operator)
    await wallet.pay(ETHER, [{ owner: BOB, value: 6n }])
    wallet.stop()
    const again = world.wallet(1, through(operator), store)
    const facts = ({ state }: Wallet) => [
      [...entries(state.held)],
      [...entries(state.payments)],
      state.follower.ledger.number,
    ]
    expect(facts(again)).to.deep.equal(facts(wallet))
    await world.settle(operator)
    expect(again.state.payments.size).to.equal(0)
    expect(again.balance(ETHER)).to.equal(13n)
    expect(await refusal(() => again.pay(ETHER, [{ owner: BOB, value: 13n }]))).to.equal('accepted')
    world.stop()
  })

  it('knows from an empty store which of its coins are leaving and which have left', async () => {
    const { world, operator, wallet } = await alice([5n, 6n, 8n])
    for (const value of [5n, 6n, 8n]) await wallet.pay(ETHER, [{ owner: wallet.owner, value }])
    await world.settle(operator)
    const [eight, six] = freeOf(wallet.state, ETHER)
    const left = wallet.leave(eight!.id)
    await world.pass(MFP)
    await world.pass(MFP)
    await left
    const processed = wallet.process(ETHER, world.l1.head().time)
    const leaving = wallet.leave(six!.id)
    await world.mine(DEPTH + 2)
    await Promise.all([processed, leaving])
    const uses = ({ state }: Wallet) => heldBy(state).map((one) => [one.output.value, one.use])
    expect(uses(wallet)).to.have.deep.members([
      [5n, 'free'],
      [6n, 'leaving'],
    ])
    const restored = world.wallet(1, through(operator))
    await world.mine(DEPTH + 2)
    expect(uses(restored)).to.have.deep.members(uses(wallet))
    expect(restored.balance(ETHER)).to.equal(5n)
    world.stop()
  })

  it('lets its owner leave, at its own risk, with what an operator that is gone was given', async () => {
    const { world, operator, wallet } = await alice([5n])
    const [five] = freeOf(wallet.state, ETHER)
    await wallet.pay(ETHER, [{ owner: BOB, value: 5n }])
    operator.stop()
    expect(await refusal(() => wallet.leave(five!.id))).to.match(/^OutputInUse/)
    world.deaf.add(wallet.owner)
    expect(await wallet.leave(five!.id, true).catch((why: Error) => why.message)).to.equal('deaf')
    await world.rest()
    expect(wallet.balance(ETHER), 'the payment lives still').to.equal(0n)
    world.deaf.clear()
    const left = wallet.leave(five!.id, true)
    await world.mine(DEPTH + 2)
    await left
    await world.pass(MFP)
    const paid = wallet.process(ETHER, world.l1.head().time)
    await world.mine(DEPTH + 2)
    await paid
    expect(world.l1.money.balance(ETHER, wallet.owner)).to.equal(ETHER_100)
    expect(heldBy(wallet.state)).to.deep.equal([])
    world.stop()
  })

  it('asks to process no more exits at once than a transaction can carry, and those whose turn it is', async () => {
    const { world, wallet } = await alice([])
    const { chain } = wallet.state.follower.ledger
    const terms = { chain, asset: ETHER, owner: BOB, lock: ZERO, count: 1, value: 1n, bond: 0n, starter: BOB }
    const events = Array.from({ length: 1000 }, (_, index) => {
      const exit = { ...terms, ids: uint(index, 32), exitableAt: index }
      return { name: 'ExitStarted', ids: exit.ids, lane: 0, index, exit } as const
    })
    const running = observeExits(noExits(), [{ number: 1, hash: ZERO, parent: ZERO, time: 1, events }])
    const machine = walletMachine({ court: DOMAIN, path: [CHAIN], key: key(1), depth: DEPTH, patience: 1, life: 1 })
    const { outputs } = machine({ ...wallet.state, running }, { kind: 'process', asset: ETHER, time: 2000 })
    const exits = outputs.flatMap((said) =>
      said.kind === 'call' && said.call.verb === 'process' ? said.call.exits : [],
    )
    expect(exits.map((exit) => exit.exitableAt)).to.deep.equal(Array.from({ length: MAX_DUE }, (_, n) => n))
    expect(320 * MAX_DUE, 'bytes that every node relays').to.be.below(100_000)
    world.stop()
  })

  it('keeps a coin out of payments until the last of its exits has ended', async () => {
    const { world, wallet } = await alice([5n])
    const [five] = freeOf(wallet.state, ETHER)
    const both = [wallet.leave(five!.id)]
    await world.mine()
    both.push(wallet.leave(five!.id))
    await world.mine(DEPTH + 2)
    await Promise.all(both)
    const [first, second] = exitsOf(wallet.state.running, five!.id)
    for (const [one, balance] of [
      [first, 0n],
      [second, 5n],
    ] as const) {
      const cancelled = world.connect(wallet.owner).send({ verb: 'cancelExit', ...one! })
      await world.mine(DEPTH + 2)
      await cancelled
      expect(wallet.balance(ETHER)).to.equal(balance)
    }
    world.stop()
  })

  it('submits again what the operator forgot to hear, until it is paid', async () => {
    const world = new World()
    const operator = world.operator()
    const api = through(operator)
    let lost = 2
    const flaky = {
      ...api,
      submit: (signed: Parameters<typeof api.submit>[0]) =>
        lost-- > 0 ? Promise.reject(new Error('lost')) : api.submit(signed),
    }
    const wallet = world.wallet(1, flaky)
    await world.mine(DEPTH + 3)
    const sent = wallet.deposit(ETHER, 5n)
    await world.mine(DEPTH + 3)
    await sent
    expect(await wallet.pay(ETHER, [{ owner: BOB, value: 5n }]).catch((why: Error) => why.message)).to.equal('lost')
    for (let i = 0; i < 2; i++) {
      wallet.tick()
      await world.rest()
    }
    await world.settle(operator)
    expect(wallet.state.payments.size).to.equal(0)
    expect(heldBy(wallet.state)).to.deep.equal([])
    expect(world.l1.money.balance(ETHER, wallet.owner)).to.equal(ETHER_100 - 5n)
    world.stop()
  })

  it('neither pays nor deposits before it has seen all of layer 1', async () => {
    const { world, operator } = await alice([5n])
    const late = world.wallet(1, through(operator))
    expect(await refusal(() => late.deposit(ETHER, 5n))).to.match(/^NotSynced/)
    world.stops.pop()?.()
    const later = world.wallet(1, through(operator))
    expect(await refusal(() => later.pay(ETHER, [{ owner: BOB, value: 5n }]))).to.match(/^NotSynced/)
    await world.mine(DEPTH + 2)
    expect(later.balance(ETHER)).to.equal(5n)
    world.stop()
  })
})
