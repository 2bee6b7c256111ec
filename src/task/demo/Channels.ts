import { ETHER, type Hex, uint } from '../../core/base/Bytes.ts'
import type { SignedState } from '../../core/channel/Call.ts'
import { type Channel, payouts } from '../../core/channel/Channel.ts'
import type { ChannelStatus } from '../../core/channel/Status.ts'
import type { Account } from '../../edge/chain/LocalAccounts.ts'
import type { Store } from '../../edge/store/Store.ts'
import { tcpTransport } from '../../edge/transport/Tcp.ts'
import { ChannelNode } from '../../role/ChannelNode.ts'
import { Watchtower } from '../../role/Watchtower.ts'
import { type Check, check, type Part } from './Report.ts'
import { people, type Town } from './Town.ts'
import { count, money, type Voice } from './Voice.ts'

const UNIT = 10n ** 18n
const PERIOD = 3600
const DEPOSIT = 10n * UNIT
/** Payments under way at once. */
const WINDOW = 1000
const { alice, bob, tower } = people

interface Scene {
  readonly town: Town
  readonly voice: Voice
  readonly watchtower: Watchtower
  readonly stores: ReadonlyMap<Hex, Store>
  /** Terms: 0 in ether, 1 in the token. */
  readonly terms: readonly [Channel, Channel]
  /** Of all ether states that Bob ever completed, the one that pays him most. */
  best: SignedState | undefined
  /** What the watchtower has done. */
  answered: string | undefined
}

/** Two channels between Alice and Bob: many payments, a close by agreement, a fraud that fails. */
export async function channels(town: Town, voice: Voice, payments: number): Promise<Part> {
  voice.chapter('Payment channels: Alice and Bob')
  const scene = await prepare(town, voice)
  const [a, b] = [await node(scene, alice), await node(scene, bob)]
  const ids = await open(scene, a, b)
  const seconds = await payAll(scene, [a, b], ids, payments)
  const nets = ids.map((id) => a.status(id).net) as [bigint, bigint]
  const checks = await closeTogether(scene, a, ids[1], nets[1])
  await Promise.all([a.stop(), b.stop()])
  const { payA, payB } = await fraud(scene, ids[0], a.status(ids[0]))
  return {
    payments,
    seconds,
    checks,
    income: [
      [alice.address, payA],
      [bob.address, payB],
    ],
  }
}

async function prepare(town: Town, voice: Voice): Promise<Scene> {
  const [a, b] = [alice, bob].map(({ address }) => ({ owner: address, signer: address })) as [
    Channel['a'],
    Channel['b'],
  ]
  const common = { a, b, challengePeriod: PERIOD, bond: 0n, salt: uint(town.started, 32) }
  const terms = [
    { ...common, asset: ETHER },
    { ...common, asset: town.addresses.token },
  ] as const
  const stores = new Map([alice, bob].map(({ address }, i) => [address, town.store(i === 0 ? 'alice' : 'bob')]))
  const watchtower = await Watchtower.start({
    store: town.store('watchtower'),
    chain: await town.channels(tower),
    confirmations: 1,
    since: town.started,
    onAnswer: (_id, version, { gasUsed }) => {
      scene.answered = `version ${count(version)}, for ${count(gasUsed)} gas`
    },
  })
  town.atEnd(() => watchtower.stop())
  const scene: Scene = { town, voice, watchtower, stores, terms, best: undefined, answered: undefined }
  return scene
}

async function node(scene: Scene, who: Account): Promise<ChannelNode> {
  const { town, watchtower } = scene
  const onComplete = (channel: Channel, state: SignedState) => {
    if (who === alice) void watchtower.watch(channel, state)
    else if (channel.asset === ETHER && state.net > (scene.best?.net ?? 0n)) scene.best = state
  }
  const made = await ChannelNode.start({
    key: who.key,
    store: scene.stores.get(who.address)!,
    chain: await town.channels(who),
    transport: tcpTransport(),
    confirmations: 1,
    since: town.started,
    onComplete,
  })
  town.atEnd(() => made.stop())
  return made
}

async function open({ town, voice, terms }: Scene, a: ChannelNode, b: ChannelNode): Promise<[Hex, Hex]> {
  const address = await a.listen('127.0.0.1:0')
  for (const who of [alice, bob]) await town.token(who, DEPOSIT)
  const ids: Hex[] = []
  for (const [channel, name] of [
    [terms[0], 'ETH'],
    [terms[1], 'KTT'],
  ] as const) {
    const id = await a.open(channel)
    await b.open(channel, address)
    const gas = [await a.deposit(id, DEPOSIT), await b.deposit(id, DEPOSIT)].map(({ gasUsed }) => gasUsed)
    const ready = (side: ChannelNode) => side.status(id).phase === 'open' && side.status(id).available === DEPOSIT
    await town.until('both deposits count', () => ready(a) && ready(b))
    voice.say(`They open a channel with ${money(DEPOSIT, name)} each, for ${gas.map(count).join(' and ')} gas.`)
    ids.push(id)
  }
  return ids as [Hex, Hex]
}

/** In the first half Alice pays twice as often as Bob, in the second half Bob does: old states tempt Bob. */
async function payAll(scene: Scene, nodes: readonly [ChannelNode, ChannelNode], ids: readonly Hex[], payments: number) {
  const { voice } = scene
  const amount = DEPOSIT / BigInt(Math.max(payments, 1000))
  const started = performance.now()
  let [next, done] = [0, 0]
  const worker = async () => {
    for (let i = next++; i < payments; i = next++) {
      const often = i < payments / 2 ? 0 : 1
      await nodes[i % 3 === 2 ? 1 - often : often]!.pay(ids[i % ids.length]!, amount)
      if (++done % 500 === 0) voice.progress('payments signed by both, stored by both:', done, payments)
    }
  }
  await Promise.all(Array.from({ length: Math.min(WINDOW, Math.ceil(payments / 20)) }, worker))
  const seconds = (performance.now() - started) / 1000
  const rate = count(Math.round(payments / seconds))
  voice.say(
    `${count(payments)} payments of ${money(amount, 'ETH or KTT')}, both ways, in ${seconds.toFixed(1)} s: ${rate} a second, none on layer 1.`,
  )
  return seconds
}

async function closeTogether({ town, voice, terms }: Scene, a: ChannelNode, id: Hex, net: bigint): Promise<Check[]> {
  const { asset } = terms[1]
  const closed = a.close(id)
  await town.until('the token channel is closed', () => a.status(id).phase === 'closed')
  await closed
  const { payA, payB } = payouts(DEPOSIT, DEPOSIT, net)
  voice.say(`The token channel is concluded together: Alice gets ${money(payA, 'KTT')}, Bob ${money(payB, 'KTT')}.`)
  return [
    check("Alice's tokens", await town.balance(asset, alice.address), payA),
    check("Bob's tokens", await town.balance(asset, bob.address), payB),
  ]
}

async function fraud(scene: Scene, id: Hex, newest: ChannelStatus): Promise<{ payA: bigint; payB: bigint }> {
  const { town, voice, terms, best } = scene
  const { payA, payB } = payouts(DEPOSIT, DEPOSIT, newest.net)
  await town.until('the watchtower holds it', () => scene.watchtower.held(id) === newest.version)
  const cheating = await town.channels(bob)
  const wish = payouts(DEPOSIT, DEPOSIT, best!.net).payB
  voice.say(
    `Alice goes offline. Bob publishes old version ${count(best!.version)}: it would pay him ${money(wish - payB, 'ETH')} too much.`,
  )
  await cheating.send({ verb: 'challenge', channel: terms[0], state: { ...best!, sigB: '0x' } })
  await town.until('the watchtower answers', () => scene.answered !== undefined)
  voice.say(`Alice's watchtower answers with ${scene.answered}.`)
  await town.pass(PERIOD + 1)
  const again = await node(scene, alice)
  await town.until('the ether channel is settled', () => again.status(id).phase === 'closed')
  voice.say(`The challenge period has passed: Alice gets ${money(payA, 'ETH')}, Bob ${money(payB, 'ETH')}, to the wei.`)
  return { payA, payB }
}
