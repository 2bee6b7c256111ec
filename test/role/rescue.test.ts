import { expect } from 'chai'
import { creditKey } from '../../src/core/base/Asset.ts'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { SignedState } from '../../src/core/channel/Call.ts'
import { channelId, finalState, type Side, stateDigest } from '../../src/core/channel/Channel.ts'
import type { SignedFinal } from '../../src/core/channel/Docket.ts'
import { type Lock, locksRoot, packLocks } from '../../src/core/channel/Lock.ts'
import type { RescueFile } from '../../src/core/channel/Rescue.ts'
import type { SimulatedOptions } from '../../src/edge/chain/SimulatedL1.ts'
import { readRescue, writeRescue } from '../../src/edge/RescueFile.ts'
import { type Rescued, type RescueProgress, rescue } from '../../src/role/Rescue.ts'
import { finish, mineUntil, type Person, person, terms, type World, world } from '../world.ts'

const [alice, bob, carol] = [person(1), person(2), person(3)]
const CHANNEL = terms(alice, bob)
const FUNDS = 1000n
const SECRET = uint(77, 32)

function courtOf(w: World) {
  return domain(w.l1.chainId, w.court.address)
}

/** A version that both have signed. */
function signed(w: World, version: bigint, net: bigint, locks: readonly Lock[] = []): SignedState {
  const list = packLocks(locks)
  const court = courtOf(w)
  const state = { channelId: channelId(court, CHANNEL), version, net, locksRoot: locksRoot(list), batch: ZERO }
  const digest = stateDigest(court, state)
  return { version, net, batch: ZERO, locks: list, sigA: sign(digest, alice.key), sigB: sign(digest, bob.key) }
}

function final(w: World, net: bigint): SignedFinal {
  const digest = stateDigest(courtOf(w), finalState(channelId(courtOf(w), CHANNEL), net))
  return { net, sigA: sign(digest, alice.key), sigB: sign(digest, bob.key) }
}

function file(w: World, change: Partial<RescueFile> = {}, side: Side = 'a'): RescueFile {
  const { chainId, court } = courtOf(w)
  const nothing = { state: null, final: null, preimages: [], verdicts: [] }
  return { chainId, court, channel: CHANNEL, side, since: 0, ...nothing, ...change }
}

/** A world in which both sides have deposited. */
async function funded(seed: number, options: SimulatedOptions = {}): Promise<World> {
  const w = world(seed, undefined, options)
  const id = channelId(courtOf(w), CHANNEL)
  for (const { owner } of [alice, bob]) {
    w.l1.money.mint(ETHER, owner, FUNDS)
    const toB = owner === bob.owner
    const sent = w.court.connect(owner).send({ verb: 'deposit', asset: ETHER, channelId: id, toB, amount: FUNDS })
    await mineUntil(w, sent)
  }
  return w
}

interface Run {
  readonly ended: Promise<Rescued>
  readonly progress: RescueProgress[]
}

function start(w: World, from: RescueFile, by: Person = alice, sender: Hex = by.owner): Run {
  const progress: RescueProgress[] = []
  const chain = w.court.connect(sender, w.scheduler.lane())
  const onProgress = (one: RescueProgress) => void progress.push(one)
  const parts = { chain, key: by.key, confirmations: 3, margin: 600, onProgress }
  return { ended: rescue(readRescue(writeRescue(from)), parts), progress }
}

function balances(w: World): readonly bigint[] {
  return [alice, bob].map(({ owner }) => w.l1.money.balance(ETHER, owner))
}

function verbs({ progress }: Run): readonly string[] {
  return progress.flatMap((one) => (one.name === 'mined' ? [one.verb] : []))
}

function lock(toB: boolean, amount: bigint, expiry: number, preimage = SECRET, id = 1n): Lock {
  return { toB, id, amount, expiry, condition: ETHER, key: hashLock(preimage) }
}

async function blocks(w: World, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await w.scheduler.run()
    w.l1.mine()
  }
  await w.scheduler.run()
}

describe('rescue', () => {
  it('closes and settles with nothing but the file, a chain and the key', async () => {
    const w = await funded(1)
    const run = start(w, file(w, { state: signed(w, 4n, 250n) }))
    const rescued = await mineUntil(w, run.ended)
    expect(rescued).to.deep.equal({ payA: 750n, payB: 1250n, creditLeft: 0n, locksUnknown: false })
    expect(balances(w)).to.deep.equal([750n, 1250n])
    expect(verbs(run)).to.deep.equal(['challenge', 'settle'])
    expect(run.progress.some((one) => one.name === 'waits')).to.equal(true)
  })

  it('gets a deposit back where the peer never signed anything', async () => {
    const w = await funded(2)
    await mineUntil(w, start(w, file(w)).ended)
    expect(balances(w)).to.deep.equal([1000n, 1000n])
  })

  it('concludes a final state at once', async () => {
    const w = await funded(3)
    const run = start(w, file(w, { state: signed(w, 4n, 250n), final: final(w, 250n) }, 'b'), bob)
    await mineUntil(w, run.ended)
    expect(balances(w)).to.deep.equal([750n, 1250n])
    expect(verbs(run)).to.deep.equal(['conclude'])
  })

  it('sends from an account that is nobody of the channel, by the signed challenge', async () => {
    const w = await funded(4)
    const run = start(w, file(w, { state: signed(w, 1n, -10n) }), alice, carol.owner)
    await mineUntil(w, run.ended)
    expect(balances(w)).to.deep.equal([1010n, 990n])
    expect(verbs(run)).to.deep.equal(['challengeFor', 'settle'])
  })

  it('answers an older state that somebody has published before', async () => {
    const w = await funded(5)
    await mineUntil(
      w,
      w.court.connect(bob.owner).send({ verb: 'challenge', channel: CHANNEL, state: signed(w, 1n, 900n) }),
    )
    const run = start(w, file(w, { state: signed(w, 7n, 100n) }))
    await mineUntil(w, run.ended)
    expect(balances(w)).to.deep.equal([900n, 1100n])
    expect(verbs(run)).to.deep.equal(['answer', 'settle'])
  })

  it('from a stale file gets what the newer state says that the peer answers with, and no more', async () => {
    const w = await funded(6)
    const open = lock(false, 50n, w.l1.head().time + 2000)
    const run = start(w, file(w, { state: signed(w, 2n, 0n, [open]), preimages: [SECRET] }))
    await blocks(w, 3)
    const newest = signed(w, 9n, 300n)
    await mineUntil(w, w.court.connect(bob.owner).send({ verb: 'answer', channel: CHANNEL, state: newest }))
    await mineUntil(w, run.ended)
    expect(balances(w)).to.deep.equal([700n, 1300n])
    expect(verbs(run)).to.deep.equal(['challenge', 'settle'])
    expect(w.court.state().verdicts.size, 'a preimage that no state pays for stays a secret').to.equal(0)
  })

  it('finds a channel already closed and says what it paid', async () => {
    const w = await funded(7)
    const { net, sigA, sigB } = final(w, 30n)
    await mineUntil(w, w.court.connect(bob.owner).send({ verb: 'conclude', channel: CHANNEL, net, sigA, sigB }))
    const run = start(w, file(w, { state: signed(w, 2n, 30n) }))
    await blocks(w, 3)
    expect(await finish(w, run.ended)).to.deep.equal({ payA: 970n, payB: 1030n, creditLeft: 0n, locksUnknown: false })
    expect(verbs(run)).to.deep.equal([])
  })

  it('reveals the preimage of a lock that pays it before the expiry, and is paid with the settlement', async () => {
    const w = await funded(8)
    const expiry = w.l1.head().time + 3000
    const run = start(w, file(w, { state: signed(w, 3n, 0n, [lock(false, 50n, expiry)]), preimages: [SECRET] }))
    await mineUntil(w, run.ended)
    expect(balances(w)).to.deep.equal([1050n, 950n])
    expect(verbs(run)).to.deep.equal(['challenge', 'reveal', 'settle'])
    const [verdict] = [...w.court.state().verdicts.values()]
    expect(verdict!.time).to.be.at.most(expiry)
  })

  it('reveals after the settlement what expires later, and settles again', async () => {
    const w = await funded(9)
    const expiry = w.l1.head().time + 20_000
    const mine = lock(false, 50n, expiry)
    const theirs = lock(true, 70n, expiry + 100, uint(78, 32), 1n)
    const run = start(w, file(w, { state: signed(w, 3n, 0n, [mine, theirs]), preimages: [SECRET] }))
    await mineUntil(w, run.ended, 4000)
    expect(balances(w)).to.deep.equal([1050n, 950n])
    expect(verbs(run)).to.deep.equal(['challenge', 'reveal', 'settle', 'settle'])
  })

  it('keeps the preimage of a lock that it would pay itself', async () => {
    const w = await funded(10)
    const state = signed(w, 3n, 0n, [lock(true, 50n, w.l1.head().time + 5000)])
    await mineUntil(w, start(w, file(w, { state, preimages: [SECRET] })).ended)
    expect(balances(w)).to.deep.equal([1000n, 1000n])
    expect(w.court.state().verdicts.size).to.equal(0)
  })

  it('claims what could not be paid, once it can be', async () => {
    let refuses = true
    const w = await funded(11, { refuses: (_asset, to) => refuses && to === alice.owner })
    const run = start(w, file(w, { state: signed(w, 3n, 0n) }))
    await blocks(w, 310)
    expect(w.court.state().credits.get(creditKey(ETHER, alice.owner))).to.equal(FUNDS)
    refuses = false
    const rescued = await mineUntil(w, start(w, file(w, { state: signed(w, 3n, 0n) })).ended)
    expect(rescued.creditLeft).to.equal(0n)
    expect(balances(w)).to.deep.equal([1000n, 1000n])
    expect((await mineUntil(w, run.ended)).creditLeft, 'the first run has given it up').to.equal(FUNDS)
  })

  it('goes on from wherever it was stopped', async () => {
    for (let stop = 1; stop < 6; stop++) {
      const w = await funded(20 + stop)
      const expiry = w.l1.head().time + 9000
      const from = file(w, { state: signed(w, 3n, 0n, [lock(false, 50n, expiry)]), preimages: [SECRET] })
      const first = start(w, from)
      for (let i = 0; i < 400 && verbs(first).length < stop - 1; i++) await blocks(w, 1)
      for (const one of w.l1.pending()) w.l1.drop(one)
      await mineUntil(w, start(w, from).ended)
      expect(balances(w)).to.deep.equal([1050n, 950n])
    }
  })

  it('does again what a reorg takes back', async () => {
    const w = await funded(30)
    const run = start(w, file(w, { state: signed(w, 4n, 250n) }))
    await blocks(w, 2)
    expect(verbs(run)).to.deep.equal(['challenge'])
    w.l1.reorg(2, { remine: () => [] })
    await mineUntil(w, run.ended)
    expect(balances(w)).to.deep.equal([750n, 1250n])
    expect(verbs(run)).to.deep.equal(['challenge', 'challenge', 'settle'])
  })

  it('refuses a file of another court, and the key of nobody in it', async () => {
    const w = await funded(31)
    const refusal = (one: RescueFile, by: Person) => start(w, one, by).ended.catch(({ code }) => code)
    expect(await finish(w, refusal(file(w, { court: ETHER }), alice))).to.equal('OtherCourt')
    expect(await finish(w, refusal(file(w), bob))).to.equal('NotAParty')
  })
})
