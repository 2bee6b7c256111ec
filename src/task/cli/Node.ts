import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Wallet } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'
import { addressOf, type Domain, domain } from '../../core/base/Signature.ts'
import { channelChain } from '../../edge/chain/ChannelChain.ts'
import { httpNode } from '../../edge/chain/Node.ts'
import { seconded } from '../../edge/chain/Seconded.ts'
import { Fault, reason } from '../../edge/Fault.ts'
import { serveNode } from '../../edge/http/NodeServer.ts'
import { openToken } from '../../edge/key/Token.ts'
import { openMarked } from '../../edge/store/Generation.ts'
import type { Store } from '../../edge/store/Store.ts'
import { tcpTransport } from '../../edge/transport/Tcp.ts'
import type { Transport } from '../../edge/transport/Transport.ts'
import type { ChannelNodeParts } from '../../role/ChannelNodeParts.ts'
import { NodeDesk } from '../../role/NodeDesk.ts'
import { TowerClient } from '../../role/TowerClient.ts'
import { type Answer, type Call, option } from './Command.ts'
import { eventTeller } from './Event.ts'
import { keyFrom } from './Key.ts'
import { type Config, configOf, type Home, homeOf } from './Settings.ts'
import { type Ends, endAll, interrupted, stamped } from './Stay.ts'
import { facts } from './Table.ts'
import { Trouble } from './Trouble.ts'

/** Milliseconds after which a node looks at the clock again. */
const TICK = 5000

/** Runs a node until the process is told to end; a node that can no longer go on ends it with a Trouble. */
export async function start(call: Call): Promise<undefined> {
  const home = homeOf(call)
  const config = configOf(call)
  const told = interrupted()
  const key = await keyFrom(call, home.keystore)
  const ends: Ends = []
  const { promise: failed, reject: onFailure } = Promise.withResolvers<never>()
  failed.catch(() => undefined) // heard below, once the node has begun
  let isFailed = true
  try {
    const store = storeOf(call, home, key, ends)
    const desk = await deskOf(call, config, key, store, (why) => onFailure(failure(why)), ends)
    call.answer(await announce(call, home, config, desk, ends))
    await Promise.race([told, failed])
    isFailed = false
    call.say('Stopping: everything that was acknowledged is kept.')
  } finally {
    await endAll(ends, isFailed)
  }
  return undefined
}

function failure(why: unknown): Trouble {
  const what = reason(why).split('\n')[0]
  // A fault's sentence says what to do.
  const remedy = why instanceof Fault ? '' : '; see to that and start it again'
  return new Trouble('NodeFailed', `the node could not go on and has ended: ${what}${remedy}`, why)
}

/** The node's store, which no other process has open, with the marker that no backup holds. */
function storeOf(
  call: Call,
  home: Home,
  key: Hex,
  ends: Ends,
): { readonly store: Store; readonly isRestored: boolean } {
  mkdirSync(home.live, { recursive: true, mode: 0o700 })
  // Programs that make backups know this file, and leave the folder out.
  writeFileSync(join(home.live, 'CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n')
  const marked = openMarked(home.store, home.generation, `kerros node of ${addressOf(key)}`)
  ends.push(() => marked.store.close())
  if (marked.isRestored)
    call.say(
      'This store is an older copy of itself, or its marker is lost: the node signs nothing new and ends its channels.',
    )
  return marked
}

async function deskOf(
  call: Call,
  { rpc, chainId, court, confirmations, since }: Config,
  key: Hex,
  { store, isRestored }: { readonly store: Store; readonly isRestored: boolean },
  onFailure: (why: unknown) => void,
  ends: Ends,
): Promise<NodeDesk> {
  const provider = await httpNode(rpc, BigInt(chainId))
  ends.push(() => provider.destroy())
  const onFault = (why: unknown) => call.say(stamped(`trouble: ${reason(why).split('\n')[0]}`))
  const check = option(call, 'check-rpc')
  if (check !== undefined) {
    const second = await httpNode(check, BigInt(chainId))
    ends.push(() => second.destroy())
    seconded(provider, second, onFault)
  }
  const chain = await channelChain({ provider, signer: new Wallet(key, provider), court, onFault })
  const transport = tcpTransport()
  const tower = option(call, 'tower')
  const shown =
    tower === undefined ? {} : towerAt(tower, transport, domain(chain.chainId, chain.court), key, onFault, ends)
  const desk = await NodeDesk.start({
    ...shown,
    key,
    store,
    chain,
    transport,
    confirmations,
    since,
    restored: isRestored,
    onFault,
    onFailure,
  })
  ends.push(() => desk.node.stop())
  // A lock may have to be shown on layer 1 in time though no block has come for a while.
  const clock = setInterval(() => desk.node.tick(Math.floor(Date.now() / 1000)), TICK)
  ends.push(() => clearInterval(clock))
  return desk
}

/** Shows a tower the newest of every channel, again until it says that it is durable there. */
function towerAt(
  address: string,
  transport: Transport,
  court: Domain,
  key: Hex,
  onFault: (why: unknown) => void,
  ends: Ends,
): Pick<ChannelNodeParts, 'onComplete' | 'onPreimages' | 'onFinal'> {
  const client = new TowerClient({
    transport,
    address,
    court,
    login: { key },
    onTrouble: (why) => onFault(`the tower at ${address} cannot be reached (${why})`),
    onRefused: (code, id) => onFault(`the tower at ${address} refuses ${id ?? 'this key'} (${code})`),
  })
  ends.push(() => client.stop())
  // What was just signed shall be there when this side is away; a tower that is away must not keep it from ending.
  ends.push(() => {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, 5000)
    return Promise.race([client.settled(), late]).finally(() => clearTimeout(timer))
  })
  return {
    onComplete: (channel, state) => client.show(channel, state),
    onPreimages: (channel, preimages) => client.preimages(channel, preimages),
    onFinal: (channel, final) => client.final(channel, final),
  }
}

/** Opens the doors: to peers, and to the commands of this machine. */
async function announce(call: Call, home: Home, config: Config, desk: NodeDesk, ends: Ends): Promise<Answer> {
  const token = openToken(home.token)
  const onError = (why: unknown) => call.say(stamped(`trouble: ${reason(why).split('\n')[0]}`))
  const server = await serveNode(desk, { token, port: config.port, onError })
  ends.push(() => server.close())
  const address = await desk.listen(config.listen)
  const tell = eventTeller(home, config, desk.node)
  ends.push(desk.subscribe((event) => void tell(event).then((line) => call.say(stamped(line)))))
  const json = { home: home.folder, signer: desk.node.signer, peer: `${desk.node.signer}@${address}`, api: server.url }
  writeFileSync(home.running, `${JSON.stringify({ ...json, pid: process.pid }, null, 2)}\n`)
  ends.push(() => rmSync(home.running, { force: true }))
  const rows = [
    ['peer address', json.peer],
    ['API', `${server.url}, token in ${home.token}`],
    ['channels', String(desk.node.channels().length)],
  ] as const
  return { json, text: `${facts(rows)}\nRunning until Ctrl-C.` }
}
