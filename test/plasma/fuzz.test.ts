import { expect } from 'chai'
import fc from 'fast-check'

import type { PlasmaEvent } from '../../src/core/plasma/Call.ts'
import { runs } from '../fuzz.ts'
import { agreeOnState, ground, owed, type Stage, stage, started } from './stage.ts'
import { beginWorld, type Dice, HEALTHY, MOVES, settleAll, WILD, type World } from './world.ts'

const dice = fc.record({
  move: fc.nat(),
  who: fc.nat(),
  what: fc.nat(),
  with: fc.nat(),
  twist: fc.nat(),
  seconds: fc.nat(),
})

describe('RootChain against its model, at random', () => {
  let connection: Awaited<ReturnType<typeof ground>>
  const tally = new Map<string, number>()
  before(async () => {
    connection = await ground()
  })

  async function playWorld(moves: readonly string[], rolls: readonly Dice[], honest: boolean): Promise<World> {
    const world = await beginWorld(await stage(connection), honest)
    for (const roll of rolls) {
      const name = moves[roll.move % moves.length]!
      const { on } = world
      const refused = await MOVES[name]!(world, roll)
      const key = `${name} ${refused ?? 'done'}`
      tally.set(key, (tally.get(key) ?? 0) + 1)
      expect(owed(on), 'what the court owes').to.equal(on.balances.get(on.domain.court))
    }
    await agreeOnState(world.on)
    return world
  }

  it('agrees with any verbs, users, times, old and replayed inputs; pays nothing twice, no pot beyond its money', async () => {
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.array(dice, { minLength: 50, maxLength: 90 })), async (rolls) => {
        const world = await playWorld(WILD, rolls, false)
        await settleAll(world)
        paysOnce(world.on)
        paysWithinPots(world.on)
      }),
      { ...runs(25), endOnFailure: true },
    )
  })

  it('on a healthy chain never pays an output and its spend’s output, and never lacks money', async () => {
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.array(dice, { minLength: 50, maxLength: 90 })), async (rolls) => {
        const world = await playWorld(HEALTHY, rolls, true)
        await settleAll(world)
        paysOnce(world.on)
        neverPaysBothSides(world)
      }),
      { ...runs(20), endOnFailure: true },
    )
  })

  it('tried all of it: every verb went through and was refused', () => {
    for (const move of WILD) expect(tally.get(`${move} done`) ?? 0, `${move} done`).to.be.greaterThan(0)
    const refusals = new Set([...tally.keys()].map((key) => key.split(' ')[1]))
    for (const name of ['WrongEntry', 'WrongCommitment', 'WrongSigner', 'NotExitable', 'MissingExit', 'EmptyQueue']) {
      expect([...refusals], [...tally].join('; ')).to.include(name)
    }
  })
})

function eventsOf<Name extends PlasmaEvent['name']>(on: Stage, name: Name) {
  return on.history.filter((event): event is Extract<PlasmaEvent, { name: Name }> => event.name === name)
}

function paysOnce(on: Stage): void {
  const paid = eventsOf(on, 'ExitPaid').map(({ ids }) => ids)
  expect(new Set(paid).size).to.equal(paid.length)
}

/** Per chain: payouts <= deposits + forfeited halves of bonds. */
function paysWithinPots(on: Stage): void {
  for (const id of on.model.chains.keys()) {
    const mine = new Map(started(on).flatMap(({ ids, exit }) => (exit.chain === id ? [[ids, exit] as const] : [])))
    let budget = 0n
    for (const { chain, value } of eventsOf(on, 'Deposited')) if (chain === id) budget += value
    for (const name of ['ExitChallenged', 'ExitCancelled'] as const) {
      for (const { ids, lane, index } of eventsOf(on, name)) {
        const { exit } = started(on).find((s) => s.ids === ids && s.lane === lane && s.index === index)!
        if (exit.chain === id) budget += exit.bond - exit.bond / 2n
      }
    }
    for (const { ids, amount } of eventsOf(on, 'ExitPaid')) if (mine.has(ids)) budget -= amount
    expect(budget >= 0n, `pot of ${id} is ${budget}`).to.equal(true)
  }
}

/** Every transaction in a block: not an input of it and an output of it were both paid. */
function neverPaysBothSides({ on, blocks, idsOf }: World): void {
  const paid = new Set(eventsOf(on, 'ExitPaid').map(({ ids }) => ids))
  expect(eventsOf(on, 'ExitUnpaid')).to.have.length(0)
  for (const { txs } of blocks) {
    for (const tx of txs) {
      const spent = tx.inputs.some((id) => paid.has(id))
      expect(spent && idsOf(tx).some((id) => paid.has(id)), 'both sides were paid').to.equal(false)
    }
  }
}
