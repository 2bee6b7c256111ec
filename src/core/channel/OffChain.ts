/** Codes with which a peer's machine refuses its own side's wishes: no contract is asked, so none declares them. */
export const OFF_CHAIN_CODES = [
  'BadPayment',
  'ChannelEnding',
  'InsufficientFunds',
  'NotAParty',
  'RestoredCopy',
  'TooManyPending',
] as const
