import { expect } from 'chai'
import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import type { Deposit, Output, Transaction } from '../../src/core/plasma/Transaction.ts'
import { catchUp, coins, deeds, type Minted, oddDeeds, refusalOf } from './assets.ts'
import { leavingTogether } from './branches.ts'
import { claiming, exitingLocked, lockedOutput, SECRET, termsUntil } from './locks.ts'
import {
  chainId,
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
} from './people.ts'
import { set } from './scene.ts'
import {
  agreeOnState,
  alice,
  bob,
  carol,
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
const ID = 1000n
const NEVER_MONEY = { gasPrice: 0 }

describe('RootChain and ERC-721s', () => {
  const scene = set()
  const { later } = scene
  let on: Stage
  let chain: Chain
  let deed: Minted<'Deed'>
  beforeEach(async () => {
    ;({ on, chain } = scene)
    deed = await deeds(on, [0n, 1n, ID, 2n ** 256n - 1n])
  })
  const given = (id = ID, of = chain, asset = deed.asset, salt = id + 1n) =>
    depositOf(of, alice.address, id, salt % 2n ** 200n, alice.address, asset)
  const moved = (from: Hex, ...outputs: readonly Partial<Output>[]): Transaction => {
    const whole = outputs.map((change) => ({ owner: bob.address, asset: deed.asset, value: ID, lock: ZERO, ...change }))
    return { ...payment(chain, [from], []), outputs: whole }
  }
  const putIn = async (deposit: Deposit) => expectDone(await play(on, depositing(deposit), deposit.sender))
  const process = (
    exits: readonly { exit: Parameters<typeof processing>[1][number] }[],
    of = chain,
    asset = deed.asset,
  ) =>
    processing(
      of,
      exits.map(({ exit }) => exit),
      [],
      asset,
    )

  it('takes every id, zero and the largest too, and hands it out to its owner', async () => {
    for (const id of [0n, 1n, ID, 2n ** 256n - 1n]) {
      await putIn(given(id))
      expect(on.model.holders.get(`${deed.asset}/${id}`)).to.equal(chainId(chain))
      const exit = await start(on, exitingDeposit(given(id)), alice.address)
      const { events } = expectDone(await play(on, process([exit]), carol.address, later(MFP)))
      expect(events[0]).to.deep.include({ name: 'ExitPaid', amount: id })
      expectRefused(await play(on, depositing(given(id)), alice.address), 'WrongStatus')
      await putIn(given(id, chain, deed.asset, id + 7n))
    }
  })

  it('pays an id that moved on the chain to whom it moved, once', async () => {
    await putIn(given())
    const block = await seal(on, chain, [moved(depositId(given()), {})])
    const exits = [await start(on, exiting(block), bob.address), await start(on, exiting(block), bob.address)]
    const { events } = expectDone(await play(on, process(exits), stranger.address, later(2 * MFP)))
    expect(events.map(({ name }) => name)).to.deep.equal(['ExitPaid', 'ExitDropped'])
    expect(await deed.contract.ownerOf(ID)).to.equal(scene.connection.ethers.getAddress(bob.address))
  })

  it('(!) has no pot for it: one id in two chains, in two outputs or out of nowhere is paid where it is held', async () => {
    const other = await newChain(on, 1)
    await putIn(given())
    const lie = { ...moved(WORD, {}), chain: chainId(other) }
    const elsewhere = await seal(on, other, [lie])
    const block = await seal(on, chain, [moved(depositId(given()), {}, { owner: carol.address }, { value: 1n })])
    const stolen = await start(on, exiting(elsewhere), bob.address)
    const exits = [
      await start(on, exiting(block), bob.address),
      await start(on, exiting(block, 0, 1), carol.address),
      await start(on, exiting(block, 0, 2), bob.address),
    ]
    const refused = expectDone(await play(on, process([stolen], other), bob.address, later(2 * MFP)))
    expect(refused.events[0]).to.deep.include({ name: 'ExitUnpaid', have: 0n, need: 1n })
    const { events } = expectDone(await play(on, process(exits), stranger.address))
    expect(events.map(({ name }) => name)).to.deep.equal(['ExitPaid', 'ExitUnpaid', 'ExitUnpaid'])
    expect(on.model.pots.get(`${chainId(chain)}/${deed.asset}`)).to.equal(undefined)
  })

  it('pays an id once for each time that it came in, and an output that came again by another name', async () => {
    await putIn(given())
    const block = await seal(on, chain, [moved(depositId(given()), { owner: alice.address })])
    const old = await start(on, exitingDeposit(given()), alice.address)
    expectDone(await play(on, process([old]), stranger.address, later(2 * MFP)))
    const again = given(ID, chain, deed.asset, 5n)
    await putIn(again)
    // Nobody challenged the spent deposit: what spent it may take the id again, as it would a pot's money; once.
    const young = await start(on, exiting(block), alice.address)
    const mine = await start(on, exitingDeposit(again), alice.address)
    const { events } = expectDone(await play(on, process([young, mine]), stranger.address, later(MFP + 1)))
    expect(events.map(({ name }) => name)).to.deep.equal(['ExitPaid', 'ExitUnpaid'])
  })

  it('refuses an id that it holds, that is not the sender’s, or that comes with ether', async () => {
    await putIn(given())
    const again = given(ID, await newChain(on, 1), deed.asset, 9n)
    expectRefused(await play(on, depositing(again), alice.address), 'HeldAlready', deed.asset, ID)
    const foreign = { ...given(1n), sender: carol.address }
    expect(await refusalOf(on, depositing(foreign), carol.address)).to.not.equal(undefined)
    expectRefused(await play(on, depositing(given(1n)), alice.address, { value: 1n }), 'WrongValue', 1n, 0n)
    const unknown = depositing({ ...given(1n), chain: WORD })
    expectRefused(await play(on, unknown, alice.address), 'UnknownChain', WORD)
  })

  it('refuses a stray safe transfer, and to group ids, whose sum may be another’s id', async () => {
    const signer = await scene.connection.ethers.getSigner(alice.address)
    const stray = deed.contract.connect(signer)['safeTransferFrom(address,address,uint256)']
    const sent = await stray(alice.address, on.domain.court, 1n, NEVER_MONEY).then(
      () => 'sent',
      () => 'refused',
    )
    expect(sent).to.equal('refused')
    await catchUp(on)
    for (const id of [0n, 1n, ID]) await putIn(given(id))
    const pieces = await seal(on, chain, [moved(WORD, { value: 400n }, { value: 600n })])
    const places = [
      [0, 0],
      [0, 1],
    ] as const
    expectRefused(await play(on, leavingTogether(on, pieces, places), bob.address), 'NotFungible', deed.asset)
    const group = [given(0n), given(1n)]
    const call = { verb: 'startDepositExits', deposited: group, permit: exitingDeposit(given()).permit } as const
    expectRefused(await play(on, call, alice.address), 'NotFungible', deed.asset)
  })

  it('keeps an id apart from an amount: exits of as many coins, of ether and of the id leave by their own queues', async () => {
    const coin = await coins(on)
    const amount = depositOf(chain, alice.address, ID, 3n, alice.address, coin.asset)
    await putIn(given())
    await putIn(amount)
    const own = await start(on, exitingDeposit(given()), alice.address)
    const wrong = await play(on, process([own], chain, coin.asset), stranger.address, later(MFP))
    expectRefused(wrong, 'EmptyQueue', chainId(chain), coin.asset)
    const lie = await seal(on, chain, [moved(WORD, { asset: coin.asset, value: ID + 1n })])
    const exit = await start(on, exiting(lie), bob.address)
    const { events } = expectDone(await play(on, process([exit], chain, coin.asset), bob.address, later(2 * MFP)))
    expect(events[0]).to.deep.include({ name: 'ExitUnpaid', have: ID, need: ID + 1n })
    expectDone(await play(on, process([own]), stranger.address))
  })

  it('puts a locked one into escrow, for whom the lock decides', async () => {
    await putIn(given())
    const terms = termsUntil(on.time + 5 * MFP)
    const locked = [lockedOutput(terms, ID, deed.asset)]
    const block = await seal(on, chain, [{ ...moved(depositId(given())), outputs: locked }])
    const exit = await start(on, exitingLocked(block, terms), bob.address)
    expectDone(await play(on, process([exit]), stranger.address, later(2 * MFP)))
    const { lock } = exit.exit
    const none = await play(on, claiming(terms, bob.address, deed.asset), bob.address)
    expectRefused(none, 'NothingInEscrow', bob.address, lock, deed.asset, 0n)
    await reveal(on, SECRET)
    const claim = claiming(terms, carol.address, deed.asset, ID)
    expectRefused(await play(on, claim, alice.address), 'NotOwner', alice.address, bob.address)
    expectDone(await play(on, claim, bob.address))
    expectRefused(await play(on, claim, bob.address), 'NothingInEscrow', bob.address, lock, deed.asset, ID)
  })

  describe('that are odd', () => {
    const [UNIQUE, FUNGIBLE, EVERYTHING, NOTHING, BURNS] = [0, 1, 2, 3, 4]
    const [HONEST, DOES_NOTHING, REVERTS, BURNS_GAS, REENTERS, BOMB] = [0, 1, 2, 3, 4, 5]
    let odd: Minted<'OddDeed'>
    const says = async (claim: number) => {
      await odd.contract.say(claim, NEVER_MONEY)
      await catchUp(on)
    }
    const behaves = async (manner: number, payload: Hex = '0x') => {
      await odd.contract.behave(manner, on.domain.court, payload, NEVER_MONEY)
      await catchUp(on)
    }
    const held = (id: bigint, salt = id + 1n) => given(id, chain, odd.asset, salt)
    const kind = () => on.model.kinds.get(odd.asset)

    it('are what they say with their first deposit: an ERC-721 stays one though it changes its mind', async () => {
      odd = await oddDeeds(on, [1n, 2n], 'unique')
      await putIn(held(1n))
      await says(FUNGIBLE)
      await putIn(held(2n))
      expect(kind()).to.equal('unique')
      const exits = [await start(on, exitingDeposit(held(1n)), alice.address)]
      expectDone(await play(on, process(exits, chain, odd.asset), bob.address, later(MFP)))
    })

    it('stay fungible though they say later that they are not, and then an id is no amount', async () => {
      odd = await oddDeeds(on, [1n, 2n], 'fungible')
      await says(FUNGIBLE)
      await putIn(held(1n))
      await says(UNIQUE)
      expect(await refusalOf(on, depositing(held(2n)), alice.address)).to.equal('WrongTransfer')
      expect(kind()).to.equal('fungible')
    })

    it('count as fungible if they say everything, nothing, or burn the gas of the question', async () => {
      for (const claim of [EVERYTHING, NOTHING, BURNS]) {
        odd = await oddDeeds(on, [1n], 'fungible')
        await says(claim)
        await putIn(held(1n))
      }
    })

    it('cannot be made fungible by somebody who leaves too little gas for the question', async () => {
      odd = await oddDeeds(on, [1n], 'unique')
      const { provider, networkHelpers } = scene.connection
      for (let gas = 60_000; gas < 400_000; gas += 6_007) {
        const before = await networkHelpers.takeSnapshot()
        const sent = { from: alice.address, to: on.domain.court, data: encode(on, depositing(held(1n))) }
        const quantities = { gas: `0x${gas.toString(16)}`, gasPrice: '0x0' }
        await networkHelpers.setNextBlockBaseFeePerGas(0)
        const done = await provider
          .request({ method: 'eth_sendTransaction', params: [{ ...sent, ...quantities }] })
          .then(
            () => true,
            () => false,
          )
        const court = await scene.connection.ethers.getContractAt('RootChain', on.domain.court)
        expect(await court.kinds(odd.asset)).to.equal(done ? 2n : 0n)
        await before.restore()
      }
    })

    it('are refused where their transferFrom does nothing, although it says nothing either', async () => {
      odd = await oddDeeds(on, [1n], 'unique')
      await behaves(DOES_NOTHING)
      expect(await refusalOf(on, depositing(held(1n)), alice.address)).to.equal('WrongTransfer')
    })

    it('that cannot be pushed wait as the owner’s, who may name another receiver', async () => {
      odd = await oddDeeds(on, [1n, 2n], 'unique')
      for (const manner of [REVERTS, BURNS_GAS]) {
        const id = BigInt(manner - 1)
        await putIn(held(id))
        const exit = await start(on, exitingDeposit(held(id)), alice.address)
        await behaves(manner)
        on.stubborn.add(odd.asset)
        const { events } = expectDone(await play(on, process([exit], chain, odd.asset), bob.address, later(MFP)))
        expect(events.map(({ name }) => name)).to.deep.equal(['ExitPaid', 'TokenCredited'])
        const claim = (to: Hex) => ({ verb: 'claimToken', asset: odd.asset, id, to }) as const
        expectRefused(await play(on, claim(carol.address), bob.address), 'NotOwner', bob.address, alice.address)
        expectRefused(await play(on, claim(alice.address), bob.address), 'PaymentRefused', odd.asset, alice.address, id)
        await behaves(HONEST)
        on.stubborn.delete(odd.asset)
        expect(await refusalOf(on, depositing(held(id, 77n)), alice.address)).to.not.equal(undefined)
        expectDone(await play(on, claim(carol.address), alice.address))
        expectRefused(await play(on, claim(carol.address), alice.address), 'NoCredit')
      }
    })

    it('cannot call back into the court while they are taken or handed out', async () => {
      odd = await oddDeeds(on, [1n], 'unique')
      const locked = scene.connection.ethers.id('ReentrancyGuardReentrantCall()').slice(0, 10)
      const exit = await (async () => {
        await behaves(REENTERS, encode(on, { verb: 'approve', txHash: WORD }))
        await putIn(held(1n))
        expect(await odd.contract.refusal()).to.equal(locked)
        return start(on, exitingDeposit(held(1n)), alice.address)
      })()
      await behaves(REENTERS, encode(on, { verb: 'claimToken', asset: odd.asset, id: 1n, to: alice.address }))
      expectDone(await play(on, process([exit], chain, odd.asset), bob.address, later(MFP)))
      expect(await odd.contract.refusal()).to.equal(locked)
    })

    it('are paid though they return a bomb', async () => {
      odd = await oddDeeds(on, [1n], 'unique')
      await putIn(held(1n))
      const exit = await start(on, exitingDeposit(held(1n)), alice.address)
      await behaves(BOMB)
      expectDone(await play(on, process([exit], chain, odd.asset), bob.address, later(MFP)))
      await agreeOnState(on)
    })
  })
})
