import type { NetworkConnection, NetworkManager } from 'hardhat/types/network'
import { Fault } from '../../edge/Fault.ts'

/** A chain to play on. */
export interface Ground {
  readonly connection: NetworkConnection
  /** Where others reach it, if they can. */
  readonly url: string | undefined
  readonly stop: () => Promise<void>
}

/**
 * A network by its name. The chain in process is gone with the process, unless it is `shared`: then it is served on
 * loopback, on a free port. Faults: WrongNetwork, ChainUnreachable.
 */
export async function ground(networks: NetworkManager, name: string, shared: boolean): Promise<Ground> {
  if (name !== 'default') return remote(networks, name)
  if (!shared) {
    const connection = await networks.create(name)
    return { connection, url: undefined, stop: () => connection.close() }
  }
  const server = await networks.createServer(name, '127.0.0.1', 0)
  const { port } = await server.listen()
  const url = `http://127.0.0.1:${port}`
  const connection = await networks.create({ network: 'localhost', override: { url } })
  const stop = async () => {
    await connection.close()
    await server.close()
  }
  return { connection, url, stop }
}

async function remote(networks: NetworkManager, name: string): Promise<Ground> {
  const connection = await networks.create(name).catch((why) => {
    throw new Fault('WrongNetwork', `"${name}" is no network of hardhat.config.ts: use localhost, or leave it out`, why)
  })
  try {
    await connection.provider.request({ method: 'eth_chainId' })
  } catch (why) {
    const remedy = 'start one with npm run chain, or leave --network out'
    throw new Fault('ChainUnreachable', `No chain answers on network ${name}: ${remedy}`, why)
  }
  const { networkConfig } = connection
  const url = networkConfig.type === 'http' ? await networkConfig.url.getUrl() : undefined
  return { connection, url, stop: () => connection.close() }
}

/** Resolves when the person at the terminal has had enough (Ctrl-C), or the process is told to end. */
export function interrupted(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done())
  })
}
