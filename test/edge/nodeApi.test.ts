import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, uint } from '../../src/core/base/Bytes.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { Fault } from '../../src/edge/Fault.ts'
import { MAX_CALLS } from '../../src/edge/http/JsonRpc.ts'
import type { NodeApi } from '../../src/edge/http/NodeApi.ts'
import { memoryNodeClient, nodeClient, nodeSocket } from '../../src/edge/http/NodeClient.ts'
import { LIMITS, type NodeServing, nodeHandler, serveNode } from '../../src/edge/http/NodeServer.ts'
import { runs } from '../fuzz.ts'
import { channel, ID, lock, party, payment, rpc, scripted, TOKEN, thrownBy, view, WHO } from './apiStage.ts'
import { faultIn } from './plain.ts'

type Answer = {
  readonly error?: { readonly code: number; readonly message: string; readonly data: { readonly code: string } }
}

/** Posts a text as a client with the right token would, but for what is changed. */
async function post(body: string, change: Readonly<Record<string, string>> = {}, serving: Partial<NodeServing> = {}) {
  const { api, asked } = scripted()
  const handler = nodeHandler(api, { token: TOKEN, ...serving })
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...change }
  const response = await handler(new Request('http://127.0.0.1/rpc', { method: 'POST', body, headers }))
  const text = await response.text()
  return {
    status: response.status,
    json: (text === '' ? undefined : JSON.parse(text)) as Answer & { code?: string },
    asked,
  }
}

describe("the node's API", () => {
  const variants = [
    [
      'memory',
      async (api: NodeApi) => ({
        client: memoryNodeClient(nodeHandler(api, { token: TOKEN }), TOKEN),
        end: async () => {},
      }),
    ],
    [
      'HTTP',
      async (api: NodeApi) => {
        const server = await serveNode(api, { token: TOKEN })
        return { client: nodeClient(server.url, TOKEN), end: () => server.close() }
      },
    ],
    [
      'a WebSocket',
      async (api: NodeApi) => {
        const server = await serveNode(api, { token: TOKEN })
        const client = await nodeSocket(server.url, TOKEN)
        return { client, end: () => server.close() }
      },
    ],
  ] as const

  for (const [name, open] of variants) {
    it(`carries every method exactly, the largest amounts too, over ${name}`, async () => {
      const { api, asked } = scripted()
      const { client, end } = await open(api)
      const { id: _id, ...paid } = { ...payment, id: ID, paymentId: uint(4, 32), amount: 2n ** 128n - 1n }
      expect(await client.call('channel.show', { id: ID })).to.deep.equal(view)
      expect(await client.call('channel.open', { channel, address: 'x:1' })).to.deep.equal(view)
      expect(await client.call('channel.open', { peer: party, asset: ETHER })).to.deep.equal(view)
      expect(await client.call('channel.list', {})).to.deep.equal({ channels: [view], next: ID })
      expect(await client.call('channel.deposit', { id: ID, amount: 1n })).to.deep.equal({
        hash: ID,
        block: 9,
        gasUsed: 21_000n,
      })
      expect(
        await client.call('channel.pay', { id: ID, amount: 2n ** 128n - 1n, paymentId: uint(4, 32) }),
      ).to.deep.equal(paid)
      expect(await client.call('channel.payments', { id: ID, after: '7/3', limit: 5 })).to.deep.equal({
        payments: [payment],
        next: '7/3',
      })
      expect(await client.call('channel.payment', { id: ID, paymentId: ID })).to.deep.equal(payment)
      expect(await client.call('channel.close', { id: ID, wait: true })).to.deep.equal(view)
      expect(await client.call('channel.challenge', { id: ID })).to.deep.equal(view)
      expect((await client.call('node.info', {})).head).to.equal(9)
      expect(asked[1]).to.deep.equal(['channel.open', { channel, address: 'x:1' }])
      expect(asked[5]).to.deep.equal(['channel.pay', { id: ID, amount: 2n ** 128n - 1n, paymentId: uint(4, 32) }])
      expect(await client.call('channel.withdraw', { id: ID, amount: 5n, seconds: 60 })).to.deep.equal(view)
      expect(await client.call('channel.export', { id: ID })).to.deep.equal({ file: '{}' })
      expect(await client.call('channel.receipt', { id: ID, paymentId: ID })).to.deep.equal({ file: '{}' })
      const wish = { id: ID, amount: 1n, key: ID, expiry: 9, paymentId: ID, payload: '0x2a' } as const
      expect(await client.call('channel.lock', wish)).to.deep.equal(lock)
      expect(asked.at(-1)).to.deep.equal(['channel.lock', wish])
      expect(await client.call('channel.locks', { id: ID })).to.deep.equal({ locks: [lock] })
      const last = { id: ID, lockId: 2n ** 64n - 1n }
      expect(await client.call('channel.fulfil', { ...last, preimage: ID })).to.deep.equal(lock)
      expect(asked.at(-1)).to.deep.equal(['channel.fulfil', { ...last, preimage: ID }])
      expect(await client.call('channel.fail', { ...last, code: 'NotInterested', wait: true })).to.deep.equal(lock)
      expect((await client.call('channel.claim', { id: ID, to: WHO })).claims).to.deep.equal([
        { asset: ETHER, amount: 7n, hash: ID, block: 9, gasUsed: 21_000n },
      ])
      expect(asked).to.have.length(19)
      await end()
    })

    it(`carries refusals and faults as what they are, and nothing of what went wrong inside, over ${name}`, async () => {
      const { client, end } = await open(scripted().api)
      const refusal = await thrownBy(client.call('channel.show', { id: uint(1, 32) }))
      expect(refusal).to.be.instanceOf(Refusal)
      expect([refusal.code, (refusal as Refusal).args]).to.deep.equal(['UnknownChannel', [uint(1, 32)]])
      expect(refusal.message).to.match(/^This node has no channel 0x0{63}1; /)
      const inside = await thrownBy(client.call('channel.show', { id: uint(2, 32) }))
      expect([inside.code, inside.message.includes('secret')]).to.deep.equal(['Internal', false])
      const fault = await thrownBy(client.call('channel.show', { id: uint(3, 32) }))
      expect(fault).to.be.instanceOf(Fault)
      expect([fault.code, fault.message]).to.deep.equal(['ChainUnreachable', 'no chain answers at x; start it'])
      await end()
    })
  }
})

describe("the node's API against bad input", () => {
  const bad = [
    '1e-19',
    '-1',
    String(2n ** 128n),
    String(2n ** 256n),
    '0x',
    '0x10',
    '',
    ' 1',
    '01',
    '+1',
    '1.0',
    '1e18',
    '٣',
    '0',
  ]
  for (const amount of [...bad, 5, 1e21, null, true, {}, ['1']]) {
    it(`refuses the amount ${JSON.stringify(amount)}`, async () => {
      for (const method of ['channel.pay', 'channel.deposit']) {
        const extra = method === 'channel.pay' ? { paymentId: ID } : {}
        const { status, json, asked } = await post(rpc(method, { id: ID, amount, ...extra }))
        expect([status, json.error?.code, json.error?.data.code]).to.deep.equal([200, -32602, 'InvalidParams'])
        expect(json.error?.message).to.match(/^amount: /)
        expect(asked).to.deep.equal([])
      }
    })
  }

  it('takes an address in lower case or with a right checksum, and no other', async () => {
    const peer = (owner: string) => rpc('channel.open', { peer: { owner, signer: WHO }, asset: ETHER })
    const right = '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359'
    const good = await post(peer(right))
    expect(good.asked[0]?.[1]).to.have.nested.property('peer.owner', right.toLowerCase())
    for (const wrong of [
      right.replace('fB', 'FB'),
      right.toUpperCase(),
      right.slice(0, -1),
      right.slice(2),
      `${right}0`,
    ]) {
      const { json, asked } = await post(peer(wrong))
      expect([json.error?.data.code, asked.length]).to.deep.equal(['InvalidParams', 0])
    }
  })

  const show = (params: unknown) => ['channel.show', params] as const
  for (const [what, [method, params]] of [
    ['an id in upper case', show({ id: `0x${'AB'.repeat(32)}` })],
    ['a short id', show({ id: '0xab' })],
    ['no id', show({})],
    ['an id as a number', show({ id: 5 })],
    ['a field too many', show({ id: ID, note: 1 })],
    ['a memo of odd length', ['channel.pay', { id: ID, amount: '1', paymentId: ID, memo: '0x2' }]],
    ['a memo too long', ['channel.pay', { id: ID, amount: '1', paymentId: ID, memo: `0x${'00'.repeat(1025)}` }]],
    ['a payment without an id', ['channel.pay', { id: ID, amount: '1' }]],
    ['a page of none', ['channel.payments', { id: ID, limit: 0 }]],
    ['a page too long', ['channel.payments', { id: ID, limit: 1001 }]],
    ['a page after nothing', ['channel.payments', { id: ID, after: 'x' }]],
    ['a lock of nothing', ['channel.lock', { id: ID, amount: '0', key: ID, expiry: 9 }]],
    ['a lock that ends at no whole second', ['channel.lock', { id: ID, amount: '1', key: ID, expiry: 1.5 }]],
    [
      'a payload too long',
      ['channel.lock', { id: ID, amount: '1', key: ID, expiry: 9, payload: `0x${'00'.repeat(2049)}` }],
    ],
    ['a lock by a number of JSON', ['channel.fulfil', { id: ID, lockId: 1, preimage: ID }]],
    ['a lock 0', ['channel.fulfil', { id: ID, lockId: '0', preimage: ID }]],
    ['a failure without a name', ['channel.fail', { id: ID, lockId: '1', code: 'not interested' }]],
    ['a wish to wait that is none', ['channel.close', { id: ID, wait: 'yes' }]],
    ['terms with half a party', ['channel.open', { channel: { ...channel, bond: '0', a: { owner: WHO } } }]],
    ['terms and a peer', ['channel.open', { channel: { ...channel, bond: '0' }, peer: party, asset: ETHER }]],
    ['a challenge period beyond 32 bits', ['channel.open', { peer: party, asset: ETHER, challengePeriod: 2 ** 32 }]],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const { json, asked } = await post(rpc(method, params))
      expect([json.error?.code, json.error?.data.code]).to.deep.equal([-32602, 'InvalidParams'])
      expect(asked).to.deep.equal([])
    })
  }

  it('refuses unknown methods, those of every object too', async () => {
    for (const method of ['channel.steal', 'toString', '__proto__', 'constructor', 'subscribe', 'channel']) {
      const { json } = await post(rpc(method, {}))
      expect([json.error?.code, json.error?.data.code]).to.deep.equal([-32601, 'UnknownMethod'])
    }
  })

  it('lets no field reach the prototype of anything', async () => {
    const { asked } = await post(
      `{"jsonrpc":"2.0","id":1,"method":"channel.show","params":{"id":"${ID}","__proto__":{"x":1}}}`,
    )
    expect(asked).to.deep.equal([['channel.show', { id: ID }]])
    expect((asked[0]![1] as { x?: unknown }).x).to.equal(undefined)
  })

  it('answers with status 400 what is no request', async () => {
    for (const [text, code] of [
      ['', 'ParseError'],
      ['{', 'ParseError'],
      ['[]', 'BadBatch'],
      ['null', 'InvalidRequest'],
      ['5', 'InvalidRequest'],
      [rpc('channel.show', [ID]), 'InvalidRequest'],
      [rpc('channel.show', {}, {}), 'InvalidRequest'],
      [rpc('x'.repeat(65), {}), 'InvalidRequest'],
      ['{"id":1,"method":"node.info"}', 'InvalidRequest'],
      ['{"jsonrpc":"2.0","id":1,"method":"node.info","more":1}', 'InvalidRequest'],
    ] as const) {
      const { status, json, asked } = await post(text)
      expect([status, json.error?.data.code, asked.length]).to.deep.equal([400, code, 0])
    }
  })

  it('answers any JSON and any bytes, and asks the node for nothing but well-formed requests', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.jsonValue().map((value) => JSON.stringify(value)),
        ),
        async (text) => {
          const { status, asked } = await post(text)
          expect([200, 400]).to.include(status)
          expect(asked).to.deep.equal([])
        },
      ),
      runs(100),
    )
  })

  it('answers a batch in its order, each on its own, notifications not at all', async () => {
    const batch = [
      rpc('channel.show', { id: ID }, 'a'),
      rpc('nonsense', {}, 2),
      '5',
      '{"jsonrpc":"2.0","method":"node.info"}',
    ]
    const { status, json, asked } = await post(`[${batch}]`)
    const answers = json as unknown as readonly (Answer & { readonly id: unknown })[]
    expect([status, answers.length, asked.length]).to.deep.equal([200, 3, 2])
    expect(answers.map(({ id, error }) => [id, error?.data.code])).to.deep.equal([
      ['a', undefined],
      [2, 'UnknownMethod'],
      [null, 'InvalidRequest'],
    ])
    expect((await post('{"jsonrpc":"2.0","method":"node.info"}')).status).to.equal(204)
  })

  it('takes the longest batch, and none longer', async () => {
    const batch = (count: number) => `[${Array(count).fill(rpc('node.info', {}))}]`
    expect((await post(batch(MAX_CALLS))).asked).to.have.length(MAX_CALLS)
    const { status, json, asked } = await post(batch(MAX_CALLS + 1))
    expect([status, json.error?.data.code, asked.length]).to.deep.equal([400, 'BadBatch', 0])
  })

  it('refuses an oversized body, whatever it says of its length', async () => {
    const long = rpc('channel.show', { id: 'x'.repeat(LIMITS.body) })
    const { status, json, asked } = await post(long)
    expect([status, json.code, asked.length]).to.deep.equal([413, 'BodyTooLarge', 0])
  })
})

describe("who may speak to the node's API", () => {
  const ask = rpc('node.info', {})

  it('needs the whole token', async () => {
    for (const authorization of [
      '',
      'Bearer',
      `Bearer ${TOKEN}0`,
      `Bearer ${TOKEN.slice(1)}`,
      TOKEN,
      `Basic ${TOKEN}`,
      'Bearer é',
    ]) {
      const { status, json, asked } = await post(ask, { authorization })
      expect([status, json.code, asked.length]).to.deep.equal([401, 'Unauthorized', 0])
    }
    const handler = nodeHandler(scripted().api, { token: TOKEN })
    for (const path of ['/metrics', '/rpc', '/'])
      expect((await handler(new Request(`http://localhost${path}`))).status).to.equal(401)
  })

  it('is turned away under a foreign name, right token or not (DNS rebinding)', async () => {
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '127.0.0.1@evil.example',
      '10.0.0.1',
      'a b',
    ]) {
      const { status, json, asked } = await post(ask, { host })
      expect([host, status, json.code, asked.length]).to.deep.equal([host, 403, 'ForeignHost', 0])
    }
    for (const host of ['127.0.0.1:1', 'localhost', '[::1]:9', 'LOCALHOST:80'])
      expect((await post(ask, { host })).status).to.equal(200)
    expect((await post(ask, { host: 'node.example:7' }, { hosts: ['node.example'] })).status).to.equal(200)
  })

  it('is turned away from a web page, unless its origin was allowed', async () => {
    for (const origin of ['https://evil.example', 'http://127.0.0.1', 'null', '']) {
      const { status, json } = await post(ask, { origin })
      expect([status, json.code]).to.deep.equal([403, 'ForeignOrigin'])
    }
    const origins = ['https://desk.example']
    expect((await post(ask, { origin: 'https://desk.example' }, { origins })).status).to.equal(200)
    expect((await post(ask, { origin: 'https://desk.example.evil' }, { origins })).status).to.equal(403)
  })

  it('must say that it sends JSON, as no form of a web page can', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
      expect((await post(ask, { 'content-type': type })).status).to.equal(415)
    }
    expect((await post(ask, { 'content-type': 'application/json; charset=utf-8' })).status).to.equal(200)
  })

  it('must be on this machine, unless somebody allowed others', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.1', 'example.org']) {
      expect((await faultIn(serveNode(scripted().api, { token: TOKEN, host }))).code).to.equal('BadAddress')
    }
    const server = await serveNode(scripted().api, { token: TOKEN, host: '0.0.0.0', isPublic: true })
    expect((await nodeClient(server.url.replace('0.0.0.0', '127.0.0.1'), TOKEN).call('node.info', {})).head).to.equal(9)
    await server.close()
  })

  it('hears why it is not heard', async () => {
    const server = await serveNode(scripted().api, { token: TOKEN })
    for (const ask of [() => nodeClient(server.url, 'x').call('node.info', {}), () => nodeSocket(server.url, 'x')]) {
      expect((await faultIn(ask())).code).to.equal('Unauthorized')
    }
    await server.close()
    for (const promise of [
      () => nodeClient(server.url, TOKEN).call('node.info', {}),
      () => nodeSocket(server.url, TOKEN),
    ]) {
      const fault = await faultIn(promise())
      expect([fault.code, fault.message.includes(server.url)]).to.deep.equal(['PeerUnreachable', true])
    }
  })

  it('says of a node that takes too long that it is there, and may do what it was asked', async () => {
    const late = async () =>
      Promise.reject(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
    const fault = await faultIn(memoryNodeClient(late, TOKEN).call('channel.deposit', { id: ID, amount: 1n }))
    expect(fault.code).to.equal('TimedOut')
    expect(fault.message).to.match(
      /^The node at \S+ has taken 60 seconds .+: look at what it has done before you ask again$/,
    )
  })

  it('believes no answer of another form', async () => {
    for (const text of ['', '<html>', '{}', '[]', '{"id":1,"result":{}}', `{"id":1,"result":{"id":"${ID}"}}`]) {
      const client = memoryNodeClient(async () => new Response(text), TOKEN)
      expect((await faultIn(client.call('channel.show', { id: ID }))).code).to.equal('Malformed')
    }
  })

  it('reads the metrics with the token', async () => {
    expect(await memoryNodeClient(nodeHandler(scripted().api, { token: TOKEN }), TOKEN).metrics()).to.equal(
      'kerros_channels 1\n',
    )
  })
})
