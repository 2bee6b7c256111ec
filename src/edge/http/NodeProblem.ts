import type { Refusal } from '../../core/base/Step.ts'

type Args = Refusal['args']

/** What each refusal means to whoever runs a node: what was had, what was needed, what to do. */
const SENTENCES: Readonly<Record<string, (...args: Args) => string>> = {
  UnknownChannel: (id) => `This node has no channel ${id}; channel.list tells those it has.`,
  UnknownPayment: (id) => `This node knows no payment ${id} of this channel.`,
  NoReceipt: (id) => `There is no receipt of payment ${id}: it is not paid, or its proof is on layer 1 only.`,
  IdempotencyMismatch: (id) => `Payment ${id} was asked for with another amount or memo; use a new payment id.`,
  PaymentPending: (id) => `Payment ${id} has not ended; ask again, or wait for its event.`,
  InsufficientFunds: (have, need) => `This side can pay ${have}, the payment needs ${need}; deposit more or pay less.`,
  ChannelEnding: () => 'The channel is ending; open another to pay.',
  RestoredCopy: () => 'This store is an older copy of itself: the channel can only be closed.',
  OutcomeUnknown: () => 'This store is an older copy, so what became of the payment is not known; ask the payee.',
  WithdrawalPending: (until) => `A withdrawal is under way until second ${until}; one at a time.`,
  BadWithdrawal: (amount, seconds) => `Taking out ${amount} within ${seconds} s cannot be done; name more of either.`,
  TooManyPending: (have, need) => `${have} payments wait for the peer, at most ${need} may; try again later.`,
  BadPayment: (amount) => `A payment of ${amount} is none: the amount must be above 0, the memo at most 1024 bytes.`,
  NotAParty: (signer) => `This node's key is of ${signer}, which is no signer of the channel; correct its terms.`,
  EqualSigners: (signer) => `Both sides have the signer ${signer}; each needs its own.`,
  ZeroParty: () => 'A side has the zero address as its owner or signer; name who shall be paid and who signs.',
  PeriodTooShort: (have, need) => `The challenge period is ${have} s, it must be ${need} s or more.`,
  BondTooHigh: (have, need) => `The bond is ${have} wei, this node takes at most ${need}.`,
  BadTerms: () => 'A field of the terms is wider than in the court: money under them would be lost.',
  ChannelClosed: (id) => `Channel ${id} is closed on layer 1; open another.`,
}

/** The sentence of a refusal; its name and arguments where there is none. */
export function explainNode(refusal: Refusal): string {
  const sentence = SENTENCES[refusal.code]
  // A payment's end keeps the code of its refusal only.
  if (!sentence || refusal.args.length < sentence.length) return `Refused: ${refusal.message}.`
  return sentence(...refusal.args)
}
