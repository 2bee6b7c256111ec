import { expect } from 'chai'
import fc from 'fast-check'
import type { Hex } from '../../src/core/base/Bytes.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { outputId } from '../../src/core/plasma/Transaction.ts'
import { runs } from '../fuzz.ts'
import { type Anything, again, beginAnything } from './anything.ts'
import { ANY, settleAnything } from './anythingMoves.ts'
import { membersOf } from './branches.ts'
import { agreeOnState, ground, owed, type Stage, stage, waiting } from './stage.ts'

const nat = fc.nat()
const roll = fc.record({ move: nat, who: nat, what: nat, with: nat, twist: nat })
const [RUNS, CALLS, ENOUGH] = [256, 150, 5000]

describe('RootChain against its model, whatever anybody does', () => {
  let begun: Anything
  let start: Awaited<ReturnType<Anything['on']['connection']['networkHelpers']['takeSnapshot']>>
  const tally = new Map<string, number>()
  let [calls, played] = [0, 0]
  before(async () => {
    begun = await beginAnything(await stage(await ground()))
    start = await begun.on.connection.networkHelpers.takeSnapshot()
  })

  it('agrees on every refusal, event and balance; pays nothing twice, owes what it has, ends every exit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.array(roll, { minLength: CALLS, maxLength: CALLS })), async (rolls) => {
        await start.restore()
        const world = again(begun)
        world.on.brief = 0
        for (const one of rolls) {
          const [name, move] = ANY[one.move % ANY.length]!
          const key = `${name} ${await move(world, one)}`
          tally.set(key, (tally.get(key) ?? 0) + 1)
          expect(owed(world.on), 'what the court owes').to.equal(world.on.balances.get(world.on.domain.court))
          calls++
        }
        // What still waits is looked at every fourth time, what is left in the end always.
        if (++played % 4 === 1) await agreeOnState(world.on)
        await settleAnything(world)
        await agreeOnState(world.on)
        expect([waiting(world.on).length, world.on.model.inFlight.size], 'exits that still run').to.deep.equal([0, 0])
        for (const { name } of world.on.history) tally.set(name, (tally.get(name) ?? 0) + 1)
        paysOnce(world.on)
        hasWhatItOwes(world)
      }),
      { ...runs(RUNS), endOnFailure: true },
    )
  })

  it('tried all of it: every move went through, and every kind of event was seen', () => {
    console.log(`      ${played} runs of ${CALLS} moves`)
    if (process.env.KERROS_TALLY)
      console.log(
        [...tally]
          .sort()
          .map(([key, count]) => `${count} ${key}`)
          .join('\n'),
      )
    const told = ['GroupStarted', 'LockShown', 'Escrowed', 'Competed', 'Piggybacked', 'InFlightPaid', 'ExitPaid']
    const wanted = [...ANY.flatMap(([name]) => (name === 'claim' ? [] : [`${name} done`])), ...told]
    // A fifth of the usual runs is too few to meet everything.
    const missing = calls < ENOUGH ? [] : wanted.filter((key) => !tally.has(key))
    expect([calls > 0, missing]).to.deep.equal([true, []])
  })
})

/** No output is paid twice, alone, in a group, or in flight. */
function paysOnce(on: Stage): void {
  const paid = new Set<string>()
  const pays = (id: Hex) => {
    expect(paid.has(id), `paid twice: ${id}`).to.equal(false)
    paid.add(id)
  }
  const groups = new Set(on.history.flatMap((event) => (event.name === 'GroupStarted' ? [event.ids] : [])))
  const txs = new Map<Hex, Extract<PlasmaCall, { verb: 'startInFlight' }>['transaction']>()
  for (const event of on.history) {
    if (event.name === 'InFlightStarted') txs.set(event.txHash, event.inFlight.tx)
    if (event.name === 'ExitPaid' && !groups.has(event.ids)) pays(event.ids)
    if (event.name !== 'InFlightPaid') continue
    const { position, txHash } = event
    pays(position < 4 ? txs.get(txHash)!.inputs[position]! : outputId(txHash, position - 4))
  }
  // Of a group only what was still open is paid: never more than what its members are.
  for (const event of on.history) {
    if (event.name !== 'ExitPaid' || !groups.has(event.ids)) continue
    const left = membersOf(on, event.ids).filter(({ id }) => !paid.has(id))
    const sum = left.reduce((total, { value }) => total + value, 0n)
    expect(event.amount <= sum, `a group was paid ${event.amount} of ${sum}`).to.equal(true)
    for (const { id } of left) paid.add(id)
  }
}

/** Its gold is its pots, credits and escrows; its deeds are those that a chain holds, or wait for somebody. */
function hasWhatItOwes({ on, gold }: Anything): void {
  const { pots, credits, kinds } = on.model
  let sum = 0n
  for (const [key, pot] of pots) {
    expect(pot >= 0n, `pot of ${key}`).to.equal(true)
    if (key.endsWith(gold)) sum += pot
  }
  for (const [key, credit] of credits) if (key.startsWith(gold)) sum += credit
  for (const event of on.history) {
    if (event.name === 'Escrowed' && event.asset === gold) sum += event.value
    if (event.name === 'EscrowClaimed' && event.asset === gold) sum -= event.value
  }
  expect(kinds.get(gold)).to.equal('fungible')
  expect(on.holdings.get(gold)!.get(on.domain.court)).to.equal(sum)
}
