import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import { compact } from '../../src/core/base/Signature.ts'
import type { PlasmaCall, Spend } from '../../src/core/plasma/Call.ts'
import { DEPOSITED, PAID, type Permit, startExitDigest } from '../../src/core/plasma/Exit.ts'
import { type Chain, type Deposit, registrationDigest } from '../../src/core/plasma/Transaction.ts'
import {
  chainId,
  challenging,
  depositId,
  depositing,
  depositOf,
  exiting,
  exitingDeposit,
  idOf,
  newChain,
  payment,
  processing,
  type Sealed,
  seal,
  shown,
  start,
  txHash,
  type Waiting,
} from './people.ts'
import {
  agreeOnState,
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
  ground,
  MARGIN,
  MFP,
  operator,
  play,
  type Stage,
  signed,
  stage,
  stranger,
  ZERO,
} from './stage.ts'

const WORD = uint(0x1234n, 32)

describe('RootChain', () => {
  let connection: Awaited<ReturnType<typeof ground>>
  let on: Stage
  let chain: Chain
  let gift: Deposit
  before(async () => {
    connection = await ground()
  })
  beforeEach(async () => {
    on = await stage(connection)
    chain = await newChain(on)
    gift = depositOf(chain, alice.address, 1000n)
    expectDone(await play(on, depositing(gift), alice.address))
  })
  afterEach(async () => agreeOnState(on))

  const traceOf = (hash: string) =>
    connection.provider.request({
      method: 'debug_traceTransaction',
      params: [hash, { tracer: 'callTracer' }],
    }) as Promise<Trace>

  /** A block in which alice pays 600 to bob and keeps 400, of her deposit. */
  const paid = () =>
    seal(on, chain, [
      payment(
        chain,
        [depositId(gift)],
        [
          [bob.address, 600n],
          [alice.address, 400n],
        ],
      ),
    ])
  const later = (seconds: number) => ({ time: on.time + seconds })
  const process = (...exits: readonly Waiting[]) =>
    processing(
      chain,
      exits.map(({ exit }) => exit),
    )

  describe('is deployed', () => {
    it('only with times and fees that fit', async () => {
      const { ethers } = connection
      const wrong: [number, number, number, bigint, bigint][] = [
        [0, 0, 0, 1n, 2n],
        [1001, 1, 1, 1n, 2n],
        [1000, 126, 125, 1n, 2n],
        [1000, 125, 125, 3n, 2n],
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
      expect(await fits.bondGas()).to.equal(7n)
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

    it('no child yet, and no path of another length', async () => {
      const child = { ...other(1), parent: chainId(chain) }
      expectRefused(await play(on, register([chain, child], '0x', '0x'), bob.address), 'WrongDepth', 2n, 1n)
      expectRefused(await play(on, register([], '0x'), bob.address), 'WrongDepth', 0n, 1n)
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

    it('and refuses tokens so far, no owner, no value, the wrong ether, an unknown chain', async () => {
      const wrong = async (change: Partial<Deposit>, value: bigint, ...refusal: readonly [string, ...unknown[]]) => {
        const call = depositing({ ...gift, salt: WORD, ...change })
        expectRefused(await play(on, call, alice.address, { value }), ...refusal)
      }
      await wrong({ asset: carol.address }, 0n, 'UnsupportedAsset', carol.address)
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
      expectRefused(await play(on, pathless(), bob.address), 'WrongDepth', 0n, 1n)
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

    it('never of a locked output, nor of a token, so far', async () => {
      const lock = { owner: bob.address, asset: ETHER, value: 1n, lock: WORD }
      const token = { owner: bob.address, asset: carol.address, value: 1n, lock: ZERO }
      const odd = await seal(on, chain, [{ ...payment(chain, [WORD], []), outputs: [lock, token] }])
      expectRefused(await play(on, exiting(odd), bob.address), 'LockedOutput', WORD)
      expectRefused(await play(on, exiting(odd, 0, 1), bob.address), 'UnsupportedAsset', carol.address)
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
        await play(on, challenge({ tx: spend(carol.address), signature: challenge({}).spend.signature }), bob.address),
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
        1n,
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

    it('no in-flight exits so far', async () => {
      const tx = payment(chain, [WORD], [])
      const odd = { tx, spent: [], start: 1, exitableAt: 1, bond: 1n, starter: bob.address, late: false }
      expectRefused(await play(on, { ...process(), inFlight: [odd] }, bob.address), 'UnsupportedExits', 1n, 0n)
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

  describe('stands hostile receivers', () => {
    const [ACCEPTS, REVERTS, BURNS, REENTERS, BOMB] = [0, 1, 2, 3, 4]
    const behave = async (manner: number, payload: `0x${string}` = '0x') => {
      await on.receiver.behave(manner, on.domain.court, payload, { gasPrice: 0 })
      on.time = await connection.networkHelpers.time.latest()
      on.refusing = manner === REVERTS || manner === BURNS
    }
    let theirs: Waiting
    let after: Waiting
    beforeEach(async () => {
      const deposit = depositOf(chain, on.receiverAddress, 77n, 1n, bob.address)
      expectDone(await play(on, depositing(deposit), bob.address))
      theirs = await start(on, exitingDeposit(deposit), on.receiverAddress)
      after = await start(on, exitingDeposit(gift), alice.address)
    })

    for (const [manner, name] of [
      [REVERTS, 'reverts'],
      [BURNS, 'burns all its gas'],
    ] as const) {
      it(`that ${name}: its money waits as a credit, the next one is paid`, async () => {
        await behave(manner)
        const { events } = expectDone(await play(on, process(theirs, after), carol.address, later(MFP)))
        expect(events.map((event) => event.name)).to.deep.equal(['ExitPaid', 'Credited', 'ExitPaid'])
        const claim = (to: `0x${string}`, owner = on.receiverAddress): PlasmaCall => ({
          verb: 'claimCredit',
          asset: ETHER,
          owner,
          to,
        })
        const amount = 77n + theirs.exit.bond
        const refused = await play(on, claim(on.receiverAddress), carol.address)
        expectRefused(refused, 'PaymentRefused', ETHER, on.receiverAddress, amount)
        expectRefused(
          await play(on, claim(carol.address), carol.address),
          'NotOwner',
          carol.address,
          on.receiverAddress,
        )
        expectRefused(await play(on, claim(bob.address, bob.address), carol.address), 'NoCredit', ETHER, bob.address)
        expectDone(await play(on, claim(bob.address), on.receiverAddress))
      })
    }

    it('that returns a bomb, and pays it', async () => {
      await behave(BOMB)
      expectDone(await play(on, process(theirs, after), carol.address, later(MFP)))
    })

    it('that calls back into every verb: the lock holds, it is paid, nothing else happens', async () => {
      const block = await paid()
      const { exit, lane, index } = after
      const spend: Spend = { tx: block.txs[0]!, input: 0, signature: '0x', inclusion: [] }
      const verbs: PlasmaCall[] = [
        process(after),
        { verb: 'approve', txHash: WORD },
        { verb: 'claimCredit', asset: ETHER, owner: alice.address, to: alice.address },
        { verb: 'cancelExit', exit, lane, index },
        { verb: 'challengeExit', path: [chain], exit, lane, index, spend },
        { verb: 'commit', chain, number: 2, header: WORD, asOf: on.time },
        { verb: 'register', path: [{ ...chain, slot: 3, operator: on.receiverAddress }], signatures: ['0x'] },
        exitingDeposit(gift),
        exiting(block),
        depositing(gift),
      ]
      const locked = connection.ethers.id('ReentrancyGuardReentrantCall()').slice(0, 10)
      for (const verb of verbs) {
        const data = on.abi.encodeFunctionData(verb.verb, Object.values(verb).slice(1)) as `0x${string}`
        await behave(REENTERS, data)
        const payout = { ...process(theirs), exits: [theirs.exit] }
        const request = {
          from: carol.address,
          to: on.domain.court,
          data: on.abi.encodeFunctionData('process', Object.values(payout).slice(1)),
        }
        const traced = await simulate(request, theirs.exit.exitableAt)
        expect(traced, verb.verb).to.equal(locked)
      }
      await behave(REENTERS, on.abi.encodeFunctionData('approve', [WORD]) as `0x${string}`)
      expectDone(await play(on, process(theirs, after), carol.address, later(MFP)))
      expect(await on.receiver.reentered()).to.equal(false)
      await behave(ACCEPTS)
    })

    /** Runs a transaction at a time without keeping it; returns the first bytes of what the receiver was told inside. */
    async function simulate(request: object, time: number): Promise<string> {
      const { networkHelpers, provider } = connection
      const before = await networkHelpers.takeSnapshot()
      await networkHelpers.time.setNextBlockTimestamp(time)
      await networkHelpers.setNextBlockBaseFeePerGas(0)
      const first = BigInt(connection.ethers.keccak256(uint(1, 32)))
      // The payload lies in the receiver's storage from here on; it is warmed up so that the push's gas does for the call.
      const storageKeys = Array.from({ length: 60 }, (_, i) => uint(first + BigInt(i), 32))
      const accessList = [{ address: on.receiverAddress, storageKeys }]
      const sent = { ...request, gas: '0x500000', gasPrice: '0x0', accessList }
      const hash = (await provider.request({ method: 'eth_sendTransaction', params: [sent] })) as string
      const trace = await traceOf(hash)
      await before.restore()
      return find(trace, on.receiverAddress)?.calls?.[0]?.output?.slice(0, 10) ?? 'not called'
    }
  })

  describe('short of gas', () => {
    it('passes as many exits as the gas takes, refuses where it takes none, and loses nothing', async () => {
      const exits = [await start(on, exitingDeposit(gift), alice.address)]
      for (let salt = 10n; salt < 13n; salt++) {
        const deposit = depositOf(chain, on.receiverAddress, salt, salt, bob.address)
        expectDone(await play(on, depositing(deposit), bob.address))
        exits.push(await start(on, exitingDeposit(deposit), on.receiverAddress))
      }
      await on.receiver.behave(2, ETHER, '0x', { gasPrice: 0 })
      const { networkHelpers, ethers } = connection
      const passed = new Set<number>()
      const data = on.abi.encodeFunctionData('process', Object.values(process(...exits)).slice(1))
      for (let gas = 60_000; gas < 900_000; gas += 7_919) {
        const before = await networkHelpers.takeSnapshot()
        await networkHelpers.time.increaseTo(on.time + MFP)
        await networkHelpers.setNextBlockBaseFeePerGas(0)
        passed.add(await attempt(data, gas))
        await before.restore()
      }
      expect([...passed].sort()).to.deep.equal([0, 1, 2, 3, 4])
      on.refusing = true
      on.time = (await ethers.provider.getBlock('latest'))!.timestamp

      async function attempt(input: string, gas: number): Promise<number> {
        const sent = {
          from: carol.address,
          to: on.domain.court,
          data: input,
          gas: `0x${gas.toString(16)}`,
          gasPrice: '0x0',
        }
        try {
          const hash = (await connection.provider.request({ method: 'eth_sendTransaction', params: [sent] })) as string
          const { logs } = (await ethers.provider.getTransactionReceipt(hash))!
          const names = logs.map((log) => on.abi.parseLog(log)!.name)
          const count = names.filter((name) => name === 'ExitPaid').length
          // Whoever was passed was paid or credited, whatever gas was left: nobody's payment is lost.
          expect(names.filter((name) => name === 'Credited')).to.have.length(count - 1)
          return count
        } catch (why) {
          const error = on.abi.parseError((why as { data?: string }).data ?? '0x')
          if (gas > 120_000) expect(error?.name).to.equal('GasShort')
          return 0
        }
      }
    })
  })
})

interface Trace {
  readonly to?: string
  readonly output?: string
  readonly calls?: readonly Trace[]
}

function find(trace: Trace, to: string): Trace | undefined {
  if (trace.to === to) return trace
  for (const call of trace.calls ?? []) {
    const found = find(call, to)
    if (found) return found
  }
  return undefined
}
