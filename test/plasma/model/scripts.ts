import type { Script, TxSpec } from './cast.ts'

const gold: Script['deposits'] = { A: ['alice', 10], B: ['bob', 10], M: ['mallory', 10] }
/** Mallory pays bob. */
const T: TxSpec = { by: ['mallory'], inputs: ['M'], outputs: [['bob', 10]] }
/** Mallory pays herself with the same coin. */
const U: TxSpec = { by: ['mallory'], inputs: ['M'], outputs: [['mallory', 10]] }
/** Out of nowhere. */
const X: TxSpec = { by: ['mallory'], inputs: ['nothing'], outputs: [['mallory', 30]] }
/** Alice pays bob and keeps some. */
const S: TxSpec = {
  by: ['alice'],
  inputs: ['A'],
  outputs: [
    ['bob', 4],
    ['alice', 6],
  ],
  lastBlock: 2,
}
/** The same again, should the first die. */
const S2: TxSpec = { ...S, lastBlock: 9 }
const P: TxSpec = {
  by: ['alice'],
  inputs: ['A'],
  outputs: [
    ['mallory', 4],
    ['alice', 6],
  ],
  lastBlock: 2,
}

/** Small worlds in which everything goes. */
export const OPEN: readonly Script[] = [
  {
    name: 'mallory signs twice, blocks are withheld or out of nowhere',
    deposits: gold,
    txs: { T, U, X },
    blocks: [{ txs: { C: ['T'] } }, { txs: { C: ['U'] } }, { txs: { C: ['X'] } }],
    withholds: true,
    maxBlocks: 2,
  },
  {
    name: 'alice pays, and again if it died',
    deposits: { A: ['alice', 10], B: ['bob', 10] },
    txs: { S, S2 },
    blocks: [{ txs: { C: [] } }, { txs: { C: ['S'] } }, { txs: { C: ['S2'] } }],
    withholds: true,
    maxBlocks: 3,
  },
  {
    name: 'alice pays mallory, who spends what she got',
    deposits: { A: ['alice', 10], M: ['mallory', 10] },
    txs: { P, V: { by: ['mallory'], inputs: ['P.0', 'M'], outputs: [['alice', 14]] }, U },
    blocks: [{ txs: { C: ['P'] } }, { txs: { C: ['V'] } }, { txs: { C: ['U'] } }],
    repeats: true,
    withholds: true,
    maxBlocks: 2,
  },
  {
    name: 'mallory pays bob and oscar two assets at once, and herself again',
    deposits: { M: ['mallory', 10], N: ['mallory', 10, 'salt'], A: ['alice', 10], G: ['alice', 10, 'salt'] },
    txs: {
      W: {
        by: ['mallory'],
        inputs: ['M', 'N'],
        outputs: [
          ['bob', 10],
          ['oscar', 10, 'salt'],
        ],
        lastBlock: 2,
      },
      U,
    },
    blocks: [{ txs: { C: ['W'] } }, { txs: { C: ['U'] } }],
    withholds: true,
    maxBlocks: 2,
  },
  {
    name: 'alice pays mallory under a hash lock',
    deposits: { A: ['alice', 10], M: ['mallory', 10] },
    txs: {
      L: { by: ['alice'], inputs: ['A'], outputs: [['mallory', 10, 'gold', 'lock']] },
      claim: { by: ['mallory'], inputs: ['L.0'], outputs: [['mallory', 10]] },
      back: { by: ['alice'], inputs: ['L.0'], outputs: [['alice', 10]] },
      X,
    },
    locks: { lock: { expiry: 1100, refund: 'alice' } },
    blocks: [{ txs: { C: ['L'] } }, { txs: { C: ['claim'] } }, { txs: { C: ['X'] } }],
    withholds: true,
    maxBlocks: 3,
    begins: ['sign L'],
  },
  {
    name: 'a child, and a parent that forges, holds back and anchors what is signed later',
    home: 'K',
    deposits: gold,
    txs: { T, U, X },
    blocks: [
      { txs: { C: [], K: ['T'] } },
      { txs: { C: [], K: ['U'] }, stale: true },
      { txs: { C: [], K: ['X'] }, forged: true },
      { txs: { C: [], K: ['X'] }, unsigned: true },
      { txs: { C: [] } },
    ],
    withholds: true,
    maxBlocks: 2,
  },
  {
    name: 'a cat, and blocks of another chain',
    deposits: { A: ['alice', 7, 'cat'], B: ['bob', 10], M: ['mallory', 8, 'cat'] },
    txs: {
      steal: { by: ['mallory'], inputs: ['nothing'], outputs: [['mallory', 7, 'cat']], chain: 'D' },
      swap: { by: ['mallory'], inputs: ['M'], outputs: [['mallory', 7, 'cat']] },
      give: { by: ['mallory'], inputs: ['M'], outputs: [['bob', 8, 'cat']] },
    },
    blocks: [{ on: 'D', txs: { D: ['steal'] } }, { txs: { C: ['swap'] } }, { txs: { C: ['give'] } }],
    withholds: true,
    maxBlocks: 1,
  },
  {
    name: 'mallory leaves with a group of which she spends a part',
    deposits: { ...gold, N: ['mallory', 5] },
    txs: { T, V: { by: ['mallory'], inputs: ['M', 'N'], outputs: [['mallory', 15]] } },
    blocks: [{ txs: { C: ['T'] } }, { txs: { C: ['V'] } }],
    withholds: true,
    maxBlocks: 2,
    verbs: ['commit', 'open', 'exit', 'group', 'inflight', 'compete', 'respond', 'process'],
  },
]
