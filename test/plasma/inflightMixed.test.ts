import { expect } from 'chai'
import type { Hex } from '../../src/core/base/Bytes.ts'
import type { CallOf, PlasmaEvent } from '../../src/core/plasma/Call.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { outputId } from '../../src/core/plasma/Transaction.ts'
import { leavingTogether, membersOf } from './branches.ts'
import {
  aside,
  competing,
  deposited,
  fate,
  included,
  landing,
  launch,
  paidBy,
  piggybacking,
  type Running,
  spending,
  starting,
} from './flights.ts'
import { at } from './groupScene.ts'
import {
  depositId,
  depositing,
  depositOf,
  exitingDeposit,
  payment,
  seal,
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
  encode,
  expectDone,
  expectRefused,
  MFP,
  play,
  type Stage,
  stranger,
} from './stage.ts'

describe('RootChain, in-flight exits, of keys that gain code', () => {
  const scene = set()

  /** EIP-7702: a key that runs a contract's code; without one, an ordinary key again. */
  const delegate = (who: Hex, code?: Hex) =>
    scene.connection.networkHelpers.setCode(who, code ? `0xef0100${code.slice(2)}` : '0x')

  const paying = (memo = 1n) =>
    payment(
      scene.chain,
      [depositId(scene.gift)],
      [
        [bob.address, 600n],
        [alice.address, 400n],
      ],
      { memo: `0x${memo.toString(16).padStart(64, '0')}` },
    )

  it('(!) what it signed before, and what it signs then, starts, competes and is paid all the same', async () => {
    const { on, chain, gift } = scene
    const call = starting(on, [chain], paying(), [deposited(gift)], alice)
    const other = spending(on, paying(2n), depositId(gift), alice)
    await delegate(alice.address, on.receiverAddress)
    const run = await launch(on, call, alice.address)
    await aside(on, async () => {
      const later = spending(on, paying(3n), depositId(gift), alice)
      for (const spend of [other, later]) {
        await aside(on, async () => {
          const { events } = expectDone(await play(on, competing([chain], run, 0, spend), carol.address))
          expect(events.map(({ name }) => name)).to.include('Competed')
        })
      }
    })
    await delegate(bob.address, on.receiverAddress)
    expectDone(await play(on, piggybacking(run, 1 << 4), bob.address))
    const { events } = expectDone(await play(on, landing(chain, [run]), stranger.address, { time: due(run) }))
    expect(paidBy(events)).to.deep.equal({ 4: 600n, 5: 400n })
    await delegate(alice.address)
  })

  it('(!) what it approved stays approved with the code and without; its code’s word is never asked', async () => {
    const { on, chain, gift } = scene
    const [tx, other] = [paying(), paying(2n)]
    const without = starting(on, [chain], tx, [deposited(gift)])
    await delegate(alice.address, on.receiverAddress)
    expectRefused(await play(on, without, alice.address), 'NotApproved')
    expectRefused(await play(on, starting(on, [chain], tx, [deposited(gift)], stranger), alice.address), 'WrongSigner')
    for (const one of [tx, other]) {
      expectDone(await play(on, { verb: 'approve', txHash: txHash(on.domain, one) }, alice.address))
    }
    await delegate(alice.address)
    const run = await launch(on, without, alice.address)
    await delegate(alice.address, on.receiverAddress)
    const spend = spending(on, other, depositId(gift))
    expectDone(await play(on, competing([chain], run, 0, spend), carol.address))
    const { events } = expectDone(await play(on, landing(chain, [run]), stranger.address, { time: due(run) }))
    expect([paidBy(events), fate(on, depositId(gift))]).to.deep.equal([{}, 'deposited'])
  })
})

describe('RootChain, in-flight exits beside groups and single exits', () => {
  const scene = set()
  let on: Stage
  let chain: Chain
  beforeEach(() => {
    ;({ on, chain } = scene)
  })

  const put = async (value: bigint, salt: bigint, owner: Hex = bob.address) => {
    const made = depositOf(chain, owner, value, salt, bob.address)
    expectDone(await play(on, depositing(made), bob.address))
    return made
  }
  const single = async (value: bigint, salt: bigint) =>
    start(on, exitingDeposit(await put(value, salt, carol.address)), carol.address)
  const together = async (...made: readonly Awaited<ReturnType<typeof put>>[]) => {
    const deposits = [...made].sort((a, b) => (depositId(a) < depositId(b) ? -1 : 1))
    return { verb: 'startDepositExits', deposited: deposits, permit: exitingDeposit(scene.gift).permit } as const
  }
  const fly = (memo: Hex = `0x${'01'.padStart(64, '0')}`) => {
    const to = [[bob.address, 600n] as const, [alice.address, 400n] as const]
    const tx = payment(chain, [depositId(scene.gift)], to, { memo })
    return launch(on, starting(on, [chain], tx, [deposited(scene.gift)], alice), alice.address)
  }
  const process = (exits: readonly Waiting[], runs: readonly Running[]): CallOf<'process'> => ({
    ...landing(
      chain,
      runs,
      ETHER,
      exits.map(({ exit }) => exit),
    ),
    members: exits.flatMap(({ exit, ids }) => (exit.count > 1 ? membersOf(on, ids) : [])),
  })
  const leaves = new Set(['ExitPaid', 'ExitUnpaid', 'ExitDropped', 'InFlightProcessed'])
  const told = (events: readonly PlasmaEvent[]) =>
    events.flatMap((event) => {
      if (!leaves.has(event.name)) return []
      return [event.name === 'InFlightProcessed' ? event.txHash : 'ids' in event ? event.ids : event.name]
    })

  /** A queue of one of everything, twice: single, group, in flight, group, in flight (of a block's output), single. */
  const crowd = async () => {
    const first = await single(7n, 1n)
    const pair = await start(on, await together(await put(20n, 2n), await put(30n, 3n)), bob.address)
    const run = await fly()
    const own = payment(chain, [depositId(await put(90n, 4n, alice.address))], [[alice.address, 90n]])
    const three = [1n, 2n, 3n].map((value) => [bob.address, value] as const)
    const block = await seal(on, chain, [payment(chain, [depositId(await put(6n, 5n))], three), own])
    const trio = await start(on, leavingTogether(on, block, at('0.0 0.1 0.2')), bob.address)
    const next = payment(chain, [outputId(txHash(on.domain, own), 0)], [[carol.address, 90n]])
    const second = await launch(on, starting(on, [chain], next, [included(block, 1)], alice), alice.address)
    expectDone(await play(on, piggybacking(second, 1 << 4), carol.address))
    const last = await single(9n, 6n)
    const ids = [first.ids, pair.ids, run.txHash, last.ids, trio.ids, second.txHash]
    return { exits: [first, pair, last, trio], runs: [run, second], ids, until: due(second) + MFP }
  }

  it('leave in the order of their age, each once, whoever hands over what', async () => {
    const { exits, runs, ids, until } = await crowd()
    const whole = await aside(on, async () => {
      const { events } = expectDone(await play(on, process(exits, runs), stranger.address, { time: until }))
      return events
    })
    expect(told(whole)).to.deep.equal(ids)
    const seen: string[] = []
    on.time = until
    for (const [turn, id] of ids.entries()) {
      // Its own data comes behind that of whatever has left already.
      const left = (one: Hex) => ids.indexOf(one) < turn || one === id
      const call = process(
        exits.filter((one) => left(one.ids)),
        runs.filter((one) => left(one.txHash)),
      )
      seen.push(...told(expectDone(await play(on, call, stranger.address)).events))
    }
    expect(seen).to.deep.equal(ids)
    expectRefused(await play(on, process(exits, runs), stranger.address), 'EmptyQueue')
  })

  it('short of gas stop between two of them, never within one, and go on where they stopped', async () => {
    const { exits, runs, ids, until } = await crowd()
    const data = encode(on, process(exits, runs))
    const { networkHelpers, provider } = on.connection
    const sent = async (gas: number): Promise<readonly string[]> => {
      await networkHelpers.setNextBlockBaseFeePerGas(0)
      const request = {
        from: stranger.address,
        to: on.domain.court,
        data,
        gasPrice: '0x0',
        gas: `0x${gas.toString(16)}`,
      }
      const hash = await provider.request({ method: 'eth_sendTransaction', params: [request] }).catch(() => undefined)
      if (!hash) return []
      const receipt = await on.connection.ethers.provider.getTransactionReceipt(hash as string)
      const events = receipt!.logs.flatMap((log) => on.abi.parseLog(log) ?? [])
      return events.flatMap(({ name, args }) => (leaves.has(name) ? [String(args.ids ?? args.txHash)] : []))
    }
    const done = new Set<number>()
    for (let gas = 300_000; gas < 2_000_000; gas += 87_001) {
      const seen: string[] = []
      await aside(on, async () => {
        await networkHelpers.time.increaseTo(until)
        for (let i = 0; i < 8; i++) {
          const some = await sent(gas)
          if (i === 0) done.add(some.length)
          if (some.length === 0) break
          seen.push(...some)
        }
      })
      expect(seen, `${gas} gas`).to.deep.equal(ids.slice(0, seen.length))
      if (gas > 1_100_000) expect(seen, `${gas} gas`).to.have.length(ids.length)
    }
    expect([...done].sort()).to.include.members([0, 1, 2, 6])
  })

  it('(!) a group that is older pays its member, and the transaction that spends it is not canonical', async () => {
    const group = await start(on, await together(scene.gift, await put(50n, 8n, alice.address)), alice.address)
    const run = await fly()
    const { events } = expectDone(await play(on, process([group], [run]), stranger.address, { time: due(run) }))
    const paid = events.flatMap((event) => (event.name === 'ExitPaid' ? [event.amount] : []))
    expect([paid, paidBy(events), fate(on, depositId(scene.gift))]).to.deep.equal([[1050n], {}, 'paid'])
  })

  it('(!) a group that is younger leaves without the member that was consumed, and loses its bond', async () => {
    const run = await fly()
    const group = await start(on, await together(scene.gift, await put(50n, 8n, alice.address)), alice.address)
    const call = process([group], [run])
    const { events } = expectDone(await play(on, call, stranger.address, { time: group.exit.exitableAt }))
    const paid = events.flatMap((event) => (event.name === 'ExitPaid' ? [event.amount] : []))
    expect([paid, paidBy(events), fate(on, depositId(scene.gift))]).to.deep.equal([[50n], { 5: 400n }, 'consumed'])
  })
})

function due({ inFlight }: Running): number {
  return inFlight.exitableAt
}
