import { expect } from 'chai'
import { concat, ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import type { SignedState } from '../../src/core/channel/Call.ts'
import { type Channel, channelId, emptyState, FINAL, stateDigest } from '../../src/core/channel/Channel.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { Feed } from '../../src/role/Feed.ts'
import { Watchtower } from '../../src/role/Watchtower.ts'
import { finish, mineUntil, person, terms, type World, world } from '../world.ts'

const [alice, bob, carol] = [person(1), person(2), person(3)]
const CHANNEL = terms(alice, bob)

/** A version that both have signed. */
function signed(w: World, version: bigint, net: bigint, channel: Channel = CHANNEL): SignedState {
  const court = domain(w.l1.chainId, w.court.address)
  const digest = stateDigest(court, { ...emptyState(channelId(court, channel)), version, net })
  return { version, net, batch: ZERO, locks: '0x', sigA: sign(digest, alice.key), sigB: sign(digest, bob.key) }
}

function idOf(w: World, channel: Channel = CHANNEL): Hex {
  return channelId(domain(w.l1.chainId, w.court.address), channel)
}

interface Watching {
  readonly tower: Watchtower
  readonly answers: bigint[]
}

async function watching(w: World, store: Store = memoryStore(), schedule = w.scheduler.lane()): Promise<Watching> {
  const answers: bigint[] = []
  const parts = {
    store,
    chain: w.court.connect(carol.owner, w.scheduler.lane()),
    confirmations: 3,
    schedule,
    onAnswer: (_id: Hex, version: bigint) => void answers.push(version),
  }
  return { tower: await finish(w, Watchtower.start(parts)), answers }
}

async function theft(w: World, version: bigint, channel: Channel = CHANNEL): Promise<void> {
  const chain = w.court.connect(bob.owner)
  await mineUntil(w, chain.send({ verb: 'challenge', channel, state: signed(w, version, 0n, channel) }))
}

async function blocks(w: World, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await w.scheduler.run()
    w.l1.mine()
  }
  await w.scheduler.run()
}

function recorded(w: World): bigint | undefined {
  return [...w.court.state().records.values()][0]?.version
}

describe('Watchtower', () => {
  it('keeps only what both have signed and what is strictly newer; not newer is success', async () => {
    const w = world(21)
    const { tower } = await watching(w)
    await finish(w, tower.watch(CHANNEL, signed(w, 5n, 1n)))
    await finish(w, tower.watch(CHANNEL, signed(w, 4n, 2n)))
    expect(tower.held(idOf(w))).to.equal(5n)
    const good = signed(w, 6n, 1n)
    const bad = [
      { ...good, sigA: good.sigB },
      { ...good, net: 2n },
      { ...good, locks: '0x00' },
      signed(w, FINAL, 1n),
    ] as const
    for (const state of bad) {
      const why = tower.watch(CHANNEL, state).catch(({ code }) => code)
      expect(await finish(w, why)).to.equal('NotSignedByBoth')
    }
    expect(tower.held(idOf(w))).to.equal(5n)
    tower.stop()
  })

  it('answers after a restart, again after a reorg took its answer back, and not where nobody needs it', async () => {
    const w = world(22)
    const store = memoryStore()
    const first = await watching(w, store)
    await finish(w, first.tower.watch(CHANNEL, signed(w, 9n, 1n)))
    first.tower.stop()
    const { tower, answers } = await watching(w, store)
    await theft(w, 9n)
    await blocks(w, 3)
    expect(answers).to.deep.equal([])
    w.l1.reorg(w.l1.head().number, { remine: () => [] })
    await theft(w, 2n)
    await blocks(w, 2)
    expect(recorded(w)).to.equal(9n)
    w.l1.reorg(2, { remine: (lost) => lost.filter(({ sender }) => sender === bob.owner) })
    await blocks(w, 3)
    expect(recorded(w)).to.equal(9n)
    expect(answers.length).to.be.greaterThan(0)
    tower.stop()
  })

  it('answers a clock that was running before it was given the state', async () => {
    const w = world(23)
    await theft(w, 1n)
    const { tower } = await watching(w)
    await finish(w, tower.watch(CHANNEL, signed(w, 3n, 1n)))
    await blocks(w, 2)
    expect(recorded(w)).to.equal(3n)
    tower.stop()
  })

  it('lets a channel go when its close is final, and keeps no row of it', async () => {
    const w = world(24)
    w.l1.money.mint(ETHER, alice.owner, 10n)
    const store = memoryStore()
    const { tower } = await watching(w, store)
    await finish(w, tower.watch(CHANNEL, signed(w, 3n, 1n)))
    await theft(w, 3n)
    await blocks(w, 1)
    w.l1.mine(w.l1.head().time + 4000)
    await mineUntil(w, w.court.connect(carol.owner).send({ verb: 'settle', channel: CHANNEL, locks: '0x' }))
    expect(tower.held(idOf(w))).to.equal(3n)
    await blocks(w, 3)
    expect(tower.held(idOf(w))).to.equal(undefined)
    expect(store.all('ward')).to.deep.equal([])
    tower.stop()
  })

  it('goes on for its other clients when it learns of a clock and of its end in one turn', async () => {
    const w = world(26)
    w.l1.money.mint(ETHER, bob.owner, 10n)
    const court = w.court.connect(bob.owner)
    const ended = terms(alice, bob, { salt: uint(2, 32) })
    const deposit = { verb: 'deposit', asset: ETHER, channelId: idOf(w, ended), toB: true, amount: 1n } as const
    await mineUntil(w, court.send(deposit))
    await theft(w, 1n, ended)
    w.l1.mine(w.l1.head().time + 4000)
    await mineUntil(w, court.send({ verb: 'settle', channel: ended, locks: '0x' }))
    await blocks(w, 3)
    // All that has come by then is one turn.
    const { tower } = await watching(w, memoryStore(), w.scheduler.later)
    await finish(w, tower.watch(CHANNEL, signed(w, 5n, 1n)))
    await finish(w, tower.watch(ended, signed(w, 2n, 1n, ended)))
    await theft(w, 1n)
    await blocks(w, 2)
    const record = w.court.state().records.get(concat(ETHER, idOf(w)))
    expect(record?.version).to.equal(5n)
    tower.stop()
  })
})

describe('Feed', () => {
  it('shows each listener every block from its own first one on, once and in order, through reorgs', async () => {
    const w = world(25)
    const seen = new Map<string, string[]>()
    const feed = new Feed<string, unknown>(w.court.connect(alice.owner, w.scheduler.lane()), (id, { kind, block }) => {
      seen.set(id, [...(seen.get(id) ?? []), `${kind === 'block' ? '+' : '-'}${block.number}`])
    })
    await blocks(w, 4)
    await finish(w, feed.join(['old'], 0))
    await blocks(w, 1)
    await finish(w, feed.join(['young'], 3))
    w.l1.reorg(2)
    await blocks(w, 1)
    const tail = ['-5', '-4', '+4', '+5', '+6', '+7']
    expect(seen.get('old')).to.deep.equal(['+0', '+1', '+2', '+3', '+4', '+5', ...tail])
    expect(seen.get('young')).to.deep.equal(['+3', '+4', '+5', ...tail])
    feed.stop()
    await blocks(w, 2)
    expect(seen.get('old')!.at(-1)).to.equal('+7')
  })
})
