import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import { compact } from '../../src/core/base/Signature.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { type Chain, registrationDigest } from '../../src/core/plasma/Chain.ts'
import { DEPOSITED, PAID } from '../../src/core/plasma/Exit.ts'
import type { Deposit } from '../../src/core/plasma/Transaction.ts'
import { chainId, depositId, depositing, depositOf, exitingDeposit, start } from './people.ts'
import { type Scene, set } from './scene.ts'
import {
  alice,
  bob,
  carol,
  ETHER,
  expectDone,
  expectRefused,
  MARGIN,
  MFP,
  operator,
  play,
  type Stage,
  signed,
  stranger,
  ZERO,
} from './stage.ts'

const WORD = uint(0x1234n, 32)

describe('RootChain', () => {
  const scene = set()
  const { later, process, traceOf } = scene
  let connection: Scene['connection']
  let on: Stage
  let chain: Chain
  let gift: Deposit
  beforeEach(() => {
    ;({ connection, on, chain, gift } = scene)
  })

  describe('is deployed', () => {
    it('only with times and fees that fit', async () => {
      const { ethers } = connection
      const wrong: [number, number, number, bigint, bigint][] = [
        [0, 0, 0, 1n, 2n],
        [1001, 1, 1, 1n, 2n],
        [1000, 126, 125, 1n, 2n],
        [1000, 125, 125, 3n, 2n],
        [1000, 0, 125, 1n, 2n],
        [2 ** 32, 125, 125, 1n, 2n],
      ]
      const factory = await ethers.getContractFactory('RootChain')
      for (const [mfp, margin, alarm, floor, ceiling] of wrong) {
        const made = factory.deploy(ETHER, mfp, margin, alarm, 1n, floor, ceiling, { gasPrice: 0 })
        await expect(made)
          .to.be.revertedWithCustomError(factory, 'WrongTerms')
          .withArgs(mfp, margin, alarm, floor, ceiling)
      }
      const fits = await factory.deploy(carol.address, 1000, 125, 125, 7n, 2n, 2n, { gasPrice: 0 })
      expect(
        [await fits.verdicts(), await fits.mfp(), await fits.margin(), await fits.alarm()].map(String),
      ).to.deep.equal([ethers.getAddress(carol.address), '1000', '125', '125'])
      expect([...(await fits.bondTerms())]).to.deep.equal([7n, 2n, 2n])
    })
  })

  describe('registers', () => {
    const register = (path: readonly Chain[], ...signatures: readonly `0x${string}`[]): PlasmaCall => ({
      verb: 'register',
      path,
      signatures,
    })
    const other = (slot: number): Chain => ({ parent: ZERO, slot, operator: bob.address })

    it('a chain by its operator, or by anybody with its signature', async () => {
      expectDone(await play(on, register([other(1)], '0x'), bob.address))
      const signature = signed(registrationDigest(on.domain, other(2)), bob)
      expectDone(await play(on, register([other(2)], compact(signature)), stranger.address))
    })

    it('nothing twice, nothing unsigned, nothing with another chain’s signature', async () => {
      expectRefused(await play(on, register([chain], '0x'), operator.address), 'KnownChain', chainId(chain))
      expectRefused(
        await play(on, register([other(1)], '0x'), alice.address),
        'WrongSigner',
        alice.address,
        bob.address,
      )
      const replayed = signed(registrationDigest(on.domain, other(2)), bob)
      expectRefused(await play(on, register([other(1)], replayed), bob.address), 'WrongSigner')
      const nobody = { ...other(1), operator: ETHER }
      expectRefused(
        await play(on, register([nobody], `0x${'00'.repeat(65)}`), bob.address),
        'WrongSigner',
        ETHER,
        ETHER,
      )
    })

    it('no child without a parent, and no path of another length', async () => {
      const child = { ...other(1), parent: chainId(chain) }
      const orphan = { ...other(1), parent: chainId(other(7)) }
      expectRefused(
        await play(on, register([other(7), orphan], '0x', '0x'), bob.address),
        'UnknownChain',
        orphan.parent,
      )
      expectRefused(await play(on, register([chain, child], '0x', '0x'), bob.address), 'WrongSigner')
      expectRefused(await play(on, register([chain, orphan], '0x', '0x'), bob.address), 'WrongParent')
      expectRefused(await play(on, register([], '0x'), bob.address), 'WrongDepth', 0n, 3n)
      expectRefused(await play(on, register([child], '0x'), bob.address), 'WrongParent', chainId(chain), ZERO)
      expectRefused(await play(on, register([other(1)]), bob.address), 'WrongSignatures', 0n, 1n)
      expectRefused(await play(on, register([other(1)], '0x', '0x'), bob.address), 'WrongSignatures', 2n, 1n)
    })
  })

  describe('takes deposits', () => {
    it('of anybody for any owner, equal ones under another salt or sender', async () => {
      for (const deposit of [
        depositOf(chain, alice.address, 1000n, 2n),
        depositOf(chain, alice.address, 1000n, 1n, bob.address),
        depositOf(chain, on.receiverAddress, 1n, 1n, bob.address),
      ]) {
        expectDone(await play(on, depositing(deposit), deposit.sender))
        expect(on.model.status.get(depositId(deposit))).to.equal(DEPOSITED)
      }
    })

    it('but the same one only once, also after it was paid out', async () => {
      const id = depositId(gift)
      expectRefused(await play(on, depositing(gift), alice.address), 'WrongStatus', id, DEPOSITED, 0n)
      const exit = await start(on, exitingDeposit(gift), alice.address)
      expectDone(await play(on, process(exit), stranger.address, later(MFP)))
      expectRefused(await play(on, depositing(gift), alice.address), 'WrongStatus', id, PAID, 0n)
    })

    it('and refuses what has no code, no owner, no value, the wrong ether, an unknown chain', async () => {
      const wrong = async (change: Partial<Deposit>, value: bigint, ...refusal: readonly [string, ...unknown[]]) => {
        const call = depositing({ ...gift, salt: WORD, ...change })
        expectRefused(await play(on, call, alice.address, { value }), ...refusal)
      }
      await wrong({ asset: carol.address }, 0n, 'NoCode', carol.address)
      await wrong({ owner: ETHER }, 1000n, 'ZeroOwner')
      await wrong({ value: 0n }, 0n, 'ZeroValue')
      await wrong({}, 999n, 'WrongValue', 999n, 1000n)
      await wrong({}, 1001n, 'WrongValue', 1001n, 1000n)
      await wrong({ chain: WORD }, 1000n, 'UnknownChain', WORD)
    })
  })

  describe('keeps commitments', () => {
    const commit = (number: number, asOf: number, of = chain): PlasmaCall => ({
      verb: 'commit',
      chain: of,
      number,
      header: WORD,
      asOf,
    })

    it('in order, one a second, by the operator of a known chain only', async () => {
      expectDone(await play(on, commit(1, on.time), operator.address))
      expectRefused(await play(on, commit(1, on.time), operator.address), 'WrongNumber', 1, 2)
      expectRefused(await play(on, commit(3, on.time), operator.address), 'WrongNumber', 3, 2)
      expectRefused(await play(on, commit(2, on.time), bob.address), 'NotOperator', bob.address, operator.address)
      const unknown = { ...chain, slot: 9 }
      expectRefused(await play(on, commit(1, on.time, unknown), operator.address), 'UnknownChain', chainId(unknown))
      expectDone(await play(on, commit(2, on.time), operator.address))
    })

    it('with an asOf that never goes back and lies within the margin, to the second', async () => {
      expectDone(await play(on, commit(1, on.time), operator.address, later(MARGIN)))
      const asOf = on.time - MARGIN
      expectRefused(await play(on, commit(2, asOf - 1), operator.address, later(1)), 'EarlyAsOf', asOf - 1, asOf)
      const next = on.time + 1
      expectRefused(await play(on, commit(2, next), operator.address, { time: next }), 'FutureAsOf', next, next)
      const late = on.time + MARGIN + 1
      const overdue = await play(on, commit(2, on.time), operator.address, { time: late })
      expectRefused(overdue, 'LateCommit', late, late - 1)
      expectDone(await play(on, commit(2, on.time - MARGIN + 1), operator.address))
      expectDone(await play(on, commit(3, on.time), operator.address))
    })

    it('never two in one second', async () => {
      const { provider, ethers, networkHelpers } = connection
      const twin = { parent: ZERO, slot: 5, operator: bob.address }
      const send = async (name: string, ...args: readonly unknown[]) => {
        const data = on.abi.encodeFunctionData(name, args)
        const sent = { from: bob.address, to: on.domain.court, data, gas: '0x100000', gasPrice: '0x0' }
        return (await provider.request({ method: 'eth_sendTransaction', params: [sent] })) as string
      }
      await send('register', [twin], ['0x'])
      await provider.request({ method: 'evm_setAutomine', params: [false] })
      const hashes = [await send('commit', twin, 1, WORD, on.time), await send('commit', twin, 2, WORD, on.time)]
      await networkHelpers.mine()
      await provider.request({ method: 'evm_setAutomine', params: [true] })
      const receipts = await Promise.all(hashes.map((hash) => ethers.provider.getTransactionReceipt(hash)))
      expect(receipts.map((receipt) => receipt!.status)).to.deep.equal([1, 0])
      on.time = await networkHelpers.time.latest()
      const { output } = await traceOf(hashes[1]!)
      const error = on.abi.parseError(output ?? '0x')!
      expect([error.name, ...error.args.map(Number)]).to.deep.equal(['SameSecond', on.time, on.time])
    })
  })
})
