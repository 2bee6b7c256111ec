import { child, cut, fraud, type Ruled, SHALLOW, script, toBob, toSelf } from './ruled.ts'

/** What a chain is to its parent. */
export const TREE_RULES: readonly Ruled[] = [
  {
    rule: 'only the child’s operator signs its headers',
    cuts: cut(
      'Standing.ts',
      "require(have === child.operator && have !== NOBODY, 'WrongHeader', id, have, child.operator)",
      'void have',
    ),
    script: script('a parent forges', { fraud }, [{ txs: { C: [], K: ['fraud'] }, forged: true }], { ...child }),
    bounds: SHALLOW,
    finds: /got|pot/,
  },
  {
    rule: 'a child’s signature is over asOf, too',
    cuts: cut(
      'Standing.ts',
      'recover(headerDigest(court, id, number, asOf, head), concat(r, vs)) ?? NOBODY',
      '[asOf, asOf - 1].map((at) => recover(headerDigest(court, id, number, at, head), concat(r, vs)) ?? NOBODY).find((one) => one === child.operator) ?? NOBODY',
    ),
    script: script(
      'a header for another view',
      { toSelf, toBob },
      [{ txs: { C: [], K: ['toSelf'] }, stale: true }, { txs: { C: [], K: ['toBob'] } }],
      { ...child },
    ),
    bounds: SHALLOW,
    finds: /got|pot|both/,
  },
  {
    rule: 'a child’s signature is part of what is anchored: none is made later',
    cuts: cut(
      'Block.ts',
      'slotLeaf({ header: head, r: above.r, vs: above.vs })',
      'slotLeaf({ header: head, r: ZERO, vs: ZERO })',
    ),
    script: script('a header that is signed later', { fraud }, [{ txs: { C: [], K: ['fraud'] }, unsigned: true }], {
      ...child,
    }),
    bounds: SHALLOW,
    finds: /got|pot/,
  },
  {
    rule: 'a chain has no block up to since',
    cuts: cut('Standing.ts', "require(number > known.since, 'NotBefore', number, known.since)"),
    script: script('blocks of a child before it was', { fraud }, [{ txs: { C: [], K: ['fraud'] } }], {
      home: 'K',
      late: 1,
      deposits: {
        A: ['alice', 10, 'gold', 'later'],
        B: ['bob', 10, 'gold', 'later'],
        M: ['mallory', 10, 'gold', 'later'],
      },
      verbs: ['commit', 'exit', 'register', 'deposit'],
      begins: ['commit 1', 'register K'],
    }),
    bounds: SHALLOW,
    finds: /got|pot/,
  },
]
