import { expect } from 'chai'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { entries } from '../../src/core/base/HashMap.ts'
import { addressOf, sign } from '../../src/core/base/Signature.ts'
import type { Refusal } from '../../src/core/base/Step.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { dueExits } from '../../src/core/plasma/Due.ts'
import { startExitDigest } from '../../src/core/plasma/Exit.ts'
import { membership } from '../../src/core/plasma/Group.ts'
import type { OwnerPermit } from '../../src/core/plasma/Guard.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { heldBy } from '../../src/core/plasma/Purse.ts'
import { allExits, allInFlight, type RunningExit } from '../../src/core/plasma/Running.ts'
import { depositId } from '../../src/core/plasma/Transaction.ts'
import type { WatcherOutput } from '../../src/core/plasma/Watcher.ts'
import { Fault } from '../../src/edge/Fault.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import type { Watcher } from '../../src/role/Watcher.ts'
import { BOB, BOND, flying, gained, given, to } from './flights.ts'
import { CHAIN, DEPTH, DOMAIN, key, MFP, through, WATCHER, World } from './plasmaWorld.ts'
import { depositOf, ID, PAYER, type Puppet, payment, ready, THIEF } from './puppet.ts'

const NOWHERE = payment(2, { inputs: [uint(7, 32)], outputs: [to(THIEF, 10n ** 18n)] })

/** Lets everything that a watcher knows mature and be paid, slice after slice. */
async function payAll(world: World, watcher: Watcher): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await world.pass(2 * MFP)
    const due = dueExits(watcher.state.running, ETHER, world.l1.head().time)
    if (due.exits.length + due.inFlight.length === 0) return
    const paid = world.connect(THIEF).send({ verb: 'process', chain: ID, asset: ETHER, ...due })
    await world.mine(DEPTH + 2)
    await paid
  }
}

function permitOf(ids: readonly Hex[], by: Hex, starter: Hex = WATCHER, deadline = 2 ** 39): OwnerPermit {
  const open = { starter, deadline, signature: '0x' as Hex }
  return { owner: addressOf(by), ids, ...open, signature: sign(startExitDigest(DOMAIN, ID, ids, open), by) }
}

/** The verbs that one account or another has sent of late. */
function verbs(world: World, ...wanted: readonly string[]): readonly string[] {
  return world.calls.map(({ verb }) => verb).filter((verb) => wanted.includes(verb))
}

const STARTS = ['startExit', 'startExits', 'startDepositExit', 'startDepositExits', 'startInFlight']

/** A chain on which PAYER has deposit 1 and two coins of block 1, and of which block 2 is bad. */
async function spoilt(puppet: Puppet, more: readonly ReturnType<typeof payment>[] = []): Promise<void> {
  const split = payment(0, { outputs: [to(PAYER, 60n), to(PAYER, 40n)] })
  await puppet.commit([split])
  await puppet.commit([NOWHERE, ...more])
}

describe('Watcher that guards owners', () => {
  it('brings everything of an owner to layer 1 once a number is bad, in few groups, and says what it costs', async () => {
    const { world, puppet } = await ready()
    const said: WatcherOutput[] = []
    const onOutput = (output: WatcherOutput) => said.push(output)
    const watcher = world.watcher(puppet.api, memoryStore(), { owners: [{ key: key(1) }], onOutput })
    await puppet.commit([payment(0, { outputs: [to(PAYER, 60n), to(PAYER, 40n)] })])
    expect(verbs(world, ...STARTS), 'nothing before the chain is bad').to.deep.equal([])
    await puppet.commit([NOWHERE])
    await world.mine(DEPTH + 2)
    expect([...verbs(world, ...STARTS)].sort()).to.deep.equal(['startDepositExits', 'startExits'])
    const told = said.flatMap((one) => (one.kind === 'guarding' ? [one] : []))
    expect(told).to.deep.equal([{ kind: 'guarding', escapes: 2, bonds: 2, left: 0 }])
    await payAll(world, watcher)
    expect([gained(world, PAYER), gained(world, WATCHER)], 'all deposits, and all bonds').to.deep.equal([0n, 0n])
    expect(world.failures).to.deep.equal([])
    world.stop()
  })

  it('starts exits by permits that owners have signed in advance, which it keeps over a restart, and by no others', async () => {
    const { world, puppet } = await ready()
    const store = memoryStore()
    const first = world.watcher(puppet.api, store)
    const ids = [1, 2].map((n) => depositId(depositOf(n))).sort()
    const spent = [depositId(depositOf(0))]
    await first.permit(permitOf(ids, key(1)))
    await first.permit(permitOf(spent, key(1)))
    await first.permit(permitOf([ids[0]!], key(1), WATCHER, 1))
    const code = (permit: OwnerPermit) => first.permit(permit).catch((why: Refusal) => why.code)
    expect(await code({ ...permitOf(ids, key(1)), owner: BOB })).to.equal('WrongSigner')
    expect(await code({ ...permitOf(ids, key(1)), deadline: 5 })).to.equal('WrongSigner')
    expect(await code(permitOf(ids, key(1), THIEF))).to.equal('WrongStarter')
    first.stop()
    const watcher = world.watcher(puppet.api, store)
    await spoilt(puppet)
    await world.mine(DEPTH + 2)
    expect(allExits(watcher.state.running).map(({ members }) => members.map(({ id }) => id))).to.deep.equal([ids])
    await payAll(world, watcher)
    expect(gained(world, PAYER)).to.equal(-100n)
    world.stop()
  })

  it("takes a payment of its owner that only a bad block has to layer 1, where its payee's watcher wants it", async () => {
    const { world, puppet } = await ready()
    const connect = (n: number) => world.connect(addressOf(key(n)))
    const payer = { owners: [{ key: key(1), l1: connect(1) }] }
    const watcher = world.watcher(puppet.api, memoryStore(), payer)
    world.watcher(puppet.api, memoryStore(), { owners: [{ key: key(2), l1: connect(2) }] })
    const paid = payment(1, { outputs: [to(BOB, 70n), to(PAYER, 30n)] })
    await spoilt(puppet, [paid])
    await world.mine(3 * DEPTH)
    const [one] = allInFlight(watcher.state.running)
    expect(one?.piggybacked, 'its input, its change, and what it pays').to.equal(0b0011_0001)
    await payAll(world, watcher)
    expect([gained(world, BOB), gained(world, PAYER)]).to.deep.equal([70n, -70n])
    expect(verbs(world, 'piggyback')).to.have.length(1)
    world.stop()
  })

  it('wants nothing of an in-flight exit whose payment the chain has: it may have been spent', async () => {
    const { world, puppet } = await ready()
    const owners = [{ key: key(2), l1: world.connect(BOB) }]
    world.watcher(puppet.api, memoryStore(), { owners })
    const paid = payment(0, { outputs: [to(BOB)] })
    await puppet.commit([paid])
    await puppet.send(PAYER, flying(paid, given(0)))
    await world.mine(2 * DEPTH)
    expect(verbs(world, 'piggyback')).to.deep.equal([])
    await puppet.send(PAYER, flying(payment(1, { outputs: [to(BOB)] }), given(1)))
    await world.mine(2 * DEPTH)
    expect(verbs(world, 'piggyback')).to.have.length(1)
    world.stop()
  })

  it('has no more bonds out than it may, and goes on when they are back', async () => {
    const { world, puppet } = await ready()
    const said: WatcherOutput[] = []
    const more = { owners: [{ key: key(1) }], maxBonds: 1, onOutput: (output: WatcherOutput) => said.push(output) }
    const watcher = world.watcher(puppet.api, memoryStore(), more)
    await spoilt(puppet)
    await world.mine(2 * DEPTH)
    expect(verbs(world, ...STARTS), 'what is dearest').to.deep.equal(['startDepositExits'])
    expect(said.find(({ kind }) => kind === 'guarding')).to.deep.equal({
      kind: 'guarding',
      escapes: 1,
      bonds: 1,
      left: 1,
    })
    await payAll(world, watcher)
    expect(gained(world, PAYER)).to.equal(0n)
    world.stop()
  })

  it('leaves alone with the others of a group that was challenged, and tries no more what was challenged alone', async () => {
    const { world, puppet } = await ready()
    const watcher = world.watcher(puppet.api, memoryStore(), { owners: [{ key: key(1) }] })
    // The owner has paid deposit 1 to Bob, and nobody but Bob has that payment.
    await spoilt(puppet)
    await world.mine(DEPTH + 1)
    const paid = payment(1, { outputs: [to(BOB)] })
    for (let round = 0; round < 2; round++) {
      const exit = allExits(watcher.state.running).find(({ members }) =>
        members.some(({ id }) => id === depositId(depositOf(1))),
      )!
      await puppet.send(BOB, challengeOf(exit, paid))
      await world.mine(2 * DEPTH)
    }
    expect([...verbs(world, ...STARTS)].sort()).to.deep.equal([
      'startDepositExit',
      'startDepositExit',
      'startDepositExits',
      'startExits',
    ])
    await payAll(world, watcher)
    expect([gained(world, PAYER), gained(world, BOB)]).to.deep.equal([-100n, BOND])
    world.stop()
  })
})

describe('Wallet that guards itself', () => {
  it('leaves a bad chain with everything, its open payments and those that it gets', async () => {
    const world = new World()
    const operator = world.operator()
    const api = through(operator)
    const [alice, bob] = [1, 2].map((n) => world.wallet(n, api, memoryStore(), true)) as [Wallet, Wallet]
    const watcher = world.watcher(api)
    await world.mine(DEPTH + 3)
    const sent = [alice.deposit(ETHER, 10n), alice.deposit(ETHER, 5n), bob.deposit(ETHER, 3n)]
    await world.mine(DEPTH + 3)
    await Promise.all(sent)
    await alice.pay(ETHER, [{ owner: bob.owner, value: 1n }])
    await world.settle(operator)
    await alice.pay(ETHER, [{ owner: bob.owner, value: 2n }])
    operator.stop()
    const forged = { verb: 'commit', chain: CHAIN, number: 2, header: uint(7, 32), asOf: world.l1.head().time } as const
    const committed = world.connect(CHAIN.operator).send(forged)
    await world.mine(DEPTH + 2)
    await committed
    for (let i = 0; i < 3; i++) await world.pass(3 * 3600)
    await world.mine(3 * DEPTH)
    expect(names(world)).to.deep.equal(['WithheldBlock 2'])
    expect([...verbs(world, ...STARTS, 'piggyback')].sort()).to.deep.equal([
      'piggyback',
      'startDepositExit',
      'startDepositExit',
      'startExit',
      'startInFlight',
    ])
    await payAll(world, watcher)
    expect([gained(world, alice.owner), gained(world, bob.owner)]).to.deep.equal([-3n, 3n])
    expect([heldBy(alice.state), heldBy(bob.state), world.failures]).to.deep.equal([[], [], []])
    world.stop()
  })

  it('does not leave twice what is on its way, and leaves again what a reorg has taken back', async () => {
    const { world, puppet } = await ready()
    const store = memoryStore()
    world.wallet(1, puppet.api, store, true)
    await spoilt(puppet)
    expect(verbs(world, ...STARTS)).to.have.length(2)
    await world.mine()
    expect(world.court.state().queues.size).to.equal(1)
    world.l1.reorg(DEPTH, { remine: () => [] })
    await world.mine(4 * DEPTH)
    expect(verbs(world, ...STARTS).length).to.equal(4)
    const watcher = world.watcher(puppet.api)
    await world.mine(2)
    await payAll(world, watcher)
    expect([gained(world, PAYER), world.failures]).to.deep.equal([0n, []])
    world.stop()
  })

  it('spends nothing whose exit may be under way, though the endpoint did not say so', async () => {
    const { world, puppet } = await ready(1)
    const connect = world.connect.bind(world)
    world.connect = (sender) => {
      const l1 = connect(sender)
      const unheard = async (call: PlasmaCall) => {
        l1.send(call).catch(() => undefined)
        throw new Fault('ChainUnreachable', 'the endpoint does not answer')
      }
      return { ...l1, send: unheard }
    }
    const wallet = world.wallet(1, puppet.api)
    await world.mine(2)
    const left = wallet.leave(depositId(depositOf(0))).catch((why: Fault) => why.code)
    expect(await left).to.equal('ChainUnreachable')
    const paid = wallet.pay(ETHER, [{ owner: BOB, value: 1n }]).catch((why: Refusal) => why.code)
    expect(await paid).to.equal('InsufficientFunds')
    await world.mine(DEPTH + 2)
    expect(heldBy(wallet.state).map(({ use }) => use)).to.deep.equal(['leaving'])
    world.stop()
  })

  it('calls no payment dead that runs on layer 1, though its last block has gone by without it', async () => {
    const { world, puppet } = await ready(1)
    const wallet = world.wallet(1, puppet.api, memoryStore(), false, [CHAIN], 1)
    await world.mine(2)
    await wallet.pay(ETHER, [{ owner: BOB, value: 60n }]).catch(() => undefined)
    const [[hash]] = [...entries(wallet.state.payments)] as [[Hex, Signed]]
    const flown = wallet.fly(hash)
    await world.mine(DEPTH + 2)
    await flown
    for (let n = 0; n < 2; n++) await puppet.commit([])
    await world.mine(2)
    expect(wallet.state.follower.ledger.number).to.equal(3)
    expect([...entries(wallet.state.payments)].map(([one]) => one)).to.deep.equal([hash])
    world.stop()
  })

  it('stays where it is if it is told to', async () => {
    const { world, puppet } = await ready()
    world.wallet(1, puppet.api)
    await spoilt(puppet)
    await world.mine(3 * DEPTH)
    expect(verbs(world, ...STARTS)).to.deep.equal([])
    world.stop()
  })
})

function names(world: World): readonly string[] {
  return world.alarms.map((alarm) => `${alarm.name} ${alarm.number}`)
}

/** The challenge of an exit by whoever holds a payment that spends one of its outputs. */
function challengeOf(
  { exit, lane, index, members }: RunningExit,
  { transaction: tx, authorisation }: Signed,
): PlasmaCall {
  const common = { path: [CHAIN], exit, lane, index, spend: { tx, input: 0, authorisation, inclusion: [] } }
  if (members.length === 1) return { verb: 'challengeExit', ...common }
  const member = members.findIndex(({ id }) => id === tx.inputs[0])
  return { verb: 'challengeGroup', ...common, membership: membership(members, member) }
}
