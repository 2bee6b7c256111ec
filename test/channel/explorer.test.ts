import { expect } from 'chai'
import type { Side } from '../../src/core/channel/Channel.ts'
import { type PeerInput, peer } from '../../src/core/channel/Peer.ts'
import type { PeerState } from '../../src/core/channel/PeerState.ts'
import { depth } from '../fuzz.ts'
import type { Machine } from './explore.ts'
import { type Bounds, Explorer, type Happening, pays } from './explorer.ts'

const [FIRST, BACK, LAST] = [pays('a', 60n, 1), pays('b', 30n, 2), pays('a', 50n, 3)] as const
const HOUR = 3600
/** One more of everything that goes wrong, if there is time. */
const more = depth > 1 ? 1 : 0

function ends(side: Side, kind: 'close' | 'challenge'): Happening {
  return { name: kind, side, input: { kind } }
}

function takes(side: Side, amount: bigint): Happening {
  return { name: `takes out ${amount}`, side, input: { kind: 'withdraw', amount, seconds: HOUR } }
}

const QUIET: Bounds = { happenings: [], cuts: 0, crashes: 0, restores: 0, blocks: [] }

const EXPLORED: readonly (readonly [string, Bounds])[] = [
  ['three payments, a cut and a crash', { ...QUIET, happenings: [FIRST, BACK, LAST], cuts: 1, crashes: 1 + more }],
  [
    'two payments, a crash and a close by agreement',
    { ...QUIET, happenings: [FIRST, BACK, ends('b', 'close')], cuts: more, crashes: 1 },
  ],
  [
    'a payment, a close by the writer, a cut and a block',
    { ...QUIET, happenings: [FIRST, ends('a', 'close')], cuts: 1, crashes: more, blocks: [12] },
  ],
  [
    'a payment, a challenge, a crash and a block that one side sees first',
    { ...QUIET, happenings: [FIRST, ends('b', 'challenge')], cuts: more, crashes: 1, blocks: [12] },
  ],
  [
    'payments, a cut and an older copy of a store that is put back',
    { ...QUIET, happenings: [FIRST, BACK], cuts: 1, restores: 1, crashes: more },
  ],
  [
    'a withdrawal by the writer, a cut, and a deadline that passes for one side first',
    { ...QUIET, happenings: [takes('a', 70n), FIRST], cuts: 1, crashes: more, blocks: [12, HOUR + 1] },
  ],
  [
    'a withdrawal by the other side, a crash, and a deadline that passes for one side first',
    { ...QUIET, happenings: [takes('b', 80n), BACK], crashes: 1, cuts: more, blocks: [HOUR + 1] },
  ],
  [
    'a withdrawal, a payment and a challenge, with a block between them',
    { ...QUIET, happenings: [takes('a', 70n), FIRST, ends('b', 'challenge')], cuts: more, blocks: [12] },
  ],
]

describe('Every state that two peers can reach, bounded', () => {
  for (const [what, bounds] of EXPLORED) {
    it(`signs no version twice, loses nothing and lets both be paid: ${what}`, () => {
      const { states, steps, violation } = new Explorer(bounds).run()
      console.log(`      ${states} states, ${steps} different steps of a peer`)
      expect(violation).to.equal(undefined)
      expect(states).to.be.greaterThan(100)
    })
  }
})

type Wrapped = (input: PeerInput, state: PeerState) => readonly [PeerInput, PeerState]

/** The real machine, of which an input or a state is bent before it sees them. */
function bent(bend: Wrapped): Machine {
  return (at, state, input) => {
    const [heard, seen] = bend(input, state)
    return peer(at, seen, heard)
  }
}

/** The real machine, which forgets to store rows of a table. */
function forgetful(table: string): Machine {
  return (at, state, input) => {
    const step = peer(at, state, input)
    return { ...step, rows: step.rows.filter((row) => row.table !== table) }
  }
}

const BROKEN: readonly (readonly [string, RegExp, Bounds, Machine])[] = [
  [
    'a proposal that is said before it is stored',
    /version 1 signed twice/,
    { ...QUIET, happenings: [FIRST, LAST], crashes: 1, signatures: true },
    forgetful('proposal'),
  ],
  [
    'an acknowledgement that is said before its state is stored',
    /signed twice|books say|forced apart|waits/,
    { ...QUIET, happenings: [FIRST, BACK], crashes: 1 },
    forgetful('complete'),
  ],
  [
    'a request that is sent before it is stored',
    /signed twice|books say|forced apart|waits/,
    { ...QUIET, happenings: [FIRST, BACK], crashes: 1 },
    forgetful('pending'),
  ],
  [
    'a writer that does not wait for what it owes',
    /forced apart: RequestLeftOut/,
    { ...QUIET, happenings: [FIRST, BACK, pays('b', 5n, 4)], cuts: 1 },
    bent((input, state) => [input, { ...state, link: { ...state.link, owed: 0 } }]),
  ],
  [
    'a reserve that ends when this side alone has seen its deadline pass',
    /forced apart: InsufficientFunds/,
    { ...QUIET, happenings: [takes('a', 70n), FIRST], cuts: 1, blocks: [HOUR + 1] },
    bent((input, state) => [input, { ...state, reserves: { ...state.reserves, heard: 2 ** 40 } }]),
  ],
  [
    'a withdrawal that is not stored before it is asked for',
    /forced apart: InsufficientFunds/,
    { ...QUIET, happenings: [takes('a', 70n), FIRST], crashes: 1 },
    forgetful('withdrawal'),
  ],
]

describe('The exploration of two peers, one rule broken', () => {
  for (const [what, how, bounds, machine] of BROKEN) {
    it(`finds what goes wrong: ${what}`, () => {
      expect(new Explorer(bounds, machine).run().violation).to.match(how)
    })
  }
})
