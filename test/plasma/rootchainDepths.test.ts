import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import { PAID, startExitDigest } from '../../src/core/plasma/Exit.ts'
import { membership } from '../../src/core/plasma/Group.ts'
import type { Spend } from '../../src/core/plasma/Spend.ts'
import type { Deposit, Transaction } from '../../src/core/plasma/Transaction.ts'
import { type Branch, grow, leavingTogether, membersOf, type Planted, plant, tip } from './branches.ts'
import { challengingLocked, claiming, exitingLocked, lockedOutput, pairOf, SECRET, termsUntil } from './locks.ts'
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
  processing,
  shown,
  start,
  type Waiting,
} from './people.ts'
import { set } from './scene.ts'
import { alice, bob, carol, ETHER, expectDone, expectRefused, MFP, play, reveal, type Stage, signed } from './stage.ts'

const WORD = uint(0x1234n, 32)

for (const depth of [1, 2, 3]) {
  describe(`RootChain, ${depth} deep`, () => {
    const scene = set()
    const { later } = scene
    let on: Stage
    let branch: Branch
    let gift: Deposit
    beforeEach(async () => {
      on = scene.on
      branch = await grow(on, depth)
      gift = depositOf(tip(branch), alice.address, 1000n, 2n)
      expectDone(await play(on, depositing(gift), alice.address))
    })
    const halved = (change: Partial<Transaction> = {}) => {
      const to = [
        [bob.address, 600n],
        [alice.address, 400n],
      ] as const
      return payment(tip(branch), [depositId(gift)], to, change)
    }
    const spending = (block: Planted, change: Partial<Transaction> = {}) =>
      payment(tip(branch), [idOf(on, block)], [[carol.address, 600n]], change)
    const process = (exits: readonly Waiting[], ids?: Waiting['ids']) => {
      const members = ids ? membersOf(on, ids) : []
      const given = exits.map(({ exit }) => exit)
      return processing(tip(branch), given, members)
    }
    const challenge = (exit: Waiting, spend: Partial<Spend>, by = bob) => challenging(on, exit, branch.path, spend, by)

    it('pays an output to its owner, out of its own chain’s pot, at the second that its age gives', async () => {
      const block = await plant(on, branch, [halved()])
      const exit = await start(on, exiting(block), bob.address)
      const due = block.commitment.time + 2 * MFP
      expect([exit.lane, exit.exit.exitableAt]).to.deep.equal([1, due])
      expectRefused(await play(on, process([exit]), carol.address, { time: due - 1 }), 'NotExitable', due - 1, due)
      expectDone(await play(on, process([exit]), carol.address, { time: due }))
      expectRefused(await play(on, exiting(block), bob.address), 'Finalised', exit.ids, PAID)
      expect(on.model.pots.get(`${chainId(tip(branch))}/${ETHER}`)).to.equal(depth === 1 ? 1400n : 400n)
    })

    it('pays a deposit, and makes its exit void by a spend, live or shown', async () => {
      const exit = await start(on, exitingDeposit(gift), alice.address)
      expectDone(await play(on, challenge(exit, { tx: halved() }, alice), carol.address))
      const block = await plant(on, branch, [halved({ lastBlock: 1 })])
      const again = await start(on, exitingDeposit(gift), alice.address)
      const spend = { tx: block.txs[0]! }
      expectRefused(await play(on, challenge(again, spend, alice), carol.address), 'Expired', 1, 1)
      expectDone(await play(on, challenge(again, { ...spend, inclusion: [shown(block)] }, alice), carol.address))
      const kept = depositOf(tip(branch), bob.address, 5n)
      expectDone(await play(on, depositing(kept), bob.address))
      const paid = await start(on, exitingDeposit(kept), bob.address)
      expectDone(await play(on, process([paid]), carol.address, later(MFP)))
    })

    it('makes an exit void by a live spend, and by an expired one that is shown in time', async () => {
      const block = await plant(on, branch, [halved()])
      const exit = await start(on, exiting(block), bob.address)
      const [late, timely] = [spending(block, { lastBlock: 2, memo: WORD }), spending(block, { lastBlock: 2 })]
      const second = await plant(on, branch, [timely])
      const third = await plant(on, branch, [late])
      expectRefused(await play(on, challenge(exit, { tx: timely }), carol.address), 'Expired', 2, 3)
      const shownLate = { tx: late, inclusion: [shown(third)] }
      expectRefused(await play(on, challenge(exit, shownLate), carol.address), 'IncludedLate', 3, 2)
      const shownElsewhere = { tx: { ...timely, lastBlock: 3 }, inclusion: [shown(third)] }
      const elsewhere = await play(on, challenge(exit, shownElsewhere), carol.address)
      expect(elsewhere.refused).to.be.oneOf(['WrongCommitment', 'WrongHeader'])
      expectDone(await play(on, challenge(exit, { tx: timely, inclusion: [shown(second)] }), carol.address))
      const again = await start(on, exiting(block), bob.address)
      const live = spending(block, { lastBlock: 4 })
      expectRefused(await play(on, challenge(again, { tx: live }, carol), carol.address), 'WrongSigner')
      expectDone(await play(on, challenge(again, { tx: live }), carol.address))
    })

    it('hears no spend of another chain, though it is of the same tree', async () => {
      const block = await plant(on, branch, [halved()])
      const exit = await start(on, exiting(block), bob.address)
      const other = await grow(
        on,
        depth,
        [1, 8, 9].map((slot, at) => (at < depth - 1 ? branch.path[at]!.slot : slot)),
      )
      const alien = { ...spending(block), chain: chainId(tip(other)) }
      const { path } = other
      const need = chainId(tip(branch))
      expectRefused(await play(on, challenge(exit, { tx: alien }), carol.address), 'WrongChain', alien.chain, need)
      const call = { ...challenge(exit, { tx: spending(block) }), path }
      expectRefused(await play(on, call, carol.address), 'WrongChain', alien.chain, need)
      const elsewhere = await plant(on, other, [spending(block, { lastBlock: 2 })])
      const included = { tx: elsewhere.txs[0]!, inclusion: [shown(elsewhere)] }
      const proven = await play(on, challenge(exit, included), carol.address)
      expect(proven.refused).to.be.oneOf(['WrongCommitment', 'WrongHeader'])
      expectRefused(await play(on, { ...challenge(exit, included), path }, carol.address), 'WrongChain')
      expectRefused(await play(on, exiting({ ...elsewhere, path: branch.path }), carol.address).then(named), 'refused')
    })

    it('takes a start by a permit for this chain alone', async () => {
      const block = await plant(on, branch, [halved()])
      const leave = { starter: carol.address, deadline: on.time + 99, signature: '0x' } as const
      const permit = (chain: `0x${string}`) => {
        const signature = signed(startExitDigest(on.domain, chain, [idOf(on, block)], leave), bob)
        return { ...leave, signature }
      }
      expectRefused(await play(on, exiting(block, 0, 0, permit(WORD)), carol.address), 'WrongSigner')
      expectDone(await play(on, exiting(block, 0, 0, permit(chainId(tip(branch)))), carol.address))
    })

    it('pays a group at once, and makes it void by a spend of one member', async () => {
      const block = await plant(on, branch, [
        halved(),
        payment(tip(branch), [WORD], [[bob.address, 7n]]),
        payment(tip(branch), [WORD], [[alice.address, 1n]]),
        payment(tip(branch), [WORD], [[bob.address, 9n]]),
      ])
      const picks = [
        [3, 0],
        [0, 0],
        [1, 0],
      ] as const
      const exit = await start(on, leavingTogether(on, block, picks), bob.address)
      const members = membersOf(on, exit.ids)
      const at = members.findIndex(({ id }) => id === idOf(on, block))
      const spend = challenge(exit, { tx: spending(block), input: 0 })
      const named_ = { ...spend, verb: 'challengeGroup', membership: membership(members, at) } as const
      expectRefused(await play(on, { ...named_, path: branch.path.slice(1) }, carol.address).then(named), 'refused')
      expectDone(await play(on, named_, carol.address))
      const again = await start(on, leavingTogether(on, block, picks), bob.address)
      const { events } = expectDone(await play(on, process([again], again.ids), carol.address, later(2 * MFP)))
      expect(events).to.deep.include({ name: 'ExitPaid', ids: again.ids, lane: 1, index: 1, amount: 616n })
    })

    it('puts a locked output into escrow, hears a spend of both sides, and pays whom the preimage names', async () => {
      const terms = termsUntil(on.time + 5 * MFP)
      const locked = { ...halved(), outputs: [lockedOutput(terms, 1000n)] }
      const block = await plant(on, branch, [locked])
      const exit = await start(on, exitingLocked(block, terms), bob.address)
      const tx = spending(block)
      const authorisation = pairOf(on, tx, bob, alice)
      expectDone(await play(on, challengingLocked(on, exit, block, { tx, authorisation }, terms), carol.address))
      const again = await start(on, exitingLocked(block, terms), alice.address)
      expectDone(await play(on, process([again]), carol.address, later(2 * MFP)))
      expectRefused(await play(on, claiming(terms, bob.address), carol.address), 'Undecided')
      await reveal(on, SECRET)
      expectDone(await play(on, claiming(terms, bob.address), carol.address))
    })

    it('knows one transaction in two numbers as one', async () => {
      const first = await plant(on, branch, [halved()])
      const second = await plant(on, branch, [payment(tip(branch), [WORD], [[carol.address, 1n]]), halved()])
      const exits = [await start(on, exiting(first), bob.address), await start(on, exiting(second, 1), bob.address)]
      const { events } = expectDone(await play(on, process(exits), carol.address, later(2 * MFP)))
      expect(events.map(({ name }) => name)).to.deep.equal(['ExitPaid', 'ExitDropped'])
    })

    it('pays no chain’s money to another’s exits, whoever of the tree lies', async () => {
      const richest = 10_000n
      const everybody = await grow(on, 3)
      for (const [at, chain] of everybody.path.entries()) {
        const made = depositOf(chain, carol.address, richest, BigInt(100 + at))
        expectDone(await play(on, depositing(made), carol.address))
      }
      const have = on.model.pots.get(`${chainId(tip(branch))}/${ETHER}`)!
      const lie = payment(tip(branch), [WORD], [[bob.address, have + 1n]])
      const block = await plant(on, branch, [lie])
      const exit = await start(on, exiting(block), bob.address)
      const { events } = expectDone(await play(on, process([exit]), bob.address, later(2 * MFP)))
      expect(events).to.deep.equal([{ name: 'ExitUnpaid', ids: exit.ids, lane: 1, index: 0, have, need: have + 1n }])
      for (const chain of everybody.path) {
        const call = processing(chain, [exit.exit])
        expectRefused(await play(on, call, bob.address), 'EmptyQueue', chainId(chain), ETHER)
      }
    })

    /** A refusal of any name, where which one it is depends on the depth. */
    function named<T extends { readonly refused: string | undefined }>(outcome: T): T {
      return { ...outcome, refused: outcome.refused ? 'refused' : undefined }
    }
  })
}
