import { expect } from 'chai'
import { creditKey } from '../../src/core/base/Asset.ts'
import type { Hex } from '../../src/core/base/Bytes.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { pair } from '../../src/core/plasma/Draft.ts'
import { assetsOf } from '../../src/core/plasma/InFlightExit.ts'
import { type Deposit, outputId, type Transaction } from '../../src/core/plasma/Transaction.ts'
import type { Account } from '../../src/edge/chain/LocalAccounts.ts'
import type { Deed, Token } from '../../typechain-types/index.ts'
import { catchUp, coins, deeds, oddCoins } from './assets.ts'
import {
  aside,
  competing,
  deposited,
  fate,
  included,
  landing,
  launch,
  objecting,
  output,
  paidBy,
  piggybacking,
  type Running,
  responding,
  spending,
  starting,
  transfer,
} from './flights.ts'
import {
  chainId,
  depositId,
  depositing,
  depositOf,
  exitingDeposit,
  idOf,
  newChain,
  payment,
  seal,
  shown,
  start,
  txHash,
} from './people.ts'
import { set } from './scene.ts'
import {
  agreeOnState,
  alice,
  bob,
  carol,
  ETHER,
  expectDone,
  expectRefused,
  owed,
  play,
  type Stage,
  stranger,
} from './stage.ts'

const TOKEN_ID = 77n
const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
]

describe('RootChain, in-flight exits, of several assets', () => {
  const scene = set()
  let on: Stage
  let chain: Chain
  let gifts: readonly Deposit[]
  let [coin, deed] = [] as unknown as [{ asset: Hex; contract: Token }, { asset: Hex; contract: Deed }]
  let swap: Transaction
  let run: Running
  const process = (asset: Hex) => play(on, landing(chain, [run], asset), stranger.address)
  const rivalOf = (position: number) =>
    payment(chain, [swap.inputs[position]!], [[carol.address, 1n]], { memo: swap.inputs[position]! })
  const compete = (position: number) =>
    competing([chain], run, position, spending(on, rivalOf(position), swap.inputs[position]!, alice))
  /** Lets the exit mature, without processing it. */
  const wait = async () => {
    const time = run.inFlight.exitableAt
    expectDone(await play(on, { verb: 'approve', txHash: run.txHash }, stranger.address, { time }))
  }
  const give = async (asset: Hex, value: bigint, salt: bigint, owner: Account = alice) => {
    const one = { ...depositOf(chain, owner.address, value, salt), asset }
    expectDone(await play(on, depositing(one), owner.address))
    return one
  }

  beforeEach(async () => {
    ;({ on, chain } = scene)
    coin = await coins(on)
    deed = await deeds(on, [TOKEN_ID, TOKEN_ID + 1n])
    gifts = [scene.gift, await give(coin.asset, 500n, 2n), await give(deed.asset, TOKEN_ID, 3n)]
    const outputs = [
      output(bob.address, 500n, coin.asset),
      output(bob.address, TOKEN_ID, deed.asset),
      output(bob.address, 300n),
      output(alice.address, 700n),
    ]
    swap = transfer(chain, gifts.map(depositId), outputs)
    run = await launch(on, starting(on, [chain], swap, gifts.map(deposited), alice), alice.address)
    expectDone(await play(on, piggybacking(run, 0b0111_0000), bob.address))
  })

  it('joins the queue of each at its start, once', () => {
    expect([run.indices, run.lane]).to.deep.equal([[0, 0, 0], 0])
    const words = assetsOf(run.inFlight).map((asset) => on.model.queues.get(pair(chainId(chain), asset))!.list.words)
    expect(new Set(words.flat()).size).to.equal(1)
    expect(words.map(({ length }) => length)).to.deep.equal([1, 1, 1])
  })

  it('canonical, in each order of its queues: outputs paid, bonds back, and nothing left', async () => {
    for (const order of ORDERS) {
      await aside(on, async () => {
        await wait()
        const before = [alice, bob].map(({ address }) => on.balances.get(address)!)
        for (const at of order) {
          expect(on.model.inFlight.size).to.equal(1)
          expectDone(await process(assetsOf(run.inFlight)[at]!))
          await agreeOnState(on)
        }
        const { bond } = run.inFlight
        const after = [alice, bob].map(({ address }) => on.balances.get(address)!)
        expect(after.map((worth, i) => worth - before[i]!)).to.deep.equal([700n + 5n * bond, 300n + 3n * bond])
        expect((await deed.contract.ownerOf(TOKEN_ID)).toLowerCase()).to.equal(bob.address)
        expect(await coin.contract.balanceOf(bob.address)).to.equal(10_500n)
        expect([on.model.inFlight.size, owed(on)]).to.deep.equal([0, 0n])
      })
    }
  })

  it('not canonical, in each order: inputs that nobody else spends paid, and all bonds but those taken', async () => {
    expectDone(await play(on, compete(1), carol.address))
    for (const order of ORDERS) {
      await aside(on, async () => {
        await wait()
        const before = on.balances.get(alice.address)!
        for (const at of order) {
          expectDone(await process(assetsOf(run.inFlight)[at]!))
          await agreeOnState(on)
        }
        expect(on.balances.get(alice.address)! - before).to.equal(1000n + 3n * run.inFlight.bond)
        expect((await deed.contract.ownerOf(TOKEN_ID)).toLowerCase()).to.equal(alice.address)
        expect(swap.inputs.map((id) => fate(on, id))).to.deep.equal(['paid', 'deposited', 'paid'])
        expect(swap.outputs.map((_, i) => fate(on, outputId(run.txHash, i)))).to.not.include('paid')
      })
    }
  })

  it('the first queue fixes the outcome: canonical stays canonical, whatever is shown in between', async () => {
    const block = await seal(on, chain, [rivalOf(1)])
    await wait()
    expectDone(await process(deed.asset))
    expect(swap.inputs.map((id) => fate(on, id))).to.deep.equal(['consumed', 'consumed', 'consumed'])
    for (const position of [0, 1, 2]) {
      expectRefused(await play(on, compete(position), carol.address), 'Consumed', run.txHash)
    }
    const older = spending(on, rivalOf(1), swap.inputs[1]!, alice, [shown(block)])
    expectRefused(await play(on, competing([chain], run, 1, older), carol.address), 'Consumed', run.txHash)
    expectRefused(await play(on, responding([chain], run, shown(block)), carol.address), 'Processed', run.txHash)
    const { events } = expectDone(await process(ETHER))
    expect(paidBy(events)).to.deep.equal({ 6: 300n, 7: 700n })
    expect(paidBy(expectDone(await process(coin.asset)).events)).to.deep.equal({ 4: 500n })
  })

  it('the first queue fixes the outcome: not canonical stays so, though its transaction is shown and its input free', async () => {
    const block = await seal(on, chain, [swap])
    expectDone(await play(on, compete(0), carol.address))
    await wait()
    expect(paidBy(expectDone(await process(deed.asset)).events)).to.deep.equal({ 2: TOKEN_ID })
    expectRefused(await play(on, responding([chain], run, shown(block)), bob.address), 'Processed', run.txHash)
    expect(paidBy(expectDone(await process(coin.asset)).events)).to.deep.equal({ 1: 500n })
    expect(paidBy(expectDone(await process(ETHER)).events)).to.deep.equal({})
  })

  it('between its queues: what is not done is still challenged, what is done is not', async () => {
    const next = (i: number) => payment(chain, [outputId(run.txHash, i)], [[carol.address, 1n]])
    const object = (i: number) => objecting([chain], run, 4 + i, spending(on, next(i), outputId(run.txHash, i), bob))
    await wait()
    expectDone(await process(coin.asset))
    expectRefused(await play(on, object(0), carol.address), 'Processed', run.txHash)
    expectRefused(await play(on, piggybacking(run, 1), alice.address), 'TooLate')
    expectDone(await play(on, object(1), carol.address))
    expect(paidBy(expectDone(await process(deed.asset)).events)).to.deep.equal({})
    expect(paidBy(expectDone(await process(ETHER)).events)).to.deep.equal({ 6: 300n, 7: 700n })
  })

  it('between its queues: an input of a queue that is not done is blocked still, one that is done is not', async () => {
    expectDone(await play(on, compete(0), carol.address))
    await wait()
    expectDone(await process(deed.asset))
    expectRefused(await play(on, compete(2), carol.address), 'NotOlder')
    const before = on.balances.get(carol.address)!
    expectDone(await play(on, compete(1), carol.address))
    expect(on.balances.get(carol.address)! - before).to.equal(run.inFlight.bond / 2n)
    expect(paidBy(expectDone(await process(coin.asset)).events)).to.deep.equal({})
  })

  it('between its queues: it runs, and is not started again; its data serves each queue once', async () => {
    await wait()
    expectDone(await process(coin.asset))
    const call = starting(on, [chain], swap, gifts.map(deposited), alice)
    expectRefused(await play(on, call, bob.address, { value: 0n }), 'AlreadyRunning', run.txHash)
    expectRefused(await process(coin.asset), 'EmptyQueue', chainId(chain), coin.asset)
    expectDone(await process(ETHER))
    expectDone(await process(deed.asset))
    expectRefused(await play(on, piggybacking(run, 1), alice.address), 'NotRunning', run.txHash)
  })

  it('in one queue with a standard exit of its input: whichever queue is first decides, and pays once', async () => {
    const [ether, other] = [await give(ETHER, 60n, 8n), await give(coin.asset, 40n, 9n)]
    const exit = await start(on, exitingDeposit(other), alice.address)
    const tx = transfer(chain, [ether, other].map(depositId), [output(bob.address, 40n, coin.asset)])
    const call = starting(on, [chain], tx, [ether, other].map(deposited), alice)
    const flight = await launch(on, call, alice.address)
    const time = { time: flight.inFlight.exitableAt }
    const first = landing(chain, [run, flight])
    const second = landing(chain, [run, flight], coin.asset, [exit.exit])
    await aside(on, async () => {
      expectDone(await play(on, second, stranger.address, time))
      const { events } = expectDone(await play(on, first, stranger.address))
      expect(events.at(-1)).to.deep.include({ name: 'InFlightPaid', amount: 60n })
      expect([ether, other].map((one) => fate(on, depositId(one)))).to.deep.equal(['paid', 'paid'])
    })
    expectDone(await play(on, first, stranger.address, time))
    const { events } = expectDone(await play(on, second, stranger.address))
    expect(events.map(({ name }) => name)).to.include('ExitDropped')
    expect([ether, other].map((one) => fate(on, depositId(one)))).to.deep.equal(['consumed', 'consumed'])
  })

  it('conserves ids of an ERC-721, each exactly once on both sides, and never mixes them with amounts', async () => {
    const other = await give(deed.asset, TOKEN_ID + 1n, 4n)
    const start_ = (gift: readonly Deposit[], ids: readonly bigint[]) => {
      const outputs = ids.map((id) => output(bob.address, id, deed.asset))
      return starting(on, [chain], transfer(chain, gift.map(depositId), outputs), gift.map(deposited), alice)
    }
    const one = gifts[2]!
    const wrong: readonly (readonly [readonly Deposit[], readonly bigint[], bigint, bigint])[] = [
      [[one], [TOKEN_ID + 1n], 1n, 0n],
      [[one], [TOKEN_ID, TOKEN_ID], 1n, 2n],
      [[one], [TOKEN_ID, TOKEN_ID + 1n], 0n, 1n],
      [[one, other], [TOKEN_ID], 1n, 0n],
      [[one], [0n], 1n, 0n],
    ]
    for (const [inputs, ids, have, need] of wrong) {
      expectRefused(await play(on, start_(inputs, ids), alice.address), 'Unbalanced', deed.asset, have, need)
    }
    const both = await launch(on, start_([one, other], [TOKEN_ID + 1n, TOKEN_ID]), alice.address)
    expect([both.indices, both.piggybacked]).to.deep.equal([[1], 0b11])
    const burnt = transfer(chain, [depositId(one), depositId(scene.gift)], [output(bob.address, 1n)])
    const lost = starting(on, [chain], burnt, [deposited(one), deposited(scene.gift)], alice)
    expectRefused(await play(on, lost, alice.address), 'Unbalanced', deed.asset, 1n, 0n)
  })

  it('pays no ERC-721 that another chain holds: unpaid, unmarked, bonds back', async () => {
    const elsewhere = await newChain(on, 9)
    const fake = transfer(elsewhere, [run.txHash], [output(carol.address, TOKEN_ID, deed.asset)])
    const block = await seal(on, elsewhere, [fake])
    const tx = transfer(elsewhere, [idOf(on, block)], fake.outputs)
    const flight = await launch(on, starting(on, [elsewhere], tx, [included(block)], carol), carol.address)
    const late = { time: flight.inFlight.exitableAt }
    const before = on.balances.get(carol.address)!
    const { events } = expectDone(await play(on, landing(elsewhere, [flight], deed.asset), stranger.address, late))
    expect(events[1]).to.deep.include({ name: 'InFlightUnpaid', position: 4, have: 0n, need: 1n })
    expect(on.balances.get(carol.address)! - before).to.equal(3n * flight.inFlight.bond)
    expect(fate(on, outputId(flight.txHash, 0))).to.equal('unknown')
  })

  it('whatever its receivers and tokens refuse becomes their credit, bonds too, and the rest is paid', async () => {
    const odd = await oddCoins(on)
    const own = { ...depositOf(chain, on.receiverAddress, 90n, 8n, alice.address), asset: odd.asset }
    expectDone(await play(on, depositing(own), alice.address))
    const outputs = [output(on.receiverAddress, 60n, odd.asset), output(on.receiverAddress, 30n, odd.asset)]
    const tx = transfer(chain, [depositId(own)], outputs)
    const call = starting(on, [chain], tx, [deposited(own)])
    expectDone(await play(on, { verb: 'approve', txHash: txHash(on.domain, tx) }, on.receiverAddress))
    run = await launch(on, call, on.receiverAddress, { value: 4n * 600n })
    expect(run.piggybacked).to.equal(0b0011_0001)
    await wait()
    await on.receiver.behave(1, ETHER, '0x', { gasPrice: 0 })
    await odd.contract.behave(6, ETHER, '0x', { gasPrice: 0 })
    await catchUp(on)
    on.refusing = true
    on.stubborn.add(odd.asset)
    const { events } = expectDone(await process(odd.asset))
    expect(paidBy(events)).to.deep.equal({ 4: 60n, 5: 30n })
    expect(on.model.credits.get(creditKey(odd.asset, on.receiverAddress))).to.equal(90n)
    expect(on.model.credits.get(creditKey(ETHER, on.receiverAddress))).to.equal(2400n)
  })
})
