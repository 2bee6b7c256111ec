// Deploys both courts through Ignition; run again, it finds what is there and deploys nothing.
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import hre from 'hardhat'
import rootChainModule from '../ignition/modules/RootChain.ts'
import type { Hex } from '../src/core/base/Bytes.ts'
import { deploymentFile, recorded } from '../src/edge/chain/Deployment.ts'
import { Fault, reason } from '../src/edge/Fault.ts'

const HELP = `npm run deploy -- [--network NAME] [--reset]

Deploys Adjudicator and RootChain to a network of hardhat.config.ts and records their addresses in
ignition/deployments/chain-ID/deployed_addresses.json. Run again, it deploys nothing that is already there.

  --network NAME   default: localhost, which npm run chain serves
  --reset          forget what was recorded for this chain and deploy anew
  --help           this text
Environment: KERROS_RPC (the chain behind localhost), KERROS_IGNITION (the folder of the records).`

const OPTIONS = { network: { type: 'string' }, reset: { type: 'boolean' }, help: { type: 'boolean' } } as const

type Connection = Awaited<ReturnType<typeof hre.network.create>>

async function connect(name: string): Promise<Connection> {
  const known = Object.entries(hre.config.networks).filter(([, config]) => config.type === 'http')
  const names = known.map(([network]) => network).join(', ')
  const config = known.find(([network]) => network === name)?.[1]
  if (!config) throw new Fault('WrongNetwork', `"${name}" is no network to deploy to: --network takes ${names}`)
  return hre.network.create(name)
}

async function chainIdOf(connection: Connection): Promise<bigint> {
  try {
    return BigInt((await connection.provider.request({ method: 'eth_chainId' })) as string)
  } catch (why) {
    const remedy = 'start one with npm run chain, or name its address in KERROS_RPC'
    throw new Fault('ChainUnreachable', `No chain answers on network ${connection.networkName}: ${remedy}`, why)
  }
}

/** A record is foreign if a court that it names has no code here: the chain was started anew, or is another one. */
async function refuseForeign(connection: Connection, chainId: bigint): Promise<void> {
  for (const [name, address] of Object.entries(recorded(chainId))) {
    const code = await connection.provider.request({ method: 'eth_getCode', params: [address, 'latest'] })
    if (code !== '0x') continue
    const had = `${deploymentFile(chainId)} records ${name} at ${address}, where this chain has no contract`
    throw new Fault('NotDeployed', `${had}: add --reset to forget that other chain of id ${chainId} and deploy anew`)
  }
}

async function deploy(connection: Connection): Promise<Readonly<Record<string, Hex>>> {
  try {
    await connection.ignition.deploy(rootChainModule)
  } catch (why) {
    throw new Fault('CallFailed', `Ignition stopped: ${reason(why).split('\n')[0]}; add --reset to deploy anew`, why)
  }
  return recorded(await chainIdOf(connection))
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS })
  if (values.help) return console.log(HELP)
  const connection = await connect(values.network ?? 'localhost')
  const chainId = await chainIdOf(connection)
  if (values.reset) rmSync(dirname(deploymentFile(chainId)), { recursive: true, force: true })
  await refuseForeign(connection, chainId)
  const known = Object.keys(recorded(chainId)).length === 2
  const courts = await deploy(connection)
  console.log(known ? `Already deployed on chain ${chainId}:` : `Deployed on chain ${chainId}:`)
  for (const [name, address] of Object.entries(courts)) console.log(`  ${name.padEnd(12)} ${address}`)
  console.log(`Recorded in ${deploymentFile(chainId)}; src/edge/chain/Deployment.ts reads it.`)
}

await main().catch((why) => {
  console.error(`deploy: ${reason(why)}`)
  process.exitCode = 1
})
