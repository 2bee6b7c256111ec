/** Codes that only the off-chain half refuses with: the court never sees what they are about. */
export const OFF_CHAIN_CODES = [
  // the ledger: why a transaction is not valid in a block
  'BlockClosed',
  'FeesExceeded',
  'FrozenInput',
  'RepeatedTransaction',
  'TooManyInputs',
  'TooYoung',
  'UnknownInput',
  'UnwantedSignature',
  'ValueTooLarge',
  'WrongLastBlock',
  'WrongOutputCount',
  // the operator
  'Backlogged',
  'FeeTooLow',
  'ForeignHeader',
  'NoInputs',
  'NotTendered',
  'SlotFilled',
  'UnknownSlot',
  // the wallet
  'ChainBad',
  'Decided',
  'InsufficientFunds',
  'KnownSwap',
  'LockExpired',
  'MalformedOwner',
  'NegativeFee',
  'NotSynced',
  'OutputInUse',
  'UnknownOutput',
  'UnknownPayment',
  'UnknownSwap',
  // everybody
  'ReorgTooDeep',
  'StoreDiffers',
] as const
