import { type Hex, isHex } from '../../../core/base/Bytes.ts'
import { hashLock } from '../../../core/base/Verdicts.ts'
import { type LockTerms, lockOf } from '../../../core/plasma/LockTerms.ts'
import { type Answer, type Call, option } from '../Command.ts'
import { readNamed } from '../File.ts'
import { facts } from '../Table.ts'
import { formatMoment, parseDuration } from '../Time.ts'
import { Misuse, Trouble } from '../Trouble.ts'
import { addressIn, amountIn, assetOf, waitOf, wordIn } from './Ask.ts'
import { mined, minedText, SENT } from './Leave.ts'
import { feeOf, LEFT, paid } from './Pay.ts'
import { withWallet } from './Session.ts'

const PREFIX = 'kerros-lock:'

/** The terms of a lock in one word, as one side hands them to the other. */
export function writeTerms({ hash, expiry, refund }: LockTerms): string {
  return PREFIX + Buffer.from(JSON.stringify([hash, expiry, refund])).toString('base64url')
}

/** The terms in a word. Throws Misuse unless every field is there and fits. */
export function readTerms(word: string): LockTerms {
  const [hash, expiry, refund] = word.startsWith(PREFIX) ? listIn(word.slice(PREFIX.length)) : []
  const isSecond = Number.isSafeInteger(expiry) && (expiry as number) > 0 && (expiry as number) < 2 ** 40
  if (isHex(hash, 32) && isSecond && isHex(refund, 20)) return { hash, expiry: expiry as number, refund }
  throw new Misuse(`These are no terms of a lock: copy the whole word that begins with ${PREFIX}`)
}

function listIn(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

/** Pays under a lock: the payee has it with the secret of the hash in time, else it comes back. */
export function lock(call: Call): Promise<Answer> {
  const [asset, wait, to] = [assetOf(call), waitOf(call, 0), addressIn(call.args.TO!, 'TO')]
  const key = option(call, 'hash')
  if (key === undefined) throw new Misuse('A lock needs --hash: what kerros plasma secret has told the payee')
  const hash = wordIn(key, 'hash')
  checkExpiry(call)
  return withWallet(call, LEFT, async (session) => {
    const expiry = expiryOf(call, await session.time())
    const value = await amountIn(call, session, call.args.AMOUNT!, asset)
    const order = { asset, value, to, fee: await feeOf(call, session, asset) }
    const terms = { hash, expiry, refund: session.wallet.owner }
    const send = () => session.wallet.lock(asset, { owner: to, value }, terms, order.fee)
    const { json, rows } = await paid(session, order, wait, send)
    const word = writeTerms(terms)
    const more = [
      [
        'payee has',
        `until ${formatMoment(expiry, await session.time())} to make the secret public; else it is yours again`,
      ],
      ['terms', `the payee needs them: kerros plasma learn ${word}`],
    ] as const
    return { json: { ...json, lock: lockOf(terms), hash, expiry, terms: word }, text: facts([...rows, ...more]) }
  })
}

/** Throws Misuse unless --within or --expiry is understood, before anything is opened. */
function checkExpiry(call: Call): void {
  expiryOf(call, 0)
}

/** The last second in which the secret may become public, seen from layer 1's newest block. */
function expiryOf(call: Call, now: number): number {
  const [within, at] = [option(call, 'within'), option(call, 'expiry')]
  if (within !== undefined && at !== undefined) throw new Misuse('--within and --expiry say the same: give one of them')
  if (at === undefined) return now + parseDuration(within ?? '1d')
  if (/^[0-9]{1,12}$/.test(at)) return Number(at)
  throw new Misuse(`"${at}" is no second since 1970: write it as 1800000000, or use --within`)
}

/** Tells the wallet the terms of a lock, without which it can do nothing with what is under it. */
export function learn(call: Call): Promise<Answer> {
  const terms = readTerms(call.args.TERMS!)
  return withWallet(call, 'Interrupted: ask again', async ({ wallet }) => {
    await wallet.learn(terms)
    const isRefund = terms.refund === wallet.owner
    const text = facts([
      ['lock', lockOf(terms)],
      ['hash', terms.hash],
      ['until', formatMoment(terms.expiry, Date.now() / 1000)],
      ['then', isRefund ? 'it is yours again' : `it is ${terms.refund}'s again`],
    ])
    return { json: { lock: lockOf(terms), ...terms }, text }
  })
}

/** Makes a secret public on layer 1, which decides every lock on its hash, here and in channels, that is not over. */
export function reveal(call: Call): Promise<Answer> {
  const file = option(call, 'secret-file')
  if (file === undefined) throw new Misuse('This needs --secret-file: what kerros plasma secret has written')
  const preimage = readNamed(file).trim()
  if (!isHex(preimage, 32)) throw new Trouble('Malformed', `${file} holds no secret of a lock: name the right file`)
  return withWallet(call, SENT, async (session) => {
    call.note('Sends the secret to layer 1')
    const receipt = await session.wallet.reveal([preimage])
    const hash: Hex = hashLock(preimage)
    const text = facts([
      ['hash', hash],
      ['public', minedText(receipt)],
      ['locks', 'what is locked under it for you can be spent once that block is final'],
    ])
    return { json: { hash, ...mined(receipt) }, text }
  })
}
