import { expect } from 'chai'
import type { Hex } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import { type Channel, channelId } from '../../src/core/channel/Channel.ts'
import { type Lock, packLocks } from '../../src/core/channel/Lock.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import type { LockTerms } from '../../src/core/plasma/LockTerms.ts'
import type { Adjudicator, VerdictRegistry } from '../../typechain-types/index.ts'
import { terms as channelTerms, coSigned, PERIOD } from '../channel/stage.ts'
import { catchUp, coins, type Minted } from './assets.ts'
import { claiming, exitingLocked, lockedOutput, SECRET } from './locks.ts'
import {
  depositId,
  depositing,
  depositOf,
  newChain,
  payment,
  processing,
  type Sealed,
  seal,
  start,
  type Waiting,
} from './people.ts'
import {
  agreeOnState,
  alice,
  bob,
  ETHER,
  expectDone,
  expectRefused,
  ground,
  play,
  reveal,
  type Stage,
  stage,
  stranger,
} from './stage.ts'

const NEVER_MONEY = { gasPrice: 0 }

describe('A swap of coins in a channel for ether on Plasma', () => {
  let connection: Awaited<ReturnType<typeof ground>>
  let on: Stage
  let court: Adjudicator
  let coin: Minted<'Token'>
  let chain: Chain
  let channel: Channel
  let lock: Lock
  let terms: LockTerms
  let [block, exit] = [] as unknown as [Sealed, Waiting]
  before(async () => {
    connection = await ground()
  })
  /** Alice holds 10 coins in a channel with bob, bob 1000 wei on Plasma; both lock them on one hash to one second. */
  beforeEach(async () => {
    await connection.networkHelpers.setNextBlockBaseFeePerGas(0)
    await connection.networkHelpers.mine()
    court = await connection.ethers.deployContract('Adjudicator', NEVER_MONEY)
    on = await stage(connection, court as unknown as VerdictRegistry)
    coin = await coins(on, 10n)
    on.holdings.delete(coin.asset)
    chain = await newChain(on)
    const gift = depositOf(chain, bob.address, 1000n)
    expectDone(await play(on, depositing(gift), bob.address))
    terms = { hash: hashLock(SECRET), expiry: on.time + 3 * PERIOD, refund: bob.address }
    lock = { toB: true, id: 1n, amount: 10n, expiry: terms.expiry, condition: ETHER, key: terms.hash }
    await dispute()
    const locked = {
      ...payment(chain, [depositId(gift)], []),
      outputs: [lockedOutput(terms, 1000n, ETHER, alice.address)],
    }
    block = await seal(on, chain, [locked])
    exit = await start(on, exitingLocked(block, terms), bob.address)
  })
  afterEach(async () => agreeOnState(on))

  /** Nobody answers any more: the channel’s last state goes to court. */
  async function dispute(): Promise<void> {
    const address = (await court.getAddress()).toLowerCase() as Hex
    const under = { domain: domain(31337n, address) }
    const side = ({ address: owner }: typeof alice) => ({ owner, signer: owner })
    channel = channelTerms(coin.asset, 1, { a: side(alice), b: side(bob) })
    const own = await connection.ethers.getSigner(alice.address)
    await coin.contract.connect(own).approve(address, 10n, NEVER_MONEY)
    await court.connect(own).deposit(coin.asset, channelId(under.domain, channel), false, 10n, NEVER_MONEY)
    const state = coSigned(under, channel, 1n, 0n, [alice.key, bob.key], undefined, [lock])
    await court.connect(own).challenge(channel, state, NEVER_MONEY)
    await catchUp(on)
  }
  const settle = async () => {
    await court.settle(channel, packLocks([lock]), NEVER_MONEY)
    await catchUp(on)
  }
  const held = async () => [await coin.contract.balanceOf(alice.address), await coin.contract.balanceOf(bob.address)]
  const claim = async (who: typeof alice) => {
    const before = on.balances.get(who.address)!
    expectDone(await play(on, claiming(terms, who.address, ETHER, 0n, alice.address), stranger.address))
    return on.balances.get(who.address)! - before
  }
  const process = (time: number) => play(on, processing(chain, [exit.exit]), stranger.address, { time })

  for (const [name, early] of [
    ['long before the expiry, before the Plasma exit matures', 2 * PERIOD],
    ['in the last second', 0],
  ] as const) {
    it(`goes through with one preimage, revealed ${name}`, async () => {
      await reveal(on, SECRET, terms.expiry - early)
      expectDone(await process(Math.max(on.time + 1, exit.exit.exitableAt)))
      await connection.networkHelpers.time.increaseTo(terms.expiry + 9)
      await catchUp(on)
      await settle()
      expect(await held()).to.deep.equal([0n, 20n])
      const mine = claiming(terms, bob.address, ETHER, 0n, alice.address)
      expectRefused(await play(on, mine, bob.address), 'NotOwner', bob.address, alice.address)
      expect(await claim(alice)).to.equal(1000n)
    })
  }

  for (const [name, late] of [
    ['nobody reveals', undefined],
    ['the preimage comes a second late', 1],
  ] as const) {
    it(`gives both their own back if ${name}`, async () => {
      expectDone(await process(exit.exit.exitableAt))
      if (late) await reveal(on, SECRET, terms.expiry + late)
      await connection.networkHelpers.time.increaseTo(terms.expiry + 9)
      await catchUp(on)
      await settle()
      expect(await held()).to.deep.equal([10n, 10n])
      const hers = claiming(terms, alice.address, ETHER, 0n, alice.address)
      expectRefused(await play(on, hers, alice.address), 'NotOwner', alice.address, bob.address)
      expect(await claim(bob)).to.equal(1000n)
    })
  }
})
