import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Hex, isHex } from '../../core/base/Bytes.ts'
import { type Call, option } from './Command.ts'
import { Misuse, nearest, Trouble } from './Trouble.ts'

/** What config.json says. */
export interface Config {
  /** Address of a node of layer 1. */
  readonly rpc: string
  /** The chain that it must be. */
  readonly chainId: number
  /** Address of the channel court. */
  readonly court: Hex
  /** The first block that is read: a channel that the court has dealt with before it is not opened. */
  readonly since: number
  /** Where peers connect: "host:port". */
  readonly listen: string
  /** The port of the API on loopback; 0 finds a free one. */
  readonly port: number
  /** How deep a block must be to be final, its own included. */
  readonly confirmations: number
}

/** A node's folder and what its files are called. */
export interface Home {
  readonly folder: string
  readonly config: string
  readonly keystore: string
  readonly store: string
  /** What tokens call themselves, as the chain has said. */
  readonly units: string
  /** What belongs to this machine and in no backup: the API's token, the running node's addresses, the generation. */
  readonly live: string
  readonly token: string
  readonly running: string
  readonly generation: string
}

/** The node's folder: --home, then KERROS_HOME, then ~/.kerros. */
export function homeOf(call: Call): Home {
  const folder = resolve(option(call, 'home') ?? (call.env.KERROS_HOME || join(homedir(), '.kerros')))
  const file = (...names: readonly string[]) => join(folder, ...names)
  return {
    folder,
    config: file('config.json'),
    keystore: file('key.json'),
    store: file('node.sqlite'),
    units: file('units.json'),
    live: file('live'),
    token: file('live', 'token'),
    running: file('live', 'node.json'),
    generation: file('live', 'generation'),
  }
}

const CHECKS: Checks<Config> = {
  rpc: [(value) => typeof value === 'string' && /^https?:\/\//.test(value), 'an address as http://127.0.0.1:8545'],
  chainId: [(value) => isWhole(value, 1), 'a chain id as 1'],
  court: [(value) => isHex(value, 20), 'an address of 0x and 40 lowercase hexadecimal digits'],
  since: [(value) => isWhole(value, 0), 'a block number as 0'],
  listen: [(value) => typeof value === 'string' && isPlace(value), 'a host and a port as 127.0.0.1:7420'],
  port: [(value) => isWhole(value, 0, 65_535), 'a port as 7421, or 0 for any'],
  confirmations: [(value) => isWhole(value, 1, 1000), 'a number from 1 to 1000'],
}

/** Whether a value is a whole number in a range, its ends included. */
export function isWhole(value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
}

/** Whether a text is "host:port". */
export function isPlace(text: string): boolean {
  const port = /:([0-9]{1,5})$/.exec(text)?.[1]
  return port !== undefined && text.length > port.length + 1 && isWhole(Number(port), 0, 65_535)
}

/** What holds for this call: flags, then KERROS_RPC, then config.json. Troubles: NoConfig, BadConfig, Usage. */
export function configOf(call: Call): Config {
  return { ...readConfig(homeOf(call)), ...given(call) }
}

/** What the flags and the environment say of the configuration. Throws Misuse. */
export function given(call: Call): Partial<Config> {
  const rpc = option(call, 'rpc') ?? (call.env.KERROS_RPC || undefined)
  const fields: readonly (readonly [keyof Config, unknown])[] = [
    ['rpc', rpc],
    ['court', option(call, 'court')?.toLowerCase()],
    ['listen', option(call, 'listen')],
    ['since', numberOf(option(call, 'since'))],
    ['port', numberOf(option(call, 'port'))],
    ['confirmations', numberOf(option(call, 'confirmations'))],
  ]
  const set = fields.filter(([, value]) => value !== undefined)
  for (const [field, value] of set) {
    const [fits, need] = CHECKS[field]
    // The end of an RPC's address is often a password.
    const had = field === 'rpc' ? 'the address of the chain (--rpc, KERROS_RPC)' : `--${field} ${value}`
    if (!fits(value)) throw new Misuse(`${had} is not understood: write ${need}`)
  }
  return Object.fromEntries(set)
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN
}

/** What config.json of a node's folder says. Troubles: NoConfig, BadConfig. */
export function readConfig({ folder, config: file }: Home): Config {
  if (!existsSync(file))
    throw new Trouble('NoConfig', `${folder} is no folder of a node: make one with kerros init, or name it with --home`)
  return readChecked(file, CHECKS)
}

/** What a file of settings must say of each field: whether a value fits, and what to write instead. */
export type Checks<Settings> = {
  readonly [Field in keyof Settings]: readonly [fits: (value: unknown) => boolean, need: string]
}

/** The settings in a file, every field of them and no other. Troubles: BadConfig. */
export function readChecked<Settings>(file: string, checks: Checks<Settings>): Settings {
  const config = parse(file)
  for (const field of Object.keys(config)) {
    if (field in checks) continue
    const near = nearest(field, Object.keys(checks))
    throw bad(file, `has "${field}", which kerros does not know${near ? `; did you mean "${near}"?` : ''}`)
  }
  for (const [field, [fits, need]] of Object.entries<Checks<Settings>[keyof Settings]>(checks)) {
    if (!fits(config[field])) throw bad(file, `needs "${field}" to be ${need}`)
  }
  return config as unknown as Settings
}

function parse(file: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {}
  throw bad(file, 'is no JSON object')
}

function bad(file: string, what: string): Trouble {
  return new Trouble('BadConfig', `${file} ${what}: mend that line of it`)
}

/** Chains of one machine: their blocks come when somebody asks for them, so one is final at once. */
const LOCAL = [31337, 1337]

/** How deep a final block is on a chain unless somebody says otherwise. */
export function confirmationsOn(chainId: number): number {
  return LOCAL.includes(chainId) ? 1 : 12
}
