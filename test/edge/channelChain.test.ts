import { expect } from 'chai'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import { ALL, hashLock } from '../../src/core/base/Verdicts.ts'
import { adjudicate } from '../../src/core/channel/Adjudicator.ts'
import type { ChannelCall, SignedState } from '../../src/core/channel/Call.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import {
  type Channel,
  challengeDigest,
  channelId,
  FINAL,
  finalState,
  type State,
  stateDigest,
  withdrawalDigest,
} from '../../src/core/channel/Channel.ts'
import { callValue } from '../../src/core/channel/Funding.ts'
import { type Lock, locksRoot, packLocks } from '../../src/core/channel/Lock.ts'
import { newCourt } from '../../src/core/channel/Record.ts'
import { channelChain } from '../../src/edge/chain/ChannelChain.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { Adjudicator__factory, Receiver__factory, Token__factory } from '../../typechain-types/index.ts'
import { type Both, both, call, compared, held, pairOf, pass } from './both.ts'
import { faultIn } from './plain.ts'

const [alice, bob] = [localAccount(0), localAccount(1)]

async function world() {
  const chains = await both()
  const deployer = (await chains.connection.ethers.getSigners())[4]!
  const court = (await (await new Adjudicator__factory(deployer).deploy()).getAddress()).toLowerCase() as Hex
  const token = await new Token__factory(deployer).deploy()
  const asset = (await token.getAddress()).toLowerCase() as Hex
  for (const { address } of [alice, bob]) {
    await token.mint(address, 1000n)
    chains.l1.money.mint(asset, address, 1000n)
  }
  const simulated = chains.l1.deploy(court, adjudicate, newCourt(domain(31337n, court)), callValue)
  const connect = async (index: number) => {
    const signer = (await chains.connection.ethers.getSigners())[index]!
    return channelChain({ provider: chains.provider, signer, court, interval: 5 })
  }
  return { chains, court, asset, pair: await pairOf(chains, connect, simulated) }
}

type World = Awaited<ReturnType<typeof world>>

function terms(asset: Hex): Channel {
  const [a, b] = [alice, bob].map(({ address }) => ({ owner: address, signer: address })) as [
    Channel['a'],
    Channel['b'],
  ]
  return { a, b, asset, challengePeriod: 3600, bond: 0n, salt: uint(7, 32) }
}

function signed({ court }: World, channel: Channel, version: bigint, net: bigint, list: readonly Lock[] = []) {
  const under = domain(31337n, court)
  const locks = packLocks(list)
  const state: State = { channelId: channelId(under, channel), version, net, locksRoot: locksRoot(locks), batch: ZERO }
  const [sigA, sigB] = [alice, bob].map(({ key }) => sign(stateDigest(under, state), key)) as [Hex, Hex]
  return { version, net, batch: ZERO, locks, sigA, sigB } satisfies SignedState
}

/** Who gained how much of an asset while `run` ran, on both chains; ether on the real one also pays for gas. */
async function gained(chains: Both, asset: Hex, owner: Hex, run: () => Promise<void>) {
  const before = await held(chains, asset, owner)
  await run()
  const after = await held(chains, asset, owner)
  return { real: after.real - before.real, model: after.model - before.model }
}

describe('edge/chain of channels: Hardhat and the simulation', () => {
  it('tells a channel that has only deposits from one that was challenged, paid out of, or closed', async () => {
    const w = await world()
    const provider = w.chains.provider
    const signer = (await w.chains.connection.ethers.getSigners())[0]!
    const chain = await channelChain({ provider, signer, court: w.court, interval: 5 })
    const under = domain(31337n, w.court)
    const of = (salt: number) => ({ ...terms(ETHER), salt: uint(salt, 32) })
    const fresh = (channel: Channel) => chain.isFresh(ETHER, channelId(under, channel))
    const funded = async (channel: Channel) => {
      expect(await fresh(channel)).to.equal(true)
      const deposit = { verb: 'deposit', asset: ETHER, channelId: channelId(under, channel), toB: false } as const
      await chain.send({ ...deposit, amount: 5n })
      expect(await fresh(channel)).to.equal(true)
      return channel
    }
    const challenged = await funded(of(1))
    await chain.send({ verb: 'challenge', channel: challenged, state: NO_STATE })
    expect(await fresh(challenged)).to.equal(false)
    const answered = await funded(of(2))
    await chain.send({ verb: 'answer', channel: answered, state: signed(w, answered, 1n, 0n) })
    expect(await fresh(answered)).to.equal(false)
    const withdrawn = await funded(of(3))
    const digest = withdrawalDigest(under, channelId(under, withdrawn), 2n, 0n, 2 ** 40 - 1)
    const [sigA, sigB] = [alice, bob].map(({ key }) => sign(digest, key)) as [Hex, Hex]
    await chain.send({
      verb: 'withdraw',
      ...{ channel: withdrawn, totalA: 2n, totalB: 0n, deadline: 2 ** 40 - 1, sigA, sigB },
    })
    expect(await fresh(withdrawn)).to.equal(false)
    const closed = await funded(of(4))
    const end = stateDigest(under, finalState(channelId(under, closed), 0n))
    const [endA, endB] = [alice, bob].map(({ key }) => sign(end, key)) as [Hex, Hex]
    await chain.send({ verb: 'conclude', channel: closed, net: 0n, sigA: endA, sigB: endB })
    expect(await fresh(closed)).to.equal(false)
  })

  it('agree on a dispute over ether, refusals included', async () => {
    const w = await world()
    const { chains, court, pair } = w
    const channel = terms(ETHER)
    const id = channelId(domain(31337n, court), channel)
    const say = (by: number, one: ChannelCall) => call(pair, by, one)
    const deposit = (toB: boolean, amount: bigint): ChannelCall => ({
      ...{ verb: 'deposit', asset: ETHER, channelId: id, toB, amount },
    })
    const settle: ChannelCall = { verb: 'settle', channel, locks: '0x' }
    expect(await say(0, deposit(false, 0n))).to.equal('ZeroAmount')
    expect(await say(0, deposit(false, 100n))).to.equal(undefined)
    expect(await say(1, deposit(true, 50n))).to.equal(undefined)
    expect(await say(2, { verb: 'challenge', channel, state: signed(w, channel, 1n, 5n) })).to.equal('NotParty')
    expect(await say(1, { verb: 'challenge', channel, state: signed(w, channel, 1n, -5n) })).to.equal(undefined)
    expect(await say(2, { verb: 'answer', channel, state: signed(w, channel, 9n, 60n) })).to.equal(undefined)
    expect(await say(2, { verb: 'answer', channel, state: signed(w, channel, 8n, 0n) })).to.equal('StaleVersion')
    expect(await say(0, settle)).to.be.a('string')
    await pass(chains, 4000)
    expect((await held(chains, ETHER, court)).real).to.equal(150n)
    const toBob = await gained(chains, ETHER, bob.address, async () => {
      expect(await say(2, settle)).to.equal(undefined)
    })
    expect(toBob).to.deep.equal({ real: 110n, model: 110n })
    expect(await say(2, settle)).to.equal('ChannelClosed')
    expect(await say(2, { verb: 'claimCredit', asset: ETHER, owner: bob.address, to: bob.address })).to.equal(
      'NoCredit',
    )
    expect(await compared(pair)).to.deep.equal(['Deposited', 'Deposited', 'Challenged', 'Answered', 'Settled'])
  })

  it('agree on money of both at once, taken out meanwhile, a challenge by somebody else and a lock that is revealed', async () => {
    const w = await world()
    const { chains, court, pair } = w
    const channel = terms(ETHER)
    const under = domain(31337n, court)
    const id = channelId(under, channel)
    const say = (by: number, one: ChannelCall) => call(pair, by, one)
    const payer = {
      from: bob.address,
      permit2: false,
      validAfter: 0n,
      validBefore: 0n,
      salt: ZERO,
      signature: '0x',
    } as const
    const sums = { asset: ETHER, channelId: id, amountA: 100n, amountB: 50n }
    expect(await say(2, { verb: 'openBoth', ...sums, payerIsB: true, payer })).to.equal(undefined)
    expect((await held(chains, ETHER, court)).real).to.equal(150n)
    const deadline = chains.time + 500
    const [sigA, sigB] = [alice, bob].map(({ key }) => sign(withdrawalDigest(under, id, 0n, 30n, deadline), key)) as [
      Hex,
      Hex,
    ]
    const take: ChannelCall = { verb: 'withdraw', channel, totalA: 0n, totalB: 30n, deadline, sigA, sigB }
    const taken = await gained(chains, ETHER, bob.address, async () => {
      expect(await say(2, take)).to.equal(undefined)
    })
    expect(taken).to.deep.equal({ real: 30n, model: 30n })
    expect(await say(2, take)).to.equal('WrongWithdrawal')
    const [secret, other] = [uint(0x5ec, 32), uint(0x5ed, 32)]
    const lockOf = (number: bigint, preimage: Hex): Lock => ({
      ...{ toB: true, id: number, amount: 7n, expiry: chains.time + 9000, condition: ETHER, key: hashLock(preimage) },
    })
    const state = signed(w, channel, 3n, 10n, [lockOf(1n, secret), lockOf(2n, other)])
    const until = chains.time + 500
    const signedBy = (key: Hex) => sign(challengeDigest(under, id, 3n, until), key)
    const challenge = (key: Hex): ChannelCall => ({
      ...{ verb: 'challengeFor', channel, state, deadline: until, sig: signedBy(key) },
    })
    expect(await say(2, challenge(uint(99, 32)))).to.equal('NotParty')
    expect(await say(2, challenge(bob.key))).to.equal(undefined)
    expect(await say(2, challenge(bob.key))).to.equal('ChallengeRunning')
    expect(await say(3, { verb: 'reveal', preimages: [secret] })).to.equal(undefined)
    await pass(chains, 4000)
    const settle = (locks: Hex): ChannelCall => ({ verb: 'settle', channel, locks })
    expect(await say(3, settle(packLocks([lockOf(1n, secret)])))).to.equal('WrongLocks')
    const paid = await gained(chains, ETHER, bob.address, async () => {
      expect(await say(3, settle(state.locks))).to.equal(undefined)
    })
    expect(paid).to.deep.equal({ real: 37n, model: 37n })
    expect(await say(3, settle(state.locks))).to.equal('WrongLocks')
    await pass(chains, 6000)
    const rest = state.locks.slice(2 + 2 * 82)
    const back = await gained(chains, ETHER, alice.address, async () => {
      expect(await say(3, settle(`0x${rest}`))).to.equal(undefined)
    })
    expect(back).to.deep.equal({ real: 7n, model: 7n })
    const told = ['Deposited', 'Deposited', 'Withdrawn', 'Challenged', 'Revealed', 'Settled', 'Settled']
    expect(await compared(pair)).to.deep.equal(told)
  })

  it('agree on a channel of a token that is concluded; deposits are approved as far as needed', async () => {
    const w = await world()
    const { chains, court, asset, pair } = w
    const channel = terms(asset)
    const id = channelId(domain(31337n, court), channel)
    await call(pair, 0, {
      verb: 'deposit',
      asset,
      channelId: id,
      toB: false,
      amount: 300n,
    })
    await call(pair, 1, { verb: 'deposit', asset, channelId: id, toB: true, amount: 20n })
    const under = domain(31337n, court)
    const final = stateDigest(under, finalState(id, 70n))
    const [sigA, sigB] = [sign(final, alice.key), sign(final, bob.key)]
    expect(finalState(id, 70n).version).to.equal(FINAL)
    expect(await call(pair, 2, { verb: 'conclude', channel, net: 70n, sigA, sigB })).to.equal(undefined)
    for (const [owner, amount] of [
      [alice.address, 930n],
      [bob.address, 1070n],
      [court, 0n],
    ] as const) {
      expect(await held(chains, asset, owner)).to.deep.equal({ real: amount, model: amount })
    }
    const token = await chains.connection.ethers.getContractAt('Token', asset)
    expect(await token.allowance(alice.address, court)).to.equal(0n)
    expect(await compared(pair)).to.deep.equal(['Deposited', 'Deposited', 'Concluded'])
  })

  it('agree on the verdict on a key, and since when it is there', async () => {
    const { pair } = await world()
    const [known, other] = [uint(1, 32), uint(2, 32)].map(hashLock) as [Hex, Hex]
    expect(await call(pair, 0, { verb: 'reveal', preimages: [uint(1, 32)] })).to.equal(undefined)
    for (const chain of [pair.real[1]!, pair.simulated[1]!]) {
      const [head, verdict] = [await chain.head(), await chain.verdict(ETHER, known)]
      expect(verdict?.amount).to.equal(ALL)
      expect(verdict?.time).to.equal((await chain.verdict(ETHER, known, head))?.time)
      expect(await chain.verdict(ETHER, other)).to.equal(undefined)
      expect(await chain.verdict(ETHER, known, head - 1)).to.equal(undefined)
    }
  })

  it('tells what the court could not pay to an owner, until that is claimed', async () => {
    const { chains, court } = await world()
    const deployer = (await chains.connection.ethers.getSigners())[4]!
    const receiver = await new Receiver__factory(deployer).deploy()
    const owner = (await receiver.getAddress()).toLowerCase() as Hex
    const { a, b, ...rest } = terms(ETHER)
    const channel = { ...rest, a, b: { ...b, owner } }
    const under = domain(31337n, court)
    const id = channelId(under, channel)
    const chain = await channelChain({ provider: chains.provider, signer: deployer, court, interval: 5 })
    await chain.send({ verb: 'deposit', asset: ETHER, channelId: id, toB: true, amount: 50n })
    await receiver.behave(1, owner, '0x')
    const final = stateDigest(under, finalState(id, 0n))
    const [sigA, sigB] = [sign(final, alice.key), sign(final, bob.key)]
    expect(await chain.credit(ETHER, owner)).to.equal(0n)
    await chain.send({ verb: 'conclude', channel, net: 0n, sigA, sigB })
    expect(await chain.credit(ETHER, owner)).to.equal(50n)
    const claim = () => chain.send({ verb: 'claimCredit', asset: ETHER, owner, to: owner })
    expect((await claim().catch((why) => why)).code).to.equal('PaymentRefused')
    await receiver.behave(0, owner, '0x')
    await claim()
    expect([await chain.credit(ETHER, owner), await chains.provider.getBalance(owner)]).to.deep.equal([0n, 50n])
  })

  it('keeps the allowances of deposits apart that are sent at once', async () => {
    const { asset, pair, chains } = await world()
    const deposit = (amount: bigint): ChannelCall => ({
      ...{ verb: 'deposit', asset, channelId: uint(amount, 32), toB: false, amount },
    })
    await Promise.all([5n, 7n, 2n].map((amount) => pair.real[0]!.send(deposit(amount))))
    expect((await held(chains, asset, alice.address)).real).to.equal(986n)
  })

  it('names what a token refuses, and an asset that is no token', async () => {
    const { asset, pair } = await world()
    const deposit = (of: Hex, amount: bigint): ChannelCall => ({
      ...{ verb: 'deposit', asset: of, channelId: ZERO, toB: false, amount },
    })
    const poor = await pair.real[0]!.send(deposit(asset, 1001n)).catch((why) => why)
    expect([poor.code, ...poor.args]).to.deep.equal(['ERC20InsufficientBalance', alice.address, 1000n, 1001n])
    expect((await faultIn(pair.real[0]!.send(deposit(bob.address, 1n)))).code).to.equal('NotDeployed')
  })
})
