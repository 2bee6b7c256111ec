import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Hex, isHex } from '../../core/base/Bytes.ts'
import { Fault, reason } from '../Fault.ts'

/** The courts that a deployment consists of. */
export type CourtName = 'Adjudicator' | 'RootChain'

/** Where Ignition keeps its deployments, from the folder that a command is run in; KERROS_IGNITION names another. */
export const DEPLOYMENTS = join(process.env.KERROS_IGNITION ?? 'ignition', 'deployments')

/** The file that records what was deployed on a chain: contract -> address. */
export function deploymentFile(chainId: bigint, folder: string = DEPLOYMENTS): string {
  return join(folder, `chain-${chainId}`, 'deployed_addresses.json')
}

/** The recorded addresses of a chain's courts; empty if nothing was deployed there. Faults: Malformed. */
export function recorded(chainId: bigint, folder?: string): Partial<Readonly<Record<CourtName, Hex>>> {
  const file = deploymentFile(chainId, folder)
  if (!existsSync(file)) return {}
  const addresses = parse(file)
  const courts: Partial<Record<CourtName, Hex>> = {}
  for (const name of ['Adjudicator', 'RootChain'] as const) {
    const address = addresses[`${name}#${name}`]
    if (address === undefined) continue
    const lower = String(address).toLowerCase()
    if (!isHex(lower, 20))
      throw new Fault('Malformed', `${file} names no address for ${name}: remove its folder and deploy again`)
    courts[name] = lower
  }
  return courts
}

/** The block in which a court was deployed, if Ignition did it and its journal is there. */
export function deployedIn(court: Hex, chainId: bigint, folder?: string): number | undefined {
  const journal = join(dirname(deploymentFile(chainId, folder)), 'journal.jsonl')
  if (!existsSync(journal)) return undefined
  for (const line of readFileSync(journal, 'utf8').split('\n')) {
    const { contractAddress, blockNumber } = receiptIn(line) ?? {}
    if (String(contractAddress).toLowerCase() === court && Number.isSafeInteger(blockNumber)) return Number(blockNumber)
  }
  return undefined
}

/** The receipt that a line of a journal tells of; a line that was cut off tells of none. */
function receiptIn(line: string): { readonly contractAddress?: unknown; readonly blockNumber?: unknown } | undefined {
  try {
    return JSON.parse(line)?.receipt
  } catch {
    return undefined
  }
}

/** The address of a court on a chain. Faults: NotDeployed, Malformed. */
export function addressOfCourt(name: CourtName, chainId: bigint, folder?: string): Hex {
  const address = recorded(chainId, folder)[name]
  if (address) return address
  const file = deploymentFile(chainId, folder)
  throw new Fault('NotDeployed', `No ${name} is recorded for chain ${chainId} in ${file}: run npm run deploy first`)
}

function parse(file: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
    throw new Error('it holds no object')
  } catch (why) {
    throw new Fault('Malformed', `${file} cannot be read (${reason(why)}): remove its folder and deploy again`)
  }
}
