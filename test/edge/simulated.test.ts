import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import type { Chain } from '../../src/edge/chain/Chain.ts'
import { GAS_POLICY } from '../../src/edge/chain/Fees.ts'
import { type SimulatedL1, simulatedL1 } from '../../src/edge/chain/SimulatedL1.ts'
import { runs } from '../fuzz.ts'
import { behavesAsChain, followed, refusalIn, type Stage } from './chain.ts'
import { faultIn } from './plain.ts'
import { callValue, type TillCall, type TillEvent, till } from './till.ts'

const COURT = uint(0xc0, 20)
const who = (index: number): Hex => uint(0xa0 + index, 20)

function world(automine = false) {
  const l1 = simulatedL1({ automine })
  for (let i = 0; i < 3; i++) l1.money.mint(ETHER, who(i), 10n ** 18n)
  const court = l1.deploy(COURT, till, { address: COURT, balances: new Map() }, callValue)
  return { l1, court }
}

async function stage(): Promise<Stage> {
  const { l1, court } = world()
  return {
    client: async (index) => court.connect(who(index)),
    mined: (chain, call) => sent(l1, chain, call),
    mine: async () => l1.mine(),
    reorg: async (depth, keep) => l1.reorg(depth, { remine: (lost) => lost.filter((_, i) => keep.includes(i)) }),
    balance: async (owner) => l1.money.balance(ETHER, owner),
    head: async () => l1.head().number,
  }
}

function sent(l1: SimulatedL1, chain: Chain<TillCall, TillEvent>, call: TillCall) {
  const receipt = chain.send(call)
  l1.mine()
  return receipt
}

const pay = (owner: Hex, amount: bigint): TillCall => ({ verb: 'pay', owner, notes: [], amount })
const draw = (amount: bigint, notBefore = 0): TillCall => ({ verb: 'draw', amount, notBefore })

describe('edge/chain simulated', () => {
  behavesAsChain(stage)

  it('shows any client the newest chain and nobody a wei more or less, whatever happens', async () => {
    const act = fc.oneof(
      fc.record({ kind: fc.constant('pay' as const), by: fc.nat(2), amount: fc.bigInt(0n, 9n) }),
      fc.record({ kind: fc.constant('draw' as const), by: fc.nat(2), amount: fc.bigInt(0n, 9n) }),
      fc.record({ kind: fc.constant('mine' as const), pick: fc.nat(7) }),
      fc.record({ kind: fc.constant('reorg' as const), depth: fc.nat(4), keep: fc.nat(7) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
        const { l1, court } = world()
        const eager = followed(court.connect(who(0)), 0)
        const lazy: (() => void)[] = []
        const lagging = followed(
          court.connect(who(1), (run) => lazy.push(run)),
          0,
        )
        for (const one of acts) {
          if (one.kind === 'mine')
            l1.mine(
              undefined,
              l1.pending().filter((_, i) => (one.pick >> i) & 1),
            )
          else if (one.kind === 'reorg') {
            const depth = Math.min(one.depth, l1.head().number)
            l1.reorg(depth, { remine: (lost) => lost.filter((_, i) => (one.keep >> i) & 1).reverse() })
          } else {
            const call = one.kind === 'pay' ? pay(who(1), one.amount) : draw(one.amount)
            court
              .connect(who(one.by))
              .send(call)
              .catch(() => undefined)
          }
          lazy.shift()?.()
        }
        for (const run of lazy) run()
        await Promise.resolve()
        const fresh = followed(court.connect(who(2)), 0)
        await Promise.resolve()
        expect(eager.blocks).to.deep.equal(fresh.blocks)
        expect(lagging.blocks).to.deep.equal(fresh.blocks)
        expect(l1.money.total(ETHER)).to.equal(3n * 10n ** 18n)
        const owed = [...court.state().balances.values()].reduce((sum, amount) => sum + amount, 0n)
        expect(l1.money.balance(ETHER, COURT)).to.equal(owed)
        const told = fresh.blocks.flatMap(({ events }) => events)
        const net = told.reduce((sum, event) => sum + (event.name === 'Paid' ? event.amount : -event.amount), 0n)
        expect(net).to.equal(owed)
      }),
      runs(200),
    )
  })

  it('rejects a call that was right when it was sent and is wrong when it is mined', async () => {
    const { l1, court } = world()
    await sent(l1, court.connect(who(0)), pay(who(1), 5n))
    const bob = court.connect(who(1))
    const [first, second] = [bob.send(draw(5n)), bob.send(draw(5n))]
    l1.mine(undefined, [...l1.pending()].reverse())
    await second
    expect((await refusalIn(first)).args).to.deep.equal([who(1), 0n, 5n])
  })

  it('judges a call by the time of the block that mines it', async () => {
    const { l1, court } = world()
    await sent(l1, court.connect(who(0)), pay(who(1), 5n))
    const noon = l1.head().time + 1000
    const bob = court.connect(who(1))
    expect((await refusalIn(bob.send(draw(5n, noon)))).code).to.equal('Early')
    l1.mine(noon - 1)
    expect((await sent(l1, bob, draw(5n, noon))).block).to.equal(3)
  })

  it('lets a call wait while the base fee is above what it may offer: what can wait longer than what is urgent', async () => {
    const GWEI = 10n ** 9n
    let base = GWEI
    const l1 = simulatedL1({ gas: GAS_POLICY, baseFee: () => base })
    l1.money.mint(ETHER, who(0), 10n)
    const court = l1.deploy(COURT, till, { address: COURT, balances: new Map() }, callValue)
    const alice = court.connect(who(0))
    base = 900n * GWEI
    const calm = alice.send(pay(who(1), 1n))
    const urgent = alice.send(pay(who(1), 2n), l1.head().time + 600)
    l1.mine()
    l1.mine()
    expect((await urgent).block).to.equal(1)
    expect(l1.pending().map(({ call }) => call)).to.deep.equal([pay(who(1), 1n)])
    base = GWEI
    l1.mine()
    l1.mine()
    expect((await calm).block).to.be.at.least(3)
  })

  it('mines at once where it was told to', async () => {
    const { court } = world(true)
    expect((await court.connect(who(0)).send(pay(who(1), 5n))).block).to.equal(1)
  })

  it('tells the sender of a dropped call and of one that it cannot pay', async () => {
    const { l1, court } = world()
    const dropped = court.connect(who(0)).send(pay(who(1), 5n))
    l1.drop(l1.pending()[0]!)
    expect((await faultIn(dropped)).code).to.equal('Dropped')
    const poor = await faultIn(court.connect(who(0)).send(pay(who(1), 10n ** 18n + 1n)))
    expect(poor.code).to.equal('InsufficientFunds')
    expect(l1.pending()).to.deep.equal([])
  })

  it('runs several courts on one chain, each with its own events', async () => {
    const { l1, court } = world()
    const other = l1.deploy(who(9), till, { address: who(9), balances: new Map() }, callValue)
    await sent(l1, court.connect(who(0)), pay(who(1), 5n))
    await sent(l1, other.connect(who(0)), pay(who(1), 6n))
    const [mine, theirs] = [followed(court.connect(who(0)), 0), followed(other.connect(who(0)), 0)]
    await Promise.resolve()
    expect(mine.blocks.map(({ events }) => events.length)).to.deep.equal([0, 1, 0])
    expect(theirs.blocks.map(({ events }) => events.length)).to.deep.equal([0, 0, 1])
  })

  it('is loud about a model that takes other wei than were sent', async () => {
    const l1 = simulatedL1()
    l1.money.mint(ETHER, who(0), 10n)
    const court = l1.deploy(COURT, till, { address: COURT, balances: new Map() }, () => 1n)
    const why = await court
      .connect(who(0))
      .send(pay(who(1), 2n))
      .catch((thrown: Error) => thrown)
    expect(String(why)).to.match(/took 2 wei of 1/)
  })
})
