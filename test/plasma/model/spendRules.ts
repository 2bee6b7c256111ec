import {
  block,
  both,
  cut,
  dying,
  elsewhere,
  forging,
  fraud,
  gold,
  leaving,
  type Ruled,
  SHALLOW,
  script,
  toBob,
  toOscar,
  toSelf,
} from './ruled.ts'

/** What counts as a spend, and what may be spent. */
export const SPEND_RULES: readonly Ruled[] = [
  {
    rule: 'margin + alarm <= H/2: who looks that often sees a block while it can still be answered',
    script: script('a block with an old view', { toBob, toSelf }, [block('toBob')], {
      verbs: ['commit', 'stale', 'inflight'],
    }),
    instead: { margin: 59 },
    bounds: { depth: 6, most: 20_000 },
    finds: /got|pot|both/,
  },
  {
    rule: 'approvals are never taken back (and no contract is asked for its word)',
    cuts: cut(
      'RootChain.ts',
      "put(draft, 'approved', pair(owner, txHash), true)",
      "put(draft, 'approved', pair(owner, txHash), !draft.state.approved.get(pair(owner, txHash)))",
    ).concat(
      cut(
        'Standing.ts',
        "require(state.approved.has(pair(payee, txHash)), 'NotApproved', payee, txHash)",
        "require(state.approved.get(pair(payee, txHash)) === true, 'NotApproved', payee, txHash)",
      ),
    ),
    script: leaving,
    bounds: SHALLOW,
    finds: /got|pot|both/,
  },
  {
    rule: 'all inputs have one payee and one authorisation',
    cuts: cut('InFlightExits.ts', "require(other === payee, 'MixedOwners', other, payee)", 'void other'),
    script: script(
      'mallory spends hers and alice’s',
      { Z: { by: ['mallory'], inputs: ['M', 'A'], outputs: [['mallory', 20]] } },
      [],
    ),
    bounds: SHALLOW,
    finds: /alice got/,
  },
  {
    rule: 'shown = included at or before its lastBlock',
    cuts: cut('Standing.ts', "require(shown.number <= tx.lastBlock, 'IncludedLate', shown.number, tx.lastBlock)"),
    script: dying,
    bounds: SHALLOW,
    finds: /alice got/,
  },
  {
    rule: 'shown = in a block of the chain that the transaction names',
    cuts: cut('Standing.ts', "require(id === chain, 'WrongChain', id, chain)"),
    script: script('another chain’s blocks', { fraud }, [elsewhere('fraud')], { verbs: ['commit', 'exit'] }),
    bounds: SHALLOW,
    finds: /got|pot/,
  },
  {
    rule: 'what counts is of the same chain',
    cuts: cut('StandardExits.ts', "require(spend.tx.chain === chain, 'WrongChain', spend.tx.chain, chain)"),
    script: script(
      'a competitor of another chain',
      {
        two: { by: ['mallory'], inputs: ['M', 'N'], outputs: [['bob', 20]] },
        other: { by: ['mallory'], inputs: ['M'], outputs: [['mallory', 10]], chain: 'D' },
      },
      [block(), block('two'), elsewhere('other')],
      { deposits: { ...gold, N: ['mallory', 10] }, verbs: ['commit', 'inflight', 'compete'] },
    ),
    bounds: { depth: 6, most: 20_000 },
    finds: /got|pot|both/,
  },
  {
    rule: 'what counts is authorised',
    cuts: cut('Standing.ts', "else require(state.approved.has(pair(payee, txHash)), 'NotApproved', payee, txHash)"),
    script: forging,
    bounds: SHALLOW,
    finds: /alice got/,
  },
  {
    rule: 'what counts is live or shown',
    cuts: cut('Standing.ts', "require(number < tx.lastBlock, 'Expired', tx.lastBlock, number)", 'void number'),
    script: dying,
    bounds: SHALLOW,
    finds: /alice got/,
  },
  {
    rule: 'what leaves is frozen: no valid block spends it',
    manners: { unfrozen: 'leaving' },
    script: leaving,
    bounds: SHALLOW,
    finds: /got|pot|both/,
  },
  {
    rule: 'what was paid is frozen',
    manners: { unfrozen: 'paid' },
    script: { ...leaving, begins: ['exit M'] },
    bounds: { depth: 7, most: 20_000 },
    finds: /got|pot|both/,
  },
  {
    rule: 'what is piggybacked is frozen',
    manners: { unfrozen: 'wanted' },
    script: script(
      'spent while it leaves in flight',
      { toSelf, again: { by: ['mallory'], inputs: ['toSelf.0'], outputs: [['bob', 10]] } },
      [block('toSelf'), block('again')],
      {
        verbs: ['commit', 'inflight', 'process'],
        begins: ['commit 1 C[toSelf]', 'inflight toSelf', 'they look', 'they look'],
      },
    ),
    bounds: { depth: 6, most: 20_000 },
    finds: /got|pot|both/,
  },
  {
    rule: 'the inputs of an in-flight exit that started live are frozen for all but its transaction',
    manners: { unfrozen: 'in flight' },
    script: script('a rival after the first half', { toOscar, toBob }, [block('toBob')], {
      verbs: ['commit', 'inflight'],
    }),
    bounds: { depth: 6, most: 20_000 },
    finds: /got|pot|both/,
  },
  {
    rule: 'what starts expired starts late: not canonical until it is shown',
    cuts: cut(
      'InFlightExits.ts',
      'const late = tx.lastBlock <= lastNumberOf(draft, root)',
      'const late = root === id && false',
    ),
    script: {
      ...both,
      begins: ['sign Lk', 'commit 1 C[Lk]', 'sign R', 'commit 2 C[]'],
      verbs: ['commit', 'sign', 'inflight'],
    },
    bounds: SHALLOW,
    finds: /alice got/,
  },
]
