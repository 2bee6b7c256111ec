import { expect } from 'chai'
import { type Hex, slice, uint, ZERO } from '../../src/core/base/Bytes.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { PAID, type Permit, startExitDigest } from '../../src/core/plasma/Exit.ts'
import { type LockTerms, lockOf } from '../../src/core/plasma/LockTerms.ts'
import type { Transaction } from '../../src/core/plasma/Transaction.ts'
import { challengingLocked, claiming, exitingLocked, lockedOutput, pairOf, SECRET, termsUntil } from './locks.ts'
import {
  chainId,
  challenging,
  depositId,
  depositing,
  depositOf,
  exiting,
  idOf,
  payment,
  type Sealed,
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
  reveal,
  type Stage,
  signed,
  stranger,
} from './stage.ts'

const WORD = uint(0x1234n, 32)
const NOBODY: Hex = ETHER

describe('RootChain and hash locks', () => {
  const scene = set()
  const { later, process } = scene
  let on: Stage
  let chain: Chain
  let terms: LockTerms
  let lock: Hex
  let block: Sealed
  beforeEach(async () => {
    ;({ on, chain } = scene)
    terms = termsUntil(on.time + 3 * MFP)
    lock = lockOf(terms)
    block = await seal(on, chain, [locked()])
  })
  /** Alice’s deposit, for bob if he has the preimage in time. */
  const locked = (under = terms) => ({
    ...payment(chain, [depositId(scene.gift)], []),
    outputs: [lockedOutput(under, 1000n)],
  })
  const begin = (by = bob.address, of = block, under = terms) => start(on, exitingLocked(of, under), by)
  const spend = (change: Partial<Transaction> = {}) => payment(chain, [idOf(on, block)], [[carol.address, 1n]], change)
  const challenge = (exit: Waiting, tx: Transaction, authorisation: Hex, under = terms) =>
    challengingLocked(on, exit, block, { tx, authorisation, input: tx.inputs.indexOf(exit.ids) }, under)
  const pass = async (time: number) => {
    expectDone(await play(on, { verb: 'approve', txHash: WORD }, stranger.address, { time }))
  }

  describe('lets a locked output leave', () => {
    it('by its owner or its refund while nobody has decided, by nobody else', async () => {
      expectRefused(
        await play(on, exitingLocked(block, terms), carol.address),
        'WrongSigner',
        carol.address,
        bob.address,
      )
      for (const by of [bob, alice]) {
        const { exit } = await begin(by.address)
        expect([exit.owner, exit.lock, exit.starter]).to.deep.equal([bob.address, lock, by.address])
      }
    })

    it('by its owner alone once the preimage is there', async () => {
      await reveal(on, SECRET)
      expectRefused(
        await play(on, exitingLocked(block, terms), alice.address),
        'WrongSigner',
        alice.address,
        bob.address,
      )
      await begin()
    })

    it('by its refund alone from the second after the expiry on', async () => {
      await pass(terms.expiry - 1)
      expectDone(await play(on, exitingLocked(block, terms), bob.address, { time: terms.expiry }))
      expectRefused(await play(on, exitingLocked(block, terms), bob.address), 'WrongSigner', bob.address, bob.address)
      await begin(alice.address)
    })

    it('by anybody with the permit of one who may, as long as it may', async () => {
      const permit = (by: typeof bob): Permit => {
        const leave = { starter: ETHER, deadline: on.time + 9 * MFP, signature: '0x' } as const
        return { ...leave, signature: signed(startExitDigest(on.domain, chainId(chain), [idOf(on, block)], leave), by) }
      }
      for (const by of [alice, bob])
        expectDone(await play(on, exitingLocked(block, terms, 0, 0, permit(by)), carol.address))
      const wrong = exitingLocked(block, terms, 0, 0, permit(carol))
      expectRefused(await play(on, wrong, carol.address), 'WrongSigner', carol.address, bob.address)
      await reveal(on, SECRET)
      const lost = exitingLocked(block, terms, 0, 0, permit(alice))
      expectRefused(await play(on, lost, carol.address), 'WrongSigner', alice.address, bob.address)
    })

    it('only by its own terms, and never as a plain one; a plain one never as locked', async () => {
      for (const change of [{ hash: WORD }, { expiry: terms.expiry + 1 }, { refund: carol.address }]) {
        const wrong = { ...terms, ...change }
        expectRefused(await play(on, exitingLocked(block, wrong), bob.address), 'WrongLock', lockOf(wrong), lock)
      }
      expectRefused(await play(on, exiting(block), bob.address), 'LockedOutput', lock)
      const plain = await seal(on, chain, [payment(chain, [WORD], [[bob.address, 1n]])])
      expectRefused(await play(on, exitingLocked(plain, terms), bob.address), 'WrongLock', lock, ZERO)
    })

    it('and nobody takes it back: the other side may rely on it', async () => {
      const { exit, lane, index } = await begin()
      for (const by of [bob, alice]) {
        const call = { verb: 'cancelExit', exit, lane, index } as const
        expectRefused(await play(on, call, by.address), by === bob ? 'LockedOutput' : 'NotOwner')
      }
    })

    it('though nobody gets it back: with no refund it waits for its preimage', async () => {
      const hopeless = termsUntil(on.time + 5, { refund: NOBODY })
      const odd = await seal(on, chain, [locked(hopeless)])
      await pass(hopeless.expiry + 1)
      expectRefused(await play(on, exitingLocked(odd, hopeless), alice.address), 'WrongSigner')
      const exit = await begin(bob.address, odd, hopeless)
      expectDone(await play(on, process(exit), stranger.address, later(2 * MFP)))
      await reveal(on, SECRET)
      expectRefused(await play(on, claiming(hopeless, bob.address), bob.address), 'Undecided', lockOf(hopeless))
    })
  })

  describe('decides by the time of the preimage', () => {
    for (const [name, after, who] of [
      ['one second before the expiry: the owner', -1, bob],
      ['in the second of the expiry: the owner', 0, bob],
      ['one second after it: the refund', 1, alice],
      ['long after it: the refund', MFP, alice],
    ] as const) {
      it(name, async () => {
        const exit = await begin()
        await reveal(on, SECRET, terms.expiry + after)
        expectDone(await play(on, process(exit), stranger.address))
        const loser = who === bob ? alice : bob
        const claim = claiming(terms, loser.address)
        expectRefused(await play(on, claim, loser.address), 'NotOwner', loser.address, who.address)
        expectDone(await play(on, claiming(terms, who.address), stranger.address))
        expectRefused(await play(on, claiming(terms, who.address), who.address), 'NothingInEscrow')
        expectRefused(await play(on, exitingLocked(block, terms), who.address), 'Finalised', exit.ids, PAID)
      })
    }

    it('never: the refund, and not before the expiry has passed', async () => {
      const exit = await begin()
      expectDone(await play(on, process(exit), stranger.address, { time: exit.exit.exitableAt }))
      const claim = claiming(terms, carol.address)
      expectRefused(await play(on, claim, alice.address, { time: terms.expiry }), 'Undecided', lock)
      expectRefused(
        await play(on, claim, bob.address, { time: terms.expiry + 1 }),
        'NotOwner',
        bob.address,
        alice.address,
      )
      expectDone(await play(on, claim, alice.address))
      await reveal(on, SECRET)
      expectRefused(await play(on, claiming(terms, bob.address), bob.address), 'NothingInEscrow')
    })

    it('before the output was made: the owner at once if the lock expires later, else the refund', async () => {
      await reveal(on, SECRET)
      const known = termsUntil(on.time + 1)
      const past = termsUntil(on.time - 1, { refund: carol.address })
      const young = await seal(on, chain, [locked(known), { ...locked(past), memo: WORD }])
      expectRefused(
        await play(on, exitingLocked(young, known), alice.address),
        'WrongSigner',
        alice.address,
        bob.address,
      )
      await begin(bob.address, young, known)
      expectRefused(await play(on, exitingLocked(young, past, 1), bob.address), 'WrongSigner', bob.address, bob.address)
      expectDone(await play(on, exitingLocked(young, past, 1), carol.address))
    })
  })

  describe('hears a spend of a locked output', () => {
    it('by both sides while it is undecided, each by signature or approval', async () => {
      const tx = spend()
      for (const [owner, refund] of [
        [bob, alice],
        [undefined, alice],
        [bob, undefined],
        [undefined, undefined],
      ] as const) {
        for (const one of [owner ? undefined : bob, refund ? undefined : alice]) {
          if (one) expectDone(await play(on, { verb: 'approve', txHash: txHash(on.domain, tx) }, one.address))
        }
        const exit = await begin()
        expectDone(await play(on, challenge(exit, tx, pairOf(on, tx, owner, refund)), carol.address))
      }
    })

    it('never by half of the pair, by another’s half, or with other inputs beside it', async () => {
      const exit = await begin()
      const tx = spend()
      const hash = txHash(on.domain, tx)
      const refused = async (authorisation: Hex, ...refusal: readonly [string, ...unknown[]]) =>
        expectRefused(await play(on, challenge(exit, tx, authorisation), carol.address), ...refusal)
      await refused(pairOf(on, tx, bob), 'NotApproved', alice.address, hash)
      await refused(pairOf(on, tx, undefined, alice), 'NotApproved', bob.address, hash)
      await refused(pairOf(on, tx, alice, bob), 'WrongSigner', alice.address, bob.address)
      await refused(pairOf(on, tx, bob, bob), 'WrongSigner', bob.address, alice.address)
      await refused(signed(hash, bob), 'Undecided', lock)
      await refused(slice(pairOf(on, tx, bob), 0, 64), 'Undecided', lock)
      await refused('0x', 'Undecided', lock)
      const wide = spend({ inputs: [idOf(on, block), WORD] })
      expectRefused(
        await play(on, challenge(exit, wide, pairOf(on, wide, bob, alice)), carol.address),
        'Undecided',
        lock,
      )
    })

    it('(!) by half a pair once its signer is the payee: that half was its word for ever', async () => {
      const tx = spend()
      const [first, second] = [await begin(), await begin(alice.address)]
      await reveal(on, SECRET)
      const refunds = challenge(first, tx, pairOf(on, tx, undefined, alice))
      expectRefused(await play(on, refunds, carol.address), 'NotApproved', bob.address, txHash(on.domain, tx))
      expectDone(await play(on, challenge(first, tx, pairOf(on, tx, bob)), carol.address))
      expectDone(await play(on, challenge(second, tx, signed(txHash(on.domain, tx), bob)), carol.address))
    })

    it('by the refund’s half or signature after the expiry, not by its owner’s', async () => {
      const tx = spend()
      const exit = await begin()
      await pass(terms.expiry + 1)
      const hash = txHash(on.domain, tx)
      expectRefused(
        await play(on, challenge(exit, tx, pairOf(on, tx, bob)), carol.address),
        'NotApproved',
        alice.address,
        hash,
      )
      const losing = await play(on, challenge(exit, tx, signed(hash, bob)), carol.address)
      expectRefused(losing, 'WrongSigner', bob.address, alice.address)
      expectDone(await play(on, challenge(exit, tx, pairOf(on, tx, undefined, alice)), carol.address))
      const again = await begin(alice.address)
      expectDone(await play(on, challenge(again, tx, signed(hash, alice)), carol.address))
    })

    it('(!) whenever it was included: a spend by the losing side counts for nothing, before or after', async () => {
      // Bob's spend was included before anything was decided: signatures carry no time, the payee of today decides.
      const included = await seal(on, chain, [spend({ lastBlock: 2 })])
      const exit = await begin()
      const [tx] = included.txs
      await pass(terms.expiry + 1)
      const call = challengingLocked(
        on,
        exit,
        block,
        { tx: tx!, input: 0, authorisation: signed(txHash(on.domain, tx!), bob), inclusion: [shown(included)] },
        terms,
      )
      expectRefused(await play(on, call, carol.address), 'WrongSigner', bob.address, alice.address)
    })

    it('only with its own terms, and never by the verb of plain outputs', async () => {
      const exit = await begin()
      const tx = spend()
      const pair = pairOf(on, tx, bob, alice)
      const wrong = { ...terms, refund: carol.address }
      expectRefused(await play(on, challenge(exit, tx, pair, wrong), carol.address), 'WrongLock', lockOf(wrong), lock)
      expectRefused(
        await play(on, challenging(on, exit, chain, { tx, authorisation: pair }), carol.address),
        'LockedOutput',
        lock,
      )
      // The exit told as if it were plain is no exit that waits.
      const plain = { ...exit, exit: { ...exit.exit, lock: ZERO } }
      expectRefused(await play(on, challenging(on, plain, chain, { tx }, bob), carol.address), 'WrongEntry')
    })

    it('by a 128-byte word for a plain output never', async () => {
      const plain = await seal(on, chain, [payment(chain, [WORD], [[bob.address, 1n]])])
      const exit = await start(on, exiting(plain), bob.address)
      const tx = payment(chain, [exit.ids], [[carol.address, 1n]])
      const call = challenging(on, exit, chain, { tx, authorisation: pairOf(on, tx, bob, bob) })
      expectRefused(await play(on, call, carol.address), 'WrongSigner', NOBODY, bob.address)
    })
  })

  describe('keeps in escrow', () => {
    it('what matures before it is decided, and pays it once, wherever the payee says', async () => {
      const exit = await begin()
      const { events } = expectDone(await play(on, process(exit), stranger.address, { time: exit.exit.exitableAt }))
      expect(events.map(({ name }) => name)).to.deep.equal(['ExitPaid', 'Escrowed'])
      expectRefused(await play(on, claiming(terms, bob.address), bob.address), 'Undecided', lock)
      await reveal(on, SECRET)
      for (const wrong of [
        { ...terms, refund: carol.address },
        { ...terms, expiry: 1 },
      ]) {
        expectRefused(
          await play(on, claiming(wrong, bob.address), bob.address),
          'NothingInEscrow',
          bob.address,
          lockOf(wrong),
          ETHER,
          0n,
        )
      }
      expectRefused(
        await play(on, claiming(terms, carol.address), carol.address),
        'NotOwner',
        carol.address,
        bob.address,
      )
      expectRefused(await play(on, claiming(terms, bob.address, ETHER, 1n), bob.address), 'NothingInEscrow')
      expectRefused(
        await play(on, claiming(terms, alice.address, ETHER, 0n, alice.address), alice.address),
        'NothingInEscrow',
      )
      expectDone(await play(on, claiming(terms, carol.address), bob.address))
    })

    it('sums under one lock, though both sides exit at once: the output once', async () => {
      const other = await seal(on, chain, [{ ...locked(), memo: WORD }])
      const exits = [await begin(), await begin(alice.address), await begin(alice.address, other)]
      expectDone(await play(on, depositing(depositOf(chain, carol.address, 1000n)), carol.address))
      const { events } = expectDone(await play(on, process(...exits), stranger.address, later(2 * MFP)))
      expect(events.filter(({ name }) => name.startsWith('Exit')).map(({ name }) => name)).to.deep.equal([
        'ExitPaid',
        'ExitDropped',
        'ExitPaid',
      ])
      await reveal(on, SECRET)
      const before = on.balances.get(bob.address)!
      expectDone(await play(on, claiming(terms, bob.address), stranger.address))
      expect(on.balances.get(bob.address)! - before).to.equal(2000n)
    })

    it('for a receiver that refuses until it takes it or names another', async () => {
      const owned = { ...locked(), outputs: [lockedOutput(terms, 1000n, ETHER, on.receiverAddress)] }
      const odd = await seal(on, chain, [owned])
      const exit = await begin(on.receiverAddress, odd)
      expectDone(await play(on, process(exit), stranger.address, later(2 * MFP)))
      await reveal(on, SECRET)
      await on.receiver.behave(1, ETHER, '0x', { gasPrice: 0 })
      on.time = await scene.connection.networkHelpers.time.latest()
      on.refusing = true
      const claim = (to: Hex) => claiming(terms, to, ETHER, 0n, on.receiverAddress)
      expectRefused(
        await play(on, claim(on.receiverAddress), carol.address),
        'PaymentRefused',
        ETHER,
        on.receiverAddress,
        1000n,
      )
      expectDone(await play(on, claim(carol.address), on.receiverAddress))
    })

    it('nothing that the pot does not have', async () => {
      const lie = await seal(on, chain, [{ ...locked(), outputs: [lockedOutput(terms, 1001n)] }])
      const exit = await begin(bob.address, lie)
      const { events } = expectDone(await play(on, process(exit), stranger.address, later(2 * MFP)))
      expect(events.map(({ name }) => name)).to.deep.equal(['ExitUnpaid'])
      await reveal(on, SECRET)
      expectRefused(await play(on, claiming(terms, bob.address), bob.address), 'NothingInEscrow')
    })
  })
})
