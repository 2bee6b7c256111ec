import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { Fault } from '../../src/edge/Fault.ts'
import type { ChannelView, LockView, MethodName, NodeApi, NodeEvent, PaymentView } from '../../src/edge/http/NodeApi.ts'

export const TOKEN = 'cd'.repeat(32)
export const ID: Hex = `0x${'ab'.repeat(32)}`
export const WHO: Hex = '0xde709f2102306220921060314715629080e2fb77'
export const party = { owner: WHO, signer: WHO }
export const channel = { a: party, b: party, asset: ETHER, challengePeriod: 3600, bond: 2n ** 96n - 1n, salt: ID }
export const view: ChannelView = {
  ...{ id: ID, channel, side: 'b', phase: 'open', connected: true, version: 2n ** 64n - 2n, net: -(2n ** 127n) + 1n },
  ...{
    available: 2n ** 127n,
    pending: 3,
    deposits: { a: 2n ** 127n, b: 0n },
    withdrawn: { a: 0n, b: 5n },
    withdrawal: { total: 9n, deadline: 7, signed: true },
    closed: null,
    whereabouts: {
      ...{ arriving: 0n, inChannel: 2n ** 127n, locked: { amount: 1n, until: 7 }, inDispute: null },
      ...{ credit: null, paidOut: 5n },
    },
  },
}
export const payment: PaymentView = {
  ...{ paymentId: ID, direction: 'sent', status: 'paid', code: null, amount: 2n ** 128n - 1n, memo: '0x2a' },
  ...{ version: 7n, index: 3, time: 9 },
}

export const lock: LockView = {
  ...{ lockId: 2n ** 64n - 1n, paymentId: ID, direction: 'received', status: 'failed', code: 'NotInterested' },
  ...{ data: '0x2a', amount: 2n ** 128n - 1n, expiry: 9, key: ID, payload: null, preimage: null },
}

/** A node whose answers say what it was asked, and that counts how often. */
export function scripted() {
  const sinks = new Set<(event: NodeEvent) => void>()
  const asked: (readonly [string, unknown])[] = []
  const answers: { [M in MethodName]?: (params: never) => unknown } = {
    'node.info': () => ({
      ...{ chainId: 31337, court: WHO, signer: WHO, owner: WHO, addresses: ['x:1'] },
      channels: 1,
      head: 9,
    }),
    'channel.open': () => view,
    'channel.list': () => ({ channels: [view], next: ID }),
    'channel.show': ({ id }: { id: Hex }) => {
      if (id === uint(1, 32)) throw new Refusal('UnknownChannel', id)
      if (id === uint(2, 32)) throw new Error('secret path /home/x')
      if (id === uint(3, 32)) throw new Fault('ChainUnreachable', 'no chain answers at x; start it')
      return { ...view, id }
    },
    'channel.deposit': () => ({ hash: ID, block: 9, gasUsed: 21_000n }),
    'channel.lock': () => lock,
    'channel.locks': () => ({ locks: [lock] }),
    'channel.fulfil': () => lock,
    'channel.fail': () => lock,
    'channel.claim': () => ({ claims: [{ asset: ETHER, amount: 7n, hash: ID, block: 9, gasUsed: 21_000n }] }),
    'channel.pay': (asked: object) => ({ ...payment, ...asked, id: undefined }),
    'channel.payments': () => ({ payments: [payment], next: '7/3' }),
    'channel.payment': () => payment,
    'channel.withdraw': () => view,
    'channel.export': () => ({ file: '{}' }),
    'channel.receipt': () => ({ file: '{}' }),
    'channel.close': () => view,
    'channel.challenge': () => view,
  }
  const methods = new Proxy(answers, {
    get: (from, name: MethodName) => async (params: never) => {
      asked.push([name, params])
      return from[name]!(params)
    },
  }) as NodeApi['methods']
  const api: NodeApi = {
    methods,
    subscribe(sink) {
      sinks.add(sink)
      return () => sinks.delete(sink)
    },
    metrics: async () => 'kerros_channels 1\n',
  }
  return { api, asked, sinks, tell: (event: NodeEvent) => [...sinks].map((sink) => sink(event)) }
}

/** A request as JSON. */
export function rpc(method: string, params: unknown, id: unknown = 1): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params })
}

/** What a promise rejects with, if it is a refusal or a fault. */
export async function thrownBy(promise: Promise<unknown>): Promise<Refusal | Fault> {
  const why = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (why instanceof Refusal || why instanceof Fault) return why
  throw new Error(`rejected with ${why}`)
}
