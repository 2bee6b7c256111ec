import { expect } from 'chai'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { addressOf, domain, sign } from '../../src/core/base/Signature.ts'
import { channelId, emptyState, stateDigest } from '../../src/core/channel/Channel.ts'
import type { Paid } from '../../src/core/channel/Payment.ts'
import { receipt } from '../../src/core/channel/Receipt.ts'
import { readReceipt, writeReceipt } from '../../src/edge/ReceiptFile.ts'
import { faultOf } from './plain.ts'

const COURT = domain(31337n, `0x${'c0'.repeat(20)}`)
const [payer, payee] = [uint(1, 32), uint(2, 32)]
const party = (key: Hex) => ({ owner: addressOf(key), signer: addressOf(key) })
const channel = { a: party(payer), b: party(payee), asset: ETHER, challengePeriod: 3600, bond: 0n, salt: uint(9, 32) }
const paid: readonly Paid[] = [1, 2, 3].map((i) => {
  return { payer: 'a', pay: { kind: 'pay', amount: BigInt(i), paymentId: uint(i, 32), memo: '0x2a' } }
})

/** The text of the receipt of the second of three payments. */
function text(): string {
  const state = { ...emptyState(channelId(COURT, channel)), version: 4n, net: 6n }
  const kept = { net: 6n, time: 1, paid, signature: '0x' as Hex }
  const unsigned = receipt(channel, state, kept, 1)
  return writeReceipt(COURT, { ...unsigned, signature: sign(stateDigest(COURT, unsigned.state), payee) })
}

type Json = { [field: string]: Json } | Json[] | string | number | boolean | null

/** Every place of a value that holds no others, as a path. */
function leaves(value: Json, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, part]) => leaves(part, [...path, name]))
}

function changed(path: readonly string[], change: (had: Json) => Json): string {
  const json = JSON.parse(text())
  const last = path.at(-1)!
  const at = path.slice(0, -1).reduce((part, name) => part[name], json)
  at[last] = change(at[last])
  return JSON.stringify(json)
}

/** Another value of the same form. */
function other(had: Json): Json {
  if (typeof had === 'boolean') return !had
  if (typeof had === 'number') return had + 1
  const value = String(had)
  if (/^[0-9]+$/.test(value)) return String(BigInt(value) + 1n)
  return value.slice(0, -1) + (value.endsWith('1') ? '2' : '1')
}

describe('a receipt', () => {
  it('says who paid whom, what and under which court, to anybody', () => {
    const { leaf, channel: terms, court, chainId } = readReceipt(text())
    expect([leaf.amount, leaf.paymentId, terms, court, chainId]).to.deep.equal([
      2n,
      uint(2, 32),
      channel,
      COURT.court,
      31337n,
    ])
  })

  for (const path of leaves(JSON.parse(text()))) {
    it(`forged in ${path.join('.')} proves nothing`, () => {
      expect(faultOf(() => readReceipt(changed(path, other))).code).to.equal('Malformed')
    })
  }

  it('with a number beyond its width proves nothing, although it hashes to the same', () => {
    for (const path of ['leaf.amount', 'state.version', 'state.net', 'channel.bond', 'chainId']) {
      for (const wrap of [2n ** 256n, -(2n ** 256n)]) {
        const forged = changed(path.split('.'), (had) => String(BigInt(had as string) + wrap))
        expect(faultOf(() => readReceipt(forged)).message).to.include(path)
      }
    }
  })

  it('with a field too many or too few, or that is none, proves nothing', () => {
    const json = JSON.parse(text())
    const { signature: _signature, ...unsigned } = json
    for (const one of [{ ...json, more: 1 }, unsigned, [], null, 'x', { ...json, leaves: [ZERO] }]) {
      expect(faultOf(() => readReceipt(JSON.stringify(one))).code).to.equal('Malformed')
    }
    expect(faultOf(() => readReceipt('{')).code).to.equal('Malformed')
  })
})
