import { expect } from 'chai'
import fc from 'fast-check'
import { uint } from '../../src/core/base/Bytes.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { bitsOf } from '../../src/core/plasma/InFlightExit.ts'
import { type Deposit, outputId } from '../../src/core/plasma/Transaction.ts'
import type { Account } from '../../src/edge/chain/LocalAccounts.ts'
import { runs } from '../fuzz.ts'
import {
  aside,
  competing,
  deposited,
  fate,
  HALF,
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
  challenging,
  depositId,
  depositing,
  depositOf,
  exiting,
  exitingDeposit,
  idOf,
  payment,
  seal,
  shown,
  start,
} from './people.ts'
import { set } from './scene.ts'
import {
  agreeOnState,
  alice,
  BOND,
  bob,
  carol,
  ETHER,
  expectDone,
  expectRefused,
  MFP,
  owed,
  play,
  type Stage,
  stranger,
} from './stage.ts'

const PEOPLE = [alice, bob, carol]

describe('RootChain, in-flight exits, processed', () => {
  const scene = set()
  let on: Stage
  let chain: Chain
  let gift: Deposit
  beforeEach(() => {
    ;({ on, chain, gift } = scene)
  })
  const pay = (memo = 0n, change = {}) =>
    payment(
      chain,
      [depositId(gift)],
      [
        [bob.address, 600n],
        [alice.address, 400n],
      ],
      { memo: uint(memo, 32), ...change },
    )
  const begin = (tx = pay(), by = alice.address, sending = {}) =>
    launch(on, starting(on, [chain], tx, [deposited(gift)], alice), by, sending)
  const compete = (run: Running, to = carol.address) => {
    const tx = payment(chain, [run.inFlight.tx.inputs[0]!], [[to, 1n]])
    return competing([chain], run, 0, spending(on, tx, tx.inputs[0]!, alice))
  }
  const process = async (run: Running, time = Math.max(on.time + 1, run.inFlight.exitableAt)) =>
    expectDone(await play(on, landing(chain, [run]), stranger.address, { time })).events
  const worth = (who: Account) => on.balances.get(who.address)!
  const give = async (value: bigint, salt: bigint, owner = alice) => {
    const one = depositOf(chain, owner.address, value, salt)
    expectDone(await play(on, depositing(one), owner.address))
    return one
  }

  it('in the second it is due and not before, by anybody, with exactly its data', async () => {
    const run = await begin()
    const due = run.inFlight.exitableAt
    const call = landing(chain, [run])
    expectRefused(await play(on, call, stranger.address, { time: due - 1 }), 'NotExitable', due - 1, due)
    const forged = { ...run.inFlight, bond: run.inFlight.bond * 2n }
    for (const one of [forged, { ...run.inFlight, late: true }, { ...run.inFlight, start: 1 }]) {
      expectRefused(
        await play(on, landing(chain, [one]), stranger.address, { time: on.time + due }),
        'MissingExit',
        0,
        0,
      )
    }
    await process(run)
    expectRefused(await play(on, call, stranger.address), 'EmptyQueue', chainId(chain), ETHER)
  })

  it('canonical: inputs consumed, wanted outputs paid, every bond back, nothing left behind', async () => {
    const run = await begin()
    expectDone(await play(on, piggybacking(run, 16), bob.address))
    const [mine, his, { bond }] = [worth(alice), worth(bob), run.inFlight]
    const events = await process(run)
    expect(paidBy(events)).to.deep.equal({ 4: 600n, 5: 400n })
    expect(events[0]).to.deep.equal({ name: 'InFlightProcessed', txHash: run.txHash, asset: ETHER, canonical: true })
    expect([worth(alice) - mine, worth(bob) - his]).to.deep.equal([400n + 3n * bond, 600n + bond])
    expect(fate(on, depositId(gift))).to.equal('consumed')
    expect(owed(on)).to.equal(0n)
  })

  it('not canonical: inputs paid, outputs not, the start’s bond stays split', async () => {
    const other = await give(50n, 2n)
    const tx = payment(chain, [depositId(gift), depositId(other)], [[bob.address, 1050n]])
    const call = starting(on, [chain], tx, [deposited(gift), deposited(other)], alice)
    const run = await launch(on, call, alice.address)
    expectDone(await play(on, piggybacking(run, 16), bob.address))
    expectDone(await play(on, compete(run), carol.address))
    const [mine, his, { bond }] = [worth(alice), worth(bob), run.inFlight]
    expect(paidBy(await process(run))).to.deep.equal({ 1: 50n })
    expect([worth(alice) - mine, worth(bob) - his]).to.deep.equal([50n + bond, bond])
    expect([fate(on, depositId(gift)), fate(on, depositId(other))]).to.deep.equal(['deposited', 'paid'])
    expect(owed(on)).to.equal(1000n + 2n * bond - (2n * bond) / 2n)
  })

  it('each position alone, in index order: what the pot cannot pay may leave by a new start', async () => {
    const fake = await seal(on, chain, [payment(chain, [uint(1n, 32)], [[carol.address, 900n]])])
    const stolen = await start(on, exiting(fake), carol.address)
    const tx = transfer(
      chain,
      [depositId(gift)],
      [output(bob.address, 600n), output(carol.address, 100n), output(bob.address, 300n)],
    )
    const call = starting(on, [chain], tx, [deposited(gift)], alice)
    const run = await launch(on, call, alice.address, { time: stolen.exit.exitableAt - MFP + 1 })
    expectDone(await play(on, piggybacking(run, 32), carol.address))
    expectDone(await play(on, piggybacking(run, 80), bob.address))
    const [mine, his, { bond }] = [worth(alice), worth(bob), run.inFlight]
    const data = landing(chain, [run], ETHER, [stolen.exit])
    const { events } = expectDone(await play(on, data, stranger.address, { time: run.inFlight.exitableAt }))
    expect(paidBy(events)).to.deep.equal({ 5: 100n })
    const unpaid = events.filter((event) => event.name === 'InFlightUnpaid')
    expect(unpaid.map(({ position, have, need }) => [position, have, need])).to.deep.equal([
      [4, 100n, 600n],
      [6, 0n, 300n],
    ])
    expect([worth(alice) - mine, worth(bob) - his]).to.deep.equal([2n * bond, 2n * bond])
    await give(600n, 3n)
    const again = await launch(on, call, bob.address)
    expect(paidBy(await process(again))).to.deep.equal({ 4: 600n })
    await give(300n, 4n)
    const third = await launch(on, call, bob.address, { value: 2n * BOND })
    expect(paidBy(await process(third))).to.deep.equal({ 6: 300n })
  })

  it('pays inputs only, if one was paid before', async () => {
    const other = await give(50n, 2n)
    const exit = await start(on, exitingDeposit(gift), alice.address)
    const tx = payment(chain, [depositId(gift), depositId(other)], [[bob.address, 1050n]])
    const call = starting(on, [chain], tx, [deposited(gift), deposited(other)], alice)
    const run = await launch(on, call, alice.address)
    expectDone(await play(on, piggybacking(run, 16), bob.address))
    const data = landing(chain, [run], ETHER, [exit.exit])
    const { events } = expectDone(await play(on, data, stranger.address, { time: run.inFlight.exitableAt }))
    expect(paidBy(events)).to.deep.equal({ 1: 50n })
  })

  it('pays inputs only, if one was consumed by another', async () => {
    const other = await give(50n, 2n)
    const first = await begin()
    expectDone(await play(on, piggybacking(first, 16), bob.address))
    const tx = payment(chain, [depositId(other), depositId(gift)], [[bob.address, 1050n]])
    const call = starting(on, [chain], tx, [deposited(other), deposited(gift)], alice)
    const run = await launch(on, call, alice.address)
    expect(paidBy(await process(first))).to.deep.equal({ 4: 600n, 5: 400n })
    const second = competing([chain], run, 1, spending(on, pay(), depositId(gift), alice))
    expect(
      paidBy(
        await aside(on, async () => {
          expectDone(await play(on, second, carol.address))
          return process(run)
        }),
      ),
    ).to.deep.equal({ 0: 50n })
    expect(paidBy(await process(run))).to.deep.equal({ 0: 50n })
  })

  it('leaves a standard exit of its input nothing, and keeps that bond; one of its output is dropped', async () => {
    const block = await seal(on, chain, [pay()])
    const run = await begin()
    expectDone(await play(on, piggybacking(run, 16), bob.address))
    const input = await start(on, exitingDeposit(gift), alice.address)
    const sold = await start(on, exiting(block), bob.address)
    await process(run)
    const [mine, his] = [worth(alice), worth(bob)]
    const data = landing(chain, [], ETHER, [input.exit, sold.exit])
    const late = { time: sold.exit.exitableAt }
    const { events } = expectDone(await play(on, data, stranger.address, late))
    expect(events.map(({ name }) => name)).to.deep.equal(['ExitDropped', 'ExitDropped'])
    expect([worth(alice) - mine, worth(bob) - his]).to.deep.equal([0n, sold.exit.bond])
  })

  it('among standard exits and voids of both lanes, in the order of age, in any slices', async () => {
    const other = await give(50n, 2n, bob)
    const block = await scene.paid()
    const young = await start(on, exiting(block), bob.address)
    const tx = payment(chain, [idOf(on, block, 0, 1)], [[carol.address, 400n]])
    const flying = await launch(on, starting(on, [chain], tx, [included(block, 0, 1)], alice), alice.address)
    const listed = await start(on, exitingDeposit(other), bob.address)
    const third = await give(60n, 3n, carol)
    const sent = payment(chain, [depositId(third)], [[bob.address, 60n]])
    const run = await launch(on, starting(on, [chain], sent, [deposited(third)], carol), carol.address)
    const gone = await start(on, exitingDeposit(third), carol.address)
    const void_ = challenging(on, gone, chain, { tx: sent }, carol)
    expectDone(await play(on, void_, stranger.address))
    expect([young.lane, flying.lane, listed.lane, run.lane]).to.deep.equal([1, 1, 0, 0])
    const time = { time: flying.inFlight.exitableAt }
    const whole = landing(chain, [run, flying], ETHER, [listed.exit, young.exit])
    const { events } = await aside(on, async () => expectDone(await play(on, whole, stranger.address, time)))
    const names = events.flatMap((event) =>
      'ids' in event ? event.ids : 'asset' in event && 'txHash' in event ? event.txHash : [],
    )
    expect(names).to.deep.equal([listed.exit.ids, run.txHash, young.exit.ids, flying.txHash])
    const wrong = landing(chain, [flying, run], ETHER, [young.exit, listed.exit])
    expect((await aside(on, () => play(on, wrong, stranger.address, time))).events.length).to.be.greaterThan(0)
    expectRefused(await play(on, landing(chain, [flying, run]), stranger.address, time), 'MissingExit', 0, 0)
    for (const slice of [
      landing(chain, [], ETHER, [listed.exit]),
      landing(chain, [run]),
      landing(chain, [], ETHER, [young.exit]),
      landing(chain, [flying]),
    ]) {
      expectDone(await play(on, slice, stranger.address))
    }
    expectRefused(await play(on, whole, stranger.address), 'EmptyQueue')
  })

  it('with two withheld exits that share an input: neither outputs nor that input, whoever signed both', async () => {
    const [first, second] = [await begin(pay(1n), alice.address), await begin(pay(2n), alice.address)]
    const against = (run: Running, { inFlight: { tx } }: Running) =>
      competing([chain], run, 0, spending(on, tx, depositId(gift), alice))
    expectDone(await play(on, piggybacking(first, 16), bob.address))
    expectDone(await play(on, against(first, second), carol.address))
    expectDone(await play(on, against(second, first), carol.address))
    expect(paidBy([...(await process(first)), ...(await process(second))])).to.deep.equal({})
    expect(fate(on, depositId(gift))).to.equal('deposited')
  })

  it('of a chain of unconfirmed payments in one withheld block: the first leaves, the next cannot start', async () => {
    const run = await begin()
    const spend = payment(chain, [outputId(run.txHash, 0)], [[carol.address, 600n]])
    const { bond } = run.inFlight
    const header = uint(7n, 32)
    const number = 1
    expectDone(await play(on, { verb: 'commit', chain, number, header, asOf: on.time }, chain.operator))
    const guess = {
      number,
      time: on.time,
      asOf: on.time - 1,
      index: 0,
      siblings: new Array(16).fill(header),
      childrenRoot: uint(0n, 32),
      levels: [],
    }
    const source = { deposited: [], tx: [pay()], output: 0, inclusion: [guess] }
    expectRefused(await play(on, starting(on, [chain], spend, [source], bob), carol.address), 'WrongCommitment')
    expectDone(await play(on, piggybacking(run, 16), bob.address))
    const before = worth(carol)
    expectDone(await play(on, objecting([chain], run, 4, spending(on, spend, spend.inputs[0]!, bob)), carol.address))
    expect(worth(carol) - before).to.equal(bond / 2n)
    expect(paidBy(await process(run))).to.deep.equal({ 5: 400n })
  })

  describe('and started again', () => {
    it('after a canonical outcome: for late outputs, without a game, even late', async () => {
      const tx = pay(0n, { lastBlock: 1 })
      await process(await begin(tx))
      await seal(on, chain, [])
      const again = await begin(tx, bob.address)
      expect(again.inFlight.late).to.equal(true)
      expectRefused(await play(on, compete(again), carol.address), 'Consumed', again.txHash)
      const block = await seal(on, chain, [payment(chain, [depositId(gift)], [[carol.address, 1n]])])
      const older = spending(on, block.txs[0]!, depositId(gift), alice, [shown(block)])
      expectRefused(await play(on, competing([chain], again, 0, older), carol.address), 'Consumed', again.txHash)
      expect(paidBy(await process(again))).to.deep.equal({ 4: 600n })
    })

    it('after it was doubted: nothing of the first run counts, so its competitor has to be shown again', async () => {
      const block = await seal(on, chain, [pay()])
      const run = await begin()
      expectDone(await play(on, compete(run), carol.address))
      await process(run)
      const again = await begin()
      expect(on.model.places.get(again.txHash)).to.equal(undefined)
      expectRefused(await play(on, responding([chain], again, shown(block)), carol.address), 'NoCompetitor')
      expectRefused(await play(on, piggybacking(run, 16), bob.address), 'NotRunning')
      expect((await aside(on, () => process(again)))[0]).to.deep.include({ canonical: true })
      expectDone(await play(on, compete(again), carol.address))
      expect((await process(again))[0]).to.deep.include({ canonical: false })
    })

    it('after it paid its inputs: never canonical again, whatever is shown', async () => {
      const other = await give(50n, 2n)
      const tx = payment(chain, [depositId(gift), depositId(other)], [[bob.address, 1050n]])
      const block = await seal(on, chain, [tx])
      const call = starting(on, [chain], tx, [deposited(gift), deposited(other)], alice)
      const run = await launch(on, call, alice.address)
      expectDone(await play(on, compete(run), carol.address))
      expect(paidBy(await process(run))).to.deep.equal({ 1: 50n })
      expectRefused(await play(on, call, bob.address), 'NotParty', bob.address, 0)
      const again = await launch(on, call, alice.address, { value: 2n * BOND })
      expectDone(await play(on, piggybacking(again, 16), bob.address))
      expectRefused(await play(on, responding([chain], again, shown(block)), carol.address), 'NoCompetitor')
      expectDone(await play(on, compete(again), carol.address))
      expectDone(await play(on, responding([chain], again, shown(block)), carol.address))
      const events = await process(again)
      expect(events[0]).to.deep.include({ canonical: false })
      expect(paidBy(events)).to.deep.equal({})
      const third = await launch(on, call, alice.address, { value: 2n * BOND })
      expectDone(await play(on, piggybacking(third, 16), bob.address))
      expect(paidBy(await process(third))).to.deep.equal({ 0: 1000n })
      expectRefused(await play(on, call, alice.address), 'NothingLeft')
    })
  })

  it('with every bond and every wei accounted for, whatever was wanted, shown and spent', async () => {
    const party = fc.integer({ min: 0, max: 2 })
    const world = fc.record({
      inputs: fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 4 }),
      owners: fc.array(party, { minLength: 1, maxLength: 4 }),
      hasty: fc.boolean(),
      wanted: fc.integer({ min: 0, max: 255 }),
      rivals: fc.integer({ min: 0, max: 15 }),
      spent: fc.integer({ min: 0, max: 15 }),
      late: fc.boolean(),
      answered: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(world, async (drawn) => {
        await aside(on, async () => {
          const gifts: Deposit[] = []
          for (const [i, value] of drawn.inputs.entries()) gifts.push(await give(BigInt(value), BigInt(10 + i)))
          const each = drawn.inputs.reduce((sum, value) => sum + value, 0) / drawn.owners.length
          const outputs = drawn.owners.map((who) => output(PEOPLE[who]!.address, BigInt(Math.max(1, Math.floor(each)))))
          if (outputs.length > drawn.inputs.reduce((sum, value) => sum + value, 0)) return
          const tx = transfer(chain, gifts.map(depositId), outputs, { lastBlock: 2 })
          const block = await seal(on, chain, [tx, pay()])
          const call = starting(on, [chain], tx, gifts.map(deposited), alice)
          const receivers = outputs.map(({ owner }) => owner).filter((owner) => owner !== alice.address)
          if (drawn.hasty) for (const by of receivers) expectRefused(await play(on, call, by), 'NotParty', by, 0)
          const run = await launch(on, call, alice.address)
          for (const position of bitsOf(drawn.wanted)) {
            const owner = position < 4 ? alice.address : outputs[position - 4]?.owner
            if (owner) await play(on, piggybacking(run, 1 << position), owner)
          }
          for (const position of bitsOf(drawn.rivals).filter((at) => at < gifts.length)) {
            const one = payment(chain, [depositId(gifts[position]!)], [[carol.address, 1n]])
            const time = on.time + (drawn.late ? HALF : 1)
            const spend = spending(on, one, one.inputs[0]!, alice)
            expectDone(await play(on, competing([chain], run, position, spend), carol.address, { time }))
          }
          for (const position of bitsOf(drawn.spent).filter((at) => at < outputs.length)) {
            const one = payment(chain, [outputId(run.txHash, position)], [[carol.address, 1n]])
            const by = PEOPLE.find(({ address }) => address === outputs[position]!.owner)!
            await play(on, objecting([chain], run, position + 4, spending(on, one, one.inputs[0]!, by)), carol.address)
          }
          if (drawn.answered) await play(on, responding([chain], run, shown(block)), stranger.address)
          await agreeOnState(on)
          const paid = paidBy(await process(run))
          const sides = new Set(Object.keys(paid).map((position) => Number(position) > 3))
          expect(sides.size).to.be.lessThanOrEqual(1)
          await agreeOnState(on)
        })
      }),
      runs(12),
    )
  })
})
