import { expect } from 'chai'
import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import type { Deposit } from '../../src/core/plasma/Transaction.ts'
import { catchUp, coins, type Minted, oddCoins, refusalOf } from './assets.ts'
import { leavingTogether, membersOf } from './branches.ts'
import { at } from './groupScene.ts'
import { claiming, exitingLocked, lockedOutput, SECRET, termsUntil } from './locks.ts'
import {
  chainId,
  challenging,
  depositId,
  depositing,
  depositOf,
  exiting,
  exitingDeposit,
  newChain,
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
  reveal,
  type Stage,
  stranger,
} from './stage.ts'

const WORD = uint(0x1234n, 32)
const NEVER_MONEY = { gasPrice: 0 }

describe('RootChain and ERC-20s', () => {
  const scene = set()
  const { later } = scene
  let on: Stage
  let chain: Chain
  beforeEach(() => {
    ;({ on, chain } = scene)
  })
  const given = (asset: Hex, value = 1000n, of = chain, salt = 1n, owner = alice.address) =>
    depositOf(of, owner, value, salt, owner, asset)
  const putIn = async (deposit: Deposit) => expectDone(await play(on, depositing(deposit), deposit.sender))
  const process = (asset: Hex, exits: readonly Waiting[], of = chain) =>
    processing(
      of,
      exits.map(({ exit }) => exit),
      exits.flatMap(({ exit, ids }) => (exit.count > 1 ? membersOf(on, ids) : [])),
      asset,
    )
  const pay = (asset: Hex, input: Hex, values: readonly bigint[], owner = bob.address) => ({
    ...payment(chain, [input], []),
    outputs: values.map((value) => ({ owner, asset, value, lock: ZERO })),
  })
  const names = (outcome: Awaited<ReturnType<typeof play>>) => expectDone(outcome).events.map(({ name }) => name)

  describe('that are honest', () => {
    let coin: Minted<'Token'>
    beforeEach(async () => {
      coin = await coins(on)
    })

    it('come in and leave like ether, alone, in groups, locked; their bonds are ether all the same', async () => {
      await putIn(given(coin.asset))
      const terms = termsUntil(on.time + 5 * MFP)
      const paid = pay(coin.asset, depositId(given(coin.asset)), [500n, 300n, 100n])
      const outputs = [...paid.outputs, lockedOutput(terms, 100n, coin.asset)]
      const block = await seal(on, chain, [{ ...paid, outputs }])
      const exits = [
        await start(on, exiting(block), bob.address),
        await start(on, leavingTogether(on, block, at('0.1 0.2')), bob.address),
        await start(on, exitingLocked(block, terms, 0, 3), alice.address),
      ]
      const outcome = await play(on, process(coin.asset, exits), stranger.address, later(2 * MFP))
      expect(names(outcome)).to.deep.equal(['ExitPaid', 'ExitPaid', 'ExitPaid', 'Escrowed'])
      await reveal(on, SECRET)
      expectDone(await play(on, claiming(terms, bob.address, coin.asset), stranger.address))
      expect(on.holdings.get(coin.asset)!.get(bob.address)).to.equal(11_000n)
    })

    it('(!) are paid out of their own pot: no other asset, no other chain, no ether pays for them, nor they for others', async () => {
      const other = await newChain(on, 1)
      const second = await coins(on)
      await putIn(given(coin.asset, 1000n))
      await putIn(given(coin.asset, 5000n, other))
      await putIn(given(second.asset, 3000n))
      const lies = [pay(coin.asset, WORD, [1001n]), pay(second.asset, WORD, [3001n]), pay(ETHER, WORD, [1001n])]
      const block = await seal(on, chain, lies)
      for (const [i, asset] of [coin.asset, second.asset, ETHER].entries()) {
        const exit = await start(on, exiting(block, i), bob.address)
        const time = Math.max(on.time + 1, exit.exit.exitableAt)
        expect(names(await play(on, process(asset, [exit]), stranger.address, { time }))).to.deep.equal(['ExitUnpaid'])
      }
    })

    it('give what they forfeit of bonds to the pot of ether', async () => {
      await putIn(given(coin.asset))
      const exit = await start(on, exitingDeposit(given(coin.asset)), alice.address)
      const tx = pay(coin.asset, exit.ids, [1n])
      expectDone(await play(on, challenging(on, exit, chain, { tx }, alice), carol.address))
      const half = exit.exit.bond - exit.exit.bond / 2n
      expect(on.model.pots.get(`${chainId(chain)}/${ETHER}`)).to.equal(1000n + half)
      expect(on.model.pots.get(`${chainId(chain)}/${coin.asset}`)).to.equal(1000n)
    })

    it('do not come in with ether, without allowance, or twice under one name', async () => {
      const deposit = given(coin.asset)
      expectRefused(await play(on, depositing(deposit), alice.address, { value: 1n }), 'WrongValue', 1n, 0n)
      expect(await refusalOf(on, depositing({ ...deposit, sender: stranger.address }), stranger.address)).to.include(
        'Insufficient',
      )
      await putIn(deposit)
      expectRefused(await play(on, depositing(deposit), alice.address), 'WrongStatus')
    })
  })

  describe('that are odd', () => {
    const HONEST = 0
    let odd: Minted<'OddToken'>
    beforeEach(async () => {
      odd = await oddCoins(on)
    })
    const behaves = async (manner: number, payload: Hex = '0x') => {
      await odd.contract.behave(manner, on.domain.court, payload, NEVER_MONEY)
      await catchUp(on)
    }
    const oddDeposit = (value: bigint, salt: bigint, owner = alice.address) =>
      given(odd.asset, value, chain, salt, owner)

    for (const [manner, name, refusal] of [
      [1, 'take a fee', 'WrongTransfer'],
      [2, 'return false', 'SafeERC20FailedOperation'],
      [5, 'return two', 'SafeERC20FailedOperation'],
      [6, 'revert', 'Error'],
      [7, 'burn all gas', ''],
      [10, 'pay twice', 'WrongTransfer'],
      [13, 'return a dirty bool', 'SafeERC20FailedOperation'],
    ] as const) {
      it(`are refused, and leave nothing behind, when they ${name}`, async () => {
        await behaves(manner)
        const told = await refusalOf(on, depositing(oddDeposit(10n, 1n)), alice.address)
        expect(told, name)
          .to.be.a('string')
          .and.include(refusal.startsWith('Safe') ? '' : refusal)
        await behaves(HONEST)
        await putIn(oddDeposit(10n, 1n))
      })
    }

    for (const [manner, name] of [
      [3, 'return nothing'],
      [4, 'return 64 bytes'],
      [8, 'return a bomb'],
    ] as const) {
      it(`come in and leave though they ${name}`, async () => {
        await behaves(manner)
        await putIn(oddDeposit(10n, 1n))
        const exit = await start(on, exitingDeposit(oddDeposit(10n, 1n)), alice.address)
        expect(names(await play(on, process(odd.asset, [exit]), bob.address, later(MFP)))).to.deep.equal(['ExitPaid'])
        expect(await odd.contract.balanceOf(alice.address)).to.equal(10_000n)
      })
    }

    for (const [manner, name] of [
      [2, 'return false'],
      [6, 'revert'],
      [7, 'burn all gas'],
    ] as const) {
      it(`that ${name} in the middle of a queue become credits; the bonds and all that comes after are paid`, async () => {
        const exits: Waiting[] = []
        for (const [i, owner] of [alice.address, bob.address, alice.address].entries()) {
          const deposit = oddDeposit(10n, BigInt(i + 1), owner)
          await putIn(deposit)
          exits.push(await start(on, exitingDeposit(deposit), owner))
        }
        expect(names(await play(on, process(odd.asset, [exits[0]!]), carol.address, later(MFP)))).to.deep.equal([
          'ExitPaid',
        ])
        await behaves(manner)
        on.stubborn.add(odd.asset)
        const outcome = await play(on, process(odd.asset, exits.slice(1)), carol.address, later(2 * MFP))
        expect(names(outcome)).to.deep.equal(['ExitPaid', 'Credited', 'ExitPaid', 'Credited'])
        const claim = { verb: 'claimCredit', asset: odd.asset, owner: bob.address, to: bob.address } as const
        expectRefused(await play(on, claim, carol.address), 'PaymentRefused', odd.asset, bob.address, 10n)
        await behaves(HONEST)
        on.stubborn.delete(odd.asset)
        expectRefused(await play(on, { ...claim, to: carol.address }, carol.address), 'NotOwner')
        expectDone(await play(on, claim, carol.address))
        expectDone(await play(on, { ...claim, owner: alice.address, to: stranger.address }, alice.address))
        expectRefused(await play(on, claim, carol.address), 'NoCredit')
      })
    }

    for (const [manner, name] of [
      [5, 'return two'],
      [12, 'return 31 bytes'],
      [13, 'return a dirty bool'],
    ] as const) {
      it(`that ${name} are believed to have refused, whatever they did`, async () => {
        await putIn(oddDeposit(10n, 1n))
        const exit = await start(on, exitingDeposit(oddDeposit(10n, 1n)), alice.address)
        await behaves(manner)
        on.stubborn.add(odd.asset)
        const outcome = await play(on, process(odd.asset, [exit]), carol.address, later(MFP))
        expect(names(outcome)).to.deep.equal(['ExitPaid', 'Credited'])
      })
    }

    it('cannot call back: neither while they come in, nor while they leave or are claimed', async () => {
      const locked = scene.connection.ethers.id('ReentrancyGuardReentrantCall()').slice(0, 10)
      const again = oddDeposit(10n, 2n)
      const told = async () => [await odd.contract.reentered(), await odd.contract.refusal()]
      await behaves(9, encode(on, depositing(again)))
      await putIn(oddDeposit(10n, 1n))
      expect(await told()).to.deep.equal([false, locked])
      const exit = await start(on, exitingDeposit(oddDeposit(10n, 1n)), alice.address)
      await behaves(9, encode(on, process(odd.asset, [exit])))
      expect(names(await play(on, process(odd.asset, [exit]), bob.address, later(MFP)))).to.deep.equal(['ExitPaid'])
      expect(await told()).to.deep.equal([false, locked])
    })

    it('cannot have one transfer counted for two deposits', async () => {
      // It makes a deposit inside of a deposit's transfer, and keeps the outer one back.
      const inner = depositing(oddDeposit(10n, 2n))
      await behaves(11, encode(on, inner))
      expect(await refusalOf(on, depositing(oddDeposit(10n, 1n)), alice.address)).to.equal('WrongTransfer')
    })

    it('hurt only their own: whatever they do, ether and other tokens are paid', async () => {
      const coin = await coins(on)
      for (const [asset, salt] of [
        [odd.asset, 1n],
        [coin.asset, 2n],
      ] as const)
        await putIn(given(asset, 10n, chain, salt))
      const exits = [
        await start(on, exitingDeposit(given(odd.asset, 10n, chain, 1n)), alice.address),
        await start(on, exitingDeposit(given(coin.asset, 10n, chain, 2n)), alice.address),
        await start(on, exitingDeposit(scene.gift), alice.address),
      ] as const
      await behaves(7)
      on.stubborn.add(odd.asset)
      for (const exit of exits) {
        const time = Math.max(on.time + 1, exit.exit.exitableAt)
        const paid = names(await play(on, process(exit.exit.asset, [exit]), bob.address, { time }))
        expect(paid).to.deep.equal(exit === exits[0] ? ['ExitPaid', 'Credited'] : ['ExitPaid'])
      }
    })
  })
})
