import { expect } from 'chai'
import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import type { Message } from '../../src/core/channel/Message.ts'
import { toWire } from '../../src/core/channel/Wire.ts'
import type { Connection } from '../../src/edge/transport/Transport.ts'
import { Links } from '../../src/role/Links.ts'
import { finish, type World, world } from '../world.ts'

const ID = uint(1, 32)
const HELLO = { channel: ID, type: 'hello', version: 0n, hash: ZERO, owed: 0, restored: false } as const

interface Heard {
  readonly links: Links
  readonly messages: Message[]
  readonly ups: Hex[]
}

function linksOf(w: World): Heard {
  const messages: Message[] = []
  const ups: Hex[] = []
  const links = new Links({
    transport: w.transport,
    retry: w.scheduler.later,
    onUp: (id) => ups.push(id),
    onDown: () => undefined,
    onMessage: (_id, message) => messages.push(message),
    isCaller: () => false,
  })
  return { links, messages, ups }
}

async function caller(w: World): Promise<{ readonly line: Connection; closed: () => boolean }> {
  const line = await finish(w, w.transport.dial('here'))
  let isClosed = false
  line.onClose = () => {
    isClosed = true
  }
  return { line, closed: () => isClosed }
}

describe('Links', () => {
  it('keep no more of a stranger than what a peer says first, and only as much of it as has bounds', async () => {
    const w = world(41)
    const { links, messages } = linksOf(w)
    await finish(w, links.listen('here'))
    const { line, closed } = await caller(w)
    const change = { kind: 'pay', amount: 1n, paymentId: ZERO, memo: `0x${'00'.repeat(1024)}` } as const
    line.send(HELLO)
    line.send({ channel: ID, ...(toWire({ type: 'request', number: 1, changes: [change] }) as object) })
    await w.scheduler.run()
    links.add(ID)
    expect(messages.map(({ type }) => type)).to.deep.equal(['hello'])
    line.send({ ...HELLO, channel: uint(2, 32), junk: 'x'.repeat(1000) })
    await w.scheduler.run()
    expect(closed()).to.equal(true)
    await finish(w, links.stop())
  })

  it('hang up on who speaks of a channel that another connection has taken over, so that a peer finds back', async () => {
    const w = world(42)
    const { links, messages, ups } = linksOf(w)
    links.add(ID)
    await finish(w, links.listen('here'))
    const peer = await caller(w)
    peer.line.send(HELLO)
    await w.scheduler.run()
    const stranger = await caller(w)
    stranger.line.send(HELLO)
    await w.scheduler.run()
    expect(messages.length).to.equal(2)
    peer.line.send({ channel: ID, type: 'close', restored: false })
    await w.scheduler.run()
    expect(peer.closed()).to.equal(true)
    const again = await caller(w)
    again.line.send(HELLO)
    await w.scheduler.run()
    expect(ups.length).to.equal(3)
    expect(messages.length).to.equal(3)
    await finish(w, links.stop())
  })
})
