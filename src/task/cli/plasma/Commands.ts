import type { Argument, Command } from '../Command.ts'
import { AMOUNT } from '../Options.ts'
import { DAEMONS } from './Daemons.ts'
import { ANYWAY, ASSET, HERE, RAW } from './Options.ts'

const ID: Argument = { name: 'ID', about: 'the id of an output, or enough of its beginning' }
const PAYMENT: Argument = { name: 'PAYMENT', about: 'the hash of a payment, as plasma pay or plasma history told it' }

const TRANSACTION = {
  transaction: 'hash of the transaction on layer 1',
  block: 'its block',
  gasUsed: 'gas that it took',
} as const
const STANDING = {
  checked: 'last block of the chain that was checked',
  committed: 'last block that layer 1 has',
  bad: 'null, or { code, number, why } of the first block that is invalid or withheld',
  silent: 'null, or why the operator could not be asked',
} as const
const EXIT =
  '{ kind, id, outputs, asset, amount, bond, isFinal, startedAt, half, exitableAt, stage, ahead, paid }; stage: running, payable, paid, challenged, cancelled, dropped, unpaid, joinable, processed'

const look = async () => import('./Look.ts')
const leave = async () => import('./Leave.ts')
const locking = async () => import('./Locking.ts')
const move = async () => import('./Pay.ts')

/** Every command about Plasma, in the order of a user's life. */
export const PLASMA: readonly Command[] = [
  ...DAEMONS,
  {
    path: ['plasma', 'deposit'],
    about: 'put money on the chain; answers once layer 1 has it and it is final',
    args: [AMOUNT],
    options: [
      ...HERE,
      ASSET,
      RAW,
      {
        name: 'salt',
        value: 'SALT',
        about: '32 bytes; a deposit of one amount and salt is made once, however often it is asked for',
      },
      { name: 'wait', value: 'TIME', about: 'how long to wait until its block is final (1m)' },
    ],
    examples: [
      ['plasma deposit 0.25 ETH', 'can be spent once the operator has seen it'],
      [
        'plasma deposit 100 --raw --asset 0x5fbdb2315678afecb367f032d93f642f64180aa3',
        'is approved to the contract first',
      ],
    ],
    answers: {
      id: "the deposit's id",
      asset: 'zero for ether',
      amount: 'in smallest units',
      salt: 'which makes it one',
      transaction: `${TRANSACTION.transaction}; null if it was there before, like the next two`,
      block: TRANSACTION.block,
      gasUsed: TRANSACTION.gasUsed,
      isFinal: 'whether that block is final',
    },
    load: async () => (await move()).deposit,
  },
  {
    path: ['plasma', 'pay'],
    about: "pay somebody on the chain; answers with the operator's word",
    args: [{ name: 'TO', about: 'the address that is paid' }, AMOUNT],
    options: [
      ...HERE,
      ASSET,
      RAW,
      { name: 'fee', value: 'AMOUNT', about: 'what is left to the operator (what it asks for)' },
      { name: 'memo', value: 'TEXT', about: 'up to 32 bytes of text, or 0x and 64 digits; everybody can read it' },
      { name: 'wait', value: 'TIME', about: 'how long to wait until it is certain: on layer 1, and checked (0s)' },
    ],
    examples: [
      ['plasma pay 0x5b38da6a701c568545dcfcb03fcb875f56beddc4 0.1 ETH --wait 2m', 'tells the hash of the payment'],
    ],
    answers: {
      txHash: 'the payment',
      status: 'acknowledged, paid, failed, or unanswered: signed, but the operator is silent',
      asset: 'zero for ether',
      amount: 'in smallest units',
      fee: 'what the operator gets of the same asset',
      to: 'who is paid',
      memo: '32 bytes',
      number: 'the block that it was promised a place in, or null',
      index: 'its place there, or null',
    },
    load: async () => (await move()).pay,
  },
  {
    path: ['plasma', 'balance'],
    about: 'tell where the money is, by asset: received, unconfirmed, locked, exiting, in escrow, credit',
    args: [],
    options: [...HERE],
    examples: [['plasma balance --json', 'amounts are in smallest units']],
    answers: {
      owner: 'address of the wallet',
      chain: "the chain's id",
      ...STANDING,
      onLayer1: 'wei of the address, for gas and bonds',
      assets:
        'each { asset, symbol, decimals, isUnique, received, unconfirmed, paying, locked, exiting, escrow, credit }; of an ERC-721 how many',
    },
    load: async () => (await look()).balance,
  },
  {
    path: ['plasma', 'outputs'],
    about: 'tell of every output that the wallet holds',
    args: [],
    options: [...HERE],
    examples: [['plasma outputs', 'id, amount, block, whether it can be spent']],
    answers: {
      owner: 'address of the wallet',
      ...STANDING,
      outputs: 'each { id, asset, value, lock, number, use }; number 0: a deposit; use: free, paying, leaving',
    },
    load: async () => (await look()).outputs,
  },
  {
    path: ['plasma', 'history'],
    about: 'tell what has happened: deposits, payments both ways, exits; the newest last',
    args: [],
    options: [...HERE, { name: 'last', value: 'N', about: 'how many (50)' }],
    examples: [['plasma history --last 10', 'what is not settled yet stands last']],
    answers: {
      owner: 'address of the wallet',
      earlier: 'how many came before those that are told',
      deeds:
        'each { kind, time, number, id, asset, amount, fee, who, memo }; kind: deposited, received, paid, moved, paying, exit, left',
    },
    load: async () => (await look()).history,
  },
  {
    path: ['plasma', 'exit'],
    about: 'start to take one output out; needs no operator; answers once layer 1 has it',
    args: [ID],
    options: [...HERE, ANYWAY],
    examples: [['plasma exit 0x1f3a', 'tells the bond, and when the money can arrive']],
    answers: { id: 'the output', use: 'what it was in before', ...TRANSACTION, exit: `null, or as exits tells it` },
    load: async () => (await leave()).exit,
  },
  {
    path: ['plasma', 'exits'],
    about: 'tell of each exit: its stage, what can still happen, and when the money arrives',
    args: [],
    options: [...HERE, { name: 'all', about: 'those that are over, too' }],
    examples: [['plasma exits', 'an exit whose time has come is paid by plasma process']],
    answers: {
      owner: 'address of the wallet',
      now: "second of layer 1's newest block",
      exits: `each ${EXIT}`,
      over: 'how many that are over are not told',
    },
    load: async () => (await look()).exits,
  },
  {
    path: ['plasma', 'exit-all'],
    about:
      'take everything out in as few transactions as there can be; tells groups, doubtful outputs, dust and the whole cost, and asks',
    args: [],
    options: [
      ...HERE,
      { name: 'yes', about: 'start without asking; without it and without a terminal only the plan is told' },
      { ...ANYWAY, about: 'doubtful outputs, too, each alone: whoever shows a spend takes half of its bond' },
      { name: 'dust', about: 'also what costs more gas to take out than it is worth' },
    ],
    examples: [
      ['plasma exit-all --json', 'the plan'],
      ['plasma exit-all --yes', 'interrupted and run again, it goes on'],
    ],
    answers: {
      groups: 'each { asset, amount, outputs, gas, payGas, feePerGas, bond, cost }; one transaction each; cost in wei',
      doubtful: 'each { id, asset, value }: in a payment that is not settled',
      unknown: 'each { id, asset, value }: locked under terms that the wallet was not told',
      dust: 'each { id, asset, value }: worth less than its gas',
      bond: 'wei that is posted and comes back',
      cost: 'wei that gas takes, about, being paid out included',
      started: 'each { outputs, transaction, block, gasUsed }',
    },
    load: async () => (await import('./ExitAll.ts')).exitAll,
  },
  {
    path: ['plasma', 'process'],
    about: 'let the court pay all exits of an asset whose time has come, whosever they are',
    args: [],
    options: [...HERE, ASSET],
    examples: [['plasma process', 'what cannot be pushed becomes a credit']],
    answers: {
      asset: 'whose exits',
      ...TRANSACTION,
      due: 'how many could be paid',
      paid: 'those of yours that were, as exits tells them',
      left: 'how many can still be paid: run it again',
    },
    load: async () => (await leave()).process,
  },
  {
    path: ['plasma', 'fly'],
    about:
      'take an open payment to layer 1 as a whole, when its block is withheld: its payees have the money, or you have yours back',
    args: [PAYMENT],
    options: [...HERE],
    examples: [['plasma fly 0x1f3a', 'the payee must piggyback in time to be paid']],
    answers: { txHash: 'the payment', ...TRANSACTION, exit: 'null, or as exits tells it' },
    load: async () => (await leave()).fly,
  },
  {
    path: ['plasma', 'piggyback'],
    about: 'want out with what is yours of an in-flight exit that somebody has started',
    args: [PAYMENT],
    options: [...HERE],
    examples: [[`plasma piggyback 0x${'5a'.repeat(32)}`, 'plasma exits tells until when']],
    answers: { txHash: 'the payment', ...TRANSACTION, exit: 'null, or as exits tells it' },
    load: async () => (await leave()).piggyback,
  },
  {
    path: ['plasma', 'claim'],
    about: 'take what the court could not pay out and keeps for you, or what locks have decided for you',
    args: [],
    options: [
      ...HERE,
      ASSET,
      { name: 'to', value: 'ADDRESS', about: 'who shall have it (you)' },
      { name: 'escrow', about: 'everything that waits in escrow and is decided for you' },
    ],
    examples: [['plasma claim', 'plasma balance tells whether there is a credit']],
    answers: { claims: 'each { asset, amount, to, transaction, block, gasUsed }' },
    load: async () => (await leave()).claim,
  },
  {
    path: ['plasma', 'secret'],
    about: 'make the secret of a lock that somebody shall pay under, and tell its SHA-256',
    args: [],
    options: [{ name: 'out', value: 'FILE', about: 'the new file that keeps the secret' }],
    examples: [['plasma secret --out swap.secret', 'the payer needs what it tells; the file stays here']],
    answers: { file: 'the new file', hash: 'SHA-256 of the secret' },
    load: async () => (await import('../Locks.ts')).secret,
  },
  {
    path: ['plasma', 'lock'],
    about: 'pay under a lock: the payee has it once the secret of a hash is public in time, else it is yours again',
    args: [{ name: 'TO', about: 'the address that is paid' }, AMOUNT],
    options: [
      ...HERE,
      ASSET,
      RAW,
      { name: 'hash', value: 'HASH', about: 'the SHA-256 of the secret, as plasma secret told the payee' },
      { name: 'within', value: 'TIME', about: 'how long the secret may take to be public on layer 1 (1d)' },
      { name: 'expiry', value: 'SECOND', about: 'the same as a second since 1970' },
      { name: 'fee', value: 'AMOUNT', about: 'what is left to the operator (what it asks for)' },
      { name: 'wait', value: 'TIME', about: 'how long to wait until it is certain: on layer 1, and checked (0s)' },
    ],
    examples: [
      [
        'plasma lock 0x5b38da6a701c568545dcfcb03fcb875f56beddc4 0.1 ETH --hash $HASH',
        'tells the terms in one word, which the payee needs',
      ],
    ],
    answers: {
      txHash: 'the payment',
      status: 'as plasma pay tells it',
      asset: 'zero for ether',
      amount: 'in smallest units',
      fee: 'what the operator gets of the same asset',
      to: 'who is paid with the secret',
      number: 'the block that it was promised a place in, or null',
      index: 'its place there, or null',
      lock: 'hash of the terms',
      hash: 'SHA-256 of the secret',
      expiry: 'last second in which it may become public',
      terms: 'the word that the payee needs',
    },
    load: async () => (await locking()).lock,
  },
  {
    path: ['plasma', 'learn'],
    about: 'tell the wallet the terms of a lock that pays it, as the payer told them',
    args: [{ name: 'TERMS', about: 'one word, kerros-lock:…' }],
    options: [...HERE],
    examples: [['plasma learn kerros-lock:WyIweDVhNWE', 'then plasma balance counts it as locked']],
    answers: {
      lock: 'hash of the terms',
      hash: 'SHA-256 of the secret',
      expiry: 'last second',
      refund: 'whose it is then',
    },
    load: async () => (await locking()).learn,
  },
  {
    path: ['plasma', 'reveal'],
    about: 'make a secret public on layer 1: whatever is locked under its hash for you is yours then',
    args: [],
    options: [...HERE, { name: 'secret-file', value: 'FILE', about: 'what plasma secret has written' }],
    examples: [['plasma reveal --secret-file swap.secret', 'decides channels’ locks on the same hash, too']],
    answers: { hash: 'SHA-256 of the secret', ...TRANSACTION },
    load: async () => (await locking()).reveal,
  },
]
