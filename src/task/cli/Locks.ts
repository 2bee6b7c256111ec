import { randomBytes } from 'node:crypto'
import { type Hex, isHex, toHex } from '../../core/base/Bytes.ts'
import { hashLock } from '../../core/base/Verdicts.ts'
import type { LockView } from '../../edge/http/NodeApi.ts'
import { amountFor, idIn, inWords, unsure, untilOf } from './Channel.ts'
import { type Client, channelBy, clientOf } from './Client.ts'
import { type Answer, type Call, option } from './Command.ts'
import { errand } from './Errand.ts'
import { readNamed, writeNew } from './File.ts'
import { formatMoney, type Unit } from './Money.ts'
import { table } from './Table.ts'
import { formatMoment, parseDuration } from './Time.ts'
import { Misuse, Trouble } from './Trouble.ts'

/** Makes the 32 bytes that take a lock, in a file, and tells their SHA-256, which the payer needs. */
export async function secret(call: Call): Promise<Answer> {
  const file = option(call, 'out')
  if (file === undefined) throw new Misuse('A secret is never shown: name a new file for it with --out')
  const preimage = toHex(randomBytes(32))
  writeNew(file, `${preimage}\n`)
  const hash = hashLock(preimage)
  return { json: { file, hash }, text: `${hash}\nGive this to the payer; ${file} takes what is locked under it.` }
}

/** Locks for the peer; answers once both have signed it, or with what is known when the time to wait is over. */
export async function lock(call: Call): Promise<Answer> {
  const { client, view, unit, amount } = await amountFor(call)
  const key = idIn(call, 'hash')
  if (key === undefined) throw new Misuse('A lock needs --hash: what kerros channel secret has told the payee')
  const paymentId = idIn(call, 'payment') ?? key
  const expiry = expiryOf(call)
  const until = untilOf(call)
  let made: LockView
  try {
    do made = await client.ask('channel.lock', { id: view.id, amount, key, expiry, paymentId })
    while (made.status === 'pending' && Date.now() < until)
  } catch (why) {
    const remedy = `the lock may have been made: repeat it with --payment ${paymentId} --expiry ${expiry}, it is made once`
    throw inWords(unsure(why, remedy), unit)
  }
  return answerOf(view.id, made, unit)
}

function expiryOf(call: Call): number {
  const [within, at] = [option(call, 'within'), option(call, 'expiry')]
  if (within !== undefined && at !== undefined) throw new Misuse('--within and --expiry say the same: give one of them')
  if (at === undefined) return Math.floor(Date.now() / 1000) + parseDuration(within ?? '1d')
  if (/^[0-9]{1,12}$/.test(at)) return Number(at)
  throw new Misuse(`"${at}" is no second since 1970: write it as an earlier lock told it, or use --within`)
}

/** Takes a lock of the peer with its secret. */
export async function fulfil(call: Call): Promise<Answer> {
  const file = option(call, 'secret-file')
  if (file === undefined) throw new Misuse('Taking a lock needs --secret-file: what kerros channel secret has written')
  const preimage = readNamed(file).trim()
  if (!isHex(preimage, 32)) throw new Trouble('Malformed', `${file} holds no secret of a lock: name the right file`)
  return end(call, ({ ask }, of) => ask('channel.fulfil', { ...of, preimage }))
}

/** Gives a lock of the peer up. */
export async function fail(call: Call): Promise<Answer> {
  const code = option(call, 'reason') ?? 'Declined'
  return end(call, ({ ask }, of) => ask('channel.fail', { ...of, code }))
}

type Of = { readonly id: Hex; readonly lockId: bigint; readonly wait: boolean }

async function end(call: Call, ask: (client: Client, of: Of) => Promise<LockView>): Promise<Answer> {
  const client = clientOf(call)
  const text = call.args.LOCK!
  if (!/^[1-9][0-9]{0,18}$/.test(text)) throw new Misuse(`"${text}" is no lock: kerros channel locks tells them`)
  const { id, channel } = await channelBy(client, call.args.ID!)
  const ended = await ask(client, { id, lockId: BigInt(text), wait: untilOf(call) > Date.now() })
  return answerOf(id, ended, await client.unit(channel.asset))
}

function answerOf(id: Hex, one: LockView, unit: Unit): Answer {
  const what = `${one.lockId === null ? 'The lock' : `Lock ${one.lockId}`} over ${sumOf(one, unit)}`
  return { json: { id, ...one }, text: `${what} ${ENDS[one.status](one)}; payment ${one.paymentId}` }
}

const ENDS: Readonly<Record<LockView['status'], (one: LockView) => string>> = {
  pending: ({ expiry }) => `waits for the peer: asked again with its --payment and --expiry ${expiry} it is made once`,
  open: ({ expiry }) => `is open; it is decided at the latest ${formatMoment(expiry!, Date.now() / 1000)}`,
  fulfilled: () => 'is paid',
  failed: ({ code }) => `is given up (${code}): nothing was paid`,
}

function sumOf({ amount }: LockView, unit: Unit): string {
  return amount === null ? 'an amount that is not kept' : formatMoney(amount, unit)
}

/** The open locks of a channel, both ways, a line each. */
export async function locks(call: Call): Promise<Answer> {
  const client = clientOf(call)
  const { id, channel } = await channelBy(client, call.args.ID!)
  const unit = await client.unit(channel.asset)
  const answer = await client.ask('channel.locks', { id })
  if (answer.locks.length === 0) return { json: answer, text: 'No open locks here.' }
  const rows = answer.locks.map((one) => [
    String(one.lockId),
    one.direction,
    sumOf(one, unit),
    formatMoment(one.expiry!, Date.now() / 1000),
    one.key!,
  ])
  return { json: answer, text: table(['lock', 'direction', 'amount', 'until', 'hash'], rows) }
}

/** Takes what the court could not pay; answers once it is mined. */
export async function claim(call: Call): Promise<Answer> {
  const client = clientOf(call)
  const view = await channelBy(client, call.args.ID!)
  const { id } = view
  const to = option(call, 'to')?.toLowerCase()
  if (to !== undefined && !isHex(to, 20)) throw new Misuse(`"${to}" is no address: write 0x and 40 hexadecimal digits`)
  const left = `kerros channel show ${id.slice(0, 12)} tells whether the credit is still there`
  const answer = await errand(call, client, view, left, (ask) => ask('channel.claim', { id, to }))
  const lines = answer.claims.map(async ({ asset, amount, block, hash }) => {
    return `Claimed ${formatMoney(amount, await client.unit(asset))} in block ${block} (${hash}).`
  })
  return { json: { id, ...answer }, text: (await Promise.all(lines)).join('\n') }
}
