import { expect } from 'chai'
import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import * as Block from '../../src/core/plasma/Block.ts'
import { type Chain, registrationDigest } from '../../src/core/plasma/Chain.ts'
import { pair } from '../../src/core/plasma/Draft.ts'
import { consumedBy, PAID, startExitDigest } from '../../src/core/plasma/Exit.ts'
import type { Deposit } from '../../src/core/plasma/Transaction.ts'
import { type Branch, grow, halves, leavingTogether, membersOf, plant, tip } from './branches.ts'
import { deposited, launch, starting } from './flights.ts'
import { at } from './groupScene.ts'
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
  seal,
  shown,
  start,
  txHash,
  type Waiting,
} from './people.ts'
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
  operator,
  play,
  type Stage,
  signed,
  stranger,
} from './stage.ts'

const WORD = uint(0x1234n, 32)

describe('RootChain, the thefts that it closes', () => {
  const scene = set()
  const { later } = scene
  let on: Stage
  let chain: Chain
  let gift: Deposit
  beforeEach(() => {
    ;({ on, chain, gift } = scene)
  })
  const process = (of: Chain, exits: readonly Waiting[]) =>
    processing(
      of,
      exits.map(({ exit }) => exit),
      exits.flatMap(({ exit, ids }) => (exit.count > 1 ? membersOf(on, ids) : [])),
    )
  const putIn = async (value: bigint, salt: bigint, owner: Hex = alice.address) => {
    const deposit = depositOf(chain, owner, value, salt, alice.address)
    expectDone(await play(on, depositing(deposit), alice.address))
    return deposit
  }
  const spend = (id: Hex, to = bob.address) => payment(chain, [id], [[to, 1000n]])

  it('(!) a parent forges its child’s block: its own pot and its child’s owners lose nothing', async () => {
    const branch = await grow(on, 2, [0, 3])
    const rich = depositOf(tip(branch), alice.address, 5000n, 2n)
    expectDone(await play(on, depositing(rich), alice.address))
    const forged = await plant(on, branch, [payment(tip(branch), [WORD], [[operator.address, 5000n]])], {
      signs: (stage_, { chain: child, number, asOf, header }) => {
        return halves(signed(Block.headerDigest(stage_.domain, child, number, asOf, header), operator))
      },
    })
    expectRefused(await play(on, exiting(forged), operator.address), 'WrongHeader')
    const asParents = payment(chain, [WORD], [[operator.address, 5000n]])
    const own = await seal(on, chain, [asParents])
    const exits = [await start(on, exiting(own), operator.address)]
    const { events } = expectDone(await play(on, process(chain, exits), operator.address, later(2 * MFP)))
    expect(events[0]).to.deep.include({ name: 'ExitUnpaid', have: 1000n, need: 5000n })
    const leaving = await start(on, exitingDeposit(rich), alice.address)
    expectDone(await play(on, process(tip(branch), [leaving]), alice.address, later(MFP)))
  })

  it('(!) an operator is bribed to sign an old number’s header later: it says nothing', async () => {
    const branch: Branch = await grow(on, 2, [0, 3])
    const parent = { path: [chain], keys: [operator] }
    const empty = await plant(on, parent, [])
    const tx = payment(tip(branch), [WORD], [[carol.address, 7n]])
    await plant(on, branch, [tx])
    const { number, asOf, time } = empty.commitment
    const tree = Block.txTree([txHash(on.domain, tx)])
    const header = Block.header(Block.txRoot([txHash(on.domain, tx)]))
    const late = halves(signed(Block.headerDigest(on.domain, tx.chain, number, asOf, header), branch.keys[1]!))
    const level = { txRoot: Block.txRoot([]), siblings: new Array<Hex>(8).fill(ZERO), ...late }
    const inclusion = Block.inclusion(tree, 0, { number, time, asOf }, ZERO, [level])
    const call = { ...exiting(empty), path: branch.path, transaction: tx, inclusion }
    expectRefused(await play(on, call, carol.address), 'WrongCommitment')
  })

  it('(!) a coin has one name: a payment included twice, or in a child and its parent, leaves once', async () => {
    const branch = await grow(on, 2, [0, 3])
    const tx = payment(chain, [depositId(gift)], [[bob.address, 1000n]])
    const first = await plant(on, branch, [], { above: [[tx]] })
    const [own] = first.above
    const second = await plant(on, branch, [tx], { above: [[payment(chain, [WORD], [[carol.address, 1n]]), tx]] })
    expectRefused(await play(on, exiting(second), bob.address), 'WrongChain', chainId(tip(branch)), tx.chain)
    const exits = [
      await start(on, exiting(own!), bob.address),
      await start(on, exiting(second.above[0]!, 1), bob.address),
    ]
    expect(exits[0]!.ids).to.equal(exits[1]!.ids)
    const { events } = expectDone(await play(on, process(chain, exits), stranger.address, later(2 * MFP)))
    expect(events.map(({ name }) => name)).to.deep.equal(['ExitPaid', 'ExitDropped'])
  })

  it('(!) a contract takes its word back: none is ever asked, its approval stays, and no signature speaks for it', async () => {
    const owned = await putIn(50n, 5n, on.receiverAddress)
    const tx = spend(depositId(owned))
    const exit = await start(on, exitingDeposit(owned), on.receiverAddress)
    for (const by of [alice, stranger]) {
      const call = challenging(on, exit, chain, { tx }, by)
      expectRefused(await play(on, call, carol.address), 'WrongSigner', by.address, on.receiverAddress)
    }
    expectDone(await play(on, { verb: 'approve', txHash: txHash(on.domain, tx) }, on.receiverAddress))
    await scene.connection.networkHelpers.setCode(on.receiverAddress, '0xfe')
    on.refusing = true
    expectDone(await play(on, challenging(on, exit, chain, { tx }), carol.address))
  })

  it('(!) a key gains code and loses it (EIP-7702): what it signs counts all the same, what it refuses is credited', async () => {
    const { networkHelpers } = scene.connection
    const tx = spend(depositId(gift))
    const exit = await start(on, exitingDeposit(gift), alice.address)
    await networkHelpers.setCode(alice.address, '0xfe')
    expectDone(await play(on, challenging(on, exit, chain, { tx }, alice), carol.address))
    await networkHelpers.setCode(alice.address, '0x')
    const again = await start(on, exitingDeposit(gift), alice.address)
    expectDone(await play(on, challenging(on, again, chain, { tx }, alice), carol.address))
  })

  it('(!) somebody prices others out: a bond is within one and two of the least, for a group too', async () => {
    const block = await seal(on, chain, [
      payment(
        chain,
        [WORD],
        [
          [bob.address, 1n],
          [bob.address, 2n],
        ],
      ),
    ])
    for (const call of [exiting(block), leavingTogether(on, block, at('0.0 0.1'))]) {
      for (const value of [0n, BOND - 1n, 2n * BOND + 1n]) {
        expectRefused(await play(on, call, bob.address, { value }), 'WrongBond', value, BOND, 2n * BOND)
      }
      for (const value of [BOND, 2n * BOND]) expectDone(await play(on, call, bob.address, { value }))
    }
  })

  it('(!) an exit of what an in-flight exit consumed: nothing, and the bond stays; of a group the rest is paid', async () => {
    const deposits = [gift, await putIn(30n, 6n), await putIn(40n, 7n)].sort((a, b) =>
      depositId(a) < depositId(b) ? -1 : 1,
    )
    const tx = spend(depositId(gift), carol.address)
    const run = await launch(on, starting(on, [chain], tx, [deposited(gift)], alice), alice.address)
    const single = await start(on, exitingDeposit(gift), alice.address)
    const together = { verb: 'startDepositExits', deposited: deposits, permit: exitingDeposit(gift).permit } as const
    const group = await start(on, together, alice.address)
    const pot = () => on.model.pots.get(pair(chainId(chain), ETHER))!
    const call = { ...process(chain, [single, group]), inFlight: [run.inFlight] }
    const due = Math.max(group.exit.exitableAt, run.inFlight.exitableAt)
    const before = pot()
    const { events } = expectDone(await play(on, call, stranger.address, { time: due }))
    expect(on.model.status.get(depositId(gift))).to.equal(consumedBy(txHash(on.domain, tx)))
    const paid = events.flatMap((event) => (event.name === 'ExitPaid' ? [event.amount] : []))
    const dropped = events.filter(({ name }) => name === 'ExitDropped')
    expect([paid, dropped.length]).to.deep.equal([[70n], 1])
    expect(pot() - before).to.equal(single.exit.bond + group.exit.bond - 70n)
    for (const one of deposits.filter((deposit) => deposit !== gift)) {
      expect(on.model.status.get(depositId(one))).to.equal(PAID)
    }
    expectRefused(await play(on, together, alice.address), 'WrongStatus')
  })

  it('(!) nothing signed for one verb serves another', async () => {
    const tx = spend(depositId(gift))
    const exit = await start(on, exitingDeposit(gift), alice.address)
    const leave = { starter: ETHER, deadline: on.time + 99, signature: '0x' } as const
    const { number, asOf } = { number: 1, asOf: 1 }
    const digests = [
      startExitDigest(on.domain, chainId(chain), [depositId(gift)], leave),
      registrationDigest(on.domain, chain),
      Block.headerDigest(on.domain, chainId(chain), number, asOf, txHash(on.domain, tx)),
      depositId(gift),
    ]
    for (const digest of digests) {
      const call = challenging(on, exit, chain, { tx, authorisation: signed(digest, alice) })
      expectRefused(await play(on, call, carol.address), 'WrongSigner')
    }
    for (const digest of [txHash(on.domain, tx), ...digests.slice(1)]) {
      const permit = { ...leave, signature: signed(digest, alice) }
      expectRefused(await play(on, exitingDeposit(gift, permit), carol.address), 'WrongSigner')
    }
    const elsewhere = domain(31337n, carol.address)
    const there = challenging(on, exit, chain, { tx, authorisation: signed(txHash(elsewhere, tx), alice) })
    expectRefused(await play(on, there, carol.address), 'WrongSigner')
    const permit = {
      ...leave,
      signature: signed(startExitDigest(elsewhere, chainId(chain), [depositId(gift)], leave), alice),
    }
    expectRefused(await play(on, exitingDeposit(gift, permit), carol.address), 'WrongSigner')
  })

  it('a fee transaction leaves by a standard exit, and is never a spend', async () => {
    const branch = await grow(on, 2, [0, 3])
    const fees = payment(tip(branch), [], [[operator.address, 3n]], { lastBlock: 1 })
    const block = await plant(on, branch, [fees])
    const kept = depositOf(tip(branch), alice.address, 9n)
    expectDone(await play(on, depositing(kept), alice.address))
    expectDone(await play(on, depositing(depositOf(tip(branch), bob.address, 3n)), bob.address))
    const own = await start(on, exitingDeposit(kept), alice.address)
    const call = challenging(on, own, branch.path, { tx: fees, input: 0, inclusion: [shown(block)] })
    expectRefused(await play(on, call, carol.address), 'NoSuchPosition', 0n, 0n)
    const exit = await start(on, exiting(block), operator.address)
    expectDone(await play(on, process(tip(branch), [own, exit]), stranger.address, later(2 * MFP)))
    expect(on.model.status.get(idOf(on, block))).to.equal(PAID)
  })

  it('nothing leaves before its number is committed, whatever its operator signs', async () => {
    const tx = payment(chain, [depositId(gift)], [[bob.address, 1000n]])
    const tree = Block.txTree([txHash(on.domain, tx)])
    const header = Block.header(Block.txRoot([txHash(on.domain, tx)]))
    const commitment = { number: 1, header, time: on.time + 5, asOf: on.time }
    const call = exiting({ chain, txs: [tx], tree, commitment })
    const have = Block.commitmentHash(header, commitment.time, commitment.asOf)
    expectRefused(await play(on, call, bob.address), 'WrongCommitment', have, ZERO)
  })
})
