import { uint } from '../../src/core/base/Bytes.ts'
import { entries } from '../../src/core/base/HashMap.ts'
import { addressOf } from '../../src/core/base/Signature.ts'
import { freeOf, heldBy } from '../../src/core/plasma/Purse.ts'
import type { Operator } from '../../src/role/Operator.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import type { Act, Who } from './Act.ts'
import { PEOPLE } from './Act.ts'
import { checkAcknowledged, checkBooks } from './Check.ts'
import type { Host } from './Ground.ts'
import { CHAIN, ID, INTERVAL, STRESS, THIEF_KEY, UNIT } from './Scene.ts'
import { type Stage, see, start } from './Stage.ts'

type Of<Name extends Act['act']> = Extract<Act, { readonly act: Name }>
type Verbs = { readonly [Name in Act['act']]: (on: Stage, act: Of<Name>) => void | Promise<void> }

/** Lets one thing happen, then looks whether the books are in order. */
export async function perform(on: Stage, act: Act): Promise<void> {
  revive(on)
  await (VERBS[act.act] as (on: Stage, act: Act) => void | Promise<void>)(on, act)
  checkBooks(on)
}

/** Starts again whatever has died, or stopped because its store failed. */
export function revive(on: Stage): void {
  for (const host of Object.values(on.hosts)) {
    if (!host.isDown && (!host.body.isAlive() || host.body.hasFailed())) start(on, host)
  }
}

/** Everybody has time again, and everything gets through. */
export function relieve(on: Stage): void {
  for (const host of Object.values(on.hosts)) {
    host.chain.hold(false)
    host.loop.hold(false)
    host.isDown = false
  }
  revive(on)
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

async function run(on: Stage, steps: number): Promise<void> {
  let left = steps
  await on.scheduler.run(() => left-- <= 0)
}

async function mine(on: Stage, { blocks: count, steps }: Of<'mine'>): Promise<void> {
  for (let i = 0; i < count; i++) {
    on.mood.late += INTERVAL
    on.l1.mine()
    await run(on, steps)
    revive(on)
  }
  if (on.mood.late > STRESS) await rest(on)
}

/** Now and then nobody is late: everybody is there, hears everything and is heard. */
export async function rest(on: Stage): Promise<void> {
  on.mood.calm = true
  relieve(on)
  await blocks(on, on.script.setting.confirmations + 3)
  on.mood.calm = false
  on.mood.late = 0
}

/** The wallet of somebody, while there is one. */
export function walletOf(on: Stage, who: Who): Wallet | undefined {
  const { role, body } = on.hosts[who]
  return body.isAlive() && !body.hasFailed() ? (role as Wallet | undefined) : undefined
}

/** What may be refused: it was worth a try. */
function attempt(promise: Promise<unknown> | undefined): void {
  promise?.catch(() => undefined)
}

function deposit(on: Stage, { who, amount }: Of<'deposit'>): void {
  attempt(walletOf(on, who)?.deposit(on.asset, BigInt(amount) * UNIT, uint(++on.mood.salt, 32)))
}

function pay(on: Stage, { who, to, amount }: Of<'pay'>): void {
  const owner = to === 'thief' ? addressOf(THIEF_KEY) : on.books[to].owner
  const memo = uint(++on.mood.salt, 32)
  attempt(
    walletOf(on, who)?.pay(on.asset, [{ owner, value: BigInt(amount) * UNIT }], BigInt(on.script.setting.fee), memo),
  )
}

function leave(on: Stage, { who, which }: Of<'leave'>): void {
  const wallet = walletOf(on, who)
  const free = wallet ? freeOf(wallet.state, on.asset) : []
  const one = free[which % Math.max(1, free.length)]
  if (one) attempt(wallet!.leave(one.id))
}

function fly(on: Stage, { who, which }: Of<'fly'>): void {
  const wallet = walletOf(on, who)
  const open = wallet ? [...entries(wallet.state.payments)] : []
  const one = open[which % Math.max(1, open.length)]
  if (one) attempt(wallet!.fly(one[0]))
}

function reorg(on: Stage, { depth, keeps }: Of<'reorg'>): void {
  const remine = {
    all: undefined,
    none: () => [],
    some: <T>(lost: readonly T[]) => lost.filter(() => on.dice.chance(2)),
  }[keeps]
  if (depth < on.l1.head().number) on.l1.reorg(depth, remine ? { remine } : {})
}

/** The operator's key is the thief's from now on; what the honest one had sent may be lost. */
function turn(on: Stage, { how, shown, pick }: Of<'turn'>): void {
  if (on.mood.turned) return
  const host: Host = on.hosts.operator
  checkAcknowledged(on)
  host.body.kill()
  host.chain.hold(false)
  on.mood.turned = true
  for (const one of on.l1.pending()) if (one.sender === CHAIN.operator) on.l1.drop(one)
  see(on, `turned: ${how}`)
  on.thief.turnAt(on.commits.length + 1)
  on.thief.forge(on, how, shown, pick)
}

function seal(on: Stage): void {
  const { role, body } = on.hosts.operator
  if (body.isAlive() && role) (role as Operator).seal()
}

const VERBS: Verbs = {
  run: (on, { steps }) => run(on, steps),
  mine,
  deposit,
  pay,
  seal,
  async round(on) {
    await on.scheduler.run()
    seal(on)
    const count = on.script.setting.confirmations + 2
    on.mood.late += count * INTERVAL
    await blocks(on, count)
  },
  leave,
  fly,
  cheat: (on, { how, pick, other }) => on.thief.cheat(on, how, pick, other),
  reorg,
  forget(on) {
    const [one] = on.l1.pending()
    if (one) on.l1.drop(one)
  },
  fuse: (on, { who, act: _act, ...fuse }) => on.hosts[who].body.arm(fuse),
  down(on, { who }) {
    on.hosts[who].body.kill()
    on.hosts[who].isDown = true
  },
  up(on, { who }) {
    on.hosts[who].isDown = false
    revive(on)
  },
  lag: (on, { who, what, on: isOn }) => on.hosts[who][what].hold(isOn),
  turn,
  more(on, { shown, pick }) {
    if (on.mood.turned) on.thief.forge(on, undefined, shown, pick)
  },
}

/** Everybody is there, the chain is registered, and everybody has some money on it. */
export async function open(on: Stage): Promise<void> {
  relieve(on)
  const { confirmations } = on.script.setting
  await blocks(on, confirmations + 2)
  for (const who of PEOPLE) for (const amount of [60, 30, 10]) deposit(on, { act: 'deposit', who, amount })
  const thief = { verb: 'deposit', chain: ID, salt: uint(0, 32), owner: addressOf(THIEF_KEY), asset: on.asset } as const
  for (const n of [1, 2]) {
    attempt(on.court.connect(thief.owner).send({ ...thief, salt: uint(10_000 + n, 32), value: 50n * UNIT }))
  }
  await blocks(on, confirmations + 3)
  for (const who of PEOPLE) {
    const wallet = walletOf(on, who)
    if (!wallet || heldBy(wallet.state).length !== 3) throw new Error(`${who} has not begun`)
  }
}
