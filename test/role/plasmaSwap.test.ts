import { expect } from 'chai'
import fc from 'fast-check'
import { Refusal } from '../../src/core/base/Step.ts'
import type { Swap } from '../../src/core/plasma/Agreement.ts'
import { Swapping } from '../../src/role/Swapping.ts'
import { runs } from '../fuzz.ts'
import { DEPTH, MFP } from './plasmaWorld.ts'
import {
  APPLE,
  begun,
  emigrate,
  HOUR,
  lockedOf,
  type Market,
  market,
  OTHER,
  PEAR,
  PRICE,
  proposed,
  round,
  sidesOf,
  wealth,
} from './swapStage.ts'

const DAY = 24 * HOUR

/** What Ann and Ben own: her apples and pears, his apples and pears. */
function fortunes(on: Market): readonly bigint[] {
  const { ann, ben } = on
  return [ann, ben].flatMap((who) => [wealth(on, who.apples, APPLE), wealth(on, who.pears, PEAR)])
}

const SWAPPED = [40n, 7n, 60n, 3n]
const RETURNED = [100n, 0n, 0n, 10n]

async function refusal(run: () => Promise<unknown>): Promise<string> {
  try {
    await run()
    return 'accepted'
  } catch (why) {
    if (why instanceof Refusal) return why.code
    throw why
  }
}

describe('Swap of two assets', () => {
  for (const chains of [1, 2] as const) {
    const where = chains === 1 ? 'on one chain' : 'across two chains'

    it(`goes through ${where}, each step only over what was received`, async () => {
      const on = await market(chains)
      const { first, second } = await begun(on, proposed(on))
      expect([first.step, second.step]).to.deep.equal([{ stage: 'waiting', move: 'lock' }, { stage: 'waiting' }])
      await round(on, second)
      expect(second.step, 'nothing to lock for yet').to.deep.equal({ stage: 'waiting' })
      await round(on, first)
      expect([first.step, second.step]).to.deep.equal([{ stage: 'locked' }, { stage: 'waiting', move: 'lock' }])
      await round(on, first, second)
      expect([first.step, second.step]).to.deep.equal([{ stage: 'locked', move: 'reveal' }, { stage: 'locked' }])
      await round(on, first, second)
      expect([first.step, second.step]).to.deep.equal([{ stage: 'won' }, { stage: 'won' }])
      expect(fortunes(on)).to.deep.equal(SWAPPED)
      await on.ann.pears.pay(PEAR, [{ owner: on.ben.pears.owner, value: 7n }])
      await on.ben.apples.pay(APPLE, [{ owner: on.ann.apples.owner, value: 60n }])
      await round(on)
      expect(fortunes(on), 'spent as any other money').to.deep.equal(RETURNED)
      expect(on.world.failures).to.deep.equal([])
      on.world.stop()
    })

    it(`gives both their own back ${where} if the second never locks, or the first never reveals`, async () => {
      for (const locks of [false, true]) {
        const on = await market(chains)
        const { first, second } = await begun(on, proposed(on))
        await round(on, first)
        if (locks) await round(on, second)
        await on.world.pass(DAY)
        await round(on, first, second)
        expect(fortunes(on)).to.deep.equal(RETURNED)
        const stages = [first.step.stage, second.step.stage]
        expect(stages).to.deep.equal(['returned', locks ? 'returned' : 'missed'])
        on.world.stop()
      }
    })

    it(`is not cheated ${where} by a leg of another value, owner or expiry`, async () => {
      const wrong: readonly ((on: Market, swap: Swap) => Promise<unknown>)[] = [
        (on, { agreement: { hash, expiry } }) =>
          on.ben.pears.lock(PEAR, { owner: on.ann.pears.owner, value: 6n }, { hash, expiry }),
        (on, { agreement: { hash, expiry } }) =>
          on.ben.pears.lock(PEAR, { owner: on.ben.pears.owner, value: 7n }, { hash, expiry }),
        (on, { agreement: { hash, expiry } }) =>
          on.ben.pears.lock(PEAR, { owner: on.ann.pears.owner, value: 7n }, { hash, expiry: expiry - 1 }),
      ]
      for (const cheat of wrong) {
        const on = await market(chains)
        const swap = proposed(on)
        const { first } = await begun(on, swap)
        await round(on, first)
        await cheat(on, swap)
        await round(on, first)
        await round(on, first)
        expect(first.step).to.deep.equal({ stage: 'locked' })
        await on.world.pass(DAY)
        await round(on, first)
        expect(fortunes(on).slice(0, 2)).to.deep.equal(RETURNED.slice(0, 2))
        on.world.stop()
      }
    })

    it(`goes on ${where} after both have started again from what they kept`, async () => {
      const on = await market(chains)
      const swap = proposed(on)
      const { hash } = swap.agreement
      await begun(on, swap)
      const [ann, ben] = [sidesOf(on.ann, true), sidesOf(on.ben, false)]
      for (let i = 0; i < 4; i++) await round(on, new Swapping(ann, hash), new Swapping(ben, hash))
      expect(fortunes(on)).to.deep.equal(SWAPPED)
      on.world.stop()
    })
  }

  it('pays neither, and returns both, if the preimage comes a second late, and both if in the last one', async () => {
    for (const late of [0, 1]) {
      const on = await market(2)
      const swap = proposed(on)
      const { first, second } = await begun(on, swap)
      await round(on, first)
      await round(on, second)
      const shown = on.ann.pears.reveal([swap.preimage!])
      await on.world.rest()
      on.world.l1.mine(swap.agreement.expiry + late)
      await on.world.mine(DEPTH + 2)
      await shown
      await round(on, first, second)
      expect(fortunes(on)).to.deep.equal(late === 0 ? SWAPPED : RETURNED)
      on.world.stop()
    }
  })

  it('locks nothing for whom the preimage is out already: the second has the first leg for nothing', async () => {
    const on = await market(2)
    const swap = proposed(on)
    const { first, second } = await begun(on, swap)
    await round(on, first)
    const shown = on.ann.pears.reveal([swap.preimage!])
    await on.world.mine(DEPTH + 2)
    await shown
    await round(on, second)
    expect(second.step).to.deep.equal({ stage: 'won' })
    expect(fortunes(on)).to.deep.equal([40n, 0n, 60n, 10n])
    on.world.stop()
  })

  it('locks nothing when there is too little time left', async () => {
    const on = await market(2)
    const { first, second } = await begun(on, proposed(on, 3 * HOUR))
    await round(on, first)
    await on.world.pass(2 * HOUR)
    expect(second.step).to.deep.equal({ stage: 'missed' })
    expect(first.step).to.deep.equal({ stage: 'locked' })
    on.world.stop()
  })

  it('is begun only by the wallets that it names, with the preimage that it names', async () => {
    const on = await market(2)
    const swap = proposed(on)
    const begin = (which: Swap, who = sidesOf(on.ann, true)) => refusal(() => Swapping.begin(who, which))
    const { preimage, ...theirs } = swap
    expect(await begin({ ...swap, preimage: swap.agreement.hash })).to.equal('WrongLock')
    expect(await begin(theirs), 'the other side’s').to.equal('WrongChain')
    expect(await begin(swap, sidesOf(on.ben, true))).to.equal('WrongMember')
    expect(await begin(swap, { give: on.ann.pears, take: on.ann.apples })).to.equal('WrongChain')
    expect(preimage).to.match(/^0x/)
    expect(await begin(swap)).to.equal('accepted')
    const swapping = new Swapping(sidesOf(on.ann, true), swap.agreement.hash)
    await round(on, swapping, swapping)
    expect(await refusal(() => on.ann.apples.lockLeg(swap.agreement.hash)), 'once').to.equal('OutputInUse')
    on.world.stop()
  })

  it('keeps one agreement under a hash: the same again changes nothing, another is refused', async () => {
    const on = await market(1)
    const swap = proposed(on)
    await begun(on, swap)
    const { agreement } = swap
    const other = { ...agreement, second: { ...agreement.second, value: agreement.second.value - 1n } }
    const keep = (one: Swap) => refusal(() => Swapping.begin(sidesOf(on.ben, false), one))
    expect([await keep({ agreement }), await keep({ agreement: other })]).to.deep.equal(['accepted', 'KnownSwap'])
    on.world.stop()
  })

  it('shows nothing over a chain that turns bad, and brings what is locked there out by itself', async () => {
    for (const isShown of [false, true]) {
      const on = await market(2)
      const { world, ann, ben, operators } = on
      const swap = proposed(on, 60 * DAY)
      const { first, second } = await begun(on, swap)
      await round(on, first)
      await round(on, second)
      if (isShown) await round(on, first)
      // The operator of the pears commits what it shows to nobody.
      const { chain: pears } = swap.agreement.second
      const number = operators.pears.state.ledger.number
      operators.pears.stop()
      const l1 = world.connect(OTHER.operator)
      const { time } = world.l1.head()
      const withheld = l1.send({ verb: 'commit', chain: OTHER, number, header: pears, asOf: time })
      await world.mine(DEPTH + 2)
      await withheld
      for (let i = 0; i < 4; i++) {
        await world.pass(3 * HOUR)
        for (const who of [ann.pears, ben.pears]) who.tick()
        await world.rest()
        for (const one of [first, second]) void one.advance()
      }
      expect(ann.pears.state.follower.bad?.code).to.equal('WithheldBlock')
      await world.pass(2 * MFP)
      const paid = ann.pears.process(PEAR, world.l1.head().time)
      await world.mine(DEPTH + 2)
      await paid
      await world.pass(60 * DAY)
      for (const one of [ann.pears, ben.pears]) {
        const claimed = one.claimEscrow().catch(() => undefined)
        await world.mine(DEPTH + 2)
        await claimed
      }
      expect(fortunes(on)).to.deep.equal(isShown ? SWAPPED : RETURNED)
      expect(world.failures).to.deep.equal([])
      world.stop()
    }
  })

  const turn = fc.constantFrom('first', 'second', 'both', 'none', 'exit first leg', 'exit second leg', 'early', 'gone')

  it('never costs an honest side anything, whatever the other one and the operators do when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1 as const, 2 as const),
        fc.array(turn, { minLength: 3, maxLength: 7 }),
        fc.constantFrom('apples' as const, 'pears' as const),
        fc.boolean(),
        async (chains, turns, whose, annIsHonest) => {
          const on = await market(chains)
          const swap = proposed(on)
          const { agreement } = swap
          const { first, second } = await begun(on, swap)
          const gone = new Set<string>()
          for (const what of turns) {
            const acting = [first, second].filter((_, i) => what === 'both' || what === ['first', 'second'][i])
            if (what === 'gone') {
              on.operators[whose].stop()
              gone.add(whose)
            }
            const [wallet, leg] =
              what === 'exit first leg' ? [on.ann.apples, agreement.first] : [on.ben.pears, agreement.second]
            const id = what.startsWith('exit') ? lockedOf(wallet, agreement, leg) : undefined
            const left = id && wallet.leave(id).catch(() => undefined)
            // Who cheats may show the preimage whenever it likes.
            if (what === 'early' && !annIsHonest) void on.ann.pears.reveal([swap.preimage!]).catch(() => undefined)
            await round(on, ...acting)
            await left
          }
          await on.world.pass(DAY)
          await round(on)
          const people = annIsHonest ? on.ann : on.ben
          const exited = turns.some((what) => what.startsWith('exit'))
          for (const name of ['apples', 'pears'] as const) {
            const lost = gone.has(name) || (chains === 1 && gone.size > 0)
            if (lost || exited) await emigrate(on, people[name])
          }
          const [apples, pears] = [wealth(on, people.apples, APPLE), wealth(on, people.pears, PEAR)]
          const facts = JSON.stringify({ chains, turns, whose, annIsHonest, apples: `${apples}`, pears: `${pears}` })
          if (annIsHonest) {
            expect([`100/0`, `40/7`], facts).to.include(`${apples}/${pears}`)
          } else {
            // The first leg may fall to Ben for nothing, if Ann showed the preimage before he locked his.
            expect([`0/10`, `${PRICE.apples}/3`, `${PRICE.apples}/10`], facts).to.include(`${apples}/${pears}`)
          }
          expect(on.world.failures).to.deep.equal([])
          on.world.stop()
        },
      ),
      runs(25),
    )
  })
})
