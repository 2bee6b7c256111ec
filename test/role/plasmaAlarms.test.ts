import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import type { Alarm } from '../../src/core/plasma/Alarm.ts'
import { serveHttp } from '../../src/edge/http/Http.ts'
import { operatorClient } from '../../src/edge/http/OperatorClient.ts'
import { serveWatcher } from '../../src/edge/http/WatcherServer.ts'
import { webhook } from '../../src/edge/http/Webhook.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import { payment, ready } from './puppet.ts'

const NOWHERE = payment(1, { inputs: [uint(7, 32)] })

/** A receiver that refuses the first requests it gets, and keeps the bodies of all. */
async function receiver(refusals: number) {
  const bodies: string[] = []
  const handler = async (request: Request) => {
    bodies.push(await request.text())
    return new Response(null, { status: bodies.length <= refusals ? 500 : 204 })
  }
  return { bodies, server: await serveHttp(handler) }
}

describe('Alarms that leave the house', () => {
  it('are posted to a webhook until it takes them, in order, and each only so often', async () => {
    const troubles: string[] = []
    const onTrouble = (why: string) => void troubles.push(why)
    const { bodies, server } = await receiver(4)
    const hook = webhook({ url: server.url, tries: 3, wait: 1, onTrouble })
    for (const name of ['first', 'second', 'third']) hook.tell({ name, amount: 2n ** 80n })
    await hook.idle()
    const posted = bodies.map((body) => (JSON.parse(body) as { name: string; amount: string }).name)
    expect(posted).to.deep.equal(['first', 'first', 'first', 'second', 'second', 'third'])
    expect(JSON.parse(bodies[0]!).amount).to.equal(String(2n ** 80n))
    expect(troubles.map((one) => one.replace(server.url, 'URL'))).to.deep.equal([
      'URL did not take an event in 3 tries (status 500): see the log for what it was',
    ])
    await server.close()
  })

  it('never hold a watcher up: too many that wait are dropped, and what was closed posts nothing', async () => {
    const troubles: string[] = []
    const { bodies, server } = await receiver(0)
    await server.close()
    const hook = webhook({ url: server.url, tries: 2, wait: 1, most: 3, onTrouble: (why) => void troubles.push(why) })
    for (let n = 0; n < 10; n++) hook.tell({ n })
    await hook.idle()
    expect(troubles.filter((one) => one.startsWith('more than 3 events wait'))).to.have.length(6)
    expect(troubles.filter((one) => one.includes('in 2 tries'))).to.have.length(4)
    hook.close()
    hook.tell({ n: 10 })
    await hook.idle()
    expect(bodies).to.deep.equal([])
  })

  it('are told over a WebSocket and kept to be asked for; others have blocks from a watcher', async () => {
    const { world, puppet } = await ready()
    const watcher = world.watcher(puppet.api)
    const server = await serveWatcher(watcher.api)
    const told: Alarm[] = []
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/feed`)
    socket.onmessage = ({ data }) => void told.push(JSON.parse(String(data)) as Alarm)
    await new Promise((done) => {
      socket.onopen = done
    })
    await puppet.commit([payment(0)])
    await puppet.commit([NOWHERE])
    while (told.length === 0) await new Promise((done) => setImmediate(done))
    expect(told).to.deep.equal(world.alarms)
    const json = async (path: string) => (await fetch(`${server.url}${path}`)).json()
    expect(await json('/v1/alarms')).to.deep.equal({ alarms: told })
    expect(await json('/v1/status')).to.deep.include({ number: 2, synced: true, exits: 0, inFlight: 0 })
    expect((await json('/v1/blocks/9')) as object).to.deep.include({ code: 'UnknownBlock', status: 404 })
    socket.close()

    // The operator is gone; somebody who begins now has the blocks from the watcher.
    const nobody = { block: () => Promise.reject(new Error('gone')) }
    const late = world.watcher(nobody, memoryStore(), { others: [operatorClient(server.url)] })
    for (let i = 0; i < 8; i++) {
      late.tick()
      await world.mine()
      await new Promise((done) => setTimeout(done, 5))
    }
    while (late.state.follower.ledger.number < 2 || !late.state.follower.bad) {
      late.tick()
      await new Promise((done) => setTimeout(done, 5))
    }
    expect(late.state.follower.bad.number).to.equal(2)
    world.stop()
    await server.close()
  })
})
