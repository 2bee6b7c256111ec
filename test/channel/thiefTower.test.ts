import { expect } from 'chai'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { ChannelEvent, SignedState } from '../../src/core/channel/Call.ts'
import { channelId, stateDigest } from '../../src/core/channel/Channel.ts'
import { type Lock, locksRoot, packLocks } from '../../src/core/channel/Lock.ts'
import { type Post, type TowerInput, tower, type Ward } from '../../src/core/channel/Tower.ts'
import { person, terms } from '../world.ts'

const [alice, bob] = [person(1), person(2)]
const CHANNEL = terms(alice, bob)
const COURT = domain(31337n, `0x${'c0'.repeat(20)}`)
const ID = channelId(COURT, CHANNEL)
const POST: Post = { court: COURT, confirmations: 3, margin: 100, settles: true, minPeriod: 3600 }
const [DEADLINE, EXPIRY] = [10_200, 20_000]
const SECRETS: readonly Hex[] = [1, 2].map((secret) => uint(secret, 32))
const LOCKS: readonly Lock[] = SECRETS.map((preimage, i) => {
  return { toB: false, id: BigInt(i + 1), amount: 5n, expiry: EXPIRY, condition: ETHER, key: hashLock(preimage) }
})

function state(): SignedState {
  const locks = packLocks(LOCKS)
  const digest = stateDigest(COURT, { channelId: ID, version: 3n, net: 0n, locksRoot: locksRoot(locks), batch: ZERO })
  const [sigA, sigB] = [sign(digest, alice.key), sign(digest, bob.key)]
  return { version: 3n, net: 0n, batch: ZERO, locks, sigA, sigB }
}

const CLOCK: ChannelEvent = {
  name: 'Challenged',
  id: ID,
  version: 3n,
  net: 0n,
  locksRoot: locksRoot(packLocks(LOCKS)),
  deadline: DEADLINE,
  byB: true,
  locks: packLocks(LOCKS),
}

/** A settlement that leaves these locks open. */
function settled(...open: readonly Lock[]): ChannelEvent {
  return { name: 'Settled', id: ID, payA: 1n, payB: 1n, locksRoot: locksRoot(packLocks(open)) }
}

interface Scene {
  ward: Ward | undefined
  number: number
  time: number
}

/** Takes an input in the newest block; a block's events are of the next one. Says what the tower asks for. */
function take(scene: Scene, input: TowerInput): readonly string[] {
  if (input.kind === 'block') {
    scene.number++
    scene.time += 12
  }
  const { state: ward, outputs } = tower(POST, { number: scene.number, time: scene.time }, scene.ward, input)
  scene.ward = ward
  return outputs.map((one) => (one.kind === 'call' ? one.call.verb : one.kind))
}

function begun(): Scene {
  const scene: Scene = { ward: undefined, number: 10, time: DEADLINE }
  take(scene, { kind: 'show', account: '', channel: CHANNEL, state: state() })
  take(scene, { kind: 'block', events: [CLOCK] })
  return scene
}

describe('Tower: a thief who orders a block', () => {
  it('settles what a settlement left open that was put before the preimage that this tower revealed', () => {
    const scene = begun()
    expect(take(scene, { kind: 'preimages', account: '', preimages: [SECRETS[0]!] })).to.deep.equal(['reveal'])
    // Its transaction is mined, right behind the thief's, before the block is seen.
    take(scene, { kind: 'revealed', preimages: [SECRETS[0]!] })
    const events = [settled(...LOCKS), { name: 'Revealed', preimage: SECRETS[0]! }] as const
    expect(take(scene, { kind: 'block', events })).to.deep.equal(['settle'])
    expect(take(scene, { kind: 'block', events: [settled(LOCKS[1]!)] })).to.deep.equal([])
    expect(scene.ward!.docket.locks).to.equal(packLocks(LOCKS.slice(1)))
    scene.time = EXPIRY
    expect(take(scene, { kind: 'block', events: [] })).to.deep.equal(['settle'])
  })

  it('goes on revealing where it cannot tell which locks a settlement left open', () => {
    const scene = begun()
    // The first key was revealed before this tower heard of the channel.
    take(scene, { kind: 'block', events: [settled(LOCKS[1]!)] })
    for (let i = 0; i < 4; i++) expect(take(scene, { kind: 'block', events: [] })).to.deep.equal([])
    expect(take(scene, { kind: 'preimages', account: '', preimages: [SECRETS[1]!] })).to.deep.equal(['reveal'])
    scene.time = EXPIRY
    expect(take(scene, { kind: 'block', events: [] })).to.deep.equal(['released'])
  })
})
