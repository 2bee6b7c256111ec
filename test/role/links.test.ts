import { expect } from 'chai'
import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { type Domain, domain, sign } from '../../src/core/base/Signature.ts'
import type { Plain } from '../../src/core/base/Step.ts'
import { type Greeting, greetingDigest } from '../../src/core/channel/Greeting.ts'
import type { Message } from '../../src/core/channel/Message.ts'
import { toWire } from '../../src/core/channel/Wire.ts'
import type { Connection } from '../../src/edge/transport/Transport.ts'
import { Links, type LinksParts } from '../../src/role/Links.ts'
import { finish, type Person, person, type World, world } from '../world.ts'

const [HERE, PEER, THIEF] = [person(1), person(2), person(3)]
const ID = uint(1, 32)
const HELLO = { channel: ID, type: 'hello', version: 0n, hash: ZERO, owed: 0, restored: false } as const

interface Heard {
  readonly links: Links
  readonly messages: Message[]
  readonly ups: Hex[]
  readonly downs: Hex[]
}

function linksOf(w: World): Heard {
  const messages: Message[] = []
  const ups: Hex[] = []
  const downs: Hex[] = []
  const links = new Links({
    ...partsOf(w),
    onUp: (id) => ups.push(id),
    onDown: (id) => downs.push(id),
    onMessage: (_id, message) => messages.push(message),
  })
  return { links, messages, ups, downs }
}

function partsOf(w: World): LinksParts {
  return {
    ...{ key: HERE.key, court: courtOf(w), transport: w.transport },
    retry: w.scheduler.later,
    later: () => undefined,
    onUp: () => undefined,
    onDown: () => undefined,
    onMessage: () => undefined,
    isCaller: () => false,
    peerOf: () => PEER.signer,
  }
}

function courtOf(w: World): Domain {
  return domain(w.l1.chainId, w.court.address)
}

/** One end of a connection that a test speaks at, with all that it was told. */
interface Raw {
  readonly line: Connection
  readonly told: readonly Record<string, unknown>[]
  closed(): boolean
}

function raw(line: Connection): Raw {
  const told: Record<string, unknown>[] = []
  let isClosed = false
  line.onMessage = (message) => told.push(message as Record<string, unknown>)
  line.onClose = () => {
    isClosed = true
  }
  return { line, told, closed: () => isClosed }
}

async function caller(w: World): Promise<Raw> {
  const made = raw(await finish(w, w.transport.dial('here')))
  await w.scheduler.run()
  return made
}

const NONCE = uint(77, 32)

/** Claims to be a signer, and proves it as told: the honest greeting of a caller with some of it changed. */
async function greet(w: World, to: Raw, by: Person, change: Partial<Greeting> = {}, key = by.key): Promise<Hex> {
  const { signer, nonce } = to.told[0] as { signer: Hex; nonce: Hex }
  const honest = { signer: by.signer, peer: signer, mine: NONCE, theirs: nonce, dialed: true }
  const signature = sign(greetingDigest(courtOf(w), { ...honest, ...change }), key)
  to.line.send({ type: 'greet', signer: by.signer, nonce: NONCE })
  to.line.send({ type: 'prove', signature })
  await w.scheduler.run()
  return signature
}

async function guest(w: World, by = PEER): Promise<Raw> {
  const made = await caller(w)
  await greet(w, made, by)
  return made
}

/** Says things and lets them arrive. */
async function says(w: World, { line }: Raw, ...messages: readonly Plain[]): Promise<void> {
  for (const message of messages) line.send(message)
  await w.scheduler.run()
}

/** Links that know one channel, with its peer on the line. */
async function connected(seed: number): Promise<Heard & { readonly w: World; readonly peer: Raw }> {
  const w = world(seed)
  const heard = linksOf(w)
  heard.links.add(ID)
  await finish(w, heard.links.listen('here'))
  const peer = await guest(w)
  await says(w, peer, HELLO)
  expect(heard.messages.length).to.equal(1)
  return { ...heard, w, peer }
}

/** Nothing of what was said on it was heard, it is over, and the peer still has the channel. */
async function expectRefused(h: Heard & { readonly w: World; readonly peer: Raw }, other: Raw): Promise<void> {
  await says(h.w, other, HELLO, { channel: ID, type: 'close', restored: false })
  expect(other.closed()).to.equal(true)
  expect([h.messages.length, h.ups.length, h.downs.length]).to.deep.equal([1, 1, 0])
  await says(h.w, h.peer, { channel: ID, type: 'funds', total: 5n, lapsedThrough: 0 })
  expect(h.messages.map(({ type }) => type)).to.deep.equal(['hello', 'funds'])
  expect(h.peer.closed()).to.equal(false)
  await finish(h.w, h.links.stop())
}

describe('Links', () => {
  it('keep no more of a stranger than what a peer says first, and only as much of it as has bounds', async () => {
    const w = world(41)
    const { links, messages } = linksOf(w)
    await finish(w, links.listen('here'))
    const { line, closed } = await guest(w)
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
    const peer = await guest(w)
    peer.line.send(HELLO)
    await w.scheduler.run()
    const second = await guest(w)
    second.line.send(HELLO)
    await w.scheduler.run()
    expect(messages.length).to.equal(2)
    peer.line.send({ channel: ID, type: 'close', restored: false })
    await w.scheduler.run()
    expect(peer.closed()).to.equal(true)
    const again = await guest(w)
    again.line.send(HELLO)
    await w.scheduler.run()
    expect(ups.length).to.equal(3)
    expect(messages.length).to.equal(3)
    await finish(w, links.stop())
  })

  it('hear a stranger who knows the id in nothing, whatever key it shows, and let it displace nobody', async () => {
    const silent = await connected(43)
    await expectRefused(silent, await caller(silent.w))
    const thief = await connected(44)
    const other = await guest(thief.w, THIEF)
    expect(other.closed()).to.equal(false)
    await expectRefused(thief, other)
  })

  it('refuse who claims the key of the peer and signs with another', async () => {
    const h = await connected(45)
    const other = await caller(h.w)
    await greet(h.w, other, PEER, {}, THIEF.key)
    await expectRefused(h, other)
  })

  it('refuse the greeting of another connection', async () => {
    const h = await connected(46)
    const first = await caller(h.w)
    const signature = await greet(h.w, first, PEER)
    expect(first.closed()).to.equal(false)
    const other = await caller(h.w)
    await says(h.w, other, { type: 'greet', signer: PEER.signer, nonce: NONCE }, { type: 'prove', signature })
    await expectRefused(h, other)
  })

  it('refuse their own greeting sent back, and that of an end that did not call', async () => {
    const h = await connected(47)
    const mirror = await caller(h.w)
    await says(h.w, mirror, mirror.told[0] as Plain)
    await says(h.w, mirror, mirror.told[1] as Plain)
    await expectRefused(h, mirror)
    const again = await connected(48)
    const other = await caller(again.w)
    await greet(again.w, other, PEER, { dialed: false })
    await expectRefused(again, other)
  })

  it('refuse a greeting that the peer made for somebody else, or for another court', async () => {
    const h = await connected(49)
    const other = await caller(h.w)
    await greet(h.w, other, PEER, { peer: THIEF.signer })
    await expectRefused(h, other)
    const w = world(50)
    const far = domain(w.l1.chainId + 1n, w.court.address)
    const { links, messages } = linksOf(w)
    links.add(ID)
    await finish(w, links.listen('here'))
    const stray = await caller(w)
    const { signer, nonce } = stray.told[0] as { signer: Hex; nonce: Hex }
    const said = { signer: PEER.signer, peer: signer, mine: NONCE, theirs: nonce, dialed: true }
    const signature = sign(greetingDigest(far, said), PEER.key)
    await says(w, stray, { type: 'greet', signer: PEER.signer, nonce: NONCE }, { type: 'prove', signature }, HELLO)
    expect([stray.closed(), messages.length]).to.deep.equal([true, 0])
    await finish(w, links.stop())
  })

  it('sign nothing to who answers a call as somebody else than the peer, and say nothing before the key is shown', async () => {
    const w = world(51)
    const { links, ups } = linksOf(w)
    const lines: Raw[] = []
    await finish(
      w,
      w.transport.listen('there', (line) => lines.push(raw(line))),
    )
    links.add(ID, 'there')
    await w.scheduler.run(() => lines[0]?.told.length === 1)
    const [first] = lines
    first!.line.send({ type: 'greet', signer: THIEF.signer, nonce: NONCE })
    await w.scheduler.run(() => lines[1]?.told.length === 1)
    expect(first!.told.map(({ type }) => type)).to.deep.equal(['greet'])
    await greet(w, lines[1]!, PEER, { dialed: false })
    expect(ups).to.deep.equal([ID])
    expect(lines[1]!.told.map(({ type }) => type)).to.deep.equal(['greet', 'prove'])
    await finish(w, links.stop())
  })

  it('tell of who answers as somebody else, call there ever more rarely, and at the usual pace once the peer is back', async () => {
    const w = world(53)
    const lines: Raw[] = []
    const told: unknown[] = []
    const waits: number[] = []
    await finish(
      w,
      w.transport.listen('there', (line) => lines.push(raw(line))),
    )
    const links = new Links({
      ...partsOf(w),
      retry: (run, milliseconds) => {
        waits.push(milliseconds)
        w.scheduler.later(run)
      },
      onImpostor: (...one) => told.push(one),
    })
    links.add(ID, 'there')
    const answer = async (count: number, by: Person, key = by.key) => {
      await w.scheduler.run(() => lines[count - 1]?.told.length === 1)
      await greet(w, lines[count - 1]!, by, { dialed: false }, key)
    }
    for (let count = 1; count <= 4; count++) await answer(count, THIEF)
    await answer(5, PEER, THIEF.key)
    await w.scheduler.run(() => lines[5]?.told.length === 1)
    lines[5]!.line.send(HELLO)
    await w.scheduler.run(() => lines[6]?.told.length === 1)
    expect(told).to.deep.equal([1, 2, 3, 4, 5, 6].map((times) => ['there', [ID], times]))
    expect(waits).to.deep.equal([2, 4, 8, 16, 32, 60].map((seconds) => 1000 * seconds))
    await greet(w, lines[6]!, PEER, { dialed: false })
    lines[6]!.line.close()
    await w.scheduler.run(() => lines[7]?.told.length === 1)
    expect([told.length, waits.at(-1)]).to.deep.equal([6, 1000])
    await finish(w, links.stop())
  })

  it('end a connection whose other end shows no key in time', async () => {
    const w = world(52)
    const late: (() => void)[] = []
    const links = new Links({ ...partsOf(w), later: (run) => void late.push(run) })
    await finish(w, links.listen('here'))
    const [silent, peer] = [await caller(w), await guest(w)]
    for (const run of late) run()
    await w.scheduler.run()
    expect([silent.closed(), peer.closed()]).to.deep.equal([true, false])
    await finish(w, links.stop())
  })
})
