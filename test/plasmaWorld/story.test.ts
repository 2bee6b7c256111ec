import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { Row } from '../../src/core/base/Step.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { depth, seed } from '../fuzz.ts'
import type { Script } from './Act.ts'
import { TURNS } from './Act.ts'
import type { Broken } from './Ground.ts'
import { play, playSeed } from './History.ts'
import type { Stage } from './Stage.ts'

const COUNT = depth > 1 ? 20_000 : Math.ceil(300 * depth)
/** How many seeds one test plays. */
const SLICE = 500
/** A seed, or the name of a file that holds a script: only that is played. */
const only = process.env.KERROS_PLASMA_WORLD

const seen = new Map<string, number>()

function addUp(on: Stage): void {
  for (const [what, count] of on.seen) seen.set(what, (seen.get(what) ?? 0) + count)
}

/** What must have happened in so many seeds, or they prove little. */
const EXPECTED = [
  ...['Committed', 'Deposited', 'ExitStarted', 'GroupStarted', 'ExitChallenged', 'ExitPaid', 'Credited', 'KindFixed'],
  ...['InFlightStarted', 'Piggybacked', 'Competed', 'InFlightPaid', 'retracted Committed', 'retracted ExitStarted'],
  ...['crash before a commit', 'crash after a commit', 'fail before a commit', 'fail after a commit'],
  ...['crash before a call', 'crash after a call', 'acknowledged and kept', 'acknowledged and dropped'],
  ...['InvalidBlock', 'WithheldBlock', 'InvalidExit', 'NonCanonical', 'InvalidPiggyback', 'guarding'],
  ...['received', 'paid', 'left', 'ended well', 'ended badly', ...TURNS.map((turn) => `turned: ${turn}`)],
]

describe('People of a Plasma chain in a world where everything goes wrong', () => {
  if (only !== undefined) {
    it(`end ${only} well`, async () => {
      if (/^\d+$/.test(only)) await playSeed(Number(only))
      else await play(JSON.parse(readFileSync(only, 'utf8')) as Script)
    })
  }
  for (let from = 0; from < COUNT && only === undefined; from += SLICE) {
    const count = Math.min(SLICE, COUNT - from)
    it(`have all that is theirs in the end, whatever the operator does: ${count} seeds from ${seed + from} on`, async () => {
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

  it('live through the same history whenever the seed is the same', async () => {
    const told = (on: Stage) => JSON.stringify([...on.seen, on.l1.head().hash, [...on.acknowledged]])
    for (const one of [3, 11, 40]) expect(told(await playSeed(one))).to.equal(told(await playSeed(one)))
  })
})

/** The store of a program that forgets to save the rows of a table. */
function without(table: string): (store: Store) => Store {
  return ({ commit, ...rest }) => ({ ...rest, commit: (rows) => commit(rows.filter((row) => row.table !== table)) })
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
  ['an operator that acknowledges before it saves', { operatorStore: late }, 150],
  ['an operator that forgets what it has sealed', { operatorStore: without('blocks') }, 150],
  ['a wallet that speaks before it saves', { store: late }, 150],
  ['a wallet that forgets what it holds', { store: without('held') }, 150],
  ['a wallet that forgets what it has signed', { store: without('payments') }, 150],
  ['a wallet that does nothing by itself on a bad chain', { noGuard: true }, 50],
  ['a wallet that waits for a withheld block for ever', { isPatient: true }, 50],
  ['a wallet that believes what may be taken back', { isHasty: true }, 150],
  ['a watcher that answers nothing', { isWatcherIdle: true }, 200],
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

if (only === undefined) {
  describe('That world sees what is wrong with', () => {
    for (const [what, broken, seeds] of RULES) {
      it(what, async () => expect(await firstBad(broken, seeds)).to.not.equal(undefined))
    }
  })
}
