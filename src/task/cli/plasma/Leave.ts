import { ETHER, type Hex } from '../../../core/base/Bytes.ts'
import { entries, get } from '../../../core/base/HashMap.ts'
import { dueExits } from '../../../core/plasma/Due.ts'
import { escrowsIn } from '../../../core/plasma/Kept.ts'
import { standingOf } from '../../../core/plasma/Locked.ts'
import { sightOf } from '../../../core/plasma/Purse.ts'
import { headOf } from '../../../core/plasma/View.ts'
import type { Receipt } from '../../../edge/chain/Chain.ts'
import { type Answer, type Call, option } from '../Command.ts'
import { ETH, formatMoney } from '../Money.ts'
import { facts } from '../Table.ts'
import { formatMoment } from '../Time.ts'
import { Misuse, Trouble } from '../Trouble.ts'
import { addressIn, assetOf, moneyText, outputBy, wordIn } from './Ask.ts'
import { type Session, withWallet } from './Session.ts'
import { type ExitView, exitsOf, toldTo } from './Told.ts'

/** What an interrupted command leaves behind that had sent something to layer 1. */
export const SENT =
  'Interrupted: what was sent to layer 1 may still be mined, kerros plasma exits tells; run the same command again to go on'

/** Starts the exit of one output; answers once layer 1 has it. */
export function exit(call: Call): Promise<Answer> {
  return withWallet(call, SENT, async (session) => {
    const { wallet } = session
    const { id, output, use } = outputBy(wallet.state, call.args.ID!)
    call.note(`Sends the start of the exit of ${await moneyText(session, output.asset, output.value)} to layer 1`)
    const receipt = await wallet.leave(id, call.options.anyway === true)
    const view = await startedBy(session, receipt, ({ outputs }) => outputs.includes(id))
    const text = facts([
      ['exit', id],
      ['amount', await moneyText(session, output.asset, output.value)],
      ['bond', view && `${formatMoney(view.bond, ETH)}: comes back with the money unless somebody shows a spend`],
      ['mined', minedText(receipt)],
      [
        'money',
        view && `${formatMoment(view.exitableAt, await session.time())} at the earliest, by kerros plasma process`,
      ],
    ])
    return { json: { id, use, ...mined(receipt), exit: view ?? null }, text }
  })
}

/** The exit that a transaction has started, as soon as the wallet has seen its block. */
async function startedBy(
  session: Session,
  { block }: Receipt,
  fits: (view: ExitView) => boolean,
): Promise<ExitView | undefined> {
  const { wallet, store, until } = session
  await until(() => headOf(wallet.state.follower.view) >= block, 30)
  return exitsOf(wallet.state, toldTo(wallet.state, store), await session.time()).findLast(fits)
}

/** A mined transaction in JSON. */
export function mined({ hash, block, gasUsed }: Receipt) {
  return { transaction: hash, block, gasUsed }
}

/** A mined transaction in words. */
export function minedText({ hash, block, gasUsed }: Receipt): string {
  return `in block ${block} by ${hash}, for ${gasUsed} gas`
}

/** Takes an open payment to layer 1 as a whole: its in-flight exit. */
export function fly(call: Call): Promise<Answer> {
  return withWallet(call, SENT, async (session) => {
    const txHash = paymentBy(session, call.args.PAYMENT!)
    call.note('Sends the start of the in-flight exit to layer 1')
    const receipt = await session.wallet.fly(txHash)
    return flightAnswer(session, txHash, receipt)
  })
}

/** Wants out with what is the wallet's of an in-flight exit. */
export function piggyback(call: Call): Promise<Answer> {
  const txHash = wordIn(call.args.PAYMENT!, 'hash of a payment')
  return withWallet(call, SENT, async (session) => {
    call.note('Sends the piggyback to layer 1')
    const receipt = await session.wallet.piggyback(txHash)
    return flightAnswer(session, txHash, receipt)
  })
}

async function flightAnswer(session: Session, txHash: Hex, receipt: Receipt): Promise<Answer> {
  const view = await startedBy(session, receipt, ({ id }) => id === txHash)
  const now = await session.time()
  const text = facts([
    ['in flight', txHash],
    ['yours', view && (await moneyText(session, view.asset, view.amount))],
    ['mined', minedText(receipt)],
    ['others', view?.half ? `may piggyback or show a competing spend, ${formatMoment(view.half, now)}` : undefined],
    ['money', view && `${formatMoment(view.exitableAt, now)} at the earliest, by kerros plasma process`],
  ])
  return { json: { txHash, ...mined(receipt), exit: view ?? null }, text }
}

/** The open payment that a hash means, whole or by enough of its beginning. Troubles: UnknownPayment, Usage. */
function paymentBy({ wallet }: Session, text: string): Hex {
  const start = text.toLowerCase().replace(/^(?:0x)?/, '0x')
  if (!/^0x[0-9a-f]{4,64}$/.test(start)) throw new Misuse(`"${text}" is no hash: write at least 4 digits behind 0x`)
  const found = [...entries(wallet.state.payments)].flatMap(([hash]) => (hash.startsWith(start) ? hash : []))
  if (found.length === 1) return found[0]!
  const had = found.length === 0 ? 'no open payment' : `${found.length} open payments`
  throw new Trouble(
    'UnknownPayment',
    `This wallet has ${had} that begin with ${start}: kerros plasma history tells them`,
  )
}

/** Lets the court pay the exits of an asset whose time has come, whosever they are. */
export function process(call: Call): Promise<Answer> {
  const asset = assetOf(call)
  return withWallet(call, SENT, async (session) => {
    const { wallet, store } = session
    const now = await session.time()
    const due = dueExits(wallet.state.running, asset, now)
    const count = due.exits.length + due.inFlight.length
    if (count === 0) throw new Trouble('NothingDue', await nothingDue(session, asset, now))
    call.note(`Lets the court pay ${count === 1 ? 'one exit' : `${count} exits`}`)
    const before = exitsOf(wallet.state, toldTo(wallet.state, store), now)
    const receipt = await wallet.process(asset, now)
    await startedBy(session, receipt, () => false)
    const after = exitsOf(wallet.state, toldTo(wallet.state, store), now)
    const paid = after.filter(
      ({ stage }, i) => stage !== before[i]?.stage && (stage === 'paid' || stage === 'processed'),
    )
    const sum = paid.reduce((total, one) => total + (one.paid ?? 0n), 0n)
    const bonds = paid.reduce((total, { bond }) => total + bond, 0n)
    const left = dueExits(wallet.state.running, asset, now)
    const rest = left.exits.length + left.inFlight.length
    const text = facts([
      ['mined', minedText(receipt)],
      [
        'to you',
        `${await moneyText(session, asset, sum)} of ${paid.length === 1 ? 'one exit' : `${paid.length} exits`}, and ${formatMoney(bonds, ETH)} of bonds`,
      ],
      ['due', rest > 0 ? `${rest} more: run it again` : undefined],
    ])
    return { json: { asset, ...mined(receipt), due: count, paid, left: rest }, text }
  })
}

async function nothingDue({ wallet, store }: Session, asset: Hex, now: number): Promise<string> {
  const running = exitsOf(wallet.state, toldTo(wallet.state, store), now).filter((one) => one.asset === asset)
  const next = running.filter(({ stage }) => stage === 'running' || stage === 'joinable').map((one) => one.exitableAt)
  const first = next.sort((a, b) => a - b)[0]
  const of = asset === ETHER ? 'ether' : asset
  if (first === undefined) return `No exit of ${of} waits to be paid: kerros plasma exits tells what runs`
  return `No exit of ${of} may be paid yet: the first of yours may ${formatMoment(first, now)}, try again then`
}

/** Takes what the court could not pay out, or with --escrow what locks have decided for the wallet. */
export function claim(call: Call): Promise<Answer> {
  const asset = assetOf(call)
  const given = option(call, 'to')
  const to = given === undefined ? undefined : addressIn(given, '--to')
  return withWallet(call, SENT, async (session) => {
    const { wallet } = session
    const isUnique = get(wallet.state.running.kinds, asset) === 'unique'
    const due =
      call.options.escrow === true
        ? escrows(session)
        : isUnique
          ? tokens(session, asset, to)
          : credit(session, asset, to)
    const claims = await due
    const made: unknown[] = []
    const rows: (readonly [string, string])[] = []
    for (const { asset: of, amount, receiver, run } of claims) {
      const money = await moneyText(session, of, amount)
      call.note(`Claims ${money}`)
      const receipt = await run()
      made.push({ asset: of, amount, to: receiver, ...mined(receipt) })
      rows.push(['claimed', `${money}, to ${receiver}`], ['mined', minedText(receipt)])
    }
    return { json: { claims: made }, text: facts(rows) }
  })
}

/** Something of the wallet's that layer 1 keeps, and how it is taken. */
interface Claim {
  readonly asset: Hex
  readonly amount: bigint
  readonly receiver: Hex
  readonly run: () => Promise<Receipt>
}

async function credit({ wallet, l1 }: Session, asset: Hex, to: Hex = wallet.owner): Promise<readonly Claim[]> {
  const amount = await l1.credit(asset, wallet.owner)
  if (amount === 0n) throw nothing(`The court keeps nothing of this asset for ${wallet.owner}`)
  return [{ asset, amount, receiver: to, run: () => wallet.claimCredit(asset, to) }]
}

function tokens({ wallet }: Session, asset: Hex, to: Hex = wallet.owner): readonly Claim[] {
  const ids = get(wallet.state.kept.tokens, asset) ?? []
  if (ids.length === 0) throw nothing(`The court keeps nothing of this ERC-721 for ${wallet.owner}`)
  return ids.map((id) => ({ asset, amount: id, receiver: to, run: () => wallet.claimToken(asset, id, to) }))
}

function escrows({ wallet }: Session): readonly Claim[] {
  const sight = sightOf(wallet.state)
  const due = escrowsIn(wallet.state.kept).filter((one) => standingOf(sight, one) === 'mine')
  if (due.length === 0) throw nothing(`No escrow is decided for ${wallet.owner}`)
  const all = wallet.claimEscrow.bind(wallet)
  let sent: Promise<readonly Receipt[]> | undefined
  const run = async (i: number) => {
    sent ??= all()
    return (await sent)[i]!
  }
  return due.map(({ asset, value }, i) => ({ asset, amount: value, receiver: wallet.owner, run: () => run(i) }))
}

function nothing(what: string): Trouble {
  return new Trouble('NoCredit', `${what}: there is nothing to claim`)
}
