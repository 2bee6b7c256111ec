import { expect } from 'chai'
import fc from 'fast-check'
import type { Act } from './acts.ts'
import type { Begun, Hold } from './holds.ts'
import { type Rule, without } from './unruled.ts'

type World = Parameters<Parameters<typeof without>[1]>[0]

const HOLDS = ['lock', 'fulfil', 'fail', 'wait', 'talk', 'lag']

/** Whether random histories of two honest peers that close in the end find a loss, or a forced end. */
function finds(w: World, runs: number): boolean {
  const move = fc.oneof({ weight: 1, arbitrary: w.plain }, { weight: 3, arbitrary: w.holds })
  const history = fc.property(fc.array(move, { minLength: 20, maxLength: 60 }), (moves) => {
    const duel = w.Duel.opened(100n)
    const begun: Begun[] = []
    for (const one of moves as readonly (Act | Hold)[]) {
      if (HOLDS.includes(one.kind)) w.playHold(duel, one as Hold, begun)
      else w.play(duel, one as Act)
    }
    duel.connect()
    duel.b.take({ kind: 'close' })
    duel.settleDown()
    for (let i = 0; i < 12; i++) {
      if (!duel.up) duel.connect()
      duel.settleDown()
      w.wait(duel, 500)
    }
    expect(duel.a.state.end.disputed ?? duel.b.state.end.disputed).to.equal(null)
    expect(duel.a.state.locks).to.deep.equal([])
    w.checkLocks(duel, begun)
    const due = 100n + duel.a.gained() + w.gainedByLocks(duel, begun, 'a')
    const paid = duel.a.state.finished?.payA ?? due
    expect(paid - duel.a.state.watch.final.deposits.a).to.equal(due - 100n)
  })
  return fc.check(history, { numRuns: runs, seed: 1, endOnFailure: true }).failed
}

const RULES: readonly (readonly [what: string, rule: Rule])[] = [
  [
    'a lock whose fulfil is not taken in time is revealed on layer 1',
    { file: 'Ending.ts', rule: '(inCourt || now(s) >= cutoff(seat, lock))', instead: 'inCourt' },
  ],
  [
    'its receiver gives a lapsed lock up',
    { file: 'Locking.ts', rule: "(isLapsed(before, lock) ? 'LockExpired' : undefined)", instead: 'undefined' },
  ],
  [
    'a lock does not end before a final block has decided',
    { file: 'LockTime.ts', rule: 'return lapsed > lock.expiry &&', instead: 'return lapsed > lock.expiry - 900 &&' },
  ],
  [
    'nobody is late while a lock is open',
    {
      file: 'Ending.ts',
      rule: 'watch.lapsed <= lock.expiry && (isPatient || payerOf(lock) === side)',
      instead: 'watch.time < locks.length',
    },
  ],
  [
    'only its receiver’s preimage moves a lock’s amount, and exactly that',
    { file: 'LockBook.ts', rule: 'net = netAfter(net, payerOf(lock), lock.amount)', instead: 'net = net + 0n' },
  ],
]

describe('Peer: without a rule of locks the seeded world finds the loss or the forced end', () => {
  it('and with all of them it finds none', async () => {
    const none = { file: 'Locking.ts', rule: 'const UNTRIED = 32', instead: 'const UNTRIED = 32' }
    await without(none, (world) => expect(finds(world, 150)).to.equal(false))
  })

  for (const [what, rule] of RULES) {
    it(what, async () => {
      await without(rule, (world) => expect(finds(world, 600)).to.equal(true))
    })
  }
})
