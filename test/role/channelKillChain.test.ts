import { expect } from 'chai'
import { depth, seed } from '../fuzz.ts'
import { type Dice, dice } from '../world.ts'
import { CALLS, PLACES, type Place, paymentOf } from './channel.child.ts'
import { doThrough, Member, OWNERS, type Pair, type Stage, stage, type Victim } from './channelStage.ts'

const FUNDS = 10n ** 15n
/** How often the story is told, each time with other dice. */
const STORIES = Math.min(2 * depth, 10)
/** What a process comes by that opens a channel, before it can be told anything. */
const OPENING = PLACES.slice(0, 3)
/** What a process comes by that deposits and hears of the other's deposit, again and again if need be. */
const FUNDING: readonly Place[] = [...CALLS, ...CALLS, ...PLACES.slice(0, 6)]
/** What a process comes by that alone goes to court. */
const COURT: readonly Place[] = [...CALLS, ...OPENING]

function victim(from: Dice, places: readonly Place[], most: number): Victim {
  return { who: from.roll(2) as 0 | 1, at: places[from.roll(places.length)]!, count: 1 + from.roll(most) }
}

describe('Channel nodes in processes that are killed on their way to layer 1', () => {
  let on: Stage
  let pair: Pair
  beforeEach(async () => {
    on = await stage()
    pair = [new Member(on, 0), new Member(on, 1)]
  })
  afterEach(() => on.end())

  /** Both start; one of them may die of it, and then starts again. */
  async function start({ who, at, count }: Victim): Promise<boolean> {
    const [one, other] = [pair[who], pair[1 - who]!]
    await other.start()
    const isThere = await one.start({ die: { at, count } }).then(
      () => true,
      () => false,
    )
    await one.kill()
    await one.start()
    expect(one.lines, 'what was said is stored').to.not.include('restored')
    return !isThere
  }

  for (let story = 0; story < STORIES; story++) {
    it(`open, deposit, pay, challenge and settle to the wei, though one dies at each step (dice ${seed + story})`, async () => {
      const from = dice(seed + story)
      const [first, second, third] = [victim(from, OPENING, 1), victim(from, FUNDING, 2), victim(from, COURT, 1)]
      const died = [await start(first)]
      const more = (round: number) => {
        const amount = FUNDS + BigInt(round)
        pair[1 - second.who]!.tell({ do: 'open', amount })
        return [{ do: 'open', amount }, `opened ${amount}`] as const
      }
      died.push(await doThrough(pair, second, { do: 'open', amount: FUNDS }, 'opened', { more }))
      for (const who of [0, 1] as const) pair[who].tell({ do: 'pay', numbers: [who, 2 + who], window: 2 })
      await Promise.all(([0, 1] as const).map((who) => pair[who].paid([who, 2 + who])))
      const [x, y] = [0, 1].map((who) => paymentOf(who).amount + paymentOf(2 + who).amount) as [bigint, bigint]
      for (const one of pair) one.tell({ do: 'agree', net: x - y })
      await Promise.all(pair.map((one) => one.hears('agreed')))
      await on.hurry()
      died.push(await doThrough(pair, third, { do: 'challenge' }, 'closed', { alone: true }))
      const deposits = await on.deposits()
      expect(await Promise.all(OWNERS.map(on.balance))).to.deep.equal([deposits[0] - x + y, deposits[1] + x - y])
      expect(deposits.every((one) => one >= FUNDS)).to.equal(true)
      const places = [first, second, third].map(({ at }) => at).join(', ')
      expect(died, `died on the way at ${places}`).to.deep.equal([true, true, true])
    })
  }
})
