// Each rule of the court and of its people that was once a theft: without it, and a world in which that shows.
import type { Content, Script, TxSpec } from './cast.ts'
import type { Bounds } from './explorer.ts'
import type { Manners } from './realm.ts'

/** A piece of a source of the court's model, and what stands in its place when the rule is left out. */
export interface Cut {
  readonly file: string
  readonly rule: string
  readonly instead: string
}

/** A rule, how it is left out, and where the explorer finds what then goes wrong. */
export interface Ruled {
  readonly rule: string
  readonly cuts?: readonly Cut[]
  readonly manners?: Manners
  readonly script: Script
  /** What the world is like without the rule, where it is a part of the world. */
  readonly instead?: Partial<Script>
  readonly bounds: Bounds
  readonly finds: RegExp
}

export const cut = (file: string, rule: string, instead = ''): readonly Cut[] => [{ file, rule, instead }]
export const block = (...txs: readonly string[]): Content => ({ txs: { C: txs } })
export const elsewhere = (...txs: readonly string[]): Content => ({ on: 'D', txs: { D: txs } })

export const gold: Script['deposits'] = { A: ['alice', 10], B: ['bob', 10], M: ['mallory', 10] }
export const toBob: TxSpec = { by: ['mallory'], inputs: ['M'], outputs: [['bob', 10]] }
export const toSelf: TxSpec = { by: ['mallory'], inputs: ['M'], outputs: [['mallory', 10]] }
export const fraud: TxSpec = { by: ['mallory'], inputs: ['nothing'], outputs: [['mallory', 30]] }
export const SHALLOW: Bounds = { depth: 5, most: 20_000 }

/** A script with everybody's gold. */
export function script(
  name: string,
  txs: Script['txs'],
  blocks: readonly Content[],
  more: Partial<Script> = {},
): Script {
  return { name, deposits: gold, txs, blocks, ...more }
}

export const dying = script(
  'alice pays, it dies, and comes too late',
  { S: { by: ['alice'], inputs: ['A'], outputs: [['mallory', 10]], lastBlock: 1 } },
  [block(), block('S')],
  { deposits: { A: ['alice', 10], B: ['bob', 10] }, withholds: true, verbs: ['commit', 'sign', 'challenge'] },
)
export const forging = script(
  'mallory signs for alice',
  { F: { by: ['mallory'], inputs: ['A'], outputs: [['mallory', 10]] } },
  [block('F')],
)
export const toOscar: TxSpec = { by: ['mallory'], inputs: ['M'], outputs: [['oscar', 10]] }
export const child: Partial<Script> = { home: 'K', verbs: ['commit', 'exit'] }
/** Alice pays mallory under a hash lock whose preimage nobody shows. */
export const locked = script(
  'a lock that expires',
  {
    Lk: { by: ['alice'], inputs: ['A'], outputs: [['mallory', 10, 'gold', 'L']] },
    fraud: { ...fraud, outputs: [['mallory', 20]] },
  },
  [block('Lk'), block('fraud')],
  { locks: { L: { expiry: 1200, refund: 'alice' } }, maxBlocks: 2 },
)
export const leaving = script('mallory leaves with what she pays', { toBob }, [block('toBob')], {
  verbs: ['commit', 'exit', 'approve', 'process'],
})
/** A payment that both sides of an undecided lock have signed: either may start its exit. */
export const both: Script = {
  name: 'both sides of a lock sign',
  deposits: { A: ['alice', 10], M: ['mallory', 10] },
  txs: {
    Lk: { by: ['alice'], inputs: ['A'], outputs: [['mallory', 10, 'gold', 'L']] },
    Q: {
      by: ['alice', 'mallory'],
      inputs: ['Lk.0'],
      outputs: [
        ['mallory', 4],
        ['alice', 6],
      ],
      lastBlock: 9,
    },
    R: { by: ['alice', 'mallory'], inputs: ['Lk.0'], outputs: [['mallory', 10]], lastBlock: 2 },
    fraud: { ...fraud, outputs: [['mallory', 16]] },
  },
  blocks: [block('Lk'), block(), block('fraud')],
  locks: { L: { expiry: 1600, refund: 'alice' } },
  maxBlocks: 2,
}
