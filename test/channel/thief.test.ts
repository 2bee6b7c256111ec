import { expect } from 'chai'
import { ETHER } from '../../src/core/base/Bytes.ts'
import { ALL, hashLock } from '../../src/core/base/Verdicts.ts'
import type { ChannelCall } from '../../src/core/channel/Call.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { packLocks } from '../../src/core/channel/Lock.ts'
import { signedState } from '../../src/core/channel/PeerState.ts'
import { CHANNEL, Duel, PERIOD } from './duel.ts'
import { fulfil, lock } from './holds.ts'

// In a duel A is the writer; B is the thief.
const FUNDS = 1000n
const { owner } = CHANNEL.b

function byB(...calls: readonly ChannelCall[]): { readonly sender: typeof owner; readonly call: ChannelCall }[] {
  return calls.map((call) => ({ sender: owner, call }))
}

describe('Peer: a thief who reads the court', () => {
  it('keeps no channel unfinished by an old list that the court takes after the conclusion, while a clock runs', () => {
    const duel = Duel.opened(FUNDS)
    lock(duel, 'a', 100n)
    duel.settleDown()
    const old = signedState(duel.b.state.complete)
    fulfil(duel.b, 1n)
    duel.settleDown()
    duel.b.take({ kind: 'close' })
    duel.settleDown()
    const { net, mine, theirs } = duel.b.state.end.final!
    duel.b.calls.length = 0
    duel.a.calls.length = 0
    duel.mine(
      byB(
        { verb: 'challenge', channel: CHANNEL, state: NO_STATE },
        { verb: 'conclude', channel: CHANNEL, net, sigA: theirs!, sigB: mine },
        { verb: 'answer', channel: CHANNEL, state: old },
      ),
    )
    expect(duel.chain.blocks.at(-1)!.block.events.map(({ name }) => name)).to.deep.equal([
      'Challenged',
      'Concluded',
      'Answered',
    ])
    for (let i = 0; i < 3; i++) duel.mine()
    expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS - 100n, payB: FUNDS + 100n })
    duel.mine([], duel.chain.time + 2 * PERIOD)
    expect(duel.a.calls).to.deep.equal([])
  })

  it('hides from nobody which locks a settlement left open by preimages before and after it in one block', () => {
    const duel = Duel.opened(FUNDS)
    const life = 3 * PERIOD
    const begun = [1n, 2n, 300n].map((amount) => lock(duel, 'a', amount, life))
    duel.settleDown()
    const locks = packLocks(duel.a.state.locks)
    duel.a.take({ kind: 'challenge' })
    duel.mine()
    duel.a.calls.length = 0
    duel.b.calls.length = 0
    const [first, second] = begun.map(({ preimage }) => preimage)
    const block = duel.chain.mine(
      byB(
        { verb: 'reveal', preimages: [first!] },
        { verb: 'settle', channel: CHANNEL, locks },
        { verb: 'reveal', preimages: [second!] },
      ),
      duel.chain.time + PERIOD + 1,
    )
    expect(block.events.map(({ name }) => name)).to.deep.equal(['Revealed', 'Settled', 'Revealed'])
    // A was away: before it looks at the block it asks the court about the keys.
    for (const preimage of [first!, second!]) {
      const key = hashLock(preimage)
      const verdict = { time: block.time, amount: ALL }
      duel.a.take({ kind: 'verdict', condition: ETHER, key, verdict })
    }
    for (const one of [duel.a, duel.b]) one.take({ kind: 'chain', chain: { kind: 'block', block } })
    expect(duel.a.state.watch.newest.locks).to.equal(packLocks(duel.a.state.locks.slice(1)))
    duel.b.calls.length = 0
    duel.mine([], duel.chain.time + life)
    for (let i = 0; i < 4; i++) {
      duel.b.calls.length = 0
      duel.mine()
    }
    expect(duel.a.state.finished).to.deep.equal({ payA: FUNDS - 3n, payB: FUNDS + 3n })
  })
})
