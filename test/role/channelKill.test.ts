import { join } from 'node:path'
import { expect } from 'chai'
import { domain } from '../../src/core/base/Signature.ts'
import { emptyState } from '../../src/core/channel/Channel.ts'
import { seat } from '../../src/core/channel/PeerState.ts'
import { isProven, receipt } from '../../src/core/channel/Receipt.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'
import { type Payment, Payments } from '../../src/role/Payments.ts'
import { depth, seed } from '../fuzz.ts'
import { type Dice, dice } from '../world.ts'
import { IDENTITY, PLACES, type Place, paymentOf } from './channel.child.ts'
import { CHANNEL, doThrough, Member, OWNERS, type Pair, type Stage, stage, type Victim } from './channelStage.ts'

const FUNDS = 10n ** 15n
const [KILLS, PAYMENTS] = [50, 20_000]
/** How often the story is told, each time with other dice. */
const STORIES = Math.min(depth, 5)

type Numbers = readonly [readonly number[], readonly number[]]

/** Payments both ways and who dies meanwhile. */
interface Portion {
  readonly numbers: Numbers
  readonly window: number
  readonly victims: readonly Victim[]
}

/** The numbers of `count` payments of each side from a place on: the first side's are even. */
function numbersFrom(first: number, count: number): Numbers {
  const of = (who: number) => Array.from({ length: count }, (_, i) => 2 * (first + i) + who)
  return [of(0), of(1)]
}

/** What the first side owes the second after these payments. */
function netOf([mine, theirs]: Numbers): bigint {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + paymentOf(one).amount, 0n)
  return sum(mine) - sum(theirs)
}

/** Portions of payments with so many deaths in all: each place in turn, on a side and at a count that the dice decide. */
function planOf(from: Dice, kills: number, payments: number): readonly Portion[] {
  const victims: Omit<Victim, 'count'>[][] = []
  for (let left = kills; left > 0; left -= victims.at(-1)!.length) {
    const at = () => PLACES[from.roll(PLACES.length)]!
    const who = from.roll(2) as 0 | 1
    const other = { who: (1 - who) as 0 | 1, at: at() }
    victims.push([{ who, at: PLACES[left % PLACES.length]! }, ...(left > 1 && from.chance(5) ? [other] : [])])
  }
  const size = Math.ceil(payments / 2 / victims.length)
  return victims.map((some, i) => {
    const window = [2, 8, 32, size][from.roll(4)]!
    const most = (at: Place) => (at === 'paid' || at === 'told' ? size : Math.ceil((3 * size) / (2 * window)))
    const counted = some.map((one) => ({ ...one, count: 1 + from.roll(most(one.at)) }))
    const first = i * size
    return { numbers: numbersFrom(first, Math.min(size, payments / 2 - first)), window, victims: counted }
  })
}

/** Pays a portion through all deaths in it; who has not died by its end dies then. Returns how many died as was planned. */
async function payThrough(pair: Pair, { numbers, window, victims }: Portion): Promise<number> {
  const alive = new Set(victims.map(({ who }) => who))
  const order = (who: 0 | 1) => pair[who].tell({ do: 'pay', numbers: numbers[who], window })
  const deaths = victims.map(async ({ who, at, count }) => {
    pair[who].tell({ do: 'die', at, count })
    expect(await pair[who].gone).to.equal('SIGKILL')
    alive.delete(who)
    await pair[who].start()
    expect(pair[who].lines, 'what was said is stored').to.not.include('restored')
    order(who) // all of them: what was acknowledged before must be answered as before
  })
  order(0)
  order(1)
  const paid = Promise.all([pair[0].paid(numbers[0]), pair[1].paid(numbers[1])]).then(async () => {
    const late = [...alive]
    await Promise.all(late.map((who) => pair[who].kill()))
    return victims.length - late.length
  })
  const [inTime] = await Promise.all([paid, ...deaths])
  return inTime
}

/** Both sides say that they hold the same newest state, with this net and nothing open. */
async function agree(pair: Pair, net: bigint): Promise<void> {
  for (const one of pair) one.tell({ do: 'agree', net })
  const [mine, theirs] = await Promise.all(pair.map((one) => one.hears('agreed')))
  expect(mine).to.equal(theirs)
}

/** Each payment is in both histories, once, at the place that its payer was told; some are proven by their receipts. */
function audit(on: Stage, pair: Pair, numbers: Numbers): void {
  const histories = ([0, 1] as const).map((who) => historyOf(on, pair[who], who, numbers[who]))
  expect(histories[0]).to.deep.equal(histories[1])
  const found = new Map(histories[0]!.map((one) => [`${one.payer} ${one.pay.paymentId}`, one]))
  expect([found.size, histories[0]!.length]).to.deep.equal(Array(2).fill(numbers[0].length + numbers[1].length))
  for (const who of [0, 1] as const) {
    for (const number of numbers[who]) {
      const { pay, version, index } = found.get(`${'ab'[who]} ${paymentOf(number).paymentId}`)!
      expect(pay).to.deep.equal({ kind: 'pay', ...paymentOf(number) })
      expect(`${version}/${index}`).to.equal(pair[who].acknowledged.get(number))
    }
  }
}

function historyOf(on: Stage, { folder }: Member, who: 0 | 1, numbers: readonly number[]) {
  const court = domain(31337n, on.court)
  const { key, address } = localAccount(who)
  const at = seat({ court, channel: CHANNEL, key, sender: address, confirmations: 1, patience: 1, since: 0 })
  const store = openStore(join(folder, 'node.db'), IDENTITY)
  const payments = new Payments(store, { verdict: async () => undefined })
  for (const number of numbers.filter((_, i) => i % 500 === 0)) {
    const { version, index } = payments.outcome(at, paymentOf(number).paymentId) as Payment
    const kept = payments.history(at.id, version)
    const state = { ...emptyState(at.id), version, net: kept.net }
    expect(isProven(court, receipt(CHANNEL, state, kept, index)), `receipt of ${number}`).to.equal(true)
  }
  const made = payments.after(at, { version: 0n, index: 0 }, Number.MAX_SAFE_INTEGER)
  store.close()
  return made.map(({ version, index, payer, pay }) => ({ version, index, payer, pay }))
}

describe('Channel nodes in processes that are killed', () => {
  let on: Stage
  let pair: Pair
  beforeEach(async () => {
    on = await stage()
    pair = [new Member(on, 0), new Member(on, 1)]
  })
  afterEach(() => on.end())

  async function open(): Promise<void> {
    await Promise.all(pair.map((one) => one.start()))
    for (const one of pair) one.tell({ do: 'open', amount: FUNDS })
    await Promise.all(pair.map((one) => one.hears('opened')))
  }

  /** Pays so many from a place on, both ways. */
  async function pay(first: number, count: number, window = 16): Promise<void> {
    const numbers = numbersFrom(first, count)
    for (const who of [0, 1] as const) pair[who].tell({ do: 'pay', numbers: numbers[who], window })
    await Promise.all([pair[0].paid(numbers[0]), pair[1].paid(numbers[1])])
  }

  /** Both see that the channel is closed, and the owners have exactly what this net gives them. */
  async function seePaid(net: bigint): Promise<void> {
    await Promise.all(pair.map((one) => one.hears('closed')))
    expect(await Promise.all(OWNERS.map(on.balance))).to.deep.equal([FUNDS - net, FUNDS + net])
    await Promise.all(pair.map((one) => one.kill()))
    expect(pair.flatMap(({ contradictions }) => contradictions)).to.deep.equal([])
  }

  /** One side, alone, goes to court with its newest state. */
  async function settle(alone: 0 | 1, net: bigint): Promise<void> {
    await on.hurry()
    await Promise.all(pair.map((one) => one.kill()))
    await pair[alone].start()
    pair[alone].tell({ do: 'challenge' })
    await pair[alone].hears('closed')
    await pair[1 - alone]!.start()
    await seePaid(net)
  }

  for (let story = 0; story < STORIES; story++) {
    const title = `lose no payment and count none twice in ${PAYMENTS} both ways and ${KILLS} deaths`
    it(`${title}, and the court pays exactly that (dice ${seed + story})`, async () => {
      const from = dice(seed + story)
      await open()
      let inTime = 0
      for (const portion of planOf(from, KILLS, PAYMENTS)) inTime += await payThrough(pair, portion)
      const all = numbersFrom(0, PAYMENTS / 2)
      await agree(pair, netOf(all))
      await settle(from.roll(2) as 0 | 1, netOf(all))
      audit(on, pair, all)
      const again = pair[0].again + pair[1].again
      console.log(`      ${inTime} of ${KILLS} deaths where they were planned; ${again} payments acknowledged again`)
    })
  }

  it('take money out exactly once and close by agreement, though either dies at every place on the way', async () => {
    const from = dice(seed)
    await open()
    await pay(0, 20)
    let total = 0n
    let early = 0
    for (const at of PLACES.slice(0, 6)) {
      for (const who of [0, 1] as const) {
        total += 1000n
        const victim = { who, at, count: 1 + from.roll(4) }
        if (await doThrough(pair, victim, { do: 'withdraw', total }, `withdrew ${total}`)) early++
      }
    }
    expect(await Promise.all(OWNERS.map(on.balance))).to.deep.equal([total, total])
    await doThrough(pair, { who: 1, at: 'stored', count: 1 }, { do: 'close' }, 'closed')
    await seePaid(netOf(numbersFrom(0, 20)))
    console.log(`      ${early} of 12 deaths on the way`)
  })

  for (const who of [0, 1] as const) {
    const side = who === 0 ? 'the side that asks' : 'the writer'
    it(`stop without a word when the disk is full, and go on with all that was acknowledged when it is not (${side})`, async () => {
      const all = numbersFrom(0, 1500)
      await pair[1 - who]!.start()
      await pair[who].start({ blocks: 1024 })
      for (const one of pair) one.tell({ do: 'open', amount: FUNDS })
      await Promise.all(pair.map((one) => one.hears('opened')))
      for (const i of [0, 1] as const) pair[i].tell({ do: 'pay', numbers: all[i], window: 8 })
      const fault = await pair[who].hears('fault')
      expect(fault).to.match(/node\.db could not be read or written \(.*\); see to the disk and its permissions/)
      expect(await pair[who].gone).to.equal('code 3')
      expect(pair[who].acknowledged.size).to.be.within(1, 1499)
      await pair[who].start()
      pair[who].tell({ do: 'pay', numbers: all[who], window: 64 })
      await Promise.all([pair[0].paid(all[0]), pair[1].paid(all[1])])
      await agree(pair, netOf(all))
      await settle(who, netOf(all))
      audit(on, pair, all)
    })

    it(`notice an older backup that was put back while the other went on, and end with nothing lost (${side})`, async () => {
      await open()
      await pay(0, 50)
      await pair[who].kill()
      pair[who].copyStore('out')
      await pair[who].start()
      await pay(50, 50)
      await agree(pair, netOf(numbersFrom(0, 100)))
      await pair[who].kill()
      pair[who].copyStore('back')
      await pair[who].start()
      expect(pair[who].lines).to.include('restored')
      await seePaid(netOf(numbersFrom(0, 100)))
    })

    it(`notice that the disk has lost a commit that it had confirmed, and end with nothing lost (${side})`, async () => {
      await open()
      await pay(0, 50, 1)
      await agree(pair, netOf(numbersFrom(0, 50)))
      await pair[who].kill()
      pair[who].tearLastWrite()
      await pair[who].start()
      expect(pair[who].lines).to.include('restored')
      await seePaid(netOf(numbersFrom(0, 50)))
    })
  }

  it('pay, withdraw and close to the wei though one clock is a day ahead and the other a day behind', async () => {
    const day = 86_400_000
    await Promise.all([pair[0].start({ skew: day }), pair[1].start({ skew: -day })])
    for (const one of pair) one.tell({ do: 'open', amount: FUNDS })
    await Promise.all(pair.map((one) => one.hears('opened')))
    await pay(0, 100)
    for (const one of pair) one.tell({ do: 'withdraw', total: 1000n })
    for (const one of pair) expect(await one.hears('withdrew')).to.equal('withdrew 1000')
    await pay(100, 100)
    await agree(pair, netOf(numbersFrom(0, 200)))
    pair[0].tell({ do: 'close' })
    await seePaid(netOf(numbersFrom(0, 200)))
  })
})
