import type { Command } from '../Command.ts'
import { DEPTH, KEY, PASSWORD } from '../Options.ts'
import { ASSET, HERE, HOME, OPERATOR, RPC } from './Options.ts'

/** The commands that make a folder of Plasma, and those that stay. */
export const DAEMONS: readonly Command[] = [
  {
    path: ['plasma', 'init'],
    about:
      "make a folder with settings and an encrypted key: for an operator's chain, or without --operator and --chain for a new chain of your own",
    args: [],
    options: [
      ...[HOME, RPC, OPERATOR],
      {
        name: 'chain',
        value: 'ID',
        about: "the chain's id: the operator must have this one; alone, for a chain whose operator is gone",
      },
      { name: 'parent', value: 'URL', about: 'the API of another operator, under whose chain yours shall be a child' },
      { name: 'slot', value: 'N', about: "a child's number, 0 to 255, as its parent's operator gives it" },
      { name: 'court', value: 'ADDRESS', about: 'the root chain contract (the recorded deployment)' },
      { name: 'since', value: 'BLOCK', about: 'look for the chain from this block of layer 1 on' },
      ...[DEPTH, KEY, PASSWORD],
    ],
    examples: [
      ['plasma init --rpc http://127.0.0.1:8545 --operator http://127.0.0.1:7430', 'a wallet on that chain'],
      ['plasma init --home op --rpc http://127.0.0.1:8545', 'for a chain of your own: then plasma operator start'],
    ],
    answers: {
      home: 'the folder',
      address: 'whose key it is',
      chain: "the chain's id",
      isOperator: 'whether it is a new chain of that address',
      rpc: 'as in plasma.json, like all that follow',
      chainId: 'of layer 1',
      court: 'the root chain contract',
      path: 'the chain with its ancestors, each { parent, slot, operator }',
      since: 'first block of layer 1 that is read',
      operator: "address of the operator's API, or empty",
      parent: "address of the parent's operator's API, for a child of your own, or empty",
      confirmations: 'how deep a final block is',
    },
    load: async () => (await import('./Init.ts')).init,
  },
  {
    path: ['plasma', 'operator', 'start'],
    about:
      'run the operator of your own chain until Ctrl-C: it registers the chain, serves its API, seals blocks and commits them',
    args: [],
    options: [
      ...[HOME, RPC, PASSWORD],
      { name: 'listen', value: 'HOST:PORT', about: 'where the API is (127.0.0.1:7430)' },
      { name: 'every', value: 'TIME', about: 'seal a block so often, if it has transactions (10s)' },
      { name: 'most', value: 'N', about: 'seal it earlier with so many transactions (65000)' },
      { name: 'fee', value: 'AMOUNT', about: 'what each transaction must leave, as in "10 gwei" (nothing)' },
      { ...ASSET, about: 'what the fee is paid in (ETH)' },
      { name: 'parent', value: 'URL', about: "the API of the parent's operator, for a child chain (plasma.json)" },
      {
        name: 'consent',
        value: 'SIGNATURE',
        about: "what the parent's operator has signed, until a child is registered",
      },
    ],
    examples: [['plasma operator start --home op --every 30s --fee "20 gwei"', 'tells the address of its API']],
    answers: {
      home: 'the folder',
      operator: 'address that commits',
      chain: "the chain's id",
      api: 'where the API is',
      committed: 'blocks on layer 1',
    },
    load: async () => (await import('./Operator.ts')).start,
  },
  {
    path: ['plasma', 'operator', 'consent'],
    about: 'sign that somebody may register a child chain in a slot under yours',
    args: [{ name: 'OPERATOR', about: "the address of the child's operator" }],
    options: [
      HOME,
      RPC,
      { name: 'slot', value: 'N', about: 'a number from 0 to 255 that no other child has' },
      PASSWORD,
    ],
    examples: [
      [
        'plasma operator consent 0x5b38da6a701c568545dcfcb03fcb875f56beddc4 --slot 1',
        "the child's operator gives it to plasma operator start, once",
      ],
    ],
    answers: {
      chain: "the child's id",
      parent: 'the id of your chain',
      slot: 'its number',
      operator: 'its operator',
      consent: 'the signature',
    },
    load: async () => (await import('./Operator.ts')).consent,
  },
  {
    path: ['plasma', 'watch'],
    about:
      "watch a chain until Ctrl-C: check every block, answer every exit of what was spent, tell alarms, and take what the folder's key owns to layer 1 once the chain is bad",
    args: [],
    options: [
      ...HERE,
      { name: 'webhook', value: 'URL', about: 'post each alarm there as JSON: { name, number, ids, detail }' },
      { name: 'listen', value: 'HOST:PORT', about: 'serve its status, alarms and blocks there (nowhere)' },
      {
        name: 'also',
        value: 'URL',
        about: 'another operator or watcher to ask for blocks that the operator does not serve',
      },
      { name: 'only-warn', about: 'take nothing of your own out by itself' },
    ],
    examples: [
      [
        'plasma watch --home tower',
        'its address pays for answers and bonds, and earns half of each bond that it answers',
      ],
    ],
    answers: {
      home: 'the folder',
      chain: "the chain's id",
      sender: 'address that pays for answers',
      operator: 'who is asked for blocks',
      api: 'null, or where its own API is',
    },
    load: async () => (await import('./Watch.ts')).start,
  },
]
