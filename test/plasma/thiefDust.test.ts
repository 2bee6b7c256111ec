import { expect } from 'chai'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { addressOf, domain } from '../../src/core/base/Signature.ts'
import { guardSelf } from '../../src/core/plasma/Exodus.ts'
import type { Proof } from '../../src/core/plasma/Held.ts'
import { hold, idle, type Next, restoreWallet } from '../../src/core/plasma/Purse.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'

const KEY = uint(7, 32)
const OWNER = addressOf(KEY)
const CHAIN = { parent: ZERO, slot: 0, operator: uint(0x0b, 20) }
const PARAMS = {
  court: domain(31337n, uint(0xc0de, 20)),
  path: [CHAIN],
  depth: 2,
  patience: 60,
  alarm: 60,
  key: KEY,
  life: 10,
}

/** An output of block `number`, under an id of its payer's choice: who makes a transaction can try memos. */
function received(step: Next, number: number, id: Hex, asset: Hex, value: bigint): Next {
  const output = { owner: OWNER, asset, value, lock: ZERO }
  const place = { number, time: number, asOf: number, index: 0, siblings: Array<Hex>(16).fill(ZERO) }
  const transaction = { chain: ZERO, inputs: [], outputs: [output], lastBlock: number, memo: ZERO }
  const inclusion = { ...place, childrenRoot: ZERO, levels: [] }
  const proof: Proof = { kind: 'output', transaction, position: 0, inclusion }
  return hold(step, { id, output, use: 'free', proof })
}

/** What a wallet lets leave of a chain that has gone bad, in its order. */
function leaving(step: Next): readonly Hex[] {
  const follower = { ...step.state.follower, bad: { code: 'InvalidBlock' as const, number: 5000, why: 'a test' } }
  const { outputs } = guardSelf(PARAMS, idle({ ...step.state, follower }))
  return outputs.flatMap((output) => (output.kind === 'call' ? output.ids : []))
}

describe('Wallet: a thief who strews dust', () => {
  it('hides nothing of value among crumbs of a thousand blocks, however their ids begin', () => {
    let step = idle(restoreWallet(PARAMS, memoryStore(), 0))
    for (let i = 1; i <= 1000; i++) step = received(step, i, uint(i, 32), ETHER, 1n)
    const dear = [uint(2n ** 255n + 1n, 32), uint(2n ** 255n + 2n, 32)] as const
    step = received(step, 1001, dear[0], ETHER, 10n ** 18n)
    step = received(step, 1002, dear[1], uint(0xdead, 20), 10n ** 6n)
    const first = leaving(step)
    expect(first.length).to.equal(256)
    expect(first.slice(0, 2)).to.deep.equal(dear)
  })

  it('hides no ether behind tokens of his own making, of which there are many and much', () => {
    let step = idle(restoreWallet(PARAMS, memoryStore(), 0))
    for (let i = 1; i <= 1000; i++) step = received(step, i, uint(i, 32), uint(0xf00 + i, 20), 2n ** 200n)
    const dear = Array.from({ length: 100 }, (_, i) => uint(2n ** 255n + BigInt(i), 32))
    for (const [i, id] of dear.entries()) step = received(step, 1001 + i, id, ETHER, 10n ** 18n - BigInt(i))
    expect(leaving(step)).to.include.members(dear)
  })
})
