import { expect } from 'chai'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { DEPOSITED } from '../../src/core/plasma/Exit.ts'
import { type Deposit, outputId } from '../../src/core/plasma/Transaction.ts'
import type { Account } from '../../src/edge/chain/LocalAccounts.ts'
import {
  aside,
  deposited,
  fate,
  HALF,
  included,
  landing,
  launch,
  output,
  piggybacking,
  starting,
  transfer,
} from './flights.ts'
import { chainId, depositId, depositing, depositOf, idOf, newChain, payment, seal, shown, txHash } from './people.ts'
import { set } from './scene.ts'
import { alice, BOND, bob, carol, expectDone, expectRefused, MFP, play, type Stage, stranger } from './stage.ts'

const WORD = uint(0x1234n, 32)
const NOBODY: Hex = `0x${'00'.repeat(20)}`

describe('RootChain, in-flight exits, started', () => {
  const scene = set()
  let on: Stage
  let chain: Chain
  let gift: Deposit
  beforeEach(() => {
    ;({ on, chain, gift } = scene)
  })
  /** Alice's gift: 600 to bob, 400 back. */
  const pay = (change = {}) =>
    payment(
      chain,
      [depositId(gift)],
      [
        [bob.address, 600n],
        [alice.address, 400n],
      ],
      change,
    )
  const start = (tx = pay(), by: Account | undefined = alice) => starting(on, [chain], tx, [deposited(gift)], by)
  /** Another deposit, made. */
  const more = async (owner: Account, value: bigint, salt: bigint): Promise<Deposit> => {
    const one = depositOf(chain, owner.address, value, salt)
    expectDone(await play(on, depositing(one), owner.address))
    return one
  }

  describe('begin', () => {
    it('with the starter’s inputs and outputs piggybacked, a bond for each and one for the start', async () => {
      const before = on.balances.get(alice.address)!
      const run = await launch(on, start(), alice.address)
      expect([run.piggybacked, run.lane, run.indices]).to.deep.equal([0b0010_0001, 0, [0]])
      const { start: second, exitableAt, bond, starter, late } = run.inFlight
      expect([second, exitableAt, starter, late]).to.deep.equal([on.time, on.time + MFP, alice.address, false])
      expect(before - on.balances.get(alice.address)!).to.equal(3n * bond)
    })

    it('never by one that only receives: it piggybacks, and starts with its one position what has consumed its inputs', async () => {
      expectRefused(await play(on, start(), bob.address), 'NotParty', bob.address, 0)
      const run = await launch(on, start(), alice.address)
      await aside(on, async () => expectDone(await play(on, piggybacking(run, 0b0001_0000), bob.address)))
      expectDone(await play(on, landing(chain, [run]), carol.address, { time: run.inFlight.exitableAt }))
      const before = on.balances.get(bob.address)!
      const again = await launch(on, start(), bob.address)
      expect(again.piggybacked).to.equal(0b0001_0000)
      expect(before - on.balances.get(bob.address)!).to.equal(2n * again.inFlight.bond)
    })

    it('late once the last number is its lastBlock, and live one number before', async () => {
      const tx = pay({ lastBlock: 2 })
      await seal(on, chain, [])
      expect((await launch(on, start(tx), alice.address)).inFlight.late).to.equal(false)
      await seal(on, chain, [])
      const other = pay({ lastBlock: 2, memo: WORD })
      expect((await launch(on, start(other), alice.address)).inFlight.late).to.equal(true)
    })

    it('late with a lastBlock of zero', async () => {
      expect((await launch(on, start(pay({ lastBlock: 0 })), alice.address)).inFlight.late).to.equal(true)
    })

    it('with an approval in place of a signature, of the payee only', async () => {
      const call = { ...start(), authorisation: '0x' as const }
      const hash = txHash(on.domain, pay())
      expectRefused(await play(on, call, alice.address), 'NotApproved', alice.address, hash)
      expectDone(await play(on, { verb: 'approve', txHash: hash }, bob.address))
      expectRefused(await play(on, call, bob.address), 'NotApproved', alice.address, hash)
      expectDone(await play(on, { verb: 'approve', txHash: hash }, alice.address))
      expectRefused(await play(on, call, bob.address), 'NotParty', bob.address, 0)
      const run = await launch(on, call, alice.address)
      expectDone(await play(on, piggybacking(run, 0b0001_0000), bob.address))
    })

    it('for a contract that approves, as payee of inputs and of outputs', async () => {
      const own = depositOf(chain, on.receiverAddress, 500n, 7n, carol.address)
      expectDone(await play(on, depositing(own), carol.address))
      const tx = payment(chain, [depositId(own)], [[on.receiverAddress, 500n]])
      const call = starting(on, [chain], tx, [deposited(own)])
      expectDone(await play(on, { verb: 'approve', txHash: txHash(on.domain, tx) }, on.receiverAddress))
      const run = await launch(on, call, on.receiverAddress)
      expect(run.piggybacked).to.equal(0b0001_0001)
    })

    it('at every price within one and two bonds for each position, evenly', async () => {
      for (const value of [3n * BOND - 1n, 3n * BOND + 1n, 6n * BOND + 3n, 0n]) {
        expectRefused(await play(on, start(), alice.address, { value }), 'WrongBond', value, 3n * BOND, 6n * BOND)
      }
      const run = await launch(on, start(), alice.address, { value: 6n * BOND })
      expect(run.inFlight.bond).to.equal(2n * BOND)
      expectDone(await play(on, landing(chain, [run]), carol.address, { time: run.inFlight.exitableAt }))
      const again = await launch(on, start(), bob.address, { value: 2n * BOND })
      expect(again.inFlight.bond).to.equal(BOND)
    })

    it('at twice the bond of the base fee up to its ceiling', async () => {
      const [dear, most] = [101n * 50n, 101n * 200n]
      const sent = { value: 3n * dear, baseFee: 50n }
      expectRefused(
        await play(on, start(), alice.address, { ...sent, value: 3n * dear - 3n }),
        'WrongBond',
        3n * dear - 3n,
        3n * dear,
        6n * dear,
      )
      expect((await launch(on, start(), alice.address, sent)).inFlight.bond).to.equal(dear)
      const other = start(pay({ memo: WORD }))
      expect((await launch(on, other, alice.address, { value: 3n * most, baseFee: 10_000n })).inFlight.bond).to.equal(
        most,
      )
    })
  })

  describe('know their inputs', () => {
    it('from an included output, whose age decides the second, in its number’s lane', async () => {
      const block = await scene.paid()
      const tx = payment(chain, [idOf(on, block)], [[carol.address, 600n]])
      const run = await launch(on, starting(on, [chain], tx, [included(block)], bob), bob.address)
      expect([run.lane, run.inFlight.exitableAt]).to.deep.equal([1, block.commitment.time + 2 * MFP])
      expect(run.inFlight.spent).to.deep.equal([output(bob.address, 600n)])
    })

    it('from an old output: a full period from now, in the list', async () => {
      const block = await scene.paid()
      const tx = payment(chain, [idOf(on, block)], [[carol.address, 600n]])
      for (const [by, lane] of [
        [-1, 1],
        [0, 0],
        [1, 0],
      ] as const) {
        const call = starting(on, [chain], { ...tx, memo: uint(BigInt(by + 5), 32) }, [included(block)], bob)
        const run = await launch(on, call, bob.address, { time: block.commitment.time + MFP + by })
        expect(run.lane, `${by} s`).to.equal(lane)
        expect(run.inFlight.exitableAt).to.equal(Math.max(block.commitment.time + 2 * MFP, on.time + MFP))
      }
    })

    it('from deposits and several blocks at once, of which the youngest counts', async () => {
      const first = await scene.paid()
      const other = await more(alice, 70n, 2n)
      const second = await seal(on, chain, [payment(chain, [depositId(other)], [[alice.address, 70n]])], on.time)
      const third = await more(alice, 5n, 3n)
      const inputs = [idOf(on, second), depositId(third), idOf(on, first, 0, 1)]
      const tx = payment(chain, inputs, [[carol.address, 475n]])
      const sources = [included(second), deposited(third), included(first, 0, 1)]
      const call = starting(on, [chain], tx, sources, alice)
      expectRefused(await play(on, call, carol.address), 'NotParty', carol.address, 0)
      const run = await launch(on, call, alice.address)
      expect(run.piggybacked).to.equal(0b111)
      expect([run.lane, run.inFlight.exitableAt]).to.deep.equal([2, second.commitment.time + 2 * MFP])
    })

    it('by one source each, of one kind', async () => {
      const [call, source] = [start(), deposited(gift)]
      const block = await scene.paid()
      const other = included(block)
      const wrong = [
        [[], 0n, 1n],
        [[source, source], 2n, 1n],
        [[{ ...source, deposited: [] }], 0n, 1n],
        [[{ ...source, deposited: [gift, gift] }], 0n, 1n],
        [[{ ...source, tx: other.tx, inclusion: other.inclusion }], 0n, 1n],
        [[{ ...other, inclusion: [] }], 0n, 1n],
        [[{ ...other, tx: [] }], 0n, 1n],
        [[{ ...other, tx: [...other.tx, ...other.tx], inclusion: [shown(block), shown(block)] }], 0n, 1n],
      ] as const
      for (const [sources, have, need] of wrong) {
        expectRefused(await play(on, { ...call, sources }, alice.address), 'WrongSources', have, need)
      }
    })

    it('never a deposit that layer 1 does not know, another’s, or another chain’s', async () => {
      const [absent, other] = [depositOf(chain, alice.address, 1000n, 9n), await newChain(on, 1)]
      const foreign = depositOf(other, alice.address, 1000n)
      expectDone(await play(on, depositing(foreign), alice.address))
      const tx = (one: Deposit) => ({ ...pay(), inputs: [depositId(one)] })
      const call = (one: Deposit, source = one) => starting(on, [chain], tx(one), [deposited(source)], alice)
      expectRefused(await play(on, call(absent), alice.address), 'WrongStatus', depositId(absent), 0n, DEPOSITED)
      expectRefused(await play(on, call(gift, absent), alice.address), 'WrongInput', depositId(absent), depositId(gift))
      expectRefused(await play(on, call(foreign), alice.address), 'WrongChain', chainId(other), chainId(chain))
    })

    it('never an output that is not shown: another position, another index, a forged or late inclusion', async () => {
      const block = await seal(on, chain, [pay({ lastBlock: 1 }), pay({ memo: WORD })])
      const late = await seal(on, chain, [pay({ lastBlock: 1 })])
      const source = included(block)
      const id = idOf(on, block)
      const call = (change: object, input = id) =>
        starting(on, [chain], payment(chain, [input], [[bob.address, 600n]]), [{ ...source, ...change }], bob)
      const next = idOf(on, block, 0, 1)
      expectRefused(await play(on, call({ output: 1 }), bob.address), 'WrongInput', next, id)
      const none = outputId(txHash(on.domain, block.txs[0]!), 2)
      expectRefused(await play(on, call({ output: 2 }, none), bob.address), 'NoSuchPosition', 2n, 2n)
      expectRefused(await play(on, call({ inclusion: [shown(block, 1)] }), bob.address), 'WrongCommitment')
      expectRefused(await play(on, call({ inclusion: [shown(late)] }), bob.address), 'IncludedLate', 2, 1)
      const older = { ...shown(block), time: block.commitment.time - 100 }
      expectRefused(await play(on, call({ inclusion: [older] }), bob.address), 'WrongCommitment')
      expectDone(await play(on, call({}), bob.address))
    })

    it('never on another path than the chain’s own', async () => {
      const other = await newChain(on, 1)
      const [have, need] = [chainId(other), chainId(chain)]
      expectRefused(await play(on, { ...start(), path: [other] }, alice.address), 'WrongChain', have, need)
      expectRefused(await play(on, { ...start(), path: [] }, alice.address), 'WrongDepth', 0n, 3n)
      const long = { ...start(), path: [chain, chain, chain, chain] }
      expectRefused(await play(on, long, alice.address), 'WrongDepth', 4n, 3n)
      expectRefused(await play(on, { ...start(), path: [chain, chain] }, alice.address), 'WrongParent')
      const block = await scene.paid()
      const tx = payment(other, [idOf(on, block)], [[bob.address, 600n]])
      const foreign = starting(on, [other], tx, [included(block)], bob)
      expectRefused(await play(on, foreign, bob.address), 'WrongChain', need, have)
    })
  })

  describe('must be valid as far as layer 1 sees, whatever a block says', () => {
    const refused = async (tx: ReturnType<typeof pay>, ...why: readonly [string, ...unknown[]]) =>
      expectRefused(await play(on, start(tx), alice.address), ...why)

    it('with 1 to 4 inputs and 1 to 4 outputs', async () => {
      const one = output(alice.address, 1n)
      await refused({ ...pay(), inputs: [] }, 'WrongShape', 0n, 2n)
      await refused({ ...pay(), outputs: [] }, 'WrongShape', 1n, 0n)
      await refused({ ...pay(), outputs: [one, one, one, one, one] }, 'WrongShape', 1n, 5n)
      await refused({ ...pay(), inputs: [WORD, WORD, WORD, WORD, WORD] }, 'WrongShape', 5n, 2n)
      expectDone(await play(on, start({ ...pay(), outputs: [one, one, one, one] }), alice.address))
    })

    it('with four inputs and four outputs, and every one counted', async () => {
      const gifts = [gift, await more(alice, 1n, 2n), await more(alice, 2n, 3n), await more(alice, 3n, 4n)]
      const outputs = [250n, 250n, 250n, 256n].map((value) => output(carol.address, value))
      const tx = transfer(chain, gifts.map(depositId), outputs)
      const call = starting(on, [chain], tx, gifts.map(deposited), alice)
      expect((await launch(on, call, alice.address)).piggybacked).to.equal(0b1111)
      const most = { ...tx, outputs: [...outputs.slice(0, 3), output(carol.address, 257n)] }
      const over = starting(on, [chain], most, gifts.map(deposited), alice)
      expectRefused(await play(on, over, alice.address), 'Unbalanced', outputs[0]!.asset, 1006n, 1007n)
    })

    it('with no input twice, first to last', async () => {
      const id = depositId(gift)
      await refused({ ...pay(), inputs: [id, id] }, 'RepeatedInput', id)
      await refused({ ...pay(), inputs: [id, WORD, uint(1n, 32), id] }, 'RepeatedInput', id)
    })

    it('with owners and values', async () => {
      await refused({ ...pay(), outputs: [output(NOBODY, 1n)] }, 'ZeroOwner')
      await refused({ ...pay(), outputs: [output(alice.address, 1000n), output(bob.address, 0n)] }, 'ZeroValue')
    })

    it('with no more going out than comes in, in sums that cannot wrap', async () => {
      const asset = output(bob.address, 0n).asset
      await refused({ ...pay(), outputs: [output(bob.address, 1001n)] }, 'Unbalanced', asset, 1000n, 1001n)
      const top = 2n ** 256n - 1n
      await refused(
        { ...pay(), outputs: [output(bob.address, top), output(alice.address, 1001n)] },
        'Unbalanced',
        asset,
        1000n,
        top,
      )
      const token: Hex = `0x${'77'.repeat(20)}`
      await refused({ ...pay(), outputs: [output(bob.address, 1n, token)] }, 'Unbalanced', token, 0n, 1n)
    })

    it('of one payee, first to last input', async () => {
      const other = await more(bob, 10n, 2n)
      const tx = payment(chain, [depositId(gift), depositId(other)], [[carol.address, 1010n]])
      const call = (by: Account) => starting(on, [chain], tx, [deposited(gift), deposited(other)], by)
      for (const by of [alice, bob]) {
        expectRefused(await play(on, call(by), by.address), 'MixedOwners', bob.address, alice.address)
      }
    })

    it('signed by that payee, by nobody else, and for nothing else', async () => {
      expectRefused(await play(on, start(pay(), bob), bob.address), 'WrongSigner', bob.address, alice.address)
      const other = { ...start(), authorisation: start(pay({ memo: WORD })).authorisation }
      expectRefused(await play(on, other, bob.address), 'WrongSigner')
      for (const length of [63, 66, 127, 128, 129]) {
        const authorisation: Hex = `0x${'11'.repeat(length)}`
        expectRefused(await play(on, { ...start(), authorisation }, bob.address), 'WrongSigner', NOBODY, alice.address)
      }
    })

    it('wanted by the payee of its inputs, or by a receiver once it has consumed them, that something is left for', async () => {
      for (const by of [stranger, bob]) {
        expectRefused(await play(on, start(), by.address), 'NotParty', by.address, 0)
      }
      const run = await launch(on, start(), alice.address)
      expectRefused(await play(on, start(), bob.address), 'AlreadyRunning', run.txHash)
      expectDone(await play(on, landing(chain, [run]), carol.address, { time: run.inFlight.exitableAt }))
      expect(fate(on, depositId(gift))).to.equal('consumed')
      expectRefused(await play(on, start(), alice.address), 'NothingLeft', run.txHash)
      expect((await launch(on, start(), bob.address)).piggybacked).to.equal(0b0001_0000)
    })
  })

  it('never goes stale: a call prepared before other starts, blocks and payments still starts it', async () => {
    const call = start()
    await seal(on, chain, [])
    const other = await launch(on, start(pay({ memo: WORD })), alice.address)
    expectDone(await play(on, piggybacking(other, 0b0001_0000), bob.address))
    const his = await more(bob, 70n, 2n)
    const theirs = payment(chain, [depositId(his)], [[alice.address, 70n]])
    await launch(on, starting(on, [chain], theirs, [deposited(his)], bob), bob.address)
    expectDone(await play(on, depositing(depositOf(chain, carol.address, 1n)), carol.address))
    await launch(on, call, alice.address, { time: on.time + HALF })
  })
})
