import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Hex, isHex, ZERO } from '../../../core/base/Bytes.ts'
import { addressOf } from '../../../core/base/Signature.ts'
import { type Chain, chainId as idOfChain, ownOf } from '../../../core/plasma/Chain.ts'
import { httpNode, type Node } from '../../../edge/chain/Node.ts'
import { type Registered, registrationOf } from '../../../edge/chain/Registered.ts'
import { operatorClient } from '../../../edge/http/OperatorClient.ts'
import { newKey, writeKeystore } from '../../../edge/key/Keystore.ts'
import { type Answer, type Call, option } from '../Command.ts'
import { checkCode, courtOn, deployedOn, headOf } from '../Init.ts'
import { keyFrom, passwordOf } from '../Key.ts'
import { confirmationsOn, isWhole } from '../Settings.ts'
import { facts } from '../Table.ts'
import { Misuse, Trouble } from '../Trouble.ts'
import { flagsOf, homeOf, idOf, type PlasmaConfig, type PlasmaHome } from './Settings.ts'

/** Where an own chain is served unless the operator is started with another --listen. */
const OWN = 'http://127.0.0.1:7430'

/** Makes a folder of Plasma: for a chain that somebody operates, or for a new one; nothing that is there is replaced. */
export async function init(call: Call): Promise<Answer> {
  const home = homeOf(call)
  refuseUsed(home)
  slotOf(call)
  const { rpc } = flagsOf(call)
  if (rpc === undefined) throw new Misuse('kerros plasma init needs a node of layer 1: --rpc URL, or KERROS_RPC')
  const node = await httpNode(rpc)
  try {
    const file = option(call, 'key-file')
    const key = file === undefined ? newKey() : await keyFrom(call, file)
    const config = await configFor(call, rpc, node, addressOf(key))
    const password = await passwordOf(call, 'the new key', true)
    mkdirSync(home.folder, { recursive: true, mode: 0o700 })
    const address = await writeKeystore(home.keystore, key, password)
    writeFileSync(home.config, `${JSON.stringify(config, null, 2)}\n`, { flag: 'wx' })
    const json = { home: home.folder, address, chain: idOf(config), isOperator: isOwn(call), ...config }
    return { json, text: words(home, address, config, isOwn(call)) }
  } finally {
    node.destroy()
  }
}

/** Two programs that send from one account would hinder each other: a node of channels keeps its key for itself. */
function refuseUsed({ folder, config, keystore }: PlasmaHome): void {
  if (existsSync(config))
    throw new Trouble('HomeExists', `${folder} is a folder of Plasma already: use it, or name another with --home`)
  const isNode = existsSync(join(folder, 'config.json'))
  if (isNode || existsSync(keystore))
    throw new Trouble(
      'HomeExists',
      `${folder} has ${isNode ? 'a node of channels' : 'a key'} in it: name another folder with --home`,
    )
}

/** Without a chain and without an operator that has one, the folder is for a new chain. */
function isOwn(call: Call): boolean {
  return option(call, 'operator') === undefined && option(call, 'chain') === undefined
}

async function configFor(call: Call, rpc: string, node: Node, address: Hex): Promise<PlasmaConfig> {
  const flags = flagsOf(call)
  const chainId = Number((await node.getNetwork()).chainId)
  const court = flags.court ?? courtOn('RootChain', BigInt(chainId), call)
  await checkCode(node, court)
  const confirmations = flags.confirmations ?? confirmationsOn(chainId)
  const common = { rpc, chainId, court, confirmations }
  const deployed = deployedOn(court, chainId, call)
  if (isOwn(call)) {
    const since = flags.since ?? (await headOf(node))
    const above = flags.parent === undefined ? [] : (await used(flags.parent)).path
    const own = { parent: above.length === 0 ? ZERO : idOf({ path: above }), slot: slotOf(call), operator: address }
    return { ...common, path: [...above, own], since, operator: OWN, parent: flags.parent ?? '' }
  }
  const operator = flags.operator ?? ''
  const { path, block: since } = await used(operator)
  return { ...common, path, since, operator, parent: '' }

  /** A chain that is registered: the one of an operator, or that of --chain. */
  async function used(operator: string): Promise<Registered> {
    const wanted = await wantedOf(call, operator, court)
    const known = await registrationOf(node, court, wanted, flags.since ?? deployed ?? 0)
    if (!known) throw new Trouble('UnknownChain', unknown(wanted, court, operator))
    return { ...known, path: checked(wanted, known.path) }
  }
}

/** The slot of --slot: a child chain needs one, a chain of the root level may have one. Throws Misuse. */
function slotOf(call: Call): number {
  const text = option(call, 'slot')
  if (text === undefined && option(call, 'parent') !== undefined)
    throw new Misuse('A child chain needs --slot: the number that the operator of its parent gives it')
  const slot = /^[0-9]{1,3}$/.test(text ?? '0') ? Number(text ?? '0') : 256
  if (!isWhole(slot, 0, 255)) throw new Misuse(`--slot ${text} is not understood: write a number from 0 to 255`)
  return slot
}

function unknown(chain: Hex, court: Hex, operator: string): string {
  const remedy = operator === '' ? 'check --chain and --court' : 'wait until its operator has registered it'
  return `Chain ${chain} is not registered at ${court} on layer 1: ${remedy}, and try again`
}

/** The chain that a person wants, or that the operator has; both must be the same. */
async function wantedOf(call: Call, operator: string, court: Hex): Promise<Hex> {
  const wanted = option(call, 'chain')?.toLowerCase()
  if (wanted !== undefined && !isHex(wanted, 32))
    throw new Misuse(`--chain ${wanted} is no chain: write 0x and 64 hexadecimal digits, as the operator tells it`)
  if (operator === '') return wanted as Hex
  const status = await operatorClient(operator).status()
  if (status.court !== court)
    throw new Trouble(
      'OtherCourt',
      `The operator at ${operator} works with ${status.court}, and this folder with ${court}: both must use the same`,
    )
  if (wanted !== undefined && wanted !== status.chain)
    throw new Trouble('WrongChain', `The operator at ${operator} has chain ${status.chain}, not ${wanted}: ask its own`)
  return status.chain
}

/** A chain's id is the hash of what it is, so a node that lies about it is caught. */
function checked(id: Hex, path: readonly Chain[]): readonly Chain[] {
  if (path.length > 0 && idOfChain(path.at(-1)!) === id) return path
  throw new Trouble('Malformed', `The node of layer 1 tells of chain ${id} what it is not: name another with --rpc`)
}

function words(home: PlasmaHome, address: Hex, config: PlasmaConfig, isOwn: boolean): string {
  const { chainId, court, operator, since } = config
  const rows = facts([
    ['folder', home.folder],
    ['key', `${home.keystore}, encrypted under your password: keep a copy of both`],
    ['address', `${address}: ${isOwn ? 'it registers and commits' : 'it owns what you have'}; send it ether for gas`],
    ['court', `${court} on chain ${chainId}`],
    ['chain', `${idOf(config)}${isOwn ? ', new: its operator is this address' : ''}`],
    ['history', `from block ${since} on`],
    ['operator', operator === '' ? 'none: only what layer 1 alone can do' : operator],
  ])
  const { slot } = ownOf(config.path)
  const consent = `the operator of the parent must say: kerros plasma operator consent ${address} --slot ${slot}`
  const next = config.parent !== '' ? consent : `kerros plasma ${isOwn ? 'operator start' : 'deposit 1 ETH'}`
  return `${rows}\nNext: ${next}`
}
