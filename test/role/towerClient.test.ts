import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import { channelId } from '../../src/core/channel/Channel.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import type { Weather } from '../../src/edge/transport/Memory.ts'
import { tcpTransport } from '../../src/edge/transport/Tcp.ts'
import { TowerClient, type TowerClientParts } from '../../src/role/TowerClient.ts'
import { serveTower, type TowerServerParts } from '../../src/role/TowerServer.ts'
import { Watchtower } from '../../src/role/Watchtower.ts'
import { type Dice, finish, mineUntil, person, type World, world } from '../world.ts'
import { COURT, TOKEN } from './tower.child.ts'
import { alice, CHANNEL, carol, channelOf, courtOf, lockOf, signed, signedFinal } from './towerStage.ts'

const SECRET = uint(77, 32)

async function serving(w: World, change: Partial<TowerServerParts> = {}, store: Store = memoryStore()) {
  const chain = w.court.connect(carol.owner, w.scheduler.lane())
  const mined: string[] = []
  const onMined = (verb: string) => void mined.push(verb)
  const parts = { store, chain, confirmations: 3, schedule: w.scheduler.lane(), onMined }
  const tower = await finish(w, Watchtower.start(parts))
  const tokens = new Map([['word', 'alice']])
  const later = () => undefined
  const served = { tower, transport: w.transport, address: 'tower', tokens, keys: true, clock: () => 0, later }
  return { tower, mined, listener: await serveTower({ ...served, ...change }) }
}

function client(w: World, change: Partial<TowerClientParts> = {}) {
  const refused: string[] = []
  const onRefused = (code: string) => void refused.push(code)
  const { transport, scheduler } = w
  const hooks = { schedule: scheduler.lane(), retry: scheduler.later, onRefused }
  const login = { token: 'word' }
  const one = new TowerClient({ transport, address: 'tower', court: courtOf(w), login, ...hooks, ...change })
  return Object.assign(one, { refused })
}

/** Wires that lose, double, delay, reorder and cut. */
const storm = (dice: Dice): Weather => {
  return () => {
    if (dice.chance(40)) return { cut: true }
    if (dice.chance(15)) return { copies: 0 }
    return { copies: dice.chance(8) ? 2 : 1, delay: dice.roll(4), overtakes: dice.chance(6) ? 1 : 0 }
  }
}

describe('TowerClient', () => {
  it('sends of many states only the newest that is not stored, and waits until it is durable', async () => {
    const w = world(51)
    const store = memoryStore()
    let commits = 0
    const counting: Store = {
      ...store,
      commit(rows) {
        commits++
        store.commit(rows)
      },
    }
    const { tower } = await serving(w, {}, counting)
    const one = client(w)
    for (let version = 1n; version <= 500n; version++) one.show(CHANNEL, signed(courtOf(w), version, 1n))
    await finish(w, one.settled())
    const id = channelId(courtOf(w), CHANNEL)
    expect(tower.held(id)).to.equal(500n)
    expect((store.get('ward', id) as { state: { version: bigint } }).state.version).to.equal(500n)
    expect(commits).to.be.at.most(3)
    expect(one.behind).to.equal(0)
    one.stop()
    tower.stop()
  })

  for (let seed = 60; seed < 70; seed++) {
    it(`brings everything through loss, doubles, disorder and cuts (seed ${seed})`, async () => {
      const w = world(seed, storm)
      const store = memoryStore()
      const { tower, mined } = await serving(w, {}, store)
      const one = client(w)
      const court = courtOf(w)
      const expiry = w.l1.head().time + 9000
      const many = [1, 2, 3, 4, 5].map(channelOf)
      for (let version = 1n; version <= 6n; version++) {
        for (const channel of many) one.show(channel, signed(court, version, 1n, channel, [lockOf(SECRET, expiry)]))
        for (let i = 0; i < 5; i++) await w.scheduler.run(() => w.dice.chance(3))
      }
      one.preimages(many[0]!, [SECRET])
      one.final(many[1]!, signedFinal(court, 1n, many[1]))
      for (let i = 0; i < 200 && one.behind > 0; i++) await w.scheduler.run(() => one.behind === 0)
      expect(one.behind).to.equal(0)
      expect(one.refused).to.deep.equal([])
      for (const channel of many) expect(tower.held(channelId(court, channel))).to.equal(6n)
      const thief = w.court.connect(alice.owner)
      for (const channel of many.slice(0, 2)) {
        await mineUntil(w, thief.send({ verb: 'challenge', channel, state: signed(court, 1n, 0n, channel) }))
      }
      for (let i = 0; i < 4; i++) {
        await w.scheduler.run()
        w.l1.mine()
      }
      await w.scheduler.run()
      expect([...mined].sort()).to.deep.equal(['answer', 'conclude', 'reveal'])
      one.stop()
      tower.stop()
    })
  }

  it('lets nobody in without a word or a key, and a key only to its own channels', async () => {
    const w = world(52)
    const { tower } = await serving(w)
    const state = signed(courtOf(w), 1n, 0n)
    const wrong = client(w, { login: { token: 'guess' } })
    const stranger = client(w, { login: { key: person(9).key } })
    const party = client(w, { login: { key: alice.key } })
    for (const one of [wrong, stranger]) one.show(CHANNEL, state)
    await w.scheduler.run()
    expect(new Set(wrong.refused)).to.deep.equal(new Set(['NotAdmitted']))
    expect(stranger.refused).to.deep.equal(['NotAParty'])
    expect(tower.size).to.equal(0)
    party.show(CHANNEL, state)
    await finish(w, party.settled())
    expect(tower.size).to.equal(1)
    for (const one of [wrong, stranger, party]) one.stop()
    tower.stop()
  })

  it('is told what is more than its account may leave, and goes on with the rest', async () => {
    const w = world(53)
    const chain = w.court.connect(carol.owner, w.scheduler.lane())
    const allowance = () => ({ wards: 2, bytes: 6000, locks: 1 })
    const parts = { store: memoryStore(), chain, schedule: w.scheduler.lane(), allowance }
    const tower = await finish(w, Watchtower.start(parts))
    await serveTower({
      tower,
      transport: w.transport,
      address: 'tower',
      tokens: new Map([['word', 'alice']]),
      later: () => undefined,
    })
    const one = client(w)
    const court = courtOf(w)
    const locks = [1n, 2n].map((id) => lockOf(SECRET, 1_900_000_000, { id }))
    for (const number of [1, 2, 3]) one.show(channelOf(number), signed(court, 1n, 0n, channelOf(number)))
    await finish(w, one.settled())
    expect(one.refused).to.deep.equal(['TooManyWards'])
    one.show(channelOf(1), signed(court, 2n, 0n, channelOf(1), locks))
    await finish(w, one.settled())
    one.preimages(
      channelOf(1),
      Array.from({ length: 50 }, (_, i) => uint(i, 32)),
    )
    await finish(w, one.settled())
    expect(one.refused).to.deep.equal(['TooManyWards', 'TooManyLocks', 'TooManyBytes'])
    one.show(channelOf(1), signed(court, 3n, 0n, channelOf(1)))
    await finish(w, one.settled())
    expect(tower.held(channelId(court, channelOf(1)))).to.equal(3n)
    one.stop()
    tower.stop()
  })

  it('is slowed down where it gives too much at once, and loses nothing by it', async () => {
    const w = world(54)
    let time = 0
    const { tower } = await serving(w, { rate: 1, burst: 3, clock: () => (time += 300) })
    const one = client(w)
    const numbers = Array.from({ length: 8 }, (_, i) => i + 1)
    for (const number of numbers) one.show(channelOf(number), signed(courtOf(w), 1n, 0n, channelOf(number)))
    for (let i = 0; i < 50 && one.behind > 0; i++) await w.scheduler.run(() => one.behind === 0)
    expect(one.behind).to.equal(0)
    expect(tower.size).to.equal(8)
    expect(one.refused).to.deep.equal([])
    one.stop()
    tower.stop()
  })

  it('is not let in by a tower of another court, and says so', async () => {
    const w = world(55)
    const { tower } = await serving(w)
    const one = client(w, { court: domain(w.l1.chainId, ETHER) })
    one.show(CHANNEL, signed(courtOf(w), 1n, 0n))
    await w.scheduler.run()
    expect(new Set(one.refused)).to.deep.equal(new Set(['OtherCourt']))
    expect(tower.size).to.equal(0)
    one.stop()
    tower.stop()
  })

  it('hangs up on whoever speaks otherwise', async () => {
    const w = world(56)
    const { tower } = await serving(w)
    for (const words of [{ type: 'show' }, { type: 'login', token: 'word' }, 7, null, { type: 'stored', serial: 1 }]) {
      const connection = await finish(w, w.transport.dial('tower'))
      let closed = false
      connection.onMessage = () => undefined
      connection.onClose = () => {
        closed = true
      }
      connection.send(words as never)
      await w.scheduler.run()
      expect(closed, JSON.stringify(words)).to.equal(true)
    }
    tower.stop()
  })
})

describe('Watchtower in a process of its own', () => {
  const CHILD = new URL('./tower.child.ts', import.meta.url).pathname
  const court = domain(31337n, COURT)

  interface Process {
    readonly child: ChildProcess
    readonly address: string
    readonly answers: Map<string, bigint>
    readonly ended: Promise<void>
    readonly answered: (count: number) => Promise<void>
  }

  function spawned(path: string, stolen: number, at?: string): Promise<Process> {
    const args = [CHILD, path, String(stolen), ...(at === undefined ? [] : [at])]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = new Promise<void>((done) => child.once('close', () => done()))
    const answers = new Map<string, bigint>()
    const hopes: { count: number; done: () => void }[] = []
    const answered = (count: number) =>
      new Promise<void>((done) => (answers.size >= count ? done() : hopes.push({ count, done })))
    return new Promise((done) => {
      createInterface({ input: child.stdout! }).on('line', (line) => {
        const [word, first, second] = line.split(' ')
        if (word === 'address') done({ child, address: first!, answers, ended, answered })
        if (word === 'answered') answers.set(first!, BigInt(second!))
        for (const hope of hopes) if (answers.size >= hope.count) hope.done()
      })
    })
  }

  it('has everything that it called stored after two SIGKILLs, and answers with it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kerros-tower-'))
    const path = join(folder, 'tower.db')
    let tower = await spawned(path, 0)
    const { address } = tower
    const retry = (run: () => void) => void setTimeout(run, 50)
    const login = { token: TOKEN }
    const one = new TowerClient({ transport: tcpTransport(), address, court, login, retry })
    const numbers = Array.from({ length: 20 }, (_, i) => i + 1)
    const versions = new Map<Hex, bigint>()
    for (let round = 1; round <= 3; round++) {
      for (const number of numbers) {
        const channel = channelOf(number)
        const version = BigInt(1000 * round + number)
        one.show(channel, signed(court, version, 1n, channel))
        versions.set(channelId(court, channel), version)
      }
      // Killed at once, with nothing, something or everything stored: the client brings what is missing.
      if (round < 3) {
        tower.child.kill('SIGKILL')
        await tower.ended
        tower = await spawned(path, 0, address)
      }
    }
    await one.settled()
    one.stop()
    tower.child.kill('SIGKILL')
    await tower.ended
    tower = await spawned(path, numbers.length)
    await tower.answered(numbers.length)
    expect(tower.answers).to.deep.equal(new Map(versions))
    tower.child.kill('SIGKILL')
    await tower.ended
    rmSync(folder, { recursive: true })
  })
})
