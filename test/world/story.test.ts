import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { Row } from '../../src/core/base/Step.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { depth, seed } from '../fuzz.ts'
import type { Act, Script } from './Act.ts'
import { play, playSeed } from './History.ts'
import type { Broken, Stage } from './Stage.ts'

const COUNT = depth >= 20 ? 20_000 : Math.ceil(300 * depth)
/** How many seeds one test plays. */
const SLICE = 500
/** A seed, or the name of a file that holds a script: only that is played. */
const only = process.env.KERROS_WORLD

const SETTING = {
  ...{ channels: 1, xWrites: true, confirmations: 4, patience: 900 },
  ...{ rough: 0, marked: false, refuses: false, choosy: false, token: false, lying: false, hasty: false },
}

/** What a history came to, as text. */
function told(on: Stage): string {
  const words = on.told.map(({ who, event }) => [who, event.name])
  return JSON.stringify([words, [...on.signed], on.faults, on.l1.head().hash])
}

const seen = new Map<string, number>()

function addUp(on: Stage): void {
  for (const [what, count] of on.seen) seen.set(what, (seen.get(what) ?? 0) + count)
}

/** What must have happened in so many seeds, or they prove little. */
const EXPECTED = [
  ...['Answered', 'Challenged', 'Concluded', 'Revealed', 'Settled', 'Withdrawn', 'retracted Answered'],
  ...['crash before a commit', 'crash after a commit', 'fail before a commit', 'fail after a commit'],
  ...['crash before a send', 'crash after a send', 'crash before a call', 'crash after a call'],
  ...['theft', 'theft while the other sleeps', 'backup put back', 'backup put back and declared'],
  ...['paid', 'received', 'fulfilled', 'failed', 'refused', 'withdrawn', 'unwithdrawn', 'agreed', 'disputed'],
  ...['a token', 'a lying node', 'lie noticed', 'a hasty beginning'],
]

describe('Channel nodes in a world where everything goes wrong', () => {
  if (only !== undefined) {
    it(`end ${only} well`, async () => {
      if (/^\d+$/.test(only)) await playSeed(Number(only))
      else await play(JSON.parse(readFileSync(only, 'utf8')) as Script)
    })
  }
  for (let from = 0; from < COUNT && only === undefined; from += SLICE) {
    const count = Math.min(SLICE, COUNT - from)
    it(`lose no money and end every payment once: ${count} seeds from ${seed + from} on`, async () => {
      for (let i = 0; i < count; i++) addUp(await playSeed((seed + from + i) >>> 0))
    })
  }

  if (only === undefined && COUNT >= 300) {
    it('meet everything there', () => {
      const words = [...seen].sort().map(([what, count]) => `${what} ${count}`)
      console.log(`      ${words.join(', ')}`)
      for (const what of EXPECTED) expect(seen.get(what) ?? 0, what).to.be.greaterThan(0)
    })
  }

  it('play the same history whenever the seed is the same', async () => {
    for (const one of [3, 11, 40]) expect(told(await playSeed(one))).to.equal(told(await playSeed(one)))
  })
})

/** The store of a program that forgets to save the rows of a table. */
function without(table: string): Broken {
  const saved = ({ commit, ...rest }: Store): Store => ({
    ...rest,
    commit: (rows) => commit(rows.filter((row) => row.table !== table)),
  })
  return { store: saved }
}

/** The store of a program that speaks before it saves: what it saves is durable one commit later. */
function late({ commit, ...rest }: Store): Store {
  let waiting: readonly Row[] = []
  return {
    ...rest,
    commit(rows) {
      commit(waiting)
      waiting = rows
    },
  }
}

/** A rule that is broken on purpose, and within how many seeds that must be seen. */
const RULES: readonly (readonly [what: string, broken: Broken, seeds: number])[] = [
  ['speaks before it saves', { store: late }, 60],
  ['forgets its open proposal, and signs another of the same version', without('proposal'), 60],
  ['forgets what it has asked for, and counts its requests anew', without('pending'), 60],
  ['forgets what both have signed', without('complete'), 60],
  ['forgets that it has signed the end', without('end'), 200],
  ['forgets a preimage that it has shown', without('preimage'), 200],
  ['does not notice that a backup was put back', { forgetsMarker: true }, 300],
  ['has a tower that answers nothing', { isTowerIdle: true }, 200],
  ['believes whatever logs a node of layer 1 serves', { believesNodes: true }, 200],
]

/** The first seed that shows a fault. */
async function firstBad(broken: Broken, seeds: number): Promise<number | undefined> {
  for (let one = 1; one <= seeds; one++) {
    const isBad = await playSeed(one, broken).then(
      () => false,
      () => true,
    )
    if (isBad) return one
  }
  return undefined
}

describe('The world sees what is wrong with a node that', () => {
  for (const [what, broken, seeds] of RULES) {
    it(what, async () => expect(await firstBad(broken, seeds)).to.not.equal(undefined))
  }
})

describe('Histories that once went wrong', () => {
  for (const xWrites of [true, false]) {
    it(`pay for a preimage on layer 1 though the clock of its receiver is a day ahead (${xWrites})`, async () => {
      const acts: readonly Act[] = [
        { act: 'lock', who: 'x', channel: 0, amount: 100, life: 1800 },
        { act: 'run', steps: 300 },
        { act: 'fuse', who: 'x', point: 'send', after: 0, when: 'before', how: 'crash' },
        { act: 'cut', who: 'y' },
        { act: 'take', who: 'y', channel: 0, which: 0 },
        { act: 'run', steps: 4 },
        { act: 'tick', who: 'y', ahead: 86_400 },
        { act: 'run', steps: 30 },
        { act: 'theft', who: 'x', channel: 0, old: 9, asleep: false },
      ]
      const on = await play({ seed: 7, setting: { ...SETTING, xWrites }, acts }, { isTowerIdle: true })
      expect([...on.begun.values()].map(({ isTaken }) => isTaken)).to.deep.equal([true])
    })
  }
})
