import { expect } from 'chai'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import { keccakWords } from '../../src/core/base/Signature.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { pair } from '../../src/core/plasma/Draft.ts'
import { PAID, startExitDigest } from '../../src/core/plasma/Exit.ts'
import type { Deposit } from '../../src/core/plasma/Transaction.ts'
import { catchUp, oddCoins } from './assets.ts'
import { leavingTogether, membersOf } from './branches.ts'
import { at, threefold } from './groupScene.ts'
import { exitingLocked, lockedOutput, termsUntil } from './locks.ts'
import {
  chainId,
  challenging,
  depositId,
  depositing,
  depositOf,
  exiting,
  exitingDeposit,
  payment,
  processing,
  seal,
  start,
  type Waiting,
} from './people.ts'
import { set } from './scene.ts'
import {
  alice,
  bob,
  carol,
  ETHER,
  encode,
  expectDone,
  expectRefused,
  MFP,
  play,
  type Stage,
  signed,
  stranger,
} from './stage.ts'

const WORD = uint(0x1234n, 32)

describe('RootChain, its queues', () => {
  const scene = set()
  const { later } = scene
  let on: Stage
  let chain: Chain
  let gift: Deposit
  beforeEach(() => {
    ;({ on, chain, gift } = scene)
  })
  const process = (...exits: readonly Waiting[]) =>
    processing(
      chain,
      exits.map(({ exit }) => exit),
      exits.flatMap(({ exit, ids }) => (exit.count > 1 ? membersOf(on, ids) : [])),
    )
  const put = async (value: bigint, salt: bigint, owner: Hex = bob.address) => {
    const deposit = depositOf(chain, owner, value, salt, bob.address)
    expectDone(await play(on, depositing(deposit), bob.address))
    return start(on, exitingDeposit(deposit), owner)
  }
  const cancelling = ({ exit, lane, index }: Waiting): PlasmaCall => ({ verb: 'cancelExit', exit, lane, index })
  const told = (outcome: Awaited<ReturnType<typeof play>>) =>
    expectDone(outcome).events.map((event) => ('ids' in event ? event.ids : event.name))

  it('are passed by strangers one by one, voids of both lanes among them, whatever they hand over', async () => {
    const block = await seal(on, chain, [
      payment(
        chain,
        [depositId(gift)],
        [
          [bob.address, 600n],
          [alice.address, 400n],
        ],
      ),
    ])
    const [a, b, c] = [await put(1n, 1n), await put(2n, 2n), await put(3n, 3n)]
    const [y, z] = [await start(on, exiting(block), bob.address), await start(on, exiting(block, 0, 1), alice.address)]
    for (const [one, by] of [
      [b, bob],
      [y, bob],
    ] as const) {
      expectDone(await play(on, cancelling(one), by.address))
    }
    expect(told(await play(on, process(a), stranger.address, later(2 * MFP)))).to.deep.equal([a.ids])
    // The void after it left with it; what comes next is in the list still.
    expectRefused(await play(on, process(z, y, b, a), stranger.address), 'MissingExit', 0, 2)
    expect(told(await play(on, process(z, c, a), stranger.address))).to.deep.equal([c.ids])
    expect(told(await play(on, process(y, z), stranger.address))).to.deep.equal([z.ids])
    expectRefused(await play(on, process(z), stranger.address), 'EmptyQueue', chainId(chain), ETHER)
  })

  it('lose their voids without any data, though nothing else moves', async () => {
    expectDone(await play(on, cancelling(await put(1n, 1n)), bob.address))
    const { events } = expectDone(await play(on, process(), stranger.address))
    expect(events).to.deep.equal([])
    expectRefused(await play(on, process(), stranger.address), 'EmptyQueue')
  })

  it('pass a thousand voids at the head in any slices', async () => {
    await skip(1000)
    const last = await put(7n, 7n)
    expect([last.lane, last.index]).to.deep.equal([0, 1000])
    const { provider, networkHelpers } = scene.connection
    const before = await networkHelpers.takeSnapshot()
    await networkHelpers.time.increaseTo(last.exit.exitableAt)
    const sent = { from: stranger.address, to: on.domain.court, data: encode(on, process(last)), gasPrice: '0x0' }
    let slices = 0
    for (let waits = true; waits; slices++) {
      await networkHelpers.setNextBlockBaseFeePerGas(0)
      const params = [{ ...sent, gas: '0xf4240' }]
      const hash = (await provider.request({ method: 'eth_sendTransaction', params })) as string
      const receipt = await scene.connection.ethers.provider.getTransactionReceipt(hash)
      waits = receipt!.logs.length === 0
    }
    expect(slices).to.be.within(2, 20)
    await before.restore()
    expectDone(await play(on, process(last), stranger.address, { ...later(MFP), gas: 16_000_000 }))
  })

  /** As if so many exits had come and been taken back: voids are words of zero, only the list's end moves. */
  async function skip(count: number): Promise<void> {
    const vaults = 5n
    const vault = BigInt(keccakWords(ETHER, keccakWords(chainId(chain), vaults)))
    const slot = `0x${(vault + 1n).toString(16)}`
    const { networkHelpers, ethers } = scene.connection
    expect(BigInt(await ethers.provider.getStorage(on.domain.court, vault))).to.equal(1000n)
    expect(BigInt(await ethers.provider.getStorage(on.domain.court, vault + 1n))).to.equal(0n)
    await networkHelpers.setStorageAt(on.domain.court, slot, uint(BigInt(count) << 40n, 32))
    const list = { head: 0, words: new Array<bigint>(count).fill(0n) }
    const queues = new Map(on.model.queues).set(pair(chainId(chain), ETHER), { list, buckets: new Map() })
    on.model = { ...on.model, queues }
    await catchUp(on)
  }

  it('stop at data of the wrong exit, of another place, or changed in anything', async () => {
    const [a, b] = [await put(1n, 1n), await put(2n, 2n)]
    const due = on.time + MFP
    const spoilt: readonly Partial<Waiting['exit']>[] = [
      { value: 2n },
      { owner: carol.address },
      { asset: carol.address },
      { chain: WORD },
      { lock: WORD },
      { ids: b.ids },
      { count: 0 },
      { count: 2 },
      { exitableAt: a.exit.exitableAt - 1 },
      { bond: a.exit.bond + 1n },
      { starter: carol.address },
    ]
    for (const change of spoilt) {
      const call = processing(chain, [{ ...a.exit, ...change }])
      expectRefused(await play(on, call, stranger.address, { time: Math.max(due, on.time + 1) }), 'MissingExit', 0, 0)
    }
    expectRefused(await play(on, process(b), stranger.address), 'MissingExit', 0, 0)
    expect(told(await play(on, process(b, a, b), stranger.address))).to.deep.equal([a.ids, b.ids])
  })

  it('leave unpaid what is short of the pot by one wei, pay what comes after, and the first anew once there is money', async () => {
    const lie = await seal(on, chain, [
      payment(
        chain,
        [WORD],
        [
          [bob.address, 1001n],
          [carol.address, 1000n],
        ],
      ),
    ])
    const [big, small] = [
      await start(on, exiting(lie), bob.address),
      await start(on, exiting(lie, 0, 1), carol.address),
    ]
    const { events } = expectDone(await play(on, process(big, small), stranger.address, later(2 * MFP)))
    expect(events.map(({ name }) => name)).to.deep.equal(['ExitUnpaid', 'ExitPaid'])
    expectDone(await play(on, depositing(depositOf(chain, alice.address, 1001n, 9n)), alice.address))
    // (!) Old fraud does not wait for new money: it has to start again, and to wait a full period.
    expectRefused(await play(on, process(big), stranger.address), 'EmptyQueue')
    const again = await start(on, exiting(lie), bob.address)
    expectRefused(await play(on, process(again), stranger.address, later(MFP - 1)), 'NotExitable')
    expectDone(await play(on, process(again), stranger.address))
    expect(on.model.status.get(again.ids)).to.equal(PAID)
  })

  it('(!) keep the bond of nobody whose exit was merely paid before, and of an unpaid one', async () => {
    const lie = await seal(on, chain, [payment(chain, [WORD], [[bob.address, 1001n]])])
    const [a, b] = [
      await start(on, exitingDeposit(gift), alice.address),
      await start(on, exitingDeposit(gift), alice.address),
    ]
    const c = await start(on, exiting(lie), bob.address)
    const before = [alice, bob].map(({ address }) => on.balances.get(address)!)
    expectDone(await play(on, process(a, b, c), stranger.address, later(2 * MFP)))
    const after = [alice, bob].map(({ address }) => on.balances.get(address)!)
    expect(after.map((have, i) => have - before[i]!)).to.deep.equal([1000n + a.exit.bond + b.exit.bond, c.exit.bond])
  })

  it('stand an exit that was challenged or cancelled, then spent, then started again while the old one is queued', async () => {
    const first = await start(on, exitingDeposit(gift), alice.address)
    expectDone(await play(on, cancelling(first), alice.address))
    const tx = payment(chain, [first.ids], [[bob.address, 1000n]])
    const second = await start(on, exitingDeposit(gift), alice.address)
    expectDone(await play(on, challenging(on, second, chain, { tx }, alice), carol.address))
    const third = await start(on, exitingDeposit(gift), alice.address)
    expectDone(
      await play(on, challenging(on, third, chain, { tx }, alice), carol.address, { time: third.exit.exitableAt - 1 }),
    )
    expect(told(await play(on, process(first, second, third), stranger.address))).to.deep.equal([])
    expect(on.model.pots.get(pair(chainId(chain), ETHER))! > 1000n).to.equal(true)
  })

  it('hold the border of each period: one second before, in it, and after', async () => {
    const block = await seal(on, chain, [threefold(chain, 1n)])
    const { time } = block.commitment
    const young = await start(on, exiting(block, 0, 2), bob.address, { time: time + MFP - 1 })
    const listed = await start(on, exiting(block), bob.address, { time: time + MFP })
    const old = await start(on, exiting(block), bob.address, { time: time + MFP + 1 })
    expect([young, listed, old].map(({ lane, exit }) => [lane, exit.exitableAt - time])).to.deep.equal([
      [1, 2 * MFP],
      [0, 2 * MFP],
      [0, 2 * MFP + 1],
    ])
    expectRefused(await play(on, process(listed), stranger.address, { time: time + 2 * MFP - 1 }), 'NotExitable')
    // On a tie the list comes first; the one of a second later waits.
    expect(told(await play(on, process(young, listed, old), stranger.address))).to.deep.equal([listed.ids])
    expect(told(await play(on, process(young, old), stranger.address))).to.deep.equal([young.ids, old.ids])
  })

  it('at every remaining gas do all of an exit or nothing, and never undo what came before', async () => {
    const exits: Waiting[] = []
    const terms = termsUntil(on.time + 9 * MFP)
    const hostile = on.receiverAddress
    const plain = [hostile, hostile, hostile].map((owner, i) => [owner, BigInt(i + 1)] as const)
    const tx = payment(chain, [depositId(gift)], plain)
    const block = await seal(on, chain, [
      { ...tx, outputs: [...tx.outputs, lockedOutput(terms, 5n)] },
      threefold(chain, 1n),
    ])
    exits.push(await start(on, leavingTogether(on, block, at('0.0 0.1 0.2')), hostile))
    const taken = await start(on, exiting(block, 1), bob.address)
    expectDone(await play(on, cancelling(taken), bob.address))
    exits.push(await start(on, exitingLocked(block, terms, 0, 3), bob.address))
    exits.push(await start(on, exiting(block, 0, 1), hostile), await start(on, exiting(block, 1, 1), carol.address))
    await on.receiver.behave(2, ETHER, '0x', { gasPrice: 0 })
    await catchUp(on)
    const data = encode(on, process(...exits))
    const counts: number[] = []
    for (let gas = 150_000; gas < 1_100_000; gas += 14_009) counts.push(await tried(data, gas))
    // More gas never does less: whatever is passed stays passed.
    expect(counts).to.deep.equal(counts.toSorted((a, b) => a - b))
    expect(new Set(counts)).to.deep.equal(new Set([0, 1, 2, 3, 4]))
    on.refusing = true
  })

  it('at every remaining gas, too, where the token and the starter burn all that they are given', async () => {
    const odd = await oddCoins(on)
    const exits: Waiting[] = []
    for (const salt of [1n, 2n, 3n]) {
      const deposit = depositOf(chain, alice.address, 10n, salt, alice.address, odd.asset)
      expectDone(await play(on, depositing(deposit), alice.address))
      const leave = { starter: ETHER, deadline: on.time + 99, signature: '0x' } as const
      const digest = startExitDigest(on.domain, chainId(chain), [depositId(deposit)], leave)
      const permit = { ...leave, signature: signed(digest, alice) }
      exits.push(await start(on, exitingDeposit(deposit, permit), on.receiverAddress))
    }
    await odd.contract.behave(7, ETHER, '0x', { gasPrice: 0 })
    await on.receiver.behave(2, ETHER, '0x', { gasPrice: 0 })
    await catchUp(on)
    const call = { ...process(...exits), asset: odd.asset }
    const counts: number[] = []
    for (let gas = 200_000; gas < 2_100_000; gas += 38_011) counts.push(await tried(encode(on, call), gas))
    expect(counts).to.deep.equal(counts.toSorted((a, b) => a - b))
    expect(new Set(counts)).to.deep.equal(new Set([0, 1, 2, 3]))
  })

  async function tried(data: Hex, gas: number): Promise<number> {
    const { provider, networkHelpers, ethers } = scene.connection
    const before = await networkHelpers.takeSnapshot()
    await networkHelpers.time.setNextBlockTimestamp(on.time + 2 * MFP)
    await networkHelpers.setNextBlockBaseFeePerGas(0)
    const sent = { from: stranger.address, to: on.domain.court, data, gas: `0x${gas.toString(16)}`, gasPrice: '0x0' }
    try {
      const hash = (await provider.request({ method: 'eth_sendTransaction', params: [sent] })) as string
      const { logs } = (await ethers.provider.getTransactionReceipt(hash))!
      const seen = logs.map((log) => on.abi.parseLog(log)!.name).filter((name) => /^Exit/.test(name))
      const kept = logs.map((log) => on.abi.parseLog(log)!.name).filter((name) => !/^Exit/.test(name))
      // What nobody takes waits as a credit or in escrow: of what was passed nothing is lost.
      expect(kept.length).to.be.at.least(Math.min(3, seen.length))
      return seen.length
    } catch (why) {
      const { data: error = '0x' } = why as { data?: string }
      expect(error.length >= 10 ? on.abi.parseError(error)?.name : 'out of gas').to.be.oneOf(['GasShort', 'out of gas'])
      return 0
    } finally {
      await before.restore()
    }
  }
})
