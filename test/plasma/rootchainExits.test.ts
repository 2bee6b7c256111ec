import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { DEPOSITED, PAID, type Permit, startExitDigest } from '../../src/core/plasma/Exit.ts'
import type { Deposit } from '../../src/core/plasma/Transaction.ts'
import {
  chainId,
  depositId,
  depositing,
  depositOf,
  exiting,
  exitingDeposit,
  idOf,
  newChain,
  payment,
  type Sealed,
  seal,
  shown,
  start,
} from './people.ts'
import { type Scene, set } from './scene.ts'
import {
  alice,
  BOND,
  BOND_GAS,
  bob,
  CEILING,
  carol,
  ETHER,
  expectDone,
  expectRefused,
  FLOOR,
  MFP,
  play,
  type Stage,
  signed,
  stranger,
  ZERO,
} from './stage.ts'

const WORD = uint(0x1234n, 32)

describe('RootChain, left by its users', () => {
  const scene = set()
  const { paid, later, process } = scene
  let connection: Scene['connection']
  let on: Stage
  let chain: Chain
  let gift: Deposit
  beforeEach(() => {
    ;({ connection, on, chain, gift } = scene)
  })

  describe('starts the exit of a transaction output', () => {
    let block: Sealed
    beforeEach(async () => {
      block = await paid()
    })
    const change = (call: Partial<ReturnType<typeof exiting>>) => ({ ...exiting(block), ...call })
    const pathless = (): PlasmaCall => ({ ...exiting(block), path: [] })

    it('by its owner, for the bond, in the lane that its age gives', async () => {
      const young = await start(on, exiting(block), bob.address)
      expect([young.lane, young.index]).to.deep.equal([1, 0])
      expect(young.exit.exitableAt).to.equal(block.commitment.time + 2 * MFP)
      const before = block.commitment.time + MFP - 1
      expect((await start(on, exiting(block, 0, 1), alice.address, { time: before })).lane).to.equal(1)
      const old = await start(on, exiting(block), bob.address)
      expect([old.lane, old.index, old.exit.exitableAt]).to.deep.equal([0, 0, on.time + MFP])
    })

    it('by anybody with a permit: for one starter or for all, to its last second', async () => {
      const permit = (starter: `0x${string}`, deadline: number): Permit => {
        const terms = { starter, deadline, signature: '0x' } as const
        return {
          ...terms,
          signature: signed(startExitDigest(on.domain, chainId(chain), [idOf(on, block)], terms), bob),
        }
      }
      const by = (leave: Permit, output = 0) => exiting(block, 0, output, leave)
      expectDone(await play(on, by(permit(ETHER, on.time + 1)), stranger.address))
      expectDone(await play(on, by(permit(stranger.address, on.time + 1)), stranger.address))
      const gone = permit(ETHER, on.time)
      expectRefused(await play(on, by(gone), stranger.address), 'PermitExpired', on.time, gone.deadline)
      const others = permit(carol.address, on.time + 99)
      expectRefused(await play(on, by(others), stranger.address), 'WrongStarter', stranger.address, carol.address)
      expectRefused(await play(on, by({ ...others, starter: ETHER }), stranger.address), 'WrongSigner')
      expectRefused(await play(on, by(permit(ETHER, on.time + 99), 1), stranger.address), 'WrongSigner')
      expectRefused(await play(on, exiting(block), stranger.address), 'WrongSigner', stranger.address, bob.address)
    })

    it('for one bond at least and two at most, at the base fee of the block', async () => {
      const posts = async (value: bigint, baseFee = 0n) => play(on, exiting(block), bob.address, { value, baseFee })
      expectRefused(await posts(BOND - 1n), 'WrongBond', BOND - 1n, BOND, 2n * BOND)
      expectRefused(await posts(2n * BOND + 1n), 'WrongBond', 2n * BOND + 1n, BOND, 2n * BOND)
      expectDone(await posts(BOND))
      expectDone(await posts(2n * BOND))
      expectRefused(await posts(7n * BOND_GAS - 1n, 7n), 'WrongBond', 7n * BOND_GAS - 1n, 7n * BOND_GAS, 14n * BOND_GAS)
      expectDone(await posts(7n * BOND_GAS, 7n))
      expectRefused(await posts(CEILING * BOND_GAS - 1n, 2n * CEILING), 'WrongBond')
      expectDone(await posts(CEILING * BOND_GAS, 2n * CEILING))
      expect(FLOOR * BOND_GAS).to.equal(BOND)
    })

    it('never with a proof that is not exactly of this transaction in this block of this chain', async () => {
      const good = shown(block)
      const swapped = [good.siblings[1]!, good.siblings[0]!, ...good.siblings.slice(2)]
      const level = { txRoot: ZERO, siblings: Array(8).fill(ZERO), r: ZERO, vs: ZERO }
      for (const wrong of [
        { index: 1 },
        { index: 2 ** 15 },
        { number: 0 },
        { number: 2 },
        { time: good.time - 1 },
        { asOf: good.asOf - 1 },
        { childrenRoot: WORD },
        { siblings: swapped },
        { siblings: good.siblings.with(15, WORD) },
      ]) {
        const inclusion = { ...good, ...wrong }
        expectRefused(await play(on, change({ inclusion }), bob.address), 'WrongCommitment')
      }
      expectRefused(
        await play(on, change({ inclusion: { ...good, levels: [level] } }), bob.address),
        'WrongDepth',
        1n,
        0n,
      )
      expectRefused(
        await play(on, change({ transaction: { ...block.txs[0]!, memo: WORD } }), bob.address),
        'WrongCommitment',
      )
      expectRefused(await play(on, pathless(), bob.address), 'WrongDepth', 0n, 3n)
      expectRefused(
        await play(on, change({ path: [{ ...chain, parent: WORD }] }), bob.address),
        'WrongParent',
        WORD,
        ZERO,
      )
      expectRefused(await play(on, change({ output: 2 }), bob.address), 'NoSuchPosition', 2n, 2n)
    })

    it('never with index bits above the depth, nor an address with bits above its own', async () => {
      const data = on.abi.encodeFunctionData('startExit', Object.values(exiting(block)).slice(1))
      const index = data.indexOf(uint(block.commitment.asOf, 32).slice(2)) + 64
      const owner = data.indexOf(`${'00'.repeat(12)}${bob.address.slice(2)}`)
      for (const at of [index + 59, owner]) {
        const spoiled = `${data.slice(0, at)}1${data.slice(at + 1)}`
        const sent = { from: bob.address, to: on.domain.court, data: spoiled, value: `0x${BOND.toString(16)}` }
        const failed = await connection.provider.request({ method: 'eth_call', params: [sent] }).catch(() => 'refused')
        expect(failed).to.equal('refused')
      }
    })

    it('never of a transaction of another chain, nor through another chain’s path', async () => {
      const other = await newChain(on, 1)
      const copy = await seal(on, other, block.txs)
      expectRefused(await play(on, exiting(copy), bob.address), 'WrongChain', chainId(other), chainId(chain))
      const moved = { ...exiting(copy), path: [chain] }
      expectRefused(await play(on, moved, bob.address), 'WrongCommitment')
    })

    it('never of an output that was included after its lastBlock', async () => {
      const expired = payment(chain, [WORD], [[bob.address, 1n]], { lastBlock: 1 })
      const late = await seal(on, chain, [expired])
      expectRefused(await play(on, exiting(late), bob.address), 'IncludedLate', 2, 1)
      const timely = await seal(on, chain, [{ ...expired, lastBlock: 3 }])
      expectDone(await play(on, exiting(timely), bob.address))
    })

    it('never of a locked output as if it were plain', async () => {
      const lock = { owner: bob.address, asset: ETHER, value: 1n, lock: WORD }
      const odd = await seal(on, chain, [{ ...payment(chain, [WORD], []), outputs: [lock] }])
      expectRefused(await play(on, exiting(odd), bob.address), 'LockedOutput', WORD)
    })

    it('twice at once, but pays once, and never again after that', async () => {
      const first = await start(on, exiting(block), bob.address)
      const second = await start(on, exiting(block), bob.address)
      const { events } = expectDone(await play(on, process(first, second), carol.address, later(2 * MFP)))
      expect(events.map(({ name }) => name)).to.deep.equal(['ExitPaid', 'ExitDropped'])
      expectRefused(await play(on, exiting(block), bob.address), 'Finalised', idOf(on, block), PAID)
    })

    it('proves the same transaction in two blocks as one output', async () => {
      const again = await seal(on, chain, block.txs)
      const exits = [await start(on, exiting(block), bob.address), await start(on, exiting(again), bob.address)]
      expect(exits.map(({ lane }) => lane)).to.deep.equal([1, 2])
      const { events } = expectDone(await play(on, process(...exits), carol.address, later(2 * MFP)))
      expect(events.map(({ name }) => name)).to.deep.equal(['ExitPaid', 'ExitDropped'])
    })
  })

  describe('starts the exit of a deposit', () => {
    it('by its owner, always in the list', async () => {
      const exit = await start(on, exitingDeposit(gift), alice.address)
      expect([exit.lane, exit.exit.exitableAt]).to.deep.equal([0, on.time + MFP])
    })

    it('never of one that was not made, was altered, or is paid', async () => {
      for (const altered of [{ value: 1001n }, { owner: bob.address }, { chain: WORD }, { sender: bob.address }]) {
        const call = exitingDeposit({ ...gift, ...altered })
        const id = depositId(call.deposited)
        expectRefused(await play(on, call, alice.address), 'WrongStatus', id, 0n, DEPOSITED)
      }
      const exit = await start(on, exitingDeposit(gift), alice.address)
      expectDone(await play(on, process(exit), bob.address, later(MFP)))
      const again = await play(on, exitingDeposit(gift), alice.address)
      expectRefused(again, 'WrongStatus', depositId(gift), PAID, DEPOSITED)
    })

    it('for somebody else only with a permit for this very deposit', async () => {
      const leave = { starter: ETHER, deadline: on.time + 99, signature: '0x' } as const
      const signature = signed(startExitDigest(on.domain, chainId(chain), [depositId(gift)], leave), alice)
      expectRefused(await play(on, exitingDeposit(gift), bob.address), 'WrongSigner', bob.address, alice.address)
      expectDone(await play(on, exitingDeposit(gift, { ...leave, signature }), bob.address))
      const other = depositOf(chain, alice.address, 5n, 2n)
      expectDone(await play(on, depositing(other), alice.address))
      expectRefused(await play(on, exitingDeposit(other, { ...leave, signature }), bob.address), 'WrongSigner')
      expectRefused(
        await play(on, exitingDeposit(gift), alice.address, { value: 0n }),
        'WrongBond',
        0n,
        BOND,
        2n * BOND,
      )
    })
  })
})
