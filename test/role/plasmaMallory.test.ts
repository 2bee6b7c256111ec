import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { entries, get } from '../../src/core/base/HashMap.ts'
import { sign } from '../../src/core/base/Signature.ts'
import { type Inclusion, inclusion, txTree } from '../../src/core/plasma/Block.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { dueExits } from '../../src/core/plasma/Due.ts'
import { consumedBy, OWN_PERMIT, PAID } from '../../src/core/plasma/Exit.ts'
import { exitCall, exitCalls, flightCall, type Held } from '../../src/core/plasma/Held.ts'
import { NO_PLACES } from '../../src/core/plasma/InFlightExit.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { freeOf } from '../../src/core/plasma/Purse.ts'
import { allInFlight, openPositions, PAID_OUT } from '../../src/core/plasma/Running.ts'
import { depositId, outputId, type Transaction } from '../../src/core/plasma/Transaction.ts'
import type { OperatorApi } from '../../src/edge/http/OperatorApi.ts'
import type { Operator } from '../../src/role/Operator.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import type { Watcher } from '../../src/role/Watcher.ts'
import { runs } from '../fuzz.ts'
import { BOB, gained, to } from './flights.ts'
import { CHAIN, DEPTH, key, MFP, through, World } from './plasmaWorld.ts'
import { hashOf, ID, PAYER } from './puppet.ts'

/** Far more than all bonds together, whose forfeited halves must not hide that somebody was robbed. */
const COIN = 10n ** 17n

/** What Mallory tries next; `pick` and `other` choose among what there is. */
interface Try {
  readonly what: 'pay' | 'sign' | 'settle' | 'exit' | 'group' | 'fly' | 'piggyback' | 'compete' | 'respond' | 'pass'
  readonly pick: number
  readonly other: number
}

const WHAT = [
  'pay',
  'pay',
  'sign',
  'fly',
  'settle',
  'exit',
  'group',
  'fly',
  'piggyback',
  'compete',
  'respond',
  'pass',
] as const
const attempt: fc.Arbitrary<Try> = fc.record({ what: fc.constantFrom(...WHAT), pick: fc.nat(999), other: fc.nat(999) })

/** Everybody on an honest chain, and Mallory, who signs everything twice and starts whatever the court takes. */
class Trial {
  readonly world = new World()
  readonly operator: Operator = this.world.operator()
  readonly api: OperatorApi = through(this.operator)
  readonly watcher: Watcher = this.world.watcher(this.api)
  readonly bob: Wallet = this.world.wallet(2, this.api)
  /** Everything that was ever Mallory's and is on layer 1 or in a block, and all that she ever signed. */
  readonly coins: Held[] = []
  readonly signed: Signed[] = []
  readonly shown = new Map<Hex, Inclusion>()
  /** What Bob was paid in blocks, of which he spends nothing. */
  received = 0n
  #number = 1

  async begin(): Promise<void> {
    await this.world.mine(DEPTH + 3)
    for (let n = 0; n < 3; n++) {
      const terms = { chain: ID, salt: uint(n, 32), owner: PAYER, asset: ETHER, value: COIN }
      await this.say({ verb: 'deposit', ...terms })
      const proof = { kind: 'deposit', deposit: { ...terms, sender: PAYER } } as const
      this.coins.push({ id: depositId(proof.deposit), output: to(PAYER, COIN), proof, use: 'free' })
    }
  }

  /** Mallory calls the court, which may refuse; everybody hears of it. */
  async say(call: PlasmaCall, by = PAYER): Promise<void> {
    const sent = this.world
      .connect(by)
      .send(call)
      .catch(() => undefined)
    await this.world.mine(DEPTH + 2)
    await sent
  }

  /** What was included since the last time is Mallory's to use. */
  async settle(): Promise<void> {
    await this.world.settle(this.operator)
    for (; this.#number <= this.world.commits.length; this.#number++) {
      const { number, time, asOf } = this.world.commits[this.#number - 1]!
      const { transactions } = await this.api.block(number)
      const tree = txTree(transactions.map(hashOf))
      transactions.forEach((signed, index) => {
        this.#include(signed, inclusion(tree, index, { number, time, asOf }))
      })
    }
  }

  #include(signed: Signed, shown: Inclusion): void {
    const { transaction } = signed
    this.shown.set(hashOf(signed), shown)
    transaction.outputs.forEach((output, position) => {
      if (output.owner === BOB) this.received += output.value
      if (output.owner !== PAYER) return
      const proof = { kind: 'output', transaction, position, inclusion: shown } as const
      this.coins.push({ id: outputId(hashOf(signed), position), output, proof, use: 'free' })
    })
  }

  /** Some of Mallory's coins, spent or not, for Bob or for herself or for both. */
  sign(pick: number, other: number): Signed {
    const two = [this.coins[pick % this.coins.length]!, this.coins[other % this.coins.length]!]
    const spent = pick % 3 === 0 && two[0] !== two[1] ? two : two.slice(0, 1)
    const sum = spent.reduce((total, { output }) => total + output.value, 0n)
    const half = sum / 2n
    const outputs = [[to(BOB, sum)], [to(PAYER, sum)], [to(BOB, half), to(PAYER, sum - half)]][other % 3]!
    const lastBlock = this.operator.state.ledger.number + (pick % 2 === 0 ? other % 3 : 1000)
    const memo = uint(this.signed.length, 32)
    const transaction: Transaction = { chain: ID, inputs: spent.map(({ id }) => id), outputs, lastBlock, memo }
    const made = { transaction, authorisation: sign(hashOf({ transaction, authorisation: '0x' }), key(1)) }
    this.signed.push(made)
    return made
  }

  /** A payment that the operator may refuse; more often than not it is in a block at once. */
  async pay(pick: number, other: number): Promise<void> {
    await this.api.submit(this.sign(pick, other)).catch(() => undefined)
    if (pick % 4 !== 0) await this.settle()
  }

  async try({ what, pick, other }: Try): Promise<void> {
    const coin = this.coins[pick % this.coins.length]!
    const all = allInFlight(this.watcher.state.running)
    const one = all[pick % Math.max(1, all.length)]
    if (what === 'pay') await this.pay(pick, other)
    if (what === 'sign') this.sign(pick, other)
    if (what === 'settle') await this.settle()
    if (what === 'exit') await this.say(exitCall([CHAIN], coin.proof, OWN_PERMIT))
    if (what === 'group') {
      const some = this.coins.filter((_, n) => ((pick >> (n % 8)) & 1) === 1)
      for (const { call } of exitCalls([CHAIN], some, OWN_PERMIT, () => false)) await this.say(call)
    }
    const tx = this.signed[other % Math.max(1, this.signed.length)]
    if (what === 'fly' && tx) {
      await this.say(flightCall([CHAIN], tx, (id) => this.coins.find((held) => held.id === id)))
    }
    if (what === 'pass') await this.world.pass(3600 * (1 + (pick % 40)))
    if (one && what === 'piggyback') {
      const open = (who: Hex) => openPositions(this.watcher.state.running, one, ({ owner }) => owner === who)
      const who = open(BOB) ? BOB : PAYER
      const positions = open(who)
      await this.say({ verb: 'piggyback', inFlight: one.inFlight, positions, terms: [] }, who)
    }
    if (one && what === 'respond') {
      const shown = this.shown.get(one.txHash)
      if (shown) await this.say({ verb: 'respond', path: [CHAIN], inFlight: one.inFlight, inclusion: shown })
    }
    if (one && what === 'compete' && tx) await this.say(this.#compete(one.inFlight, tx, pick))
  }

  #compete(inFlight: Extract<PlasmaCall, { verb: 'compete' }>['inFlight'], signed: Signed, pick: number): PlasmaCall {
    const { transaction: tx, authorisation } = signed
    const position = Math.max(
      0,
      inFlight.tx.inputs.findIndex((id) => tx.inputs.includes(id)),
    )
    const shown = this.shown.get(hashOf(signed))
    const spend = { tx, input: Math.max(0, tx.inputs.indexOf(inFlight.tx.inputs[position]!)), authorisation }
    const inclusion = shown && pick % 2 === 0 ? [shown] : []
    return { verb: 'compete', path: [CHAIN], inFlight, position, spend: { ...spend, inclusion }, terms: [] }
  }

  /** Everything that may be paid is paid, by what the watcher knows. */
  async payAll(): Promise<void> {
    for (let left = 3; left > 0; left--) {
      await this.world.pass(2 * MFP)
      const due = dueExits(this.watcher.state.running, ETHER, this.world.l1.head().time)
      if (due.exits.length + due.inFlight.length === 0) return
      await this.say({ verb: 'process', chain: ID, asset: ETHER, ...due })
    }
  }

  /** What the watcher has made of the events is what the court keeps. */
  agree(): void {
    const { running } = this.watcher.state
    const { inFlight, places, status } = this.world.court.state()
    expect(running.inFlight.size).to.equal(inFlight.size)
    for (const [hash, { piggybacked, blocked, done, doubted }] of inFlight) {
      const one = get(running.inFlight, hash)!
      expect([one.piggybacked, one.blocked, one.done, one.doubted]).to.deep.equal([piggybacked, blocked, done, doubted])
      const { competitor, response } = places.get(hash) ?? NO_PLACES
      expect([one.competitor, one.response]).to.deep.equal([competitor, response])
    }
    const ends = [...entries(running.ends)].map(([id, end]) => [id, end === PAID_OUT ? PAID : consumedBy(end)])
    expect(ends).to.have.deep.members([...status].filter(([, word]) => word >= PAID))
  }
}

describe('Mallory against people with a watcher', () => {
  it('takes nothing of what was received in valid blocks, whatever she starts, and the watcher knows what the court does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { minLength: 6, maxLength: 30 }), async (attempts) => {
        const trial = new Trial()
        const { world, bob } = trial
        try {
          await trial.begin()
          for (const one of attempts) await trial.try(one)
          await trial.settle()
          await world.mine(2 * DEPTH + 4)
          trial.agree()
          for (const coin of trial.coins) await trial.say(exitCall([CHAIN], coin.proof, OWN_PERMIT))
          for (let n = 0; n < trial.signed.length; n++) await trial.try({ what: 'fly', pick: 0, other: n })
          const mine = freeOf(bob.state, ETHER)
          const left = bob.leaveAll(mine.map(({ id }) => id))
          await world.mine(DEPTH + 2)
          await left
          await trial.payAll()
          expect(gained(world, BOB) >= trial.received, `${gained(world, BOB)} of ${trial.received}`).to.equal(true)
          trial.agree()
          // What she does is seen as what it is; nothing of it is on a bad chain, unknown or left unanswered.
          const seen = ['InvalidExit', 'NonCanonical', 'InvalidPiggyback']
          const others = world.alarms.filter(
            ({ name, detail }) => !seen.includes(name) || detail.includes('no valid block'),
          )
          const names = others.map(({ name, detail }) => `${name}: ${detail}`)
          expect([names, world.failures]).to.deep.equal([[], []])
        } finally {
          world.stop()
        }
      }),
      runs(12),
    )
  })
})
