import { expect } from 'chai'
import { concat, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { compact } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { type LockTerms, lockOf } from '../../src/core/plasma/LockTerms.ts'
import { outputId, type Transaction } from '../../src/core/plasma/Transaction.ts'
import { escrowKey } from '../../src/core/plasma/Vaults.ts'
import type { Account } from '../../src/edge/chain/LocalAccounts.ts'
import {
  aside,
  competing,
  deposited,
  included,
  landing,
  launch,
  objecting,
  output,
  paidBy,
  piggybacking,
  type Running,
  starting,
  transfer,
} from './flights.ts'
import { depositId, idOf, payment, type Sealed, seal, txHash } from './people.ts'
import { set } from './scene.ts'
import {
  alice,
  BOND,
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

const PREIMAGE = uint(42n, 32)
const NOBODY: Hex = `0x${'00'.repeat(20)}`
const NONE = uint(0n, 64)

/** A block in which alice locks 1000 to bob, back to carol after a time. */
describe('RootChain, in-flight exits, of locked outputs', () => {
  const scene = set()
  let on: Stage
  let chain: Chain
  let terms: LockTerms
  let lock: Hex
  let block: Sealed
  let spend: Transaction
  beforeEach(async () => {
    ;({ on, chain } = scene)
    terms = { hash: hashLock(PREIMAGE), expiry: on.time + 300, refund: carol.address }
    lock = lockOf(terms)
    const locking = transfer(chain, [depositId(scene.gift)], [output(bob.address, 1000n, ETHER, lock)])
    block = await seal(on, chain, [locking])
    spend = payment(
      chain,
      [idOf(on, block)],
      [
        [bob.address, 600n],
        [carol.address, 400n],
      ],
    )
  })
  const half = (tx: Transaction, by: Account | null) => (by ? compact(signed(txHash(on.domain, tx), by)) : NONE)
  const both = (tx = spend, one: Account | null = bob, other: Account | null = carol) =>
    concat(half(tx, one), half(tx, other))
  const start = (authorisation: Hex, tx = spend, known: readonly LockTerms[] = [terms]) => ({
    ...starting(on, [chain], tx, [included(block)], undefined, known),
    authorisation,
  })
  const compete = (run: Running, tx: Transaction, authorisation: Hex) =>
    competing([chain], run, 0, { tx, input: 0, authorisation, inclusion: [] }, [terms])
  const rival = () => payment(chain, [idOf(on, block)], [[stranger.address, 1n]])
  const process = async (run: Running) => {
    const time = Math.max(on.time + 1, run.inFlight.exitableAt)
    return expectDone(await play(on, landing(chain, [run]), stranger.address, { time })).events
  }
  const inEscrow = (owner: Hex, of = lock) => on.model.escrows.get(escrowKey(owner, of, ETHER, 0n)) ?? 0n
  const expire = async () => reveal(on, uint(1n, 32), terms.expiry + 1)

  it('undecided: both sides sign, no side alone, no stranger, no swapped halves', async () => {
    for (const one of [bob, carol, stranger]) {
      const alone = signed(txHash(on.domain, spend), one)
      expectRefused(await play(on, start(alone), bob.address), 'Undecided', lock)
    }
    expectRefused(await play(on, start('0x'), bob.address), 'Undecided', lock)
    const wrong = [
      [both(spend, carol, bob), bob, carol],
      [both(spend, bob, stranger), carol, stranger],
      [both(spend, stranger, carol), bob, stranger],
    ] as const
    for (const [authorisation, need, have] of wrong) {
      expectRefused(await play(on, start(authorisation), bob.address), 'WrongSigner', have.address, need.address)
    }
    const hash = txHash(on.domain, spend)
    for (const missing of [both(spend, bob, null), both(spend, null, carol), both(spend, null, null)]) {
      expectRefused(await play(on, start(missing), bob.address), 'NotApproved')
    }
    expectDone(await play(on, { verb: 'approve', txHash: hash }, carol.address))
    await aside(on, () => launch(on, start(both(spend, bob, null)), bob.address))
    expectDone(await play(on, { verb: 'approve', txHash: hash }, bob.address))
    await launch(on, start(both(spend, null, null)), bob.address)
  })

  it('undecided: either side wants the input for its lock, with its own outputs', async () => {
    const mine = await aside(on, () => launch(on, start(both()), bob.address))
    expect(mine.piggybacked).to.equal(0b0001_0001)
    const hers = await launch(on, start(both()), carol.address)
    expect(hers.piggybacked).to.equal(0b0010_0001)
    expectRefused(await play(on, piggybacking(hers, 1, [terms]), bob.address), 'WrongPositions', 1)
    expectDone(await play(on, piggybacking(hers, 16), bob.address))
  })

  it('undecided: two inputs never, whoever signs', async () => {
    const tx = { ...spend, inputs: [idOf(on, block), depositId(scene.gift)] }
    const sources = [included(block), deposited(scene.gift)]
    const call = { ...start(both(tx), tx), sources }
    expectRefused(await play(on, call, bob.address), 'Undecided', lock)
    const other = { ...call, transaction: { ...tx, inputs: [...tx.inputs].reverse() }, sources: [...sources].reverse() }
    expectRefused(await play(on, other, bob.address), 'Undecided', lock)
  })

  it('decided for the owner: its word alone, or its half; the refund’s says nothing', async () => {
    await reveal(on, PREIMAGE)
    expectRefused(await play(on, start(signed(txHash(on.domain, spend), carol)), carol.address), 'WrongSigner')
    expectRefused(await play(on, start(both(spend, null, carol)), bob.address), 'NotApproved')
    await aside(on, () => launch(on, start(both(spend, bob, null)), bob.address))
    const his = start(signed(txHash(on.domain, spend), bob))
    expectRefused(await play(on, his, carol.address, { value: 2n * BOND }), 'NotParty', carol.address, 0)
    const run = await launch(on, his, bob.address)
    expect(run.piggybacked).to.equal(0b0001_0001)
    expectRefused(await play(on, piggybacking(run, 1, [terms]), carol.address), 'WrongPositions', 1)
    expectRefused(await play(on, piggybacking(run, 33, [terms]), carol.address), 'WrongPositions', 33)
    expectDone(await play(on, piggybacking(run, 32), carol.address))
    // Of another output with that lock the refund is no party, either.
    const passed = transfer(chain, [idOf(on, block)], [output(alice.address, 1000n, ETHER, lock)])
    const next = await launch(on, start(signed(txHash(on.domain, passed), bob), passed), bob.address)
    expect(next.piggybacked).to.equal(0b0000_0001)
    expectRefused(await play(on, piggybacking(next, 16, [terms]), carol.address), 'NotParty', carol.address, 16)
    expectDone(await play(on, piggybacking(next, 16, [terms]), alice.address))
  })

  it('decided for the refund, from the second after expiry, not in it', async () => {
    const alone = start(signed(txHash(on.domain, spend), carol))
    expectRefused(await play(on, alone, carol.address, { time: terms.expiry }), 'Undecided', lock)
    const run = await launch(on, alone, carol.address, { time: terms.expiry + 1 })
    expect(run.piggybacked).to.equal(0b0010_0001)
    expectRefused(await play(on, piggybacking(run, 1, [terms]), bob.address), 'WrongPositions', 1)
    expectRefused(await play(on, start(both(spend, bob, null)), bob.address), 'AlreadyRunning')
  })

  it('revealed at expiry -1 s and 0 s it is the owner’s for ever, at +1 s the refund’s', async () => {
    for (const [by, winner, loser] of [
      [-1, bob, carol],
      [0, bob, carol],
      [1, carol, bob],
    ] as const) {
      await aside(on, async () => {
        await reveal(on, PREIMAGE, terms.expiry + by)
        const call = (who: Account) => start(signed(txHash(on.domain, spend), who))
        expectRefused(await play(on, call(loser), loser.address), 'WrongSigner', loser.address, winner.address)
        expectDone(await play(on, call(winner), winner.address))
      })
    }
  })

  it('half of a pair is its signer’s word once it is the payee: a competitor, in either half of the pair', async () => {
    const run = await launch(on, start(both()), bob.address)
    const mine = compete(run, rival(), both(rival(), bob, null))
    expectRefused(await play(on, mine, stranger.address), 'NotApproved')
    await aside(on, async () => {
      await reveal(on, PREIMAGE)
      expectDone(await play(on, mine, stranger.address))
    })
    await expire()
    expectRefused(await play(on, mine, stranger.address), 'NotApproved')
    expectDone(await play(on, compete(run, rival(), both(rival(), null, carol)), stranger.address))
  })

  it('the losing side’s spend is no competitor, and no terms but the output’s own are', async () => {
    const run = await launch(on, start(both()), bob.address)
    await reveal(on, PREIMAGE)
    const hers = compete(run, rival(), signed(txHash(on.domain, rival()), carol))
    expectRefused(await play(on, hers, stranger.address), 'WrongSigner', carol.address, bob.address)
    const forged = { ...terms, expiry: 1 }
    expectRefused(await play(on, { ...hers, terms: [forged] }, stranger.address), 'WrongLock')
    expectRefused(await play(on, { ...hers, terms: [] }, stranger.address), 'WrongLock')
    expectRefused(await play(on, start(both(), { ...spend, memo: lock }, []), bob.address), 'WrongLock')
    const mine = compete(run, rival(), signed(txHash(on.domain, rival()), bob))
    expectDone(await play(on, { ...mine, terms: [forged, terms, terms] }, stranger.address))
  })

  it('its money and its bond go to the escrow of its lock, and from there to whom that decides', async () => {
    const run = await launch(on, start(both()), carol.address)
    expectDone(await play(on, compete(run, rival(), both(rival())), stranger.address))
    expect(paidBy(await aside(on, () => process(run)))).to.deep.equal({})
    const again = transfer(chain, [idOf(on, block)], [output(alice.address, 1000n, ETHER, lock)], { memo: lock })
    const second = await launch(on, start(both(again), again), carol.address)
    expect(second.piggybacked).to.equal(0b0001_0001)
    const { bond } = second.inFlight
    expect(paidBy((await process(run)).concat(await process(second)))).to.deep.equal({ 4: 1000n })
    expect([inEscrow(bob.address), inEscrow(alice.address)]).to.deep.equal([bond, 1000n + bond])
    const claim = (owner: Account, to: Account) =>
      ({ verb: 'claimEscrow', owner: owner.address, terms, asset: ETHER, id: 0n, to: to.address }) as const
    expectRefused(await play(on, claim(alice, alice), alice.address), 'NotOwner', alice.address, carol.address)
    expectDone(await play(on, claim(alice, carol), stranger.address))
    expectDone(await play(on, claim(bob, stranger), carol.address))
    expectRefused(await play(on, claim(bob, carol), carol.address), 'NothingInEscrow')
  })

  it('decided between start and processing: paid to the escrow all the same', async () => {
    const run = await launch(on, start(both()), bob.address)
    await reveal(on, PREIMAGE)
    expect(paidBy(await process(run))).to.deep.equal({ 4: 600n })
    expect(inEscrow(bob.address)).to.equal(run.inFlight.bond)
  })

  it('two locks and a plain output, decided for one person, are one payee’s', async () => {
    const other: LockTerms = { hash: hashLock(uint(7n, 32)), expiry: terms.expiry, refund: bob.address }
    const locking = payment(chain, [], [], {
      outputs: [output(carol.address, 10n, ETHER, lockOf(other)), output(bob.address, 5n), output(carol.address, 1n)],
    })
    const more = await seal(on, chain, [locking])
    const tx = (last: number) =>
      payment(chain, [idOf(on, block), idOf(on, more), idOf(on, more, 0, last)], [[alice.address, 1n]])
    const call = (last: number) => {
      const sources = [included(block), included(more), included(more, 0, last)]
      return starting(on, [chain], tx(last), sources, bob, [other, terms])
    }
    expectRefused(await play(on, call(1), bob.address), 'Undecided', lock)
    await reveal(on, PREIMAGE)
    expectRefused(await play(on, call(1), bob.address), 'Undecided', lockOf(other))
    await expire()
    expectRefused(await play(on, call(2), bob.address), 'MixedOwners', carol.address, bob.address)
    const run = await launch(on, call(1), bob.address)
    expect(run.piggybacked).to.equal(0b111)
    expect(on.history.filter(({ name }) => name === 'LockShown')).to.have.length(2)
  })

  it('a locked output is wanted by whoever may speak for it, and challenged under its own terms', async () => {
    const late: LockTerms = { ...terms, expiry: on.time + 2 * MFP, refund: alice.address }
    const tx = transfer(chain, [depositId(scene.gift)], [output(bob.address, 900n, ETHER, lockOf(late))])
    const call = starting(on, [chain], tx, [deposited(scene.gift)], alice, [late])
    const run = await aside(on, () => launch(on, call, alice.address))
    expect(run.piggybacked).to.equal(0b0001_0001)
    expectRefused(await play(on, call, bob.address), 'NotParty', bob.address, 0)
    const his = await launch(on, { ...call, terms: [] }, alice.address, { value: 2n * BOND })
    expect(his.piggybacked).to.equal(0b0000_0001)
    expectRefused(await play(on, piggybacking(his, 16), bob.address), 'NotParty', bob.address, 16)
    expectRefused(await play(on, piggybacking(his, 16, [late]), carol.address), 'NotParty', carol.address, 16)
    await aside(on, async () => expectDone(await play(on, piggybacking(his, 16, [late]), alice.address)))
    expectDone(await play(on, piggybacking(his, 16, [late]), bob.address))
    const spent = payment(chain, [outputId(his.txHash, 0)], [[carol.address, 900n]])
    const object = (authorisation: Hex, known = [late]) =>
      objecting([chain], his, 4, { tx: spent, input: 0, authorisation, inclusion: [] }, known)
    expectRefused(await play(on, object(both(spent, bob, carol)), carol.address), 'WrongSigner')
    expectRefused(await play(on, object(signed(txHash(on.domain, spent), bob)), carol.address), 'Undecided')
    expectRefused(
      await play(on, object(both(spent, bob, alice), [terms]), carol.address),
      'WrongLock',
      uint(0n, 32),
      lockOf(late),
    )
    expectDone(await play(on, object(both(spent, bob, alice)), carol.address))
    expect(paidBy(await process(his))).to.deep.equal({})
    expect(inEscrow(bob.address, lockOf(late))).to.equal(0n)
  })

  it('nobody’s refund: undecided for ever after expiry, and nobody’s signature opens it', async () => {
    const lost: LockTerms = { ...terms, refund: NOBODY }
    const locking = payment(chain, [], [], { outputs: [output(bob.address, 10n, ETHER, lockOf(lost))] })
    block = await seal(on, chain, [locking])
    const tx = payment(chain, [idOf(on, block)], [[bob.address, 10n]])
    await expire()
    for (const authorisation of [signed(txHash(on.domain, tx), bob), both(tx, bob, null), both(tx, bob, carol)]) {
      const { refused } = await play(on, start(authorisation, tx, [lost]), bob.address)
      expect(refused).to.be.oneOf(['Undecided', 'NotApproved', 'WrongSigner'])
    }
  })
})
