import { expect } from 'chai'
import { agrees, clocked, ends, found, resists, returns } from './hunts.ts'
import { type Rule, without } from './unruled.ts'

type World = Parameters<Parameters<typeof without>[1]>[0]
type Case = readonly [what: string, rules: readonly Rule[], hunt: (w: World) => string | undefined]

const cut = (file: string, rule: string, instead = ''): Rule => ({ file, rule, instead })

const CASES: readonly Case[] = [
  [
    'the writer proposes only when it holds every request up to the last owed',
    [
      cut(
        'Proposal.ts',
        'return inbox.length >= BATCH || complete.disposed + inbox.length >= link.owed',
        'return true',
      ),
    ],
    (w) => w.found(w.agrees('payments'), 300),
  ],
  [
    'what is owed is fixed when the version before became complete',
    [cut('Proposal.ts', 'Math.min(s.complete.owed, s.complete.disposed + BATCH)', 's.last')],
    (w) => w.found(w.agrees('payments'), 300),
  ],
  [
    'a proposal of the past is never judged',
    [cut('Proposal.ts', 'if (said.version > complete.version) {', 'if (said.version > 0n) {')],
    (w) => w.found(w.agrees('payments'), 300),
  ],
  [
    'a side spends only deposits that the other has announced as final',
    [cut('Withdrawal.ts', 's.heard : s.announced', 's.watch.newest.deposits[side] : s.announced')],
    (w) => w.found(w.agrees('payments'), 300),
  ],
  [
    'no policy is part of what is valid',
    [
      cut(
        'Compose.ts',
        "if (typeof did === 'string') return did",
        "if (typeof did === 'string') return did; if (did && did.lock.amount < 5n) return 'LockTooSmall'",
      ),
    ],
    (w) => w.found(w.agrees('locks'), 300),
  ],
  [
    'a fulfil met after its expiry is held until a final block decides',
    [cut('LockTime.ts', "isLapsed(s, lock) ? 'expired' : 'undecided'", "'expired'")],
    (w) => w.found(w.agrees('locks'), 1000),
  ],
  [
    'deposits count once they are final',
    [cut('Peer.ts', 'const { deposits } = watch.final', 'const { deposits } = watch.newest')],
    (w) => w.found(w.ends('payments', 5n), 1000),
  ],
  [
    'a late acknowledgement is only published',
    [cut('Proposal.ts', 'else if (isOver(d.state)) keepLate(d, seat, proposal, signature)\n  else {', 'else {')],
    (w) => w.found(w.resists('payments', 'a'), 1000),
  ],
  [
    'nothing is countersigned once a clock is set',
    [cut('Proposal.ts', 'if (!isOver(d.state) && !end.restored) answer', 'if (!end.restored) answer')],
    (w) => w.found(w.resists('payments', 'b'), 1000),
  ],
  [
    'only the writer signs a final state first',
    [
      cut('Ending.ts', '(seat.isWriter || link.peerRestored) && !end.restored', '!end.restored'),
      cut(
        'Ending.ts',
        'if (isOver(d.state) || (seat.isWriter && !end.restored)) return',
        'if (isOver(d.state)) return',
      ),
    ],
    (w) => w.found(w.ends('payments'), 500),
  ],
  [
    'a final state is signed only with no proposal open',
    [cut('Ending.ts', '!mayBeFirst || proposal ||', '!mayBeFirst ||')],
    (w) => w.found(w.ends('payments'), 500),
  ],
  [
    'a final state is signed only with no lock open',
    [cut('Ending.ts', '!end.restored && d.state.locks.length === 0', '!end.restored')],
    (w) => w.found(w.ends('locks'), 500),
  ],
  [
    'a final state is irrevocable for who signed it',
    [cut('PeerState.ts', 'end.final !== null || end.disputed', 'end.disputed')],
    (w) => w.found(w.resists('payments', 'b'), 2000),
  ],
  [
    'an older copy proposes nothing',
    [
      cut('Proposal.ts', 's.end.restored || isOver(s) ||', 'isOver(s) ||'),
      cut('Proposal.ts', '(isClosing(s) && !endsLocks(s))', 'false'),
    ],
    (w) => w.found(w.returns('payments'), 1000),
  ],
  [
    'an older copy countersigns nothing',
    [cut('Proposal.ts', 'if (!isOver(d.state) && !end.restored) answer', 'if (!isOver(d.state)) answer')],
    (w) => w.found(w.returns('payments'), 500),
  ],
  [
    'an older copy adopts what it is shown',
    [
      cut(
        'Proposal.ts',
        'else adoptForgotten(d, seat, state, locks, hash, signatures(seat, sigA, sigB))',
        'else becomeRestored(d, seat)',
      ),
    ],
    (w) => w.found(w.returns('payments'), 500),
  ],
  [
    'a proposal is stored before it is said',
    [cut('Proposal.ts', 'putProposal(d, seat, proposal)\n  offer(d, said.length)', 'offer(d, said.length)')],
    (w) => w.found(w.agrees('payments'), 300),
  ],
  [
    'a request is stored before it is said',
    [cut('Peer.ts', 'keepPending(d, seat)\n', '')],
    (w) => w.found(w.agrees('payments'), 300),
  ],
  [
    'an end that is signed is stored before it is said',
    [cut('PeerState.ts', "put(d, 'end', seat.id, end)", '')],
    (w) => w.found(w.ends('payments'), 500),
  ],
  [
    'what this side has signed lives until something newer is complete',
    [
      cut(
        'Peer.ts',
        'failPending(d, seat)\n  if (d.state.proposal &&',
        'failPending(d, seat)\n  failProposal(d, seat)\n  if (d.state.proposal &&',
      ),
    ],
    (w) => w.found(w.ends('payments'), 500),
  ],
  [
    'a channel on which a clock is set, though it is older than the deposits, is not open',
    [
      cut(
        'Watch.ts',
        "    case 'Challenged':\n      return {",
        "    case 'Challenged':\n      return court.deposits.a + court.deposits.b === 0n ? court : {",
      ),
    ],
    (w) => w.found(w.resists('payments', 'a', w.clocked), 200),
  ],
  [
    'a fulfil that this side has signed may still become complete: its lock has not failed',
    [cut('LockEnd.ts', 'if (!closed && isProposed(s, lock)) return undefined')],
    (w) => w.found(w.resists('locks', 'a'), 2000),
  ],
  [
    'only its receiver ends a lock',
    [
      cut(
        'LockBook.ts',
        'lockIn(at.open, by, change.lockId)\n',
        'lockIn(at.open, by, change.lockId) ?? lockIn(at.open, other(by), change.lockId)\n',
      ),
    ],
    (w) => w.found(w.resists('locks', 'b'), 2000),
  ],
  [
    'a preimage is stored before anything is said',
    [cut('LockEnd.ts', 'all.length === 0 ? undefined : concat(...all)', 'undefined')],
    (w) => w.found(w.resists('locks', 'b'), 2000),
  ],
  [
    'a version is stored before it is acknowledged',
    [cut('Ledger.ts', "put(d, 'complete', seat.id, complete)")],
    (w) => w.found(w.agrees('payments'), 300),
  ],
]

describe('Peer: with one of its rules left out, random histories find the loss, the double signature or the forced end', () => {
  it('and with all of them they find none', () => {
    const honest = [
      agrees('payments'),
      agrees('locks'),
      ends('payments'),
      ends('locks'),
      returns('payments'),
      returns('locks'),
    ]
    const hostile = [resists('payments', 'a', clocked), ends('payments', 5n)]
    for (const hunt of [...honest, ...hostile]) expect(found(hunt, 120)).to.equal(undefined)
  })

  for (const [what, rules, hunt] of CASES) {
    it(what, async () => {
      await without(rules, (w) => expect(hunt(w), 'nothing goes wrong without it').to.not.equal(undefined))
    })
  }
})
