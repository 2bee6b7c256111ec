import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Hex, isHex } from '../../../core/base/Bytes.ts'
import { type Chain, chainId } from '../../../core/plasma/Chain.ts'
import { type Call, option } from '../Command.ts'
import { type Checks, given, isPlace, isWhole, readChecked } from '../Settings.ts'
import { Misuse, Trouble } from '../Trouble.ts'

/** What plasma.json says. */
export interface PlasmaConfig {
  /** Address of a node of layer 1, and the chain that it must be. */
  readonly rpc: string
  readonly chainId: number
  /** Address of the root chain contract. */
  readonly court: Hex
  /** The chain that is used: its ancestors from the root level, itself last. */
  readonly path: readonly Chain[]
  /** The first block of layer 1 that is read: nothing happened to the chain before it. */
  readonly since: number
  /** Address of the operator's API; empty if none is known. */
  readonly operator: string
  /** Address of the parent's operator's API, for a child chain of one's own; else empty. */
  readonly parent: string
  /** How deep a block of layer 1 must be to be final, its own included. */
  readonly confirmations: number
}

/** A folder of Plasma and what its files are called. */
export interface PlasmaHome {
  readonly folder: string
  readonly config: string
  readonly keystore: string
  readonly wallet: string
  readonly operator: string
  readonly watcher: string
  readonly units: string
  /** Where the operator of this folder listens, while it runs. */
  readonly running: string
}

/** The folder: --home, then KERROS_HOME, then ~/.kerros/plasma. */
export function homeOf(call: Call): PlasmaHome {
  const folder = resolve(option(call, 'home') ?? (call.env.KERROS_HOME || join(homedir(), '.kerros', 'plasma')))
  const file = (...names: readonly string[]) => join(folder, ...names)
  return {
    folder,
    config: file('plasma.json'),
    keystore: file('key.json'),
    wallet: file('wallet.sqlite'),
    operator: file('operator.sqlite'),
    watcher: file('watcher.sqlite'),
    units: file('units.json'),
    running: file('operator.json'),
  }
}

const CHECKS: Checks<PlasmaConfig> = {
  rpc: [(value) => isUrl(value), 'an address as http://127.0.0.1:8545'],
  chainId: [(value) => isWhole(value, 1), 'a chain id as 1'],
  court: [(value) => isHex(value, 20), 'an address of 0x and 40 lowercase hexadecimal digits'],
  path: [isPath, 'the chains from the root level to the one that is used, as kerros plasma init writes them'],
  since: [(value) => isWhole(value, 0), 'a block number as 0'],
  operator: [(value) => value === '' || isUrl(value), 'an address as http://127.0.0.1:7430, or "" if none is known'],
  parent: [(value) => value === '' || isUrl(value), 'an address as http://127.0.0.1:7430, or "" if there is none'],
  confirmations: [(value) => isWhole(value, 1, 1000), 'a number from 1 to 1000'],
}

/** Whether a text is the address of something that speaks HTTP. */
export function isUrl(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value)
}

/** Chains that hang together: each is a child of the one before it, the first of none. */
function isPath(value: unknown): boolean {
  if (!Array.isArray(value) || value.length < 1 || value.length > 3) return false
  return (value as readonly Partial<Chain>[]).every((one, depth) => {
    const above = value[depth - 1] as Chain | undefined
    const parent = above === undefined ? `0x${'00'.repeat(32)}` : isChain(above) && chainId(above)
    return isChain(one) && one.parent === parent
  })
}

function isChain(value: Partial<Chain>): value is Chain {
  return isHex(value?.parent, 32) && isWhole(value.slot, 0, 255) && isHex(value.operator, 20)
}

/** What holds for this call: flags, then KERROS_RPC, then plasma.json. Troubles: NoConfig, BadConfig, Usage. */
export function configOf(call: Call): PlasmaConfig {
  const { folder, config: file } = homeOf(call)
  if (!existsSync(file))
    throw new Trouble(
      'NoConfig',
      `${folder} is no folder of Plasma: make one with kerros plasma init, or name it with --home`,
    )
  return { ...readChecked(file, CHECKS), ...flagsOf(call) }
}

/** What the flags and the environment say of the settings. Throws Misuse. */
export function flagsOf(call: Call): Partial<Omit<PlasmaConfig, 'chainId' | 'path'>> {
  const { rpc, court, since, confirmations } = given(call)
  const all = { rpc, court, since, confirmations, operator: urlOf(call, 'operator'), parent: urlOf(call, 'parent') }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** The address that an option names, without a slash at its end. Throws Misuse. */
export function urlOf(call: Call, name: string): string | undefined {
  const url = option(call, name)?.replace(/\/+$/, '')
  if (url === undefined || isUrl(url)) return url
  throw new Misuse(`--${name} ${url} is not understood: write an address as http://127.0.0.1:7430`)
}

/** The id of the chain that is used. */
export function idOf({ path }: Pick<PlasmaConfig, 'path'>): Hex {
  return chainId(path.at(-1)!)
}

/** Where the operator answers: the one that runs on this folder, if one does, else the one of the settings. */
export function operatorOf({ running }: PlasmaHome, { operator }: PlasmaConfig): string {
  try {
    const { api } = JSON.parse(readFileSync(running, 'utf8')) as { readonly api: unknown }
    return isUrl(api) ? api : operator
  } catch {
    return operator
  }
}

/** "host:port" of --listen. Throws Misuse. */
export function listenOf(call: Call): readonly [host: string, port: number] {
  const text = option(call, 'listen') ?? '127.0.0.1:7430'
  if (!isPlace(text)) throw new Misuse(`--listen ${text} is not understood: write a host and a port as 127.0.0.1:7430`)
  const at = text.lastIndexOf(':')
  return [text.slice(0, at).replace(/^\[(.*)\]$/, '$1'), Number(text.slice(at + 1))]
}
