import { expect } from 'chai'
import { TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import { network } from 'hardhat'
import { type Hex, toHex, ZERO } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import * as Block from '../../src/core/plasma/Block.ts'
import * as Chain from '../../src/core/plasma/Chain.ts'
import * as Exit from '../../src/core/plasma/Exit.ts'
import * as ExitQueue from '../../src/core/plasma/ExitQueue.ts'
import * as InFlightExit from '../../src/core/plasma/InFlightExit.ts'
import * as LockTerms from '../../src/core/plasma/LockTerms.ts'
import * as Transaction from '../../src/core/plasma/Transaction.ts'
import type { ExposedPlasma, RootChain } from '../../typechain-types/index.ts'
import { arbitrary, runs } from '../fuzz.ts'

const { address, word } = arbitrary
const amount = fc.bigInt(0n, 2n ** 256n - 1n)
const u8 = fc.nat(255)
const u40 = fc.maxSafeNat().map((n) => n % 2 ** 40)
const chain = fc.record({ parent: word, slot: u8, operator: address })
const output = fc.record({ owner: address, asset: address, value: amount, lock: word })
const transaction = fc.record({
  chain: word,
  inputs: fc.array(word, { maxLength: 5 }),
  outputs: fc.array(output, { maxLength: 5 }),
  lastBlock: u40,
  memo: word,
})
const deposit = fc.record({ chain: word, sender: address, salt: word, owner: address, asset: address, value: amount })
const exit = fc.record({
  chain: word,
  asset: address,
  owner: address,
  lock: word,
  ids: word,
  count: u8,
  value: amount,
  exitableAt: u40,
  bond: amount,
  starter: address,
})
const bytes = fc.uint8Array({ maxLength: 80 }).map(toHex)
const words = (count: number) => fc.array(word, { minLength: count, maxLength: count })
const level = fc.record({ txRoot: word, siblings: words(8), r: word, vs: word })
const inFlight = fc.record({
  tx: transaction,
  spent: fc.array(output, { maxLength: 4 }),
  start: u40,
  exitableAt: u40,
  bond: amount,
  starter: address,
  late: fc.boolean(),
})
const permit = fc.record({ starter: address, deadline: u40, signature: bytes })

const TYPES = {
  Transaction: [
    { name: 'chain', type: 'bytes32' },
    { name: 'inputs', type: 'bytes32[]' },
    { name: 'outputs', type: 'Output[]' },
    { name: 'lastBlock', type: 'uint40' },
    { name: 'memo', type: 'bytes32' },
  ],
  Output: [
    { name: 'owner', type: 'address' },
    { name: 'asset', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'lock', type: 'bytes32' },
  ],
}

describe('The nouns of Plasma, in both languages', () => {
  let twin: ExposedPlasma
  let court: RootChain
  let under: ReturnType<typeof domain>
  before(async () => {
    const { ethers } = await network.create()
    twin = await ethers.deployContract('ExposedPlasma')
    court = await ethers.deployContract('RootChain', [
      ZERO.slice(0, 42),
      1000,
      1,
      1,
      700_000,
      10n ** 9n,
      2n * 10n ** 11n,
    ])
    under = domain(31337n, (await twin.getAddress()).toLowerCase() as Hex)
  })

  it('name a chain alike, and what its operator signs', () =>
    agree(chain, async (value) => {
      expect(Chain.chainId(value)).to.equal(await twin.chainId(value))
      expect(Chain.registrationDigest(under, value)).to.equal(await twin.registrationDigest(value))
    }))

  it('hash a transaction alike, and as a wallet does by EIP-712', () =>
    agree(transaction, async (value) => {
      const hash = Transaction.txHash(under, value)
      expect(hash).to.equal(await twin.txHash(value))
      const ours = { name: 'kerros', version: '1', chainId: 31337n, verifyingContract: under.court }
      expect(hash).to.equal(TypedDataEncoder.hash(ours, TYPES, value as never))
    }))

  it('name outputs and deposits alike', () =>
    agree(fc.tuple(word, u8, deposit), async ([hash, index, value]) => {
      expect(Transaction.outputId(hash, index)).to.equal(await twin.outputId(hash, index))
      expect(Transaction.depositId(value)).to.equal(await twin.depositId(value))
    }))

  it('build headers alike, and prove every transaction of a block', () =>
    agree(fc.tuple(fc.uniqueArray(word, { minLength: 1, maxLength: 40 }), fc.nat(), word, u40, u40), async (made) => {
      const [hashes, pick, childrenRoot, time, asOf] = made
      const tree = Block.txTree(hashes)
      const root = Block.txRoot(hashes)
      const header = Block.header(root)
      expect(header).to.equal(await twin.header(root, ZERO))
      expect(Block.header(root, childrenRoot)).to.equal(await twin.header(root, childrenRoot))
      const index = pick % hashes.length
      expect(Block.leaf(hashes[index]!)).to.equal(await twin.leaf(hashes[index]!))
      const proof = Block.inclusion(tree, index, { number: 1, time, asOf })
      expect(Block.rootOf(hashes[index]!, proof)).to.equal(root)
      const spoiled = { ...proof, index: proof.index ^ 1 }
      for (const each of [proof, spoiled]) {
        expect(Block.rootOf(hashes[index]!, each)).to.equal(await twin.rootOf(hashes[index]!, each as never))
      }
      expect(Block.commitmentHash(header, time, asOf)).to.equal(await twin.commitmentHash(header, time, asOf))
    }))

  it('sign, hang in and open the header of a child alike', () =>
    agree(fc.tuple(word, u40, u40, word, u8, level), async ([id, number, asOf, head, slot, above]) => {
      expect(Block.headerDigest(under, id, number, asOf, head)).to.equal(
        await twin.headerDigest(id, number, asOf, head),
      )
      const { r, vs } = above
      expect(Block.slotLeaf({ header: head, r, vs })).to.equal(await twin.slotLeaf(head, r, vs))
      expect(Block.parentHeader(head, slot, above)).to.equal(await twin.parentHeader(head, slot, above as never))
    }))

  it('name locks alike', () =>
    agree(fc.record({ hash: word, expiry: u40, refund: address }), async (terms) => {
      expect(LockTerms.lockOf(terms)).to.equal(await twin.lockOf(terms))
    }))

  it('hash an in-flight exit alike, and its word in the queues', () =>
    agree(fc.tuple(inFlight, word), async ([value, hash]) => {
      expect(InFlightExit.inFlightHash(value)).to.equal(await twin.inFlightHash(value))
      const { start, exitableAt } = value
      expect(InFlightExit.inFlightEntry(hash, start, exitableAt)).to.equal(
        await twin.inFlightEntry(hash, start, exitableAt),
      )
    }))

  it('make the same word of an exit, in calldata and in memory, and leave the memory as it was', () =>
    agree(fc.tuple(exit, word, word, permit), async ([value, of, id, leave]) => {
      expect(Exit.entry(value)).to.equal(await twin.entry(value))
      const [made, same] = await twin.entryOf(value)
      expect(made).to.equal(Exit.entry(value))
      expect([same.chain, same.value, same.bond, same.ids]).to.deep.equal([
        value.chain,
        value.value,
        value.bond,
        value.ids,
      ])
      expect(Exit.exitableAtOf(made)).to.equal(value.exitableAt)
      expect(Exit.startExitDigest(under, of, [id], leave)).to.equal(await twin.startExitDigest(of, id, leave))
    }))

  it('ask the same bond at any base fee', () =>
    agree(fc.bigInt(0n, 4n * 10n ** 11n), async (fee) => {
      expect(Exit.bond(700_000n, 10n ** 9n, 2n * 10n ** 11n, fee)).to.equal(await court.bond(fee))
    }))

  it('keep the same queue: any starts, voids and passings, the numbers near and far', async () => {
    const { ethers, networkHelpers } = await network.create()
    const empty = await ethers.deployContract('ExposedPlasma')
    const clean = await networkHelpers.takeSnapshot()
    const near = fc.constantFrom(1, 2, 3, 4, 5, 255, 256, 1023, 1024, 1025, 262_143, 262_144, 1_000_000)
    const step = fc.record({
      verb: fc.constantFrom('push', 'push', 'clear', 'pop'),
      lane: fc.nat(1),
      far: near,
      pick: fc.nat(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        await clean.restore()
        await playQueue(empty, steps)
      }),
      runs(12),
    )
  })

  it('find the next number over any gap, and a bucket again that a void entry had emptied', async () => {
    const { ethers } = await network.create()
    const at = (lane: number) => ({ verb: 'push', lane: 1, far: lane, pick: lane })
    const pop = { verb: 'pop', lane: 0, far: 1, pick: 0 }
    const clear = { verb: 'clear', lane: 0, far: 1, pick: 0 }
    await playQueue(await ethers.deployContract('ExposedPlasma'), [
      ...[at(1), at(9_000_000), at(1_000_000), at(5_000), at(1_030), at(300), at(5)],
      ...[pop, pop, pop, pop, pop, pop, pop],
      ...[at(7), at(8), clear, pop, at(7), pop, pop, pop],
    ])
  })
})

interface QueueStep {
  readonly verb: string
  readonly lane: number
  readonly far: number
  readonly pick: number
}

/** As the court uses it: the list is sorted by itself, all of a bucket mature together, later numbers later. */
async function playQueue(twin: ExposedPlasma, steps: readonly QueueStep[]): Promise<void> {
  let queue = ExitQueue.EMPTY_QUEUE
  let clock = 0
  for (const { verb, lane: young, far, pick } of steps) {
    const lane = young ? far : 0
    if (verb === 'push') {
      if (!young) clock += far
      const word = (BigInt(young ? lane : clock) << 216n) | BigInt(pick + 1)
      const made = ExitQueue.push(queue, lane, word)
      expect(await twin.push.staticCall(lane, word)).to.equal(BigInt(made.index))
      await twin.push(lane, word)
      queue = made.queue
    } else if (verb === 'clear') {
      const places = [[0, queue.list] as const, ...queue.buckets].flatMap(([at, { head, words }]) =>
        words.map((_, index) => ({ at, index })).slice(head),
      )
      const place = places[pick % Math.max(1, places.length)]
      if (!place) continue
      await twin.clear(place.at, place.index)
      queue = ExitQueue.clear(queue, place.at, place.index)
    } else {
      const head = ExitQueue.peek(queue)
      if (!head) continue
      await twin.pop()
      queue = ExitQueue.pop(queue, head)
    }
    const head = ExitQueue.peek(queue)
    const [none, word, at, index] = await twin.peek()
    expect(none).to.equal(head === undefined)
    if (head) expect([word, Number(at), Number(index)]).to.deep.equal([head.word, head.lane, head.index])
  }
}

async function agree<T>(values: fc.Arbitrary<T>, check: (value: T) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(values, check), runs(40))
}

describe('Plasma in TypeScript alone', () => {
  it('gives an exit its lane and its second: the later of two rules', () => {
    fc.assert(
      fc.property(
        u40,
        fc.integer({ min: 1, max: 10 ** 7 }),
        u40,
        fc.integer({ min: 1, max: 1000 }),
        (now, mfp, at, number) => {
          const due = Exit.exitableAt(now, mfp, at)
          const lane = Exit.laneOf(now, mfp, number, at)
          expect(due >= now + mfp && due >= at + 2 * mfp).to.equal(true)
          expect(due).to.equal(lane === 0 ? now + mfp : at + 2 * mfp)
        },
      ),
      runs(200),
    )
  })
})
