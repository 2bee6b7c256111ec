import type { Refusal } from '../../core/base/Step.ts'

type Args = Refusal['args']

/** What each refusal means to whoever runs a node: what was had, what was needed, what to do. */
const SENTENCES: Readonly<Record<string, (...args: Args) => string>> = {
  UnknownChannel: (id) => `This node has no channel ${id}; channel.list tells those it has.`,
  UnknownPayment: (id) => `This node knows no payment ${id} of this channel.`,
  NoReceipt: (id) => `There is no receipt of payment ${id}: it is not paid, or its proof is on layer 1 only.`,
  IdempotencyMismatch: (id) => `${id} was asked for before, and with something else; use a new id.`,
  DepositUnknown: (id, before, now) =>
    `The node ended before it knew whether deposit ${id} was made: final then were ${before}, now ${now}; look whether it comes, and use a new id if not.`,
  PaymentPending: (id) => `Payment ${id} has not ended; ask again, or wait for its event.`,
  InsufficientFunds: (have, need) => `This side can pay ${have}, the payment needs ${need}; deposit more or pay less.`,
  ChannelEnding: () => 'The channel is ending; open another to pay.',
  RestoredCopy: () => 'This store is an older copy of itself: the channel can only be closed.',
  OutcomeUnknown: () => 'This store is an older copy, so what became of the payment is not known; ask the payee.',
  WithdrawalPending: (until) => `A withdrawal is under way until second ${until}; one at a time.`,
  BadWithdrawal: (amount, seconds) => `Taking out ${amount} within ${seconds} s cannot be done; name more of either.`,
  TooManyPending: (have, need) => `${have} payments wait for the peer, at most ${need} may; try again later.`,
  BadPayment: (amount) => `A payment of ${amount} is none: the amount must be above 0, the memo at most 1024 bytes.`,
  BadLock: (amount) => `A lock of ${amount} is none: its amount must be above 0, its fields of the right size.`,
  LockTooShort: (have, need) => `The lock ends at second ${have}; its receiver needs until after ${need} to take it.`,
  KeyDecided: () => 'Layer 1 has decided on this key already; use a new preimage.',
  TooManyLocks: (have, need) => `${have} locks of this side are open, at most ${need} may be; try again later.`,
  NoSuchLock: (id) => `There is no open lock ${id} towards this side; channel.locks tells those there are.`,
  WrongPreimage: (key) => `These 32 bytes do not take the lock: their SHA-256 is not ${key}.`,
  LockTooLate: (have, need) => `It is second ${have}, this lock could be taken safely until ${need}; let it go.`,
  LockEnding: (id) => `Lock ${id} is being ended already; wait for its event.`,
  NoCredit: (asset, owner) => `The court keeps nothing of ${asset} for ${owner}; there is nothing to claim.`,
  NotOwner: (have, need) => `This node sends as ${have}; only ${need} itself may name another receiver.`,
  PaymentRefused: (_asset, to) => `${to} does not take the payment; name another receiver, or try again later.`,
  NotAParty: (signer) => `This node's key is of ${signer}, which is no signer of the channel; correct its terms.`,
  EqualSigners: (signer) => `Both sides have the signer ${signer}; each needs its own.`,
  ZeroParty: () => 'A side has the zero address as its owner or signer; name who shall be paid and who signs.',
  PeriodTooShort: (have, need) => `The challenge period is ${have} s, it must be ${need} s or more.`,
  BondTooHigh: (have, need) => `The bond is ${have} wei, this node takes at most ${need}.`,
  BadTerms: () => 'A field of the terms is wider than in the court: money under them would be lost.',
  NotFresh: (id, since) =>
    `Layer 1 has dealt with channel ${id} already, and this node does not read what came before block ${since}; agree on new terms.`,
  ChannelClosed: (id) => `Channel ${id} is closed on layer 1; open another.`,
}

/** The sentence of a refusal; its name and arguments where there is none. */
export function explainNode(refusal: Refusal): string {
  const sentence = SENTENCES[refusal.code]
  // A payment's end keeps the code of its refusal only.
  if (!sentence || refusal.args.length < sentence.length) return `Refused: ${refusal.message}.`
  return sentence(...refusal.args)
}
