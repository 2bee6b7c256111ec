import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import type { Spend } from '../../src/core/plasma/Spend.ts'
import type { Deposit } from '../../src/core/plasma/Transaction.ts'
import { depositing, depositOf, exiting, exitingDeposit, start, type Waiting } from './people.ts'
import { type Scene, set, type Trace } from './scene.ts'
import { alice, bob, carol, ETHER, expectDone, expectRefused, MFP, play, type Stage } from './stage.ts'

const WORD = uint(0x1234n, 32)

describe('RootChain among hostile receivers', () => {
  const scene = set()
  const { paid, later, process, traceOf } = scene
  let connection: Scene['connection']
  let on: Stage
  let chain: Chain
  let gift: Deposit
  beforeEach(() => {
    ;({ connection, on, chain, gift } = scene)
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
      const spend: Spend = { tx: block.txs[0]!, input: 0, authorisation: '0x', inclusion: [] }
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

function find(trace: Trace, to: string): Trace | undefined {
  if (trace.to === to) return trace
  for (const call of trace.calls ?? []) {
    const found = find(call, to)
    if (found) return found
  }
  return undefined
}
