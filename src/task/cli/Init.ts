import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Hex } from '../../core/base/Bytes.ts'
import { type CourtName, deployedIn, deploymentFile, recorded } from '../../edge/chain/Deployment.ts'
import { httpNode, type Node } from '../../edge/chain/Node.ts'
import { newKey, writeKeystore } from '../../edge/key/Keystore.ts'
import { type Answer, type Call, option } from './Command.ts'
import { keyFrom, passwordOf } from './Key.ts'
import { type Config, confirmationsOn, given, type Home, homeOf } from './Settings.ts'
import { facts } from './Table.ts'
import { Misuse, Trouble } from './Trouble.ts'

/** About a week: a peer may have deposited before this node knew of the channel. Blocks are read one by one. */
const BEFORE = 50_000

/** Makes a node's folder; nothing that is there is replaced. */
export async function init(call: Call): Promise<Answer> {
  const home = homeOf(call)
  if (existsSync(home.config))
    throw new Trouble('HomeExists', `${home.folder} is a node's folder already: use it, or name another with --home`)
  const config = await configFor(call)
  const file = option(call, 'key-file')
  const key = file === undefined ? newKey() : await keyFrom(call, file)
  const password = await passwordOf(call, 'the new key', true)
  mkdirSync(home.folder, { recursive: true, mode: 0o700 })
  const address = await writeKeystore(home.keystore, key, password)
  writeFileSync(home.config, `${JSON.stringify(config, null, 2)}\n`, { flag: 'wx' })
  return { json: { home: home.folder, address, ...config }, text: words(home, address, config, call) }
}

async function configFor(call: Call): Promise<Config> {
  const flags = given(call)
  if (flags.rpc === undefined) throw new Misuse('kerros init needs a node of layer 1: --rpc URL, or KERROS_RPC')
  const node = await httpNode(flags.rpc)
  try {
    const chainId = Number((await node.getNetwork()).chainId)
    const court = flags.court ?? courtOn('Adjudicator', BigInt(chainId), call)
    await checkCode(node, court)
    const since = flags.since ?? firstBlock(await headOf(node), deployedOn(court, chainId, call))
    if (since > (await headOf(node))) throw new Misuse(`--since ${since} is no block yet: name an older one`)
    const confirmations = confirmationsOn(chainId)
    const settings = { rpc: flags.rpc, chainId, court, since }
    return { ...settings, listen: '127.0.0.1:7420', port: 7421, confirmations, ...flags }
  } finally {
    node.destroy()
  }
}

/** The number of the newest block. */
export async function headOf(node: Node): Promise<number> {
  return Number(await node.send('eth_blockNumber', []))
}

/** The court's own block where that is known and not long ago. A record of another chain of the same id tells of none. */
function firstBlock(head: number, deployed: number | undefined): number {
  return Math.max(0, head - BEFORE, deployed !== undefined && deployed <= head ? deployed : 0)
}

/** Where deployments are recorded: in the folder that the command runs in, or in the one that kerros lies in. */
function recordsFor({ env }: Call): readonly string[] {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  return [env.KERROS_IGNITION ?? 'ignition', join(root, 'ignition')].map((one) => join(one, 'deployments'))
}

/** The block in which a court was deployed, where a record tells it. */
export function deployedOn(court: Hex, chainId: number, call: Call): number | undefined {
  const known = recordsFor(call).map((folder) => deployedIn(court, BigInt(chainId), folder))
  return known.find((block) => block !== undefined)
}

/** The recorded court of a chain. Troubles: NotDeployed. */
export function courtOn(name: CourtName, chainId: bigint, call: Call): Hex {
  const folders = recordsFor(call)
  for (const folder of folders) {
    const court = recorded(chainId, folder)[name]
    if (court) return court
  }
  const file = deploymentFile(chainId, folders[0])
  throw new Trouble(
    'NotDeployed',
    `No court is recorded for chain ${chainId} in ${file}: name one with --court ADDRESS, or run npm run deploy`,
  )
}

/** Throws NotDeployed unless there is a contract. */
export async function checkCode(node: Node, court: Hex): Promise<void> {
  if ((await node.send('eth_getCode', [court, 'latest'])) !== '0x') return
  throw new Trouble(
    'NotDeployed',
    `There is no contract at ${court} on this chain: name the court with --court ADDRESS`,
  )
}

function words({ folder, keystore }: Home, address: Hex, config: Config, call: Call): string {
  const { chainId, court, listen, since } = config
  const isWhole = since <= (deployedOn(court, chainId, call) ?? 0)
  const unread =
    'what came before is not read: a channel that layer 1 has dealt with is refused, an older deposit does not count'
  const rows = facts([
    ['folder', folder],
    ['key', `${keystore}, encrypted under your password: keep a copy of both`],
    ['address', `${address}: it signs states and pays for transactions; send it ether`],
    ['court', `${court} on chain ${chainId}`],
    ['history', `from block ${since} on; ${isWhole ? 'the court is no older' : unread}`],
    ['peers', `${listen}: where they will connect`],
  ])
  return `${rows}\nNext: kerros node start`
}
