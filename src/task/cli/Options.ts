import type { Argument, Option } from './Command.ts'

// What several commands take.

/** The folder of a node. */
export const HOME: Option = { name: 'home', value: 'DIR', about: "the node's folder (KERROS_HOME, ~/.kerros)" }

/** The address of layer 1. */
export const RPC: Option = { name: 'rpc', value: 'URL', about: 'a node of layer 1 (KERROS_RPC, config.json)' }

/** The channel court. */
export const COURT: Option = {
  name: 'court',
  value: 'ADDRESS',
  about: 'the channel court (config.json, or the recorded deployment)',
}

/** A key that a person has. */
export const KEY: Option = { name: 'key-file', value: 'FILE', about: 'a Web3 keystore, or 64 hexadecimal digits' }

/** Where the password of the key stands. */
export const PASSWORD: Option = {
  name: 'password-file',
  value: 'FILE',
  about: "holds the key's password (KERROS_PASSWORD_FILE; else asked for)",
}

/** Where peers connect. */
export const LISTEN: Option = { name: 'listen', value: 'HOST:PORT', about: 'where peers connect (127.0.0.1:7420)' }

/** Where the API is. */
export const PORT: Option = {
  name: 'port',
  value: 'N',
  about: 'port of the API on loopback; 0 finds a free one (7421)',
}

/** When a block counts as final. */
export const DEPTH: Option = {
  name: 'confirmations',
  value: 'N',
  about: 'how deep a final block is, its own included (12; 1 on a local chain)',
}

/** Where reading begins. */
export const SINCE: Option = {
  name: 'since',
  value: 'BLOCK',
  about: "the first block to read (the court's, if it is known and young, or 50,000 back)",
}

/** A tower to tell. */
export const TOWER: Option = { name: 'tower', value: 'HOST:PORT', about: 'a watchtower to keep up to date' }

/** A second node of layer 1. */
export const CHECK_RPC: Option = {
  name: 'check-rpc',
  value: 'URL',
  about: 'a second node of layer 1: the first is believed about blocks only where this one says the same',
}

/** Amounts without units. */
export const RAW: Option = { name: 'raw', about: "the amount is a whole number of the asset's smallest unit" }

/** How long a command waits. */
export const WAIT: Option = { name: 'wait', value: 'TIME', about: 'how long to wait for its end, as in 30s or 2h (1m)' }

/** Where a file goes. */
export const OUT: Option = { name: 'out', value: 'FILE', about: 'write to this new file (standard output)' }

/** An amount with its unit. */
export const AMOUNT: Argument = { name: 'AMOUNT', about: 'with its unit: 0.25 ETH, 1 gwei, 12.5 USDC', rest: true }
