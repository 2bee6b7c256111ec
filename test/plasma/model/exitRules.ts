import {
  block,
  both,
  cut,
  dying,
  elsewhere,
  fraud,
  locked,
  type Ruled,
  SHALLOW,
  script,
  toBob,
  toSelf,
} from './ruled.ts'

/** What exits ask for, and what they are paid. */
export const EXIT_RULES: readonly Ruled[] = [
  {
    rule: 'the ids of a group ascend: none is in it twice',
    cuts: cut('StandardExits.ts', "require(id > last, 'WrongOrder', id, last)", 'void last'),
    script: script('a group of one twice', {}, []),
    bounds: SHALLOW,
    finds: /paid twice|got|pot/,
  },
  {
    rule: 'an in-flight exit conserves: no more goes out than came in',
    cuts: cut(
      'InFlightExits.ts',
      "require(have >= need && have !== MOST, 'Unbalanced', asset, have, need)",
      'void have',
    ),
    script: script('more than was there', { Z: { by: ['mallory'], inputs: ['M'], outputs: [['mallory', 30]] } }, []),
    bounds: SHALLOW,
    finds: /got|pot/,
  },
  {
    rule: 'an in-flight exit names no input twice',
    cuts: cut('InFlightExits.ts', "require(inputs.indexOf(id) === i, 'RepeatedInput', id)", 'void i'),
    script: script('one input twice', { Z: { by: ['mallory'], inputs: ['M', 'M'], outputs: [['mallory', 20]] } }, []),
    bounds: SHALLOW,
    finds: /got|pot/,
  },
  {
    rule: 'what is finalised is left out of a payment, and what is paid is marked',
    cuts: cut(
      'Payouts.ts',
      'const open = members.filter(({ id }) => statusOf(draft, id) < PAID)',
      'const open = members',
    ),
    script: script('two exits of one coin', {}, [], { verbs: ['exit'] }),
    bounds: SHALLOW,
    finds: /paid twice/,
  },
  {
    rule: 'a start takes its starter’s inputs',
    cuts: cut('InFlightExits.ts', 'const all = [...bitsOf((1 << spent.length) - 1), ', 'const all = ['),
    script: {
      ...dying,
      verbs: ['commit', 'sign'],
      txs: { S: { by: ['alice'], inputs: ['A'], outputs: [['alice', 10]], lastBlock: 1 } },
    },
    bounds: SHALLOW,
    finds: /alice got/,
  },
  {
    rule: 'a start takes its starter’s outputs',
    cuts: cut('InFlightExits.ts', ', ...bitsOf(((1 << tx.outputs.length) - 1) << 4)]', ']'),
    script: {
      ...dying,
      verbs: ['commit', 'sign'],
      txs: { S: { by: ['alice'], inputs: ['A'], outputs: [['alice', 10]] } },
    },
    bounds: SHALLOW,
    finds: /alice got/,
  },
  {
    rule: 'an in-flight exit joins the queues of all its assets at its start',
    cuts: cut('InFlightExits.ts', 'assetsOf(exit).map((asset)', 'assetsOf(exit).slice(0, 1).map((asset)'),
    script: script(
      'two assets',
      {
        W: {
          by: ['alice'],
          inputs: ['A', 'G'],
          outputs: [
            ['alice', 10],
            ['bob', 10, 'salt'],
          ],
        },
      },
      [],
      {
        deposits: { A: ['alice', 10], G: ['alice', 10, 'salt'] },
      },
    ),
    bounds: SHALLOW,
    finds: /got/,
  },
  {
    rule: 'a bond is at most twice the least',
    cuts: cut('Vaults.ts', 'env.value >= least && env.value <= 2n * least &&', 'env.value >= least &&'),
    script: {
      ...both,
      purse: 100n,
      dear: 50n,
      begins: ['sign Lk', 'commit 1 C[Lk]', 'sign Q', 'commit 2 C[fraud]'],
      verbs: ['commit', 'exit', 'inflight', 'sign'],
    },
    bounds: SHALLOW,
    finds: /alice got/,
  },
  {
    rule: 'a transaction that has consumed its inputs is canonical for ever',
    cuts: cut('Payouts.ts', "if (inputs.every((id) => statusOf(draft, id) === mark)) return 'canonical'"),
    script: {
      ...both,
      looks: 300,
      begins: ['sign Lk', 'commit 1 C[Lk]', 'sign Q'],
      verbs: ['commit', 'sign', 'inflight', 'process'],
    },
    bounds: SHALLOW,
    finds: /alice got/,
  },
  {
    rule: 'an ERC-721 is paid by the chain that holds it',
    cuts: cut(
      'Payouts.ts',
      'draft.state.holders.get(pair(asset, value)) === chain ? undefined',
      'draft.state.holders.has(pair(asset, value)) ? undefined',
    ),
    script: script(
      'a cat of another chain',
      { steal: { by: ['mallory'], inputs: ['nothing'], outputs: [['mallory', 7, 'cat']], chain: 'D' } },
      [elsewhere('steal')],
      {
        deposits: { A: ['alice', 7, 'cat'] },
        verbs: ['commit', 'exit'],
      },
    ),
    bounds: SHALLOW,
    finds: /alice got/,
  },
  {
    rule: 'only plain exits are cancelled',
    cuts: cut(
      'StandardExits.ts',
      "exit.owner)\n  require(exit.lock === ZERO, 'LockedOutput', exit.lock)\n  makeVoid",
      'exit.owner)\n  makeVoid',
    ),
    script: {
      ...locked,
      begins: ['sign Lk', 'commit 1 C[Lk]', 'commit 2 C[fraud]', 'exit fraud.0'],
      verbs: ['sign', 'commit', 'exit', 'cancel'],
    },
    bounds: SHALLOW,
    finds: /alice got/,
  },
  {
    rule: 'what a locked output is paid waits in escrow for its payee',
    cuts: cut('Payouts.ts', 'if (lock !== ZERO) escrow(draft, owner, lock, asset, value)\n  else if', 'if'),
    script: { ...locked, begins: ['sign Lk', 'commit 1 C[Lk]'], verbs: ['sign', 'commit', 'exit', 'reveal'] },
    bounds: SHALLOW,
    finds: /alice got/,
  },
  {
    rule: 'only the payee of the inputs starts, who shows how old they are',
    cuts: cut(
      'InFlightExits.ts',
      "require(starts && mine.length > 0, 'NotParty'",
      "require(mine.length > 0, 'NotParty'",
    ),
    script: {
      name: 'mallory starts what alice pays her, as young as a bad block makes it',
      deposits: { A: ['alice', 10], M: ['mallory', 10] },
      txs: {
        S: { by: ['alice'], inputs: ['A'], outputs: [['alice', 10]] },
        P: {
          by: ['alice'],
          inputs: ['S.0'],
          outputs: [
            ['mallory', 1],
            ['alice', 9],
          ],
        },
        fraud: { ...fraud, outputs: [['mallory', 19]] },
      },
      blocks: [block('S'), block('S', 'fraud')],
      maxBlocks: 2,
      repeats: true,
      begins: ['sign S', 'commit 1 C[S]', 'sign P', 'commit 2 C[S,fraud]'],
      verbs: ['commit', 'sign', 'exit', 'inflight'],
    },
    bounds: SHALLOW,
    finds: /alice got/,
  },
  {
    rule: 'age decides between standard exits',
    cuts: cut(
      'Exit.ts',
      'Math.max(now + mfp, committedAt === 0 ? 0 : committedAt + 2 * mfp)',
      'now + mfp + 0 * committedAt',
    ),
    script: script('a fraud that is quick', { fraud }, [block('fraud')], {
      verbs: ['commit', 'exit'],
      withholds: true,
    }),
    bounds: SHALLOW,
    finds: /got/,
  },
  {
    rule: 'a competitor blocks the input that it spends',
    cuts: cut(
      'InFlightExits.ts',
      'const blocked = blocks ? state.blocked | bit : state.blocked',
      'const blocked = state.blocked | (blocks ? 0 : 0)',
    ),
    script: script('mallory leaves in flight with what she paid', { toSelf, toBob }, [block('toBob')], {
      verbs: ['commit', 'inflight'],
    }),
    bounds: SHALLOW,
    finds: /got|pot|both/,
  },
  {
    rule: 'in the first half a competitor makes a transaction doubtful',
    cuts: cut(
      'InFlightExits.ts',
      'if (draft.env.time >= endOfFirstHalf(draft, inFlight)) return false',
      'if (draft.env.time >= 0) return false',
    ),
    script: script('mallory leaves in flight with what she paid', { toSelf, toBob }, [block('toBob')], {
      verbs: ['commit', 'inflight'],
    }),
    bounds: SHALLOW,
    finds: /got|pot|both/,
  },
  {
    rule: 'a response is older than the competitor',
    cuts: cut('InFlightExits.ts', "require(have < need, 'NotOlder', have, need)\n  put", 'put').concat(
      cut('Payouts.ts', '(response !== 0n && response < competitor)', '(response !== 0n && response !== competitor)'),
    ),
    script: script('mallory answers with a younger block', { toSelf, toBob }, [block('toBob'), block('toSelf')], {
      verbs: ['commit', 'inflight', 'respond'],
    }),
    bounds: { depth: 6, most: 20_000 },
    finds: /got|pot|both/,
  },
]
