// A process of its own, to be killed: one side of a channel with its store, its marker, TCP and a chain over JSON-RPC.
// It does what it is told and prints, one line each and at once, what it has done. Told a kill point, it counts.

import { writeSync } from 'node:fs'
import { flushCompileCache, registerHooks } from 'node:module'
import { join } from 'node:path'
import { setImmediate } from 'node:timers'
import { Worker } from 'node:worker_threads'
import { Wallet } from 'ethers'
import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import type { ChannelCall, ChannelEvent } from '../../src/core/channel/Call.ts'
import type { Channel } from '../../src/core/channel/Channel.ts'
import { sumOf } from '../../src/core/channel/Whereabouts.ts'
import { decode } from '../../src/edge/Codec.ts'
import type { Chain } from '../../src/edge/chain/Chain.ts'
import { httpNode, type Node } from '../../src/edge/chain/Node.ts'
import { reason } from '../../src/edge/Fault.ts'
import { markGenerations } from '../../src/edge/store/Generation.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { tcpTransport } from '../../src/edge/transport/Tcp.ts'
import type { Connection, Transport } from '../../src/edge/transport/Transport.ts'
import { ChannelNode } from '../../src/role/ChannelNode.ts'
import type { Payment } from '../../src/role/Payments.ts'

/**
 * Where a process may die. `signed`: a new state is computed and signed, not stored. `storing`: in the middle of the
 * commit, wherever that is. `stored`: durable, its marker not written and nothing said. `said`: handed to TCP, not in the
 * kernel. `sent`: in the kernel. `heard`: a message has come, nothing is done. `paid`: a payment has ended, its payer was
 * not told. `told`: its payer was told.
 */
export const PLACES = ['signed', 'storing', 'stored', 'said', 'sent', 'heard', 'paid', 'told'] as const
export type Place = (typeof PLACES)[number] | (typeof CALLS)[number]

/**
 * Where it may die on its way to layer 1. `calling`: a transaction is wanted, nothing is signed. `pooled`: the node has
 * taken it, nobody here has heard that. `mined`: it is mined, who asked is not told. `block`: a block of which the court
 * tells something has come.
 */
export const CALLS = ['calling', 'pooled', 'mined', 'block'] as const

/** What a process is started with. */
export interface Role {
  readonly key: Hex
  readonly folder: string
  readonly rpc: string
  readonly court: Hex
  readonly channel: Channel
  /** Where the other side takes calls; this one takes them if there is none. */
  readonly peer: string | null
  /** Milliseconds by which its clock is wrong. */
  readonly skew: number
  /** Where it dies, from its first moment on. */
  readonly die: { readonly at: Place; readonly count: number } | null
}

/** What a process is told. */
export type Order =
  | { readonly do: 'open'; readonly amount: bigint }
  | { readonly do: 'pay'; readonly numbers: readonly number[]; readonly window: number }
  | { readonly do: 'die'; readonly at: Place; readonly count: number }
  | { readonly do: 'agree'; readonly net: bigint }
  /** Until this side has taken out so much in all. */
  | { readonly do: 'withdraw'; readonly total: bigint }
  | { readonly do: 'close' | 'challenge' | 'stop' }

/** The payment of a number: everything about it follows from that. */
export function paymentOf(number: number): { readonly paymentId: Hex; readonly amount: bigint; readonly memo: Hex } {
  return { paymentId: uint(number + 1, 32), amount: BigInt(1 + (number % 7)), memo: uint(number, 4 + (number % 3) * 8) }
}

/** Who opens the store of a role, for messages and for the test that reads it at the end. */
export const IDENTITY = 'a node of the kill test'

function line(text: string): void {
  for (let rest = Buffer.from(`${text}\n`); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (why) {
      // A full pipe is emptied by who reads it; without a reader nobody listens any more.
      if ((why as { code?: string }).code !== 'EAGAIN') process.exit(1)
    }
  }
}

/** Counts how often each place is passed, and dies where it was told. */
function fate() {
  let order: { at: Place; count: number; flag?: Int32Array } | undefined
  let isDying = false
  return {
    async arm(at: Place, count: number): Promise<void> {
      order = at === 'storing' ? { at, count, flag: await killer() } : { at, count }
    },
    pass(place: Place): void {
      // Who is killed in the middle of a commit gets no further than its end, however late that comes.
      if (isDying) Atomics.wait(order!.flag!, 0, 1)
      if (order?.at !== place || --order.count > 0) return
      if (!order.flag) process.kill(process.pid, 'SIGKILL')
      else {
        isDying = true
        Atomics.store(order.flag, 0, 1)
        Atomics.notify(order.flag, 0)
      }
    },
  }
}

type Fate = ReturnType<typeof fate>
type ChannelChain = Chain<ChannelCall, ChannelEvent>

/** A thread that kills this process when it is woken, while the main thread goes on. */
async function killer(): Promise<Int32Array> {
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const code = `const { parentPort, workerData } = require('node:worker_threads')
    parentPort.postMessage('here'); Atomics.wait(workerData, 0, 0); process.kill(process.pid, 'SIGKILL')`
  const worker = new Worker(code, { eval: true, workerData: flag })
  await new Promise((done) => worker.once('message', done))
  return flag
}

function storeThatCounts(path: string, { pass }: Fate): Store {
  const store = openStore(path, IDENTITY)
  return {
    ...store,
    commit(rows) {
      pass('signed')
      pass('storing')
      store.commit(rows)
      pass('stored')
    },
  }
}

function transportThatCounts(fates: Fate): Transport {
  const tcp = tcpTransport()
  return {
    listen: (address, onConnection) => tcp.listen(address, (one) => onConnection(connectionThatCounts(one, fates))),
    dial: async (address) => connectionThatCounts(await tcp.dial(address), fates),
  }
}

function connectionThatCounts(inner: Connection, { pass }: Fate): Connection {
  return {
    send(message) {
      inner.send(message)
      pass('said')
      setImmediate(() => pass('sent'))
    },
    close: () => inner.close(),
    set onMessage(hear: (message: unknown) => void) {
      inner.onMessage = (message) => {
        pass('heard')
        hear(message)
      }
    },
    set onClose(hear: (why?: string) => void) {
      inner.onClose = hear
    },
  }
}

function chainThatCounts<C extends ChannelChain>(inner: C, { pass }: Fate): C {
  return {
    ...inner,
    follow: (from, sink) =>
      inner.follow(from, (input) => {
        if (input.block.events.length > 0) pass('block')
        sink(input)
      }),
    async send(call, deadline) {
      pass('calling')
      const receipt = await inner.send(call, deadline)
      pass('mined')
      return receipt
    },
  }
}

function nodeThatCounts<N extends Node>(inner: N, { pass }: Fate): N {
  const ask = inner.send.bind(inner)
  const send: Node['send'] = async (method, params) => {
    const answer = await ask(method, params)
    if (method === 'eth_sendRawTransaction') pass('pooled')
    return answer
  }
  return Object.assign(inner, { send })
}

/** The chain's bindings are the only modules that name others by what they are compiled to. */
async function bindings(): Promise<typeof import('../../src/edge/chain/ChannelChain.ts')> {
  registerHooks({
    resolve: (name, context, next) => {
      const generated = context.parentURL?.includes('/typechain-types/') && name.startsWith('.')
      return next(generated ? name.replace(/\.js$/, '.ts') : name, context)
    },
  })
  return import('../../src/edge/chain/ChannelChain.ts')
}

function skewClock(skew: number): void {
  const Right = Date
  const now = () => Right.now() + skew
  globalThis.Date = new Proxy(Right, {
    construct: (target, args) => new target(...((args.length > 0 ? args : [now()]) as [number])),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  })
}

function fail(why: unknown): void {
  line(`fault ${reason(why)}`)
  process.exit(3)
}

async function start(role: Role, fates: Fate): Promise<{ readonly node: ChannelNode; readonly port: string }> {
  const { channelChain } = await bindings()
  const marked = markGenerations(storeThatCounts(join(role.folder, 'node.db'), fates), join(role.folder, 'generation'))
  if (marked.isRestored) line('restored')
  const provider = nodeThatCounts(await httpNode(role.rpc, 31337n), fates)
  const inner = await channelChain({
    provider,
    signer: new Wallet(role.key, provider),
    court: role.court,
    interval: 50,
  })
  const node = await ChannelNode.start({
    key: role.key,
    store: marked.store,
    restored: marked.isRestored,
    chain: chainThatCounts(inner, fates),
    transport: transportThatCounts(fates),
    confirmations: 1,
    onFault: fail,
    retry: (run) => setTimeout(run, 20),
  })
  const address = role.peer === null ? await node.listen('127.0.0.1:0') : '127.0.0.1:0'
  return { node, port: address.split(':')[1]! }
}

/** Pays, or learns how a payment ended that an earlier process began. */
async function pay(node: ChannelNode, id: Hex, number: number): Promise<Payment> {
  const { amount, ...options } = paymentOf(number)
  if (node.payment(id, options.paymentId) !== 'pending') return node.pay(id, amount, options)
  await node.until(id, () => node.payment(id, options.paymentId) !== 'pending')
  return node.pay(id, amount, options)
}

async function payAll(node: ChannelNode, id: Hex, fates: Fate, numbers: readonly number[], window: number) {
  const left = numbers.values()
  const one = async () => {
    for (const number of left) {
      const { version, index } = await pay(node, id, number)
      fates.pass('paid')
      line(`paid ${number} ${version}/${index}`)
      fates.pass('told')
    }
  }
  await Promise.all(Array.from({ length: window }, one))
}

/** Takes out what is missing, or waits for what an earlier process has begun. */
async function withdraw(node: ChannelNode, id: Hex, total: bigint): Promise<void> {
  const { side, withdrawn, withdrawal } = node.status(id)
  if (withdrawn[side] < total && !withdrawal) await node.withdraw(id, total - withdrawn[side])
  await node.until(id, (now) => now.withdrawn[side] >= total)
  line(`withdrew ${node.status(id).withdrawn[side]}`)
}

async function obey(node: ChannelNode, role: Role, id: Hex, fates: Fate, order: Order): Promise<void> {
  if (order.do === 'die') {
    await fates.arm(order.at, order.count)
    line('armed')
  } else if (order.do === 'pay') await payAll(node, id, fates, order.numbers, order.window)
  else if (order.do === 'open') {
    await node.open(role.channel, role.peer ?? undefined)
    // What an earlier process has sent may be there already.
    const missing = order.amount - sumOf(node.whereabouts(id))
    if (missing > 0n) await node.deposit(id, missing)
    await node.until(id, ({ phase, available }) => phase === 'open' && available >= order.amount)
    line(`opened ${order.amount}`)
  } else if (order.do === 'agree') {
    const { version } = await node.until(id, ({ net, pending }) => net === order.net && pending === 0)
    line(`agreed ${version}`)
  } else if (order.do === 'withdraw') await withdraw(node, id, order.total)
  else if (order.do === 'stop') {
    await node.stop()
    process.exit(0)
  } else await node.end(id, order.do)
}

async function run(role: Role): Promise<void> {
  if (role.skew !== 0) skewClock(role.skew)
  // Whoever started this has gone: nobody is left to kill it.
  process.on('disconnect', () => process.exit(1))
  const fates = fate()
  if (role.die) await fates.arm(role.die.at, role.die.count)
  const { node, port } = await start(role, fates)
  const id = await node.open(role.channel, role.peer ?? undefined)
  process.on('message', (order) => {
    obey(node, role, id, fates, decode(String(order)) as unknown as Order).catch(fail)
  })
  line(`ready ${id} ${port}`)
  flushCompileCache()
  const ended = node.until(id, ({ phase }) => phase === 'closed')
  ended.then(({ closed }) => line(`closed ${closed!.payA} ${closed!.payB}`)).catch(() => undefined)
}

// Mocha loads every file of this folder; only a process that was started with this one pays.
if (import.meta.main) await run(decode(process.argv[2]!) as unknown as Role)
