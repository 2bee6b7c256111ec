import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { PAID, startExitDigest } from '../../src/core/plasma/Exit.ts'
import type { Spend } from '../../src/core/plasma/Spend.ts'
import type { Deposit } from '../../src/core/plasma/Transaction.ts'
import {
  chainId,
  challenging,
  depositId,
  depositing,
  depositOf,
  exiting,
  exitingDeposit,
  newChain,
  payment,
  processing,
  seal,
  shown,
  start,
  txHash,
  type Waiting,
} from './people.ts'
import { set } from './scene.ts'
import {
  alice,
  bob,
  carol,
  ETHER,
  expectDone,
  expectRefused,
  MFP,
  play,
  type Stage,
  signed,
  stranger,
} from './stage.ts'

const WORD = uint(0x1234n, 32)

describe('RootChain, challenged and processed', () => {
  const scene = set()
  const { paid, later, process } = scene
  let on: Stage
  let chain: Chain
  let gift: Deposit
  beforeEach(() => {
    ;({ on, chain, gift } = scene)
  })

  describe('hears challenges', () => {
    let exit: Waiting
    const spend = (to = bob.address, terms: { lastBlock?: number } = {}) =>
      payment(chain, [depositId(gift)], [[to, 1000n]], terms)
    const challenge = (part: Partial<Spend>, by: typeof alice | undefined = alice) =>
      challenging(on, exit, chain, { tx: spend(), ...part }, by)
    beforeEach(async () => {
      exit = await start(on, exitingDeposit(gift), alice.address)
    })

    it('by a live spend that the owner signed: half the bond to the sender, half to the pot', async () => {
      const before = on.balances.get(carol.address)!
      expectDone(await play(on, challenge({}), carol.address))
      expect(on.balances.get(carol.address)! - before).to.equal(exit.exit.bond / 2n)
      expectRefused(await play(on, challenge({}), carol.address), 'WrongEntry')
      expectDone(await play(on, process(exit), bob.address))
    })

    it('by a spend that the owner approved, with no signature', async () => {
      const hash = txHash(on.domain, spend())
      const unsigned = challenging(on, exit, chain, { tx: spend() })
      expectRefused(await play(on, unsigned, carol.address), 'NotApproved', alice.address, hash)
      expectDone(await play(on, { verb: 'approve', txHash: hash }, bob.address))
      expectRefused(await play(on, unsigned, carol.address), 'NotApproved', alice.address, hash)
      expectDone(await play(on, { verb: 'approve', txHash: hash }, alice.address))
      expectDone(await play(on, unsigned, carol.address))
    })

    it('by an expired spend only if it is shown, in a block up to its lastBlock', async () => {
      const block = await seal(on, chain, [spend(), spend(bob.address, { lastBlock: 1 })])
      const late = await seal(on, chain, [spend(bob.address, { lastBlock: 1 })])
      const tx = block.txs[1]!
      expectRefused(await play(on, challenge({ tx }), carol.address), 'Expired', 1, 2)
      expectRefused(await play(on, challenge({ tx, inclusion: [shown(late)] }), carol.address), 'IncludedLate', 2, 1)
      const other = { tx, inclusion: [shown(block, 0)] }
      expectRefused(await play(on, challenge(other), carol.address), 'WrongCommitment')
      const twice = { tx, inclusion: [shown(block, 1), shown(block, 1)] }
      expectRefused(await play(on, challenge(twice), carol.address), 'TooManyInclusions', 2n, 1n)
      expectDone(await play(on, challenge({ tx, inclusion: [shown(block, 1)] }), carol.address))
    })

    it('never by a spend that expires at the last committed number', async () => {
      const tx = spend(bob.address, { lastBlock: 1 })
      await seal(on, chain, [])
      expectRefused(await play(on, challenge({ tx }), carol.address), 'Expired', 1, 1)
      expectDone(await play(on, challenge({ tx: spend(bob.address, { lastBlock: 2 }) }), carol.address))
    })

    it('never by what does not count: unsigned, another’s, another chain’s, another output’s', async () => {
      expectRefused(await play(on, challenge({}, bob), carol.address), 'WrongSigner', bob.address, alice.address)
      expectRefused(
        await play(
          on,
          challenge({ tx: spend(carol.address), authorisation: challenge({}).spend.authorisation }),
          bob.address,
        ),
        'WrongSigner',
      )
      const elsewhere = { ...spend(), chain: WORD }
      expectRefused(await play(on, challenge({ tx: elsewhere }), carol.address), 'WrongChain', WORD, chainId(chain))
      const wrong = { ...spend(), inputs: [WORD] }
      expectRefused(await play(on, challenge({ tx: wrong, input: 0 }), carol.address), 'WrongInput', WORD, exit.ids)
      expectRefused(await play(on, challenge({ tx: wrong, input: 1 }), carol.address), 'NoSuchPosition', 1n, 1n)
      const path = [{ ...chain, slot: 7 }]
      expectRefused(
        await play(on, { ...challenge({}), path }, carol.address),
        'WrongChain',
        chainId(path[0]!),
        chainId(chain),
      )
      expectRefused(
        await play(on, { ...challenge({}), path: [] as readonly Chain[] } as PlasmaCall, carol.address),
        'WrongDepth',
        0n,
        3n,
      )
    })

    it('never with another exit’s data, or at another place', async () => {
      const { bond: posted } = exit.exit
      for (const altered of [
        { bond: posted + 1n },
        { starter: bob.address },
        { value: 1n },
        { exitableAt: 1 },
        { count: 2 },
      ]) {
        const call = { ...challenge({}), exit: { ...exit.exit, ...altered } }
        expectRefused(await play(on, call, carol.address), 'WrongEntry')
      }
      expectRefused(await play(on, { ...challenge({}), index: 1 }, carol.address), 'WrongEntry')
      expectRefused(await play(on, { ...challenge({}), lane: 1 }, carol.address), 'WrongEntry')
    })

    it('to the last second before it is processed, and never after', async () => {
      const second = await start(on, exitingDeposit(gift), alice.address)
      expectDone(await play(on, challenge({}), carol.address, later(3 * MFP)))
      expectDone(await play(on, process(second), bob.address))
      expectRefused(await play(on, challenging(on, second, chain, { tx: spend() }, alice), carol.address), 'WrongEntry')
    })

    it('of the transaction that made it least of all: an output is not spent by its own transaction', async () => {
      const block = await paid()
      const mine = await start(on, exiting(block, 0, 1), alice.address)
      const call = challenging(on, mine, chain, { tx: block.txs[0]!, input: 0 }, alice)
      expectRefused(await play(on, call, carol.address), 'WrongInput', depositId(gift), mine.ids)
    })

    it('and lets the owner cancel for the same price, nobody else', async () => {
      const { lane, index } = exit
      const cancel: PlasmaCall = { verb: 'cancelExit', exit: exit.exit, lane, index }
      expectRefused(await play(on, cancel, bob.address), 'NotOwner', bob.address, alice.address)
      expectRefused(await play(on, { ...cancel, index: 1 }, alice.address), 'WrongEntry')
      expectDone(await play(on, cancel, alice.address))
      expectRefused(await play(on, cancel, alice.address), 'WrongEntry')
      const again = await start(on, exitingDeposit(gift), alice.address)
      expectDone(await play(on, process(exit, again), bob.address, later(MFP)))
      expect(on.model.status.get(exit.ids)).to.equal(PAID)
    })
  })

  describe('processes', () => {
    it('from the second in which the head may be paid, and not before', async () => {
      const exit = await start(on, exitingDeposit(gift), alice.address)
      const due = exit.exit.exitableAt
      expectRefused(await play(on, process(exit), bob.address, { time: due - 1 }), 'NotExitable', due - 1, due)
      expectDone(await play(on, process(exit), bob.address, { time: due }))
      expectRefused(await play(on, process(exit), bob.address), 'EmptyQueue', chainId(chain), ETHER)
    })

    it('a young output from its own second on', async () => {
      const block = await paid()
      const exit = await start(on, exiting(block), bob.address)
      const due = block.commitment.time + 2 * MFP
      expectRefused(await play(on, process(exit), bob.address, { time: due - 1 }), 'NotExitable', due - 1, due)
      expectDone(await play(on, process(exit), bob.address, { time: due }))
    })

    it('both lanes as one queue: older outputs first, the list first on a tie', async () => {
      const block = await paid()
      const due = block.commitment.time + 2 * MFP
      const young = await start(on, exiting(block), bob.address)
      const tied = await start(on, exiting(block, 0, 1), alice.address, { time: due - MFP })
      expect([young.lane, tied.lane, tied.exit.exitableAt]).to.deep.equal([1, 0, due])
      const wrongOrder = await play(on, process(young), carol.address, { time: due })
      expectRefused(wrongOrder, 'MissingExit', 0, 0)
      const { events } = expectDone(await play(on, process(tied, young), carol.address))
      expect(events).to.deep.include({ name: 'ExitPaid', ids: tied.ids, lane: 0, index: 0, amount: 400n })
      expect(events.map((event) => 'ids' in event && event.ids)).to.deep.equal([tied.ids, young.ids])
    })

    it('in slices by strangers, skipping data of exits that have left', async () => {
      const exits: Waiting[] = []
      for (let salt = 10n; salt < 14n; salt++) {
        const deposit = depositOf(chain, bob.address, salt, salt)
        expectDone(await play(on, depositing(deposit), bob.address))
        exits.push(await start(on, exitingDeposit(deposit), bob.address))
      }
      expectDone(await play(on, process(exits[0]!), stranger.address, later(MFP)))
      expectRefused(await play(on, process(exits[2]!), stranger.address), 'MissingExit', 0, 1)
      expectRefused(await play(on, process(), stranger.address), 'MissingExit', 0, 1)
      const { events } = expectDone(await play(on, process(...exits), stranger.address))
      expect(events).to.have.length(3)
    })

    it('nothing larger than its pot: the bond goes back, and it may be started again', async () => {
      const made = await seal(on, chain, [payment(chain, [WORD], [[bob.address, 1001n]])])
      const exit = await start(on, exiting(made), bob.address)
      const { events } = expectDone(await play(on, process(exit), carol.address, later(2 * MFP)))
      expect(events).to.deep.equal([{ name: 'ExitUnpaid', ids: exit.ids, lane: 1, index: 0, have: 1000n, need: 1001n }])
      expectDone(await play(on, depositing(depositOf(chain, carol.address, 1n)), carol.address))
      const again = await start(on, exiting(made), bob.address)
      expectDone(await play(on, process(again), carol.address, later(MFP)))
      expect(on.model.status.get(exit.ids)).to.equal(PAID)
    })

    it('from the pot of its own chain only', async () => {
      const other = await newChain(on, 1)
      const made = await seal(on, other, [payment(other, [WORD], [[bob.address, 1n]])])
      const exit = await start(on, exiting(made), bob.address)
      const call = processing(other, [exit.exit])
      const { events } = expectDone(await play(on, call, carol.address, later(2 * MFP)))
      expect(events[0]!.name).to.equal('ExitUnpaid')
    })

    it('a permit’s exit to its owner, and the bond to its starter', async () => {
      const leave = { starter: ETHER, deadline: on.time + 99, signature: '0x' } as const
      const signature = signed(startExitDigest(on.domain, chainId(chain), [depositId(gift)], leave), alice)
      const exit = await start(on, exitingDeposit(gift, { ...leave, signature }), bob.address)
      const before = [alice, bob].map(({ address }) => on.balances.get(address)!)
      expectDone(await play(on, process(exit), carol.address, later(MFP)))
      const after = [alice, bob].map(({ address }) => on.balances.get(address)!)
      expect(after.map((have, i) => have - before[i]!)).to.deep.equal([1000n, exit.exit.bond])
    })

    it('past the data of in-flight exits that do not wait', async () => {
      const tx = payment(chain, [WORD], [])
      const odd = { tx, spent: [], start: 1, exitableAt: 1, bond: 1n, starter: bob.address, late: false }
      const call = { ...process(await start(on, exitingDeposit(gift), alice.address)), inFlight: [odd] }
      const { events } = expectDone(await play(on, call, bob.address, later(MFP)))
      expect(events.map(({ name }) => name)).to.deep.equal(['ExitPaid'])
    })

    it('past fifty void entries at the head, with the gas of one exit and little more', async () => {
      for (let i = 0; i < 50; i++) {
        const { exit, lane, index } = await start(on, exitingDeposit(gift), alice.address)
        expectDone(await play(on, { verb: 'cancelExit', exit, lane, index }, alice.address))
      }
      const last = await start(on, exitingDeposit(gift), alice.address)
      expectDone(await play(on, process(last), bob.address, { ...later(MFP), gas: 800_000 }))
      expect(on.model.status.get(depositId(gift))).to.equal(PAID)
    })
  })
})
