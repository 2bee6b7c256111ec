import type { Argument, Command } from './Command.ts'
import {
  AMOUNT,
  CHECK_RPC,
  COURT,
  DEPTH,
  HOME,
  KEY,
  LISTEN,
  OUT,
  PASSWORD,
  PORT,
  RAW,
  RPC,
  SINCE,
  TOWER,
  WAIT,
} from './Options.ts'
import { PLASMA } from './plasma/Commands.ts'

const ID: Argument = { name: 'ID', about: 'the id of a channel, or enough of its beginning' }
const LOCK: Argument = { name: 'LOCK', about: 'the number of a lock towards this side, as channel locks tells it' }

const channel = async () => import('./Channel.ts')
const locking = async () => import('./Locks.ts')

/** Every command of kerros, in the order of a user's life. */
export const COMMANDS: readonly Command[] = [
  {
    path: ['init'],
    about: "make a node's folder: its settings, and a key that is encrypted under a password",
    args: [],
    options: [HOME, RPC, COURT, SINCE, LISTEN, PORT, DEPTH, KEY, PASSWORD],
    examples: [
      [
        'init --rpc http://127.0.0.1:8545',
        'asks twice for a new password; tells the address that pays for transactions',
      ],
      ['init --home alice --rpc URL --key-file alice.key --password-file alice.pw', 'takes a key that you have'],
    ],
    load: async () => (await import('./Init.ts')).init,
  },
  {
    path: ['node', 'start'],
    about: 'run the node until Ctrl-C: it talks to its peers, follows layer 1, and answers the other commands',
    args: [],
    options: [HOME, RPC, CHECK_RPC, COURT, LISTEN, PORT, DEPTH, PASSWORD, TOWER],
    examples: [
      ['node start', "tells the node's peer address, which others need to open a channel"],
      [
        'node start --home alice --password-file alice.pw --json',
        'answers once, with its addresses; progress goes to stderr',
      ],
    ],
    load: async () => (await import('./Node.ts')).start,
  },
  {
    path: ['status'],
    about: 'tell whether the node runs, and where the money is',
    args: [],
    options: [HOME, RPC],
    examples: [['status', 'on layer 1, in channels, on its way back']],
    load: async () => (await import('./Status.ts')).status,
  },
  {
    path: ['channel', 'open'],
    about: 'make the terms of a channel with a peer, or take those that the peer has made; both must do one of the two',
    args: [
      {
        name: 'PEER',
        about: 'the peer as its node tells it: 0x…@host:port; without @ it must call this node',
        optional: true,
      },
    ],
    options: [
      HOME,
      { name: 'asset', value: 'ASSET', about: "ETH, or a token's address (ETH)" },
      { name: 'period', value: 'TIME', about: 'to answer an old state in court, as in 12h or 7d (1d)' },
      { name: 'peer-owner', value: 'ADDRESS', about: "who is paid on the peer's side (the peer itself)" },
      { name: 'terms', value: 'TERMS', about: 'the terms that the peer has made: one word, kerros:…' },
    ],
    examples: [
      [
        'channel open 0x5b38da6a701c568545dcfcb03fcb875f56beddc4@192.0.2.7:7420 --period 2d',
        'makes terms, and tells what the peer must type',
      ],
      ['channel open --terms kerros:WzMxMzM3', 'takes them'],
    ],
    load: async () => (await import('./Open.ts')).open,
  },
  {
    path: ['channel', 'list'],
    about: 'tell of every channel of the node, a line each',
    args: [],
    options: [HOME],
    examples: [['channel list --json', 'all that the node knows of each, as JSON']],
    load: async () => (await channel()).list,
  },
  {
    path: ['channel', 'show'],
    about: 'tell of one channel: with whom, how far it is, and where the money is',
    args: [ID],
    options: [HOME],
    examples: [['channel show 0x1f3a', 'the beginning of an id is enough']],
    load: async () => (await channel()).show,
  },
  {
    path: ['channel', 'deposit'],
    about: 'lock money on this side of a channel; answers once the transaction is mined',
    args: [ID, AMOUNT],
    options: [
      HOME,
      RAW,
      {
        name: 'deposit',
        value: 'ID',
        about: 'the id of the deposit, 32 bytes; however often it is asked for, it is made once',
      },
      { name: 'wait', value: 'TIME', about: 'how long to wait until its block is final, too (0s)' },
    ],
    examples: [
      ['channel deposit 0x1f3a 0.25 ETH', 'can be paid once its block is final; tells of its transaction meanwhile'],
    ],
    load: async () => (await channel()).deposit,
  },
  {
    path: ['channel', 'pay'],
    about: 'pay the peer; answers once both sides have signed it',
    args: [ID, AMOUNT],
    options: [
      HOME,
      RAW,
      { name: 'memo', value: 'TEXT', about: 'for the payee: text, or bytes as 0x…' },
      {
        name: 'payment',
        value: 'ID',
        about: 'the id of the payment, 32 bytes; however often it is asked for, it is paid once',
      },
      WAIT,
    ],
    examples: [
      ['channel pay 0x1f3a 0.001 ETH --memo "two coffees"', 'tells the id of the payment, which a receipt needs'],
      ['channel pay 0x1f3a 1 --raw', 'one smallest unit'],
    ],
    load: async () => (await channel()).pay,
  },
  {
    path: ['channel', 'payments'],
    about: 'tell what a channel has paid, both ways, the oldest first',
    args: [ID],
    options: [HOME, { name: 'after', value: 'PLACE', about: 'go on where an earlier page ended, as it told' }],
    examples: [['channel payments 0x1f3a', 'id, direction, amount, version, memo']],
    load: async () => (await channel()).payments,
  },
  {
    path: ['channel', 'secret'],
    about: 'make the secret of a lock that the peer shall make, and tell its SHA-256',
    args: [],
    options: [{ name: 'out', value: 'FILE', about: 'the new file that keeps the secret' }],
    examples: [['channel secret --out coffee.secret', 'the payer needs what it tells; the file stays here']],
    load: async () => (await locking()).secret,
  },
  {
    path: ['channel', 'lock'],
    about: 'pay the peer under a condition: it takes the amount with the secret of a hash, or the lock ends unpaid',
    args: [ID, AMOUNT],
    options: [
      HOME,
      RAW,
      { name: 'hash', value: 'HASH', about: 'the SHA-256 of the secret, as the payee told it' },
      { name: 'within', value: 'TIME', about: 'how long the payee may take it (1d)' },
      { name: 'expiry', value: 'SECOND', about: 'the same as a second since 1970, to ask for a lock again' },
      {
        name: 'payment',
        value: 'ID',
        about: 'the id of the payment, 32 bytes (the hash); however often it is asked for, one lock is made',
      },
      WAIT,
    ],
    examples: [[`channel lock 0x1f3a 0.01 ETH --hash 0x${'5a'.repeat(32)}`, 'answers once both have signed it']],
    load: async () => (await locking()).lock,
  },
  {
    path: ['channel', 'locks'],
    about: 'tell of the open locks of a channel, both ways',
    args: [ID],
    options: [HOME],
    examples: [['channel locks 0x1f3a', 'number, direction, amount, until when, hash']],
    load: async () => (await locking()).locks,
  },
  {
    path: ['channel', 'fulfil'],
    about: 'take a lock of the peer with its secret; it will be paid, here or on layer 1',
    args: [ID, LOCK],
    options: [HOME, { name: 'secret-file', value: 'FILE', about: 'what channel secret has written' }, WAIT],
    examples: [['channel fulfil 0x1f3a 1 --secret-file coffee.secret', 'answers once both have signed it']],
    load: async () => (await locking()).fulfil,
  },
  {
    path: ['channel', 'fail'],
    about: 'give a lock of the peer up: nothing is paid, and the peer has its money back at once',
    args: [ID, LOCK],
    options: [HOME, { name: 'reason', value: 'NAME', about: 'told to the peer, in one word (Declined)' }, WAIT],
    examples: [['channel fail 0x1f3a 1 --reason SoldOut', 'answers once both have signed it']],
    load: async () => (await locking()).fail,
  },
  {
    path: ['channel', 'claim'],
    about: 'take what the court could not pay and keeps for you',
    args: [ID],
    options: [HOME, { name: 'to', value: 'ADDRESS', about: 'who shall have it (the owner of this side)' }],
    examples: [['channel claim 0x1f3a', 'channel show tells whether there is a credit']],
    load: async () => (await locking()).claim,
  },
  {
    path: ['channel', 'withdraw'],
    about: 'take money out of an open channel, with the signature of the peer',
    args: [ID, AMOUNT],
    options: [HOME, RAW, { name: 'within', value: 'TIME', about: 'how long it may take until it is void (1h)' }, WAIT],
    examples: [['channel withdraw 0x1f3a 0.1 ETH', 'the channel stays open, with so much less']],
    load: async () => (await channel()).withdraw,
  },
  {
    path: ['channel', 'close'],
    about: 'end a channel by agreement; in court if the peer does not answer in time',
    args: [ID],
    options: [HOME, WAIT],
    examples: [['channel close 0x1f3a --wait 0s', 'only asks; the node goes on with it by itself']],
    load: async () => (await channel()).close,
  },
  {
    path: ['channel', 'challenge'],
    about: 'end a channel in court, with the newest state; the peer has the challenge period to show a newer one',
    args: [ID],
    options: [HOME, WAIT],
    examples: [['channel challenge 0x1f3a', 'the node settles when the period is over']],
    load: async () => (await channel()).challenge,
  },
  {
    path: ['channel', 'export'],
    about: 'write what it takes to end a channel on a machine that has nothing else: its rescue file, without the key',
    args: [ID],
    options: [HOME, OUT],
    examples: [
      ['channel export 0x1f3a --out 1f3a.json', 'keep it away from this machine; each payment makes it older'],
    ],
    load: async () => (await channel()).exportFile,
  },
  {
    path: ['channel', 'rescue'],
    about: 'end a channel from its rescue file on a machine that has nothing else; stopped and run again, it goes on',
    args: [{ name: 'FILE', about: 'what channel export has written' }],
    options: [{ ...RPC, about: 'a node of layer 1 (KERROS_RPC)' }, KEY, PASSWORD, DEPTH],
    examples: [
      ['channel rescue 1f3a.json --rpc https://rpc.example --key-file key.json', 'stays until the court has paid'],
    ],
    load: async () => (await import('./Rescue.ts')).rescue,
  },
  {
    path: ['receipt', 'get'],
    about: 'write the proof of a payment that this side has made, which the payee has signed',
    args: [ID, { name: 'PAYMENT', about: 'the id of the payment, as channel pay told it' }],
    options: [HOME, OUT],
    examples: [[`receipt get 0x1f3a 0x${'5a'.repeat(32)} --out coffee.json`, 'anybody can verify it']],
    load: async () => (await channel()).receipt,
  },
  {
    path: ['receipt', 'verify'],
    about: 'tell what a receipt proves; asks nobody',
    args: [{ name: 'FILE', about: 'a receipt' }],
    options: [HOME, { ...COURT, about: "the court that you trust (the one of the node's folder)" }],
    examples: [
      [
        'receipt verify coffee.json --court 0x5fbdb2315678afecb367f032d93f642f64180aa3',
        'exit code 1 if it proves nothing there',
      ],
    ],
    load: async () => (await import('./Receipt.ts')).verify,
  },
  {
    path: ['tower', 'start'],
    about: 'run a watchtower until Ctrl-C: it answers old states for nodes that are away, and can steal nothing',
    args: [],
    options: [HOME, RPC, COURT, LISTEN, DEPTH, PASSWORD],
    examples: [['tower start --home tower', 'a folder of its own, made by kerros init; its address pays for answers']],
    load: async () => (await import('./Tower.ts')).start,
  },
  ...PLASMA,
]
