import { ETHER } from '../base/Bytes.ts'
import { require } from '../base/Step.ts'
import { type Channel, isChannel } from './Channel.ts'

/**
 * Refuses terms that no careful party takes, before any money moves: a field beyond its width, a zero or doubled party, a period under
 * `minPeriod` seconds, a bond.
 */
export function requireTerms(channel: Channel, minPeriod: number): void {
  const { a, b, challengePeriod, bond, salt } = channel
  require(isChannel(channel), 'BadTerms', salt)
  for (const { owner, signer } of [a, b]) require(owner !== ETHER && signer !== ETHER, 'ZeroParty', owner, signer)
  require(a.signer !== b.signer, 'EqualSigners', a.signer)
  require(challengePeriod >= minPeriod, 'PeriodTooShort', challengePeriod, minPeriod)
  require(bond === 0n, 'BondTooHigh', bond, 0n)
}
