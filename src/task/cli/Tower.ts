import { join } from 'node:path'
import { Wallet } from 'ethers'
import { channelChain } from '../../edge/chain/ChannelChain.ts'
import { httpNode } from '../../edge/chain/Node.ts'
import { reason } from '../../edge/Fault.ts'
import { openStore } from '../../edge/store/Sqlite.ts'
import { tcpTransport } from '../../edge/transport/Tcp.ts'
import { serveTower } from '../../role/TowerServer.ts'
import { Watchtower } from '../../role/Watchtower.ts'
import type { Call } from './Command.ts'
import { keyFrom } from './Key.ts'
import { configOf, homeOf } from './Settings.ts'
import { interrupted, stamped } from './Stay.ts'
import { facts } from './Table.ts'

/**
 * Runs a watchtower until the process is told to end. Whoever signs in a channel may leave its newest state, and shows that
 * by the key: there is nothing that a token would be for.
 */
export async function start(call: Call): Promise<undefined> {
  const home = homeOf(call)
  const { rpc, chainId, court, confirmations, since, listen } = configOf(call)
  const told = interrupted()
  const key = await keyFrom(call, home.keystore)
  const ends: (() => unknown)[] = []
  try {
    const store = openStore(join(home.folder, 'tower.sqlite'), `kerros tower at ${court} on ${chainId}`)
    ends.push(() => store.close())
    const provider = await httpNode(rpc, BigInt(chainId))
    ends.push(() => provider.destroy())
    const onFault = (why: unknown) => call.say(stamped(`trouble: ${reason(why).split('\n')[0]}`))
    const chain = await channelChain({ provider, signer: new Wallet(key, provider), court, onFault })
    const onAnswer = (id: string, version: bigint) =>
      call.say(stamped(`${id.slice(0, 12)}  an old state was answered with version ${version}`))
    const tower = await Watchtower.start({ store, chain, confirmations, since, onAnswer, onFault })
    ends.push(() => tower.stop())
    const listener = await serveTower({ tower, transport: tcpTransport(), address: listen, keys: true, onFault })
    ends.push(() => listener.close())
    const json = { home: home.folder, address: listener.address, sender: chain.sender, court, chainId }
    const rows = [
      ['tower', `${listener.address}: nodes show it their channels with --tower ${listener.address}`],
      ['pays from', chain.sender],
    ] as const
    call.answer({ json, text: `${facts(rows)}\nWatching until Ctrl-C.` })
    await told
    call.say('Stopping: what was left here is kept.')
  } finally {
    for (const end of ends.reverse()) await end()
  }
  return undefined
}
