import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { pair } from '../../src/core/plasma/Draft.ts'
import { type Deposit, outputId, type Transaction } from '../../src/core/plasma/Transaction.ts'
import type { Account } from '../../src/edge/chain/LocalAccounts.ts'
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
  exiting,
  exitingDeposit,
  idOf,
  payment,
  seal,
  shown,
  start,
  txHash,
} from './people.ts'
import { set } from './scene.ts'
import { alice, BOND, bob, carol, ETHER, expectDone, expectRefused, MFP, play, type Stage, stranger } from './stage.ts'

const WORD = uint(0x1234n, 32)
/** Who is up to no good in these tests. */
const mallory = carol

describe('RootChain, in-flight exits, thefts replayed', () => {
  const scene = set()
  let on: Stage
  let chain: Chain
  let gift: Deposit
  beforeEach(() => {
    ;({ on, chain, gift } = scene)
  })
  const pay = (change: Partial<Transaction> = {}) =>
    payment(
      chain,
      [depositId(gift)],
      [
        [bob.address, 600n],
        [alice.address, 400n],
      ],
      change,
    )
  const worth = (who: Account) => on.balances.get(who.address)!
  const give = async (value: bigint, salt: bigint, owner: Account = alice) => {
    const one = depositOf(chain, owner.address, value, salt)
    expectDone(await play(on, depositing(one), owner.address))
    return one
  }
  const begin = (tx: Transaction, gifts: readonly Deposit[], by: Account, starter = by, sending = {}) =>
    launch(on, starting(on, [chain], tx, gifts.map(deposited), by), starter.address, sending)
  const compete = (
    run: Running,
    tx: Transaction,
    by: Account,
    position = 0,
    proof: Parameters<typeof spending>[4] = [],
  ) => competing([chain], run, position, spending(on, tx, run.inFlight.tx.inputs[position]!, by, proof))
  const process = async (run: Running, time = Math.max(on.time + 1, run.inFlight.exitableAt)) =>
    expectDone(await play(on, landing(chain, [run]), stranger.address, { time })).events

  it('nobody races the starter for its second side: its start wants inputs and outputs', async () => {
    const other = await give(50n, 2n)
    const tx = transfer(
      chain,
      [depositId(gift), depositId(other)],
      [output(bob.address, 50n), output(alice.address, 1000n)],
    )
    const run = await begin(tx, [gift, other], alice)
    expect(run.piggybacked).to.equal(0b0010_0011)
    expect(paidBy(await aside(on, () => process(run)))).to.deep.equal({ 5: 1000n })
    const exit = await start(on, exitingDeposit(gift), alice.address)
    const time = { time: exit.exit.exitableAt }
    const data = landing(chain, [run], ETHER, [exit.exit])
    expect(paidBy(expectDone(await play(on, data, stranger.address, time)).events)).to.deep.equal({ 5: 1000n })
  })

  it('nobody makes a pending call stale: whatever came before it, it does what it was to do, or that is done', async () => {
    const rivals = [1n, 2n, 3n].map((to) => payment(chain, [depositId(gift)], [[mallory.address, to]]))
    const outputs = [output(bob.address, 500n), output(alice.address, 400n), output(bob.address, 100n)]
    const tx = pay({ outputs })
    const block = await seal(on, chain, [rivals[1]!, tx, rivals[2]!])
    const run = await begin(tx, [gift], alice)
    const next = payment(chain, [outputId(run.txHash, 1)], [[mallory.address, 400n]])
    const object = objecting([chain], run, 5, spending(on, next, next.inputs[0]!, alice))
    const calls = {
      piggyback: [piggybacking(run, 16), bob],
      both: [piggybacking(run, 80), bob],
      input: [piggybacking(run, 1), alice],
      live: [compete(run, rivals[0]!, alice), stranger],
      old: [compete(run, rivals[2]!, alice, 0, [shown(block, 2)]), stranger],
      older: [compete(run, rivals[1]!, alice, 0, [shown(block, 0)]), stranger],
      object: [object, stranger],
      respond: [responding([chain], run, shown(block, 1)), stranger],
      exit: [exitingDeposit(gift), alice],
      leave: [exiting(block, 1, 1), alice],
      approve: [{ verb: 'approve', txHash: run.txHash }, alice],
      deposit: [depositing(depositOf(chain, alice.address, 1n, 77n)), alice],
      again: [starting(on, [chain], tx, [deposited(gift)], alice), alice],
    } as const
    const done: { readonly [call: string]: string } = {
      'piggyback after both': 'WrongPositions',
      'both after piggyback': 'WrongPositions',
      'live after old': 'NotOlder',
      'live after older': 'NotOlder',
      'old after older': 'NotOlder',
    }
    // Only a doubt can be answered, and by what is older; and nothing is started twice, nor is an input wanted again.
    const usually: { readonly [call: string]: string } = {
      respond: 'NoCompetitor',
      again: 'AlreadyRunning',
      input: 'WrongPositions',
    }
    for (const [front, [first, by]] of Object.entries(calls)) {
      await aside(on, async () => {
        await play(on, first, by.address)
        for (const [name, [call, sender]] of Object.entries(calls)) {
          if (name === front || name === 'exit' || name === 'leave') continue
          const { refused } = await aside(on, () => play(on, call, sender.address))
          const answers = name === 'respond' && ['live', 'old', 'older'].includes(front)
          const answer = front === 'older' ? 'NotOlder' : undefined
          const why = answers ? answer : (done[`${name} after ${front}`] ?? usually[name])
          expect(refused, `${name} after ${front}`).to.equal(why)
        }
      })
    }
  })

  it('nobody prices others out of a piggyback: the bond of an exit is within two of the least', async () => {
    const call = starting(on, [chain], pay(), [deposited(gift)], alice)
    expectRefused(await play(on, call, alice.address, { value: 3n * 1000n * BOND }), 'WrongBond')
    const run = await launch(on, call, alice.address, { value: 6n * BOND })
    const before = worth(bob)
    expectDone(await play(on, piggybacking(run, 16), bob.address))
    expect(before - worth(bob)).to.equal(2n * BOND)
  })

  it('the first queue fixes the outcome: canonical in one, its inputs are not paid in another run, either', async () => {
    const run = await begin(pay(), [gift], alice)
    const rival = payment(chain, [depositId(gift)], [[alice.address, 1000n]])
    await process(run)
    const again = await begin(pay(), [gift], alice, bob)
    expectRefused(await play(on, compete(again, rival, alice), mallory.address), 'Consumed', run.txHash)
    const its = await begin(rival, [gift], alice, alice, { value: 2n * BOND })
    expect(its.piggybacked).to.equal(16)
    expect(paidBy([...(await process(again)), ...(await process(its))])).to.deep.equal({ 4: 600n })
  })

  it('a dead transaction is started late: without its inclusion it pays no outputs', async () => {
    const tx = pay({ lastBlock: 1 })
    await seal(on, chain, [])
    const again = payment(chain, [depositId(gift)], [[bob.address, 1000n]])
    const block = await seal(on, chain, [again])
    const received = await start(on, exiting(block), bob.address)
    const run = await begin(tx, [gift], alice)
    expect(run.inFlight.late).to.equal(true)
    expectDone(await play(on, compete(run, again, alice, 0, [shown(block)]), bob.address))
    expect(paidBy(await process(run))).to.deep.equal({})
    const before = worth(bob)
    expectDone(
      await play(on, landing(chain, [], ETHER, [received.exit]), bob.address, { time: received.exit.exitableAt }),
    )
    expect(worth(bob) - before).to.equal(1000n + received.exit.bond)
  })

  it('a dead transaction that nobody answers pays inputs, never outputs; one that is shown, outputs', async () => {
    const tx = pay({ lastBlock: 1 })
    const block = await seal(on, chain, [tx])
    const run = await begin(tx, [gift], alice)
    expectDone(await play(on, piggybacking(run, 16), bob.address))
    expect(paidBy(await aside(on, () => process(run)))).to.deep.equal({ 0: 1000n })
    expectDone(await play(on, responding([chain], run, shown(block)), bob.address))
    const before = worth(alice)
    expect(paidBy(await process(run))).to.deep.equal({ 4: 600n, 5: 400n })
    expect(worth(alice) - before).to.equal(400n + 3n * run.inFlight.bond)
  })

  it('what started live stays live when it expires in the middle', async () => {
    const run = await begin(pay({ lastBlock: 1 }), [gift], alice)
    await seal(on, chain, [])
    expectDone(await play(on, piggybacking(run, 16), bob.address))
    expectRefused(
      await play(on, responding([chain], run, { ...shown(await seal(on, chain, [])), number: 1 }), bob.address),
      'NoCompetitor',
    )
    expect(paidBy(await process(run))).to.deep.equal({ 4: 600n, 5: 400n })
  })

  it('a competitor that has expired counts only with its inclusion, whoever shows it', async () => {
    const rival = payment(chain, [depositId(gift)], [[mallory.address, 1000n]], { lastBlock: 1 })
    const run = await begin(pay(), [gift], alice)
    const first = await aside(on, () => play(on, compete(run, rival, alice), alice.address))
    expectDone(first)
    await seal(on, chain, [])
    expectRefused(await play(on, compete(run, rival, alice), alice.address), 'Expired', 1, 1)
  })

  it('consumed inputs make it canonical for ever: no second run pays them back', async () => {
    const tx = pay({ lastBlock: 1 })
    await process(await begin(tx, [gift], alice))
    await seal(on, chain, [])
    expectRefused(await play(on, starting(on, [chain], tx, [deposited(gift)], alice), alice.address), 'NothingLeft')
    const run = await begin(tx, [gift], alice, bob)
    const before = worth(alice)
    expect(paidBy(await process(run))).to.deep.equal({ 4: 600n })
    expect(worth(alice)).to.equal(before)
    expect(fate(on, depositId(gift))).to.equal('consumed')
  })

  it('all inputs have one payee: nobody’s coin is dragged into another’s double spend', async () => {
    const his = await give(10n, 2n, mallory)
    for (const gifts of [
      [gift, his],
      [his, gift],
    ]) {
      const tx = payment(chain, gifts.map(depositId), [[mallory.address, 1010n]])
      for (const by of [alice, mallory]) {
        const call = starting(on, [chain], tx, gifts.map(deposited), by)
        expectRefused(await play(on, call, by.address), 'MixedOwners')
        expectDone(await play(on, { verb: 'approve', txHash: txHash(on.domain, tx) }, by.address))
        expectRefused(await play(on, { ...call, authorisation: '0x' }, by.address), 'MixedOwners')
      }
    }
  })

  it('every rule of a valid transaction is checked again: what a bad block prints cannot leave in flight', async () => {
    const id = depositId(await give(10n, 2n, mallory))
    const own = depositOf(chain, mallory.address, 10n, 2n)
    const to = (value: bigint) => output(mallory.address, value)
    const top = 2n ** 256n - 1n
    const printed: readonly (readonly [Transaction, string])[] = [
      [transfer(chain, [id], [to(1000n)]), 'Unbalanced'],
      [transfer(chain, [id], [to(10n), to(1n)]), 'Unbalanced'],
      [transfer(chain, [id], [to(top), to(11n)]), 'Unbalanced'],
      [transfer(chain, [id, id], [to(20n)]), 'RepeatedInput'],
      [transfer(chain, [id], []), 'WrongShape'],
      [transfer(chain, [], [to(5n)]), 'WrongShape'],
      [transfer(chain, [id], [to(10n), to(0n)]), 'ZeroValue'],
    ]
    await seal(
      on,
      chain,
      printed.map(([tx]) => tx),
    )
    for (const [tx, why] of printed) {
      const call = starting(
        on,
        [chain],
        tx,
        tx.inputs.map(() => deposited(own)),
        mallory,
      )
      expectRefused(await play(on, call, mallory.address), why)
    }
  })

  it('only the payer starts: neither a stranger nor a receiver opens a game that others must answer', async () => {
    const call = starting(on, [chain], pay(), [deposited(gift)], alice)
    expectRefused(await play(on, call, mallory.address), 'NotParty', mallory.address, 0)
    expectRefused(await play(on, call, stranger.address), 'NotParty', stranger.address, 0)
    expectRefused(await play(on, call, bob.address), 'NotParty', bob.address, 0)
  })

  it('it joins its queue at its start, with the age of its inputs: nothing younger passes it', async () => {
    const run = await begin(pay(), [gift], alice)
    expectDone(await play(on, piggybacking(run, 16), bob.address))
    const fake = await seal(on, chain, [payment(chain, [WORD], [[mallory.address, 1000n]])])
    const stolen = await start(on, exiting(fake), mallory.address)
    const loot = payment(chain, [idOf(on, fake)], [[mallory.address, 999n]])
    const flight = await launch(on, starting(on, [chain], loot, [included(fake)], mallory), mallory.address)
    const right = landing(chain, [run, flight], ETHER, [stolen.exit])
    const before = worth(mallory)
    expectDone(await play(on, right, stranger.address, { time: flight.inFlight.exitableAt }))
    expect(worth(mallory) - before).to.equal(stolen.exit.bond + 3n * flight.inFlight.bond)
    expect(fate(on, outputId(run.txHash, 0))).to.equal('paid')
  })

  it('one coin has one name: a transaction at two numbers pays once, through all exits together', async () => {
    const [first, second] = [await seal(on, chain, [pay()]), await seal(on, chain, [pay()])]
    const run = await begin(pay(), [gift], alice)
    expectDone(await play(on, piggybacking(run, 16), bob.address))
    const exits = [await start(on, exiting(first), bob.address), await start(on, exiting(second), bob.address)]
    const before = worth(bob)
    const data = landing(
      chain,
      [run],
      ETHER,
      exits.map(({ exit }) => exit),
    )
    expectDone(await play(on, data, stranger.address, { time: exits[1]!.exit.exitableAt }))
    const bonds = run.inFlight.bond + exits[0]!.exit.bond + exits[1]!.exit.bond
    expect(worth(bob) - before).to.equal(600n + bonds)
    expect(on.model.pots.get(pair(chainId(chain), ETHER))).to.equal(0n)
  })

  it('an exit of a withheld block is as old as its inputs: what it made leaves before what it stole', async () => {
    const block = await scene.paid()
    const tx = payment(chain, [idOf(on, block)], [[mallory.address, 600n]])
    const run = await launch(on, starting(on, [chain], tx, [included(block)], bob), bob.address)
    const header = uint(1n, 32)
    expectDone(await play(on, { verb: 'commit', chain, number: 2, header, asOf: on.time }, chain.operator))
    expectDone(await play(on, piggybacking(run, 16), mallory.address))
    expect(run.inFlight.exitableAt).to.be.lessThan(on.time + 2 * MFP)
    expect(paidBy(await process(run))).to.deep.equal({ 4: 600n })
  })

  it('half the start’s bond is taken once, each blocked bond once, however many compete', async () => {
    const other = await give(50n, 2n)
    const tx = payment(chain, [depositId(gift), depositId(other)], [[alice.address, 1050n]])
    const run = await begin(tx, [gift, other], alice)
    const before = worth(mallory)
    for (const position of [0, 1]) {
      for (const value of [1n, 2n]) {
        const rival = payment(chain, [tx.inputs[position]!], [[mallory.address, value]])
        await play(on, compete(run, rival, alice, position), mallory.address)
      }
    }
    const { bond } = run.inFlight
    expect(worth(mallory) - before).to.equal((2n * bond) / 2n + bond / 2n)
    const mine = worth(alice)
    await process(run)
    expect(worth(alice) - mine).to.equal(bond)
  })
})
