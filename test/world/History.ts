import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dice } from '../world.ts'
import { print, type Script, scriptOf } from './Act.ts'
import { checkEnd } from './Check.ts'
import { blocks, open, perform, relieve } from './Play.ts'
import { type Broken, type Party, type Stage, stage } from './Stage.ts'

/** How many blocks the quiet end may take. */
const PATIENCE = 200
/** Seconds between its blocks. */
const PACE = 240

/** How often a history that shows a fault is played again to make it shorter. */
const REPLAYS = 80

/** Plays a seed's history to its end; throws what was violated, with the shortest script found that shows it. */
export async function playSeed(seed: number, broken: Broken = GOOD): Promise<Stage> {
  const script = scriptOf(seed, dice(seed))
  try {
    return await play(script, broken)
  } catch (why) {
    const short = broken === GOOD ? await shorter(script) : script
    const how = `KERROS_WORLD=${seed} plays it again; so does KERROS_WORLD=FILE with this, made shorter, in it:`
    throw new Error(`${(why as Error).message}\n${how}\n${print(short)}`, { cause: why })
  }
}

/** Nothing is broken. */
export const GOOD: Broken = {}

/** The history with as many acts left out as can be while something goes wrong still. */
async function shorter(script: Script): Promise<Script> {
  let best = script
  let left = REPLAYS
  for (let size = Math.ceil(script.acts.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.acts.length && left-- > 0; ) {
      const tried = { ...best, acts: best.acts.toSpliced(at, size) }
      if (await isBad(tried)) best = tried
      else at += size
    }
  }
  return best
}

async function isBad(script: Script): Promise<boolean> {
  return play(script).then(
    () => false,
    () => true,
  )
}

/** Plays a script to its end. */
export async function play(script: Script, broken: Broken = {}): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'kerros-world-'))
  const on = stage(script, folder, broken)
  try {
    await open(on)
    on.mood.calm = false
    for (const act of script.acts) await perform(on, act)
    await conclude(on)
    checkEnd(on)
    return on
  } finally {
    for (const one of [on.parties.x, on.parties.y, on.tower]) one.body.kill()
    rmSync(folder, { recursive: true })
  }
}

/** Nothing more goes wrong: what is open comes to an end, then every channel does. */
async function conclude(on: Stage): Promise<void> {
  on.mood.calm = true
  relieve(on)
  const sides = [on.parties.x, on.parties.y].filter(({ isGone }) => !isGone)
  for (const { body } of sides) body.cut()
  await until(on, 'everybody is back', () => sides.every(({ node }) => node !== undefined))
  if (sides.length === 2)
    await until(on, 'payments end and sides agree', () => sides.every((one) => isAtRest(on, one)) && agree(on, sides))
  await until(on, 'channels close', () => {
    for (const one of sides) end(on, one)
    return sides.every((one) => isClosed(on, one))
  })
}

/** Asks for the end of all channels, again if the one who asked has died of it. */
function end(on: Stage, { node }: Party): void {
  for (const { id } of on.channels) {
    if (node?.channels().includes(id) && node.status(id).phase !== 'closed')
      node.end(id, 'close').catch(() => undefined)
  }
}

async function until(on: Stage, what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < PATIENCE; i++) {
    await on.scheduler.run()
    if (holds()) return
    await blocks(on, 1, PACE)
  }
  throw new Error(`never again: ${what}; ${[on.parties.x, on.parties.y].map((one) => situation(on, one)).join('; ')}`)
}

function situation(on: Stage, { who, node, isGone }: Party): string {
  const all = isGone || !node ? [] : on.channels.map(({ id }) => node.status(id))
  const text = JSON.stringify(all, (key, value) =>
    key === 'channel' ? undefined : typeof value === 'bigint' ? String(value) : value,
  )
  return `${who} ${isGone ? 'has turned' : node ? text : 'is not there'}; ${on.faults.slice(-3).join(', ')}`
}

function isClosed(on: Stage, { node }: Party): boolean {
  return node !== undefined && on.channels.every(({ id }) => node.status(id).phase === 'closed')
}

/** Nothing of a side is in flight. */
function isAtRest(on: Stage, { node }: Party): boolean {
  if (!node) return false
  return on.channels.every(({ id }) => {
    const { phase, pending, locked, withdrawal } = node.status(id)
    return phase === 'closed' || (pending === 0 && locked.count === 0 && !withdrawal)
  })
}

function agree(on: Stage, sides: readonly Party[]): boolean {
  const [x, y] = sides.map(({ node }) => node!)
  return on.channels.every(({ id }) => {
    if (!y) return true
    const [p, q] = [x!.status(id), y.status(id)]
    return p.phase === 'closed' || q.phase === 'closed' || p.phase === 'ending' || p.version === q.version
  })
}
