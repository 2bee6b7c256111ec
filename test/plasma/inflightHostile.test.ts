import { expect } from 'chai'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import { headerDigest } from '../../src/core/plasma/Block.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { startExitDigest } from '../../src/core/plasma/Exit.ts'
import { bitsOf } from '../../src/core/plasma/InFlightExit.ts'
import { type LockTerms, lockOf } from '../../src/core/plasma/LockTerms.ts'
import { callValue, leastGas } from '../../src/core/plasma/Sending.ts'
import { type Deposit, depositId } from '../../src/core/plasma/Transaction.ts'
import { catchUp, oddCoins } from './assets.ts'
import {
  aside,
  competing,
  deposited,
  fate,
  HALF,
  included,
  landing,
  launch,
  output,
  paidBy,
  piggybacking,
  type Running,
  responding,
  spending,
  starting,
  transfer,
} from './flights.ts'
import { depositing, depositOf, exitingDeposit, idOf, payment, seal, shown, start, txHash } from './people.ts'
import { set } from './scene.ts'
import {
  alice,
  bob,
  carol,
  ETHER,
  encode,
  expectDone,
  expectRefused,
  play,
  type Stage,
  signed,
  stranger,
} from './stage.ts'

const TOP = 2n ** 256n - 1n

describe('RootChain, in-flight exits, against hostile data, receivers and owners', () => {
  const scene = set()
  let on: Stage
  let chain: Chain
  let gift: Deposit
  beforeEach(() => {
    ;({ on, chain, gift } = scene)
  })
  const pay = () =>
    payment(
      chain,
      [depositId(gift)],
      [
        [bob.address, 600n],
        [alice.address, 400n],
      ],
    )
  const begin = (by = alice.address) => launch(on, starting(on, [chain], pay(), [deposited(gift)], alice), by)
  const process = (run: Running, asset = ETHER) =>
    play(on, landing(chain, [run], asset), stranger.address, { time: Math.max(on.time + 1, run.inFlight.exitableAt) })

  /** Whether the contract would do these bytes in the next second. */
  const accepts = async (data: Hex, from: Hex, value = 0n, gas = 8_000_000n) => {
    const quantities = { value: `0x${value.toString(16)}`, gas: `0x${gas.toString(16)}` }
    const sent = { from, to: on.domain.court, data, ...quantities }
    return on.connection.provider.request({ method: 'eth_call', params: [sent, 'latest'] }).then(
      () => true,
      () => false,
    )
  }
  const words = (data: Hex) => (data.slice(10).match(/.{64}/g) ?? []).map((word) => BigInt(`0x${word}`))
  const join = (data: Hex, list: readonly bigint[]): Hex =>
    `0x${data.slice(2, 10)}${list.map((word) => word.toString(16).padStart(64, '0')).join('')}`

  describe('takes an exit’s data only as its event told it', () => {
    it('with no word of it changed, in any way, in any verb that reads it', async () => {
      const run = await begin()
      const next = payment(chain, [depositId(gift)], [[carol.address, 1n]])
      const compete = competing([chain], run, 0, spending(on, next, depositId(gift), alice))
      const size = 15 + 4 * 3
      const verbs: readonly (readonly [PlasmaCall, Hex, number])[] = [
        [piggybacking(run, 16), bob.address, 3],
        [compete, carol.address, 5 + 4],
      ]
      for (const [call, by, from] of verbs) {
        const data = encode(on, call)
        const value = callValue(on.terms, call, 0n)
        const whole = words(data)
        expect(whole[from], call.verb).to.equal(224n)
        expect(await accepts(data, by, value)).to.equal(true)
        for (let i = from; i < from + size; i++) {
          for (const other of [whole[i]! + 1n, whole[i]! ^ (1n << 255n), whole[i]! ^ (1n << 160n), TOP]) {
            const changed = whole.map((word, at) => (at === i ? other & TOP : word))
            expect(await accepts(join(data, changed), by, value), `${call.verb}, word ${i}`).to.equal(false)
          }
        }
      }
    })

    it('wherever it lies, but laid out as the encoder does: never with arrays elsewhere or shared', async () => {
      const run = await begin()
      const call = piggybacking(run, 16)
      const [data, value] = [encode(on, call), callValue(on.terms, call, 0n)]
      const [at, positions, end, ...body] = words(data)
      const moved = [at! + 64n, positions!, end! + 64n, 7n, TOP, ...body]
      expect(await accepts(join(data, moved), bob.address, value)).to.equal(true)
      const [inFlight, terms] = [body.slice(0, -1), body.slice(-1)]
      const spent = Number(inFlight[1]! / 32n)
      const swapped = [...inFlight.slice(0, 7), ...inFlight.slice(spent), ...inFlight.slice(7, spent), ...terms]
      swapped[0] = 224n + 32n * BigInt(inFlight.length - spent)
      swapped[1] = 224n
      expect(await accepts(join(data, [at!, positions!, end!, ...swapped]), bob.address, value)).to.equal(false)
      const gap = [...inFlight.slice(0, spent), 0n, ...inFlight.slice(spent), ...terms]
      gap[1] = gap[1]! + 32n
      expect(await accepts(join(data, [at!, positions!, end! + 32n, ...gap]), bob.address, value)).to.equal(false)
      for (const cut of [1, 2, 5, 10]) {
        expect(await accepts(join(data, words(data).slice(0, -cut)), bob.address, value), `${cut}`).to.equal(false)
      }
    })

    it('in process, where other data stops it no more than none would', async () => {
      const run = await begin()
      const time = run.inFlight.exitableAt
      const long = { ...run.inFlight, spent: new Array(60).fill(run.inFlight.spent[0]) }
      const wide = { ...run.inFlight, tx: { ...run.inFlight.tx, inputs: new Array(200).fill(uint(TOP, 32)) } }
      const data = landing(chain, [long, wide, { ...run.inFlight, bond: 0n }, run, run], ETHER)
      const { events } = expectDone(await play(on, data, stranger.address, { time }))
      expect(paidBy(events)).to.deep.equal({ 5: 400n })
    })
  })

  it('a start encoded in another order runs under its event’s data all the same', async () => {
    const call = starting(on, [chain], pay(), [deposited(gift)], alice)
    const data = encode(on, call)
    const list = words(data)
    const [at, terms] = [Number(list[1]! / 32n), Number(list[4]! / 32n)]
    // The transaction's inputs and outputs change places; its hash does not.
    const tx = list.slice(at, at + 5 + 2 + 1 + 8)
    const [inputs, outputs] = [tx.slice(5, 7), tx.slice(7)]
    const turned = [tx[0]!, 160n + 288n, 160n, tx[3]!, tx[4]!, ...outputs, ...inputs]
    expect(turned.length).to.equal(tx.length)
    const bytes = join(data, [...list.slice(0, at), ...turned, ...list.slice(at + tx.length)])
    expect(bytes).to.not.equal(data)
    expect(terms).to.be.greaterThan(at)
    expect(await accepts(bytes, alice.address, callValue(on.terms, call, 0n))).to.equal(true)
    const { provider, networkHelpers } = on.connection
    const run = await aside(on, () => launch(on, call, alice.address))
    await networkHelpers.time.setNextBlockTimestamp(run.inFlight.start)
    await networkHelpers.setNextBlockBaseFeePerGas(0)
    await aside(on, async () => {
      const value = `0x${callValue(on.terms, call, 0n).toString(16)}`
      const sent = { from: alice.address, to: on.domain.court, data: bytes, value, gasPrice: '0x0' }
      await provider.request({ method: 'eth_sendTransaction', params: [sent] })
      const wanted = piggybacking(run, 16)
      expect(await accepts(encode(on, wanted), bob.address, callValue(on.terms, wanted, 0n))).to.equal(true)
    })
  })

  describe('process', () => {
    const burning = async (asset = ETHER, odd = false) => {
      const gifts: Deposit[] = []
      for (let i = 0n; i < 4n; i++) {
        const one = { ...depositOf(chain, on.receiverAddress, 10n, 20n + i, alice.address), asset }
        expectDone(await play(on, depositing(one), alice.address))
        gifts.push(one)
      }
      const outputs = [1n, 2n, 3n, 4n].map((value) => output(on.receiverAddress, value, asset))
      const tx = transfer(chain, gifts.map(depositId), outputs)
      expectDone(await play(on, { verb: 'approve', txHash: txHash(on.domain, tx) }, on.receiverAddress))
      const call = starting(on, [chain], tx, gifts.map(deposited))
      const run = await launch(on, call, on.receiverAddress)
      expect(bitsOf(run.piggybacked)).to.have.length(8)
      await on.receiver.behave(2, ETHER, '0x', { gasPrice: 0 })
      await catchUp(on)
      on.refusing = true
      if (odd) on.stubborn.add(asset)
      return run
    }

    it('passes an exit of eight positions whose receiver burns all gas, with the gas that is asked for', async () => {
      const run = await burning()
      const call = landing(chain, [run])
      const time = run.inFlight.exitableAt
      const { events } = expectDone(await play(on, call, stranger.address, { time, gas: Number(leastGas(call)) }))
      expect(events.filter(({ name }) => name === 'Credited')).to.have.length(9)
    })

    it('passes one whose token burns all gas, too, in eight positions of it', async () => {
      const odd = await oddCoins(on)
      const run = await burning(odd.asset, true)
      await odd.contract.behave(7, ETHER, '0x', { gasPrice: 0 })
      await catchUp(on)
      const call = landing(chain, [run], odd.asset)
      const time = run.inFlight.exitableAt
      const { events } = expectDone(await play(on, call, stranger.address, { time, gas: Number(leastGas(call)) }))
      expect(events.filter(({ name }) => name === 'Credited')).to.have.length(13)
    })

    it('at every remaining gas does all of an exit or none of it, and never undoes what came before', async () => {
      const first = await start(on, exitingDeposit(gift), alice.address)
      const run = await burning()
      await on.connection.networkHelpers.time.increaseTo(run.inFlight.exitableAt)
      const data = encode(on, landing(chain, [run], ETHER, [first.exit]))
      const done: boolean[] = []
      for (let gas = 100_000n; gas < 2_600_000n; gas += 61_111n)
        done.push(await accepts(data, stranger.address, 0n, gas))
      expect(done.lastIndexOf(false), 'once it does something it always does').to.equal(done.indexOf(true) - 1)
      expect(done.at(-1)).to.equal(true)
      await catchUp(on)
      const only = encode(on, landing(chain, [run]))
      expect(await accepts(only, stranger.address)).to.equal(false)
    })

    it('lets no receiver in again, into any verb', async () => {
      const own = depositOf(chain, on.receiverAddress, 10n, 5n, alice.address)
      expectDone(await play(on, depositing(own), alice.address))
      const tx = payment(chain, [depositId(own)], [[on.receiverAddress, 10n]])
      expectDone(await play(on, { verb: 'approve', txHash: txHash(on.domain, tx) }, on.receiverAddress))
      const run = await launch(on, starting(on, [chain], tx, [deposited(own)]), on.receiverAddress)
      const verbs: readonly PlasmaCall[] = [
        landing(chain, []),
        { verb: 'approve', txHash: run.txHash },
        { verb: 'claimCredit', asset: ETHER, owner: on.receiverAddress, to: on.receiverAddress },
      ]
      for (const one of verbs) {
        await aside(on, async () => {
          await on.receiver.behave(3, on.domain.court, encode(on, one), { gasPrice: 0 })
          await catchUp(on)
          expect(paidBy(expectDone(await process(run)).events)).to.deep.equal({ 4: 10n })
          expect(await on.receiver.reentered(), one.verb).to.equal(false)
        })
      }
      expectDone(await process(run))
    })
  })

  it('a challenger who refuses ether is credited; one who burns gas harms nobody else', async () => {
    const run = await begin()
    const rival = payment(chain, [depositId(gift)], [[carol.address, 1n]])
    await on.receiver.behave(1, ETHER, '0x', { gasPrice: 0 })
    await catchUp(on)
    on.refusing = true
    const call = competing([chain], run, 0, spending(on, rival, depositId(gift), alice))
    const { events } = expectDone(await play(on, call, on.receiverAddress))
    expect(events.at(-1)).to.deep.include({ name: 'Credited', amount: run.inFlight.bond })
  })

  it('expiry touches no call on what runs: want, compete, respond and process go on', async () => {
    const tx = { ...pay(), lastBlock: 2 }
    const rival = payment(chain, [depositId(gift)], [[carol.address, 1n]], { lastBlock: 2 })
    const block = await seal(on, chain, [tx, rival])
    const run = await launch(on, starting(on, [chain], tx, [deposited(gift)], alice), alice.address)
    const calls = [
      piggybacking(run, 16),
      competing([chain], run, 0, spending(on, rival, depositId(gift), alice, [shown(block, 1)])),
      responding([chain], run, shown(block)),
    ]
    await seal(on, chain, [])
    for (const call of calls) expectDone(await play(on, call, bob.address))
    expect(paidBy(expectDone(await process(run)).events)).to.deep.equal({ 4: 600n, 5: 400n })
  })

  it('a lock’s two sides: the other’s piggyback takes a shared position, never the rest of one’s own in time', async () => {
    const terms: LockTerms = { hash: uint(5n, 32), expiry: on.time + 5000, refund: carol.address }
    const outputs = [output(bob.address, 500n, ETHER, lockOf(terms)), output(carol.address, 500n)]
    const tx = transfer(chain, [depositId(gift)], outputs)
    const run = await launch(on, starting(on, [chain], tx, [deposited(gift)], alice), alice.address)
    const pending = piggybacking(run, 0b0011_0000, [terms])
    const last = { time: run.inFlight.start + HALF - 1 }
    await aside(on, async () => {
      expectDone(await play(on, piggybacking(run, 16, [terms]), bob.address))
      expectRefused(await play(on, pending, carol.address), 'WrongPositions', 0b0011_0000)
      expectDone(await play(on, piggybacking(run, 32), carol.address, last))
    })
    expectDone(await play(on, pending, carol.address))
    expectRefused(await play(on, piggybacking(run, 16, [terms]), bob.address), 'WrongPositions', 16)
  })

  it('an output that was never wanted, and one that was spent since: nothing is paid for nobody', async () => {
    const block = await seal(on, chain, [pay()])
    const tx = payment(chain, [idOf(on, block)], [[carol.address, 600n]])
    const older = await launch(on, starting(on, [chain], tx, [included(block)], bob), bob.address)
    const run = await begin(alice.address)
    expect(paidBy(expectDone(await process(run)).events)).to.deep.equal({ 5: 400n })
    expect(fate(on, idOf(on, block))).to.equal('unknown')
    expect(paidBy(expectDone(await process(older)).events)).to.deep.equal({})
    expect(fate(on, idOf(on, block))).to.equal('consumed')
    expectRefused(await play(on, starting(on, [chain], pay(), [deposited(gift)], alice), bob.address), 'NothingLeft')
  })

  it('no signature for another thing authorises a competitor: an exit’s permit, a header, another payment', async () => {
    const run = await begin()
    const rival = payment(chain, [depositId(gift)], [[carol.address, 1n]])
    const permit = { starter: carol.address, deadline: on.time + 100, signature: '0x' as const }
    const digests = [
      startExitDigest(on.domain, rival.chain, rival.inputs, permit),
      headerDigest(on.domain, rival.chain, 1, 1, depositId(gift)),
      run.txHash,
    ]
    for (const digest of digests) {
      const spend = { tx: rival, input: 0, authorisation: signed(digest, alice), inclusion: [] }
      expectRefused(await play(on, competing([chain], run, 0, spend), carol.address), 'WrongSigner')
    }
  })
})
