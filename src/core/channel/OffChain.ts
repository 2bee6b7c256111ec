/** Codes with which a peer's machine refuses terms or its own side's wishes: no contract is asked, so none declares them. */
export const OFF_CHAIN_CODES = [
  'BadPayment',
  'BadTerms',
  'BadWithdrawal',
  'BondTooHigh',
  'ChannelEnding',
  'EqualSigners',
  'InsufficientFunds',
  'NotAParty',
  'NotSignedByBoth',
  'OtherCourt',
  'PeriodTooShort',
  'RestoredCopy',
  'TooManyPending',
  'UnknownChannel',
  'WithdrawalPending',
  'ZeroParty',
] as const
