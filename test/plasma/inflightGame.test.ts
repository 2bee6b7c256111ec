import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { NOWHERE } from '../../src/core/plasma/InFlightExit.ts'
import type { Deposit } from '../../src/core/plasma/Transaction.ts'
import { dispute } from './dispute.ts'
import { deposited, fate, HALF, landing, launch, paidBy, piggybacking, spending, starting } from './flights.ts'
import {
  chainId,
  depositId,
  depositing,
  depositOf,
  exitingDeposit,
  payment,
  seal,
  shown,
  start,
  txHash,
} from './people.ts'
import { set } from './scene.ts'
import { alice, BOND, bob, carol, expectDone, expectRefused, play, type Stage, stranger } from './stage.ts'

const WORD = uint(0x1234n, 32)

describe('RootChain, in-flight exits, disputed', () => {
  const scene = set()
  let on: Stage
  let chain: Chain
  let gift: Deposit
  beforeEach(() => {
    ;({ on, chain, gift } = scene)
  })
  const { pay, rival, share, begin, wanted, process, compete, respond, worth, stateOf } = dispute(scene)

  describe('piggyback', () => {
    it('what is the sender’s, with exactly the bond of the exit, whatever the base fee is now', async () => {
      const run = await begin()
      const before = worth(bob)
      for (const value of [0n, BOND - 1n, BOND + 1n, 2n * BOND, run.inFlight.bond + 1n]) {
        if (value === run.inFlight.bond) continue
        const need = run.inFlight.bond
        const sent = { value, baseFee: 0n }
        expectRefused(await play(on, piggybacking(run, 16), bob.address, sent), 'WrongBond', value, need, need)
      }
      expectDone(await play(on, piggybacking(run, 16), bob.address))
      expect(before - worth(bob)).to.equal(run.inFlight.bond)
      expect(stateOf(run)!.piggybacked).to.equal(0b0011_0001)
    })

    it('several at once, with a bond each', async () => {
      const run = await begin(share(bob))
      const before = worth(bob)
      expectRefused(await play(on, piggybacking(run, 80), bob.address, { value: BOND }), 'WrongBond')
      expectDone(await play(on, piggybacking(run, 80), bob.address))
      expect(before - worth(bob)).to.equal(2n * run.inFlight.bond)
      expect(stateOf(run)!.piggybacked).to.equal(0b0111_0001)
    })

    it('nothing foreign, nothing twice, nothing that does not exist, and never no position', async () => {
      const run = await begin(share())
      const refused = async (who: typeof bob, why: string, ...positions: readonly number[]) => {
        for (const one of positions) {
          const args = why === 'NotParty' ? [who.address, one] : [one]
          expectRefused(await play(on, piggybacking(run, one), who.address), why, ...args)
        }
      }
      await refused(stranger, 'NotParty', 16, 64, 80)
      await refused(alice, 'NotParty', 16, 64, 80)
      await refused(carol, 'NotParty', 16, 80)
      await refused(alice, 'WrongPositions', 1, 32, 33)
      await refused(bob, 'WrongPositions', 1, 32, 48)
      await refused(bob, 'WrongPositions', 0, 2, 4, 8, 128, 18, 144, 255)
      expectDone(await play(on, piggybacking(run, 16), bob.address))
      await refused(bob, 'WrongPositions', 16)
      await refused(carol, 'WrongPositions', 80)
      expectDone(await play(on, piggybacking(run, 64), carol.address))
    })

    it('to the last second of the first half', async () => {
      const run = await begin()
      const end = run.inFlight.start + HALF
      const [late, last] = [{ time: end }, { time: end - 1 }]
      expectDone(await play(on, piggybacking(run, 16), bob.address, last))
      const other = await begin(share())
      const its = other.inFlight.start + HALF
      expectDone(await play(on, piggybacking(other, 16), bob.address, { time: its - 1 }))
      expectRefused(await play(on, piggybacking(other, 64), carol.address, { time: its }), 'TooLate', its, its)
      expectRefused(await play(on, piggybacking(other, 64), carol.address), 'TooLate', its + 1, its)
      expect(late.time).to.be.lessThan(its)
    })

    it('nothing blocked, and nothing finalised', async () => {
      const run = await begin()
      expectDone(await play(on, compete(run), carol.address))
      expectRefused(await play(on, piggybacking(run, 1), alice.address), 'WrongPositions', 1)
      const other = await wanted(share())
      const both = landing(chain, [run, other])
      expectDone(await play(on, both, stranger.address, { time: other.inFlight.exitableAt }))
      const again = await begin(share(), carol.address, { value: 2n * BOND })
      expect(again.piggybacked).to.equal(64)
      expectRefused(await play(on, piggybacking(again, 16), bob.address), 'WrongPositions', 16)
      expectRefused(await play(on, piggybacking(again, 1), alice.address), 'WrongPositions', 1)
      expectRefused(await play(on, piggybacking(again, 32), alice.address), 'WrongPositions', 32)
    })

    it('only of an exit that runs, and with exactly what its start told', async () => {
      const run = await begin()
      const { inFlight } = run
      const forged = [
        { ...inFlight, bond: 0n },
        { ...inFlight, starter: bob.address },
        { ...inFlight, start: inFlight.start + 1 },
        { ...inFlight, exitableAt: inFlight.exitableAt - 1 },
        { ...inFlight, late: true },
        { ...inFlight, spent: [{ ...inFlight.spent[0]!, owner: bob.address }] },
        { ...inFlight, spent: [...inFlight.spent, ...inFlight.spent] },
        { ...inFlight, spent: [] },
      ]
      for (const one of forged) {
        const call = piggybacking({ ...run, inFlight: one }, 16)
        expectRefused(await play(on, call, bob.address, { value: BOND }), 'NotRunning', run.txHash)
      }
      const tx = pay({ memo: WORD })
      const other = piggybacking({ ...run, inFlight: { ...inFlight, tx } }, 16)
      expectRefused(await play(on, other, bob.address), 'NotRunning', txHash(on.domain, tx))
      expectDone(await process(run))
      expectRefused(await play(on, piggybacking(run, 16), bob.address), 'NotRunning', run.txHash)
    })
  })

  describe('compete', () => {
    it('with a live spend: the input is blocked, both bonds are split, inputs and outputs stay', async () => {
      const run = await begin()
      expectDone(await play(on, piggybacking(run, 16), bob.address))
      const before = worth(carol)
      const { events } = expectDone(await play(on, compete(run), carol.address))
      expect(events[0]).to.deep.include({ number: 2 ** 40 - 1, index: 2 ** 16 - 1, position: 0 })
      expect(worth(carol) - before).to.equal((2n * run.inFlight.bond) / 2n)
      const [mine, his] = [worth(alice), worth(bob)]
      expect(paidBy(expectDone(await process(run)).events)).to.deep.equal({})
      expect([worth(alice) - mine, worth(bob) - his]).to.deep.equal([run.inFlight.bond, run.inFlight.bond])
      expect(fate(on, depositId(gift))).to.equal('deposited')
    })

    it('with an included spend, older than the response or not', async () => {
      const block = await seal(on, chain, [pay({ memo: WORD }), rival(), pay(), rival({ memo: WORD })])
      const run = await begin()
      expectDone(await play(on, compete(run, rival({ memo: WORD }), block, 3), carol.address))
      expectDone(await play(on, respond(run, block, 2), carol.address))
      const late = rival({ memo: WORD })
      expectRefused(
        await play(on, compete(run, late, block, 3), carol.address),
        'NotOlder',
        (1n << 16n) + 3n,
        (1n << 16n) + 3n,
      )
      expectDone(await play(on, compete(run, rival(), block, 1), carol.address))
      expectRefused(
        await play(on, respond(run, block, 2), carol.address),
        'NotOlder',
        (1n << 16n) + 2n,
        (1n << 16n) + 2n,
      )
      expect(paidBy(expectDone(await process(run)).events)).to.deep.equal({})
      expect(on.model.inFlight.size).to.equal(0)
    })

    it('once paid: a second live one is refused, an older one changes the place but pays nothing', async () => {
      const run = await begin()
      expectDone(await play(on, compete(run), carol.address))
      const other = rival({ memo: WORD })
      expectRefused(await play(on, compete(run, other), bob.address), 'NotOlder', NOWHERE, NOWHERE)
      const block = await seal(on, chain, [other])
      const before = worth(bob)
      expectDone(await play(on, compete(run, other, block), bob.address))
      expect(worth(bob)).to.equal(before)
      expect(on.model.places.get(run.txHash)!.competitor).to.equal(1n << 16n)
    })

    it('never with itself, unless it can consume nothing', async () => {
      const block = await seal(on, chain, [pay()])
      const run = await begin()
      expectRefused(await play(on, compete(run, pay()), carol.address), 'SameTransaction', run.txHash)
      expectRefused(await play(on, compete(run, pay(), block), carol.address), 'SameTransaction', run.txHash)
    })

    it('never with what does not count or spends something else', async () => {
      const run = await begin()
      const id = depositId(gift)
      const change = (part: object) => ({ ...compete(run), spend: { ...compete(run).spend, ...part } })
      const refused = async (call: ReturnType<typeof compete>, ...why: readonly [string, ...unknown[]]) =>
        expectRefused(await play(on, call, carol.address), ...why)
      await refused(change({ authorisation: '0x' }), 'NotApproved')
      await refused(
        { ...compete(run), spend: spending(on, rival(), id, bob) },
        'WrongSigner',
        bob.address,
        alice.address,
      )
      await refused(change({ input: 1 }), 'NoSuchPosition', 1n, 1n)
      await refused({ ...compete(run), position: 1 }, 'NoSuchPosition', 1n, 1n)
      await refused({ ...compete(run), position: 255 }, 'NoSuchPosition', 255n, 1n)
      await refused(change({ tx: { ...rival(), inputs: [WORD] } }), 'WrongInput', WORD, id)
      await refused(change({ tx: { ...rival(), chain: WORD } }), 'WrongChain', WORD, chainId(chain))
      await refused({ ...compete(run), path: [{ ...chain, slot: 9 }] }, 'WrongChain')
      const fee = { ...rival(), inputs: [] }
      await refused(change({ tx: fee, input: 0 }), 'NoSuchPosition', 0n, 0n)
      const block = await seal(on, chain, [rival({ lastBlock: 1 })])
      const expired = compete(run, rival({ lastBlock: 1 }))
      await refused(expired, 'Expired', 1, 1)
      const twice = { ...expired.spend, inclusion: [shown(block), shown(block)] }
      await refused({ ...expired, spend: twice }, 'TooManyInclusions', 2n, 1n)
      const wrong = { ...expired.spend, inclusion: [{ ...shown(block), index: 1 }] }
      await refused({ ...expired, spend: wrong }, 'WrongCommitment')
      expectDone(await play(on, compete(run, rival({ lastBlock: 1 }), block), carol.address))
    })

    it('with an approved spend of a contract', async () => {
      const run = await begin()
      expectDone(await play(on, { verb: 'approve', txHash: txHash(on.domain, rival()) }, alice.address))
      const call = { ...compete(run), spend: spending(on, rival(), depositId(gift)) }
      expectDone(await play(on, call, carol.address))
    })

    it('in the second half blocks the input and no more: outputs are still paid', async () => {
      const run = await begin()
      const before = worth(carol)
      const end = run.inFlight.start + HALF
      expectDone(await play(on, compete(run), carol.address, { time: end }))
      expect(worth(carol) - before).to.equal(run.inFlight.bond / 2n)
      expect(stateOf(run)).to.deep.include({ doubted: false, blocked: 1 })
      expectRefused(await play(on, compete(run, rival({ memo: WORD })), carol.address), 'NotOlder', NOWHERE, NOWHERE)
      const block = await seal(on, chain, [rival()])
      expectRefused(await play(on, compete(run, rival(), block), carol.address), 'NotOlder', 1n << 16n, NOWHERE)
      expect(paidBy(expectDone(await process(run)).events)).to.deep.equal({ 5: 400n })
      expect(fate(on, depositId(gift))).to.equal('consumed')
    })

    it('in the last second of the first half still doubts it', async () => {
      const run = await begin()
      expectDone(await play(on, compete(run), carol.address, { time: run.inFlight.start + HALF - 1 }))
      expect(stateOf(run)).to.deep.include({ doubted: true, blocked: 1 })
    })

    it('an input that nobody piggybacked, as it was paid before: only the start’s bond is split', async () => {
      const other = depositOf(chain, alice.address, 50n, 2n)
      expectDone(await play(on, depositing(other), alice.address))
      const { exit } = await start(on, exitingDeposit(gift), alice.address)
      const paid = { ...landing(chain, []), exits: [exit] }
      expectDone(await play(on, paid, stranger.address, { time: exit.exitableAt }))
      expect(fate(on, depositId(gift))).to.equal('paid')
      const tx = payment(chain, [depositId(gift), depositId(other)], [[bob.address, 1050n]])
      const call = starting(on, [chain], tx, [deposited(gift), deposited(other)], alice)
      const run = await launch(on, call, alice.address, { value: 2n * BOND })
      expect(run.piggybacked).to.equal(2)
      const before = worth(carol)
      expectDone(await play(on, compete(run), carol.address))
      expect(worth(carol) - before).to.equal(run.inFlight.bond / 2n)
      expect(stateOf(run)).to.deep.include({ doubted: true, blocked: 1 })
      expectRefused(await play(on, piggybacking(run, 1), alice.address), 'WrongPositions', 1)
      expect(paidBy(expectDone(await process(run)).events)).to.deep.equal({ 1: 50n })
    })
  })

  describe('respond', () => {
    it('only to a competitor, and only with what is older', async () => {
      const block = await seal(on, chain, [rival(), pay(), rival({ memo: WORD })])
      const run = await begin()
      expectRefused(await play(on, respond(run, block, 1), carol.address), 'NoCompetitor', run.txHash)
      expectDone(await play(on, compete(run), carol.address))
      expectDone(await play(on, respond(run, block, 1), carol.address))
      expectRefused(await play(on, respond(run, block, 1), carol.address), 'NotOlder')
      expectDone(await play(on, compete(run, rival({ memo: WORD }), block, 2), carol.address))
      expect(paidBy(expectDone(await process(run)).events)).to.deep.equal({ 5: 400n })
    })

    it('with nothing but its own inclusion', async () => {
      const block = await seal(on, chain, [pay({ lastBlock: 1 }), rival()])
      const again = await seal(on, chain, [pay({ lastBlock: 1 })])
      const run = await begin(pay({ lastBlock: 1 }))
      expect(run.inFlight.late).to.equal(true)
      expectRefused(await play(on, respond(run, block, 1), carol.address), 'WrongCommitment')
      expectRefused(await play(on, respond(run, again), carol.address), 'IncludedLate', 2, 1)
      const call = { ...respond(run, block), path: [{ ...chain, slot: 3 }] }
      expectRefused(await play(on, call, carol.address), 'WrongChain')
      expectDone(await play(on, respond(run, block), carol.address))
    })

    it('even after the period, until its first queue has processed it', async () => {
      const block = await seal(on, chain, [pay()])
      const run = await begin()
      expectDone(await play(on, compete(run), carol.address))
      const late = { time: run.inFlight.exitableAt + 100 }
      expectDone(await play(on, respond(run, block), carol.address, late))
      const { events } = expectDone(await play(on, landing(chain, [run]), carol.address))
      expect(paidBy(events)).to.deep.equal({ 5: 400n })
      expectRefused(await play(on, respond(run, block), carol.address), 'NotRunning', run.txHash)
    })

    it('again with an older one, if it was included twice', async () => {
      const first = await seal(on, chain, [pay()])
      const middle = await seal(on, chain, [rival()])
      const second = await seal(on, chain, [pay()])
      const run = await begin()
      expectDone(await play(on, compete(run), carol.address))
      expectDone(await play(on, respond(run, second), carol.address))
      expectDone(await play(on, compete(run, rival(), middle), carol.address))
      expectDone(await play(on, respond(run, first), carol.address))
      expectRefused(await play(on, respond(run, second), carol.address), 'NotOlder')
      expect(paidBy(expectDone(await process(run)).events)).to.deep.equal({ 5: 400n })
    })
  })
})
