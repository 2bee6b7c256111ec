import { expect } from 'chai'
import type { Hex } from '../../src/core/base/Bytes.ts'
import type { L1Block, L1Input, Refusal } from '../../src/core/base/Step.ts'
import type { Chain } from '../../src/edge/chain/Chain.ts'
import type { TillCall, TillEvent } from './till.ts'

/** A layer 1 with a Till on it, as the behaviours below drive it. */
export interface Stage {
  /** The till as client number `index` sees it. */
  client(index: number): Promise<Chain<TillCall, TillEvent>>
  /** Sends a call and sees to it that it is mined. */
  mined(chain: Chain<TillCall, TillEvent>, call: TillCall): Promise<{ hash: Hex; block: number; gasUsed: bigint }>
  /** Mines an empty block. */
  mine(): Promise<void>
  /** Takes back `depth` blocks and mines depth + 1 others with the lost calls that `keep` names by their index. */
  reorg(depth: number, keep: readonly number[]): Promise<void>
  balance(owner: Hex): Promise<bigint>
  head(): Promise<number>
}

export interface Followed {
  readonly inputs: L1Input<TillEvent>[]
  /** The blocks that were yielded and not taken back. */
  readonly blocks: L1Block<TillEvent>[]
  stop(): void
  /** Resolves once the newest yielded block has this number. */
  reach(number: number): Promise<void>
}

/** Follows a chain and checks with every input that blocks link up and that retractions are newest first. */
export function followed(chain: Chain<TillCall, TillEvent>, from: number): Followed {
  const inputs: L1Input<TillEvent>[] = []
  const blocks: L1Block<TillEvent>[] = []
  const waiting = new Set<() => void>()
  const stop = chain.follow(from, (input) => {
    inputs.push(input)
    const last = blocks.at(-1)
    if (input.kind === 'retract') expect(blocks.pop()).to.deep.equal(input.block)
    else {
      expect(input.block.number).to.equal(last ? last.number + 1 : Math.max(from, input.block.number))
      if (last) expect(input.block.parent).to.equal(last.hash)
      blocks.push(input.block)
    }
    for (const look of waiting) look()
  })
  const reach = (number: number) =>
    new Promise<void>((done) => {
      const look = () => {
        if (blocks.at(-1)?.number !== number) return
        waiting.delete(look)
        done()
      }
      waiting.add(look)
      look()
    })
  return { inputs, blocks, stop, reach }
}

const NOTES = [
  { number: 2 ** 40 - 1, delta: -(2n ** 127n), memo: '0xc0ffee', tags: [`0x${'ab'.repeat(32)}`] },
  { number: 0, delta: 5n, memo: '0x', tags: [] },
] as const

/** The refusal that a promise rejects with. */
export async function refusalIn(promise: Promise<unknown>): Promise<Refusal> {
  return promise.then(
    () => {
      throw new Error('no refusal')
    },
    (why) => {
      if (why?.name !== 'Refusal') throw why
      return why
    },
  )
}

/** What a client may rely on, whatever the layer 1. */
export function behavesAsChain(open: () => Promise<Stage>): void {
  let stage: Stage
  let alice: Chain<TillCall, TillEvent>
  let bob: Chain<TillCall, TillEvent>
  const pay = (amount: bigint): TillCall => ({ verb: 'pay', owner: bob.sender, notes: NOTES, amount })

  beforeEach(async () => {
    stage = await open()
    alice = await stage.client(0)
    bob = await stage.client(1)
  })

  const events = (of: Followed) => of.blocks.flatMap((block) => block.events)

  it('yields every block once and in order, with events decoded to their last field', async () => {
    const first = await stage.head()
    const early = followed(alice, first)
    const receipt = await stage.mined(alice, pay(7n))
    await stage.mine()
    await stage.mined(bob, { verb: 'draw', amount: 3n, notBefore: 0 })
    await stage.mined(bob, { verb: 'draw', amount: 4n, notBefore: 0 })
    const last = await stage.head()
    await early.reach(last)
    expect(early.blocks.map(({ number }) => number)).to.deep.equal(
      [...Array(last - first + 1)].map((_, i) => first + i),
    )
    const paid = { name: 'Paid', owner: bob.sender, amount: 7n, notes: NOTES }
    expect(early.blocks.find(({ number }) => number === receipt.block)?.events).to.deep.equal([paid])
    expect(events(early).slice(1)).to.deep.equal([
      { name: 'Drawn', owner: bob.sender, amount: 3n, all: false },
      { name: 'Drawn', owner: bob.sender, amount: 4n, all: true },
    ])
    const late = followed(bob, first)
    await late.reach(last)
    expect(late.blocks).to.deep.equal(early.blocks)
    for (const one of [early, late]) one.stop()
  })

  it('starts at the block it was asked for and ends when it was told to', async () => {
    await stage.mine()
    await stage.mine()
    const from = await stage.head()
    const some = followed(alice, from)
    const other = followed(alice, from + 2)
    await some.reach(from)
    some.stop()
    await stage.mine()
    await stage.mine()
    await other.reach(from + 2)
    other.stop()
    expect(some.blocks.map(({ number }) => number)).to.deep.equal([from])
    expect(other.blocks.map(({ number }) => number)).to.deep.equal([from + 2])
  })

  it('refuses with the name and arguments of the custom error, before anything is sent', async () => {
    const head = await stage.head()
    const had = await stage.balance(bob.sender)
    const short = await refusalIn(bob.send({ verb: 'draw', amount: 5n, notBefore: 0 }))
    expect([short.code, ...short.args]).to.deep.equal(['Short', bob.sender, 0n, 5n])
    const early = await refusalIn(bob.send({ verb: 'draw', amount: 0n, notBefore: 2 ** 39 }))
    expect([early.code, early.args[1]]).to.deep.equal(['Early', 2 ** 39])
    expect(early.args[0]).to.be.a('number')
    expect(await stage.head()).to.equal(head)
    expect(await stage.balance(bob.sender)).to.equal(had)
  })

  it('moves the money that a call carries', async () => {
    const had = await stage.balance(alice.court)
    await stage.mined(alice, pay(1000n))
    expect((await stage.balance(alice.court)) - had).to.equal(1000n)
    await stage.mined(bob, { verb: 'draw', amount: 400n, notBefore: 0 })
    expect((await stage.balance(alice.court)) - had).to.equal(600n)
  })

  it('takes back what a reorg removed, newest first, and yields what came instead', async () => {
    await stage.mine()
    const from = await stage.head()
    const seen = followed(alice, from)
    await stage.mined(alice, pay(1n))
    await stage.mined(alice, pay(2n))
    await stage.mined(alice, pay(3n))
    await seen.reach(from + 3)
    const lost = seen.blocks.slice(1).reverse()
    await stage.reorg(3, [0, 2])
    await seen.reach(from + 4)
    seen.stop()
    const taken = seen.inputs.filter(({ kind }) => kind === 'retract').map(({ block }) => block)
    expect(taken).to.deep.equal(lost)
    expect(events(seen).map((event) => event.amount)).to.deep.equal([1n, 3n])
    const fresh = followed(bob, from)
    await fresh.reach(from + 4)
    fresh.stop()
    expect(fresh.blocks).to.deep.equal(seen.blocks)
  })

  it('survives one reorg after another, each of another depth', async () => {
    const from = await stage.head()
    const seen = followed(alice, from)
    for (let i = 0; i < 4; i++) await stage.mined(alice, pay(BigInt(i)))
    await seen.reach(from + 4)
    for (const [round, depth] of [1, 3, 2].entries()) {
      await stage.reorg(depth, [])
      await seen.reach(from + 5 + round)
    }
    seen.stop()
    expect(events(seen).map((event) => event.amount)).to.deep.equal([0n, 1n])
    expect(seen.inputs.filter(({ kind }) => kind === 'retract')).to.have.length(6)
  })
}
