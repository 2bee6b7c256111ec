import { expect } from 'chai'
import fc from 'fast-check'
import { creditKey } from '../../src/core/base/Asset.ts'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import { hashLock, verdictKey } from '../../src/core/base/Verdicts.ts'
import type { ChannelCall, ChannelEvent, SignedState } from '../../src/core/channel/Call.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { type Channel, channelId, withdrawalDigest } from '../../src/core/channel/Channel.ts'
import { type Lock, locksRoot, packLocks } from '../../src/core/channel/Lock.ts'
import { dataOf } from '../../src/edge/chain/Abi.ts'
import {
  type ChannelIndex,
  depositKey,
  EMPTY_INDEX,
  indexed,
  recordedOf,
  type Told,
} from '../../src/edge/chain/ChannelIndex.ts'
import { readIndex } from '../../src/edge/chain/ChannelLogs.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { Fault } from '../../src/edge/Fault.ts'
import { type Adjudicator, Adjudicator__factory } from '../../typechain-types/index.ts'
import {
  alice,
  bob,
  carol,
  catchUp,
  conclusion,
  coSigned,
  PERIOD,
  play,
  type Stage,
  stage,
  stranger,
  terms,
  UNIT,
} from '../channel/stage.ts'
import { runs } from '../fuzz.ts'

const VERBS = [
  ...['deposit', 'stray', 'deposits', 'withdraw', 'challenge', 'challenge', 'answer', 'answer', 'settle', 'settle'],
  ...['settle', 'sweep', 'reveal', 'judge', 'claimCredit', 'turn', 'conclude', 'sign', 'sign', 'sign', 'sign'],
] as const
const KEYS = 6

const act = fc.record({
  verb: fc.constantFrom(...VERBS),
  on: fc.nat(4),
  pick: fc.nat(9),
  amount: fc.bigInt(1n, 3n * UNIT),
  locks: fc.array(
    fc.record({ toB: fc.boolean(), key: fc.nat(KEYS - 1), share: fc.bigInt(0n, UNIT / 8n), late: fc.nat(60) }),
    {
      maxLength: 3,
    },
  ),
  wait: fc.constantFrom(1, 1, 1, 60, 1800, PERIOD + 1),
})
type Act = typeof act extends fc.Arbitrary<infer One> ? One : never

interface Game {
  readonly on: Stage
  readonly number: number
  readonly channels: readonly Channel[]
  readonly signed: SignedState[][]
}

function newGame(on: Stage, number: number): Game {
  const apart = {
    a: { owner: on.receiverAddress, signer: alice.address },
    b: { owner: carol.address, signer: bob.address },
  }
  const salt = 10 * number
  const channels = [
    terms(ETHER, salt),
    terms(on.tokenAddress, salt),
    terms(ETHER, salt + 1, apart),
    terms(ETHER, salt + 2, { bond: UNIT }),
    terms(on.tokenAddress, salt + 3, { ...apart, bond: 7n }),
  ]
  return { on, number, channels, signed: channels.map(() => [NO_STATE]) }
}

/** Preimages and keys of a game: even ones are hash locks, odd ones wait for the condition. */
const preimage = ({ number }: Game, key: number): Hex => uint(1000 * number + key, 32)
function lockOf(game: Game, id: number, { toB, key, share, late }: Act['locks'][number]): Lock {
  const { on } = game
  const waits =
    key % 2 === 0
      ? { condition: ETHER, key: hashLock(preimage(game, key)) }
      : { condition: on.conditionAddress, key: preimage(game, key) }
  return { toB, id: BigInt(id + 1), amount: share, expiry: on.time + late * 1800, ...waits }
}

function withdrawal({ on }: Game, channel: Channel, amount: bigint, toB: boolean): ChannelCall {
  const id = channelId(on.domain, channel)
  const [totalA, totalB, deadline] = [toB ? 0n : amount, toB ? amount : 0n, on.time + 10 * PERIOD]
  const digest = withdrawalDigest(on.domain, id, totalA, totalB, deadline)
  const [sigA, sigB] = [alice, bob].map(({ key }) => sign(digest, key)) as [Hex, Hex]
  return { verb: 'withdraw', channel, totalA, totalB, deadline, sigA, sigB }
}

function callOf(
  game: Game,
  index: ChannelIndex,
  { verb, on: which, pick, amount, locks }: Act,
): ChannelCall | undefined {
  const { on, channels, signed } = game
  const channel = channels[which]!
  const states = signed[which]!
  const state = states[Math.max(0, states.length - 1 - (pick % 3))]!
  const id = channelId(on.domain, channel)
  const stray = channel.asset === ETHER ? on.tokenAddress : ETHER
  const toB = pick % 2 === 1
  switch (verb) {
    case 'sign':
      states.push(
        coSigned(
          on,
          channel,
          BigInt(states.length),
          amount - UNIT,
          undefined,
          ZERO,
          locks.map((one, i) => lockOf(game, i, one)),
        ),
      )
      return undefined
    case 'turn':
      return undefined
    case 'deposit':
      return { verb, asset: channel.asset, channelId: id, toB, amount }
    case 'stray':
      return { verb: 'deposit', asset: stray, channelId: id, toB, amount }
    case 'deposits':
      return { verb, list: [0, which].map((one) => ({ channelId: channelId(on.domain, channels[one]!), toB, amount })) }
    case 'withdraw':
      return withdrawal(game, channel, amount, toB)
    case 'conclude':
      return pick === 0 ? conclusion(on, channel, amount) : undefined
    case 'challenge':
    case 'answer':
      return { verb, channel, state }
    case 'settle':
      return { verb, channel, locks: index.entries.get(id)?.locks ?? '0x' }
    case 'sweep':
      return { verb, channel, asset: stray }
    case 'reveal':
      return { verb, preimages: [0, 2].map((more) => preimage(game, (pick + more) % KEYS)) }
    case 'judge':
      return { verb, condition: on.conditionAddress, key: preimage(game, pick % KEYS) }
    case 'claimCredit':
      return { verb, asset: channel.asset, owner: on.receiverAddress, to: on.receiverAddress }
  }
}

/** Plays an act, if it can be played now; what the contract told, or nothing. */
async function perform(game: Game, index: ChannelIndex, one: Act): Promise<Told> {
  const { on } = game
  if (one.verb === 'turn') {
    on.refusing = !on.refusing
    await on.receiver.behave(on.refusing ? 1 : 0, ETHER, '0x', { gasPrice: 0 })
    await catchUp(on)
  }
  const call = callOf(game, index, one)
  if (!call) return { time: on.time, events: [] }
  const outcome = await play(on, call, { sender: alice.address, time: on.time + one.wait })
  return { time: on.time, events: outcome.refused === undefined ? outcome.events : [] }
}

/** The index says of every channel what storage says, of any asset under its id, and has the lists behind the roots. */
async function expectStored(court: Adjudicator, { on, channels }: Game, index: ChannelIndex): Promise<void> {
  for (const channel of channels) {
    const id = channelId(on.domain, channel)
    const told = recordedOf(index, on.domain, channel)
    expect(told).to.deep.equal(plainRecord(await court.recordOf(channel.asset, id)))
    expect(locksRoot(index.entries.get(id)?.locks ?? '0x')).to.equal(told.locksRoot)
    const stray = channel.asset === ETHER ? on.tokenAddress : ETHER
    const { fundsA, fundsB } = await court.recordOf(stray, id)
    expect(index.deposits.get(depositKey(stray, id)) ?? { a: 0n, b: 0n }).to.deep.equal({ a: fundsA, b: fundsB })
  }
}

function plainRecord(told: Awaited<ReturnType<Adjudicator['recordOf']>>) {
  const { deadline, ...fields } = (told as unknown as { toObject(): Record<string, unknown> }).toObject()
  return { ...fields, deadline: Number(deadline) }
}

/** The index has every credit and verdict that storage has, and no other. */
async function expectRegistered(court: Adjudicator, game: Game, index: ChannelIndex): Promise<void> {
  const { on } = game
  const owners = [...[alice, bob, carol, stranger].map(({ address }) => address), on.receiverAddress]
  for (const asset of [ETHER, on.tokenAddress])
    for (const owner of owners)
      expect(index.credits.get(creditKey(asset, owner)) ?? 0n).to.equal(await court.credits(asset, owner))
  for (let key = 0; key < KEYS; key++) {
    const word = preimage(game, key)
    for (const [condition, at] of [
      [ETHER, hashLock(word)],
      [on.conditionAddress, word],
    ] as const) {
      const { time, amount } = await court.verdict(condition, at)
      const { time: knownTime, amount: known } = index.verdicts.get(verdictKey(condition, at)) ?? {
        time: 0,
        amount: 0n,
      }
      expect([knownTime, known]).to.deep.equal([Number(time), amount])
    }
  }
}

describe('the index of a channel court', () => {
  let on: Stage
  let court: Adjudicator
  before(async () => {
    on = await stage()
    court = Adjudicator__factory.connect(on.domain.court, on.connection.ethers.provider)
    on.verdict = UNIT
    await on.condition.behave(0, on.verdict, { gasPrice: 0 })
    await catchUp(on)
  })
  const head = () => on.connection.ethers.provider.getBlockNumber()
  const read = async (span: number) =>
    readIndex(on.connection.ethers.provider, on.domain.court, { from: 0, to: await head(), span })

  it('is, from the logs alone, what storage says after random histories of all verbs', async () => {
    const met = new Set<string>()
    let index = EMPTY_INDEX
    let number = 0
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 60, maxLength: 90, size: 'max' }), async (acts) => {
        const game = newGame(on, ++number)
        for (const one of acts) {
          const told = await perform(game, index, one)
          for (const event of told.events) met.add(kindOf(event, index))
          index = indexed(index, [told])
        }
        await expectStored(court, game, index)
        await expectRegistered(court, game, index)
      }),
      runs(12),
    )
    expect(await read(7)).to.deep.equal(index)
    const kinds = ['Deposited', 'Swept', 'Challenged', 'Answered', 'Withdrawn', 'Concluded', 'Settled', 'Settled open']
    const others = ['Settled again', 'Credited', 'CreditClaimed', 'Revealed', 'Judged']
    expect([...met].sort()).to.include.members([...kinds, ...others])
  })

  it('keeps the list of the locks that a settlement left open, and notices a history that lacks an event', async () => {
    const game = newGame(on, 500)
    const channel = game.channels[0]!
    const id = channelId(on.domain, channel)
    const locks = [2, 4].map((key, i) => lockOf(game, i, { toB: true, key, share: 5n, late: 20 }))
    const calls: readonly ChannelCall[] = [
      { verb: 'deposit', asset: ETHER, channelId: id, toB: false, amount: UNIT },
      { verb: 'challenge', channel, state: coSigned(on, channel, 1n, 0n, undefined, ZERO, locks) },
      { verb: 'reveal', preimages: [preimage(game, 2)] },
      { verb: 'settle', channel, locks: packLocks(locks) },
    ]
    const blocks: Told[] = []
    for (const call of calls) {
      const outcome = await play(on, call, {
        sender: alice.address,
        time: on.time + (call.verb === 'settle' ? PERIOD + 1 : 1),
      })
      blocks.push({ time: on.time, events: outcome.refused === undefined ? outcome.events : [] })
    }
    const index = indexed(EMPTY_INDEX, blocks)
    expect(index.entries.get(id)?.locks).to.equal(packLocks(locks.slice(1)))
    expect(index.entries.get(id)).to.include({ paidA: UNIT - 10n, paidB: 5n, closed: true })
    expect(indexed(indexed(EMPTY_INDEX, blocks.slice(0, 2)), blocks.slice(2))).to.deep.equal(index)
    const withoutReveal = blocks.filter((_, i) => i !== 2)
    expect(() => indexed(EMPTY_INDEX, withoutReveal))
      .to.throw(Fault, 'do not lead')
      .with.property('code', 'Malformed')
  })

  it('passes over what a batch has refused', async () => {
    const before = await read(1000)
    const data = [
      dataOf(on.abi, { verb: 'claimCredit', asset: ETHER, owner: bob.address, to: bob.address } as ChannelCall),
    ]
    const sent = await court.connect(await on.connection.ethers.getSigner(bob.address)).batch(data, { gasPrice: 0 })
    expect((await sent.wait())!.logs.length).to.equal(1)
    expect(await read(1000)).to.deep.equal(before)
  })

  it('does not mix two histories: a block that is replaced while it is read is refused', async () => {
    const { provider } = on.connection.ethers
    const moved: Pick<Node, 'send'> = {
      send: async (method, params) => {
        const answer = await provider.send(method, params as unknown[])
        return method === 'eth_getBlockByNumber' ? { ...(answer as object), hash: ZERO } : answer
      },
    }
    const failed = await readIndex(moved as Node, on.domain.court, { from: 0, to: await head() }).catch((why) => why)
    expect(failed).to.be.instanceOf(Fault).with.property('code', 'ReorgTooDeep')
  })
})

function kindOf(event: ChannelEvent, index: ChannelIndex): string {
  if (event.name !== 'Settled') return event.name
  if (index.entries.get(event.id)?.closed) return 'Settled again'
  return event.locksRoot === ZERO ? 'Settled' : 'Settled open'
}
