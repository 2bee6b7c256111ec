import { randomBytes } from 'node:crypto'
import { type Hex, isHex, toHex } from '../../core/base/Bytes.ts'
import { Refusal } from '../../core/base/Step.ts'
import { Fault } from '../../edge/Fault.ts'
import type { ChannelView, PaymentView } from '../../edge/http/NodeApi.ts'
import { type Client, channelBy, channelsOf, clientOf } from './Client.ts'
import { type Answer, type Call, option } from './Command.ts'
import { errand } from './Errand.ts'
import { writeNew } from './File.ts'
import { formatMoney, parseMoney, type Unit } from './Money.ts'
import { configOf } from './Settings.ts'
import { table } from './Table.ts'
import { parseDuration } from './Time.ts'
import { Misuse, Trouble } from './Trouble.ts'
import { balances, channelText, peerOf } from './View.ts'

/** Every channel of the node, a line each. */
export async function list(call: Call): Promise<Answer> {
  const client = clientOf(call)
  const channels = await channelsOf(client)
  if (channels.length === 0) return { json: { channels }, text: 'No channels: make one with kerros channel open.' }
  const rows = await Promise.all(channels.map((view) => rowOf(client, view)))
  return { json: { channels }, text: table(['channel', 'peer', 'phase', 'yours', 'theirs', 'link'], rows) }
}

async function rowOf(client: Client, view: ChannelView): Promise<readonly string[]> {
  const unit = await client.unit(view.channel.asset)
  const { mine, theirs } = balances(view)
  const [yours, others] = view.closed ? ['-', '-'] : [formatMoney(mine, unit), formatMoney(theirs, unit)]
  const link = view.connected ? 'up' : 'down'
  return [view.id.slice(0, 12), peerOf(view).slice(0, 12), view.phase, yours, others, link]
}

/** One channel. */
export async function show(call: Call): Promise<Answer> {
  const client = clientOf(call)
  return answerOf(client, await channelBy(client, call.args.ID!))
}

async function answerOf(client: Client, view: ChannelView, first = ''): Promise<Answer> {
  const text = channelText(view, await client.unit(view.channel.asset))
  return { json: view, text: first === '' ? text : `${first}\n${text}` }
}

/** Locks money on this side; answers once the transaction is mined, or when it is final if that is waited for. */
export async function deposit(call: Call): Promise<Answer> {
  const { client, view, unit, amount } = await amountFor(call)
  const depositId = idIn(call, 'deposit') ?? toHex(randomBytes(32))
  const again = `repeat it with --deposit ${depositId}, it is made once`
  const until = option(call, 'wait') === undefined ? 0 : untilOf(call)
  const made = await errand(call, client, view, again, async (ask) => {
    const mined = await ask('channel.deposit', { id: view.id, amount, depositId })
    return { ...mined, final: await finality(ask, mined.block + configOf(call).confirmations - 1, until) }
  }).catch((why) => {
    throw unsure(why, `the deposit may have been made: ${again}`)
  })
  const when = made.final ? 'that block is final' : 'it counts once that block is final'
  const text = `Deposited ${formatMoney(amount, unit)} in block ${made.block} (${made.hash}); ${when}.`
  return { json: { id: view.id, amount, depositId, ...made }, text }
}

/** Whether layer 1 has come to a block, by a moment (milliseconds of the clock) at the latest. */
async function finality(ask: Client['ask'], block: number, until: number): Promise<boolean> {
  for (;;) {
    if ((await ask('node.info', {})).head >= block) return true
    if (Date.now() >= until) return false
    await pause()
  }
}

/** Until layer 1 is worth another look. */
function pause(): Promise<void> {
  return new Promise((done) => setTimeout(done, 500))
}

/** Pays; answers once both sides have signed it, or with what is known when the time to wait is over. */
export async function pay(call: Call): Promise<Answer> {
  const { client, view, unit, amount } = await amountFor(call)
  const paymentId = idIn(call, 'payment') ?? toHex(randomBytes(32))
  const until = untilOf(call)
  const params = { id: view.id, amount, paymentId, memo: memoOf(call) }
  let payment: PaymentView
  try {
    do payment = await client.ask('channel.pay', params)
    while (payment.status === 'pending' && Date.now() < until)
  } catch (why) {
    const remedy = `the payment may have been made: repeat it with --payment ${paymentId}, it is paid once`
    throw inWords(unsure(why, remedy), unit)
  }
  if (payment.status === 'refused') {
    throw new Trouble(
      payment.code ?? 'Refused',
      `The payment can no longer succeed (${payment.code}): nothing was paid; kerros channel show ${view.id.slice(0, 12)} says how the channel is`,
    )
  }
  const what = formatMoney(amount, unit)
  const text =
    payment.status === 'paid'
      ? `Paid ${what} in version ${payment.version}: payment ${paymentId}`
      : `${what} waits for the peer: payment ${paymentId}; asked again with --payment ${paymentId} it is still paid once`
  return { json: { id: view.id, ...payment }, text }
}

/** The API counts in smallest units. */
export function inWords(why: unknown, unit: Unit): unknown {
  if (!(why instanceof Refusal && why.code === 'InsufficientFunds')) return why
  const [have, need] = why.args.map((amount) => formatMoney(BigInt(amount), unit))
  return new Trouble(why.code, `This side can pay ${have}, the payment needs ${need}: deposit more or pay less`, why)
}

/** Where the node cannot be asked any more, nobody knows whether it did it: only the same id is safe to repeat. */
export function unsure(why: unknown, remedy: string): unknown {
  const isUnsure = why instanceof Trouble && why.code === 'NodeNotRunning'
  if (!isUnsure && !(why instanceof Fault && why.code === 'TimedOut')) return why
  return new Trouble(why.code, `${why.message}; ${remedy}`, why)
}

/** What a channel has paid, both ways. */
export async function payments(call: Call): Promise<Answer> {
  const client = clientOf(call)
  const view = await channelBy(client, call.args.ID!)
  const unit = await client.unit(view.channel.asset)
  const page = await client.ask('channel.payments', { id: view.id, after: option(call, 'after') })
  if (page.payments.length === 0) return { json: page, text: 'No payments here.' }
  const rows = page.payments.map((one) => [
    one.paymentId,
    one.direction,
    one.amount === null ? '' : formatMoney(one.amount, unit),
    String(one.version ?? ''),
    textOf(one.memo),
  ])
  const more = page.next === null ? '' : `\nMore: --after ${page.next}`
  return { json: page, text: `${table(['payment', 'direction', 'amount', 'version', 'memo'], rows)}${more}` }
}

/** Takes money out of an open channel; answers once that is final, or with what is known when the time is over. */
export async function withdraw(call: Call): Promise<Answer> {
  const { client, view, unit, amount } = await amountFor(call)
  const until = untilOf(call)
  const within = option(call, 'within')
  const seconds = within === undefined ? {} : { seconds: parseDuration(within) }
  const left = `kerros channel show ${view.id.slice(0, 12)} tells how far it is`
  const now = await errand(call, client, view, left, async (ask) => {
    let last = await ask('channel.withdraw', { id: view.id, amount, ...seconds, wait: until > Date.now() })
    while (last.withdrawal !== null && Date.now() < until) {
      await pause()
      last = await ask('channel.show', { id: view.id })
    }
    return last
  })
  const what = formatMoney(amount, unit)
  const first =
    now.withdrawal === null ? `Took ${what} out to layer 1.` : `Asked the peer to sign that ${what} leave the channel.`
  return answerOf(client, now, first)
}

/** Writes what it takes to end a channel on another machine. */
export async function exportFile(call: Call): Promise<Answer> {
  const client = clientOf(call)
  const { id } = await channelBy(client, call.args.ID!)
  const { file } = await client.ask('channel.export', { id })
  const remedy =
    'Export again after every payment that you cannot afford to lose; with your key it ends the channel anywhere.'
  return fileOf(call, file, `holds no key. ${remedy}`)
}

/** Writes the proof of a payment of this side. */
export async function receipt(call: Call): Promise<Answer> {
  const client = clientOf(call)
  const { id } = await channelBy(client, call.args.ID!)
  const { file } = await client.ask('channel.receipt', { id, paymentId: paymentIn(call.args.PAYMENT!) })
  return fileOf(call, file, 'proves the payment to anybody: kerros receipt verify says what it proves')
}

/** A file's text as the answer, or written to --out. */
function fileOf(call: Call, text: string, about: string): Answer {
  const out = option(call, 'out')
  if (out === undefined) return { json: JSON.parse(text), text: text.trimEnd() }
  writeNew(out, text)
  return { json: { file: out }, text: `${out} ${about}.`.replace(/\.\.$/, '.') }
}

/** Ends a channel by agreement, or in court if the peer does not answer in time. */
export const close = (call: Call): Promise<Answer> => end(call, 'channel.close', 'Asked the peer to close')

/** Ends a channel in court, with the newest state. */
export const challenge = (call: Call): Promise<Answer> => end(call, 'channel.challenge', 'Going to court')

async function end(call: Call, method: 'channel.close' | 'channel.challenge', begun: string): Promise<Answer> {
  const client = clientOf(call)
  const found = await channelBy(client, call.args.ID!)
  const { id } = found
  const until = untilOf(call)
  const left = `kerros channel show ${id.slice(0, 12)} tells how far it is`
  const view = await errand(call, client, found, left, async (ask) => {
    let last = await ask(method, { id, wait: until > Date.now() })
    while (last.phase !== 'closed' && Date.now() < until) last = await ask(method, { id, wait: true })
    return last
  })
  return answerOf(client, view, view.phase === 'closed' ? 'Closed.' : `${begun}; the node goes on with it by itself.`)
}

interface Sum {
  readonly client: Client
  readonly view: ChannelView
  readonly unit: Unit
  readonly amount: bigint
}

/** The channel and the amount that the words of a call name. */
export async function amountFor(call: Call): Promise<Sum> {
  const client = clientOf(call)
  const view = await channelBy(client, call.args.ID!)
  const unit = await client.unit(view.channel.asset)
  const amount = parseMoney(call.args.AMOUNT!, unit, call.options.raw === true)
  if (amount === 0n) throw new Misuse('The amount is 0: write more than that')
  return { client, view, unit, amount }
}

/** Until when a person wants to wait, in milliseconds of the clock. */
export function untilOf(call: Call): number {
  return Date.now() + 1000 * parseDuration(option(call, 'wait') ?? '1m')
}

/** The 32 bytes of an option, if it was given. */
export function idIn(call: Call, name: string): Hex | undefined {
  const text = option(call, name)
  if (text === undefined || isHex(text, 32)) return text
  throw new Misuse(`"${text}" is no value of --${name}: write 0x and 64 lowercase hexadecimal digits`)
}

function paymentIn(text: string): Hex {
  if (isHex(text, 32)) return text
  throw new Misuse(
    `"${text}" is no payment id: write 0x and 64 lowercase hexadecimal digits, as channel payments tells it`,
  )
}

function memoOf(call: Call): Hex | undefined {
  const text = option(call, 'memo')
  return text === undefined || isHex(text) ? text : toHex(Buffer.from(text))
}

/** A memo for people: its text if it is one that a terminal can show as it stands, else its bytes. */
export function textOf(memo: Hex | null): string {
  if (memo === null || memo === '0x') return ''
  const text = Buffer.from(memo.slice(2), 'hex').toString('utf8')
  return /^[\p{L}\p{N}\p{P}\p{S} ]+$/u.test(text) ? text : memo
}
