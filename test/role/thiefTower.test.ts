import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import { channelId } from '../../src/core/channel/Channel.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import { TowerClient } from '../../src/role/TowerClient.ts'
import { serveTower } from '../../src/role/TowerServer.ts'
import { Watchtower } from '../../src/role/Watchtower.ts'
import { finish, person, type World, world } from '../world.ts'
import { alice, bob, CHANNEL, carol, channelOf, courtOf, lockOf, signed } from './towerStage.ts'

const SECRET = uint(77, 32)

/** A tower that lets in any key, each for three plain channels or one with a lock and a few preimages. */
async function serving(w: World): Promise<Watchtower> {
  const chain = w.court.connect(carol.owner, w.scheduler.lane())
  const allowance = () => ({ wards: 3, bytes: 6200, locks: 2 })
  const tower = await finish(
    w,
    Watchtower.start({ store: memoryStore(), chain, schedule: w.scheduler.lane(), allowance }),
  )
  await serveTower({ tower, transport: w.transport, address: 'tower', keys: true, later: () => undefined })
  return tower
}

function client(w: World, { key }: { readonly key: typeof alice.key }) {
  const refused: string[] = []
  const { transport, scheduler } = w
  const one = new TowerClient({
    transport,
    address: 'tower',
    court: courtOf(w),
    login: { key },
    schedule: scheduler.lane(),
    retry: scheduler.later,
    onRefused: (code) => void refused.push(code),
  })
  return Object.assign(one, { refused })
}

describe('TowerServer: a thief with a key', () => {
  it('takes no room from the other side of its channel by being first to show it, and full', async () => {
    const w = world(71)
    const tower = await serving(w)
    const court = courtOf(w)
    const [honest, thief] = [client(w, alice), client(w, bob)]
    thief.show(CHANNEL, signed(court, 1n, 0n))
    for (const number of [2, 3]) thief.show(channelOf(number), signed(court, 1n, 0n, channelOf(number)))
    await finish(w, thief.settled())
    const locks = [lockOf(SECRET, 1_900_000_000)]
    honest.show(CHANNEL, signed(court, 2n, 5n, CHANNEL, locks))
    honest.preimages(CHANNEL, [SECRET])
    await finish(w, honest.settled())
    expect(honest.refused).to.deep.equal([])
    expect(tower.held(channelId(court, CHANNEL))).to.equal(2n)
    for (const one of [honest, thief]) one.stop()
    tower.stop()
  })

  it('fills no other account with preimages, as a stranger or as the other side', async () => {
    const w = world(72)
    const tower = await serving(w)
    const court = courtOf(w)
    const [honest, thief, stranger] = [client(w, alice), client(w, bob), client(w, person(9))]
    honest.show(CHANNEL, signed(court, 1n, 0n))
    await finish(w, honest.settled())
    const flood = Array.from({ length: 50 }, (_, i) => uint(i, 32))
    for (const one of [stranger, thief]) {
      one.preimages(CHANNEL, flood)
      await finish(w, one.settled())
    }
    expect(stranger.refused).to.deep.equal(['NotAParty'])
    for (const number of [2, 3]) honest.show(channelOf(number), signed(court, 1n, 0n, channelOf(number)))
    await finish(w, honest.settled())
    expect(honest.refused).to.deep.equal([])
    for (const one of [honest, thief, stranger]) one.stop()
    tower.stop()
  })
})
