import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { SignedState } from '../../src/core/channel/Call.ts'
import { sideOf } from '../../src/core/channel/Channel.ts'
import { receiverOf } from '../../src/core/channel/LockBook.ts'
import { type Reserve, signAsk, totals } from '../../src/core/channel/Reserve.ts'
import type { ChannelNode } from '../../src/role/ChannelNode.ts'
import type { Act, Who } from './Act.ts'
import { type Body, disk } from './Body.ts'
import { checkBooks } from './Check.ts'
import {
  type Begun,
  codeOf,
  FUNDS,
  giveTerms,
  type Host,
  INC,
  INTERVAL,
  type Party,
  type Stage,
  secretOf,
  see,
  start,
  startTower,
} from './Stage.ts'

type Of<Name extends Act['act']> = Extract<Act, { readonly act: Name }>
type Verbs = { readonly [Name in Act['act']]: (on: Stage, act: Of<Name>) => void | Promise<void> }

/** Seconds that anybody may be late in all, of those that layer 1 is given to hear of a preimage. */
const STRESS = INC / 2

/** Lets one thing happen, then looks whether the books are in order. */
export async function perform(on: Stage, act: Act): Promise<void> {
  revive(on)
  await (VERBS[act.act] as (on: Stage, act: Act) => void | Promise<void>)(on, act)
  checkBooks(on)
}

/** Starts again whatever has died, or stopped because its store failed. */
export function revive(on: Stage): void {
  const { x, y } = on.parties
  for (const one of [x, y]) if (!one.isGone && !one.isDown && isOver(one.body)) start(on, one)
  if (!on.tower.isGone && !on.tower.isDown && isOver(on.tower.body)) startTower(on)
}

function isOver(life: Body): boolean {
  return !life.isAlive() || life.hasFailed()
}

/** Runs some of what waits. */
export async function run(on: Stage, steps: number): Promise<void> {
  let left = steps
  await on.scheduler.run(() => left-- <= 0)
}

/** Mines a block after another and lets everybody see it; whoever dies of it is started again. */
export async function blocks(on: Stage, count: number, seconds = INTERVAL): Promise<void> {
  for (let i = 0; i < count; i++) {
    revive(on)
    await on.scheduler.run()
    on.l1.mine(on.l1.head().time + seconds)
    await on.scheduler.run()
  }
  checkBooks(on)
}

/** Everybody has time again. */
export function relieve(on: Stage): void {
  on.mood.spike = false
  const { x, y } = on.parties
  for (const one of [x, y, on.tower]) {
    one.chain.hold(false)
    one.loop.hold(false)
    one.isDown = false
  }
  revive(on)
  for (const one of [x, y]) if (one.body.isAlive()) giveTerms(on, one)
}

/** The node of a side and one of the channels; undefined while there is none. */
function at(on: Stage, who: Who, channel: number): { readonly node: ChannelNode; readonly id: Hex } | undefined {
  const { node, body, isGone } = on.parties[who]
  if (!node || !body.isAlive() || isGone) return undefined
  const { id } = on.channels[channel % on.channels.length]!
  return node.channels().includes(id) ? { node, id } : undefined
}

/** What may be refused: it was worth a try. */
function attempt(promise: Promise<unknown>): void {
  promise.catch(() => undefined)
}

function begin(on: Stage, who: Who, id: Hex, amount: number, isLock: boolean): Begun {
  const paymentId = uint(on.begun.size + 1, 32)
  const made: Begun = { paymentId, who, id, amount: BigInt(amount), isLock, answer: undefined, isTaken: false }
  on.begun.set(paymentId, made)
  return made
}

/** Notes how a payment ended for who asked, if its process still lives. */
function ends(on: Stage, made: Begun, promise: Promise<unknown>): void {
  const life = on.parties[made.who].body
  promise.then(
    life.whileAlive(() => {
      made.answer = 'done'
    }),
    life.whileAlive((why: unknown) => {
      if (why instanceof Refusal) made.answer = why.code
    }),
  )
}

function pay(on: Stage, { who, channel, amount, count }: Of<'pay'>): void {
  const found = at(on, who, channel)
  for (let i = 0; found && i < count; i++) {
    const made = begin(on, who, found.id, 1 + (amount >> i), false)
    ends(on, made, found.node.pay(found.id, made.amount, { paymentId: made.paymentId }))
  }
}

/** Who does not know whether a payment was begun asks again: it is paid once. */
function again(on: Stage, { who, which }: Of<'again'>): void {
  const mine = [...on.begun.values()].filter((one) => one.who === who && !one.isLock)
  const made = mine[which % Math.max(1, mine.length)]
  const { node, body } = on.parties[who]
  if (!made || !node || !body.isAlive() || typeof node.payment(made.id, made.paymentId) === 'string') return
  see(on, 'asked again')
  made.answer = undefined
  ends(on, made, node.pay(made.id, made.amount, { paymentId: made.paymentId }))
}

function lock(on: Stage, { who, channel, amount, life }: Of<'lock'>): void {
  const found = at(on, who, channel)
  if (!found) return
  const made = begin(on, who, found.id, amount, true)
  const { paymentId } = made
  const margin = INC + INTERVAL * (on.script.setting.confirmations + 2)
  const expiry = on.l1.head().time + margin + life
  ends(
    on,
    made,
    found.node.lock(found.id, { amount: made.amount, expiry, key: hashLock(secretOf(paymentId)), paymentId }),
  )
}

function end(on: Stage, { act, who, channel, which }: Of<'take' | 'giveUp'>): void {
  const found = at(on, who, channel)
  if (!found) return
  const { node, id } = found
  const { side } = node.status(id)
  const mine = node.locks(id).filter((one) => receiverOf(one) === side)
  const one = mine[which % Math.max(1, mine.length)]
  if (!one) return
  if (act === 'giveUp') {
    attempt(node.fail(id, one.id, 'Unwanted'))
    return
  }
  const promised = on.parties[who].body.whileAlive(() => {
    on.begun.get(one.paymentId)!.isTaken = true
  })
  attempt(node.fulfil(id, one.id, secretOf(one.paymentId)).then(promised))
}

async function mine(on: Stage, { blocks: count, steps }: Of<'mine'>): Promise<void> {
  for (let i = 0; i < count; i++) {
    hurry(on, INTERVAL)
    on.l1.mine()
    await run(on, steps)
    revive(on)
  }
}

const late = new WeakMap<Stage, number>()

/** Counts the seconds in which somebody is late; when there were enough, everybody catches up first. */
function hurry(on: Stage, seconds: number): void {
  const sum = (late.get(on) ?? 0) + seconds
  if (sum > STRESS) relieve(on)
  late.set(on, sum)
}

/** Between two acts now and then nobody is late any more. */
async function settle(on: Stage): Promise<void> {
  if ((late.get(on) ?? 0) <= STRESS) return
  relieve(on)
  await blocks(on, 2)
  late.set(on, 0)
}

function reorg(on: Stage, { depth, keeps }: Of<'reorg'>): void {
  const remine = {
    all: undefined,
    none: () => [],
    some: <T>(lost: readonly T[]) => lost.filter(() => on.dice.chance(2)),
  }[keeps]
  if (depth < on.l1.head().number) on.l1.reorg(depth, remine ? { remine } : {})
}

function hostOf(on: Stage, who: Who | 'tower'): Host {
  return who === 'tower' ? on.tower : on.parties[who]
}

function restore(on: Stage, { who, declared }: Of<'restore'>): void {
  const one = on.parties[who]
  if (!one.backup || one.isGone) return
  one.body.kill()
  one.disk = disk(one.backup)
  one.isSetBack = true
  see(on, declared ? 'backup put back and declared' : 'backup put back')
  start(on, one, declared && !on.broken.forgetsMarker)
}

/** What the other side has signed for a side, the court pays whenever it is asked in time. */
function withdrawAnyway(on: Stage, { disk: { store }, person, chain }: Party, id: Hex): void {
  const { mine } = (store.get('withdrawal', id) ?? {}) as { readonly mine?: Reserve | null }
  const { channel } = on.channels.find((known) => known.id === id)!
  const side = sideOf(channel, person.signer)!
  if (!mine?.signature) return
  const { total, deadline, signature } = mine
  const court = domain(on.l1.chainId, on.court.address)
  const own = signAsk(court, id, side, mine, person.key)
  const sigs = side === 'a' ? { sigA: own, sigB: signature } : { sigA: signature, sigB: own }
  see(on, 'withdrawal by a thief')
  attempt(
    on.court
      .connect(person.owner, chain)
      .send({ verb: 'withdraw', channel, ...totals(side, total), deadline, ...sigs }),
  )
}

/** A state that nobody has signed: version 0 needs no signature. */
const NOTHING: SignedState = { version: 0n, net: 0n, batch: ZERO, locks: '0x', sigA: '0x', sigB: '0x' }

/**
 * A side turns and publishes what it wants of the past. Whoever sleeps through it has shown its tower everything before:
 * the promise is kept for those.
 */
async function theft(on: Stage, { who, channel, old, asleep }: Of<'theft'>): Promise<void> {
  const [thief, victim] = [on.parties[who], on.parties[who === 'x' ? 'y' : 'x']]
  const { id, channel: terms } = on.channels[channel % on.channels.length]!
  thief.body.kill()
  thief.isGone = true
  const sleeps = asleep && (await isCared(on, victim, id))
  if (sleeps) {
    victim.body.kill()
    victim.isDown = true
  }
  if (!sleeps && on.dice.chance(2)) {
    on.tower.body.kill()
    on.tower.isGone = true
  }
  const past = thief.states.get(id) ?? []
  const state = past[old % Math.max(1, past.length)]
  const court = on.court.connect(thief.person.owner, thief.chain)
  attempt(court.send({ verb: 'challenge', channel: terms, state: state ?? NOTHING }))
  withdrawAnyway(on, thief, id)
  see(on, sleeps ? 'theft while the other sleeps' : 'theft')
  on.mood.spike = on.dice.chance(2)
  await blocks(on, 2)
  shake(on)
  await blocks(on, 4)
  const other = past[(old + 1) % Math.max(1, past.length)]
  if (other) attempt(court.send({ verb: 'answer', channel: terms, state: other }))
  await blocks(on, 2)
  on.mood.spike = false
  if (!sleeps) return
  await blocks(on, 20, 240)
  attempt(court.send({ verb: 'settle', channel: terms, locks: victim.states.get(id)?.at(-1)?.locks ?? '0x' }))
  await blocks(on, 3)
  shake(on)
  await blocks(on, 3)
}

/** Layer 1 takes some blocks back, half of the times. */
function shake(on: Stage): void {
  const { confirmations } = on.script.setting
  if (on.dice.chance(2)) return
  const depth = Math.min(12, confirmations - 1)
  reorg(on, { act: 'reorg', depth, keeps: (['all', 'none', 'some'] as const)[on.dice.roll(3)]! })
}

/** Whether the tower holds the newest of a side, and all that it has to say. */
async function isCared(on: Stage, one: Party, id: Hex): Promise<boolean> {
  on.mood.calm = true
  relieve(on)
  await blocks(on, 1)
  const { node, client } = one
  if (!node || !client || !one.body.isAlive()) return false
  const { version, phase } = node.status(id)
  return client.behind === 0 && phase !== 'closed' && (version === 0n || on.tower.role?.held(id) === version)
}

function part(on: Stage, who: Who, channel: number, run: (node: ChannelNode, id: Hex) => Promise<unknown>): void {
  const found = at(on, who, channel)
  if (found) attempt(run(found.node, found.id))
}

const VERBS: Verbs = {
  run: (on, { steps }) => run(on, steps),
  pay,
  again,
  lock,
  take: end,
  giveUp: end,
  withdraw: (on, { who, channel, amount, seconds }) =>
    part(on, who, channel, async (node, id) => (await node.beginWithdrawal(id, BigInt(amount), seconds)).ended),
  deposit: (on, { who, channel, amount }) => part(on, who, channel, (node, id) => node.deposit(id, BigInt(amount))),
  close: (on, { who, channel }) => part(on, who, channel, (node, id) => node.end(id, 'close')),
  challenge: (on, { who, channel }) => part(on, who, channel, (node, id) => node.end(id, 'challenge')),
  async mine(on, act) {
    await mine(on, act)
    await settle(on)
  },
  reorg,
  spike(on, { on: isOn }) {
    on.mood.spike = isOn
  },
  forget(on) {
    const [one] = on.l1.pending()
    if (one) on.l1.drop(one)
  },
  cut: (on, { who }) => on.parties[who].body.cut(),
  fuse: (on, { who, act: _act, ...fuse }) => hostOf(on, who).body.arm(fuse),
  down(on, { who }) {
    hostOf(on, who).body.kill()
    hostOf(on, who).isDown = true
  },
  up(on, { who }) {
    hostOf(on, who).isDown = false
    revive(on)
  },
  lag: (on, { who, what, on: isOn }) => hostOf(on, who)[what].hold(isOn),
  tick: (on, { who, ahead }) => on.parties[who].node?.tick(on.l1.head().time + ahead),
  backup(on, { who }) {
    on.parties[who].backup = on.parties[who].disk.copy()
  },
  restore,
  theft,
}

/** Opens all channels in good weather, both sides with their money in; or begins to, and whatever comes goes wrong already. */
export async function open(on: Stage): Promise<void> {
  const { x, y } = on.parties
  startTower(on)
  const { hasty } = on.script.setting
  for (const one of [x, y]) {
    start(on, one)
    if (hasty) one.body.arm({ point: 'commit', after: on.dice.roll(6), when: 'after', how: 'crash' })
  }
  on.mood.calm = !hasty
  await on.scheduler.run()
  for (const { id } of on.channels)
    for (const one of [x, y]) one.node?.deposit(id, FUNDS).catch((why) => on.faults.push(`${one.who}: ${codeOf(why)}`))
  if (hasty) return
  await blocks(on, on.script.setting.confirmations + 2)
  for (const { id } of on.channels) {
    for (const { who, node } of [x, y]) {
      if (node!.status(id).available !== FUNDS) throw new Error(`${who} has not opened its channel`)
    }
  }
}
