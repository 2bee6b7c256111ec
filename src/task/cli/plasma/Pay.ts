import type { Hex } from '../../../core/base/Bytes.ts'
import { entries, get } from '../../../core/base/HashMap.ts'
import { Refusal } from '../../../core/base/Step.ts'
import { isUnique } from '../../../core/plasma/Ledger.ts'
import { depositId } from '../../../core/plasma/Transaction.ts'
import { Fault } from '../../../edge/Fault.ts'
import type { Acknowledgement } from '../../../edge/http/OperatorApi.ts'
import { type Answer, type Call, option } from '../Command.ts'
import { facts } from '../Table.ts'
import { Trouble } from '../Trouble.ts'
import { addressIn, amountIn, assetOf, memoOf, moneyText, saltOf, waitOf } from './Ask.ts'
import { sentence } from './Refused.ts'
import { type Session, withWallet } from './Session.ts'
import { idOf } from './Settings.ts'
import { toldTo } from './Told.ts'

/** Deposits into the chain; answers once layer 1 has it. */
export function deposit(call: Call): Promise<Answer> {
  const [salt, asset, wait] = [saltOf(call), assetOf(call), waitOf(call, 60)]
  const left = `Interrupted: a deposit that was sent may still be mined, kerros plasma balance tells; to ask for exactly this one again add --salt ${salt}`
  return withWallet(call, left, async (session) => {
    const { wallet, config, until } = session
    const value = await amountIn(call, session, call.args.AMOUNT!, asset)
    const id = depositId({ chain: idOf(config), sender: wallet.owner, salt, owner: wallet.owner, asset, value })
    const receipt = isDeposited(session, id) ? undefined : await sent(call, session, asset, value, salt)
    const isHeld = () => get(wallet.state.held, id) !== undefined
    const isFinal = isDeposited(session, id) && (await until(isHeld, receipt ? wait : 0))
    const { hash: transaction = null, block = null, gasUsed = null } = receipt ?? {}
    const amount = await moneyText(session, asset, value)
    const text = facts([
      ['deposit', id],
      ['amount', amount],
      [
        'mined',
        transaction ? `in block ${block} by ${transaction}, for ${gasUsed} gas` : 'before: it is not made twice',
      ],
      ['can pay', isFinal ? "from the operator's next block on" : `once it is ${config.confirmations} blocks deep`],
    ])
    return { json: { id, asset, amount: value, salt, transaction, block, gasUsed, isFinal }, text }
  })
}

function isDeposited({ wallet, store }: Session, id: Hex): boolean {
  const { blocks } = toldTo(wallet.state, store)
  return blocks.some(({ events }) => events.some((event) => event.name === 'Deposited' && event.id === id))
}

async function sent(call: Call, session: Session, asset: Hex, value: bigint, salt: Hex) {
  call.note(`Sends a deposit of ${await moneyText(session, asset, value)} to layer 1`)
  const receipt = await session.wallet.deposit(asset, value, salt)
  const chain = idOf(session.config)
  const { owner } = session.wallet
  const id = depositId({ chain, sender: owner, salt, owner, asset, value })
  await session.until(() => isDeposited(session, id), 30)
  return receipt
}

/** What an interrupted payment leaves behind. */
export const LEFT =
  'Interrupted: what was signed is kept and may still be included, kerros plasma history tells; do not pay again before'

/** Pays somebody on the chain; answers once the operator has acknowledged, or, with --wait, once it is certain. */
export function pay(call: Call): Promise<Answer> {
  const [asset, memo, wait] = [assetOf(call), memoOf(call), waitOf(call, 0)]
  const to = addressIn(call.args.TO!, 'TO')
  return withWallet(call, LEFT, async (session) => {
    const value = await amountIn(call, session, call.args.AMOUNT!, asset)
    const order = { asset, value, to, fee: await feeOf(call, session, asset) }
    const send = () => session.wallet.pay(asset, [{ owner: to, value }], order.fee, memo)
    const { json, rows } = await paid(session, order, wait, send)
    return { json: { ...json, memo }, text: facts(rows) }
  })
}

/** What is to be paid: amounts in smallest units. */
export interface Order {
  readonly asset: Hex
  readonly value: bigint
  readonly to: Hex
  readonly fee: bigint
}

/** Has a payment signed and submitted, and tells what became of it in so many seconds. Troubles: OperatorSilent. */
export async function paid(session: Session, order: Order, wait: number, send: () => Promise<Acknowledgement>) {
  const { asset, value, to, fee } = order
  const had = new Set(openPayments(session))
  const ack = await submitted(session, had, send)
  const txHash = ack?.txHash ?? openPayments(session).find((one) => !had.has(one))!
  const status = await endOf(session, txHash, ack, wait)
  const { number = null, index = null } = ack ?? {}
  const rows = [
    ['payment', txHash],
    ['amount', `${await moneyText(session, asset, value)} to ${to}`],
    ['fee', fee === 0n ? undefined : await moneyText(session, asset, fee)],
    ['status', STATUS[status](number)],
  ] as const
  return { json: { txHash, status, asset, amount: value, fee, to, number, index }, rows }
}

type Status = 'acknowledged' | 'paid' | 'failed' | 'unanswered'

const STATUS: Readonly<Record<Status, (number: number | null) => string>> = {
  acknowledged: (number) =>
    `acknowledged: it stands in block ${number}, and is certain once that is committed and checked`,
  paid: (number) => `paid: block ${number} is on layer 1 and checked`,
  failed: () => 'failed: no block has it, and none can any more; what it would have spent is free again',
  unanswered: () => 'signed, and the operator has not answered: it is told again by each command; do not pay again',
}

function openPayments({ wallet }: Session): readonly Hex[] {
  return [...entries(wallet.state.payments)].map(([hash]) => hash)
}

/** The operator's acknowledgement; undefined if it gave none, though the payment is signed. */
async function submitted(
  session: Session,
  had: ReadonlySet<Hex>,
  run: () => Promise<Acknowledgement>,
): Promise<Acknowledgement | undefined> {
  const why = session.silence()
  if (why !== undefined)
    throw new Trouble('OperatorSilent', `Nothing was signed, because the operator is silent: ${why}`)
  try {
    return await run()
  } catch (why) {
    const signed = openPayments(session).find((one) => !had.has(one))
    if (signed === undefined) throw why
    if (why instanceof Fault) return undefined
    if (!(why instanceof Refusal)) throw why
    const { lastBlock } = get(session.wallet.state.payments, signed)!.transaction
    const rest = `payment ${signed} is signed all the same, and open until block ${lastBlock} has passed without it`
    throw new Trouble(why.code, `${sentence(why)} But ${rest}`, why)
  }
}

async function endOf(
  { heard, until }: Session,
  txHash: Hex,
  ack: Acknowledgement | undefined,
  wait: number,
): Promise<Status> {
  const end = () => heard.find((one) => (one.kind === 'paid' || one.kind === 'failed') && one.txHash === txHash)?.kind
  await until(() => end() !== undefined, wait)
  return (end() as 'paid' | 'failed' | undefined) ?? (ack ? 'acknowledged' : 'unanswered')
}

/** What is left to the operator: what was said, or what it asks for. Troubles: FeeTooLow. */
export async function feeOf(call: Call, session: Session, asset: Hex): Promise<bigint> {
  const text = option(call, 'fee')
  if (text !== undefined) return amountIn({ ...call, options: {} }, session, text, asset)
  const fees = await session.api.fees().then(
    (answer) => answer.fees,
    () => [],
  )
  if (fees.length === 0) return 0n
  const own = fees.find((one) => one.asset === asset)
  if (own && !isUnique(session.wallet.state.follower.ledger, asset)) return own.amount
  const wanted = await moneyText(session, fees[0]!.asset, fees[0]!.amount)
  throw new Trouble(
    'FeeTooLow',
    `The operator wants a fee of ${wanted}, and a payment is of one asset: pay in that one`,
  )
}
