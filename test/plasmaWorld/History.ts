import { ZERO } from '../../src/core/base/Bytes.ts'
import { entries } from '../../src/core/base/HashMap.ts'
import { heldBy } from '../../src/core/plasma/Purse.ts'
import { allExits, allInFlight, claimOn } from '../../src/core/plasma/Running.ts'
import type { Operator } from '../../src/role/Operator.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import { dice } from '../world.ts'
import { PEOPLE, print, type Script, scriptOf, type Who } from './Act.ts'
import { checkAcknowledged, checkEnd } from './Check.ts'
import type { Broken } from './Ground.ts'
import { blocks, open, perform, relieve, revive, walletOf } from './Play.ts'
import { MFP } from './Scene.ts'
import { type Stage, see, stage } from './Stage.ts'
import { process, runningOf } from './Thief.ts'

/** How often a history that shows a fault is played again to make it shorter. */
const REPLAYS = 60
/** Nothing is broken. */
export const GOOD: Broken = {}

/** Plays a seed's history to its end; throws what was violated, with the shortest script found that shows it. */
export async function playSeed(seed: number, broken: Broken = GOOD): Promise<Stage> {
  const script = scriptOf(seed, dice(seed))
  try {
    return await play(script, broken)
  } catch (why) {
    const short = broken === GOOD ? await shorter(script) : script
    const how = `KERROS_PLASMA_WORLD=${seed} plays it again; so does KERROS_PLASMA_WORLD=FILE with this, made shorter, in it:`
    throw new Error(`${(why as Error).message}\n${how}\n${print(short)}`, { cause: why })
  }
}

/** The history with as many acts left out as can be while something goes wrong still. */
async function shorter(script: Script): Promise<Script> {
  let best = script
  let left = REPLAYS
  for (let size = Math.ceil(script.acts.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.acts.length && left-- > 0; ) {
      const tried = { ...best, acts: best.acts.toSpliced(at, size) }
      const isBad = await play(tried).then(
        () => false,
        () => true,
      )
      if (isBad) best = tried
      else at += size
    }
  }
  return best
}

/** Plays a script to its end. */
export async function play(script: Script, broken: Broken = GOOD): Promise<Stage> {
  const on = stage(script, broken)
  try {
    await open(on)
    on.mood.calm = false
    for (const act of script.acts) await perform(on, act)
    await conclude(on)
    return on
  } finally {
    for (const host of Object.values(on.hosts)) host.body.kill()
  }
}

/** Nothing more goes wrong: what is open comes to an end, everybody leaves, and everything is paid. */
async function conclude(on: Stage): Promise<void> {
  on.mood.calm = true
  relieve(on)
  const { confirmations } = on.script.setting
  for (let i = 0; i < 4; i++) {
    const { role, body } = on.hosts.operator
    if (!on.mood.turned && body.isAlive()) (role as Operator).seal()
    await blocks(on, confirmations + 2)
  }
  if (!on.mood.turned) checkAcknowledged(on)
  // A block that is missing is missed for long enough.
  await blocks(on, 6, 4 * 3600)
  await blocks(on, confirmations + 2)
  const isBad = Object.values(walletsOf(on)).some(({ state }) => state.follower.bad)
  see(on, isBad ? 'ended badly' : 'ended well')
  for (let round = 0; round < 8; round++) {
    for (const wallet of Object.values(walletsOf(on))) if (!wallet.state.follower.bad) ask(wallet)
    await blocks(on, confirmations + 3)
    if (round > 0 && isOver(on)) break
    for (let i = 0; i < 5; i++) await blocks(on, 1, MFP / 2 / 2)
    await blocks(on, 4, MFP / 4)
    process(on)
    await blocks(on, confirmations + 2)
  }
  checkEnd(on, walletsOf(on))
}

/** Whatever the owner of a wallet can do on a good chain to have everything on layer 1. */
function ask(wallet: Wallet): void {
  const { state } = wallet
  for (const [hash] of entries(state.payments)) wallet.fly(hash).catch(() => undefined)
  const free = heldBy(state).filter(({ id, use }) => use !== 'paying' && claimOn(state.running, id, ZERO) === undefined)
  if (free.length > 0) wallet.leaveAll(free.map(({ id }) => id)).catch(() => undefined)
}

/** Everybody's wallet as it is now: some have died of what was to happen at their next call. */
function walletsOf(on: Stage): Readonly<Record<Who, Wallet>> {
  revive(on)
  return Object.fromEntries(PEOPLE.map((who) => [who, walletOf(on, who)!])) as Record<Who, Wallet>
}

function isOver(on: Stage): boolean {
  const running = runningOf(on)
  const empty = Object.values(walletsOf(on)).every(({ state }) => heldBy(state).length === 0)
  return empty && allExits(running).length === 0 && allInFlight(running).length === 0
}
