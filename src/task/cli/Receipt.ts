import { existsSync } from 'node:fs'
import { other } from '../../core/channel/Channel.ts'
import { payerIn } from '../../core/channel/Receipt.ts'
import { type ReceiptFile, readReceipt } from '../../edge/ReceiptFile.ts'
import type { Answer, Call } from './Command.ts'
import { readNamed } from './File.ts'
import { formatMoney } from './Money.ts'
import { type Config, given, homeOf, readConfig } from './Settings.ts'
import { facts } from './Table.ts'
import { Trouble } from './Trouble.ts'
import { knownUnit } from './Units.ts'

/** Says what a receipt proves; asks nobody, so that it works anywhere. Trouble if it proves nothing. */
export async function verify(call: Call): Promise<Answer> {
  const file = readReceipt(readNamed(call.args.FILE!))
  const trusted = courtOf(call)
  if (trusted && trusted.court !== file.court)
    throw new Trouble(
      'OtherCourt',
      `The receipt speaks of the court ${file.court}, not of ${trusted.court}: it proves nothing there`,
    )
  const { leaf, channel, state } = file
  const payer = payerIn(file)
  const payee = other(payer)
  const json = {
    proven: true,
    chainId: file.chainId,
    court: file.court,
    isCourtKnown: trusted !== undefined,
    channelId: state.channelId,
    payer: channel[payer].signer,
    payee: channel[payee].signer,
    asset: channel.asset,
    amount: leaf.amount,
    paymentId: leaf.paymentId,
    memo: leaf.memo,
    version: state.version,
  }
  return { json, text: words(call, file, json.payer, channel[payee].signer, trusted !== undefined) }
}

/** The court that this person trusts: --court, or that of a node's folder; none if there is neither. */
function courtOf(call: Call): Pick<Config, 'court'> | undefined {
  const { court } = given(call)
  if (court) return { court }
  const home = homeOf(call)
  return existsSync(home.config) ? readConfig(home) : undefined
}

function words(call: Call, file: ReceiptFile, payer: string, payee: string, isKnown: boolean): string {
  const { leaf, channel, chainId, court, state } = file
  const text = facts([
    ['proven', 'the payee has signed a state that contains this payment'],
    ['amount', amountText(call, file)],
    ['payment', leaf.paymentId],
    ['payer', payer],
    ['payee', payee],
    ['channel', `${state.channelId}, version ${state.version}`],
    ['asset', channel.asset],
    ['court', `${court} on chain ${chainId}`],
  ])
  return isKnown
    ? text
    : `${text}\nThe court is the one that the file names: compare it with the one that you trust, or give --court.`
}

/** Ether is ether anywhere; what a token counts in is known only where a node has asked the chain. */
function amountText(call: Call, { leaf, channel, chainId }: ReceiptFile): string {
  const home = homeOf(call)
  const unit = knownUnit(home, Number(chainId), channel.asset)
  return unit ? formatMoney(leaf.amount, unit) : `${leaf.amount} smallest units of ${channel.asset}`
}
