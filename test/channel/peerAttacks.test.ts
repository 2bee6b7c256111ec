import { expect } from 'chai'
import { ATTACKS } from './attacks.ts'
import { type Rule, without } from './unruled.ts'

type Case = readonly [what: string, attack: keyof typeof ATTACKS, rule: Rule]

const cut = (file: string, rule: string, instead = ''): Rule => ({ file, rule, instead })

const CASES: readonly Case[] = [
  [
    'a lock is taken with its preimage only',
    'takesUnproven',
    cut(
      'LockBook.ts',
      "  if (change.kind === 'fulfilLock' && !opens(change.preimage, lock, known)) return 'WrongPreimage'\n",
    ),
  ],
  [
    'no lock is taken in the version that adds it',
    'takesTooLate',
    cut(
      'LockBook.ts',
      'lockIn(at.open, by, change.lockId)\n',
      'lockIn(at.open, by, change.lockId) ?? at.moved.find(({ lock }) => lock.id === change.lockId)?.lock\n',
    ),
  ],
  [
    'nothing is adopted once a clock is set',
    'showsTooLate',
    cut(
      'Proposal.ts',
      "else if (isOver(d.state)) shownLate(d, seat, hash, seat.side === 'a' ? sigB : sigA)\n  else {",
      'else {',
    ),
  ],
  [
    'no lock is begun with a key that is decided',
    'sellsWhatIsKnown',
    cut(
      'Locking.ts',
      "  require(!(verdictKey(condition, key) in s.watch.newest.verdicts), 'KeyDecided', condition, key)\n",
    ),
  ],
  [
    'nothing is said before it is saved',
    'saysUnsaved',
    cut('../../role/Loop.ts', 'this.#parts.store.commit(rows)', 'queueMicrotask(() => this.#parts.store.commit(rows))'),
  ],
]

describe('Peer: one rule and the attack that it is there for', () => {
  for (const [what, attack, rule] of CASES) {
    it(`${what}: the attack gains nothing`, () => expect(ATTACKS[attack]()).to.equal(undefined))

    it(`${what}: without that rule it costs`, async () => {
      await without(rule, (world) => expect(world.ATTACKS[attack]()).to.be.a('string'))
    })
  }
})
